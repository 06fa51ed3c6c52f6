//! What projections cost by the error model, which needs no data.

use serde::Serialize;
use snnc_passes::quantize::account::{Account, PopulationAccount, ProjectionAccount};

/// What a projection is estimated to cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PredictedCost {
    /// Population that it leads into.
    pub target: String,
    /// Its source.
    pub source: String,
    /// Position among the projections from this source.
    pub nth: u32,
    /// Name of its tensor.
    pub tensor: String,
    /// Standard deviation of the error of the membrane that it causes, over the threshold:
    /// `predicted_error · √predicted_share`.
    pub error: f64,
    /// Share of the error variance of its target.
    pub share: f64,
}

impl PredictedCost {
    fn of(population: &PopulationAccount, projection: &ProjectionAccount) -> Self {
        Self {
            target: population.name.clone(),
            source: projection.source.clone(),
            nth: projection.nth,
            tensor: projection.tensor.clone(),
            error: population.predicted_error * projection.predicted_share.max(0.0).sqrt(),
            share: projection.predicted_share,
        }
    }
}

/// All projections, the most expensive first; equal ones in the order of the account.
pub(super) fn ranked(account: &Account) -> Vec<PredictedCost> {
    let costs = account
        .populations
        .iter()
        .flat_map(|p| p.projections.iter().map(|projection| PredictedCost::of(p, projection)));
    let mut costs: Vec<_> = costs.collect();
    costs.sort_by(|a, b| b.error.total_cmp(&a.error));
    costs
}
