//! What a measurement says, as data.

use serde::Serialize;
use snnc_runtime::compare::{Difference, Distance, Explained, Membrane, Side};

/// All levels on one stimulus.
#[derive(Clone, Debug, Serialize)]
pub struct Measurement {
    /// Position in the file of the first sample.
    pub first: usize,
    /// Samples that were run.
    pub samples: usize,
    /// What quantization changed; `None` if the source has no float level.
    pub quantization: Option<QuantizationReport>,
    /// Quantized network in logical time against the scheduled one, in logical time.
    pub schedule: EqualityReport,
    /// Scheduled network against the decoded program core by core, in hardware time, relays and
    /// clocks included.
    pub artifact: EqualityReport,
}

impl Measurement {
    /// Whether the integer levels agree spike for spike.
    pub const fn integers_agree(&self) -> bool {
        self.schedule.differing == 0 && self.artifact.differing == 0
    }
}

/// What quantization changed.
#[derive(Clone, Debug, Serialize)]
pub struct QuantizationReport {
    /// Correct predictions of the float network, if there are labels.
    pub float: Option<AccuracyReport>,
    /// Correct predictions of the quantized network, if there are labels.
    pub quantized: Option<AccuracyReport>,
    /// Samples for which both predict the same class.
    pub same_prediction: usize,
    /// Distance of the spikes over all neuron populations.
    pub total: DistanceReport,
    /// Distance of each neuron population, causes first.
    pub populations: Vec<DistanceReport>,
    /// Populations that spike in the float network and never in the quantized one.
    pub silenced: Vec<String>,
    /// Populations that the passes joined with others that always fire alike; what the others do is
    /// compared.
    pub merged: Vec<String>,
    /// Populations that the passes removed, because they never fire or nothing that is read out
    /// depends on them.
    pub removed: Vec<String>,
    /// The first divergence of the first sample that has one.
    pub first: Option<DivergenceReport>,
}

/// Two integer levels that must be equal.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EqualityReport {
    /// Populations compared.
    pub populations: usize,
    /// Spikes of the first level.
    pub spikes: u64,
    /// Graded messages of the first level.
    pub messages: u64,
    /// Spikes and messages that only one level has.
    pub differing: u64,
    /// The first divergence of the first sample that has one.
    pub first: Option<DivergenceReport>,
}

/// Correct predictions.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct AccuracyReport {
    /// Samples whose class was predicted.
    pub correct: usize,
    /// Samples.
    pub total: usize,
}

/// Distance of two spike trains.
#[derive(Clone, Debug, Serialize)]
pub struct DistanceReport {
    /// Name of the population, or `total`.
    pub population: String,
    /// Neurons times steps times samples.
    pub cells: u64,
    /// Spikes of the float network.
    pub float: u64,
    /// Spikes of the quantized network.
    pub quantized: u64,
    /// Spikes that only one of them has.
    pub differing: u64,
    /// Differing spikes over the spikes of both.
    pub ratio: f64,
}

impl From<&Distance> for DistanceReport {
    fn from(d: &Distance) -> Self {
        Self {
            population: d.name.clone(),
            cells: d.cells,
            float: d.left,
            quantized: d.right,
            differing: d.differing,
            ratio: d.ratio(),
        }
    }
}

/// The first spike or message that only one of two levels has.
#[derive(Clone, Debug, Serialize)]
pub struct DivergenceReport {
    /// Sample, by its position in the file, from 0.
    pub sample: usize,
    /// Name of the population.
    pub population: String,
    /// Neuron, from 0.
    pub neuron: usize,
    /// Step, from 0.
    pub step: usize,
    /// The level that fired; `None` if graded messages differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fired: Option<&'static str>,
    /// The graded messages of both levels, 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<[i32; 2]>,
    /// The neuron on the side of the first level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<MembraneReport>,
    /// The neuron on the side of the second level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<MembraneReport>,
}

/// State of a neuron when its membrane was compared, in the units of its level.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MembraneReport {
    /// Step in the time of the level.
    pub step: usize,
    /// Membrane before the reset.
    pub v: f64,
    /// Threshold.
    pub threshold: f64,
}

impl From<Membrane> for MembraneReport {
    fn from(m: Membrane) -> Self {
        Self { step: m.step, v: m.v, threshold: m.threshold }
    }
}

impl DivergenceReport {
    /// The report of a divergence between levels of these names.
    pub(super) fn new(sample: usize, found: &Explained, levels: [&'static str; 2]) -> Self {
        let d = &found.divergence;
        let (fired, messages) = match d.difference {
            Difference::Spike(Side::Left) => (Some(levels[0]), None),
            Difference::Spike(Side::Right) => (Some(levels[1]), None),
            Difference::Message { left, right } => (None, Some([left, right])),
        };
        Self {
            sample,
            population: d.population.clone(),
            neuron: d.neuron,
            step: d.step,
            fired,
            messages,
            left: found.left.map(Into::into),
            right: found.right.map(Into::into),
        }
    }
}
