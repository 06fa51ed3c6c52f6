//! Float traces worked out by hand.

use crate::common::Rng;
use crate::common::float_net::{Builder, neuron};
use snnc_ir::arena::NodeId;
use snnc_ir::conv::Conv;
use snnc_ir::level::Level;
use snnc_ir::network::{
    Coding, Compare, Current, Dynamics, Emission, Keep, LinearDynamics, Network, Neuron, Op,
    Readout, Reset,
};
use snnc_ir::param::Param;
use snnc_ir::shape::Shape;
use snnc_ir::spikes::SpikeTrain;
use snnc_runtime::SimError;
use snnc_runtime::float::{FloatProbe, FloatTrace, Signal, Stimulus, simulate};

/// One neuron whose current in step t is `current[t]`: each step has an input neuron of its own
/// that spikes once, with that weight.
fn driven(model: Neuron, current: &[f32]) -> (Network, NodeId, Stimulus) {
    let steps = u32::try_from(current.len()).unwrap();
    let mut b = Builder::new(steps);
    let input = b.node(Op::Input(Coding::Events), Shape::flat(steps), &[]);
    let weights = b.linear(1, current.to_vec(), None, (input, 0));
    let n = b.node(Op::Neuron(model), Shape::flat(1), &[(weights, 0)]);
    let mut train = SpikeTrain::new(current.len(), current.len());
    (0..current.len()).for_each(|t| train.set(t, t));
    // Bursts are not counted, but weighed.
    let bursts = matches!(&b.draft.nodes[n].op, Op::Neuron(n) if matches!(n.emission, Emission::Burst { .. }));
    let readout = if !bursts {
        Readout::SpikeCount(n)
    } else {
        Readout::MeanLinear(b.linear(1, vec![1.0], None, (n, 0)))
    };
    (b.seal(readout), n, vec![train].into())
}

/// H, v and spike times of [`driven`].
fn trace(model: Neuron, current: &[f32]) -> (Vec<f32>, Vec<f32>, Vec<usize>) {
    let (network, n, stimulus) = driven(model, current);
    let run = simulate(&network, &stimulus, &FloatProbe::Neurons(vec![(n, 0)])).unwrap();
    let spikes = (0..current.len()).filter(|&t| run.spikes[&n].get(t, 0)).collect();
    let [FloatTrace { h, v, .. }] = &run.traces[..] else { panic!("one neuron was probed") };
    (h.clone(), v.clone(), spikes)
}

#[test]
fn leaky_neuron_of_time_constant_two() {
    let lif = neuron(Dynamics::Tau(Param::Uniform(2.0)), 0.5);
    let (h, v, spikes) = trace(lif, &[0.8, 0.8, 1.0, 0.6, 0.0, 2.0]);
    // In f32: 0.4 + (0.8 − 0.4) / 2, then from 0 (the third value meets the threshold and does not
    // pass it), then 0.5 + (0.6 − 0.5) / 2.
    assert_eq!(h, [0.4, 0.4 + (0.8 - 0.4) / 2.0, 0.5, 0.5 + (0.6 - 0.5) / 2.0, 0.0, 1.0]);
    assert_eq!(v, [0.4, 0.0, 0.5, 0.0, 0.0, 0.0]);
    assert_eq!(spikes, [1, 3, 5]);
}

#[test]
fn comparison_at_the_threshold() {
    let strict = neuron(Dynamics::Integrate, 1.0);
    let reaching = Neuron { compare: Compare::Ge, ..strict.clone() };
    let current = [0.5, 0.5, 0.5];
    assert_eq!(trace(strict, &current).2, [2]);
    assert_eq!(trace(reaching, &current).2, [1]);
}

#[test]
fn resets() {
    let to = Neuron { reset: Reset::To(0.25), ..neuron(Dynamics::Integrate, 1.0) };
    let (_, v, spikes) = trace(to, &[1.5, 0.5, 0.5]);
    assert_eq!((v, spikes), (vec![0.25, 0.75, 0.25], vec![0, 2]));
    let subtract = Neuron { reset: Reset::Subtract, ..neuron(Dynamics::Integrate, 1.0) };
    let (_, v, spikes) = trace(subtract, &[2.75, 0.0, 0.0]);
    assert_eq!((v, spikes), (vec![1.75, 0.75, 0.75], vec![0, 1]));
}

