//! What the bytes of `program.snnb` decode to: registers and tables of each core.
//!
//! This is the neutral, documented description of a chip's configuration. The writer and the
//! reader of the byte format live in the back ends and share no code; simulators and checkers work
//! on this type. Every number is a register value.

use crate::network::{Coding, Keep};
use crate::order::Order;
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
    /// Pool of distinct arrays of mantissas; a matrix names one, and many may name the same.
    pub values: Vec<Vec<i16>>,
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
    /// Channels per block of the order in which its neurons lie on cores; 1 = row-major.
    pub block: u32,
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

impl Symbol {
    /// The order in which its neurons lie on cores: runs and routes count positions in it.
    pub fn order(&self) -> Order {
        Order::new(&self.shape, self.block)
    }
}

/// A matrix of the pool. Its structure numbers rows and columns as neurons; blocks name them by their
/// positions in an order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct PoolMatrix {
    /// Layout of the stored mantissas, by neuron numbers.
    pub structure: Structure,
    /// The stored mantissas, index into [`Program::values`].
    pub values: u32,
    /// Order of the rows.
    pub rows: Layout,
    /// Order of the columns.
    pub cols: Layout,
}

impl PoolMatrix {
    /// Order of the rows, of which a sound matrix has `structure.rows()`.
    pub fn row_order(&self) -> Order {
        self.rows.order(self.structure.rows())
    }

    /// Order of the columns.
    pub fn col_order(&self) -> Order {
        self.cols.order(self.structure.cols())
    }
}

/// An order of the rows or columns of a matrix: channels of `places` neurons each, in blocks of `block`
/// channels (see [`Order`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Layout {
    /// Neurons per channel.
    pub places: u32,
    /// Channels per block.
    pub block: u32,
}

impl Layout {
    /// Positions are neuron numbers.
    pub const ROW_MAJOR: Self = Self { places: 1, block: 1 };

    /// The order of a population of this shape in blocks of `block` channels, in its one form.
    pub fn of(shape: &Shape, block: u32) -> Self {
        let order = Order::new(shape, block);
        let places = u32::try_from(shape.per_channel()).unwrap_or(u32::MAX);
        if order.is_row_major() { Self::ROW_MAJOR } else { Self { places, block } }
    }

    /// The order of `count` neurons.
    pub fn order(self, count: usize) -> Order {
        let channels = u32::try_from(count).unwrap_or(u32::MAX) / self.places.max(1);
        Order::new(&Shape(vec![channels, self.places]), self.block)
    }
}

/// Input spikes of positions `first..first + len` of an input population go to `len` consecutive
/// axons of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct InputRoute {
    /// Input population, index into [`Program::populations`].
    pub population: u32,
    /// Position of the first neuron.
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
    /// Layout of `weights`, by neuron numbers.
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
    /// Which of the chip's cores it is: row-major on the chip's mesh, from 0.
    pub cell: u32,
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
    /// The compartment is a graded relay: it has no state, and sends what arrives plus its bias,
    /// shifted to the right, as a message (bias in units of the membrane, a multiple of 64). The other fields of the profile
    /// are then those of a neuron without memory: `du = dv = 4095`, `refractory = 1`, no `subtract`,
    /// `update = (1, 0)`; its threshold is not used.
    pub graded: Option<GradedMode>,
    /// Lowest membrane, at most 0; `None` = there is none. A graded relay has none.
    pub floor: Option<i32>,
}

/// Which messages a graded relay sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct GradedMode {
    /// The sign that passes; `None` = both.
    pub keep: Option<Keep>,
    /// Bits by which the sum is shifted to the right, rounded down, before it is sent; 0..=31.
    pub shift: u8,
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

/// Consecutive compartments that hold consecutive positions of a population. Their registers repeat:
/// compartment `i` of the run has those of entry `i mod c` of the cycle of length `c`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CompartmentRun {
    /// Population, index into [`Program::populations`].
    pub population: u32,
    /// Position of the first neuron.
    pub first: u32,
    /// Number of neurons.
    pub len: u32,
    /// Registers of the first compartments, at least one and at most `len`; then they repeat.
    pub cycle: Vec<Registers>,
}

impl CompartmentRun {
    /// Registers of compartment `index` of the run, which is not empty.
    pub fn registers(&self, index: u32) -> &Registers {
        &self.cycle[index as usize % self.cycle.len()]
    }
}

/// Registers of one compartment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Registers {
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
/// `compartment + j` with the mantissa that the matrix stores, if any, in the row at position `row + j` and the
/// column at position `col + i`.
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
    /// Position of the first axon's column in the matrix's order of columns.
    pub col: u32,
    /// First compartment.
    pub compartment: u32,
    /// Number of compartments.
    pub compartments: u32,
    /// Position of the first compartment's row in the matrix's order of rows.
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
