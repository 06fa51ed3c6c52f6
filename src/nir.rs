//! NIR files as the command line takes them.

use crate::explain::Times;
use crate::files::{self, shown};
use crate::nir_export::integers_of;
use crate::source::{self, FileKind, Source};
use snnc_frontend::nir::dialect::Choices;
use snnc_frontend::nir::lower::{self, Given, lower};
use snnc_frontend::nir::{self, Checked, NirFile, Recording};
use snnc_ir::diag::codes::{nir as codes, nir_export, usage};
use snnc_ir::{Diagnostic, Diagnostics};
use snnc_passes::AnyLevel;
use std::path::Path;

/// What a `.nir` file holds.
#[derive(Clone, Debug)]
pub enum Contents {
    /// A graph.
    Graph(Box<NirFile>),
    /// Recorded activity.
    Recording(Recording),
}

/// A `.nir` file.
#[derive(Clone, Debug)]
pub struct NirSource {
    /// What it holds.
    pub contents: Contents,
    /// blake3 of its bytes, hexadecimal.
    pub hash: String,
    /// Findings of the reader.
    pub warnings: Diagnostics,
}

impl NirSource {
    /// For people.
    pub const fn kind(&self) -> &'static str {
        match self.contents {
            Contents::Graph(_) => "NIR graph",
            Contents::Recording(_) => "NIR recording",
        }
    }
}

/// Reads a graph or a recording.
///
/// # Errors
/// `SNN0801` and `SNN0804` for the file, and what its reader refuses.
pub fn read(path: &Path) -> Result<NirSource, Diagnostics> {
    let bytes = files::read(path, files::MAX_BINARY)?;
    let hash = blake3::hash(&bytes).to_hex().to_string();
    let in_file = |d: Diagnostics| d.in_file(&shown(path));
    let (contents, warnings) = match nir::read_any(bytes).map_err(in_file)? {
        nir::Any::Graph(read) => (Contents::Graph(Box::new(read.file)), read.warnings),
        nir::Any::Recording(recording, warnings) => (Contents::Recording(recording), warnings),
    };
    Ok(NirSource { contents, hash, warnings: in_file(warnings) })
}

/// Reads a file, and checks a graph. The findings are the reader's, too.
///
/// # Errors
/// As [`read`], and everything that is wrong with the graph.
pub fn check(path: &Path) -> Result<(NirSource, Diagnostics), Diagnostics> {
    let (source, checked) = examine(path)?;
    let mut found = source.warnings.clone();
    if let Some(checked) = checked {
        found.extend(checked.found.in_file(&shown(path)));
    }
    if found.has_errors() { Err(found) } else { Ok((source, found)) }
}

/// Reads a file, and says what is known of a graph, be it valid or not.
///
/// # Errors
/// As [`read`].
pub fn examine(path: &Path) -> Result<(NirSource, Option<Checked>), Diagnostics> {
    let source = read(path)?;
    let checked = match &source.contents {
        Contents::Graph(file) => Some(nir::check(file)),
        Contents::Recording(_) => None,
    };
    Ok((source, checked))
}

/// The network of a graph: of `steps` steps, cut as `choices` say.
///
/// # Errors
/// As [`check`]; `SNN0285` for a recording; and what [`lower()`] refuses.
pub fn network(path: &Path, steps: Option<u32>, choices: Choices) -> Result<Source, Diagnostics> {
    let (source, checked) = examine(path)?;
    let in_file = |d: Diagnostics| d.in_file(&shown(path));
    let mut warnings = source.warnings.clone();
    let (Contents::Graph(file), Some(checked)) = (&source.contents, checked) else {
        return Err(in_file(
            Diagnostic::error(codes::RECORDING, "the file holds a recording, and no graph")
                .help("name the graph; a recording is a stimulus: `--stimulus FILE.nir`")
                .into(),
        ));
    };
    warnings.extend(in_file(checked.found.clone()));
    if warnings.has_errors() {
        return Err(warnings);
    }
    let mut choices = choices;
    if choices.is_empty() {
        // What `snnc` wrote says how it is read; another reading has to be asked for.
        if let Some(integers) = integers_of(path, file)? {
            return beside(path, source.hash, &integers, steps, warnings);
        }
        if let Some(found) = nir::discretization(file).map_err(in_file)? {
            choices = Choices::recorded(&found);
        }
    }
    let steps = match steps {
        Some(steps) => Some(steps),
        None => nir::steps(file).map_err(in_file)?,
    };
    let name =
        path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let given = Given { name: &name, steps, choices };
    match lower(file, &checked, &given) {
        Ok(lower::Lowered { network, notes, delays }) => {
            warnings.extend(in_file(notes));
            Ok(Source {
                level: AnyLevel::Network(network),
                kind: FileKind::Nir,
                hash: source.hash,
                account: None,
                unfolding: None,
                places: None,
                delays,
                weights: None,
                files: vec![path.to_path_buf()],
                warnings,
            })
        }
        Err(refused) => {
            warnings.extend(in_file(refused));
            Err(warnings)
        }
    }
}

/// The integers of the graph in `path` that was made from them, in the file that it names.
fn beside(
    path: &Path,
    hash: String,
    integers: &Path,
    steps: Option<u32>,
    mut warnings: Diagnostics,
) -> Result<Source, Diagnostics> {
    let read = source::read(integers)?;
    let own = match &read.level {
        AnyLevel::Network(n) => n.steps,
        AnyLevel::Quantized(n) => n.steps,
        AnyLevel::Mapped(m) => m.network.steps,
    };
    if let Some(steps) = steps.filter(|&steps| steps != own) {
        return Err(Diagnostic::error(
            usage::CONFLICTING_OPTIONS,
            format!("`--steps {steps}` is given, and a run of {} has {own}", shown(integers)),
        )
        .help("leave `--steps` out")
        .into());
    }
    warnings.push(
        Diagnostic::note_only(
            nir_export::EXPORT_INTEGERS,
            format!("the integers are read from {}", shown(integers)),
        )
        .help("say how the graph is cut into steps (`--dialect`, …) to read the graph alone"),
    );
    warnings.extend(read.warnings.clone());
    // The graph names the integers with their hash, so its own stands for both.
    let files = vec![path.to_path_buf(), integers.to_path_buf()];
    Ok(Source { kind: FileKind::Nir, hash, files, warnings, ..read })
}

/// Time constants of the nodes of a graph, in the unit of the file.
///
/// # Errors
/// As [`read`].
pub fn times(path: &Path) -> Result<Times, Diagnostics> {
    let source = read(path)?;
    Ok(match &source.contents {
        Contents::Graph(file) => lower::time_constants(file),
        Contents::Recording(_) => Times::new(),
    })
}
