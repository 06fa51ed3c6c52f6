//! A target for tests.

use crate::target::{Costs, Limit, TargetSpec};

/// A target with the register widths of Loihi and room for every generated network, for tests that
/// are not about limits. Each limit has a line of its own.
pub fn target(programmable: bool) -> TargetSpec {
    let mut line = 0;
    let mut limit = |value| {
        line += 1;
        Limit { value, source: "tests".to_owned(), line }
    };
    TargetSpec {
        name: "test".to_owned(),
        summary: "a roomy target for tests".to_owned(),
        file: "test.toml".to_owned(),
        hash: "0".repeat(64),
        programmable_neuron: programmable,
        compartments: limit(1024),
        input_axons: limit(4096),
        output_axons: limit(4096),
        synapse_words: limit(16_384),
        profiles: limit(256),
        thresholds: limit(256),
        floors: limit(256),
        floor_powers: limit(i64::from(!programmable)),
        formats: limit(64),
        cores_per_chip: limit(128),
        chips: limit(4),
        cores_per_router: limit(4),
        mesh_width: limit(8),
        mesh_height: limit(4),
        board_width: limit(4),
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
        message_bits: limit(if programmable { 32 } else { 0 }),
    }
}
