//! Axons for pixels, and lists that pixels share: convolutions on Loihi 1.
//!
//! Where `list_bases` > 0, a core receives a source population by *pixels* if all projections from it into the
//! core are convolutions or one-to-one, and every population keeps its rows and columns: the channel travels as the
//! axon's atom. The list of a pixel holds, for each channel of the population that has an axon on the core, equally
//! many entries: for each projection and slice those of the channel with the most, zeros of the kernel included. Entries
//! name compartments from the list's base on: the first compartment of all entries, modulo `list_bases`. Pixels whose
//! entries are the same taps of the same projections at the same distances from their bases share a list; taps whose
//! values are equal for all channels, as those of a folded pooling are, count as the same.
//! **Source**: nengo-loihi 1.1.0, `conv.py` (`conv2d_loihi_weights`), `block.py` (`Synapse`, `Axon`).

use super::{Accounting, SynapseFormat};
use crate::arena::{Entity, PopId, ProjId};
use crate::mapped::{Core, Slice, reach};
use crate::order::{Order, Patch};
use crate::quantized::{QuantizedDraft, Structure};
use crate::target::TargetSpec;
use std::collections::{BTreeMap, BTreeSet};

/// Whether pixels can share lists of this projection, by [`ProjId`] index.
pub(super) fn movable(network: &QuantizedDraft) -> Vec<bool> {
    let shape = |id: PopId| network.populations[id].shape.as_chw();
    let movable = network.projections.values().map(|ends| {
        let ([source, target], matrix) =
            ([ends.source, ends.target].map(shape), &network.matrices[ends.matrix]);
        match &matrix.structure {
            Structure::Conv(conv) => source == Some(conv.input) && target == conv.output(),
            Structure::Identity { .. } => source.is_some() && source == target,
            Structure::Dense { .. } | Structure::Sparse { .. } => false,
        }
    });
    movable.collect()
}

/// Source populations that `core` receives by pixels: those that share lists or, where no lists are shared, all that have
/// rows and columns.
pub(super) fn received(
    accounting: &Accounting<'_>,
    core: &Core,
    target: &TargetSpec,
) -> BTreeSet<PopId> {
    if target.axon_atoms.value <= 0 {
        return BTreeSet::new();
    }
    if target.list_bases.value <= 0 {
        let populations = core.axons.iter().map(|run| run.population);
        let is_grid = |id: &PopId| accounting.network.populations[*id].shape.as_chw().is_some();
        return populations.filter(is_grid).collect();
    }
    let mut sources: BTreeMap<PopId, bool> = BTreeMap::new();
    for block in &core.blocks {
        let source = accounting.network.projections[block.projection].source;
        *sources.entry(source).or_insert(true) &= accounting.movable[block.projection.index()];
    }
    sources.into_iter().filter(|(_, movable)| *movable).map(|(source, _)| source).collect()
}

/// Entries of the lists that a core stores for a population: one list for each item, by format.
pub(super) fn lists(
    accounting: &Accounting<'_>,
    core: &Core,
    source: PopId,
    bases: u64,
) -> Vec<Vec<(SynapseFormat, u64)>> {
    let (channels, places) = present(accounting.order(source), source, core);
    let parts = parts(accounting, core, source);
    let mut known = BTreeSet::new();
    let mut lists = Vec::new();
    for (parts, _) in parts.into_iter().zip(places).filter(|(_, axon)| *axon) {
        let Some(first) = parts.iter().map(|part| part.first).min() else { continue };
        let base = first % bases.max(1);
        let mut entries: BTreeMap<SynapseFormat, u64> = BTreeMap::new();
        for group in parts.chunk_by(|a, b| (a.projection, a.slice) == (b.projection, b.slice)) {
            let format = accounting.formats[group[0].projection.index()];
            *entries.entry(format).or_default() += channels * longest(accounting, group);
        }
        let moved = |part: Part| Part { first: part.first - base, ..part };
        if known.insert(parts.into_iter().map(moved).collect::<Vec<_>>()) {
            lists.push(entries.into_iter().collect());
        }
    }
    lists
}