#[test]
fn decay_does_not_scale_the_input() {
    let leaky = Neuron { v_init: 1.0, ..neuron(Dynamics::Decay(Param::Uniform(0.75)), 10.0) };
    assert_eq!(trace(leaky, &[1.0, 1.0]).0, [1.25, 1.3125]);
}

/// `i' = i / 2 + 2 x` and `H = v / 2 + i / 4 + 1 / 8`.
fn filtered() -> Dynamics {
    Dynamics::Linear(LinearDynamics {
        current: Some(Current { keep: Param::Uniform(0.5), gain: Param::Uniform(2.0) }),
        keep: Param::Uniform(0.5),
        gain: Param::Uniform(0.25),
        drive: Param::Uniform(0.125),
    })
}

#[test]
fn a_current_with_memory_runs_on_after_spikes_and_while_held() {
    let model = neuron(filtered(), 1.0);
    // The current is 4, 2, 1, 0.5.
    let (h, v, spikes) = trace(model.clone(), &[2.0, 0.0, 0.0, 0.0]);
    assert_eq!(h, [1.125, 0.625, 0.6875, 0.59375]);
    assert_eq!((v[0], spikes), (0.0, vec![0]));
    let held = Neuron { refractory: 2, ..model };
    assert_eq!(trace(held, &[2.0, 0.0, 0.0, 0.0]).0, [1.125, 0.0, 0.0, 0.25]);
}

#[test]
fn a_linear_neuron_without_memory_of_its_current_reads_it_as_it_is() {
    let Dynamics::Linear(linear) = filtered() else { panic!("it is linear") };
    let dynamics = Dynamics::Linear(LinearDynamics { current: None, ..linear });
    let model = Neuron { v_init: 0.5, ..neuron(dynamics, 9.0) };
    assert_eq!(trace(model, &[2.0, 0.0]).0, [0.875, 0.5625]);
}

#[test]
fn several_spikes_in_one_step_are_sent_and_counted() {
    let (reset, emission) = (Reset::Subtract, Emission::Several);
    let strict = Neuron { reset, emission, ..neuron(Dynamics::Integrate, 0.5) };
    let reaching = Neuron { compare: Compare::Ge, ..strict.clone() };
    let current = [1.75, 0.25, -2.0, 0.25];
    for (model, left, counts) in [
        (strict, [0.25, 0.5, -1.5, -1.25], [3.0, 0.0]),
        (reaching, [0.25, 0.0, -2.0, -1.75], [3.0, 1.0]),
    ] {
        let (network, n, stimulus) = driven(model, &current);
        let probe = FloatProbe::Neurons(vec![(n, 0)]);
        let run = simulate(&network, &stimulus, &probe).unwrap();
        assert_eq!(run.traces[0].v, left);
        let sent = |t| run.messages[&n].get(t, 0).unwrap_or(0.0);
        assert_eq!([sent(0), sent(1), sent(2), sent(3)], [counts[0], counts[1], 0.0, 0.0]);
        assert_eq!(run.scores, [f64::from(counts[0] + counts[1])]);
    }
}

#[test]
fn refractory_neurons_are_held_where_the_reset_left_them() {
    let held = Neuron { refractory: 2, v_init: 0.5, ..neuron(Dynamics::Integrate, 1.0) };
    let current = [1.0, 5.0, 5.0, 0.75, 0.5];
    let (h, _, spikes) = trace(Neuron { reset: Reset::To(0.25), ..held.clone() }, &current);
    assert_eq!((h, spikes), (vec![1.5, 0.25, 0.25, 1.0, 1.5], vec![0, 4]));
    let (h, _, spikes) = trace(Neuron { reset: Reset::Subtract, ..held }, &current);
    assert_eq!((h, spikes), (vec![1.5, 0.5, 0.5, 1.25, 0.25], vec![0, 3]));
}

