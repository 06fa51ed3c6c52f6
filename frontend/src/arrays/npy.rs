//! One array in numpy's `.npy` format.
//!
//! Layout: `\x93NUMPY`, version (major, minor), header length (u16 for 1.x, u32 after), a header
//! that is a Python dictionary of three entries, then the elements.

use super::dtype::{Dtype, Endian};
use super::safetensors::bad_boolean;
use super::{Array, ArrayData, each, elements, show_shape};
use crate::json::quote;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_till};
use nom::character::complete::{char, digit1, multispace0};
use nom::combinator::{all_consuming, map, map_res, opt, value};
use nom::multi::{separated_list0, separated_list1};
use nom::sequence::{delimited, separated_pair, terminated};
use nom::{IResult, Parser};
use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::syntax;
use std::io::{self, Read};

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Longest header that is parsed; numpy's own limit for untrusted files is 10,000 bytes.
const MAX_HEADER: u32 = 16 << 10;
/// Most extents of a shape, as in numpy.
const MAX_RANK: usize = 32;

/// What a header says.
struct Header {
    dtype: Dtype,
    endian: Endian,
    fortran: bool,
    shape: Vec<usize>,
    /// Bytes of the elements.
    bytes: u64,
}

/// Reads one array from `source`, whose elements may take at most `budget` bytes.
///
/// # Errors
/// `SNN0113`, `SNN0114`, `SNN0120`, `SNN0122` to `SNN0124`.
pub(super) fn read(mut source: impl Read, budget: u64) -> Result<Array, Diagnostic> {
    let header = read_header(&mut source)?;
    if header.bytes > budget {
        return Err(Diagnostic::error(
            syntax::ARRAYS_SIZE,
            format!("an array of {} bytes is too large", header.bytes),
        )
        .note(format!("{budget} bytes are left of the limit for all arrays of a file")));
    }
    // The vector grows with what is really there, so a false shape allocates nothing.
    let mut bytes = Vec::new();
    source.take(header.bytes + 1).read_to_end(&mut bytes).map_err(|e| damaged(&e))?;
    if bytes.len() as u64 != header.bytes {
        let found = if (bytes.len() as u64) < header.bytes {
            format!("only {} bytes of data", bytes.len())
        } else {
            "more data than the shape needs".to_owned()
        };
        return Err(Diagnostic::error(syntax::NPY_LENGTH, found).note(format!(
            "shape {} needs {} bytes",
            show_shape(&header.shape),
            header.bytes
        )));
    }
    let data = header.dtype.decode(&bytes, header.endian).map_err(bad_boolean)?;
    let data = if header.fortran { each!(data, v => row_major(&v, &header.shape)) } else { data };
    Ok(Array { shape: header.shape, data })
}

fn damaged(error: &io::Error) -> Diagnostic {
    Diagnostic::error(syntax::NPZ_ARCHIVE, format!("the data cannot be unpacked: {error}"))
}

fn bad(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(syntax::NPY_HEADER, message)
}

fn read_header(source: &mut impl Read) -> Result<Header, Diagnostic> {
    let mut exactly = |n: u32| {
        let mut bytes = Vec::new();
        source.take(n.into()).read_to_end(&mut bytes).map_err(|e| damaged(&e))?;
        if bytes.len() as u64 == u64::from(n) {
            Ok(bytes)
        } else {
            Err(bad("the file ends inside the header"))
        }
    };
    let start = exactly(8)?;
    if start[..6] != MAGIC[..] {
        return Err(bad("the file does not start with `\\x93NUMPY`"));
    }
    let length = match start[6] {
        1 => exactly(2)?.iter().rev().fold(0, |n, &b| n << 8 | u32::from(b)),
        2 | 3 => exactly(4)?.iter().rev().fold(0, |n, &b| n << 8 | u32::from(b)),
        major => return Err(bad(format!("version {major}.{} is not known", start[7]))),
    };
    if length > MAX_HEADER {
        return Err(bad(format!("a header of {length} bytes; at most {MAX_HEADER} are read")));
    }
    let text = exactly(length)?;
    let text = std::str::from_utf8(&text).map_err(|_| bad("the header is not text"))?;
    describe(text)
}

/// Interprets the dictionary of a header.
fn describe(text: &str) -> Result<Header, Diagnostic> {
    let expected = "expected {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)}";
    let (_, entries) = all_consuming(dictionary)
        .parse(text)
        .map_err(|_| bad(format!("the header is {}", quote(text.trim_end()))).note(expected))?;
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    for (key, entry) in entries {
        match (key, entry) {
            ("descr", Entry::Text(t)) => descr = Some(t),
            ("descr", Entry::Fields) => {
                return Err(Diagnostic::error(syntax::DTYPE, "structured records are not read")
                    .help("save one plain array per field"));
            }
            ("fortran_order", Entry::Flag(f)) => fortran = Some(f),
            ("shape", Entry::Sizes(s)) => shape = Some(s),
            _ => return Err(bad(format!("unexpected header entry {}", quote(key))).note(expected)),
        }
    }
    let (Some(descr), Some(fortran), Some(shape)) = (descr, fortran, shape) else {
        return Err(bad("the header lacks one of its three entries").note(expected));
    };
    let Some((dtype, endian)) = Dtype::from_npy(descr) else {
        let d = Diagnostic::error(
            syntax::DTYPE,
            format!("elements of type {} are not read", quote(descr)),
        )
        .note("read: b1, u1 to u8, i1 to i8, f2, f4, f8, in either byte order");
        return Err(match descr.trim_start_matches(['|', '<', '>']).chars().next() {
            Some('O') => d.help("the array holds Python objects; save a plain numeric array"),
            Some('U' | 'S') => d.help("the array holds text; save numbers"),
            _ => d,
        });
    };
    if shape.len() > MAX_RANK {
        return Err(bad(format!("a shape of {} extents; at most {MAX_RANK}", shape.len())));
    }
    let bytes = elements(&shape)
        .and_then(|n| n.checked_mul(dtype.size()))
        .ok_or_else(|| bad(format!("shape {} is too large", show_shape(&shape))))?;
    Ok(Header { dtype, endian, fortran, shape, bytes: bytes as u64 })
}

