//! A generator of small networks that use every operation, from a seed.

use snnc_ir::arena::{Arena, NodeId, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::network::{
    Coding, Compare, Current, Dynamics, Edge, Emission, Keep, LinearDynamics, Neuron, Node, Op,
    Provenance, Readout, Reset, Tensor, UpdateOrder,
};
use snnc_ir::{NetworkDraft, Param, Shape};

/// A small generator of numbers (xorshift).
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, n: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 33) % u64::from(n)) as u32
    }

    pub fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// In -1..1, never 0.
    pub fn real(&mut self) -> f32 {
        (self.below(2000) as f32 - 999.5) / 1000.0
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u32) as usize]
    }
}

/// A neuron without leak that fires above 1.
pub fn plain_neuron() -> Neuron {
    Neuron::plain(Dynamics::Integrate, Param::Uniform(1.0))
}

/// Builds networks by hand.
pub struct Builder {
    pub draft: NetworkDraft,
}

impl Builder {
    pub fn new() -> Self {
        Self {
            draft: NetworkDraft {
                name: "net".to_owned(),
                steps: 6,
                nodes: Arena::new(),
                tensors: Arena::new(),
                readout: Readout::SpikeCount(snnc_ir::Entity::new(0)),
                discretization: None,
            },
        }
    }

    pub fn node(&mut self, name: &str, op: Op, inputs: &[(NodeId, u32)], shape: Shape) -> NodeId {
        let inputs = inputs.iter().map(|&(source, delay)| Edge { source, delay }).collect();
        self.draft.nodes.push(Node { name: name.to_owned(), op, inputs, shape })
    }

    pub fn tensor(&mut self, name: &str, shape: &[u32], data: Vec<f32>) -> TensorId {
        let provenance = Provenance::Dense { tensor: name.to_owned() };
        let (name, shape) = (name.to_owned(), Shape(shape.to_vec()));
        self.draft.tensors.push(Tensor { name, shape, data, provenance, genes: None })
    }
}

/// A random network: inputs, then neurons, then the analog nodes between them.
pub fn network(seed: u64) -> NetworkDraft {
    let mut g =
        Generator { rng: Rng::new(seed), b: Builder::new(), populations: Vec::new(), reader: 0 };
    for i in 0..=g.rng.below(2) {
        // The first input is an image, so that convolutions have something to read.
        let shape = if i == 0 { g.image() } else { g.shape() };
        g.population(Op::Input(Coding::Events), shape);
    }
    let inputs = g.populations.len();
    for _ in 0..=g.rng.below(3) {
        let shape = g.shape();
        let neuron = g.neuron(&shape);
        g.population(Op::Neuron(neuron), shape);
    }
    for i in inputs..g.populations.len() {
        g.reader = i;
        let (id, shape) = g.populations[i].clone();
        let current = g.analog(&shape, 3);
        g.b.draft.nodes[id].inputs = vec![Edge { source: current, delay: 0 }];
    }
    let last = g.populations[g.populations.len() - 1].0;
    let bursts =
        matches!(&g.b.draft.nodes[last].op, Op::Neuron(n) if n.emission != Emission::Binary);
    g.b.draft.readout = if bursts || g.rng.chance(50) {
        g.reader = g.populations.len();
        let node = g.analog(&Shape::flat(2), 2);
        Readout::MeanLinear(node)
    } else {
        Readout::SpikeCount(last)
    };
    g.b.draft
}

/// A neuron that has no form with linear leak and plain spikes.
fn odd_neuron(rng: &mut Rng, threshold: Param<f32>) -> Neuron {
    let neuron = Neuron { threshold, ..plain_neuron() };
    if rng.chance(50) {
        return Neuron { emission: Emission::Burst { factor: 1.5 }, ..neuron };
    }
    let dynamics = Dynamics::Izhikevich { a: 0.02, b: 0.2, d: -2.0 };
    Neuron { dynamics, reset: Reset::To(-55.0), ..neuron }
}

fn divisors(n: u32) -> Vec<u32> {
    (1..=n).filter(|d| n.is_multiple_of(*d)).collect()
}

struct Generator {
    rng: Rng,
    b: Builder,
    populations: Vec<(NodeId, Shape)>,
    /// Index of the population whose current is being built: it may read earlier ones at once.
    reader: usize,
}

impl Generator {
    fn shape(&mut self) -> Shape {
        if self.rng.chance(30) { Shape::flat(1 + self.rng.below(6)) } else { self.image() }
    }

    fn image(&mut self) -> Shape {
        Shape::chw(1 + self.rng.below(3), 1 + self.rng.below(4), 1 + self.rng.below(4))
    }

