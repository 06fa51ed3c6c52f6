//! Why an encoded weight cannot, or should not, become a chain of relays.

use super::site::{Association, Site};
use crate::currents::is_source;
use snnc_ir::arena::{Entity, NodeId};
use snnc_ir::network::{Coding, NetworkDraft, Op, Provenance, Readout};

/// What reads what, both ways.
pub(super) struct Reading<'a> {
    draft: &'a NetworkDraft,
    readers: Vec<Vec<NodeId>>,
}

impl<'a> Reading<'a> {
    pub(super) fn of(draft: &'a NetworkDraft) -> Self {
        let mut readers = vec![Vec::new(); draft.nodes.len()];
        for (id, node) in draft.nodes.iter() {
            node.inputs.iter().for_each(|e| readers[e.source.index()].push(id));
        }
        Self { draft, readers }
    }

    /// Nodes that can be reached from `starts`, themselves among them; what lies behind a node that `stop`
    /// accepts is left out.
    fn reach(
        &self,
        starts: impl IntoIterator<Item = NodeId>,
        next: impl Fn(NodeId) -> Vec<NodeId>,
        stop: impl Fn(&Op) -> bool,
    ) -> Vec<NodeId> {
        let mut seen = vec![false; self.draft.nodes.len()];
        let mut open: Vec<NodeId> = starts.into_iter().collect();
        let mut found = Vec::new();
        while let Some(id) = open.pop() {
            if std::mem::replace(&mut seen[id.index()], true) {
                continue;
            }
            found.push(id);
            if !stop(&self.draft.nodes[id].op) {
                open.extend(next(id));
            }
        }
        found
    }

    fn inputs(&self, id: NodeId) -> Vec<NodeId> {
        self.draft.nodes[id].inputs.iter().map(|e| e.source).collect()
    }

    fn ops(&self, nodes: Vec<NodeId>) -> impl Iterator<Item = &'a Op> {
        let draft = self.draft;
        nodes.into_iter().map(|id| &draft.nodes[id].op)
    }

    /// Why no chain can stand for the node.
    pub(super) fn obstacle(&self, site: &Site) -> Option<&'static str> {
        if site.chain(Association::Neither).is_none() {
            return Some("its channels are grouped, which interactions would mix");
        }
        let behind = self.reach(self.inputs(site.node), |id| self.inputs(id), is_source);
        if self.ops(behind).any(|op| matches!(op, Op::Input(Coding::Direct { .. }))) {
            return Some(
                "it reads a directly coded input: the host multiplies, and no synapse is stored",
            );
        }
        let ahead = self.reach(
            self.readers[site.node.index()].clone(),
            |id| self.readers[id.index()].clone(),
            is_source,
        );
        let readout = |id: &NodeId| self.draft.readout == Readout::MeanLinear(*id);
        if readout(&site.node) || ahead.iter().any(readout) {
            return Some(
                "it belongs to the readout, which the host computes from counts of spikes",
            );
        }
        None
    }

    /// Why a chain that is possible would do harm.
    pub(super) fn discouragement(&self, site: &Site) -> Option<&'static str> {
        let forward = |id: NodeId| self.readers[id.index()].clone();
        let ahead = self.reach(forward(site.node), forward, is_source);
        let is_clip = |op: &Op| matches!(op, Op::Relay(Some(_)));
        let roots = ahead.iter().copied().filter(|id| is_source(&self.draft.nodes[*id].op));
        let read_by_roots = roots.clone().flat_map(|id| self.inputs(id));
        let behind = self.reach(read_by_roots, |id| self.inputs(id), is_source);
        if self.ops(roots.collect()).any(is_clip) || self.ops(behind).any(is_clip) {
            return Some("what reads it reads clips, too, and their scales are tied");
        }
        let later = self.reach(forward(site.node), forward, |_| false);
        if later.contains(&site.node) {
            return Some("it lies on a loop, which every relay would slow down");
        }
        None
    }
}

/// Why the weight of a node, encoded in the genome, is no product of stored tensors; `None` if it is not
/// encoded, or a product.
pub(super) fn no_product(draft: &NetworkDraft, node: NodeId) -> Option<&'static str> {
    let (Op::Linear { weight, .. } | Op::Conv2d { weight, .. }) = draft.nodes[node].op else {
        return None;
    };
    let tensor = &draft.tensors[weight];
    match tensor.provenance {
        Provenance::Encoded { heaviside: true, .. } => {
            Some("a step makes its values, which no product has")
        }
        Provenance::Encoded { .. } if tensor.genes.is_none() => Some(
            "its values are stored: its genes have values that f32 has not, or it was decoded before",
        ),
        _ => None,
    }
}
