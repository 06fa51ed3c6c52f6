//! `feed-currents`: biases enter currents with memory as spikes (class: exact).
//!
//! What a neuron reads, its bias included, goes through its synaptic current. The bias register of a
//! chip acts on the membrane. That is the same where the current has no memory; where it has one
//! ([`Current`](snnc_ir::network::Current)), a bias `b` must build up as `b + b·k + b·k² + …`. So it
//! becomes what builds up like that: a projection with weights `b` from a population of one neuron that
//! fires in every step from step 0 on. All populations share that neuron.
//!
//! **Exact**, in f32 too: `0 + b · 1` is `b`, and the projection stands behind the term that carried the
//! bias, so that the sums are rounded alike. A neuron's own drive (`drive` of its dynamics) acts on the
//! membrane and stays.
//!
//! ```text
//! // before
//! node1 "fc" [2] = linear(node0) weight tensor0 bias tensor1
//! node2 "h" [2] = neuron(node1) linear current_keep 0.5 …
//! // after: tensor1 is a column now
//! node1 "fc" [2] = linear(node0) weight tensor0
//! node2 "h.from.always" [2] = linear(node6) weight tensor1
//! node3 "h.current" [2] = add(node1, node2)
//! node4 "h" [2] = neuron(node3) linear current_keep 0.5 …
//! node5 "always.constant" [1] = linear(zero) …
//! node6 "always" [1] = neuron(node5) integrate threshold 0.5 …
//! ```
//!
//! Complexity: O(neurons that are changed + nodes).

use crate::currents::always::{always_on, term};
use crate::currents::{Current, read_all, write};
use crate::framework::{Class, Context, Pass, PassInfo, Property};
use snnc_ir::arena::NodeId;
use snnc_ir::network::Op;
use snnc_ir::{Diagnostics, Entity, Network, NetworkDraft};
use std::collections::BTreeMap;

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct FeedCurrents;

static INFO: PassInfo = PassInfo {
    name: "feed-currents",
    summary: "let biases enter currents with memory as spikes of a neuron that always fires",
    class: Class::Exact,
    requires: &[Property::Canonical, Property::NeuronsNormalized],
    establishes: &[Property::CurrentsFed],
    invalidates: &[
        Property::SilentFolded,
        Property::NodesMerged,
        Property::DeadRemoved,
        Property::TensorsShared,
    ],
    options: &[],
};

impl Pass for FeedCurrents {
    type From = Network;
    type To = Network;

    fn info(&self) -> &'static PassInfo {
        &INFO
    }

    fn run(
        &self,
        mut draft: NetworkDraft,
        _cx: &mut Context<'_>,
    ) -> Result<NetworkDraft, Diagnostics> {
        if is_clean(&draft) {
            return Ok(draft);
        }
        let mut currents = read_all(&draft)?;
        feed(&mut draft, &mut currents);
        write::rebuild(draft, currents, INFO.name, "column")
    }
}

/// Replaces biases of currents with memory by projections from a population that fires in every step.
pub(crate) fn feed(draft: &mut NetworkDraft, currents: &mut BTreeMap<NodeId, Current>) {
    let biased =
        |id: &NodeId, current: &Current| remembers(&draft.nodes[*id].op) && current.bias.is_some();
    let biased: Vec<NodeId> =
        currents.iter().filter(|(id, c)| biased(id, c)).map(|(id, _)| *id).collect();
    if biased.is_empty() {
        return;
    }
    let source = always_on(draft, currents);
    for id in biased {
        let Some(current) = currents.get_mut(&id) else { continue };
        let Some(bias) = current.bias.take() else { continue };
        let behind = bias.home.saturating_add(1).min(current.terms.len());
        current.terms.insert(behind, term(source, 0, bias));
    }
}

/// Whether a population has a current with memory.
fn remembers(op: &Op) -> bool {
    matches!(op, Op::Neuron(neuron) if neuron.dynamics.current().is_some())
}

/// Whether no bias enters a current with memory. Of networks that are not canonical: whether no operation on the
/// way from a population has one.
pub(crate) fn is_clean(draft: &NetworkDraft) -> bool {
    let mut seen = vec![false; draft.nodes.len()];
    let filtered = draft.nodes.values().filter(|node| remembers(&node.op));
    let mut open: Vec<NodeId> = filtered.flat_map(|n| &n.inputs).map(|e| e.source).collect();
    while let Some(id) = open.pop() {
        if std::mem::replace(&mut seen[id.index()], true) {
            continue;
        }
        let node = &draft.nodes[id];
        match &node.op {
            Op::Input(_) | Op::Neuron(_) | Op::Relay(_) => continue,
            Op::BatchNorm { .. }
            | Op::Linear { bias: Some(_), .. }
            | Op::Conv2d { bias: Some(_), .. } => return false,
            Op::Linear { bias: None, .. }
            | Op::Conv2d { bias: None, .. }
            | Op::Add
            | Op::Concat
            | Op::Flatten
            | Op::AvgPool { .. }
            | Op::GlobalAvgPool
            | Op::Crop(_)
            | Op::Zero => {}
        }
        open.extend(node.inputs.iter().map(|e| e.source));
    }
    true
}
