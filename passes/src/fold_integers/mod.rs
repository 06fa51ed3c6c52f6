//! `fold-integers`: what is equal in integers exists once (class: exact).
//!
//! Different float values can round to the same integers, and what the genome generates once is
//! quantized once per scale. In the time of the genome the pass
//!
//! * moves mantissas up where a narrower field then holds them (`store`);
//! * removes projections whose weights are all 0 (`projections`);
//! * merges populations that compute the same from the same (`populations`);
//! * joins projections of the same ends and delay into their sum, where one matrix stores it in less
//!   memory (`projections`);
//!
//! until nothing changes, and
//!
//! * lists only the nonzero weights of dense matrices that hold few (`store`);
//! * gives matrices that are equal up to a power of two, in whatever layout, the same mantissas (`align`).
//!
//! In any time matrices of equal weights become one, and matrices that nothing
//! uses are dropped (`matrices`). No weight, no parameter and no readout changes, so no spike does.
//!
//! Matrices whose weights are equal up to a power of two, or in another layout, remain matrices of their own:
//! weights belong to a format that holds the exponent. A program stores their mantissas once.
//!
//! ```text
//! // before
//! mat0 "a" dense [1, 2] mixed exponent -1 … { 2 -4 }
//! mat1 "b" dense [1, 2] mixed exponent 0 … { 0 0 }
//! proj0 pop0 -> pop1 mat0 delay 0
//! proj1 pop0 -> pop1 mat0 delay 0
//! proj2 pop1 -> pop1 mat1 delay 1
//! // after
//! mat0 "a" dense [1, 2] mixed exponent -7 … { 128 -256 }
//! proj0 pop0 -> pop1 mat0 delay 0
//! ```
//!
//! Complexity: O(rounds · (stored mantissas · log matrices + neurons' parameters)); every round but the
//! last removes a population, a projection or a matrix.

mod align;
pub mod content;
mod matrices;
mod populations;
mod projections;
mod record;
mod store;
#[cfg(test)]
mod tests;

use crate::framework::{Class, Context, Pass, PassInfo};
pub(crate) use matrices::equal;
pub use record::{Fold, FoldKind, Part};
use snnc_ir::Diagnostics;
use snnc_ir::quantized::{QuantizedDraft, QuantizedNetwork, Role, Time};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct FoldIntegers;

impl Pass for FoldIntegers {
    type From = QuantizedNetwork;
    type To = QuantizedNetwork;

    fn info(&self) -> &'static PassInfo {
        &PassInfo {
            name: "fold-integers",
            summary: "let what is equal in integers exist once, and drop what is zero",
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
        let mut folds = Vec::new();
        // Relays and clocks are where the schedule has put them.
        let logical = draft.populations.values().all(|p| p.role == Role::Logical);
        matrices::drop_unused(&mut draft, &mut folds);
        matrices::share(&mut draft, &mut folds);
        if logical && draft.time == Time::Logical {
            // First, so that a sum is compared with the least that its parts can take.
            store::narrow(&mut draft, cx.target, &mut folds);
            loop {
                let before = folds.len();
                projections::remove_zero(&mut draft, &mut folds);
                populations::merge(&mut draft, &mut folds);
                projections::join(&mut draft, cx.target, &mut folds);
                matrices::share(&mut draft, &mut folds);
                if folds.len() == before {
                    break;
                }
            }
            store::list_nonzero(&mut draft, cx.target, &mut folds);
            align::align(&mut draft, cx.target, &mut folds);
        }
        cx.remarks.extend(folds.iter().map(Fold::remark).collect());
        cx.folds.extend(folds);
        Ok(draft)
    }
}
