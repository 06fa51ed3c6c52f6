//! Safetensors files: a length, a JSON header, raw little-endian row-major data.
//!
//! Every range of the header is checked before any tensor is read: lengths against dtype and
//! shape, and all ranges together against the data, which they must cover without overlap or gap.

use super::dtype::{Dtype, Endian};
use super::{Array, elements, show_shape};
use crate::json::{self, Value, quote};
use snnc_ir::diag::codes::syntax;
use snnc_ir::{Diagnostic, Diagnostics};
use std::collections::BTreeMap;
use std::ops::Range;

/// Longest header that is parsed.
const MAX_HEADER: u64 = 16 << 20;
/// Most extents of a shape.
const MAX_RANK: usize = 8;

/// A checked file.
#[derive(Debug)]
pub(crate) struct Safetensors {
    bytes: Vec<u8>,
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    /// As the file spells it; `dtype` is `None` for types that cannot be read.
    dtype_name: String,
    dtype: Option<Dtype>,
    shape: Vec<usize>,
    /// Within the whole file.
    range: Range<usize>,
}

impl Safetensors {
    /// Checks the layout of a whole file.
    ///
    /// # Errors
    /// `SNN0110` to `SNN0112`, `SNN0104`; all bad entries, not just the first.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, Diagnostics> {
        let (header, data_start) = header(&bytes)?;
        let Value::Object(fields) = header else {
            let found = header.describe();
            return Err(
                bad_header(format!("the header is {found}, not an object of tensors")).into()
            );
        };
        let data_len = bytes.len() - data_start;
        let mut out = Diagnostics::new();
        let mut entries = Vec::new();
        for (name, value) in &fields {
            if name == "__metadata__" {
                continue;
            }
            match entry(name, value, data_len) {
                Ok(e) => entries.push(e),
                Err(d) => out.push(d.at(format!("tensor {}", quote(name)))),
            }
        }
        if !out.has_errors() {
            check_cover(&entries, data_len, &mut out);
        }
        for e in &mut entries {
            e.range = e.range.start + data_start..e.range.end + data_start;
        }
        let entries = entries.into_iter().map(|e| (e.name.clone(), e)).collect();
        out.into_result(Self { bytes, entries })
    }

    /// Names of all tensors, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.entries.keys().map(String::as_str)
    }

    /// Shape of one tensor.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.entries.get(name).map(|e| &*e.shape)
    }

    /// Decodes one tensor; `None` if there is none of that name.
    ///
    /// # Errors
    /// [`syntax::DTYPE`] or [`syntax::BOOLEAN_BYTE`].
    pub(crate) fn get(&self, name: &str) -> Option<Result<Array, Diagnostic>> {
        let e = self.entries.get(name)?;
        let place = format!("tensor {}", quote(name));
        let Some(dtype) = e.dtype else {
            return Some(Err(unsupported(&e.dtype_name).at(place)));
        };
        let decoded = dtype.decode(&self.bytes[e.range.clone()], Endian::Little);
        Some(match decoded {
            Ok(data) => Ok(Array { shape: e.shape.clone(), data }),
            Err(index) => Err(bad_boolean(index).at(place)),
        })
    }
}

/// The finding that a dtype cannot be read.
fn unsupported(dtype: &str) -> Diagnostic {
    Diagnostic::error(syntax::DTYPE, format!("elements of type {} are not read", quote(dtype)))
        .note("read: BOOL, U8 to U64, I8 to I64, F16, BF16, F32, F64")
}

/// The finding that a boolean is neither 0 nor 1.
pub(super) fn bad_boolean(index: usize) -> Diagnostic {
    Diagnostic::error(syntax::BOOLEAN_BYTE, format!("boolean {index} is neither 0 nor 1"))
}

fn bad_header(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(syntax::SAFETENSORS_HEADER, message)
        .help("check that the file is whole and a safetensors file")
}

fn bad_entry(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(syntax::SAFETENSORS_ENTRY, message)
}

/// Parses the header; returns it and the offset of the data.
fn header(bytes: &[u8]) -> Result<(Value, usize), Diagnostic> {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return Err(bad_header(format!("the file has {} bytes, fewer than 8", bytes.len())));
    };
    let length = u64::from_le_bytes(*length);
    if length > MAX_HEADER {
        return Err(bad_header(format!(
            "the header would have {length} bytes; at most {MAX_HEADER} are read"
        )));
    }
    let text = usize::try_from(length).ok().and_then(|n| rest.get(..n)).ok_or_else(|| {
        bad_header(format!(
            "the header would have {length} bytes, the file has {} after its length",
            rest.len()
        ))
    })?;
    // Lines of the header are not lines of the file, so the place is told in words.
    let value = json::parse(text).map_err(|d| match d.code {
        syntax::JSON_DUPLICATE => {
            Diagnostic::error(d.code, format!("in the header, {}", d.message))
        }
        _ => bad_header(format!("the header is {}", d.message)),
    })?;
    Ok((value, 8 + text.len()))
}