/// A value of the header's dictionary.
#[derive(Clone)]
enum Entry<'a> {
    Text(&'a str),
    Flag(bool),
    Sizes(Vec<usize>),
    /// A list: the fields of a structured type.
    Fields,
}

/// A word with the white space after it.
fn token<'a, T>(
    inner: impl Parser<&'a str, Output = T, Error = nom::error::Error<&'a str>>,
) -> impl Parser<&'a str, Output = T, Error = nom::error::Error<&'a str>> {
    terminated(inner, multispace0)
}

fn text(input: &str) -> IResult<&str, &str> {
    alt((
        delimited(char('\''), take_till(|c| c == '\''), char('\'')),
        delimited(char('"'), take_till(|c| c == '"'), char('"')),
    ))
    .parse(input)
}

fn entry(input: &str) -> IResult<&str, Entry<'_>> {
    let size = || token(map_res(digit1, str::parse::<usize>));
    let sizes = delimited(
        token(char('(')),
        terminated(separated_list0(token(char(',')), size()), opt(token(char(',')))),
        char(')'),
    );
    alt((
        map(text, Entry::Text),
        value(Entry::Flag(true), tag("True")),
        value(Entry::Flag(false), tag("False")),
        map(sizes, Entry::Sizes),
        value(Entry::Fields, (char('['), take_till(|c| c == '}'))),
    ))
    .parse(input)
}

fn dictionary(input: &str) -> IResult<&str, Vec<(&str, Entry<'_>)>> {
    let pair = separated_pair(token(text), token(char(':')), token(entry));
    delimited(
        (multispace0, token(char('{'))),
        terminated(separated_list1(token(char(',')), pair), opt(token(char(',')))),
        token(char('}')),
    )
    .parse(input)
}

/// Elements of any type, from column-major to row-major order.
fn row_major<T: Copy>(column_major: &[T], shape: &[usize]) -> ArrayData
where
    ArrayData: From<Vec<T>>,
{
    let mut strides = Vec::with_capacity(shape.len());
    let mut step = 1;
    for &extent in shape {
        strides.push(step);
        step *= extent.max(1);
    }
    let mut index = vec![0; shape.len()];
    let mut out = Vec::with_capacity(column_major.len());
    for _ in 0..column_major.len() {
        let offset: usize = index.iter().zip(&strides).map(|(i, s)| i * s).sum();
        out.push(column_major[offset]);
        // Advance the row-major index: the last extent runs fastest.
        for (i, &extent) in index.iter_mut().zip(shape).rev() {
            *i += 1;
            if *i < extent {
                break;
            }
            *i = 0;
        }
    }
    out.into()
}

macro_rules! from_elements {
    ($($variant:ident: $t:ty),*) => {$(
        impl From<Vec<$t>> for ArrayData {
            fn from(v: Vec<$t>) -> Self {
                Self::$variant(v)
            }
        }
    )*};
}
from_elements!(
    Bool: bool, U8: u8, I8: i8, U16: u16, I16: i16, U32: u32, I32: i32, U64: u64, I64: i64,
    F32: f32, F64: f64
);

/// What stands before the elements of an array, version 1.0, row-major; or why nothing can. `descr` is the
/// element type as npy files name it.
pub(super) fn header(descr: &str, shape: &[usize]) -> Result<Vec<u8>, &'static str> {
    let extents: String = match shape {
        [n] => format!("{n},"),
        shape => shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
    };
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({extents}), }}");
    // Elements start at a multiple of 64 bytes, as numpy aligns them.
    let unpadded = MAGIC.len() + 4 + header.len() + 1;
    header.push_str(&" ".repeat(unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');
    let length = u16::try_from(header.len()).ok().filter(|_| shape.len() <= MAX_RANK);
    let length = length.ok_or("a shape has at most 32 extents")?;
    Ok([&MAGIC[..], &[1, 0], &length.to_le_bytes(), header.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::dtype::encode;

    fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        [&MAGIC[..], &[1, 0], &length, header.as_bytes(), data].concat()
    }

    #[test]
    fn fortran_order_becomes_row_major() {
        let header = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3)}";
        let read = read(&npy(header, &[0, 10, 1, 11, 2, 12])[..], 100).unwrap();
        assert_eq!(read.shape, [2, 3]);
        assert_eq!(read.data, ArrayData::U8(vec![0, 1, 2, 10, 11, 12]));
    }

    #[test]
    fn scalars_vectors_and_empty_arrays() {
        for (shape, expected) in [("()", 1), ("(3,)", 3), ("(0, 5)", 0), ("(1, 3, 1)", 3)] {
            for order in ["True", "False"] {
                let header = format!("{{'descr':'>i2','fortran_order':{order},'shape':{shape}}}\n");
                let read = read(&npy(&header, &vec![0; expected * 2])[..], 100).unwrap();
                assert_eq!(read.data.len(), expected, "{shape}");
            }
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let data = ArrayData::F64(vec![0.5, -1.0, 3.25, 0.0, 1e300, -0.0]);
        let array = Array { shape: vec![3, 1, 2], data };
        let (descr, data) = encode(&array.data);
        let bytes = [header(descr, &array.shape).unwrap(), data].concat();
        assert_eq!((bytes.len() - 6 * 8) % 64, 0);
        assert_eq!(read(&bytes[..], 48), Ok(array));
    }
}
