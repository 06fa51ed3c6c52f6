//! A failing case, made as small as it gets.

use super::case::{Bench, Case, Drawn, TARGETS};
use crate::crosscheck::Fault;
use crate::files;
use crate::reduce::{Reduced, reduce};
use snnc_ir::{Diagnostics, text};
use std::path::{Path, PathBuf};

/// The smallest network that fails in this case, on this target, as `fault` says: at the same step, with the
/// same code.
pub fn shrink(bench: &Bench, case: Case, target: usize, fault: &Fault) -> Reduced {
    let drawn = case.draw();
    let mut fails = |draft: &snnc_ir::level::AnyDraft| {
        let smaller = Drawn { draft: draft.clone(), ..drawn.clone() };
        let outcome = case.check(bench, &smaller);
        outcome.faults.iter().any(|(on, found)| *on == target && found.like(fault))
    };
    reduce(drawn.draft.clone(), &mut fails)
}

/// Writes `case-NUMBER-TARGET.snn` and, beside it, what failed and the command that repeats it; returns the network's
/// file.
///
/// # Errors
/// `SNN0802`.
pub fn write(
    folder: &Path,
    case: Case,
    target: usize,
    fault: &Fault,
    reduced: &Reduced,
) -> Result<PathBuf, Diagnostics> {
    std::fs::create_dir_all(folder).map_err(|e| files::cannot_write(folder, &e))?;
    let name = format!("case-{}-{}", case.number, TARGETS[target]);
    let network = folder.join(format!("{name}.snn"));
    files::write(&network, text::print(&reduced.draft).as_bytes())?;
    let Case { seed, number } = case;
    let account = format!(
        "{fault}\n\nseed {seed}, case {number}, target {}\nbefore: {}\nafter:  {}\n\nThe same target, stimuli and \
         options, with this network:\ncargo run --release --example trust -- random --seed {seed} --case {number} \
         --network {name}.snn\n",
        TARGETS[target], reduced.before, reduced.after
    );
    files::write(&folder.join(format!("{name}.txt")), account.as_bytes())?;
    Ok(network)
}
