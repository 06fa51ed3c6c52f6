//! `push-neurons`: a population that reads a `concat` becomes one population per part (class: exact).
//!
//! Neurons act element by element, so those of a concatenation are the concatenation of those of its
//! parts. The parts `NAME.0`, `NAME.1`, … get the parameters of their neurons, and `NAME` becomes the
//! `concat` of their spikes. So a part that several concatenations share is seen to feed equal
//! populations (`merge-nodes`), and every part reads operations of its own instead of operations
//! padded with zeros. A population that the readout counts stays whole: scores need one population.
//!
//! ```text
//! // before
//! node3 "s" [3] = concat(node1, node2@1)
//! node4 "h" [3] = neuron(node3)
//!   threshold per_neuron { 1.0 2.0 3.0 } …
//! // after
//! node3 "h" [3] = concat(node4, node5)
//! node4 "h.0" [1] = neuron(node1)
//!   threshold 1.0 …
//! node5 "h.1" [2] = neuron(node2@1)
//!   threshold per_neuron { 2.0 3.0 } …
//! ```
//!
//! Complexity: O(neurons).

use crate::framework::{Class, Context, Pass, PassInfo, Property};
use crate::graph::{add_delays, for_params, reader_counts, remove_newly_unread};
use crate::tensors::unique;
use snnc_ir::arena::NodeId;
use snnc_ir::diag::codes::network;
use snnc_ir::network::{Edge, Neuron, Node, Op};
use snnc_ir::{Diagnostic, Diagnostics, Network, NetworkDraft, Param, Shape};
use std::collections::BTreeSet;
use std::ops::Range;

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct PushNeurons;

static INFO: PassInfo = PassInfo {
    name: "push-neurons",
    summary: "split populations that read a concatenation into its parts",
    class: Class::Exact,
    requires: &[],
    establishes: &[Property::NeuronsPushed],
    invalidates: &[Property::SilentFolded, Property::NodesMerged],
    options: &[],
};

impl Pass for PushNeurons {
    type From = Network;
    type To = Network;

    fn info(&self) -> &'static PassInfo {
        &INFO
    }

    fn run(
        &self,
        mut draft: NetworkDraft,
        cx: &mut Context<'_>,
    ) -> Result<NetworkDraft, Diagnostics> {
        let readers = reader_counts(&draft);
        let mut names = draft.nodes.values().map(|n| n.name.clone()).collect();
        let mut errors = Diagnostics::new();
        let mut split = Vec::new();
        // A part may be a concatenation itself.
        let mut open: Vec<NodeId> = draft.nodes.ids().rev().collect();
        while let Some(id) = open.pop() {
            if !can_be_pushed(&draft, id) {
                continue;
            }
            match push(&mut draft, id, &mut names) {
                Ok(parts) => {
                    split.push((id, parts.clone()));
                    open.extend(parts.into_iter().rev());
                }
                Err(error) => errors.push(error),
            }
        }
        errors.into_result(())?;
        cx.remarks.extend(remark(&draft, &split).into_iter().collect());
        remove_newly_unread(&mut draft, &readers);
        Ok(draft)
    }
}

/// Whether the node is a population that reads a `concat` and is not what the readout counts.
pub(crate) fn can_be_pushed(draft: &NetworkDraft, id: NodeId) -> bool {
    let node = &draft.nodes[id];
    matches!(node.op, Op::Neuron(_))
        && draft.readout.node() != id
        && node.inputs.iter().all(|e| draft.nodes[e.source].op == Op::Concat)
}

/// Splits the population `id`; returns its parts.
fn push(
    draft: &mut NetworkDraft,
    id: NodeId,
    names: &mut BTreeSet<String>,
) -> Result<Vec<NodeId>, Diagnostic> {
    let node = draft.nodes[id].clone();
    let (Op::Neuron(neuron), [edge]) = (node.op, node.inputs.as_slice()) else {
        return Ok(Vec::new());
    };
    let mut parts = Vec::new();
    let mut first = 0;
    for (k, read) in draft.nodes[edge.source].inputs.clone().into_iter().enumerate() {
        let shape = draft.nodes[read.source].shape.clone();
        let channels = first..first + shape.channels();
        first = channels.end;
        let delay = add_delays(edge.delay, read.delay, &node.name)?;
        let mut current = Edge { source: read.source, delay };
        let name = unique(names, &format!("{}.{k}", node.name));
        if draft.nodes[read.source].op.is_population() {
            // A neuron reads a current; the sum of one input is that input.
            let name = unique(names, &format!("{name}.current"));
            let add = Node { name, op: Op::Add, inputs: vec![current], shape: shape.clone() };
            current = Edge { source: draft.nodes.push(add), delay: 0 };
        }
        let op = part(&neuron, &node.shape, channels, &shape);
        parts.push(draft.nodes.push(Node { name, op, inputs: vec![current], shape }));
    }
    let node = &mut draft.nodes[id];
    node.op = Op::Concat;
    node.inputs = parts.iter().map(|&source| Edge { source, delay: 0 }).collect();
    Ok(parts)
}

/// The neurons of some channels of a population of shape `whole`, as one of shape `shape`.
fn part(neuron: &Neuron, whole: &Shape, channels: Range<usize>, shape: &Shape) -> Op {
    let slice = |param: &Param<f32>| {
        let area = whole.per_channel();
        let slice = match param {
            Param::Uniform(v) => Param::Uniform(*v),
            Param::PerChannel(v) => Param::PerChannel(v[channels.clone()].to_vec()),
            Param::PerNeuron(v) => {
                Param::PerNeuron(v[channels.start * area..channels.end * area].to_vec())
            }
        };
        slice.compact(shape)
    };
    let mut op = Op::Neuron(neuron.clone());
    for_params(&mut op, |p| *p = slice(p));
    op
}

/// Says which populations became which.
fn remark(draft: &NetworkDraft, split: &[(NodeId, Vec<NodeId>)]) -> Option<Diagnostic> {
    let name = |id: NodeId| format!("`{}`", draft.nodes[id].name);
    let remark = Diagnostic::note_only(
        network::SPLIT,
        format!("{} populations read concatenations and were split", split.len()),
    );
    let list = split.iter().fold(remark, |remark, (id, parts)| {
        let parts: Vec<_> = parts.iter().map(|&p| name(p)).collect();
        remark.note(format!("{} became {}", name(*id), parts.join(", ")))
    });
    (!split.is_empty()).then_some(list)
}
