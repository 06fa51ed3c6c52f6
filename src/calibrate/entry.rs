//! What a recipe says about one population, and how a search changes it.

use super::layers::{Layer, Term};
use snnc_ir::Param;
use snnc_ir::recipe::{PopulationRecipe, ProjectionRecipe, Recipe};

/// Distinct thresholds that a population may have where it has fewer: chips keep them in small tables.
const THRESHOLDS: usize = 8;

/// What a complete recipe says about a population and its projections from spikes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) population: PopulationRecipe,
    /// By position in [`Layer::terms`].
    pub(super) terms: Vec<ProjectionRecipe>,
}

impl Entry {
    /// The entry of `layer`; `None` if one of its parts is missing.
    pub(super) fn of(recipe: &Recipe, layer: &Layer) -> Option<Self> {
        let terms = layer.terms.iter();
        let terms = terms.map(|t| recipe.projection(&t.source_name, &layer.name, t.nth).cloned());
        Some(Self {
            population: recipe.population(&layer.name)?.clone(),
            terms: terms.collect::<Option<_>>()?,
        })
    }

    /// Replaces the entry in `recipe`, in place where there is one.
    pub(super) fn put(&self, recipe: &mut Recipe) {
        let name = &self.population.name;
        match recipe.populations.iter_mut().find(|p| p.name == *name) {
            Some(entry) => entry.clone_from(&self.population),
            None => recipe.populations.push(self.population.clone()),
        }
        for term in &self.terms {
            let same = |p: &&mut ProjectionRecipe| {
                (&p.source, &p.target, p.nth) == (&term.source, &term.target, term.nth)
            };
            match recipe.projections.iter_mut().find(same) {
                Some(entry) => entry.clone_from(term),
                None => recipe.projections.push(term.clone()),
            }
        }
    }

    /// Scale of every row, or `None` if one is missing or not the same for the neurons of a row.
    pub(super) fn row_scales(&self, layer: &Layer) -> Option<Vec<f64>> {
        row_values(self.population.scale.as_ref()?, layer)
    }

    /// Whether both store weights in the same steps, but for scales.
    fn same_frame(&self, other: &Self) -> bool {
        let frame = |t: &ProjectionRecipe| (t.weight_bits, t.split, t.exponent);
        let terms = self.terms.iter().zip(&other.terms);
        self.population.dv == other.population.dv
            && terms.into_iter().all(|(a, b)| frame(a) == frame(b))
    }

    /// This entry with the rows of `other` where `take` says so. `None` if they store weights in
    /// different steps, or if that takes more distinct thresholds than chips hold.
    pub(super) fn mixed(&self, other: &Self, layer: &Layer, take: &[bool]) -> Option<Self> {
        if !self.same_frame(other) {
            return None;
        }
        let mut mixed = self.clone();
        let (own, from) = (&mut mixed.population, &other.population);
        merge(&mut own.scale, from.scale.as_ref(), layer, take)?;
        merge(&mut own.threshold, from.threshold.as_ref(), layer, take)?;
        merge(&mut own.bias, from.bias.as_ref(), layer, take)?;
        for (own, from) in mixed.terms.iter_mut().zip(&other.terms) {
            let (Some(own), Some(from)) = (&mut own.weights, &from.weights) else { return None };
            if own.len() != from.len() || !own.len().is_multiple_of(layer.rows.max(1)) {
                // A weight that all neurons share cannot be taken for some.
                if own != from {
                    return None;
                }
                continue;
            }
            let size = (own.len() / layer.rows.max(1)).max(1);
            let rows = own.chunks_mut(size).zip(from.chunks(size)).zip(take);
            rows.filter(|(_, take)| **take).for_each(|((own, from), _)| own.copy_from_slice(from));
        }
        let thresholds = |entry: &Self| entry.population.threshold.as_ref().map_or(0, distinct);
        (thresholds(&mixed) <= thresholds(self).max(THRESHOLDS)).then_some(mixed)
    }
}

/// Values of all rows.
pub(super) fn row_values<T: Copy + PartialEq>(param: &Param<T>, layer: &Layer) -> Option<Vec<T>> {
    let per_row = layer.per_row();
    let row = |row: usize| {
        let first = param.at(row * per_row, &layer.shape);
        let mut rest = row * per_row + 1..(row + 1) * per_row;
        rest.all(|n| param.at(n, &layer.shape) == first).then_some(first)
    };
    (0..layer.rows).map(row).collect()
}

