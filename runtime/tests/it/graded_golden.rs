//! Graded messages and biases from the host, worked out by hand: flat and on cores.

use crate::common::Rng;
use crate::common::int_net::seal;
use crate::common::program::map;
use crate::common::tiny::{draft, graded, neuron};
use snnc_ir::arena::{Entity, MatId, PopId};
use snnc_ir::conv::Conv;
use snnc_ir::level::Level;
use snnc_ir::network::{Coding, Keep};
use snnc_ir::param::Param;
use snnc_ir::program::{GradedMode, Program};
use snnc_ir::quantized::{
    Graded, HostBias, IntNeuron, PopKind, QuantizedDraft, QuantizedNetwork, Schedule, Structure,
    Time,
};
use snnc_ir::shape::Shape;
use snnc_ir::spikes::SpikeTrain;
use snnc_runtime::compare::{CoreSubject, Difference, IntSubject, compare};
use snnc_runtime::cores::{self, CoreProbe, CoreSim};
use snnc_runtime::event::integer::IntSim;
use snnc_runtime::integer::{IntProbe, IntRun, logical_messages, simulate};
use snnc_runtime::{MessageTrain, Register, Signal, SimError, Stimulus};

/// A neuron that never fires and keeps what arrives: its membrane sums the messages.
fn listener() -> PopKind {
    PopKind::Neurons(IntNeuron { threshold: Param::Uniform(1 << 22), ..neuron() })
}

fn spikes(steps: usize, at: &[usize]) -> Stimulus {
    let mut train = SpikeTrain::new(steps, 1);
    at.iter().for_each(|&t| train.set(t, 0));
    vec![train].into()
}

fn sent(train: &MessageTrain) -> Vec<Option<i32>> {
    (0..train.steps()).map(|t| train.get(t, 0)).collect()
}

/// Input → relay → listener; the relay has a bias of −2, its synapse the weight 5.
fn chain(keep: Option<Keep>) -> IntRun {
    let links = [(0, 1, 5, 0), (1, 2, -3, 1)];
    let net = seal(draft(4, Time::Logical, vec![graded(keep, -2), listener()], &links));
    simulate(&net, &spikes(4, &[1, 2]), &IntProbe::All).unwrap()
}

#[test]
fn relays_send_what_arrives_and_their_bias() {
    for (keep, messages, membrane) in [
        (None, [Some(-2), Some(3), Some(3), Some(-2)], [0, 6, -3, -12]),
        (Some(Keep::Positive), [None, Some(3), Some(3), None], [0, 0, -9, -18]),
        (Some(Keep::Negative), [Some(-2), None, None, Some(-2)], [0, 6, 6, 6]),
    ] {
        let run = chain(keep);
        let train = run.messages[1].as_ref().unwrap();
        assert_eq!(sent(train), messages);
        assert_eq!(run.spikes[1], train.spikes());
        assert_eq!(run.traces.len(), 1, "a relay has no registers");
        assert_eq!(run.traces[0].h, membrane.map(|v| 64 * v));
        assert!(run.messages[0].is_none() && run.messages[2].is_none());
    }
}

/// Input → relay of the shift 2 → listener; 5 and −7 arrive, rounded down and to nearest.
#[test]
fn relays_shift_what_they_send_and_round_down() {
    for (weight, bias, keep, messages) in [
        (5, 0, None, [None, Some(1)]),
        (-7, 0, None, [None, Some(-2)]),
        (-1, 0, None, [None, Some(-1)]),
        (-1, 0, Some(Keep::Positive), [None, None]),
        // Half a step more rounds to nearest, and sends nothing on its own.
        (5, 2, None, [None, Some(1)]),
        (6, 2, None, [None, Some(2)]),
        (-7, 2, None, [None, Some(-2)]),
        (-1, 2, Some(Keep::Negative), [None, None]),
        (0, 3, None, [None, None]),
        (0, 4, None, [Some(1), Some(1)]),
        (0, -1, None, [Some(-1), Some(-1)]),
    ] {
        let relay = PopKind::Graded(Graded { keep, bias: Param::Uniform(bias), shift: 2 });
        let links = [(0, 1, weight, 0), (1, 2, 3, 0)];
        let net = seal(draft(2, Time::Logical, vec![relay, listener()], &links));
        let run = simulate(&net, &spikes(2, &[1]), &IntProbe::All).unwrap();
        assert_eq!(sent(run.messages[1].as_ref().unwrap()), messages, "{weight} {bias} {keep:?}");
        let sum: i32 = messages.iter().flatten().sum();
        assert_eq!(run.traces[0].v[1], 64 * 3 * sum);
        let silent = messages[0].is_none();
        assert_eq!(Graded::silent(2, bias), silent, "{bias}");
    }
}

