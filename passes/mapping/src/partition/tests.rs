use proptest::prelude::*;

use super::*;
use crate::testing::hypergraph;

/// Limits under which each vertex fits alone, and how much above that.
fn limits_for(graph: &Hypergraph, neurons: u64, inputs: u64) -> Limits {
    let incoming = graph.incoming();
    let alone = (0..graph.vertices()).filter(|&vertex| graph.weights[vertex] > 0).map(|vertex| {
        incoming.of(vertex).iter().map(|&edge| u64::from(graph.axons[edge as usize])).sum::<u64>()
    });
    let heaviest = graph.weights.iter().copied().max().map_or(0, u64::from);
    let thirstiest = alone.max().unwrap_or(0);
    Limits { neurons: heaviest + neurons, inputs: thirstiest + inputs, cores: u32::MAX }
}

fn effort() -> impl Strategy<Value = Effort> {
    prop_oneof![Just(Effort::Fast), Just(Effort::Balanced), Just(Effort::Best)]
}

/// `groups` groups of `size` neurons of weight `weight`; each neuron reaches its whole group, in shuffled order.
fn groups(groups: u32, size: u32, weight: u32) -> Hypergraph {
    let count = groups * size;
    let mut graph = Hypergraph { starts: vec![0], ..Hypergraph::default() };
    for vertex in 0..count {
        graph.weights.push(weight);
        graph.sources.push(vertex);
        graph.axons.push(1);
        graph.rates.push(1.0);
        graph.targets.extend((0..count).filter(|other| other % groups == vertex % groups));
        graph.starts.push(graph.targets.len());
    }
    graph
}

proptest! {
    #[test]
    fn partitions_are_legal_and_repeatable(
        graph in hypergraph(), neurons in 0u64..20, inputs in 0u64..20, effort in effort(), seed in any::<u64>(),
    ) {
        let limits = limits_for(&graph, neurons, inputs);
        let found = partition(&graph, &limits, effort, seed).unwrap();
        prop_assert_eq!(graph.check(&limits, &found).map(|usage| usage.len()), Ok(found.cores as usize));
        prop_assert_eq!(&partition(&graph, &limits, effort, seed).unwrap(), &found);
        // As many cores as were found are enough; one less is not found, either.
        let enough = Limits { cores: found.cores, ..limits };
        prop_assert_eq!(&partition(&graph, &enough, effort, seed).unwrap(), &found);
        if let Some(cores) = found.cores.checked_sub(1) {
            let short = partition(&graph, &Limits { cores, ..limits }, effort, seed);
            let told = matches!(short, Err(Unfit::Cores { need, limit, least })
                if need == found.cores && limit == cores && least <= need);
            prop_assert!(told, "{:?}", short);
        }
    }

    #[test]
    fn refinement_keeps_limits_and_never_worsens(
        graph in hypergraph(), neurons in 0u64..20, inputs in 0u64..20, effort in effort(), seed in any::<u64>(),
    ) {
        let limits = limits_for(&graph, neurons, inputs);
        // One vertex per core.
        let mut cores = 0;
        let core = graph.weights.iter().map(|&weight| {
            if weight == 0 { return u32::MAX }
            cores += 1;
            cores - 1
        }).collect();
        for before in [Partition { core, cores }, partition(&graph, &limits, Effort::Fast, seed).unwrap()] {
            let after = refine(&graph, &limits, before.clone(), effort, seed);
            prop_assert!(graph.check(&limits, &after).is_ok());
            prop_assert!(after.cores <= before.cores);
            if after.cores == before.cores {
                prop_assert!(graph.km1(&after) <= graph.km1(&before));
            }
        }
    }

    #[test]
    fn a_vertex_that_is_too_large_is_named(graph in hypergraph(), effort in effort()) {
        let limits = limits_for(&graph, 0, 0);
        if limits.neurons > 0 {
            let short = Limits { neurons: limits.neurons - 1, ..limits };
            let vertex = graph.weights.iter().position(|&weight| u64::from(weight) == limits.neurons);
            let expected = Unfit::Neurons { vertex: crate::hypergraph::narrow(vertex.unwrap()), need: limits.neurons, limit: short.neurons };
            prop_assert_eq!(partition(&graph, &short, effort, 0), Err(expected));
        }
        if limits.inputs > 0 {
            let short = Limits { inputs: limits.inputs - 1, ..limits };
            let found = partition(&graph, &short, effort, 0);
            let told = matches!(found, Err(Unfit::Inputs { need, limit, .. })
                if need == limits.inputs && limit == short.inputs);
            prop_assert!(told, "{:?}", found);
        }
    }
}

