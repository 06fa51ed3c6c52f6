//! What was proved, as data and as text.

use serde::Serialize;
use std::fmt;

/// Version of the certificate's JSON form.
pub const FORMAT: u32 = 2;

/// Proof that an artifact computes its source network, for all inputs.
///
/// `certificate.json` is this and the hashes of the files; `Display` is the human summary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// Version of this form.
    pub format: u32,
    /// What was proved, in words.
    pub statement: String,
    /// Name of the network.
    pub name: String,
    /// Name of the target.
    pub target: String,
    /// Hash of the target's description.
    pub target_hash: String,
    /// Logical steps of one run.
    pub steps: u32,
    /// Hardware steps per logical step.
    pub period: u32,
    /// Hardware steps of one run.
    pub run_steps: u64,
    /// One entry per symbol of the artifact, in its order.
    pub populations: Vec<PopulationCertificate>,
    /// Sums over the artifact.
    pub totals: Totals,
}

/// What was proved about one population of the artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PopulationCertificate {
    /// Name.
    pub name: String,
    /// `input`, `neurons`, `graded`, `relay` or `clock`.
    pub role: &'static str,
    /// Hardware step of logical step 0 (of a clock: of its first spike).
    pub latency: u32,
    /// Number of neurons.
    pub neurons: u64,
    /// Number of cores that hold them.
    pub cores: u32,
    /// Synapses into it that were compared, zero weights left out.
    pub synapses: u64,
    /// Bounds over its neurons and all inputs; `None` for inputs.
    pub bounds: Option<Bounds>,
}

/// Bounds over all inputs of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// Sum of what arrives in one step. **Units**: weights.
    pub input_sum: Interval,
    /// Current. **Units**: membrane.
    pub u: Interval,
    /// Current plus static bias. **Units**: membrane.
    pub drive: Interval,
    /// Membrane, before the reset; of a graded relay, which has none, the drive again. **Units**:
    /// membrane.
    pub v: Interval,
    /// Messages of a graded relay, silence counting as 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Interval>,
}

impl Bounds {
    /// Bounds that hold for both.
    #[must_use]
    pub(super) fn hull(self, other: Self) -> Self {
        Self {
            input_sum: self.input_sum.hull(other.input_sum),
            u: self.u.hull(other.u),
            drive: self.drive.hull(other.drive),
            v: self.v.hull(other.v),
            message: match (self.message, other.message) {
                (Some(a), Some(b)) => Some(a.hull(b)),
                (a, b) => a.or(b),
            },
        }
    }
}

/// A closed interval of integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Interval {
    /// Smallest value.
    pub low: i64,
    /// Largest value.
    pub high: i64,
}

impl Interval {
    /// The smallest interval that holds both.
    fn hull(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}..={}", self.low, self.high))
    }
}

/// Sums over an artifact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Cores.
    pub cores: usize,
    /// Neurons and graded relays of the source network, inputs left out.
    pub neurons: u64,
    /// Input neurons.
    pub inputs: u64,
    /// Relay neurons, each proved to be a pure delay.
    pub relays: u64,
    /// Clock neurons, each proved to fire in its steps and no other.
    pub clocks: u64,
    /// Synapses compared one to one, relays' and clocks' included.
    pub synapses: u64,
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "certificate of \"{}\" on {}", self.name, self.target)?;
        writeln!(f, "  {}", self.statement)?;
        writeln!(
            f,
            "  {} logical steps, {} hardware steps each, run of {} steps",
            self.steps, self.period, self.run_steps
        )?;
        writeln!(
            f,
            "  {:<16} {:<8} {:>7} {:>9} {:>5} {:>11}  input sum, current, membrane",
            "population", "role", "latency", "neurons", "cores", "synapses"
        )?;
        for p in &self.populations {
            write!(
                f,
                "  {:<16} {:<8} {:>7} {:>9} {:>5} {:>11}",
                p.name, p.role, p.latency, p.neurons, p.cores, p.synapses
            )?;
            if let Some(b) = &p.bounds {
                write!(f, "  {}, {}, {}", b.input_sum, b.u, b.v)?;
                if let Some(message) = b.message {
                    write!(f, ", messages {message}")?;
                }
            }
            writeln!(f)?;
        }
        let t = &self.totals;
        write!(
            f,
            "  in all {} cores, {} neurons, {} inputs, {} relays, {} clock neurons, {} synapses",
            t.cores, t.neurons, t.inputs, t.relays, t.clocks, t.synapses
        )
    }
}
