//! `lower-genes`: encoded weights become matrices (class: real-exact).

use crate::fold_genes;
use crate::framework::{Class, Context, OptionInfo, OptionKind, Pass, PassInfo, Property};
use crate::graph::for_tensors;
use crate::tensors::retain;
use snnc_ir::{Diagnostics, Entity, Network, NetworkDraft};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct LowerGenes;

static INFO: PassInfo = PassInfo {
    name: "lower-genes",
    summary: "decode encoded weights, or keep their factors as stages of relays",
    class: Class::RealExact,
    requires: &[],
    establishes: &[Property::GenesLowered],
    invalidates: &[],
    options: &[OptionInfo {
        name: "lowering",
        kind: OptionKind::Choice(&["auto", "materialized", "factored"]),
        default: "auto",
        help: "factors of encoded weights stay where that pays, nowhere, or wherever possible",
    }],
};

impl Pass for LowerGenes {
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
        fold_genes::fold(&mut draft, cx);
        materialize(&mut draft);
        Ok(draft)
    }
}

/// Whether no tensor is generated.
pub(crate) fn is_clean(draft: &NetworkDraft) -> bool {
    draft.tensors.values().all(|t| t.genes.is_none())
}

/// Stores the values of every tensor that is still generated, and removes those that only generated
/// others.
fn materialize(draft: &mut NetworkDraft) {
    let genes = draft.only_genes();
    let ids: Vec<_> = draft.tensors.ids().collect();
    ids.into_iter().for_each(|id| draft.materialize(id));
    let keep: Vec<bool> = genes.into_iter().map(|only| !only).collect();
    let map = retain(&mut draft.tensors, &keep);
    for node in draft.nodes.values_mut() {
        for_tensors(&mut node.op, |t| {
            if let Some(new) = map[t.index()] {
                *t = new;
            }
        });
    }
}
