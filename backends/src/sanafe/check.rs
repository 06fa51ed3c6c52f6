//! What SANA-FE cannot say, or would run differently.

use super::{MAX_DELAY, MAX_SYNAPSES};
use snnc_ir::diag::codes::artifact;
use snnc_ir::network::{Coding, Compare};
use snnc_ir::quantized::{IntNeuron, IntReset, PopKind, Population, Projection, QuantizedDraft};
use snnc_ir::{Diagnostic, Diagnostics};

/// Current decay of a neuron without memory of its current.
const NO_MEMORY: u16 = 4095;

/// All that stands in the way.
///
/// # Errors
/// `SNN0650` neuron, `SNN0651` delay, `SNN0652` messages, `SNN0653` size.
pub(super) fn check(network: &QuantizedDraft) -> Result<(), Diagnostics> {
    let mut found = Diagnostics::new();
    for population in network.populations.values() {
        if let Some(why) = refuse(population) {
            found.push(why.at(format!("population \"{}\"", population.name)));
        }
    }
    for projection in network.projections.values() {
        if projection.delay > MAX_DELAY + 1 {
            found.push(delay(network, projection));
        }
    }
    let synapses: u64 =
        network.projections.values().map(|p| network.matrices[p.matrix].synapses()).sum();
    if synapses > MAX_SYNAPSES {
        let message = format!("SANA-FE's file would list {synapses} synapses");
        found.push(
            Diagnostic::error(artifact::SANAFE_SIZE, message)
                .note(format!("the file lists synapses one by one, at most {MAX_SYNAPSES} of them"))
                .help("compile without `--emit sanafe`"),
        );
    }
    if found.is_empty() { Ok(()) } else { Err(found) }
}

fn refuse(population: &Population) -> Option<Diagnostic> {
    match &population.kind {
        PopKind::Input(Coding::Direct { .. }) => Some(
            Diagnostic::error(
                artifact::SANAFE_MESSAGE,
                "SANA-FE's files have no place for a directly coded input",
            )
            .note("the host writes its current to biases, sample by sample; a file holds one bias")
            .help("code the input as spikes: events, an accumulator or a rate"),
        ),
        PopKind::Input(_) => None,
        PopKind::Graded(_) => Some(
            Diagnostic::error(
                artifact::SANAFE_MESSAGE,
                "SANA-FE's neurons send spikes, not graded messages",
            )
            .note("its spike messages carry no value")
            .help("use a network without sign clips; decode encoded weights (`--lowering materialized`)"),
        ),
        PopKind::Neurons(neuron) => refuse_neuron(population, neuron),
    }
}

fn refuse_neuron(population: &Population, neuron: &IntNeuron) -> Option<Diagnostic> {
    let refuse = |message: String, note: &str| {
        let diagnostic = Diagnostic::error(artifact::SANAFE_NEURON, message).note(note);
        Some(diagnostic.help("`program.snnb` has no such restriction: leave `--emit sanafe` out"))
    };
    if let Some(du) = neuron.du.values().iter().find(|&&du| du != NO_MEMORY) {
        return refuse(
            format!("SANA-FE rounds a current with memory differently (du = {du})"),
            "its current decays as a 64-bit float that is never cut to the register's steps; \
             without memory (du = 4095) both are exact",
        );
    }
    if neuron.update_period != 1 {
        return refuse(
            format!("SANA-FE's neurons update in every step, not every {}", neuron.update_period),
            "its soma integrates and leaks once per step",
        );
    }
    if neuron.compare != Compare::Gt {
        return refuse(
            "SANA-FE's neurons fire at v > threshold only".to_owned(),
            "the pass `strict-compare` rewrites thresholds",
        );
    }
    if let IntReset::Subtract(amount) = &neuron.reset {
        let expand = |values: &snnc_ir::Param<i32>| values.expand(&population.shape);
        let (amount, threshold) = (expand(amount), expand(&neuron.threshold));
        if let Some((a, t)) = amount.iter().zip(&threshold).find(|(a, t)| a != t) {
            return refuse(
                format!("SANA-FE subtracts the threshold after a spike ({t}), not {a}"),
                "its reset mode `soft` has no amount of its own",
            );
        }
        if neuron.refractory != 1 {
            return refuse(
                "SANA-FE leaks what a reset by subtraction left while a neuron is refractory"
                    .to_owned(),
                "the program holds it",
            );
        }
    }
    None
}

fn delay(network: &QuantizedDraft, projection: &Projection) -> Diagnostic {
    let name = |id| &network.populations[id].name;
    let (source, target) = (name(projection.source), name(projection.target));
    let message = format!("SANA-FE cannot hold the synaptic delay {}", projection.delay - 1);
    Diagnostic::error(artifact::SANAFE_DELAY, message)
        .at(format!("projection \"{source}\" to \"{target}\""))
        .note(format!("its dendrites keep what arrives for 0 to {MAX_DELAY} further steps"))
        .help("compile with `--delays relay`, which makes relay neurons of synaptic delays")
}
