//! `snnc convert`: between genome, text, binary and JSON forms.

use super::GivenArgs;
use super::output::Reply;
use crate::files::{self, shown};
use crate::nir::Contents;
use crate::nir_export::write_as_nir;
use crate::recipe::{self, is_recipe};
use crate::source::{self, FileKind, Given};
use clap::{Args, ValueEnum};
use serde::Serialize;
use snnc_backends::program;
use snnc_frontend::nir::Compat;
use snnc_frontend::nir::dialect::Choices;
use snnc_ir::diag::codes::usage;
use snnc_ir::level::AnyDraft;
use snnc_ir::{Diagnostic, Diagnostics, Level, Recipe, binary, text};
use snnc_passes::AnyLevel;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct ConvertArgs {
    /// Genome (.json), text form (.snn), binary form (.snnb), program (.snnb), recipe (.snnb, .json) or
    /// NIR graph or recording (.nir).
    input: PathBuf,
    #[command(flatten)]
    given: GivenArgs,
    /// File to write: .snn, .snnb or .nir, or .json for a program, a recipe, and with `--emit`.
    #[arg(long, short, value_name = "FILE", required_unless_present = "emit")]
    output: Option<PathBuf>,
    /// Another form of a genome, a program or a recipe; without `--output` it is printed.
    #[arg(long, value_name = "FORM")]
    emit: Option<Emit>,
    /// Version of the `nir` package that is to read the output [default: 1.0.8].
    #[arg(long, value_name = "VERSION", value_parser = Compat::ALL.map(Compat::name))]
    nir_compat: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Emit {
    /// A motif genome as the list of nodes that it unfolds to.
    Resolved,
    /// A program or a recipe as JSON.
    Json,
}

/// Report of `snnc convert`.
#[derive(Debug, Serialize)]
pub(super) struct ConvertReport {
    /// What was read: `genome`, the level, `program`, or `recipe`.
    from: &'static str,
    /// File written.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    /// The other form of the genome, if no file was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved: Option<serde_json::Value>,
    /// The program or the recipe, if no file was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    json: Option<serde_json::Value>,
}

impl ConvertReport {
    const fn new(from: &'static str, output: Option<String>) -> Self {
        Self { from, output, resolved: None, json: None }
    }
}

pub(super) fn run(args: &ConvertArgs) -> Result<Reply<ConvertReport>, Diagnostics> {
    let kind = FileKind::of(&args.input)?;
    if kind == FileKind::Nir && writes_nir(args) {
        args.given.refuse_for("a NIR graph that is written as one")?;
        return nir(args);
    }
    let to_nir = args.output.as_deref().map(FileKind::of).transpose()? == Some(FileKind::Nir);
    if args.nir_compat.is_some() && !to_nir {
        return Err(Diagnostic::error(
            usage::CONFLICTING_OPTIONS,
            format!("`--nir-compat` is for NIR graphs, and {} is none", shown(&args.input)),
        )
        .in_file(shown(&args.input))
        .help("leave `--nir-compat` out")
        .into());
    }
    let output = match (args.emit, &args.output) {
        (Some(Emit::Resolved), output) => return resolved(args, kind, output.as_deref()),
        (Some(Emit::Json), output) => return json(args, kind, output.as_deref()),
        (None, Some(output)) => output,
        (None, None) => return Err(no_output().into()),
    };
    let to = FileKind::of(output)?;
    if to == FileKind::Nir {
        return as_nir(args, kind, output);
    }
    let mut diagnostics = Diagnostics::new();
    if !matches!(kind, FileKind::Genome | FileKind::Nir) {
        args.given.refuse_for("a file that holds its weights")?;
    }
    let (from, bytes) = match kind {
        _ if is_recipe(&args.input) => {
            args.given.refuse_for("a recipe")?;
            ("recipe", recipe_as(&recipe::read(&args.input)?, to, output)?)
        }
        FileKind::Genome | FileKind::Nir => {
            let source = source::read_with(&args.input, args.given.all())?;
            let from = source.kind_name();
            diagnostics = source.warnings;
            (from, encode(&into_draft(source.level), to, output)?)
        }
        FileKind::Binary => {
            let bytes = files::read(&args.input, files::MAX_BINARY)?;
            if is_program(&bytes) {
                ("program", program_json(&bytes, &args.input, to)?)
            } else {
                level(&args.input, to, output)?
            }
        }
        FileKind::Text => level(&args.input, to, output)?,
    };
    files::write(output, &bytes)?;
    let report = ConvertReport::new(from, Some(shown(output)));
    Ok(Reply { diagnostics, ..Reply::new(report) })
}

/// Whether the output of a NIR graph is one too, or none that a network has.
fn writes_nir(args: &ConvertArgs) -> bool {
    let to = args.output.as_deref().map(FileKind::of);
    args.emit.is_some() || !matches!(to, Some(Ok(FileKind::Text | FileKind::Binary)))
}

/// A NIR graph or recording, written again.
fn nir(args: &ConvertArgs) -> Result<Reply<ConvertReport>, Diagnostics> {
    let input = &args.input;
    let output = match (args.emit, &args.output) {
        (None, Some(output)) if FileKind::of(output)? == FileKind::Nir => output,
        _ => {
            return Err(Diagnostic::error(
                usage::UNKNOWN_FILE_KIND,
                "a NIR graph is written as NIR, or as a network",
            )
            .in_file(shown(input))
            .help("name an output that ends in .nir, .snn or .snnb with `-o`")
            .into());
        }
    };
    let compat = args.nir_compat.as_deref().and_then(Compat::named).unwrap_or_default();
    let read = crate::nir::read(input)?;
    let mut diagnostics = read.warnings;
    let written = match &read.contents {
        Contents::Graph(file) => snnc_frontend::nir::write(file, compat),
        Contents::Recording(recording) => snnc_frontend::nir::write_recording(recording),
    };
    let written = written.map_err(|d| d.in_file(&shown(input)))?;
    diagnostics.extend(written.notes.in_file(&shown(input)));
    files::write(output, &written.bytes)?;
    let report = ConvertReport::new("NIR", Some(shown(output)));
    Ok(Reply { diagnostics, ..Reply::new(report) })
}

/// A network of any level as a NIR graph; integers beside it.
fn as_nir(
    args: &ConvertArgs,
    kind: FileKind,
    output: &Path,
) -> Result<Reply<ConvertReport>, Diagnostics> {
    let input = &args.input;
    let is_binary = kind == FileKind::Binary;
    if is_recipe(input) || is_binary && is_program(&files::read(input, files::MAX_BINARY)?) {
        return Err(Diagnostic::error(
            usage::UNKNOWN_FILE_KIND,
            format!("{} holds no network, and only networks are written as NIR", shown(input)),
        )
        .in_file(shown(input))
        .help("name a genome, or a network as .snn or .snnb")
        .into());
    }
    // Of a network that is written, `--dt` says how long its steps are.
    let dt = args.given.discretization.dt();
    let given = Given { choices: Choices::default(), ..args.given.all() };
    if args.given.all().choices != (Choices { dt, ..Choices::default() }) {
        args.given.refuse_for("a network, which says how it is cut into steps")?;
    }
    if kind != FileKind::Genome {
        args.given.refuse_weights("a file that holds its weights")?;
    }
    let source = source::read_with(input, given)?;
    let from = source.kind_name();
    let compat = args.nir_compat.as_deref().and_then(Compat::named).unwrap_or_default();
    let notes =
        write_as_nir(&source.level, (compat, dt), output).map_err(|d| d.in_file(&shown(input)))?;
    let mut diagnostics = source.warnings;
    diagnostics.extend(notes.in_file(&shown(output)));
    let report = ConvertReport::new(from, Some(shown(output)));
    Ok(Reply { diagnostics, ..Reply::new(report) })
}

/// What the command line's own rules exclude.
fn no_output() -> Diagnostic {
    Diagnostic::error(usage::CONFLICTING_OPTIONS, "no output is named")
        .help("add `-o FILE`, `--emit resolved` or `--emit json`")
}

/// A motif genome as the list of nodes that it unfolds to.
fn resolved(
    args: &ConvertArgs,
    kind: FileKind,
    output: Option<&Path>,
) -> Result<Reply<ConvertReport>, Diagnostics> {
    let input = &args.input;
    if kind != FileKind::Genome {
        return Err(Diagnostic::error(
            usage::CONFLICTING_OPTIONS,
            format!("`--emit resolved` unfolds genomes, and {} is none", shown(input)),
        )
        .in_file(shown(input))
        .help("name a genome of kind `mse-nas`")
        .into());
    }
    args.given.refuse_for("the list of nodes, which holds no weights")?;
    files::require(input)?;
    let (json, diagnostics) = snnc_frontend::resolved(input)?;
    let Some(output) = output else {
        let value = serde_json::from_str(&json).ok();
        let report = ConvertReport { resolved: value, ..ConvertReport::new("genome", None) };
        return Ok(Reply { product: json.into_bytes(), diagnostics, ..Reply::new(report) });
    };
    if FileKind::of(output)? != FileKind::Genome {
        return Err(Diagnostic::error(usage::UNKNOWN_FILE_KIND, "the list of nodes is a genome")
            .in_file(shown(output))
            .help("name an output that ends in .json")
            .into());
    }
    files::write(output, json.as_bytes())?;
    let report = ConvertReport::new("genome", Some(shown(output)));
    Ok(Reply { diagnostics, ..Reply::new(report) })
}

/// A program or a recipe as JSON.
fn json(
    args: &ConvertArgs,
    kind: FileKind,
    output: Option<&Path>,
) -> Result<Reply<ConvertReport>, Diagnostics> {
    let input = &args.input;
    args.given.refuse_for("a program or a recipe")?;
    let (from, bytes) = if is_recipe(input) {
        ("recipe", recipe::to_json(&recipe::read(input)?))
    } else {
        let bytes = match kind {
            FileKind::Binary => files::read(input, files::MAX_BINARY)?,
            FileKind::Genome | FileKind::Text | FileKind::Nir => Vec::new(),
        };
        if !is_program(&bytes) {
            return Err(Diagnostic::error(
                usage::CONFLICTING_OPTIONS,
                format!("`--emit json` is for programs and recipes, and {} is none", shown(input)),
            )
            .in_file(shown(input))
            .help("name a program.snnb or a recipe.snnb")
            .into());
        }
        ("program", program_json(&bytes, input, FileKind::Genome)?)
    };
    let Some(output) = output else {
        let value = serde_json::from_slice(&bytes).ok();
        let report = ConvertReport { json: value, ..ConvertReport::new(from, None) };
        return Ok(Reply { product: bytes, ..Reply::new(report) });
    };
    if FileKind::of(output)? != FileKind::Genome {
        return Err(Diagnostic::error(
            usage::UNKNOWN_FILE_KIND,
            "the output of `--emit json` is JSON",
        )
        .in_file(shown(output))
        .help("name an output that ends in .json")
        .into());
    }
    files::write(output, &bytes)?;
    Ok(Reply::new(ConvertReport::new(from, Some(shown(output)))))
}

/// A recipe in the form that the name of the output asks for.
fn recipe_as(recipe: &Recipe, to: FileKind, output: &Path) -> Result<Vec<u8>, Diagnostic> {
    match to {
        FileKind::Binary => Ok(binary::encode_recipe(recipe)),
        FileKind::Genome => Ok(recipe::to_json(recipe)),
        FileKind::Text | FileKind::Nir => {
            Err(Diagnostic::error(usage::UNKNOWN_FILE_KIND, "a recipe has no such form")
                .in_file(shown(output))
                .help("name an output that ends in .snnb or .json"))
        }
    }
}

/// Whether `bytes` are those of an emitted program.
pub(super) fn is_program(bytes: &[u8]) -> bool {
    bytes.starts_with(&binary::MAGIC) && bytes.get(4) == Some(&binary::KIND_PROGRAM)
}

/// Reads a file of a level, verifies it, and encodes it.
fn level(
    input: &Path,
    to: FileKind,
    output: &Path,
) -> Result<(&'static str, Vec<u8>), Diagnostics> {
    let (draft, _) = source::read_draft(input)?;
    let name = draft.level_name();
    // Only what a verifier accepts is written again.
    let level = source::verify(draft).map_err(|d| d.in_file(&shown(input)))?;
    Ok((name, encode(&into_draft(level), to, output)?))
}

fn into_draft(level: AnyLevel) -> AnyDraft {
    match level {
        AnyLevel::Network(n) => AnyDraft::Network(n.into_draft()),
        AnyLevel::Quantized(q) => AnyDraft::Quantized(q.into_draft()),
        AnyLevel::Mapped(m) => AnyDraft::Mapped(m.into_draft()),
    }
}

fn encode(draft: &AnyDraft, to: FileKind, output: &Path) -> Result<Vec<u8>, Diagnostic> {
    match to {
        FileKind::Text => Ok(text::print(draft).into_bytes()),
        FileKind::Binary => Ok(binary::encode_any(draft)),
        FileKind::Nir | FileKind::Genome => Err(Diagnostic::error(
            usage::UNKNOWN_FILE_KIND,
            format!("a {} cannot be converted to JSON", draft.level_name()),
        )
        .in_file(shown(output))
        .note("only a program has a JSON form: genomes hold genes, which a network no longer has")
        .help("name an output that ends in .snn or .snnb")),
    }
}

fn program_json(bytes: &[u8], input: &Path, to: FileKind) -> Result<Vec<u8>, Diagnostics> {
    if to != FileKind::Genome {
        return Err(Diagnostic::error(
            usage::UNKNOWN_FILE_KIND,
            "a program can only be converted to JSON",
        )
        .in_file(shown(input))
        .help("name an output that ends in .json")
        .into());
    }
    let program = program::read(bytes).map_err(|d| d.in_file(&shown(input)))?;
    let mut json = serde_json::to_vec_pretty(&program).expect("a program has string keys only");
    json.push(b'\n');
    Ok(json)
}
