//! The populations of the canonical float network as calibration sees them.

use snnc_ir::Shape;
use snnc_ir::arena::{NodeId, TensorId};
use snnc_ir::network::{Coding, NetworkDraft, Neuron, Op};
use snnc_ir::quantized::Structure;
use std::collections::{BTreeMap, BTreeSet};

/// A population of neurons.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    /// Its node.
    pub(super) node: NodeId,
    /// Its name.
    pub(super) name: String,
    /// Its shape.
    pub(super) shape: Shape,
    /// Its model; `None` for graded relays.
    pub(super) neuron: Option<Neuron>,
    /// Projections from spikes, in the order of the current.
    pub(super) terms: Vec<Term>,
    /// Whether it reads graded messages.
    pub(super) graded: bool,
    /// Populations whose spikes reach it, through relays too; itself if it does.
    pub(super) sources: BTreeSet<NodeId>,
    /// Float bias of every neuron; empty if there is none.
    pub(super) bias: Vec<f32>,
    /// Parts of the population that have weights of their own, of equal size and in the order of the
    /// neurons: neurons, or the channels of convolutions.
    pub(super) rows: usize,
}

/// A projection from spikes.
#[derive(Clone, Debug)]
pub(super) struct Term {
    /// Input or population that is read.
    pub(super) source: NodeId,
    /// Its name.
    pub(super) source_name: String,
    /// Position among the projections from this source.
    pub(super) nth: u32,
    /// Logical delay.
    pub(super) delay: u32,
    /// Weights.
    pub(super) tensor: TensorId,
    /// Their layout.
    pub(super) structure: Structure,
}

impl Layer {
    /// Neurons of a row.
    pub(super) fn per_row(&self) -> usize {
        (self.shape.size() / self.rows.max(1)).max(1)
    }
}

/// What feeds a node: the operations on its sources.
struct Current {
    /// Operation, and the source that it reads with a delay; sources that are always 0 left out.
    terms: Vec<(NodeId, NodeId, u32)>,
    bias: Vec<f32>,
}

/// Populations of neurons, each after the populations that it reads as far as loops allow it: where all
/// that are left wait for one another, the one with the fewest open sources comes first.
pub(super) fn layers(network: &NetworkDraft) -> Vec<Layer> {
    let mut open: BTreeMap<NodeId, Layer> = BTreeMap::new();
    for (id, node) in network.nodes.iter() {
        if let Op::Neuron(neuron) = &node.op {
            open.insert(id, layer(network, id, Some(neuron)));
        }
    }
    let mut ordered = Vec::with_capacity(open.len());
    loop {
        let waits_for = |layer: &Layer| {
            layer.sources.iter().filter(|s| **s != layer.node && open.contains_key(s)).count()
        };
        // The smallest id first wherever there is a choice.
        let next = open.values().min_by_key(|l| (waits_for(l), l.node)).map(|l| l.node);
        let Some(layer) = next.and_then(|id| open.remove(&id)) else { return ordered };
        ordered.push(layer);
    }
}

fn layer(network: &NetworkDraft, id: NodeId, neuron: Option<&Neuron>) -> Layer {
    let node = &network.nodes[id];
    let Current { terms: found, bias } = current(network, id);
    let mut terms: Vec<Term> = Vec::new();
    let mut graded = false;
    for (operation, source, delay) in found {
        let from = &network.nodes[source];
        match from.op {
            Op::Relay(_) => graded = true,
            // The host adds these currents to biases: no weight of them is stored.
            Op::Input(Coding::Direct { .. }) => {}
            _ => {
                let (tensor, structure) = match &network.nodes[operation].op {
                    Op::Conv2d { weight, conv, .. } => (*weight, Structure::Conv(*conv)),
                    Op::Linear { weight, .. } => {
                        let rows = extent(&network.nodes[operation].shape);
                        let cols = extent(&from.shape);
                        (*weight, Structure::Dense { rows, cols })
                    }
                    _ => continue,
                };
                let before = terms.iter().filter(|t| t.source == source).count();
                terms.push(Term {
                    source,
                    source_name: from.name.clone(),
                    nth: u32::try_from(before).unwrap_or(u32::MAX),
                    delay,
                    tensor,
                    structure,
                });
            }
        }
    }
    let rows = rows(&terms, node.shape.size());
    Layer {
        node: id,
        name: node.name.clone(),
        shape: node.shape.clone(),
        neuron: neuron.cloned(),
        terms,
        graded,
        sources: sources(network, id),
        bias,
        rows,
    }
}

fn extent(shape: &Shape) -> u32 {
    u32::try_from(shape.size()).unwrap_or(u32::MAX)
}

/// Neurons, or the channels that all convolutions agree on; the population as a whole where they do not.
fn rows(terms: &[Term], neurons: usize) -> usize {
    let mut channels = terms.iter().filter_map(|t| match &t.structure {
        Structure::Conv(conv) => Some(conv.out_channels as usize),
        _ => None,
    });
    match channels.next() {
        None => neurons,
        Some(first) if channels.all(|c| c == first) && neurons.is_multiple_of(first) => first,
        Some(_) => 1,
    }
}

/// The operations that feed the node: its input, or the terms of its sum.
fn operations(network: &NetworkDraft, id: NodeId) -> Vec<NodeId> {
    let Some(top) = network.nodes[id].inputs.first().map(|e| e.source) else { return Vec::new() };
    match network.nodes[top].op {
        Op::Add => network.nodes[top].inputs.iter().map(|e| e.source).collect(),
        _ => vec![top],
    }
}

fn current(network: &NetworkDraft, id: NodeId) -> Current {
    let size = network.nodes[id].shape.size();
    let mut current = Current { terms: Vec::new(), bias: Vec::new() };
    for operation in operations(network, id) {
        let node = &network.nodes[operation];
        if let Op::Linear { bias: Some(bias), .. } | Op::Conv2d { bias: Some(bias), .. } = node.op {
            let values = &network.tensors[bias].data;
            let repeat = size / values.len().max(1);
            let values = values.iter().flat_map(|b| std::iter::repeat_n(*b, repeat));
            current.bias = values.collect();
        }
        let Some(edge) = node.inputs.first() else { continue };
        if network.nodes[edge.source].op != Op::Zero {
            current.terms.push((operation, edge.source, edge.delay));
        }
    }
    current
}

/// Populations of neurons whose spikes reach `id`, directly or through relays.
fn sources(network: &NetworkDraft, id: NodeId) -> BTreeSet<NodeId> {
    let mut found = BTreeSet::new();
    let mut relays = BTreeSet::new();
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        for (_, source, _) in current(network, id).terms {
            match network.nodes[source].op {
                Op::Neuron(_) => {
                    found.insert(source);
                }
                Op::Relay(_) if relays.insert(source) => open.push(source),
                _ => {}
            }
        }
    }
    found
}

/// Graded relays, in the order of ids.
pub(super) fn relays(network: &NetworkDraft) -> Vec<Layer> {
    let clips = network.nodes.iter().filter(|(_, n)| matches!(n.op, Op::Relay(_)));
    clips.map(|(id, _)| layer(network, id, None)).collect()
}

/// `start` and the populations of neurons that its spikes reach.
pub(super) fn downstream(layers: &[Layer], start: NodeId) -> BTreeSet<NodeId> {
    let mut found = BTreeSet::from([start]);
    loop {
        let before = found.len();
        for layer in layers {
            if layer.sources.iter().any(|s| found.contains(s)) {
                found.insert(layer.node);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}
