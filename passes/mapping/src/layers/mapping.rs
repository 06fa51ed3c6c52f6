//! Partition of a layered network under limits of neurons and source axons.

use super::network::Network;
use super::pixels::{PixelError, Pixels};
use super::start::start;
use crate::hypergraph::Hypergraph;
use crate::partition::{Effort, Limits, Partition, refine};

/// Most pins of a hypergraph of pixels.
const PINS: u64 = 1 << 28;

/// A layered network with the cores of its pixels.
#[derive(Clone, Debug)]
pub struct Mapped {
    /// Which vertex is what.
    pub pixels: Pixels,
    /// The hypergraph.
    pub graph: Hypergraph,
    /// The core of each vertex.
    pub partition: Partition,
}

impl Mapped {
    /// The core of each neuron, `u32::MAX` for inputs. Neurons are numbered as in [`Network`].
    pub fn cores_of_neurons(&self) -> Vec<u32> {
        let mut cores = Vec::new();
        for (vertex, &core) in (0..).zip(&self.partition.core) {
            let (layer, _, _, block) = self.pixels.place(vertex);
            let channels = self.pixels.layer(layer).channels(block).len();
            cores.extend(std::iter::repeat_n(core, channels));
        }
        cores
    }
}

/// Maps a network: from stacks of patches, refined. `rates` as in [`Pixels::hypergraph`].
///
/// The partition may break limits if a pixel exceeds them by itself: hold it to [`Hypergraph::check`].
///
/// # Errors
/// If the network is too large for a hypergraph, or the number of rates is not that of neurons.
pub fn map(
    network: &Network,
    limits: &Limits,
    rates: Option<&[f32]>,
    effort: Effort,
    seed: u64,
) -> Result<Mapped, PixelError> {
    let pixels = Pixels::new(network, &block_sizes(network, limits))?;
    let graph = pixels.hypergraph(network, rates, PINS)?;
    let partition = start(network, &pixels, &graph, limits);
    let partition = refine(&graph, limits, partition, effort, seed);
    Ok(Mapped { pixels, graph, partition })
}

/// Blocks of channels, layer by layer: as large as a core can be filled with.
///
/// With `s` neurons per core to spare, blocks of up to `s` neurons fill all cores whatever their order, and blocks that divide a core's
/// neurons leave little. No block takes more than a 16th of a core's neurons or, if that can be, a quarter of its input axons.
pub fn block_sizes(network: &Network, limits: &Limits) -> Vec<u32> {
    let neurons = network.neurons();
    let cores = neurons.div_ceil(limits.neurons.max(1)).max(1);
    let spare = (cores * limits.neurons).saturating_sub(neurons) / cores;
    let fits = |size: u64| {
        let even = limits.neurons.is_multiple_of(size) && size <= limits.neurons / 16;
        even || size <= spare.min(limits.neurons / 64)
    };
    let sizes = network.layers.iter().map(|layer| {
        // A dense layer's neurons all read the same: its blocks take no more than one of them.
        let channels = layer.shape.channels;
        let divisors = (1..=channels).rev().filter(|size| channels.is_multiple_of(*size));
        let inputs = |size: u32| -> u64 {
            let inputs = layer.reads.iter().map(|read| {
                let from = network.layers[read.source].shape;
                let [start, end] = read.sources(from.channels, channels, [0, size]);
                let window = u64::from(read.rows.kernel) * u64::from(read.columns.kernel);
                u64::from(end - start) * window
            });
            inputs.sum()
        };
        let single = inputs(1);
        let thrifty = |size: u32| inputs(size) <= single.max(limits.inputs / 4);
        let fits = |size: &u32| *size == 1 || fits(u64::from(*size)) && thrifty(*size);
        divisors.into_iter().find(fits).unwrap_or(1)
    });
    sizes.collect()
}