/// Messages of a clip, its relay and a neuron in hardware time: P = 1, then what is logical.
#[test]
fn messages_travel_and_come_back_to_logical_time() {
    let time = Time::Hardware(Schedule { period: 1, latency: vec![0, 1, 2] });
    let links = [(0, 1, 5, 1), (1, 2, 7, 1)];
    let net = seal(draft(3, time, vec![graded(None, 0), listener()], &links));
    let stimulus = spikes(3, &[0, 2]);
    let run = simulate(&net, &stimulus, &IntProbe::All).unwrap();
    let train = run.messages[1].as_ref().unwrap();
    assert_eq!(sent(train), [None, Some(5), None, Some(5), None]);
    assert_eq!(run.traces[0].v, [0, 0, 35 * 64, 35 * 64, 70 * 64]);
    let logical = logical_messages(&net, &run).unwrap();
    assert_eq!(logical.len(), 1);
    assert_eq!((logical[0].0, sent(&logical[0].1)), (PopId::new(1), vec![Some(5), None, Some(5)]));
    let program = map(&net, &mut Rng(2));
    let found = cores::simulate(&program, &stimulus, &CoreProbe::All).unwrap();
    assert_eq!((found.spikes, found.messages), (run.spikes, run.messages));
    assert_eq!(found.traces[0].v, run.traces[0].v);
}

/// A relay whose bias acts before its logical time begins.
#[test]
fn messages_off_the_schedule_are_reported() {
    let time = Time::Hardware(Schedule { period: 1, latency: vec![0, 1, 0] });
    let net = seal(draft(3, time, vec![graded(None, 1), listener()], &[(0, 1, 5, 1)]));
    let run = simulate(&net, &spikes(3, &[]), &IntProbe::None).unwrap();
    let expected = SimError::OffSchedule { population: "a".to_owned(), neuron: 0, step: 0 };
    assert_eq!(logical_messages(&net, &run), Err(expected));
}

#[test]
fn messages_beyond_32_bits_are_an_overflow() {
    let strong = |bias| {
        let links = [(0, 1, 127, 0), (1, 2, 127, 0), (2, 3, 1, 0)];
        let kinds = vec![graded(None, 0), graded(None, bias), listener()];
        let mut draft = draft(2, Time::Logical, kinds, &links);
        draft.matrices.values_mut().for_each(|m| m.exponent = 7);
        seal(draft)
    };
    // Weights of 254 · 2^7 = 32512: the square arrives, the bias fills the rest.
    let room = i32::MAX - 32_512 * 32_512;
    let run = |bias: i32| simulate(&strong(bias), &spikes(2, &[0]), &IntProbe::None);
    let error = run(room + 1).unwrap_err();
    let message = |value| SimError::Overflow {
        population: "b".to_owned(),
        neuron: 0,
        step: 0,
        register: Register::Message,
        value,
    };
    assert_eq!(error, message(1 << 31));
    assert_eq!(
        error.to_string(),
        "the message m of neuron 0 of `b` is 2147483648 in step 0, outside its 32 bits"
    );
    // The message fits; what it brings to the listener does not.
    let listener = |error| {
        matches!(
            error,
            Err(SimError::Overflow { register: Register::Current, ref population, .. })
                if population == "c"
        )
    };
    assert!(listener(run(room)));
}

/// A direct input of `frame` that feeds one relay and one neuron: x0 − x1 / 2, in units of 1/4.
fn host(scale: f64) -> QuantizedNetwork {
    let kinds = vec![graded(None, 3), listener()];
    let time = Time::Hardware(Schedule { period: 1, latency: vec![0, 0, 0] });
    let mut draft = draft(2, time, kinds, &[]);
    draft.populations[PopId::new(0)].kind = PopKind::Input(Coding::Direct { range: Some([-1, 4]) });
    draft.populations[PopId::new(0)].shape = Shape::flat(2);
    for target in [1, 2].map(PopId::new) {
        draft.host.push(HostBias {
            input: PopId::new(0),
            target,
            structure: Structure::Dense { rows: 1, cols: 2 },
            weights: vec![1.0, -0.5],
            scale,
        });
    }
    seal(draft)
}

fn frame(values: [f32; 2]) -> Stimulus {
    Stimulus { inputs: vec![Signal::Frame(values.to_vec())] }
}

