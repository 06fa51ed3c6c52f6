//! Archives of arrays in numpy's `.npz` format: a zip of `.npy` files.

use super::dtype::{Dtype, encode};
use super::{Array, each, npy};
use crate::files;
use crate::json::quote;
use snnc_ir::diag::codes::syntax;
use snnc_ir::{Diagnostic, Diagnostics};
use std::fmt::Display;
use std::io::{Cursor, Seek, Write};
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
    let mut archive = NpzWriter::new(Cursor::new(Vec::new()));
    for (name, array) in arrays {
        let (descr, bytes) = encode(&array.data);
        archive.begin_as(name, descr, &array.shape)?;
        archive.write(&bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

/// An element of an array that is written piece by piece.
pub trait Element: Copy {
    /// The type, as npy files name it.
    const DESCR: &'static str;

    /// Appends the bytes of an element.
    fn put(self, bytes: &mut Vec<u8>);
}

macro_rules! elements {
    ($($t:ty: $descr:literal),*) => {$(
        impl Element for $t {
            const DESCR: &'static str = $descr;

            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
        }
    )*};
}
elements!(u8: "|u1", u32: "<u4", i32: "<i4", f32: "<f4");

/// An archive that is written array by array, and each array piece by piece, so that no array need be
/// held in memory. Its bytes are those of [`write_npz`].
pub struct NpzWriter<W: Write + Seek> {
    archive: ZipWriter<W>,
    /// The array at hand, and how many of its bytes are still to come.
    current: Option<(String, u64)>,
    bytes: Vec<u8>,
}

impl<W: Write + Seek> NpzWriter<W> {
    /// An empty archive.
    pub fn new(file: W) -> Self {
        Self { archive: ZipWriter::new(file), current: None, bytes: Vec::new() }
    }

    /// Starts array `name` of elements `T`.
    ///
    /// # Errors
    /// [`syntax::NPZ_MEMBER`] if the name is given twice or is longer than a zip archive allows (65,535
    /// bytes), if a shape has more than 32 extents, or if the file cannot be written.
    ///
    /// # Panics
    /// If elements of the array before are missing.
    pub fn begin<T: Element>(&mut self, name: &str, shape: &[usize]) -> Result<(), Diagnostic> {
        self.begin_as(name, T::DESCR, shape)
    }

    fn begin_as(&mut self, name: &str, descr: &str, shape: &[usize]) -> Result<(), Diagnostic> {
        self.complete();
        let size = Dtype::from_npy(descr).map_or(0, |(dtype, _)| dtype.size() as u64);
        let count = super::elements(shape).map(|n| n as u64);
        let bytes = count.and_then(|n| n.checked_mul(size));
        let bytes = bytes.ok_or_else(|| refused(name, &"it has too many elements"))?;
        let header = npy::header(descr, shape).map_err(|reason| refused(name, &reason))?;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL))
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(0o644)
            .large_file(bytes + header.len() as u64 >= 1 << 31);
        self.archive
            .start_file(format!("{name}.npy"), options)
            .and_then(|()| Ok(self.archive.write_all(&header)?))
            .map_err(|e| refused(name, &e))?;
        self.current = Some((name.to_owned(), bytes));
        Ok(())
    }

    /// Appends elements to the array that was started last.
    ///
    /// # Errors
    /// [`syntax::NPZ_MEMBER`] if the file cannot be written.
    ///
    /// # Panics
    /// If the array has fewer elements, or others.
    pub fn extend<T: Element>(
        &mut self,
        elements: impl IntoIterator<Item = T>,
    ) -> Result<(), Diagnostic> {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        elements.into_iter().for_each(|element| element.put(&mut bytes));
        let result = self.write(&bytes);
        self.bytes = bytes;
        result
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Diagnostic> {
        let Some((name, left)) = &mut self.current else { return Ok(()) };
        let rest = left.checked_sub(bytes.len() as u64);
        *left = rest.unwrap_or_else(|| panic!("array `{name}` has more elements than its shape"));
        self.archive.write_all(bytes).map_err(|e| refused(name, &e))
    }

    fn complete(&self) {
        let left = self.current.as_ref().map_or(0, |(_, left)| *left);
        assert_eq!(left, 0, "the array before has fewer elements than its shape");
    }

    /// Completes the archive and gives back where it was written.
    ///
    /// # Errors
    /// [`syntax::NPZ_ARCHIVE`] if the file cannot be written.
    ///
    /// # Panics
    /// If elements of the last array are missing.
    pub fn finish(self) -> Result<W, Diagnostic> {
        self.complete();
        self.archive.finish().map_err(|e| bad(format!("not written: {e}")))
    }
}

fn refused(name: &str, reason: &dyn Display) -> Diagnostic {
    let message = format!("the array {} cannot be written: {reason}", quote(name));
    Diagnostic::error(syntax::NPZ_MEMBER, message)
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

    /// Pieces of any length make the archive that is written at once.
    #[test]
    fn pieces_give_the_same_bytes() {
        let values: Vec<i32> = (0..30_000).map(|i| i * i % 1000).collect();
        let numbers = vec![0.5_f32; 12];
        let arrays = [
            ("a".to_owned(), Array { shape: vec![100, 300], data: ArrayData::I32(values.clone()) }),
            ("none".to_owned(), Array { shape: vec![0, 4], data: ArrayData::U8(Vec::new()) }),
            ("b".to_owned(), Array { shape: vec![3, 4], data: ArrayData::F32(numbers.clone()) }),
        ];
        let whole = write_npz(&arrays).unwrap();
        for piece in [1, 7, 300, 30_000] {
            let mut archive = NpzWriter::new(Cursor::new(Vec::new()));
            archive.begin::<i32>("a", &[100, 300]).unwrap();
            for part in values.chunks(piece) {
                archive.extend(part.iter().copied()).unwrap();
            }
            archive.begin::<u8>("none", &[0, 4]).unwrap();
            archive.begin::<f32>("b", &[3, 4]).unwrap();
            for part in numbers.chunks(piece) {
                archive.extend(part.iter().copied()).unwrap();
            }
            assert!(archive.finish().unwrap().into_inner() == whole, "pieces of {piece}");
        }
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
