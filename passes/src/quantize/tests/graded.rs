//! Clips: scales of groups, ranges of messages, and what has no integer form.

use super::net::{Net, able, identity, layer, only, quantize, relays, scale, weights};
use crate::fixtures::{neuron, target};
use snnc_ir::diag::codes::quantize as codes;
use snnc_ir::network::{Coding, Dynamics, Emission, Keep, Neuron, Op, Readout};
use snnc_ir::quantized::PopKind;
use snnc_ir::{Entity, Param};

/// x → clips `p` and `n`; `y` reads both as they are.
fn branches(positive: [f32; 2], negative: [f32; 2]) -> Net {
    let mut net = Net::new();
    let x = net.input(Coding::Events, 2);
    let p = net.clip("p", Keep::Positive, 1, &[layer(x, 1, 2, &positive)]);
    let n = net.clip("n", Keep::Negative, 1, &[layer(x, 1, 2, &negative)]);
    net.neurons("y", 1, &[identity(p, 1, 1.0), identity(n, 1, 1.0)]);
    net
}

#[test]
fn what_reads_clips_as_they_are_shares_their_scale() {
    let (draft, remarks) = quantize(branches([0.5, -0.25], [0.25, -1.0]), &able()).expect("fits");
    assert_eq!([weights(&draft, "p", 0), weights(&draft, "n", 0)], [[64, -32], [32, -127]]);
    assert_eq!([weights(&draft, "y", 0), weights(&draft, "y", 1)], [[1], [1]]);
    for population in ["p", "n", "y"] {
        assert!((scale(&remarks, population) - 127.0).abs() < 1e-9);
    }
    assert_eq!(relays(&draft, "p").keep, Some(Keep::Positive));
    assert_eq!(relays(&draft, "n").keep, Some(Keep::Negative));
    let y = draft.population_named("y").expect("a population");
    let PopKind::Neurons(y) = &draft.populations[y].kind else { panic!("neurons expected") };
    assert_eq!(y.threshold, Param::Uniform(64 * 127));
    let note = remarks.iter().find(|d| d.message.contains("`p`")).expect("a remark").to_string();
    assert!(note.contains("messages within 0..=64"), "{note}");
    assert!(note.contains("the largest weight (127) of population `n`"), "{note}");
}

#[test]
fn biases_of_relays_are_units_of_the_message() {
    let mut net = Net::new();
    let x = net.input(Coding::Events, 1);
    let bias = [-0.5, 0.125];
    let c = net.add(
        "c",
        Op::Relay(Some(Keep::Negative)),
        2,
        &[layer(x, 2, 1, &[1.0, -1.0])],
        Some(&bias),
    );
    net.neurons("y", 2, &[identity(c, 2, 1.0)]);
    let (draft, _) = quantize(net, &able()).expect("fits");
    assert_eq!(relays(&draft, "c").bias, Param::PerNeuron(vec![-64, 16]));
}

#[test]
fn averages_are_exact_and_identities_beside_them_are_multiples() {
    let mut net = Net::new();
    let x = net.input(Coding::Events, 4);
    let dense: Vec<f32> = (0..16_u8).map(|i| f32::from(i) / 16.0 - 0.5).collect();
    let c = net.clip("c", Keep::Positive, 4, &[layer(x, 4, 4, &dense)]);
    let d = net.clip("d", Keep::Positive, 1, &[layer(x, 1, 4, &dense[..4])]);
    // Averages over 3 and 4 cells: twelfths.
    let (third, quarter) = (1.0 / 3.0, 0.25);
    let average = [third, third, third, 0.0, quarter, quarter, quarter, quarter];
    net.neurons("y", 2, &[layer(c, 2, 4, &average), layer(d, 2, 1, &[1.0, 1.0])]);
    let (draft, remarks) = quantize(net, &able()).expect("fits");
    assert_eq!(weights(&draft, "y", 0), [4, 4, 4, 0, 3, 3, 3, 3]);
    assert_eq!(weights(&draft, "y", 1), [12, 12]);
    let scales = ["c", "d", "y"].map(|p| scale(&remarks, p));
    assert!((scales[0] - scales[1]).abs() < 1e-9);
    assert!((scales[2] - 12.0 * scales[0]).abs() < 1e-6);
}

