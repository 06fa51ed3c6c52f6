//! In which order populations run, and how many steps at a time.

use snnc_ir::arena::{Entity, PopId};
use snnc_ir::quantized::QuantizedNetwork;

/// Populations that run together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stage {
    /// In the order of evaluation.
    pub(super) populations: Vec<PopId>,
    /// Steps that each may run before the next has its turn; `None` where nothing reads what comes later.
    pub(super) steps: Option<u32>,
}

/// Strongly connected parts of `network`, sources first; `order` is its order of evaluation.
///
/// A part without a cycle runs all steps at once. In a cycle there are edges against the order of evaluation, of
/// delay 1 or more: after as many steps as the shortest of them delays, what they carry is needed.
pub(super) fn stages(network: &QuantizedNetwork, order: &[PopId]) -> Vec<Stage> {
    let mut place = vec![0; order.len()];
    for (at, id) in order.iter().enumerate() {
        place[id.index()] = at;
    }
    // Nodes are added in the order of evaluation, so that an index is a place.
    let mut graph = petgraph::graph::DiGraph::<(), ()>::new();
    let nodes: Vec<_> = order.iter().map(|_| graph.add_node(())).collect();
    for p in network.projections.values() {
        graph.add_edge(nodes[place[p.source.index()]], nodes[place[p.target.index()]], ());
    }
    let mut stages = Vec::new();
    // Tarjan's algorithm finds targets first.
    for part in petgraph::algo::tarjan_scc(&graph).into_iter().rev() {
        let mut places: Vec<_> = part.iter().map(|node| node.index()).collect();
        places.sort_unstable();
        let inside = |id: PopId| places.binary_search(&place[id.index()]).is_ok();
        let back = network.projections.values().filter(|p| {
            let forward = place[p.source.index()] < place[p.target.index()];
            !forward && inside(p.source) && inside(p.target)
        });
        let steps = back.map(|p| p.delay).min();
        let populations: Vec<_> = places.iter().map(|&at| order[at]).collect();
        if populations.iter().any(|&id| !network.populations[id].is_input()) {
            stages.push(Stage { populations, steps });
        }
    }
    stages
}
