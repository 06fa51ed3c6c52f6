//! Float networks in which one part alone is what its integers mean; everything else stays.

use super::costs::{Part, PartKind};
use super::meaning;
use snnc_ir::arena::{NodeId, TensorId};
use snnc_ir::network::{Dynamics, Edge, Network, NetworkDraft, Op, Provenance, Tensor};
use snnc_ir::{Param, Recipe, Shape};

/// A projection of the canonical network.
#[derive(Clone, Copy, Debug)]
struct Term {
    /// The operation.
    node: NodeId,
    /// Who reads it: a node and the position among its inputs.
    reader: (NodeId, usize),
    /// What it reads.
    source: NodeId,
}

/// Part of the quantization, with the network that has it alone.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    /// The part.
    pub(super) part: Part,
    /// Population or clip that has it.
    pub(super) target: NodeId,
    change: Change,
}

#[derive(Clone, Debug)]
enum Change {
    /// The float values are what the integers mean.
    Nothing,
    /// The recipe says nothing about the part.
    Unknown,
    /// New weights of the operation that this reader reads.
    Weights((NodeId, usize), Vec<f32>),
    /// New biases of the operation that this reader reads.
    Bias((NodeId, usize), Vec<f32>),
    Threshold(Param<f32>),
    Decay(Param<f32>),
}

/// All parts of the quantization by `recipe`, in the order of nodes.
pub(super) fn variants(network: &Network, recipe: &Recipe) -> Vec<Variant> {
    let mut all = Vec::new();
    for (id, node) in network.nodes.iter() {
        if !matches!(node.op, Op::Neuron(_) | Op::Relay(_)) {
            continue;
        }
        let own = recipe.population(&node.name);
        let terms = terms(network, id);
        let mut seen: Vec<NodeId> = Vec::new();
        for term in &terms {
            let source = &network.nodes[term.source];
            // What reads a frame is rounded sample by sample, as a bias; what reads a zero is none.
            if matches!(source.op, Op::Zero | Op::Input(snnc_ir::network::Coding::Direct { .. })) {
                continue;
            }
            let nth = seen.iter().filter(|s| **s == term.source).count();
            seen.push(term.source);
            let nth = u32::try_from(nth).unwrap_or(u32::MAX);
            let tensor = weight_of(&network.nodes[term.node].op).map(|w| &network.tensors[w]);
            let part = Part {
                kind: PartKind::Weights,
                target: node.name.clone(),
                source: Some(source.name.clone()),
                nth: Some(nth),
                tensor: tensor.map(|t| t.name.clone()),
            };
            let op = &network.nodes[term.node].op;
            let new = tensor.and_then(|t| meaning::weights(recipe, [source, node], op, t, nth));
            let change = new.map_or(Change::Unknown, |new| {
                let old = tensor.map_or(&[][..], |t| &t.data);
                if same(old, &new) { Change::Nothing } else { Change::Weights(term.reader, new) }
            });
            all.push(Variant { part, target: id, change });
        }
        let mut add = |kind, change| {
            let target = node.name.clone();
            let part = Part { kind, target, source: None, nth: None, tensor: None };
            all.push(Variant { part, target: id, change });
        };
        if let Op::Neuron(neuron) = &node.op {
            let new = own.and_then(|own| meaning::threshold(own, &node.shape));
            add(
                PartKind::Thresholds,
                changed(&neuron.threshold, new, &node.shape, Change::Threshold),
            );
            let decay = match &neuron.dynamics {
                Dynamics::Decay(decay) => Some(decay.clone()),
                Dynamics::Linear(linear) => Some(linear.keep.map(|keep| 1.0 - keep)),
                _ => None,
            };
            if let Some(decay) = decay {
                let new = own.and_then(|own| meaning::registers(own, &node.shape));
                add(PartKind::Decays, changed(&decay, new, &node.shape, Change::Decay));
            }
        }
        for term in &terms {
            let Some(bias) = bias_of(&network.nodes[term.node].op) else { continue };
            let old = &network.tensors[bias].data;
            let new = own.and_then(|own| meaning::biases(own, &node.shape, old.len()));
            let change = new.map_or(Change::Unknown, |new| {
                if same(old, &new) { Change::Nothing } else { Change::Bias(term.reader, new) }
            });
            add(PartKind::Biases, change);
        }
    }
    all
}

impl Variant {
    /// Whether the recipe says nothing about the part.
    pub(super) const fn is_unknown(&self) -> bool {
        matches!(self.change, Change::Unknown)
    }

