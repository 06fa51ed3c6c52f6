//! Small drafts for the unit tests of quantization and the integer passes.

use snnc_ir::arena::{MatId, PopId};
use snnc_ir::network::{Coding, Compare, Dynamics, Neuron, Provenance, UpdateOrder};
use snnc_ir::quantized::{
    IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection, QuantizedDraft,
    Role, Sign, Structure, Time,
};
use snnc_ir::target::{Costs, Limit};
use snnc_ir::{Entity, Param, Shape, TargetSpec};

/// Neurons of every fixture population.
pub(crate) const SIZE: u32 = 3;

/// A target with the limits of a small Loihi.
pub(crate) fn target() -> TargetSpec {
    let limit = |value: i64| Limit { value, source: "test".to_owned(), line: 1 };
    TargetSpec {
        name: "test".to_owned(),
        summary: "for tests".to_owned(),
        file: "test.toml".to_owned(),
        hash: String::new(),
        programmable_neuron: false,
        message_bits: limit(0),
        compartments: limit(1024),
        input_axons: limit(4096),
        output_axons: limit(4096),
        synapse_words: limit(16_384),
        profiles: limit(32),
        thresholds: limit(8),
        floors: limit(8),
        floor_powers: limit(0),
        formats: limit(15),
        cores_per_chip: limit(128),
        chips: limit(1),
        cores_per_router: limit(4),
        mesh_width: limit(8),
        mesh_height: limit(4),
        board_width: limit(1),
        board_height: limit(1),
        chip_hops: limit(8),
        max_delay: limit(62),
        max_refractory: limit(63),
        max_threshold: limit(131_071),
        max_bias_mantissa: limit(4095),
        max_bias_exponent: limit(7),
        min_weight_exponent: limit(-7),
        max_weight_exponent: limit(7),
        max_input_sum: limit(32_767),
        state_bits: limit(24),
        synapse_header_bits: limit(10),
        synapse_block: limit(64),
        shared_kernels: limit(0),
        axon_atoms: limit(0),
        list_bases: limit(0),
        population_slots: limit(0),
        costs: Costs::absent("tests", 0),
    }
}

/// A float neuron with a leak that fires above 1.
pub(crate) fn neuron() -> Neuron {
    Neuron::plain(Dynamics::Decay(Param::Uniform(0.125)), Param::Uniform(1.0))
}

/// Neurons with this membrane decay.
pub(crate) fn neurons(dv: u16) -> IntNeuron {
    IntNeuron {
        du: Param::Uniform(4095),
        dv: Param::Uniform(dv),
        threshold: Param::Uniform(640),
        compare: Compare::Gt,
        reset: IntReset::Zero,
        bias: Param::Uniform(0),
        refractory: 1,
        order: UpdateOrder::LeakInputFire,
        update_period: 1,
        floor: None,
    }
}

/// A population of [`SIZE`] neurons, an input if it has no neurons.
pub(crate) fn population(name: &str, neuron: Option<IntNeuron>) -> Population {
    Population {
        name: name.to_owned(),
        shape: Shape::flat(SIZE),
        role: Role::Logical,
        kind: neuron.map_or(PopKind::Input(Coding::Events), PopKind::Neurons),
    }
}

/// A projection with the fixture matrix.
pub(crate) fn dense(source: usize, target: usize, delay: u32) -> Projection {
    let (source, target) = (PopId::new(source), PopId::new(target));
    Projection { source, target, matrix: MatId::new(0), delay }
}

/// A dense matrix of the scheme's mixed form.
pub(crate) fn matrix(rows: u32, cols: u32, weights: &[i16]) -> IntMatrix {
    IntMatrix {
        name: "w".to_owned(),
        structure: Structure::Dense { rows, cols },
        mantissa: weights.iter().map(|w| 2 * w).collect(),
        exponent: -1,
        sign: Sign::Mixed,
        provenance: Provenance::Dense { tensor: "w".to_owned() },
    }
}

/// A network in logical time; projections are (source, target, delay), the last population is read.
pub(crate) fn quantized(
    populations: Vec<(&str, Option<IntNeuron>)>,
    projections: &[(usize, usize, u32)],
) -> QuantizedDraft {
    let last = PopId::new(populations.len() - 1);
    QuantizedDraft {
        name: "fixture".to_owned(),
        steps: 10,
        time: Time::Logical,
        populations: populations.into_iter().map(|(name, n)| population(name, n)).collect(),
        projections: projections.iter().map(|&(s, t, d)| dense(s, t, d)).collect(),
        matrices: vec![matrix(SIZE, SIZE, &[5, -3, 0, 7, 1, -2, 4, 4, -9])].into(),
        host: Vec::new(),
        readout: IntReadout::SpikeCount(last),
    }
}
