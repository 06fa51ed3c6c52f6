//! Limits of a target: resources of each core, cores of each chip.

use super::{codes, core_place, populations_on};
use crate::arena::{CoreId, Entity};
use crate::diag::{Diagnostic, Diagnostics};
use crate::mapped::usage::{Accounting, output_axons};
use crate::mapped::{Core, MappedDraft};
use crate::target::TargetSpec;
use std::collections::BTreeMap;

/// Holds sound cores to the limits of `target`.
pub(super) fn check(draft: &MappedDraft, target: &TargetSpec, out: &mut Diagnostics) {
    let cores: Vec<Core> = draft.cores.values().cloned().collect();
    let accounting = Accounting::new(&draft.network, &draft.orders);
    let outputs = output_axons(&accounting, &cores, target);
    for (id, core) in draft.cores.iter() {
        let usage = accounting.core_usage(core, target);
        for (code, resource, needed, limit) in [
            (codes::LIMIT_COMPARTMENTS, "compartments", usage.compartments, &target.compartments),
            (codes::LIMIT_INPUT_AXONS, "input axons", usage.input_axons, &target.input_axons),
            (
                codes::LIMIT_OUTPUT_AXONS,
                "output axons",
                outputs[id.index()].iter().sum(),
                &target.output_axons,
            ),
            (
                codes::LIMIT_SYNAPSE_WORDS,
                "words of synapse memory",
                usage.synapse_words,
                &target.synapse_words,
            ),
            (codes::LIMIT_PROFILES, "compartment profiles", usage.profiles, &target.profiles),
            (codes::LIMIT_THRESHOLDS, "thresholds", usage.thresholds, &target.thresholds),
            (codes::LIMIT_FLOORS, "lowest membranes", usage.floors, &target.floors),
            (codes::LIMIT_FORMATS, "synapse formats", usage.formats, &target.formats),
        ] {
            if i128::from(needed) > i128::from(limit.value) {
                out.push(
                    Diagnostic::error(
                        code,
                        format!("{needed} {resource} are needed, {} are available", limit.value),
                    )
                    .at(core_place(draft, id))
                    .note(format!("populations on the core: {}", populations_on(draft, core)))
                    .note(format!("target \"{}\", {}: limit {limit}", target.name, target.file))
                    .help("move neurons to another core, or map again for this target"),
                );
            }
        }
    }
    chips(draft, target, out);
}

fn chips(draft: &MappedDraft, target: &TargetSpec, out: &mut Diagnostics) {
    let mut cores_of: BTreeMap<u32, u64> = BTreeMap::new();
    let mut taken: BTreeMap<(u32, u32), CoreId> = BTreeMap::new();
    for (id, core) in draft.cores.iter() {
        *cores_of.entry(core.chip).or_default() += 1;
        if let Some(other) = taken.insert((core.chip, core.cell), id) {
            out.push(
                Diagnostic::error(
                    codes::CELL,
                    format!("cell {} of chip {} holds {other}, too", core.cell, core.chip),
                )
                .at(core_place(draft, id))
                .help("give each core a cell of its own, or map again for this target"),
            );
        }
        if i64::from(core.chip) >= target.chips.value {
            out.push(
                Diagnostic::error(
                    codes::CHIP,
                    format!(
                        "chip {} is needed, {} chips are available",
                        core.chip, target.chips.value
                    ),
                )
                .at(core_place(draft, id))
                .note(format!("populations on the core: {}", populations_on(draft, core)))
                .note(format!(
                    "target \"{}\", {}: limit {}",
                    target.name, target.file, target.chips
                ))
                .help("use fewer cores, or a target with more chips"),
            );
        }
    }
    for (chip, needed) in cores_of {
        let limit = &target.cores_per_chip;
        if i128::from(needed) > i128::from(limit.value) {
            out.push(
                Diagnostic::error(
                    codes::LIMIT_CORES_PER_CHIP,
                    format!("{needed} cores are needed, {} are available", limit.value),
                )
                .at(format!("chip {chip}"))
                .note(format!("target \"{}\", {}: limit {limit}", target.name, target.file))
                .help("spread the cores over more chips"),
            );
        }
        if i128::from(needed) <= i128::from(limit.value) {
            cells(draft, chip, target, out);
        }
    }
}

/// Every core of a chip with room for all of its cores lies on a cell that exists.
fn cells(draft: &MappedDraft, chip: u32, target: &TargetSpec, out: &mut Diagnostics) {
    let limit = &target.cores_per_chip;
    let beyond = |core: &Core| core.chip == chip && i64::from(core.cell) >= limit.value;
    for (id, core) in draft.cores.iter().filter(|(_, core)| beyond(core)) {
        out.push(
            Diagnostic::error(
                codes::CELL,
                format!("cell {} is needed, a chip has {}", core.cell, limit.value),
            )
            .at(core_place(draft, id))
            .note(format!("target \"{}\", {}: limit {limit}", target.name, target.file))
            .help("number the cells of a chip from 0, or map again for this target"),
        );
    }
}
