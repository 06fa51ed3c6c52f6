//! The account for people.

use super::{Explained, PopulationExplained, Register};
use crate::cli::table::Table;
use snnc_ir::network::discretization::{Dialect, compare};
use std::fmt::Write as _;

/// Most rows for one register.
const ROWS: usize = 6;

/// The account as text.
pub fn render(explained: &Explained) -> String {
    let mut text = format!("{} on {}\n", explained.network, explained.target);
    // Writing to a string cannot fail.
    if let Some(d) = &explained.discretization {
        let dialect = d.dialect.map_or("none", Dialect::name);
        let dt = d.dt.map_or_else(|| "1 step".to_owned(), |dt| format!("{dt:?} s"));
        let _ = writeln!(
            text,
            "dialect {dialect}: dt {dt}, times in {}, {}, {}, reset {}, {} per step, IF {}, biases in loops {}",
            d.time_unit.name(),
            d.integration.name(),
            compare::name(d.comparison),
            d.reset.name(),
            d.spikes_per_step.name(),
            d.if_dialect.name(),
            d.loop_bias.name()
        );
    }
    for delay in &explained.delays {
        let _ = writeln!(
            text,
            "delay {}: {:?} = {} steps, {:+.4} left over",
            delay.node, delay.delay, delay.steps, delay.residue
        );
    }
    explained.populations.iter().for_each(|p| population(&mut text, p));
    text
}

fn population(text: &mut String, found: &PopulationExplained) {
    let [low, high] = found.scale.map(number);
    let scale = if low == high { low } else { format!("{low} to {high}") };
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "\n{}: {} neuron{}, scale {scale}: integer weight per unit, limited by {}",
        found.name,
        found.neurons,
        if found.neurons == 1 { "" } else { "s" },
        found.limited_by
    );
    for time in &found.times {
        let [a, b] = time.value.map(number);
        let [c, d] = time.steps.map(number);
        let _ = if a == b {
            writeln!(text, "  {} {a} = {c} steps", time.parameter)
        } else {
            writeln!(text, "  {} {a} to {b} = {c} to {d} steps", time.parameter)
        };
    }
    let mut table =
        Table::new(&["register", "formula", "exact", "integer", "stands for", "error", "neurons"]);
    found.registers.iter().for_each(|r| rows(&mut table, r));
    text.push_str(&table.render(2));
    if found.weights.is_empty() {
        return;
    }
    let mut table = Table::new(&[
        "weights from",
        "bits",
        "exponent",
        "step",
        "integers",
        "nonzero",
        "zeroed",
        "largest error",
        "mean error",
    ]);
    for w in &found.weights {
        let delay = if w.delay == 0 { String::new() } else { format!("@{}", w.delay) };
        let dash = || "-".to_owned();
        table.row([
            format!("{}{delay}", w.source),
            w.bits.to_string(),
            w.exponent.to_string(),
            number(w.step),
            w.integers.map_or_else(dash, |[a, b]| format!("{a}..={b}")),
            w.weights.to_string(),
            w.zeroed.to_string(),
            number(w.largest_error),
            w.mean_error.map_or_else(dash, number),
        ]);
    }
    text.push_str(&table.render(2));
}

/// All values of a register if they are few; else the smallest, the largest, and those that are farthest off.
fn rows(table: &mut Table, register: &Register) {
    let all = &register.values;
    let mut shown: Vec<usize> = (0..all.len()).collect();
    if all.len() > ROWS {
        shown.sort_by(|&a, &b| all[b].error.abs().total_cmp(&all[a].error.abs()));
        shown.truncate(ROWS - 2);
        shown.extend([0, all.len() - 1]);
        shown.sort_unstable();
        shown.dedup();
    }
    for (i, value) in shown.iter().map(|&i| &all[i]).enumerate() {
        let once = |text: &str| if i == 0 { text.to_owned() } else { String::new() };
        table.row([
            once(register.register),
            once(register.formula),
            number(value.exact),
            value.integer.to_string(),
            number(value.stands_for),
            number(value.error),
            format!("{} from {}", value.neurons, value.first),
        ]);
    }
    let left = all.len() - shown.len();
    if left > 0 {
        let more = format!("{left} more values (--format json)");
        table.row([String::new(), more].into_iter().chain((0..5).map(|_| String::new())));
    }
}

/// Six digits are enough to recognize a number.
fn number(x: f64) -> String {
    if x != 0.0 && !(1e-4..1e7).contains(&x.abs()) {
        return format!("{x:.3e}");
    }
    format!("{x:.6}").trim_end_matches('0').trim_end_matches('.').to_owned()
}
