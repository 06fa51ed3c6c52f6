//! Trying entries of one population, with the integers before it in front.

use super::entry::Entry;
use super::layers::Layer;
use super::measure::{Bench, Trial};
use super::work::Work;
use snnc_ir::recipe::Recipe;

/// A population that is searched.
pub(super) struct Probe<'a> {
    pub(super) layer: &'a Layer,
    pub(super) bench: Bench<'a>,
    /// The recipe of the part, but for what is tried.
    recipe: Recipe,
    /// Candidates that were measured.
    pub(super) tried: usize,
}

/// An entry that was measured.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// The entry, complete.
    pub(super) entry: Entry,
    /// Spikes that differ from the float network, by row.
    pub(super) rows: Vec<u64>,
    /// Differing spikes over the spikes of both networks.
    pub(super) distance: f64,
}

impl Outcome {
    /// Spikes that differ.
    pub(super) fn differing(&self) -> u64 {
        self.rows.iter().sum()
    }
}

impl<'a> Probe<'a> {
    /// `recipe` is complete.
    pub(super) fn new(layer: &'a Layer, bench: Bench<'a>, recipe: &Recipe) -> Self {
        let recipe = bench.cut.restrict(recipe);
        Self { layer, bench, recipe, tried: 0 }
    }

    /// Measures `entry`. `None` if the share of the budget is spent, or if the target cannot hold it.
    pub(super) fn measure(&mut self, entry: &Entry, work: &mut Work<'_>) -> Option<Outcome> {
        let mut recipe = self.recipe.clone();
        entry.put(&mut recipe);
        self.run(&recipe, work)
    }

    /// Measures what quantization makes of `entry` with other settings. `None` as in [`Probe::measure`], or if
    /// that is one of `known`.
    pub(super) fn complete(
        &mut self,
        entry: &Entry,
        settings: snnc_ir::recipe::Settings,
        known: &[Outcome],
        work: &mut Work<'_>,
    ) -> Option<Outcome> {
        let mut recipe = self.recipe.clone();
        recipe.settings = settings;
        entry.put(&mut recipe);
        let full = self.bench.apply(&recipe, work)?.recipe;
        let entry = Entry::of(&full, self.layer)?;
        if known.iter().any(|outcome| outcome.entry == entry) {
            return None;
        }
        self.measure(&entry, work)
    }

    fn run(&mut self, recipe: &Recipe, work: &mut Work<'_>) -> Option<Outcome> {
        if !work.allows(self.bench.cost) {
            return None;
        }
        self.tried += 1;
        let Trial { recipe, counts, .. } = self.bench.run(recipe, work)?;
        let (_, counts) = counts.into_iter().next()?;
        let distance = counts.distance();
        Some(Outcome { entry: Entry::of(&recipe, self.layer)?, rows: counts.rows, distance })
    }
}
