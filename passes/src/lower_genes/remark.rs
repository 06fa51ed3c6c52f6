//! What the user reads about the decisions.

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

/// The notes about all decisions.
pub(super) fn remarks(decisions: &[Decision], auto: bool, target: &TargetSpec) -> Diagnostics {
    let mut factored = Vec::new();
    let mut decoded = Vec::new();
    for Decision { name, site, why, .. } in decisions {
        let (list, line) = match (why, site) {
            (Why::Refused(why), _) => (&mut decoded, format!("`{name}`: {why}")),
            (Why::Factored(cost), Some(site)) => {
                (&mut factored, format!("`{name}`: {}", account(site, cost, target)))
            }
            (Why::Dear(cost), Some(site)) => (
                &mut decoded,
                format!(
                    "`{name}`: less than {CLEAR} times smaller: {}",
                    account(site, cost, target)
                ),
            ),
            (Why::Factored(_) | Why::Dear(_), None) => continue,
        };
        list.push(line);
    }
    let mut remarks = Diagnostics::new();
    let mut remark = |code, what: &str, lines: Vec<String>, help: Option<&str>| {
        if lines.is_empty() {
            return;
        }
        let weights = if lines.len() == 1 { "weight" } else { "weights" };
        let note = Diagnostic::note_only(code, format!("{what} {} encoded {weights}", lines.len()));
        let note = lines.into_iter().fold(note, Diagnostic::note);
        remarks.push(match help {
            Some(help) => note.help(help),
            None => note,
        });
    };
    let per_relay = cost::values_per_relay(target);
    let basis = format!(
        "a relay counts as {per_relay:.0} values, its share of a core of `{}`; operations are counted, not \
         measured: every synapse of a spike or message is one",
        target.name
    );
    remark(codes::FACTORED, "kept the factors of", factored, Some(&basis));
    let forced = auto.then_some("`--lowering factored` keeps factors wherever it can");
    remark(codes::DECODED, "decoded", decoded, forced);
    remarks
}

/// The numbers of a chain against those of its matrix.
fn account(site: &Site, cost: &Cost, target: &TargetSpec) -> String {
    let [spikes, messages] = cost.operations();
    let matrix = matrix_operations(site, cost);
    let quiet = match messages / (matrix - spikes) {
        share if (0.0..1.0).contains(&share) => {
            format!("fewer than decoded if more than {:.1} % of the sources fire", 100.0 * share)
        }
        _ => "more than decoded, however many sources fire".to_owned(),
    };
    format!(
        "{} values, decoded; {} as {}, {:.0} with shared ones in parts; {} relays; {} steps of latency; \
         messages of up to {} bits; {:.0} operations per step for spikes and {:.0} for messages, {quiet}",
        site.values(),
        cost.values,
        cost.association.name(),
        cost.shared,
        cost.relays,
        cost.latency(),
        message_bits(cost, target),
        spikes,
        messages,
    )
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
pub(super) fn no_messages(target: &TargetSpec, auto: bool) -> Diagnostic {
    let (limit, line) = (target.message_bits.value, target.message_bits.line);
    let graded = format!("{}:{line}: message_bits = {limit}", target.file);
    let neuron = format!("{}: programmable_neuron = {}", target.file, target.programmable_neuron);
    if auto {
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
