//! What each part of the quantization costs, as data.

use serde::Serialize;

/// What each part of the quantization costs alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sensitivity {
    /// Number of samples, from the first on.
    pub samples: usize,
    /// The parts, the most expensive first.
    pub parts: Vec<PartCost>,
    /// Parts that no float network holds alone.
    pub not_measured: Vec<Part>,
}

/// A part of the quantization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What is quantized.
    pub kind: PartKind,
    /// Population that has it, or into which the projection leads.
    pub target: String,
    /// Source of the projection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Position among the projections from this source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
    /// Name of its tensor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tensor: Option<String>,
}

impl Part {
    /// What it is, as the subject of a sentence in the plural.
    pub(super) fn words(&self) -> String {
        match (self.kind, &self.source) {
            (PartKind::Weights, Some(source)) => {
                let tensor = self.tensor.as_deref().unwrap_or_default();
                format!("the weights of `{tensor}` from `{source}` to `{}`", self.target)
            }
            (kind, _) => format!("the {} of `{}`", kind.name(), self.target),
        }
    }
}

/// What a part consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartKind {
    /// The weights of a projection.
    Weights,
    /// The thresholds of a population.
    Thresholds,
    /// The biases of a population.
    Biases,
    /// The decays of a population.
    Decays,
}

/// What changes where only one part is quantized.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartCost {
    /// The part.
    #[serde(flatten)]
    pub part: Part,
    /// Spikes of all neuron populations that only one side has.
    pub differing: u64,
    /// Spike distance over all neuron populations.
    pub distance: f64,
    /// Spike distance of the target alone; of a population of relays 0.
    pub target_distance: f64,
    /// Rate of the target over its rate in the float network, less 1.
    pub target_rate_change: Option<f64>,
    /// Samples for which the prediction stays.
    pub same_prediction: usize,
}

impl PartKind {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weights => "weights",
            Self::Thresholds => "thresholds",
            Self::Biases => "biases",
            Self::Decays => "decays",
        }
    }
}
