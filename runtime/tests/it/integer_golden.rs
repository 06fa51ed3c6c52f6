//! Integer traces worked out by hand.

use crate::common::tiny::{network, neuron};
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::network::Compare;
use snnc_ir::param::Param;
use snnc_ir::quantized::{IntNeuron, IntReset, Schedule, Time};
use snnc_ir::spikes::SpikeTrain;
use snnc_runtime::integer::{IntProbe, IntRun, logical_spikes, simulate};
use snnc_runtime::{Register, SimError, Stimulus};

/// Spikes of one input neuron.
fn train(steps: usize, spikes: &[usize]) -> Stimulus {
    let mut train = SpikeTrain::new(steps, 1);
    spikes.iter().for_each(|&t| train.set(t, 0));
    vec![train].into()
}

fn times(run: &IntRun, population: usize) -> Vec<usize> {
    let train = &run.spikes[population];
    (0..train.steps()).filter(|&t| train.get(t, 0)).collect()
}

/// One neuron behind a weight, `steps` steps, input spikes at `at`.
fn one(model: IntNeuron, weight: i16, steps: u32, at: &[usize]) -> IntRun {
    let net = network(steps, Time::Logical, vec![model], &[(0, 1, weight, 0)]);
    simulate(&net, &train(steps as usize, at), &IntProbe::All).unwrap()
}

#[test]
fn full_membrane_decay_leaves_one_part_in_4096() {
    let model =
        IntNeuron { dv: Param::Uniform(4095), threshold: Param::Uniform(1 << 20), ..neuron() };
    // 127 · 64 = 8128; a 4096th of it is 1, then 0.
    assert_eq!(one(model.clone(), 127, 4, &[0]).traces[0].v, [8128, 1, 0, 0]);
    assert_eq!(one(model, -127, 4, &[0]).traces[0].v, [-8128, -1, 0, 0]);
}

#[test]
fn current_decay_takes_one_more_than_its_register() {
    let silent = IntNeuron { threshold: Param::Uniform(1 << 22), ..neuron() };
    // du = 4095 is no memory; du = 0 still takes a 4096th, rounded toward zero.
    assert_eq!(one(silent.clone(), 100, 3, &[0]).traces[0].u, [6400, 0, 0]);
    let slow = IntNeuron { du: Param::Uniform(0), ..silent.clone() };
    assert_eq!(one(slow.clone(), 100, 4, &[0]).traces[0].u, [6400, 6398, 6396, 6394]);
    assert_eq!(one(slow, -100, 4, &[0]).traces[0].u, [-6400, -6398, -6396, -6394]);
    let half = IntNeuron { du: Param::Uniform(2047), ..silent };
    assert_eq!(one(half, 100, 4, &[0, 2]).traces[0].u, [6400, 3200, 8000, 4000]);
}

#[test]
fn comparison_at_the_threshold() {
    let strict = IntNeuron { threshold: Param::Uniform(128), ..neuron() };
    let reaching = IntNeuron { compare: Compare::Ge, ..strict.clone() };
    assert_eq!(times(&one(strict, 1, 4, &[0, 1, 2, 3]), 1), [2]);
    assert_eq!(times(&one(reaching, 1, 4, &[0, 1, 2, 3]), 1), [1, 3]);
}

#[test]
fn bias_acts_in_every_step_and_subtraction_keeps_the_rest() {
    let model = IntNeuron {
        bias: Param::Uniform(100),
        threshold: Param::Uniform(192),
        reset: IntReset::Subtract(Param::Uniform(150)),
        ..neuron()
    };
    let run = one(model, 1, 5, &[]);
    assert_eq!(run.traces[0].h, [100, 200, 150, 250, 200]);
    assert_eq!(run.traces[0].v, [100, 50, 150, 100, 50]);
    assert_eq!(times(&run, 1), [1, 3, 4]);
    assert_eq!((run.scores.clone(), run.class()), (vec![3.0], Some(0)));
}

