//! One network that breaks each rule.

use super::codes;
use crate::arena::{Arena, Entity, NodeId, TensorId};
use crate::check::{MAX_DELAY, MAX_ELEMENTS};
use crate::diag::Code;
use crate::level::{AnyDraft, Level, Rules};
use crate::network::{
    Coding, Compare, Current, Discretization, Dynamics, Edge, Emission, LinearDynamics, Network,
    NetworkDraft, Neuron, Op, Readout, Reset,
};
use crate::param::Param;
use crate::shape::Shape;
use crate::testing::encoded;
use crate::text;

/// A network with every operation.
const GOOD: &str = r#"
snn 1 network
name "all"
steps 4

tensor0 "w" [3, 8] from dense "w" { 1 0 0 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 -1 }
tensor1 "k" [2, 1, 3, 3] from dense "k" { 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 }
tensor2 "ones" [2] from dense "ones" { 1 1 }
tensor3 "wide" [2, 4] from dense "wide" { 1 1 1 1 1 1 1 1 }
tensor4 "three" [3] from dense "three" { 1 1 1 }
node0 "x" [2, 2, 2] = input() accumulator pmax 16 steps_in 4
node1 "conv" [2, 2, 2] = conv2d(node0) weight tensor1 bias tensor2
  conv [2, 2, 2] to 2 kernel [3, 3] stride [1, 1] pad [1, 1, 1, 1] groups 2
node2 "bn" [2, 2, 2] = batchnorm(node1) gamma tensor2 beta tensor2 mean tensor2 variance tensor2 eps 1e-5
node3 "h" [2, 2, 2] = neuron(node2)
  tau per_channel { 2 3 }
  threshold 1
  compare gt
  reset to 0
  v_init 0
  refractory 0
  order leak_input_fire
node4 "pool" [2, 1, 1] = avgpool(node3)
  window [2, 2, 2] to 2 kernel [2, 2] stride [2, 2] pad [0, 0, 0, 0] groups 2 exclude_pad false
node5 "mean" [2] = global_avgpool(node3)
node6 "flat" [2] = flatten(node4)
node7 "both" [4] = concat(node5, node6)
node8 "fc" [2] = linear(node7) weight tensor3 bias tensor2
node9 "back" [3] = linear(node3@1) weight tensor0 bias tensor4
node10 "sum" [3] = add(node9, node9)
node11 "out" [3] = neuron(node10)
  decay per_neuron { 0 0.5 1 }
  threshold 1
  compare ge
  reset subtract
  v_init 0.5
  refractory 2
  order leak_input_fire
node12 "left" [2, 1, 1] = crop(node3) [0, 1, 1, 0]
node13 "none" [2, 1, 1] = zero()
node14 "up" [2, 1, 1] = clip(node15) keep positive
node15 "joined" [2, 1, 1] = add(node12, node13)
node16 "burst" [2, 1, 1] = neuron(node14)
  integrate threshold 1 compare gt reset to 0 v_init 0 refractory 0 order leak_input_fire
  emission burst factor 1.5
node17 "learnt" [2, 1, 1] = neuron(node13)
  sigmoid per_channel { -1 2 } threshold 1 compare ge reset to 0 v_init 0 refractory 0
  order leak_input_fire emission binary
node18 "regular" [2, 1, 1] = neuron(node13)
  izhikevich a 0.02 b 0.2 d 8 threshold 30 compare ge reset to -65 v_init -65 refractory 0
  order leak_input_fire
node19 "image" [2, 2, 2] = input() direct range [-1, 1]
node20 "filtered" [2, 1, 1] = neuron(node13)
  linear current_keep 0.5 current_gain per_channel { 1 2 } keep 1 gain 0.5 drive per_channel { -1 1 }
  threshold 1 compare ge reset subtract v_init 0 refractory 0 order leak_input_fire emission several
readout spike_count node11
"#;

fn good() -> NetworkDraft {
    match text::parse(GOOD) {
        Ok(AnyDraft::Network(draft)) => draft,
        other => panic!("{other:?}"),
    }
}

/// Codes of the findings, each once.
fn findings(draft: NetworkDraft) -> Vec<Code> {
    let findings = Network::verify(draft, &Rules::default()).err().unwrap_or_default();
    let mut codes: Vec<_> = findings.iter().map(|d| d.code).collect();
    codes.sort();
    codes.dedup();
    codes
}

fn node(index: usize) -> NodeId {
    NodeId::new(index)
}

