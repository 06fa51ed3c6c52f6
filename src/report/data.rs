//! What a measurement says, as data. `docs/report.md` documents every field.

use super::costs::Sensitivity;
use crate::verify::AccuracyReport;
use serde::Serialize;
use snnc_runtime::compare::{Distance, Membrane, Side};

/// Neurons of a set that are listed by number.
pub const LISTED: usize = 16;

/// Float network and integers on the same samples.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// blake3 of the file of samples, hexadecimal.
    pub data: String,
    /// First sample, by its number in the file.
    pub first_sample: usize,
    /// Number of samples.
    pub samples: usize,
    /// Logical steps of a sample.
    pub steps: u32,
    /// The whole network.
    pub overall: Overall,
    /// Every population but inputs, causes before their effects within a step.
    pub populations: Vec<MeasuredPopulation>,
    /// What each projection costs, if that was asked for.
    pub sensitivity: Option<Sensitivity>,
}

/// The network as a whole.
#[derive(Clone, Debug, Serialize)]
pub struct Overall {
    /// Correct predictions of the float network, if there are labels.
    pub float: Option<AccuracyReport>,
    /// Correct predictions of the integers, if there are labels.
    pub quantized: Option<AccuracyReport>,
    /// Samples for which both predict the same class.
    pub same_prediction: usize,
    /// Spikes of all neuron populations.
    pub spikes: Spikes,
    /// Samples in which any spike differs.
    pub diverging_samples: usize,
    /// The first divergence of the first sample that has one.
    pub first: Option<Onset>,
}

/// Spikes on both sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spikes {
    /// Neurons times steps times samples.
    pub cells: u64,
    /// Spikes of the float network.
    pub float: u64,
    /// Spikes of the integers.
    pub quantized: u64,
    /// Spikes that only one of them has.
    pub differing: u64,
    /// Differing spikes over the spikes of both: 0 = equal, 1 = no spike in common.
    pub distance: f64,
    /// 1 − distance.
    pub agreement: f64,
    /// Spikes per neuron and step of the float network.
    pub float_rate: f64,
    /// Spikes per neuron and step of the integers.
    pub quantized_rate: f64,
    /// Rate of the integers over that of the float network, less 1; `None` if the float network is
    /// silent.
    pub rate_change: Option<f64>,
}

impl From<&Distance> for Spikes {
    fn from(d: &Distance) -> Self {
        let distance = d.ratio();
        Self {
            cells: d.cells,
            float: d.left,
            quantized: d.right,
            differing: d.differing,
            distance,
            agreement: 1.0 - distance,
            float_rate: ratio(d.left, d.cells).unwrap_or(0.0),
            quantized_rate: ratio(d.right, d.cells).unwrap_or(0.0),
            rate_change: ratio(d.right, d.left).map(|r| r - 1.0),
        }
    }
}

/// `a / b`; `None` if b is 0.
#[expect(clippy::cast_precision_loss, reason = "statistics need no more than 53 bits")]
pub(super) fn ratio(a: u64, b: u64) -> Option<f64> {
    (b > 0).then(|| a as f64 / b as f64)
}

/// A population on both sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeasuredPopulation {
    /// Its name.
    #[serde(skip)]
    pub name: String,
    /// What its neurons did.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub neurons: Option<MeasuredNeurons>,
    /// What its graded relays sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<Messages>,
}

/// A population of neurons on both sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeasuredNeurons {
    /// Number of neurons.
    pub size: usize,
    /// Its spikes.
    pub spikes: Spikes,
    /// Neurons that fire in the float network and never in integers.
    pub silent: Neurons,
    /// Neurons that fire in integers and never in the float network.
    pub fresh: Neurons,
    /// Neurons that fire in (almost) every step in integers and not in the float network.
    pub saturated: Neurons,
    /// Samples in which any of its spikes differs.
    pub diverging_samples: usize,
    /// Samples in which it is the first population to diverge.
    pub leads: usize,
    /// Its first divergence in the first sample that has one.
    pub first: Option<Onset>,
    /// Margins of the neurons at which it diverges first, sample by sample.
    pub margins: Option<Margins>,
}

/// Some neurons of a population.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Neurons {
    /// How many.
    pub count: usize,
    /// The first of them, at most [`LISTED`].
    pub first: Vec<usize>,
}

impl Neurons {
    /// The numbers that `is` holds for.
    pub(super) fn which(size: usize, is: impl Fn(usize) -> bool) -> Self {
        let mut found = Self::default();
        for n in (0..size).filter(|&n| is(n)) {
            if found.count < LISTED {
                found.first.push(n);
            }
            found.count += 1;
        }
        found
    }
}

/// Where a population diverges first in a sample.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Onset {
    /// Name of the population.
    pub population: String,
    /// Sample, by its number in the file.
    pub sample: usize,
    /// Step.
    pub step: usize,
    /// Neuron.
    pub neuron: usize,
    /// The side that fires.
    pub fired: Level,
    /// The neuron in the float network.
    pub float: MembraneAt,
    /// The neuron in integers.
    pub quantized: MembraneAt,
}

/// One of both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The float network.
    Float,
    /// The integers.
    Quantized,
}

impl Level {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Quantized => "quantized",
        }
    }
}

impl From<Side> for Level {
    fn from(side: Side) -> Self {
        match side {
            Side::Left => Self::Float,
            Side::Right => Self::Quantized,
        }
    }
}

/// A membrane when it was compared with its threshold, in the units of its side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MembraneAt {
    /// Membrane before the reset.
    pub v: f64,
    /// Threshold.
    pub threshold: f64,
    /// `(v − threshold) / threshold`; `None` for a threshold of 0.
    pub margin: Option<f64>,
}

impl From<Membrane> for MembraneAt {
    fn from(m: Membrane) -> Self {
        let margin = (m.threshold.abs() > 0.0).then(|| m.margin() / m.threshold);
        Self { v: m.v, threshold: m.threshold, margin }
    }
}

/// Margins at the first divergence of a population in several samples, in units of the threshold:
/// minimum, quartiles and maximum.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Margins {
    /// Number of divergences looked at, one per sample.
    pub onsets: usize,
    /// In the float network.
    pub float: [f64; 5],
    /// In integers.
    pub quantized: [f64; 5],
}

/// Messages that a population of graded relays sent in integers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Messages {
    /// How many.
    pub sent: u64,
    /// The smallest, 0 if there was none below.
    pub low: i32,
    /// The largest, 0 if there was none above.
    pub high: i32,
}
