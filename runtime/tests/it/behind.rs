//! Behind the last logical step of its population, in hardware time, a register that would leave its range stays at
//! the end of it, in every simulator alike; a step earlier, that ends the run.

use crate::common::Rng;
use crate::common::int_net::{Kind, inputs, random_up_to, seal};
use crate::common::tiny::{draft, graded, network, neuron};
use crate::event_integer::{same, same_on_threads};
use crate::integer_random::equals_naive;
use proptest::prelude::*;
use snnc_ir::Level;
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::param::Param;
use snnc_ir::quantized::{
    IntNeuron, IntReadout, IntReset, PopKind, QuantizedDraft, QuantizedNetwork, Schedule, Time,
};
use snnc_ir::spikes::SpikeTrain;
use snnc_runtime::event::Split;
use snnc_runtime::integer::{IntProbe, IntRun, REGISTER_MAX, simulate};
use snnc_runtime::{Register, SimError, Stimulus};

/// The largest value of a register.
const MAX: i32 = (1 << 23) - 1;

/// A neuron that never fires.
fn silent() -> IntNeuron {
    // One more than a register holds, and a multiple of 64 as chips have them.
    IntNeuron { threshold: Param::Uniform(1 << 23), ..neuron() }
}

fn quiet(steps: u32) -> Stimulus {
    vec![SpikeTrain::new(steps as usize, 1)].into()
}

fn hardware(period: u32, latency: &[u32]) -> Time {
    Time::Hardware(Schedule { period, latency: latency.to_vec() })
}

/// What the definition gives, once all other simulators gave the same.
fn agreed(network: &QuantizedNetwork, stimulus: &Stimulus) -> Result<IntRun, SimError> {
    same(network, stimulus).unwrap();
    same_on_threads(network, stimulus, Split { parts: 3, least: 0 }).unwrap();
    for seed in 0..3 {
        crate::cores::equals_flat(network, stimulus, &mut Rng(seed)).unwrap();
    }
    equals_naive(network, stimulus).unwrap();
    #[cfg(feature = "burn")]
    crate::suite::same(network, std::slice::from_ref(stimulus), false).unwrap();
    simulate(network, stimulus, &IntProbe::All)
}

/// `a` is through with its logical steps long before `b`, whose latency makes the run last.
fn early(steps: u32, a: IntNeuron) -> QuantizedNetwork {
    network(steps, hardware(1, &[0, 0, 4]), vec![a, silent()], &[(1, 2, 1, 4)])
}

fn spikes(run: &IntRun, population: usize) -> Vec<usize> {
    let train = &run.spikes[population];
    (0..train.steps()).filter(|&t| train.get(t, 0)).collect()
}

#[test]
fn a_membrane_stays_at_the_end_of_its_register() {
    for sign in [1, -1] {
        let growing = IntNeuron { bias: Param::Uniform(sign << 21), ..silent() };
        let run = agreed(&early(3, growing.clone()), &quiet(3)).unwrap();
        let v = [1, 2, 3].map(|t| t << 21).into_iter().chain([MAX; 4]);
        let v: Vec<_> = v.map(|v| sign * v).collect();
        assert_eq!((&run.traces[0].h, &run.traces[0].v), (&v, &v));
        // With one more logical step, step 3 is one of them.
        let error = agreed(&early(4, growing), &quiet(4)).unwrap_err();
        let expected = SimError::Overflow {
            population: "a".to_owned(),
            neuron: 0,
            step: 3,
            register: Register::Membrane,
            value: i64::from(sign) << 23,
        };
        assert_eq!(error, expected);
    }
}

/// It fires and resets as ever: only registers are kept in their range.
#[test]
fn neurons_fire_on() {
    let model = IntNeuron {
        bias: Param::Uniform(1 << 21),
        threshold: Param::Uniform(MAX - 63),
        ..neuron()
    };
    let run = agreed(&early(3, model), &quiet(3)).unwrap();
    assert_eq!(run.traces[0].v, [1 << 21, 2 << 21, 3 << 21, 0, 1 << 21, 2 << 21, 3 << 21]);
    assert_eq!((run.traces[0].h[3], spikes(&run, 1)), (MAX, vec![3]));
    // `b` hears of it behind its own last logical step.
    assert_eq!(run.scores, [0.0]);
}

