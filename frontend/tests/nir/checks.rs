//! What is wrong with a graph.

use crate::fixtures::codes;
use crate::graphs::{array, checked, constant, file, graph, input, lif, linear, output};
use snnc_frontend::arrays::Array;
use snnc_frontend::nir::{Compat, Conv, Flatten, Padding, Pool, Primitive, check, write};

/// What is said of a graph with `input → n → output`, and the shape that `n` gives.
fn single(shape: &[usize], node: Primitive, gives: &[usize]) -> (Vec<String>, Option<Vec<usize>>) {
    let nodes = vec![("in", input(shape)), ("n", node), ("out", output(gives))];
    let checked = checked(nodes, "in > n > out");
    (codes(&checked.found), checked.shapes.get("/node/nodes/n").map(|s| s.output.clone()))
}

fn conv2d(weight: &[usize], groups: usize) -> Conv<2> {
    Conv {
        input_shape: None,
        weight: array(weight),
        bias: array(&weight[..1]),
        stride: [1, 1],
        padding: Padding::Zeros([0, 0]),
        dilation: [1, 1],
        groups,
    }
}

/// The shape that a convolution gives, as PyTorch computes it.
#[test]
fn windows() {
    let given = |shape: &[usize], conv: Conv<2>| {
        let node = Primitive::Conv2d(conv);
        single(shape, node, &[0]).1
    };
    assert_eq!(given(&[2, 8, 8], conv2d(&[4, 2, 3, 5], 1)), Some(vec![4, 6, 4]));
    assert_eq!(given(&[4, 9, 8], conv2d(&[6, 2, 3, 3], 2)), Some(vec![6, 7, 6]));
    let strided =
        Conv { stride: [2, 3], padding: Padding::Zeros([1, 0]), ..conv2d(&[1, 1, 3, 3], 1) };
    assert_eq!(given(&[1, 8, 9], strided), Some(vec![1, 4, 3]));
    let dilated = Conv { dilation: [2, 1], ..conv2d(&[1, 1, 3, 1], 1) };
    assert_eq!(given(&[1, 8, 9], dilated), Some(vec![1, 4, 9]));
    let same = Conv { padding: Padding::Same, dilation: [3, 1], ..conv2d(&[1, 1, 4, 2], 1) };
    assert_eq!(given(&[1, 8, 9], same), Some(vec![1, 8, 9]));
    let valid = Conv { padding: Padding::Valid, ..conv2d(&[1, 1, 8, 9], 1) };
    assert_eq!(given(&[1, 8, 9], valid), Some(vec![1, 1, 1]));
    let conv1d = Conv {
        input_shape: Some([10]),
        weight: array(&[4, 2, 3]),
        bias: array(&[4]),
        stride: [2],
        padding: Padding::Zeros([1]),
        dilation: [2],
        groups: 1,
    };
    assert_eq!(single(&[2, 10], Primitive::Conv1d(conv1d), &[4, 4]), (vec![], Some(vec![4, 4])));
    let pool = Pool { kernel: [2, 3], stride: [2, 1], padding: [1, 0] };
    let pooled = single(&[3, 5, 7], Primitive::AvgPool2d(pool), &[3, 3, 5]);
    assert_eq!(pooled, (vec![], Some(vec![3, 3, 5])));
    for (start, end, gives) in
        [(0, -1, vec![24]), (1, 2, vec![2, 12]), (-2, -1, vec![2, 12]), (1, 1, vec![2, 3, 4])]
    {
        let flatten = Flatten { input_type: None, start, end };
        let found = single(&[2, 3, 4], Primitive::Flatten(flatten), &gives);
        assert_eq!(found, (vec![], Some(gives)));
    }
}

#[test]
fn what_a_node_cannot_take() {
    let conv = |shape: &[usize], conv: Conv<2>| single(shape, Primitive::Conv2d(conv), &[1]).0;
    assert_eq!(conv(&[3, 8, 8], conv2d(&[4, 2, 3, 3], 1)), ["SNN0277"]);
    assert_eq!(conv(&[2, 8], conv2d(&[4, 2, 3, 3], 1)), ["SNN0277"]);
    assert_eq!(conv(&[2, 2, 8], conv2d(&[4, 2, 3, 3], 1)), ["SNN0277"]);
    let pool = |shape: &[usize]| {
        let pool = Pool { kernel: [9, 1], stride: [1, 1], padding: [0, 0] };
        single(shape, Primitive::SumPool2d(pool), &[1]).0
    };
    assert_eq!(pool(&[1, 8, 8]), ["SNN0277"]);
    assert_eq!(pool(&[8, 8]), ["SNN0277"]);
    for (start, end) in [(0, 3), (-4, 0), (2, 1)] {
        let flatten = Primitive::Flatten(Flatten { input_type: None, start, end });
        assert_eq!(single(&[2, 3, 4], flatten, &[24]).0, ["SNN0277"], "{start} {end}");
    }
}

