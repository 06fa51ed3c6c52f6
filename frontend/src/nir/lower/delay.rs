//! `Delay` nodes in steps.

use super::DelayEntry;
use super::plan::visit;
use crate::arrays::Array;
use crate::json::quote;
use crate::nir::graph::{NirGraph, Primitive};
use snnc_ir::check::MAX_DELAY;
use snnc_ir::diag::codes::nir_time as codes;
use snnc_ir::{Diagnostic, Diagnostics};
use std::collections::BTreeMap;

/// Delays of all nodes of type `Delay`.
#[derive(Clone, Debug, Default)]
pub(super) struct Delays {
    /// Steps of each element, by the name of the node; one value where all have the same.
    pub(super) steps: BTreeMap<String, Vec<u32>>,
    /// For the report: the distinct delays of each node.
    pub(super) entries: Vec<DelayEntry>,
}

/// The delays of `graph` in steps of length `step` (in the unit of the file): the nearest number of steps, and of
/// two the even one.
pub(super) fn delays(graph: &NirGraph, step: f64, out: &mut Diagnostics) -> Delays {
    let mut found = Delays::default();
    visit(graph, "", "/node", &mut |name, path, primitive| {
        if let Primitive::Delay { delay } = primitive
            && let Some((steps, entries)) = one(name, path, delay, step, out)
        {
            found.steps.insert(name.to_owned(), steps);
            found.entries.extend(entries);
        }
    });
    found
}

/// The steps of one node, and its distinct delays.
fn one(
    name: &str,
    path: &str,
    delay: &Array,
    step: f64,
    out: &mut Diagnostics,
) -> Option<(Vec<u32>, Vec<DelayEntry>)> {
    // Numbers that f64 cannot hold are beyond the limit anyway.
    let values = delay.to_f64().unwrap_or_else(|_| vec![f64::INFINITY]);
    let mut entries: Vec<DelayEntry> = Vec::new();
    let mut steps = Vec::with_capacity(values.len());
    for value in values {
        let exact = value / step;
        let rounded = exact.round_ties_even();
        if !(0.0..=f64::from(MAX_DELAY)).contains(&rounded) {
            out.push(
                Diagnostic::error(
                    codes::NO_STEPS,
                    format!("{} delays by {exact:?} steps", quote(name)),
                )
                .at(path)
                .note(format!("at most {MAX_DELAY} steps are possible; one step is {step:?}"))
                .help("check `--time-unit` and `--dt`"),
            );
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number from 0 to MAX_DELAY"
        )]
        let whole = rounded as u32;
        steps.push(whole);
        if !entries.iter().any(|e| e.delay.to_bits() == value.to_bits()) {
            let residue = exact - rounded;
            entries.push(DelayEntry { node: name.to_owned(), delay: value, steps: whole, residue });
        }
    }
    if let Some(worst) = entries.iter().max_by(|a, b| a.residue.abs().total_cmp(&b.residue.abs()))
        && worst.residue.abs() > 1e-3
    {
        out.push(
            Diagnostic::warning(
                codes::ROUNDED_DELAY,
                format!(
                    "{} delays by {:.4} steps, which become {}",
                    quote(name),
                    f64::from(worst.steps) + worst.residue,
                    worst.steps
                ),
            )
            .at(path)
            .note(format!("{:+.4} steps are left over", worst.residue)),
        );
    }
    if steps.windows(2).all(|pair| pair[0] == pair[1]) {
        steps.truncate(1);
    }
    Some((steps, entries))
}
