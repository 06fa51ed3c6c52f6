//! From networks of every level to NIR graphs.
//!
//! A NIR graph is continuous in time and real-valued. What the levels know beyond that is said in two
//! ways: a [`Discretization`] that reads the graph back as the network it came from, kept as metadata of
//! the graph, and (for integers) a file of the level beside the graph, which the metadata names with its hash.
//! What NIR has no word for is refused by name.

mod builder;
mod choices;
mod invert;
mod network;
mod neuron;
mod ops;
mod quantized;
mod wiring;

use super::graph::NirFile;
use snnc_ir::diag::codes::nir_export;
use snnc_ir::network::Discretization;
use snnc_ir::quantized::QuantizedDraft;
use snnc_ir::{Diagnostic, Diagnostics, Network};
use std::path::Path;

/// Key of the discretization in the metadata of a graph: JSON.
pub(super) const DISCRETIZATION: &str = "snnc_discretization";
/// Key of the steps of a run: a number.
pub(super) const STEPS: &str = "snnc_steps";
/// Key of the file beside the graph that holds its integers.
pub(super) const INTEGERS: &str = "snnc_integers";
/// Key of the blake3 hash of that file, hexadecimal.
pub(super) const INTEGERS_HASH: &str = "snnc_integers_blake3";

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

/// An integer network as a real-valued graph in units of its weights: without the truncation of the integer
/// contract. The metadata names the file `beside` (name, and blake3 in hexadecimal) that holds the integers. `dt` is
/// the length of a step in seconds; of networks in hardware time, a step of the chip.
///
/// # Errors
/// `SNN0297`: everything that NIR has no word for.
pub fn export_integers(
    network: &QuantizedDraft,
    dt: f64,
    beside: (&str, &str),
) -> Result<Exported, Diagnostics> {
    quantized::export(network, dt, beside)
}

/// A file of integers beside a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integers {
    /// Its name, in the folder of the graph.
    pub name: String,
    /// blake3, hexadecimal.
    pub hash: String,
}

/// The file of integers that a graph names.
///
/// # Errors
/// `SNN0299` if what the metadata says is no name of a file in the same folder.
pub fn integers(file: &NirFile) -> Result<Option<Integers>, Diagnostics> {
    let metadata = &file.root.metadata;
    if !metadata.entries.contains_key(INTEGERS) {
        return Ok(None);
    }
    let name = metadata.text(INTEGERS).unwrap_or_default();
    let plain = !name.contains(['/', '\\']);
    let plain = plain && Path::new(name).extension().is_some_and(|e| e == "snnb");
    match metadata.text(INTEGERS_HASH) {
        Some(hash) if plain => Ok(Some(Integers { name: name.to_owned(), hash: hash.to_owned() })),
        _ => Err(Diagnostic::error(
            nir_export::EXPORT_INTEGERS,
            format!("the metadata names {} as integers", crate::json::quote(name)),
        )
        .at("/node/metadata")
        .note("expected the name of an .snnb file in the folder of the graph, and its hash")
        .help("remove both keys from the metadata to read the graph alone")
        .into()),
    }
}

/// The discretization that a graph was written with; `None` if it says nothing.
///
/// # Errors
/// `SNN0298` if what it says is none.
pub fn discretization(file: &NirFile) -> Result<Option<Discretization>, Diagnostics> {
    let metadata = &file.root.metadata;
    if !metadata.entries.contains_key(DISCRETIZATION) {
        return Ok(None);
    }
    serde_json::from_str(metadata.text(DISCRETIZATION).unwrap_or_default()).map(Some).map_err(|e| {
        Diagnostic::error(
            nir_export::EXPORT_READING,
            format!("the metadata `{DISCRETIZATION}` is no discretization: {e}"),
        )
        .at("/node/metadata")
        .help("remove the key from the metadata, and say how to read the graph")
        .into()
    })
}

/// The steps of a run that a graph was written with; `None` if it says nothing.
///
/// # Errors
/// `SNN0298` if what it says is no number of steps.
pub fn steps(file: &NirFile) -> Result<Option<u32>, Diagnostics> {
    let metadata = &file.root.metadata;
    if !metadata.entries.contains_key(STEPS) {
        return Ok(None);
    }
    let steps = metadata.text(STEPS).and_then(|t| t.parse().ok()).filter(|&n| n > 0);
    steps.map(Some).ok_or_else(|| {
        Diagnostic::error(
            nir_export::EXPORT_READING,
            format!("the metadata `{STEPS}` is no number of steps"),
        )
        .at("/node/metadata")
        .help("remove the key from the metadata, and give `--steps`")
        .into()
    })
}
