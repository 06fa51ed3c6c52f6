//! Networks of the TENNLab framework, evolved for the RISP processor (see `docs/tennlab.md`).
//!
//! ```text
//! JSON ─ document ─ risp ─ lower ─ QuantizedNetwork
//!        fields      integers       populations in logical time
//! ```
//!
//! RISP computes in whole numbers, so nothing is quantized: the integers that come out fire exactly as the network does where it
//! was evolved. What they cannot do is refused, neuron by neuron.

mod document;
mod forms;
mod lower;
mod risp;
mod settings;
#[cfg(test)]
mod tests;

use crate::findings::limited;
use crate::json::Value;
use snnc_ir::diag::codes::internal;
use snnc_ir::{Diagnostic, Diagnostics, Level, QuantizedNetwork, Rules};
use std::path::Path;

/// Largest file that is read: 100,000 edges take about 10 MB.
pub(crate) const MAX_JSON: u64 = 256 << 20;

/// A TENNLab network that was read.
#[derive(Clone, Debug)]
pub struct TennlabNetwork {
    /// The network in integers and logical time.
    pub network: QuantizedNetwork,
    /// What is suspicious about the file.
    pub warnings: Diagnostics,
    /// BLAKE3 of the file, in hexadecimal.
    pub hash: String,
    /// Where each node went, by ascending id.
    pub places: Vec<Placed>,
}

/// A node of the file, and where it is in the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Id in the file.
    pub id: u32,
    /// Name of the population.
    pub population: &'static str,
    /// Neuron of the population.
    pub neuron: usize,
}

/// Whether a document has the fields of a TENNLab network.
pub(crate) fn is_tennlab(document: &Value) -> bool {
    let Value::Object(entries) = document else { return false };
    let has = |name: &str| entries.iter().any(|(key, _)| key == name);
    has("Nodes") && has("Edges") && !has("format")
}

/// The TENNLab network in a file that was read and parsed. A run takes `steps` steps; without them, as many as the file says.
///
/// # Errors
/// `SNN028x` and `SNN029x` if it is no network of RISP or does what no chip does. All findings are reported together, each with its
/// JSON path.
pub(crate) fn read_parsed(
    bytes: &[u8],
    document: &Value,
    path: &Path,
    steps: Option<u32>,
) -> Result<TennlabNetwork, Diagnostics> {
    let file = path.display().to_string();
    let name = path.file_stem().map_or_else(|| "network".into(), |stem| stem.to_string_lossy());
    let mut read = read(bytes, document, &name, steps).map_err(|d| d.in_file(&file))?;
    read.warnings = read.warnings.in_file(&file);
    Ok(read)
}

/// As [`read_parsed`]; `name` is the network's.
fn read(
    bytes: &[u8],
    document: &Value,
    name: &str,
    steps: Option<u32>,
) -> Result<TennlabNetwork, Diagnostics> {
    let mut out = Diagnostics::new();
    let found = document::read(document, &mut out).and_then(|document| {
        let risp = risp::Risp::new(&document, &mut out)?;
        let steps = risp::steps(&document, steps, &mut out);
        // Without steps, for what else is wrong.
        let (draft, places) = lower::lower(&risp, name, steps.unwrap_or(1), &mut out)?;
        steps?;
        let network =
            QuantizedNetwork::verify(draft, &Rules::default()).map_err(|d| out.extend(d)).ok()?;
        Some((network, places))
    });
    let mut out = limited(out);
    match found {
        Some((network, places)) if !out.has_errors() => {
            let hash = blake3::hash(bytes).to_hex().to_string();
            Ok(TennlabNetwork { network, warnings: out.take_warnings(), hash, places })
        }
        _ => {
            if !out.has_errors() {
                let message = "the network was refused without a reason";
                out.push(Diagnostic::error(internal::PANIC, message));
            }
            Err(out)
        }
    }
}
