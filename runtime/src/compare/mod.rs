//! Comparison of runs: how far apart the spikes are, where they part first, and why.
//!
//! [`Pair`]s of trains are compared neuron by neuron and step by step. A [`Subject`] is a run of any
//! simulator together with what is needed to repeat it; [`compare`] pairs the populations of two
//! subjects by name, in logical time, and explains the first divergence by repeating both runs
//! with a probe on the neuron at which they part.

mod subject;

use crate::error::SimError;
use snnc_ir::spikes::SpikeTrain;
pub use subject::{CoreSubject, FloatSubject, IntSubject, Membrane, Subject};

/// Two trains of one population.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// Name of the population.
    pub name: &'a str,
    /// Its spikes on the left side (the reference, where there is one).
    pub left: &'a SpikeTrain,
    /// Its spikes on the right side.
    pub right: &'a SpikeTrain,
}

impl Pair<'_> {
    fn check(&self) -> Result<(), SimError> {
        let size = |t: &SpikeTrain| (t.steps(), t.neurons());
        let (left, right) = (size(self.left), size(self.right));
        if left != right {
            return Err(SimError::TrainShape { name: self.name.to_owned(), left, right });
        }
        Ok(())
    }

    /// Words of both trains in step `t`, with the bits in which they differ.
    fn words(&self, t: usize) -> impl Iterator<Item = (u64, u64)> {
        self.left.step(t).iter().zip(self.right.step(t)).map(|(&l, &r)| (l, l ^ r))
    }
}

/// How far apart two trains are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distance {
    /// Name of the population.
    pub name: String,
    /// Neurons times steps.
    pub cells: u64,
    /// Spikes on the left side.
    pub left: u64,
    /// Spikes on the right side.
    pub right: u64,
    /// Spikes that only one side has.
    pub differing: u64,
}

impl Distance {
    /// Differing spikes over the spikes of both sides: 0 = equal, 1 = no spike in common. 0 if both
    /// are silent.
    pub fn ratio(&self) -> f64 {
        quotient(self.differing, self.left + self.right)
    }

    /// Rate on the right less the rate on the left, in spikes per neuron and step.
    pub fn rate_difference(&self) -> f64 {
        quotient(self.right, self.cells) - quotient(self.left, self.cells)
    }

    /// Adds the counts of `other`, to sum over populations or samples.
    pub fn add(&mut self, other: &Self) {
        self.cells += other.cells;
        self.left += other.left;
        self.right += other.right;
        self.differing += other.differing;
    }
}

/// `a / b`, 0 for `0 / 0`.
#[expect(clippy::cast_precision_loss, reason = "statistics need no more than 53 bits")]
fn quotient(a: u64, b: u64) -> f64 {
    if b == 0 { 0.0 } else { a as f64 / b as f64 }
}

/// Distance of every pair.
///
/// # Errors
/// [`SimError::TrainShape`].
pub fn distances(pairs: &[Pair<'_>]) -> Result<Vec<Distance>, SimError> {
    let distance = |pair: &Pair<'_>| {
        pair.check()?;
        let steps = 0..pair.left.steps();
        let ones = |t| pair.words(t).map(|(_, d)| u64::from(d.count_ones())).sum::<u64>();
        Ok(Distance {
            name: pair.name.to_owned(),
            cells: pair.left.steps() as u64 * pair.left.neurons() as u64,
            left: pair.left.count(),
            right: pair.right.count(),
            differing: steps.map(ones).sum(),
        })
    };
    pairs.iter().map(distance).collect()
}

/// A side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first argument, the reference where there is one.
    Left,
    /// The second argument.
    Right,
}

/// The first spike that only one side has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// Name of the population.
    pub population: String,
    /// Neuron.
    pub neuron: usize,
    /// Step.
    pub step: usize,
    /// The side that fired.
    pub fired: Side,
}

/// The first divergence in step order; within a step in the order of `pairs`, which should be
/// causal, then by neuron.
///
/// # Errors
/// [`SimError::TrainShape`].
pub fn first_divergence(pairs: &[Pair<'_>]) -> Result<Option<Divergence>, SimError> {
    pairs.iter().try_for_each(Pair::check)?;
    let steps = pairs.iter().map(|p| p.left.steps()).max().unwrap_or(0);
    for step in 0..steps {
        for pair in pairs.iter().filter(|p| step < p.left.steps()) {
            let differing = pair.words(step).enumerate().find(|(_, (_, d))| *d != 0);
            if let Some((word, (left, difference))) = differing {
                let bit = difference.trailing_zeros();
                let fired = if left >> bit & 1 == 1 { Side::Left } else { Side::Right };
                return Ok(Some(Divergence {
                    population: pair.name.to_owned(),
                    neuron: word * 64 + bit as usize,
                    step,
                    fired,
                }));
            }
        }
    }
    Ok(None)
}

/// A divergence with the state of the neuron on both sides.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// Where the runs part.
    pub divergence: Divergence,
    /// The membrane on the left side when it was compared; `None` for an input.
    pub left: Option<Membrane>,
    /// The membrane on the right side when it was compared; `None` for an input.
    pub right: Option<Membrane>,
}

