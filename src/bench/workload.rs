//! Four networks of known work, drawn from fixed seeds, so that other simulators can be given the very
//! same weights and inputs.
//!
//! All neurons are `v ← 15/16 · v + input + bias`, fire above `1 + 2⁻¹⁰`, and reset to 0. Weights and
//! biases are multiples of 2⁻⁸. W1 and W2 are networks in f32. W3, W4 and W1i, a form of W1, are integer networks, because
//! only those have sparse matrices and run by kernels on graphics processors: their membrane counts 2⁻¹⁴, and `15/16 · v` is rounded toward zero to
//! a multiple of that. In both forms f32 holds every intermediate result exactly where it is stated so.

mod builder;

use super::draw::Draw;
use builder::Builder;
use snnc_ir::arena::{Arena, MatId, PopId, ProjId};
use snnc_ir::conv::Conv;
use snnc_ir::network::{Coding, Compare, Network, Op, Provenance, UpdateOrder};
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
    let mut last = net.input(Shape::flat(784));
    for Layer { rows, cols, weights, bias } in layers() {
        let weight = net.tensor(&[rows, cols], &weights);
        let bias = Some(net.tensor(&[rows], &bias));
        let sum = net.node(Op::Linear { weight, bias }, Shape::flat(rows), last);
        last = net.neurons(Shape::flat(rows), sum);
    }
    net.seal(last)
}

/// [`w1`] in integers.
pub(crate) fn w1_integer() -> Result<Net, Diagnostics> {
    let mut populations = Arena::new();
    let mut last: PopId = populations.push(Population {
        name: "input".to_owned(),
        shape: Shape::flat(784),
        role: Role::Logical,
        kind: PopKind::Input(Coding::Events),
    });
    let (mut matrices, mut projections) = (Arena::new(), Arena::new());
    for Layer { rows, cols, weights, bias } in layers() {
        let bias = bias.iter().map(|&units| MEMBRANE * i32::from(units)).collect();
        let target = populations.push(neurons(&format!("layer{}", matrices.len() + 1), rows, bias));
        let matrix = matrices.push(matrix(Structure::Dense { rows, cols }, &weights));
        projections.push(Projection { source: last, target, matrix, delay: 0 });
        last = target;
    }
    seal("W1i", 100, (populations, projections, matrices), last)
}

/// A dense layer; weights and biases in units of 2⁻⁸.
struct Layer {
    rows: u32,
    cols: u32,
    weights: Vec<i16>,
    bias: Vec<i16>,
}

/// The layers of [`w1`].
fn layers() -> Vec<Layer> {
    let draw = &mut Draw::new(1);
    let mut cols = 784;
    let sizes = [(512, 14, [0, 2]), (512, 40, [0, 4]), (10, 40, [0, 4])];
    let layer = |(rows, weight, [low, high]): (u32, i16, [i16; 2])| {
        let weights = draw.many((rows * cols) as usize, -weight, weight);
        let bias = draw.many(rows as usize, low, high);
        let layer = Layer { rows, cols, weights, bias };
        cols = rows;
        layer
    };
    sizes.into_iter().map(layer).collect()
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

/// One train per sample for the input; recurrent networks have none.
pub(crate) fn stimuli(net: &Net, batch: usize) -> Vec<Stimulus> {
    let (name, steps, sizes): (_, _, Vec<usize>) = match net {
        Net::Float(network) => {
            let inputs = network.nodes.values().filter(|n| matches!(n.op, Op::Input(_)));
            (&network.name, network.steps, inputs.map(|n| n.shape.size()).collect())
        }
        Net::Integer(network) => {
            let inputs = network.populations.values().filter(|p| p.is_input());
            (&network.name, network.steps, inputs.map(Population::size).collect())
        }
    };
    let percent = if name.starts_with("W1") { 15 } else { 10 };
    (0..batch as u64)
        .map(|sample| {
            let draw = &mut Draw::new(1000 + sample);
            let trains = sizes.iter().map(|&n| draw.train(steps as usize, n, percent));
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
    let mut weights = Vec::new();
    for _ in 0..size {
        let mut sources = std::collections::BTreeSet::new();
        while sources.len() < FAN_IN as usize {
            sources.insert(draw.below(size));
        }
        for source in sources {
            let excites = source < size / 5 * 4;
            weights.push(if excites { draw.between(1, 19) } else { -draw.between(40, 80) });
            col.push(source);
        }
        row_start.push(FAN_IN + row_start.last().copied().unwrap_or(0));
    }
    let bias = (0..size).map(|_| MEMBRANE * i32::from(draw.between(15, 28))).collect();
    let (mut populations, mut matrices, mut projections) =
        (Arena::new(), Arena::new(), Arena::new());
    let population: PopId = populations.push(neurons("neurons", size, bias));
    let structure = Structure::Sparse { rows: size, cols: size, row_start, col };
    let matrix = matrices.push(matrix(structure, &weights));
    projections.push(Projection { source: population, target: population, matrix, delay: 1 });
    seal(name, steps, (populations, projections, matrices), population)
}

/// Integer neurons with these biases, in units of the membrane.
fn neurons(name: &str, size: u32, bias: Vec<i32>) -> Population {
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
        floor: None,
    };
    Population {
        name: name.to_owned(),
        shape: Shape::flat(size),
        role: Role::Logical,
        kind: PopKind::Neurons(neuron),
    }
}

/// Weights in units of 2⁻⁸, of a mixed group, which stores even mantissas.
fn matrix(structure: Structure, weights: &[i16]) -> IntMatrix {
    IntMatrix {
        name: "w".to_owned(),
        structure,
        mantissa: weights.iter().map(|&weight| 2 * weight).collect(),
        exponent: -1,
        sign: Sign::Mixed,
        provenance: Provenance::Dense { tensor: "w".to_owned() },
    }
}

/// Populations, projections and matrices.
type Parts = (Arena<PopId, Population>, Arena<ProjId, Projection>, Arena<MatId, IntMatrix>);

fn seal(
    name: &str,
    steps: u32,
    (populations, projections, matrices): Parts,
    readout: PopId,
) -> Result<Net, Diagnostics> {
    let draft = QuantizedDraft {
        name: name.to_owned(),
        steps,
        time: Time::Logical,
        populations,
        projections,
        matrices,
        host: Vec::new(),
        readout: IntReadout::SpikeCount(readout),
    };
    Ok(Net::Integer(QuantizedNetwork::verify(draft, &Rules::default())?))
}
