//! Archives of arrays in numpy's `.npz` format: a zip of `.npy` files.

use super::{Array, each, npy};
use crate::files;
use crate::json::quote;
use snnc_ir::diag::codes::syntax;
use snnc_ir::{Diagnostic, Diagnostics};
use std::fmt::Display;
use std::io::{Cursor, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// Largest archive that is read.
const MAX_FILE: u64 = 2 << 30;
/// Most bytes of elements of all arrays of an archive, unpacked.
const MAX_UNPACKED: u64 = 4 << 30;
/// Most arrays of an archive.
const MAX_MEMBERS: usize = 1 << 16;
/// Deflate level of archives that are written; fixed, so that bytes do not vary.
const LEVEL: i64 = 6;

/// Reads all arrays of the archive at `path`, in the order of the archive.
///
/// Fortran order and big-endian elements are converted; half-precision is widened to f32.
///
/// # Errors
/// `SNN0101`, `SNN0102` for the file; `SNN0113`, `SNN0114`, `SNN0120` to `SNN0124` for what is in
/// it (text, objects, complex numbers and structured records are refused). All bad members are
/// reported, each with the file and the array's name.
pub fn read_npz(path: &Path) -> Result<Vec<(String, Array)>, Diagnostics> {
    let bytes = files::read(path, MAX_FILE)?;
    parse(&bytes).map_err(|d| d.in_file(&path.display().to_string()))
}

fn bad(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(syntax::NPZ_ARCHIVE, message)
}

/// Reads all arrays of an archive in memory.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<(String, Array)>, Diagnostics> {
    let mut archive =
        ZipArchive::new(Cursor::new(bytes)).map_err(|e| bad(format!("not a zip archive: {e}")))?;
    if archive.len() > MAX_MEMBERS {
        let found = archive.len();
        return Err(Diagnostic::error(syntax::ARRAYS_SIZE, format!("{found} arrays are too many"))
            .note(format!("at most {MAX_MEMBERS}"))
            .into());
    }
    let mut out = Diagnostics::new();
    let mut arrays = Vec::with_capacity(archive.len());
    let mut left = MAX_UNPACKED;
    for index in 0..archive.len() {
        match member(&mut archive, index, left) {
            Ok((name, array)) => {
                let size = each!(&array.data, v => size_of_val(v.as_slice()));
                left = left.saturating_sub(size as u64);
                arrays.push((name, array));
            }
            Err(d) => out.push(d),
        }
    }
    out.into_result(arrays)
}

/// Reads one member.
fn member(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    index: usize,
    budget: u64,
) -> Result<(String, Array), Diagnostic> {
    let file =
        archive.by_index(index).map_err(|e| bad(format!("member {index} cannot be read: {e}")))?;
    let name = std::str::from_utf8(file.name_raw())
        .ok()
        .and_then(|n| n.strip_suffix(".npy"))
        .map(str::to_owned);
    let Some(name) = name else {
        let shown = quote(&String::from_utf8_lossy(file.name_raw()));
        return Err(Diagnostic::error(
            syntax::NPZ_MEMBER,
            format!("the member {shown} is not an .npy file"),
        ));
    };
    let array = npy::read(file, budget).map_err(|d| d.at(format!("array {}", quote(&name))))?;
    Ok((name, array))
}

/// Writes arrays as a compressed archive. The same arrays give the same bytes, always: dates,
/// permissions and the compression level are fixed.
///
/// # Errors
/// [`syntax::NPZ_MEMBER`] if a name is given twice or is longer than a zip archive allows (65,535
/// bytes), or a shape has more than 32 extents.
///
/// # Panics
/// If the number of elements of an array is not the product of its extents.
pub fn write_npz(arrays: &[(String, Array)]) -> Result<Vec<u8>, Diagnostics> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(LEVEL))
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o644);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let refused = |name: &str, reason: &dyn Display| {
        let message = format!("the array {} cannot be written: {reason}", quote(name));
        Diagnostic::error(syntax::NPZ_MEMBER, message)
    };
    for (name, array) in arrays {
        let elements = super::elements(&array.shape);
        assert_eq!(elements, Some(array.data.len()), "array `{name}` does not have its shape");
        let npy = npy::write(array).map_err(|reason| refused(name, &reason))?;
        let options = options.large_file(npy.len() >= 1 << 31);
        archive
            .start_file(format!("{name}.npy"), options)
            .and_then(|()| Ok(archive.write_all(&npy)?))
            .map_err(|e| refused(name, &e))?;
    }
    let bytes = archive.finish().map_err(|e| bad(format!("not written: {e}")))?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::ArrayData;

    #[test]
    fn every_type_survives_and_bytes_repeat() {
        let data = [
            ArrayData::Bool(vec![true, false]),
            ArrayData::U8(vec![0, 255]),
            ArrayData::I8(vec![-128, 127]),
            ArrayData::U16(vec![0, 65535]),
            ArrayData::I16(vec![-32768, 1]),
            ArrayData::U32(vec![7, u32::MAX]),
            ArrayData::I32(vec![i32::MIN, 1]),
            ArrayData::U64(vec![u64::MAX, 1]),
            ArrayData::I64(vec![i64::MIN, 1]),
            ArrayData::F32(vec![0.1, -0.0]),
            ArrayData::F64(vec![0.1, f64::INFINITY]),
        ];
        let arrays: Vec<(String, Array)> = data
            .into_iter()
            .map(|data| (data.type_name().to_owned(), Array { shape: vec![1, 2], data }))
            .collect();
        let bytes = write_npz(&arrays).unwrap();
        assert_eq!(parse(&bytes).unwrap(), arrays);
        assert_eq!(write_npz(&arrays).unwrap(), bytes);
    }

    #[test]
    fn what_no_archive_can_hold_is_refused() {
        let array = |rank| Array { shape: vec![1; rank], data: ArrayData::U8(vec![0]) };
        let cases = [
            vec![("a".to_owned(), array(1)), ("a".to_owned(), array(1))],
            vec![("a".repeat(70_000), array(1))],
            vec![("a".to_owned(), array(33))],
        ];
        for arrays in cases {
            let found = write_npz(&arrays).unwrap_err();
            assert!(found.iter().all(|d| d.code == syntax::NPZ_MEMBER), "{found}");
        }
    }

    #[test]
    fn written_bytes_are_those_of_every_machine() {
        let array = Array { shape: vec![64], data: ArrayData::U8((0..64).collect()) };
        let bytes = write_npz(&[("x".to_owned(), array)]).unwrap();
        let hash = blake3::hash(&bytes).to_hex();
        insta::assert_snapshot!(hash, @"42687bc0d162afb496396275cf923cbeb87bf70cff74f31a5227139f98184c88");
    }
}