#[test]
fn groups_stay_together_on_full_cores() {
    for weight in [1, 16] {
        let graph = groups(6, 20, weight);
        let limits = Limits { neurons: 40 * u64::from(weight), inputs: 40, cores: 3 };
        for effort in [Effort::Fast, Effort::Balanced, Effort::Best] {
            let found = partition(&graph, &limits, effort, 1).unwrap();
            assert_eq!(found.cores, 3);
            assert!(graph.km1(&found).abs() < 1e-12);
        }
        // One axon less, and two groups no longer share a core.
        let short = Limits { inputs: 39, cores: 6, ..limits };
        let found = partition(&graph, &short, Effort::Balanced, 1).unwrap();
        assert_eq!(found.cores, 6);
    }
}

#[test]
fn vertices_without_edges_fill_cores() {
    let graph = Hypergraph { weights: vec![1; 5000], starts: vec![0], ..Hypergraph::default() };
    let limits = Limits { neurons: 1000, inputs: 0, cores: 5 };
    for effort in [Effort::Fast, Effort::Balanced] {
        let found = partition(&graph, &limits, effort, 3).unwrap();
        assert_eq!(graph.check(&limits, &found).map(|usage| usage.len()), Ok(5));
    }
}

#[test]
fn limits_may_be_as_large_as_numbers_get() {
    let graph = groups(3, 4, u32::MAX);
    let limits = Limits { neurons: u64::MAX, inputs: u64::MAX, cores: u32::MAX };
    let found = partition(&graph, &limits, Effort::Balanced, 0).unwrap();
    assert_eq!(found.cores, 1);
}

#[test]
fn a_network_of_inputs_needs_no_core() {
    let graph = Hypergraph { weights: vec![0; 3], starts: vec![0], ..Hypergraph::default() };
    let limits = Limits { neurons: 0, inputs: 0, cores: 0 };
    let found = partition(&graph, &limits, Effort::Balanced, 0).unwrap();
    assert_eq!(found, Partition { core: vec![u32::MAX; 3], cores: 0 });
}

/// `count` vertices, each of which reaches what `targets` says.
fn network<I: Iterator<Item = u32>>(count: u32, targets: impl Fn(u32) -> I) -> Hypergraph {
    let mut graph = Hypergraph { starts: vec![0], ..Hypergraph::default() };
    for vertex in 0..count {
        let mut reached: Vec<u32> = targets(vertex).collect();
        reached.sort_unstable();
        reached.dedup();
        graph.weights.push(1);
        graph.sources.push(vertex);
        graph.axons.push(1);
        graph.rates.push(1.0);
        graph.targets.extend(reached);
        graph.starts.push(graph.targets.len());
    }
    graph
}

#[test]
fn modules_stay_whole() {
    // Eight modules, and one axon of each neuron that goes astray.
    let graph = network(240, |vertex| {
        (0..30).map(move |other| other * 8 + vertex % 8).chain([(vertex * 7 + 3) % 240])
    });
    let limits = Limits { neurons: 60, inputs: 240, cores: 4 };
    let (level, _) = level::Level::new(&graph, 0.0);
    let patience = refine::Patience { run: 30, runs: 10, passes: 4 };
    let mut random = random::Random::new(1);
    let found = modules::modules(&level, &limits, 4, patience, &mut random).unwrap();
    for (vertex, core) in found.core.iter().enumerate() {
        assert_eq!(*core, found.core[vertex % 8]);
    }
}

