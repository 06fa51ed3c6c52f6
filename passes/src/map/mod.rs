//! `map`: put the neurons of a scheduled network on cores (class: exact).
//!
//! First fit, in the order of populations and neurons (`place`): each population is cut into contiguous
//! slices, and each slice goes to the first core that still takes at least one of its neurons, as
//! many as fit under every limit of the target (compartments, input axons, synapse memory,
//! profiles, thresholds, formats). How many fit is found by bisection over the same accounting that
//! the verifier uses ([`Accounting`]), so the two cannot disagree. A network whose neurons or synapses in
//! all exceed the target (`bound`) is refused first.
//!
//! The accounting counts from structure, so time depends on neurons and kernels, not on the synapses of
//! convolutions.

mod bound;
mod build;
mod orders;
mod place;
#[cfg(test)]
mod tests;

use crate::framework::{Class, Context, Pass, PassInfo, Property};
use orders::Layout;
use snnc_ir::diag::codes;
use snnc_ir::mapped::usage::{Accounting, CoreUsage};
use snnc_ir::mapped::{MappedDraft, MappedNetwork};
use snnc_ir::quantized::{QuantizedDraft, QuantizedNetwork};
use snnc_ir::target::Limit;
use snnc_ir::{Diagnostic, Diagnostics, TargetSpec};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Map;

impl Pass for Map {
    type From = QuantizedNetwork;
    type To = MappedNetwork;

    fn info(&self) -> &'static PassInfo {
        &PassInfo {
            name: "map",
            summary: "place neurons on cores, first fit, under every limit of the target",
            class: Class::Exact,
            requires: &[Property::StrictCompare, Property::HardwareTime],
            establishes: &[],
            invalidates: &[],
            options: &[],
        }
    }

    fn run(
        &self,
        network: QuantizedDraft,
        cx: &mut Context<'_>,
    ) -> Result<MappedDraft, Diagnostics> {
        map(network, cx.target, BLOCKS)
    }
}

/// Whether populations may lie in blocks of several channels.
const BLOCKS: bool = true;

/// Maps `network`, all populations row-major unless `blocks`.
fn map(
    network: QuantizedDraft,
    target: &TargetSpec,
    blocks: bool,
) -> Result<MappedDraft, Diagnostics> {
    let row_major = vec![1; network.populations.len()];
    let least = bound::bound(&Accounting::new(&network, &row_major), target);
    if let Some(error) = too_many_cores(Cores::AtLeast(&least), target) {
        return Err(error.into());
    }
    let layout =
        if blocks { Layout::choose(&network, target) } else { Layout::row_major(&network, target) };
    let cores = place::place(&Accounting::new(&network, &layout.orders), target, &layout)?;
    if let Some(error) = too_many_cores(Cores::Exactly(cores.len() as u64), target) {
        return Err(error.into());
    }
    Ok(MappedDraft { network, target: target.name.clone(), orders: layout.orders, cores })
}

/// The first limit that `usage` violates: resource, need and limit. Output axons are not among
/// them, since they depend on the other cores.
fn violated<'t>(
    usage: &CoreUsage,
    target: &'t TargetSpec,
) -> Option<(&'static str, u64, &'t Limit)> {
    [
        ("compartments", usage.compartments, &target.compartments),
        ("input axons", usage.input_axons, &target.input_axons),
        ("words of synapse memory", usage.synapse_words, &target.synapse_words),
        ("compartment profiles", usage.profiles, &target.profiles),
        ("thresholds", usage.thresholds, &target.thresholds),
        ("synapse formats", usage.formats, &target.formats),
    ]
    .into_iter()
    .find(|(_, needed, limit)| i128::from(*needed) > i128::from(limit.value))
}

/// How many cores a network needs.
#[derive(Clone, Copy)]
enum Cores<'b> {
    /// As many as a mapping took.
    Exactly(u64),
    /// No mapping takes fewer.
    AtLeast(&'b bound::Bound<'b>),
}

/// The finding that the network needs more cores than the target has, if it does.
fn too_many_cores(cores: Cores<'_>, target: &TargetSpec) -> Option<Diagnostic> {
    let count = |limit: &Limit| u64::try_from(limit.value).unwrap_or(0);
    let available = count(&target.chips).saturating_mul(count(&target.cores_per_chip));
    let (needed, text) = match cores {
        Cores::Exactly(needed) => (needed, needed.to_string()),
        Cores::AtLeast(least) => (least.cores, format!("at least {}", least.cores)),
    };
    if needed <= available {
        return None;
    }
    let mut error = Diagnostic::error(
        codes::mapping::TOO_MANY_CORES,
        format!("the network needs {text} cores; target `{}` has {available}", target.name),
    );
    if let Cores::AtLeast(least) = cores {
        let bound::Bound { needed, resource, limit, .. } = least;
        error = error.note(format!(
            "it takes {needed} {resource} in all; {}: {limit} on a core",
            target.file
        ));
    }
    Some(
        error
            .note(format!("{}: chips = {}", target.file, target.chips))
            .note(format!("{}: cores_per_chip = {}", target.file, target.cores_per_chip))
            .help("compile for a target with more chips, or reduce the network"),
    )
}
