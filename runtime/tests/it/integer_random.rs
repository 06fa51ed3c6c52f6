//! The integer simulator against a naive model: dense synapse lists, every step spelled out.

use crate::common::Rng;
use crate::common::int_net::{Kind, inputs, random, seal, stimulus};
use proptest::prelude::*;
use snnc_ir::arena::Entity;
use snnc_ir::level::Level;
use snnc_ir::network::{Compare, Keep};
use snnc_ir::quantized::messages::Bounds;
use snnc_ir::quantized::{IntReset, PopKind, QuantizedNetwork, Time};
use snnc_ir::testing::{Space, feed, hardware, quantized};
use snnc_runtime::integer::{IntProbe, simulate};
use snnc_runtime::{MessageTrain, Register, Signal, SimError, Stimulus};

/// What is sent (1 for a spike), and u and v of every neuron in every step:
/// `[population][step][neuron]`.
struct Naive {
    sent: Vec<Vec<Vec<i64>>>,
    u: Vec<Vec<Vec<i64>>>,
    v: Vec<Vec<Vec<i64>>>,
}

/// `tz(x, 12)`: the sign times the shifted magnitude.
fn tz(x: i64) -> i64 {
    x.signum() * (x.abs() >> 12)
}

/// The contract, or population, neuron, step and register of the first overflow in a step that is not behind the last
/// logical one of its population.
fn naive(
    network: &QuantizedNetwork,
    stimulus: &Stimulus,
) -> Result<Naive, (String, usize, usize, Register)> {
    let steps = usize::try_from(network.run_steps()).unwrap();
    let sizes: Vec<usize> = network.populations.values().map(|p| p.size()).collect();
    let blank =
        |x| -> Vec<Vec<Vec<i64>>> { sizes.iter().map(|&n| vec![vec![x; n]; steps]).collect() };
    let (mut sent, mut u, mut v) = (blank(0), blank(0), blank(0));
    // Currents of frames, in units of weight.
    let mut host: Vec<Vec<i64>> = sizes.iter().map(|&n| vec![0; n]).collect();
    let (period, latency) = match &network.time {
        Time::Logical => (1, vec![0; sizes.len()]),
        Time::Hardware(s) => (s.period as usize, s.latency.clone()),
    };
    let inputs = network.populations.iter().filter(|(_, p)| p.is_input());
    for ((id, population), signal) in inputs.zip(&stimulus.inputs) {
        match signal {
            Signal::Spikes(train) => {
                for t in 0..network.steps as usize {
                    for n in 0..population.size() {
                        let at = period * t + latency[id.index()] as usize;
                        sent[id.index()][at][n] = i64::from(train.get(t, n));
                    }
                }
            }
            Signal::Frame(frame) => {
                for h in network.host.iter().filter(|h| h.input == id) {
                    for n in 0..sizes[h.target.index()] {
                        let mut sum = 0.0_f64;
                        h.structure.for_row(n, |i, k| {
                            sum += f64::from(h.weights[k]) * f64::from(frame[i]);
                        });
                        host[h.target.index()][n] += (sum * h.scale).round_ties_even() as i64;
                    }
                }
            }
        }
    }
    // Synapses into each population: source population, source, target, weight, delay.
    let mut synapses = vec![Vec::new(); sizes.len()];
    for p in network.projections.values() {
        for target in 0..sizes[p.target.index()] {
            network.matrices[p.matrix].for_row(target, |source, weight| {
                let delay = p.delay as usize;
                synapses[p.target.index()].push((p.source.index(), source, target, weight, delay));
            });
        }
    }
    let bounds = Bounds::new(network).unwrap();
    // Whether a message was cut, which bounds do not reckon with.
    let mut cut = false;
    let mut last_update: Vec<i64> = vec![-1; sizes.len()];
    let mut held: Vec<Vec<u32>> = sizes.iter().map(|&n| vec![0; n]).collect();
    for t in 0..steps {
        for id in network.order().unwrap() {
            let (p, population) = (id.index(), &network.populations[id]);
            if t > 0 {
                u[p][t] = u[p][t - 1].clone();
                v[p][t] = v[p][t - 1].clone();
            }
            let every = match &population.kind {
                PopKind::Input(_) => continue,
                PopKind::Graded(_) => 1,
                PopKind::Neurons(neuron) => neuron.update_period as usize,
            };
            if t % every != latency[p] as usize % every {
                continue;
            }
            let mut a = vec![0_i64; population.size()];
            for &(from, source, target, weight, delay) in &synapses[p] {
                // All steps since the last update.
                for arrival in usize::try_from(last_update[p] + 1).unwrap()..=t {
                    if arrival >= delay {
                        a[target] += i64::from(weight) * sent[from][arrival - delay][source];
                    }
                }
            }
            last_update[p] = i64::try_from(t).unwrap();
            if every == 1 && !cut {
                let mut local = bounds.local_arrivals(id);
                for (n, &sum) in a.iter().enumerate() {
                    let (low, high) = local(n);
                    assert!((low..=high).contains(&sum), "{sum} is outside {low}..={high}");
                }
            }
            let behind = t >= period * network.steps as usize + latency[p] as usize;
            let neuron = match &population.kind {
                PopKind::Input(_) => continue,
                PopKind::Graded(graded) => {
                    for n in 0..population.size() {
                        let sum =
                            a[n] + i64::from(graded.bias.at(n, &population.shape)) + host[p][n];
                        // Rounded down: the largest multiple that is not above the sum.
                        let m = sum.div_euclid(1 << graded.shift);
                        sent[p][t][n] = match graded.keep {
                            None => m,
                            Some(Keep::Positive) => m.max(0),
                            Some(Keep::Negative) => m.min(0),
                        };
                        let (low, high) = bounds.messages(id).at(n, &population.shape);
                        assert!(cut || (low..=high).contains(&sent[p][t][n]), "{low}..={high}");
                        let (least, most) = (i64::from(i32::MIN), i64::from(i32::MAX));
                        if !(least..=most).contains(&sent[p][t][n]) && !behind {
                            return Err((population.name.clone(), n, t, Register::Message));
                        }
                        let fits = sent[p][t][n].clamp(least, most);
                        cut |= fits != sent[p][t][n];
                        sent[p][t][n] = fits;
                    }
                    continue;
                }
                PopKind::Neurons(neuron) => neuron,
            };
            for n in 0..population.size() {
                let at = |x| i64::from(x);
                let du = at(i32::from(neuron.du.at(n, &population.shape)));
                let dv = at(i32::from(neuron.dv.at(n, &population.shape)));
                let stored = |value: i64, register| {
                    let end = (1 << 23) - 1;
                    if value.abs() > end && !behind {
                        return Err((population.name.clone(), n, t, register));
                    }
                    Ok(value.clamp(-end, end))
                };
                let current = tz(u[p][t][n] * (4096 - (du + 1))) + (a[n] << 6);
                let current = stored(current, Register::Current)?;
                u[p][t][n] = current;
                if held[p][n] > 0 {
                    held[p][n] -= 1;
                    continue;
                }
                let bias = at(neuron.bias.at(n, &population.shape)) + 64 * host[p][n];
                let membrane = tz(v[p][t][n] * (4096 - dv)) + current + bias;
                let membrane = stored(membrane, Register::Membrane)?;
                let floor = neuron.floor.as_ref().map(|floor| at(floor.at(n, &population.shape)));
                let membrane = floor.map_or(membrane, |floor| membrane.max(floor));
                let threshold = at(neuron.threshold.at(n, &population.shape));
                let fires = match neuron.compare {
                    Compare::Gt => membrane > threshold,
                    Compare::Ge => membrane >= threshold,
                };
                sent[p][t][n] = i64::from(fires);
                v[p][t][n] = membrane;
                if fires {
                    held[p][n] = neuron.refractory - 1;
                    v[p][t][n] = match &neuron.reset {
                        IntReset::Zero => 0,
                        IntReset::Subtract(amount) => {
                            let left = membrane - at(amount.at(n, &population.shape));
                            stored(left, Register::Membrane)?
                        }
                    };
                }
            }
        }
    }
    Ok(Naive { sent, u, v })
}

