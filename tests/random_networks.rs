//! Random networks through the passes, mapping, bytes and certificate.
//!
//! Float networks go through the whole pipeline, integer networks through what follows `quantize`.
//! For each: the artifact certifies, and on random spikes the logical network, the scheduled
//! network and the decoded artifact, simulated core by core, agree on every spike. A network may be
//! refused, but only for a stated reason.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use snnc::backends::certify::certify;
use snnc::backends::{program, targets};
use snnc::ir::diag::codes::{mapping, network, quantize};
use snnc::ir::level::AnyDraft;
use snnc::ir::spikes::SpikeTrain;
use snnc::ir::testing::{Space, network, quantized};
use snnc::ir::{
    Diagnostics, Level, MappedNetwork, Network, QuantizedNetwork, Rules, Severity, TargetSpec,
};
use snnc::passes::{AnyLevel, Pipeline, PropertySet, Registry, plan};
use snnc::pipeline::{Delays, Stage, standard};
use snnc::runtime::cores::{CoreProbe, CoreSim};
use snnc::runtime::integer::{IntProbe, IntSim, logical_spikes};
use std::cell::Cell;

/// What a stage left behind.
struct Lowered {
    logical: QuantizedNetwork,
    scheduled: QuantizedNetwork,
    mapped: MappedNetwork,
}

fn seal(draft: AnyDraft) -> Result<AnyLevel, Diagnostics> {
    let rules = Rules::default();
    Ok(match draft {
        AnyDraft::Network(d) => AnyLevel::Network(Network::verify(d, &rules)?),
        AnyDraft::Quantized(d) => AnyLevel::Quantized(QuantizedNetwork::verify(d, &rules)?),
        AnyDraft::Mapped(d) => AnyLevel::Mapped(MappedNetwork::verify(d, &rules)?),
    })
}

fn lower(
    draft: AnyDraft,
    target: &TargetSpec,
    delays: Delays,
) -> Result<Option<Lowered>, TestCaseError> {
    let fail = |e: &dyn std::fmt::Display| TestCaseError::fail(e.to_string());
    let level = seal(draft).map_err(|e| fail(&e))?;
    let text = standard(Stage::of(&level), delays);
    let pipeline = Pipeline::parse(&text).map_err(|e| fail(&e))?;
    let registry = Registry::standard();
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
            quantize::READOUT,
            quantize::NO_SCALE,
            network::DELAYED_BIAS,
            network::ALWAYS_FIRES,
        ];
        let reported = failure.diagnostics.iter().filter(|d| d.severity == Severity::Error);
        for d in reported {
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

/// Compiles and checks random drafts; at least a third must compile, and they must spike.
fn random_networks<S>(strategy: S, target: &str, cases: u32)
where
    S: Strategy<Value = (AnyDraft, u64, bool)>,
{
    let target = targets::by_name(target).expect("a shipped target");
    let (compiled, spikes) = (Cell::new(0_u32), Cell::new(0_u64));
    let config = Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(2411),
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&strategy, |(draft, seed, relay)| {
            let delays = if relay { Delays::Relay } else { Delays::Synaptic };
            if let Some(lowered) = lower(draft, &target, delays)? {
                compiled.set(compiled.get() + 1);
                let inputs = stimulus(&lowered.logical, seed);
                spikes.set(spikes.get() + check(&lowered, &target, &inputs)?);
            }
            Ok(())
        })
        .unwrap_or_else(|e| panic!("{e}"));
    assert!(compiled.get() * 3 > cases, "{} of {cases} networks compiled", compiled.get());
    assert!(spikes.get() > u64::from(cases), "the networks are alive: {} spikes", spikes.get());
}

/// Random spikes for every input, about every third element.
fn stimulus(network: &QuantizedNetwork, seed: u64) -> Vec<SpikeTrain> {
    let steps = network.steps as usize;
    let mut state = seed | 1;
    let inputs = network.populations.values().filter(|p| p.neuron().is_none());
    let mut train = |neurons: usize| {
        let mut train = SpikeTrain::new(steps, neurons);
        for index in 0..steps * neurons {
            // Knuth's multiplicative generator; its high bits are good enough for spikes.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if (state >> 40).is_multiple_of(3) {
                train.set(index / neurons, index % neurons);
            }
        }
        train
    };
    inputs.map(|p| train(p.size())).collect()
}

fn integers(space: Space) -> impl Strategy<Value = (AnyDraft, u64, bool)> {
    (quantized(space).prop_map(AnyDraft::Quantized), any::<u64>(), any::<bool>())
}

fn floats(space: Space) -> impl Strategy<Value = (AnyDraft, u64, bool)> {
    (network(space).prop_map(AnyDraft::Network), any::<u64>(), any::<bool>())
}

#[test]
fn integer_networks_of_programmable_neurons_agree_at_every_level() {
    random_networks(integers(Space::Programmable), "loihi2", 300);
}

#[test]
fn integer_networks_of_fixed_neurons_agree_at_every_level() {
    random_networks(integers(Space::Fixed), "loihi1", 300);
}

#[test]
fn float_networks_of_programmable_neurons_agree_after_quantization() {
    random_networks(floats(Space::Programmable), "loihi2", 300);
}

#[test]
fn float_networks_of_fixed_neurons_agree_after_quantization() {
    random_networks(floats(Space::Fixed), "loihi1", 300);
}