/// The current of `b` sums what `a` sends in every step, from its own first one on; its membrane is reset in every step.
#[test]
fn a_current_stays_at_the_end_of_its_register() {
    for weight in [127, -127] {
        let beat = IntNeuron { bias: Param::Uniform(128), ..neuron() };
        let sums = IntNeuron {
            du: Param::Uniform(0),
            // Of a negative current, what the last step left is forgotten.
            dv: Param::Uniform(4096 - 1),
            floor: Some(Param::Uniform(-64)),
            ..neuron()
        };
        let chain = |steps| {
            let kinds = [beat.clone(), sums.clone(), silent()].map(PopKind::Neurons).to_vec();
            let time = hardware(1, &[0, 0, 1, 6]);
            let mut draft = draft(steps, time, kinds, &[(1, 2, weight, 1), (2, 3, 1, 5)]);
            draft.matrices.values_mut().for_each(|m| m.exponent = 7);
            seal(draft)
        };
        let run = agreed(&chain(4), &quiet(4)).unwrap();
        let sign = i32::from(weight.signum());
        let u = &run.traces[1].u;
        assert_eq!(u[..3], [0, sign * 2_080_768, sign * 4_161_028]);
        assert!(u[4].abs() < MAX && u[5..].iter().all(|u| *u == sign * MAX), "{u:?}");
        let Err(SimError::Overflow { register, step, population, .. }) =
            agreed(&chain(5), &quiet(5))
        else {
            panic!("the fifth step is a logical one")
        };
        assert_eq!((register, step, population.as_str()), (Register::Current, 5, "b"));
    }
}

/// What a subtraction leaves is kept in its range, too, and held as it is.
#[test]
fn a_reset_stays_at_the_end_of_its_register() {
    let deep = IntNeuron {
        bias: Param::Uniform(64),
        threshold: Param::Uniform(3 * 64),
        reset: IntReset::Subtract(Param::Uniform(1 << 24)),
        refractory: 2,
        ..neuron()
    };
    let run = agreed(&early(3, deep.clone()), &quiet(3)).unwrap();
    assert_eq!(run.traces[0].v, [64, 128, 192, -MAX, -MAX, 64 - MAX, 128 - MAX]);
    assert_eq!(spikes(&run, 1), [3]);
    let error = agreed(&early(4, deep), &quiet(4)).unwrap_err();
    assert!(matches!(error, SimError::Overflow { step: 3, .. }), "{error}");
}

/// A relay sends the largest message that there is, or the least.
#[test]
fn a_message_stays_within_32_bits() {
    for (weight, end) in [(127, i32::MAX), (-127, i32::MIN)] {
        let late =
            IntNeuron { bias: Param::Uniform(64), threshold: Param::Uniform(192), ..neuron() };
        let chain = |steps| {
            // The input, which nothing reads, makes the run last.
            let time = hardware(1, &[3, 0, 1, 2]);
            let kinds = vec![PopKind::Neurons(late.clone()), graded(None, 0), graded(None, 0)];
            let twice = |link| [link, link];
            let links = [twice((1, 2, 127, 1)), twice((2, 3, weight, 1))];
            let mut draft = draft(steps, time, kinds, links.as_flattened());
            draft.matrices.values_mut().for_each(|m| m.exponent = 7);
            draft.readout = IntReadout::SpikeCount(PopId::new(1));
            seal(draft)
        };
        let run = agreed(&chain(3), &quiet(3)).unwrap();
        assert_eq!(spikes(&run, 1), [3]);
        let messages = [2, 3].map(|p| run.messages[p].as_ref().unwrap());
        assert_eq!((messages[0].get(4, 0), messages[1].get(5, 0)), (Some(65_024), Some(end)));
        let error = agreed(&chain(4), &quiet(4)).unwrap_err();
        let expected = SimError::Overflow {
            population: "c".to_owned(),
            neuron: 0,
            step: 5,
            register: Register::Message,
            value: i64::from(weight.signum()) * 65_024 * 65_024,
        };
        assert_eq!(error, expected);
    }
}

