//! How many findings are reported.

use snnc_ir::diag::codes::genome as codes;
use snnc_ir::{Diagnostic, Diagnostics, Severity};

/// Most findings that are reported.
const MAX_REPORTED: usize = 100;

/// The first findings, errors before warnings, none twice (a neuron with a wrong tensor is found
/// wrong at each node that uses it). A broken file may have thousands.
pub(crate) fn limited(out: Diagnostics) -> Diagnostics {
    let (errors, rest): (Vec<_>, Vec<_>) =
        out.into_iter().partition(|d| d.severity == Severity::Error);
    let mut kept: Vec<Diagnostic> = Vec::new();
    let mut more = 0_usize;
    for d in errors.into_iter().chain(rest) {
        if kept.len() == MAX_REPORTED {
            more += 1;
        } else if !kept.contains(&d) {
            kept.push(d);
        }
    }
    if more > 0 {
        let message = format!("up to {more} more findings are not shown");
        kept.push(Diagnostic::note_only(codes::LIMIT, message));
    }
    kept.into_iter().collect()
}
