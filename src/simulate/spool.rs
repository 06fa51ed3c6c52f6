//! A temporary file for what samples leave behind while others still run.
//!
//! Arrays of a file lie one after the other, with all samples in each, but samples are done one by one and
//! with several at a time. So each writes to a place of its own here, and files are made from here in
//! their order, whatever the order in which samples came.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes that are gathered before they are written.
pub(super) const PIECE: usize = 1 << 18;

/// A temporary file without a name.
#[derive(Debug)]
pub(super) struct Spool(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    file: File,
    /// Where the next place begins.
    end: u64,
    /// Why nothing is written any more.
    failure: Option<io::Error>,
}

impl Spool {
    /// An empty file in `folder`.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        let file = tempfile::tempfile_in(folder)?;
        Ok(Self(Mutex::new(Inner { file, end: 0, failure: None })))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A thread that panicked in here has at worst written less.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets `len` bytes aside and returns where they begin.
    pub(super) fn reserve(&self, len: u64) -> u64 {
        let mut inner = self.lock();
        let place = inner.end;
        inner.end += len;
        place
    }

    /// Writes at a place that was set aside. After a failure nothing is written; see [`Spool::check`].
    pub(super) fn write(&self, place: u64, bytes: &[u8]) {
        let mut inner = self.lock();
        if inner.failure.is_none() {
            let file = &mut inner.file;
            let result = file.seek(SeekFrom::Start(place)).and_then(|_| file.write_all(bytes));
            inner.failure = result.err();
        }
    }

    /// Whether something could not be written.
    pub(super) fn has_failed(&self) -> bool {
        self.lock().failure.is_some()
    }

    /// The first failure, if there was one.
    pub(super) fn check(&self) -> io::Result<()> {
        self.lock().failure.take().map_or(Ok(()), Err)
    }

    /// What reads the file.
    pub(super) fn reader(&self) -> io::Result<Reader> {
        let mut file = self.lock().file.try_clone()?;
        file.rewind()?;
        Ok(Reader { file: BufReader::with_capacity(1 << 15, file), at: 0 })
    }
}

/// Reads what was written.
pub(super) struct Reader {
    file: BufReader<File>,
    at: u64,
}

impl Reader {
    /// Goes to `place`.
    pub(super) fn go(&mut self, place: u64) -> io::Result<()> {
        // Relative, so that what was read ahead is not read again.
        self.file.seek_relative(place.wrapping_sub(self.at).cast_signed())?;
        self.at = place;
        Ok(())
    }

    /// The next four bytes.
    pub(super) fn four(&mut self) -> io::Result<[u8; 4]> {
        let mut bytes = [0; 4];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// The next bytes, as many as `bytes` takes.
    pub(super) fn fill(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.file.read_exact(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }
}

/// Gathers bytes for a place.
pub(super) struct Piece<'s> {
    spool: &'s Spool,
    place: u64,
    bytes: Vec<u8>,
}

impl<'s> Piece<'s> {
    pub(super) const fn new(spool: &'s Spool, place: u64) -> Self {
        Self { spool, place, bytes: Vec::new() }
    }

    /// Appends four bytes.
    pub(super) fn four(&mut self, bytes: [u8; 4]) {
        self.bytes.extend_from_slice(&bytes);
        if self.bytes.len() >= PIECE {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.spool.write(self.place, &self.bytes);
        self.place += self.bytes.len() as u64;
        self.bytes.clear();
    }
}

impl Drop for Piece<'_> {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::{PIECE, Piece, Spool};

    /// However long a place is, little is held; and places do not get in each other's way.
    #[test]
    fn long_places_are_written_in_pieces() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::new(dir.path()).unwrap();
        let count = u32::try_from(PIECE).unwrap();
        let places = [0, 1].map(|_| spool.reserve(4 * u64::from(count)));
        let mut pieces = places.map(|place| Piece::new(&spool, place));
        for i in 0..count {
            for (piece, factor) in pieces.iter_mut().zip([1, 3]) {
                piece.four((factor * i).to_le_bytes());
                assert!(piece.bytes.len() < PIECE && piece.bytes.capacity() <= 2 * PIECE);
            }
        }
        drop(pieces);
        spool.check().unwrap();
        let mut reader = spool.reader().unwrap();
        for i in [0, 5, count - 1, 4, count / 4] {
            for (place, factor) in places.into_iter().zip([1, 3]) {
                reader.go(place + 4 * u64::from(i)).unwrap();
                assert_eq!(u32::from_le_bytes(reader.four().unwrap()), factor * i);
            }
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
