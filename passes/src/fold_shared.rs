//! `fold-shared`: tensors of equal shape and equal values become one (class: exact).
//!
//! Encoded genomes generate the same matrix for many connections, and passes derive the same tensor
//! twice. The first of equal tensors stays, with its own provenance; a note lists the names that
//! were folded into it. Values are compared bit for bit (so `0.0` and `-0.0` differ).
//!
//! ```text
//! // before
//! tensor0 "a" [2] from dense "a" { 1.0 2.0 }
//! tensor1 "b" [2] from dense "b" { 1.0 2.0 }
//! node1 "y" [2] = linear(node0) weight tensor2 bias tensor1
//! // after: tensor1 is what tensor2 was
//! tensor0 "a" [2] from dense "a" { 1.0 2.0 }
//! node1 "y" [2] = linear(node0) weight tensor1 bias tensor0
//! ```
//!
//! Complexity: O(values), plus comparisons of tensors with equal hashes.

use crate::framework::{Class, Context, Pass, PassInfo, Property};
use crate::graph::for_tensors;
use crate::tensors::{equal, fingerprint, retain};
use snnc_ir::arena::{Arena, TensorId};
use snnc_ir::diag::codes::network;
use snnc_ir::network::Tensor;
use snnc_ir::{Diagnostic, Diagnostics, Entity, Network, NetworkDraft};
use std::collections::BTreeMap;

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct FoldShared;

static INFO: PassInfo = PassInfo {
    name: "fold-shared",
    summary: "let equal tensors share their values",
    class: Class::Exact,
    requires: &[Property::GenesLowered],
    establishes: &[Property::TensorsShared],
    invalidates: &[],
    options: &[],
};

impl Pass for FoldShared {
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
        let first = first_equals(&draft.tensors);
        remark(&draft.tensors, &first, &mut cx.remarks);
        let keep: Vec<bool> = draft.tensors.ids().map(|t| first[t.index()] == t).collect();
        let map = retain(&mut draft.tensors, &keep);
        for node in draft.nodes.values_mut() {
            for_tensors(&mut node.op, |t| {
                if let Some(new) = map[first[t.index()].index()] {
                    *t = new;
                }
            });
        }
        Ok(draft)
    }
}

/// Whether no two tensors are equal.
pub(crate) fn is_clean(draft: &NetworkDraft) -> bool {
    draft.tensors.ids().zip(first_equals(&draft.tensors)).all(|(id, first)| id == first)
}

/// The first tensor equal to each.
pub(crate) fn first_equals(tensors: &Arena<TensorId, Tensor>) -> Vec<TensorId> {
    let mut known: BTreeMap<u64, Vec<TensorId>> = BTreeMap::new();
    let first = tensors.iter().map(|(id, tensor)| {
        let alike = known.entry(fingerprint(&tensor.shape, &tensor.data)).or_default();
        let same = alike.iter().find(|&&t| equal(&tensors[t], &tensor.shape, &tensor.data));
        same.copied().unwrap_or_else(|| {
            alike.push(id);
            id
        })
    });
    first.collect()
}

fn remark(tensors: &Arena<TensorId, Tensor>, first: &[TensorId], remarks: &mut Diagnostics) {
    let mut folded: BTreeMap<TensorId, Vec<&str>> = BTreeMap::new();
    for (id, tensor) in tensors.iter() {
        if first[id.index()] != id {
            folded.entry(first[id.index()]).or_default().push(&tensor.name);
        }
    }
    for (kept, names) in folded {
        let Tensor { name, data, .. } = &tensors[kept];
        remarks.push(
            Diagnostic::note_only(
                network::SHARED,
                format!("tensor `{name}` now stands for `{}` too", names.join("`, `")),
            )
            .at(format!("tensor `{name}`"))
            .note(format!("{} values saved", data.len() * names.len())),
        );
    }
}
