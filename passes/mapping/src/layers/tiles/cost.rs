//! What a tile takes of a core.

use super::Tile;
use super::lists::list_words;
use crate::layers::network::{Network, Read, Store, Window};

/// What one core can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoreLimits {
    /// Neurons.
    pub neurons: u64,
    /// Input axons.
    pub inputs: u64,
    /// 64-bit words of synapse memory.
    pub words: u64,
    /// How synapses are stored.
    pub storage: Storage,
    /// Bits of a weight.
    pub weight_bits: u32,
    /// Bits of the index of a synapse in a list whose targets do not lie side by side.
    pub index_bits: u32,
    /// Bits of the header of a block of synapses in a list.
    pub header_bits: u32,
    /// Synapses of a block.
    pub block: u32,
    /// Channels of a pixel that share an input axon; 0: an axon for each source neuron.
    pub atoms: u32,
    /// Compartments after which pixels that lie alike need a list of their own; 0: never.
    pub bases: u32,
    /// Output axons; `u64::MAX`: no limit.
    pub outputs: u64,
    /// Output axons of a pixel for each core that receives it as one; other neurons take one for each core.
    pub slots: u64,
}

/// How synapses of convolutions are stored on a core. Dense connections always take a list for each source neuron.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Kernels once, for the output channels present.
    Once,
    /// A list for each pattern: pixels whose targets on the core lie alike share it.
    Patterns,
    /// A list for each source neuron.
    Lists,
}

impl CoreLimits {
    /// Loihi 2, with numbers that are inferred from the tables that lava-dl's notebooks print. They say nothing of output axons.
    pub const LOIHI2: Self = Self {
        neurons: 4095,
        inputs: 16_000,
        words: 16_000,
        storage: Storage::Once,
        weight_bits: 8,
        index_bits: 0,
        header_bits: 0,
        block: 64,
        atoms: 1024,
        bases: 0,
        outputs: u64::MAX,
        slots: 1,
    };

    /// Loihi 1 with the convolution axons of nengo-loihi 1.1.0 (`conv.py`, `block.py`): an axon for each source pixel, whose channels
    /// travel as atoms; pixels share lists; a
    /// pixel takes two output axons for each core.
    pub const LOIHI1: Self = Self {
        neurons: 1024,
        inputs: 4096,
        words: 16_384,
        storage: Storage::Patterns,
        weight_bits: 8,
        index_bits: 10,
        header_bits: 10,
        block: 64,
        atoms: 1024,
        bases: 256,
        outputs: 4096,
        slots: 2,
    };

    /// Cores with limits of neurons and distinct source neurons, as research on partition assumes.
    pub fn plain(neurons: u64, inputs: u64) -> Self {
        Self { neurons, inputs, words: u64::MAX, atoms: 0, ..Self::LOIHI2 }
    }

    /// Words of a list of `synapses` of `bits` each: blocks with a header, each rounded up to whole words (nengo-loihi,
    /// `bits_per_axon`).
    pub(super) fn list_words(&self, synapses: u64, bits: u64) -> u64 {
        let block = u64::from(self.block.max(1));
        let words = |count: u64| {
            count.saturating_mul(bits).saturating_add(u64::from(self.header_bits)).div_ceil(64)
        };
        let rest = synapses % block;
        let whole = (synapses / block).saturating_mul(words(block));
        whole.saturating_add(if rest > 0 { words(rest) } else { 0 })
    }
}

/// What something takes of a core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Neurons.
    pub neurons: u64,
    /// Input axons.
    pub inputs: u64,
    /// Words of synapse memory.
    pub words: u64,
    /// Output axons, where they are estimated; else 0.
    pub outputs: u64,
}

impl Cost {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            neurons: self.neurons.saturating_add(other.neurons),
            inputs: self.inputs.saturating_add(other.inputs),
            words: self.words.saturating_add(other.words),
            outputs: self.outputs.saturating_add(other.outputs),
        }
    }

    /// Whether a core holds this much.
    pub fn fits(self, limits: &CoreLimits) -> bool {
        self.neurons <= limits.neurons
            && self.inputs <= limits.inputs
            && self.words <= limits.words
            && self.outputs <= limits.outputs
    }

    /// The largest share of a limit.
    pub(super) fn share(self, limits: &CoreLimits) -> f64 {
        let share = |need, limit| ratio(need, limit);
        let axons = share(self.inputs, limits.inputs).max(share(self.outputs, limits.outputs));
        share(self.neurons, limits.neurons).max(axons).max(share(self.words, limits.words))
    }
}

/// Parts in which a neuron's reach is counted.
pub(super) const REACH: u64 = 64;

/// A network, and what is known of its tiles.
pub(super) struct Work<'a> {
    pub(super) network: &'a Network,
    /// Output axons of a neuron of each layer, in units of 1 / [`REACH`].
    pub(super) reach: Vec<u64>,
}

