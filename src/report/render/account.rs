//! What quantization made of the network.

use super::super::Report;
use super::{largest, left_out, line, parts, short};
use crate::cli::table::Table;
use snnc_passes::quantize::account::{Extreme, PopulationAccount, ProjectionAccount, WeightSet};
use std::fmt::Write as _;

/// Weights, registers and bounds.
pub(super) fn show(text: &mut String, report: &Report) {
    if report.populations.iter().all(|p| p.account.is_none()) {
        return;
    }
    weights(text, report);
    chains(text, report);
    registers(text, report);
    bounds(text, report);
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
    let all = accounts(report).flat_map(|a| a.projections.iter().map(|p| (a.name.as_str(), p)));
    let (kept, left) = largest(all.collect(), |(_, p)| p.relative_error);
    if kept.is_empty() {
        return;
    }
    for (target, p) in kept {
        table.row(projection(target, p));
    }
    text.push_str(&table.render(2));
    left_out(text, left, "error");
    text.push_str(
        "  (step: the largest in float units; error: root mean square, in percent of the weights'; share: of the estimated error of the target)\n",
    );
}

/// How far chains of matrices are from what they stand for.
fn chains(text: &mut String, report: &Report) {
    let mut table = Table::new(&["chains", "bits", "error", "as one matrix"]);
    let all = accounts(report).flat_map(|a| a.projections.iter().map(move |p| (a, p)));
    let all = all.filter_map(|(a, p)| Some((a, p, p.composed?)));
    let (kept, left) = largest(all.collect(), |(_, _, composed)| composed.relative_error);
    if kept.is_empty() {
        return;
    }
    for (account, p, composed) in kept {
        table.row([
            format!("{} > {}", p.source, account.name),
            p.weight_bits.to_string(),
            parts(composed.relative_error),
            parts(composed.materialized_error),
        ]);
    }
    text.push_str(&table.render(2));
    left_out(text, left, "error");
    text.push_str(
        "  (error: of the integer matrices of the chain multiplied, root mean square in percent of the weights'; as one matrix: of 8 bits)\n",
    );
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
    let (kept, left) = largest(accounts(report).collect(), |p| p.predicted_error);
    for p in kept {
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
    text.push_str(&table.render(2));
    left_out(text, left, "predicted error");
    text.push_str(
        "  (errors are the largest; of thresholds, biases and the predicted membrane in percent of the threshold)\n",
    );
    for p in accounts(report) {
        if let Some(current) = &p.current {
            let (register, error) = (range(current.register), short(current.error));
            line!(text, "  currents of `{}` decay with register {register}, error {error}", p.name);
        }
    }
}

/// Worst cases over all inputs.
fn bounds(text: &mut String, report: &Report) {
    let mut table = Table::new(&["for all inputs", "input", "u", "v", "message"]);
    let reach = |p: &&PopulationAccount| f64::from(magnitude(&p.bounds.v));
    let (kept, left) = largest(accounts(report).collect(), reach);
    for p in kept {
        let b = &p.bounds;
        let message =
            if b.message == Extreme::default() { "-".to_owned() } else { extent(&b.message) };
        table.row([p.name.clone(), extent(&b.input), extent(&b.u), extent(&b.v), message]);
    }
    text.push_str(&table.render(2));
    left_out(text, left, "membranes");
}

/// A range of integers.
fn range<T: std::fmt::Display + PartialEq>([low, high]: [T; 2]) -> String {
    if low == high { low.to_string() } else { format!("{low}..={high}") }
}

/// The larger end of a range, as far as an f32 tells.
#[expect(clippy::cast_precision_loss, reason = "it only ranks rows")]
fn magnitude(e: &Extreme) -> f32 {
    e.low.unsigned_abs().max(e.high.unsigned_abs()) as f32
}

/// The ends of a range.
fn extent(e: &Extreme) -> String {
    format!("{}..={}", e.low, e.high)
}
