//! `network.net`: the hardware-time network as a NetX HDF5 file, which Intel's lava-dl loads.
//!
//! NetX knows chains of layers. A network that is one (each population has one projection in and
//! at most one out, from a single input) becomes a chain of `dense` and `conv` layers. Any other
//! network becomes one layer that holds all neurons, `dense_rec`, or `dense` if no neuron has a
//! synapse to another. Cores do not appear.
//!
//! A NetX file has no place for much of what a program can say, and its loader changes weights
//! that it does not like. Nothing is written unless the loader, whose arithmetic is repeated here,
//! gives back exactly the network in registers that the target has; otherwise the reason is a [`Diagnostic`].
//!
//! **Format** (lava-dl 0.6.0, `netx/hdf5.py`): groups `layer/<i>` of datasets, no attributes. Weights,
//! biases and delays are float32, extents and parameters of neurons int64; arrays of parameters of a
//! layer of three extents are ordered (width, height, channel).

mod chain;
mod file;
mod flat;
mod layers;
mod loader;
mod neurons;
mod registers;

use layers::Layer;
pub use snnc_certify::netx::{Layout, Part};
use snnc_ir::diag::codes::artifact;
use snnc_ir::quantized::QuantizedDraft;
use snnc_ir::{Diagnostic, MappedNetwork, TargetSpec};

/// Weights of a matrix that has to be expanded for the file, at most: 64 MiB of float32.
pub const MAX_EXPANDED: usize = 1 << 24;

/// A NetX file and where the populations lie in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The HDF5 file.
    pub bytes: Vec<u8>,
    /// Where the populations lie.
    pub layout: Layout,
}

/// Layers of the file, and where the populations lie in them.
struct Plan {
    layers: Vec<Layer>,
    layout: Layout,
}

/// Writes the file.
///
/// # Errors
/// Why NetX cannot express the network for this target.
pub fn write(network: &MappedNetwork, target: &TargetSpec) -> Result<Vec<u8>, Diagnostic> {
    export(network, target).map(|export| export.bytes)
}

/// Where the populations lie in the file.
///
/// # Errors
/// As [`write()`].
pub fn layout(network: &MappedNetwork, target: &TargetSpec) -> Result<Layout, Diagnostic> {
    plan(&network.network, target).map(|plan| plan.layout)
}

/// Writes the file and says where the populations lie in it.
///
/// # Errors
/// As [`write()`].
pub fn export(network: &MappedNetwork, target: &TargetSpec) -> Result<Export, Diagnostic> {
    let Plan { layers, layout } = plan(&network.network, target)?;
    let bytes = file::write(&layers).map_err(|e| {
        Diagnostic::error(artifact::NETX_WRITE, format!("the HDF5 writer failed: {e}"))
    })?;
    Ok(Export { bytes, layout })
}

fn plan(network: &QuantizedDraft, target: &TargetSpec) -> Result<Plan, Diagnostic> {
    let plan = layers(network)?;
    registers::check(&plan, target)?;
    Ok(plan)
}

fn layers(network: &QuantizedDraft) -> Result<Plan, Diagnostic> {
    neurons::no_messages(network)?;
    let inputs = network.populations.values().filter(|p| p.is_input()).count();
    if inputs == 0 || network.projections.is_empty() {
        return Err(Diagnostic::error(
            artifact::NETX_SHAPE,
            "a NetX file needs an input and at least one synapse",
        ));
    }
    neurons::check(network)?;
    let Some(stages) = chain::stages(network) else {
        return flat::plan(network);
    };
    chain::plan(network, &stages).or_else(|why| {
        // One layer of all neurons may still do; if not, the chain's reason is the one that helps.
        flat::plan(network).map_err(|also| {
            why.note(format!("as a single layer of all neurons neither: {}", also.message))
        })
    })
}
