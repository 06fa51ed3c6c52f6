//! What a calibration did: kept for reports.

use serde::Serialize;

/// What a calibration did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CalibrationLog {
    /// Samples that were used.
    pub samples: usize,
    /// Work that was allowed, in units of work.
    pub budget: u64,
    /// Work that was done. What has begun is finished, so this may exceed the budget a little.
    pub work: u64,
    /// Whether the search ended because the budget was spent.
    pub exhausted: bool,
    /// Mean over populations of the spike distance to the float network on the data.
    pub distance: Change,
    /// Correct predictions on the data, if it has labels.
    pub accuracy: Option<AccuracyLog>,
    /// Whether the calibrated recipe is better than the data-free one on the data; if not, the
    /// data-free one was returned.
    pub improved: bool,
    /// Populations of neurons in the order in which they were calibrated.
    pub populations: Vec<PopulationLog>,
    /// Graded relays, which keep their data-free integers: they send no spikes to compare.
    pub relays: Vec<String>,
    /// The search over the network as a whole.
    pub whole: WholeLog,
}

/// A value of the data-free recipe and of the one that was chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Change {
    /// Without data.
    pub data_free: f64,
    /// As chosen.
    pub calibrated: f64,
}

/// Correct predictions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AccuracyLog {
    /// Of the float network.
    pub float: usize,
    /// Of the data-free recipe.
    pub data_free: usize,
    /// Of the recipe that was chosen.
    pub calibrated: usize,
    /// Samples.
    pub total: usize,
}

/// What was tried and chosen for one population.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PopulationLog {
    /// Its name.
    pub name: String,
    /// Candidates that were measured, with the integers before the population in front.
    pub candidates: usize,
    /// Spike distance to the float network of the data-free recipe, and of the one that was chosen, each
    /// in its own whole network.
    pub distance: Change,
    /// The same with the calibrated integers before the population in front of both.
    pub alone: Change,
    /// Mean squared error of the membrane before and after rounding weights together, in units of the
    /// float membrane.
    pub membrane: Option<Change>,
    /// What differs from the data-free integers, in words.
    pub chosen: Vec<String>,
    /// Why something was not tried.
    pub limits: Vec<String>,
}

/// The search over the network as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct WholeLog {
    /// Candidates that were measured.
    pub candidates: usize,
    /// Samples they were measured on.
    pub samples: usize,
    /// Changes that were kept, in words, in order.
    pub chosen: Vec<String>,
}
