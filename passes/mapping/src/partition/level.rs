//! The network as refinement sees it: compact, in integers, and the same at every level of coarsening.

use super::Limits;
use crate::hypergraph::{Hypergraph, narrow};

/// No vertex, no core.
pub(super) const NONE: u32 = u32::MAX;

/// A hypergraph of clusters of vertices. Inputs (weight 0) are gone: they are no pins, and lie on no core.
///
/// An edge with a single target costs axons wherever that target lies, so its axons are counted in `fixed` of the
/// target; the edge only stays for its traffic, without axons.
#[derive(Clone, Debug, Default)]
pub(super) struct Level {
    /// Neurons of each vertex, at least 1.
    pub(super) weights: Vec<u32>,
    /// Input axons that a vertex brings to its core, whatever else lies there.
    pub(super) fixed: Vec<u32>,
    /// Spikes of each edge, as integers.
    pub(super) costs: Vec<i32>,
    /// Axons of each edge.
    pub(super) axons: Vec<u32>,
    /// The source of each edge, if it has neurons and is not a target, too. Then it is the last pin.
    pub(super) sources: Vec<u32>,
    pin_starts: Vec<usize>,
    pins: Vec<u32>,
    incident_starts: Vec<usize>,
    incident: Vec<Incident>,
}

/// An edge at a vertex, and whether the vertex is only its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Incident(u32);

impl Incident {
    pub(super) fn edge(self) -> usize {
        (self.0 >> 1) as usize
    }

    pub(super) fn is_source(self) -> bool {
        self.0 & 1 == 1
    }
}

/// Edges while a level is being built.
#[derive(Default)]
struct Edges {
    costs: Vec<i64>,
    axons: Vec<u32>,
    sources: Vec<u32>,
    starts: Vec<usize>,
    targets: Vec<u32>,
}

/// The largest sum of costs: gains and their differences stay in 32 bits.
const LARGEST: f64 = (1u32 << 29) as f64;

impl Level {
    /// Vertices with neurons of a hypergraph, and which vertices these are.
    ///
    /// `axon_price` is what an axon costs besides its spikes, in mean rates per axon: above 0 where the number of copies counts.
    pub(super) fn new(graph: &Hypergraph, axon_price: f64) -> (Self, Vec<u32>) {
        let mut number = vec![NONE; graph.vertices()];
        let mut original = Vec::with_capacity(graph.vertices());
        let mut weights = Vec::with_capacity(graph.vertices());
        for (vertex, &weight) in graph.weights.iter().enumerate() {
            if weight > 0 {
                number[vertex] = narrow(original.len());
                original.push(narrow(vertex));
                weights.push(weight);
            }
        }
        let costs = integer_costs(graph, axon_price);
        let mut edges = Edges { starts: vec![0], ..Edges::default() };
        edges.targets.reserve(graph.pins());
        for (edge, cost) in costs.into_iter().enumerate() {
            let start = edges.targets.len();
            let targets = graph.targets_of(edge).iter().map(|&vertex| number[vertex as usize]);
            edges.targets.extend(targets.filter(|&vertex| vertex != NONE));
            let mut source = number[graph.sources[edge] as usize];
            if edges.targets[start..].binary_search(&source).is_ok() {
                source = NONE;
            }
            edges.costs.push(cost);
            edges.axons.push(graph.axons[edge]);
            edges.sources.push(source);
            edges.starts.push(edges.targets.len());
        }
        let fixed = vec![0; weights.len()];
        (Self::build(weights, fixed, &edges), original)
    }

    pub(super) fn vertices(&self) -> usize {
        self.weights.len()
    }

    pub(super) fn edges(&self) -> usize {
        self.costs.len()
    }

    /// Number of pins of all edges.
    pub(super) fn size(&self) -> usize {
        self.pins.len()
    }

    /// Neurons of all vertices.
    pub(super) fn weight(&self) -> u64 {
        self.weights.iter().map(|&weight| u64::from(weight)).sum()
    }

    /// Targets, then the source if it is not among them.
    pub(super) fn pins_of(&self, edge: usize) -> &[u32] {
        &self.pins[self.pin_starts[edge]..self.pin_starts[edge + 1]]
    }

