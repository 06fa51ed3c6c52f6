//! Filling cores in a given order of vertices.

use crate::hypergraph::{Hypergraph, Incidence};
use crate::partition::{Limits, Partition};

/// How far ahead a vertex is looked for that fills the rest of a core.
const AHEAD: usize = 96;

/// Puts vertices on cores in a given order.
pub(super) struct Filler {
    /// Core of each vertex that was put.
    pub(super) core: Vec<u32>,
    /// Call and core that last counted each edge.
    seen: Vec<u64>,
    calls: u32,
}

impl Filler {
    pub(super) fn new(graph: &Hypergraph) -> Self {
        let (core, seen) = (vec![u32::MAX; graph.vertices()], vec![u64::MAX; graph.edges()]);
        Self { core, seen, calls: 0 }
    }

    /// Fills core after core, and returns how many it took. What no longer fits waits for the next core, while those that follow
    /// closely may fill the gap.
    pub(super) fn fill(
        &mut self,
        graph: &Hypergraph,
        incoming: &Incidence,
        limits: &Limits,
        order: &[u32],
    ) -> u32 {
        self.calls += 1;
        let smallest = order.iter().map(|&v| graph.weights[v as usize]).filter(|&w| w > 0).min();
        let smallest = u64::from(smallest.unwrap_or(0));
        let mut waiting: Vec<u32> = Vec::new();
        let mut rest = order.iter().copied().filter(|&v| graph.weights[v as usize] > 0);
        let mut core = 0;
        loop {
            let mark = u64::from(self.calls) << 32 | u64::from(core);
            let (mut neurons, mut inputs) = (0_u64, 0_u64);
            let mut kept: Vec<u32> = Vec::new();
            let mut queue = std::mem::take(&mut waiting).into_iter();
            let mut put = false;
            loop {
                let full = put && neurons + smallest > limits.neurons;
                if full || kept.len() >= AHEAD {
                    break;
                }
                let Some(vertex) = queue.next().or_else(|| rest.next()) else { break };
                let weight = u64::from(graph.weights[vertex as usize]);
                if put && neurons + weight > limits.neurons {
                    kept.push(vertex);
                    continue;
                }
                let edges = incoming.of(vertex as usize);
                let new = edges.iter().filter(|&&edge| self.seen[edge as usize] != mark);
                let axons: u64 = new.map(|&edge| u64::from(graph.axons[edge as usize])).sum();
                if put && inputs + axons > limits.inputs {
                    kept.push(vertex);
                    continue;
                }
                put = true;
                neurons += weight;
                inputs += axons;
                for &edge in edges {
                    self.seen[edge as usize] = mark;
                }
                self.core[vertex as usize] = core;
            }
            if !put {
                return core;
            }
            kept.extend(queue);
            waiting = kept;
            core += 1;
        }
    }
}

/// Fills core after core: what no longer fits goes to the next one, unless one that follows closely fills the gap. Vertices of weight 0 are left out; a vertex that
/// exceeds the limits by itself gets a core of its own.
pub fn fill(graph: &Hypergraph, limits: &Limits, order: &[u32]) -> Partition {
    let mut filler = Filler::new(graph);
    let cores = filler.fill(graph, &graph.incoming(), limits, order);
    Partition { core: filler.core, cores }
}
