//! Bit widths compared: what each costs in memory, and what it changes.

use crate::cli::table::Table;
use crate::compile::{Options, Samples, lower};
use crate::describe;
use crate::draw::{Chart, Group, Series};
use crate::pipeline::Stage;
use crate::report::{MeasureOptions, measure};
use crate::source::Source;
use crate::target::Target;
use crate::verify::AccuracyReport;
use serde::Serialize;
use snnc_ir::recipe::MAX_WEIGHT_BITS;
use snnc_ir::{Diagnostic, Diagnostics, Severity};
use std::fmt::Write as _;
use std::str::FromStr;

/// Bytes of a word of synapse memory.
const WORD: f64 = 8.0;

/// Bit widths from the first to the last, both included, up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Widths {
    first: u8,
    last: u8,
}

impl Widths {
    /// All of them in order.
    pub(super) fn all(self) -> Vec<u8> {
        if self.first <= self.last {
            (self.first..=self.last).collect()
        } else {
            (self.last..=self.first).rev().collect()
        }
    }
}

impl FromStr for Widths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let width = |text: &str| {
            text.parse::<u8>().ok().filter(|bits| (1..=MAX_WEIGHT_BITS).contains(bits))
        };
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        width(first).zip(width(last)).map(|(first, last)| Self { first, last }).ok_or_else(|| {
            format!("expected two numbers of bits from 1 to {MAX_WEIGHT_BITS}, such as `8..2`")
        })
    }
}

/// All widths that were compared.
#[derive(Debug, Serialize)]
pub(super) struct Sweep {
    /// The samples that were run, if any were.
    pub(super) samples: Option<SweepSamples>,
    /// Correct predictions of the float network, if there are labels.
    pub(super) float: Option<AccuracyReport>,
    /// One for each width, and one more for each width after calibration.
    pub(super) rows: Vec<Row>,
}

/// The samples of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct SweepSamples {
    /// First sample.
    pub(super) first: usize,
    /// Number of samples.
    pub(super) count: usize,
}

/// One width.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// Bits of a stored weight.
    pub(super) weight_bits: u8,
    /// Whether the recipe was calibrated.
    pub(super) calibrated: bool,
    /// What came out; `None` if it could not be compiled.
    #[serde(flatten)]
    pub(super) outcome: Option<Outcome>,
    /// Why it could not be compiled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) errors: Vec<Diagnostic>,
}

/// A network that was compiled.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    /// Synapse memory of all cores, in words of 64 bits.
    pub(super) synapse_words: u64,
    /// Cores.
    pub(super) cores: usize,
    /// What the integers do on the samples.
    #[serde(flatten)]
    pub(super) behavior: Option<Behavior>,
}

/// What integers do on samples.
#[derive(Debug, Serialize)]
pub(super) struct Behavior {
    /// Correct predictions, if there are labels.
    pub(super) accuracy: Option<AccuracyReport>,
    /// Differing spikes over the spikes of the float network and the integers.
    pub(super) distance: f64,
    #[serde(skip)]
    float: Option<AccuracyReport>,
}

impl Outcome {
    /// Synapse memory of all cores in KiB.
    pub(super) fn kib(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "memory to a tenth of a KiB")]
        let words = self.synapse_words as f64;
        words * WORD / 1024.0
    }

    /// Accuracy in percent.
    pub(super) fn percent(&self) -> Option<f64> {
        self.behavior.as_ref()?.accuracy.as_ref().map(percent)
    }
}

/// Correct predictions in percent.
pub(super) fn percent(a: &AccuracyReport) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a percentage of two decimals")]
    let percent = 100.0 * a.correct as f64 / a.total as f64;
    percent
}

impl Row {
    /// Compiles the network and runs it on `samples`. What cannot be compiled is a result.
    ///
    /// # Errors
    /// What the simulators refuse.
    pub(super) fn of(
        weight_bits: u8,
        calibrated: bool,
        source: &Source,
        target: &Target,
        options: &Options,
        samples: Option<&Samples<'_>>,
    ) -> Result<Self, Diagnostics> {
        let stages = match lower(source, &target.spec, options, Stage::Mapped) {
            Ok((stages, _)) => stages,
            // A mistake of the compiler is not a property of a width.
            Err(failure) if failure.replay.is_some() => return Err(failure.diagnostics),
            Err(failure) => return Ok(Self::failed(weight_bits, calibrated, failure.diagnostics)),
        };
        let cores = stages.mapped.as_ref().map(|mapped| describe::cores(mapped, &target.spec));
        let cores = cores.unwrap_or_default();
        let behavior = match (samples, &stages.network, &stages.quantized) {
            (Some(Samples { stimuli, range }), Some(network), Some(quantized)) => {
                let options = MeasureOptions { folds: &stages.folds, ..MeasureOptions::default() };
                let found = measure(network, quantized, stimuli, range.clone(), &options)?.overall;
                let distance = found.spikes.distance;
                Some(Behavior { accuracy: found.quantized, distance, float: found.float })
            }
            _ => None,
        };
        let outcome = Outcome {
            synapse_words: cores.iter().map(|core| core.used.synapse_words).sum(),
            cores: cores.len(),
            behavior,
        };
        Ok(Self { weight_bits, calibrated, outcome: Some(outcome), errors: Vec::new() })
    }

