//! From networks of every level to NIR graphs.
//!
//! A NIR graph is continuous in time and real-valued. What the levels know beyond that is said in two
//! ways: a [`Discretization`] that reads the graph back as the network it came from, kept as metadata of
//! the graph, and (for integers) a file of the level beside the graph, which the metadata names with its hash.
//! What NIR has no word for is refused by name.

mod builder;
mod invert;
mod network;
mod neuron;
mod ops;
mod quantized;

use super::graph::NirFile;
use super::tree::Tree;
use snnc_ir::network::Discretization;
use snnc_ir::network::discretization::{
    IfDialect, Integration, LoopBias, ResetRule, SpikesPerStep, TimeUnit,
};
use snnc_ir::network::Compare;
use snnc_ir::{Diagnostics, MappedNetwork, Network, QuantizedDraft};

/// Key of the discretization in the metadata of a graph: JSON.
pub const DISCRETIZATION: &str = "snnc_discretization";
/// Key of the file beside the graph that holds its integers.
pub const INTEGERS: &str = "snnc_integers";
/// Key of the blake3 hash of that file, hexadecimal.
pub const INTEGERS_HASH: &str = "snnc_integers_blake3";

/// Length of a step where the network does not know it: that of snnTorch and SpikingJelly.
pub const DEFAULT_DT: f64 = 1e-4;

/// A network as a NIR graph.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The graph.
    pub file: NirFile,
    /// What reads it back as it was.
    pub discretization: Discretization,
    /// What readers have to know.
    pub notes: Diagnostics,
}

/// A float network as a graph. `dt` is the length of a step in seconds, for networks that do not know it.
///
/// # Errors
/// `SNN0297`: everything that NIR has no word for.
pub fn export_network(network: &Network, dt: f64) -> Result<Exported, Diagnostics> {
    network::export(network, dt)
}

/// An integer network as a real-valued graph in units of its integers: without the truncation of the
/// integer contract, which the file named `beside` (name and blake3) holds.
///
/// # Errors
/// `SNN0297`: everything that NIR has no word for.
pub fn export_quantized(
    network: &QuantizedDraft,
    dt: f64,
    beside: (&str, &str),
) -> Result<Exported, Diagnostics> {
    quantized::export(network, dt, beside)
}