fn check(seed: u64, hardware: bool, graded: bool) -> Result<(), TestCaseError> {
    let rng = &mut Rng(seed);
    let network = random(rng, Kind { hardware, registers: false, programmable: true, graded });
    let inputs = inputs(&network, rng);
    equals_naive(&network, &inputs)
}

pub(crate) fn equals_naive(
    network: &QuantizedNetwork,
    inputs: &Stimulus,
) -> Result<(), TestCaseError> {
    let run = simulate(network, inputs, &IntProbe::All);
    let expected = match naive(network, inputs) {
        Ok(expected) => expected,
        Err(place) => {
            let Err(SimError::Overflow { population, neuron, step, register, .. }) = run else {
                return Err(TestCaseError::fail(format!("no overflow: {place:?}")));
            };
            prop_assert_eq!((population, neuron, step, register), place);
            return Ok(());
        }
    };
    let run = run.unwrap();
    for (p, train) in run.spikes.iter().enumerate() {
        for t in 0..train.steps() {
            for n in 0..train.neurons() {
                let sent = expected.sent[p][t][n];
                prop_assert_eq!(train.get(t, n), sent != 0, "{} {} {}", p, t, n);
                if let Some(messages) = &run.messages[p] {
                    let found = messages.get(t, n).map_or(0, i64::from);
                    prop_assert_eq!(found, sent, "{} {} {}", p, t, n);
                }
            }
        }
    }
    for trace in &run.traces {
        for t in 0..trace.u.len() {
            let (p, n) = (trace.population.index(), trace.neuron);
            prop_assert_eq!(i64::from(trace.u[t]), expected.u[p][t][n]);
            prop_assert_eq!(i64::from(trace.v[t]), expected.v[p][t][n]);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn logical_time_equals_the_naive_model(seed: u64) {
        check(seed, false, false)?;
    }

    #[test]
    fn hardware_time_equals_the_naive_model(seed: u64) {
        check(seed, true, false)?;
    }

    /// Graded relays, cropped convolutions, biases from the host.
    #[test]
    fn graded_networks_equal_the_naive_model(seed: u64, hardware: bool) {
        check(seed, hardware, true)?;
    }

    /// Small networks that shrink, with relays and clocks.
    #[test]
    fn generated_networks_equal_the_naive_model(
        (draft, inputs) in prop_oneof![quantized(Space::Everything), hardware(Space::Everything)]
            .prop_flat_map(|draft| { let inputs = feed(&draft); (Just(draft), inputs) })
    ) {
        equals_naive(&seal(draft), &stimulus(inputs))?;
    }
}

/// The generator reaches what the tests above are about.
#[test]
fn random_networks_spike_and_sometimes_overflow() {
    let (mut spikes, mut overflows) = (0, 0);
    for seed in 0..1000 {
        let rng = &mut Rng(seed);
        let network = random(
            rng,
            Kind { hardware: seed % 2 == 0, registers: false, programmable: true, graded: false },
        );
        let inputs = inputs(&network, rng);
        match simulate(&network, &inputs, &IntProbe::None) {
            Ok(run) => {
                let neurons = network.populations.iter().filter(|(_, p)| p.neuron().is_some());
                let count: u64 = neurons.map(|(id, _)| run.spikes[id.index()].count()).sum();
                spikes += u32::from(count > 0);
            }
            Err(SimError::Overflow { .. }) => overflows += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(spikes > 600, "{spikes}");
    assert!((1..300).contains(&overflows), "{overflows}");
}

/// The generator reaches graded messages, their overflow, and biases from the host that matter.
#[test]
fn random_networks_send_messages_and_hear_the_host() {
    let (mut messages, mut overflows, mut host) = (0, 0, 0);
    for seed in 0..2000 {
        let rng = &mut Rng(seed);
        let kind =
            Kind { hardware: seed % 2 == 0, registers: false, programmable: true, graded: true };
        let network = random(rng, kind);
        let stimulus = inputs(&network, rng);
        match simulate(&network, &stimulus, &IntProbe::None) {
            Ok(run) => {
                let sent = run.messages.iter().flatten().map(MessageTrain::count).sum::<u64>();
                messages += u32::from(sent > 0);
                let mut draft = network.into_draft();
                draft.host.clear();
                let silent = simulate(&seal(draft), &stimulus, &IntProbe::None);
                host += u32::from(
                    silent.map(|r| (r.spikes, r.messages)) != Ok((run.spikes, run.messages)),
                );
            }
            Err(SimError::Overflow { register: Register::Message, .. }) => overflows += 1,
            Err(SimError::Overflow { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert!(messages > 600 && host > 200 && overflows > 2, "{messages} {host} {overflows}");
}