/// A parameter with one value for every row.
pub(super) fn of_rows<T: Copy + PartialEq>(values: &[T], layer: &Layer) -> Param<T> {
    let per_row = layer.per_row();
    let all = values.iter().flat_map(|&v| std::iter::repeat_n(v, per_row)).collect();
    Param::PerNeuron(all).compact(&layer.shape)
}

/// Applies `f` to the values of all neurons: `f(row, value)`.
pub(super) fn by_row<T: Copy + PartialEq>(
    param: &Param<T>,
    layer: &Layer,
    mut f: impl FnMut(usize, T) -> T,
) -> Param<T> {
    let per_row = layer.per_row();
    let all = (0..layer.shape.size()).map(|n| f(n / per_row, param.at(n, &layer.shape))).collect();
    Param::PerNeuron(all).compact(&layer.shape)
}

/// Takes rows of `other` into `own`. `None` if only one of them decides.
fn merge<T: Copy + PartialEq>(
    own: &mut Option<Param<T>>,
    other: Option<&Param<T>>,
    layer: &Layer,
    take: &[bool],
) -> Option<()> {
    let (Some(kept), Some(other)) = (own.as_ref(), other) else {
        return (own.as_ref() == other).then_some(());
    };
    let per_row = layer.per_row();
    let value = |n: usize| {
        let from = if take[n / per_row] { other } else { kept };
        from.at(n, &layer.shape)
    };
    let all = Param::PerNeuron((0..layer.shape.size()).map(value).collect());
    *own = Some(all.compact(&layer.shape));
    Some(())
}

/// Number of distinct values.
fn distinct(param: &Param<i32>) -> usize {
    let mut values = param.values().to_vec();
    values.sort_unstable();
    values.dedup();
    values.len()
}

/// What the user's recipe says about `layer`, with empty entries where it says nothing.
pub(super) fn given(recipe: &Recipe, layer: &Layer) -> Entry {
    let empty = || PopulationRecipe { name: layer.name.clone(), ..PopulationRecipe::default() };
    let term = |t: &Term| {
        let found = recipe.projection(&t.source_name, &layer.name, t.nth).cloned();
        found.unwrap_or_else(|| ProjectionRecipe {
            source: t.source_name.clone(),
            target: layer.name.clone(),
            nth: t.nth,
            ..ProjectionRecipe::default()
        })
    };
    Entry {
        population: recipe.population(&layer.name).cloned().unwrap_or_else(empty),
        terms: layer.terms.iter().map(term).collect(),
    }
}

/// What the user's recipe leaves to the search.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent permissions")]
pub(super) struct Free {
    pub(super) scale: bool,
    pub(super) frame: bool,
    pub(super) weights: bool,
    pub(super) threshold: bool,
    pub(super) bias: bool,
    pub(super) dv: bool,
}

impl Free {
    /// What `given`, the user's recipe, does not decide about `layer`. `tied` populations share weights or
    /// scales with others.
    pub(super) fn new(given: &Recipe, layer: &Layer, tied: bool) -> Self {
        let own = given.population(&layer.name);
        let entry = |t: &Term| given.projection(&t.source_name, &layer.name, t.nth);
        let open = |f: fn(&ProjectionRecipe) -> bool| {
            layer.terms.iter().filter_map(entry).all(|entry| !f(entry))
        };
        let weights = open(|e| e.weights.is_some());
        let scale = !tied && weights && own.is_none_or(|p| p.scale.is_none());
        Self {
            scale,
            frame: scale && open(|e| e.exponent.is_some()),
            weights: weights && !layer.terms.is_empty(),
            threshold: own.is_none_or(|p| p.threshold.is_none()),
            // A bias that the float network does not have would need clock spikes on the chip.
            bias: own.is_none_or(|p| p.bias.is_none()) && layer.bias.iter().any(|b| *b != 0.0),
            dv: own.is_none_or(|p| p.dv.is_none()),
        }
    }
}

/// Whether two projections of one tensor store the same integers in the same groups.
pub(super) fn same_integers(a: &ProjectionRecipe, b: &ProjectionRecipe) -> bool {
    (a.weight_bits, a.split, a.exponent, &a.weights)
        == (b.weight_bits, b.split, b.exponent, &b.weights)
}
