//! Comparison of runs: how far apart the spikes and messages are, where they part first, and why.
//!
//! [`Pair`]s of populations are compared neuron by neuron and step by step. A [`Subject`] is a run of any
//! simulator together with what is needed to repeat it; [`compare`] pairs the populations of two
//! subjects by name, in logical time, and explains the first divergence by repeating both runs
//! with a probe on the neuron at which they part.

mod activity;
mod subject;

use crate::error::SimError;
pub use activity::{Activity, Difference, Pair, Record, Side};
pub use subject::{CoreSubject, FloatSubject, IntSubject, Membrane, Subject};

/// How far apart two sides are. A graded message counts like a spike; messages of one neuron and step
/// that have different values count on each side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distance {
    /// Name of the population.
    pub name: String,
    /// Neurons times steps.
    pub cells: u64,
    /// Spikes or messages on the left side.
    pub left: u64,
    /// Spikes or messages on the right side.
    pub right: u64,
    /// Spikes or messages that only one side has.
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
        let (left, right) = (pair.left.spikes, pair.right.spikes);
        Ok(Distance {
            name: pair.name.to_owned(),
            cells: left.steps() as u64 * left.neurons() as u64,
            left: left.count(),
            right: right.count(),
            differing: (0..left.steps()).map(|t| pair.differing(t)).sum(),
        })
    };
    pairs.iter().map(distance).collect()
}

/// The first spike or message that only one side has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// Name of the population.
    pub population: String,
    /// Neuron.
    pub neuron: usize,
    /// Step.
    pub step: usize,
    /// What differs.
    pub difference: Difference,
}

/// The first divergence in step order; within a step in the order of `pairs`, which should be
/// causal, then by neuron.
///
/// # Errors
/// [`SimError::TrainShape`].
pub fn first_divergence(pairs: &[Pair<'_>]) -> Result<Option<Divergence>, SimError> {
    pairs.iter().try_for_each(Pair::check)?;
    let steps = pairs.iter().map(Pair::steps).max().unwrap_or(0);
    for step in 0..steps {
        for pair in pairs.iter().filter(|p| step < p.steps()) {
            if let Some((neuron, difference)) = pair.first(step) {
                let population = pair.name.to_owned();
                return Ok(Some(Divergence { population, neuron, step, difference }));
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
    /// The membrane on the left side when it was compared; `None` for an input or graded relay.
    pub left: Option<Membrane>,
    /// The membrane on the right side when it was compared; `None` for an input or graded relay.
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
/// [`SimError::OffSchedule`] for a spike or message that belongs to no logical step, [`SimError::TrainShape`],
/// errors of the repeated run.
pub fn compare(left: &dyn Subject, right: &dyn Subject) -> Result<Comparison, SimError> {
    let (lefts, rights) = (left.records()?, right.records()?);
    let mut pairs = Vec::new();
    let mut unmatched = Vec::new();
    for left in &lefts {
        match rights.iter().find(|right| right.name == left.name) {
            Some(right) => {
                let (name, left) = (&left.name, left.activity());
                pairs.push(Pair { name, left, right: right.activity() });
            }
            None => unmatched.push((Side::Left, left.name.clone())),
        }
    }
    let alone = rights.iter().filter(|right| !lefts.iter().any(|left| left.name == right.name));
    unmatched.extend(alone.map(|right| (Side::Right, right.name.clone())));
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
    use snnc_ir::spikes::SpikeTrain;

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
            Pair { name: "first", left: (&a[0]).into(), right: (&b[0]).into() },
            Pair { name: "second", left: (&a[1]).into(), right: (&b[1]).into() },
        ];
        let found = first_divergence(&pairs).unwrap().unwrap();
        let difference = Difference::Spike(Side::Left);
        let expected =
            Divergence { population: "first".to_owned(), neuron: 68, step: 2, difference };
        assert_eq!(found, expected);
        let swapped = [pairs[1], pairs[0]];
        assert_eq!(first_divergence(&swapped).unwrap().unwrap().population, "second");
        assert_eq!(first_divergence(&[Pair { right: (&a[0]).into(), ..pairs[0] }]), Ok(None));
    }

    #[test]
    fn distance_counts_what_only_one_side_has() {
        let left = train(4, 5, &[(0, 1), (1, 1), (2, 2)]);
        let right = train(4, 5, &[(0, 1), (3, 4)]);
        let between = |left: &SpikeTrain, right: &SpikeTrain| {
            distances(&[Pair { name: "p", left: left.into(), right: right.into() }])
        };
        let mut sum = between(&left, &right).unwrap().remove(0);
        assert_eq!((sum.left, sum.right, sum.differing, sum.cells), (3, 2, 3, 20));
        assert!((sum.ratio() - 0.6).abs() < 1e-12);
        assert!((sum.rate_difference() + 0.05).abs() < 1e-12);
        sum.add(&sum.clone());
        assert_eq!((sum.differing, sum.cells), (6, 40));
        let silent = SpikeTrain::new(4, 5);
        let none = between(&silent, &silent).unwrap();
        assert!(none[0].ratio() == 0.0);
        let other = SpikeTrain::new(4, 6);
        assert!(matches!(between(&silent, &other), Err(SimError::TrainShape { .. })));
    }

    #[test]
    fn accuracy_needs_a_label_per_prediction() {
        let counted = accuracy(&[Some(1), None, Some(0)], &[1, 0, 2]).unwrap();
        assert_eq!(counted, Accuracy { correct: 1, total: 3 });
        assert!(matches!(accuracy(&[], &[1]), Err(SimError::LabelCount { .. })));
    }
}
