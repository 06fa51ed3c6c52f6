//! The published motif network: how many of its populations are equal, and what lowering leaves.

mod common;

use common::{evaluate, motif, network, run};
use snnc_ir::NetworkDraft;
use snnc_ir::network::Op;
use snnc_passes::AnyLevel;

const PIPELINE: &str = "fold-batchnorm,fold-pooling,push-neurons,fold-silent,merge-nodes,\
    lower-currents,drop-clips,normalize-neurons,feed-currents,remove-dead,fold-shared";

/// Number of neuron populations and of their neurons.
fn populations(draft: &NetworkDraft) -> (usize, usize) {
    let populations = draft.nodes.values().filter(|n| matches!(n.op, Op::Neuron(_)));
    let sizes: Vec<_> = populations.map(|n| n.shape.size()).collect();
    (sizes.len(), sizes.iter().sum())
}

/// 49 populations read 16 different states: the stem, the three inputs of each motif cell and the
/// outputs of the six cells. Ten of these are concatenations: three of five parts (which the cells
/// read one by one as well), seven of the two halves of a reduction.
#[test]
fn equal_populations_merge() {
    let (channels, side) = (2, 8);
    let before = motif::network(channels, side, 1);
    assert_eq!(populations(&before).0, 49);
    let mut merged = None;
    let mut check = |_: usize, name: &'static str, level: &AnyLevel| {
        if name == "merge-nodes" {
            merged = Some(populations(network(level)));
        }
    };
    run(before, PIPELINE, &mut check).expect("accepted");
    let area = |cell: u32| ((side >> cell) * (side >> cell)) as usize;
    let cells: usize = (0..3).map(|i| 8 * (channels << i) as usize * area(i)).sum();
    let reductions: usize = (1..4).map(|i| 3 * (channels << i) as usize * area(i)).sum();
    let stem = 3 * channels as usize * area(0);
    assert_eq!(merged, Some((16 + 3 * 4 + 7, stem + cells + reductions)));
}

/// The merged network spikes like the original.
#[test]
fn scores_and_spikes_stay() {
    let before = motif::network(2, 8, 2);
    let outcome = run(before.clone(), PIPELINE, &mut ()).expect("accepted");
    let after = network(&outcome.level);
    assert!(
        after.nodes.values().all(|n| !matches!(n.op, Op::Linear { .. }) || n.shape.size() == 10)
    );
    let drive = |name: &str, t: usize, size: usize| {
        let mut rng = common::generate::Rng::new(t as u64 + 1);
        (name == "x").then(|| (0..size).map(|_| f64::from(u8::from(rng.chance(40)))).collect())
    };
    let old = evaluate::run(&before, 4, drive);
    let new = evaluate::run(after, 4, drive);
    let mut fired = 0.0;
    for t in 0..4 {
        assert!(old.margin[t] > 1e-6, "rounding may decide in step {t}: {}", old.margin[t]);
        for name in ["cells.0._ops.0.op.0", "cells.4._ops.11.op.0", "global_pooling.0"] {
            let spikes = old.value(&before, t, name);
            fired += spikes.iter().sum::<f64>();
            if let Some(found) = new.spikes(after, t, name, spikes.len()) {
                assert_eq!(spikes, found, "`{name}`, step {t}");
            }
        }
        let scores = old.value(&before, t, "classifier").iter();
        for (a, b) in scores.zip(new.value(after, t, "classifier")) {
            assert!((a - b).abs() < 1e-4, "step {t}: {a} became {b}");
        }
    }
    assert!(fired > 0.0);
}
