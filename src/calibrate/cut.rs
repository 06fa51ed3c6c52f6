//! A part of the float network that runs alone: the spikes that reach it come from outside.

use snnc_ir::arena::{Arena, NodeId, TensorId};
use snnc_ir::network::{Coding, Edge, NetworkDraft, Node, Op, Readout, Tensor};
use snnc_ir::recipe::Recipe;
use std::collections::{BTreeMap, BTreeSet};

/// Some populations of a network with everything that feeds them. Populations outside have become
/// inputs, which are given what those sent.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    /// The part; canonical, as the whole is.
    pub(super) network: NetworkDraft,
    /// By node of the part: the node of the whole network.
    pub(super) origin: Vec<NodeId>,
    /// Whether the readout of the whole network is that of the part.
    pub(super) has_readout: bool,
    /// Weights that the part stores.
    pub(super) weights: usize,
}

impl Cut {
    /// The part of `network` that computes the populations `live`, and the readout where it depends on
    /// them.
    pub(super) fn new(network: &NetworkDraft, live: &BTreeSet<NodeId>) -> Self {
        let readout = network.readout;
        let mut kept = kept(network, live);
        let has_readout = match readout {
            Readout::SpikeCount(node) => live.contains(&node),
            Readout::MeanLinear(node) => reads(network, node, live),
        };
        if has_readout && let Readout::MeanLinear(node) = readout {
            collect(network, live, node, &mut kept);
        }
        let mut builder = Builder::default();
        let number: BTreeMap<NodeId, NodeId> =
            kept.iter().copied().zip(network.nodes.ids()).collect();
        for &id in &kept {
            let node = &network.nodes[id];
            let outside = matches!(node.op, Op::Neuron(_)) && !live.contains(&id);
            let node = if outside {
                let (name, shape) = (node.name.clone(), node.shape.clone());
                Node { name, op: Op::Input(Coding::Events), inputs: Vec::new(), shape }
            } else {
                let inputs = node.inputs.iter();
                let inputs = inputs.map(|e| Edge { source: number[&e.source], ..*e }).collect();
                Node { op: builder.operation(network, &node.op), inputs, ..node.clone() }
            };
            builder.nodes.push(node);
        }
        let first = live.iter().next().and_then(|id| number.get(id)).copied();
        let readout = match (has_readout, readout) {
            (true, Readout::SpikeCount(node)) => Readout::SpikeCount(number[&node]),
            (true, Readout::MeanLinear(node)) => Readout::MeanLinear(number[&node]),
            // No one reads the scores.
            (false, whole) => first.map_or(whole, Readout::SpikeCount),
        };
        let weights = builder.tensors.values().map(|t| t.data.len()).sum();
        let network = NetworkDraft {
            name: network.name.clone(),
            steps: network.steps,
            nodes: builder.nodes,
            tensors: builder.tensors,
            readout,
            discretization: None,
        };
        Self { network, origin: kept.into_iter().collect(), has_readout, weights }
    }

    /// Nodes of the whole network that are inputs of the part, in its order of inputs.
    pub(super) fn inputs(&self) -> Vec<NodeId> {
        let nodes = self.network.nodes.values().zip(&self.origin);
        nodes.filter(|(n, _)| matches!(n.op, Op::Input(_))).map(|(_, &id)| id).collect()
    }

    /// The entries of `recipe` about what the part computes.
    pub(super) fn restrict(&self, recipe: &Recipe) -> Recipe {
        let computed: BTreeSet<&str> = self
            .network
            .nodes
            .values()
            .filter(|n| matches!(n.op, Op::Neuron(_) | Op::Relay(_)))
            .map(|n| n.name.as_str())
            .collect();
        let populations = recipe.populations.iter().filter(|p| computed.contains(&*p.name));
        let projections = recipe.projections.iter().filter(|p| computed.contains(&*p.target));
        Recipe {
            settings: recipe.settings,
            populations: populations.cloned().collect(),
            projections: projections.cloned().collect(),
            calibration: None,
        }
    }
}

/// Nodes and tensors of the part.
#[derive(Default)]
struct Builder {
    nodes: Arena<NodeId, Node>,
    tensors: Arena<TensorId, Tensor>,
    /// Tensors of the part by those of the whole.
    number: BTreeMap<TensorId, TensorId>,
}

impl Builder {
    fn tensor(&mut self, network: &NetworkDraft, id: TensorId) -> TensorId {
        if let Some(&known) = self.number.get(&id) {
            return known;
        }
        let new = self.tensors.push(network.tensors[id].clone());
        self.number.insert(id, new);
        new
    }

    /// The operation on the part's tensors. Other operations than these two store none in a canonical
    /// network.
    fn operation(&mut self, network: &NetworkDraft, op: &Op) -> Op {
        match op {
            Op::Linear { weight, bias } => Op::Linear {
                weight: self.tensor(network, *weight),
                bias: bias.map(|b| self.tensor(network, b)),
            },
            Op::Conv2d { weight, bias, conv } => Op::Conv2d {
                weight: self.tensor(network, *weight),
                bias: bias.map(|b| self.tensor(network, b)),
                conv: *conv,
            },
            other => other.clone(),
        }
    }
}

/// Whether what feeds the analog `node` comes from one of `live`.
fn reads(network: &NetworkDraft, node: NodeId, live: &BTreeSet<NodeId>) -> bool {
    let mut all = BTreeSet::new();
    collect(network, live, node, &mut all);
    all.iter().any(|id| live.contains(id))
}

/// The populations `live` and all that feeds them, back to inputs and populations outside.
fn kept(network: &NetworkDraft, live: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
    let mut kept = BTreeSet::new();
    for &id in live {
        collect(network, live, id, &mut kept);
    }
    kept
}

/// Adds `start` and what feeds it.
fn collect(
    network: &NetworkDraft,
    live: &BTreeSet<NodeId>,
    start: NodeId,
    kept: &mut BTreeSet<NodeId>,
) {
    let mut open = vec![start];
    while let Some(id) = open.pop() {
        if !kept.insert(id) {
            continue;
        }
        let node = &network.nodes[id];
        if !matches!(node.op, Op::Neuron(_)) || live.contains(&id) {
            open.extend(node.inputs.iter().map(|e| e.source));
        }
    }
}
