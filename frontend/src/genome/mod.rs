//! The genome format, version 1.0 (see `docs/genome-format.md`).
//!
//! [`envelope`] and its parts turn JSON into a [`GenomeFile`](envelope::GenomeFile) of typed values
//! whose names are not looked up yet; [`build`] looks them up, decodes the weights and infers shapes.
//! Both go on after an error, so that one run reports everything that is wrong.

mod assemble;
mod build;
mod check;
mod decode;
mod envelope;
mod genes;
mod graph;
mod neuron;
mod node;
mod pool;
mod shapes;
mod store;
mod tensors;
mod weight;

use crate::account::GenomeAccount;
use crate::{files, json};
use snnc_ir::diag::codes::{genome as codes, internal};
use snnc_ir::{Diagnostic, Diagnostics, Level, Network, Rules, Severity};
use std::path::Path;

/// Largest JSON part of a genome. It holds structure; bulk numbers are in the side-car file.
const MAX_JSON: u64 = 4 << 20;
/// Most findings that are reported.
const MAX_REPORTED: usize = 100;

/// A genome that was read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The network it means.
    pub network: Network,
    /// What is suspicious about it.
    pub warnings: Diagnostics,
    /// BLAKE3, in hexadecimal, of the bytes of the JSON file followed by those of the side-car
    /// file, if it has one.
    pub hash: String,
    /// Stored genes against decoded weights.
    pub account: GenomeAccount,
}

/// Reads the genome at `path` and the side-car file that it names.
///
/// # Errors
/// `SNN01xx` if a file cannot be read or parsed, `SNN02xx` if it is not a genome of format 1.0 or
/// contradicts itself, `SNN03xx` if the network breaks a rule of the network level. All findings
/// that do not follow from others are reported together, each with its JSON path.
pub fn read_genome(path: &Path) -> Result<Loaded, Diagnostics> {
    let bytes = files::read(path, MAX_JSON)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    read_genome_bytes(&bytes, folder, &path.display().to_string())
}

/// As [`read_genome`], from the bytes of the JSON file. A side-car file is looked for in `folder`;
/// `file` is what findings call the JSON file.
///
/// # Errors
/// As [`read_genome`].
pub fn read_genome_bytes(json: &[u8], folder: &Path, file: &str) -> Result<Loaded, Diagnostics> {
    let mut out = Diagnostics::new();
    let loaded = load(json, folder, &mut out);
    let mut out = limited(out).in_file(file);
    match loaded {
        Some(mut loaded) if !out.has_errors() => {
            loaded.warnings = out.take_warnings();
            Ok(loaded)
        }
        _ => {
            if !out.has_errors() {
                let message = "the genome was refused without a reason";
                out.push(Diagnostic::error(internal::PANIC, message).in_file(file));
            }
            Err(out)
        }
    }
}

fn load(bytes: &[u8], folder: &Path, out: &mut Diagnostics) -> Option<Loaded> {
    let document = json::parse(bytes).map_err(|d| out.push(d)).ok()?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(bytes);
    let file = envelope::parse(&document, out)?;
    let (draft, account) = build::build(file, folder, &mut hasher, out)?;
    let network = Network::verify(draft, &Rules::default()).map_err(|d| out.extend(d)).ok()?;
    let hash = hasher.finalize().to_hex().to_string();
    Some(Loaded { network, warnings: Diagnostics::new(), hash, account })
}

/// The first findings, errors before warnings, none twice (a neuron with a wrong tensor is found
/// wrong at each node that uses it). A broken file may have thousands.
fn limited(out: Diagnostics) -> Diagnostics {
    let (errors, rest): (Vec<_>, Vec<_>) =
        out.into_iter().partition(|d| d.severity == Severity::Error);
    let mut kept: Vec<Diagnostic> = Vec::new();
    let mut more = 0_usize;
    for d in errors.into_iter().chain(rest) {
        if kept.len() == MAX_REPORTED {
            more += 1;
        } else if !kept.contains(&d) {
            kept.push(d);
        }
    }
    if more > 0 {
        let message = format!("up to {more} more findings are not shown");
        kept.push(Diagnostic::note_only(codes::LIMIT, message));
    }
    kept.into_iter().collect()
}
