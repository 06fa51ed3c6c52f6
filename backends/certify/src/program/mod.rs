//! Reads `program.snnb`, by hand and independently of the writer.

mod bytes;
mod records;
mod structure;
#[cfg(test)]
mod tests;
mod values;

use bytes::Cursor;
use snnc_ir::Diagnostics;
use snnc_ir::program::Program;

/// Decodes a program and checks that it is consistent in itself.
///
/// What is checked is listed in `docs/program-format.md`, section 5. Memory stays proportional to
/// the number of bytes given.
///
/// # Errors
/// The first byte that does not decode, with its offset and field path; or, if all bytes decode,
/// all contradictions found (at most 100).
pub fn read(bytes: &[u8]) -> Result<Program, Diagnostics> {
    let mut cursor = Cursor::new(bytes);
    let program = records::file(&mut cursor).map_err(|e| Diagnostics::from(*e))?;
    let mut out = Diagnostics::new();
    structure::check(&program, &mut out);
    out.into_result(program)
}
