//! The integer passes on random networks with clips and directly coded inputs: what was proved for
//! all inputs holds for some, and hardware time repeats logical time, spike for spike and message
//! for message.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "test networks are small"
)]

mod common;

use common::generate::Rng;
use common::integer::{Inputs, run};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use snnc_ir::diag::codes::{mapping, network as network_codes, quantize};
use snnc_ir::network::Coding;
use snnc_ir::quantized::{PopKind, QuantizedDraft, Role, Time};
use snnc_ir::testing::{Space, network, quantized};
use snnc_ir::{
    Entity, Level, Network, NetworkDraft, QuantizedNetwork, Rules, Severity, TargetSpec,
};
use snnc_passes::{AnyLevel, Pipeline, PropertySet, Registry, plan};

/// A target with programmable neurons and messages.
fn able() -> TargetSpec {
    let mut target = common::target();
    target.programmable_neuron = true;
    target.message_bits.value = 24;
    target
}

/// Runs a pipeline; `None` if the network is refused for one of the reasons that generated networks
/// may have.
fn passes(level: AnyLevel, pipeline: &str) -> Result<Option<AnyLevel>, TestCaseError> {
    let registry = Registry::standard();
    let pipeline = Pipeline::parse(pipeline).expect("a pipeline of the test");
    let plan = plan(&registry, &pipeline, level.kind(), &PropertySet::of(&level))
        .map_err(|e| TestCaseError::fail(e.to_string()))?;
    match plan.run(level, &able(), &mut ()) {
        Ok(outcome) => Ok(Some(outcome.level)),
        Err(failure) => {
            prop_assert!(failure.replay.is_none(), "{}: {}", failure.pass, failure.diagnostics);
            let allowed = [
                quantize::INEXACT_COMPARE,
                quantize::READOUT,
                quantize::NO_SCALE,
                quantize::NO_COMMON_SCALE,
                mapping::FINE_BIAS,
                mapping::SMEARED_BIAS,
                mapping::LATE_HOST_BIAS,
                mapping::LONG_REFRACTORY,
                network_codes::DELAYED_BIAS,
                network_codes::ALWAYS_FIRES,
            ];
            for d in failure.diagnostics.iter().filter(|d| d.severity == Severity::Error) {
                prop_assert!(allowed.contains(&d.code), "refused without a good reason: {d}");
            }
            Ok(None)
        }
    }
}

fn integers(level: &AnyLevel) -> &QuantizedDraft {
    match level {
        AnyLevel::Quantized(network) => network,
        other => panic!("level {}", other.kind()),
    }
}

/// Random spikes and samples; the densest quarter of seeds sends nearly everything at once.
fn inputs(draft: &QuantizedDraft, seed: u64) -> Inputs {
    let mut rng = Rng::new(seed);
    let percent = [10, 40, 70, 97][seed as usize % 4];
    let mut inputs = Inputs { spikes: Vec::new(), samples: Vec::new() };
    for population in draft.populations.values() {
        let (mut spikes, mut sample) = (Vec::new(), Vec::new());
        match &population.kind {
            PopKind::Input(Coding::Direct { range: Some([low, high]) }) => {
                let mut value = || {
                    let part = rng.below(5) as f32 / 4.0;
                    (*high as f32 - *low as f32).mul_add(part, *low as f32)
                };
                sample = (0..population.size()).map(|_| value()).collect();
            }
            PopKind::Input(_) => {
                let mut step = || (0..population.size()).map(|_| rng.chance(percent)).collect();
                spikes = (0..draft.steps).map(|_| step()).collect();
            }
            _ => {}
        }
        inputs.spikes.push(spikes);
        inputs.samples.push(sample);
    }
    inputs
}

