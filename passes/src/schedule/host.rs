//! Biases from the host: written before a run, they act in every hardware step from step 0 on.
//!
//! That is what the source means only where hardware steps are logical steps and the population starts
//! at step 0. Latencies are the smallest possible, so a population that starts later has to.

use super::{Timing, loop_text};
use snnc_ir::arena::PopId;
use snnc_ir::diag::codes;
use snnc_ir::quantized::QuantizedDraft;
use snnc_ir::{Diagnostic, Diagnostics, Entity};
use std::collections::BTreeSet;

/// Refuses the populations with biases from the host that start late or update too often.
pub(super) fn check(draft: &QuantizedDraft, timing: &Timing, errors: &mut Diagnostics) {
    let targets: BTreeSet<PopId> = draft.host.iter().map(|h| h.target).collect();
    for target in targets {
        let name = &draft.populations[target].name;
        let inputs = draft.host.iter().filter(|h| h.target == target);
        let inputs: Vec<_> =
            inputs.map(|h| format!("`{}`", draft.populations[h.input].name)).collect();
        let refuse = |why: String, help: String| {
            Diagnostic::error(
                codes::mapping::LATE_HOST_BIAS,
                format!(
                    "population `{name}` reads the directly coded input {}, but {why}",
                    inputs.join(", ")
                ),
            )
            .at(format!("population `{name}`"))
            .note("the host writes the current of a sample to static biases, which act in every hardware step from step 0 on")
            .help(help)
        };
        let latency = timing.latency[target.index()];
        if latency > 0 {
            errors.push(refuse(
                format!("its first logical step is hardware step {latency}"),
                format!(
                    "let {} reach `{name}` through a delay of one step, or code the input as `events`, `accumulator` or `rate`",
                    holding(draft, timing, target).join(", ")
                ),
            ));
        } else if timing.period > 1 {
            errors.push(refuse(
                format!("each logical step takes {} hardware steps", timing.period),
                format!(
                    "put a delay of one step on every projection of the loop {}, or code the input as `events`, `accumulator` or `rate`",
                    loop_text(draft, timing)
                ),
            ));
        }
    }
}

/// The sources that hold a late population back: those that reach it just in time.
fn holding(draft: &QuantizedDraft, timing: &Timing, target: PopId) -> Vec<String> {
    let latency = |id: PopId| i64::from(timing.latency[id.index()]);
    let mut names = Vec::new();
    for (_, p) in draft.projections_into(target) {
        let arrives = latency(p.source) + 1 - i64::from(timing.period) * i64::from(p.delay);
        let name = format!("`{}`", draft.populations[p.source].name);
        if arrives == latency(target) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
