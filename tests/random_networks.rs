//! Random networks through the passes, mapping, bytes and certificate.
//!
//! Float networks go through the whole pipeline, by a random recipe, integer networks through what
//! follows `quantize`.
//! For each: the artifact certifies, and on random inputs the logical network, the scheduled
//! network and the decoded artifact, simulated core by core, agree on every spike and message. So does an artifact
//! whose neurons lie on cores at random. Cores are those of a target, or so small that each limit is met somewhere. A network may be
//! refused, but only for a stated reason. `SNNC_CASES=20` takes 20 times as many networks.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use snnc::backends::certify::certify;
use snnc::backends::{program, targets};
use snnc::ir::diag::codes::{mapping, network, quantize};
use snnc::ir::level::AnyDraft;
use snnc::ir::network::Coding;
use snnc::ir::program::Program;
use snnc::ir::quantized::PopKind;
use snnc::ir::recipe::{Grouping, Recipe, Scaling, Settings};
use snnc::ir::spikes::SpikeTrain;
use snnc::ir::testing::{self, Space, network, quantized};
use snnc::ir::{
    Diagnostics, Level, MappedNetwork, Network, QuantizedNetwork, Rules, Severity, TargetSpec,
};
use snnc::passes::{AnyLevel, Pipeline, PropertySet, Registry, plan};
use snnc::pipeline::{Delays, Stage, standard};
use snnc::runtime::compare::{CoreSubject, IntSubject, Side, Subject, compare};
use snnc::runtime::cores::{CoreProbe, CoreSim};
use snnc::runtime::event::integer::IntSim;
use snnc::runtime::integer::IntProbe;
use snnc::runtime::{MessageTrain, Signal, Stimulus};
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
    recipe: &Recipe,
    cramped: bool,
) -> Result<Option<Lowered>, TestCaseError> {
    let fail = |e: &dyn std::fmt::Display| TestCaseError::fail(e.to_string());
    let level = seal(draft).map_err(|e| fail(&e))?;
    let text = standard(Stage::of(&level), delays);
    let pipeline = Pipeline::parse(&text).map_err(|e| fail(&e))?;
    let registry = Registry::standard();
    let plan =
        plan(&registry, &pipeline, level.kind(), &PropertySet::of(&level)).map_err(|e| fail(&e))?;
    let (mut logical, mut scheduled, mut mapped) = (None, None, None);
    let outcome = plan.with_recipe(recipe).run(
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
            quantize::GRADED_CYCLE,
            quantize::NO_COMMON_SCALE,
            quantize::DIRECT_DELAY,
            quantize::DIRECT_TWICE,
            mapping::LATE_HOST_BIAS,
            network::DELAYED_BIAS,
            network::ALWAYS_FIRES,
            network::UNFILTERED,
        ];
        let small = [mapping::NEURON_TOO_LARGE, mapping::FAN_OUT, mapping::TOO_MANY_CORES];
        let allowed = if cramped { [&allowed[..], &small].concat() } else { allowed.to_vec() };
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

/// The program of a mapped network as read back from its bytes, certified.
fn certified(
    lowered: &Lowered,
    mapped: &MappedNetwork,
    target: &TargetSpec,
) -> Result<Program, TestCaseError> {
    let fail = |e: &dyn std::fmt::Display| TestCaseError::fail(e.to_string());
    let bytes = program::write(mapped, target).map_err(|e| fail(&e))?;
    let program = program::read(&bytes).map_err(|e| fail(&e))?;
    certify(&lowered.logical, &program, target).map_err(|e| fail(&e))?;
    Ok(program)
}

/// The network cut and spread over cores at random, where that breaks no limit.
fn scattered(lowered: &Lowered, target: &TargetSpec, seed: u64) -> Option<MappedNetwork> {
    let network = lowered.scheduled.clone().into_draft();
    let [seed, blocks] = [seed & u64::from(u32::MAX), seed >> 63];
    let seed = u32::try_from(seed).expect("32 bits");
    let mut draft = testing::scattered(network, blocks == 1, seed);
    draft.target.clone_from(&target.name);
    MappedNetwork::verify(draft, &Rules::for_target(target)).ok()
}

/// Certifies the artifact and compares the three simulations; and another artifact, whose neurons lie anywhere.
fn check(
    lowered: &Lowered,
    target: &TargetSpec,
    stimulus: &Stimulus,
    seed: u64,
) -> Result<Seen, TestCaseError> {
    let fail = |e: &dyn std::fmt::Display| TestCaseError::fail(e.to_string());
    let program = certified(lowered, &lowered.mapped, target)?;
    let elsewhere = scattered(lowered, target, seed);
    let elsewhere = elsewhere.map(|mapped| certified(lowered, &mapped, target)).transpose()?;

    let logical = IntSim::new(&lowered.logical).map_err(|e| fail(&e))?;
    let scheduled = IntSim::new(&lowered.scheduled).map_err(|e| fail(&e))?;
    let cores = CoreSim::new(&program).map_err(|e| fail(&e))?;
    let run = logical.run(stimulus, &IntProbe::None).map_err(|e| fail(&e))?;
    let in_hardware = scheduled.run(stimulus, &IntProbe::None).map_err(|e| fail(&e))?;
    let on_cores = cores.run(stimulus, &CoreProbe::None).map_err(|e| fail(&e))?;
    let left = IntSubject { sim: &logical, stimulus, run: &run };
    let scheduled = IntSubject { sim: &scheduled, stimulus, run: &in_hardware };
    let cores = CoreSubject { sim: &cores, stimulus, run: &on_cores };
    let mut seen = Seen { scattered: u32::from(elsewhere.is_some()), ..Seen::default() };
    if let Some(program) = elsewhere {
        let sim = CoreSim::new(&program).map_err(|e| fail(&e))?;
        let run = sim.run(stimulus, &CoreProbe::None).map_err(|e| fail(&e))?;
        let right = CoreSubject { sim: &sim, stimulus, run: &run };
        let found = compare(&left, &right).map_err(|e| fail(&e))?;
        prop_assert_eq!(&found.first, &None, "on other cores");
    }
    for (level, right) in [("scheduled", &scheduled as &dyn Subject), ("cores", &cores)] {
        let found = compare(&left, right).map_err(|e| fail(&e))?;
        prop_assert_eq!(&found.first, &None, "{}", level);
        let alone = found.unmatched.iter().filter(|(side, _)| *side == Side::Left).count();
        prop_assert_eq!(alone, 0, "{}: {:?}", level, found.unmatched);
        seen.spikes = found.distances.iter().map(|d| d.left).sum();
    }
    seen.messages = run.messages.iter().flatten().map(MessageTrain::count).sum();
    seen.frames = u64::from(!lowered.logical.host.is_empty());
    Ok(seen)
}

/// What the networks of a test did.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    compiled: u32,
    /// Networks on more than two cores.
    spread: u32,
    /// Networks whose neurons were also spread over cores at random.
    scattered: u32,
    /// Spikes and messages.
    spikes: u64,
    messages: u64,
    /// Networks whose biases the host writes.
    frames: u64,
}

