//! `fold-silent`: what is 0 in every step, for every input, becomes `zero` (class: exact).
//!
//! A sum, product, window or clip of zeros is 0 unless a bias is added. A population whose current
//! is always 0 never fires if its neurons cannot fire on their own: their membrane starts below the
//! threshold and only decays. Loops through delays are silent if everything that they read is:
//! values before the first step are 0, and each step follows from those before it.
//!
//! A `zero` is left out of sums of several inputs. Nodes that the readout reads stay as they are, and
//! so do inputs and batch normalizations (`fold-batchnorm` turns these into operations with a bias).
//! A remark lists the silent populations, because a genome hardly wants them.
//!
//! ```text
//! // before
//! node1 "off" [2] = zero()
//! node2 "quiet" [2] = neuron(node1) …
//! node3 "l" [2] = linear(node2) weight tensor0
//! node4 "sum" [2] = add(node3, node5)
//! // after
//! node1 "off" [2] = zero()
//! node2 "quiet" [2] = zero()
//! node3 "l" [2] = zero()
//! node4 "sum" [2] = add(node5)
//! ```
//!
//! Complexity: O(nodes · (nodes + edges)) at worst, plus the values of biases.

use crate::framework::{Class, Context, Pass, PassInfo, Property};
use snnc_ir::arena::{NodeId, TensorId};
use snnc_ir::diag::codes::network;
use snnc_ir::network::{Dynamics, Neuron, Op};
use snnc_ir::{Diagnostic, Diagnostics, Entity, Network, NetworkDraft};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct FoldSilent;

static INFO: PassInfo = PassInfo {
    name: "fold-silent",
    summary: "replace what is always 0",
    class: Class::Exact,
    requires: &[Property::GenesLowered],
    establishes: &[Property::SilentFolded],
    invalidates: &[Property::Canonical, Property::DeadRemoved, Property::NodesMerged],
    options: &[],
};

impl Pass for FoldSilent {
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
        let silent = silent(&draft);
        remark(&draft, &silent, &mut cx.remarks);
        for id in draft.nodes.ids() {
            if silent[id.index()] && !stays(&draft, id) {
                let node = &mut draft.nodes[id];
                node.op = Op::Zero;
                node.inputs.clear();
            } else if draft.nodes[id].op == Op::Add {
                let node = &mut draft.nodes[id];
                let heard = |e: &snnc_ir::network::Edge| !silent[e.source.index()];
                if node.inputs.iter().any(heard) {
                    node.inputs.retain(heard);
                }
            }
        }
        Ok(draft)
    }
}

/// Whether nothing would change.
pub(crate) fn is_clean(draft: &NetworkDraft) -> bool {
    let silent = silent(draft);
    draft.nodes.iter().all(|(id, node)| {
        let is_zero = node.op == Op::Zero;
        let sum = |e: &snnc_ir::network::Edge| silent[e.source.index()];
        let settled = !silent[id.index()] || is_zero || stays(draft, id);
        settled && (silent[id.index()] || node.op != Op::Add || !node.inputs.iter().any(sum))
    })
}

/// Whether the node keeps its operation even if it is silent.
fn stays(draft: &NetworkDraft, id: NodeId) -> bool {
    draft.readout.node() == id
}

/// Which nodes are 0 in every step: the largest set whose members follow from each other.
fn silent(draft: &NetworkDraft) -> Vec<bool> {
    let mut silent: Vec<bool> = draft.nodes.values().map(|n| keeps_silence(draft, &n.op)).collect();
    let order = draft.order().unwrap_or_else(|| draft.nodes.ids().collect());
    loop {
        let mut changed = false;
        for &id in &order {
            let heard = draft.nodes[id].inputs.iter().any(|e| !silent[e.source.index()]);
            changed |= heard && std::mem::replace(&mut silent[id.index()], false);
        }
        if !changed {
            return silent;
        }
    }
}

/// Whether the operation makes 0 of zeros, in every step.
fn keeps_silence(draft: &NetworkDraft, op: &Op) -> bool {
    let zeros = |t: &TensorId| draft.tensors[*t].data.iter().all(|v| v.abs() <= 0.0);
    match op {
        Op::Input(_) | Op::BatchNorm { .. } => false,
        Op::Linear { bias, .. } | Op::Conv2d { bias, .. } => bias.iter().all(zeros),
        Op::Neuron(neuron) => stays_silent(neuron),
        Op::Add
        | Op::Concat
        | Op::Flatten
        | Op::AvgPool { .. }
        | Op::GlobalAvgPool
        | Op::Relay(_)
        | Op::Crop(_)
        | Op::Zero => true,
    }
}

/// Whether the neurons never fire without a current.
///
/// Linear leak only brings a membrane closer to 0, and thresholds are above 0. Izhikevich's neuron
/// has a drive of its own, and so may a linear one.
fn stays_silent(neuron: &Neuron) -> bool {
    let decays = match &neuron.dynamics {
        Dynamics::Integrate | Dynamics::Tau(_) | Dynamics::Decay(_) | Dynamics::Sigmoid(_) => true,
        Dynamics::Linear(linear) => linear.drive.values().iter().all(|&drive| drive <= 0.0),
        Dynamics::Izhikevich { .. } => false,
    };
    decays && neuron.threshold.values().iter().all(|&threshold| neuron.v_init < threshold)
}

fn remark(draft: &NetworkDraft, silent: &[bool], remarks: &mut Diagnostics) {
    for (id, node) in draft.nodes.iter() {
        if silent[id.index()] && node.op.is_population() {
            remarks.push(
                Diagnostic::warning(
                    network::SILENT,
                    format!("population `{}` never fires, whatever the input", node.name),
                )
                .at(format!("population `{}`", node.name))
                .note("its current is 0 in every step")
                .help("connect it to the input, or remove it from the genome"),
            );
        }
    }
}
