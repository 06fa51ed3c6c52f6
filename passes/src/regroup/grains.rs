//! How finely populations are cut into units.
//!
//! Single neurons where neurons tell themselves apart: by what a sparse or partly empty matrix joins them to, or by registers of
//! their own. Pixels (all channels of a block at a place) where populations lie by pixels. Elsewhere positions in a row are alike,
//! and coarse units say as much as fine ones. Whatever has most pins is cut more coarsely until all pins together
//! are few enough; neurons that tell themselves apart stay single.

use super::classes::differ;
use snnc_ir::Entity;
use snnc_ir::arena::{PopId, ProjId};
use snnc_ir::mapped::MappedDraft;
use snnc_ir::mapped::usage::Accounting;
use snnc_ir::quantized::Structure;

/// Units of a population whose neurons are alike.
const PARTS: u64 = 64;

/// Places or positions per unit of each population, by its index: for at most so many pins, and units that read through kernels.
pub(super) fn grains(
    accounting: &Accounting<'_>,
    draft: &MappedDraft,
    pins: u64,
    kernel_units: u64,
) -> Vec<u32> {
    let network = accounting.network();
    let apart: Vec<bool> = network.populations.ids().map(|id| tell_apart(accounting, id)).collect();
    let finest = |(id, apart): (PopId, &bool)| {
        let size = network.populations[id].size() as u64;
        let pixels = !accounting.order(id).is_row_major();
        let alike = u32::try_from(size.div_ceil(PARTS)).unwrap_or(u32::MAX);
        if *apart || pixels { 1 } else { alike }
    };
    let mut grains: Vec<u32> = network.populations.ids().zip(&apart).map(finest).collect();
    let reads_kernels = |id: &PopId| {
        let into = accounting.projections_into(*id).iter();
        let mut matrices = into.map(|p| &network.matrices[network.projections[*p].matrix]);
        matrices.any(|matrix| matches!(matrix.structure, Structure::Conv(_)))
    };
    let kernels: Vec<PopId> = network.populations.ids().filter(reads_kernels).collect();
    loop {
        let units = |id: &PopId| units_of(accounting, draft, &grains, *id);
        let sum: u64 = kernels.iter().map(units).sum();
        let most = kernels.iter().max_by_key(|id| (units(id), std::cmp::Reverse(id.index())));
        let Some(most) = most.filter(|id| sum > kernel_units && units(id) > 1) else { break };
        let grain = grains[most.index()].saturating_mul(2);
        if units(most) <= blocks_of(accounting, draft, *most) {
            break;
        }
        grains[most.index()] = grain;
    }
    loop {
        let mut sum = 0_u64;
        // The projection with most pins of which an end can be cut more coarsely, and that end.
        let mut most = (0, None);
        for (id, ends) in network.projections.iter() {
            let n = pins_of(accounting, draft, &grains, id);
            sum = sum.saturating_add(n);
            let finer = |id: PopId| {
                if apart[id.index()] {
                    return 0;
                }
                let units = units_of(accounting, draft, &grains, id);
                units.saturating_sub(blocks_of(accounting, draft, id))
            };
            let [target, source] = [ends.target, ends.source].map(finer);
            if n > most.0 && target.max(source) > 0 {
                most = (n, Some(if target >= source { ends.target } else { ends.source }));
            }
        }
        let (_, Some(coarser)) = most else { return grains };
        if sum <= pins {
            return grains;
        }
        grains[coarser.index()] = grains[coarser.index()].saturating_mul(2);
    }
}

/// Whether the neurons of a population differ in their registers, or in whom they read or reach.
fn tell_apart(accounting: &Accounting<'_>, id: PopId) -> bool {
    let network = accounting.network();
    if network.populations[id].neuron().is_some_and(differ) {
        return true;
    }
    let uneven = |p: ProjId| {
        let matrix = &network.matrices[network.projections[p].matrix];
        match &matrix.structure {
            Structure::Sparse { .. } => true,
            Structure::Dense { rows, cols } => {
                matrix.synapses() * 10 < u64::from(*rows) * u64::from(*cols) * 9
            }
            Structure::Conv(_) | Structure::Identity { .. } => false,
        }
    };
    let ends = |p: &ProjId| {
        let ends = &network.projections[*p];
        ends.source == id || ends.target == id
    };
    network.projections.ids().filter(ends).any(uneven)
}

/// Units of a population, slices of the given mapping left out.
fn units_of(accounting: &Accounting<'_>, draft: &MappedDraft, grains: &[u32], id: PopId) -> u64 {
    let order = accounting.order(id);
    let grain = u64::from(grains[id.index()].max(1));
    if order.is_row_major() {
        return (draft.network.populations[id].size() as u64).div_ceil(grain);
    }
    blocks_of(accounting, draft, id) * u64::from(order.places()).div_ceil(grain)
}

/// Units of a population whose places are not cut.
fn blocks_of(accounting: &Accounting<'_>, draft: &MappedDraft, id: PopId) -> u64 {
    let order = accounting.order(id);
    if order.is_row_major() {
        return 1;
    }
    u64::from(order.channels().div_ceil(draft.orders[id.index()].max(1)))
}

/// Pins of a projection, about.
fn pins_of(accounting: &Accounting<'_>, draft: &MappedDraft, grains: &[u32], id: ProjId) -> u64 {
    let network = accounting.network();
    let ends = &network.projections[id];
    let matrix = &network.matrices[ends.matrix];
    let [source, target] =
        [ends.source, ends.target].map(|id| units_of(accounting, draft, grains, id));
    let all = source.saturating_mul(target);
    match &matrix.structure {
        Structure::Dense { .. } => all,
        Structure::Sparse { .. } => all.min(matrix.synapses()),
        Structure::Identity { .. } => source.max(target),
        Structure::Conv(conv) => {
            let [from, to] = [ends.source, ends.target].map(|id| accounting.order(id));
            let area = u64::from(conv.kernel[0]) * u64::from(conv.kernel[1]);
            // What lies row-major reads all places and is read at each.
            let bundles = if from.is_row_major() && !to.is_row_major() {
                source.saturating_mul(
                    u64::from(from.places()).min(u64::from(grains[ends.source.index()])),
                )
            } else {
                source
            };
            let near = if to.is_row_major() {
                target
            } else {
                let block = draft.orders[ends.target.index()].max(1);
                target.min(area * u64::from(to.channels().div_ceil(block)))
            };
            bundles.saturating_mul(near)
        }
    }
}
