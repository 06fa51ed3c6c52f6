//! What the bytes of `program.snnb` decode to: registers and tables of each core.
//!
//! This is the neutral, documented description of a chip's configuration. The writer and the
//! reader of the byte format live in the back ends and share no code; simulators and checkers work
//! on this type. Every number is a register value.

use crate::network::{Coding, Keep};
use crate::quantized::{Sign, Structure};
use crate::shape::Shape;
use serde::Serialize;

/// A decoded core-level program.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Program {
    /// Name of the network.
    pub name: String,
    /// Name of the target.
    pub target: String,
    /// Logical steps of one run.
    pub steps: u32,
    /// Hardware steps per logical step.
    pub period: u32,
    /// Hardware steps of one run.
    pub run_steps: u64,
    /// Symbol table: what compartments and inputs mean.
    pub populations: Vec<Symbol>,
    /// Pool of distinct matrices.
    pub matrices: Vec<PoolMatrix>,
    /// Routes of input spikes.
    pub inputs: Vec<InputRoute>,
    /// Cores.
    pub cores: Vec<ProgramCore>,
    /// What the host writes to bias registers before a run, sample by sample.
    pub host: Vec<HostMap>,
    /// How spike counts become scores.
    pub readout: ProgramReadout,
}

/// A population's entry in the symbol table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Symbol {
    /// Name.
    pub name: String,
    /// Shape; neurons are numbered row-major.
    pub shape: Shape,
    /// What it is for.
    pub role: SymbolRole,
    /// Hardware step of logical step 0.
    pub latency: u32,
}

/// What a population is for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum SymbolRole {
    /// Spikes come from outside, in hardware steps `P·t + latency`.
    Input(Coding),
    /// Neurons of the source network.
    Neurons,
    /// Claimed to repeat population `of`, `hops` steps later.
    Relay {
        /// Index of the population repeated.
        of: u32,
        /// Steps behind it.
        hops: u32,
    },
    /// Claimed to fire in steps `latency + k·P`, all neurons together.
    Clock,
}

/// A matrix of the pool.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PoolMatrix {
    /// Layout.
    pub structure: Structure,
    /// Stored mantissas.
    pub mantissa: Vec<i16>,
}

/// Input spikes of neurons `first..first + len` of an input population go to `len` consecutive
/// axons of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct InputRoute {
    /// Input population, index into [`Program::populations`].
    pub population: u32,
    /// First neuron.
    pub first: u32,
    /// Number of neurons.
    pub len: u32,
    /// Core.
    pub core: u32,
    /// First axon.
    pub axon: u32,
}

/// A current that a directly coded input feeds into a population: before a run the host adds
/// `rint(scale · Σ_i W[n][i] · x[i])` units of weight to the bias of neuron `n` (see
/// [`HostBias`](crate::quantized::HostBias) for the order of operations).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HostMap {
    /// The directly coded input, index into [`Program::populations`].
    pub input: u32,
    /// Population whose biases are written, index into [`Program::populations`].
    pub target: u32,
    /// Layout of `weights`.
    pub structure: Structure,
    /// Weights.
    pub weights: Vec<f32>,
    /// Units of weight per unit of current.
    pub scale: f64,
}

/// The registers and tables of one core.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProgramCore {
    /// Chip that holds the core.
    pub chip: u32,
    /// Compartment profiles.
    pub profiles: Vec<Profile>,
    /// Threshold mantissas; the threshold is `mantissa << 6`.
    pub thresholds: Vec<u32>,
    /// Synapse formats.
    pub formats: Vec<Format>,
    /// Compartments, run by run: the first run starts at compartment 0.
    pub compartments: Vec<CompartmentRun>,
    /// Number of input axons.
    pub axons: u32,
    /// Synapses.
    pub synapses: Vec<SynapseBlock>,
    /// Routes of the core's spikes.
    pub routes: Vec<Route>,
}

/// A compartment profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Profile {
    /// Current decay register.
    pub du: u16,
    /// Membrane decay register.
    pub dv: u16,
    /// Refractory register, 1 = none.
    pub refractory: u8,
    /// Amount (units of the membrane) subtracted by a spike; `None` = reset to 0. A programmable
    /// neuron's feature.
    pub subtract: Option<i32>,
    /// The neuron updates in steps `t ≡ phase (mod period)` and sums its input in between;
    /// `(1, 0)` = every step. Otherwise a programmable neuron's feature.
    pub update: (u32, u32),
    /// The compartment is a graded relay: it has no state, and sends what arrives plus its bias as
    /// a message (bias in units of the membrane, a multiple of 64). The other fields of the profile
    /// are then those of a neuron without memory: `du = dv = 4095`, `refractory = 1`, no `subtract`,
    /// `update = (1, 0)`; its threshold is not used.
    pub graded: Option<GradedMode>,
}

/// Which messages a graded relay sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum GradedMode {
    /// All that are not 0.
    All,
    /// Those of one sign.
    Keep(Keep),
}

/// A synapse format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Format {
    /// Weight exponent.
    pub exponent: i8,
    /// Sign mode.
    pub sign: Sign,
    /// Bits of a stored weight, 1..=6 or 8; every mantissa is a multiple of [`Sign::step`] of them.
    pub weight_bits: u8,
    /// Bits of a stored delay; 0 = no delay.
    pub delay_bits: u8,
}

/// Consecutive compartments with equal registers, which are consecutive neurons of a population.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CompartmentRun {
    /// Population, index into [`Program::populations`].
    pub population: u32,
    /// First neuron.
    pub first: u32,
    /// Number of neurons.
    pub len: u32,
    /// Index into [`ProgramCore::profiles`].
    pub profile: u32,
    /// Index into [`ProgramCore::thresholds`].
    pub threshold: u32,
    /// Bias mantissa; the bias is `mantissa << exponent`.
    pub bias_mantissa: i16,
    /// Bias exponent.
    pub bias_exponent: u8,
}

/// Synapses from consecutive axons to consecutive compartments: axon `axon + i` reaches compartment
/// `compartment + j` with mantissa `matrix[row + j][col + i]` where the matrix stores one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SynapseBlock {
    /// Index into [`ProgramCore::formats`].
    pub format: u32,
    /// Index into [`Program::matrices`].
    pub matrix: u32,
    /// Synaptic delay: a spike of step t arrives at `t + 1 + delay`.
    pub delay: u8,
    /// First axon.
    pub axon: u32,
    /// Number of axons.
    pub axons: u32,
    /// Matrix column of the first axon.
    pub col: u32,
    /// First compartment.
    pub compartment: u32,
    /// Number of compartments.
    pub compartments: u32,
    /// Matrix row of the first compartment.
    pub row: u32,
}

/// Spikes of compartments `compartment..compartment + len` go to `len` consecutive axons of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    /// First compartment.
    pub compartment: u32,
    /// Number of compartments.
    pub len: u32,
    /// Destination core.
    pub core: u32,
    /// First axon there.
    pub axon: u32,
}

/// How spike counts become scores.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum ProgramReadout {
    /// Spikes of one population (index into [`Program::populations`]).
    SpikeCount(u32),
    /// `score = bias + Σ_k W_k · count_k / steps` on the host, in f64.
    MeanLinear {
        /// Population and row-major `[classes, neurons]` weights of each term.
        terms: Vec<(u32, Vec<f32>)>,
        /// One per class.
        bias: Vec<f32>,
    },
}