    /// The network with this part alone in integers; `None` if that changes nothing.
    pub(super) fn apply(&self, network: &Network) -> Option<NetworkDraft> {
        if matches!(self.change, Change::Nothing | Change::Unknown) {
            return None;
        }
        let mut draft: NetworkDraft = NetworkDraft::clone(network);
        match &self.change {
            Change::Nothing | Change::Unknown => return None,
            Change::Weights(reader, new) => replace(&mut draft, *reader, new, false),
            Change::Bias(reader, new) => replace(&mut draft, *reader, new, true),
            Change::Threshold(new) => {
                if let Op::Neuron(neuron) = &mut draft.nodes[self.target].op {
                    neuron.threshold = new.clone();
                }
            }
            Change::Decay(new) => {
                if let Op::Neuron(neuron) = &mut draft.nodes[self.target].op {
                    if let Dynamics::Linear(linear) = &mut neuron.dynamics {
                        linear.keep = new.map(|decay| 1.0 - decay);
                    } else {
                        neuron.dynamics = Dynamics::Decay(new.clone());
                    }
                }
            }
        }
        Some(draft)
    }
}

/// Gives `reader` an operation of its own with new values; others may read the old one.
fn replace(draft: &mut NetworkDraft, reader: (NodeId, usize), new: &[f32], bias: bool) {
    let (reader, slot) = reader;
    let mut node = draft.nodes[draft.nodes[reader].inputs[slot].source].clone();
    let (Op::Linear { weight, bias: own } | Op::Conv2d { weight, bias: own, .. }) = &mut node.op
    else {
        return;
    };
    let old = if bias { own.unwrap_or(*weight) } else { *weight };
    let shape = draft.tensors[old].shape.clone();
    let from = draft.tensors[old].name.clone();
    let tensor = draft.tensors.push(Tensor {
        name: unused(&from, |name| draft.tensors.values().any(|t| t.name == name)),
        shape,
        data: new.to_vec(),
        provenance: Provenance::Derived { pass: "quantize".to_owned(), from: vec![from] },
        genes: None,
    });
    if bias {
        *own = Some(tensor);
    } else {
        *weight = tensor;
    }
    let old = draft.nodes[reader].inputs[slot].source;
    let readers = draft.nodes.values().flat_map(|n| &n.inputs).filter(|e| e.source == old).count();
    if readers == 1 {
        draft.nodes[old] = node;
        return;
    }
    node.name = unused(&node.name, |name| draft.nodes.values().any(|n| n.name == name));
    let source = draft.nodes.push(node);
    draft.nodes[reader].inputs[slot].source = source;
}

/// `name` with as many marks as make it new.
fn unused(name: &str, known: impl Fn(&str) -> bool) -> String {
    let mut name = format!("{name}'");
    while known(&name) {
        name.push('\'');
    }
    name
}

/// The projections into `root`, in the order of its current.
fn terms(network: &Network, root: NodeId) -> Vec<Term> {
    let nodes = &network.nodes;
    let Some(top) = nodes[root].inputs.first() else { return Vec::new() };
    let readers: Vec<(NodeId, usize)> = match nodes[top.source].op {
        Op::Add => (0..nodes[top.source].inputs.len()).map(|slot| (top.source, slot)).collect(),
        _ => vec![(root, 0)],
    };
    let term = |reader: (NodeId, usize)| {
        let node = nodes[reader.0].inputs[reader.1].source;
        weight_of(&nodes[node].op)?;
        let &Edge { source, .. } = nodes[node].inputs.first()?;
        Some(Term { node, reader, source })
    };
    readers.into_iter().filter_map(term).collect()
}

const fn weight_of(op: &Op) -> Option<TensorId> {
    match op {
        Op::Linear { weight, .. } | Op::Conv2d { weight, .. } => Some(*weight),
        _ => None,
    }
}

const fn bias_of(op: &Op) -> Option<TensorId> {
    match op {
        Op::Linear { bias, .. } | Op::Conv2d { bias, .. } => *bias,
        _ => None,
    }
}

fn changed(
    old: &Param<f32>,
    new: Option<Param<f32>>,
    shape: &Shape,
    change: impl FnOnce(Param<f32>) -> Change,
) -> Change {
    match new {
        None => Change::Unknown,
        Some(new) if same(&old.expand(shape), &new.expand(shape)) => Change::Nothing,
        Some(new) => change(new.compact(shape)),
    }
}

fn same(old: &[f32], new: &[f32]) -> bool {
    // +0 and −0 act alike.
    old.len() == new.len() && old.iter().zip(new).all(|(a, b)| (a - b).abs() <= 0.0)
}
