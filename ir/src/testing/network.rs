//! Builds networks in f32.

use super::Space;
use super::draw::Draw;
use super::shapes::{SIDE, conv, param, shape, strided};
use crate::arena::{Arena, NodeId, TensorId};
use crate::conv::Conv;
use crate::network::{
    Coding, Compare, Current, Discretization, Dynamics, Edge, Emission, Genes, Keep,
    LinearDynamics, NetworkDraft, Neuron, Node, Op, Provenance, Readout, Reset, Scheme, Tensor,
    UpdateOrder,
};
use crate::param::Param;
use crate::shape::Shape;

/// Builds one network: inputs and neurons first, then the nodes between them, so that the order of
/// ids is not the order of computation.
pub(super) fn build(draw: &mut Draw, space: Space) -> NetworkDraft {
    let steps = 1 + draw.small(6);
    let mut builder =
        Builder { draw, space, nodes: Arena::new(), tensors: Arena::new(), clips: Vec::new() };
    let inputs = 1 + builder.draw.below(2);
    let populations: Vec<NodeId> = (0..inputs)
        .map(|i| {
            let shape = shape(builder.draw);
            let coding = builder.coding(steps);
            builder.add(&format!("x{i}"), Op::Input(coding), vec![], shape)
        })
        .collect();
    let neurons = builder.neurons(populations);
    for (k, target) in neurons.iter().enumerate().skip(inputs) {
        builder.current(&neurons, k, *target);
    }
    let last = neurons[neurons.len() - 1];
    let bursts = matches!(&builder.nodes[last].op, Op::Neuron(n) if matches!(n.emission, Emission::Burst { .. }));
    let readout = if builder.draw.one_in(3) || bursts {
        let source = builder.draw.pick(&neurons);
        let classes = Shape::flat(1 + builder.draw.small(3));
        Readout::MeanLinear(builder.linear(Edge { source, delay: 0 }, classes))
    } else {
        Readout::SpikeCount(last)
    };
    let Builder { nodes, tensors, .. } = builder;
    let discretization = draw.one_in(4).then(|| discretization(draw));
    NetworkDraft { name: "generated".to_owned(), steps, nodes, tensors, readout, discretization }
}

struct Builder<'a> {
    draw: &'a mut Draw,
    space: Space,
    nodes: Arena<NodeId, Node>,
    tensors: Arena<TensorId, Tensor>,
    /// Clips made so far, which later currents read as they read populations.
    clips: Vec<NodeId>,
}

