//! Words of lists of synapses.
//!
//! A source neuron's list names the targets on the core whose window holds it. Where lists are shared, a pixel has one for all its
//! channels, with as many entries for each as for the one with most, and pixels need one list if the same rows and columns of their
//! windows lie on the core and their first targets are not far apart: then their targets lie alike, some compartments further
//! on (nengo-loihi 1.1.0, `conv.py`).

use super::Tile;
use super::cost::{CoreLimits, Parts, Storage};
use crate::layers::network::{Read, Shape, Window};
use std::collections::BTreeMap;

/// Words of the lists of a connection, [source, target] shapes given, for a tile of whole rows (or any run if all windows are
/// single places) that begins at compartment `offset`.
pub(super) fn list_words(
    tile: &Tile,
    offset: u64,
    parts: &Parts,
    read: &Read,
    [source, target]: [Shape; 2],
    limits: &CoreLimits,
) -> u64 {
    let outputs = outputs(tile, read, [source.channels, target.channels]);
    let whole = u64::from(tile.channels[1] - tile.channels[0]);
    if read.rows.kernel == 1 && read.columns.kernel == 1 {
        let pixels = tile.run[1] - tile.run[0];
        let class = Class { targets: 1, beside: true, pixels, first: 0, last: pixels - 1 };
        return class.words(&outputs, whole, offset, limits);
    }
    let width = u64::from(tile.columns[1] - tile.columns[0]);
    let mut total = 0;
    for (rows, columns) in &parts.parts[..parts.count] {
        let down = alike(read.rows, *rows, source.height);
        let across = alike(read.columns, *columns, source.width);
        for (&(_, high), down) in &down {
            for (&(_, wide), across) in &across {
                let class = Class {
                    targets: u64::from(high) * u64::from(wide),
                    beside: high == 1,
                    pixels: down.count * across.count,
                    first: down.first * width + across.first,
                    last: down.last * width + across.last,
                };
                total = class.words(&outputs, whole, offset, limits).saturating_add(total);
            }
        }
    }
    total
}

/// Source pixels whose targets on the tile lie alike.
struct Class {
    /// Pixels that each reaches.
    targets: u64,
    /// Whether those lie in one row.
    beside: bool,
    /// How many pixels there are.
    pixels: u64,
    /// First pixel of the tile that the first of them reaches, and that the last of them reaches.
    first: u64,
    last: u64,
}

impl Class {
    /// Words of their lists. `outputs` as [`outputs`] gives it, `whole`: channels of the tile.
    fn words(&self, outputs: &[(u64, u64)], whole: u64, offset: u64, limits: &CoreLimits) -> u64 {
        let bits = u64::from(limits.weight_bits);
        if limits.storage == Storage::Patterns {
            let channels: u64 = outputs.iter().map(|(_, channels)| channels).sum();
            let longest = outputs.iter().map(|(outputs, _)| outputs).max().copied().unwrap_or(0);
            let entries = (channels * longest).saturating_mul(self.targets);
            let words = limits.list_words(entries, bits + u64::from(limits.index_bits));
            return words.saturating_mul(self.bases(whole, offset, u64::from(limits.bases)));
        }
        let list = |&(outputs, channels): &(u64, u64)| {
            // Side by side: in one pixel, or in pixels of a row with all their channels.
            let beside = self.targets == 1 || (self.beside && outputs == whole);
            let index = if beside { 0 } else { limits.index_bits };
            let words = limits.list_words(self.targets * outputs, bits + u64::from(index));
            channels.saturating_mul(words)
        };
        let all = outputs.iter().map(list).fold(0, u64::saturating_add);
        self.pixels.saturating_mul(all)
    }

    /// Lists that pixels take because those far apart share none, at most.
    fn bases(&self, whole: u64, offset: u64, bases: u64) -> u64 {
        if bases == 0 {
            return 1;
        }
        let base = |pixel: u64| (offset + pixel * whole) / bases;
        (base(self.last) - base(self.first) + 1).min(self.pixels)
    }
}

/// Target channels of the tile that source channels reach, and how many source channels reach that many: groups of channels may
/// be cut at both ends of the tile.
fn outputs(tile: &Tile, read: &Read, [inputs, outputs]: [u32; 2]) -> Vec<(u64, u64)> {
    let [start, end] = tile.channels;
    let (per_input, per_output) = (u64::from(inputs / read.groups), outputs / read.groups);
    let (first, last) = (start / per_output, (end - 1) / per_output);
    if first == last {
        return vec![(u64::from(end - start), per_input)];
    }
    let cut = [(first + 1) * per_output - start, end - last * per_output];
    let mut all = cut.map(|count| (u64::from(count), per_input)).to_vec();
    if last - first > 1 {
        all.push((u64::from(per_output), per_input * u64::from(last - first - 1)));
    }
    all
}

/// Sources along an axis that reach targets alike.
#[derive(Clone, Copy, Debug)]
struct Alike {
    count: u64,
    /// First target of the first and of the last of them, counted from the first of the tile.
    first: u64,
    last: u64,
}

/// Sources along an axis that have a target in `range`, by the place in its window at which the first of these sees it, and by how
/// many see it.
fn alike(window: Window, range: [u32; 2], length: u32) -> BTreeMap<(u64, u32), Alike> {
    let mut all = BTreeMap::new();
    let [start, end] = window.sources(range, length);
    for source in start..end {
        let [first, last] = window.readers(source, u32::MAX);
        let (first, last) = (first.max(range[0]), last.min(range[1]));
        if first < last {
            let place = u64::from(source) + u64::from(window.padding);
            let tap = place - u64::from(first) * u64::from(window.stride);
            let at = u64::from(first - range[0]);
            let entry = all.entry((tap, last - first));
            let alike = entry.or_insert(Alike { count: 0, first: at, last: at });
            alike.count += 1;
            alike.last = at;
        }
    }
    all
}
