//! The network of the check: every structure of weights, a cycle, a relay, a hold.

use super::Draw;
use snnc_ir::arena::{Arena, MatId, PopId};
use snnc_ir::conv::Conv;
use snnc_ir::network::Provenance;
use snnc_ir::network::{Coding, Compare, UpdateOrder};
use snnc_ir::param::Param;
use snnc_ir::quantized::{
    Graded, IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection,
    QuantizedDraft, QuantizedNetwork, Role, Sign, Structure, Time,
};
use snnc_ir::shape::Shape;
use snnc_ir::{Diagnostics, Level, Rules};

/// Elements of its input, an image of 2 channels.
pub(super) const INPUTS: usize = 72;

/// Input → a (convolution) → b (dense, sparse from itself and from c) → relay (dense) → c (dense, and one-to-one from
/// b).
pub(super) fn network(draw: &mut Draw) -> Result<QuantizedNetwork, Diagnostics> {
    let conv = Conv {
        input: [2, 6, 6],
        out_channels: 2,
        kernel: [3, 3],
        stride: [1, 1],
        pad: [1; 4],
        groups: 1,
        crop: [0; 4],
    };
    let neuron = |refractory: u32, reset: IntReset| IntNeuron {
        du: Param::Uniform(3000),
        dv: Param::Uniform(300),
        threshold: Param::Uniform(64 * 200),
        compare: Compare::Gt,
        reset,
        bias: Param::Uniform(64),
        refractory,
        order: UpdateOrder::LeakInputFire,
        update_period: 1,
        floor: Some(Param::Uniform(-64 * 30)),
    };
    let mut populations = Arena::new();
    let image = || Shape::chw(2, 6, 6);
    let mut add = |name: &str, shape: Shape, kind: PopKind| -> PopId {
        populations.push(Population { name: name.to_owned(), shape, role: Role::Logical, kind })
    };
    let input = add("input", image(), PopKind::Input(Coding::Events));
    let a = add("a", image(), PopKind::Neurons(neuron(1, IntReset::Zero)));
    let b = add("b", Shape::flat(70), PopKind::Neurons(neuron(3, IntReset::Zero)));
    let relay = Graded { keep: None, shift: 3, bias: Param::Uniform(-5) };
    let relay = add("relay", Shape::flat(9), PopKind::Graded(relay));
    let reset = IntReset::Zero;
    let c = add("c", Shape::flat(70), PopKind::Neurons(neuron(1, reset)));
    let mut matrices = Arena::new();
    let mut matrix = |name: &str, structure: Structure, largest: i32| -> MatId {
        let mantissa = (0..structure.stored()).map(|_| {
            // Of a mixed group, which stores even mantissas.
            i16::try_from(2 * draw.range(-largest / 2, largest)).unwrap_or(0)
        });
        matrices.push(IntMatrix {
            name: name.to_owned(),
            mantissa: mantissa.collect(),
            structure,
            exponent: -1,
            sign: Sign::Mixed,
            provenance: Provenance::Dense { tensor: name.to_owned() },
        })
    };
    let dense = |rows: u32, cols: u32| Structure::Dense { rows, cols };
    let ring = |step: u32| Structure::Sparse {
        rows: 70,
        cols: 70,
        row_start: (0..=70).map(|row| 3 * row).collect(),
        col: (0..70)
            .flat_map(|row| {
                let mut cols = [row, (row + step) % 70, (row + 2 * step) % 70];
                cols.sort_unstable();
                cols
            })
            .collect(),
    };
    let all = [
        (input, a, matrix("conv", Structure::Conv(conv), 127), 0),
        (a, b, matrix("dense", dense(70, 72), 60), 0),
        (b, b, matrix("own", ring(7), 90), 1),
        (c, b, matrix("back", ring(11), 90), 2),
        (b, relay, matrix("in", dense(9, 70), 60), 0),
        (relay, c, matrix("out", dense(70, 9), 20), 0),
        (b, c, matrix("same", Structure::Identity { size: 70 }, 127), 1),
    ];
    let mut projections = Arena::new();
    for (source, target, matrix, delay) in all {
        projections.push(Projection { source, target, matrix, delay });
    }
    let draft = QuantizedDraft {
        name: "check".to_owned(),
        steps: 40,
        time: Time::Logical,
        populations,
        projections,
        matrices,
        host: Vec::new(),
        readout: IntReadout::SpikeCount(c),
    };
    QuantizedNetwork::verify(draft, &Rules::default())
}
