//! What single parts cost.

use super::*;
use crate::report::variant::variants;
use crate::report::{Part, PartKind, Sensitivity};
use snnc_ir::network::Op;

fn sensitivity(recipe: &Recipe) -> Sensitivity {
    let options = MeasureOptions {
        recipe: Some(recipe),
        sensitivity_samples: 16,
        ..MeasureOptions::default()
    };
    measured(&options).sensitivity.unwrap()
}

#[test]
fn parts_are_ranked_by_what_they_change_alone() {
    let found = sensitivity(&recipe());
    assert_eq!(found.samples, 3);
    assert_eq!(found.not_measured, []);
    let costs: Vec<_> =
        found.parts.iter().map(|p| (p.part.kind, &*p.part.target, p.differing)).collect();
    let (first, rest) = costs.split_first().unwrap();
    // The threshold of neuron 1 of `h`, 0.003, becomes 1/128: it misses two spikes, and `o` with it.
    assert_eq!((first.0, first.1), (PartKind::Thresholds, "h"));
    assert!(first.2 > rest[0].2);
    // Weights of `o`, its threshold, bias and decay mean what they meant.
    let free = rest.iter().filter(|(.., differing)| *differing == 0);
    assert_eq!(free.count(), 4);
    let weights = found.parts.iter().find(|p| p.part.source.as_deref() == Some("x")).unwrap();
    // 0.498 becomes 65/128, which fires at once: a spike in step 0 that the float network has not.
    assert_eq!((weights.differing, weights.part.tensor.as_deref()), (1, Some("w")));
    assert!(weights.target_distance > 0.0);
    assert_eq!(weights.same_prediction, 3);
}

#[test]
fn values_are_what_the_integers_mean() {
    let float = network(FLOAT);
    let apply = |kind: PartKind, target: &str| {
        let all = variants(&float, &recipe());
        let found = all.iter().find(|v| v.part.kind == kind && v.part.target == target);
        found.and_then(|v| v.apply(&float))
    };
    let changed = apply(PartKind::Weights, "h").unwrap();
    let values = |draft: &snnc_ir::NetworkDraft, node: &str| {
        let node = &draft.nodes[draft.node_named(node).unwrap()];
        let Op::Linear { weight, .. } = node.op else { panic!("a linear node") };
        draft.tensors[weight].data.clone()
    };
    let expected = [127.0, 0.0, 0.0, 1.0, 65.0, 0.0].map(|q: f32| q / 128.0);
    assert_eq!(values(&changed, "fc"), expected);
    assert_eq!(values(&changed, "out"), values(&float, "out"));
    let changed = apply(PartKind::Thresholds, "h").unwrap();
    let node = &changed.nodes[changed.node_named("h").unwrap()];
    let Op::Neuron(neuron) = &node.op else { panic!("neurons") };
    assert_eq!(neuron.threshold, Param::PerNeuron(vec![0.5, 1.0 / 128.0, 0.5]));
    assert_eq!(apply(PartKind::Biases, "o"), None);
    let mut other = recipe();
    other.populations[1].bias = Some(Param::Uniform(30));
    other.populations[1].dv = Some(Param::Uniform(1024));
    let all = variants(&float, &other);
    let changed: Vec<_> =
        all.iter().filter_map(|v| Some((v.part.kind, v.apply(&float)?))).collect();
    let kinds: Vec<_> = changed.iter().map(|(kind, _)| *kind).collect();
    let of_h = [PartKind::Weights, PartKind::Thresholds];
    assert_eq!(kinds, [&of_h[..], &[PartKind::Decays, PartKind::Biases]].concat());
    let biased = &changed[3].1;
    assert_eq!(biased.tensors.values().last().unwrap().data, [0.3]);
}

#[test]
fn a_projection_that_shares_its_tensor_or_node_changes_alone() {
    let shared = FLOAT.replace(
        "node2 \"h\"",
        "node5 \"g\" [3] = neuron(node1) integrate threshold 9 compare gt
            reset to 0 v_init 0 refractory 0 order leak_input_fire\nnode2 \"h\"",
    );
    // Nodes are numbered in the order of the file.
    let shared = shared
        .replace("node5", "nodeG")
        .replace("node4", "node5")
        .replace("node3", "node4")
        .replace("neuron(node3)", "neuron(node4)")
        .replace("node2", "node3")
        .replace("nodeG", "node2");
    let float = network(&shared);
    let all = variants(&float, &recipe());
    let weights = all.iter().find(|v| v.part.kind == PartKind::Weights && v.part.target == "h");
    let changed = weights.unwrap().apply(&float).unwrap();
    let input = |name: &str| changed.nodes[changed.node_named(name).unwrap()].inputs[0].source;
    assert_ne!(input("g"), input("h"));
    assert_eq!(changed.nodes[input("g")], float.nodes[float.node_named("fc").unwrap()]);
    Network::verify(changed, &Rules::default()).unwrap();
}

#[test]
fn scales_of_neurons_are_undone_row_by_row() {
    let mut recipe = recipe();
    recipe.populations[0].scale = Some(Param::PerNeuron(vec![127.0, 250.0, 32.5]));
    recipe.projections[0].exponent = Some(1);
    let float = network(FLOAT);
    let all = variants(&float, &recipe);
    let changed = all[0].apply(&float).unwrap();
    let data = &changed.tensors.values().last().unwrap().data;
    assert_eq!(data, &[2.0, 0.0, 0.0, 2.0 / 250.0, 4.0, 0.0]);
}

#[test]
fn parts_that_the_recipe_does_not_know_are_named() {
    let mut partial = recipe();
    partial.projections[0].weights = None;
    partial.projections[1].weights = Some(vec![1]);
    partial.populations[1].scale = Some(Param::PerNeuron(vec![1.0; 7]));
    let found = sensitivity(&partial);
    let missing: Vec<_> = found.not_measured.iter().map(Part::words).collect();
    assert_eq!(
        missing,
        [
            "the weights of `w` from `x` to `h`",
            "the weights of `v` from `h` to `o`",
            "the thresholds of `o`",
            "the biases of `o`",
        ]
    );
}
