//! The verifier of mapped networks.

mod cores;
mod coverage;
mod target;
#[cfg(test)]
mod tests;

use super::{Core, MappedDraft};
use crate::arena::{CoreId, PopId};
use crate::diag::codes::mapping as codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::level::Rules;
use crate::quantized::{Time, verify as quantized};
use std::collections::BTreeSet;

/// Checks every rule of the level and of the network on the cores, and the limits of the target if
/// one is given.
pub(super) fn check(draft: &MappedDraft, rules: Rules<'_>, out: &mut Diagnostics) {
    let before = out.len();
    quantized::check(&draft.network, Rules::default(), out);
    if out.len() == before {
        // Slices, blocks and limits presuppose a network whose parts can be looked up.
        cores::slices(draft, out);
    }
    let sound = out.len() == before;
    if draft.network.time == Time::Logical {
        out.push(
            Diagnostic::error(codes::LOGICAL_TIME, "the network on the cores is in logical time")
                .at("time")
                .help("run the schedule pass before the map pass"),
        );
    }
    if let Some(target) = rules.target
        && target.name != draft.target
    {
        out.push(
            Diagnostic::error(
                codes::TARGET_NAME,
                format!("the network is mapped for \"{}\"", draft.target),
            )
            .at("target")
            .note(format!("checked against \"{}\" ({})", target.name, target.file))
            .help("name the target that it was mapped for, or map it again"),
        );
    }
    if !sound {
        return;
    }
    cores::placement(draft, out);
    cores::axons(draft, out);
    let blocks_fit = cores::blocks(draft, out);
    if blocks_fit {
        coverage::check(draft, out);
    }
    if let Some(target) = rules.target {
        quantized::check_target(&draft.network, target, out);
        if blocks_fit {
            target::check(draft, target, out);
        }
    }
}

/// A core, as diagnostics name it.
fn core_place(draft: &MappedDraft, id: CoreId) -> String {
    format!("{id} on chip {}", draft.cores[id].chip)
}

/// Names of the populations on a core, in slice order.
fn populations_on(draft: &MappedDraft, core: &Core) -> String {
    let mut seen = BTreeSet::new();
    let populations = core.slices.iter().map(|s| s.population).filter(|p| seen.insert(*p));
    let names: Vec<_> = populations.map(|p| name(draft, p)).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// A population's name, quoted.
fn name(draft: &MappedDraft, id: PopId) -> String {
    format!("\"{}\"", draft.network.populations[id].name)
}