#[test]
fn the_host_adds_its_share_to_biases() {
    let net = host(4.0);
    let program = map(&net, &mut Rng(1));
    for (values, h) in [
        ([1.0, 0.0], 4),
        ([0.0, 1.0], -2),
        // Halves go to the even neighbor: 0.5, 1.5, 2.5.
        ([0.125, 0.0], 0),
        ([0.375, 0.0], 2),
        ([0.625, 0.0], 2),
        ([-0.625, 0.0], -2),
    ] {
        let stimulus = frame(values);
        let run = simulate(&net, &stimulus, &IntProbe::All).unwrap();
        assert_eq!(sent(run.messages[1].as_ref().unwrap()), [Some(3 + h); 2]);
        assert_eq!(run.traces[0].h, [64 * h, 128 * h]);
        let found = cores::simulate(&program, &stimulus, &CoreProbe::All).unwrap();
        assert_eq!((found.spikes, found.messages), (run.spikes, run.messages));
        assert_eq!(found.traces[0].h, [64 * h, 128 * h]);
    }
}

/// Frames of several inputs add up. No frame is compared: it is not sent.
#[test]
fn the_host_adds_what_several_inputs_bring() {
    let mut draft = host(4.0).into_draft();
    let mut kind = draft.populations[PopId::new(0)].clone();
    kind.name = "second".to_owned();
    let second = draft.populations.push(kind);
    if let Time::Hardware(schedule) = &mut draft.time {
        schedule.latency.push(0);
    }
    let entry = HostBias { input: second, scale: 2.0, ..draft.host[0].clone() };
    draft.host.push(entry);
    let net = seal(draft);
    let inputs = [[1.0, 0.0], [0.0, 3.0]].map(|x| Signal::Frame(x.to_vec()));
    let stimulus = Stimulus { inputs: inputs.to_vec() };
    let sim = IntSim::new(&net).unwrap();
    let run = sim.run(&stimulus, &IntProbe::None).unwrap();
    assert_eq!(sent(run.messages[1].as_ref().unwrap()), [Some(3 + 4 - 3); 2]);
    let program = map(&net, &mut Rng(1));
    let cores = CoreSim::new(&program).unwrap();
    let core_run = cores.run(&stimulus, &CoreProbe::None).unwrap();
    let left = IntSubject { sim: &sim, stimulus: &stimulus, run: &run };
    let right = CoreSubject { sim: &cores, stimulus: &stimulus, run: &core_run };
    let comparison = compare(&left, &right).unwrap();
    assert_eq!((comparison.first, comparison.unmatched), (None, Vec::new()));
    let names: Vec<_> = comparison.distances.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn frames_are_checked() {
    let net = host(4.0);
    let program = map(&net, &mut Rng(1));
    let both = |stimulus: &Stimulus| {
        let flat = simulate(&net, stimulus, &IntProbe::None).unwrap_err();
        let cores = cores::simulate(&program, stimulus, &CoreProbe::None).unwrap_err();
        assert_eq!(flat, cores);
        flat
    };
    let error = both(&frame([0.0, 4.5]));
    assert_eq!(
        error.to_string(),
        "element 1 of the frame for input `input` is 4.5; expected a number from -1 to 4"
    );
    let short = both(&Stimulus { inputs: vec![Signal::Frame(vec![0.0])] });
    assert!(matches!(short, SimError::FrameSize { expected: 2, found: 1, .. }));
    let spikes = both(&vec![SpikeTrain::new(2, 2)].into());
    assert!(matches!(spikes, SimError::StimulusKind { .. }));
    // 4 · 2^30 units.
    let net = host(f64::from(1 << 30));
    let program = map(&net, &mut Rng(1));
    let expected =
        SimError::HostBias { population: "a".to_owned(), neuron: 0, value: 2_f64.powi(32) };
    assert_eq!(simulate(&net, &frame([4.0, 0.0]), &IntProbe::None), Err(expected.clone()));
    assert_eq!(cores::simulate(&program, &frame([4.0, 0.0]), &CoreProbe::None), Err(expected));
}

/// Enough synapses that sums of messages could leave 64 bits.
#[test]
fn sums_that_could_leave_64_bits_are_refused() {
    let wide = |cols: u32| {
        let links = [(0, 1, 1, 0), (1, 2, 1, 0)];
        let mut draft = draft(1, Time::Logical, vec![graded(None, 0), listener()], &links);
        draft.populations[PopId::new(1)].shape = Shape::flat(cols);
        let [first, second] = [0, 1].map(MatId::new);
        draft.matrices[first].structure = Structure::Dense { rows: cols, cols: 1 };
        draft.matrices[first].mantissa = vec![2; cols as usize];
        draft.matrices[second].structure = Structure::Dense { rows: 1, cols };
        draft.matrices[second].mantissa = vec![254; cols as usize];
        draft.matrices[second].exponent = 7;
        // Projections add up.
        let mut again = draft.projections.values().nth(1).unwrap().clone();
        again.delay = 1;
        draft.projections.push(again);
        snnc_runtime::integer::IntSim::new(&seal(draft)).map(|_| ())
    };
    // 2^31 is 2 · 33026 · 32512 and a little.
    assert_eq!(wide(33_026), Ok(()));
    let error = wide(33_027).unwrap_err();
    assert!(matches!(&error, SimError::TooLarge { what, .. } if what.contains("`b`")), "{error}");
}

/// Relays side by side: a change of sign on the cores shows with the messages of both sides.
#[test]
fn a_divergence_shows_both_messages() {
    let time = || Time::Hardware(Schedule { period: 1, latency: vec![0, 1, 2] });
    let links = [(0, 1, -5, 1), (1, 2, 7, 1)];
    let net = seal(draft(3, time(), vec![graded(Some(Keep::Negative), 0), listener()], &links));
    let stimulus = spikes(3, &[1]);
    let sim = IntSim::new(&net).unwrap();
    let run = sim.run(&stimulus, &IntProbe::None).unwrap();
    let left = IntSubject { sim: &sim, stimulus: &stimulus, run: &run };
    let mut program = map(&net, &mut Rng(1));
    let against = |program: &Program| {
        let cores = CoreSim::new(program).unwrap();
        let run = cores.run(&stimulus, &CoreProbe::None).unwrap();
        compare(&left, &CoreSubject { sim: &cores, stimulus: &stimulus, run: &run }).unwrap()
    };
    let equal = against(&program);
    assert_eq!((equal.first, equal.distances.iter().map(|d| d.left).sum::<u64>()), (None, 2));
    for core in &mut program.cores {
        for profile in &mut core.profiles {
            profile.graded =
                profile.graded.map(|_| GradedMode { keep: Some(Keep::Positive), shift: 0 });
        }
    }
    let parted = against(&program);
    let first = parted.first.unwrap();
    assert_eq!((first.divergence.population.as_str(), first.divergence.step), ("a", 1));
    assert_eq!(first.divergence.difference, Difference::Message { left: -5, right: 0 });
    assert_eq!((first.left, first.right), (None, None));
    assert_eq!(parted.distances.iter().map(|d| d.differing).sum::<u64>(), 1);
    // Another weight: both send, but not the same.
    for profile in program.cores.iter_mut().flat_map(|c| &mut c.profiles) {
        profile.graded = profile.graded.map(|_| GradedMode { keep: None, shift: 0 });
    }
    program.values[0] = vec![-12];
    let first = against(&program).first.unwrap();
    assert_eq!(first.divergence.difference, Difference::Message { left: -5, right: -6 });
}

/// A cropped convolution arrives at the same membranes as one of the window that is left.
#[test]
fn cropped_convolutions_on_cores() {
    let conv = Conv {
        input: [1, 3, 3],
        out_channels: 1,
        kernel: [2, 2],
        stride: [1, 1],
        pad: [1, 0, 0, 0],
        groups: 1,
        crop: [0, 1, 1, 0],
    };
    let time = Time::Hardware(Schedule { period: 1, latency: vec![0, 1] });
    let mut draft: QuantizedDraft = draft(1, time, vec![listener()], &[(0, 1, 1, 1)]);
    draft.populations[PopId::new(0)].shape = Shape::chw(1, 3, 3);
    draft.populations[PopId::new(1)].shape = Shape::chw(1, 2, 1);
    let matrix = draft.matrices.values_mut().next().unwrap();
    (matrix.structure, matrix.mantissa) = (Structure::Conv(conv), vec![2, 4, 6, 8]);
    let net = seal(draft);
    let mut train = SpikeTrain::new(1, 9);
    (0..9).for_each(|n| train.set(0, n));
    let stimulus = vec![train].into();
    let run = simulate(&net, &stimulus, &IntProbe::All).unwrap();
    // Rows 0 and 1, columns 1 and 2 are left; the first output row reads one row of padding.
    assert_eq!([0, 1].map(|n| run.traces[n].h[1] / 64), [3 + 4, 1 + 2 + 3 + 4]);
    let found = cores::simulate(&map(&net, &mut Rng(3)), &stimulus, &CoreProbe::All).unwrap();
    assert_eq!([0, 1].map(|n| found.traces[n].h[1] / 64), [7, 10]);
}
