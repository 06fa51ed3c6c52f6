//! Rules of directly coded inputs: biases that the host writes.

use super::{codes, matrix};
use crate::arena::PopId;
use crate::diag::{Diagnostic, Diagnostics};
use crate::network::Coding;
use crate::quantized::{HostBias, PopKind, QuantizedDraft, Role, Structure};
use std::collections::BTreeSet;

/// An entry, as diagnostics name it.
pub(super) fn host_place(draft: &QuantizedDraft, host: &HostBias) -> String {
    let name = |id: PopId| {
        draft.populations.get(id).map_or_else(|| id.to_string(), |p| format!("\"{}\"", p.name))
    };
    format!("host {} -> {}", name(host.input), name(host.target))
}

/// Checks the entries; every reference exists.
pub(super) fn check(draft: &QuantizedDraft, out: &mut Diagnostics) {
    let mut seen = BTreeSet::new();
    for host in &draft.host {
        let mut wrong = |message: String, expected: String| {
            out.push(
                Diagnostic::error(codes::HOST_BIAS, message)
                    .at(host_place(draft, host))
                    .note(format!("expected {expected}"))
                    .help("run the quantize pass again, which makes these entries"),
            );
        };
        if !seen.insert((host.input, host.target)) {
            wrong("a second entry joins the same populations".into(), "one".into());
        }
        // Directly coded inputs without a range are reported with the populations.
        if !direct(draft, host.input) {
            wrong("the source is not coded directly".into(), "a directly coded input".into());
        }
        let target = &draft.populations[host.target];
        if target.is_input() || target.role != Role::Logical {
            let expected = "neurons or graded relays of the source network";
            wrong("the host cannot write to the target".into(), expected.into());
        }
        if let Some(problem) = layout(draft, host) {
            wrong("the weights do not fit the populations".into(), problem);
        }
        if let Some(index) = host.weights.iter().position(|w| !w.is_finite()) {
            let message = format!("weight {index} is {}", host.weights[index]);
            wrong(message, "finite numbers".into());
        }
        if !(host.scale.is_finite() && host.scale > 0.0) {
            wrong(format!("the scale is {}", host.scale), "a finite number above 0".into());
        }
    }
}

/// Whether the population is a directly coded input.
pub(super) fn direct(draft: &QuantizedDraft, id: PopId) -> bool {
    matches!(draft.populations[id].kind, PopKind::Input(Coding::Direct { .. }))
}

/// What was expected of the weights, if they do not fit.
fn layout(draft: &QuantizedDraft, host: &HostBias) -> Option<String> {
    let HostBias { input, target, structure, weights, .. } = host;
    if !matches!(structure, Structure::Dense { .. } | Structure::Conv(_)) {
        return Some("a dense matrix or a convolution".to_owned());
    }
    if let Some(problem) = matrix::structure(structure) {
        return Some(problem.trim_start_matches("expected ").to_owned());
    }
    let found = (structure.rows(), structure.cols());
    let expected = (draft.populations[*target].size(), draft.populations[*input].size());
    if found != expected {
        return Some(format!(
            "{} rows (targets) and {} columns (elements of a sample), found {} and {}",
            expected.0, expected.1, found.0, found.1
        ));
    }
    let stored = structure.stored();
    (weights.len() != stored)
        .then(|| format!("{stored} weights from the layout, found {}", weights.len()))
}
