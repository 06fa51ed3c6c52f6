//! What quantization reports beside errors.

use super::member::Member;
use super::population::minimum_units;
use super::range::Range;
use super::sums::Span;
use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::quantize as codes;
use snnc_ir::network::Neuron;

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
        super::member::Model::Neurons(..) => format!("membrane within {}", words(range.v)),
        super::member::Model::Relays(_) => format!("messages within {}", words(range.message)),
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
pub(super) fn threshold(name: &str, neuron: &Neuron, scale: f64) -> Option<Diagnostic> {
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

/// Warns about lost weight resolution.
pub(super) fn coarse(name: &str, factor: f64, why: &str) -> Diagnostic {
    Diagnostic::warning(
        codes::COARSE,
        format!("population `{name}` loses a factor of {factor:.0} of weight resolution to {why}"),
    )
    .at(format!("population `{name}`"))
    .note("the range must hold for every input, so the scale was lowered until it does")
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