/// x → c0, whose averages with these weights follow each other in c1, c2, …; `y` reads the first and
/// the last.
fn nested(average: &[f32; 9], depth: usize) -> Net {
    let mut net = Net::new();
    let x = net.input(Coding::Events, 3);
    let first = net.clip("c0", Keep::Positive, 3, &[layer(x, 3, 3, &[0.5; 9])]);
    let mut last = first;
    for i in 1..=depth {
        last = net.clip(&format!("c{i}"), Keep::Positive, 3, &[layer(last, 3, 3, average)]);
    }
    net.neurons("y", 3, &[identity(last, 3, 1.0), identity(first, 3, 1.0)]);
    net
}

#[test]
fn averages_of_averages_beside_what_they_average_have_no_scale() {
    let (draft, _) = quantize(nested(&[1.0 / 9.0; 9], 3), &able()).expect("91 · 2^3 is a weight");
    // 729 needs ten bits; the nearest weight of seven is 728.
    assert_eq!(weights(&draft, "y", 1), [728; 3]);
    let errors = quantize(nested(&[1.0 / 9.0; 9], 5), &able()).expect_err("59049 is no weight");
    let text = only(&errors, codes::NO_COMMON_SCALE);
    assert!(text.contains("`y`") && text.contains("`c5`, `c0`"), "{text}");
}

#[test]
fn averages_are_rounded_where_exact_ones_have_no_scale() {
    let average = [0.0, 0.25, 0.25, 1.0 / 6.0, 1.0 / 9.0, 1.0 / 9.0, 0.0, 0.0, 0.25];
    let (draft, remarks) = quantize(nested(&average, 1), &able()).expect("36 fits");
    assert_eq!(weights(&draft, "c1", 0), [0, 9, 9, 6, 4, 4, 0, 0, 9]);
    assert!(remarks.iter().all(|d| d.code != codes::AVERAGE));
    // 36 · 36 · 36 is no weight; 18 · 18 · 18 is nearly 91 · 2^6.
    let (draft, remarks) = quantize(nested(&average, 3), &able()).expect("18 · 18 · 18 fits");
    assert_eq!(weights(&draft, "c2", 0), [0, 4, 4, 3, 2, 2, 0, 0, 4]);
    assert_eq!(weights(&draft, "y", 1), [5824; 3]);
    let found = remarks.iter().find(|d| d.code == codes::AVERAGE).expect("a warning").to_string();
    assert!(found.contains("`c1`") && found.contains("`c1.0.w` move by up to 11 %"), "{found}");
}

#[test]
fn general_weights_on_messages_are_rounded_in_the_ratio_of_the_scales() {
    let mut net = Net::new();
    let x = net.input(Coding::Events, 2);
    let c = net.clip("c", Keep::Positive, 2, &[layer(x, 2, 2, &[0.1, 0.05, -0.1, 0.02])]);
    net.neurons("y", 2, &[layer(c, 2, 2, &[0.3, -0.7, 0.123, 0.0])]);
    let (draft, remarks) = quantize(net, &able()).expect("fits");
    let ratio = scale(&remarks, "y") / scale(&remarks, "c");
    let rounded = [0.3_f32, -0.7, 0.123, 0.0].map(|w| (f64::from(w) * ratio).round_ties_even());
    assert_eq!(weights(&draft, "y", 0).into_iter().map(f64::from).collect::<Vec<_>>(), rounded);
    assert!(rounded[1] < -1.0, "{rounded:?}");
}

#[test]
fn general_weights_beside_identities_keep_some_resolution() {
    let mut net = Net::new();
    let x = net.input(Coding::Events, 2);
    let c = net.clip("c", Keep::Positive, 2, &[layer(x, 2, 2, &[0.1, 0.05, -0.1, 0.02])]);
    net.neurons("y", 2, &[identity(c, 2, 1.0), layer(c, 2, 2, &[0.3, -0.7, 0.123, 0.0])]);
    let (draft, _) = quantize(net, &able()).expect("fits");
    // 0.7 has at least 31 steps at a multiple of 64.
    assert_eq!(weights(&draft, "y", 0), [64, 64]);
    assert_eq!(weights(&draft, "y", 1), [19, -45, 8, 0]);
}

