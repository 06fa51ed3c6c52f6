//! The comparison of bit widths as bars on a terminal.

use super::sweep::{Outcome, Row, Sweep, percent};
use crate::draw::begin;
use std::fmt::Write as _;

/// Cells of the longest bar.
const WIDTH: usize = 30;
/// Eighths of a cell.
const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// Bars of accuracy and synapse memory, row by row.
pub(super) fn plot(sweep: &Sweep) -> String {
    let outcomes = || sweep.rows.iter().filter_map(|row| row.outcome.as_ref());
    let most = outcomes().map(Outcome::kib).fold(0.0, f64::max);
    let percents = outcomes().filter_map(Outcome::percent).chain(sweep.float.as_ref().map(percent));
    // The worst bar still shows.
    let floor = begin(percents);
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = if sweep.float.is_some() {
        let head = format!("accuracy, from {floor:.0} to 100 %");
        writeln!(text, "  {:<8}{head:<width$}synapse memory", "bits", width = WIDTH + 9)
    } else {
        writeln!(text, "  {:<8}synapse memory", "bits")
    };
    for row in &sweep.rows {
        let _ = write!(text, "  {:<8}", label(row));
        match &row.outcome {
            None => text.push_str("cannot be compiled"),
            Some(outcome) => {
                if sweep.float.is_some() {
                    let value = outcome.percent().unwrap_or(0.0);
                    let part = (value - floor) / (100.0 - floor);
                    let _ = write!(text, "{}{value:>7.2}  ", bar(part));
                }
                let kib = outcome.kib();
                let _ = write!(text, "{}{kib:>8.1} KiB", bar(kib / most));
            }
        }
        text.push('\n');
    }
    if sweep.has_calibration() {
        text.push_str("  c = calibrated\n");
    }
    text
}

fn label(row: &Row) -> String {
    format!("{}{}", row.weight_bits, if row.calibrated { " c" } else { "" })
}

/// A bar of `part` of the width, 0 to 1, to an eighth of a cell.
fn bar(part: f64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a small width")]
    let eighths = (WIDTH * 8) as f64 * part.clamp(0.0, 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 8 times the width; what is no number becomes 0"
    )]
    let eighths = eighths.round() as usize;
    let mut bar = "█".repeat(eighths / 8);
    match eighths % 8 {
        0 => {}
        rest => bar.push(EIGHTHS[rest]),
    }
    format!("{bar:<WIDTH$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_of_one_width() {
        for part in [f64::NAN, -1.0, 0.0, 0.01, 0.5, 0.999, 1.0, 2.0] {
            assert_eq!(bar(part).chars().count(), WIDTH, "{part}");
        }
        assert_eq!(bar(0.5).trim_end().chars().count(), WIDTH / 2);
        assert_eq!(bar(1.0), "█".repeat(WIDTH));
    }
}
