//! Passes that are exact change no value of any node that remains.

mod common;

use common::{evaluate, generate, network, run};
use proptest::prelude::*;
use snnc_ir::NetworkDraft;
use snnc_ir::network::{Edge, Op};

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_of_remaining_nodes_stay(seed in any::<u64>()) {
        let before = with_waste(generate::network(seed), seed);
        let outcome = run(before.clone(), "fold-shared,remove-dead", &mut ()).expect("accepted");
        let after = network(&outcome.level);
        prop_assert!(after.node_named("stray").is_none());
        prop_assert!(after.tensors.values().all(|t| !t.name.ends_with("-copy")));
        let old = evaluate::run(&before, 4, |name, t, size| drive(&before, seed, name, t, size));
        let new = evaluate::run(after, 4, |name, t, size| drive(&before, seed, name, t, size));
        for t in 0..4 {
            for node in after.nodes.values() {
                let (a, b) = (old.value(&before, t, &node.name), new.value(after, t, &node.name));
                prop_assert_eq!(a, b, "`{}`, step {}", node.name, t);
            }
        }
        let inputs = |n: &NetworkDraft| n.nodes.values().filter(|n| matches!(n.op, Op::Input(_))).count();
        prop_assert_eq!(inputs(&before), inputs(after), "inputs are the interface");
    }
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
