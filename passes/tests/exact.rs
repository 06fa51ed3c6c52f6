//! Passes that are exact change no value of any node that remains.

mod common;

use common::{evaluate, generate, network, run};
use proptest::prelude::*;
use snnc_ir::NetworkDraft;
use snnc_ir::network::{Edge, Op};
use snnc_passes::AnyLevel;

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_of_remaining_nodes_stay(seed in any::<u64>()) {
        let before = with_waste(generate::network(seed), seed);
        let outcome = run(before.clone(), "fold-shared,remove-dead", &mut ()).expect("accepted");
        let after = network(&outcome.level);
        prop_assert!(after.node_named("stray").is_none());
        prop_assert!(after.tensors.values().all(|t| !t.name.ends_with("-copy")));
        same_values(&before, after, seed);
        let inputs = |n: &NetworkDraft| n.nodes.values().filter(|n| matches!(n.op, Op::Input(_))).count();
        prop_assert_eq!(inputs(&before), inputs(after), "inputs are the interface");
    }

    #[test]
    fn values_stay_where_nodes_are_split_silenced_and_merged(seed in any::<u64>()) {
        let before = with_delays(generate::network(seed), seed);
        let before = with_twins(with_waste(before, seed), seed);
        let mut check = |_: usize, _: &'static str, level: &AnyLevel| {
            same_values(&before, network(level), seed);
        };
        let pipeline = "push-neurons,fold-silent,merge-nodes,fold-silent,merge-nodes";
        let outcome = run(before.clone(), pipeline, &mut check).expect("accepted");
        let left = network(&outcome.level).nodes.values().filter(|n| n.name.contains("twin"));
        prop_assert_eq!(left.count(), 0);
    }
}

/// Every node of `after` that `before` has too has its values, and split populations theirs.
fn same_values(before: &NetworkDraft, after: &NetworkDraft, seed: u64) {
    let old = evaluate::run(before, 4, |name, t, size| drive(before, seed, name, t, size));
    let new = evaluate::run(after, 4, |name, t, size| drive(before, seed, name, t, size));
    for t in 0..4 {
        for node in before.nodes.values() {
            let name = &node.name;
            let values = old.value(before, t, name);
            if let Some(found) = new.spikes(after, t, name, values.len()) {
                assert_eq!(values, found, "`{name}`, step {t}");
            }
        }
    }
}

/// Delays what some neurons and concatenations read.
fn with_delays(mut draft: NetworkDraft, seed: u64) -> NetworkDraft {
    let mut rng = generate::Rng::new(seed ^ 2);
    let late = draft.nodes.values_mut().filter(|n| matches!(n.op, Op::Neuron(_) | Op::Concat));
    for edge in late.flat_map(|n| &mut n.inputs) {
        edge.delay += rng.below(2);
    }
    draft
}

/// Repeats every neuron population but that of the readout, which is never split or merged, and
/// lets some of what reads it read its twin, or a population that is a step late.
fn with_twins(mut draft: NetworkDraft, seed: u64) -> NetworkDraft {
    let mut rng = generate::Rng::new(seed ^ 1);
    for id in draft.nodes.ids() {
        let mut twin = draft.nodes[id].clone();
        if !matches!(twin.op, Op::Neuron(_)) || draft.readout.node() == id {
            continue;
        }
        // What reads the same one step later is no twin.
        let late = u32::from(rng.chance(30));
        twin.inputs[0].delay += late;
        twin.name = format!("{}-{}", twin.name, ["twin", "late"][late as usize]);
        let twin = draft.nodes.push(twin);
        for node in draft.nodes.values_mut() {
            for edge in node.inputs.iter_mut().filter(|e| e.source == id) {
                if rng.chance(50) {
                    edge.source = twin;
                }
            }
        }
    }
    draft
}

fn drive(draft: &NetworkDraft, seed: u64, name: &str, t: usize, size: usize) -> Option<Vec<f64>> {
    let id = draft.node_named(name)?;
    let mut rng = generate::Rng::new(seed ^ (t as u64) << 8 ^ name.len() as u64);
    matches!(draft.nodes[id].op, Op::Input(_))
        .then(|| (0..size).map(|_| f64::from(u8::from(rng.chance(50)))).collect())
}

/// Lets some operations use copies of their tensors, and adds a population that nothing reads.
fn with_waste(mut draft: NetworkDraft, seed: u64) -> NetworkDraft {
    let mut rng = generate::Rng::new(seed);
    for id in draft.nodes.ids() {
        if let Op::Linear { weight, .. } | Op::Conv2d { weight, .. } = draft.nodes[id].op
            && rng.chance(50)
        {
            let mut copy = draft.tensors[weight].clone();
            copy.name = format!("{}.{id}-copy", copy.name);
            let copy = draft.tensors.push(copy);
            if let Op::Linear { weight, .. } | Op::Conv2d { weight, .. } = &mut draft.nodes[id].op {
                *weight = copy;
            }
        }
    }
    let neuron = draft.nodes.values().find(|n| matches!(n.op, Op::Neuron(_))).cloned();
    let mut stray = neuron.expect("a neuron population");
    "stray".clone_into(&mut stray.name);
    stray.inputs = vec![Edge { delay: 1, ..stray.inputs[0] }];
    draft.nodes.push(stray);
    draft
}
