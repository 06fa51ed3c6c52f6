//! What is counted sample by sample: sums alone, never trains.
//!
//! All sums are integers and the samples of one part follow those of another, so the result does
//! not depend on where parts begin.

use super::data::Messages;
use super::sides::{Sides, at_sample};
use crate::stimulus::Stimuli;
use snnc_ir::arena::Entity;
use snnc_runtime::SimError;
use snnc_runtime::compare::{self, Difference, Distance, Pair, Side};
use snnc_runtime::float::{FloatProbe, FloatRun};
use snnc_runtime::integer::{IntProbe, IntRun};
use std::ops::Range;

/// Samples in which margins are looked at: the first ones that diverge.
pub(super) const EXPLAINED: usize = 32;

/// Sums over some samples.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    /// By position in [`Sides::populations`].
    pub(super) populations: Vec<Counts>,
    /// By position in [`Sides::relays`].
    pub(super) relays: Vec<Messages>,
    /// Correct predictions of both sides.
    pub(super) correct: [usize; 2],
    /// Equal predictions.
    pub(super) same_prediction: usize,
    /// Samples in which a spike differs.
    pub(super) diverging: usize,
    /// The first [`EXPLAINED`] of them.
    pub(super) explained: Vec<usize>,
    /// First divergences of populations: those of the samples above, and the first of every
    /// population. Ordered by sample, then by position of the population.
    pub(super) splits: Vec<Split>,
}

/// Sums of one population.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    pub(super) distance: Distance,
    /// Spikes of every neuron on both sides.
    pub(super) spikes: [Vec<u64>; 2],
    /// Samples in which it diverges.
    pub(super) diverging: usize,
    /// Samples in which it diverges first.
    pub(super) leads: usize,
}

/// Where a population diverges first in a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) sample: usize,
    /// Position in [`Sides::populations`].
    pub(super) population: usize,
    pub(super) step: usize,
    pub(super) neuron: usize,
    /// Who fired.
    pub(super) side: Side,
}

impl Tally {
    /// No sample.
    pub(super) fn new(sides: &Sides<'_>) -> Self {
        let counts = |name: &str, size: usize| Counts {
            distance: Distance { name: name.to_owned(), cells: 0, left: 0, right: 0, differing: 0 },
            spikes: [vec![0; size], vec![0; size]],
            diverging: 0,
            leads: 0,
        };
        Self {
            populations: sides.populations.iter().map(|p| counts(&p.name, p.size)).collect(),
            relays: vec![Messages::default(); sides.relays.len()],
            correct: [0; 2],
            same_prediction: 0,
            diverging: 0,
            explained: Vec::new(),
            splits: Vec::new(),
        }
    }

    /// Runs these samples on both sides.
    ///
    /// # Errors
    /// What a simulator rejects, with the sample.
    pub(super) fn of(
        sides: &Sides<'_>,
        stimuli: &Stimuli,
        samples: Range<usize>,
    ) -> Result<Self, SimError> {
        let mut tally = Self::new(sides);
        for sample in samples {
            at_sample(stimuli, sample, tally.add(sides, stimuli, sample))?;
        }
        Ok(tally)
    }

    fn add(&mut self, sides: &Sides<'_>, stimuli: &Stimuli, sample: usize) -> Result<(), SimError> {
        let [left, right] = sides.stimulus(stimuli, sample)?;
        let float = sides.float.run(&left, &FloatProbe::None)?;
        let integers = sides.quantized.run(&right, &IntProbe::None)?;
        let classes = [float.class(), integers.class()];
        self.same_prediction += usize::from(classes[0] == classes[1]);
        if let Some(&label) = stimuli.labels().and_then(|labels| labels.get(sample)) {
            for (correct, class) in self.correct.iter_mut().zip(classes) {
                *correct += usize::from(class == Some(label));
            }
        }
        for (messages, id) in self.relays.iter_mut().zip(&sides.relays) {
            let Some(train) = &integers.messages[id.index()] else { continue };
            for &(_, m) in (0..train.steps()).flat_map(|t| train.step(t)) {
                messages.sent += 1;
                messages.low = messages.low.min(m);
                messages.high = messages.high.max(m);
            }
        }
        let splits = self.spikes(sides, sample, &float, &integers)?;
        self.diverge(splits);
        Ok(())
    }

    /// Counts spikes, and finds where each population diverges first.
    fn spikes(
        &mut self,
        sides: &Sides<'_>,
        sample: usize,
        float: &FloatRun,
        integers: &IntRun,
    ) -> Result<Vec<Split>, SimError> {
        let mut splits = Vec::new();
        for (index, (own, counts)) in
            sides.populations.iter().zip(&mut self.populations).enumerate()
        {
            let Some(left) = float.spikes.get(&own.node) else { continue };
            let (left, right) = (own.own(0, left), own.own(1, &integers.spikes[own.id.index()]));
            let (left, right) = (left.as_ref(), right.as_ref());
            let pairs = [Pair { name: &own.name, left: left.into(), right: right.into() }];
            for distance in compare::distances(&pairs)? {
                counts.distance.add(&distance);
            }
            for (sums, train) in counts.spikes.iter_mut().zip([left, right]) {
                sums.iter_mut().zip(train.counts()).for_each(|(sum, n)| *sum += u64::from(n));
            }
            if let Some(found) = compare::first_divergence(&pairs)?
                && let Difference::Spike(side) = found.difference
            {
                let (step, neuron) = (found.step, found.neuron);
                splits.push(Split { sample, population: index, step, neuron, side });
            }
        }
        Ok(splits)
    }

    /// Counts the divergences of one sample.
    fn diverge(&mut self, splits: Vec<Split>) {
        // The first of those with the smallest step: populations stand in causal order.
        let Some(first) = splits.iter().min_by_key(|s| s.step).copied() else { return };
        self.diverging += 1;
        self.populations[first.population].leads += 1;
        let explained = self.explained.len() < EXPLAINED;
        if explained {
            self.explained.push(first.sample);
        }
        for split in splits {
            let counts = &mut self.populations[split.population];
            if explained || counts.diverging == 0 {
                self.splits.push(split);
            }
            counts.diverging += 1;
        }
    }

    /// Adds the sums of later samples.
    #[must_use]
    pub(super) fn then(mut self, later: Self) -> Self {
        let mut explained = later.explained;
        explained.truncate(EXPLAINED.saturating_sub(self.explained.len()));
        let known: Vec<bool> = self.populations.iter().map(|p| p.diverging > 0).collect();
        let mut seen = known;
        for split in later.splits {
            let first = !std::mem::replace(&mut seen[split.population], true);
            if first || explained.contains(&split.sample) {
                self.splits.push(split);
            }
        }
        self.explained.extend(explained);
        for (sum, more) in self.populations.iter_mut().zip(later.populations) {
            sum.distance.add(&more.distance);
            for (sum, more) in sum.spikes.iter_mut().zip(more.spikes) {
                sum.iter_mut().zip(more).for_each(|(sum, n)| *sum += n);
            }
            sum.diverging += more.diverging;
            sum.leads += more.leads;
        }
        for (sum, more) in self.relays.iter_mut().zip(later.relays) {
            sum.sent += more.sent;
            sum.low = sum.low.min(more.low);
            sum.high = sum.high.max(more.high);
        }
        for (sum, more) in self.correct.iter_mut().zip(later.correct) {
            *sum += more;
        }
        self.same_prediction += later.same_prediction;
        self.diverging += later.diverging;
        self
    }
}
