//! What is wrong with a measured quantization, in the words of diagnostics.

use super::costs::PartKind;
use super::data::{MeasuredNeurons, Spikes};
use super::{Overall, PopulationReport, Report};
use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::{Code, account as codes, quantize};
use snnc_passes::quantize::account::{PopulationAccount, ProjectionAccount, WeightSet};

/// Codes of findings after which the quantized network is not the float network any more.
pub const COLLAPSE: &[Code] = &[
    quantize::VANISHED,
    codes::SILENCED,
    codes::SATURATED,
    codes::RATE,
    codes::DISTANCE,
    codes::ACCURACY,
];

/// Spikes on one side below which rates and distances say nothing.
const ENOUGH_SPIKES: u64 = 10;
/// One saturated neuron of this many is a finding.
const SATURATED_PART: usize = 10;
/// Largest change of a rate.
const MOST_CHANGE: f64 = 0.5;
/// Largest distance.
const MOST_DISTANCE: f64 = 0.5;
/// Largest loss of accuracy in points of percent …
const MOST_POINTS: f64 = 5.0;
/// … and the loss in samples below which points say nothing.
const FEWEST_SAMPLES: usize = 2;

/// Findings about the network, then about populations in this order.
pub(super) fn find(report: &Report, order: &[String]) -> Vec<Diagnostic> {
    let mut found: Vec<(Option<&str>, Diagnostic)> = Vec::new();
    if let Some(finding) = report.overall.as_ref().and_then(|o| accuracy(report, o)) {
        found.push((None, finding));
    }
    for population in order.iter().filter_map(|name| report.population(name)) {
        let neurons = population.measured.as_ref().and_then(|m| m.neurons.as_ref());
        let Some(finding) = neurons.and_then(|n| judge(population, n)) else { continue };
        let mut finding = finding.at(format!("population `{}`", population.name));
        let account = population.account.as_ref();
        let sources = account.map(|a| a.projections.iter().map(|p| p.source.as_str()));
        let causes: Vec<&str> = sources
            .into_iter()
            .flatten()
            .filter(|source| found.iter().any(|(name, _)| *name == Some(source)))
            .collect();
        if let Some(costs) = most_expensive(report, &population.name) {
            finding = finding.note(costs);
        }
        finding = match causes.first() {
            Some(cause) => finding
                .note(format!("it reads `{cause}`, about which there is a finding too"))
                .help(format!("look at `{cause}` first: what goes wrong there is passed on")),
            None => finding.help(advice(report, account)),
        };
        found.push((Some(&population.name), finding));
    }
    found.into_iter().map(|(_, finding)| finding).collect()
}

/// The gravest finding about a population.
fn judge(population: &PopulationReport, n: &MeasuredNeurons) -> Option<Diagnostic> {
    let Spikes { float, quantized, differing, distance, rate_change, .. } = n.spikes;
    let name = &population.name;
    let enough = float.max(quantized) >= ENOUGH_SPIKES;
    let both = format!("{float} spikes in the float network, {quantized} in integers");
    let warning = |code, message: String| Some(Diagnostic::warning(code, message));
    if float > 0 && quantized == 0 {
        let message = format!(
            "population `{name}` is silent in integers and fires {float} times in the float network"
        );
        return warning(codes::SILENCED, message);
    }
    let size = n.size;
    if n.saturated.count > 0 && n.saturated.count * SATURATED_PART >= size {
        let message = format!(
            "{} of {size} neurons of population `{name}` fire in (almost) every step, but not in the float network",
            n.saturated.count
        );
        let numbers = listed(&n.saturated.first, n.saturated.count);
        return warning(codes::SATURATED, message)
            .map(|w| w.note(both).note(format!("saturated neurons: {numbers}")));
    }
    if !enough {
        return None;
    }
    let changed = match rate_change {
        Some(change) if change.abs() > MOST_CHANGE => {
            Some(format!("the rate of population `{name}` changes by {:+.0} %", change * 100.0))
        }
        None => {
            Some(format!("population `{name}` fires in integers and never in the float network"))
        }
        Some(_) => None,
    };
    if let Some(message) = changed {
        return warning(codes::RATE, message).map(|w| {
            w.note(both).note(format!(
                "{} neurons fall silent, {} begin to fire",
                n.silent.count, n.fresh.count
            ))
        });
    }
    if distance > MOST_DISTANCE {
        let message = format!("population `{name}` has a spike distance of {distance:.2}");
        return warning(codes::DISTANCE, message)
            .map(|w| w.note(format!("{both}; {differing} of them on one side alone")));
    }
    None
}

