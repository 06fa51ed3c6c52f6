//! Four networks of known work, drawn from fixed seeds, so that other simulators can be given the very
//! same weights and inputs.
//!
//! All neurons are `v ← 15/16 · v + input + bias`, fire above `1 + 2⁻¹⁰`, and reset to 0. Weights and
//! biases are multiples of 2⁻⁸. W1 and W2 are networks in f32. W3 and W4 are integer networks, because
//! only those have sparse matrices: their membrane counts 2⁻¹⁴, and `15/16 · v` is rounded toward zero to
//! a multiple of that. In both forms f32 holds every intermediate result exactly where it is stated so.

use super::draw::Draw;
use snnc_ir::arena::{Arena, NodeId, PopId, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::network::{
    Coding, Compare, Dynamics, Edge, Emission, Network, NetworkDraft, Neuron, Node, Op, Provenance,
    Readout, Reset, Tensor, UpdateOrder,
};
use snnc_ir::param::Param;
use snnc_ir::quantized::{
    IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection, QuantizedDraft,
    QuantizedNetwork, Role, Sign, Structure, Time,
};
use snnc_ir::shape::Shape;
use snnc_ir::{Diagnostics, Level, Rules};
use snnc_runtime::Stimulus;

/// A network of either level.
pub(crate) enum Net {
    /// In f32.
    Float(Network),
    /// In integers.
    Integer(QuantizedNetwork),
}

/// Units of the membrane of an integer neuron per 2⁻⁸ of weight.
const MEMBRANE: i32 = 64;

/// Weights and biases of matrices are counted in this.
const GRID: f32 = 1.0 / 256.0;

/// `784 – 512 – 512 – 10`, 100 steps, spikes in 15 % of the inputs.
pub(crate) fn w1() -> Result<Net, Diagnostics> {
    let mut net = Builder::new("W1", 100);
    let input = net.input(Shape::flat(784));
    let draw = &mut Draw::new(1);
    let mut last = (input, 784_u32);
    for (size, weight, bias) in [(512_u32, 14, [0, 2]), (512, 40, [0, 4]), (10, 40, [0, 4])] {
        let weights = draw.many((size * last.1) as usize, -weight, weight);
        let bias = draw.many(size as usize, bias[0], bias[1]);
        let weight = net.tensor(&[size, last.1], &weights);
        let bias = Some(net.tensor(&[size], &bias));
        let sum = net.node(Op::Linear { weight, bias }, Shape::flat(size), last.0);
        last = (net.neurons(Shape::flat(size), sum), size);
    }
    net.seal(last.0)
}

/// `2×34×34 → conv 8@3×3 → average 2×2 → conv 16@3×3 → 10`, 50 steps, spikes in 10 % of the inputs.
pub(crate) fn w2() -> Result<Net, Diagnostics> {
    let mut net = Builder::new("W2", 50);
    let input = net.input(Shape::chw(2, 34, 34));
    let draw = &mut Draw::new(2);
    let first = net.conv(draw, [2, 34, 34], 8, 90, input);
    let first = net.neurons(Shape::chw(8, 34, 34), first);
    let window = Conv {
        input: [8, 34, 34],
        out_channels: 8,
        kernel: [2, 2],
        stride: [2, 2],
        pad: [0; 4],
        groups: 8,
        crop: [0; 4],
    };
    let pooled = net.node(Op::AvgPool { window, exclude_pad: false }, Shape::chw(8, 17, 17), first);
    let second = net.conv(draw, [8, 17, 17], 16, 100, pooled);
    let second = net.neurons(Shape::chw(16, 17, 17), second);
    let weights = draw.many(10 * 16 * 289, -30, 30);
    let weight = net.tensor(&[10, 16 * 289], &weights);
    let sum = net.node(Op::Linear { weight, bias: None }, Shape::flat(10), second);
    let last = net.neurons(Shape::flat(10), sum);
    net.seal(last)
}

/// 10,000 neurons, 1,000,000 synapses, 1000 steps.
pub(crate) fn w3() -> Result<Net, Diagnostics> {
    recurrent("W3", 10_000, 1000, 3)
}

/// 100,000 neurons, 10,000,000 synapses, 100 steps.
pub(crate) fn w4() -> Result<Net, Diagnostics> {
    recurrent("W4", 100_000, 100, 4)
}

/// One train per sample for the input of a float workload; recurrent networks have no input.
pub(crate) fn stimuli(net: &Net, batch: usize) -> Vec<Stimulus> {
    let Net::Float(network) = net else { return vec![Stimulus::default(); batch] };
    let percent = if network.name == "W1" { 15 } else { 10 };
    let inputs = network.nodes.values().filter(|n| matches!(n.op, Op::Input(_)));
    let sizes: Vec<_> = inputs.map(|n| n.shape.size()).collect();
    (0..batch as u64)
        .map(|sample| {
            let draw = &mut Draw::new(1000 + sample);
            let trains = sizes.iter().map(|&n| draw.train(network.steps as usize, n, percent));
            Stimulus::from(trains.collect::<Vec<_>>())
        })
        .collect()
}

/// A balanced network: four in five neurons excite, the others inhibit four times as much and a little
/// more; every neuron hears 100 others one step later, and a constant drive lets 2.6 % of them fire in a step.
fn recurrent(name: &str, size: u32, steps: u32, seed: u64) -> Result<Net, Diagnostics> {
    const FAN_IN: u32 = 100;
    let draw = &mut Draw::new(seed);
    let (mut row_start, mut col) = (vec![0], Vec::new());
    let mut mantissa = Vec::new();
    for _ in 0..size {
        let mut sources = std::collections::BTreeSet::new();
        while sources.len() < FAN_IN as usize {
            sources.insert(draw.below(size));
        }
        for source in sources {
            let excites = source < size / 5 * 4;
            let weight = if excites { draw.between(1, 19) } else { -draw.between(40, 80) };
            // Of a mixed group, which stores even mantissas.
            mantissa.push(2 * weight);
            col.push(source);
        }
        row_start.push(FAN_IN + row_start.last().copied().unwrap_or(0));
    }
    let bias = (0..size).map(|_| MEMBRANE * i32::from(draw.between(15, 28))).collect();
    let neuron = IntNeuron {
        du: Param::Uniform(4095),
        dv: Param::Uniform(256),
        threshold: Param::Uniform((1 << 14) + (1 << 4)),
        compare: Compare::Gt,
        reset: IntReset::Zero,
        bias: Param::PerNeuron(bias),
        refractory: 1,
        order: UpdateOrder::LeakInputFire,
        update_period: 1,
    };
    let mut populations = Arena::new();
    let population = populations.push(Population {
        name: "neurons".to_owned(),
        shape: Shape::flat(size),
        role: Role::Logical,
        kind: PopKind::Neurons(neuron),
    });
    let mut matrices = Arena::new();
    let matrix = matrices.push(IntMatrix {
        name: "w".to_owned(),
        structure: Structure::Sparse { rows: size, cols: size, row_start, col },
        mantissa,
        exponent: -1,
        sign: Sign::Mixed,
        provenance: Provenance::Dense { tensor: "w".to_owned() },
    });
    let mut projections = Arena::new();
    let (source, target): (PopId, PopId) = (population, population);
    projections.push(Projection { source, target, matrix, delay: 1 });
    let draft = QuantizedDraft {
        name: name.to_owned(),
        steps,
        time: Time::Logical,
        populations,
        projections,
        matrices,
        host: Vec::new(),
        readout: IntReadout::SpikeCount(population),
    };
    Ok(Net::Integer(QuantizedNetwork::verify(draft, &Rules::default())?))
}

/// A float network, node by node.
struct Builder {
    draft: NetworkDraft,
}

impl Builder {
    fn new(name: &str, steps: u32) -> Self {
        use snnc_ir::arena::Entity;
        Self {
            draft: NetworkDraft {
                name: name.to_owned(),
                steps,
                nodes: Arena::new(),
                tensors: Arena::new(),
                readout: Readout::SpikeCount(NodeId::new(0)),
            },
        }
    }

    fn tensor(&mut self, shape: &[u32], units: &[i16]) -> TensorId {
        let name = format!("t{}", self.draft.tensors.len());
        self.draft.tensors.push(Tensor {
            provenance: Provenance::Dense { tensor: name.clone() },
            name,
            shape: Shape(shape.to_vec()),
            data: units.iter().map(|&k| f32::from(k) * GRID).collect(),
            genes: None,
        })
    }

    fn add(&mut self, op: Op, shape: Shape, inputs: Vec<Edge>) -> NodeId {
        let name = format!("{}{}", op.name(), self.draft.nodes.len());
        self.draft.nodes.push(Node { name, op, inputs, shape })
    }

    fn node(&mut self, op: Op, shape: Shape, source: NodeId) -> NodeId {
        self.add(op, shape, vec![Edge { source, delay: 0 }])
    }

    fn input(&mut self, shape: Shape) -> NodeId {
        self.add(Op::Input(Coding::Events), shape, Vec::new())
    }

    /// A convolution of 3×3 that keeps height and width.
    fn conv(
        &mut self,
        draw: &mut Draw,
        input: [u32; 3],
        out_channels: u32,
        weight: i16,
        source: NodeId,
    ) -> NodeId {
        let conv = Conv {
            input,
            out_channels,
            kernel: [3, 3],
            stride: [1, 1],
            pad: [1; 4],
            groups: 1,
            crop: [0; 4],
        };
        let weights = draw.many(conv.kernel_size(), -weight, weight);
        let weight = self.tensor(&conv.kernel_shape(), &weights);
        let shape = Shape::chw(out_channels, input[1], input[2]);
        self.node(Op::Conv2d { weight, bias: None, conv }, shape, source)
    }

    fn neurons(&mut self, shape: Shape, source: NodeId) -> NodeId {
        let neuron = Neuron {
            dynamics: Dynamics::Decay(Param::Uniform(1.0 / 16.0)),
            threshold: Param::Uniform(1.0 + 1.0 / 1024.0),
            compare: Compare::Gt,
            reset: Reset::To(0.0),
            v_init: 0.0,
            refractory: 0,
            order: UpdateOrder::LeakInputFire,
            emission: Emission::Binary,
        };
        self.node(Op::Neuron(neuron), shape, source)
    }

    fn seal(mut self, readout: NodeId) -> Result<Net, Diagnostics> {
        self.draft.readout = Readout::SpikeCount(readout);
        Ok(Net::Float(Network::verify(self.draft, &Rules::default())?))
    }
}
