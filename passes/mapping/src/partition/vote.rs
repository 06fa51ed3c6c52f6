//! Clusters set right: each vertex goes where most of its edges have most of their pins.
//!
//! Coarsening decides on a few pins at a time, and what it joined wrongly stays joined. Here all edges of a vertex have a say.

use super::coarsen::number;
use super::level::{Level, NONE};
use crate::hypergraph::narrow;

/// What a vote came to.
pub(super) struct Vote {
    /// Cluster of each vertex.
    pub(super) clusters: Vec<u32>,
    /// Number of clusters.
    pub(super) count: usize,
    /// Vertices of whose edges more than half, by cost, have most of their pins in the vertex's cluster.
    pub(super) settled: usize,
}

/// Moves vertices between `count` clusters of at most `most` neurons, in some rounds.
pub(super) fn vote(
    level: &Level,
    mut clusters: Vec<u32>,
    count: usize,
    most: u64,
    rounds: usize,
) -> Vote {
    let mut load = vec![0u64; count];
    for (vertex, &cluster) in clusters.iter().enumerate() {
        load[cluster as usize] += u64::from(level.weights[vertex]);
    }
    let mut tally = vec![0i64; count];
    let mut touched: Vec<u32> = Vec::new();
    let mut settled = 0;
    for _ in 0..rounds {
        let speaks: Vec<u32> = (0..level.edges())
            .map(|edge| {
                let pins = level.pins_of(edge).iter();
                let voters = pins.map(|&pin| (clusters[pin as usize], 1));
                winner(voters, &mut tally, &mut touched).0
            })
            .collect();
        let mut moved = false;
        settled = 0;
        for (vertex, cluster) in clusters.iter_mut().enumerate() {
            let edges = level.incident_to(vertex).iter().map(|incident| incident.edge());
            let voters = edges.map(|edge| (speaks[edge], i64::from(level.costs[edge])));
            let (to, absolute) = winner(voters, &mut tally, &mut touched);
            let from = *cluster;
            let weight = u64::from(level.weights[vertex]);
            if to != NONE && to != from && load[to as usize] + weight <= most {
                load[from as usize] -= weight;
                load[to as usize] += weight;
                *cluster = to;
                moved = true;
            }
            settled += usize::from(absolute && *cluster == to);
        }
        if !moved {
            break;
        }
    }
    // The first vertex of a cluster leads it.
    let mut leader = vec![NONE; count];
    for (vertex, cluster) in clusters.iter_mut().enumerate() {
        let first = &mut leader[*cluster as usize];
        if *first == NONE {
            *first = narrow(vertex);
        }
        *cluster = *first;
    }
    let (clusters, count) = number(&clusters);
    Vote { clusters, count, settled }
}

/// Who gets most votes, the first one of these to get any at a tie (nobody without votes), and whether these are more than half.
fn winner(
    voters: impl Iterator<Item = (u32, i64)>,
    tally: &mut [i64],
    touched: &mut Vec<u32>,
) -> (u32, bool) {
    let mut total = 0;
    for (cluster, votes) in voters {
        let sum = &mut tally[cluster as usize];
        if *sum == 0 {
            touched.push(cluster);
        }
        *sum += votes;
        total += votes;
    }
    let mut best = (0, NONE);
    for cluster in touched.drain(..) {
        let sum = std::mem::take(&mut tally[cluster as usize]);
        if sum > best.0 {
            best = (sum, cluster);
        }
    }
    (best.1, best.0 * 2 > total)
}
