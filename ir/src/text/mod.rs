//! The `.snn` text form of a draft: readable, and exact.
//!
//! `parse(print(draft)) == draft` for every draft of finite numbers: floats are printed as the
//! shortest decimal that reads back as the same value. Entities are called what they are called
//! everywhere else (`node3`, `pop1`, `mat0`), and numbered from 0 in the order of the file. White
//! space and line breaks only separate; `//` starts a comment that ends with the line. Braces hold
//! values, brackets extents.
//!
//! ```text
//! snn 1 network
//! name "one"
//! steps 4
//!
//! tensor0 "w" [1, 2] from dense "w" {
//!   0.5 -1.0
//! }
//! node0 "x" [2] = input() events
//! node1 "fc" [1] = linear(node0, node2@1) weight tensor0     // @1: one step ago
//! node2 "h" [1] = neuron(node1)
//!   tau 2.0
//!   threshold per_neuron { 1.0 }
//!   compare gt
//!   reset to 0.0
//!   v_init 0.0
//!   refractory 0
//!   order leak_input_fire
//!
//! readout spike_count node2
//! ```
//!
//! A network that was made from a graph in continuous time ends with a record of how time was cut into steps:
//!
//! ```text
//! discretization dialect snntorch dt 0.0001 time_unit s
//!   integration euler
//!   compare gt
//!   reset zero
//!   spikes_per_step one
//!   if_dialect literal
//!   loop_bias at-once
//! ```
//!
//! An integer network has `mat`, `pop`, `proj` and `host` entries and a line `time logical` or `time hardware
//! period 1 latency { 0 1 }`; a mapped network also a line `target "…"` and `core` entries.

mod parse;
mod print;
#[cfg(test)]
mod tests;

use crate::diag::Diagnostics;
use crate::level::AnyDraft;
use crate::mapped::MappedDraft;
use crate::network::NetworkDraft;
use crate::quantized::QuantizedDraft;

/// Version of the format that this library writes, and the only one it reads.
pub const VERSION: u32 = 1;

/// Prints a network.
pub fn print_network(draft: &NetworkDraft) -> String {
    print::Network(draft).to_string()
}

/// Prints an integer network.
pub fn print_quantized(draft: &QuantizedDraft) -> String {
    print::Quantized(draft).to_string()
}

/// Prints a mapped network.
pub fn print_mapped(draft: &MappedDraft) -> String {
    print::Mapped(draft).to_string()
}

/// Prints a draft of any level.
pub fn print(draft: &AnyDraft) -> String {
    match draft {
        AnyDraft::Network(draft) => print_network(draft),
        AnyDraft::Quantized(draft) => print_quantized(draft),
        AnyDraft::Mapped(draft) => print_mapped(draft),
    }
}

/// Reads the text form of any level. The draft is not verified: pass it to [`crate::Level::verify`].
///
/// Memory stays in proportion to the text, and nothing in the form nests.
///
/// # Errors
/// `SNN0150`–`SNN0153`, each with line and column: the text goes on after an entry that cannot be
/// read, so several are reported together.
pub fn parse(text: &str) -> Result<AnyDraft, Diagnostics> {
    parse::parse(text)
}
