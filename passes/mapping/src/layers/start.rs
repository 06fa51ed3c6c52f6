//! A first partition of a layered network, from its geometry: cores hold a patch of neighboring pixels through some layers
//! that follow each other.
//!
//! How many layers is a trade: with more of them on a core fewer axons leave it, but its patch is smaller and has more border.
//! A stack of `d` layers on a core of `n` pixels each, with windows of `k × k` and stride 1, costs about
//! `(1 + (k − 1)/√n)² − 1 + 1/d` copies per axon. Here stacks are chosen by dynamic programming over the layers in
//! order, with the exact traffic of each candidate, so strides, skips and axon limits count as they are.

use super::geometry::Geometry;
use super::network::Network;
use super::order::Filler;
use super::pixels::Pixels;
use crate::hypergraph::{Hypergraph, Incidence};
use crate::partition::{Limits, Partition};

/// Most layers of a stack.
const DEEPEST: usize = 8;

/// Cuts a layered network into stacks of patches.
///
/// Cores are full except for what no vertex fits into. Time: `DEEPEST²` times the pins of the hypergraph.
pub fn start(network: &Network, pixels: &Pixels, graph: &Hypergraph, limits: &Limits) -> Partition {
    let geometry = Geometry::new(network);
    let incoming = graph.incoming();
    let mut work = Work {
        network,
        pixels,
        graph,
        limits,
        geometry,
        incoming,
        seen: Vec::new(),
        filler: Filler::new(graph),
        by_layer: edges_by_reader(network, pixels, graph),
    };
    let order = work.best();
    let Work { filler, incoming, .. } = &mut work;
    let cores = filler.fill(graph, incoming, limits, &order);
    let best = Partition { core: filler.core.clone(), cores };
    spread_rest(graph, incoming, limits, filler, order, best)
}

/// Attempts to do without the last core.
const ATTEMPTS: u32 = 16;

/// Puts what lies on a nearly empty last core on cores before it, which shifts all that follows, as long as there could be fewer cores.
fn spread_rest(
    graph: &Hypergraph,
    incoming: &Incidence,
    limits: &Limits,
    filler: &mut Filler,
    mut order: Vec<u32>,
    best: Partition,
) -> Partition {
    let weight = |vertex: u32| u64::from(graph.weights[vertex as usize]);
    let least = graph.neurons().div_ceil(limits.neurons.max(1));
    let mut cores = best.cores;
    let mut core = best.core.clone();
    for attempt in 0..ATTEMPTS {
        if u64::from(cores) <= least || cores < 4 {
            break;
        }
        let last = |vertex: &u32| core[*vertex as usize] == cores - 1;
        let rest: Vec<u32> = order.iter().copied().filter(last).collect();
        if rest.iter().map(|&vertex| weight(vertex)).sum::<u64>() > limits.neurons / 4 {
            break;
        }
        order.retain(|vertex| !last(vertex));
        for (home, vertex) in (attempt..).zip(rest) {
            let home = (cores - 2).saturating_sub(home);
            let at = order.iter().position(|&other| core[other as usize] == home);
            order.insert(at.unwrap_or(0), vertex);
        }
        cores = filler.fill(graph, incoming, limits, &order);
        core.clone_from(&filler.core);
        if cores < best.cores {
            return Partition { core, cores };
        }
    }
    best
}

/// Edges that reach each layer.
fn edges_by_reader(network: &Network, pixels: &Pixels, graph: &Hypergraph) -> Vec<Vec<u32>> {
    let layers = network.layers.len();
    let mut edges = vec![Vec::new(); layers];
    for edge in 0..graph.edges() {
        let number = u32::try_from(edge).expect("edges are counted in u32");
        let mut targets = graph.targets_of(edge);
        while let Some(&first) = targets.first() {
            let layer = pixels.place(first).0;
            edges[layer].push(number);
            let blocks = pixels.layer(layer);
            let end = blocks.base + blocks.vertices();
            targets = &targets[targets.partition_point(|&target| target < end)..];
        }
    }
    edges
}

struct Work<'a> {
    network: &'a Network,
    pixels: &'a Pixels,
    graph: &'a Hypergraph,
    limits: &'a Limits,
    geometry: Geometry,
    incoming: Incidence,
    filler: Filler,
    /// Edge that last counted each core.
    seen: Vec<u32>,
    by_layer: Vec<Vec<u32>>,
}