/// Whether nothing left the ranges that the target sets.
fn within(draft: &QuantizedDraft, inputs: &Inputs) -> Result<u64, TestCaseError> {
    let target = able();
    let run = run(draft, inputs);
    let register = |bits: i64| (1_i64 << (bits - 1)) - 1;
    for (id, population) in draft.populations.iter() {
        let (i, name) = (id.index(), &population.name);
        prop_assert!(run.input[i] <= target.max_input_sum.value, "`{name}`: {}", run.input[i]);
        prop_assert!(run.state[i] <= register(target.state_bits.value), "`{name}`: v");
        prop_assert!(run.message[i] <= register(target.message_bits.value), "`{name}`: m");
    }
    let graded = draft.populations.iter().filter(|(_, p)| p.graded().is_some());
    let messages = graded.flat_map(|(id, _)| run.sent[id.index()].iter().flatten());
    Ok(messages.filter(|m| **m != 0).count() as u64)
}

/// [`common::cases`] with the seed of these tests; the test counts something that must exceed the cases.
fn all<S: Strategy>(
    strategy: &S,
    cases: u32,
    check: impl Fn(S::Value) -> Result<Option<u64>, TestCaseError>,
) {
    common::cases(2411, strategy, (cases, u64::from(cases)), check);
}

fn float(draft: NetworkDraft) -> AnyLevel {
    AnyLevel::Network(Network::verify(draft, &Rules::default()).expect("generated networks hold"))
}

const TO_INTEGERS: &str = "lower-genes{lowering=materialized},fold-batchnorm,fold-pooling,push-neurons,merge-nodes,lower-currents,\
    drop-clips,normalize-neurons,feed-currents,remove-dead,fold-shared,quantize,fold-integers,strict-compare";

#[test]
fn quantized_networks_stay_in_their_ranges() {
    all(&(network(Space::Graded), any::<u64>()), 300, |(draft, seed)| {
        let Some(level) = passes(float(draft), TO_INTEGERS)? else { return Ok(None) };
        let draft = integers(&level);
        within(draft, &inputs(draft, seed)).map(Some)
    });
}

/// Compares hardware time with logical time for every population of the source.
fn repeats(
    logical: &QuantizedDraft,
    hardware: &QuantizedDraft,
    inputs: &Inputs,
) -> Result<u64, TestCaseError> {
    let Time::Hardware(schedule) = &hardware.time else { panic!("hardware time expected") };
    let (before, after) = (run(logical, inputs), run(hardware, inputs));
    let mut messages = 0;
    for (id, population) in logical.populations.iter() {
        let (i, name) = (id.index(), &population.name);
        let latency = schedule.latency[i] as usize;
        let period = schedule.period as usize;
        prop_assert_eq!(hardware.populations[id].role, Role::Logical);
        for (t, sent) in after.sent[i].iter().enumerate() {
            let step = t.checked_sub(latency).filter(|s| s % period == 0).map(|s| s / period);
            let silence = vec![0; population.size()];
            let Some(expected) = step.map_or(Some(&silence), |s| before.sent[i].get(s)) else {
                break;
            };
            prop_assert_eq!(sent, expected, "`{}`, hardware step {}", name, t);
            if population.graded().is_some() {
                messages += sent.iter().filter(|m| **m != 0).count() as u64;
            }
        }
    }
    Ok(messages)
}

#[test]
fn hardware_time_repeats_logical_time() {
    let strategy = (quantized(Space::Graded), any::<u64>(), any::<bool>());
    all(&strategy, 300, |(draft, seed, relays)| {
        let delays = if relays { "relay" } else { "synaptic" };
        let pipeline = format!("schedule{{delays={delays}}}");
        let rules = Rules::default();
        let level = QuantizedNetwork::verify(draft, &rules).expect("generated networks hold");
        let Some(strict) = passes(AnyLevel::Quantized(level), "strict-compare")? else {
            return Ok(None);
        };
        let Some(timed) = passes(strict.clone(), &pipeline)? else { return Ok(None) };
        let logical = integers(&strict);
        let messages = repeats(logical, integers(&timed), &inputs(logical, seed))?;
        prop_assert!(passes(timed, "map")?.is_some(), "it is small enough for the target");
        Ok(Some(messages))
    });
}