/// Reads one entry of the header; its range is relative to the data.
fn entry(name: &str, value: &Value, data_len: usize) -> Result<Entry, Diagnostic> {
    let Value::Object(fields) = value else {
        return Err(bad_entry(format!("expected an object, found {}", value.describe())));
    };
    let field = |key: &str| {
        fields
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, v)| v)
            .ok_or_else(|| bad_entry(format!("`{key}` is missing")))
    };
    let Value::String(dtype_name) = field("dtype")? else {
        return Err(bad_entry("`dtype` is not a string"));
    };
    let shape = sizes("shape", field("shape")?)?;
    if shape.len() > MAX_RANK {
        return Err(bad_entry(format!(
            "the shape has {} extents; at most {MAX_RANK}",
            shape.len()
        )));
    }
    let offsets = sizes("data_offsets", field("data_offsets")?)?;
    let [begin, end] = offsets[..] else {
        return Err(bad_entry("`data_offsets` is not [begin, end]"));
    };
    if begin > end || end > data_len {
        return Err(bad_entry(format!(
            "data_offsets [{begin}, {end}] do not lie within the {data_len} bytes of data"
        )));
    }
    let dtype = Dtype::from_safetensors(dtype_name);
    if let Some(dtype) = dtype {
        let needed = elements(&shape).and_then(|n| n.checked_mul(dtype.size()));
        if needed != Some(end - begin) {
            let needed = needed.map_or("too many".to_owned(), |n| n.to_string());
            return Err(bad_entry(format!("the range holds {} bytes", end - begin))
                .note(format!("{dtype_name} of shape {} needs {needed}", show_shape(&shape))));
        }
    }
    Ok(Entry {
        name: name.to_owned(),
        dtype_name: dtype_name.clone(),
        dtype,
        shape,
        range: begin..end,
    })
}

/// A list of sizes.
fn sizes(key: &str, value: &Value) -> Result<Vec<usize>, Diagnostic> {
    let wrong = || bad_entry(format!("`{key}` is not a list of sizes"));
    let Value::Array(items) = value else { return Err(wrong()) };
    items
        .iter()
        .map(|item| match item {
            Value::Integer(n) => usize::try_from(*n).map_err(|_| wrong()),
            _ => Err(wrong()),
        })
        .collect()
}

/// Checks that the ranges cover the data exactly.
fn check_cover(entries: &[Entry], data_len: usize, out: &mut Diagnostics) {
    let bad = |message: String| Diagnostic::error(syntax::SAFETENSORS_LAYOUT, message);
    let mut order: Vec<&Entry> = entries.iter().collect();
    order.sort_by_key(|e| (e.range.start, e.range.end));
    let mut covered = 0;
    for e in order {
        let start = e.range.start;
        if start < covered {
            out.push(
                bad(format!("tensor {} overlaps the one before it", quote(&e.name)))
                    .note(format!("it starts at byte {start}, the other ends at {covered}")),
            );
        } else if start > covered {
            out.push(bad(format!("bytes {covered} to {start} belong to no tensor")));
        }
        covered = covered.max(e.range.end);
    }
    if covered < data_len {
        out.push(bad(format!("bytes {covered} to {data_len} belong to no tensor")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::ArrayData;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
    }

    #[test]
    fn reads_tensors_in_any_order_of_ranges() {
        let header = r#"{"__metadata__":{"a":"b"},
            "b":{"dtype":"U8","shape":[],"data_offsets":[8,9]},
            "a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}"#;
        let bytes = file(header, &[0, 0, 128, 63, 0, 0, 0, 192, 7]);
        let read = Safetensors::parse(bytes).unwrap();
        assert_eq!(read.names().collect::<Vec<_>>(), ["a", "b"]);
        let a = Array { shape: vec![2, 1], data: ArrayData::F32(vec![1.0, -2.0]) };
        assert_eq!(read.get("a"), Some(Ok(a)));
        assert_eq!(read.get("b"), Some(Ok(Array { shape: vec![], data: ArrayData::U8(vec![7]) })));
        assert_eq!(read.get("c"), None);
    }

    #[test]
    fn an_unused_tensor_may_have_any_type() {
        let bytes = file(r#"{"q":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}"#, &[0]);
        let read = Safetensors::parse(bytes).unwrap();
        assert_eq!(read.get("q").unwrap().unwrap_err().code, syntax::DTYPE);
    }
}
