//! What is being written: hidden names beside the destination, and what is done about those that a killed process left.
//!
//! A partial file or folder is called `.snnc-XXXXXX.partial`, and whoever writes it holds a lock on it, which the operating
//! system gives back when the process ends, however it ends. So a name of this form that nobody has locked is
//! left over, and [`sweep`] takes it away. A folder is only a wrapper: `new` in it is what is being written. Where two renames
//! were needed to replace a folder NAME, and the process was killed between them, the old one is in `old/NAME`, and is
//! put back.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile, TempDir};

/// How names of what is being written begin.
const PREFIX: &str = ".snnc-";
/// How they end.
const SUFFIX: &str = ".partial";
/// How often a name is tried that someone else swept away between its making and its locking.
const TRIES: usize = 100;
/// Inside a wrapper: what is being written.
const NEW: &str = "new";
/// Inside a wrapper: the folder of what is replaced by two renames.
const OLD: &str = "old";

/// A folder that is being written, removed when dropped.
#[derive(Debug)]
pub struct Partial {
    wrapper: TempDir,
    /// Dropped after the wrapper.
    _lock: Option<File>,
}

impl Partial {
    /// The folder to fill.
    pub fn new_folder(&self) -> PathBuf {
        self.wrapper.path().join(NEW)
    }

    /// Where the folder `name` is moved while another one takes its place.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn old_folder(&self, name: &Path) -> io::Result<PathBuf> {
        let old = self.wrapper.path().join(OLD);
        fs::create_dir_all(&old)?;
        Ok(old.join(name.file_name().unwrap_or_default()))
    }
}

/// A folder to fill, in `parent`, with the permissions of an ordinary one.
///
/// # Errors
/// What the operating system says.
pub fn temporary_folder(parent: &Path) -> io::Result<Partial> {
    for _ in 0..TRIES {
        let wrapper = builder(0o777).tempdir_in(parent)?;
        let handle = File::open(wrapper.path());
        if let Some(lock) = locked(handle.ok(), wrapper.path()) {
            let partial = Partial { wrapper, _lock: lock };
            // Made inside, so that it gets the permissions that the process's mask leaves.
            fs::create_dir(partial.new_folder())?;
            return Ok(partial);
        }
    }
    Err(swept())
}

/// A temporary file in `parent` with the permissions of an ordinary one.
pub(super) fn temporary_file(parent: &Path) -> io::Result<NamedTempFile> {
    for _ in 0..TRIES {
        let file = builder(0o666).tempfile_in(parent)?;
        // Locks belong to what was opened, so closing the copy does not give the lock back.
        if locked(file.as_file().try_clone().ok(), file.path()).is_some() {
            return Ok(file);
        }
    }
    Err(swept())
}

/// Takes what killed processes left in `folder` away, and puts a folder back that one of them had moved. What cannot be
/// looked at or removed stays; it is in nobody's way.
pub fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(is_partial);
        let kind = entry.file_type();
        let Ok(kind) = kind else { continue };
        if !is_ours || !(kind.is_dir() || kind.is_file()) {
            continue;
        }
        let path = entry.path();
        let Ok(handle) = File::open(&path) else { continue };
        // Its writer lives, or the file system has no locks.
        if handle.try_lock().is_err() || !is_at(&handle, &path) {
            continue;
        }
        if kind.is_dir() {
            put_back(&path, folder);
            let _ = fs::remove_dir_all(&path);
        } else {
            let _ = fs::remove_file(&path);
        }
    }
}

/// Puts folders that were moved into `wrapper` back to `folder` where nothing has taken their place.
fn put_back(wrapper: &Path, folder: &Path) {
    for old in fs::read_dir(wrapper.join(OLD)).into_iter().flatten().flatten() {
        let place = folder.join(old.file_name());
        if place.symlink_metadata().is_err_and(|e| e.kind() == io::ErrorKind::NotFound) {
            let _ = fs::rename(old.path(), place);
        }
    }
}

/// Whether a name is one of those that partial files and folders have.
fn is_partial(name: &str) -> bool {
    let middle = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
    middle.is_some_and(|m| m.len() == 6 && m.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Locks what was just made at `path`. `None` if it was swept away before it was locked; `Some(None)` where there are no locks.
#[expect(clippy::option_option, reason = "there is no lock to hold, and that is all right")]
fn locked(handle: Option<File>, path: &Path) -> Option<Option<File>> {
    // What cannot be opened was swept away, or is on a file system that opens no folders.
    let Some(handle) = handle else { return path.exists().then_some(None) };
    match handle.try_lock() {
        Ok(()) => is_at(&handle, path).then_some(Some(handle)),
        // A sweeper looks at it.
        Err(TryLockError::WouldBlock) => None,
        Err(TryLockError::Error(_)) => Some(None),
    }
}

/// Whether `handle` is still what lies at `path`.
#[cfg(unix)]
pub(crate) fn is_at(handle: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (handle.metadata(), fs::symlink_metadata(path)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

/// Whether `handle` is still what lies at `path`: elsewhere what is open cannot be removed.
#[cfg(not(unix))]
pub(crate) fn is_at(_handle: &File, path: &Path) -> bool {
    path.exists()
}

fn swept() -> io::Error {
    io::Error::other("temporary files vanish as soon as they are made")
}

/// A maker of temporary files with permissions from which the process's mask is taken away, where there is one.
fn builder(mode: u32) -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_writes_is_swept_and_what_someone_writes_stays() {
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str| dir.path().join(name);
        fs::create_dir_all(place(".snnc-abcDE1.partial/new")).unwrap();
        fs::write(place(".snnc-abcDE1.partial/new/a"), "half").unwrap();
        fs::write(place(".snnc-abcDE2.partial"), "half").unwrap();
        for mine in
            [".snnc-notes.partial", ".snnc-abcDE3", "snnc-abcDE4.partial", ".snnc-ab_DE5.partial"]
        {
            fs::write(place(mine), "mine").unwrap();
        }
        let written = temporary_folder(dir.path()).unwrap();
        let file = temporary_file(dir.path()).unwrap();
        sweep(dir.path());
        assert!(!place(".snnc-abcDE1.partial").exists() && !place(".snnc-abcDE2.partial").exists());
        assert!(written.new_folder().is_dir() && file.path().is_file());
        drop((written, file));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4, "what users name stays");
    }

    #[test]
    fn what_is_swept_before_it_is_locked_is_made_again() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let dir = tempfile::tempdir().unwrap();
        let over = AtomicBool::new(false);
        let made: Vec<io::Result<Partial>> = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    sweep(dir.path());
                }
            });
            let made = (0..2000).map(|_| temporary_folder(dir.path())).collect();
            over.store(true, Ordering::Relaxed);
            made
        });
        for partial in &made {
            assert!(partial.as_ref().unwrap().new_folder().is_dir());
        }
    }

    #[test]
    fn what_was_moved_is_put_back_unless_something_took_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str| dir.path().join(name);
        for moved in ["gone", "there"] {
            fs::create_dir_all(place(".snnc-abcDE1.partial/old").join(moved)).unwrap();
            fs::write(place(".snnc-abcDE1.partial/old").join(moved).join("a"), "old").unwrap();
        }
        fs::create_dir(place("there")).unwrap();
        fs::write(place("there/a"), "new").unwrap();
        sweep(dir.path());
        assert_eq!(fs::read(place("gone/a")).unwrap(), b"old");
        assert_eq!(fs::read(place("there/a")).unwrap(), b"new");
        assert!(!place(".snnc-abcDE1.partial").exists());
    }
}