    /// Edges of which a vertex is a pin, those whose cost is shared by the fewest pins first.
    pub(super) fn incident_to(&self, vertex: usize) -> &[Incident] {
        &self.incident[self.incident_starts[vertex]..self.incident_starts[vertex + 1]]
    }

    /// Cost of an edge per pin that could be elsewhere: how much it speaks for keeping two of its pins together.
    pub(super) fn pull(&self, edge: usize) -> f32 {
        let others = self.pins_of(edge).len().saturating_sub(1).max(1);
        #[expect(clippy::cast_precision_loss, reason = "only guides a choice")]
        {
            self.costs[edge] as f32 / others as f32
        }
    }

    /// The level in which the vertices with the same entry of `clusters` (numbered from 0) are one.
    pub(super) fn contract(&self, clusters: &[u32], count: usize) -> Self {
        let mut weights = vec![0u32; count];
        let mut fixed = vec![0u32; count];
        for (vertex, &cluster) in clusters.iter().enumerate() {
            weights[cluster as usize] += self.weights[vertex];
            fixed[cluster as usize] = fixed[cluster as usize].saturating_add(self.fixed[vertex]);
        }
        let mut edges = Edges { starts: vec![0], ..Edges::default() };
        let mut seen = vec![NONE; count];
        for edge in 0..self.edges() {
            let start = edges.targets.len();
            let pins = self.pins_of(edge);
            let mut source = self.sources[edge];
            let targets = if source == NONE { pins } else { &pins[..pins.len() - 1] };
            for &vertex in targets {
                let cluster = clusters[vertex as usize];
                if seen[cluster as usize] != narrow(edge) {
                    seen[cluster as usize] = narrow(edge);
                    edges.targets.push(cluster);
                }
            }
            if source != NONE {
                source = clusters[source as usize];
                if seen[source as usize] == narrow(edge) {
                    source = NONE;
                }
            }
            edges.targets[start..].sort_unstable();
            edges.costs.push(i64::from(self.costs[edge]));
            edges.axons.push(self.axons[edge]);
            edges.sources.push(source);
            edges.starts.push(edges.targets.len());
        }
        Self::build(weights, fixed, &edges)
    }

    /// Joins edges with the same pins, drops those that say nothing, and indexes the rest.
    fn build(weights: Vec<u32>, fixed: Vec<u32>, edges: &Edges) -> Self {
        let mut level = Self { weights, fixed, pin_starts: vec![0], ..Self::default() };
        let mut hashes: Vec<(u64, u32)> = Vec::with_capacity(edges.costs.len());
        for (edge, range) in edges.starts.windows(2).enumerate() {
            let targets = &edges.targets[range[0]..range[1]];
            let source = edges.sources[edge];
            if let [target] = *targets {
                let fixed = &mut level.fixed[target as usize];
                *fixed = fixed.saturating_add(edges.axons[edge]);
            }
            if targets.len() + usize::from(source != NONE) > 1 {
                let mut hash = u64::from(source) ^ 0x9E37_79B9_7F4A_7C15;
                for &target in targets {
                    hash = (hash.rotate_left(5) ^ u64::from(target))
                        .wrapping_mul(0x517C_C1B7_2722_0A95);
                }
                hashes.push((hash, narrow(edge)));
            }
        }
        hashes.sort_unstable();
        let pins = |edge: u32| {
            let (start, end) = (edges.starts[edge as usize], edges.starts[edge as usize + 1]);
            (edges.sources[edge as usize], &edges.targets[start..end])
        };
        // Edges of equal hash and pins follow each other; the first one of them stands for all.
        let mut joined: Vec<(u32, i64, u32)> = Vec::with_capacity(hashes.len());
        let mut group = 0;
        let mut previous = None;
        for (hash, edge) in hashes {
            if previous != Some(hash) {
                previous = Some(hash);
                group = joined.len();
            }
            let (cost, axons) = (edges.costs[edge as usize], edges.axons[edge as usize]);
            let same = joined[group..].iter_mut().find(|(first, ..)| pins(*first) == pins(edge));
            match same {
                Some((_, sum, bundle)) => {
                    *sum += cost;
                    *bundle = bundle.saturating_add(axons);
                }
                None => joined.push((edge, cost, axons)),
            }
        }
        // Strong and short edges first, so that a vertex's first edges say most about where it belongs.
        joined.sort_unstable_by_key(|&(edge, cost, _)| {
            let (source, targets) = pins(edge);
            let others = targets.len() + usize::from(source != NONE) - 1;
            (std::cmp::Reverse(cost.saturating_mul(1 << 16) / i64::from(narrow(others))), edge)
        });
        level.pins.reserve(edges.targets.len());
        for (edge, cost, axons) in joined {
            let (source, targets) = pins(edge);
            level.costs.push(i32::try_from(cost).unwrap_or(i32::MAX));
            level.axons.push(if targets.len() == 1 { 0 } else { axons });
            level.sources.push(source);
            level.pins.extend_from_slice(targets);
            level.pins.extend((source != NONE).then_some(source));
            level.pin_starts.push(level.pins.len());
        }
        level.index();
        level
    }