    fn neuron(&mut self, shape: &Shape) -> Neuron {
        let rng = &mut self.rng;
        let mut param = |lo: f32, width: f32| {
            let mut value = || lo + width * (rng.real() + 1.0) / 2.0;
            let uniform = value();
            match shape.size() % 3 {
                0 => Param::Uniform(uniform),
                1 => Param::PerChannel((0..shape.channels()).map(|_| value()).collect()),
                _ => Param::PerNeuron((0..shape.size()).map(|_| value()).collect()),
            }
        };
        let (threshold, tau, decay) = (param(0.6, 1.0), param(1.0, 3.0), param(0.0, 1.0));
        let sigmoid = param(-1.0, 2.0);
        let current = Current { keep: param(0.0, 0.9), gain: param(0.2, 1.0) };
        let linear = LinearDynamics {
            current: Some(current),
            keep: param(0.0, 1.0),
            gain: param(0.2, 1.0),
            drive: param(-0.1, 0.2),
        };
        if rng.chance(5) {
            return odd_neuron(rng, threshold);
        }
        let reset = match rng.below(3) {
            0 => Reset::To(0.0),
            1 => Reset::To(rng.real() / 2.0),
            _ => Reset::Subtract,
        };
        let rest = if let Reset::To(value) = reset { value } else { 0.0 };
        let floor = rng.chance(15).then(|| Param::Uniform(rest - rng.real().abs()));
        Neuron {
            dynamics: match rng.below(6) {
                0 => Dynamics::Integrate,
                1 => Dynamics::Tau(tau),
                2 => Dynamics::Sigmoid(sigmoid),
                3 if rng.chance(20) => Dynamics::Linear(LinearDynamics { current: None, ..linear }),
                3 | 4 => Dynamics::Linear(linear),
                _ => Dynamics::Decay(decay),
            },
            threshold,
            compare: rng.pick(&[Compare::Gt, Compare::Ge]),
            reset,
            v_init: match reset {
                Reset::To(value) => value,
                Reset::Subtract => 0.0,
            },
            refractory: rng.below(3),
            order: UpdateOrder::LeakInputFire,
            emission: Emission::Binary,
            floor,
        }
    }

    fn population(&mut self, op: Op, shape: Shape) {
        let name = format!("p{}", self.populations.len());
        let id = self.b.node(&name, op, &[], shape.clone());
        self.populations.push((id, shape));
    }

    fn values(&mut self, shape: &[u32], positive: bool) -> TensorId {
        let n = shape.iter().product::<u32>();
        let data = (0..n).map(|_| {
            let v = self.rng.real();
            if positive { v.abs() + 0.1 } else { v }
        });
        let data = data.collect();
        let name = format!("t{}", self.b.draft.tensors.len());
        self.b.tensor(&name, shape, data)
    }

    fn bias(&mut self, n: u32) -> Option<TensorId> {
        self.rng.chance(50).then(|| self.values(&[n], false))
    }

    fn push(&mut self, op: Op, inputs: &[(NodeId, u32)], shape: &Shape) -> NodeId {
        let name = format!("{}{}", op.name(), self.b.draft.nodes.len());
        self.b.node(&name, op, inputs, shape.clone())
    }

    /// An edge to a population of that shape.
    fn read(&mut self, fits: impl Fn(&Shape) -> bool) -> Option<((NodeId, u32), Shape)> {
        let all: Vec<_> =
            (0..self.populations.len()).filter(|&i| fits(&self.populations[i].1)).collect();
        if all.is_empty() {
            return None;
        }
        let i = self.rng.pick(&all);
        let least = u32::from(i >= self.reader);
        let delay = least + if self.rng.chance(25) { self.rng.below(3) } else { 0 };
        let (id, shape) = self.populations[i].clone();
        Some(((id, delay), shape))
    }

    /// An edge to a population or an analog node of that shape.
    fn value(&mut self, shape: &Shape, depth: u32) -> (NodeId, u32) {
        if (depth == 0 || self.rng.chance(40))
            && let Some((edge, _)) = self.read(|s| s == shape)
        {
            return edge;
        }
        let delay = u32::from(self.rng.chance(5));
        (self.analog(shape, depth.saturating_sub(1)), delay)
    }