    /// A width that cannot be compiled.
    pub(super) fn failed(weight_bits: u8, calibrated: bool, found: Diagnostics) -> Self {
        let errors = found.into_iter().filter(|d| d.severity == Severity::Error).collect();
        Self { weight_bits, calibrated, outcome: None, errors }
    }
}

impl Sweep {
    pub(super) fn new(rows: Vec<Row>, samples: Option<&Samples<'_>>) -> Self {
        let behaviors = rows.iter().filter_map(|row| row.outcome.as_ref()?.behavior.as_ref());
        let float = behaviors.into_iter().find_map(|behavior| behavior.float);
        let samples = samples.map(|s| SweepSamples { first: s.range.start, count: s.range.len() });
        Self { samples, float, rows }
    }

    /// Whether some of the rows are calibrated.
    pub(super) fn has_calibration(&self) -> bool {
        self.rows.iter().any(|row| row.calibrated)
    }

    /// The comparison as a table.
    pub(super) fn table(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = match (&self.samples, &self.float) {
            (Some(s), Some(float)) => writeln!(
                text,
                "{} samples from {}; accuracy of the float network {:.2} % ({} of {})",
                s.count,
                s.first,
                percent(float),
                float.correct,
                float.total
            ),
            (Some(s), None) => {
                writeln!(text, "{} samples from {}, without labels", s.count, s.first)
            }
            (None, _) => writeln!(text, "no samples: memory only (`--stimulus` measures the rest)"),
        };
        let mut headings = vec!["bits"];
        if self.has_calibration() {
            headings.push("calibrated");
        }
        if self.float.is_some() {
            headings.push("accuracy %");
        }
        if self.samples.is_some() {
            headings.push("distance");
        }
        headings.extend(["words", "KiB", "cores"]);
        let mut table = Table::new(&headings);
        for row in &self.rows {
            table.row(self.cells(row));
        }
        text.push_str(&table.render(2));
        for row in &self.rows {
            let Some(first) = row.errors.first() else { continue };
            let how = if row.calibrated { " calibrated" } else { "" };
            let _ = writeln!(
                text,
                "  {} bits{how}: {} ({}{})",
                row.weight_bits,
                first.message,
                first.code,
                match row.errors.len() {
                    1 => String::new(),
                    n => format!(" and {} more", n - 1),
                }
            );
        }
        text
    }

    fn cells(&self, row: &Row) -> Vec<String> {
        let dash = || "-".to_owned();
        let behavior = row.outcome.as_ref().and_then(|o| o.behavior.as_ref());
        let mut cells = vec![row.weight_bits.to_string()];
        if self.has_calibration() {
            cells.push(if row.calibrated { "yes" } else { "no" }.to_owned());
        }
        if self.float.is_some() {
            let percent = row.outcome.as_ref().and_then(Outcome::percent);
            cells.push(percent.map_or_else(dash, |p| format!("{p:.2}")));
        }
        if self.samples.is_some() {
            cells.push(behavior.map_or_else(dash, |b| format!("{:.4}", b.distance)));
        }
        match &row.outcome {
            Some(o) => cells.extend([
                o.synapse_words.to_string(),
                format!("{:.1}", o.kib()),
                o.cores.to_string(),
            ]),
            None => cells.push("cannot be compiled".to_owned()),
        }
        cells
    }

    /// The comparison as a drawing.
    pub(super) fn chart(&self, name: &str) -> Chart {
        let mut widths: Vec<u8> = self.rows.iter().map(|row| row.weight_bits).collect();
        widths.dedup();
        let find = |bits: u8, calibrated: bool| {
            let same = |row: &&Row| row.weight_bits == bits && row.calibrated == calibrated;
            self.rows.iter().find(same).and_then(|row| row.outcome.as_ref())
        };
        let series = |calibrated: bool| {
            widths.iter().map(|&bits| find(bits, calibrated).and_then(Outcome::percent)).collect()
        };
        let mut lines = Vec::new();
        if self.float.is_some() {
            let name = if self.has_calibration() { "without calibration" } else { "accuracy" };
            lines.push(Series { name: name.to_owned(), values: series(false) });
            if self.has_calibration() {
                lines.push(Series { name: "calibrated".to_owned(), values: series(true) });
            }
        }
        let ways: &[bool] = if self.has_calibration() { &[false, true] } else { &[false] };
        let groups = widths.iter().map(|&bits| Group {
            label: bits.to_string(),
            values: ways.iter().map(|&way| find(bits, way).map(Outcome::kib)).collect(),
        });
        Chart {
            title: format!("{name}: accuracy (lines) and synapse memory (bars)"),
            group_axis: "bits of a weight".to_owned(),
            groups: groups.collect(),
            bar_axis: "synapse memory (KiB)".to_owned(),
            lines,
            line_axis: "accuracy (%)".to_owned(),
            reference: self.float.as_ref().map(|a| ("float network".to_owned(), percent(a))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_go_up_or_down() {
        let read = |text: &str| text.parse::<Widths>().map(Widths::all);
        assert_eq!(read("8..6"), Ok(vec![8, 7, 6]));
        assert_eq!(read("1..3"), Ok(vec![1, 2, 3]));
        assert_eq!(read("4"), Ok(vec![4]));
        for text in ["", "0..3", "1..9", "3..", "a..b", "1..=3"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
