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
mod lower;
mod risp;
mod settings;
#[cfg(test)]
mod tests;

use crate::files;
use crate::findings::limited;
use crate::json::{self, Value};
use snnc_ir::diag::codes::internal;
use snnc_ir::{Diagnostic, Diagnostics, Level, QuantizedNetwork, Rules};
use std::path::Path;

/// Largest file that is read: 100,000 edges take about 10 MB.
const MAX_JSON: u64 = 256 << 20;

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

/// Whether the file at `path` is JSON with the fields of a TENNLab network. A file that cannot be read or parsed is none: its reader
/// says what is wrong.
pub fn is_tennlab(path: &Path) -> bool {
    let document = files::read(path, MAX_JSON).ok().and_then(|bytes| json::parse(&bytes).ok());
    document.is_some_and(|document| looks_like_it(&document))
}

fn looks_like_it(document: &Value) -> bool {
    let Value::Object(entries) = document else { return false };
    let has = |name: &str| entries.iter().any(|(key, _)| key == name);
    has("Nodes") && has("Edges") && !has("format")
}

/// Reads the TENNLab network at `path`. A run takes `steps` steps; without them, as many as the file says.
///
/// # Errors
/// `SNN01xx` if the file cannot be read or parsed, `SNN028x` and `SNN029x` if it is no network of RISP or does what no chip does.
/// All findings are reported together, each with its JSON path.
pub fn read_tennlab(path: &Path, steps: Option<u32>) -> Result<TennlabNetwork, Diagnostics> {
    let bytes = files::read(path, MAX_JSON)?;
    let file = path.display().to_string();
    let name =
        path.file_stem().map_or_else(|| "network".to_owned(), |s| s.to_string_lossy().into_owned());
    read_bytes(&bytes, &name, steps).map_err(|d| d.in_file(&file)).map(|mut read| {
        read.warnings = std::mem::take(&mut read.warnings).in_file(&file);
        read
    })
}

/// As [`read_tennlab`], from the bytes of the file; `name` is the network's.
fn read_bytes(bytes: &[u8], name: &str, steps: Option<u32>) -> Result<TennlabNetwork, Diagnostics> {
    let mut out = Diagnostics::new();
    let found = json::parse(bytes).map_err(|d| out.push(d)).ok().and_then(|value| {
        let document = document::read(&value, &mut out)?;
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
