//! Publishing an artifact directory: all of it, at once, or nothing.
//!
//! The files are written to a temporary folder beside the destination, made durable, and renamed.
//! An artifact of ours is replaced; anything else is refused, or moved aside with `--force`, and
//! never deleted. On Linux the old and the new folder are exchanged in one step, so that one of them is there
//! at any time. Where a file system cannot do that, replacing takes two renames (the old one away, the new
//! one in); if the second fails the first is undone, and if the process is killed between them the next one
//! that publishes in the same folder undoes it ([`files::sweep`]).

use super::occupant::{Kind, Occupant, occupant};
use crate::files::{self, Partial, shown};
use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::usage;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name inside the artifact directory.
    pub name: String,
    /// Contents.
    pub bytes: Vec<u8>,
}

/// Checks, before any work is done, that an artifact may be published at `destination`. What killed processes
/// left beside it is taken away.
///
/// # Errors
/// `SNN0807` if the path cannot hold an artifact, `SNN0806` if something else is there and `force`
/// is not given.
pub fn check(destination: &Path, force: bool) -> Result<(), Diagnostic> {
    check_as(Kind::Artifact, destination, force)
}

/// As [`check`], for a folder of another kind.
///
/// # Errors
/// As [`check`].
pub fn check_as(kind: Kind, destination: &Path, force: bool) -> Result<(), Diagnostic> {
    let bad = |message: String| {
        Err(Diagnostic::error(usage::BAD_DESTINATION, message)
            .in_file(shown(destination))
            .help("name a folder to be made inside an existing one, such as `-o out`"))
    };
    if destination.file_name().is_none() {
        return bad(format!("{} has no name of its own", shown(destination)));
    }
    let parent = files::parent(destination);
    if !parent.is_dir() {
        return bad(format!("{} is not an existing folder", shown(&parent)));
    }
    files::sweep(&parent);
    if occupant(kind, destination) == Occupant::Foreign && !force {
        return Err(foreign(kind, destination));
    }
    Ok(())
}

/// The error for a destination that holds something else.
fn foreign(kind: Kind, destination: &Path) -> Diagnostic {
    let (what, note, help) = match kind {
        Kind::Artifact => (
            "an artifact of snnc",
            "only a folder with our manifest.json and nothing but the files it lists is replaced",
            "name another path with `-o`, or move it aside with `--force`",
        ),
        Kind::Quantization => (
            "a folder of `snnc quantize`",
            "only a folder with a recipe.snnb, a report.json and nothing else is replaced",
            "name another path with `-o`",
        ),
    };
    Diagnostic::error(
        usage::FOREIGN_DESTINATION,
        format!("{} exists and is not {what}", shown(destination)),
    )
    .in_file(shown(destination))
    .note(note)
    .help(help)
}

/// Publishes `entries` at `destination`. Returns where a foreign occupant was moved, if one was.
///
/// # Errors
/// As [`check`], and `SNN0802` if the operating system refuses; then the destination is as it was.
pub fn publish(
    destination: &Path,
    entries: &[Entry],
    force: bool,
) -> Result<Option<PathBuf>, Diagnostic> {
    publish_as(Kind::Artifact, destination, entries, force)
}

/// As [`publish`], for a folder of another kind.
///
/// # Errors
/// As [`publish`].
pub fn publish_as(
    kind: Kind,
    destination: &Path,
    entries: &[Entry],
    force: bool,
) -> Result<Option<PathBuf>, Diagnostic> {
    check_as(kind, destination, force)?;
    place(kind, destination, entries, force).map_err(|refusal| match refusal {
        Refusal::Foreign => foreign(kind, destination),
        Refusal::System { reason, doing } => {
            let mut error = files::cannot_write(destination, &reason);
            error.notes.extend(Some(doing).filter(|doing| !doing.is_empty()));
            error
        }
    })
}

/// How often publishing starts again because others publish at the same place.
const TRIES: usize = 1000;

/// Why nothing was published.
enum Refusal {
    /// The operating system refused.
    System {
        /// What it said.
        reason: io::Error,
        /// What was being done.
        doing: String,
    },
    /// Something foreign came to the destination since it was looked at.
    Foreign,
}

impl From<io::Error> for Refusal {
    fn from(reason: io::Error) -> Self {
        Self::System { reason, doing: String::new() }
    }
}

/// Writes, makes durable, renames.
fn place(
    kind: Kind,
    destination: &Path,
    entries: &[Entry],
    force: bool,
) -> Result<Option<PathBuf>, Refusal> {
    let parent = files::parent(destination);
    let partial = files::temporary_folder(&parent)?;
    let fresh = partial.new_folder();
    for entry in entries {
        write_durably(&fresh.join(&entry.name), &entry.bytes).map_err(|reason| {
            let all: usize = entries.iter().map(|e| e.bytes.len()).sum();
            let Entry { name, bytes } = entry;
            let doing = format!("at {name} ({} of {all} bytes)", bytes.len());
            Refusal::System { reason, doing }
        })?;
    }
    files::sync_folder(&fresh)?;
    let mut last = None;
    for _ in 0..TRIES {
        // Between the look and the step someone else may have published, so that the step finds something else.
        let step = match occupant(kind, destination) {
            Occupant::Nothing => fs::rename(&fresh, destination).map(|()| None),
            Occupant::Ours => replace(kind, destination, &fresh, &partial).map(|()| None),
            Occupant::Foreign if !force => return Err(Refusal::Foreign),
            Occupant::Foreign => {
                let aside = free_name(destination);
                // In this order what is foreign is at one of the two names at any time.
                move_aside(destination, &fresh, &aside).map(|()| Some(aside))
            }
        };
        match step {
            Err(e) if is_changed(&e) => last = Some(e),
            step => {
                let aside = step?;
                files::sync_folder(&parent)?;
                return Ok(aside);
            }
        }
    }
    Err(last.unwrap_or_else(|| io::Error::other("nothing was tried")).into())
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Whether a step failed since something else lies at the destination than when it was looked at.
fn is_changed(error: &io::Error) -> bool {
    use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty, NotADirectory, NotFound};
    matches!(error.kind(), AlreadyExists | DirectoryNotEmpty | NotADirectory | NotFound)
}

