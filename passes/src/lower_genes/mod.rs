//! `lower-genes`: encoded weights become matrices, or chains of stages (class: real-exact).
//!
//! A genome stores `W = s · Eo · O · Eiᵀ` as its factors. The option `lowering` says what becomes of them:
//!
//! * `materialized`: every weight is decoded, bit for bit as the genome defines it;
//! * `factored`: wherever that is possible, the node becomes two or three linear stages with plain relays
//!   between them, which send their values as graded messages. Of the associations `(Eo)(O·Eiᵀ)`,
//!   `(Eo·O)(Eiᵀ)` and `(Eo)(O)(Eiᵀ)` the one that stores least is taken, tensors that several chains use
//!   counted in parts. A target without graded messages, or whose neurons cannot scale them, is an error;
//! * `auto`: as `factored`, but only where the values of the stages and what the relays take of a core (see
//!   `cost`) are by a clear factor less than the values of the matrix; populations that read clips, whose
//!   scales are tied, and loops, which relays would slow down, are left alone;
//! * `smallest`: as `auto`, with relays for nothing: the least memory, on more cores if need be.
//!
//! A kernel, its stride, padding and crop belong to the stage that has the kernel cells: the interactions of
//! `per_offset`, the source encodings of `flat_fan_in`. The other stages are 1x1. A delay stays in front of
//! the first stage, a bias on the last one; the scale is a factor of the last one, too. Equal factors are one
//! tensor, whatever number of chains they belong to.
//!
//! ```text
//! // before
//! tensor3 "l.weight" [100, 200] from encoded linear out "y" core "o" source "x" scale 0.5 … genes tensor0 tensor1 tensor2
//! node1 "l" [100] = linear(node0) weight tensor3
//! // after, with 8 genes: tensor2 is O·Eiᵀ, [8, 200]; tensor3 is 0.5·Eo, [100, 8]
//! node1 "l.out" [100] = linear(node3) weight tensor3
//! node2 "l.in" [8] = linear(node0) weight tensor2
//! node3 "l.in.relay" [8] = relay(node2)
//! ```
//!
//! Complexity: O(values of decoded weights · genes), or of the stages; O(nodes · edges) for loops.

mod cost;
mod factor;
mod refuse;
mod remark;
mod site;

use crate::fold_genes;
use crate::framework::{Class, Context, OptionInfo, OptionKind, Pass, PassInfo, Property};
use crate::graph::{for_tensors, used_tensors};
use crate::tensors::retain;
use cost::{CLEAR, Uses};
use factor::Factory;
use refuse::{Reading, no_product};
use remark::{Decision, Why};
use site::Site;
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
    // The first stages of a node with a bias are silent if what it reads is.
    invalidates: &[
        Property::SilentFolded,
        Property::DeadRemoved,
        Property::NodesMerged,
        Property::TensorsShared,
    ],
    options: &[OptionInfo {
        name: "lowering",
        kind: OptionKind::Choice(&["auto", "materialized", "factored", "smallest"]),
        default: "auto",
        help: "factors of encoded weights stay where that pays, nowhere, wherever possible, or where they store less",
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
        let aim = match cx.options.choice("lowering") {
            "materialized" => None,
            "factored" => Some(Aim::Factors),
            "smallest" => Some(Aim::Memory),
            _ => Some(Aim::Cores),
        };
        if aim.is_some() {
            // Decoded weights do not become fewer by fewer genes, but would be summed in another order.
            fold_genes::fold(&mut draft, cx);
        }
        let before = Before::of(&draft);
        if let Some(aim) = aim {
            let decisions = decide(&draft, aim, cx)?;
            let mut errors = Diagnostics::new();
            let mut factory = Factory::new(&draft);
            for Decision { site, why, .. } in &decisions {
                if let (Some(site), Why::Factored(cost)) = (site, why)
                    && let Err(error) = factory.replace(&mut draft, INFO.name, site, cost)
                {
                    errors.push(error);
                }
            }
            cx.remarks.extend(remark::remarks(&decisions, aim, cx.target));
            errors.into_result(())?;
        }
        before.materialize(&mut draft);
        Ok(draft)
    }
}

