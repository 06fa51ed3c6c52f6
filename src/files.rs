//! Reading bounded files and writing files whole or not at all.

mod partial;

pub(crate) use partial::is_at;
pub use partial::{Partial, sweep, temporary_folder};

use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::usage;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Largest binary form, genome or stimulus.
pub const MAX_BINARY: u64 = 2 << 30;
/// Largest text form.
pub const MAX_TEXT: u64 = 256 << 20;
/// Largest manifest.
pub const MAX_MANIFEST: u64 = 64 << 20;
/// Largest target description.
pub const MAX_TARGET: u64 = 1 << 20;

/// Largest configuration file.
pub const MAX_CONFIG: u64 = 1 << 20;

/// How a path is shown: as the user gave it.
pub fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// `SNN0801` if it cannot be read, `SNN0804` if it is larger.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Diagnostic> {
    let fail = |e: &io::Error| cannot_read(path, &e.to_string());
    let file = File::open(path).map_err(|e| fail(&e))?;
    if file.metadata().map_err(|e| fail(&e))?.is_dir() {
        return Err(cannot_read(path, "it is a folder"));
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|e| fail(&e))?;
    if bytes.len() as u64 > limit {
        return Err(Diagnostic::error(
            usage::FILE_TOO_LARGE,
            format!("the file is larger than {limit} bytes"),
        )
        .in_file(shown(path)));
    }
    Ok(bytes)
}

/// Reads a UTF-8 file of at most `limit` bytes.
///
/// # Errors
/// As [`read`], and `SNN0808` if it is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String, Diagnostic> {
    String::from_utf8(read(path, limit)?).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Diagnostic::error(usage::NOT_UTF8, format!("the bytes after byte {at} are not UTF-8"))
            .in_file(shown(path))
            .help("save the file as UTF-8")
    })
}

/// Checks that `path` is a readable plain file, for readers that open it by themselves.
///
/// # Errors
/// `SNN0801`.
pub fn require(path: &Path) -> Result<(), Diagnostic> {
    match File::open(path).and_then(|f| f.metadata()) {
        Ok(meta) if meta.is_dir() => Err(cannot_read(path, "it is a folder")),
        Ok(_) => Ok(()),
        Err(e) => Err(cannot_read(path, &e.to_string())),
    }
}

/// The finding that `path` cannot be read.
pub fn cannot_read(path: &Path, reason: &str) -> Diagnostic {
    Diagnostic::error(usage::CANNOT_READ, format!("cannot read {}", shown(path)))
        .in_file(shown(path))
        .note(reason)
        .help("check the spelling and the permissions; paths are relative to the current folder")
}

/// The finding that `path` cannot be written; of its own code where that is for want of space.
pub fn cannot_write(path: &Path, reason: &io::Error) -> Diagnostic {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let (code, help) = match reason.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => (
            usage::NO_SPACE,
            "free space there, raise the quota or limit, or name a place on another disk",
        ),
        _ => (usage::CANNOT_WRITE, "name another place, or check permissions and free space"),
    };
    Diagnostic::error(code, format!("cannot write {}", shown(path)))
        .in_file(shown(path))
        .note(reason.to_string())
        .help(help)
}

/// Writes `bytes` to `path`: beside it first, then renamed over it, so that `path` holds either
/// what it held before or all of `bytes`. Permissions of an existing file are kept, and so are links. What is no plain
/// file (a device, a pipe) is written to and never replaced.
///
/// # Errors
/// `SNN0802`, `SNN0845`; nothing is left behind.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Diagnostic> {
    write_with(path, |file| file.write_all(bytes).map_err(|e| cannot_write(path, &e)))
}

/// As [`fn@write`], with what `fill` puts into the file, which need not fit into memory.
///
/// # Errors
/// Those of `fill`, and `SNN0802`, `SNN0845`; nothing is left behind.
pub(crate) fn write_with<E: From<Diagnostic>>(
    path: &Path,
    fill: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<(), E> {
    let fail = |e: io::Error| E::from(cannot_write(path, &e));
    // Writing through a link keeps it.
    let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    match fs::metadata(&real) {
        Ok(meta) if meta.is_dir() => return Err(fail(io::Error::other("it is a folder"))),
        Ok(meta) if !meta.is_file() => {
            return fill(&mut File::options().write(true).open(&real).map_err(fail)?);
        }
        _ => {}
    }
    let mut file = partial::temporary_file(&parent(&real)).map_err(fail)?;
    fill(file.as_file_mut())?;
    publish(&real, file).map_err(fail)
}

/// Makes a temporary file durable and renames it to `path`.
fn publish(path: &Path, file: NamedTempFile) -> io::Result<()> {
    if let Ok(meta) = fs::metadata(path) {
        file.as_file().set_permissions(meta.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    sync_folder(&parent(path))
}

/// The folder that holds `path`; `.` for a bare name.
pub fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Makes a rename in `folder` durable.
///
/// # Errors
/// What the operating system says.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened as a file, and renames need no help.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);

        let inside_a_file = path.join("b.txt");
        assert_eq!(write(&inside_a_file, b"x").unwrap_err().code, usage::CANNOT_WRITE);
        assert_eq!(write(dir.path(), b"x").unwrap_err().code, usage::CANNOT_WRITE);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_filled_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        write(&path, b"one").unwrap();
        let refused = write_with(&path, |file| {
            file.write_all(b"half").unwrap();
            Err(cannot_read(Path::new("b"), "no"))
        });
        assert!(refused.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        write_with(&path, |file| {
            file.write_all(b"two").unwrap();
            Ok::<(), Diagnostic>(())
        })
        .unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
    }

    #[test]
    #[cfg(unix)]
    fn links_and_devices_are_written_through() {
        use std::os::unix::fs::{FileTypeExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let [file, link, full] = ["file", "link", "full"].map(|n| dir.path().join(n));
        fs::write(&file, "one").unwrap();
        symlink(&file, &link).unwrap();
        write(&link, b"two").unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"two");

        if Path::new("/dev/full").exists() {
            symlink("/dev/full", &full).unwrap();
            assert_eq!(write(&full, b"x").unwrap_err().code, usage::NO_SPACE);
            assert!(fs::metadata(&full).unwrap().file_type().is_char_device());
        }
    }

    #[test]
    fn reading_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, [b'x'; 5]).unwrap();
        assert_eq!(read(&path, 5).unwrap().len(), 5);
        assert_eq!(read(&path, 4).unwrap_err().code, usage::FILE_TOO_LARGE);
        assert_eq!(read(dir.path(), 4).unwrap_err().code, usage::CANNOT_READ);
        assert_eq!(require(&dir.path().join("none")).unwrap_err().code, usage::CANNOT_READ);
        fs::write(&path, [0xff]).unwrap();
        assert_eq!(read_text(&path, 4).unwrap_err().code, usage::NOT_UTF8);
    }
}
