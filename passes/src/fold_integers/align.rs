//! Matrices whose weights are equal up to a power of two get the same mantissas; their exponents absorb the power.
//!
//! A program stores an array of mantissas once, whatever exponents and layouts refer to it.

use super::content::{common_power, distinct_values, values};
use super::record::{Fold, FoldKind};
use snnc_ir::arena::MatId;
use snnc_ir::quantized::{IntMatrix, QuantizedDraft};
use snnc_ir::target::TargetSpec;
use std::collections::{BTreeMap, BTreeSet};

/// Aligns all matrices of the same values that no weight field gets wider by, and no more formats than a core
/// holds.
pub(super) fn align(draft: &mut QuantizedDraft, target: &TargetSpec, folds: &mut Vec<Fold>) {
    for class in distinct_values(&draft.matrices) {
        let arrays: BTreeSet<&[i16]> =
            class.matrices.iter().map(|id| draft.matrices[*id].mantissa.as_slice()).collect();
        let saved = class.len as u64 * (arrays.len() as u64).saturating_sub(1);
        if saved == 0 {
            continue;
        }
        let Some(aligned) = aligned(draft, &class.matrices, target) else { continue };
        let mut names = class.matrices.iter().map(|id| draft.matrices[*id].name.clone());
        let fold = Fold::new(FoldKind::Aligned, names.next().unwrap_or_default(), names.collect());
        folds.push(Fold { values: saved, ..fold });
        for (id, matrix) in aligned {
            draft.matrices[id] = matrix;
        }
    }
}

/// The matrices with common mantissas: the ones with which all fields together are narrowest, else the smallest.
fn aligned(
    draft: &QuantizedDraft,
    ids: &[MatId],
    target: &TargetSpec,
) -> Option<BTreeMap<MatId, IntMatrix>> {
    let [least, largest] = [&target.min_weight_exponent, &target.max_weight_exponent]
        .map(|limit| i8::try_from(limit.value.clamp(-7, 7)).unwrap_or(0));
    let content = values(&draft.matrices[*ids.first()?]);
    let moved = |by: i8| {
        let mantissa =
            content.iter().map(|m| m.checked_mul(1 << by)).collect::<Option<Vec<_>>>()?;
        let stored = |id: &MatId| {
            let matrix = &draft.matrices[*id];
            let own = i8::try_from(common_power(&matrix.mantissa)).ok()?;
            let exponent = (matrix.exponent + own).checked_sub(by)?;
            let fits = (least..=largest).contains(&exponent)
                && mantissa.iter().all(|&m| matrix.sign.stores(m));
            let moved = IntMatrix { mantissa: mantissa.clone(), exponent, ..matrix.clone() };
            (fits && moved.weight_bits() <= matrix.weight_bits()).then_some((*id, moved))
        };
        let all: BTreeMap<MatId, IntMatrix> = ids.iter().map(stored).collect::<Option<_>>()?;
        let formats = draft.matrices.iter().map(|(id, m)| all.get(&id).unwrap_or(m));
        let formats: BTreeSet<_> = formats.map(|m| (m.exponent, m.sign, m.weight_bits())).collect();
        let few = i64::try_from(formats.len()).is_ok_and(|n| n <= target.formats.value);
        few.then_some(all)
    };
    let bits = |all: &BTreeMap<MatId, IntMatrix>| -> u32 {
        all.values().map(|m| u32::from(m.weight_bits())).sum()
    };
    (0..=8).filter_map(moved).min_by_key(bits)
}
