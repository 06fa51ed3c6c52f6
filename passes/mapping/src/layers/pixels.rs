//! The hypergraph of a layered network whose vertices are pixels, or blocks of a pixel's channels.
//!
//! All neurons of a vertex stay together, and the axons of a source block reach the same blocks, so traffic is that of
//! the hypergraph of neurons, exactly, with far fewer pins.

use super::network::{Network, Read};
use crate::hypergraph::Hypergraph;
use std::fmt;
use std::ops::Range;

/// Why there is no hypergraph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelError {
    /// More vertices than their numbers can count.
    Vertices(u64),
    /// More pins than wanted.
    Pins(u64),
    /// Rates: given, expected.
    Rates(usize, u64),
}

impl fmt::Display for PixelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vertices(count) => write!(f, "{count} vertices; at most {}", u32::MAX - 1),
            Self::Pins(count) => write!(f, "{count} pins or more; take larger blocks"),
            Self::Rates(given, expected) => write!(f, "{given} rates for {expected} neurons"),
        }
    }
}

impl std::error::Error for PixelError {}

/// Where the vertices of each layer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    layers: Vec<Blocks>,
}

/// Vertices of a layer: pixels row by row, each with its blocks of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// First vertex.
    pub base: u32,
    /// Channels of a block; the last one may have fewer.
    pub size: u32,
    /// Blocks of a pixel.
    pub count: u32,
    /// Channels of a pixel.
    pub channels: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Blocks {
    /// Vertex of a block.
    pub fn vertex(&self, row: u32, column: u32, block: u32) -> u32 {
        self.base + (row * self.width + column) * self.count + block
    }

    /// Channels of a block.
    pub fn channels(&self, block: u32) -> Range<u32> {
        block * self.size..((block + 1) * self.size).min(self.channels)
    }

    /// Vertices of the layer.
    pub fn vertices(&self) -> u32 {
        self.height * self.width * self.count
    }
}

impl Pixels {
    /// Numbers the vertices: blocks of `sizes[l]` channels of layer `l`.
    ///
    /// # Errors
    /// If there are too many.
    pub fn new(network: &Network, sizes: &[u32]) -> Result<Self, PixelError> {
        let mut layers = Vec::with_capacity(network.layers.len());
        let mut base = 0_u64;
        for (layer, &size) in network.layers.iter().zip(sizes) {
            let shape = layer.shape;
            let size = size.clamp(1, shape.channels);
            let count = shape.channels.div_ceil(size);
            let first = u32::try_from(base).map_err(|_| PixelError::Vertices(base))?;
            base += shape.pixels() * u64::from(count);
            layers.push(Blocks {
                base: first,
                size,
                count,
                channels: shape.channels,
                width: shape.width,
                height: shape.height,
            });
        }
        if base >= u64::from(u32::MAX) {
            return Err(PixelError::Vertices(base));
        }
        Ok(Self { layers })
    }

    /// Blocks of a layer.
    pub fn layer(&self, layer: usize) -> &Blocks {
        &self.layers[layer]
    }

    /// Layer, row, column and block of a vertex.
    pub fn place(&self, vertex: u32) -> (usize, u32, u32, u32) {
        let layer = self.layers.partition_point(|blocks| blocks.base <= vertex) - 1;
        let blocks = &self.layers[layer];
        let (pixel, block) =
            ((vertex - blocks.base) / blocks.count, (vertex - blocks.base) % blocks.count);
        (layer, pixel / blocks.width, pixel % blocks.width, block)
    }

    /// The hypergraph, with at most `pins` pins. Without rates, every neuron has rate 1; else `rates` holds one per neuron: layer
    /// by layer, `(row · width + column) · channels + channel`. Neurons that nobody reads have no edge.
    ///
    /// # Errors
    /// If there are more pins, or the number of rates is not that of neurons.
    pub fn hypergraph(
        &self,
        network: &Network,
        rates: Option<&[f32]>,
        pins: u64,
    ) -> Result<Hypergraph, PixelError> {
        let neurons = network.layers.iter().map(|layer| layer.shape.neurons()).sum();
        if let Some(rates) = rates
            && rates.len() as u64 != neurons
        {
            return Err(PixelError::Rates(rates.len(), neurons));
        }
        let mut graph = Hypergraph { starts: vec![0], ..Hypergraph::default() };
        for (blocks, layer) in self.layers.iter().zip(&network.layers) {
            for vertex in 0..blocks.vertices() {
                let channels = blocks.channels(vertex % blocks.count);
                let weight = if layer.input { 0 } else { channels.end - channels.start };
                graph.weights.push(weight);
            }
        }
        let mut first = 0_usize;
        for (index, layer) in network.layers.iter().enumerate() {
            self.edges_of(network, index, rates.map(|rates| &rates[first..]), pins, &mut graph)?;
            if rates.is_some() {
                first += usize::try_from(layer.shape.neurons()).expect("rates lie in memory");
            }
        }
        Ok(graph)
    }