#[test]
fn current_runs_on_while_the_membrane_is_held() {
    let model = IntNeuron { refractory: 3, du: Param::Uniform(0), ..neuron() };
    let run = one(model, 64, 6, &[0]);
    assert_eq!(run.traces[0].u, [4096, 4095, 4094, 4093, 4092, 4091]);
    assert_eq!(run.traces[0].h, [4096, 0, 0, 4093, 0, 0]);
    assert_eq!(times(&run, 1), [0, 3]);
}

/// Input → a → b with delay 0, b → a with delay 1, a → a with delay 2.
#[test]
fn zero_delays_reach_through_and_loops_wait() {
    let net = network(
        6,
        Time::Logical,
        vec![neuron(), neuron()],
        &[(0, 1, 2, 0), (1, 2, 2, 0), (2, 1, 1, 1), (1, 1, 1, 2)],
    );
    let run = simulate(&net, &train(6, &[0]), &IntProbe::All).unwrap();
    // a: 128 fires in 0; 64 from b in 1 stays below; 64 from itself in 2 makes 128.
    assert_eq!(times(&run, 1), [0, 2, 4]);
    assert_eq!(times(&run, 2), [0, 2, 4]);
    assert_eq!(run.traces[0].h, [128, 64, 128, 64, 128, 64]);
}

#[test]
fn overflow_names_neuron_step_and_register() {
    let silent = IntNeuron { threshold: Param::Uniform(i32::MAX), ..neuron() };
    let growing = IntNeuron { bias: Param::Uniform(1 << 22), ..silent.clone() };
    let net = network(4, Time::Logical, vec![growing], &[(0, 1, -127, 0)]);
    let error = simulate(&net, &train(4, &[]), &IntProbe::None).unwrap_err();
    let expected = SimError::Overflow {
        population: "a".to_owned(),
        neuron: 0,
        step: 1,
        register: Register::Membrane,
        value: 1 << 23,
    };
    assert_eq!(error, expected);
    // One less fits: the input in step 1 takes 127 · 64.
    assert!(matches!(
        simulate(&net, &train(4, &[1]), &IntProbe::None),
        Err(SimError::Overflow { step: 2, .. })
    ));
    let slow = IntNeuron { du: Param::Uniform(0), ..silent };
    let net = network(2000, Time::Logical, vec![slow], &[(0, 1, -127, 0)]);
    let always: Vec<_> = (0..2000).collect();
    let error = simulate(&net, &train(2000, &always), &IntProbe::None).unwrap_err();
    let SimError::Overflow { register, value, .. } = error else { panic!("{error}") };
    // The membrane sums the current, so it leaves its range first.
    assert_eq!(register, Register::Membrane);
    assert!(value <= -(1 << 23), "{value}");
}

/// A floor raises the membrane before the comparison, and not while it is held; what overflows, overflows.
#[test]
fn a_floor_is_the_lowest_membrane() {
    let low = |floor| IntNeuron {
        threshold: Param::Uniform(1 << 20),
        floor: Some(Param::Uniform(floor)),
        ..neuron()
    };
    let run = one(low(-100), -1, 4, &[0, 1, 3]);
    assert_eq!(run.traces[0].h, [-64, -100, -100, -100]);
    assert_eq!(run.traces[0].v, [-64, -100, -100, -100]);
    // 4095 of 4096 parts of what the floor left are kept.
    let leaking = IntNeuron { dv: Param::Uniform(1), ..low(-4097) };
    assert_eq!(one(leaking, -127, 2, &[0]).traces[0].v, [-4097, -4095]);
    // At 0 only what arrives at once counts.
    assert_eq!(one(low(0), -127, 2, &[0]).traces[0].v, [0, 0]);
    // A subtraction leaves −936 while the membrane is held, for one update of two.
    let held = IntNeuron {
        threshold: Param::Uniform(0),
        reset: IntReset::Subtract(Param::Uniform(1000)),
        refractory: 2,
        ..low(-100)
    };
    assert_eq!(one(held, 1, 3, &[0]).traces[0].v, [-936, -936, -100]);
    let deep = IntNeuron { bias: Param::Uniform(-(1 << 23)), ..low(-100) };
    let net = network(1, Time::Logical, vec![deep], &[]);
    let error = simulate(&net, &train(1, &[]), &IntProbe::None).unwrap_err();
    assert!(matches!(error, SimError::Overflow { register: Register::Membrane, .. }), "{error}");
}