/// A spike goes round a loop of delay 2: input → a, a → a two steps later.
#[test]
fn self_loop_and_delays() {
    let mut b = Builder::new(6);
    let input = b.node(Op::Input(Coding::Events), Shape::flat(1), &[]);
    let feed = b.linear(1, vec![1.0], None, (input, 1));
    let back = b.linear(1, vec![1.0], None, (input, 2));
    let sum = b.node(Op::Add, Shape::flat(1), &[(feed, 0), (back, 0)]);
    let a = b.node(Op::Neuron(neuron(Dynamics::Integrate, 0.5)), Shape::flat(1), &[(sum, 0)]);
    b.draft.nodes[back].inputs[0].source = a;
    let network = b.seal(Readout::SpikeCount(a));
    let mut train = SpikeTrain::new(6, 1);
    train.set(0, 0);
    let run = simulate(&network, &vec![train].into(), &FloatProbe::None).unwrap();
    let spikes: Vec<_> = (0..6).filter(|&t| run.spikes[&a].get(t, 0)).collect();
    assert_eq!(spikes, [1, 3, 5]);
    assert_eq!((run.scores.as_slice(), run.class()), (&[3.0][..], Some(0)));
}

/// Sums are taken in ascending order of sources: another order gives another result.
#[test]
fn order_of_summation() {
    let model = neuron(Dynamics::Integrate, 1e9);
    let mut b = Builder::new(1);
    let input = b.node(Op::Input(Coding::Direct { range: None }), Shape::flat(3), &[]);
    let weights = b.linear(1, vec![1.0, 1.0, 1.0], None, (input, 0));
    let n = b.node(Op::Neuron(model), Shape::flat(1), &[(weights, 0)]);
    let network = b.seal(Readout::SpikeCount(n));
    let sum = |frame: [f32; 3]| {
        let stimulus = Stimulus { inputs: vec![Signal::Frame(frame.to_vec())] };
        simulate(&network, &stimulus, &FloatProbe::All).unwrap().traces[0].h[0]
    };
    assert_eq!(sum([1.0, 1e8, -1e8]), 0.0);
    assert_eq!(sum([1e8, -1e8, 1.0]), 1.0);
}

#[test]
fn mean_readout_averages_over_steps() {
    let mut b = Builder::new(4);
    let input = b.node(Op::Input(Coding::Events), Shape::flat(1), &[]);
    let score = b.linear(2, vec![1.0, 3.0], Some(vec![0.5, -1.0]), (input, 0));
    let network = b.seal(Readout::MeanLinear(score));
    let mut train = SpikeTrain::new(4, 1);
    train.set(2, 0);
    let run = simulate(&network, &vec![train].into(), &FloatProbe::None).unwrap();
    assert_eq!((run.scores.as_slice(), run.class()), (&[0.75, -0.25][..], Some(0)));
}

#[test]
fn stimuli_and_probes_are_checked() {
    let (network, n, stimulus) = driven(neuron(Dynamics::Integrate, 1.0), &[1.0, 1.0]);
    let run = |inputs: Vec<Signal>| {
        simulate(&network, &Stimulus { inputs }, &FloatProbe::None).unwrap_err()
    };
    assert_eq!(run(Vec::new()), SimError::StimulusCount { expected: 1, found: 0 });
    let short = run(vec![Signal::Spikes(SpikeTrain::new(1, 2))]);
    assert!(matches!(short, SimError::StimulusShape { expected: (2, 2), found: (1, 2), .. }));
    let frame = run(vec![Signal::Frame(vec![0.0; 2])]);
    assert!(matches!(frame, SimError::StimulusKind { .. }));
    let input = network.nodes.ids().next().unwrap();
    for place in [(n, 1), (input, 0)] {
        let probe = FloatProbe::Neurons(vec![place]);
        let error = simulate(&network, &stimulus, &probe).unwrap_err();
        assert!(matches!(error, SimError::UnknownProbe { .. }), "{error}");
    }
}

