//! Small changes of one population after the other, measured on the network as a whole.
//!
//! What serves the spikes of one population best need not serve those behind it, nor the predictions. Each
//! change is run with all that it reaches; a change that costs predictions is not kept.

use super::entry::{Entry, Free, by_row};
use super::layers::{Layer, downstream};
use super::measure::{Bench, Counts, Predictions, Trial};
use super::reference::Trains;
use super::work::Work;
use super::{Search, WholeLog};
use snnc_ir::arena::NodeId;
use snnc_ir::recipe::Recipe;
use std::collections::BTreeSet;

/// Changes of thresholds and biases that are tried, as shares of the threshold.
const SHARES: [f64; 4] = [0.02, 0.01, 0.005, 0.0025];
/// Rounds over all populations at most.
const ROUNDS: usize = 4;

/// A recipe with what it does.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) recipe: Recipe,
    /// By population, in the order of the search.
    counts: Vec<(String, Counts)>,
    predictions: Predictions,
}

impl State {
    pub(super) fn new(recipe: Recipe, trial: &Trial) -> Self {
        let counts = trial.counts.clone();
        Self { recipe, counts, predictions: trial.predictions.unwrap_or_default() }
    }

    /// The state with what a part does in place of what it did.
    fn with(&self, recipe: Recipe, trial: Trial) -> Self {
        let mut state = Self { recipe, ..self.clone() };
        for (name, counts) in trial.counts {
            if let Some(entry) = state.counts.iter_mut().find(|(n, _)| *n == name) {
                entry.1 = counts;
            }
        }
        state.predictions = trial.predictions.unwrap_or(self.predictions);
        state
    }

    /// Mean of the distances of the populations.
    #[expect(clippy::cast_precision_loss, reason = "populations are few")]
    pub(super) fn distance(&self) -> f64 {
        let sum: f64 = self.counts.iter().map(|(_, c)| c.distance()).sum();
        sum / self.counts.len().max(1) as f64
    }

    /// Distance of one population.
    pub(super) fn of(&self, name: &str) -> f64 {
        self.counts.iter().find(|(n, _)| n == name).map_or(0.0, |(_, counts)| counts.distance())
    }

    pub(super) const fn predictions(&self) -> Predictions {
        self.predictions
    }
}

/// A change of an entry.
#[derive(Clone, Copy, Debug)]
enum Step {
    Threshold(f64),
    Bias(f64),
    Decay(i32),
}

impl Step {
    /// All of them, large ones first.
    fn all() -> impl Iterator<Item = Self> {
        let signed = SHARES.into_iter().flat_map(|share| [share, -share]);
        let steps = signed.flat_map(|share| [Self::Threshold(share), Self::Bias(share)]);
        steps.chain([1, -1].map(Self::Decay))
    }

    /// The entry after the change; `None` if it may not change or there is nothing to change.
    fn of(self, entry: &Entry, layer: &Layer, free: Free) -> Option<Entry> {
        let mut changed = entry.clone();
        let (old, new) = (&entry.population, &mut changed.population);
        let threshold = old.threshold.as_ref()?;
        match self {
            Self::Threshold(share) if free.threshold => {
                let moved = |_, t| (t + part(t, share)).max(1);
                new.threshold = Some(by_row(threshold, layer, moved));
            }
            Self::Bias(share) if free.bias => {
                let moved =
                    old.bias.as_ref()?.zip(threshold, &layer.shape, |b, t| b + part(t, share));
                new.bias = Some(moved.compact(&layer.shape));
            }
            Self::Decay(by) if free.dv => {
                // No leak stays none, and full leak full.
                let moved = |_, dv: u16| match dv {
                    0 | 4095 => dv,
                    dv => dv.saturating_add_signed(if by > 0 { 1 } else { -1 }).clamp(1, 4094),
                };
                new.dv = Some(by_row(old.dv.as_ref()?, layer, moved));
            }
            _ => return None,
        }
        (changed != *entry).then_some(changed)
    }

    fn describe(self, name: &str) -> String {
        match self {
            Self::Threshold(share) => format!("thresholds of `{name}` {:+.2} %", 100.0 * share),
            Self::Bias(share) => {
                format!("biases of `{name}` {:+.2} % of the threshold", 100.0 * share)
            }
            Self::Decay(by) => format!("decay registers of `{name}` {by:+}"),
        }
    }
}

