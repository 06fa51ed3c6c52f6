//! Populations that have no integer form on the target.

use super::member::{Member, Model};
use super::remarks;
use crate::normalize::is_normal;
use snnc_ir::diag::codes::network;
use snnc_ir::diag::codes::quantize as codes;
use snnc_ir::network::neuron::sigmoid;
use snnc_ir::network::{Coding, Dynamics, Emission, NetworkDraft, Neuron, Op, Reset};
use snnc_ir::{Diagnostic, Diagnostics, Param, TargetSpec};

/// Every directly coded input without a range.
pub(super) fn without_range(draft: &NetworkDraft) -> Diagnostics {
    let unbounded = |op: &Op| *op == Op::Input(Coding::Direct { range: None });
    let inputs = draft.nodes.values().filter(|n| unbounded(&n.op));
    inputs.map(|n| no_range(&n.name)).collect()
}

fn no_range(input: &str) -> Diagnostic {
    Diagnostic::error(
        codes::DIRECT_INPUT,
        format!("input `{input}` is directly coded (analog), and the range of its values is unknown"),
    )
    .at(format!("population `{input}`"))
    .note("the host adds the current of the first layer to biases, which must fit their registers for every sample")
    .help("state the smallest and the largest value in the genome, such as `\"coding\": \"direct\", \"range\": [0, 1]`")
}

/// Every clip that needs graded messages on a target without them, and every population whose model
/// is not the neuron of the integer contract, in one finding.
pub(super) fn without_contract(draft: &NetworkDraft, target: &TargetSpec) -> Option<Diagnostic> {
    let spikes_only = target.message_bits.value == 0;
    let clip = |op: &Op| spikes_only && matches!(op, Op::Relay(_));
    let izhikevich =
        |op: &Op| matches!(op, Op::Neuron(n) if matches!(n.dynamics, Dynamics::Izhikevich { .. }));
    let linear = |op: &Op| matches!(op, Op::Neuron(n) if matches!(n.dynamics, Dynamics::Linear(_)) && !is_normal(n));
    let burst =
        |op: &Op| matches!(op, Op::Neuron(n) if matches!(n.emission, Emission::Burst { .. }));
    let several = |op: &Op| matches!(op, Op::Neuron(n) if n.emission == Emission::Several);
    let floor =
        |op: &Op| target.floors.value == 0 && matches!(op, Op::Neuron(n) if n.floor.is_some());
    let named = |wanted: &dyn Fn(&Op) -> bool| -> Vec<&str> {
        draft.nodes.values().filter(|n| wanted(&n.op)).map(|n| n.name.as_str()).collect()
    };
    let all = named(&|op| {
        clip(op) || izhikevich(op) || linear(op) || burst(op) || several(op) || floor(op)
    });
    let first = all.first()?;
    let mut finding = Diagnostic::error(
        codes::NO_CONTRACT,
        format!("target `{}` cannot compute {}", target.name, remarks::list(&all)),
    )
    .at(format!("node `{first}`"));
    let mut help = Vec::new();
    let plain = named(&|op| spikes_only && *op == Op::Relay(None));
    if !plain.is_empty() {
        finding = finding
            .note(format!("chains of matrices need graded messages: {}", remarks::list(&plain)))
            .note(format!("{}: message_bits = {}", target.file, target.message_bits));
        help.push("compile with `--lowering materialized`, or for a target with graded messages (`loihi2`)");
    }
    let clips = named(&|op| spikes_only && matches!(op, Op::Relay(Some(_))));
    if !clips.is_empty() {
        finding = finding
            .note(format!("clips of a current need graded messages: {}", remarks::list(&clips)))
            .note(format!("{}: message_bits = {}", target.file, target.message_bits));
        help.push(
            "compile for a target with graded messages (`loihi2`), or let each current have only the sign that its clip keeps, so that `drop-clips` removes it",
        );
    }
    let models =
        "give these populations the model `lif`, `plif` or `if`, or stay at `run --level float`";
    for (names, why, fix) in [
        (named(&izhikevich), "Izhikevich's neuron has no integer form", models),
        (
            named(&linear),
            "linear neurons have an integer form once their gains are 1 and they reset to 0",
            "run `normalize-neurons` before",
        ),
        (named(&burst), "graded bursts of spikes have no integer form", models),
        (
            named(&several),
            "a neuron of a chip fires once in a step, these fire several times",
            "let a neuron fire once per step (`--spikes-per-step one`) and measure what that changes, or stay at `run --level float`",
        ),
        (
            named(&floor),
            "neurons of the target have no lowest membrane (floors = 0)",
            "compile for a target with floors (`loihi2`), or stay at `run --level float`",
        ),
    ] {
        if !names.is_empty() {
            finding = finding.note(format!("{why}: {}", remarks::list(&names)));
            help.push(fix);
        }
    }
    help.dedup();
    Some(finding.help(help.join("; ")))
}

