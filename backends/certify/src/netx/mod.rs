//! Reads `network.net` and proves that it is the source network, too.
//!
//! The file is decoded after its page, `docs/netx.md`: HDF5 by a
//! library, everything above it here (`file`). What Intel's loader does to weights is repeated (`loader`), by its
//! effect and not by what the writer avoids. The layers that come out are written down as a program of one
//! core without limits of size (`flat`), in which a population lies where the layout puts it, and that program goes through the
//! same comparison as `program.snnb`: bijection, parameters, synapses, delays, biases, relays, clocks, schedule, ranges.
//!
//! Symbols (roles, latencies, period) are those of the program that comes with the file.

mod file;
mod flat;
mod loader;

use crate::Merge;
use serde::{Deserialize, Serialize};
use snnc_ir::program::Program;
use snnc_ir::{Diagnostics, QuantizedNetwork, TargetSpec};

/// Where populations lie in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// Input populations: columns of the file's input, layer 0.
    pub inputs: Vec<Part>,
    /// Populations of neurons, relays and clocks included, in the order of the network.
    pub populations: Vec<Part>,
}

/// All neurons of one population: neurons `first..first + len` of a layer, row-major.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Name of the population.
    pub population: String,
    /// The `i` of `layer/<i>`.
    pub layer: usize,
    /// Position of its first neuron in the layer.
    pub first: usize,
    /// Number of its neurons.
    pub len: usize,
}

/// A decoded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Netx {
    /// The groups `layer/0`, `layer/1`, …
    pub layers: Vec<Layer>,
}

/// One group `layer/<i>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Extents of the input.
    Input {
        /// One extent, or channels, rows and columns.
        shape: Vec<u32>,
    },
    /// The next dense layer numbers its sources by channel, row and column.
    Flatten,
    /// Neurons, and the synapses into them.
    Neurons(Box<Neurons>),
}

/// A layer of type `dense`, `dense_rec` or `conv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neurons {
    /// Extents of the neurons: one, or channels, rows and columns.
    pub shape: Vec<u32>,
    /// What drives them.
    pub synapses: Synapses,
    /// `iDecay`: the current decay register plus 1.
    pub current_decay: Numbers,
    /// `vDecay`: the membrane decay register.
    pub membrane_decay: Numbers,
    /// `vThMant`: the threshold over 64.
    pub threshold: Numbers,
    /// Bias over 64, if any is not 0.
    pub bias: Option<Numbers>,
}

/// Synapses into the neurons of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Synapses {
    /// A weight per pair of neurons.
    Dense {
        /// `[neurons, sources]`.
        weight: Numbers,
        /// `[neurons, neurons]`, from the layer to itself.
        recurrent: Option<Numbers>,
        /// Steps beyond the next one: one for all, or `[neurons, sources]`.
        delay: Option<Numbers>,
    },
    /// A kernel.
    Conv {
        /// `[out channels, in channels / groups, rows, columns]`.
        weight: Numbers,
        /// Vertical and horizontal.
        stride: [u32; 2],
        /// Rows added above and below, columns added left and right.
        padding: [u32; 2],
        /// Groups of channels.
        groups: u32,
    },
}

/// A dataset of integers, row-major; a scalar has no extents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Extents.
    pub shape: Vec<usize>,
    /// Values, as many as the extents say.
    pub values: Vec<i32>,
}

/// Proof that a NetX file computes the source network of an artifact, for all inputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NetxCertificate {
    /// What was proved, in words.
    pub statement: String,
    /// Layers of the file.
    pub layers: usize,
    /// Synapses compared, as in the totals of an artifact.
    pub synapses: u64,
    /// Where the populations lie.
    pub layout: Layout,
}

/// Decodes a file.
///
/// # Errors
/// `SNN0636` at the first group or dataset that is not as `docs/netx.md` says.
pub fn read(bytes: &[u8]) -> Result<Netx, Diagnostics> {
    file::read(bytes).map_err(|d| Diagnostics::from(*d))
}

/// The file, as NetX loads it, as a program of one core, whose populations are called as in `symbols`: what
/// [`certify`] compares, and what a simulator of programs can run.
///
/// # Errors
/// `SNN0637` if the layers do not fit each other or the layout, or the loader would change their weights.
pub fn as_program(netx: &Netx, layout: &Layout, symbols: &Program) -> Result<Program, Diagnostics> {
    flat::program(netx, layout, symbols).map_err(|d| Diagnostics::from(*d))
}

/// Proves that `netx`, as NetX loads it, computes `source`, for all inputs; `program` is the certified
/// program that comes with it.
///
/// Two synapses of one delay between the same neurons are one here: the file holds their sum.
///
/// # Errors
/// `SNN0637` as [`as_program`]; else what differs, as [`crate::certify`].
pub fn certify(
    source: &QuantizedNetwork,
    program: &Program,
    netx: &Netx,
    layout: &Layout,
    target: &TargetSpec,
) -> Result<NetxCertificate, Diagnostics> {
    let flat = as_program(netx, layout, program)?;
    let proved = crate::prove(source, &flat, &unlimited(target), Merge::Sums)?;
    let layers = netx.layers.len();
    Ok(NetxCertificate {
        statement: format!(
            "NetX loads network.net as {layers} layers. If Lava's step 1 is hardware step 0, the \
             neurons at the places that the layout gives fire as the compartments of the program do, \
             so that the statement of this certificate holds for them, too."
        ),
        layers,
        synapses: proved.totals.synapses,
        layout: layout.clone(),
    })
}

/// The target without limits of size: NetX knows no cores. What registers hold stays as it is.
fn unlimited(target: &TargetSpec) -> TargetSpec {
    let mut target = target.clone();
    for limit in [
        &mut target.compartments,
        &mut target.input_axons,
        &mut target.output_axons,
        &mut target.synapse_words,
        &mut target.profiles,
        &mut target.thresholds,
        &mut target.formats,
    ] {
        limit.value = i64::MAX;
    }
    target
}
