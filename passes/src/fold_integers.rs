//! `fold-integers`: equal integer matrices become one (class: exact).
//!
//! Different float matrices can round to the same integers, and a matrix shared in the genome is
//! quantized once per scale. Whatever ends up with the same layout, mantissas, exponent and sign
//! mode is stored once; projections are redirected, and matrices that nothing uses are dropped.
//!
//! Complexity: O(stored mantissas · log matrices).

use crate::framework::{Class, Context, Pass, PassInfo};
use snnc_ir::arena::{Arena, MatId};
use snnc_ir::diag::codes;
use snnc_ir::quantized::{IntMatrix, QuantizedDraft, QuantizedNetwork};
use snnc_ir::{Diagnostic, Diagnostics, Entity};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct FoldIntegers;

impl Pass for FoldIntegers {
    type From = QuantizedNetwork;
    type To = QuantizedNetwork;

    fn info(&self) -> &'static PassInfo {
        &PassInfo {
            name: "fold-integers",
            summary: "store equal integer matrices once",
            class: Class::Exact,
            requires: &[],
            establishes: &[],
            invalidates: &[],
            options: &[],
        }
    }

    fn run(
        &self,
        mut draft: QuantizedDraft,
        cx: &mut Context<'_>,
    ) -> Result<QuantizedDraft, Diagnostics> {
        let mut used = vec![false; draft.matrices.len()];
        for projection in draft.projections.values() {
            used[projection.matrix.index()] = true;
        }
        let mut kept: Arena<MatId, IntMatrix> = Arena::new();
        let mut renamed: Vec<Option<MatId>> = Vec::with_capacity(used.len());
        for (id, matrix) in
            std::mem::take(&mut draft.matrices).into_values().into_iter().enumerate()
        {
            if !used[id] {
                cx.remarks
                    .push(note(format!("matrix `{}` is not used and was dropped", matrix.name)));
                renamed.push(None);
                continue;
            }
            let same = kept.iter().find(|(_, k)| equal(k, &matrix)).map(|(k, _)| k);
            let id = same.unwrap_or_else(|| kept.push(matrix.clone()));
            if same.is_some() {
                cx.remarks.push(note(format!(
                    "matrix `{}` equals `{}` in integers and shares its store ({} mantissas saved)",
                    matrix.name,
                    kept[id].name,
                    matrix.mantissa.len()
                )));
            }
            renamed.push(Some(id));
        }
        for projection in draft.projections.values_mut() {
            if let Some(id) = renamed[projection.matrix.index()] {
                projection.matrix = id;
            }
        }
        draft.matrices = kept;
        Ok(draft)
    }
}

/// Whether two matrices are the same integers in the same store.
pub(crate) fn equal(a: &IntMatrix, b: &IntMatrix) -> bool {
    a.structure == b.structure
        && a.exponent == b.exponent
        && a.sign == b.sign
        && a.mantissa == b.mantissa
}

fn note(message: String) -> Diagnostic {
    Diagnostic::note_only(codes::quantize::FOLDED, message)
}