impl Work<'_> {
    /// What a tile takes, with its output axons as far as they are known.
    pub(super) fn cost(&self, tile: &Tile, offset: u64, limits: &CoreLimits) -> Cost {
        let outputs = (tile.neurons() * self.reach[tile.layer]).div_ceil(REACH);
        Cost { outputs, ..cost(self.network, tile, offset, limits) }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a measure for a search, not a count")]
pub(super) fn ratio(need: u64, limit: u64) -> f64 {
    need as f64 / limit.max(1) as f64
}

/// What a tile takes. Source neurons that several connections of its layer read count once for each. Where lists are stored, the tile
/// must consist of whole rows of its strip, unless all windows of its layer are single places; `offset` is the compartment at
/// which it begins.
pub fn cost(network: &Network, tile: &Tile, offset: u64, limits: &CoreLimits) -> Cost {
    let layer = &network.layers[tile.layer];
    let mut cost = Cost { neurons: tile.neurons(), ..Cost::default() };
    let parts = Parts::new(tile);
    for read in &layer.reads {
        let from = network.layers[read.source].shape;
        let channels = read.sources(from.channels, layer.shape.channels, tile.channels);
        let places = parts.places(read, [from.height, from.width]);
        cost.inputs = cost.inputs.saturating_add(places * axons(channels, read, limits));
        let words = words(tile, offset, &parts, read, network, places, limits);
        cost.words = cost.words.saturating_add(words);
    }
    cost
}

/// Input axons that these channels of a pixel take.
fn axons([start, end]: [u32; 2], read: &Read, limits: &CoreLimits) -> u64 {
    if limits.atoms == 0 || read.store == Store::Lists {
        return u64::from(end - start);
    }
    u64::from((end - 1) / limits.atoms - start / limits.atoms + 1)
}

/// Words that a connection takes of the core of a tile.
fn words(
    tile: &Tile,
    offset: u64,
    parts: &Parts,
    read: &Read,
    network: &Network,
    places: u64,
    limits: &CoreLimits,
) -> u64 {
    let (inputs, shape) = (network.layers[read.source].shape, network.layers[tile.layer].shape);
    let outputs = u64::from(tile.channels[1] - tile.channels[0]);
    let bits = u64::from(limits.weight_bits);
    let [start, end] = read.sources(inputs.channels, shape.channels, tile.channels);
    let sources = u64::from(end - start);
    match (read.store, limits.storage) {
        (Store::Lists, _) => (places * sources).saturating_mul(limits.list_words(outputs, bits)),
        (Store::One, Storage::Once) => bits.div_ceil(64),
        (Store::Kernel, Storage::Once) => {
            let fan = u64::from(inputs.channels / read.groups);
            let taps = u64::from(read.rows.kernel) * u64::from(read.columns.kernel);
            (outputs * fan).saturating_mul(taps).saturating_mul(bits).div_ceil(64)
        }
        (_, Storage::Patterns | Storage::Lists) => {
            list_words(tile, offset, parts, read, [inputs, shape], limits)
        }
    }
}

/// A run of pixels as rows: a first one and a last one that may be incomplete, and complete ones between.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    /// Rows of pixels, and columns of each: at most three parts with ascending rows.
    pub(super) parts: [([u32; 2], [u32; 2]); 3],
    /// Parts in use.
    pub(super) count: usize,
}

impl Parts {
    pub(super) fn new(tile: &Tile) -> Self {
        let [left, right] = tile.columns;
        let width = u64::from(right - left);
        let [start, end] = tile.run;
        let place = |pixel: u64| (narrow(pixel / width), left + narrow(pixel % width));
        let (top, from) = place(start);
        let (bottom, to) = place(end);
        let mut result = Self { parts: [([0; 2], [0; 2]); 3], count: 0 };
        if top == bottom {
            result.add([top, top + 1], [from, to]);
            return result;
        }
        let mut full = top;
        if from > left {
            result.add([top, top + 1], [from, right]);
            full = top + 1;
        }
        result.add([full, bottom], [left, right]);
        result.add([bottom, bottom + 1], [left, to]);
        result
    }

    fn add(&mut self, rows: [u32; 2], columns: [u32; 2]) {
        if rows[0] < rows[1] && columns[0] < columns[1] {
            self.parts[self.count] = (rows, columns);
            self.count += 1;
        }
    }

    /// Source places that the run sees.
    fn places(&self, read: &Read, [height, width]: [u32; 2]) -> u64 {
        let parts = &self.parts[..self.count];
        let mut total = 0;
        for (rows, columns) in parts {
            total += read.rows.covered(*rows, height) * read.columns.covered(*columns, width);
        }
        // Less what two parts both see: each pair's, plus what all three see.
        let shared = |chosen: &[usize]| {
            let rows: Vec<[u32; 2]> = chosen.iter().map(|&n| parts[n].0).collect();
            let columns: Vec<[u32; 2]> = chosen.iter().map(|&n| parts[n].1).collect();
            common(read.rows, &rows, height) * common(read.columns, &columns, width)
        };
        match parts.len() {
            0 | 1 => total,
            2 => total - shared(&[0, 1]),
            _ => total - shared(&[0, 1]) - shared(&[1, 2]) - shared(&[0, 2]) + shared(&[0, 1, 2]),
        }
    }
}

/// Sources that targets of each of the ranges see.
fn common(window: Window, ranges: &[[u32; 2]], length: u32) -> u64 {
    if window.stride > window.kernel {
        // Windows do not overlap: only common targets have common sources.
        let start = ranges.iter().map(|range| range[0]).max().unwrap_or(0);
        let end = ranges.iter().map(|range| range[1]).min().unwrap_or(0);
        return if start < end { window.covered([start, end], length) } else { 0 };
    }
    let seen = ranges.iter().map(|range| window.sources(*range, length));
    let (start, end) = seen.fold((0, u32::MAX), |(a, b), [c, d]| (a.max(c), b.min(d)));
    u64::from(end.saturating_sub(start))
}

fn narrow(place: u64) -> u32 {
    u32::try_from(place).expect("rows and columns lie below the size of the layer")
}
