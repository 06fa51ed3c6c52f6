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
mod resolved;
mod shapes;
mod store;
mod tensors;
mod weight;

pub(crate) use envelope::MAX_NODES;
pub(crate) use node::{EdgeSpec, NodeSpec, OpSpec, Population, Window};
pub(crate) use store::Store;
pub(crate) use tensors::name as tensor_name;
pub(crate) use weight::{BiasSpec, WeightKind, WeightSpec};

use crate::account::GenomeAccount;
use crate::findings::limited;
use crate::json::Value;
use crate::search::{self, RandomWeights, Unfolding};
use crate::{files, json};
use envelope::{GenomeFile, GraphSpec};
use snnc_ir::diag::codes::{genome as codes, internal};
use snnc_ir::{Diagnostic, Diagnostics, Level, Network, Rules};
use std::path::{Path, PathBuf};

/// Largest JSON part of a genome. It holds structure; bulk numbers are in the side-car file.
pub(crate) const MAX_JSON: u64 = 4 << 20;

/// A genome that was read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The network it means.
    pub network: Network,
    /// What is suspicious about it.
    pub warnings: Diagnostics,
    /// BLAKE3, in hexadecimal, of the bytes of the JSON file followed by those of the side-car
    /// file, if it has one, or by `random:SEED` if the weights are random.
    pub hash: String,
    /// The side-car file that was read, if it has one.
    pub sidecar: Option<PathBuf>,
    /// Stored genes against decoded weights.
    pub account: GenomeAccount,
    /// The cells of an architecture genome; `None` if the nodes stand in the file.
    pub unfolding: Option<Unfolding>,
}

/// How to read a genome.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadOptions {
    /// Weights for an architecture genome, which has none. A genome that has weights is refused
    /// with them.
    pub weights: Option<RandomWeights>,
}

/// Reads the genome at `path` and the side-car file that it names.
///
/// # Errors
/// `SNN01xx` if a file cannot be read or parsed, `SNN02xx` if it is not a genome of format 1.0 or
/// contradicts itself, `SNN03xx` if the network breaks a rule of the network level. All findings
/// that do not follow from others are reported together, each with its JSON path.
pub fn read_genome(path: &Path) -> Result<Loaded, Diagnostics> {
    read_genome_with(path, &ReadOptions::default())
}

/// As [`read_genome`], with options.
///
/// # Errors
/// As [`read_genome`].
pub fn read_genome_with(path: &Path, options: &ReadOptions) -> Result<Loaded, Diagnostics> {
    let (bytes, file) = open(path)?;
    let document = json::parse(&bytes).map_err(|d| d.in_file(&file))?;
    read_parsed(&bytes, &document, path, options)
}

/// As [`read_genome_with`], from a file that was read and parsed.
pub(crate) fn read_parsed(
    bytes: &[u8],
    document: &Value,
    path: &Path,
    options: &ReadOptions,
) -> Result<Loaded, Diagnostics> {
    let mut out = Diagnostics::new();
    let loaded = load(bytes, document, folder(path), options, &mut out);
    finish(loaded, out, &path.display().to_string())
}

/// As [`read_genome`], from the bytes of the JSON file. A side-car file is looked for in `folder`;
/// `file` is what findings call the JSON file.
///
/// # Errors
/// As [`read_genome`].
pub fn read_genome_bytes(json: &[u8], folder: &Path, file: &str) -> Result<Loaded, Diagnostics> {
    let document = json::parse(json).map_err(|d| d.in_file(file))?;
    let mut out = Diagnostics::new();
    let loaded = load(json, &document, folder, &ReadOptions::default(), &mut out);
    finish(loaded, out, file)
}

/// Unfolds the architecture genome at `path` without looking at its weights, which it need not have.
/// Returns what is suspicious about it, too.
///
/// # Errors
/// As [`read_genome`]; a genome whose nodes stand in the file has nothing to unfold.
pub fn unfold(path: &Path) -> Result<(Unfolding, Diagnostics), Diagnostics> {
    let (bytes, file) = open(path)?;
    let mut out = Diagnostics::new();
    let unfolding = unfold_bytes(&bytes, &mut out);
    complete(unfolding, out, &file)
}

/// The genome at `path` with all its nodes written out, as JSON text that reads back to the same
/// network if it stands in the same folder. An architecture genome becomes one of family `explicit`.
/// Returns what is suspicious about it, too.
///
/// # Errors
/// As [`read_genome`].
pub fn resolved(path: &Path) -> Result<(String, Diagnostics), Diagnostics> {
    let (bytes, file) = open(path)?;
    let mut out = Diagnostics::new();
    let text = resolve_bytes(&bytes, folder(path), &mut out);
    complete(text, out, &file)
}