    fn index(&mut self) {
        let vertices = self.vertices();
        let mut starts = vec![0usize; vertices + 1];
        for &pin in &self.pins {
            starts[pin as usize + 1] += 1;
        }
        for vertex in 0..vertices {
            starts[vertex + 1] += starts[vertex];
        }
        let mut next = starts.clone();
        self.incident = vec![Incident(0); self.pins.len()];
        for edge in 0..self.edges() {
            let code = narrow(edge) << 1;
            for place in self.pin_starts[edge]..self.pin_starts[edge + 1] {
                let pin = self.pins[place];
                self.incident[next[pin as usize]] =
                    Incident(code | u32::from(self.sources[edge] == pin));
                next[pin as usize] += 1;
            }
        }
        self.incident_starts = starts;
    }

    /// The most input axons that a vertex needs by itself, and the vertex.
    pub(super) fn thirstiest(&self) -> Option<(u64, usize)> {
        (0..self.vertices())
            .map(|vertex| (self.inputs_of(vertex), vertex))
            .max_by_key(|&(need, vertex)| (need, std::cmp::Reverse(vertex)))
    }

    /// Input axons of a vertex that lies on a core alone.
    pub(super) fn inputs_of(&self, vertex: usize) -> u64 {
        let incident = self.incident_to(vertex).iter().filter(|incident| !incident.is_source());
        u64::from(self.fixed[vertex])
            + incident.map(|incident| u64::from(self.axons[incident.edge()])).sum::<u64>()
    }

    /// Cores that the limits ask for at least.
    pub(super) fn fewest_cores(&self, limits: &Limits) -> u32 {
        let mut inputs: u64 = self.fixed.iter().map(|&axons| u64::from(axons)).sum();
        // An edge with several targets reaches one core at least.
        inputs += self.axons.iter().map(|&axons| u64::from(axons)).sum::<u64>();
        let need =
            |total: u64, limit: u64| if total == 0 { 0 } else { total.div_ceil(limit.max(1)) };
        let cores = need(self.weight(), limits.neurons).max(need(inputs, limits.inputs));
        u32::try_from(cores).unwrap_or(NONE)
    }
}

/// Costs of edges as integers, such that all together stay below [`LARGEST`] (but for rounding).
#[expect(
    clippy::cast_possible_truncation,
    reason = "scaled into range; rounding costs only affects choices"
)]
fn integer_costs(graph: &Hypergraph, axon_price: f64) -> Vec<i64> {
    let axons: f64 = graph.axons.iter().map(|&axons| f64::from(axons)).sum();
    let total: f64 = graph.rates.iter().sum();
    // Without any rates, all axons are alike.
    let (price, rated) = if total > 0.0 && total.is_finite() {
        (axon_price * total / axons.max(1.0), true)
    } else {
        (1.0, false)
    };
    let costs: Vec<f64> = (0..graph.edges())
        .map(|edge| {
            let rate = if rated { graph.rates[edge] } else { 0.0 };
            rate + price * f64::from(graph.axons[edge])
        })
        .collect();
    // No vertex or cluster has more than all edges around it.
    let most = costs.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    costs.iter().map(|cost| (cost / most * LARGEST).round() as i64).collect()
}
