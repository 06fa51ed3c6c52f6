//! Element types of array files and their decoding from bytes.

use super::ArrayData;

/// An element type that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dtype {
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F16,
    BF16,
    F32,
    F64,
}

/// Order of the bytes of one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endian {
    Little,
    Big,
}

impl Dtype {
    /// Bytes of one element.
    pub(crate) const fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 | Self::BF16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// By its name in safetensors files.
    pub(crate) fn from_safetensors(name: &str) -> Option<Self> {
        Some(match name {
            "BOOL" => Self::Bool,
            "U8" => Self::U8,
            "I8" => Self::I8,
            "U16" => Self::U16,
            "I16" => Self::I16,
            "U32" => Self::U32,
            "I32" => Self::I32,
            "U64" => Self::U64,
            "I64" => Self::I64,
            "F16" => Self::F16,
            "BF16" => Self::BF16,
            "F32" => Self::F32,
            "F64" => Self::F64,
            _ => return None,
        })
    }

    /// By its description in npy files: `<f4`, `|u1`, `>i2`.
    pub(crate) fn from_npy(descr: &str) -> Option<(Self, Endian)> {
        let (order, kind) = descr.split_at_checked(1)?;
        let dtype = match kind {
            "b1" => Self::Bool,
            "u1" => Self::U8,
            "i1" => Self::I8,
            "u2" => Self::U16,
            "i2" => Self::I16,
            "u4" => Self::U32,
            "i4" => Self::I32,
            "u8" => Self::U64,
            "i8" => Self::I64,
            "f2" => Self::F16,
            "f4" => Self::F32,
            "f8" => Self::F64,
            _ => return None,
        };
        match order {
            "<" => Some((dtype, Endian::Little)),
            ">" => Some((dtype, Endian::Big)),
            "|" if dtype.size() == 1 => Some((dtype, Endian::Little)),
            _ => None,
        }
    }

    /// Decodes elements; a rest of fewer bytes than an element is ignored (callers check lengths).
    ///
    /// # Errors
    /// The index of the first boolean that is neither 0 nor 1.
    pub(crate) fn decode(self, bytes: &[u8], endian: Endian) -> Result<ArrayData, usize> {
        macro_rules! numbers {
            ($t:ty) => {{
                const N: usize = size_of::<$t>();
                let chunks = bytes.as_chunks::<N>().0.iter();
                match endian {
                    Endian::Little => chunks.map(|&c| <$t>::from_le_bytes(c)).collect(),
                    Endian::Big => chunks.map(|&c| <$t>::from_be_bytes(c)).collect(),
                }
            }};
        }
        Ok(match self {
            Self::Bool => ArrayData::Bool(
                bytes
                    .iter()
                    .enumerate()
                    .map(|(i, &b)| match b {
                        0 => Ok(false),
                        1 => Ok(true),
                        _ => Err(i),
                    })
                    .collect::<Result<_, _>>()?,
            ),
            Self::U8 => ArrayData::U8(bytes.to_vec()),
            Self::I8 => ArrayData::I8(numbers!(i8)),
            Self::U16 => ArrayData::U16(numbers!(u16)),
            Self::I16 => ArrayData::I16(numbers!(i16)),
            Self::U32 => ArrayData::U32(numbers!(u32)),
            Self::I32 => ArrayData::I32(numbers!(i32)),
            Self::U64 => ArrayData::U64(numbers!(u64)),
            Self::I64 => ArrayData::I64(numbers!(i64)),
            Self::F32 => ArrayData::F32(numbers!(f32)),
            Self::F64 => ArrayData::F64(numbers!(f64)),
            Self::F16 => {
                let halves: Vec<u16> = numbers!(u16);
                ArrayData::F32(halves.into_iter().map(f32_of_f16).collect())
            }
            Self::BF16 => {
                let halves: Vec<u16> = numbers!(u16);
                let widen = |h| f32::from_bits(u32::from(h) << 16);
                ArrayData::F32(halves.into_iter().map(widen).collect())
            }
        })
    }
}

/// IEEE 754 binary16 to binary32, exactly.
fn f32_of_f16(half: u16) -> f32 {
    let sign = u32::from(half >> 15) << 31;
    let exponent = u32::from(half >> 10 & 0x1f);
    let fraction = u32::from(half & 0x3ff);
    match exponent {
        // Subnormal: fraction · 2^−24, exact in f32.
        0 => {
            let magnitude = f32::from(half & 0x3ff) * (-24_f32).exp2();
            f32::from_bits(magnitude.to_bits() | sign)
        }
        0x1f => f32::from_bits(sign | 0xff << 23 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13),
    }
}

/// Elements as little-endian bytes, and their description in npy files.
pub(crate) fn encode(data: &ArrayData) -> (&'static str, Vec<u8>) {
    macro_rules! bytes {
        ($v:expr) => {
            $v.iter().flat_map(|x| x.to_le_bytes()).collect()
        };
    }
    match data {
        ArrayData::Bool(v) => ("|b1", v.iter().map(|&b| u8::from(b)).collect()),
        ArrayData::U8(v) => ("|u1", v.clone()),
        ArrayData::I8(v) => ("|i1", bytes!(v)),
        ArrayData::U16(v) => ("<u2", bytes!(v)),
        ArrayData::I16(v) => ("<i2", bytes!(v)),
        ArrayData::U32(v) => ("<u4", bytes!(v)),
        ArrayData::I32(v) => ("<i4", bytes!(v)),
        ArrayData::U64(v) => ("<u8", bytes!(v)),
        ArrayData::I64(v) => ("<i8", bytes!(v)),
        ArrayData::F32(v) => ("<f4", bytes!(v)),
        ArrayData::F64(v) => ("<f8", bytes!(v)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_widen_exactly() {
        // Each value as fraction · 2^exponent.
        let cases = [
            (0x0000, 0.0, 0.0),
            (0x3c00, 1.0, 0.0),
            (0xc000, -1.0, 1.0),
            (0x7bff, 2047.0, 5.0),
            (0x3555, 1365.0, -12.0),
            (0x0001, 1.0, -24.0),
            (0x83ff, -1023.0, -24.0),
            (0x0400, 1.0, -14.0),
        ];
        for (bits, fraction, exponent) in cases {
            let expected = fraction * f32::exp2(exponent);
            assert_eq!(f32_of_f16(bits).to_bits(), expected.to_bits(), "{bits:#06x}");
        }
        assert_eq!(f32_of_f16(0x8000).to_bits(), (-0.0_f32).to_bits());
        assert!(f32_of_f16(0x7c00).is_infinite() && f32_of_f16(0x7e00).is_nan());
    }

    #[test]
    fn bytes_in_either_order() {
        let little = Dtype::I16.decode(&[1, 0, 0xfe, 0xff], Endian::Little).unwrap();
        let big = Dtype::I16.decode(&[0, 1, 0xff, 0xfe], Endian::Big).unwrap();
        assert_eq!((&little, &big), (&ArrayData::I16(vec![1, -2]), &ArrayData::I16(vec![1, -2])));
        assert_eq!(Dtype::Bool.decode(&[1, 0, 2], Endian::Little), Err(2));
        let brain = Dtype::BF16.decode(&[0x80, 0x3f, 0x40, 0xc0], Endian::Little).unwrap();
        assert_eq!(brain, ArrayData::F32(vec![1.0, -3.0]));
    }
}
