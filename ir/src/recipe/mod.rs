//! How a network becomes integers: what the user or a calibration decided, entry by entry.
//!
//! Quantization reads a recipe beside the float network. The default recipe decides nothing, and
//! quantization fills every gap without data; a *complete* recipe holds every scale, threshold, bias,
//! decay and weight in integers, so that the same integers come out again anywhere. An artifact that
//! was not made by the default recipe carries its own (`recipe.snnb`), and its verification repeats
//! the quantization with it.
//!
//! Names are those of the canonical network, which quantization reads.

mod check;

use crate::param::Param;
use serde::{Deserialize, Serialize};

/// Largest number of bits of a weight.
pub const MAX_WEIGHT_BITS: u8 = 8;

/// Largest exponent of a weight on spikes.
pub const MAX_EXPONENT: u8 = 7;

/// Decisions about quantization.
///
/// In a self-describing form such as JSON, fields may be left out: they then decide nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// What holds where no entry says otherwise.
    pub settings: Settings,
    /// Decisions about populations; names are unique.
    pub populations: Vec<PopulationRecipe>,
    /// Decisions about projections; (source, target, nth) is unique.
    pub projections: Vec<ProjectionRecipe>,
    /// What the entries were fitted to, if they were.
    pub calibration: Option<Calibration>,
}

/// The recipe that decides nothing.
pub static DEFAULT: Recipe = Recipe {
    settings: Settings::DEFAULT,
    populations: Vec::new(),
    projections: Vec::new(),
    calibration: None,
};

impl Recipe {
    /// The entry of a population.
    pub fn population(&self, name: &str) -> Option<&PopulationRecipe> {
        self.populations.iter().find(|p| p.name == name)
    }

    /// The entry of projection number `nth` from `source` to `target`.
    pub fn projection(&self, source: &str, target: &str, nth: u32) -> Option<&ProjectionRecipe> {
        let same = |p: &&ProjectionRecipe| (&*p.source, &*p.target, p.nth) == (source, target, nth);
        self.projections.iter().find(same)
    }
}

/// Choices for the whole network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Bits of a stored weight, 1..=8: the field of the synapse group. A mixed group of `b` bits stores
    /// −2^(b−1)..2^(b−1), a group of one sign 0..2^b, in steps of its exponent.
    pub weight_bits: u8,
    /// How weights of both signs are grouped.
    pub groups: Grouping,
    /// What shares a scale.
    pub scales: Scaling,
    /// Largest exponent of weights on spikes, 0..=7. With 0 no integer weight exceeds what its group
    /// stores as a mantissa, which is all that NetX can express.
    pub max_exponent: u8,
}

impl Settings {
    /// 8 bits, everything else by the error model.
    pub const DEFAULT: Self = Self {
        weight_bits: MAX_WEIGHT_BITS,
        groups: Grouping::Auto,
        scales: Scaling::Auto,
        max_exponent: MAX_EXPONENT,
    };
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How the weights of a projection that has both signs are grouped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grouping {
    /// The set that loses least, where the difference matters.
    #[default]
    Auto,
    /// One group of signed weights.
    Mixed,
    /// One group of excitatory and one of inhibitory weights, each with all of its bits for one sign.
    Split,
}

/// What shares a scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scaling {
    /// Neurons of one population have their own where the difference matters.
    #[default]
    Auto,
    /// All neurons of a population.
    Population,
    /// Each target neuron (each channel of a convolution) has one of a few.
    Neuron,
}

/// Decisions about one population.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PopulationRecipe {
    /// Name of the population.
    pub name: String,
    /// Integer weight (1 = 64 units of the membrane) per unit of float weight, of every target neuron;
    /// per channel at most where a convolution leads here.
    pub scale: Option<Param<f64>>,
    /// Threshold mantissas (units of 64).
    pub threshold: Option<Param<i32>>,
    /// Biases in units of weight.
    pub bias: Option<Param<i32>>,
    /// Membrane decay registers, 0..=4095.
    pub dv: Option<Param<u16>>,
    /// Bits by which plain relays shift their sums to the right before they send them: a message of 1 stands
    /// for `2^shift / scale` units of float.
    pub shift: Option<u8>,
}

/// Decisions about one projection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProjectionRecipe {
    /// Name of the source.
    pub source: String,
    /// Name of the target.
    pub target: String,
    /// Position among the projections from `source` to `target`, in the order of the current; 0 first.
    pub nth: u32,
    /// Bits of a stored weight, 1..=8.
    pub weight_bits: Option<u8>,
    /// Whether excitatory and inhibitory weights are stored apart.
    pub split: Option<bool>,
    /// Exponent of the step between neighboring weights, 0..=7.
    pub exponent: Option<u8>,
    /// The weights in steps, in the order of the stored weights: weight = step << exponent.
    pub weights: Option<Vec<i16>>,
}

/// What a recipe was fitted to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// blake3 of the data, hexadecimal.
    pub data: String,
    /// First sample used.
    pub first: u32,
    /// Number of samples used.
    pub samples: u32,
    /// Work that was allowed, in units of work (neuron updates and synaptic events).
    pub budget: u64,
    /// Work that was done.
    pub work: u64,
}
