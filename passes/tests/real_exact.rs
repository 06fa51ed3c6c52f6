//! Passes that are exact in real arithmetic keep the currents and the spikes of random networks.

mod common;

use common::{evaluate, generate, network, run, run_for, seal, target};
use proptest::prelude::*;
use snnc_ir::NetworkDraft;
use snnc_ir::diag::codes;
use snnc_ir::network::{Op, Readout};
use snnc_passes::{AnyLevel, Pipeline, PropertySet, Registry, plan};

const STEPS: usize = 5;

/// Numbers that depend on the population, the step and the seed only.
fn values(seed: u64, name: &str, t: usize, size: usize) -> generate::Rng {
    let mut hash = seed ^ (t as u64).wrapping_mul(0x5851_f42d_4c95_7f2d) ^ (size as u64) << 40;
    for byte in name.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    generate::Rng::new(hash)
}

/// Every population is driven with random reals, negative ones too if `signed`; all currents and
/// the readout must agree.
fn same_currents(before: &NetworkDraft, after: &NetworkDraft, seed: u64, signed: bool) {
    let drive = |name: &str, t: usize, size: usize| {
        if is_new(before, name) {
            return Some(vec![1.0; size]);
        }
        let mut rng = values(seed, name, t, size);
        let mut value = || f64::from(rng.real());
        Some((0..size).map(|_| if signed { value() } else { value().abs() }).collect())
    };
    let old = evaluate::run(before, STEPS, drive);
    let new = evaluate::run(after, STEPS, drive);
    for t in 0..STEPS {
        let roots = after.nodes.values().filter(|n| matches!(n.op, Op::Neuron(_) | Op::Relay(_)));
        for node in roots.filter(|n| !is_new(before, &n.name)) {
            let name = &node.name;
            close(name, t, &old.current(before, t, name), &new.current(after, t, name));
        }
        if let Readout::MeanLinear(_) = after.readout {
            let [a, b] = [before, after].map(|d| d.nodes[d.readout.node()].name.as_str());
            close(b, t, old.value(before, t, a), new.value(after, t, b));
        }
    }
}

/// Whether it is the population that passes make, which fires in every step.
fn is_new(before: &NetworkDraft, name: &str) -> bool {
    name == "always" && before.node_named(name).is_none()
}

fn close(name: &str, t: usize, old: &[f64], new: &[f64]) {
    assert_eq!(old.len(), new.len(), "size of `{name}`");
    let largest = old.iter().fold(1.0_f64, |a, b| a.max(b.abs()));
    for (i, (a, b)) in old.iter().zip(new).enumerate() {
        assert!((a - b).abs() <= 1e-4 * largest, "`{name}` element {i}, step {t}: {a} became {b}");
    }
}

/// Inputs are driven with random spikes; all spikes must agree for as long as no membrane comes
/// so close to its threshold that rounding decides.
fn same_spikes(before: &NetworkDraft, after: &NetworkDraft, seed: u64) {
    let drive = |draft: &NetworkDraft, name: &str, t: usize, size: usize| {
        let id = draft.node_named(name)?;
        let mut rng = values(seed, name, t, size);
        matches!(draft.nodes[id].op, Op::Input(_))
            .then(|| (0..size).map(|_| f64::from(u8::from(rng.chance(50)))).collect())
    };
    let old = evaluate::run(before, 4 * STEPS, |n, t, s| drive(before, n, t, s));
    let new = evaluate::run(after, 4 * STEPS, |n, t, s| drive(after, n, t, s));
    for t in 0..4 * STEPS {
        if old.margin[t] < 1e-3 {
            return;
        }
        for node in before.nodes.values().filter(|n| n.op.is_population()) {
            let name = &node.name;
            // What is missing is silent, equal to another population, or dead.
            let spikes = old.value(before, t, name);
            if let Some(found) = new.spikes(after, t, name, spikes.len()) {
                assert_eq!(spikes, found, "`{name}`, step {t}");
            }
        }
    }
}

/// What a network of the generator may be refused for.
fn may_refuse(code: codes::Code) -> bool {
    [codes::network::DELAYED_BIAS, codes::network::ALWAYS_FIRES, codes::network::INITIAL_MEMBRANE]
        .contains(&code)
}

const CURRENTS: &str = "fold-batchnorm,fold-pooling,lower-currents";

const SPIKES: &str = "fold-batchnorm,fold-pooling,push-neurons,fold-silent,merge-nodes,\
    lower-currents,drop-clips,normalize-neurons,feed-currents,remove-dead,fold-halves,fold-shared";