#[test]
fn parameters_that_do_not_fit() {
    let found =
        |node: Primitive, inputs: &[usize], outputs: &[usize]| single(inputs, node, outputs).0;
    let affine = |weight: &[usize], bias: &[usize]| Primitive::Affine {
        weight: array(weight),
        bias: array(bias),
    };
    assert!(found(affine(&[3, 2], &[3]), &[2], &[3]).is_empty());
    assert!(found(affine(&[5, 3, 2], &[5, 3]), &[5, 2], &[5, 3]).is_empty());
    assert_eq!(found(affine(&[3, 2], &[2]), &[2], &[3]), ["SNN0271"]);
    assert_eq!(found(affine(&[6], &[6]), &[6], &[6])[0], "SNN0271");
    let one = |shape: &[usize]| constant(shape, 1.0);
    let neuron = |r: Array, v_threshold: Array| Primitive::If { r, v_threshold, v_reset: None };
    assert!(found(neuron(one(&[]), one(&[3])), &[3], &[3]).is_empty());
    assert_eq!(found(neuron(one(&[1]), one(&[3])), &[3], &[3])[0], "SNN0271");
    assert_eq!(found(neuron(one(&[0]), one(&[0])), &[3], &[3])[0], "SNN0271");
    let odd = Conv { bias: array(&[3]), ..conv2d(&[4, 2, 3, 3], 3) };
    let odd = found(Primitive::Conv2d(odd), &[6, 8, 8], &[4, 6, 6]);
    assert_eq!(odd, ["SNN0271", "SNN0271"]);
    let strided = Conv { padding: Padding::Same, stride: [1, 2], ..conv2d(&[1, 1, 3, 3], 1) };
    assert_eq!(found(Primitive::Conv2d(strided), &[1, 8, 8], &[1, 8, 8]), ["SNN0271"]);
}

#[test]
fn values_without_meaning() {
    let lif = |tau: f32, r: f32, v_threshold: f32| {
        let all = |x: f32| constant(&[2], x);
        let (tau, r, v_threshold) = (all(tau), all(r), all(v_threshold));
        let node = Primitive::Lif { tau, r, v_leak: all(0.0), v_threshold, v_reset: None };
        single(&[2], node, &[2]).0
    };
    assert!(lif(0.01, -1.0, 1.0).is_empty());
    for tau in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(lif(tau, 1.0, 1.0), ["SNN0270"], "{tau}");
    }
    assert_eq!(lif(0.01, f32::NAN, f32::INFINITY), ["SNN0270", "SNN0270"]);
    // A warning: it fires forever.
    assert_eq!(lif(0.01, 1.0, -1.0), ["SNN0270"]);
    let delay = |x: f32| single(&[2], Primitive::Delay { delay: constant(&[2], x) }, &[2]).0;
    assert!(delay(0.0).is_empty());
    assert_eq!(delay(-1.0), ["SNN0270"]);
}

#[test]
fn edges_and_ports() {
    let found = |nodes, edges| codes(&checked(nodes, edges).found);
    let ports = || vec![("in", input(&[2])), ("out", output(&[2]))];
    assert!(found(ports(), "in > out").is_empty());
    assert_eq!(found(ports(), "in > out, in > out"), ["SNN0275"]);
    assert_eq!(found(ports(), "in > out, in > nowhere"), ["SNN0274"]);
    assert_eq!(found(vec![("in", input(&[2]))], ""), ["SNN0276", "SNN0280"]);
    assert_eq!(found(vec![("out", output(&[2]))], ""), ["SNN0276", "SNN0280"]);
    let two = || {
        let inner = vec![("a", input(&[2])), ("b", input(&[2])), ("out", output(&[2]))];
        Primitive::Graph(graph(inner, "a > out, b > out"))
    };
    let nodes = vec![("in", input(&[2])), ("g", two()), ("out", output(&[2]))];
    assert_eq!(found(nodes, "in > g > out")[0], "SNN0276");
}

