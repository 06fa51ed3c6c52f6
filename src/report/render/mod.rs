//! The report as tables for people.

mod account;
mod measured;

use super::Report;
use std::fmt::Write as _;

/// Adds a line to a text; writing to a string cannot fail.
macro_rules! line {
    ($text:expr, $($what:tt)*) => {{ let _ = writeln!($text, $($what)*); }};
}

use line;

/// The whole report.
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
    account::show(&mut text, report);
    measured::show(&mut text, report);
    measured::sensitivity(&mut text, report);
    text
}

/// Rows of a table that are shown.
const ROWS: usize = 32;

/// The items with the largest values, in their order, as many as a table shows; and how many are left out.
fn largest<T>(items: Vec<T>, value: impl Fn(&T) -> f64) -> (Vec<T>, usize) {
    let left = items.len().saturating_sub(ROWS);
    let mut order: Vec<usize> = (0..items.len()).collect();
    // Stable: of equal ones the first stay.
    order.sort_by(|&a, &b| value(&items[b]).total_cmp(&value(&items[a])));
    order.truncate(ROWS);
    let kept = items.into_iter().enumerate().filter(|(i, _)| order.contains(i));
    (kept.map(|(_, item)| item).collect(), left)
}

/// Says that rows are left out.
fn left_out(text: &mut String, left: usize, how: &str) {
    if left > 0 {
        line!(text, "  {left} more are left out: those with the smallest {how}");
    }
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