/// What a pixel reaches of one patch of a slice.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    projection: ProjId,
    slice: u32,
    /// Channels of the patch; they tell the patches of a slice apart that a tap can meet.
    channels: [u32; 2],
    /// First compartment reached.
    first: u64,
    /// Places that the pixel reaches, from the first on, and the cell of the kernel through which it does.
    taps: Vec<(u32, u32)>,
}

/// Number of channels with an axon on the core, and for each place whether it has one.
fn present(order: &Order, source: PopId, core: &Core) -> (u64, Vec<bool>) {
    let mut channels = vec![false; order.channels() as usize];
    let mut places = vec![false; order.places() as usize];
    for run in core.axons.iter().filter(|run| run.population == source) {
        for patch in order.patches(run.start..run.start + run.len) {
            channels[range(&patch.channels)].fill(true);
            places[range(&patch.places)].fill(true);
        }
    }
    (channels.into_iter().filter(|present| *present).count() as u64, places)
}

/// By place of the source what it reaches, in the order of projections and slices.
fn parts(accounting: &Accounting<'_>, core: &Core, source: PopId) -> Vec<Vec<Part>> {
    let network = accounting.network;
    let joined: BTreeSet<(ProjId, u32)> =
        core.blocks.iter().map(|block| (block.projection, block.slice)).collect();
    let mut parts = Vec::new();
    parts.resize_with(accounting.order(source).places() as usize, Vec::new);
    for (projection, slice) in joined {
        let ends = &network.projections[projection];
        if ends.source != source {
            continue;
        }
        let before = &core.slices[..slice as usize];
        let held = &core.slices[slice as usize];
        let begin: u64 = before.iter().map(|s| u64::from(s.len)).sum();
        let order = accounting.order(ends.target);
        let structure = &network.matrices[ends.matrix].structure;
        let cells = &accounting.cells[ends.matrix.index()];
        for patch in patches(order, held) {
            let channels = [patch.channels.start, patch.channels.end];
            let first = |place| {
                let neuron = patch.channels.start * order.places() + place;
                begin + u64::from(order.position(neuron) - held.start)
            };
            let mut reaches = match structure {
                Structure::Conv(conv) => reach::taps(conv, &patch.places),
                _ => patch.places.clone().map(|place| (place, 0, place)).collect(),
            };
            // The taps of a pixel, the first place that it reaches in front.
            reaches.sort_unstable_by_key(|&(pixel, tap, place)| (pixel, place, tap));
            for pixel in reaches.chunk_by(|a, b| a.0 == b.0) {
                let start = pixel[0].2;
                let tap = |&(_, tap, place): &(u32, u32, u32)| {
                    (place - start, cells.get(tap as usize).copied().unwrap_or(tap))
                };
                let (taps, first) = (pixel.iter().map(tap).collect(), first(start));
                parts[pixel[0].0 as usize].push(Part { projection, slice, channels, first, taps });
            }
        }
    }
    parts
}

/// The neurons of a slice as patches in which neighboring places are equally far apart for all channels.
fn patches(order: &Order, slice: &Slice) -> Vec<Patch> {
    let mut patches = Vec::new();
    for Patch { channels, places } in order.patches(slice.start..slice.start + slice.len) {
        let narrow = order.narrow_from();
        if channels.start < narrow && narrow < channels.end {
            patches.push(Patch { channels: channels.start..narrow, places: places.clone() });
            patches.push(Patch { channels: narrow..channels.end, places });
        } else {
            patches.push(Patch { channels, places });
        }
    }
    patches
}

/// Entries of one channel of a pixel for one projection and slice: those of the channel with the most.
fn longest(accounting: &Accounting<'_>, parts: &[Part]) -> u64 {
    let network = accounting.network;
    let matrix = &network.matrices[network.projections[parts[0].projection].matrix];
    let Structure::Conv(conv) = &matrix.structure else { return 1 };
    let outputs = (conv.out_channels / conv.groups.max(1)).max(1);
    let of_group = |group: u32| {
        let entries = parts.iter().map(|part| {
            let start = part.channels[0].max(group * outputs);
            let end = part.channels[1].min((group + 1) * outputs);
            u64::from(end.saturating_sub(start)) * part.taps.len() as u64
        });
        entries.sum()
    };
    (0..conv.groups).map(of_group).max().unwrap_or(0)
}

fn range(range: &std::ops::Range<u32>) -> std::ops::Range<usize> {
    range.start as usize..range.end as usize
}
