//! Runs the real binary in a folder of its own.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A file of the repository.
pub(crate) fn repo(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A small genome that compiles for every target, and its stimulus.
pub(crate) const GENOME: &str = "tests/fixtures/skip.genome.json";
pub(crate) const STIMULUS: &str = "tests/fixtures/skip.npz";

/// A folder with a genome `g.json`, its stimulus `s.npz` and its artifact `art`.
pub(crate) fn compiled() -> Place {
    let place = Place::new();
    place.copy(GENOME, "g.json");
    place.copy(STIMULUS, "s.npz");
    place.run(&["compile", "g.json", "-t", "loihi2", "-o", "art"]).exits(0);
    place
}

/// What the binary said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// stdout as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("{e}\nstdout:\n{}\nstderr:\n{}", self.stdout, self.stderr))
    }
}

/// A current folder.
pub(crate) struct Place {
    dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: TempDir::new().expect("a temporary folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file, with the folders it needs.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("inside the folder")).expect("folders");
        fs::write(path, bytes).expect("a file");
    }

    /// Copies a file of the repository here.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        self.write(to, fs::read(repo(from)).expect("a file of the repository"));
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// Runs the binary with these arguments, `NO_COLOR` and everything else as it is.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let mut command = self.command();
        command.args(arguments);
        said(&mut command)
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_snnc"));
        command.current_dir(self.dir.path());
        command
    }

    /// Every file below the folder with its contents (`None`: a folder).
    pub(crate) fn contents(&self) -> BTreeMap<String, Option<Vec<u8>>> {
        let mut found = BTreeMap::new();
        walk(self.dir.path(), "", &mut found);
        found
    }

    /// Names of everything below the folder.
    pub(crate) fn names(&self) -> Vec<String> {
        self.contents().into_keys().collect()
    }

    /// The text with the folder's and the repository's paths taken out.
    pub(crate) fn plain(&self, text: &str) -> String {
        text.replace(&self.dir.path().display().to_string(), "<dir>")
            .replace(env!("CARGO_MANIFEST_DIR"), "<repo>")
            .replace(env!("CARGO_PKG_VERSION"), "<version>")
    }
}

fn walk(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Option<Vec<u8>>>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().expect("a type").is_dir() {
            walk(&entry.path(), &format!("{name}/"), found);
            found.insert(name, None);
        } else {
            found.insert(name, Some(fs::read(entry.path()).expect("a file")));
        }
    }
}

pub(crate) fn said(command: &mut Command) -> Said {
    let output = command.output().expect("the binary starts");
    Said {
        code: output.status.code().expect("the binary is not killed"),
        stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
    }
}