#[test]
fn the_whole_group_is_lowered_until_its_messages_and_sums_fit() {
    let mut narrow = able();
    narrow.message_bits.value = 7;
    let (draft, remarks) = quantize(branches([0.5, 0.5], [0.25, -1.0]), &narrow).expect("fits");
    // 0.5 + 0.5 is a message of at most 63.
    assert_eq!([weights(&draft, "p", 0), weights(&draft, "n", 0)], [[31, 31], [16, -63]]);
    let note = remarks.iter().find(|d| d.message.contains("`y`")).expect("a remark").to_string();
    assert!(note.contains("the bits of a message of population"), "{note}");
    let mut small = able();
    small.max_input_sum.value = 40;
    let (draft, _) = quantize(branches([0.5, 0.5], [0.25, -1.0]), &small).expect("fits");
    assert_eq!([weights(&draft, "p", 0), weights(&draft, "n", 0)], [[20, 20], [10, -40]]);
}

#[test]
fn no_scale_for_a_group_is_one_error() {
    let mut none = able();
    none.max_input_sum.value = 0;
    let errors = quantize(branches([0.5, 0.5], [0.25, -1.0]), &none).expect_err("nothing fits");
    only(&errors, codes::NO_SCALE);
    assert_eq!(errors.len(), 1);
}

#[test]
fn a_loop_of_clips_is_refused_by_name_with_a_delay_too() {
    let mut net = branches([0.5, -0.25], [0.25, -1.0]);
    let p = net.0.node_named("p").expect("a node");
    let c = net.clip("c", Keep::Positive, 1, &[identity(p, 1, 0.5)]);
    net.neurons("z", 1, &[identity(c, 1, 1.0)]);
    // p reads c one step late.
    let feed = net.0.node_named("p.0").expect("a node");
    net.0.nodes[feed].inputs[0] = snnc_ir::network::Edge { source: c, delay: 1 };
    let weight = net.0.node_named("c.0").expect("a node");
    net.0.nodes[feed].op = net.0.nodes[weight].op.clone();
    let errors = quantize(net, &able()).expect_err("refused");
    let text = only(&errors, codes::GRADED_CYCLE);
    assert!(text.contains("`p`, `c`") && !text.contains("`n`"), "{text}");
}

#[test]
fn a_loop_through_neurons_is_bounded() {
    let mut net = branches([0.5, -0.25], [0.25, -1.0]);
    let y = net.0.node_named("y").expect("a node");
    let feed = net.0.node_named("n.0").expect("a node");
    net.0.nodes[feed].inputs[0] = snnc_ir::network::Edge { source: y, delay: 1 };
    let weight = net.0.tensors.ids().nth(1).expect("the weight of n");
    net.0.tensors[weight].shape = snnc_ir::Shape(vec![1, 1]);
    net.0.tensors[weight].data.truncate(1);
    quantize(net, &able()).expect("bounded");
}

#[test]
fn what_the_target_cannot_compute_is_one_finding_beside_others() {
    let mut net = branches([0.5, -0.25], [0.25, -1.0]);
    let x = snnc_ir::arena::NodeId::new(0);
    let mut odd = |name: &str, model: Neuron| {
        net.add(name, Op::Neuron(model), 1, &[layer(x, 1, 2, &[1.0, 1.0])], None);
    };
    let izhikevich = Dynamics::Izhikevich { a: 0.02, b: 0.2, d: 8.0 };
    odd("i", Neuron { dynamics: izhikevich, ..neuron() });
    odd("b", Neuron { emission: Emission::Burst { factor: 1.5 }, ..neuron() });
    odd("v", Neuron { v_init: 0.5, ..neuron() });
    let first = net.0.node_named("y").expect("a node");
    net.0.readout = Readout::SpikeCount(first);
    let errors = quantize(net, &target()).expect_err("refused");
    let text = only(&errors, codes::NO_CONTRACT);
    assert!(text.contains("`p`, `n`, `i`, `b`"), "{text}");
    assert!(text.contains("message_bits = 0 (line 1: test)") && text.contains("loihi2"), "{text}");
    only(&errors, codes::INITIAL_MEMBRANE);
    assert_eq!(errors.len(), 2);
}

#[test]
fn a_readout_of_messages_is_refused() {
    let mut net = branches([0.5, -0.25], [0.25, -1.0]);
    let p = net.0.node_named("p").expect("a node");
    let score = net.neurons("score", 1, &[layer(p, 1, 1, &[2.0])]);
    let read = net.0.nodes[score].inputs[0].source;
    net.0.readout = Readout::MeanLinear(read);
    let errors = quantize(net, &able()).expect_err("refused");
    assert!(only(&errors, codes::READOUT).contains("reads the clip `p`"));
}
