//! What the network passes refuse, each with its code and the whole message.

mod common;

use common::generate::{Builder, plain_neuron};
use common::run;
use snnc_ir::arena::{NodeId, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::network::{Coding, Dynamics, Neuron, Op, Readout, Reset};
use snnc_ir::{Param, Shape};

/// A network that ends in a neuron population `h` of shape `shape` with the current that `build`
/// makes from the input `x` of shape `input`.
fn network(
    input: Shape,
    shape: Shape,
    neuron: Neuron,
    build: impl FnOnce(&mut Builder, NodeId) -> (NodeId, u32),
) -> snnc_ir::NetworkDraft {
    let mut b = Builder::new();
    let x = b.node("x", Op::Input(Coding::Events), &[], input);
    let current = build(&mut b, x);
    let h = b.node("h", Op::Neuron(neuron), &[current], shape);
    b.draft.readout = Readout::SpikeCount(h);
    b.draft
}

/// Errors of the usual pipeline.
fn errors(draft: snnc_ir::NetworkDraft) -> String {
    let pipeline = "fold-batchnorm,fold-pooling,lower-currents,normalize-neurons";
    let failure = run(draft, pipeline, &mut ()).expect_err("it is refused");
    assert!(failure.replay.is_none(), "a mistake of the network: {}", failure.diagnostics);
    format!("{}: {}", failure.pass, failure.diagnostics)
}

fn ones(b: &mut Builder, name: &str, shape: &[u32]) -> TensorId {
    let len = shape.iter().product::<u32>() as usize;
    b.tensor(name, shape, vec![1.0; len])
}

fn linear(b: &mut Builder, name: &str, input: (NodeId, u32), bias: bool) -> NodeId {
    let weight = ones(b, &format!("{name}.w"), &[1, 1]);
    let bias = bias.then(|| ones(b, &format!("{name}.b"), &[1]));
    b.node(name, Op::Linear { weight, bias }, &[input], Shape::flat(1))
}

fn column(b: &mut Builder, name: &str, input: (NodeId, u32), conv: Conv, bias: bool) -> NodeId {
    let weight = ones(b, &format!("{name}.w"), &conv.kernel_shape());
    let bias = bias.then(|| ones(b, &format!("{name}.b"), &[1]));
    let shape = Shape(conv.output().expect("an output").to_vec());
    b.node(name, Op::Conv2d { weight, bias, conv }, &[input], shape)
}

fn kernel(height: u32, size: u32, stride: u32, pad: u32) -> Conv {
    Conv {
        input: [1, height, 1],
        out_channels: 1,
        kernel: [size, 1],
        stride: [stride, 1],
        pad: [pad, pad, 0, 0],
        groups: 1,
        crop: [0; 4],
    }
}

#[test]
fn composite_too_large() {
    let tall = || Shape::chw(1, 4100, 1);
    let draft = network(tall(), tall(), plain_neuron(), |b, x| {
        let op = Op::AvgPool { window: kernel(4100, 3, 1, 1), exclude_pad: false };
        let pool = b.node("pool", op, &[(x, 0)], tall());
        (column(b, "conv", (pool, 0), kernel(4100, 3, 1, 1), false), 0)
    });
    insta::assert_snapshot!(errors(draft));
}

#[test]
fn pooling_with_too_many_cells() {
    let draft = network(Shape::chw(1, 1, 1), Shape::chw(1, 1, 1), plain_neuron(), |b, x| {
        let window = kernel(1, 1 << 25, 1, (1 << 25) - 1);
        let window = Conv { stride: [1 << 26, 1], ..window };
        let op = Op::AvgPool { window, exclude_pad: true };
        (b.node("pool", op, &[(x, 0)], Shape::chw(1, 1, 1)), 0)
    });
    insta::assert_snapshot!(errors(draft));
}

#[test]
fn current_too_wide() {
    let draft = network(Shape::flat(1), Shape::flat(1), plain_neuron(), |b, x| {
        let mut sum = linear(b, "l", (x, 0), false);
        for i in 0..40 {
            sum = b.node(&format!("s{i}"), Op::Add, &[(sum, 0), (sum, 0)], Shape::flat(1));
        }
        (sum, 0)
    });
    insta::assert_snapshot!(errors(draft));
}

#[test]
fn path_too_long() {
    let draft = network(Shape::flat(1), Shape::flat(1), plain_neuron(), |b, x| {
        let mut last = x;
        for i in 0..2000 {
            last = b.node(&format!("c{i}"), Op::Concat, &[(last, 0)], Shape::flat(1));
        }
        (last, 0)
    });
    assert!(errors(draft).contains("SNN0361"));
}

#[test]
fn delayed_bias() {
    let mut draft = network(Shape::flat(1), Shape::flat(1), plain_neuron(), |b, x| {
        let l = linear(b, "l", (x, 0), true);
        (linear(b, "late", (l, 2), false), 0)
    });
    let late = draft.node_named("late").expect("it was added");
    draft.readout = Readout::MeanLinear(late);
    insta::assert_snapshot!(errors(draft));
}

#[test]
fn delays_add_up_to_too_much() {
    let draft = network(Shape::flat(1), Shape::flat(1), plain_neuron(), |b, x| {
        (linear(b, "l", (x, 65_535), false), 1)
    });
    insta::assert_snapshot!(errors(draft));
}

#[test]
fn folding_overflows() {
    let draft = network(Shape::flat(1), Shape::flat(1), plain_neuron(), |b, x| {
        let weight = b.tensor("w", &[1, 1], vec![1e30]);
        let l = b.node("l", Op::Linear { weight, bias: None }, &[(x, 0)], Shape::flat(1));
        let gamma = b.tensor("gamma", &[1], vec![1e20]);
        let zero = b.tensor("zero", &[1], vec![0.0]);
        let one = b.tensor("one", &[1], vec![1.0]);
        let op = Op::BatchNorm { gamma, beta: zero, mean: zero, variance: one, eps: 0.0 };
        (b.node("n", op, &[(l, 0)], Shape::flat(1)), 0)
    });
    insta::assert_snapshot!(errors(draft));
}

#[test]
fn always_fires() {
    let neuron = Neuron { reset: Reset::To(1.0), v_init: 1.0, ..plain_neuron() };
    let draft =
        network(Shape::flat(1), Shape::flat(1), neuron, |b, x| (linear(b, "l", (x, 0), false), 0));
    insta::assert_snapshot!(errors(draft));
}

#[test]
fn initial_membrane() {
    let tau = Param::PerNeuron(vec![2.0, 3.0]);
    let neuron = Neuron { dynamics: Dynamics::Tau(tau), v_init: 0.5, ..plain_neuron() };
    let draft = network(Shape::flat(2), Shape::flat(2), neuron, |b, x| {
        let weight = ones(b, "w", &[2, 2]);
        (b.node("l", Op::Linear { weight, bias: None }, &[(x, 0)], Shape::flat(2)), 0)
    });
    insta::assert_snapshot!(errors(draft));
}

#[test]
fn overflow_by_time_constant() {
    let dynamics = Dynamics::Tau(Param::Uniform(1e20));
    let neuron = Neuron { dynamics, threshold: Param::Uniform(1e30), ..plain_neuron() };
    let draft =
        network(Shape::flat(1), Shape::flat(1), neuron, |b, x| (linear(b, "l", (x, 0), false), 0));
    insta::assert_snapshot!(errors(draft));
}
