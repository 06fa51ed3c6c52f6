//! Networks as directed hypergraphs: one edge per bundle of axons, its source counted as a pin.

use std::ops::Range;

/// A directed hypergraph.
///
/// A vertex is a group of neurons that stay together (a single one, or the channels of a pixel). An edge is a bundle of axons
/// that start at one vertex and reach the same vertices: one axon of a neuron, or those of all channels of a
/// pixel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hypergraph {
    /// Neurons of each vertex. Vertices of weight 0 lie on no core (inputs): they take part in axon limits, not in traffic.
    pub weights: Vec<u32>,
    /// Source vertex of each edge.
    pub sources: Vec<u32>,
    /// Axons in the bundle of each edge: what a core that it reaches pays of its input axons.
    pub axons: Vec<u32>,
    /// Spikes per step of all axons in the bundle together (any unit: it only weighs traffic).
    pub rates: Vec<f64>,
    /// Where the targets of each edge start in [`targets`](Self::targets); one more than edges.
    pub starts: Vec<usize>,
    /// Target vertices of all edges, ascending within an edge and without repetition. The source is listed only if it
    /// is a target, too.
    pub targets: Vec<u32>,
}

impl Hypergraph {
    /// Number of vertices.
    pub fn vertices(&self) -> usize {
        self.weights.len()
    }

    /// Number of edges.
    pub fn edges(&self) -> usize {
        self.sources.len()
    }

    /// Targets of an edge.
    pub fn targets_of(&self, edge: usize) -> &[u32] {
        self.targets.get(self.range(edge)).unwrap_or(&[])
    }

    fn range(&self, edge: usize) -> Range<usize> {
        self.starts[edge]..self.starts[edge + 1]
    }
}