/// Cores of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cores {
    /// As they are.
    Whole,
    /// Some hundred with a few neurons each, every limit drawn from `seed`.
    Cramped,
}

/// The target with limits that networks of some ten neurons meet.
fn cramped(target: &TargetSpec, seed: u64) -> TargetSpec {
    let mut target = target.clone();
    let mut draw = draws(seed.rotate_left(16));
    let mut between = |low: i64, high: i64| {
        let drawn = draw() % u64::try_from(high - low).expect("a range");
        low + i64::try_from(drawn).expect("small")
    };
    (target.cores_per_chip.value, target.chips.value) = (between(8, 64), between(1, 8));
    target.compartments.value = between(2, 24);
    target.input_axons.value = between(8, 60);
    target.output_axons.value = between(4, 60);
    target.synapse_words.value = between(4, 60);
    target.profiles.value = between(1, 6);
    target.thresholds.value = between(1, 6);
    target.formats.value = between(3, 16);
    target
}

/// Compiles and checks random drafts; at least one of `share` must compile, and they must spike.
fn random_networks<S>(strategy: S, target: &str, cores: Cores, cases: u32, share: u32) -> Seen
where
    S: Strategy<Value = (AnyDraft, u64, bool)>,
{
    let whole = targets::by_name(target).expect("a shipped target");
    let seen = Cell::new(Seen::default());
    let times = std::env::var("SNNC_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let cases = cases * times;
    let config = Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(2411),
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&strategy, |(draft, seed, relay)| {
            let delays = if relay { Delays::Relay } else { Delays::Synaptic };
            let small = cores == Cores::Cramped;
            let target = if small { cramped(&whole, seed) } else { whole.clone() };
            if let Some(lowered) = lower(draft, &target, delays, &recipe(seed), small)? {
                let found = check(&lowered, &target, &stimulus(&lowered.logical, seed), seed)?;
                let sum = seen.get();
                seen.set(Seen {
                    compiled: sum.compiled + 1,
                    spread: sum.spread + u32::from(lowered.mapped.cores.len() > 2),
                    scattered: sum.scattered + found.scattered,
                    spikes: sum.spikes + found.spikes,
                    messages: sum.messages + found.messages,
                    frames: sum.frames + found.frames,
                });
            }
            Ok(())
        })
        .unwrap_or_else(|e| panic!("{e}"));
    let seen = seen.get();
    assert!(seen.compiled * share > cases, "of {cases} networks: {seen:?}");
    match cores {
        Cores::Whole => {
            assert!(2 * seen.scattered > seen.compiled, "most may lie anywhere: {seen:?}");
        }
        Cores::Cramped => {
            assert!(3 * seen.spread > seen.compiled, "many take many cores: {seen:?}");
        }
    }
    assert!(seen.spikes > u64::from(cases), "the networks are alive: {seen:?}");
    seen
}

