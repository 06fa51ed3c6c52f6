//! The same weights in less memory: nonzero weights only, and narrower fields.

use super::content::distinct_values;
use super::record::{Fold, FoldKind};
use snnc_ir::quantized::{IntMatrix, QuantizedDraft, Structure};
use snnc_ir::target::TargetSpec;
use std::collections::BTreeSet;

/// Lists only the nonzero weights of a dense matrix where that takes at most three quarters of the memory, on
/// cores as in a program, whatever else lies on its cores.
///
/// Matrices of messages keep their layout: the bounds of messages are computed from it.
pub(super) fn list_nonzero(draft: &mut QuantizedDraft, target: &TargetSpec, folds: &mut Vec<Fold>) {
    let graded = |id| draft.populations[id].graded().is_some();
    let mut keep: BTreeSet<_> = draft
        .projections
        .values()
        .filter(|p| graded(p.source) || graded(p.target))
        .map(|p| p.matrix)
        .collect();
    // Values that another matrix holds, too, are stored once as long as both list the same ones.
    let shared = distinct_values(&draft.matrices).into_iter().filter(|v| v.matrices.len() > 1);
    keep.extend(shared.flat_map(|v| v.matrices));
    for (_, matrix) in draft.matrices.iter_mut().filter(|(id, _)| !keep.contains(id)) {
        let Some((sparse, saved)) = sparse(matrix, target) else { continue };
        let values = (matrix.mantissa.len() - sparse.mantissa.len()) as u64;
        let fold = Fold::new(FoldKind::Sparse, &sparse.name, Vec::new());
        folds.push(Fold { values, bits: saved, synapses: values, ..fold });
        *matrix = sparse;
    }
}

/// The nonzero weights of a dense matrix and the bits of memory that this saves, if it saves enough.
fn sparse(matrix: &IntMatrix, target: &TargetSpec) -> Option<(IntMatrix, u64)> {
    let Structure::Dense { rows, cols } = matrix.structure else { return None };
    let (height, width) = (rows as usize, cols as usize);
    let bits = u64::from(matrix.weight_bits());
    let column = |col: usize| (0..height).map(move |row| matrix.mantissa[row * width + col]);
    let lists: BTreeSet<Vec<i16>> = (0..width).map(|col| column(col).collect()).collect();
    let compartments = u64::try_from(target.compartments.value).unwrap_or(0).max(64);
    let index = u64::from(u64::BITS - (compartments - 1).leading_zeros());
    let listed = |n: u64, bits| 64 * target.axon_words(n, bits);
    // Axons of equal columns may read one list; those of listed synapses may not.
    let dense = lists.len() as u64 * listed(u64::from(rows), bits);
    let nonzero = |col| column(col).filter(|&m| m != 0).count() as u64;
    let sparse: u64 = (0..width).map(|col| listed(nonzero(col), bits + index)).sum();
    let entries = matrix.synapses();
    // A program lists a column in about two bytes.
    let written = entries * (bits + 16) + 16 * u64::from(rows);
    if 4 * sparse > 3 * dense || 4 * written > 3 * bits * matrix.mantissa.len() as u64 {
        return None;
    }
    let mut row_start = Vec::with_capacity(height + 1);
    let (mut col, mut mantissa) = (Vec::new(), Vec::new());
    row_start.push(0);
    for row in matrix.mantissa.chunks(width) {
        for (at, &m) in (0_u32..).zip(row).filter(|(_, m)| **m != 0) {
            col.push(at);
            mantissa.push(m);
        }
        row_start.push(u32::try_from(col.len()).ok()?);
    }
    let structure = Structure::Sparse { rows, cols, row_start, col };
    Some((IntMatrix { structure, mantissa, ..matrix.clone() }, dense - sparse))
}

/// Moves mantissas up, and the exponent down, where a narrower field of weights then holds them.
pub(super) fn narrow(draft: &mut QuantizedDraft, target: &TargetSpec, folds: &mut Vec<Fold>) {
    let least = i8::try_from(target.min_weight_exponent.value.clamp(-7, 7)).unwrap_or(0);
    for matrix in draft.matrices.values_mut() {
        let before = matrix.weight_bits();
        let Some(better) = narrowest(matrix, least) else { continue };
        let bits = u64::from(before - better.weight_bits());
        let listed = match matrix.structure {
            Structure::Dense { .. } => matrix.mantissa.len() as u64,
            _ => matrix.synapses(),
        };
        let fold = Fold::new(FoldKind::Narrow, &better.name, Vec::new());
        folds.push(Fold { bits: bits * listed, ..fold });
        *matrix = better;
    }
}

/// The same weights in the narrowest field, if that is narrower than the present one; moved no farther than
/// needed.
fn narrowest(matrix: &IntMatrix, least: i8) -> Option<IntMatrix> {
    let moved = |by: i8| {
        let exponent = matrix.exponent.checked_sub(by).filter(|e| *e >= least)?;
        let mantissa = matrix.mantissa.iter().map(|m| m.checked_mul(1 << by));
        let stored = |m: Option<i16>| m.filter(|m| matrix.sign.stores(*m));
        let mantissa = mantissa.map(stored).collect::<Option<_>>()?;
        Some(IntMatrix { mantissa, exponent, ..matrix.clone() })
    };
    let best = (1..=7).filter_map(moved).min_by_key(IntMatrix::weight_bits)?;
    (best.weight_bits() < matrix.weight_bits()).then_some(best)
}