/// Delays cost memory only for as many steps as the run has.
#[test]
fn a_long_delay_in_a_short_run_is_silence() {
    let mut b = Builder::new(2);
    let input = b.node(Op::Input(Coding::Events), Shape::flat(1000), &[]);
    let weights = b.linear(1, vec![1.0; 1000], None, (input, 65_535));
    let n = b.node(Op::Neuron(neuron(Dynamics::Integrate, 0.5)), Shape::flat(1), &[(weights, 0)]);
    let network = b.seal(Readout::SpikeCount(n));
    let mut train = SpikeTrain::new(2, 1000);
    train.set(0, 7);
    let run = simulate(&network, &vec![train].into(), &FloatProbe::None).unwrap();
    assert_eq!(run.scores, [0.0]);
}

/// `v_init` is the membrane before the first step and nothing else: a reset goes to its own value.
#[test]
fn a_membrane_that_starts_elsewhere_is_reset_to_zero() {
    let model = Neuron { v_init: 0.75, ..neuron(Dynamics::Tau(Param::Uniform(2.0)), 0.5) };
    let (h, v, spikes) = trace(model, &[1.0, 0.5, 0.0]);
    assert_eq!((h, v, spikes), (vec![0.875, 0.25, 0.125], vec![0.0, 0.25, 0.125], vec![0]));
}

/// w = 0 halves; w = −ln 3 is a time constant of 4.
#[test]
fn learnt_leak() {
    let half = neuron(Dynamics::Sigmoid(Param::Uniform(0.0)), 0.5);
    let (h, _, spikes) = trace(half, &[0.75, 0.75, 1.0]);
    assert_eq!((h, spikes), (vec![0.375, 0.5625, 0.5], vec![1]));
    let quarter = neuron(Dynamics::Sigmoid(Param::Uniform(-(3.0_f32.ln()))), 9.0);
    let h = trace(quarter, &[1.0, 1.0]).0;
    assert!((h[0] - 0.25).abs() < 1e-6 && (h[1] - 0.4375).abs() < 1e-6, "{h:?}");
}

/// BrainCog's defaults without input: H = 140 in the first step, and the recovery variable, which
/// the second step shows, is 0.004 · 140 − 2 = −1.44 after it.
#[test]
fn izhikevich_neuron() {
    let dynamics = Dynamics::Izhikevich { a: 0.02, b: 0.2, d: -2.0 };
    let model = Neuron { reset: Reset::To(-55.0), ..neuron(dynamics, 1.0) };
    let (h, v, spikes) = trace(model, &[0.0, 0.0]);
    assert_eq!((h[0], v[0], spikes), (140.0, -55.0, vec![0]));
    // 0.04 · 55² − 5 · 55 + 1.44 + 140 = −12.56.
    assert!((h[1] - -67.56).abs() < 1e-4, "{h:?}");
}

/// Counts 0 to 5; more than 1 is multiplied by 1.5 on its way and turns the membrane negative.
#[test]
fn bursts_are_graded() {
    let emission = Emission::Burst { factor: 1.5 };
    let model = Neuron { emission, ..neuron(Dynamics::Integrate, 0.5) };
    // Above the threshold by 0.5 (count 1), 0, 2.25 (count 3), −0.25, 8 (count 5).
    let (h, v, spikes) = trace(model.clone(), &[1.0, 0.5, 2.25, 5.75, 8.25]);
    assert_eq!(h, [1.0, 0.5, 2.75, 0.25, 8.5]);
    assert_eq!(v, [0.0, 0.5, -5.5, 0.25, -34.0]);
    assert_eq!(spikes, [0, 2, 4]);
    // What is sent arrives: a second population sums the values.
    let (network, n, stimulus) = driven(model, &[1.0, 0.5, 2.25, 5.75, 8.25]);
    let mut b = Builder { draft: network.into_draft() };
    let weights = b.linear(1, vec![1.0], None, (n, 1));
    let sum =
        b.node(Op::Neuron(neuron(Dynamics::Integrate, 99.0)), Shape::flat(1), &[(weights, 0)]);
    let readout = b.draft.readout;
    let network = b.seal(readout);
    let run = simulate(&network, &stimulus, &FloatProbe::Neurons(vec![(sum, 0)])).unwrap();
    assert_eq!(run.traces[0].h, [0.0, 1.0, 1.0, 5.5, 5.5]);
    let sent: Vec<_> = (0..5).map(|t| run.messages[&n].get(t, 0)).collect();
    assert_eq!(sent, [Some(1.0), None, Some(4.5), None, Some(7.5)]);
    assert_eq!((run.scores, run.messages.len()), (vec![13.0 / 5.0], 1));
}

