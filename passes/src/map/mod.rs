//! `map`: put the neurons of a scheduled network on cores (class: exact).
//!
//! First fit, in the order of populations and neurons (`place`): each population is cut into contiguous
//! slices, and each slice goes to the first core that still takes at least one of its neurons, as
//! many as fit under every limit of the target (compartments, input axons, synapse memory,
//! profiles, thresholds, formats). How many fit is found by bisection over the same accounting that
//! the verifier uses ([`Accounting`]), so the two cannot disagree. A network whose neurons or synapses in
//! all exceed the target (`bound`) is refused first. Where first fit takes more cores than there are, `regroup` looks for fewer.
//! What does not fit then is reported with every limit that it violates and the least that would help (`misfit`).
//!
//! The accounting counts from structure, so time depends on neurons and kernels, not on the synapses of
//! convolutions.

mod bound;
mod build;
mod misfit;
mod orders;
mod place;
#[cfg(test)]
mod tests;

pub(crate) use build::{Part, Runs, connect, merged, narrow};
pub(crate) use orders::Layout;
pub(crate) use place::{Step, place_steps};

use crate::framework::{Class, Context, Pass, PassInfo, Property};
use crate::regroup;
use misfit::Violation;
use place::Placed;
use snnc_ir::mapped::usage::{Accounting, CoreUsage};
use snnc_ir::mapped::{Core, MappedDraft, MappedNetwork};
use snnc_ir::quantized::{QuantizedDraft, QuantizedNetwork};
use snnc_ir::{Diagnostics, TargetSpec};

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
    let row_major = Layout::row_major(&network, target);
    let accounting = Accounting::new(&network, &row_major.orders);
    if let Some(error) = misfit::beyond(&accounting, target, &bound::bounds(&accounting, target)) {
        return Err(error.into());
    }
    let layout = if blocks { Layout::choose(&network, target) } else { row_major };
    let accounting = Accounting::new(&network, &layout.orders);
    let Placed { cores, stops } = place::place(&accounting, target, &layout)?;
    let mapped = |network: QuantizedDraft, cores: Vec<Core>| {
        let (target, orders) = (target.name.clone(), layout.orders.clone());
        MappedDraft { network, target, orders, cores: cores.into_iter().collect() }
    };
    if cores.len() as u64 > target.cores() {
        // First fit is not the last word.
        let full = mapped(network.clone(), cores.clone());
        let fewest = regroup::fewest(&accounting, target, &full);
        let least = fewest.as_ref().map_or(cores.len(), Vec::len) as u64;
        if let Some(fewest) = fewest
            && least <= target.cores()
        {
            return Ok(MappedDraft { cores: fewest.into_iter().collect(), ..full });
        }
        let narrower = |bits| {
            let placed = place::place(&accounting.with_weights_of(bits), target, &layout).ok()?;
            Some(placed.cores.len() as u64)
        };
        let full = misfit::Full { cores: &cores, stops: &stops, least };
        return Err(misfit::too_many_cores(&accounting, target, &full, narrower).into());
    }
    Ok(mapped(network, cores))
}

/// A lower bound on the cores of any mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LowerBound {
    /// Cores.
    pub cores: u64,
    /// What makes them so many.
    pub resource: &'static str,
}

/// What no mapping of `network` on cores of `target` undercuts.
pub fn lower_bound(network: &QuantizedDraft, target: &TargetSpec) -> LowerBound {
    let row_major = Layout::row_major(network, target);
    let bounds = bound::bounds(&Accounting::new(network, &row_major.orders), target);
    let [first, rest @ ..] = &bounds;
    let tightest = rest.iter().fold(first, |a, b| if b.cores > a.cores { b } else { a });
    LowerBound { cores: tightest.cores, resource: tightest.resource.name() }
}

/// The first limit that `usage` violates: resource and need. Output axons are not among
/// them, since they depend on the other cores.
pub(crate) fn violated(usage: &CoreUsage, target: &TargetSpec) -> Option<Violation> {
    misfit::violations(usage, target).next()
}