/// Puts `fresh` in the place of an artifact of ours, which is deleted with `partial`. At every moment one of the two is
/// there, if the file system can exchange folders; else the destination is missing between two renames.
fn replace(kind: Kind, destination: &Path, fresh: &Path, partial: &Partial) -> io::Result<()> {
    match exchange(fresh, destination) {
        Err(e) if e.kind() == io::ErrorKind::Unsupported => {
            swap(destination, &partial.old_folder(destination)?, fresh)
        }
        Ok(()) if occupant(kind, fresh) == Occupant::Foreign => {
            // It came there since it was looked at, and is not to be deleted.
            exchange(fresh, destination)?;
            Err(io::ErrorKind::AlreadyExists.into())
        }
        done => done,
    }
}

/// Puts `fresh` in the place of something foreign, which is then called `aside`.
fn move_aside(destination: &Path, fresh: &Path, aside: &Path) -> io::Result<()> {
    fs::rename(fresh, aside)?;
    let back = |_: &io::Error| {
        // The first error is the one to report; the next try needs the folder where it was.
        let _ = fs::rename(aside, fresh);
    };
    match exchange(aside, destination) {
        Err(e) if e.kind() == io::ErrorKind::Unsupported => {
            fs::rename(aside, fresh)?;
            swap(destination, aside, fresh)
        }
        step => step.inspect_err(back),
    }
}

/// Exchanges two folders in one step.
///
/// # Errors
/// `Unsupported` where operating system or file system cannot do so, and what the operating system says.
#[cfg(target_os = "linux")]
fn exchange(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).map_err(|e| match e {
        Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP => io::ErrorKind::Unsupported.into(),
        other => other.into(),
    })
}

#[cfg(not(target_os = "linux"))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Moves `destination` to `aside` and `fresh` to `destination`, or neither.
fn swap(destination: &Path, aside: &Path, fresh: &Path) -> io::Result<()> {
    fs::rename(destination, aside)?;
    fs::rename(fresh, destination).inspect_err(|_| {
        // The first error is the one to report; if even this fails, nothing is lost either.
        let _ = fs::rename(aside, destination);
    })
}

/// The first of `NAME.old.1`, `NAME.old.2`, … that does not exist.
fn free_name(destination: &Path) -> PathBuf {
    let mut number = 1_u64;
    loop {
        let mut name = destination.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".old.{number}"));
        let path = destination.with_file_name(name);
        if path.symlink_metadata().is_err() {
            return path;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{RECIPE, REPORT};
    use snnc_ir::binary::{KIND_RECIPE, MAGIC};

    #[test]
    fn the_old_one_comes_back_if_the_new_one_cannot_be_placed() {
        let dir = tempfile::tempdir().unwrap();
        let [destination, aside, fresh] = ["out", "aside", "missing"].map(|n| dir.path().join(n));
        fs::create_dir(&destination).unwrap();
        fs::write(destination.join("a"), "old").unwrap();
        swap(&destination, &aside, &fresh).unwrap_err();
        assert_eq!(fs::read(destination.join("a")).unwrap(), b"old");
        assert!(!aside.exists());
    }

    #[test]
    fn files_that_cannot_be_written_leave_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let entry = |name: &str| Entry { name: name.to_owned(), bytes: vec![1] };
        let twice = [entry("a"), entry("a")];
        let error = publish(&dir.path().join("out"), &twice, false).unwrap_err();
        assert_eq!(error.code, usage::CANNOT_WRITE);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    /// What a folder holds is read entry by entry, while others publish there and delete what they replaced.
    #[test]
    fn who_publishes_at_once_is_never_taken_for_a_stranger() {
        let dir = tempfile::tempdir().unwrap();
        let destination = dir.path().join("out");
        let mut recipe = MAGIC.to_vec();
        recipe.push(KIND_RECIPE);
        let entry = |name: &str, bytes: &[u8]| Entry { name: name.to_owned(), bytes: bytes.into() };
        let entries = [entry(RECIPE, &recipe), entry(REPORT, b"{}")];
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..300 {
                        let aside =
                            publish_as(Kind::Quantization, &destination, &entries, false).unwrap();
                        assert_eq!(aside, None);
                    }
                });
            }
        });
        assert_eq!(occupant(Kind::Quantization, &destination), Occupant::Ours);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn free_names_count_up() {
        let dir = tempfile::tempdir().unwrap();
        let destination = dir.path().join("out");
        assert_eq!(free_name(&destination), dir.path().join("out.old.1"));
        fs::create_dir(dir.path().join("out.old.1")).unwrap();
        assert_eq!(free_name(&destination), dir.path().join("out.old.2"));
    }
}
