//! `remove-dead`: what cannot influence the readout is removed (class: exact).
//!
//! A node stays if the readout can be reached from it through edges of any delay. Inputs always
//! stay, because they are the network's interface. Tensors that no node uses go too. Every removed
//! population is named in a note.
//!
//! ```text
//! // before
//! node2 "h" [4] = neuron(node1) …
//! node3 "stray" [4] = neuron(node1) …
//! readout spike_count node2
//! // after
//! node2 "h" [4] = neuron(node1) …
//! readout spike_count node2
//! ```
//!
//! Complexity: O(nodes + edges).

use crate::framework::{Class, Context, Pass, PassInfo, Property};
use crate::graph::{for_tensors, retain_nodes, used_tensors};
use crate::tensors::retain;
use snnc_ir::diag::codes::network;
use snnc_ir::network::Op;
use snnc_ir::{Diagnostic, Diagnostics, Entity, Network, NetworkDraft};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct RemoveDead;

static INFO: PassInfo = PassInfo {
    name: "remove-dead",
    summary: "remove nodes and tensors that cannot influence the readout",
    class: Class::Exact,
    requires: &[Property::GenesLowered],
    establishes: &[Property::DeadRemoved],
    invalidates: &[],
    options: &[],
};

impl Pass for RemoveDead {
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
        let live = live(&draft);
        remark(&draft, &live, &mut cx.remarks);
        retain_nodes(&mut draft, &live);
        let used = used_tensors(&draft);
        let map = retain(&mut draft.tensors, &used);
        for node in draft.nodes.values_mut() {
            for_tensors(&mut node.op, |t| {
                if let Some(new) = map[t.index()] {
                    *t = new;
                }
            });
        }
        Ok(draft)
    }
}

/// Whether nothing would be removed.
pub(crate) fn is_clean(draft: &NetworkDraft) -> bool {
    live(draft).into_iter().chain(used_tensors(draft)).all(|needed| needed)
}

/// Inputs, and nodes from which the readout can be reached.
fn live(draft: &NetworkDraft) -> Vec<bool> {
    let is_input = |op: &Op| matches!(op, Op::Input(_));
    let mut live: Vec<bool> = draft.nodes.values().map(|n| is_input(&n.op)).collect();
    let mut open = vec![draft.readout.node()];
    live[draft.readout.node().index()] = true;
    while let Some(node) = open.pop() {
        for edge in &draft.nodes[node].inputs {
            if !std::mem::replace(&mut live[edge.source.index()], true) {
                open.push(edge.source);
            }
        }
    }
    live
}

fn remark(draft: &NetworkDraft, live: &[bool], remarks: &mut Diagnostics) {
    let dead = || draft.nodes.iter().filter(|(id, _)| !live[id.index()]).map(|(_, n)| n);
    for node in dead().filter(|n| n.op.is_population()) {
        remarks.push(
            Diagnostic::warning(
                network::REMOVED,
                format!("population `{}` cannot influence the readout and was removed", node.name),
            )
            .at(format!("population `{}`", node.name))
            .note(format!("it has {} neurons", node.shape.size())),
        );
    }
    let analog = dead().filter(|n| !n.op.is_population());
    let analog: Vec<_> = analog.map(|n| format!("`{}`", n.name)).collect();
    if !analog.is_empty() {
        remarks.push(Diagnostic::note_only(
            network::REMOVED,
            format!("removed nodes that cannot influence the readout: {}", analog.join(", ")),
        ));
    }
    let unused = used_tensors(draft).into_iter().filter(|used| !used).count();
    if unused > 0 {
        remarks.push(Diagnostic::note_only(
            network::REMOVED,
            format!(
                "removed {unused} tensor{} that no node uses",
                if unused > 1 { "s" } else { "" }
            ),
        ));
    }
}
