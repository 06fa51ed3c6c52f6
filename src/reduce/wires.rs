//! Delays of projections.

use super::Edited;
use super::integers::edited;
use snnc_ir::arena::{Entity, ProjId};
use snnc_ir::level::AnyDraft;

/// Shorter delays: none, one step, half.
pub(super) fn delays(draft: &AnyDraft, place: usize) -> Edited {
    let AnyDraft::Quantized(network) = draft else { return Edited::End };
    let (id, what) = (ProjId::new(place / 3), place % 3);
    if !network.projections.contains(id) {
        return Edited::End;
    }
    edited(draft, |next| {
        let delay = &mut next.projections[id].delay;
        let shorter = [0, 1, *delay / 2][what];
        (shorter < *delay).then(|| *delay = shorter)
    })
}
