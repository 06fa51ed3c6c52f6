//! Bounds on messages and sums, which keep the batched arithmetic exact.

use super::int_weights::EXACT;
use crate::error::SimError;
use crate::integer::bounds::worst_row;
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::network::Coding;
use snnc_ir::quantized::population::MAX_SHIFT;
use snnc_ir::quantized::{HostBias, PopKind, QuantizedDraft};

/// Largest sums of magnitudes, `Σ|w|·|m|`, over all stimuli.
pub(super) struct Bounds {
    /// Of one row of each matrix, by matrix.
    pub(super) products: Vec<u64>,
}

impl Bounds {
    /// The bounds of `network`.
    ///
    /// # Errors
    /// [`SimError::TooLarge`] where a message could be inexact in f32 or a sum leave i32.
    pub(super) fn new(network: &QuantizedDraft) -> Result<Self, SimError> {
        let worst: Vec<u64> = network.matrices.values().map(worst_row).collect();
        let sent = messages(network, &worst);
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
    let hosts = network.host.iter().filter(|h| h.target == id).map(|h| host(network, h));
    sum.saturating_add(bias.unwrap_or(0)).saturating_add(hosts.fold(0, u64::saturating_add))
}

/// Largest magnitude of what each population sends; 1 for spikes.
fn messages(network: &QuantizedDraft, worst: &[u64]) -> Vec<u64> {
    let populations = &network.populations;
    let mut sent = vec![1_u64; populations.len()];
    // Relays form no loop among themselves: after as many rounds as there are relays in a chain
    // nothing changes any more.
    for _ in populations.ids() {
        let mut changed = false;
        for (id, population) in populations.iter() {
            let PopKind::Graded(graded) = &population.kind else { continue };
            let drive = drive(network, worst, &sent, id);
            // Rounding down takes a negative sum one further from 0.
            let rounded = u64::from(graded.shift > 0 && drive > 0);
            let bound = (drive >> graded.shift.min(MAX_SHIFT)).saturating_add(rounded);
            changed |= std::mem::replace(&mut sent[id.index()], bound) != bound;
        }
        if !changed {
            break;
        }
    }
    sent
}

/// Largest magnitude of what the host adds to a bias of an entry's target.
fn host(network: &QuantizedDraft, host: &HostBias) -> u64 {
    let kind = &network.populations[host.input].kind;
    let PopKind::Input(Coding::Direct { range: Some(range) }) = *kind else {
        // Never in a verified network, which states the range.
        return u64::MAX;
    };
    let rows = 0..host.structure.rows();
    rows.map(|row| {
        let (low, high) = host.range(row, range);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        let bound = low.abs().max(high.abs()) as u64;
        bound
    })
    .max()
    .unwrap_or(0)
}
