//! Random integer networks through schedule, mapping, bytes and certificate.
//!
//! For each: the artifact certifies, and on random spikes the logical network, the scheduled
//! network and the decoded artifact, simulated core by core, agree on every spike. A network may be
//! refused, but only for a stated reason.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use snnc::backends::certify::certify;
use snnc::backends::{program, targets};
use snnc::ir::diag::codes::{mapping, quantize};
use snnc::ir::quantized::QuantizedDraft;
use snnc::ir::spikes::SpikeTrain;
use snnc::ir::testing::{Space, quantized, stimulus};
use snnc::ir::{Level, MappedNetwork, QuantizedNetwork, Rules, TargetSpec};
use snnc::passes::{AnyLevel, Pipeline, PropertySet, Registry, plan};
use snnc::pipeline::Stage;
use snnc::runtime::cores::{CoreProbe, CoreSim};
use snnc::runtime::integer::{IntProbe, IntSim, logical_spikes};
use std::cell::Cell;

/// What a stage left behind.
struct Lowered {
    logical: QuantizedNetwork,
    scheduled: QuantizedNetwork,
    mapped: MappedNetwork,
}

fn lower(
    draft: QuantizedDraft,
    target: &TargetSpec,
    delays: &str,
) -> Result<Option<Lowered>, TestCaseError> {
    let fail = |e: &dyn std::fmt::Display| TestCaseError::fail(e.to_string());
    let network = QuantizedNetwork::verify(draft, &Rules::default()).map_err(|e| fail(&e))?;
    let text = format!("fold-integers,strict-compare,schedule{{delays={delays}}},map");
    let pipeline = Pipeline::parse(&text).map_err(|e| fail(&e))?;
    let registry = Registry::standard();
    let level = AnyLevel::Quantized(network);
    let plan =
        plan(&registry, &pipeline, level.kind(), &PropertySet::of(&level)).map_err(|e| fail(&e))?;
    let (mut logical, mut scheduled, mut mapped) = (None, None, None);
    let outcome = plan.run(
        level,
        target,
        &mut |_: usize, _: &'static str, after: &AnyLevel| match (Stage::of(after), after) {
            (Stage::Quantized, AnyLevel::Quantized(q)) => logical = Some(q.clone()),
            (_, AnyLevel::Quantized(q)) => scheduled = Some(q.clone()),
            (_, AnyLevel::Mapped(m)) => mapped = Some(m.clone()),
            (_, AnyLevel::Network(_)) => {}
        },
    );
    if let Err(failure) = outcome {
        prop_assert!(failure.replay.is_none(), "a pass broke its level: {}", failure.diagnostics);
        let allowed = [
            quantize::INEXACT_COMPARE,
            mapping::UNBALANCED_LEAK,
            mapping::LONG_REFRACTORY,
            mapping::FINE_BIAS,
            mapping::SMEARED_BIAS,
        ];
        for d in failure.diagnostics.iter() {
            prop_assert!(allowed.contains(&d.code), "refused without a good reason: {d}");
        }
        return Ok(None);
    }
    let get = "the pipeline has every stage";
    Ok(Some(Lowered {
        logical: logical.expect(get),
        scheduled: scheduled.expect(get),
        mapped: mapped.expect(get),
    }))
}

/// Certifies the artifact and compares the three simulations.
fn check(
    lowered: &Lowered,
    target: &TargetSpec,
    inputs: &[SpikeTrain],
) -> Result<u64, TestCaseError> {
    let fail = |e: &dyn std::fmt::Display| TestCaseError::fail(e.to_string());
    let bytes = program::write(&lowered.mapped, target).map_err(|e| fail(&e))?;
    let program = program::read(&bytes).map_err(|e| fail(&e))?;
    certify(&lowered.logical, &program, target).map_err(|e| fail(&e))?;

    let run = |network: &QuantizedNetwork| {
        let run = IntSim::new(network)?.run(inputs, &IntProbe::default())?;
        logical_spikes(network, &run)
    };
    let logical = run(&lowered.logical).map_err(|e| fail(&e))?;
    let scheduled = run(&lowered.scheduled).map_err(|e| fail(&e))?;
    let cores = CoreSim::new(&program).map_err(|e| fail(&e))?;
    let core_run = cores.run(inputs, &CoreProbe::default()).map_err(|e| fail(&e))?;
    let on_cores = cores.logical_spikes(&core_run).map_err(|e| fail(&e))?;
    let mut spikes = 0;
    for (index, population) in lowered.logical.populations.values().enumerate() {
        let name = &population.name;
        prop_assert_eq!(&logical[index], &scheduled[index], "scheduled `{}`", name);
        let symbol = program.populations.iter().position(|s| s.name == *name).expect("certified");
        prop_assert_eq!(&logical[index].1, &on_cores[symbol], "cores `{}`", name);
        spikes += logical[index].1.count();
    }
    Ok(spikes)
}

fn random_networks(space: Space, target: &str, cases: u32) {
    let target = targets::by_name(target).expect("a shipped target");
    let strategy = quantized(space).prop_flat_map(|draft| {
        let inputs = stimulus(&draft);
        (Just(draft), inputs, any::<bool>())
    });
    let (compiled, spikes) = (Cell::new(0_u32), Cell::new(0_u64));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let seed = proptest::test_runner::RngSeed::Fixed(2411);
    TestRunner::new(Config { rng_seed: seed, ..config })
        .run(&strategy, |(draft, inputs, relay)| {
            let delays = if relay { "relay" } else { "synaptic" };
            if let Some(lowered) = lower(draft, &target, delays)? {
                compiled.set(compiled.get() + 1);
                spikes.set(spikes.get() + check(&lowered, &target, &inputs)?);
            }
            Ok(())
        })
        .unwrap_or_else(|e| panic!("{e}"));
    assert!(compiled.get() * 3 > cases, "{} of {cases} networks compiled", compiled.get());
    assert!(spikes.get() > u64::from(cases), "the networks are alive: {} spikes", spikes.get());
}

#[test]
fn programmable_networks_agree_at_every_level() {
    random_networks(Space::Programmable, "loihi2", 400);
}

#[test]
fn fixed_networks_agree_at_every_level() {
    random_networks(Space::Fixed, "loihi1", 400);
}
