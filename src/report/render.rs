//! The report as tables for people.

use super::data::{MeasuredNeurons, MembraneAt, Onset, Part, PartKind};
use super::findings::percent;
use super::{Overall, PopulationReport, Report};
use crate::cli::table::Table;
use crate::verify::AccuracyReport;
use snnc_passes::quantize::account::{Extreme, PopulationAccount, ProjectionAccount, WeightSet};
use std::fmt::Write as _;

/// Rows of rankings that are shown.
const TOP: usize = 8;

/// Writing to a string cannot fail.
macro_rules! line {
    ($text:expr, $($what:tt)*) => {{ let _ = writeln!($text, $($what)*); }};
}

pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    let s = &report.settings;
    let calibrated = match &report.calibration {
        None => "without calibration".to_owned(),
        Some(c) => format!("calibrated on {} samples", c.samples),
    };
    line!(
        text,
        "`{}` on {}: weights of {} bits, groups {}, scales {}, exponents up to {}, {calibrated}",
        report.network,
        report.target,
        s.weight_bits,
        s.groups,
        s.scales,
        s.max_exponent
    );
    weights(&mut text, report);
    registers(&mut text, report);
    bounds(&mut text, report);
    if let (Some(samples), Some(overall)) = (&report.samples, &report.overall) {
        line!(
            text,
            "measured on {} samples from {} of {} steps",
            samples.count,
            samples.first,
            samples.steps
        );
        whole(&mut text, overall, samples.count);
        spikes(&mut text, report);
        messages(&mut text, report);
        if let Some(first) = &overall.first {
            onset(&mut text, first);
        }
    }
    sensitivity(&mut text, report);
    text
}

fn accounts(report: &Report) -> impl Iterator<Item = &PopulationAccount> {
    report.populations.iter().filter_map(|p| p.account.as_ref())
}

/// What projections became.
fn weights(text: &mut String, report: &Report) {
    let mut table = Table::new(&[
        "weights", "tensor", "set", "bits", "exponent", "step", "nonzero", "zeroed", "clipped",
        "error", "share",
    ]);
    let mut empty = true;
    for population in accounts(report) {
        for p in &population.projections {
            empty = false;
            table.row(projection(&population.name, p));
        }
    }
    if !empty {
        text.push_str(&table.render(2));
        text.push_str(
            "  (step: the largest in float units; error: root mean square, in percent of the weights'; share: of the estimated error of the target)\n",
        );
    }
}

fn projection(target: &str, p: &ProjectionAccount) -> [String; 11] {
    let set = match p.set {
        WeightSet::Mixed => "mixed",
        WeightSet::Excitatory => "excitatory",
        WeightSet::Inhibitory => "inhibitory",
        WeightSet::Split => "split",
    };
    let delay = if p.delay == 0 { String::new() } else { format!("@{}", p.delay) };
    [
        format!("{}{delay} > {target}", p.source),
        p.tensor.clone(),
        set.to_owned(),
        p.weight_bits.to_string(),
        p.exponent.to_string(),
        short(p.step),
        p.weights.to_string(),
        p.zeroed.to_string(),
        p.clipped.to_string(),
        parts(p.relative_error),
        parts(p.predicted_share),
    ]
}

/// What scales, thresholds, decays and biases became.
fn registers(text: &mut String, report: &Report) {
    let mut table = Table::new(&[
        "population",
        "neurons",
        "scales",
        "threshold",
        "error",
        "decay",
        "error",
        "bias",
        "error",
        "predicted",
        "limited by",
    ]);
    let mut empty = true;
    for p in accounts(report) {
        empty = false;
        let scales = match p.scales.as_slice() {
            [] => "-".to_owned(),
            [one] => short(*one),
            [first, .., last] => {
                format!("{}..{} ({})", short(*first), short(*last), p.scales.len())
            }
        };
        let none = || ("-".to_owned(), "-".to_owned());
        let threshold = p.threshold.as_ref();
        let threshold = threshold.map_or_else(none, |t| (range(t.mantissa), parts(t.error)));
        let decay = p.decay.as_ref();
        let decay = decay.map_or_else(none, |d| (range(d.register), short(d.error)));
        let bias = p.bias.as_ref();
        let bias = bias.map_or_else(none, |b| (range(b.units), parts(b.error)));
        table.row([
            p.name.clone(),
            p.neurons.to_string(),
            scales,
            threshold.0,
            threshold.1,
            decay.0,
            decay.1,
            bias.0,
            bias.1,
            parts(p.predicted_error),
            p.limited_by.clone(),
        ]);
    }
    if !empty {
        text.push_str(&table.render(2));
        text.push_str(
            "  (errors are the largest; of thresholds, biases and the predicted membrane in percent of the threshold)\n",
        );
    }
}