    /// An analog node of that shape.
    fn analog(&mut self, shape: &Shape, depth: u32) -> NodeId {
        if depth == 0 {
            return self.leaf(shape);
        }
        if self.rng.chance(15) {
            let op = Op::Relay(Some(self.rng.pick(&[Keep::Positive, Keep::Negative])));
            let input = self.value(shape, depth - 1);
            return self.push(op, &[input], shape);
        }
        if self.rng.chance(4) {
            return self.push(Op::Zero, &[], shape);
        }
        match (self.rng.below(8), shape.as_chw()) {
            (7, Some([c, h, w])) => {
                let crop = [(); 4].map(|()| self.rng.below(2));
                let source = Shape::chw(c, h + crop[0] + crop[1], w + crop[2] + crop[3]);
                let input = self.value(&source, depth - 1);
                self.push(Op::Crop(crop), &[input], shape)
            }
            (0, _) => {
                let n = 1 + self.rng.below(3);
                let inputs: Vec<_> = (0..n).map(|_| self.value(shape, depth - 1)).collect();
                self.push(Op::Add, &inputs, shape)
            }
            (1, _) => {
                let input = self.value(shape, depth - 1);
                let n = shape.0[0];
                let [gamma, beta, mean] = [(); 3].map(|()| self.values(&[n], false));
                let variance = self.values(&[n], true);
                let op = Op::BatchNorm { gamma, beta, mean, variance, eps: 1e-3 };
                self.push(op, &[input], shape)
            }
            (2, _) if shape.0[0] > 1 => {
                let first = 1 + self.rng.below(shape.0[0] - 1);
                let inputs = [first, shape.0[0] - first].map(|n| {
                    let mut part = shape.clone();
                    part.0[0] = n;
                    self.value(&part, depth - 1)
                });
                self.push(Op::Concat, &inputs, shape)
            }
            (3 | 4, Some(extents)) => self.window(extents, depth, true),
            (_, Some(extents)) => self.window(extents, depth, false),
            (3, None) => {
                let source = Shape::chw(shape.0[0], 1 + self.rng.below(3), 1 + self.rng.below(3));
                let input = self.value(&source, depth - 1);
                self.push(Op::GlobalAvgPool, &[input], shape)
            }
            (4, None) => {
                let n = shape.0[0];
                let c = self.rng.pick(&divisors(n));
                let input = self.value(&Shape::chw(c, n / c, 1), depth - 1);
                self.push(Op::Flatten, &[input], shape)
            }
            (_, None) => {
                let source = self.shape();
                let input = self.value(&source, depth - 1);
                self.linear(input, &source, shape)
            }
        }
    }

    fn linear(&mut self, input: (NodeId, u32), source: &Shape, shape: &Shape) -> NodeId {
        let positive = self.rng.chance(20);
        let weight = self.values(&[shape.0[0], source.size() as u32], positive);
        let bias = self.bias(shape.0[0]);
        self.push(Op::Linear { weight, bias }, &[input], shape)
    }

    /// A linear operation that reads a population.
    fn leaf(&mut self, shape: &Shape) -> NodeId {
        match shape.as_chw() {
            None => {
                let (input, source) = self.read(|_| true).expect("there is an input");
                self.linear(input, &source, shape)
            }
            Some([c, h, w]) => {
                // Any population will do if the kernel and the padding may be large enough.
                let (input, source) = self.read(|s| s.as_chw().is_some()).expect("an image");
                let source = source.as_chw().expect("it has three extents");
                let fit = |n: u32, m: u32| {
                    let k = if m < n { n - m + 1 } else { 1 };
                    (k, (m + k - 1).saturating_sub(n))
                };
                let ((kh, ph), (kw, pw)) = (fit(source[1], h), fit(source[2], w));
                let conv = Conv {
                    input: source,
                    out_channels: c,
                    kernel: [kh, kw],
                    stride: [1, 1],
                    pad: [ph / 2, ph - ph / 2, pw / 2, pw - pw / 2],
                    groups: 1,
                    crop: [0; 4],
                };
                self.conv(input, conv, shape)
            }
        }
    }

    fn conv(&mut self, input: (NodeId, u32), conv: Conv, shape: &Shape) -> NodeId {
        let weight = self.values(&conv.kernel_shape(), false);
        let bias = self.bias(conv.out_channels);
        self.push(Op::Conv2d { weight, bias, conv }, &[input], shape)
    }

    /// A convolution or pooling that writes `[c, h, w]`, over a value made to fit.
    fn window(&mut self, [c, h, w]: [u32; 3], depth: u32, pool: bool) -> NodeId {
        let rng = &mut self.rng;
        let mut dimension = |out: u32| {
            let (k, s) = (1 + rng.below(3), 1 + rng.below(3));
            let most = if pool { k } else { 3 };
            let (before, after) = (rng.below(most), rng.below(most));
            let input = ((out - 1) * s + k + rng.below(s)).checked_sub(before + after);
            match input {
                Some(input) if input >= 1 => (input, k, s, before, after),
                _ => ((out - 1) * s + k, k, s, 0, 0),
            }
        };
        let ((in_h, kh, sh, top, bottom), (in_w, kw, sw, left, right)) =
            (dimension(h), dimension(w));
        let groups = if pool { c } else { rng.pick(&divisors(c)) };
        let in_c = if pool { c } else { groups * (1 + rng.below(2)) };
        let crop = [(); 4].map(|()| u32::from(!pool && rng.chance(20)));
        let (in_h, in_w) = (in_h + crop[0] + crop[1], in_w + crop[2] + crop[3]);
        let conv = Conv {
            input: [in_c, in_h, in_w],
            out_channels: c,
            kernel: [kh, kw],
            stride: [sh, sw],
            pad: [top, bottom, left, right],
            groups,
            crop,
        };
        let input = self.value(&Shape::chw(in_c, in_h, in_w), depth - 1);
        let shape = Shape::chw(c, h, w);
        if pool {
            let exclude_pad = self.rng.chance(50);
            self.push(Op::AvgPool { window: conv, exclude_pad }, &[input], &shape)
        } else {
            self.conv(input, conv, &shape)
        }
    }
}
