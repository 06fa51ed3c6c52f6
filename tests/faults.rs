//! What goes wrong around the compiler: it is killed at any moment, the disk is full or read-only, others compile to the same
//! place, inputs are cut short. What is at the destination is the old artifact or the new one, whole.
//!
//! `SNNC_FAULT_KILLS` and `SNNC_FAULT_ROUNDS` say how often, `SNNC_FAULT_BINARY` which binary is put to the test.
#![cfg(target_os = "linux")]
#![expect(clippy::print_stdout, reason = "a summary for those who ask for it")]

mod common;
#[path = "faults/disk.rs"]
mod disk;
#[path = "faults/kills.rs"]
mod kills;
#[path = "faults/together.rs"]
mod together;
#[path = "faults/truncated.rs"]
mod truncated;

use common::{GENOME, Place, repo};
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Contents of the files of a folder.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The binary.
pub(crate) fn snnc() -> PathBuf {
    env::var_os("SNNC_FAULT_BINARY")
        .map_or_else(|| env!("CARGO_BIN_EXE_snnc").into(), PathBuf::from)
}

/// A number of the environment.
pub(crate) fn setting(name: &str, default: usize) -> usize {
    env::var(name).map_or(default, |n| n.parse().expect("a number"))
}

/// What is compiled: options that make different artifacts of one genome.
pub(crate) const VARIANTS: [&[&str]; 4] = [
    &["-t", "loihi2"],
    &["-t", "loihi1"],
    &["-t", "loihi2", "--weight-bits", "5"],
    &["-t", "loihi2", "--delays", "relay"],
];

/// A compilation of one of the variants to `output`, about to start in the folder `at`.
pub(crate) fn compile(at: &Path, variant: usize, output: &Path) -> Command {
    let mut command = Command::new(snnc());
    command.arg("compile").arg(repo(GENOME)).args(VARIANTS[variant]).arg("-o").arg(output);
    command.current_dir(at);
    command
}

/// Runs a command; its exit code and what it said on stderr.
pub(crate) fn done(command: &mut Command) -> (i32, String) {
    let output = command.output().expect("it starts");
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    (output.status.code().unwrap_or_else(|| panic!("ended by {}: {said}", output.status)), said)
}

/// The files that each variant compiles to.
pub(crate) fn references() -> Vec<Files> {
    let place = Place::new();
    let all: Vec<Files> = (0..VARIANTS.len())
        .map(|variant| {
            let output = place.path(&format!("v{variant}"));
            let (code, said) = done(&mut compile(&place.path(""), variant, &output));
            assert_eq!(code, 0, "{said}");
            files(&output).expect("an artifact")
        })
        .collect();
    for (i, one) in all.iter().enumerate() {
        assert!(all[..i].iter().all(|other| other != one), "variants differ");
    }
    all
}

/// The files of a folder, if it is there.
pub(crate) fn files(folder: &Path) -> Option<Files> {
    let entries = fs::read_dir(folder).ok()?;
    let read = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().expect("UTF-8");
        let bytes = fs::read(entry.path()).unwrap_or_else(|e| panic!("{name}: {e}"));
        (name, bytes)
    };
    Some(entries.map(|e| read(e.expect("an entry"))).collect())
}

/// Names in a folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let name = |e: fs::DirEntry| e.file_name().into_string().expect("UTF-8");
    let mut names: Vec<String> = entries.map(|e| name(e.expect("an entry"))).collect();
    names.sort();
    names
}

/// Which variant lies in `folder`, whole.
#[track_caller]
pub(crate) fn variant(folder: &Path, references: &[Files]) -> usize {
    let found = files(folder).unwrap_or_else(|| panic!("{} is gone", folder.display()));
    let which = references.iter().position(|r| *r == found);
    which.unwrap_or_else(|| panic!("a mixture: {:?}", found.keys().collect::<Vec<_>>()))
}
