//! Whether time constants look like the unit of time, and the step that Rockpool reads out of a graph.

use super::plan::visit;
use crate::json::quote;
use crate::nir::check::range;
use crate::nir::graph::{NirGraph, Primitive};
use snnc_ir::diag::codes::nir_time as codes;
use snnc_ir::network::discretization::{Discretization, TimeUnit};
use snnc_ir::{Diagnostic, Diagnostics};

/// Time constants in steps that look plausible.
const PLAUSIBLE: std::ops::RangeInclusive<f64> = 1.0..=1e5;

/// Warns of time constants that are shorter than a step or very long.
pub(super) fn plausible(graph: &NirGraph, found: Option<&Discretization>, out: &mut Diagnostics) {
    let Some(found) = found else { return };
    let step = found.step();
    visit(graph, "", "/node", &mut |name, path, primitive| {
        for (parameter, array) in primitive.arrays() {
            if !parameter.starts_with("tau") {
                continue;
            }
            let Some([low, high]) = range(&array.data) else { continue };
            if PLAUSIBLE.contains(&(low / step)) && PLAUSIBLE.contains(&(high / step)) {
                continue;
            }
            let worst = if low / step < *PLAUSIBLE.start() { low } else { high };
            let d = Diagnostic::warning(
                codes::TIMES,
                format!("{}: `{parameter}` is {:.4} steps", quote(name), worst / step),
            )
            .at(format!("{path}/{parameter}"))
            .note(format!(
                "the file has {worst:?}, its unit is `{}`, and a step is {step:?} of it",
                found.time_unit.name()
            ));
            out.push(match other_unit(worst, found) {
                Some(unit) => {
                    d.help(format!("as `{unit}` it would be plausible: `--time-unit {unit}`"))
                }
                None => d.help("check `--time-unit` and `--dt`"),
            });
        }
    });
}

/// Another unit with which a time constant would be plausible.
fn other_unit(tau: f64, found: &Discretization) -> Option<&'static str> {
    TimeUnit::ALL.iter().find_map(|&(name, time_unit)| {
        let dt = found.dt.filter(|_| time_unit != TimeUnit::Steps);
        let possible =
            time_unit != found.time_unit && (dt.is_some() || time_unit == TimeUnit::Steps);
        let step = Discretization { dt, time_unit, ..found.clone() }.step();
        (possible && PLAUSIBLE.contains(&(tau / step))).then_some(name)
    })
}

/// The step that Rockpool takes, `min(tau_mem / (1 + r))` in f32, if all its neurons agree.
#[expect(clippy::cast_possible_truncation, reason = "it computes in f32")]
pub(super) fn guessed(graph: &NirGraph) -> Option<f64> {
    let mut guesses = Vec::new();
    visit(graph, "", "/node", &mut |_, _, primitive| {
        let Primitive::CubaLif { tau_mem, r, .. } = primitive else { return };
        let (Ok(tau), Ok(r)) = (tau_mem.to_f64(), r.to_f64()) else { return };
        let at = |v: &[f64], i: usize| v.get(i).or(v.first()).copied().unwrap_or(f64::NAN) as f32;
        let steps = (0..tau.len().max(r.len())).map(|i| at(&tau, i) / (1.0 + at(&r, i)));
        guesses.push(steps.fold(f32::INFINITY, f32::min));
    });
    let first = *guesses.first()?;
    let agree = guesses.iter().all(|g| g.to_bits() == first.to_bits());
    (agree && first.is_finite() && first > 0.0).then(|| f64::from(first))
}
