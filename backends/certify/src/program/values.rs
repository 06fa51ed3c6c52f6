//! Packed arrays of mantissas, unpacked straight into their place.

use super::bytes::{Cursor, Decoded};

/// An array; only the one encoding that its values have.
///
/// Sixteen bytes of memory for a byte of the file at most: a value takes at least one bit.
pub(super) fn array(c: &mut Cursor<'_>) -> Decoded<Vec<i16>> {
    let start = c.offset();
    let count = c.field("count", Cursor::u32)? as usize;
    let shift = c.field("shift", Cursor::u8)?;
    let width = c.field("width", Cursor::u8)?;
    if width == 0 || u32::from(shift) + u32::from(width) > 16 {
        let message = format!("values of {width} bits, shifted by {shift}, are no 16-bit numbers");
        return Err(c.error(start, message));
    }
    let needed = (count as u64 * u64::from(width)).div_ceil(8);
    let bytes = c.field("packed", |c| {
        let start = c.offset();
        let len = c.u32()?;
        if u64::from(len) != needed {
            let message = format!("{count} values of {width} bits take {needed} bytes, not {len}");
            return Err(c.error(start, message));
        }
        c.take(len as usize)
    })?;
    let values = unpack(bytes, count, shift, width);
    let used = count * usize::from(width) % 8;
    if used > 0 && bytes.last().is_some_and(|last| last >> used != 0) {
        return Err(c.error(start, "the bits after the last value are not 0"));
    }
    match wasteful(&values, shift, width) {
        None => Ok(values),
        Some(why) => Err(c.error(start, why)),
    }
}

/// Reads `count` numbers of `width` bits, two's complement, and shifts them to the left.
fn unpack(bytes: &[u8], count: usize, shift: u8, width: u8) -> Vec<i16> {
    let mut values = Vec::with_capacity(count);
    let (mut window, mut held) = (0_u32, 0_u8);
    let mut bytes = bytes.iter();
    for _ in 0..count {
        while held < width {
            // The caller counted the bytes.
            let next = bytes.next().copied().unwrap_or(0);
            window |= u32::from(next) << held;
            held += 8;
        }
        // The value moves to the top of 32 bits, and back with its sign.
        let value = (window << (32 - width)).cast_signed() >> (32 - width);
        #[expect(clippy::cast_possible_truncation, reason = "shift and width are 16 at most")]
        values.push((value << shift) as i16);
        window >>= width;
        held -= width;
    }
    values
}

/// Why these values have a shorter encoding.
fn wasteful(values: &[i16], shift: u8, width: u8) -> Option<String> {
    let fits = |bits: u8| {
        let most = (1_i32 << (bits - 1)) - 1;
        values.iter().all(|&v| (-most - 1..=most).contains(&(i32::from(v) >> shift)))
    };
    if width > 1 && fits(width - 1) {
        return Some(format!("the values fit fewer than {width} bits"));
    }
    let zero = values.iter().all(|&v| v == 0);
    let divisible = values.iter().all(|v| v.trailing_zeros() > u32::from(shift));
    if zero && shift > 0 || !zero && divisible {
        return Some(format!("the shift of the values is not {shift}"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<i16>, String> {
        let mut cursor = Cursor::new(bytes);
        let values = array(&mut cursor).map_err(|e| e.message)?;
        assert_eq!(cursor.remaining(), 0);
        Ok(values)
    }

    #[test]
    fn packed_values_are_read() {
        assert_eq!(read(&[0, 0, 1, 0]), Ok(vec![]));
        assert_eq!(read(&[3, 0, 1, 1, 0]), Ok(vec![0, 0, 0]));
        assert_eq!(read(&[3, 1, 8, 3, 0x80, 0x7f, 1]), Ok(vec![-256, 254, 2]));
        assert_eq!(read(&[5, 0, 2, 2, 0xdd, 0]), Ok(vec![1, -1, 1, -1, 0]));
        assert_eq!(read(&[1, 0, 9, 2, 0xff, 0]), Ok(vec![255]));
        assert_eq!(read(&[1, 15, 1, 1, 1]), Ok(vec![i16::MIN]));
    }

    #[test]
    fn an_array_has_one_encoding() {
        let why = |bytes: &[u8]| read(bytes).expect_err("must not decode");
        assert_eq!(why(&[1, 0, 0, 0]), "values of 0 bits, shifted by 0, are no 16-bit numbers");
        assert_eq!(why(&[1, 9, 8, 1, 1]), "values of 8 bits, shifted by 9, are no 16-bit numbers");
        assert_eq!(
            why(&[1, 0, 200, 1, 1]),
            "values of 200 bits, shifted by 0, are no 16-bit numbers"
        );
        assert_eq!(why(&[9, 0, 1, 1, 1]), "9 values of 1 bits take 2 bytes, not 1");
        assert_eq!(why(&[1, 0, 2, 2, 1, 0]), "1 values of 2 bits take 1 bytes, not 2");
        assert_eq!(why(&[1, 0, 3, 1, 5 | 8]), "the bits after the last value are not 0");
        assert_eq!(why(&[1, 0, 3, 1, 1]), "the values fit fewer than 3 bits");
        assert_eq!(why(&[1, 0, 3, 1, 2]), "the shift of the values is not 0");
        assert_eq!(why(&[1, 1, 1, 1, 0]), "the shift of the values is not 1");
        assert_eq!(why(&[0, 1, 1, 0]), "the shift of the values is not 1");
        // Nothing is reserved before the bytes are there.
        let huge = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 8, 0xff, 0xff, 0xff, 0xff, 0x0f];
        assert_eq!(why(&huge), "4294967295 bytes are needed and 0 are left");
    }
}
