//! Clusters of vertices that share costly, short edges.

use super::level::{Level, NONE};
use super::random::Random;
use crate::hypergraph::narrow;

/// Pins at which a vertex looks, at most, when it chooses its cluster.
const BUDGET: usize = 800;

/// Puts every vertex into a cluster of at most `most` neurons (vertices above that stay alone). Returns the cluster of each vertex and their number.
#[expect(clippy::cast_precision_loss, reason = "only guides choices")]
pub(super) fn cluster(
    level: &Level,
    most: u64,
    core: Option<&[u32]>,
    random: &mut Random,
) -> (Vec<u32>, usize) {
    let count = level.vertices();
    let mut order: Vec<u32> = (0..narrow(count)).collect();
    random.shuffle(&mut order);
    let mut leader: Vec<u32> = (0..narrow(count)).collect();
    let mut alone = vec![true; count];
    let mut weight: Vec<u64> = level.weights.iter().map(|&weight| u64::from(weight)).collect();
    let mut score = vec![0f32; count];
    let mut total: Vec<f32> = (0..count)
        .map(|vertex| {
            level
                .incident_to(vertex)
                .iter()
                .map(|incident| level.costs[incident.edge()] as f32)
                .sum()
        })
        .collect();
    let mut touched: Vec<u32> = Vec::new();
    for &vertex in &order {
        if !alone[vertex as usize] {
            continue;
        }
        let own = u64::from(level.weights[vertex as usize]);
        let mut budget = BUDGET;
        for incident in level.incident_to(vertex as usize) {
            let edge = incident.edge();
            let pull = level.pull(edge);
            for &pin in level.pins_of(edge) {
                let cluster = leader[pin as usize];
                if score[cluster as usize] == 0.0 {
                    touched.push(cluster);
                }
                score[cluster as usize] += pull;
            }
            budget = budget.saturating_sub(level.pins_of(edge).len());
            if budget == 0 {
                break;
            }
        }
        let mut best: Option<(f32, u32, f32)> = None;
        for &cluster in &touched {
            let pull = std::mem::take(&mut score[cluster as usize]);
            if cluster == vertex
                || weight[cluster as usize] + own > most
                || core.is_some_and(|core| core[cluster as usize] != core[vertex as usize])
            {
                continue;
            }
            let (mine, other) = (total[vertex as usize], total[cluster as usize]);
            if mine.min(other) * 8.0 < mine.max(other) && pull * 4.0 < mine.min(other) {
                continue;
            }
            let value = pull / mine.max(other);
            if best.is_none_or(|(most, ..)| value > most) {
                best = Some((value, cluster, pull));
            }
        }
        touched.clear();
        if let Some((_, cluster, pull)) = best {
            leader[vertex as usize] = cluster;
            weight[cluster as usize] += own;
            total[cluster as usize] += total[vertex as usize] - pull;
            alone[vertex as usize] = false;
            alone[cluster as usize] = false;
        }
    }
    number(&leader)
}

/// Numbers leaders from 0, in the order of their vertices.
pub(super) fn number(leader: &[u32]) -> (Vec<u32>, usize) {
    let mut numbers = vec![NONE; leader.len()];
    let mut count = 0;
    let clusters = leader
        .iter()
        .map(|&leader| {
            let number = &mut numbers[leader as usize];
            if *number == NONE {
                *number = count;
                count += 1;
            }
            *number
        })
        .collect();
    (clusters, count as usize)
}
