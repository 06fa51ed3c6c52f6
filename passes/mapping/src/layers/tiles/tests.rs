//! Tiles against a recount over neurons and synapses.

use super::{CoreLimits, Cost, Storage, Tile, Tiling, cost, outputs, tile};
use crate::layers::network::{Network, Shape, Store};
use crate::layers::testing::{networks, synapses};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Targets: place on the tile, channel and tap.
type Targets = Vec<(u64, u32, [u32; 2])>;

/// Neurons of a layer: channel, row, column.
type Neurons = BTreeSet<[u32; 3]>;

/// What the recount finds on one core.
#[derive(Default)]
struct Found {
    neurons: u64,
    /// Source layer, pixel, channel or number of the axon that carries it.
    inputs: BTreeSet<(usize, [u32; 2], u32, bool)>,
    /// Layer, read, output channel.
    kernels: BTreeSet<(usize, usize, u32)>,
    /// Targets of each source neuron's list: tile, layer, read, source.
    lists: BTreeMap<(Tile, usize, [u32; 3]), Targets>,
}

/// Place of a neuron in its tile: pixel by pixel, its channels side by side.
fn inside(tile: &Tile, [channel, row, column]: [u32; 3]) -> Option<u64> {
    let [left, right] = tile.columns;
    let [first, last] = tile.channels;
    if !(left..right).contains(&column) || !(first..last).contains(&channel) {
        return None;
    }
    let pixel = u64::from(row) * u64::from(right - left) + u64::from(column - left);
    let place = pixel.checked_sub(tile.run[0]).filter(|_| pixel < tile.run[1])?;
    Some(place * u64::from(last - first) + u64::from(channel - first))
}

/// Counts all cores by going through every synapse.
fn recount(network: &Network, tiling: &[(u64, Tile)], limits: &CoreLimits) -> Vec<Cost> {
    let cores = tiling.iter().map(|(core, _)| core + 1).max().unwrap_or(0);
    let mut found: Vec<Found> = (0..cores).map(|_| Found::default()).collect();
    // Tiles lie on their cores one after the other.
    let mut placed = Vec::new();
    for (core, tile) in tiling {
        let core = usize::try_from(*core).unwrap();
        placed.push((core, *tile, found[core].neurons));
        found[core].neurons += tile.neurons();
    }
    for layer in 0..network.layers.len() {
        let own: Vec<_> = placed.iter().filter(|(_, tile, _)| tile.layer == layer).collect();
        synapses(network, layer, |target, number, source, tap| {
            let read = &network.layers[layer].reads[number];
            for (core, tile, offset) in &own {
                let Some(place) = inside(tile, target) else { continue };
                let found = &mut found[*core];
                let alone = limits.atoms == 0 || read.store == Store::Lists;
                let axon = if alone { source[0] } else { source[0] / limits.atoms };
                found.inputs.insert((read.source, [source[1], source[2]], axon, alone));
                if limits.storage == Storage::Once && read.store != Store::Lists {
                    found.kernels.insert((layer, number, target[0]));
                } else {
                    let list = found.lists.entry((*tile, number, source)).or_default();
                    list.push((offset + place, target[0], tap));
                }
            }
        });
    }
    found.into_iter().map(|found| total(network, found, limits)).collect()
}

fn total(network: &Network, mut found: Found, limits: &CoreLimits) -> Cost {
    let mut words = 0;
    let mut kernels: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    for (layer, read, _) in found.kernels {
        *kernels.entry((layer, read)).or_default() += 1;
    }
    let bits = u64::from(limits.weight_bits);
    for ((layer, number), outputs) in kernels {
        let read = &network.layers[layer].reads[number];
        let fan = network.layers[read.source].shape.channels / read.groups;
        let values = u64::from(fan * read.rows.kernel * read.columns.kernel) * outputs;
        let values = if read.store == Store::One { 1 } else { values };
        words += (values * bits).div_ceil(64);
    }
    if limits.storage == Storage::Patterns {
        words += pixels(network, &mut found.lists, limits);
    }
    for (_, mut list) in found.lists {
        list.sort_unstable();
        let first = list[0].0;
        let beside = list.iter().zip(first..).all(|(entry, place)| entry.0 == place);
        let index = if beside { 0 } else { limits.index_bits };
        words += limits.list_words(list.len() as u64, bits + u64::from(index));
    }
    Cost { neurons: found.neurons, inputs: found.inputs.len() as u64, words, outputs: 0 }
}