/// Several hardware steps per logical one: all of those of the last one count.
#[test]
fn the_last_logical_step_ends_with_its_period() {
    for (steps, period, latency) in
        (1..4).flat_map(|s| (1..4).flat_map(move |p| (0..3).map(move |l| (s, p, l))))
    {
        let growing = IntNeuron { bias: Param::Uniform(1 << 21), ..silent() };
        let links = [(1, 2, 1, 4 * period)];
        let time = hardware(period, &[0, latency, latency + 4 * period]);
        let net = network(steps, time, vec![growing, silent()], &links);
        // It overflows in step 3.
        match agreed(&net, &quiet(steps)) {
            Ok(run) => {
                assert!(period * steps + latency <= 3);
                assert!(run.traces[0].v[3..].iter().all(|v| *v == MAX));
            }
            Err(SimError::Overflow { step: 3, .. }) => assert!(period * steps + latency > 3),
            Err(other) => panic!("{other}"),
        }
    }
}

/// A random network in hardware time of which many membranes grow until they are full about when the run ends.
fn growing(rng: &mut Rng, kind: Kind) -> QuantizedNetwork {
    let mut draft: QuantizedDraft = random_up_to(rng, kind, 150).into_draft();
    draft.steps = rng.size(1, 5);
    if let Time::Hardware(schedule) = &mut draft.time {
        // An input that is late makes the run last.
        schedule.latency[0] += schedule.period * rng.size(0, 5);
    }
    for (id, population) in draft.populations.iter_mut() {
        let size = population.shape.size();
        let Time::Hardware(schedule) = &draft.time else { unreachable!("in hardware time") };
        let end = schedule.period * draft.steps + schedule.latency[id.index()];
        let PopKind::Neurons(neuron) = &mut population.kind else { continue };
        let mut each = |f: &mut dyn FnMut(&mut Rng) -> i32| {
            Param::PerNeuron((0..size).map(|_| f(rng)).collect())
        };
        neuron.bias = each(&mut |rng| {
            // Full some updates behind the end; at most 22 bits, as registers of biases have them.
            let full = ((1 << 23) / (end + rng.size(1, 4))).min(1 << 22) / 128 * 128 - 128;
            let full = i32::try_from(full).unwrap();
            [0, 64, full, -full][rng.index(4)]
        });
        neuron.threshold = each(&mut |rng| [1 << 12, 1 << 20, 1 << 22, 1 << 23][rng.index(4)]);
        neuron.dv = Param::Uniform(0);
    }
    seal(draft)
}

/// What the tests below are about happens.
#[test]
fn random_networks_reach_the_ends() {
    let (mut held, mut ended, mut runs) = (0, 0, 0);
    for seed in 0..300 {
        let rng = &mut Rng(seed);
        let kind = Kind { hardware: true, registers: true, programmable: true, graded: true };
        let network = growing(rng, kind);
        match simulate(&network, &inputs(&network, rng), &IntProbe::All) {
            Ok(run) => {
                let end = |x: &i32| i64::from(x.abs()) == REGISTER_MAX;
                let all = |t: &snnc_runtime::integer::IntTrace| t.h.iter().chain(&t.u).any(end);
                held += u32::from(run.traces.iter().any(all));
                runs += 1;
            }
            Err(SimError::Overflow { .. }) => ended += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(held > 30 && ended > 30, "{held} of {runs} met an end, {ended} ended");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn random_networks_agree(seed: u64, programmable: bool, graded: bool) {
        let rng = &mut Rng(seed);
        let network = growing(rng, Kind { hardware: true, registers: true, programmable, graded });
        let stimulus = inputs(&network, rng);
        same(&network, &stimulus)?;
        same_on_threads(&network, &stimulus, Split { parts: 2, least: 0 })?;
        crate::cores::equals_flat(&network, &stimulus, rng)?;
        equals_naive(&network, &stimulus)?;
        #[cfg(feature = "burn")]
        crate::suite::same(&network, std::slice::from_ref(&stimulus), false)?;
    }
}
