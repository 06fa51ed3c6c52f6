//! Words of lists of synapses.
//!
//! A source pixel's list for one of its channels names the targets on the core whose window holds it. Where lists are shared,
//! pixels need one if the same rows and columns of their windows lie on the core: then their targets lie alike, some
//! compartments further on.

use super::Tile;
use super::cost::{CoreLimits, Parts, Storage};
use crate::layers::network::{Read, Shape, Window};
use std::collections::BTreeMap;

/// Words of the lists of a connection, [source, target] shapes given, for tiles of whole rows.
pub(super) fn list_words(
    tile: &Tile,
    parts: &Parts,
    read: &Read,
    [source, target]: [Shape; 2],
    limits: &CoreLimits,
) -> u64 {
    let outputs = outputs(tile, read, [source.channels, target.channels]);
    let whole = u64::from(tile.channels[1] - tile.channels[0]);
    let mut total = 0;
    for (rows, columns) in &parts.parts[..parts.count] {
        let rows = alike(read.rows, *rows, source.height);
        let columns = alike(read.columns, *columns, source.width);
        for (&(_, high), &down) in &rows {
            for (&(_, wide), &across) in &columns {
                let copies = match limits.storage {
                    Storage::Lists => down * across,
                    Storage::Once | Storage::Patterns => 1,
                };
                let pixels = u64::from(high) * u64::from(wide);
                for &(outputs, channels) in &outputs {
                    // Side by side: in one pixel, or in pixels of a row with all their channels.
                    let beside = pixels == 1 || (high == 1 && outputs == whole);
                    let index = if beside { 0 } else { limits.index_bits };
                    let bits = u64::from(limits.weight_bits + index);
                    let words = limits.list_words(pixels * outputs, bits);
                    total += copies * channels * words;
                }
            }
        }
    }
    total
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

/// Sources along an axis that have a target in `range`, by the first place in its window at which the first of these sees it, and by
/// how many see it.
fn alike(window: Window, range: [u32; 2], length: u32) -> BTreeMap<(u64, u32), u64> {
    let mut all = BTreeMap::new();
    let [start, end] = window.sources(range, length);
    for source in start..end {
        let [first, last] = window.readers(source, u32::MAX);
        let (first, last) = (first.max(range[0]), last.min(range[1]));
        if first < last {
            let place = u64::from(source) + u64::from(window.padding);
            let tap = place - u64::from(first) * u64::from(window.stride);
            *all.entry((tap, last - first)).or_insert(0) += 1;
        }
    }
    all
}
