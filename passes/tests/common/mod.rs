//! What the pass tests share: a target, an f64 evaluator, and a generator of small networks.
#![allow(dead_code, reason = "every test file uses a part of it")]
#![allow(unreachable_pub, reason = "a module of several test crates")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "test networks are small"
)]
#![allow(clippy::many_single_char_names, reason = "the letters of the formulas")]

pub mod evaluate;
pub mod gee;
pub mod generate;
pub mod integer;
pub mod motif;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use snnc_ir::target::{Costs, Limit, TargetSpec};
use snnc_ir::{Level, Network, NetworkDraft, Rules};
use snnc_passes::{AnyLevel, Failure, Observer, Outcome, Pipeline, PropertySet, Registry, plan};
use std::cell::Cell;

/// A target with generous limits.
pub fn target() -> TargetSpec {
    let limit = |value| Limit { value, source: "test".to_owned(), line: 1 };
    TargetSpec {
        name: "test".to_owned(),
        summary: "a target for tests".to_owned(),
        file: "test.toml".to_owned(),
        hash: String::new(),
        programmable_neuron: false,
        compartments: limit(1024),
        input_axons: limit(4096),
        output_axons: limit(4096),
        synapse_words: limit(16384),
        profiles: limit(32),
        thresholds: limit(8),
        floors: limit(8),
        floor_powers: limit(0),
        formats: limit(16),
        cores_per_chip: limit(128),
        chips: limit(768),
        cores_per_router: limit(4),
        mesh_width: limit(8),
        mesh_height: limit(4),
        board_width: limit(768),
        board_height: limit(1),
        chip_hops: limit(8),
        max_delay: limit(62),
        max_refractory: limit(63),
        max_threshold: limit(131_071),
        max_bias_mantissa: limit(4095),
        max_bias_exponent: limit(7),
        min_weight_exponent: limit(-8),
        max_weight_exponent: limit(7),
        max_input_sum: limit(32767),
        state_bits: limit(24),
        message_bits: limit(32),
        synapse_header_bits: limit(0),
        synapse_block: limit(64),
        shared_kernels: limit(0),
        axon_atoms: limit(0),
        list_bases: limit(0),
        population_slots: limit(0),
        costs: Costs::absent("tests", 0),
    }
}

/// Runs `cases` cases of which at least a third must not be refused (`None`); what the test counts in them must
/// exceed `least`.
pub fn cases<S: Strategy>(
    seed: u64,
    strategy: &S,
    (cases, least): (u32, u64),
    check: impl Fn(S::Value) -> Result<Option<u64>, TestCaseError>,
) {
    let (accepted, seen) = (Cell::new(0_u32), Cell::new(0_u64));
    let rng_seed = RngSeed::Fixed(seed);
    let config = Config { cases, failure_persistence: None, rng_seed, ..Config::default() };
    TestRunner::new(config)
        .run(strategy, |value| {
            if let Some(count) = check(value)? {
                accepted.set(accepted.get() + 1);
                seen.set(seen.get() + count);
            }
            Ok(())
        })
        .unwrap_or_else(|e| panic!("{e}"));
    assert!(accepted.get() * 3 > cases, "{} of {cases} were accepted", accepted.get());
    assert!(seen.get() > least, "{} seen, more than {least} expected", seen.get());
}

/// Verifies `draft`.
pub fn seal(draft: NetworkDraft) -> Network {
    Network::verify(draft, &Rules::default())
        .unwrap_or_else(|e| panic!("invalid test network:\n{e}"))
}

/// Runs a pipeline on a network.
pub fn run(
    network: NetworkDraft,
    pipeline: &str,
    observer: &mut dyn Observer,
) -> Result<Outcome, Box<Failure>> {
    run_for(&target(), network, pipeline, observer)
}

/// Runs a pipeline on a network for a target.
pub fn run_for(
    target: &TargetSpec,
    network: NetworkDraft,
    pipeline: &str,
    observer: &mut dyn Observer,
) -> Result<Outcome, Box<Failure>> {
    let registry = Registry::standard();
    let level = AnyLevel::Network(seal(network));
    let pipeline = Pipeline::parse(pipeline).expect("a pipeline of the test");
    let plan = plan(&registry, &pipeline, level.kind(), &PropertySet::of(&level))
        .unwrap_or_else(|e| panic!("{e}"));
    plan.run(level, target, observer).map_err(Box::new)
}

/// The network of a level.
pub fn network(level: &AnyLevel) -> &Network {
    match level {
        AnyLevel::Network(n) => n,
        other => panic!("level {}", other.kind()),
    }
}
