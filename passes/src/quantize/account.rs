//! The account of a quantization: what every population and projection became, and what it cost.

use serde::Serialize;

/// What quantization did, population by population in the order of the integer network.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Account {
    /// Neurons and graded relays; inputs are not quantized.
    pub populations: Vec<PopulationAccount>,
}

/// What a population became.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PopulationAccount {
    /// Name.
    pub name: String,
    /// Number of neurons.
    pub neurons: usize,
    /// Distinct scales (integer weight per unit of float weight), ascending.
    pub scales: Vec<f64>,
    /// What kept the scale from being larger.
    pub limited_by: String,
    /// Thresholds; `None` for graded relays.
    pub threshold: Option<ThresholdAccount>,
    /// Membrane decay; `None` for graded relays.
    pub decay: Option<DecayAccount>,
    /// Decay of the current; `None` if no current has memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<DecayAccount>,
    /// Biases; `None` if there are none.
    pub bias: Option<BiasAccount>,
    /// Bits by which plain relays shift what they send; `None` for all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shift: Option<u8>,
    /// Worst cases over all inputs.
    pub bounds: Bounds,
    /// Projections into the population, in the order of its current.
    pub projections: Vec<ProjectionAccount>,
    /// Standard deviation of the membrane error that rounding causes, over the threshold (of relays: over
    /// the root mean square of what arrives). An estimate: see [`ASSUMED_RATE`].
    pub predicted_error: f64,
}

/// Spikes per neuron and step that the error model assumes where no data says otherwise.
pub const ASSUMED_RATE: f64 = 0.1;

/// What thresholds became.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ThresholdAccount {
    /// Smallest and largest mantissa (units of 64).
    pub mantissa: [i32; 2],
    /// Distinct mantissas.
    pub distinct: usize,
    /// Largest |threshold / scale − float threshold| over the float threshold.
    pub error: f64,
}

/// What a decay became.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecayAccount {
    /// Smallest and largest register.
    pub register: [u16; 2],
    /// Largest |register / 4096 − float decay|; of a current, whose decay is register + 1, with that.
    pub error: f64,
}

/// What biases became.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BiasAccount {
    /// Smallest and largest bias in units of weight.
    pub units: [i32; 2],
    /// Largest |bias / scale − float bias| over the float threshold of its neuron.
    pub error: f64,
}

/// Worst cases of a population over all inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// What may arrive in a step, in units of weight.
    pub input: Extreme,
    /// Current, in units of the membrane.
    pub u: Extreme,
    /// Membrane before a reset.
    pub v: Extreme,
    /// Messages of graded relays; 0 for neurons.
    pub message: Extreme,
}

/// Smallest and largest value, and the neurons that reach them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Extreme {
    /// Smallest value.
    pub low: i64,
    /// First neuron with the smallest value.
    pub low_neuron: usize,
    /// Largest value.
    pub high: i64,
    /// First neuron with the largest value.
    pub high_neuron: usize,
}

/// What a projection became.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProjectionAccount {
    /// Name of the source.
    pub source: String,
    /// Position among the projections from this source.
    pub nth: u32,
    /// Logical delay.
    pub delay: u32,
    /// Name of the tensor.
    pub tensor: String,
    /// Bits of a stored weight.
    pub weight_bits: u8,
    /// The sets that its weights are stored in.
    pub set: WeightSet,
    /// Exponent of the step between neighboring weights.
    pub exponent: u8,
    /// Float value of that step (the largest, if scales differ).
    pub step: f64,
    /// Stored float weights that are not 0.
    pub weights: usize,
    /// Of these, those that became 0.
    pub zeroed: usize,
    /// Of these, those clipped to the end of the set: more than half a step beyond it.
    pub clipped: usize,
    /// Largest |integer weight / scale − float weight|.
    pub max_error: f64,
    /// Root mean square of that error over the root mean square of the weights.
    pub relative_error: f64,
    /// Share of the population's predicted error variance that this projection causes. An estimate.
    pub predicted_share: f64,
    /// Of the last matrix of a chain: what the chain as a whole became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub composed: Option<ComposedAccount>,
}

/// How far the product of the integer matrices of a chain is from that of the float matrices, on sampled rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ComposedAccount {
    /// Root mean square of the error of composed weights over the root mean square of these.
    pub relative_error: f64,
    /// The same if the product were stored as one matrix of 8 bits, at the largest scale that its largest weight
    /// and the sum of a step allow.
    pub materialized_error: f64,
}

/// The representable set of a projection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeightSet {
    /// Signed weights in one group: mantissas even, with an exponent that undoes the doubling.
    Mixed,
    /// Weights of 0 and above.
    Excitatory,
    /// Weights of 0 and below.
    Inhibitory,
    /// Excitatory and inhibitory weights in groups of their own.
    Split,
}
