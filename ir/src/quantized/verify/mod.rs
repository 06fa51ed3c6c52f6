//! The verifier of integer networks.

mod host;
mod matrix;
mod population;
mod readout;
mod target;
#[cfg(test)]
mod tests;
mod time;

use super::{PopKind, QuantizedDraft, Role, messages};
use crate::arena::{MatId, PopId, ProjId};
use crate::check;
use crate::diag::codes::quantize as codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::level::Rules;
pub(crate) use target::check as check_target;

/// Checks every rule of the level, and the ranges of the target if one is given.
pub(crate) fn check(draft: &QuantizedDraft, rules: Rules<'_>, out: &mut Diagnostics) {
    let before = out.len();
    let names = draft.populations.iter().map(|(id, p)| (population_place(draft, id), &*p.name));
    check::names(names, codes::NAME, out);
    if draft.steps == 0 {
        out.push(
            Diagnostic::error(codes::STEPS, "the network runs for 0 steps")
                .at("steps")
                .note("expected at least 1")
                .help("set the number of logical steps of one run"),
        );
    }
    for id in draft.populations.ids() {
        population::check(draft, id, out);
    }
    let mut sound = true;
    for id in draft.matrices.ids() {
        sound &= matrix::check(draft, id, out);
    }
    if !references(draft, out) {
        // What follows looks populations and matrices up.
        return;
    }
    projections(draft, out);
    host::check(draft, out);
    graded_loops(draft, out);
    readout::check(draft, out);
    if sound {
        time::check(draft, out);
    }
    // Limits of a target presuppose matrices and parameters that can be read.
    if out.len() == before
        && let Some(target) = rules.target
    {
        check_target(draft, target, out);
    }
}

/// A population, as diagnostics name it.
pub(crate) fn population_place(draft: &QuantizedDraft, id: PopId) -> String {
    draft
        .populations
        .get(id)
        .map_or_else(|| id.to_string(), |p| format!("population \"{}\" ({id})", p.name))
}

/// A matrix, as diagnostics name it.
fn matrix_place(draft: &QuantizedDraft, id: MatId) -> String {
    format!("matrix \"{}\" ({id})", draft.matrices[id].name)
}

/// A projection, as diagnostics name it.
pub(crate) fn projection_place(draft: &QuantizedDraft, id: ProjId) -> String {
    let projection = &draft.projections[id];
    let name = |p: PopId| {
        draft.populations.get(p).map_or_else(|| p.to_string(), |p| format!("\"{}\"", p.name))
    };
    format!("projection {} -> {} ({id})", name(projection.source), name(projection.target))
}

/// Reports every id that names nothing; true if there is none.
fn references(draft: &QuantizedDraft, out: &mut Diagnostics) -> bool {
    let before = out.len();
    for (id, projection) in draft.projections.iter() {
        let place = || projection_place(draft, id);
        check::unknown(&draft.populations, projection.source, codes::REFERENCE, place, out);
        check::unknown(&draft.populations, projection.target, codes::REFERENCE, place, out);
        check::unknown(&draft.matrices, projection.matrix, codes::REFERENCE, place, out);
    }
    for (id, population) in draft.populations.iter() {
        if let Role::Relay { of, .. } = population.role {
            check::unknown(
                &draft.populations,
                of,
                codes::REFERENCE,
                || population_place(draft, id),
                out,
            );
        }
    }
    for host in &draft.host {
        let place = || host::host_place(draft, host);
        check::unknown(&draft.populations, host.input, codes::REFERENCE, place, out);
        check::unknown(&draft.populations, host.target, codes::REFERENCE, place, out);
    }
    for id in draft.readout.populations() {
        check::unknown(&draft.populations, id, codes::REFERENCE, || "readout".to_owned(), out);
    }
    out.len() == before
}

/// Ends and sizes of every projection.
fn projections(draft: &QuantizedDraft, out: &mut Diagnostics) {
    for (id, projection) in draft.projections.iter() {
        let [source, target] =
            [projection.source, projection.target].map(|p| &draft.populations[p]);
        if host::direct(draft, projection.source) {
            out.push(
                Diagnostic::error(codes::CODING, "the projection starts at a directly coded input")
                    .at(projection_place(draft, id))
                    .note("expected a source that sends spikes or messages")
                    .help("let the host add what the input causes to the biases of the target"),
            );
        }
        if matches!(target.kind, PopKind::Input(_)) {
            out.push(
                Diagnostic::error(codes::INPUT_TARGET, "the projection ends at an input")
                    .at(projection_place(draft, id))
                    .note("expected a population of neurons or graded relays as target")
                    .help("direct it to neurons, or swap source and target"),
            );
        }
        let structure = &draft.matrices[projection.matrix].structure;
        let found = (structure.rows(), structure.cols());
        let expected = (target.size(), source.size());
        if found != expected {
            out.push(
                Diagnostic::error(
                    codes::PROJECTION,
                    format!("{} has {} rows and {} columns", projection.matrix, found.0, found.1),
                )
                .at(projection_place(draft, id))
                .note(format!(
                    "expected {} rows (targets) and {} columns (sources)",
                    expected.0, expected.1
                ))
                .help("use the matrix of this connection"),
            );
        }
    }
}

/// Loops of graded relays, whose messages have no bounds.
fn graded_loops(draft: &QuantizedDraft, out: &mut Diagnostics) {
    for part in messages::graded_loops(draft) {
        let names: Vec<_> =
            part.iter().map(|&id| format!("\"{}\"", draft.populations[id].name)).collect();
        out.push(
            Diagnostic::error(codes::GRADED_LOOP, "graded relays form a loop without a neuron")
                .at(population_place(draft, part[0]))
                .note(format!("the loop runs through {}", names.join(", ")))
                .help("put a population of neurons into the loop: it bounds what goes around"),
        );
    }
}
