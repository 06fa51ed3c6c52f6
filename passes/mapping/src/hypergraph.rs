//! Networks as directed hypergraphs: one edge per bundle of axons, its source counted as a pin.
//!
//! Everything here follows the definitions and shares no code with the partitioner, so that it can judge it.

use std::ops::Range;

use crate::partition::{Limits, Partition};

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

/// Why arrays are not a [`Hypergraph`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The arrays of edges have different lengths, or `starts` does not divide `targets`.
    #[error("arrays of edges do not fit together at edge {edge}")]
    Arrays {
        /// First edge of which something is missing.
        edge: usize,
    },
    /// A pin is not a vertex.
    #[error("edge {edge} names vertex {vertex} of {vertices}")]
    Vertex {
        /// The edge.
        edge: usize,
        /// What it names.
        vertex: u32,
        /// Number of vertices.
        vertices: usize,
    },
    /// Targets do not ascend, or one is repeated.
    #[error("targets of edge {edge} do not ascend at vertex {vertex}")]
    Order {
        /// The edge.
        edge: usize,
        /// The target that is not above the one before it.
        vertex: u32,
    },
    /// A rate is negative, infinite, or not a number.
    #[error("rate of edge {edge} is not a finite number of at least 0")]
    Rate {
        /// The edge.
        edge: usize,
    },
}

/// Edges of each vertex.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Incidence {
    starts: Vec<usize>,
    edges: Vec<u32>,
}

impl Incidence {
    /// Edges of a vertex, ascending.
    pub fn of(&self, vertex: usize) -> &[u32] {
        &self.edges[self.starts[vertex]..self.starts[vertex + 1]]
    }

    /// Collects pairs of vertex and edge. `pairs` is asked twice and has to give the same pairs, edges ascending.
    fn collect<I: Iterator<Item = (u32, u32)>>(vertices: usize, pairs: impl Fn() -> I) -> Self {
        let mut starts = vec![0usize; vertices + 1];
        for (vertex, _) in pairs() {
            starts[vertex as usize + 1] += 1;
        }
        for vertex in 0..vertices {
            starts[vertex + 1] += starts[vertex];
        }
        let mut next = starts.clone();
        let mut edges = vec![0; starts[vertices]];
        for (vertex, edge) in pairs() {
            edges[next[vertex as usize]] = edge;
            next[vertex as usize] += 1;
        }
        Self { starts, edges }
    }
}

/// What a core holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoreUsage {
    /// Neurons.
    pub neurons: u64,
    /// Input axons.
    pub inputs: u64,
}