fn tensor(index: usize) -> TensorId {
    TensorId::new(index)
}

fn neuron(draft: &mut NetworkDraft, index: usize) -> &mut Neuron {
    match &mut draft.nodes[node(index)].op {
        Op::Neuron(neuron) => neuron,
        other => panic!("{other:?}"),
    }
}

fn linear(draft: &mut NetworkDraft, index: usize) -> &mut LinearDynamics {
    match &mut neuron(draft, index).dynamics {
        Dynamics::Linear(linear) => linear,
        other => panic!("{other:?}"),
    }
}

fn current(draft: &mut NetworkDraft, index: usize) -> &mut Current {
    linear(draft, index).current.as_mut().unwrap()
}

fn edge(index: usize) -> Edge {
    Edge { source: node(index), delay: 0 }
}

#[test]
fn the_good_network_is_accepted() {
    assert_eq!(findings(good()), []);
}

#[test]
fn several_spikes_may_be_counted() {
    let mut draft = good();
    draft.readout = Readout::SpikeCount(node(20));
    assert_eq!(findings(draft), []);
}

/// What breaks a rule, and the code expected.
type Case = (Code, &'static str, fn(&mut NetworkDraft));

const CASES: &[Case] = &[
    (codes::NAME, "empty node name", |d| d.nodes[node(1)].name.clear()),
    (codes::NAME, "repeated node name", |d| d.nodes[node(1)].name = "x".into()),
    (codes::NAME, "repeated tensor name", |d| d.tensors[tensor(1)].name = "w".into()),
    (codes::REFERENCE, "edge", |d| d.nodes[node(1)].inputs[0] = edge(99)),
    (codes::REFERENCE, "readout", |d| d.readout = Readout::SpikeCount(node(21))),
    (codes::REFERENCE, "tensor", |d| {
        d.nodes[node(8)].op = Op::Linear { weight: tensor(3), bias: Some(tensor(5)) };
    }),
    (codes::REFERENCE, "everything", |d| d.nodes = Arena::new()),
    (codes::ARITY, "input with an input", |d| {
        d.nodes[node(0)].inputs.push(Edge { delay: 1, ..edge(1) });
    }),
    (codes::ARITY, "neuron without current", |d| d.nodes[node(3)].inputs.clear()),
    (codes::ARITY, "two currents", |d| d.nodes[node(3)].inputs.push(edge(1))),
    (codes::ARITY, "empty sum", |d| d.nodes[node(10)].inputs.clear()),
    (codes::SHAPE, "extent of 0", |d| d.nodes[node(8)].shape = Shape::flat(0)),
    (codes::SHAPE, "two extents", |d| d.nodes[node(5)].shape = Shape(vec![2, 1])),
    (codes::SHAPE, "too many elements", |d| {
        d.nodes[node(8)].shape = Shape::flat(u32::try_from(MAX_ELEMENTS + 1).unwrap());
    }),
    (codes::SHAPE, "neuron unlike its current", |d| {
        d.nodes[node(11)].shape = Shape::flat(4);
        neuron(d, 11).dynamics = Dynamics::Integrate;
    }),
    (codes::SHAPE, "sum of different shapes", |d| d.nodes[node(10)].inputs[0] = edge(8)),
    (codes::SHAPE, "concat of different extents", |d| d.nodes[node(7)].inputs[0] = edge(3)),
    (codes::SHAPE, "concat declared too short", |d| {
        d.nodes[node(7)].inputs.push(edge(5));
    }),
    (codes::SHAPE, "flatten", |d| d.nodes[node(6)].inputs[0] = edge(3)),
    (codes::SHAPE, "global pooling of a vector", |d| d.nodes[node(5)].inputs[0] = edge(6)),
    (codes::TENSOR, "missing value", |d| d.tensors[tensor(0)].data.truncate(23)),
    (codes::TENSOR, "no extents", |d| {
        d.tensors[tensor(0)].shape = Shape(vec![]);
        d.nodes[node(9)].op = Op::Linear { weight: tensor(5), bias: None };
        d.tensors.push(d.tensors[tensor(0)].clone());
        d.tensors[tensor(5)].name = "w2".into();
        d.tensors[tensor(5)].shape = Shape(vec![3, 8]);
    }),
    (codes::NOT_FINITE, "scale of encodings", |d| {
        d.tensors[tensor(1)].provenance = encoded(f64::NAN);
    }),
    (codes::NOT_FINITE, "NaN", |d| d.tensors[tensor(1)].data[3] = f32::NAN),
    (codes::NOT_FINITE, "infinity", |d| d.tensors[tensor(4)].data[0] = f32::NEG_INFINITY),
    (codes::PARAM_LENGTH, "per channel", |d| {
        neuron(d, 3).dynamics = Dynamics::Tau(Param::PerChannel(vec![2.0]));
    }),
    (codes::PARAM_LENGTH, "per neuron", |d| {
        neuron(d, 11).threshold = Param::PerNeuron(vec![1.0; 4]);
    }),
    (codes::PARAM_RANGE, "tau below 1", |d| {
        neuron(d, 3).dynamics = Dynamics::Tau(Param::Uniform(0.99));
    }),
    (codes::PARAM_RANGE, "tau infinite", |d| {
        neuron(d, 3).dynamics = Dynamics::Tau(Param::Uniform(f32::INFINITY));
    }),
    (codes::PARAM_RANGE, "decay above 1", |d| {
        neuron(d, 3).dynamics = Dynamics::Decay(Param::PerChannel(vec![0.5, 1.01]));
    }),
    (codes::PARAM_RANGE, "decay NaN", |d| {
        neuron(d, 3).dynamics = Dynamics::Decay(Param::Uniform(f32::NAN));
    }),
    (codes::PARAM_RANGE, "threshold 0", |d| neuron(d, 3).threshold = Param::Uniform(0.0)),
    (codes::PARAM_RANGE, "reset", |d| neuron(d, 3).reset = Reset::To(f32::NAN)),
    (codes::PARAM_RANGE, "initial membrane", |d| neuron(d, 3).v_init = f32::INFINITY),
    (codes::LOOP, "loop", |d| d.nodes[node(1)].inputs[0] = edge(3)),
    (codes::LOOP, "self-loop", |d| d.nodes[node(10)].inputs[0] = edge(10)),
    (codes::DELAY, "too long", |d| d.nodes[node(9)].inputs[0].delay = MAX_DELAY + 1),
    (codes::CURRENT, "neuron reads an input", |d| d.nodes[node(3)].inputs[0] = edge(0)),
    (codes::CURRENT, "neuron reads itself", |d| {
        d.nodes[node(3)].inputs[0] = Edge { source: node(3), delay: 1 };
    }),
    (codes::READOUT, "spikes of an analog node", |d| d.readout = Readout::SpikeCount(node(8))),
    (codes::READOUT, "spikes of an input", |d| d.readout = Readout::SpikeCount(node(0))),
    (codes::READOUT, "mean of a population", |d| d.readout = Readout::MeanLinear(node(11))),
    (codes::CODING, "pmax 0", |d| {
        d.nodes[node(0)].op = Op::Input(Coding::Accumulator { pmax: 0, steps_in: 1 });
    }),
    (codes::CODING, "more steps than the run", |d| d.steps = 3),
    (codes::CODING, "no step with input", |d| {
        d.nodes[node(0)].op = Op::Input(Coding::Accumulator { pmax: 1, steps_in: 0 });
    }),
    (codes::CODING, "no values between", |d| {
        d.nodes[node(19)].op = Op::Input(Coding::Direct { range: Some([1, 1]) });
    }),
    (codes::ARITY, "zero with an input", |d| d.nodes[node(13)].inputs.push(edge(12))),
    (codes::ARITY, "two clipped at once", |d| d.nodes[node(14)].inputs.push(edge(12))),
    (codes::ARITY, "crop of nothing", |d| d.nodes[node(12)].inputs.clear()),
    (codes::SHAPE, "clip unlike its input", |d| d.nodes[node(14)].inputs[0] = edge(3)),
    (codes::SHAPE, "crop declared too large", |d| {
        d.nodes[node(12)].op = Op::Crop([0, 0, 1, 0]);
    }),
    (codes::GEOMETRY, "crop that leaves no row", |d| {
        d.nodes[node(12)].op = Op::Crop([1, 1, 1, 0]);
    }),
    (codes::GEOMETRY, "crop beyond the image", |d| {
        d.nodes[node(12)].op = Op::Crop([0, 1, u32::MAX, 2]);
    }),
    (codes::GEOMETRY, "crop of a vector", |d| d.nodes[node(12)].inputs[0] = edge(6)),
    (codes::LOOP, "clip in a loop", |d| d.nodes[node(15)].inputs[1] = edge(14)),
    (codes::PARAM_RANGE, "w infinite", |d| {
        neuron(d, 17).dynamics = Dynamics::Sigmoid(Param::Uniform(f32::INFINITY));
    }),
    (codes::PARAM_LENGTH, "w per channel", |d| {
        neuron(d, 17).dynamics = Dynamics::Sigmoid(Param::PerChannel(vec![1.0]));
    }),
    (codes::PARAM_RANGE, "recovery not a number", |d| {
        neuron(d, 18).dynamics = Dynamics::Izhikevich { a: 0.02, b: f64::NAN, d: 8.0 };
    }),
    (codes::IZHIKEVICH, "subtracts", |d| neuron(d, 18).reset = Reset::Subtract),
    (codes::IZHIKEVICH, "refractory", |d| neuron(d, 18).refractory = 1),
    (codes::BURST, "of a learnt leak", |d| {
        neuron(d, 16).dynamics = Dynamics::Sigmoid(Param::Uniform(1.0));
    }),
    (codes::BURST, "at the threshold", |d| neuron(d, 16).compare = Compare::Ge),
    (codes::BURST, "reset elsewhere", |d| neuron(d, 16).reset = Reset::To(0.5)),
    (codes::BURST, "refractory", |d| neuron(d, 16).refractory = 1),
    (codes::BURST, "factor 0", |d| neuron(d, 16).emission = Emission::Burst { factor: 0.0 }),
    (codes::BURST, "factor NaN", |d| {
        neuron(d, 16).emission = Emission::Burst { factor: f32::NAN };
    }),
    (codes::PARAM_RANGE, "keep above 1", |d| linear(d, 20).keep = Param::Uniform(1.01)),
    (codes::PARAM_RANGE, "keep below 0", |d| linear(d, 20).keep = Param::Uniform(-0.01)),
    (codes::PARAM_RANGE, "gain 0", |d| linear(d, 20).gain = Param::Uniform(0.0)),
    (codes::PARAM_RANGE, "drive infinite", |d| {
        linear(d, 20).drive = Param::Uniform(f32::NEG_INFINITY);
    }),
    (codes::PARAM_RANGE, "current keep NaN", |d| {
        current(d, 20).keep = Param::PerChannel(vec![0.5, f32::NAN]);
    }),
    (codes::PARAM_RANGE, "current gain negative", |d| {
        current(d, 20).gain = Param::Uniform(-1.0);
    }),
    (codes::PARAM_LENGTH, "keep per neuron", |d| {
        linear(d, 20).keep = Param::PerNeuron(vec![0.5; 3]);
    }),
    (codes::PARAM_LENGTH, "current keep per channel", |d| {
        current(d, 20).keep = Param::PerChannel(vec![0.5]);
    }),
    (codes::SEVERAL, "reset to a value", |d| neuron(d, 20).reset = Reset::To(0.0)),
    (codes::SEVERAL, "refractory", |d| neuron(d, 20).refractory = 1),
    (codes::BURST, "of a linear neuron", |d| {
        neuron(d, 16).dynamics = neuron(d, 20).dynamics.clone();
    }),
    (codes::READOUT, "count of bursts", |d| d.readout = Readout::SpikeCount(node(16))),
    (codes::WEIGHT_SHAPE, "bias", |d| {
        d.nodes[node(8)].op = Op::Linear { weight: tensor(3), bias: Some(tensor(4)) };
    }),
    (codes::WEIGHT_SHAPE, "kernel", |d| d.tensors[tensor(1)].shape = Shape(vec![1, 2, 3, 3])),
    (codes::BATCH_NORM, "negative variance", |d| {
        d.tensors.push(d.tensors[tensor(2)].clone());
        d.tensors[tensor(5)].name = "variance".into();
        d.tensors[tensor(5)].data[1] = -2e-5;
        if let Op::BatchNorm { variance, .. } = &mut d.nodes[node(2)].op {
            *variance = tensor(5);
        }
    }),
    (codes::BATCH_NORM, "eps", |d| {
        if let Op::BatchNorm { eps, .. } = &mut d.nodes[node(2)].op {
            *eps = f64::NAN;
        }
    }),
    (codes::BATCH_NORM, "overflow", |d| {
        if let Op::BatchNorm { eps, variance, .. } = &mut d.nodes[node(2)].op {
            *variance = tensor(5);
            *eps = 1e-300;
        }
        d.tensors.push(d.tensors[tensor(2)].clone());
        d.tensors[tensor(5)].name = "variance".into();
        d.tensors[tensor(5)].data = vec![0.0; 2];
    }),
];

#[test]
fn each_rule_has_its_code() {
    let mut wrong = Vec::new();
    for (code, what, spoil) in CASES {
        let mut draft = good();
        spoil(&mut draft);
        let found = findings(draft);
        if found != [*code] {
            wrong.push(format!("{what}: expected {code}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Impossible geometries, all of `GEOMETRY`; shapes of weights may be wrong too.
#[test]
fn geometries_are_checked() {
    type Spoil = fn(&mut crate::conv::Conv);
    let convolutions: &[Spoil] = &[
        |c| c.kernel[0] = 0,
        |c| c.stride[1] = 0,
        |c| c.groups = 0,
        |c| c.groups = 3,
        |c| c.kernel[1] = 9,
        |c| c.input[1] = 3,
        |c| c.pad = [u32::MAX; 4],
        |c| c.crop = [1, 1, 0, 0],
        |c| c.crop = [0, 0, 2, u32::MAX],
    ];
    for (index, spoil) in convolutions.iter().enumerate() {
        let mut draft = good();
        if let Op::Conv2d { conv, .. } = &mut draft.nodes[node(1)].op {
            spoil(conv);
        }
        assert!(findings(draft).contains(&codes::GEOMETRY), "convolution {index}");
    }
    let windows: &[Spoil] = &[
        |c| c.out_channels = 4,
        |c| c.groups = 1,
        |c| c.pad[0] = 2,
        |c| (c.crop, c.pad) = ([1, 0, 0, 0], [1, 0, 0, 0]),
    ];
    for (index, spoil) in windows.iter().enumerate() {
        let mut draft = good();
        if let Op::AvgPool { window, .. } = &mut draft.nodes[node(4)].op {
            spoil(window);
        }
        assert_eq!(findings(draft), [codes::GEOMETRY], "window {index}");
    }
}

#[test]
fn a_transposed_weight_is_named() {
    let mut draft = good();
    draft.tensors[tensor(0)].shape = Shape(vec![8, 3]);
    assert!(findings(draft).contains(&codes::WEIGHT_SHAPE));
}

#[test]
fn a_run_has_steps() {
    let mut draft = good();
    draft.steps = 0;
    draft.nodes[node(0)].op = Op::Input(Coding::Events);
    assert_eq!(findings(draft), [codes::STEPS]);
}

#[test]
fn a_record_of_a_discretization_is_consistent() {
    use crate::network::discretization as d;
    let good_record = Discretization {
        dialect: None,
        dt: Some(1e-4),
        time_unit: d::TimeUnit::Seconds,
        integration: d::Integration::Euler,
        comparison: Compare::Gt,
        reset: d::ResetRule::Zero,
        spikes_per_step: d::SpikesPerStep::One,
        if_dialect: d::IfDialect::Literal,
        loop_bias: d::LoopBias::AtOnce,
    };
    let mut draft = good();
    let mut found = |record: Discretization| {
        draft.discretization = Some(record);
        findings(draft.clone())
    };
    assert_eq!(found(good_record.clone()), []);
    for dt in [Some(0.0), Some(f64::NAN), Some(-1.0), None] {
        let record = Discretization { dt, ..good_record.clone() };
        assert_eq!(found(record), [codes::DISCRETIZATION], "{dt:?}");
    }
    let several =
        Discretization { spikes_per_step: d::SpikesPerStep::Several, ..good_record.clone() };
    assert_eq!(found(several.clone()), [codes::DISCRETIZATION]);
    assert_eq!(found(Discretization { reset: d::ResetRule::Subtract, ..several }), []);
    let steps = Discretization { dt: None, time_unit: d::TimeUnit::Steps, ..good_record };
    assert_eq!(found(steps), []);
}

#[test]
fn a_loop_names_its_nodes() {
    let mut draft = good();
    draft.nodes[node(1)].inputs[0] = edge(3);
    let findings = Network::verify(draft, &Rules::default()).unwrap_err().to_string();
    assert!(findings.contains(r#"the loop runs through "conv", "bn", "h""#), "{findings}");
}

#[test]
fn several_errors_are_reported_together() {
    let mut draft = good();
    draft.nodes[node(1)].name = "x".into();
    draft.tensors[tensor(1)].data[0] = f32::NAN;
    neuron(&mut draft, 11).v_init = f32::NAN;
    assert_eq!(findings(draft), [codes::NAME, codes::NOT_FINITE, codes::PARAM_RANGE]);
}