    /// Adds the edges that start in a layer.
    fn edges_of(
        &self,
        network: &Network,
        index: usize,
        rates: Option<&[f32]>,
        pins: u64,
        graph: &mut Hypergraph,
    ) -> Result<(), PixelError> {
        let layer = &network.layers[index];
        let blocks = self.layers[index];
        let reads = network.layers.iter().enumerate();
        let reads = reads.flat_map(|(n, layer)| layer.reads.iter().map(move |read| (n, read)));
        let readers: Vec<(usize, &Read)> = reads.filter(|(_, r)| r.source == index).collect();
        let bundles = self.bundles(network, &readers, &blocks);
        let mut targets: Vec<u32> = Vec::new();
        for pixel in 0..blocks.height * blocks.width {
            let place = [pixel / blocks.width, pixel % blocks.width];
            let neuron = pixel as usize * layer.shape.channels as usize;
            for bundle in &bundles {
                targets.clear();
                for (&(target, read), &[start, end]) in readers.iter().zip(&bundle.reached) {
                    let (shape, blocks) = (network.layers[target].shape, &self.layers[target]);
                    let [top, bottom] = read.rows.readers(place[0], shape.height);
                    let [left, right] = read.columns.readers(place[1], shape.width);
                    for row in top..bottom {
                        for column in left..right {
                            let vertex = blocks.vertex(row, column, 0);
                            targets.extend(vertex + start..vertex + end);
                        }
                    }
                }
                if targets.is_empty() {
                    continue;
                }
                if readers.len() > 1 {
                    targets.sort_unstable();
                    targets.dedup();
                }
                let total = graph.targets.len() as u64 + targets.len() as u64;
                if total > pins {
                    return Err(PixelError::Pins(total));
                }
                let [start, end] = bundle.channels;
                let rate = match rates {
                    Some(rates) => {
                        let of = &rates[neuron + start as usize..neuron + end as usize];
                        of.iter().map(|&rate| f64::from(rate)).sum()
                    }
                    None => f64::from(end - start),
                };
                graph.sources.push(blocks.vertex(place[0], place[1], bundle.block));
                graph.axons.push(end - start);
                graph.rates.push(rate);
                graph.targets.extend_from_slice(&targets);
                graph.starts.push(graph.targets.len());
            }
        }
        Ok(())
    }

    /// Cuts the channels of each block where the blocks that they reach change.
    fn bundles(
        &self,
        network: &Network,
        readers: &[(usize, &Read)],
        blocks: &Blocks,
    ) -> Vec<Bundle> {
        let mut bundles: Vec<Bundle> = Vec::new();
        for block in 0..blocks.count {
            for channel in blocks.channels(block) {
                let reach = |&(target, read): &(usize, &Read)| {
                    let outputs = network.layers[target].shape.channels;
                    let [start, end] = read.readers(blocks.channels, outputs, channel);
                    let size = self.layers[target].size;
                    [start / size, end.div_ceil(size)]
                };
                let reached: Vec<[u32; 2]> = readers.iter().map(reach).collect();
                match bundles.last_mut() {
                    Some(last) if last.block == block && last.reached == reached => {
                        last.channels[1] = channel + 1;
                    }
                    _ => bundles.push(Bundle { block, channels: [channel, channel + 1], reached }),
                }
            }
        }
        bundles
    }
}

/// Channels of a block that reach the same blocks.
struct Bundle {
    block: u32,
    channels: [u32; 2],
    /// Blocks of the target's pixels, for each reader.
    reached: Vec<[u32; 2]>,
}

#[cfg(test)]
mod tests;
