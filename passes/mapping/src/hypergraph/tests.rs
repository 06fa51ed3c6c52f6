use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::testing::hypergraph;

/// Source 0 → {1, 2}, source 2 → {2, 3}; 0 is an input.
fn small() -> Hypergraph {
    Hypergraph {
        weights: vec![0, 2, 3, 4],
        sources: vec![0, 2],
        axons: vec![5, 7],
        rates: vec![1.5, 0.25],
        starts: vec![0, 2, 4],
        targets: vec![1, 2, 2, 3],
    }
}

fn partition(core: &[u32]) -> Partition {
    let used = core.iter().filter(|&&core| core != u32::MAX).max();
    Partition { core: core.to_vec(), cores: used.map_or(0, |&core| core + 1) }
}

const NONE: u32 = u32::MAX;
const ROOMY: Limits = Limits { neurons: 9, inputs: 12, cores: 3 };

#[test]
fn inputs_count_as_axons_and_not_as_traffic() {
    let graph = small();
    let one = partition(&[NONE, 0, 0, 0]);
    assert!(graph.km1(&one).abs() < 1e-12);
    assert_eq!(graph.usage(&one), [CoreUsage { neurons: 9, inputs: 12 }]);
    let two = partition(&[NONE, 0, 1, 1]);
    assert!((graph.km1(&two) - 1.5).abs() < 1e-12);
    assert_eq!(graph.usage(&two)[0], CoreUsage { neurons: 2, inputs: 5 });
    // The second edge starts on core 1 and costs its axons there all the same.
    assert_eq!(graph.usage(&two)[1], CoreUsage { neurons: 7, inputs: 12 });
    let three = partition(&[NONE, 0, 1, 2]);
    assert!((graph.km1(&three) - 1.75).abs() < 1e-12);
}

#[test]
fn every_violation_is_told() {
    let graph = small();
    let all = partition(&[NONE, 0, 0, 0]);
    assert!(graph.check(&ROOMY, &all).is_ok());
    assert_eq!(
        graph.check(&Limits { neurons: 8, inputs: 11, cores: 0 }, &all).unwrap_err(),
        [
            Violation::Cores { need: 1, limit: 0 },
            Violation::Neurons { core: 0, need: 9, limit: 8 },
            Violation::Inputs { core: 0, need: 12, limit: 11 },
        ]
    );
    assert_eq!(
        graph.check(&ROOMY, &Partition { core: vec![0, 1, NONE, 1], cores: 2 }).unwrap_err(),
        [
            Violation::InputOnCore { vertex: 0, core: 0 },
            Violation::Homeless { vertex: 2, core: NONE, cores: 2 },
            Violation::EmptyCore { core: 0 },
        ]
    );
    assert_eq!(
        graph.check(&ROOMY, &partition(&[0])).unwrap_err(),
        [Violation::Length { found: 1, expected: 4 }]
    );
    let absurd = Partition { core: vec![NONE, 0, 0, 0], cores: u32::MAX };
    assert!(graph.check(&ROOMY, &absurd).is_err());
}

#[test]
fn arrays_that_do_not_fit_together_are_found() {
    assert_eq!(small().validate(), Ok(()));
    assert_eq!(Hypergraph { starts: vec![0], ..Hypergraph::default() }.validate(), Ok(()));
    let wrong = |change: fn(&mut Hypergraph)| {
        let mut graph = small();
        change(&mut graph);
        graph.validate().unwrap_err()
    };
    assert_eq!(wrong(|graph| graph.axons.truncate(1)), Malformed::Arrays { edge: 1 });
    assert_eq!(wrong(|graph| graph.starts[1] = 9), Malformed::Arrays { edge: 0 });
    assert_eq!(wrong(|graph| graph.starts.truncate(2)), Malformed::Arrays { edge: 1 });
    assert_eq!(wrong(|graph| graph.targets.push(0)), Malformed::Arrays { edge: 2 });
    assert_eq!(wrong(|graph| graph.rates[1] = f64::NAN), Malformed::Rate { edge: 1 });
    assert_eq!(
        wrong(|graph| graph.sources[1] = 4),
        Malformed::Vertex { edge: 1, vertex: 4, vertices: 4 }
    );
    assert_eq!(wrong(|graph| graph.targets[1] = 1), Malformed::Order { edge: 0, vertex: 1 });
}

proptest! {
    #[test]
    fn metrics_follow_the_definitions(graph in hypergraph(), seed in any::<u64>()) {
        let cores = 3;
        let core: Vec<u32> = graph.weights.iter().enumerate().map(|(vertex, &weight)| {
            if weight == 0 { NONE } else { u32::try_from((seed >> (2 * (vertex % 32))) % 3).unwrap() }
        }).collect();
        let partition = Partition { core, cores };
        let home = |vertex: u32| partition.core[vertex as usize];
        let mut km1 = 0.0;
        let mut inputs = [0u64; 3];
        for edge in 0..graph.edges() {
            let reached: BTreeSet<u32> =
                graph.targets_of(edge).iter().map(|&to| home(to)).filter(|&core| core != NONE).collect();
            let mut touched = reached.clone();
            touched.extend(Some(home(graph.sources[edge])).filter(|&core| core != NONE));
            km1 += graph.rates[edge] * f64::from(narrow(touched.len().saturating_sub(1)));
            for core in reached {
                inputs[core as usize] += u64::from(graph.axons[edge]);
            }
        }
        prop_assert!((graph.km1(&partition) - km1).abs() < 1e-9);
        for (core, usage) in graph.usage(&partition).into_iter().enumerate() {
            prop_assert_eq!(usage.inputs, inputs[core]);
            let neurons = (0..graph.vertices()).filter(|&vertex| partition.core[vertex] as usize == core);
            prop_assert_eq!(usage.neurons, neurons.map(|vertex| u64::from(graph.weights[vertex])).sum::<u64>());
        }
        let (incoming, outgoing) = (graph.incoming(), graph.outgoing());
        for vertex in 0..graph.vertices() {
            for edge in 0..graph.edges() {
                let number = narrow(edge);
                prop_assert_eq!(incoming.of(vertex).contains(&number), graph.targets_of(edge).contains(&narrow(vertex)));
                prop_assert_eq!(outgoing.of(vertex).contains(&number), graph.sources[edge] as usize == vertex);
            }
        }
    }
}
