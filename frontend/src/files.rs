//! Reading whole files of bounded size.

use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::syntax;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads a regular file of at most `limit` bytes.
///
/// The kind of file is checked before opening it, because opening a pipe would wait for a writer.
///
/// # Errors
/// [`syntax::FILE_READ`] if it cannot be read, [`syntax::FILE_SIZE`] if it is larger.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Diagnostic> {
    let shown = path.display().to_string();
    let unreadable = |error: &dyn std::fmt::Display| {
        Diagnostic::error(syntax::FILE_READ, format!("cannot read `{shown}`: {error}"))
            .in_file(&shown)
    };
    let metadata = std::fs::metadata(path).map_err(|e: io::Error| unreadable(&e))?;
    if !metadata.is_file() {
        return Err(unreadable(&"not a regular file"));
    }
    if metadata.len() > limit {
        return Err(too_large(path, metadata.len(), limit));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|e| unreadable(&e))?;
    // The file may have grown since its size was asked.
    if bytes.len() as u64 > limit {
        return Err(too_large(path, bytes.len() as u64, limit));
    }
    Ok(bytes)
}

/// The finding that a file of `size` bytes is above the limit.
pub(crate) fn too_large(path: &Path, size: u64, limit: u64) -> Diagnostic {
    let shown = path.display().to_string();
    Diagnostic::error(syntax::FILE_SIZE, format!("`{shown}` has {size} bytes or more"))
        .in_file(&shown)
        .note(format!("at most {limit} bytes are read"))
}