#[test]
fn loops_need_a_node_that_remembers() {
    let found = |node: Primitive| {
        let nodes =
            vec![("in", input(&[2])), ("a", linear(2, 2)), ("b", node), ("out", output(&[2]))];
        codes(&checked(nodes, "in > a > b > a, b > out").found)
    };
    assert_eq!(found(linear(2, 2)), ["SNN0279"]);
    assert_eq!(found(Primitive::Threshold { threshold: array(&[2]) }), ["SNN0279"]);
    assert_eq!(found(Primitive::Delay { delay: constant(&[2], 0.0) }), ["SNN0279"]);
    assert!(found(Primitive::Delay { delay: constant(&[2], 0.1) }).is_empty());
    assert!(found(lif(2)).is_empty());
    assert!(found(Primitive::I { r: array(&[2]) }).is_empty());
    // A graph between is as good as what is in it.
    let wrapped = |node: Primitive| {
        let inner = vec![("in", input(&[2])), ("x", node), ("out", output(&[2]))];
        found(Primitive::Graph(graph(inner, "in > x > out")))
    };
    assert_eq!(wrapped(linear(2, 2)), ["SNN0279"]);
    assert!(wrapped(lif(2)).is_empty());
}

#[test]
fn shapes_that_nothing_decides() {
    let pool = || Primitive::SumPool2d(Pool { kernel: [1, 1], stride: [1, 1], padding: [0, 0] });
    let nodes = vec![("in", input(&[2])), ("p", pool()), ("q", pool()), ("out", output(&[2]))];
    // `p` is to blame, `q` only follows.
    let found = checked(nodes, "in > out, p > q").found;
    let errors: Vec<_> = found.iter().filter(|d| d.code.to_string() == "SNN0278").collect();
    assert_eq!(errors.len(), 1, "{found}");
    assert_eq!(errors[0].place.path.as_deref(), Some("/node/nodes/p"));
}

#[test]
fn conflicts_say_how_to_repair() {
    let help = |nodes, edges| {
        let found = checked(nodes, edges).found;
        let conflicts = found.iter().filter(|d| d.code.to_string() == "SNN0277");
        conflicts.map(|d| d.help.clone().unwrap_or_default()).collect::<Vec<String>>()
    };
    let through = |from: &[usize], node: Primitive, to: &[usize]| {
        help(vec![("in", input(from)), ("n", node), ("out", output(to))], "in > n > out")
    };
    for help in through(&[3], linear(3, 2), &[2]) {
        assert!(help.contains("transpose"), "{help}");
    }
    let [batch] = &through(&[1, 2], linear(3, 2), &[3])[..] else { panic!() };
    assert!(batch.contains("batch"), "{batch}");
    let [ones] = &through(&[2], linear(3, 2), &[1, 1, 1])[..] else { panic!() };
    assert!(ones.contains("placeholder"), "{ones}");
    let [flat] = &through(&[2, 2], linear(3, 4), &[3])[..] else { panic!() };
    assert!(flat.contains("Flatten"), "{flat}");
    let [none] = &through(&[7], linear(3, 2), &[3])[..] else { panic!() };
    assert!(none.is_empty(), "{none}");
}

#[test]
fn conflicts_and_dangling_edges_in_full() {
    let nodes =
        vec![("in", input(&[3])), ("fc", linear(3, 2)), ("lif1", lif(2)), ("out", output(&[2]))];
    let found = checked(nodes, "in > fc > lif1 > out, lif > out").found;
    insta::assert_snapshot!("conflicts", found);
}

#[test]
fn versions_that_cannot_hold_a_graph() {
    let refused = |node: Primitive, shape: &[usize], gives: &[usize]| {
        let nodes = vec![("in", input(shape)), ("n", node), ("out", output(gives))];
        let file = file(graph(nodes, "in > n > out"));
        assert!(!check(&file).found.has_errors(), "{}", check(&file).found);
        assert!(write(&file, Compat::Newest).is_ok());
        write(&file, Compat::V1_0_4).map_or_else(|d| codes(&d), |_| Vec::new())
    };
    let one = || constant(&[2], 1.0);
    let cuba =
        Primitive::CubaLi { tau_mem: one(), tau_syn: one(), r: one(), v_leak: one(), w_in: None };
    assert_eq!(refused(cuba, &[2], &[2]), ["SNN0284"]);
    let reset = |v: f32| {
        let v_reset = Some(constant(&[2], v));
        refused(Primitive::If { r: one(), v_threshold: one(), v_reset }, &[2], &[2])
    };
    assert!(reset(0.0).is_empty());
    assert_eq!(reset(0.5), ["SNN0284"]);
    let conv = |padding| {
        let conv = Conv {
            input_shape: Some([4]),
            weight: array(&[1, 1, 1]),
            bias: array(&[1]),
            stride: [1],
            padding,
            dilation: [1],
            groups: 1,
        };
        refused(Primitive::Conv1d(conv), &[1, 4], &[1, 4])
    };
    assert!(conv(Padding::Valid).is_empty());
    assert_eq!(conv(Padding::Same), ["SNN0284"]);
}
