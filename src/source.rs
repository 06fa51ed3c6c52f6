//! Sources: genomes and files of any level, recognized by the end of their names.

use crate::files::{self, shown};
use snnc_frontend::nir::dialect::Choices;
use snnc_frontend::nir::lower::DelayEntry;
use snnc_frontend::tennlab::Placed;
use snnc_frontend::{GenomeAccount, JsonFile, RandomWeights, ReadOptions, Unfolding};
use snnc_ir::diag::codes::usage;
use snnc_ir::level::AnyDraft;
use snnc_ir::network::Discretization;
use snnc_ir::{
    Diagnostic, Diagnostics, Level, MappedNetwork, Network, QuantizedNetwork, Rules, binary, text,
};
use snnc_passes::AnyLevel;
use std::fmt;
use std::iter;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Kinds of files that hold a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// `.json`: a genome, or a network of the TENNLab framework.
    Genome,
    /// `.snn`: the text form of a level.
    Text,
    /// `.snnb`: the binary form of a level, or a program.
    Binary,
    /// `.nir`: a NIR graph or recording.
    Nir,
}

impl FileKind {
    /// The kind of file that `path` names.
    ///
    /// # Errors
    /// `SNN0803`.
    pub fn of(path: &Path) -> Result<Self, Diagnostic> {
        match path.extension().and_then(|e| e.to_str()) {
            Some("json") => Ok(Self::Genome),
            Some("snn") => Ok(Self::Text),
            Some("snnb") => Ok(Self::Binary),
            Some("nir") => Ok(Self::Nir),
            _ => Err(Diagnostic::error(
                usage::UNKNOWN_FILE_KIND,
                format!("{} has no known kind", shown(path)),
            )
            .in_file(shown(path))
            .note(
                "expected a name that ends in .json (genome or TENNLab network), .snn (text), .snnb (binary) \
                 or .nir (NIR graph)",
            )
            .help("rename the file, or name another one")),
        }
    }
}

/// Weights that are not those of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weights {
    /// Drawn from this seed; the same on every machine.
    Random(u64),
}

impl FromStr for Weights {
    type Err = String;

    /// `random:SEED`.
    fn from_str(text: &str) -> Result<Self, String> {
        let seed = text.strip_prefix("random:").and_then(|seed| seed.parse().ok());
        let expected =
            || "expected `random:SEED` with a whole number from 0 to 2^64 - 1".to_owned();
        seed.map(Self::Random).ok_or_else(expected)
    }
}

impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random(seed) => write!(f, "random:{seed}"),
        }
    }
}

/// What is said of a source beside its file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Given {
    /// Weights of a genome that has none.
    pub weights: Option<Weights>,
    /// Steps of a run, for a file that does not say so, or to be used instead.
    pub steps: Option<u32>,
    /// Steps of a run of what the source is compared with: what counts if `steps` is not given, where it could be.
    pub steps_alike: Option<u32>,
    /// How time is cut into steps, for a NIR graph.
    pub choices: Choices,
}

/// A verified network of any level, with its origin.
#[derive(Clone, Debug)]
pub struct Source {
    /// The network.
    pub level: AnyLevel,
    /// Kind of its file.
    pub kind: FileKind,
    /// blake3 of what was read, hexadecimal.
    pub hash: String,
    /// Stored genes and decoded weights, if it is a genome.
    pub account: Option<GenomeAccount>,
    /// What its genotype unfolds to, if it is a motif genome.
    pub unfolding: Option<Unfolding>,
    /// Where its nodes are, if it is a TENNLab network.
    pub places: Option<Vec<Placed>>,
    /// Delays in steps, if it is a NIR graph.
    pub delays: Vec<DelayEntry>,
    /// Where its weights come from, if not from the file.
    pub weights: Option<Weights>,
    /// The files that it was read from: a genome has a side-car, too.
    pub files: Vec<PathBuf>,
    /// Warnings of the reader.
    pub warnings: Diagnostics,
}

impl Source {
    /// Name of the network.
    pub fn name(&self) -> &str {
        match &self.level {
            AnyLevel::Network(n) => &n.name,
            AnyLevel::Quantized(q) => &q.name,
            AnyLevel::Mapped(m) => &m.network.name,
        }
    }

    /// Length of a step in the unit of time of its file, if it says so.
    pub fn dt(&self) -> Option<f64> {
        match &self.level {
            AnyLevel::Network(n) => n.discretization.as_ref().map(Discretization::step),
            AnyLevel::Quantized(_) | AnyLevel::Mapped(_) => None,
        }
    }

    /// `genome`, `TENNLab network` or the name of the level.
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            FileKind::Genome if self.places.is_some() => "TENNLab network",
            FileKind::Genome => "genome",
            FileKind::Nir => "NIR graph",
            FileKind::Text | FileKind::Binary => self.level.kind().name(),
        }
    }
}

/// Reads and verifies the network in `path`.
///
/// # Errors
/// `SNN0801`, `SNN0803`, `SNN0804`, `SNN0808` for the file, and what its reader and the verifier of
/// its level reject.
pub fn read(path: &Path) -> Result<Source, Diagnostics> {
    read_with(path, Given::default())
}

