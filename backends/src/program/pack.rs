//! Arrays of mantissas as the writer packs them: `docs/program-format.md`, `Values`.

use serde::{Serialize, Serializer};

/// An array that is written divided by its common power of two, each value in the fewest bits.
pub(super) struct Packed<'a>(pub(super) &'a [i16]);

#[derive(Serialize)]
struct Wire<'a> {
    count: u32,
    shift: u8,
    width: u8,
    packed: &'a [u8],
}

impl Serialize for Packed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values = self.0;
        // All bits that are set in some value; those of a negative one as in its complement, because
        // two's complement repeats the sign above them.
        let set = values.iter().fold(0_i16, |bits, &v| bits | v);
        let shift = if set == 0 { 0 } else { set.trailing_zeros() };
        let magnitude = values.iter().fold(0_i16, |bits, &v| bits | (v ^ (v >> 15))) >> shift;
        let width = 16 - magnitude.leading_zeros() + 1;
        let count = u32::try_from(values.len()).map_err(|_| {
            serde::ser::Error::custom("an array of more than 2^32 mantissas has no encoding")
        })?;
        let packed = pack(values, shift, width);
        let byte = |n: u32| u8::try_from(n).unwrap_or(u8::MAX);
        Wire { count, shift: byte(shift), width: byte(width), packed: &packed }
            .serialize(serializer)
    }
}

/// The lowest `width` bits of each value over `2^shift`, the first value in the lowest bits.
fn pack(values: &[i16], shift: u32, width: u32) -> Vec<u8> {
    let mask = (1_u64 << width) - 1;
    let mut bytes = Vec::with_capacity((values.len() * width as usize).div_ceil(8));
    let (mut held, mut bits) = (0_u64, 0);
    for &value in values {
        held |= (i64::from(value >> shift).cast_unsigned() & mask) << bits;
        bits += width;
        while bits >= 8 {
            bytes.push(held.to_le_bytes()[0]);
            held >>= 8;
            bits -= 8;
        }
    }
    if bits > 0 {
        bytes.push(held.to_le_bytes()[0]);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(values: &[i16]) -> Vec<u8> {
        postcard::to_allocvec(&Packed(values)).unwrap()
    }

    /// Count, shift, width, number of bytes, bytes.
    #[test]
    fn values_take_the_fewest_bits() {
        assert_eq!(bytes(&[]), [0, 0, 1, 0]);
        assert_eq!(bytes(&[0, 0, 0]), [3, 0, 1, 1, 0]);
        assert_eq!(bytes(&[-6]), [1, 1, 3, 1, 0b101]);
        // An even matrix of 8 bits takes a byte per weight.
        assert_eq!(bytes(&[-256, 254, 2]), [3, 1, 8, 3, 0x80, 0x7f, 1]);
        assert_eq!(bytes(&[-128, 0, -128]), [3, 7, 1, 1, 0b101]);
        assert_eq!(bytes(&[255]), [1, 0, 9, 2, 0xff, 0]);
        assert_eq!(bytes(&[i16::MIN, 1]), [2, 0, 16, 4, 0, 0x80, 1, 0]);
        assert_eq!(bytes(&[i16::MIN]), [1, 15, 1, 1, 1]);
        assert_eq!(bytes(&[1, -1, 1, -1, 0]), [5, 0, 2, 2, 0b1101_1101, 0]);
    }
}