/// A finding about lost accuracy.
fn accuracy(report: &Report, overall: &Overall) -> Option<Diagnostic> {
    let (float, quantized) = (overall.float?, overall.quantized?);
    let lost = float.correct.saturating_sub(quantized.correct);
    let points = percent(lost, float.total);
    if points <= MOST_POINTS || lost < FEWEST_SAMPLES {
        return None;
    }
    let mut finding = Diagnostic::warning(
        codes::ACCURACY,
        format!("quantization costs {points:.1} points of accuracy"),
    )
    .note(format!(
        "{} of {} samples are predicted by the float network, {} by the integers",
        float.correct, float.total, quantized.correct
    ));
    let leads = |p: &&PopulationReport| {
        p.measured.as_ref().and_then(|m| m.neurons.as_ref()).map_or(0, |n| n.leads)
    };
    // Of equals the first.
    if let Some(first) = report.populations.iter().rev().max_by_key(leads).filter(|p| leads(p) > 0)
    {
        finding = finding.note(format!(
            "spikes part first in `{}`, in {} of {} diverging samples",
            first.name,
            leads(&first),
            overall.diverging_samples
        ));
    }
    if let Some(sensitivity) = &report.sensitivity.measured
        && let Some(part) = sensitivity.parts.first().filter(|p| p.differing > 0)
    {
        finding = finding.note(format!(
            "{} cost most: alone they cause a spike distance of {:.3}",
            part.part.words(),
            part.distance
        ));
    } else if let Some(cost) = report.sensitivity.predicted.first().filter(|c| c.error > 0.0) {
        finding = finding.note(format!(
            "by estimate the weights of `{}` from `{}` to `{}` cost most",
            cost.tensor, cost.source, cost.target
        ));
    }
    let help = if report.calibration.is_none() {
        "calibrate on samples with labels (`--calibrate`), which protects accuracy, or give weights more bits"
    } else {
        "give the weights that cost most more bits, or calibrate on more samples"
    };
    Some(finding.help(help))
}

/// Percent of a whole.
#[expect(clippy::cast_precision_loss, reason = "a percentage of few decimals")]
pub(super) fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 }
}

/// What costs most of what leads into `population`, with what became of its weights.
fn most_expensive(report: &Report, population: &str) -> Option<String> {
    let account = report.population(population).and_then(|p| p.account.as_ref());
    let weights = |source: &str, nth: u32| {
        let found = account?.projections.iter().find(|p| (&*p.source, p.nth) == (source, nth))?;
        Some(format!("; {}", losses(found)))
    };
    if let Some(measured) = &report.sensitivity.measured {
        let own = measured.parts.iter().filter(|p| p.part.target == population);
        let worst = own.rev().max_by(|a, b| a.target_distance.total_cmp(&b.target_distance))?;
        if worst.target_distance > 0.0 {
            let weights = match (worst.part.kind, &worst.part.source, worst.part.nth) {
                (PartKind::Weights, Some(source), Some(nth)) => weights(source, nth),
                _ => None,
            };
            return Some(format!(
                "{} cost most: alone they cause a distance of {:.3} here{}",
                worst.part.words(),
                worst.target_distance,
                weights.unwrap_or_default()
            ));
        }
    }
    let predicted = &report.sensitivity.predicted;
    let Some(cost) = predicted.iter().find(|c| c.target == population && c.error > 0.0) else {
        let moved = account?.projections.iter().filter(|p| p.relative_error > 0.0);
        let moved = moved.max_by(|a, b| a.relative_error.total_cmp(&b.relative_error))?;
        return Some(format!(
            "the weights of `{}` from `{}` moved most, by {:.1} % (root mean square); {}",
            moved.tensor,
            moved.source,
            moved.relative_error * 100.0,
            losses(moved)
        ));
    };
    Some(format!(
        "by estimate the weights of `{}` from `{}` cost most ({:.0} % of the error{})",
        cost.tensor,
        cost.source,
        cost.share * 100.0,
        weights(&cost.source, cost.nth).unwrap_or_default()
    ))
}

/// What became of the weights of a projection.
fn losses(p: &ProjectionAccount) -> String {
    format!("{} of its {} weights became 0, {} are clipped", p.zeroed, p.weights, p.clipped)
}

/// What would help a population.
fn advice(report: &Report, account: Option<&PopulationAccount>) -> String {
    let mut advice = Vec::new();
    if let Some(account) = account {
        if account.projections.iter().any(|p| p.weight_bits < 8) {
            advice.push("give its weights more bits (`--weight-bits`)");
        }
        if account.projections.iter().any(|p| p.set == WeightSet::Mixed) {
            advice.push("group its weights by sign, which doubles the steps (`--groups split`)");
        }
        let shared = account.scales.len() <= 1 && account.neurons > 1;
        if shared && report.settings.scales != "neuron" {
            advice.push("give each neuron its own scale (`--scales neuron`)");
        }
    }
    if report.calibration.is_none() {
        advice.push("calibrate on samples (`--calibrate`)");
    }
    if advice.is_empty() {
        advice
            .push("calibrate on more samples, or train with smaller differences among its weights");
    }
    advice.join("; ")
}

/// Numbers of neurons, as far as they are listed.
fn listed(first: &[usize], count: usize) -> String {
    let mut text = first.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if count > first.len() {
        text.push_str(", …");
    }
    text
}
