//! NIR files as the command line takes them.

use crate::files::{self, shown};
use snnc_frontend::nir::{self, Checked, NirFile, Recording};
use snnc_ir::Diagnostics;
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
