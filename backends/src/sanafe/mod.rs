//! Two files for SANA-FE: the chip as an architecture, and the mapped network on it.
//!
//! SANA-FE is a simulator of chips that takes a network *and its mapping*: which core holds which neuron. So,
//! unlike `network.net`, this export keeps the cores. What its models compute is the integer contract where
//! currents have no memory (`du = 4095`): its membrane is ours divided by 64, in f64, cut to multiples of 1/64
//! toward zero after the leak. All numbers here are multiples of 1/64 below 2^17, so nothing is rounded.
//!
//! Nothing is written unless SANA-FE does the same as the program in every step; otherwise each population
//! that keeps it from that is named in a [`Diagnostic`](snnc_ir::Diagnostic). The page `docs/sanafe.md` states what the files say.
//!
//! **Format** (SANA-FE 2.2.9): `src/yaml_arch.cpp`, `src/yaml_snn.cpp`; models: `src/models.cpp`.

mod architecture;
mod check;
mod network;

use snnc_ir::arena::{Entity, PopId};
use snnc_ir::quantized::{Population, QuantizedDraft};
use snnc_ir::{Diagnostics, MappedNetwork, TargetSpec};

/// Name of the architecture in an artifact.
pub const ARCHITECTURE_FILE: &str = "sanafe-architecture.yaml";
/// Name of the mapped network in an artifact.
pub const NETWORK_FILE: &str = "sanafe-network.yaml";

/// Longest delay register of SANA-FE's dendrites: a spike arrives `1 + register` steps later.
pub const MAX_DELAY: u32 = 5;
/// Compartments of one soma or dendrite unit of SANA-FE.
pub const UNIT_COMPARTMENTS: u32 = 1024;
/// Synapses of a network, at most: the file lists them one by one.
pub const MAX_SYNAPSES: u64 = 1 << 22;

/// The two files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// [`ARCHITECTURE_FILE`].
    pub architecture: String,
    /// [`NETWORK_FILE`].
    pub network: String,
}

/// Writes both files.
///
/// # Errors
/// `SNN0650` to `SNN0653`: everything in the network that SANA-FE cannot say or would run differently.
pub fn export(network: &MappedNetwork, target: &TargetSpec) -> Result<Export, Diagnostics> {
    check::check(&network.network)?;
    let board = architecture::Board::of(network, target);
    Ok(Export { architecture: board.text(target), network: network::text(network, &board) })
}

/// Name of a population's group: `p`, its number, and its name in letters that SANA-FE does not read as syntax.
pub fn group(id: PopId, population: &Population) -> String {
    format!("p{}_{}", id.index(), plain(&population.name))
}

/// `text` with everything but letters and digits of ASCII as `_`.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// Input populations, in order.
fn inputs(network: &QuantizedDraft) -> impl Iterator<Item = (PopId, &Population)> {
    network.populations.iter().filter(|(_, p)| p.is_input())
}