/// A share of a threshold, at least one unit.
pub(super) fn part(threshold: i32, share: f64) -> i32 {
    let units = f64::from(threshold) * share.abs();
    #[expect(clippy::cast_possible_truncation, reason = "a share of an i32")]
    let whole = (units.max(1.0) * share.signum()).round() as i32;
    whole
}

impl Search<'_> {
    /// Improves `state` step by step.
    pub(super) fn whole(&self, state: State, log: &mut WholeLog, work: &mut Work<'_>) -> State {
        let mut state = state;
        for round in 0..ROUNDS {
            let mut improved = false;
            // The last populations are the cheapest to run, and the predictions are theirs.
            for (number, layer) in self.layers.iter().rev().enumerate() {
                let rest = (self.layers.len() - number) as u64;
                work.begin(&format!("whole network, round {}", round + 1), work.left() / rest);
                improved |= self.steps(layer, &mut state, log, work);
            }
            if !improved || work.exhausted() {
                break;
            }
        }
        state
    }

    /// Tries the steps of one population; whether one was kept.
    fn steps(
        &self,
        layer: &Layer,
        state: &mut State,
        log: &mut WholeLog,
        work: &mut Work<'_>,
    ) -> bool {
        let live = downstream(self.layers, layer.node);
        let Some((bench, entry)) = self.part(layer, &live, state, work) else { return false };
        let mut entry = entry;
        let free = Free::new(self.given, layer, true);
        let mut improved = false;
        for step in Step::all() {
            // A step that helps may help again.
            while let Some(changed) = step.of(&entry, layer, free)
                && work.allows(bench.cost)
            {
                let mut recipe = state.recipe.clone();
                changed.put(&mut recipe);
                log.candidates += 1;
                let Some(trial) = bench.run(&bench.cut.restrict(&recipe), work) else { break };
                let next = state.with(recipe, trial);
                if !self.is_better(&next, state) {
                    break;
                }
                log.chosen.push(step.describe(&layer.name));
                (*state, entry, improved) = (next, changed, true);
            }
        }
        improved
    }

    /// What the populations `live` are run on, given what the others send, and the entry of `layer`. `None` if
    /// the share of the budget does not even allow one change to be run.
    fn part<'b>(
        &'b self,
        layer: &Layer,
        live: &BTreeSet<NodeId>,
        state: &State,
        work: &mut Work<'_>,
    ) -> Option<(Bench<'b>, Entry)> {
        let entry = Entry::of(&state.recipe, layer)?;
        let outside: BTreeSet<_> =
            self.layers.iter().map(|l| l.node).filter(|id| !live.contains(id)).collect();
        let mut trains = Trains::new();
        if !outside.is_empty() {
            // These do not read from the others, or the others would be downstream of themselves.
            let bench = self.bench(&outside, &trains);
            if !work.allows(bench.cost) {
                return None;
            }
            trains = bench.trains(&bench.cut.restrict(&state.recipe), work)?;
        }
        let bench = self.bench(live, &trains);
        work.allows(bench.cost).then_some((bench, entry))
    }

    /// Whether `next` is better: never at the price of predictions that the float network gets right.
    pub(super) fn is_better(&self, next: &State, state: &State) -> bool {
        let correct = |s: &State| s.predictions.correct;
        let float = self.reference.correct();
        let enough = correct(state).min(float);
        correct(next) >= enough && self.score(next) < self.score(state)
    }

    /// What is made small: the mean distance, and predictions that are lost or different.
    #[expect(clippy::cast_precision_loss, reason = "samples are far fewer than 2^52")]
    pub(super) fn score(&self, state: &State) -> f64 {
        let Predictions { same, correct } = state.predictions;
        let lost = self.reference.correct().zip(correct).map_or(0, |(f, c)| f.saturating_sub(c));
        let other = self.reference.samples.saturating_sub(same);
        let share = |n: usize| n as f64 / self.reference.samples.max(1) as f64;
        state.distance() + super::LOST_WEIGHT * share(lost) + super::OTHER_WEIGHT * share(other)
    }
}
