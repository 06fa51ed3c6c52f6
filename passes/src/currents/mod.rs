//! Canonical currents: what flows into a population, as a sum of projections and one bias.
//!
//! In a canonical network the one input of every neuron and of every clip, and the readout if it is
//! analog, is a `linear` or `conv2d`, or an `add` of such operations; at most one of them has a
//! bias. Each operation reads a *source*: an input, a neuron population or a clip. One `linear` of
//! a current may read a `zero` of one element instead: it has no weight but 0 and carries a bias
//! that no other operation can, or stands for a current that has no term at all. Only the edges
//! that read sources have delays, and no other analog node is left. [`read`] takes such a current
//! apart, [`write`](write::rebuild) puts it together.

pub(crate) mod always;
mod bias;
pub(crate) mod write;

use crate::linear::{LinearOp, Matrix, Weight, output_size};
use snnc_ir::arena::{Arena, NodeId, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::diag::codes::internal;
use snnc_ir::network::{Edge, NetworkDraft, Op, Readout, Tensor};
use snnc_ir::{Diagnostic, Diagnostics, Entity, Shape};
use std::collections::BTreeMap;

/// Input of a population, or an analog readout.
#[derive(Clone, Debug, Default)]
pub(crate) struct Current {
    /// Projections.
    pub terms: Vec<Term>,
    /// Sum of all biases.
    pub bias: Option<Bias>,
    /// Name of the `add` node that joined the terms, if there was one.
    pub name: Option<String>,
}

/// One projection; its map is a [`LinearOp::Dense`] or a [`LinearOp::Conv`].
#[derive(Clone, Debug)]
pub(crate) struct Term {
    /// Population that is read.
    pub source: NodeId,
    /// Steps ago.
    pub delay: u32,
    /// The map.
    pub op: LinearOp,
    /// Name of the node it came from, if it is that node.
    pub name: Option<String>,
}

/// A bias of every element.
#[derive(Clone, Debug)]
pub(crate) struct Bias {
    /// One value per element.
    pub values: Vec<f64>,
    /// Tensors it was made from.
    pub from: Vec<TensorId>,
    /// Term that carried it (the first one, if several did); beyond the terms if none did.
    pub home: usize,
}

impl Bias {
    /// Adds another bias.
    pub(crate) fn add(bias: &mut Option<Self>, other: Self) {
        match bias {
            None => *bias = Some(other),
            Some(bias) => {
                bias.values.iter_mut().zip(other.values).for_each(|(a, b)| *a += b);
                bias.from.extend(other.from);
            }
        }
    }
}

/// Whether canonical currents may read such a node: populations and clips.
pub(crate) const fn is_source(op: &Op) -> bool {
    op.is_population() || matches!(op, Op::Relay(_))
}

/// Nodes that have a canonical current: neurons, clips, and the readout if it is analog.
pub(crate) fn roots(draft: &NetworkDraft) -> Vec<NodeId> {
    let readout = match draft.readout {
        Readout::MeanLinear(node) => Some(node),
        Readout::SpikeCount(_) => None,
    };
    let is_root =
        |id| readout == Some(id) || matches!(draft.nodes[id].op, Op::Neuron(_) | Op::Relay(_));
    draft.nodes.ids().filter(|&id| is_root(id)).collect()
}

/// Values of a bias tensor for every element that the operation writes.
pub(crate) fn bias_values(
    tensors: &Arena<TensorId, Tensor>,
    bias: TensorId,
    conv: Option<&Conv>,
) -> Vec<f64> {
    let data = tensors[bias].data.iter().map(|&b| f64::from(b));
    match conv {
        None => data.collect(),
        Some(conv) => {
            let area = output_size(conv) / (conv.out_channels as usize).max(1);
            data.flat_map(|b| std::iter::repeat_n(b, area)).collect()
        }
    }
}

/// Whether every current is canonical and no other analog node is left.
pub(crate) fn are_canonical(draft: &NetworkDraft) -> bool {
    if matches!(draft.nodes[draft.readout.node()].op, Op::Relay(_)) {
        return false;
    }
    let mut used = vec![false; draft.nodes.len()];
    for root in roots(draft) {
        let Some(nodes) = nodes_of(draft, root) else { return false };
        if read(draft, root).is_err() {
            return false;
        }
        for node in nodes {
            used[node.index()] = true;
            for edge in &draft.nodes[node].inputs {
                used[edge.source.index()] = true;
            }
        }
    }
    draft.nodes.iter().all(|(id, node)| is_source(&node.op) || used[id.index()])
}

/// Takes the canonical current of `root` apart. What reads a `zero` is no term, but its bias counts.
///
/// # Errors
/// `SNN0904` if it is not canonical, which the planner excludes.
pub(crate) fn read(draft: &NetworkDraft, root: NodeId) -> Result<Current, Diagnostic> {
    let mut current = Current::default();
    let nodes = nodes_of(draft, root).ok_or_else(|| not_canonical(draft, root))?;
    for id in nodes {
        let node = &draft.nodes[id];
        let (op, bias, conv) = match node.op {
            Op::Linear { weight, bias } => {
                let rows = node.shape.size();
                let cols = node.inputs.first().map_or(0, |e| draft.nodes[e.source].shape.size());
                let weight = Weight::Tensor(weight);
                (LinearOp::Dense(Matrix { weight, rows, cols }), bias, None)
            }
            Op::Conv2d { weight, bias, conv } => {
                (LinearOp::Conv { weight: Weight::Tensor(weight), conv }, bias, Some(conv))
            }
            _ => {
                current.name = Some(node.name.clone());
                continue;
            }
        };
        let [Edge { source, delay }] = *node.inputs.as_slice() else {
            return Err(not_canonical(draft, id));
        };
        let is_constant = is_constant(draft, id);
        let readable = is_source(&draft.nodes[source].op) || is_constant;
        if !readable || bias.is_some() && current.bias.is_some() {
            return Err(not_canonical(draft, id));
        }
        if let Some(tensor) = bias {
            current.bias = Some(Bias {
                values: bias_values(&draft.tensors, tensor, conv.as_ref()),
                from: vec![tensor],
                home: if is_constant { usize::MAX } else { current.terms.len() },
            });
        }
        if is_constant {
            continue;
        }
        current.terms.push(Term { source, delay, op, name: Some(node.name.clone()) });
    }
    Ok(current)
}

/// Whether the node is a `linear` that reads a `zero` of one element in the same step.
fn is_constant(draft: &NetworkDraft, id: NodeId) -> bool {
    let node = &draft.nodes[id];
    let zero = |edge: &Edge| {
        let source = &draft.nodes[edge.source];
        edge.delay == 0 && source.op == Op::Zero && source.shape == Shape::flat(1)
    };
    matches!(node.op, Op::Linear { .. }) && node.inputs.iter().all(zero)
}

/// The `add` (if there is one) and the linear operations of the current of `root`.
fn nodes_of(draft: &NetworkDraft, root: NodeId) -> Option<Vec<NodeId>> {
    let top = match draft.nodes[root].op {
        Op::Neuron(_) | Op::Relay(_) => match draft.nodes[root].inputs.as_slice() {
            [Edge { source, delay: 0 }] => *source,
            _ => return None,
        },
        _ => root,
    };
    let mut nodes = vec![top];
    if draft.nodes[top].op == Op::Add {
        let inputs = &draft.nodes[top].inputs;
        if inputs.iter().any(|e| e.delay > 0) {
            return None;
        }
        nodes.extend(inputs.iter().map(|e| e.source));
    }
    let linear = |id: &NodeId| matches!(draft.nodes[*id].op, Op::Linear { .. } | Op::Conv2d { .. });
    let terms = if nodes.len() > 1 { &nodes[1..] } else { &nodes[..] };
    terms.iter().all(linear).then_some(nodes)
}

/// The currents of a network by their roots, or all that is wrong with them.
pub(crate) fn read_all(draft: &NetworkDraft) -> Result<BTreeMap<NodeId, Current>, Diagnostics> {
    let mut errors = Diagnostics::new();
    let mut currents = BTreeMap::new();
    for root in roots(draft) {
        match read(draft, root) {
            Ok(current) => {
                currents.insert(root, current);
            }
            Err(error) => errors.push(error),
        }
    }
    errors.into_result(currents)
}

/// The error about a current that is not canonical where it has to be.
pub(crate) fn not_canonical(draft: &NetworkDraft, node: NodeId) -> Diagnostic {
    let Some(node) = draft.nodes.get(node) else {
        return Diagnostic::error(internal::NOT_CANONICAL, "an edge reads a node that is missing");
    };
    Diagnostic::error(
        internal::NOT_CANONICAL,
        format!("`{}` ({}) does not belong to a canonical current", node.name, node.op.name()),
    )
    .at(format!("node `{}`", node.name))
    .help("run `fold-batchnorm`, `fold-pooling` and `lower-currents` before this pass")
}