/// What plain relays, or those that read them, read beside what they may: clips tie the scales of what reads
/// them, and the host writes to biases.
pub(super) fn mixed(draft: &NetworkDraft, member: &Member<'_>) -> Option<Diagnostic> {
    let is_stage = matches!(member.model, Model::Stage);
    let reads_stage = member.relays.iter().any(Option::is_some);
    let clips = member.messages.iter().map(|m| m.term.source);
    let inputs = member.samples.iter().map(|s| s.input);
    let (is_clip, plain) = (matches!(member.model, Model::Relays(_)), is_stage || reads_stage);
    let wrong: Vec<_> = if is_clip && reads_stage {
        let relays = member.spikes.iter().zip(&member.relays).filter(|(_, r)| r.is_some());
        relays.map(|(term, _)| term.source).collect()
    } else if is_stage {
        clips.chain(inputs).collect()
    } else if plain {
        clips.collect()
    } else {
        Vec::new()
    };
    let names: Vec<&str> = wrong.iter().map(|id| draft.nodes[*id].name.as_str()).collect();
    let what = match member.model {
        Model::Stage => "plain relays",
        Model::Relays(_) => "clip",
        Model::Neurons(..) => "population",
    };
    (!names.is_empty()).then(|| {
        Diagnostic::error(
            codes::STAGE,
            format!("{what} `{}` may not read {}", member.name, remarks::list(&names)),
        )
        .at(format!("node `{}`", member.name))
        .note("plain relays read spikes or plain relays; neurons that read plain relays read no clips, and clips no plain relays: clips keep the ratios of scales that chains choose freely")
        .help("keep the projections of this population as one matrix each: `--lowering materialized`")
    })
}

/// The decay of `neuron`, after reporting what the target does not have. `None` if the
/// model has no integer form, which [`without_contract`] reports.
pub(super) fn neuron(
    name: &str,
    neuron: &Neuron,
    target: &TargetSpec,
    errors: &mut Diagnostics,
) -> Option<Param<f64>> {
    let place = format!("population `{name}`");
    if neuron.v_init != 0.0 {
        errors.push(
            Diagnostic::error(
                codes::INITIAL_MEMBRANE,
                format!("population `{name}` starts {} away from its reset value", neuron.v_init),
            )
            .at(place.clone())
            .note("a chip starts with every membrane at its reset value; a different start is not supported in this version")
            .help("set `v_init` equal to the reset value"),
        );
    }
    if neuron.reset == Reset::Subtract && !target.programmable_neuron {
        errors.push(
            Diagnostic::error(
                codes::SUBTRACT,
                format!("population `{name}` resets by subtraction, which target `{}` cannot do", target.name),
            )
            .at(place.clone())
            .note(format!("{}: programmable_neuron = false; its neurons reset to zero", target.file))
            .help("compile for a target with programmable neurons (`loihi2`), or train with reset to a value"),
        );
    }
    let longest = target.max_refractory.value - 1;
    if i64::from(neuron.refractory) > longest {
        errors.push(
            Diagnostic::error(
                codes::REFRACTORY,
                format!(
                    "population `{name}` is refractory for {} steps; target `{}` allows {longest}",
                    neuron.refractory, target.name
                ),
            )
            .at(place)
            .note(format!("{}: max_refractory = {}", target.file, target.max_refractory))
            .help("shorten the refractory time"),
        );
    }
    match neuron.emission {
        Emission::Binary => decay(neuron),
        Emission::Burst { .. } | Emission::Several => None,
    }
}

/// The share of the membrane that a step loses; `None` if the model has no integer form.
pub(super) fn decay(neuron: &Neuron) -> Option<Param<f64>> {
    match &neuron.dynamics {
        Dynamics::Integrate => Some(Param::Uniform(0.0)),
        Dynamics::Decay(d) => Some(d.map(f64::from)),
        // `normalize-neurons` removes the other forms; the decay is the same number either way.
        Dynamics::Tau(tau) => Some(tau.map(|t| f64::from(1.0 / t))),
        Dynamics::Sigmoid(w) => Some(w.map(|w| f64::from(sigmoid(w)))),
        Dynamics::Linear(linear) if is_normal(neuron) => {
            Some(linear.keep.map(|keep| 1.0 - f64::from(keep)))
        }
        Dynamics::Izhikevich { .. } | Dynamics::Linear(_) => None,
    }
}

/// What enters a current with memory, but is no spike or message.
pub(super) fn not_filtered(name: &str, source: &str) -> Diagnostic {
    Diagnostic::error(
        network::UNFILTERED,
        format!("the directly coded input `{source}` feeds the current with memory of `{name}`"),
    )
    .at(format!("population `{name}`"))
    .note("the host adds what a sample causes to bias registers, which act on the membrane at once; a current with memory would build up over steps")
    .help("code the input as spikes (`events`, `accumulator` or `rate`), or use neurons whose current has no memory")
}
