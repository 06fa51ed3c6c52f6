//! Readers against arbitrary bytes: one check for each.
//!
//! A check takes the bytes of a file and says whether they were read. Whatever is in them, it must not panic, nor
//! take more time or memory than they account for; a refusal has a finding that is not the compiler's own mistake;
//! and what is read survives being written and read again. `tests/fuzz` runs the checks on bytes that libFuzzer makes
//! up, `tests/fuzz_replay.rs` on all that it found worth keeping.

mod arrays;
mod genomes;
mod levels;
mod nir;
pub mod programs;
mod settings;

pub(super) use levels::source_of;
use snnc_ir::{Diagnostics, Severity};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A reader and its check.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// Name of the target in `tests/fuzz`, and of its corpus.
    pub name: &'static str,
    /// The check. It panics if the reader breaks a promise.
    pub check: fn(&[u8]) -> Outcome,
}

/// What became of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// They were refused, with a finding.
    Refused,
    /// They were read, and all that is promised of what was read holds.
    Read,
}

/// All readers, by name.
pub const READERS: &[Reader] = &[
    Reader { name: "binary", check: levels::binary },
    Reader { name: "certificate", check: programs::certificate },
    Reader { name: "compile", check: levels::compile },
    Reader { name: "config", check: settings::config },
    Reader { name: "genome", check: genomes::genome },
    Reader { name: "hypergraph", check: settings::hypergraph },
    Reader { name: "layers", check: settings::layers },
    Reader { name: "manifest", check: programs::manifest },
    Reader { name: "netx", check: programs::netx },
    Reader { name: "nir", check: nir::nir },
    Reader { name: "npz", check: arrays::npz },
    Reader { name: "pipeline", check: settings::pipeline },
    Reader { name: "program", check: programs::program },
    Reader { name: "recipe_binary", check: settings::recipe_binary },
    Reader { name: "recipe_json", check: settings::recipe_json },
    Reader { name: "recording", check: nir::recording },
    Reader { name: "safetensors", check: arrays::safetensors },
    Reader { name: "search", check: genomes::search },
    Reader { name: "stimulus", check: arrays::stimulus },
    Reader { name: "target", check: settings::target },
    Reader { name: "tennlab", check: genomes::tennlab },
    Reader { name: "text", check: levels::text },
];

/// The check of the reader called `name` on `bytes`.
///
/// # Panics
/// If there is no such reader, or it breaks a promise.
pub fn check(name: &str, bytes: &[u8]) -> Outcome {
    let reader = READERS.iter().find(|reader| reader.name == name);
    (reader.unwrap_or_else(|| panic!("there is no reader `{name}`")).check)(bytes)
}

/// A refusal: it has an error, which is not the compiler's own mistake and can be shown.
fn refused(found: &Diagnostics) -> Outcome {
    assert!(found.has_errors(), "refused without an error: {found}");
    for finding in found {
        let code = finding.code.to_string();
        let own = code.starts_with("SNN09") && finding.severity == Severity::Error;
        assert!(!own, "a mistake of the compiler: {found}");
    }
    Outcome::Refused
}

/// `bytes` as text; what is no text is not the business of a reader of text.
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// What `f` makes of a file that holds `bytes` and has a name that ends in `end`.
fn with_file<T>(end: &str, bytes: &[u8], f: impl FnOnce(&Path) -> T) -> T {
    let mut builder = tempfile::Builder::new();
    builder.prefix("snnc-reader").suffix(end);
    let mut file = builder.tempfile_in(scratch()).expect("the temporary folder is writable");
    file.write_all(bytes).expect("the temporary folder has room");
    f(file.path())
}

/// A folder for files that live for a moment: in memory where there is such a folder.
fn scratch() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
