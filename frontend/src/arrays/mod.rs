//! Arrays of numbers and the files they live in: safetensors and npz.
//!
//! Readers check every length against the bytes that are there before they allocate, and never
//! run or interpret anything but numbers.

pub(crate) mod dtype;
mod npy;
mod npz;
pub(crate) mod safetensors;

pub(crate) use npz::parse as parse_npz;
pub use npz::{Element, NpzWriter, read_npz, write_npz};

/// An array of any rank, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Extents, outermost first; no extents for a single value.
    pub shape: Vec<usize>,
    /// As many elements as the extents' product.
    pub data: ArrayData,
}

/// Elements of an [`Array`]. Half-precision files are widened to [`ArrayData::F32`], exactly.
#[derive(Clone, Debug, PartialEq)]
pub enum ArrayData {
    /// Booleans.
    Bool(Vec<bool>),
    /// Unsigned bytes.
    U8(Vec<u8>),
    /// Signed bytes.
    I8(Vec<i8>),
    /// 16-bit unsigned integers.
    U16(Vec<u16>),
    /// 16-bit signed integers.
    I16(Vec<i16>),
    /// 32-bit unsigned integers.
    U32(Vec<u32>),
    /// 32-bit signed integers.
    I32(Vec<i32>),
    /// 64-bit unsigned integers.
    U64(Vec<u64>),
    /// 64-bit signed integers.
    I64(Vec<i64>),
    /// 32-bit floating-point numbers.
    F32(Vec<f32>),
    /// 64-bit floating-point numbers.
    F64(Vec<f64>),
}

/// Evaluates `$body` with `$v` bound to the elements, whatever their type.
macro_rules! each {
    ($data:expr, $v:ident => $body:expr) => {
        match $data {
            $crate::arrays::ArrayData::Bool($v) => $body,
            $crate::arrays::ArrayData::U8($v) => $body,
            $crate::arrays::ArrayData::I8($v) => $body,
            $crate::arrays::ArrayData::U16($v) => $body,
            $crate::arrays::ArrayData::I16($v) => $body,
            $crate::arrays::ArrayData::U32($v) => $body,
            $crate::arrays::ArrayData::I32($v) => $body,
            $crate::arrays::ArrayData::U64($v) => $body,
            $crate::arrays::ArrayData::I64($v) => $body,
            $crate::arrays::ArrayData::F32($v) => $body,
            $crate::arrays::ArrayData::F64($v) => $body,
        }
    };
}
pub(crate) use each;

impl ArrayData {
    /// Number of elements.
    pub fn len(&self) -> usize {
        each!(self, v => v.len())
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Name of the element type, as in `numpy`: `uint8`, `float32`, …
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "bool",
            Self::U8(_) => "uint8",
            Self::I8(_) => "int8",
            Self::U16(_) => "uint16",
            Self::I16(_) => "int16",
            Self::U32(_) => "uint32",
            Self::I32(_) => "int32",
            Self::U64(_) => "uint64",
            Self::I64(_) => "int64",
            Self::F32(_) => "float32",
            Self::F64(_) => "float64",
        }
    }
}

impl Array {
    /// The elements as f64, or the index of the first that f64 cannot hold exactly.
    ///
    /// # Errors
    /// The index of the first 64-bit integer that would be rounded.
    #[expect(clippy::cast_precision_loss, reason = "the result is compared with what it came from")]
    pub fn to_f64(&self) -> Result<Vec<f64>, usize> {
        const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;
        let wide = |exact: bool, i: usize, x: f64| if exact { Ok(x) } else { Err(i) };
        match &self.data {
            ArrayData::Bool(v) => Ok(v.iter().map(|&x| f64::from(u8::from(x))).collect()),
            ArrayData::U8(v) => Ok(v.iter().map(|&x| x.into()).collect()),
            ArrayData::I8(v) => Ok(v.iter().map(|&x| x.into()).collect()),
            ArrayData::U16(v) => Ok(v.iter().map(|&x| x.into()).collect()),
            ArrayData::I16(v) => Ok(v.iter().map(|&x| x.into()).collect()),
            ArrayData::U32(v) => Ok(v.iter().map(|&x| x.into()).collect()),
            ArrayData::I32(v) => Ok(v.iter().map(|&x| x.into()).collect()),
            ArrayData::F32(v) => Ok(v.iter().map(|&x| x.into()).collect()),
            ArrayData::F64(v) => Ok(v.clone()),
            ArrayData::U64(v) => {
                v.iter().enumerate().map(|(i, &x)| wide(x <= EXACT, i, x as f64)).collect()
            }
            ArrayData::I64(v) => v
                .iter()
                .enumerate()
                .map(|(i, &x)| wide(x.unsigned_abs() <= EXACT, i, x as f64))
                .collect(),
        }
    }
}

/// Product of extents, if it fits.
pub(crate) fn elements(shape: &[usize]) -> Option<usize> {
    // An extent of 0 makes the product 0 whatever the others are.
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d))
}

/// Extents in brackets.
pub(crate) fn show_shape(shape: &[usize]) -> String {
    format!("{shape:?}")
}
