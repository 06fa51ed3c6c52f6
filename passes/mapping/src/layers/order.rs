//! Filling cores in a given order of vertices.

use crate::hypergraph::Hypergraph;
use crate::partition::{Limits, Partition};

/// Edges that reach each vertex.
pub(super) struct Incoming {
    starts: Vec<usize>,
    edges: Vec<u32>,
}

impl Incoming {
    pub(super) fn new(graph: &Hypergraph) -> Self {
        let mut starts = vec![0_usize; graph.vertices() + 1];
        for &target in &graph.targets {
            starts[target as usize + 1] += 1;
        }
        for vertex in 0..graph.vertices() {
            starts[vertex + 1] += starts[vertex];
        }
        let mut next = starts.clone();
        let mut edges = vec![0; graph.targets.len()];
        for edge in 0..graph.edges() {
            for &target in graph.targets_of(edge) {
                let at = &mut next[target as usize];
                edges[*at] = u32::try_from(edge).expect("edges are counted in u32");
                *at += 1;
            }
        }
        Self { starts, edges }
    }

    pub(super) fn of(&self, vertex: u32) -> &[u32] {
        let vertex = vertex as usize;
        &self.edges[self.starts[vertex]..self.starts[vertex + 1]]
    }
}

/// Fills core after core: a vertex that does not fit opens the next one. Vertices of weight 0 are left out; a vertex that exceeds
/// the limits by itself gets a core of its own.
pub fn fill(graph: &Hypergraph, limits: &Limits, order: impl Iterator<Item = u32>) -> Partition {
    let incoming = Incoming::new(graph);
    let mut core = vec![u32::MAX; graph.vertices()];
    let mut seen = vec![u32::MAX; graph.edges()];
    let (mut current, mut neurons, mut inputs) = (0, 0, 0);
    for vertex in order {
        let weight = u64::from(graph.weights[vertex as usize]);
        if weight == 0 {
            continue;
        }
        let new = |seen: &[u32], current: u32| -> u64 {
            let edges = incoming.of(vertex).iter().filter(|&&edge| seen[edge as usize] != current);
            edges.map(|&edge| u64::from(graph.axons[edge as usize])).sum()
        };
        let mut axons = new(&seen, current);
        if neurons > 0 && (neurons + weight > limits.neurons || inputs + axons > limits.inputs) {
            current += 1;
            (neurons, inputs) = (0, 0);
            axons = new(&seen, current);
        }
        neurons += weight;
        inputs += axons;
        for &edge in incoming.of(vertex) {
            seen[edge as usize] = current;
        }
        core[vertex as usize] = current;
    }
    Partition { core, cores: if neurons > 0 { current + 1 } else { 0 } }
}
