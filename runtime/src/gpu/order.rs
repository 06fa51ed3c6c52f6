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

#[cfg(test)]
mod tests {
    use super::{Stage, stages};
    use snnc_ir::arena::{Arena, Entity, PopId};
    use snnc_ir::network::{Coding, Compare, Provenance, UpdateOrder};
    use snnc_ir::param::Param;
    use snnc_ir::quantized::{
        IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection,
        QuantizedDraft, QuantizedNetwork, Role, Sign, Structure, Time,
    };
    use snnc_ir::shape::Shape;
    use snnc_ir::{Level, Rules};

    /// An input and four populations of one neuron, with these links: source, target, delay.
    fn network(links: &[(usize, usize, u32)]) -> QuantizedNetwork {
        let neuron = IntNeuron {
            du: Param::Uniform(4095),
            dv: Param::Uniform(0),
            threshold: Param::Uniform(64),
            compare: Compare::Gt,
            reset: IntReset::Zero,
            bias: Param::Uniform(0),
            refractory: 1,
            order: UpdateOrder::LeakInputFire,
            update_period: 1,
            floor: None,
        };
        let mut populations = Arena::new();
        for i in 0..5 {
            let kind = if i == 0 {
                PopKind::Input(Coding::Events)
            } else {
                PopKind::Neurons(neuron.clone())
            };
            let (name, shape) = (format!("p{i}"), Shape::flat(1));
            populations.push(Population { name, shape, role: Role::Logical, kind });
        }
        let mut matrices = Arena::new();
        let matrix = matrices.push(IntMatrix {
            name: "w".to_owned(),
            structure: Structure::Dense { rows: 1, cols: 1 },
            mantissa: vec![2],
            exponent: -1,
            sign: Sign::Mixed,
            provenance: Provenance::Dense { tensor: "w".to_owned() },
        });
        let mut projections = Arena::new();
        for &(source, target, delay) in links {
            let (source, target) = (PopId::new(source), PopId::new(target));
            projections.push(Projection { source, target, matrix, delay });
        }
        let draft = QuantizedDraft {
            name: "order".to_owned(),
            steps: 9,
            time: Time::Logical,
            populations,
            projections,
            matrices,
            host: Vec::new(),
            readout: IntReadout::SpikeCount(PopId::new(4)),
        };
        QuantizedNetwork::verify(draft, &Rules::default()).unwrap_or_else(|e| panic!("{e}"))
    }

    fn of(links: &[(usize, usize, u32)]) -> Vec<Stage> {
        let network = network(links);
        stages(&network, &network.order().unwrap_or_default())
    }

    fn stage(populations: &[usize], steps: Option<u32>) -> Stage {
        Stage { populations: populations.iter().map(|&p| PopId::new(p)).collect(), steps }
    }

    #[test]
    fn chains_run_all_steps_at_once() {
        // Against the order of ids: 4 is evaluated before 3.
        let found = of(&[(0, 1, 0), (1, 2, 3), (2, 4, 0), (4, 3, 1)]);
        let alone = |p| stage(&[p], None);
        assert_eq!(found, [alone(1), alone(2), alone(4), alone(3)]);
    }

    #[test]
    fn cycles_take_turns_of_their_shortest_way_back() {
        let links = [(0, 1, 0), (1, 2, 0), (2, 3, 0), (3, 1, 4), (3, 2, 2), (1, 3, 1), (3, 4, 1)];
        assert_eq!(of(&links), [stage(&[1, 2, 3], Some(2)), stage(&[4], None)]);
        // 2 and 3 may stand anywhere.
        let found = of(&[(0, 1, 0), (1, 1, 3), (1, 4, 1)]);
        let linked =
            found.into_iter().filter(|s| ![2, 3].map(PopId::new).contains(&s.populations[0]));
        assert_eq!(linked.collect::<Vec<_>>(), [stage(&[1], Some(3)), stage(&[4], None)]);
    }
}