/// Whether no tensor is generated.
pub(crate) fn is_clean(draft: &NetworkDraft) -> bool {
    draft.tensors.values().all(|t| t.genes.is_none())
}

/// What factors are kept for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aim {
    /// Few cores: memory and relays both count.
    Cores,
    /// Little memory, whatever relays take.
    Memory,
    /// For themselves, wherever there is a chain.
    Factors,
}

/// What becomes of every weight that the genome encodes.
fn decide(
    draft: &NetworkDraft,
    aim: Aim,
    cx: &mut Context<'_>,
) -> Result<Vec<Decision>, Diagnostics> {
    let sites: Vec<Site> = draft.nodes.ids().filter_map(|id| Site::of(draft, id)).collect();
    if !sites.is_empty() && !sends_values(cx) {
        let finding = remark::no_messages(cx.target, aim);
        if aim == Aim::Factors {
            return Err(finding.into());
        }
        cx.remarks.push(finding);
        return Ok(Vec::new());
    }
    let reading = Reading::of(draft);
    let (possible, obstacles): (Vec<_>, Vec<_>) = sites
        .into_iter()
        .map(|site| (reading.obstacle(&site), site))
        .partition(|(o, _)| o.is_none());
    let possible: Vec<Site> = possible.into_iter().map(|(_, site)| site).collect();
    let uses = Uses::of(&possible);
    let mut decisions = Vec::new();
    for id in draft.nodes.ids() {
        if let Some(why) = no_product(draft, id) {
            decisions.push(Decision::about(draft, id, None, Why::Refused(why)));
        }
    }
    for (why, site) in obstacles {
        if let Some(why) = why {
            decisions.push(Decision::about(draft, site.node, None, Why::Refused(why)));
        }
    }
    for site in possible {
        let why = verdict(&reading, &site, aim, &uses, cx);
        decisions.push(Decision::about(draft, site.node, Some(site), why));
    }
    decisions.sort_by_key(|d| d.node);
    Ok(decisions)
}

/// Whether relays can send values, brought to the range of messages, on this target.
fn sends_values(cx: &Context<'_>) -> bool {
    cx.target.message_bits.value > 0 && cx.target.programmable_neuron
}

/// What becomes of a weight that could be factored.
fn verdict(reading: &Reading<'_>, site: &Site, aim: Aim, uses: &Uses, cx: &Context<'_>) -> Why {
    let matrix = cost::materialized(site, uses);
    let Some(cost) = cost::least(cost::chains(site, uses, cx.target), aim) else {
        return Why::Refused("its stages have too many elements");
    };
    if aim == Aim::Factors {
        return Why::Factored(cost);
    }
    if let Some(why) = reading.discouragement(site) {
        return Why::Refused(why);
    }
    if matrix < CLEAR * cost.weighed(aim) { Why::Dear(cost) } else { Why::Factored(cost) }
}

/// What the network was before any node changed.
struct Before {
    /// Tensors that only generate others, and tensors that nodes use.
    only_genes: Vec<bool>,
    used: Vec<bool>,
}

impl Before {
    fn of(draft: &NetworkDraft) -> Self {
        Self { only_genes: draft.only_genes(), used: used_tensors(draft) }
    }

    /// Stores the values of every tensor that is still generated. What only generated others goes, unless
    /// a stage uses it, and so does what only nodes used that are stages now.
    fn materialize(self, draft: &mut NetworkDraft) {
        let used = used_tensors(draft);
        let gone = |i: usize| {
            let old = self.only_genes.get(i).zip(self.used.get(i));
            old.is_some_and(|(&gene, &used_before)| gene || used_before) && !used[i]
        };
        let keep: Vec<bool> = (0..draft.tensors.len()).map(|i| !gone(i)).collect();
        let ids: Vec<_> = draft.tensors.ids().filter(|id| keep[id.index()]).collect();
        for id in ids {
            draft.materialize(id);
        }
        let map = retain(&mut draft.tensors, &keep);
        for node in draft.nodes.values_mut() {
            for_tensors(&mut node.op, |t| {
                if let Some(new) = map[t.index()] {
                    *t = new;
                }
            });
        }
    }
}