/// Takes out what pixels receive as one list for all their channels, and counts its words.
fn pixels(
    network: &Network,
    lists: &mut BTreeMap<(Tile, usize, [u32; 3]), Targets>,
    limits: &CoreLimits,
) -> u64 {
    let mut of_pixels: BTreeMap<(Tile, usize, [u32; 2]), BTreeMap<u32, Targets>> = BTreeMap::new();
    lists.retain(|(tile, number, [channel, row, column]), targets| {
        if network.layers[tile.layer].reads[*number].store == Store::Lists {
            return true;
        }
        targets.sort_unstable();
        let channels = of_pixels.entry((*tile, *number, [*row, *column])).or_default();
        channels.insert(*channel, std::mem::take(targets));
        false
    });
    let mut known = BTreeSet::new();
    let mut words = 0;
    for ((tile, number, _), mut channels) in of_pixels {
        let first = channels.values().map(|targets| targets[0].0).min().unwrap();
        let bases = u64::from(limits.bases);
        let base = if bases == 0 { first } else { first % bases };
        for entry in channels.values_mut().flatten() {
            entry.0 -= base;
        }
        let longest = channels.values().map(Vec::len).max().unwrap() as u64;
        let entries = longest * channels.len() as u64;
        if known.insert((tile, number, channels)) {
            words += limits.list_words(entries, u64::from(limits.weight_bits + limits.index_bits));
        }
    }
    words
}

/// Each neuron lies in exactly one tile.
fn complete(network: &Network, tiling: &Tiling) {
    for (index, layer) in network.layers.iter().enumerate() {
        let tiles: Vec<Tile> =
            tiling.tiles().map(|(_, tile)| tile).filter(|tile| tile.layer == index).collect();
        let Shape { channels, height, width } = layer.shape;
        for channel in 0..channels {
            for row in 0..height {
                for column in 0..width {
                    let holds = |tile: &&Tile| inside(tile, [channel, row, column]).is_some();
                    let count = tiles.iter().filter(holds).count();
                    assert_eq!(count, usize::from(!layer.input), "layer {index}");
                }
            }
        }
    }
}

fn limits() -> impl Strategy<Value = CoreLimits> {
    let storage = prop_oneof![Just(Storage::Once), Just(Storage::Patterns), Just(Storage::Lists)];
    let sizes = (1..200_u64, 20..300_u64, 10..600_u64);
    let atoms = prop_oneof![Just(0), Just(1), Just(2), Just(1024)];
    let bases = prop_oneof![Just(0), 1..40_u32];
    (sizes, storage, atoms, 0..12_u32, bases).prop_map(
        |((neurons, inputs, words), storage, atoms, index_bits, bases)| CoreLimits {
            neurons,
            inputs,
            words,
            storage,
            weight_bits: 8,
            index_bits,
            header_bits: 10,
            block: 5,
            atoms,
            bases,
            outputs: u64::MAX,
            slots: 2,
        },
    )
}

/// Output axons by going through every synapse.
fn sent(network: &Network, tiling: &Tiling, limits: &CoreLimits) -> Vec<u64> {
    let tiles: Vec<(u64, Tile)> = tiling.tiles().collect();
    let core_of = |layer: usize, neuron: [u32; 3]| {
        let holds =
            |(_, tile): &&(u64, Tile)| tile.layer == layer && inside(tile, neuron).is_some();
        tiles.iter().find(holds).map(|(core, _)| *core)
    };
    // By receiving core and source layer: neurons, and whether a dense connection reads them.
    let mut received: BTreeMap<(u64, usize), (Neurons, bool)> = BTreeMap::new();
    for layer in 0..network.layers.len() {
        synapses(network, layer, |target, number, source, _| {
            let read = &network.layers[layer].reads[number];
            let Some(core) = core_of(layer, target) else { return };
            let entry = received.entry((core, read.source)).or_default();
            entry.0.insert(source);
            entry.1 |= read.store == Store::Lists;
        });
    }
    let mut axons = vec![0; usize::try_from(tiling.cores()).unwrap()];
    for ((_, layer), (neurons, dense)) in received {
        let pixels = limits.storage == Storage::Patterns || limits.atoms > 0;
        let by_pixel = pixels && limits.slots > 0 && !dense;
        let mut known = BTreeSet::new();
        for neuron in neurons {
            let Some(core) = core_of(layer, neuron) else { continue };
            if !by_pixel || known.insert((core, neuron[1], neuron[2])) {
                axons[usize::try_from(core).unwrap()] += if by_pixel { limits.slots } else { 1 };
            }
        }
    }
    axons
}