/// P = 2, ℓ = (0, 1, 2): input → a → b → a, updates every second step.
#[test]
fn hardware_time_maps_back_to_logical_time() {
    let model = IntNeuron { update_period: 2, bias: Param::Uniform(32), ..neuron() };
    let links = [(0, 1, 1, 1), (1, 2, 2, 1), (2, 1, 1, 1)];
    let time = Time::Hardware(Schedule { period: 2, latency: vec![0, 1, 2] });
    let net = network(4, time, vec![model.clone(), model.clone()], &links);
    let inputs = train(4, &[0, 1]);
    let run = simulate(&net, &inputs, &IntProbe::All).unwrap();
    assert_eq!(run.spikes[0].steps(), 10);
    assert_eq!(times(&run, 0), [0, 2]);
    let logical = logical_spikes(&net, &run).unwrap();
    // The same network in logical time, where b answers a in the same step.
    let model = IntNeuron { update_period: 1, ..model };
    let links = [(0, 1, 1, 0), (1, 2, 2, 0), (2, 1, 1, 1)];
    let same = network(4, Time::Logical, vec![model.clone(), model], &links);
    let expected = simulate(&same, &inputs, &IntProbe::None).unwrap();
    assert!(expected.spikes[2].count() > 1);
    for (id, train) in &logical {
        assert_eq!(train, &expected.spikes[id.index()], "{id}");
    }
    assert_eq!(run.scores, expected.scores);
}

#[test]
fn a_spike_off_the_schedule_is_reported() {
    // Updates in every step of P = 2: the bias alone fires in steps that belong to no logical one.
    let model = IntNeuron { bias: Param::Uniform(65), ..neuron() };
    let time = Time::Hardware(Schedule { period: 2, latency: vec![0, 1] });
    let net = network(3, time, vec![model], &[(0, 1, 1, 1)]);
    let run = simulate(&net, &train(3, &[]), &IntProbe::None).unwrap();
    let expected = SimError::OffSchedule { population: "a".to_owned(), neuron: 0, step: 0 };
    assert_eq!(logical_spikes(&net, &run), Err(expected));
}

#[test]
fn inputs_and_probes_are_checked() {
    let net = network(2, Time::Logical, vec![neuron()], &[]);
    let none = simulate(&net, &Stimulus::default(), &IntProbe::None).unwrap_err();
    assert_eq!(none, SimError::StimulusCount { expected: 1, found: 0 });
    let long = simulate(&net, &train(3, &[]), &IntProbe::None).unwrap_err();
    assert!(matches!(long, SimError::StimulusShape { expected: (2, 1), found: (3, 1), .. }));
    for place in [(PopId::new(0), 0), (PopId::new(1), 1), (PopId::new(9), 0)] {
        let probe = IntProbe::Neurons(vec![place]);
        let error = simulate(&net, &train(2, &[]), &probe).unwrap_err();
        assert!(matches!(error, SimError::UnknownProbe { .. }), "{error}");
    }
}

#[test]
fn a_run_too_large_for_memory_is_refused() {
    let net = network(u32::MAX, Time::Logical, vec![neuron()], &[]);
    let error = simulate(&net, &Stimulus::default(), &IntProbe::None).unwrap_err();
    assert!(matches!(error, SimError::TooLarge { .. }), "{error}");
}
