//! Random hypergraphs for tests.

use proptest::prelude::*;

use crate::hypergraph::{Hypergraph, narrow};

/// Up to 24 vertices (some are inputs) and 40 edges.
pub(crate) fn hypergraph() -> impl Strategy<Value = Hypergraph> {
    let weights = prop::collection::vec(prop_oneof![1 => Just(0u32), 4 => 1u32..6], 1..24);
    weights.prop_flat_map(|weights| {
        let count = narrow(weights.len());
        let targets = prop::collection::btree_set(0..count, 0..8);
        let edge = (0..count, 0u32..4, 0u32..1000, targets);
        (Just(weights), prop::collection::vec(edge, 0..40)).prop_map(|(weights, edges)| {
            let mut graph = Hypergraph { weights, starts: vec![0], ..Hypergraph::default() };
            for (source, axons, rate, targets) in edges {
                graph.sources.push(source);
                graph.axons.push(axons);
                graph.rates.push(f64::from(rate) / 100.0);
                graph.targets.extend(targets);
                graph.starts.push(graph.targets.len());
            }
            graph
        })
    })
}
