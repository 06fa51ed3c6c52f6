//! Primitive decoders: shortest-form varints, zigzag, texts, options and lists.

use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::artifact;
use std::fmt::Write;

/// A decoded value, or where and why the bytes do not decode.
pub(super) type Decoded<T> = Result<T, Box<Diagnostic>>;

/// Elements reserved ahead of decoding them; longer lists grow as they are read.
const RESERVE: usize = 4096;

/// A reading position, and the path of the field that is read.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    path: Vec<Segment>,
}

enum Segment {
    Field(&'static str),
    Index(usize),
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, path: Vec::new() }
    }

    /// Reads a field: `name` is part of the place of every error inside `read`.
    pub(super) fn field<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self) -> Decoded<T>,
    ) -> Decoded<T> {
        self.path.push(Segment::Field(name));
        let value = read(self)?;
        self.path.pop();
        Ok(value)
    }

    /// An error at the byte `offset` in the field that is read.
    pub(super) fn error(&self, offset: usize, message: impl Into<String>) -> Box<Diagnostic> {
        let mut path = String::new();
        for segment in &self.path {
            match segment {
                Segment::Field(name) if path.is_empty() => path.push_str(name),
                Segment::Field(name) => {
                    path.push('.');
                    path.push_str(name);
                }
                Segment::Index(i) => {
                    // Writing to a String cannot fail.
                    let _ = write!(path, "[{i}]");
                }
            }
        }
        let d = Diagnostic::error(artifact::PROGRAM_BYTES, message);
        let d = if path.is_empty() { d } else { d.at(path) };
        Box::new(d.note(format!("at byte {offset} of {}", self.bytes.len())))
    }

    pub(super) const fn offset(&self) -> usize {
        self.at
    }

    pub(super) const fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next `n` bytes.
    pub(super) fn take(&mut self, n: usize) -> Decoded<&'a [u8]> {
        let end = self.at.checked_add(n);
        let Some(taken) = end.and_then(|end| self.bytes.get(self.at..end)) else {
            return Err(self.error(
                self.at,
                format!("{n} bytes are needed and {} are left", self.remaining()),
            ));
        };
        self.at += n;
        Ok(taken)
    }

    pub(super) fn u8(&mut self) -> Decoded<u8> {
        self.take(1).map(|b| b[0])
    }

    pub(super) fn i8(&mut self) -> Decoded<i8> {
        self.u8().map(|b| i8::from_le_bytes([b]))
    }

    pub(super) fn f32(&mut self) -> Decoded<f32> {
        let bytes = self.take(4)?;
        Ok(f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    pub(super) fn f64(&mut self) -> Decoded<f64> {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(self.take(8)?);
        Ok(f64::from_le_bytes(bytes))
    }

    /// A varint in its shortest form.
    fn varint<T: TryFrom<u64>>(&mut self) -> Decoded<T> {
        let start = self.at;
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let byte = self.u8()?;
            let group = u64::from(byte & 0x7f);
            if shift >= u64::BITS || group << shift >> shift != group {
                return Err(self.misfit::<T>(start));
            }
            value |= group << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    return Err(self.error(start, "the number is not in its shortest form"));
                }
                return T::try_from(value).map_err(|_| self.misfit::<T>(start));
            }
            shift += 7;
        }
    }

    fn misfit<T>(&self, start: usize) -> Box<Diagnostic> {
        self.error(start, format!("the number does not fit {} bits", 8 * size_of::<T>()))
    }

    pub(super) fn u16(&mut self) -> Decoded<u16> {
        self.varint()
    }

    pub(super) fn u32(&mut self) -> Decoded<u32> {
        self.varint()
    }

    pub(super) fn u64(&mut self) -> Decoded<u64> {
        self.varint()
    }

    pub(super) fn i16(&mut self) -> Decoded<i16> {
        let z = self.u16()?;
        Ok((z >> 1).cast_signed() ^ -(z & 1).cast_signed())
    }

    pub(super) fn i32(&mut self) -> Decoded<i32> {
        let z = self.u32()?;
        Ok((z >> 1).cast_signed() ^ -(z & 1).cast_signed())
    }

    pub(super) fn text(&mut self) -> Decoded<String> {
        let start = self.at;
        let len = self.u32()? as usize;
        let bytes = self.take(len)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(e) => Err(self.error(start, format!("the text is not UTF-8: {e}"))),
        }
    }

    pub(super) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Decoded<T>,
    ) -> Decoded<Option<T>> {
        let start = self.at;
        match self.u8()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            tag => {
                Err(self.error(start, format!("an optional value starts with {tag}, not 0 or 1")))
            }
        }
    }

    /// The tag of an enum of `variants` variants.
    pub(super) fn tag(&mut self, variants: u32) -> Decoded<u32> {
        let start = self.at;
        let tag = self.u32()?;
        if tag >= variants {
            return Err(self.error(start, format!("unknown tag {tag}, expected below {variants}")));
        }
        Ok(tag)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Decoded<[u32; N]> {
        let mut values = [0; N];
        for (i, value) in values.iter_mut().enumerate() {
            self.path.push(Segment::Index(i));
            *value = self.u32()?;
            self.path.pop();
        }
        Ok(values)
    }

    /// A list whose elements take at least `min` bytes each.
    pub(super) fn list<T>(
        &mut self,
        min: usize,
        mut read: impl FnMut(&mut Self) -> Decoded<T>,
    ) -> Decoded<Vec<T>> {
        let start = self.at;
        let count = self.u32()? as usize;
        if count > self.remaining() / min {
            return Err(self.error(
                start,
                format!("a list of {count} cannot lie in the {} bytes left", self.remaining()),
            ));
        }
        let mut list = Vec::with_capacity(count.min(RESERVE));
        for i in 0..count {
            self.path.push(Segment::Index(i));
            list.push(read(self)?);
            self.path.pop();
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T: std::fmt::Debug>(result: Decoded<T>) -> String {
        result.expect_err("must not decode").message
    }

    #[test]
    fn varints_end_at_their_type() {
        assert_eq!(Cursor::new(&[0xff, 0xff, 0x03]).u16().unwrap(), u16::MAX);
        assert_eq!(Cursor::new(&[0xff, 0xff, 0xff, 0xff, 0x0f]).u32().unwrap(), u32::MAX);
        let max = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(Cursor::new(&max).u64().unwrap(), u64::MAX);

        let wide = message(Cursor::new(&[0xff, 0xff, 0x04]).u16());
        assert_eq!(wide, "the number does not fit 16 bits");
        assert!(Cursor::new(&[0xff, 0xff, 0xff, 0xff, 0x10]).u32().is_err());
        assert!(Cursor::new(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x01]).u32().is_err());
        let mut wider = max;
        wider[9] = 0x02;
        assert!(Cursor::new(&wider).u64().is_err());
        assert!(Cursor::new(&[0x80; 20]).u64().is_err());
    }

    #[test]
    fn only_the_shortest_form_decodes() {
        assert_eq!(Cursor::new(&[0]).u32().unwrap(), 0);
        let long = message(Cursor::new(&[0x81, 0x00]).u32());
        assert_eq!(long, "the number is not in its shortest form");
        assert!(Cursor::new(&[0x80, 0x00]).u16().is_err());
    }

    #[test]
    fn zigzag_covers_both_ends() {
        assert_eq!(Cursor::new(&[0x00]).i16().unwrap(), 0);
        assert_eq!(Cursor::new(&[0x01]).i16().unwrap(), -1);
        assert_eq!(Cursor::new(&[0xff, 0xff, 0x03]).i16().unwrap(), i16::MIN);
        assert_eq!(Cursor::new(&[0xfe, 0xff, 0x03]).i16().unwrap(), i16::MAX);
        assert_eq!(Cursor::new(&[0xff, 0xff, 0xff, 0xff, 0x0f]).i32().unwrap(), i32::MIN);
    }

    #[test]
    fn counts_are_held_against_the_bytes_left() {
        let huge = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0];
        let why = message(Cursor::new(&huge).list(1, Cursor::u32));
        assert_eq!(why, "a list of 4294967295 cannot lie in the 3 bytes left");
        assert!(message(Cursor::new(&huge).text()).starts_with("4294967295 bytes are needed"));
    }

    #[test]
    fn options_and_tags_know_their_values() {
        assert_eq!(Cursor::new(&[1, 5]).option(Cursor::u32).unwrap(), Some(5));
        assert!(Cursor::new(&[2, 5]).option(Cursor::u32).is_err());
        assert_eq!(message(Cursor::new(&[4]).tag(4)), "unknown tag 4, expected below 4");
    }

    #[test]
    fn errors_name_the_field_and_the_byte() {
        let mut cursor = Cursor::new(&[2, 7, 0xff]);
        let error = cursor.field("cores", |c| c.list(1, |c| c.field("chip", Cursor::u32)));
        let error = error.unwrap_err();
        assert_eq!(error.place.path.as_deref(), Some("cores[1].chip"));
        assert_eq!(error.notes, ["at byte 3 of 3"]);
    }
}
