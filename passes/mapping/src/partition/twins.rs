//! Vertices that no sensible partition tells apart, such as the channels of a pixel: one vertex until the very end.

use super::coarsen::number;
use super::level::Level;
use crate::hypergraph::narrow;

/// A way to join vertices of a level, in clusters of at most so many neurons: the cluster of each vertex, and how many there are.
pub(super) type Join = fn(&Level, u64) -> (Vec<u32>, usize);

/// Joins vertices that are targets of the same edges. Edges between two vertices do not count: they tell channels of
/// a pixel apart, but cost little compared with what the channels share.
pub(super) fn siblings(level: &Level, most: u64) -> (Vec<u32>, usize) {
    let signature = |vertex: usize| {
        let mut hash = 0;
        for incident in level.incident_to(vertex) {
            if !incident.is_source() && targets_of(level, incident.edge()).len() > 1 {
                hash = mix(hash, incident.edge() as u64);
            }
        }
        hash
    };
    join(level, most, signature)
}

/// Joins vertices whose edges differ in nothing but these vertices.
pub(super) fn twins(level: &Level, most: u64) -> (Vec<u32>, usize) {
    // What an edge reaches, as a number; one per set of targets but for coincidence, which would do little harm.
    let reach: Vec<u64> = (0..level.edges())
        .map(|edge| {
            let targets = targets_of(level, edge).iter();
            targets.fold(1, |hash, &target| mix(hash, u64::from(target)))
        })
        .collect();
    let mut ends: Vec<u64> = Vec::new();
    let mut signatures = Vec::with_capacity(level.vertices());
    for vertex in 0..level.vertices() {
        ends.clear();
        for incident in level.incident_to(vertex) {
            let edge = incident.edge();
            ends.push(match *level.pins_of(edge) {
                _ if incident.is_source() => reach[edge],
                [one, two] => mix(2, u64::from(if one as usize == vertex { two } else { one })),
                _ => mix(3, edge as u64),
            });
        }
        ends.sort_unstable();
        ends.dedup();
        signatures.push(ends.iter().fold(0, |hash, &end| mix(hash, end)));
    }
    join(level, most, |vertex| signatures[vertex])
}

/// Joins each vertex to the one with which it alone shares at least half of the cost of its edges: wherever that lies,
/// it is best there.
pub(super) fn leaves(level: &Level, most: u64) -> (Vec<u32>, usize) {
    let count = level.vertices();
    let mut leader: Vec<u32> = (0..narrow(count)).collect();
    let mut load: Vec<u64> = level.weights.iter().map(|&weight| u64::from(weight)).collect();
    let mut joined = vec![false; count];
    for vertex in 0..count {
        if joined[vertex] {
            continue;
        }
        let mut total = 0i64;
        let mut pairs: Vec<(u32, i64)> = Vec::new();
        for incident in level.incident_to(vertex) {
            let cost = i64::from(level.costs[incident.edge()]);
            total += cost;
            if let [one, two] = *level.pins_of(incident.edge()) {
                let other = if one as usize == vertex { two } else { one };
                match pairs.iter_mut().find(|(known, _)| *known == other) {
                    Some((_, sum)) => *sum += cost,
                    None => pairs.push((other, cost)),
                }
            }
        }
        let Some(&(other, shared)) = pairs.iter().max_by_key(|&&(_, sum)| sum) else { continue };
        let first = leader[other as usize];
        if shared * 2 >= total
            && first as usize != vertex
            && load[first as usize] + load[vertex] <= most
        {
            leader[vertex] = first;
            load[first as usize] += load[vertex];
            joined[vertex] = true;
            joined[first as usize] = true;
        }
    }
    number(&leader)
}

/// Joins vertices of equal signature (0: none), in their order.
fn join(level: &Level, most: u64, signature: impl Fn(usize) -> u64) -> (Vec<u32>, usize) {
    let mut leader: Vec<u32> = (0..narrow(level.vertices())).collect();
    let mut order: Vec<(u64, u32)> = leader
        .iter()
        .map(|&vertex| (signature(vertex as usize), vertex))
        .filter(|&(signature, _)| signature != 0)
        .collect();
    order.sort_unstable();
    let mut open: Option<(u64, u32, u64)> = None;
    for (signature, vertex) in order {
        let weight = u64::from(level.weights[vertex as usize]);
        match &mut open {
            Some((of, first, load)) if *of == signature && *load + weight <= most => {
                leader[vertex as usize] = *first;
                *load += weight;
            }
            _ => open = Some((signature, vertex, weight)),
        }
    }
    number(&leader)
}

fn targets_of(level: &Level, edge: usize) -> &[u32] {
    let pins = level.pins_of(edge);
    &pins[..pins.len() - usize::from(level.sources[edge] != super::level::NONE)]
}

fn mix(hash: u64, next: u64) -> u64 {
    (hash.rotate_left(5) ^ next).wrapping_add(1).wrapping_mul(0x517C_C1B7_2722_0A95)
}
