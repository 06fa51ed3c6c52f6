//! JSON files of networks: read and parsed once, whatever they turn out to hold.

use crate::files;
use crate::genome::{self, Loaded, ReadOptions};
use crate::json::{self, Value};
use crate::tennlab::{self, TennlabNetwork};
use snnc_ir::Diagnostics;
use std::path::{Path, PathBuf};

/// A JSON file.
#[derive(Clone, Debug)]
pub struct JsonFile {
    path: PathBuf,
    bytes: Vec<u8>,
    document: Value,
}

impl JsonFile {
    /// Reads and parses the file at `path`.
    ///
    /// # Errors
    /// `SNN01xx` if it cannot be read or is no JSON.
    pub fn read(path: &Path) -> Result<Self, Diagnostics> {
        let bytes = files::read(path, tennlab::MAX_JSON)?;
        let document = json::parse(&bytes).map_err(|d| d.in_file(path.display().to_string()))?;
        Ok(Self { path: path.to_owned(), bytes, document })
    }

    /// Whether it has the fields of a TENNLab network.
    pub fn is_tennlab(&self) -> bool {
        tennlab::is_tennlab(&self.document)
    }

    /// The genome that it holds.
    ///
    /// # Errors
    /// As [`read_genome_with`](crate::read_genome_with).
    pub fn genome(&self, options: &ReadOptions) -> Result<Loaded, Diagnostics> {
        let size = self.bytes.len() as u64;
        if size > genome::MAX_JSON {
            return Err(files::too_large(&self.path, size, genome::MAX_JSON).into());
        }
        genome::read_parsed(&self.bytes, &self.document, &self.path, options)
    }

    /// The TENNLab network that it holds. A run takes `steps` steps; without them, as many as the file says.
    ///
    /// # Errors
    /// `SNN0287` to `SNN0295` if it is no network of RISP or does what no chip does, and what is wrong with its fields.
    /// All findings are reported together, each with its JSON path.
    pub fn tennlab(&self, steps: Option<u32>) -> Result<TennlabNetwork, Diagnostics> {
        tennlab::read_parsed(&self.bytes, &self.document, &self.path, steps)
    }
}
