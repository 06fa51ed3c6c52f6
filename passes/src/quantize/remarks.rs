//! What quantization reports beside errors.

use super::fit::Fitted;
use super::groups::Groups;
use super::member::{Member, Model};
use super::population::minimum_units;
use super::range::Range;
use super::sums::Span;
use snnc_ir::diag::codes::quantize as codes;
use snnc_ir::network::{NetworkDraft, Neuron, Tensor};
use snnc_ir::{Diagnostic, Diagnostics};

/// Names in backquotes, separated by commas.
pub(super) fn list(names: &[&str]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}

/// The remark that accounts for the population.
pub(super) fn scale(
    member: &Member<'_>,
    scale: f64,
    limited_by: &str,
    range: &Range,
) -> Diagnostic {
    let name = member.name;
    let words = |span: Span| format!("{}..={}", span.low, span.high);
    let state = match member.model {
        Model::Neurons(..) => format!("membrane within {}", words(range.v)),
        Model::Relays(_) => format!("messages within {}", words(range.message)),
    };
    let mut note = Diagnostic::note_only(
        codes::SCALE,
        format!("population `{name}` is quantized with scale {scale}"),
    )
    .at(format!("population `{name}`"))
    .note(format!("the scale is limited by {limited_by}"))
    .note(format!(
        "for all inputs: sum of weights in a step within {}, {state}",
        words(range.input)
    ));
    if !member.samples.is_empty() {
        note = note
            .note(format!("for all samples: bias within {} units of weight", words(range.bias)));
    }
    note
}

/// Warns where rounding moves a threshold by more than a tenth.
fn threshold(name: &str, neuron: &Neuron, scale: f64) -> Option<Diagnostic> {
    let least = f64::from(minimum_units(neuron.compare));
    let worst = neuron.threshold.values().iter().fold(0.0_f64, |worst, &t| {
        let exact = f64::from(t) * scale;
        worst.max((exact.round_ties_even().max(least) - exact).abs() / exact)
    });
    (worst > 0.1).then(|| {
        Diagnostic::warning(
            codes::THRESHOLD,
            format!("population `{name}`: rounding moves a threshold by {:.0} %", worst * 100.0),
        )
        .at(format!("population `{name}`"))
        .note("threshold and weights share one scale, and the largest weight is far above the threshold")
        .help("clip the largest weights during training, or raise the threshold")
    })
}

/// Warnings about thresholds that moved, resolution that was lost and averages that were rounded.
pub(super) fn losses(
    network: &NetworkDraft,
    member: &Member<'_>,
    fitted: &Fitted,
    groups: &Groups,
) -> Diagnostics {
    let mut out = Diagnostics::new();
    if let Model::Neurons(neuron, _) = &member.model {
        out.extend(threshold(member.name, neuron, fitted.scale).into_iter().collect());
    }
    if let Some(loss) = fitted.loss.filter(|loss| *loss > 8.0) {
        out.push(coarse(member.name, loss, &fitted.limited_by));
    }
    for (message, &factor) in member.messages.iter().zip(&fitted.factors) {
        let tensor = &network.tensors[message.term.weight];
        let steps = message.largest * factor;
        if message.fraction.is_some() && !groups.keeps(message) {
            out.push(average(member.name, tensor, factor));
        } else if message.is_rounded() && (0.5..8.0).contains(&steps) {
            out.push(few_steps(member.name, tensor, steps));
        }
    }
    out
}

/// Warns about an average whose weights are rounded.
fn average(name: &str, tensor: &Tensor, factor: f64) -> Diagnostic {
    Diagnostic::warning(
        codes::AVERAGE,
        format!(
            "population `{name}`: weights of the average `{}` move by up to {:.0} %",
            tensor.name,
            rounding(tensor, factor) * 100.0
        ),
    )
    .at(format!("population `{name}`"))
    .note("messages are integers; averages of averages that keep every weight exact would leave too few of them")
    .help("put a population of neurons between the averages, or count the padding in them, so that all weights are equal")
}

/// Largest relative error of a weight that is not 0.
pub(super) fn rounding(tensor: &Tensor, factor: f64) -> f64 {
    let weights = tensor.data.iter().map(|&w| f64::from(w) * factor).filter(|w| w.abs() > 0.0);
    weights.map(|w| ((w.round_ties_even() - w) / w).abs()).fold(0.0, f64::max)
}

/// Warns about few steps of weights on messages.
fn few_steps(name: &str, tensor: &Tensor, steps: f64) -> Diagnostic {
    Diagnostic::warning(
        codes::COARSE,
        format!(
            "population `{name}`: weights of `{}` on messages have {steps:.0} steps",
            tensor.name
        ),
    )
    .at(format!("population `{name}`"))
    .note("messages, and what arrives in a step, share the bits of one register with these weights")
    .help("put a population of neurons between the clip and this layer")
}

/// Warns about lost weight resolution.
fn coarse(name: &str, factor: f64, why: &str) -> Diagnostic {
    Diagnostic::warning(
        codes::COARSE,
        format!("population `{name}` loses a factor of {factor:.0} of weight resolution to {why}"),
    )
    .at(format!("population `{name}`"))
    .note("the range must hold for every input, and populations that read clips as they are share a scale with them")
    .help(
        "fewer steps, a leak, a smaller fan-in or weights of more equal size keep more resolution",
    )
}

/// The error that no scale fits.
pub(super) fn no_scale(name: &str, why: &str, steps: u32) -> Diagnostic {
    Diagnostic::error(
        codes::NO_SCALE,
        format!("no scale keeps population `{name}` in range and its weights above zero: {why}"),
    )
    .at(format!("population `{name}`"))
    .note(format!("the bound covers every input of up to {steps} steps"))
    .help("fewer steps, a leak, a smaller fan-in or a smaller bias bring it into range")
}

/// Warns about a projection whose weights all round to zero.
pub(super) fn vanished(tensor: &str, population: &str) -> Diagnostic {
    Diagnostic::warning(
        codes::VANISHED,
        format!("all weights of `{tensor}` into `{population}` round to zero"),
    )
    .at(format!("population `{population}`"))
    .note("another projection into the same population has far larger weights, and they share one scale")
    .help("bring the weights of the projections into this population to a similar size")
}
