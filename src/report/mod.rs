//! The account of a quantization: what every population became, what that changed on samples, and
//! which part of it cost most. `report.json` and its rendering for people.
//!
//! [`measure()`] runs the canonical float network and its integers on the same samples; [`Report::new`]
//! puts that beside the [`Account`] of the `quantize` pass, which needs no samples, and
//! [`Report::findings`] judges both. `docs/report.md` documents every field, unit and formula, and says
//! which numbers are estimates.

mod costs;
mod data;
mod findings;
mod meaning;
mod measure;
mod onset;
mod predict;
mod render;
mod sensitivity;
mod sides;
mod tally;
#[cfg(test)]
mod tests;
mod variant;

pub use costs::{Part, PartCost, PartKind, Sensitivity};
pub use data::{
    LISTED, Level, Margins, Measured, MeasuredNeurons, MeasuredPopulation, MembraneAt, Messages,
    Neurons, Onset, Overall, Spikes,
};
pub use findings::COLLAPSE;
pub use measure::{MeasureOptions, measure};
pub use predict::PredictedCost;

use crate::folding::FoldingAccount;
use serde::Serialize;
use snnc_ir::recipe::{Calibration, Grouping, Recipe, Scaling, Settings};
use snnc_ir::{Diagnostic, Diagnostics};
use snnc_passes::quantize::account::{ASSUMED_RATE, Account, PopulationAccount};

/// Name and version of the format.
pub const SCHEMA: &str = "snnc-report/1";

/// The account of a quantization.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Name of the network.
    pub network: String,
    /// Name of the target.
    pub target: String,
    /// What held where the recipe had no entry.
    pub settings: SettingsReport,
    /// What the recipe was fitted to, if it was.
    pub calibration: Option<Calibration>,
    /// Samples that were run, if any were.
    pub samples: Option<SamplesReport>,
    /// The network as a whole on them.
    pub overall: Option<Overall>,
    /// Every population but inputs, in the order of the integer network.
    pub populations: Vec<PopulationReport>,
    /// Which parts of the quantization cost most.
    pub sensitivity: SensitivityReport,
    /// What the network takes from the genome to core memory, and what was folded; `None` before there is a
    /// program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folding: Option<FoldingAccount>,
    /// What is wrong, the population that is first in causal order first.
    pub findings: Vec<Diagnostic>,
}

/// [`Settings`] in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SettingsReport {
    /// Bits of a stored weight.
    pub weight_bits: u8,
    /// `auto`, `mixed` or `split`.
    pub groups: &'static str,
    /// `auto`, `population` or `neuron`.
    pub scales: &'static str,
    /// Largest exponent of weights on spikes.
    pub max_exponent: u8,
}

impl From<Settings> for SettingsReport {
    fn from(s: Settings) -> Self {
        Self {
            weight_bits: s.weight_bits,
            groups: match s.groups {
                Grouping::Auto => "auto",
                Grouping::Mixed => "mixed",
                Grouping::Split => "split",
            },
            scales: match s.scales {
                Scaling::Auto => "auto",
                Scaling::Population => "population",
                Scaling::Neuron => "neuron",
            },
            max_exponent: s.max_exponent,
        }
    }
}

/// The samples of a measurement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SamplesReport {
    /// blake3 of their file, hexadecimal.
    pub data: String,
    /// First sample, by its number in the file.
    pub first: usize,
    /// Number of samples.
    pub count: usize,
    /// Logical steps of a sample.
    pub steps: u32,
    /// Samples among them that calibration has seen.
    pub calibrated: usize,
}

impl SamplesReport {
    fn of(measured: &Measured, calibration: Option<&Calibration>) -> Self {
        let Measured { data, first_sample: first, samples: count, steps, .. } = measured;
        let seen = calibration.filter(|c| c.data == *data).map_or(0, |c| {
            let (from, to) =
                (c.first as usize, (c.first as usize).saturating_add(c.samples as usize));
            (first + count).min(to).saturating_sub(from.max(*first))
        });
        Self { data: data.clone(), first: *first, count: *count, steps: *steps, calibrated: seen }
    }
}

/// A population.
#[derive(Clone, Debug, Serialize)]
pub struct PopulationReport {
    /// Its name.
    pub name: String,
    /// What quantization made of it; `None` if there is no account of it.
    pub account: Option<PopulationAccount>,
    /// What it did on the samples.
    pub measured: Option<MeasuredPopulation>,
}

/// Which parts cost most, by estimate and by measurement.
#[derive(Clone, Debug, Serialize)]
pub struct SensitivityReport {
    /// An estimate without data for every projection, the most expensive first.
    pub predicted: Vec<PredictedCost>,
    /// Spikes per neuron and step that the estimate assumes.
    pub assumed_rate: f64,
    /// What was measured.
    pub measured: Option<Sensitivity>,
}

impl Report {
    /// Joins what is known about the quantization of `network` for `target`. `recipe` is the one by
    /// which the account came about.
    pub fn new(
        network: &str,
        target: &str,
        account: &Account,
        recipe: &Recipe,
        measured: Option<Measured>,
    ) -> Self {
        let mut populations: Vec<PopulationReport> = account
            .populations
            .iter()
            .map(|a| PopulationReport {
                name: a.name.clone(),
                account: Some(a.clone()),
                measured: None,
            })
            .collect();
        let (mut samples, mut overall, mut sensitivity) = (None, None, None);
        // Causes before effects, for the findings.
        let mut order = Vec::new();
        if let Some(all) = measured {
            samples = Some(SamplesReport::of(&all, recipe.calibration.as_ref()));
            overall = Some(all.overall);
            sensitivity = all.sensitivity;
            for measured in all.populations {
                let name = measured.name.clone();
                order.push(name.clone());
                match populations.iter_mut().find(|p| p.name == name) {
                    Some(population) => population.measured = Some(measured),
                    None => populations.push(PopulationReport {
                        name,
                        account: None,
                        measured: Some(measured),
                    }),
                }
            }
        }
        let mut report = Self {
            schema: SCHEMA,
            network: network.to_owned(),
            target: target.to_owned(),
            settings: recipe.settings.into(),
            calibration: recipe.calibration.clone(),
            samples,
            overall,
            populations,
            sensitivity: SensitivityReport {
                predicted: predict::ranked(account),
                assumed_rate: ASSUMED_RATE,
                measured: sensitivity,
            },
            folding: None,
            findings: Vec::new(),
        };
        report.findings = findings::find(&report, &order);
        report
    }

    /// What is wrong: warnings with the codes of [`COLLAPSE`], without those of the `quantize` pass.
    pub fn findings(&self) -> Diagnostics {
        self.findings.iter().cloned().collect()
    }

    /// The report as JSON: indented, with fields in a fixed order and a line break at its end. The same
    /// report gives the same bytes.
    pub fn to_json_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .expect("a report has string keys; serde_json writes null for what is no number");
        bytes.push(b'\n');
        bytes
    }

    /// The report for people.
    pub fn render(&self) -> String {
        render::render(self)
    }

    /// The population called `name`.
    pub fn population(&self, name: &str) -> Option<&PopulationReport> {
        self.populations.iter().find(|p| p.name == name)
    }
}