#[test]
fn patches_of_a_ring_are_evened_out() {
    let graph = network(600, |vertex| (0..21).map(move |step| (vertex + 590 + step) % 600));
    let limits = Limits { neurons: 600, inputs: 60, cores: 30 };
    let (level, _) = level::Level::new(&graph, 0.0);
    // Crooked: wide, narrow and tiny patches; the tiny ones were grown last.
    let core = (0..600u32)
        .map(|vertex| match (vertex / 60, vertex % 60 / 10) {
            (part, 0..=2) => 2 * part,
            (part, 3..=4) => 2 * part + 1,
            (part, _) => 20 + part,
        })
        .collect();
    let score = state::Score { excess: 0, cost: 0 };
    let grown = multilevel::Candidate { core, cores: 30, score };
    let evened = even::even(&level, &limits, 1, &grown, 110).unwrap();
    assert!(evened.cores < 30);
    let mut load = vec![0u32; evened.cores as usize];
    evened.core.iter().for_each(|&core| load[core as usize] += 1);
    let mean = 600 / evened.cores;
    assert!(load.iter().all(|&load| load * 4 <= mean * 6 && load * 6 >= mean * 3), "{load:?}");
}

#[test]
fn annealing_joins_what_lies_astray() {
    // A ring whose patches are mixed up: every tenth vertex lies on the next core.
    let graph = network(600, |vertex| (0..21).map(move |step| (vertex + 590 + step) % 600));
    let limits = Limits { neurons: 600, inputs: 90, cores: 10 };
    let (level, _) = level::Level::new(&graph, 0.0);
    let core: Vec<u32> =
        (0..600).map(|vertex| (vertex / 60 + u32::from(vertex % 10 == 0)) % 10).collect();
    let cost = |core: Vec<u32>| state::State::new(&level, limits, 10, core).score();
    let before = cost(core.clone());
    let annealed = |seed| {
        let mut random = random::Random::new(seed);
        anneal::anneal(&level, &limits, core.clone(), 10, 100, &mut random).unwrap()
    };
    let after = cost(annealed(1));
    assert!(before.excess > 0 && after.excess == 0, "{before:?} {after:?}");
    // Whole patches cost less than half.
    assert!(after.cost * 2 < before.cost, "{before:?} {after:?}");
    assert_eq!(annealed(2), annealed(2));
}

proptest! {
    #[test]
    fn annealing_counts_what_moves_change(
        graph in hypergraph(), moves in prop::collection::vec(any::<[u32; 2]>(), 1..40),
    ) {
        let (level, _) = level::Level::new(&graph, 0.0);
        prop_assume!(level.vertices() > 0);
        let limits = limits_for(&graph, 1, 1);
        let core = (0..crate::hypergraph::narrow(level.vertices())).map(|vertex| vertex % 4).collect::<Vec<u32>>();
        let mut state = state::State::new(&level, limits, 4, core.clone());
        let mut anneal = anneal::Anneal::new(&level, limits, core, 4).unwrap();
        for [vertex, to] in moves {
            let (vertex, to) = (vertex as usize % level.vertices(), to % 4);
            if anneal.core[vertex] == to {
                continue;
            }
            let change = anneal.change(vertex, to as usize);
            prop_assert_eq!(change.gain, state.gain(vertex, to as usize));
            prop_assert_eq!(change.relief, state.relief(vertex));
            prop_assert_eq!(change.thirst, state.thirst_at(vertex, to as usize));
            anneal.shift(vertex, to, change);
            state.shift(vertex, to as usize, &mut Vec::new());
        }
        prop_assert_eq!(&anneal.core, &state.core);
    }
}

#[test]
fn channels_of_a_pixel_are_one_vertex() {
    // Ten pixels of four channels reach ten of four.
    let graph = network(80, |vertex| {
        let pixels = (vertex / 4..=vertex / 4 + 1).filter(move |_| vertex < 40);
        pixels.flat_map(|pixel| (0..4).map(move |channel| 40 + pixel % 10 * 4 + channel))
    });
    let (level, _) = level::Level::new(&graph, 0.0);
    let (clusters, count) = twins::siblings(&level, 4);
    assert_eq!(count, 50);
    assert!((40..80).all(|vertex| clusters[vertex] == clusters[vertex / 4 * 4]));
    let (_, fewer) = twins::twins(&level.contract(&clusters, count), 4);
    assert_eq!(fewer, 20);
}