/// What breaks the limits, or is no partition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The partition has more or fewer vertices than the network.
    #[error("{found} vertices have a core, {expected} expected")]
    Length {
        /// Vertices of the partition.
        found: usize,
        /// Vertices of the network.
        expected: usize,
    },
    /// A vertex with neurons lies on no core, or on one that does not exist.
    #[error("vertex {vertex} lies on core {core} of {cores}")]
    Homeless {
        /// The vertex.
        vertex: usize,
        /// Where it is said to lie.
        core: u32,
        /// Number of cores.
        cores: u32,
    },
    /// A vertex without neurons lies on a core.
    #[error("input {vertex} lies on core {core}")]
    InputOnCore {
        /// The vertex.
        vertex: usize,
        /// Its core.
        core: u32,
    },
    /// A core is counted and holds nothing.
    #[error("core {core} is empty")]
    EmptyCore {
        /// The core.
        core: u32,
    },
    /// A core has too many neurons.
    #[error("core {core} holds {need} neurons where {limit} fit")]
    Neurons {
        /// The core.
        core: u32,
        /// Neurons on it.
        need: u64,
        /// Neurons that fit.
        limit: u64,
    },
    /// A core has too many input axons.
    #[error("core {core} has {need} input axons where {limit} fit")]
    Inputs {
        /// The core.
        core: u32,
        /// Distinct axons that reach it.
        need: u64,
        /// Axons that fit.
        limit: u64,
    },
    /// Too many cores.
    #[error("{need} cores where {limit} exist")]
    Cores {
        /// Cores in use.
        need: u32,
        /// Cores that exist.
        limit: u32,
    },
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

    /// Number of targets of all edges.
    pub fn pins(&self) -> usize {
        self.targets.len()
    }

    /// Neurons of all vertices.
    pub fn neurons(&self) -> u64 {
        self.weights.iter().map(|&weight| u64::from(weight)).sum()
    }

    /// Targets of an edge.
    pub fn targets_of(&self, edge: usize) -> &[u32] {
        self.targets.get(self.range(edge)).unwrap_or(&[])
    }

    fn range(&self, edge: usize) -> Range<usize> {
        self.starts[edge]..self.starts[edge + 1]
    }

    /// Checks what the documentation of the fields promises, in O(pins).
    ///
    /// # Errors
    /// The first place where it does not hold.
    pub fn validate(&self) -> Result<(), Malformed> {
        let edges = self.edges();
        let shortest = self.axons.len().min(self.rates.len()).min(self.starts.len().max(1) - 1);
        if shortest < edges || self.axons.len() > edges || self.rates.len() > edges {
            return Err(Malformed::Arrays { edge: shortest.min(edges) });
        }
        if self.starts.len() != edges + 1 || self.starts[0] != 0 {
            return Err(Malformed::Arrays { edge: 0 });
        }
        let mut end = 0;
        for edge in 0..edges {
            let Range { start, end: next } = self.range(edge);
            if start != end || next < start || next > self.targets.len() {
                return Err(Malformed::Arrays { edge });
            }
            end = next;
            if !(self.rates[edge].is_finite() && self.rates[edge] >= 0.0) {
                return Err(Malformed::Rate { edge });
            }
            let mut previous = None;
            for &vertex in std::iter::once(&self.sources[edge]).chain(&self.targets[start..next]) {
                if vertex as usize >= self.vertices() {
                    return Err(Malformed::Vertex { edge, vertex, vertices: self.vertices() });
                }
            }
            for &vertex in &self.targets[start..next] {
                if previous.is_some_and(|previous| previous >= vertex) {
                    return Err(Malformed::Order { edge, vertex });
                }
                previous = Some(vertex);
            }
        }
        if end != self.targets.len() {
            return Err(Malformed::Arrays { edge: edges });
        }
        Ok(())
    }

    /// For each vertex, the edges of which it is a target.
    pub fn incoming(&self) -> Incidence {
        Incidence::collect(self.vertices(), || {
            (0..self.edges())
                .flat_map(|edge| self.targets_of(edge).iter().map(move |&to| (to, narrow(edge))))
        })
    }

    /// For each vertex, the edges that start at it.
    pub fn outgoing(&self) -> Incidence {
        Incidence::collect(self.vertices(), || {
            self.sources.iter().enumerate().map(|(edge, &from)| (from, narrow(edge)))
        })
    }

    /// Copies of axons weighted by rate: the sum over edges of rate · (distinct cores among source and targets − 1).
    /// Inputs (weight 0) are no pins; an edge without any pin counts 0.
    ///
    /// This is the connectivity metric of hypergraph partitioning, and the spikes per step that travel between
    /// cores if a spike is sent once to each core that listens.
    pub fn km1(&self, partition: &Partition) -> f64 {
        let mut seen = vec![u32::MAX; partition.cores as usize];
        let mut sum = 0.0;
        for edge in 0..self.edges() {
            let mut distinct = 0u32;
            let pins = self.targets_of(edge).iter().chain(std::iter::once(&self.sources[edge]));
            for &vertex in pins {
                if let Some(last) = seen.get_mut(partition.core[vertex as usize] as usize)
                    && *last != narrow(edge)
                {
                    *last = narrow(edge);
                    distinct += 1;
                }
            }
            sum += self.rates[edge] * f64::from(distinct.saturating_sub(1));
        }
        sum
    }

    /// What each core holds. Vertices outside of the partition's cores are left out.
    pub fn usage(&self, partition: &Partition) -> Vec<CoreUsage> {
        let mut usage = vec![CoreUsage::default(); partition.cores as usize];
        for (vertex, &core) in partition.core.iter().enumerate().take(self.vertices()) {
            if let Some(usage) = usage.get_mut(core as usize) {
                usage.neurons += u64::from(self.weights[vertex]);
            }
        }
        let mut seen = vec![u32::MAX; partition.cores as usize];
        for edge in 0..self.edges() {
            for &vertex in self.targets_of(edge) {
                let core = partition.core.get(vertex as usize).copied().unwrap_or(u32::MAX);
                if let Some(last) = seen.get_mut(core as usize)
                    && *last != narrow(edge)
                {
                    *last = narrow(edge);
                    usage[core as usize].inputs += u64::from(self.axons[edge]);
                }
            }
        }
        usage
    }

    /// Checks that every vertex with neurons lies on a core, that no core is empty, and that all limits hold. Returns what each core holds.
    ///
    /// # Errors
    /// All violations, by kind and core.
    pub fn check(
        &self,
        limits: &Limits,
        partition: &Partition,
    ) -> Result<Vec<CoreUsage>, Vec<Violation>> {
        let cores = partition.cores;
        if partition.core.len() != self.vertices() {
            let (found, expected) = (partition.core.len(), self.vertices());
            return Err(vec![Violation::Length { found, expected }]);
        }
        let mut violations = Vec::new();
        if cores > limits.cores {
            violations.push(Violation::Cores { need: cores, limit: limits.cores });
        }
        // A core without a vertex of its own: more cores than vertices are not worth an array.
        if cores as usize > self.vertices() {
            violations.push(Violation::EmptyCore { core: narrow(self.vertices()) });
            return Err(violations);
        }
        for (vertex, (&core, &weight)) in partition.core.iter().zip(&self.weights).enumerate() {
            if weight == 0 && core != u32::MAX {
                violations.push(Violation::InputOnCore { vertex, core });
            } else if weight > 0 && core >= cores {
                violations.push(Violation::Homeless { vertex, core, cores });
            }
        }
        let usage = self.usage(partition);
        for (core, usage) in (0..cores).zip(&usage) {
            if usage.neurons == 0 {
                violations.push(Violation::EmptyCore { core });
            }
            if usage.neurons > limits.neurons {
                let (need, limit) = (usage.neurons, limits.neurons);
                violations.push(Violation::Neurons { core, need, limit });
            }
            if usage.inputs > limits.inputs {
                let (need, limit) = (usage.inputs, limits.inputs);
                violations.push(Violation::Inputs { core, need, limit });
            }
        }
        if violations.is_empty() { Ok(usage) } else { Err(violations) }
    }
}

/// An index as it is stored.
pub(crate) fn narrow(index: usize) -> u32 {
    u32::try_from(index).expect("vertices and edges are counted in 32 bits")
}

#[cfg(test)]
mod tests;
