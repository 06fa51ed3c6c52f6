//! Leaky traces of spikes: what a membrane would remember of each source.

use snnc_ir::spikes::SpikeTrain;

/// Traces below this are 0: less than a decay register resolves, and silent sources cost nothing.
const FLOOR: f64 = 1.0 / 4096.0;

/// `leak · (1 − rate)`: what a membrane that is reset to 0 keeps from step to step on average, if its
/// neuron fires `rate` times per step. A reset by subtraction forgets nothing.
pub fn shortened(leak: f64, rate: f64) -> f64 {
    leak * (1.0 - rate.clamp(0.0, 1.0))
}

/// Traces `x(t) = leak · x(t − 1) + s(t − delay)` of all neurons of a source, 0 before the first step.
#[derive(Clone, Debug, PartialEq)]
pub struct Traces {
    leak: f64,
    values: Vec<f64>,
}

impl Traces {
    /// Traces of `neurons` sources. `leak` is the share that the target's membrane keeps from step to
    /// step, 0..=1.
    pub fn new(neurons: usize, leak: f64) -> Self {
        Self { leak: leak.clamp(0.0, 1.0), values: vec![0.0; neurons] }
    }

    /// Advances to step `t`, adding the spikes that arrive in it from each (train, delay).
    ///
    /// # Panics
    /// If a train has more neurons than there are traces.
    pub fn step<'a>(&mut self, t: usize, inputs: impl IntoIterator<Item = (&'a SpikeTrain, u32)>) {
        for value in &mut self.values {
            let kept = *value * self.leak;
            *value = if kept < FLOOR { 0.0 } else { kept };
        }
        for (train, delay) in inputs {
            if let Some(sent) = t.checked_sub(delay as usize).filter(|sent| *sent < train.steps()) {
                train.active(sent).for_each(|n| self.values[n] += 1.0);
            }
        }
    }

    /// The traces, neuron by neuron.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use snnc_ir::testing::spike_train;

    proptest! {
        /// The recurrence is the sum over past spikes, up to what falls below the floor.
        #[test]
        fn traces_are_decaying_sums(
            a in spike_train(9, 5),
            b in spike_train(9, 5),
            (leak, delay) in (0.0_f64..=1.0, 0_u32..4),
        ) {
            let mut traces = Traces::new(5, leak);
            for t in 0..9 {
                traces.step(t, [(&a, delay), (&b, 0)]);
                for n in 0..5 {
                    let past = |train: &SpikeTrain, delay: usize| -> f64 {
                        let sent = (delay..=t).filter(|s| train.get(s - delay, n));
                        sent.map(|s| leak.powi(i32::try_from(t - s).unwrap())).sum()
                    };
                    let expected = past(&a, delay as usize) + past(&b, 0);
                    // What was dropped decays on: a geometric sum at most.
                    prop_assert!((traces.values()[n] - expected).abs() <= 9.0 * FLOOR);
                }
            }
        }
    }

    #[test]
    fn resets_forget() {
        assert!((shortened(0.5, 0.2) - 0.4).abs() < 1e-12);
        assert!((shortened(0.9, 1.5)).abs() < 1e-12);
    }
}