proptest! {
    #[test]
    fn output_axons_are_never_counted_too_low(network in networks(), limits in limits()) {
        let Ok(tiling) = tile(&network, &limits) else { return Ok(()) };
        let counted = outputs(&network, &tiling, &limits);
        let sent = sent(&network, &tiling, &limits);
        prop_assert!(sent.iter().zip(&counted).all(|(sent, counted)| sent <= counted));
        let simple = |network: &Network| {
            let layers = network.layers.iter().flat_map(|layer| &layer.reads);
            layers.into_iter().all(|read| {
                read.rows.stride <= read.rows.kernel && read.columns.stride <= read.columns.kernel
            })
        };
        let one = network.layers.iter().all(|layer| layer.reads.len() < 2);
        // Pixels that two parts of a tile share count twice.
        if simple(&network) && one && limits.storage == Storage::Once && limits.atoms == 0 {
            prop_assert_eq!(sent, counted);
        }
    }

    #[test]
    fn tiles_hold_each_neuron_once_within_all_limits(
        network in networks(),
        limits in limits(),
    ) {
        let Ok(tiling) = tile(&network, &limits) else { return Ok(()) };
        complete(&network, &tiling);
        let tiles: Vec<(u64, Tile)> = tiling.tiles().collect();
        let counted = recount(&network, &tiles, &limits);
        prop_assert_eq!(counted.len() as u64, tiling.cores());
        for (core, counted) in counted.iter().enumerate() {
            prop_assert!(counted.neurons > 0);
            prop_assert!(counted.fits(&limits), "core {core}: {counted:?}");
        }
    }

    #[test]
    fn the_cost_of_a_tile_is_what_a_recount_finds(
        network in networks(),
        limits in limits(),
        cut in [0..100_u32, 0..100, 0..100, 0..100, 0..100, 0..100],
    ) {
        let layer = network.layers.len() - 1;
        let shape = network.layers[layer].shape;
        let range = |a: u32, b: u32, length: u32| {
            let (a, b) = (a * length / 100, b * length / 100);
            [a.min(b), a.max(b) + 1]
        };
        let columns = range(cut[2], cut[3], shape.width);
        let width = u64::from(columns[1] - columns[0]);
        let rows = u64::from(shape.height);
        let pixels = range(cut[4], cut[5], u32::try_from(width * rows).unwrap()).map(u64::from);
        let run = if limits.storage == Storage::Once {
            pixels
        } else {
            [pixels[0] / width * width, (pixels[1]).next_multiple_of(width)]
        };
        let tile = Tile { layer, channels: range(cut[0], cut[1], shape.channels), columns, run };
        let found = recount(&network, &[(0, tile)], &limits)[0];
        let cost = cost(&network, &tile, 0, &limits);
        prop_assert_eq!(found.neurons, cost.neurons);
        let mut sources: Vec<usize> =
            network.layers[layer].reads.iter().map(|read| read.source).collect();
        sources.sort_unstable();
        sources.dedup();
        if sources.len() == network.layers[layer].reads.len() {
            prop_assert_eq!(found.inputs, cost.inputs);
        } else {
            // What several connections read counts for each.
            prop_assert!(found.inputs <= cost.inputs);
        }
        if limits.storage == Storage::Once {
            prop_assert_eq!(found.words, cost.words);
        } else {
            // Rows of a strip that happen to lie side by side need no index; not each base between two is in use.
            prop_assert!(found.words <= cost.words);
            let exact = limits.storage == Storage::Patterns && limits.bases == 0;
            if exact || (limits.storage == Storage::Lists && limits.index_bits == 0) {
                prop_assert_eq!(found.words, cost.words);
            }
        }
    }
}

/// Networks with published core counts: 61 for `PilotNet` and 574 for YOLO-KP on Loihi 2 (notebooks of lava-dl), 2,048 for
/// `MobileNet` on Loihi 1 (`NxTF`).
#[test]
fn published_core_counts_are_beaten() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/layers");
    let cases = [
        ("pilotnet-sdnn", CoreLimits::LOIHI2, 30),
        ("yolo-kp", CoreLimits::LOIHI2, 500),
        ("mobilenet-128", CoreLimits::LOIHI1, 1640),
    ];
    for (name, limits, most) in cases {
        let text = std::fs::read_to_string(folder.join(format!("{name}.toml"))).unwrap();
        let file: crate::layers::LayerFile = toml::from_str(&text).unwrap();
        let network = file.check().unwrap();
        let tiling = tile(&network, &limits).unwrap();
        let cores = tiling.cores();
        assert!(cores <= most, "{name}: {cores}");
        assert!(crate::bounds::cores(&network, &limits).largest() <= cores);
        let mut used = vec![Cost::default(); usize::try_from(cores).unwrap()];
        let mut neurons = vec![0; network.layers.len()];
        for (core, tile) in tiling.tiles() {
            let used = &mut used[usize::try_from(core).unwrap()];
            *used = used.plus(cost(&network, &tile, used.neurons, &limits));
            neurons[tile.layer] += tile.neurons();
        }
        let sent = outputs(&network, &tiling, &limits);
        for (used, outputs) in used.into_iter().zip(sent) {
            assert!(Cost { outputs, ..used }.fits(&limits), "{name}: {used:?} {outputs}");
        }
        for (layer, neurons) in network.layers.iter().zip(neurons) {
            assert_eq!(neurons, if layer.input { 0 } else { layer.shape.neurons() });
        }
    }
}