impl Builder<'_> {
    fn add(&mut self, name: &str, op: Op, inputs: Vec<Edge>, shape: Shape) -> NodeId {
        self.nodes.push(Node { name: name.to_owned(), op, inputs, shape })
    }

    /// Adds an analog node named after its operation and id.
    fn analog(&mut self, op: Op, inputs: Vec<Edge>, shape: Shape) -> NodeId {
        let name = format!("{}.{}", op.name(), self.nodes.len());
        self.add(&name, op, inputs, shape)
    }

    fn coding(&mut self, steps: u32) -> Coding {
        let choices = if self.space.analog() || self.space.graded() { 4 } else { 3 };
        match self.draw.below(choices) {
            0 => Coding::Events,
            1 => Coding::Accumulator {
                pmax: 1 + self.draw.small(9),
                steps_in: 1 + self.draw.small(steps),
            },
            2 => Coding::Rate { seed: u64::from(self.draw.small(u32::MAX)) << 20 },
            _ if self.space == Space::All => Coding::Direct { range: None },
            _ if self.space == Space::Everything && self.draw.one_in(2) => {
                Coding::Direct { range: None }
            }
            _ => Coding::Direct { range: Some(self.draw.pick(&[[0, 1], [-1, 2], [0, 255]])) },
        }
    }

    /// Adds one to four neuron populations without their currents; returns all populations.
    fn neurons(&mut self, mut populations: Vec<NodeId>) -> Vec<NodeId> {
        for i in 0..=self.draw.below(4) {
            let source = self.draw.pick(&populations);
            let from = self.nodes[source].shape.clone();
            let reduced =
                if self.draw.one_in(3) { strided(self.draw, self.space, &from) } else { None };
            let shape = match reduced.and_then(|c| c.output()) {
                Some(output) => Shape(output.to_vec()),
                None => shape(self.draw),
            };
            let neuron = self.neuron(&shape);
            // The current follows: until then the inputs hold the strided convolution's edge.
            let id = self.add(&format!("h{i}"), Op::Neuron(neuron), vec![], shape);
            if let Some(geometry) = reduced {
                let current = self.conv2d(Edge { source, delay: 0 }, geometry);
                self.nodes[id].inputs.push(Edge { source: current, delay: 0 });
            }
            populations.push(id);
        }
        populations
    }

    fn neuron(&mut self, shape: &Shape) -> Neuron {
        let eighths = |n: u32| f32::from(u16::try_from(n).unwrap_or(0)) / 8.0;
        let models = match self.space {
            Space::Everything => 6,
            Space::Graded => 5,
            Space::All | Space::Programmable | Space::Fixed | Space::Stages => 4,
        };
        let dynamics = match self.draw.below(models) {
            0 => Dynamics::Integrate,
            1 => Dynamics::Tau(param(self.draw, shape, |d| 1.0 + eighths(d.small(17)))),
            2 => Dynamics::Decay(param(self.draw, shape, |d| eighths(d.small(9)))),
            3 if self.space != Space::Graded || !self.is_direct() => {
                Dynamics::Linear(self.linear_dynamics(shape))
            }
            3 | 4 => Dynamics::Sigmoid(param(self.draw, shape, |d| eighths(d.small(33)) - 2.0)),
            _ => return Self::izhikevich(),
        };
        let threshold = param(self.draw, shape, |d| eighths(1 + d.small(12)));
        let compare = self.draw.pick(&[Compare::Gt, Compare::Ge]);
        let bursts =
            matches!(dynamics, Dynamics::Integrate | Dynamics::Tau(_) | Dynamics::Decay(_));
        if self.space == Space::Everything && bursts && self.draw.one_in(4) {
            return Neuron {
                dynamics,
                threshold,
                compare: Compare::Gt,
                reset: Reset::To(0.0),
                v_init: 0.0,
                refractory: 0,
                order: UpdateOrder::LeakInputFire,
                emission: Emission::Burst { factor: self.draw.pick(&[1.5, 1.0]) },
                floor: None,
            };
        }
        if self.space.analog() && self.draw.one_in(6) {
            return Neuron {
                dynamics,
                threshold,
                compare,
                reset: Reset::Subtract,
                v_init: self.draw.pick(&[0.0, 0.125, -0.0]),
                refractory: 0,
                order: UpdateOrder::LeakInputFire,
                emission: Emission::Several,
                floor: None,
            };
        }
        let resets = if self.space.programmable() { 3 } else { 2 };
        let (reset, start) = match self.draw.below(resets) {
            0 => (Reset::To(0.0), 0.0),
            1 => (Reset::To(-0.25), -0.25),
            _ => (Reset::Subtract, 0.0),
        };
        let rest = if let Reset::To(value) = reset { value } else { 0.0 };
        let floor = (self.space.programmable() && self.draw.one_in(5))
            .then(|| param(self.draw, shape, |d| rest - eighths(d.small(17))));
        let v_init =
            if self.space.analog() { self.draw.pick(&[start, 0.125, -0.0]) } else { start };
        Neuron {
            dynamics,
            threshold,
            compare,
            reset,
            v_init,
            refractory: self.draw.small(3),
            order: UpdateOrder::LeakInputFire,
            emission: Emission::Binary,
            floor,
        }
    }

    /// Whether an input is coded directly: the host's currents cannot be filtered.
    fn is_direct(&self) -> bool {
        self.nodes.values().any(|n| matches!(n.op, Op::Input(Coding::Direct { .. })))
    }

    /// Coefficients of a linear neuron; the current has memory more often than not.
    fn linear_dynamics(&mut self, shape: &Shape) -> LinearDynamics {
        let eighths = |n: u32| f32::from(u16::try_from(n).unwrap_or(0)) / 8.0;
        let current = (!self.draw.one_in(3)).then(|| Current {
            keep: param(self.draw, shape, |d| eighths(d.small(9))),
            gain: param(self.draw, shape, |d| eighths(1 + d.small(12))),
        });
        LinearDynamics {
            current,
            keep: param(self.draw, shape, |d| eighths(d.small(9))),
            gain: param(self.draw, shape, |d| eighths(1 + d.small(12))),
            drive: param(self.draw, shape, |d| {
                f32::from(i8::try_from(d.signed(2)).unwrap_or(0)) / 16.0
            }),
        }
    }

    /// The regular spiking neuron.
    fn izhikevich() -> Neuron {
        Neuron {
            dynamics: Dynamics::Izhikevich { a: 0.02, b: 0.2, d: 8.0 },
            threshold: Param::Uniform(30.0),
            compare: Compare::Ge,
            reset: Reset::To(-65.0),
            v_init: -65.0,
            refractory: 0,
            order: UpdateOrder::LeakInputFire,
            emission: Emission::Binary,
            floor: None,
        }
    }

    /// Adds what the `k`-th population reads: one to three terms, summed.
    fn current(&mut self, populations: &[NodeId], k: usize, target: NodeId) {
        let shape = self.nodes[target].shape.clone();
        let mut terms = std::mem::take(&mut self.nodes[target].inputs);
        for _ in 0..=self.draw.below(3) {
            let edge = self.read(populations, k);
            let whole = self.clips.contains(&edge.source) && self.nodes[edge.source].shape == shape;
            if whole && self.draw.one_in(2) {
                terms.push(edge);
            } else {
                let term = self.term(edge, &shape);
                terms.push(Edge { source: term, delay: 0 });
            }
        }
        if terms.len() > 1 || self.draw.one_in(4) {
            let sum = self.analog(Op::Add, terms, shape);
            terms = vec![Edge { source: sum, delay: 0 }];
        }
        self.nodes[target].inputs = terms;
    }

    /// An edge from a population or clip into the `k`-th current.
    fn read(&mut self, populations: &[NodeId], k: usize) -> Edge {
        let from = self.draw.below(populations.len() + self.clips.len());
        let Some(&source) = populations.get(from) else {
            // Clips so far belong to this current or an earlier one.
            let source = self.clips[from - populations.len()];
            return Edge { source, delay: self.draw.small(3) };
        };
        // Reading itself or a later population goes back in time.
        let earliest = u32::from(from >= k);
        let delay = earliest + self.draw.small(3);
        let direct = matches!(self.nodes[source].op, Op::Input(Coding::Direct { .. }));
        // The host adds what a sample causes to a constant bias, from the first step on.
        if self.space == Space::Graded && direct {
            return Edge { source, delay: 0 };
        }
        Edge { source, delay }
    }

    /// A current of shape `shape` from the population or clip that `edge` reads.
    fn term(&mut self, edge: Edge, shape: &Shape) -> NodeId {
        if self.space == Space::Stages && self.draw.one_in(3) {
            return self.chain(edge, shape);
        }
        let from = self.nodes[edge.source].shape.clone();
        let current = match conv(self.draw, self.space, &from, shape) {
            Some(geometry) if !self.draw.one_in(4) => self.conv2d(edge, geometry),
            _ => {
                let edge = self.reduced(edge, &from);
                self.linear(edge, shape.clone())
            }
        };
        let current = if self.draw.one_in(4) { self.batch_norm(current, shape) } else { current };
        if self.space.graded() { self.signed(current, shape) } else { current }
    }

    /// A current through one or two populations of plain relays: matrices between vectors, or
    /// convolutions between images, as passes make them.
    fn chain(&mut self, edge: Edge, shape: &Shape) -> NodeId {
        let images = self.nodes[edge.source].shape.as_chw().is_some() && shape.as_chw().is_some();
        let mut edge = edge;
        for _ in 0..=self.draw.below(2) {
            let relays = if images {
                Shape::chw(1 + self.draw.small(3), SIDE[0], SIDE[1])
            } else {
                Shape::flat(1 + self.draw.small(4))
            };
            let current = self.stage(edge, &relays);
            let input = Edge { source: current, delay: 0 };
            let source = self.analog(Op::Relay(None), vec![input], relays);
            edge = Edge { source, delay: self.draw.small(2) };
        }
        self.stage(edge, shape)
    }

    /// One matrix of a chain.
    fn stage(&mut self, edge: Edge, shape: &Shape) -> NodeId {
        let from = self.nodes[edge.source].shape.clone();
        match conv(self.draw, self.space, &from, shape) {
            Some(geometry) => self.conv2d(edge, geometry),
            None => self.linear(edge, shape.clone()),
        }
    }

    /// A current as it is, clipped, or silenced.
    fn signed(&mut self, current: NodeId, shape: &Shape) -> NodeId {
        let keep = match self.draw.below(8) {
            4 if self.space.stages() => None,
            5 => Some(Keep::Positive),
            6 => Some(Keep::Negative),
            7 => return self.analog(Op::Zero, vec![], shape.clone()),
            _ => return current,
        };
        let input = Edge { source: current, delay: 0 };
        let clip = self.analog(Op::Relay(keep), vec![input], shape.clone());
        self.clips.push(clip);
        clip
    }

    /// What a linear node reads: the population itself, flattened, pooled, or next to itself.
    fn reduced(&mut self, edge: Edge, from: &Shape) -> Edge {
        let images = if self.space.graded() { 9 } else { 8 };
        let choice = self.draw.below(if from.as_chw().is_some() { images } else { 5 });
        let (op, inputs, shape) = match (choice, from.as_chw()) {
            (4, _) => {
                let mut doubled = from.clone();
                doubled.0[0] *= 2;
                (Op::Concat, vec![edge, edge], doubled)
            }
            (5, _) => (Op::Flatten, vec![edge], Shape(vec![from.0.iter().product()])),
            (6, Some([channels, ..])) => (Op::GlobalAvgPool, vec![edge], Shape::flat(channels)),
            (7, Some(input)) => {
                let [channels, ..] = input;
                let pad = self.draw.pick(&[[0; 4], [1, 0, 0, 1]]);
                let window = Conv {
                    input,
                    out_channels: channels,
                    kernel: [2, 2],
                    stride: [1, 2],
                    pad,
                    groups: channels,
                    crop: [0; 4],
                };
                let Some(output) = window.output() else {
                    return edge;
                };
                let exclude_pad = self.draw.one_in(2);
                (Op::AvgPool { window, exclude_pad }, vec![edge], Shape(output.to_vec()))
            }
            (8, Some([channels, height, width])) => {
                let crop = [self.draw.small(height), 0, 0, self.draw.small(width)];
                let rest = Shape::chw(channels, height - crop[0], width - crop[3]);
                (Op::Crop(crop), vec![edge], rest)
            }
            _ => return edge,
        };
        Edge { source: self.analog(op, inputs, shape), delay: 0 }
    }

    fn linear(&mut self, edge: Edge, shape: Shape) -> NodeId {
        let [outputs, inputs] =
            [&shape, &self.nodes[edge.source].shape].map(|s| s.0.iter().product());
        let weight = self.weight(Shape(vec![outputs, inputs]));
        let bias = self.draw.one_in(3).then(|| self.tensor(Shape::flat(outputs)));
        self.analog(Op::Linear { weight, bias }, vec![edge], shape)
    }

    fn conv2d(&mut self, edge: Edge, conv: Conv) -> NodeId {
        let weight = self.weight(Shape(conv.kernel_shape().to_vec()));
        let bias = self.draw.one_in(3).then(|| self.tensor(Shape::flat(conv.out_channels)));
        let output = conv.output().map_or(Vec::new(), |o| o.to_vec());
        self.analog(Op::Conv2d { weight, bias, conv }, vec![edge], Shape(output))
    }

    fn batch_norm(&mut self, source: NodeId, shape: &Shape) -> NodeId {
        let channels = Shape::flat(shape.0[0]);
        let [gamma, beta, mean] = [(); 3].map(|()| self.tensor(channels.clone()));
        let variance = self.tensor(channels);
        // Variances are squares; a shared tensor stays as it is.
        let data = self.tensors[variance].data.iter().map(|v| v * v).collect();
        let squares = Tensor { name: self.name(), data, ..self.tensors[variance].clone() };
        let variance = self.tensors.push(squares);
        let op = Op::BatchNorm { gamma, beta, mean, variance, eps: 1e-5 };
        self.analog(op, vec![Edge { source, delay: 0 }], shape.clone())
    }

    fn name(&self) -> String {
        format!("t{}", self.tensors.len())
    }

    /// A weight, stored or generated.
    fn weight(&mut self, shape: Shape) -> TensorId {
        if !self.draw.one_in(5) {
            return self.tensor(shape);
        }
        let [genes_out, genes_in] = [(); 2].map(|()| 1 + self.draw.small(2));
        let (scheme, core, columns) = match *shape.0 {
            [_, columns] => (Scheme::Linear, vec![genes_out, genes_in], columns),
            [_, channels, height, width] if self.draw.one_in(2) => {
                (Scheme::PerOffset, vec![height * width, genes_out, genes_in], channels)
            }
            [_, channels, height, width] => {
                (Scheme::FlatFanIn, vec![genes_out, genes_in], channels * height * width)
            }
            _ => return self.tensor(shape),
        };
        let out = self.tensor(Shape(vec![shape.0[0], genes_out]));
        let core = self.tensor(Shape(core));
        let source = self.tensor(Shape(vec![columns, genes_in]));
        let named = |id: TensorId| self.tensors[id].name.clone();
        let provenance = Provenance::Encoded {
            scheme,
            out: named(out),
            core: named(core),
            source: named(source),
            scale: self.draw.pick(&[1.0, 0.1, -0.5]),
            heaviside: self.draw.one_in(4),
        };
        let genes = Some(Genes { out, core, source });
        let name = self.name();
        self.tensors.push(Tensor { name, shape, data: Vec::new(), provenance, genes })
    }

    /// A stored tensor of eighths or tenths; sometimes one that exists already.
    fn tensor(&mut self, shape: Shape) -> TensorId {
        let fits = |t: &Tensor| t.shape == shape && t.genes.is_none();
        if self.draw.one_in(4)
            && let Some((id, _)) = self.tensors.iter().find(|(_, t)| fits(t))
        {
            return id;
        }
        let scale = self.draw.pick(&[8.0, 10.0]);
        let value = |n: i32| f32::from(i16::try_from(n).unwrap_or(0)) / scale;
        let data = (0..shape.size()).map(|_| value(self.draw.signed(12))).collect();
        let name = self.name();
        let provenance = match self.draw.below(8) {
            5 => Provenance::Encoded {
                scheme: self.draw.pick(&[Scheme::Linear, Scheme::PerOffset, Scheme::FlatFanIn]),
                out: "e1".to_owned(),
                core: "o \"1\"".to_owned(),
                source: "e0\n".to_owned(),
                scale: 0.1,
                heaviside: self.draw.one_in(2),
            },
            6 => Provenance::EncodedBias { out: "e1".to_owned(), beta: "β".to_owned() },
            7 => Provenance::Derived {
                pass: "generator".to_owned(),
                from: (0..self.draw.below(3)).map(|i| format!("t{i}")).collect(),
            },
            _ => Provenance::Dense { tensor: name.clone() },
        };
        self.tensors.push(Tensor { name, shape, data, provenance, genes: None })
    }
}

/// Any valid record; which choices it makes has no effect.
fn discretization(draw: &mut Draw) -> Discretization {
    use crate::network::discretization as d;
    fn any<T: Copy>(draw: &mut Draw, all: &[(&str, T)]) -> T {
        draw.pick(all).1
    }
    let time_unit = any(draw, d::TimeUnit::ALL);
    let timed = time_unit != d::TimeUnit::Steps;
    let reset = any(draw, d::ResetRule::ALL);
    let several = reset == d::ResetRule::Subtract && draw.one_in(2);
    Discretization {
        dialect: draw.one_in(2).then(|| any(draw, d::Dialect::ALL)),
        dt: timed.then(|| draw.pick(&[1e-4, 1e-3, 0.25])),
        time_unit,
        integration: any(draw, d::Integration::ALL),
        comparison: draw.pick(&[Compare::Gt, Compare::Ge]),
        reset,
        spikes_per_step: if several { d::SpikesPerStep::Several } else { d::SpikesPerStep::One },
        if_dialect: any(draw, d::IfDialect::ALL),
        loop_bias: any(draw, d::LoopBias::ALL),
    }
}
