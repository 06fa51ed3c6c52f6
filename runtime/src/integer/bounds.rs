//! Bounds that keep sums of messages inside 64 bits.

use crate::error::SimError;
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::quantized::{IntMatrix, QuantizedDraft, Structure};

/// Largest `Σ|w|` whose product with the largest message, 2^31, leaves half of the 64 bits to biases:
/// the static one and one of 32 bits from each input.
const LARGEST: u64 = 1 << 31;

/// Largest `Σ|w|` of any row.
pub(crate) fn worst_row(matrix: &IntMatrix) -> u64 {
    let sum = |range: std::ops::Range<usize>| {
        range.map(|i| u64::from(matrix.weight(i).unsigned_abs())).sum::<u64>()
    };
    let stored = matrix.mantissa.len();
    let rows = match &matrix.structure {
        Structure::Dense { rows, .. } => *rows as usize,
        // Every output of a channel uses the same kernel (at the border a part of it).
        Structure::Conv(conv) => conv.out_channels as usize,
        Structure::Sparse { row_start, .. } => {
            let rows = row_start.windows(2).map(|r| sum(r[0] as usize..r[1] as usize));
            return rows.max().unwrap_or(0);
        }
        Structure::Identity { .. } => 1,
    };
    let per_row = stored / rows.max(1);
    (0..rows).map(|r| sum(r * per_row..(r + 1) * per_row)).max().unwrap_or(0)
}

/// Refuses a population that reads messages through so many synapses that a sum could leave 64
/// bits. `worst` is [`worst_row`] by matrix.
///
/// # Errors
/// [`SimError::TooLarge`].
pub(super) fn check(network: &QuantizedDraft, id: PopId, worst: &[u64]) -> Result<(), SimError> {
    let population = &network.populations[id];
    let reads_messages =
        network.projections_into(id).any(|(_, p)| network.populations[p.source].graded().is_some());
    if !reads_messages {
        return Ok(());
    }
    let incoming = network.projections_into(id).map(|(_, p)| worst[p.matrix.index()]);
    let period = population.neuron().map_or(1, |n| u64::from(n.update_period));
    let size = incoming.fold(0, u64::saturating_add).saturating_mul(period);
    if size > LARGEST {
        let what = format!("the worst sum of weights into `{}`", population.name);
        return Err(SimError::TooLarge { what, size, limit: LARGEST });
    }
    Ok(())
}
