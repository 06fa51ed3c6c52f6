//! `merge-nodes`: nodes that compute the same from the same become one (class: exact).
//!
//! Two nodes are equal if their operations are (tensors bit for bit, parameters neuron by neuron) and they read
//! equal nodes with equal delays. The first one in the order of computation stays, under its name; a
//! remark says which populations it now stands for: their spikes are its spikes. Inputs differ
//! always, and the node of the readout stays.
//!
//! Nodes are compared in the order of computation, so that what they read within a step has been
//! compared before. What they read with a delay may come later; the pass repeats until nothing
//! changes. Loops are equal only if what they read from each other is one node already: populations
//! that would be equal if they were assumed to be are left alone.
//!
//! ```text
//! // before
//! node2 "a" [4] = neuron(node1) …
//! node3 "b" [4] = neuron(node1) …
//! node4 "y" [2] = linear(node3) weight tensor1
//! // after
//! node2 "a" [4] = neuron(node1) …
//! node3 "y" [2] = linear(node2) weight tensor1
//! ```
//!
//! Complexity: O(values of tensors + rounds · nodes · log nodes); rounds are at most one more than
//! the nodes that merge through delayed edges one after the other.

use crate::fold_shared::first_equals;
use crate::framework::{Class, Context, Pass, PassInfo, Property};
use crate::graph::{for_params, for_tensors, retain_nodes};
use snnc_ir::arena::{NodeId, TensorId};
use snnc_ir::diag::codes::network;
use snnc_ir::network::{Edge, Op};
use snnc_ir::{Diagnostic, Diagnostics, Entity, Network, NetworkDraft};
use std::collections::BTreeMap;

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct MergeNodes;

static INFO: PassInfo = PassInfo {
    name: "merge-nodes",
    summary: "let nodes that compute the same be one node",
    class: Class::Exact,
    requires: &[Property::GenesLowered],
    establishes: &[Property::NodesMerged],
    invalidates: &[Property::DeadRemoved],
    options: &[],
};

impl Pass for MergeNodes {
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
        let first = first_equal_nodes(&draft);
        cx.remarks.extend(remark(&draft, &first).into_iter().collect());
        for node in draft.nodes.values_mut() {
            for edge in &mut node.inputs {
                edge.source = first[edge.source.index()];
            }
        }
        let keep: Vec<bool> = draft.nodes.ids().map(|id| first[id.index()] == id).collect();
        retain_nodes(&mut draft, &keep);
        Ok(draft)
    }
}

/// Whether no two nodes are equal.
pub(crate) fn is_clean(draft: &NetworkDraft) -> bool {
    draft.nodes.ids().zip(first_equal_nodes(draft)).all(|(id, first)| id == first)
}

/// The node that each node is equal to; a node that stays, itself.
fn first_equal_nodes(draft: &NetworkDraft) -> Vec<NodeId> {
    let tensors = first_equals(&draft.tensors);
    let order = draft.order().unwrap_or_else(|| draft.nodes.ids().collect());
    let mut first: Vec<NodeId> = draft.nodes.ids().collect();
    loop {
        let next = round(draft, &order, &tensors, &first);
        if next == first {
            return first;
        }
        first = next;
    }
}

/// Name of an operation, and what it reads with which delays.
type Reads<'a> = (&'a str, Vec<(NodeId, u32)>);

/// Compares all nodes once, given what is known to be equal.
fn round(
    draft: &NetworkDraft,
    order: &[NodeId],
    tensors: &[TensorId],
    known: &[NodeId],
) -> Vec<NodeId> {
    let mut first = known.to_vec();
    let mut seen: BTreeMap<Reads<'_>, Vec<(NodeId, Op)>> = BTreeMap::new();
    for &id in order {
        let node = &draft.nodes[id];
        if matches!(node.op, Op::Input(_)) {
            continue;
        }
        let mut op = node.op.clone();
        for_tensors(&mut op, |t| *t = tensors[t.index()]);
        for_params(&mut op, |p| *p = p.clone().compact(&node.shape));
        let read = |e: &Edge| (first[e.source.index()], e.delay);
        let reads = node.inputs.iter().map(read).collect();
        let alike = seen.entry((op.name(), reads)).or_default();
        let same = alike
            .iter()
            .find(|(other, known)| *known == op && draft.nodes[*other].shape == node.shape);
        match same {
            Some((same, _)) if draft.readout.node() != id => first[id.index()] = *same,
            _ => alike.push((id, op)),
        }
    }
    first
}

/// Says which populations now stand for which.
fn remark(draft: &NetworkDraft, first: &[NodeId]) -> Option<Diagnostic> {
    let mut merged: BTreeMap<NodeId, Vec<String>> = BTreeMap::new();
    let mut saved = 0;
    for (id, node) in draft.nodes.iter() {
        if first[id.index()] != id && node.op.is_population() {
            merged.entry(first[id.index()]).or_default().push(format!("`{}`", node.name));
            saved += node.shape.size();
        }
    }
    let count: usize = merged.values().map(Vec::len).sum();
    let remark = Diagnostic::note_only(
        network::MERGED,
        format!("{count} populations ({saved} neurons) fire as others do and were merged"),
    );
    let list = merged.iter().fold(remark, |remark, (&kept, names)| {
        remark.note(format!("`{}` also stands for {}", draft.nodes[kept].name, names.join(", ")))
    });
    (!merged.is_empty()).then_some(list)
}