/// What [`compare`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Distance of each population that both sides have, in causal order.
    pub distances: Vec<Distance>,
    /// The first divergence, if there is one.
    pub first: Option<Explained>,
    /// Populations of one side alone, which were not compared (relays, say, of a network that is
    /// compared with its source).
    pub unmatched: Vec<(Side, String)>,
}

/// Compares two runs in logical time: populations are paired by name, in the causal order of the
/// left side.
///
/// # Errors
/// [`SimError::OffSchedule`] for a spike that belongs to no logical step, [`SimError::TrainShape`],
/// errors of the repeated run.
pub fn compare(left: &dyn Subject, right: &dyn Subject) -> Result<Comparison, SimError> {
    let (lefts, rights) = (left.trains()?, right.trains()?);
    let mut pairs = Vec::new();
    let mut unmatched = Vec::new();
    for (name, left) in &lefts {
        match rights.iter().find(|(n, _)| n == name) {
            Some((_, right)) => pairs.push(Pair { name, left, right }),
            None => unmatched.push((Side::Left, name.clone())),
        }
    }
    let alone = rights.iter().filter(|(name, _)| !lefts.iter().any(|(n, _)| n == name));
    unmatched.extend(alone.map(|(name, _)| (Side::Right, name.clone())));
    let first = match first_divergence(&pairs)? {
        None => None,
        Some(divergence) => {
            let Divergence { population, neuron, step, .. } = &divergence;
            let left = left.membrane(population, *neuron, *step)?;
            let right = right.membrane(population, *neuron, *step)?;
            Some(Explained { divergence, left, right })
        }
    };
    Ok(Comparison { distances: distances(&pairs)?, first, unmatched })
}

/// Correct predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accuracy {
    /// Samples whose class was predicted.
    pub correct: usize,
    /// Samples.
    pub total: usize,
}

impl Accuracy {
    /// Share of correct predictions, 0 without samples.
    pub fn ratio(self) -> f64 {
        quotient(self.correct as u64, self.total as u64)
    }
}

/// Counts the predictions that equal their labels.
///
/// # Errors
/// [`SimError::LabelCount`].
pub fn accuracy(predictions: &[Option<usize>], labels: &[usize]) -> Result<Accuracy, SimError> {
    if predictions.len() != labels.len() {
        let (left, right) = (predictions.len(), labels.len());
        return Err(SimError::LabelCount { left, right });
    }
    let correct = predictions.iter().zip(labels).filter(|(p, l)| **p == Some(**l)).count();
    Ok(Accuracy { correct, total: labels.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn train(steps: usize, neurons: usize, spikes: &[(usize, usize)]) -> SpikeTrain {
        let mut train = SpikeTrain::new(steps, neurons);
        for &(t, n) in spikes {
            train.set(t, n);
        }
        train
    }

    #[test]
    fn divergence_is_found_in_step_then_causal_order() {
        let a = [train(4, 70, &[(0, 3), (2, 68)]), train(4, 2, &[(2, 0)])];
        let b = [train(4, 70, &[(0, 3), (2, 69)]), train(4, 2, &[(3, 1)])];
        let pairs = [
            Pair { name: "first", left: &a[0], right: &b[0] },
            Pair { name: "second", left: &a[1], right: &b[1] },
        ];
        let found = first_divergence(&pairs).unwrap().unwrap();
        let expected =
            Divergence { population: "first".to_owned(), neuron: 68, step: 2, fired: Side::Left };
        assert_eq!(found, expected);
        let swapped = [pairs[1], pairs[0]];
        assert_eq!(first_divergence(&swapped).unwrap().unwrap().population, "second");
        assert_eq!(first_divergence(&[Pair { right: &a[0], ..pairs[0] }]), Ok(None));
    }

    #[test]
    fn distance_counts_what_only_one_side_has() {
        let left = train(4, 5, &[(0, 1), (1, 1), (2, 2)]);
        let right = train(4, 5, &[(0, 1), (3, 4)]);
        let mut sum =
            distances(&[Pair { name: "p", left: &left, right: &right }]).unwrap().remove(0);
        assert_eq!((sum.left, sum.right, sum.differing, sum.cells), (3, 2, 3, 20));
        assert!((sum.ratio() - 0.6).abs() < 1e-12);
        assert!((sum.rate_difference() + 0.05).abs() < 1e-12);
        sum.add(&sum.clone());
        assert_eq!((sum.differing, sum.cells), (6, 40));
        let silent = SpikeTrain::new(4, 5);
        let none = distances(&[Pair { name: "p", left: &silent, right: &silent }]).unwrap();
        assert!(none[0].ratio() == 0.0);
        let other = SpikeTrain::new(4, 6);
        let mismatch = distances(&[Pair { name: "p", left: &silent, right: &other }]);
        assert!(matches!(mismatch, Err(SimError::TrainShape { .. })));
    }

    #[test]
    fn accuracy_needs_a_label_per_prediction() {
        let counted = accuracy(&[Some(1), None, Some(0)], &[1, 0, 2]).unwrap();
        assert_eq!(counted, Accuracy { correct: 1, total: 3 });
        assert!(matches!(accuracy(&[], &[1]), Err(SimError::LabelCount { .. })));
    }
}