/// Worst cases over all inputs.
fn bounds(text: &mut String, report: &Report) {
    let mut table = Table::new(&["for all inputs", "input", "u", "v", "message"]);
    let mut empty = true;
    for p in accounts(report) {
        empty = false;
        let b = &p.bounds;
        let message =
            if b.message == Extreme::default() { "-".to_owned() } else { extent(&b.message) };
        table.row([p.name.clone(), extent(&b.input), extent(&b.u), extent(&b.v), message]);
    }
    if !empty {
        text.push_str(&table.render(2));
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
fn spikes(text: &mut String, report: &Report) {
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
    for (population, n) in measured(report) {
        let margin = n.margins.as_ref().map_or_else(|| "-".to_owned(), |m| signed(m.float[2]));
        table.row([
            population.name.clone(),
            n.spikes.float.to_string(),
            n.spikes.quantized.to_string(),
            parts(n.spikes.agreement),
            n.spikes.rate_change.map_or_else(|| "-".to_owned(), signed),
            n.silent.count.to_string(),
            n.fresh.count.to_string(),
            n.saturated.count.to_string(),
            n.leads.to_string(),
            margin,
        ]);
    }
    if let Some(all) = &report.overall {
        let s = &all.spikes;
        table.row([
            "all".to_owned(),
            s.float.to_string(),
            s.quantized.to_string(),
            parts(s.agreement),
            s.rate_change.map_or_else(|| "-".to_owned(), signed),
            measured(report).map(|(_, n)| n.silent.count).sum::<usize>().to_string(),
            measured(report).map(|(_, n)| n.fresh.count).sum::<usize>().to_string(),
            measured(report).map(|(_, n)| n.saturated.count).sum::<usize>().to_string(),
            all.diverging_samples.to_string(),
            "-".to_owned(),
        ]);
    }
    text.push_str(&table.render(2));
    text.push_str(
        "  (agreement, change of the rate, and median float margin at first divergences in percent; leads: samples that it is the first to diverge in)\n",
    );
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
    for (name, MembraneAt { v, threshold, margin }) in
        [("float", o.float), ("quantized", o.quantized)]
    {
        let margin = margin.map(|m| format!(" ({} %)", signed(m))).unwrap_or_default();
        line!(text, "  {name}: membrane {v}, threshold {threshold}{margin}");
    }
}

/// Rankings.
fn sensitivity(text: &mut String, report: &Report) {
    if let Some(measured) = &report.sensitivity.measured {
        line!(text, "spike distance if only this is in integers ({} samples)", measured.samples);
        let mut table = Table::new(&["part", "distance", "of target", "rate", "same prediction"]);
        for cost in measured.parts.iter().take(TOP) {
            table.row([
                part(&cost.part),
                parts(cost.distance),
                parts(cost.target_distance),
                cost.target_rate_change.map_or_else(|| "-".to_owned(), signed),
                cost.same_prediction.to_string(),
            ]);
        }
        text.push_str(&table.render(2));
        if measured.parts.len() > TOP {
            line!(text, "  and {} more", measured.parts.len() - TOP);
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

/// A range of integers.
fn range<T: std::fmt::Display + PartialEq>([low, high]: [T; 2]) -> String {
    if low == high { low.to_string() } else { format!("{low}..={high}") }
}

/// A range with the neurons that reach its ends.
fn extent(e: &Extreme) -> String {
    format!("{}..={}", e.low, e.high)
}

/// Parts of a whole in percent.
fn parts(value: f64) -> String {
    format!("{:.2}", value * 100.0)
}

/// A change in percent, with its sign.
fn signed(value: f64) -> String {
    format!("{:+.2}", value * 100.0)
}

/// Four significant digits.
fn short(value: f64) -> String {
    let size = value.abs();
    if size > 0.0 && !(1e-3..1e6).contains(&size) {
        return format!("{value:.3e}");
    }
    let digits = if size >= 1000.0 {
        0
    } else if size >= 100.0 {
        1
    } else if size >= 10.0 {
        2
    } else if size >= 1.0 {
        3
    } else {
        4
    };
    format!("{value:.digits$}")
}
