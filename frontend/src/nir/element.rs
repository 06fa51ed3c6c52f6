//! Element types of HDF5 datasets.

use crate::arrays::dtype::{Dtype, Endian};
use hdf5_pure::{Datatype, DatatypeByteOrder, FloatingPointLayout, StringPadding};

/// IEEE 754 binary16.
const HALF: FloatingPointLayout = FloatingPointLayout {
    bit_offset: 0,
    bit_precision: 16,
    exponent_location: 10,
    exponent_size: 5,
    mantissa_location: 0,
    mantissa_size: 10,
    exponent_bias: 15,
};
/// The upper half of a binary32.
const BRAIN: FloatingPointLayout = FloatingPointLayout {
    bit_offset: 0,
    bit_precision: 16,
    exponent_location: 7,
    exponent_size: 8,
    mantissa_location: 0,
    mantissa_size: 7,
    exponent_bias: 127,
};

/// The element type of numbers, if it is one that can be decoded.
pub(super) fn of(datatype: &Datatype) -> Option<(Dtype, Endian)> {
    match datatype {
        Datatype::FixedPoint { size, byte_order, layout } => {
            let whole =
                layout.bit_offset == 0 && u64::from(layout.bit_precision) == 8 * u64::from(*size);
            let dtype = match (size, layout.signed) {
                _ if !whole => return None,
                (1, false) => Dtype::U8,
                (1, true) => Dtype::I8,
                (2, false) => Dtype::U16,
                (2, true) => Dtype::I16,
                (4, false) => Dtype::U32,
                (4, true) => Dtype::I32,
                (8, false) => Dtype::U64,
                (8, true) => Dtype::I64,
                _ => return None,
            };
            Some((dtype, endian(*byte_order)?))
        }
        Datatype::FloatingPoint { size, byte_order, layout } => {
            let dtype = match (size, *layout) {
                (2, HALF) => Dtype::F16,
                (2, BRAIN) => Dtype::BF16,
                (4, FloatingPointLayout::IEEE754_BINARY32) => Dtype::F32,
                (8, FloatingPointLayout::IEEE754_BINARY64) => Dtype::F64,
                _ => return None,
            };
            Some((dtype, endian(*byte_order)?))
        }
        // How h5py stores booleans.
        Datatype::Enumeration { size: 1, members, .. } => {
            let named = |name: &str, value: u8| {
                members.iter().any(|m| m.name == name && m.value == [value])
            };
            let boolean = members.len() == 2 && named("FALSE", 0) && named("TRUE", 1);
            boolean.then_some((Dtype::Bool, Endian::Little))
        }
        _ => None,
    }
}

/// Whether elements are widened when they are read.
pub(super) const fn is_half(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::F16 | Dtype::BF16)
}

const fn endian(order: DatatypeByteOrder) -> Option<Endian> {
    match order {
        DatatypeByteOrder::LittleEndian => Some(Endian::Little),
        DatatypeByteOrder::BigEndian => Some(Endian::Big),
        DatatypeByteOrder::Vax => None,
    }
}

/// Strings of `size` bytes each, without their padding, or `None` if one is not UTF-8.
pub(super) fn fixed_strings(
    raw: &[u8],
    size: usize,
    padding: &StringPadding,
) -> Option<Vec<String>> {
    if size == 0 {
        return None;
    }
    let string = |bytes: &[u8]| {
        let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
        let text = std::str::from_utf8(&bytes[..end]).ok()?;
        let spaces = *padding == StringPadding::SpacePad;
        Some(if spaces { text.trim_end_matches(' ') } else { text }.to_owned())
    };
    raw.chunks_exact(size).map(string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdf5_pure::FixedPointLayout;

    /// Files say sizes of up to 32 bits, in bytes.
    #[test]
    fn an_integer_of_any_size_is_looked_at() {
        for size in [3, 1 << 29, u32::MAX] {
            let layout = FixedPointLayout { bit_offset: 0, bit_precision: 0, signed: false };
            let byte_order = DatatypeByteOrder::LittleEndian;
            assert_eq!(of(&Datatype::FixedPoint { size, byte_order, layout }), None);
        }
    }
}