impl Work<'_> {
    /// The order of all vertices whose stacks cost least.
    fn best(&mut self) -> Vec<u32> {
        let layers: Vec<usize> =
            (0..self.network.layers.len()).filter(|&l| !self.network.layers[l].input).collect();
        // Least cost of the layers before each, and where its last stack starts and how it is ordered.
        let mut costs = vec![0.0_f64; layers.len() + 1];
        let mut last: Vec<(usize, Vec<u32>)> = vec![(0, Vec::new())];
        for end in 1..=layers.len() {
            let mut best: Option<(f64, usize, Vec<u32>)> = None;
            for begin in end.saturating_sub(DEEPEST)..end {
                for strips in self.strips(&layers[begin..end]) {
                    let order = self.order(&layers[begin..end], strips);
                    let cost = costs[begin] + self.cost(&layers[begin..end], &order);
                    if best.as_ref().is_none_or(|best| cost < best.0) {
                        best = Some((cost, begin, order));
                    }
                }
            }
            let (cost, begin, order) = best.unwrap_or((costs[end - 1], end - 1, Vec::new()));
            costs[end] = cost;
            last.push((begin, order));
        }
        let mut stacks = Vec::new();
        let mut end = layers.len();
        while end > 0 {
            let (begin, order) = std::mem::take(&mut last[end]);
            stacks.push(order);
            end = begin;
        }
        stacks.into_iter().rev().flatten().collect()
    }

    /// Counts of strips to try for a stack, along either axis: around those whose cores would be square.
    fn strips(&self, layers: &[usize]) -> Vec<Strips> {
        let mut neurons = 0_u64;
        let mut low = [f64::INFINITY; 2];
        let mut high = [f64::NEG_INFINITY; 2];
        for &layer in layers {
            let shape = self.network.layers[layer].shape;
            neurons += shape.neurons();
            let first = self.geometry.place(layer, 0, 0);
            let last = self.geometry.place(layer, shape.height - 1, shape.width - 1);
            for axis in 0..2 {
                low[axis] = low[axis].min(first[axis]);
                high[axis] = high[axis].max(last[axis]);
            }
        }
        let cores = to_float(neurons) / to_float(self.limits.neurons.max(1));
        let extent = [0, 1].map(|axis| high[axis] - low[axis] + 1.0);
        let mut all = Vec::new();
        for axis in 0..2 {
            let ideal = (cores * extent[axis] / extent[1 - axis]).sqrt().max(1.0);
            for step in [-1.0, 0.0, 1.0] {
                let count = ideal.floor() + step;
                if count >= 1.0 && count <= extent[axis].max(1.0) {
                    all.push(Strips { axis, low: low[axis], width: extent[axis] / count });
                }
            }
        }
        all
    }

    /// Vertices of a stack: strip by strip, forward in one and back in the next.
    fn order(&self, layers: &[usize], strips: Strips) -> Vec<u32> {
        let mut placed: Vec<(i64, i64, i64, u32)> = Vec::new();
        for &layer in layers {
            let blocks = self.pixels.layer(layer);
            for row in 0..blocks.height {
                for column in 0..blocks.width {
                    let place = self.geometry.place(layer, row, column);
                    let across = place[strips.axis] + 0.5 - strips.low;
                    let strip = fixed(across / strips.width) >> FRACTION;
                    let [along, across] = [fixed(place[1 - strips.axis]), fixed(across)];
                    let along = if strip % 2 == 0 { along } else { -along };
                    let first = blocks.vertex(row, column, 0);
                    let vertices = first..first + blocks.count;
                    placed.extend(vertices.map(|vertex| (strip, along, across, vertex)));
                }
            }
        }
        placed.sort_unstable();
        placed.into_iter().map(|(.., vertex)| vertex).collect()
    }

    /// Copies of axons, weighted by rates, that a stack needs in this order: of each edge, the cores of the stack that it
    /// reaches, but not the one where it starts.
    fn cost(&mut self, layers: &[usize], order: &[u32]) -> f64 {
        let (Some(&first), Some(&last)) = (layers.first(), layers.last()) else { return 0.0 };
        let cores = self.filler.fill(self.graph, &self.incoming, self.limits, order);
        self.seen.clear();
        self.seen.resize(cores as usize, u32::MAX);
        let blocks = self.pixels.layer(last);
        let range = self.pixels.layer(first).base..blocks.base + blocks.vertices();
        let mut total = 0.0;
        for &layer in layers {
            let blocks = self.pixels.layer(layer);
            let own = blocks.base..blocks.base + blocks.vertices();
            for &edge in &self.by_layer[layer] {
                let targets = self.graph.targets_of(edge as usize);
                let begin = targets.partition_point(|&target| target < range.start);
                if targets[begin] < own.start {
                    // Counted with an earlier layer of the stack.
                    continue;
                }
                let source = self.graph.sources[edge as usize];
                if range.contains(&source) && self.graph.weights[source as usize] > 0 {
                    self.seen[self.filler.core[source as usize] as usize] = edge;
                }
                let mut copies = 0_u32;
                for &target in &targets[begin..] {
                    if target >= range.end {
                        break;
                    }
                    let seen = &mut self.seen[self.filler.core[target as usize] as usize];
                    if *seen != edge {
                        *seen = edge;
                        copies += 1;
                    }
                }
                total += self.graph.rates[edge as usize] * f64::from(copies);
            }
        }
        total
    }
}

/// Strips along an axis of the common map.
#[derive(Clone, Copy)]
struct Strips {
    axis: usize,
    low: f64,
    width: f64,
}

/// Bits after the point of places.
const FRACTION: u32 = 8;

/// A place in units of `2^−FRACTION`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "places lie within 2^40 of the origin, and the conversion saturates"
)]
fn fixed(place: f64) -> i64 {
    (place * f64::from(1 << FRACTION)).floor() as i64
}

#[expect(clippy::cast_precision_loss, reason = "a measure for a search, not a count")]
fn to_float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