/// Runs `pipeline`, which may refuse the network for a known reason.
fn survives(
    before: &NetworkDraft,
    pipeline: &str,
    mut check: impl FnMut(usize, &'static str, &AnyLevel),
) -> Result<(), TestCaseError> {
    if let Err(failure) = run(before.clone(), pipeline, &mut check) {
        let refused = failure.diagnostics.iter().all(|d| may_refuse(d.code));
        prop_assert!(refused, "{}: {}", failure.pass, failure.diagnostics);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn currents_survive(seed in any::<u64>()) {
        let before = generate::network(seed);
        survives(&before, &format!("{CURRENTS},remove-dead,fold-shared"), |_, _, level| {
            same_currents(&before, network(level), seed, true);
        })?;
    }

    /// Spikes are not negative, and that is all that the pass knows about them.
    #[test]
    fn currents_survive_without_idle_clips(seed in any::<u64>(), graded in any::<bool>()) {
        let mut before = generate::network(seed);
        make_clips_idle(&mut before, seed);
        let mut target = target();
        target.message_bits.value = if graded { 32 } else { 0 };
        let check = |_: usize, _: &'static str, level: &AnyLevel| {
            same_currents(&before, network(level), seed, false);
        };
        let pipeline = format!("{CURRENTS},drop-clips");
        if let Err(failure) = run_for(&target, before.clone(), &pipeline, &mut { check }) {
            let refused = failure.diagnostics.iter().all(|d| may_refuse(d.code));
            prop_assert!(refused, "{}: {}", failure.pass, failure.diagnostics);
        }
    }

    #[test]
    fn spikes_survive(seed in any::<u64>()) {
        let before = generate::network(seed);
        survives(&before, SPIKES, |_, _, level| same_spikes(&before, network(level), seed))?;
    }
}

/// Takes the signs off the weights and biases that clips read directly, so that many pass.
fn make_clips_idle(draft: &mut NetworkDraft, seed: u64) {
    let mut rng = generate::Rng::new(seed);
    let clips = draft.nodes.values().filter(|n| matches!(n.op, Op::Relay(_)));
    let read: Vec<_> = clips.map(|n| n.inputs[0].source).collect();
    for id in read {
        if let Op::Linear { weight, bias } | Op::Conv2d { weight, bias, .. } = draft.nodes[id].op
            && rng.chance(70)
        {
            for tensor in std::iter::once(weight).chain(bias) {
                draft.tensors[tensor].data.iter_mut().for_each(|v| *v = v.abs());
            }
        }
    }
}

const ALL: [&str; 12] = [
    "fold-batchnorm",
    "fold-pooling",
    "push-neurons",
    "fold-silent",
    "merge-nodes",
    "lower-currents",
    "drop-clips",
    "normalize-neurons",
    "feed-currents",
    "remove-dead",
    "fold-halves",
    "fold-shared",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// In whatever order the planner accepts, no pass loses a property that it should keep.
    #[test]
    fn properties_survive_in_any_order(
        seed in any::<u64>(),
        order in prop::collection::vec(0..ALL.len(), 1..10),
    ) {
        let pipeline: Vec<_> = order.iter().map(|&i| ALL[i]).collect();
        let registry = Registry::standard();
        let level = AnyLevel::Network(seal(generate::network(seed)));
        let pipeline = Pipeline::parse(&pipeline.join(",")).expect("well-formed");
        let Ok(plan) = plan(&registry, &pipeline, level.kind(), &PropertySet::of(&level)) else {
            return Ok(());
        };
        if let Err(failure) = plan.run(level, &target(), &mut ()) {
            prop_assert!(failure.replay.is_none(), "{}: {}", failure.pass, failure.diagnostics);
        }
    }
}

/// The test of idle clips is of use only if there are some, and if some stay for a reason.
#[test]
fn many_clips_are_idle() {
    let clips =
        |n: &NetworkDraft| n.nodes.values().filter(|n| matches!(n.op, Op::Relay(_))).count();
    let (mut before, mut after) = (0, 0);
    for seed in 0..200 {
        let mut draft = generate::network(seed);
        make_clips_idle(&mut draft, seed);
        if let Ok(outcome) = run(draft.clone(), &format!("{CURRENTS},drop-clips"), &mut ()) {
            before += clips(&draft);
            after += clips(network(&outcome.level));
        }
    }
    assert!(after > 20 && after + 50 < before, "{after} of {before} stay");
}

/// The generator is of use only if most of its networks get through.
#[test]
fn most_networks_are_accepted() {
    let accepted = (0..100).filter(|&seed| run(generate::network(seed), SPIKES, &mut ()).is_ok());
    let accepted = accepted.count();
    assert!(accepted > 60, "only {accepted} of 100 were accepted");
}
