//! What the user reads about the decisions.

use super::Aim;
use super::cost::{self, CLEAR, Cost};
use super::site::Site;
use snnc_ir::arena::NodeId;
use snnc_ir::diag::codes::network as codes;
use snnc_ir::network::NetworkDraft;
use snnc_ir::{Diagnostic, Diagnostics, TargetSpec};

/// Weights are taken to have so many bits where a message is estimated.
const WEIGHT_BITS: u32 = 8;

/// What becomes of the encoded weight of a node.
#[derive(Debug)]
pub(super) struct Decision {
    pub node: NodeId,
    /// Name of the node.
    name: String,
    /// `None` if there is no product.
    pub site: Option<Site>,
    pub why: Why,
}

impl Decision {
    pub(super) fn about(draft: &NetworkDraft, node: NodeId, site: Option<Site>, why: Why) -> Self {
        Self { node, name: draft.nodes[node].name.clone(), site, why }
    }
}

/// The decision, with its reason.
#[derive(Debug)]
pub(super) enum Why {
    /// It becomes this chain.
    Factored(Cost),
    /// The best chain saves too little.
    Dear(Cost),
    /// There is no chain, or it would do harm.
    Refused(&'static str),
}

/// One note for each decision.
pub(super) fn remarks(decisions: &[Decision], aim: Aim, target: &TargetSpec) -> Diagnostics {
    let mut remarks = Diagnostics::new();
    for Decision { name, site, why, .. } in decisions {
        let (code, text) = match (why, site) {
            (Why::Refused(why), _) => (codes::DECODED, format!("`{name}` is decoded: {why}")),
            (Why::Factored(cost), Some(site)) => (
                codes::FACTORED,
                format!("`{name}` keeps its factors: {}", sizes(site, cost, " instead of")),
            ),
            (Why::Dear(cost), Some(site)) => {
                (codes::DECODED, format!("`{name}` is decoded: {}", sizes(site, cost, ", against")))
            }
            (Why::Factored(_) | Why::Dear(_), None) => continue,
        };
        let mut remark = Diagnostic::note_only(code, text).at(format!("node `{name}`"));
        if let (Why::Factored(cost) | Why::Dear(cost), Some(site)) = (why, site) {
            remark = account(site, cost, aim, target).into_iter().fold(remark, Diagnostic::note);
        }
        if aim != Aim::Factors && code == codes::DECODED {
            remark = remark.help("`--lowering factored` keeps factors wherever it can");
        }
        remarks.push(remark);
    }
    remarks
}

/// What is stored, either way.
fn sizes(site: &Site, cost: &Cost, between: &str) -> String {
    format!("{} values and {} relays{between} {} values", cost.values, cost.relays, site.values())
}

/// The numbers of a chain against those of its matrix.
fn account(site: &Site, cost: &Cost, aim: Aim, target: &TargetSpec) -> [String; 3] {
    let [spikes, messages] = cost.operations();
    let matrix = matrix_operations(site, cost);
    let quiet = match messages / (matrix - spikes) {
        share if (0.0..1.0).contains(&share) => {
            format!("fewer where more than {:.1} % of the sources fire", 100.0 * share)
        }
        _ => "never fewer".to_owned(),
    };
    [
        format!(
            "as {}: {} steps of latency, messages of up to {} bits",
            cost.association.name(),
            cost.latency(),
            message_bits(cost, target),
        ),
        weighed(cost, aim, target),
        format!(
            "an estimate of operations, one for each synapse of a spike or message: in a step in which all \
             sources fire {spikes:.0} for spikes and {messages:.0} for messages, decoded {matrix:.0}; {quiet}"
        ),
    ]
}

/// What the chain was judged by.
fn weighed(cost: &Cost, aim: Aim, target: &TargetSpec) -> String {
    let values =
        format!("weighed as {:.0} values, what other weights use, too, in parts", cost.shared);
    match aim {
        Aim::Cores => format!(
            "{values}, and {:.0} for relays, {:.1} each, for their share of a core of `{}`; worth it if {CLEAR} times \
             less than the matrix",
            cost.relay_values,
            cost::values_per_relay(target),
            target.name,
        ),
        Aim::Memory => format!("{values}; worth it if {CLEAR} times less than the matrix"),
        Aim::Factors => values,
    }
}

/// Synaptic operations of the matrix in a step in which every source fires.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn matrix_operations(site: &Site, cost: &Cost) -> f64 {
    let neurons = cost.stages.last().map_or(0, |s| s.neurons);
    site.values() as f64 / f64::from(site.rows.max(1)) * f64::from(neurons)
}

/// Bits of the widest message, with its sign, if all weights had their largest value; relays bring wider sums
/// to what the target sends.
fn message_bits(cost: &Cost, target: &TargetSpec) -> i64 {
    let mut bits = 0;
    let mut widest = 0;
    for stage in cost.stages.iter().take(cost.latency()) {
        let fan_in = (stage.values() / u64::from(stage.rows.max(1))).max(1);
        let sum = bits + WEIGHT_BITS - 1 + fan_in.next_power_of_two().ilog2();
        bits = sum.min(u32::try_from(target.message_bits.value - 1).unwrap_or(0));
        widest = widest.max(bits);
    }
    i64::from(widest) + 1
}

/// The finding that a target cannot send what relays hold.
pub(super) fn no_messages(target: &TargetSpec, aim: Aim) -> Diagnostic {
    let (limit, line) = (target.message_bits.value, target.message_bits.line);
    let graded = format!("{}:{line}: message_bits = {limit}", target.file);
    let neuron = format!("{}: programmable_neuron = {}", target.file, target.programmable_neuron);
    if aim != Aim::Factors {
        let text = format!(
            "target `{}` cannot send what relays hold: encoded weights are decoded",
            target.name
        );
        return Diagnostic::note_only(codes::DECODED, text).note(graded).note(neuron);
    }
    let text = format!("target `{}` cannot keep the factors of encoded weights", target.name);
    Diagnostic::error(codes::NO_FACTORS, text)
        .note("relays between the stages send graded messages, and shift them to the range of messages")
        .note(graded)
        .note(neuron)
        .help("compile with `--lowering materialized` or `auto`, or for a target with graded messages (`loihi2`)")
}
