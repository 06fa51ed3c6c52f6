//! What the host computes from spikes and values.

use crate::messages::MessageTrain;
use snnc_ir::spikes::SpikeTrain;

/// Index of the largest score, ties to the lowest index; `None` if there is no score that is a
/// number.
pub fn argmax(scores: &[f64]) -> Option<usize> {
    let numbers = scores.iter().enumerate().filter(|(_, s)| !s.is_nan());
    numbers
        .fold(None, |best: Option<(usize, f64)>, (i, &s)| match best {
            Some((_, b)) if s <= b => best,
            _ => Some((i, s)),
        })
        .map(|(i, _)| i)
}

/// Where the logical steps of a population lie: logical step `t` is step `period · t + latency`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) period: usize,
    pub(crate) latency: usize,
    /// Logical steps of the run.
    pub(crate) steps: usize,
}

impl Window {
    /// Step of the train that holds logical step `t`.
    pub(crate) const fn at(&self, t: usize) -> usize {
        self.period * t + self.latency
    }

    /// The first step behind the last logical step of the run.
    pub(crate) const fn end(&self) -> usize {
        self.at(self.steps)
    }

    /// The logical train, or the first spike (neuron, step) that lies off the schedule. Spikes of
    /// logical steps after the run are left out: the run lasts until its latest population is
    /// done, so earlier populations begin further logical steps.
    pub(crate) fn logical(&self, train: &SpikeTrain) -> Result<SpikeTrain, (usize, usize)> {
        let mut logical = SpikeTrain::new(self.steps, train.neurons());
        for step in 0..train.steps() {
            let t = step
                .checked_sub(self.latency)
                .filter(|rest| rest.is_multiple_of(self.period))
                .map(|rest| rest / self.period);
            match t {
                Some(t) if t < self.steps => train.active(step).for_each(|n| logical.set(t, n)),
                Some(_) => {}
                None => {
                    if let Some(n) = train.active(step).next() {
                        return Err((n, step));
                    }
                }
            }
        }
        Ok(logical)
    }

    /// The messages of the logical steps. Strays show in the spike train that marks them.
    pub(crate) fn messages(&self, train: &MessageTrain) -> MessageTrain {
        train.select((0..self.steps).map(|t| self.at(t)))
    }

    /// Spikes of each neuron over the logical steps of the run.
    pub(crate) fn counts(&self, train: &SpikeTrain) -> Vec<u32> {
        let mut counts = vec![0; train.neurons()];
        for t in 0..self.steps {
            if self.at(t) < train.steps() {
                train.active(self.at(t)).for_each(|n| counts[n] += 1);
            }
        }
        counts
    }
}

/// `score = bias + (Σ_k Σ_n W_k[class][n] · count_k[n]) / steps`, all in f64, terms in order and
/// neurons ascending, one division at the end. `terms` are counts and row-major weights.
pub(crate) fn mean_linear(terms: &[(Vec<u32>, &[f32])], bias: &[f32], steps: u32) -> Vec<f64> {
    let score = |(class, &bias): (usize, &f32)| {
        let mut sum = 0.0;
        for (counts, weights) in terms {
            let row = &weights[class * counts.len()..(class + 1) * counts.len()];
            for (&w, &count) in row.iter().zip(counts) {
                sum += f64::from(w) * f64::from(count);
            }
        }
        f64::from(bias) + sum / f64::from(steps)
    };
    bias.iter().enumerate().map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::{Window, argmax, mean_linear};
    use snnc_ir::spikes::SpikeTrain;

    #[test]
    fn ties_go_to_the_lowest_class_and_nan_never_wins() {
        assert_eq!(argmax(&[1.0, 3.0, 3.0]), Some(1));
        assert_eq!(argmax(&[f64::NAN, -1.0, f64::NAN]), Some(1));
        assert_eq!(argmax(&[f64::NEG_INFINITY]), Some(0));
        assert_eq!(argmax(&[]), None);
        assert_eq!(argmax(&[f64::NAN]), None);
    }

    #[test]
    fn window_maps_hardware_steps_back_and_finds_strays() {
        let window = Window { period: 2, latency: 1, steps: 2 };
        let mut train = SpikeTrain::new(6, 3);
        train.set(1, 0); // logical 0
        train.set(3, 2); // logical 1
        train.set(5, 1); // logical 2, after the run
        let logical = window.logical(&train).unwrap();
        assert!(logical.get(0, 0) && logical.get(1, 2));
        assert_eq!(logical.count(), 2);
        assert_eq!(window.counts(&train), [1, 0, 1]);
        train.set(4, 1);
        assert_eq!(window.logical(&train), Err((1, 4)));
        let mut early = SpikeTrain::new(6, 1);
        early.set(0, 0);
        assert_eq!(window.logical(&early), Err((0, 0)));
    }

    #[test]
    fn mean_linear_adds_terms_and_bias() {
        let terms = [(vec![2, 1], &[1.0, 2.0, -1.0, 4.0][..]), (vec![3], &[1.0, 0.5][..])];
        assert_eq!(mean_linear(&terms, &[0.5, 0.0], 2), [0.5 + 7.0 / 2.0, 3.5 / 2.0]);
    }
}
