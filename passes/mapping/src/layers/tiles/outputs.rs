//! Output axons of tiles: what cores take to reach those that read them.

use super::cost::{CoreLimits, Parts, REACH, Storage};
use super::{Tile, Tiling};
use crate::layers::network::{Network, Store};
use std::collections::BTreeMap;

/// A rectangle of pixels: rows and columns.
type Area = ([u32; 2], [u32; 2]);

/// What a core sees of a layer: areas with their channels, and whether pixels come as one.
type Seen = (Vec<(Area, [u32; 2])>, bool);

/// Output axons of each core, at most: for each core that it reaches, [`CoreLimits::slots`] per pixel that is received as one (convolutions where
/// pixels share input axons), else one per neuron.
///
/// Counts are exact for tiles of whole rows without gaps between windows; else what a core sees is rounded up to rectangles.
/// Time: pairs of tiles that could meet.
pub fn outputs(network: &Network, tiling: &Tiling, limits: &CoreLimits) -> Vec<u64> {
    reach(network, tiling, limits).0
}

/// Output axons of each core, and by layer the most that a neuron takes, in units of 1 / [`REACH`].
pub(super) fn reach(
    network: &Network,
    tiling: &Tiling,
    limits: &CoreLimits,
) -> (Vec<u64>, Vec<u64>) {
    let cores = usize::try_from(tiling.cores()).expect("cores that are listed");
    let mut senders: Vec<Vec<(usize, Tile, u64)>> = vec![Vec::new(); network.layers.len()];
    let mut receivers: Vec<Vec<Tile>> = vec![Vec::new(); cores];
    for (core, tile) in tiling.tiles() {
        let core = usize::try_from(core).expect("cores that are listed");
        senders[tile.layer].push((core, tile, 0));
        receivers[core].push(tile);
    }
    for tiles in &receivers {
        let mut seen: BTreeMap<usize, Seen> = BTreeMap::new();
        for tile in tiles {
            let shape = network.layers[tile.layer].shape;
            for read in &network.layers[tile.layer].reads {
                let from = network.layers[read.source].shape;
                let channels = read.sources(from.channels, shape.channels, tile.channels);
                let entry = seen.entry(read.source).or_insert((Vec::new(), true));
                let pixels = limits.storage == Storage::Patterns || limits.atoms > 0;
                entry.1 &= read.store != Store::Lists && pixels && limits.slots > 0;
                let parts = Parts::new(tile);
                for (rows, columns) in &parts.parts[..parts.count] {
                    let area = (
                        read.rows.sources(*rows, from.height),
                        read.columns.sources(*columns, from.width),
                    );
                    entry.0.push((area, channels));
                }
            }
        }
        for (source, (areas, as_one)) in seen {
            for (_, sender, axons) in &mut senders[source] {
                let parts = Parts::new(sender);
                let mut count = 0;
                for part in &parts.parts[..parts.count] {
                    let pixels = areas.iter().map(|(area, channels)| (meet(area, part), channels));
                    count += union(sender, pixels, as_one);
                }
                *axons += if as_one { count * limits.slots } else { count };
            }
        }
    }
    let (mut axons, mut most) = (vec![0; cores], vec![0; network.layers.len()]);
    for (core, tile, sent) in senders.into_iter().flatten() {
        axons[core] += sent;
        let each = (sent * REACH).div_ceil(tile.neurons());
        most[tile.layer] = each.max(most[tile.layer]);
    }
    (axons, most)
}

/// What two rectangles share.
fn meet(a: &Area, b: &Area) -> Area {
    let both = |a: [u32; 2], b: [u32; 2]| [a[0].max(b[0]), a[1].min(b[1])];
    (both(a.0, b.0), both(a.1, b.1))
}

/// Pixels (or neurons) of a sender in any of the areas.
fn union<'a>(
    sender: &Tile,
    areas: impl Iterator<Item = (Area, &'a [u32; 2])>,
    as_one: bool,
) -> u64 {
    // Boxes of rows, columns and channels that are not empty.
    let mut boxes: Vec<[[u32; 2]; 3]> = Vec::new();
    for ((rows, columns), channels) in areas {
        let channels = [channels[0].max(sender.channels[0]), channels[1].min(sender.channels[1])];
        let all = [rows, columns, channels];
        if all.iter().all(|range| range[0] < range[1]) {
            boxes.push(if as_one { [rows, columns, [0, 1]] } else { all });
        }
    }
    volume(&mut boxes, 0)
}

/// Cells in any of the boxes: slab by slab along the first axis, then along the next.
fn volume(boxes: &mut [[[u32; 2]; 3]], axis: usize) -> u64 {
    if let [only] = boxes {
        return only[axis..].iter().map(|range| u64::from(range[1] - range[0])).product();
    }
    if axis == 3 {
        return u64::from(!boxes.is_empty());
    }
    let mut cuts: Vec<u32> = boxes.iter().flat_map(|each| each[axis]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut total = 0;
    for slab in cuts.windows(2) {
        let inside = boxes.iter().filter(|b| b[axis][0] <= slab[0] && slab[1] <= b[axis][1]);
        let mut inside: Vec<[[u32; 2]; 3]> = inside.copied().collect();
        if !inside.is_empty() {
            total += u64::from(slab[1] - slab[0]) * volume(&mut inside, axis + 1);
        }
    }
    total
}
