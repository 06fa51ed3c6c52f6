//! Small float networks: by hand, and random.

use super::Rng;
use snnc_ir::arena::{Arena, NodeId, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::level::{Level, Rules};
use snnc_ir::network::{
    Coding, Compare, Current, Dynamics, Edge, Emission, Keep, LinearDynamics, Network,
    NetworkDraft, Neuron, Node, Op, Provenance, Readout, Reset, Tensor,
};
use snnc_ir::param::Param;
use snnc_ir::shape::Shape;
use snnc_runtime::float::{Signal, Stimulus};

/// A network under construction.
pub(crate) struct Builder {
    pub(crate) draft: NetworkDraft,
}

impl Builder {
    pub(crate) fn new(steps: u32) -> Self {
        let readout = Readout::SpikeCount(snnc_ir::Entity::new(0));
        Self {
            draft: NetworkDraft {
                name: "test".to_owned(),
                steps,
                nodes: Arena::new(),
                tensors: Arena::new(),
                readout,
                discretization: None,
            },
        }
    }

    pub(crate) fn tensor(&mut self, shape: &[u32], data: Vec<f32>) -> TensorId {
        self.draft.tensors.push(Tensor {
            name: format!("tensor_{}", self.draft.tensors.len()),
            shape: Shape(shape.to_vec()),
            data,
            provenance: Provenance::Dense { tensor: "t".to_owned() },
            genes: None,
        })
    }

    /// Adds a node that reads `inputs`: node and delay.
    pub(crate) fn node(&mut self, op: Op, shape: Shape, inputs: &[(NodeId, u32)]) -> NodeId {
        let name = format!("{}_{}", op.name(), self.draft.nodes.len());
        let inputs = inputs.iter().map(|&(source, delay)| Edge { source, delay }).collect();
        self.draft.nodes.push(Node { name, op, inputs, shape })
    }

    pub(crate) fn shape(&self, node: NodeId) -> Shape {
        self.draft.nodes[node].shape.clone()
    }

    /// A linear node of `rows` outputs.
    pub(crate) fn linear(
        &mut self,
        rows: u32,
        weight: Vec<f32>,
        bias: Option<Vec<f32>>,
        (source, delay): (NodeId, u32),
    ) -> NodeId {
        let cols = u32::try_from(self.shape(source).size()).unwrap();
        let weight = self.tensor(&[rows, cols], weight);
        let bias = bias.map(|b| self.tensor(&[rows], b));
        self.node(Op::Linear { weight, bias }, Shape::flat(rows), &[(source, delay)])
    }

    /// Sets the readout and seals.
    pub(crate) fn seal(mut self, readout: Readout) -> Network {
        self.draft.readout = readout;
        Network::verify(self.draft, &Rules::default()).unwrap_or_else(|e| panic!("{e}"))
    }
}

/// A strict neuron that resets to 0.
pub(crate) fn neuron(dynamics: Dynamics, threshold: f32) -> Neuron {
    Neuron::plain(dynamics, Param::Uniform(threshold))
}

/// A signal for each input.
pub(crate) fn stimulus(network: &Network, rng: &mut Rng) -> Stimulus {
    let percent = rng.range(10, 60);
    let mut inputs = Vec::new();
    for node in network.nodes.values() {
        let size = node.shape.size();
        match &node.op {
            Op::Input(Coding::Direct { range }) => {
                let [low, high] = range.unwrap_or([-1, 1]);
                inputs.push(Signal::Frame((0..size).map(|_| rng.real(low, high)).collect()));
            }
            Op::Input(_) => {
                inputs.push(Signal::Spikes(rng.train(network.steps as usize, size, percent)));
            }
            _ => {}
        }
    }
    Stimulus { inputs }
}

/// A number between −1 and 1 with full mantissa, sometimes 0.
fn real(rng: &mut Rng) -> f32 {
    if rng.chance(20) {
        return 0.0;
    }
    let x = i32::try_from(rng.range(-(1 << 23), 1 << 23)).unwrap();
    #[expect(clippy::cast_precision_loss, reason = "24 bits fit")]
    let x = x as f32;
    x / 8_388_608.0
}

fn reals(rng: &mut Rng, n: usize) -> Vec<f32> {
    (0..n).map(|_| real(rng)).collect()
}

/// A network of every kind of node, with delays and recurrence.
pub(crate) fn random(rng: &mut Rng) -> Network {
    let mut b = Builder::new(rng.size(1, 8));
    let mut values = Vec::new();
    for _ in 0..rng.range(1, 2) {
        let coding = if rng.chance(40) { Coding::Direct { range: None } } else { Coding::Events };
        let shape = Shape::chw(rng.size(1, 3), rng.size(1, 5), rng.size(1, 5));
        values.push(b.node(Op::Input(coding), shape, &[]));
    }
    let mut neurons = Vec::new();
    for _ in 0..rng.range(1, 4) {
        let mut current = weights(rng, &mut b, &values);
        for _ in 0..rng.range(0, 2) {
            current = shape_op(rng, &mut b, current);
        }
        let rows = u32::try_from(b.shape(current).size()).unwrap();
        if b.shape(current).0.len() == 1 && rng.chance(50) {
            // Recurrence through a delay from a population that may be defined later.
            let weight = reals(rng, (rows * rows) as usize);
            let back = b.linear(rows, weight, None, (current, 0));
            current = b.node(Op::Add, Shape::flat(rows), &[(current, 0), (back, 0)]);
            let n = population(rng, &mut b, current);
            b.draft.nodes[back].inputs[0] = Edge { source: n, delay: rng.size(1, 3) };
            neurons.push(n);
        } else {
            neurons.push(population(rng, &mut b, current));
        }
        values.push(neurons[neurons.len() - 1]);
    }
    let last = neurons[neurons.len() - 1];
    let bursts =
        |op: &Op| matches!(op, Op::Neuron(n) if matches!(n.emission, Emission::Burst { .. }));
    let readout = if bursts(&b.draft.nodes[last].op) || rng.chance(50) {
        let cols = b.shape(last).size();
        let (weight, bias) = (reals(rng, 3 * cols), reals(rng, 3));
        Readout::MeanLinear(b.linear(3, weight, Some(bias), (last, 0)))
    } else {
        Readout::SpikeCount(last)
    };
    b.seal(readout)
}

/// A linear or convolution that reads one of `values`, perhaps delayed.
fn weights(rng: &mut Rng, b: &mut Builder, values: &[NodeId]) -> NodeId {
    let source = values[rng.index(values.len())];
    let delay = if rng.chance(30) { rng.size(1, 9) } else { 0 };
    let image = b.shape(source).as_chw();
    match image {
        Some(input) if rng.chance(70) => {
            let conv = rng.conv(input);
            let data = reals(rng, conv.kernel_size());
            let weight = b.tensor(&conv.kernel_shape(), data);
            let bias = rng.chance(50).then(|| reals(rng, conv.out_channels as usize));
            let bias = bias.map(|data| b.tensor(&[conv.out_channels], data));
            let shape = Shape(conv.output().unwrap().to_vec());
            b.node(Op::Conv2d { weight, bias, conv }, shape, &[(source, delay)])
        }
        _ => {
            let rows = rng.size(1, 9);
            let data = reals(rng, rows as usize * b.shape(source).size());
            let bias = rng.chance(50).then(|| reals(rng, rows as usize));
            b.linear(rows, data, bias, (source, delay))
        }
    }
}

/// One more analog operation on `x`.
fn shape_op(rng: &mut Rng, b: &mut Builder, x: NodeId) -> NodeId {
    let shape = b.shape(x);
    let channels = u32::try_from(shape.channels()).unwrap();
    match (rng.range(0, 8), shape.as_chw()) {
        (0, _) => {
            let gamma = reals(rng, channels as usize);
            let data = [gamma, reals(rng, channels as usize), reals(rng, channels as usize)];
            let [gamma, beta, mean] = data.map(|d| b.tensor(&[channels], d));
            let variance = reals(rng, channels as usize).into_iter().map(f32::abs).collect();
            let variance = b.tensor(&[channels], variance);
            b.node(Op::BatchNorm { gamma, beta, mean, variance, eps: 1e-5 }, shape, &[(x, 0)])
        }
        (1, _) => {
            let delay = rng.size(0, 2);
            b.node(Op::Add, shape, &[(x, 0), (x, delay), (x, 0)])
        }
        (2, _) => {
            let mut doubled = shape;
            doubled.0[0] *= 2;
            b.node(Op::Concat, doubled, &[(x, 0), (x, rng.size(0, 1))])
        }
        (3, Some([c, h, w])) => {
            let window = Conv {
                input: [c, h, w],
                out_channels: c,
                kernel: [rng.size(1, 2).min(h), rng.size(1, 2).min(w)],
                stride: [rng.size(1, 2), rng.size(1, 2)],
                pad: [0; 4],
                groups: c,
                crop: [0; 4],
            };
            let pad = if window.kernel == [2, 2] && rng.chance(50) { [1, 0, 1, 1] } else { [0; 4] };
            let window = Conv { pad, ..window };
            let shape = Shape(window.output().unwrap().to_vec());
            b.node(Op::AvgPool { window, exclude_pad: rng.chance(50) }, shape, &[(x, 0)])
        }
        (5, Some([c, h, w])) => {
            let crop = [rng.size(0, 1), rng.size(0, 1), rng.size(0, 1), rng.size(0, 1)];
            match (h.checked_sub(crop[0] + crop[1]), w.checked_sub(crop[2] + crop[3])) {
                (Some(h), Some(w)) if h > 0 && w > 0 => {
                    b.node(Op::Crop(crop), Shape::chw(c, h, w), &[(x, rng.size(0, 1))])
                }
                _ => b.node(Op::Crop([0; 4]), shape, &[(x, 0)]),
            }
        }
        (6, _) => {
            let keep = if rng.chance(50) { Keep::Positive } else { Keep::Negative };
            b.node(Op::Relay(Some(keep)), shape, &[(x, rng.size(0, 1))])
        }
        (7, _) => {
            let zero = b.node(Op::Zero, shape.clone(), &[]);
            b.node(Op::Add, shape, &[(zero, rng.size(0, 1)), (x, 0)])
        }
        (4, Some(_)) => b.node(Op::GlobalAvgPool, Shape::flat(channels), &[(x, 0)]),
        _ => b.node(Op::Flatten, Shape::flat(u32::try_from(shape.size()).unwrap()), &[(x, 0)]),
    }
}

fn population(rng: &mut Rng, b: &mut Builder, current: NodeId) -> NodeId {
    let shape = b.shape(current);
    let per = |rng: &mut Rng, low: f32, high: f32| {
        let mut value = || low + (high - low) * real(rng).abs();
        if value() < f32::midpoint(low, high) {
            Param::Uniform(value())
        } else {
            Param::PerChannel((0..shape.channels()).map(|_| value()).collect())
        }
    };
    let dynamics = match rng.range(0, 4) {
        0 => Dynamics::Integrate,
        1 => Dynamics::Tau(per(rng, 1.0, 4.0)),
        2 => Dynamics::Decay(per(rng, 0.0, 1.0)),
        3 => Dynamics::Linear(LinearDynamics {
            current: rng
                .chance(60)
                .then(|| Current { keep: per(rng, 0.0, 1.0), gain: per(rng, 0.1, 2.0) }),
            keep: per(rng, 0.0, 1.0),
            gain: per(rng, 0.1, 2.0),
            drive: per(rng, -0.1, 0.2),
        }),
        _ => Dynamics::Sigmoid(per(rng, -2.0, 2.0)),
    };
    let integrates = !matches!(dynamics, Dynamics::Sigmoid(_) | Dynamics::Linear(_));
    let neuron = if rng.chance(15) {
        let compare = if rng.chance(50) { Compare::Gt } else { Compare::Ge };
        let (threshold, v_init) = (per(rng, 0.05, 0.4), real(rng) / 4.0);
        let (reset, emission) = (Reset::Subtract, Emission::Several);
        Neuron { threshold, compare, reset, v_init, emission, ..neuron(dynamics, 1.0) }
    } else if integrates && rng.chance(20) {
        let threshold = per(rng, 0.05, 0.8);
        let emission = Emission::Burst { factor: 1.0 + real(rng).abs() };
        Neuron { threshold, v_init: real(rng), emission, ..neuron(dynamics, 1.0) }
    } else if rng.chance(15) {
        let dynamics = Dynamics::Izhikevich {
            a: f64::from(real(rng)) / 9.0,
            b: f64::from(real(rng)),
            d: 8.0 * f64::from(real(rng)),
        };
        let reset = Reset::To(-55.0 + 9.0 * real(rng));
        Neuron { reset, v_init: -70.0, threshold: per(rng, 1.0, 30.0), ..neuron(dynamics, 1.0) }
    } else {
        Neuron {
            threshold: per(rng, 0.05, 0.8),
            compare: if rng.chance(50) { Compare::Gt } else { Compare::Ge },
            reset: if rng.chance(50) { Reset::To(real(rng) / 4.0) } else { Reset::Subtract },
            v_init: real(rng) / 4.0,
            refractory: rng.size(0, 2),
            ..neuron(dynamics, 1.0)
        }
    };
    b.node(Op::Neuron(neuron), shape, &[(current, 0)])
}