/// Input → linear with the weights 1, −2 → two clips and a zero, summed.
#[test]
fn clips_keep_one_sign() {
    let mut b = Builder::new(3);
    let input = b.node(Op::Input(Coding::Direct { range: Some([-3, 3]) }), Shape::flat(1), &[]);
    let x = b.linear(2, vec![1.0, -2.0], None, (input, 0));
    let two = Shape::flat(2);
    let above = b.node(Op::Relay(Some(Keep::Positive)), two.clone(), &[(x, 0)]);
    let below = b.node(Op::Relay(Some(Keep::Negative)), two.clone(), &[(x, 2)]);
    let zero = b.node(Op::Zero, two.clone(), &[]);
    let sum = b.node(Op::Add, two.clone(), &[(zero, 1), (above, 0), (below, 0)]);
    let n = b.node(Op::Neuron(neuron(Dynamics::Integrate, 99.0)), two, &[(sum, 0)]);
    let network = b.seal(Readout::SpikeCount(n));
    let run = |x: f32| {
        let stimulus = Stimulus { inputs: vec![Signal::Frame(vec![x])] };
        simulate(&network, &stimulus, &FloatProbe::All)
    };
    let h = |x| run(x).unwrap().traces.into_iter().map(|trace| trace.h).collect::<Vec<_>>();
    assert_eq!(h(1.5), [[1.5, 3.0, 4.5], [0.0, 0.0, -3.0]]);
    assert_eq!(h(-3.0), [[0.0, 0.0, -3.0], [6.0, 12.0, 18.0]]);
    let error = run(3.5).unwrap_err();
    assert!(matches!(error, SimError::FrameValue { element: 0, .. }), "{error}");
}

/// A cropped convolution is a crop before the convolution.
#[test]
fn crop_before_a_convolution() {
    let mut b = Builder::new(3);
    let input = b.node(Op::Input(Coding::Events), Shape::chw(2, 5, 4), &[]);
    let crop = [1, 0, 0, 2];
    let conv = Conv {
        input: [2, 5, 4],
        out_channels: 3,
        kernel: [3, 2],
        stride: [2, 1],
        pad: [1, 1, 0, 1],
        groups: 1,
        crop,
    };
    let weights = (0..conv.kernel_size()).map(|i| 1.0 / (3.0 + i as f32)).collect();
    let weight = b.tensor(&conv.kernel_shape(), weights);
    let inner = Conv { input: [2, 4, 2], crop: [0; 4], ..conv };
    assert_eq!(inner.output(), conv.output());
    let shape = Shape(conv.output().unwrap().to_vec());
    let cropped = b.node(Op::Crop(crop), Shape::chw(2, 4, 2), &[(input, 0)]);
    let apart = Op::Conv2d { weight, bias: None, conv: inner };
    let apart = b.node(apart, shape.clone(), &[(cropped, 0)]);
    let joint = b.node(Op::Conv2d { weight, bias: None, conv }, shape.clone(), &[(input, 0)]);
    let model = neuron(Dynamics::Integrate, 0.5);
    let [left, right] = [apart, joint]
        .map(|current| b.node(Op::Neuron(model.clone()), shape.clone(), &[(current, 0)]));
    let network = b.seal(Readout::SpikeCount(left));
    let train = Rng(5).train(3, 40, 50);
    let run = simulate(&network, &vec![train].into(), &FloatProbe::All).unwrap();
    let (a, b) = run.traces.split_at(shape.size());
    assert!(a.iter().zip(b).all(|(a, b)| (&a.h, &a.v) == (&b.h, &b.v)));
    assert!(run.spikes[&left].count() > 0);
    assert_eq!(run.spikes[&left], run.spikes[&right]);
}
