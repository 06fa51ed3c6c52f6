//! Integer networks by hand.

use super::int_net::seal;
use snnc_ir::arena::{Arena, Entity, PopId};
use snnc_ir::network::{Coding, Compare, Keep, Provenance, UpdateOrder};
use snnc_ir::param::Param;
use snnc_ir::quantized::{
    Graded, IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection,
    QuantizedDraft, QuantizedNetwork, Role, Sign, Structure, Time,
};
use snnc_ir::shape::Shape;

/// A neuron without memory in u and without leak in v, that fires above 64 and resets to 0.
pub(crate) fn neuron() -> IntNeuron {
    IntNeuron {
        du: Param::Uniform(4095),
        dv: Param::Uniform(0),
        threshold: Param::Uniform(64),
        compare: Compare::Gt,
        reset: IntReset::Zero,
        bias: Param::Uniform(0),
        refractory: 1,
        order: UpdateOrder::LeakInputFire,
        update_period: 1,
        floor: None,
    }
}

/// A population of one neuron.
pub(crate) fn single(name: &str, kind: PopKind) -> Population {
    Population { name: name.to_owned(), shape: Shape::flat(1), role: Role::Logical, kind }
}

/// Single neurons called a, b, … behind one input, joined by `links` (source, target, weight,
/// delay), where population 0 is the input.
pub(crate) fn network(
    steps: u32,
    time: Time,
    neurons: Vec<IntNeuron>,
    links: &[(usize, usize, i16, u32)],
) -> QuantizedNetwork {
    let kinds = neurons.into_iter().map(PopKind::Neurons).collect();
    seal(draft(steps, time, kinds, links))
}

/// The same with populations of any kind.
pub(crate) fn draft(
    steps: u32,
    time: Time,
    kinds: Vec<PopKind>,
    links: &[(usize, usize, i16, u32)],
) -> QuantizedDraft {
    let mut populations: Arena<PopId, _> = Arena::new();
    populations.push(single("input", PopKind::Input(Coding::Events)));
    for (name, kind) in ["a", "b", "c"].iter().zip(kinds) {
        populations.push(single(name, kind));
    }
    let mut draft = QuantizedDraft {
        name: "tiny".to_owned(),
        steps,
        time,
        readout: IntReadout::SpikeCount(PopId::new(populations.len() - 1)),
        populations,
        projections: Arena::new(),
        matrices: Arena::new(),
        host: Vec::new(),
    };
    for &(source, target, weight, delay) in links {
        let matrix = draft.matrices.push(IntMatrix {
            name: format!("{source}_{target}"),
            structure: Structure::Dense { rows: 1, cols: 1 },
            mantissa: vec![2 * weight],
            exponent: -1,
            sign: Sign::Mixed,
            provenance: Provenance::Dense { tensor: "w".to_owned() },
        });
        let (source, target) = (PopId::new(source), PopId::new(target));
        draft.projections.push(Projection { source, target, matrix, delay });
    }
    draft
}

/// Relays with this sign and bias.
pub(crate) fn graded(keep: Option<Keep>, bias: i32) -> PopKind {
    PopKind::Graded(Graded { keep, bias: Param::Uniform(bias), shift: 0 })
}