/// Random settings; every third time the default.
fn recipe(seed: u64) -> Recipe {
    if seed.is_multiple_of(3) {
        return Recipe::default();
    }
    // Bits of the seed that the stimulus does not begin with.
    let mut rest = seed.rotate_right(32) / 3;
    let mut below = |n: u64| {
        let drawn = rest % n;
        rest /= n;
        usize::try_from(drawn).expect("a small number")
    };
    let settings = Settings {
        weight_bits: [1, 2, 3, 4, 5, 6, 7, 8][below(8)],
        groups: [Grouping::Auto, Grouping::Mixed, Grouping::Split][below(3)],
        scales: [Scaling::Auto, Scaling::Population, Scaling::Neuron][below(3)],
        max_exponent: [0, 2, 7][below(3)],
    };
    Recipe { settings, ..Recipe::default() }
}

/// Random numbers: Knuth's multiplicative generator; its high bits are good enough for spikes.
fn draws(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed | 1;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state >> 40
    }
}

/// Random signals for every input: about every third spike, values within the range.
fn stimulus(network: &QuantizedNetwork, seed: u64) -> Stimulus {
    let steps = network.steps as usize;
    let mut draw = draws(seed);
    let inputs = network.populations.values().filter_map(|p| match &p.kind {
        PopKind::Input(Coding::Direct { range: Some([low, high]) }) => {
            let [low, high] = [*low, *high].map(f64::from);
            // Both bounds, and values between them.
            let value = |part: u64| {
                let quarters = [0.0, 0.25, 0.5, 0.75, 1.0];
                low + (high - low) * quarters[usize::try_from(part % 5).expect("below 5")]
            };
            #[expect(clippy::cast_possible_truncation, reason = "f32 is what frames hold")]
            let frame = (0..p.size()).map(|_| value(draw()) as f32).collect();
            Some(Signal::Frame(frame))
        }
        PopKind::Input(_) => {
            let mut train = SpikeTrain::new(steps, p.size());
            for index in 0..steps * p.size() {
                if draw().is_multiple_of(3) {
                    train.set(index / p.size(), index % p.size());
                }
            }
            Some(Signal::Spikes(train))
        }
        PopKind::Neurons(_) | PopKind::Graded(_) => None,
    });
    Stimulus { inputs: inputs.collect() }
}

fn integers(space: Space) -> impl Strategy<Value = (AnyDraft, u64, bool)> {
    (quantized(space).prop_map(AnyDraft::Quantized), any::<u64>(), any::<bool>())
}

fn floats(space: Space) -> impl Strategy<Value = (AnyDraft, u64, bool)> {
    (network(space).prop_map(AnyDraft::Network), any::<u64>(), any::<bool>())
}

#[test]
fn integer_networks_of_programmable_neurons_agree_at_every_level() {
    random_networks(integers(Space::Programmable), "loihi2", Cores::Whole, 300, 3);
}

#[test]
fn integer_networks_of_fixed_neurons_agree_at_every_level() {
    random_networks(integers(Space::Fixed), "loihi1", Cores::Whole, 300, 3);
}

#[test]
fn integer_networks_of_graded_relays_agree_at_every_level() {
    let seen = random_networks(integers(Space::Graded), "loihi2", Cores::Whole, 300, 4);
    assert!(seen.messages > 500 && seen.frames > 5, "{seen:?}");
}

#[test]
fn integer_networks_of_shifting_relays_agree_at_every_level() {
    let seen = random_networks(integers(Space::Stages), "loihi2", Cores::Whole, 300, 4);
    assert!(seen.messages > 500, "{seen:?}");
}

#[test]
fn float_networks_of_programmable_neurons_agree_after_quantization() {
    random_networks(floats(Space::Programmable), "loihi2", Cores::Whole, 300, 3);
}

#[test]
fn float_networks_of_fixed_neurons_agree_after_quantization() {
    random_networks(floats(Space::Fixed), "loihi1", Cores::Whole, 300, 3);
}

#[test]
fn float_networks_with_clips_and_frames_agree_after_quantization() {
    let seen = random_networks(floats(Space::Graded), "loihi2", Cores::Whole, 400, 4);
    assert!(seen.messages > 600 && seen.frames > 5, "{seen:?}");
}

#[test]
fn float_networks_of_plain_relays_agree_after_quantization() {
    let seen = random_networks(floats(Space::Stages), "loihi2", Cores::Whole, 300, 4);
    assert!(seen.messages > 1000, "{seen:?}");
}

#[test]
fn integer_networks_agree_on_cramped_cores() {
    random_networks(integers(Space::Programmable), "loihi2", Cores::Cramped, 200, 8);
    random_networks(integers(Space::Graded), "loihi2", Cores::Cramped, 200, 8);
    random_networks(integers(Space::Stages), "loihi2", Cores::Cramped, 200, 8);
    random_networks(integers(Space::Fixed), "loihi1", Cores::Cramped, 200, 8);
}

#[test]
fn float_networks_agree_on_cramped_cores() {
    random_networks(floats(Space::Graded), "loihi2", Cores::Cramped, 200, 8);
    random_networks(floats(Space::Fixed), "loihi1", Cores::Cramped, 200, 8);
}
