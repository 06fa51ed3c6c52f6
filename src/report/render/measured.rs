//! What quantization changed on samples, and which part of it cost most.

use super::super::costs::{Part, PartKind};
use super::super::data::{MeasuredNeurons, MembraneAt, Onset, Spikes};
use super::super::findings::percent;
use super::super::{Overall, PopulationReport, Report};
use super::{largest, left_out, line, parts, signed};
use crate::cli::table::Table;
use crate::verify::AccuracyReport;
use std::fmt::Write as _;

/// Rows of rankings that are shown.
const TOP: usize = 8;

/// Spikes, messages and the first divergence, if samples were run.
pub(super) fn show(text: &mut String, report: &Report) {
    let (Some(samples), Some(overall)) = (&report.samples, &report.overall) else { return };
    line!(
        text,
        "measured on {} samples from {} of {} steps",
        samples.count,
        samples.first,
        samples.steps
    );
    if samples.calibrated > 0 {
        let seen = samples.calibrated;
        line!(text, "  {seen} of them were used for calibration: they say little about others");
    }
    whole(text, overall, samples.count);
    spikes(text, report, overall);
    messages(text, report);
    if let Some(first) = &overall.first {
        onset(text, first);
    }
}

fn whole(text: &mut String, overall: &Overall, samples: usize) {
    let shown = |a: AccuracyReport| {
        format!("{:.2} % ({} of {})", percent(a.correct, a.total), a.correct, a.total)
    };
    if let (Some(float), Some(quantized)) = (overall.float, overall.quantized) {
        line!(text, "  accuracy: float {}, quantized {}", shown(float), shown(quantized));
    }
    line!(
        text,
        "  same prediction for {} of {samples}; spikes differ in {} of {samples}",
        overall.same_prediction,
        overall.diverging_samples
    );
}

fn measured(report: &Report) -> impl Iterator<Item = (&PopulationReport, &MeasuredNeurons)> {
    report.populations.iter().filter_map(|p| Some((p, p.measured.as_ref()?.neurons.as_ref()?)))
}

/// Spikes of populations.
fn spikes(text: &mut String, report: &Report, overall: &Overall) {
    let mut table = Table::new(&[
        "population",
        "float",
        "quantized",
        "agreement",
        "rate",
        "silent",
        "new",
        "saturated",
        "leads",
        "margin",
    ]);
    let neurons: Vec<_> = measured(report).collect();
    let (kept, left) = largest(neurons.clone(), |(_, n)| n.spikes.distance);
    for (population, n) in kept {
        let margin = n.margins.as_ref().map_or_else(|| "-".to_owned(), |m| signed(m.float[2]));
        let counts = [n.silent.count, n.fresh.count, n.saturated.count, n.leads];
        table.row(row(&population.name, &n.spikes, counts, margin));
    }
    let sum = |of: fn(&MeasuredNeurons) -> usize| neurons.iter().map(|(_, n)| of(n)).sum();
    let counts = [
        sum(|n| n.silent.count),
        sum(|n| n.fresh.count),
        sum(|n| n.saturated.count),
        overall.diverging_samples,
    ];
    table.row(row("all", &overall.spikes, counts, "-".to_owned()));
    text.push_str(&table.render(2));
    left_out(text, left, "distance");
    text.push_str(
        "  (agreement, change of the rate, and median float margin at first divergences in percent; leads: samples that it is the first to diverge in)\n",
    );
}

fn row(name: &str, s: &Spikes, counts: [usize; 4], margin: String) -> Vec<String> {
    let mut cells = vec![
        name.to_owned(),
        s.float.to_string(),
        s.quantized.to_string(),
        parts(s.agreement),
        change(s.rate_change),
    ];
    cells.extend(counts.map(|n| n.to_string()));
    cells.push(margin);
    cells
}

/// A change in percent, if there is something to compare with.
fn change(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), signed)
}

fn messages(text: &mut String, report: &Report) {
    for population in &report.populations {
        if let Some(m) = population.measured.as_ref().and_then(|m| m.messages) {
            let name = &population.name;
            line!(text, "  `{name}` sends {} messages from {} to {}", m.sent, m.low, m.high);
        }
    }
}

fn onset(text: &mut String, o: &Onset) {
    line!(
        text,
        "first divergence: sample {}, step {}, `{}` neuron {}: only {} fires",
        o.sample,
        o.step,
        o.population,
        o.neuron,
        o.fired.name()
    );
    let margin = |m: Option<f64>| m.map(|m| format!(" ({} %)", signed(m))).unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, reason = "the values are those of f32")]
    let [v, threshold] = [o.float.v, o.float.threshold].map(|x| x as f32);
    line!(text, "  float: membrane {v}, threshold {threshold}{}", margin(o.float.margin));
    let MembraneAt { v, threshold, .. } = o.quantized;
    line!(text, "  quantized: membrane {v}, threshold {threshold}{}", margin(o.quantized.margin));
}

/// What parts cost: measured, or else estimated.
pub(super) fn sensitivity(text: &mut String, report: &Report) {
    if let Some(measured) = &report.sensitivity.measured {
        line!(text, "spike distance if only this is in integers ({} samples)", measured.samples);
        let mut table = Table::new(&["part", "distance", "of target", "rate", "same prediction"]);
        for cost in measured.parts.iter().take_while(|c| c.differing > 0).take(TOP) {
            table.row([
                part(&cost.part),
                parts(cost.distance),
                parts(cost.target_distance),
                change(cost.target_rate_change),
                cost.same_prediction.to_string(),
            ]);
        }
        let costly = measured.parts.iter().filter(|c| c.differing > 0).count();
        if costly > 0 {
            text.push_str(&table.render(2));
        }
        if costly > TOP {
            line!(text, "  and {} more", costly - TOP);
        }
        let free = measured.parts.len() - costly;
        if free > 0 {
            line!(text, "  {free} of {} parts alone change no spike", measured.parts.len());
        }
        if !measured.not_measured.is_empty() {
            let names: Vec<String> = measured.not_measured.iter().map(part).collect();
            line!(text, "  not measured: {}", names.join(", "));
        }
        return;
    }
    let predicted = &report.sensitivity.predicted;
    if predicted.is_empty() {
        return;
    }
    line!(
        text,
        "estimated error of the membrane by projection, in percent of the threshold, at {} spikes per neuron and step",
        report.sensitivity.assumed_rate
    );
    let mut table = Table::new(&["projection", "tensor", "error"]);
    for cost in predicted.iter().take(TOP) {
        let name = format!("{} > {}", cost.source, cost.target);
        table.row([name, cost.tensor.clone(), parts(cost.error)]);
    }
    text.push_str(&table.render(2));
    if predicted.len() > TOP {
        line!(text, "  and {} more", predicted.len() - TOP);
    }
}

/// A part in few words.
fn part(part: &Part) -> String {
    match (part.kind, &part.source) {
        (PartKind::Weights, Some(source)) => {
            let nth = part.nth.filter(|n| *n > 0).map(|n| format!(" #{n}")).unwrap_or_default();
            format!("{source} > {}{nth}", part.target)
        }
        (kind, _) => format!("{} of {}", kind.name(), part.target),
    }
}