fn open(path: &Path) -> Result<(Vec<u8>, String), Diagnostics> {
    Ok((files::read(path, MAX_JSON)?, path.display().to_string()))
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// A result without errors, and its warnings; all findings otherwise.
fn complete<T>(
    found: Option<T>,
    out: Diagnostics,
    file: &str,
) -> Result<(T, Diagnostics), Diagnostics> {
    let mut out = limited(out).in_file(file);
    match found {
        Some(found) if !out.has_errors() => Ok((found, out.take_warnings())),
        _ => {
            if !out.has_errors() {
                let message = "the genome was refused without a reason";
                out.push(Diagnostic::error(internal::PANIC, message).in_file(file));
            }
            Err(out)
        }
    }
}

fn finish(loaded: Option<Loaded>, out: Diagnostics, file: &str) -> Result<Loaded, Diagnostics> {
    let (mut loaded, warnings) = complete(loaded, out, file)?;
    loaded.warnings = warnings;
    Ok(loaded)
}

fn parse(bytes: &[u8], out: &mut Diagnostics) -> Option<(Value, GenomeFile)> {
    let document = json::parse(bytes).map_err(|d| out.push(d)).ok()?;
    let file = envelope::parse(&document, out)?;
    Some((document, file))
}

/// The nodes of a genome, and its cells if they were unfolded.
struct Graph {
    nodes: Vec<NodeSpec>,
    unfolding: Option<Unfolding>,
}

fn load(
    bytes: &[u8],
    document: &Value,
    folder: &Path,
    options: &ReadOptions,
    out: &mut Diagnostics,
) -> Option<Loaded> {
    let mut file = envelope::parse(document, out)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(bytes);
    let random = options.weights;
    let sidecar = file.tensors.as_ref().and_then(|t| t.file.as_ref());
    let sidecar = sidecar.map(|named| folder.join(&named.file.text));
    let (graph, store) = match file.graph.take()? {
        GraphSpec::Nodes(nodes) => {
            if random.is_some() {
                out.push(own_weights());
                return None;
            }
            let store =
                file.tensors.take().and_then(|spec| Store::open(spec, folder, &mut hasher, out));
            (Graph { nodes, unfolding: None }, store)
        }
        GraphSpec::Search(spec) => {
            let unfolded = unfold_file(&file, &spec, out);
            let store = match (random, file.has_tensors) {
                (None, true) => {
                    file.tensors.take().and_then(|spec| Store::open(spec, folder, &mut hasher, out))
                }
                (Some(_), true) => {
                    out.push(own_weights());
                    None
                }
                (None, false) => {
                    out.push(no_weights());
                    None
                }
                (Some(random), false) => {
                    hasher.update(format!("random:{}", random.seed).as_bytes());
                    unfolded
                        .as_ref()
                        .and_then(|(_, parts)| Store::random(random, &parts.needed, out))
                }
            };
            let (unfolding, mut parts) = unfolded?;
            if let Some(store) = &store {
                search::apply(&mut parts, unfolding.family, store, out);
            }
            // What does not fit would be found again, further away from its cause.
            if out.has_errors() {
                return None;
            }
            (Graph { nodes: parts.nodes, unfolding: Some(unfolding) }, store)
        }
    };
    let (draft, mut account) = build::build(&file, &graph.nodes, store, out)?;
    if random.is_some() {
        // Drawn, not stored.
        account.stored.clear();
    }
    let network = Network::verify(draft, &Rules::default()).map_err(|d| out.extend(d)).ok()?;
    let hash = hasher.finalize().to_hex().to_string();
    let unfolding = graph.unfolding;
    Some(Loaded { network, warnings: Diagnostics::new(), hash, sidecar, account, unfolding })
}

/// The cells and nodes of a searched network; needs the shape of the input and the classes.
fn unfold_file(
    file: &GenomeFile,
    spec: &search::CellsSpec,
    out: &mut Diagnostics,
) -> Option<(Unfolding, search::Parts)> {
    let classes = file.readout.as_ref()?.classes?;
    search::unfold(file.name.as_ref()?, spec, &file.input.as_ref()?.shape, classes, out)
}

fn unfold_bytes(bytes: &[u8], out: &mut Diagnostics) -> Option<Unfolding> {
    let (_, mut file) = parse(bytes, out)?;
    let GraphSpec::Search(spec) = file.graph.take()? else {
        let message = "the genome has nothing to unfold: its nodes stand in the file";
        out.push(Diagnostic::error(codes::NOT_ARCHITECTURE, message).at("$.kind"));
        return None;
    };
    unfold_file(&file, &spec, out).map(|(unfolding, _)| unfolding)
}

fn resolve_bytes(bytes: &[u8], folder: &Path, out: &mut Diagnostics) -> Option<String> {
    let (document, mut file) = parse(bytes, out)?;
    let (nodes, unfolded) = match file.graph.take()? {
        GraphSpec::Nodes(nodes) => (nodes, false),
        GraphSpec::Search(spec) => {
            let (unfolding, mut parts) = unfold_file(&file, &spec, out)?;
            if file.has_tensors {
                let mut hasher = blake3::Hasher::new();
                let store = Store::open(file.tensors.take()?, folder, &mut hasher, out)?;
                search::apply(&mut parts, unfolding.family, &store, out);
            }
            (parts.nodes, true)
        }
    };
    (!out.has_errors()).then(|| resolved::print(&document, &nodes, unfolded))
}

fn own_weights() -> Diagnostic {
    Diagnostic::error(codes::WEIGHTS, "random weights for a genome that has its own")
        .at("$.tensors")
        .help("leave the random weights out, or remove `tensors` from an architecture genome")
}

fn no_weights() -> Diagnostic {
    Diagnostic::error(codes::WEIGHTS, "the genome has no weights")
        .at("$")
        .note("without `tensors` it is an architecture genome: it can be inspected, not run")
        .help("name the state dict in `tensors`, or study it with random weights (--weights random:SEED)")
}
