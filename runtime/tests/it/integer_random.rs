//! The integer simulator against a naive model: dense synapse lists, every step spelled out.

use crate::common::Rng;
use crate::common::int_net::{Kind, inputs, random, seal};
use proptest::prelude::*;
use snnc_ir::arena::Entity;
use snnc_ir::network::Compare;
use snnc_ir::quantized::{IntReset, PopKind, QuantizedNetwork, Time};
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::testing::{Space, hardware, quantized, stimulus};
use snnc_runtime::integer::{IntProbe, simulate};
use snnc_runtime::{Register, SimError};

/// Spikes, and u and v of every neuron in every step: `[population][step][neuron]`.
struct Naive {
    spikes: Vec<Vec<Vec<bool>>>,
    u: Vec<Vec<Vec<i64>>>,
    v: Vec<Vec<Vec<i64>>>,
}

/// `tz(x, 12)`: the sign times the shifted magnitude.
fn tz(x: i64) -> i64 {
    x.signum() * (x.abs() >> 12)
}

/// The contract, or population, neuron, step and register of the first overflow.
fn naive(
    network: &QuantizedNetwork,
    inputs: &[SpikeTrain],
) -> Result<Naive, (String, usize, usize, Register)> {
    let steps = usize::try_from(network.run_steps()).unwrap();
    let sizes: Vec<usize> = network.populations.values().map(|p| p.size()).collect();
    let blank =
        |x| -> Vec<Vec<Vec<i64>>> { sizes.iter().map(|&n| vec![vec![x; n]; steps]).collect() };
    let mut spikes: Vec<_> = sizes.iter().map(|&n| vec![vec![false; n]; steps]).collect();
    let (mut u, mut v) = (blank(0), blank(0));
    let (period, latency) = match &network.time {
        Time::Logical => (1, vec![0; sizes.len()]),
        Time::Hardware(s) => (s.period as usize, s.latency.clone()),
    };
    let mut next = inputs.iter();
    for (id, population) in network.populations.iter() {
        if population.neuron().is_none() {
            let train = next.next().unwrap();
            for t in 0..network.steps as usize {
                for n in 0..population.size() {
                    let at = period * t + latency[id.index()] as usize;
                    spikes[id.index()][at][n] = train.get(t, n);
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
    let mut last_update: Vec<i64> = vec![-1; sizes.len()];
    let mut held: Vec<Vec<u32>> = sizes.iter().map(|&n| vec![0; n]).collect();
    for t in 0..steps {
        for id in network.order().unwrap() {
            let (p, population) = (id.index(), &network.populations[id]);
            let PopKind::Neurons(neuron) = &population.kind else { continue };
            if t > 0 {
                u[p][t] = u[p][t - 1].clone();
                v[p][t] = v[p][t - 1].clone();
            }
            let every = neuron.update_period as usize;
            if t % every != latency[p] as usize % every {
                continue;
            }
            let mut a = vec![0_i64; population.size()];
            for &(from, source, target, weight, delay) in &synapses[p] {
                // All steps since the last update.
                for arrival in usize::try_from(last_update[p] + 1).unwrap()..=t {
                    if arrival >= delay && spikes[from][arrival - delay][source] {
                        a[target] += i64::from(weight);
                    }
                }
            }
            last_update[p] = i64::try_from(t).unwrap();
            for n in 0..population.size() {
                let at = |x| i64::from(x);
                let du = at(i32::from(neuron.du.at(n, &population.shape)));
                let dv = at(i32::from(neuron.dv.at(n, &population.shape)));
                let overflow = |register| Err((population.name.clone(), n, t, register));
                let current = tz(u[p][t][n] * (4096 - (du + 1))) + (a[n] << 6);
                if current.abs() >= 1 << 23 {
                    return overflow(Register::Current);
                }
                u[p][t][n] = current;
                if held[p][n] > 0 {
                    held[p][n] -= 1;
                    continue;
                }
                let bias = at(neuron.bias.at(n, &population.shape));
                let membrane = tz(v[p][t][n] * (4096 - dv)) + current + bias;
                if membrane.abs() >= 1 << 23 {
                    return overflow(Register::Membrane);
                }
                let threshold = at(neuron.threshold.at(n, &population.shape));
                let fires = match neuron.compare {
                    Compare::Gt => membrane > threshold,
                    Compare::Ge => membrane >= threshold,
                };
                spikes[p][t][n] = fires;
                v[p][t][n] = membrane;
                if fires {
                    held[p][n] = neuron.refractory - 1;
                    v[p][t][n] = match &neuron.reset {
                        IntReset::Zero => 0,
                        IntReset::Subtract(amount) => {
                            membrane - at(amount.at(n, &population.shape))
                        }
                    };
                }
            }
        }
    }
    Ok(Naive { spikes, u, v })
}

fn check(seed: u64, hardware: bool) -> Result<(), TestCaseError> {
    let rng = &mut Rng(seed);
    let network = random(rng, Kind { hardware, registers: false, programmable: true });
    let inputs = inputs(&network, rng);
    equals_naive(&network, &inputs)
}

fn equals_naive(network: &QuantizedNetwork, inputs: &[SpikeTrain]) -> Result<(), TestCaseError> {
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
                prop_assert_eq!(train.get(t, n), expected.spikes[p][t][n], "{} {} {}", p, t, n);
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
        check(seed, false)?;
    }

    #[test]
    fn hardware_time_equals_the_naive_model(seed: u64) {
        check(seed, true)?;
    }

    /// Small networks that shrink, with relays and clocks.
    #[test]
    fn generated_networks_equal_the_naive_model(
        (draft, inputs) in prop_oneof![quantized(Space::All), hardware(Space::All)]
            .prop_flat_map(|draft| { let inputs = stimulus(&draft); (Just(draft), inputs) })
    ) {
        equals_naive(&seal(draft), &inputs)?;
    }
}

/// The generator reaches what the tests above are about.
#[test]
fn random_networks_spike_and_sometimes_overflow() {
    let (mut spikes, mut overflows) = (0, 0);
    for seed in 0..100 {
        let rng = &mut Rng(seed);
        let network =
            random(rng, Kind { hardware: seed % 2 == 0, registers: false, programmable: true });
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
    assert!(spikes > 60, "{spikes}");
    assert!((1..30).contains(&overflows), "{overflows}");
}
