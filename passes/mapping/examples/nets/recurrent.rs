//! Recurrent networks whose neurons are numbered at random.

use super::random::Random;
use snnc_mapping::hypergraph::Hypergraph;

/// Part of a motif's pairs that are connected.
const DENSE: f64 = 0.12;

/// Part of synapses that leave their motif.
const STRAY: f64 = 0.04;

/// Part of a torus' synapses that go anywhere.
const FAR: f64 = 0.05;

/// Deviation of the distance of other targets along each axis.
const DISTANCE: f64 = 6.0;

/// `copies` of one motif of `size` neurons.
pub(crate) fn motif(copies: usize, size: usize, random: &mut Random) -> Hypergraph {
    let mut motif = vec![Vec::new(); size];
    for (source, targets) in motif.iter_mut().enumerate() {
        targets.extend((0..size).filter(|&target| target != source && random.unit() < DENSE));
    }
    let targets = (0..copies * size).map(|neuron| {
        let (copy, place) = (neuron / size, neuron % size);
        let mut targets: Vec<usize> = Vec::new();
        for target in &motif[place] {
            let stray = random.unit() < STRAY;
            targets.push(if stray { random.below(copies * size) } else { copy * size + target });
        }
        targets
    });
    let targets = targets.collect();
    hypergraph(targets, random)
}

/// A torus of `side` × `side` neurons with `fan` targets each.
pub(crate) fn torus(side: usize, fan: usize, random: &mut Random) -> Hypergraph {
    let targets = (0..side * side).map(|neuron| {
        distinct(neuron, fan, || {
            if random.unit() < FAR {
                random.below(side * side)
            } else {
                let row = around(neuron / side, random.normal() * DISTANCE, side);
                row * side + around(neuron % side, random.normal() * DISTANCE, side)
            }
        })
    });
    let targets = targets.collect();
    hypergraph(targets, random)
}

/// `neurons` with `fan` targets each, all alike.
pub(crate) fn anywhere(neurons: usize, fan: usize, random: &mut Random) -> Hypergraph {
    let targets = (0..neurons).map(|neuron| distinct(neuron, fan, || random.below(neurons)));
    let targets = targets.collect();
    hypergraph(targets, random)
}

/// `count` targets, each once, none of them the neuron itself.
fn distinct(neuron: usize, count: usize, mut draw: impl FnMut() -> usize) -> Vec<usize> {
    let mut targets: Vec<usize> = Vec::with_capacity(count);
    while targets.len() < count {
        let target = draw();
        if target != neuron && !targets.contains(&target) {
            targets.push(target);
        }
    }
    targets
}

/// The place at a distance on a ring.
#[expect(clippy::cast_possible_truncation, reason = "distances are small")]
fn around(place: usize, distance: f64, length: usize) -> usize {
    let steps = (distance.round() as i64).rem_euclid(i64::try_from(length).expect("small"));
    (place + usize::try_from(steps).expect("not negative")) % length
}

/// Numbers neurons at random and gives them rates. Targets that are repeated count once, the source itself not.
fn hypergraph(targets: Vec<Vec<usize>>, random: &mut Random) -> Hypergraph {
    let count = targets.len();
    let number = random.order(count);
    let narrow = |index: usize| u32::try_from(index).expect("few neurons");
    let mut renumbered: Vec<Vec<u32>> = vec![Vec::new(); count];
    for (neuron, targets) in targets.into_iter().enumerate() {
        let others = targets.into_iter().filter(|&target| target != neuron);
        let mut targets: Vec<u32> = others.map(|target| narrow(number[target])).collect();
        targets.sort_unstable();
        targets.dedup();
        renumbered[number[neuron]] = targets;
    }
    let mut graph =
        Hypergraph { weights: vec![1; count], starts: vec![0], ..Hypergraph::default() };
    for (source, targets) in renumbered.into_iter().enumerate() {
        graph.sources.push(narrow(source));
        graph.axons.push(1);
        graph.rates.push(random.log_normal());
        graph.targets.extend(targets);
        graph.starts.push(graph.targets.len());
    }
    graph
}
