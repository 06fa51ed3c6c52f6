//! Stimuli that a compiler does not like: random ones, and those at the ends of what is allowed.

use super::Dice;
use snnc_ir::spikes::SpikeTrain;
use snnc_runtime::event::integer::IntSim;
use snnc_runtime::integer::IntProbe;
use snnc_runtime::{Signal, SimError, Stimulus};

/// What an input takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// Neurons, or elements of a sample.
    pub size: usize,
    /// Smallest and largest element; `None` = the input takes spikes.
    pub range: Option<[i32; 2]>,
}

/// A stimulus with its name.
pub type Named = (&'static str, Stimulus);

/// Stimuli for these inputs over `steps` steps: random, all ones, alternating, a burst, a single spike, spikes
/// in the last step only; samples random, at either end of their range, and at both.
pub fn all(ports: &[Port], steps: usize, seed: u64) -> Vec<Named> {
    let mut dice = Dice::of(seed, 1);
    let active: usize = ports.iter().map(|p| if p.range.is_none() { p.size } else { 0 }).sum();
    let single = (dice.below(steps.max(1)), dice.below(active.max(1)));
    let burst = dice.below(steps.max(1));
    let mut made = vec![("random", random(ports, steps, seed))];
    let mut add = |name, spike: &dyn Fn(usize, usize) -> bool, value: &dyn Fn(usize) -> f32| {
        made.push((name, build(ports, steps, spike, value)));
    };
    // Values are shares of the range.
    add("ones", &|_, _| true, &|_| 1.0);
    add("alternating", &|t, n| (t + n).is_multiple_of(2), &|n| {
        if n.is_multiple_of(2) { 0.0 } else { 1.0 }
    });
    add("burst", &|t, _| (burst..burst + 2).contains(&t), &|_| 0.0);
    add("single", &|t, n| (t, n) == single, &|n| if n == single.1 { 1.0 } else { 0.5 });
    add("last", &|t, _| t + 1 == steps, &|_| 0.0);
    made
}

/// Random spikes, about every third, and samples of which half the values are at an end of the range.
fn random(ports: &[Port], steps: usize, seed: u64) -> Stimulus {
    let mut dice = Dice::of(seed, 2);
    let spikes: Vec<bool> = {
        let cells: usize = ports.iter().map(|p| p.size * steps).sum();
        (0..cells).map(|_| dice.one_in(3)).collect()
    };
    let shares: Vec<f32> = {
        let cells = ports.iter().map(|p| p.size).sum();
        let shares = [0.0, 1.0, 0.0, 1.0, 0.25, 0.5, 0.75, 0.1];
        (0..cells).map(|_: usize| dice.pick(&shares)).collect()
    };
    let width: usize = ports.iter().map(|p| p.size).sum();
    build(ports, steps, &|t, n| spikes[t * width + n], &|n| shares[n])
}

/// A stimulus from a rule for spikes and one for the places of values in their range; neurons of all inputs are
/// counted on.
fn build(
    ports: &[Port],
    steps: usize,
    spike: &dyn Fn(usize, usize) -> bool,
    share: &dyn Fn(usize) -> f32,
) -> Stimulus {
    let mut first = 0;
    let signals = ports.iter().map(|port| {
        let start = first;
        first += port.size;
        if let Some([low, high]) = port.range {
            return Signal::Frame(
                (0..port.size).map(|n| within(low, high, share(start + n))).collect(),
            );
        }
        let mut train = SpikeTrain::new(steps, port.size);
        for t in 0..steps {
            (0..port.size).filter(|n| spike(t, start + n)).for_each(|n| train.set(t, n));
        }
        Signal::Spikes(train)
    });
    Stimulus { inputs: signals.collect() }
}

/// The value at a share of a range, which it does not leave.
#[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
#[expect(clippy::cast_precision_loss, reason = "ranges of inputs are small integers")]
fn within(low: i32, high: i32, share: f32) -> f32 {
    let value = f64::from(low) + f64::from(share) * (f64::from(high) - f64::from(low));
    (value as f32).clamp(low as f32, high as f32)
}

/// A stimulus that brings some membrane near its threshold, and how near (in units of the membrane): spikes of
/// a random one are turned over, and what comes nearer is kept. `None` without spiking inputs or neurons.
///
/// # Errors
/// Errors of the simulator.
pub fn near_threshold(
    sim: &IntSim<'_>,
    ports: &[Port],
    seed: u64,
    tries: usize,
) -> Result<Option<(Stimulus, u64)>, SimError> {
    let steps = sim.network().steps as usize;
    let mut dice = Dice::of(seed, 3);
    let spiking: Vec<usize> = (0..ports.len()).filter(|i| ports[*i].range.is_none()).collect();
    if spiking.is_empty() {
        return Ok(None);
    }
    let mut best: Option<(Stimulus, u64)> = None;
    for attempt in 0..=tries {
        let next = match &best {
            None => random(ports, steps, seed ^ attempt as u64),
            Some((stimulus, _)) => turned(stimulus, &spiking, &mut dice),
        };
        let Some(margin) = margin(sim, &next)? else { continue };
        if best.as_ref().is_none_or(|(_, least)| margin < *least) {
            best = Some((next, margin));
        }
        if best.as_ref().is_some_and(|(_, least)| *least == 0) {
            break;
        }
    }
    Ok(best)
}

/// The stimulus with one to three spikes turned over.
fn turned(stimulus: &Stimulus, spiking: &[usize], dice: &mut Dice) -> Stimulus {
    let mut next = stimulus.clone();
    for _ in 0..=dice.below(3) {
        let input = dice.pick(spiking);
        if let Signal::Spikes(train) = &mut next.inputs[input] {
            let (t, n) = (dice.below(train.steps().max(1)), dice.below(train.neurons().max(1)));
            let (word, bit) = (n / 64, 1 << (n % 64));
            let bits = train.step(t)[word] ^ bit;
            train.set_word(t, word, bits);
        }
    }
    next
}

/// The least distance of a membrane that is not at rest from its threshold; `None` if all stay at rest.
fn margin(sim: &IntSim<'_>, stimulus: &Stimulus) -> Result<Option<u64>, SimError> {
    let run = sim.run(stimulus, &IntProbe::All)?;
    let populations = &sim.network().populations;
    let margins = run.traces.iter().filter_map(|trace| {
        let population = &populations[trace.population];
        let threshold = population.neuron()?.threshold.at(trace.neuron, &population.shape);
        let moved = trace.h.iter().filter(|h| **h != 0);
        moved.map(|h| u64::from(h.abs_diff(threshold))).min()
    });
    Ok(margins.min())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stimuli_fit_their_inputs_and_meet_the_ends() {
        let ports = [Port { size: 3, range: None }, Port { size: 2, range: Some([-1, 2]) }];
        let made = all(&ports, 4, 9);
        assert_eq!(made, all(&ports, 4, 9), "the same seed, the same stimuli");
        let mut values = Vec::new();
        for (name, stimulus) in &made {
            let [Signal::Spikes(train), Signal::Frame(frame)] = &stimulus.inputs[..] else {
                panic!("{name}: {stimulus:?}");
            };
            assert_eq!((train.steps(), train.neurons(), frame.len()), (4, 3, 2), "{name}");
            assert!(frame.iter().all(|v| (-1.0..=2.0).contains(v)), "{name}: {frame:?}");
            values.extend(frame.iter().map(ToString::to_string));
            match *name {
                "ones" => assert_eq!(train.count(), 12),
                "single" => assert_eq!(train.count(), 1),
                "last" => assert!(train.count() == 3 && train.get(3, 0)),
                "alternating" => assert_eq!(train.count(), 6),
                _ => {}
            }
        }
        assert!(values.contains(&"-1".to_owned()) && values.contains(&"2".to_owned()));
    }
}
