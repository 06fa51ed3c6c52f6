//! Matrices of equal weights become one; matrices that nothing uses are dropped.

use super::content::first_of_same_weights;
use super::record::{Fold, FoldKind};
use snnc_ir::Entity;
use snnc_ir::arena::{Arena, MatId};
use snnc_ir::quantized::{IntMatrix, QuantizedDraft};
use std::collections::BTreeMap;

/// Whether two matrices are the same integers in the same store.
pub(crate) fn equal(a: &IntMatrix, b: &IntMatrix) -> bool {
    a.structure == b.structure
        && a.exponent == b.exponent
        && a.sign == b.sign
        && a.mantissa == b.mantissa
}

/// Of matrices of equal weights the first stays, stored as the one among them that takes the fewest bits.
pub(super) fn share(draft: &mut QuantizedDraft, folds: &mut Vec<Fold>) {
    let first = first_of_same_weights(&draft.matrices);
    let mut folded: BTreeMap<MatId, Vec<MatId>> = BTreeMap::new();
    for (id, &first) in draft.matrices.ids().zip(&first).filter(|(id, first)| id != *first) {
        folded.entry(first).or_default().push(id);
    }
    for (&kept, gone) in &folded {
        let names = gone.iter().map(|id| draft.matrices[*id].name.clone()).collect();
        let values = draft.matrices[kept].mantissa.len() * gone.len();
        let name = &draft.matrices[kept].name;
        folds.push(Fold { values: values as u64, ..Fold::new(FoldKind::Shared, name, names) });
        let all = std::iter::once(&kept).chain(gone).copied();
        let Some(narrowest) = all.min_by_key(|id| (draft.matrices[*id].weight_bits(), *id)) else {
            continue;
        };
        let IntMatrix { mantissa, exponent, sign, .. } = draft.matrices[narrowest].clone();
        let stays = &mut draft.matrices[kept];
        (stays.mantissa, stays.exponent, stays.sign) = (mantissa, exponent, sign);
    }
    for projection in draft.projections.values_mut() {
        projection.matrix = first[projection.matrix.index()];
    }
    retain(draft, |id, _| first[id.index()] == id);
}

/// Drops the matrices that no projection uses, and says so.
pub(super) fn drop_unused(draft: &mut QuantizedDraft, folds: &mut Vec<Fold>) {
    let used = used(draft);
    for (_, matrix) in draft.matrices.iter().filter(|(id, _)| !used[id.index()]) {
        let values = matrix.mantissa.len() as u64;
        let fold = Fold::new(FoldKind::Unused, "", vec![matrix.name.clone()]);
        folds.push(Fold { values, ..fold });
    }
    retain(draft, |id, _| used[id.index()]);
}

/// Drops the matrices that a fold has left without a use; returns how many values they stored.
pub(super) fn drop_left(draft: &mut QuantizedDraft) -> u64 {
    let used = used(draft);
    let left = draft.matrices.iter().filter(|(id, _)| !used[id.index()]);
    let values = left.map(|(_, m)| m.mantissa.len() as u64).sum();
    retain(draft, |id, _| used[id.index()]);
    values
}

fn used(draft: &QuantizedDraft) -> Vec<bool> {
    let mut used = vec![false; draft.matrices.len()];
    for projection in draft.projections.values() {
        used[projection.matrix.index()] = true;
    }
    used
}

/// Keeps some matrices, among them all that projections use.
fn retain(draft: &mut QuantizedDraft, keep: impl Fn(MatId, &IntMatrix) -> bool) {
    let mut kept = Arena::new();
    let mut renamed = Vec::with_capacity(draft.matrices.len());
    let all = std::mem::take(&mut draft.matrices).into_values();
    for (index, matrix) in all.into_iter().enumerate() {
        let id = MatId::new(index);
        renamed.push(if keep(id, &matrix) { kept.push(matrix) } else { id });
    }
    draft.matrices = kept;
    for projection in draft.projections.values_mut() {
        projection.matrix = renamed[projection.matrix.index()];
    }
}
