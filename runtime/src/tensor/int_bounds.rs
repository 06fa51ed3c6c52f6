//! Bounds on messages and sums, which keep the batched arithmetic exact.

use super::int_weights::EXACT;
use crate::error::SimError;
use crate::integer::bounds::worst_row;
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::param::Param;
use snnc_ir::quantized::messages::{self, host_range};
use snnc_ir::quantized::{PopKind, QuantizedDraft};

/// Largest sums of magnitudes, `Σ|w|·|m|`, over all stimuli.
pub(crate) struct Bounds {
    /// Of one row of each matrix, by matrix.
    pub(super) products: Vec<u64>,
}

impl Bounds {
    /// The bounds of `network`.
    ///
    /// # Errors
    /// [`SimError::TooLarge`] where a message could be inexact in f32 or a sum leave i32;
    /// [`SimError::ZeroDelayCycle`] for a loop of relays, which a verified network has not.
    pub(crate) fn new(network: &QuantizedDraft) -> Result<Self, SimError> {
        let worst: Vec<u64> = network.matrices.values().map(worst_row).collect();
        let sent = messages(network)?;
        let mut products = vec![0_u64; worst.len()];
        for p in network.projections.values() {
            let product = worst[p.matrix.index()].saturating_mul(sent[p.source.index()]);
            let slot = &mut products[p.matrix.index()];
            *slot = product.max(*slot);
        }
        let too_large = |what: &str, id: PopId, size, limit| {
            let what = format!("the worst {what} `{}`", network.populations[id].name);
            Err(SimError::TooLarge { what, size, limit })
        };
        for (id, population) in network.populations.iter() {
            if population.graded().is_some() && sent[id.index()] > EXACT {
                return too_large("message of", id, sent[id.index()], EXACT);
            }
            let period = population.neuron().map_or(1, |n| u64::from(n.update_period));
            let sum = drive(network, &worst, &sent, id).saturating_mul(period);
            if sum > i32::MAX as u64 {
                return too_large("sum of weights into", id, sum, i32::MAX as u64);
            }
        }
        Ok(Self { products })
    }
}

/// Largest `Σ|w|·|m|` that arrives at a neuron of `id` in one step.
fn arrivals(network: &QuantizedDraft, worst: &[u64], sent: &[u64], id: PopId) -> u64 {
    let products = network
        .projections_into(id)
        .map(|(_, p)| worst[p.matrix.index()].saturating_mul(sent[p.source.index()]));
    products.fold(0, u64::saturating_add)
}

/// Largest magnitude of the sums in population `id`: of a relay with its bias, which a neuron adds in
/// registers of its own.
fn drive(network: &QuantizedDraft, worst: &[u64], sent: &[u64], id: PopId) -> u64 {
    let sum = arrivals(network, worst, sent, id);
    let PopKind::Graded(graded) = &network.populations[id].kind else { return sum };
    let bias = graded.bias.values().iter().map(|b| u64::from(b.unsigned_abs())).max();
    sum.saturating_add(bias.unwrap_or(0)).saturating_add(largest(&host_range(network, id)))
}

/// Largest magnitude of what each population sends; 1 for spikes.
fn messages(network: &QuantizedDraft) -> Result<Vec<u64>, SimError> {
    let bounds = messages::Bounds::new(network).map_err(|_| SimError::ZeroDelayCycle)?;
    Ok(network.populations.ids().map(|id| largest(bounds.messages(id))).collect())
}

/// Largest magnitude within the ranges.
fn largest(ranges: &Param<messages::Range>) -> u64 {
    let each =
        ranges.values().iter().map(|(low, high)| low.unsigned_abs().max(high.unsigned_abs()));
    each.max().unwrap_or(0)
}