/// As [`read`], with what is given beside the file.
///
/// # Errors
/// As [`read`], and `SNN0810` where something is given that does not go with the file.
pub fn read_with(path: &Path, given: Given) -> Result<Source, Diagnostics> {
    let kind = FileKind::of(path)?;
    let Given { weights, steps, steps_alike, choices } = given;
    if kind == FileKind::Nir {
        if let Some(weights) = weights {
            return Err(own_weights(path, weights).into());
        }
        return crate::nir::network(path, steps.or(steps_alike), choices);
    }
    if !choices.is_empty() {
        return Err(conflict(
            path,
            "--dialect` or another option about time and `--dt",
            "NIR graphs",
        )
        .help("leave them out: the file says how its neurons compute")
        .into());
    }
    let json = if kind == FileKind::Genome {
        files::require(path)?;
        Some(JsonFile::read(path)?)
    } else {
        None
    };
    if let Some(json) = json.as_ref().filter(|json| json.is_tennlab()) {
        return tennlab_network(path, json, given);
    }
    if let Some(steps) = steps {
        return Err(conflict(path, &format!("--steps {steps}"), "NIR graphs and TENNLab networks")
            .help("leave `--steps` out: the file says how long a run is")
            .into());
    }
    if let Some(json) = json {
        let random = weights.map(|Weights::Random(seed)| RandomWeights { seed });
        let loaded = json.genome(&ReadOptions { weights: random })?;
        let mut warnings = loaded.warnings;
        if let Some(weights) = weights {
            warnings.push(
                Diagnostic::warning(
                    usage::RANDOM_WEIGHTS,
                    format!("the weights are random ({weights}): the network has learnt nothing"),
                )
                .in_file(shown(path)),
            );
        }
        return Ok(Source {
            level: AnyLevel::Network(loaded.network),
            kind,
            hash: loaded.hash,
            account: Some(loaded.account),
            unfolding: loaded.unfolding,
            places: None,
            delays: Vec::new(),
            weights,
            files: iter::once(path.to_path_buf()).chain(loaded.sidecar).collect(),
            warnings,
        });
    }
    if let Some(weights) = weights {
        return Err(own_weights(path, weights).into());
    }
    let (draft, hash) = read_draft(path)?;
    let level = verify(draft).map_err(|d| d.in_file(&shown(path)))?;
    let warnings = Diagnostics::new();
    let (account, unfolding, places) = (None, None, None);
    let delays = Vec::new();
    let files = vec![path.to_path_buf()];
    Ok(Source { level, kind, hash, account, unfolding, places, delays, weights, files, warnings })
}

/// Reads a network that was evolved for RISP.
fn tennlab_network(path: &Path, json: &JsonFile, given: Given) -> Result<Source, Diagnostics> {
    if let Some(weights) = given.weights {
        return Err(own_weights(path, weights).into());
    }
    let read = json.tennlab(given.steps.or(given.steps_alike))?;
    Ok(Source {
        level: AnyLevel::Quantized(read.network),
        kind: FileKind::Genome,
        hash: read.hash,
        account: None,
        unfolding: None,
        places: Some(read.places),
        delays: Vec::new(),
        weights: None,
        files: vec![path.to_path_buf()],
        warnings: read.warnings,
    })
}

/// An option that does not go with the file at `path`, but with others.
fn conflict(path: &Path, option: &str, others: &str) -> Diagnostic {
    let message = format!("`{option}` is for {others}, and {} is none", shown(path));
    Diagnostic::error(usage::CONFLICTING_OPTIONS, message).in_file(shown(path))
}

fn own_weights(path: &Path, weights: Weights) -> Diagnostic {
    conflict(path, &format!("--weights {weights}"), "genomes")
        .help("leave `--weights` out: the file holds the weights of its network")
}

/// Reads a `.snn` or `.snnb` file without verifying it. Returns the draft and the file's hash.
///
/// # Errors
/// `SNN0801`, `SNN0803`, `SNN0804`, `SNN0808` for the file, and syntax errors.
pub fn read_draft(path: &Path) -> Result<(AnyDraft, String), Diagnostics> {
    let in_file = |d: Diagnostics| d.in_file(&shown(path));
    let (draft, hash) = match FileKind::of(path)? {
        FileKind::Genome => {
            return Err(Diagnostic::error(
                usage::WRONG_LEVEL,
                format!("{} is a genome, not a file of a level", shown(path)),
            )
            .in_file(shown(path))
            .help("convert it first: `snnc convert GENOME -o FILE.snn`")
            .into());
        }
        FileKind::Nir => {
            return Err(Diagnostic::error(
                usage::WRONG_LEVEL,
                format!("{} is a NIR graph, not a file of a level", shown(path)),
            )
            .in_file(shown(path))
            .help("convert it first: `snnc convert GRAPH.nir --dialect NAME --steps N -o FILE.snn`")
            .into());
        }
        FileKind::Text => {
            let content = files::read_text(path, files::MAX_TEXT)?;
            (text::parse(&content).map_err(in_file)?, blake3::hash(content.as_bytes()))
        }
        FileKind::Binary => {
            let content = files::read(path, files::MAX_BINARY)?;
            (binary::decode(&content).map_err(in_file)?, blake3::hash(&content))
        }
    };
    Ok((draft, hash.to_hex().to_string()))
}

/// Seals a draft of any level.
///
/// # Errors
/// All rules that it breaks.
pub fn verify(draft: AnyDraft) -> Result<AnyLevel, Diagnostics> {
    let rules = Rules::default();
    Ok(match draft {
        AnyDraft::Network(d) => AnyLevel::Network(Network::verify(d, &rules)?),
        AnyDraft::Quantized(d) => AnyLevel::Quantized(QuantizedNetwork::verify(d, &rules)?),
        AnyDraft::Mapped(d) => AnyLevel::Mapped(MappedNetwork::verify(d, &rules)?),
    })
}
