//! Every file that fuzzing found worth keeping, through the check that the fuzz target makes of it.

use snnc::backends::program;
use snnc::runtime::cores::CoreSim;
use snnc::trust::readers::{Outcome, READERS, Reader};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("a readable folder").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

/// Longest that a file may take, in a build without optimizations on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many files of its corpus a reader reads; all of them are checked.
fn replay(reader: &Reader) -> usize {
    let folder = corpora().join(reader.name);
    let mut read = 0;
    for name in names(&folder) {
        let bytes = fs::read(folder.join(&name)).expect("a readable file");
        let start = Instant::now();
        let checked = std::panic::catch_unwind(|| (reader.check)(&bytes));
        let took = start.elapsed();
        let outcome = checked.unwrap_or_else(|_| panic!("{}/{name} breaks a promise", reader.name));
        assert!(took < PATIENCE, "{}/{name} took {took:?}", reader.name);
        read += usize::from(outcome == Outcome::Read);
    }
    read
}

/// Of which no file of the corpus need be read, without which a corpus would show nothing: certificates name files by
/// their hashes, which are others whenever an artifact is. The check makes sure that the right one is accepted.
const READ_ELSEWHERE: &str = "certificate";

/// One test for all readers would take as long as all of them.
macro_rules! replays {
    ($($name:ident),*) => {
        $(
            #[test]
            fn $name() {
                let reader = READERS.iter().find(|r| r.name == stringify!($name));
                let read = replay(reader.expect("a reader of this name"));
                assert!(read > 0 || READ_ELSEWHERE == stringify!($name), "no file is read");
            }
        )*

        #[test]
        fn every_reader_is_replayed() {
            let tested = BTreeSet::from([$(stringify!($name)),*]);
            assert_eq!(tested, READERS.iter().map(|r| r.name).collect());
            let folders = names(&corpora());
            assert_eq!(tested, folders.iter().map(String::as_str).collect());
        }
    };
}

replays!(
    binary,
    certificate,
    compile,
    config,
    genome,
    hypergraph,
    layers,
    manifest,
    netx,
    nir,
    npz,
    pipeline,
    program,
    recipe_binary,
    recipe_json,
    recording,
    safetensors,
    search,
    stimulus,
    target,
    tennlab,
    text
);

/// Corpora are for every run of the tests, so they stay small.
#[test]
fn corpora_are_small() {
    for name in names(&corpora()) {
        let folder = corpora().join(&name);
        let files = names(&folder);
        let sizes = files.iter().map(|f| fs::metadata(folder.join(f)).expect("a file").len());
        let total: u64 = sizes.sum();
        assert!(
            files.len() <= 300 && total <= 1 << 20,
            "{name}: {} files, {total} bytes",
            files.len()
        );
    }
}

/// What fuzzing found: 957 bytes that claim 27 million neurons, for all of which there was room before it was seen
/// that they have no compartments.
#[test]
fn neurons_without_compartments_get_no_room() {
    let bytes = fs::read(corpora().join("program/crash-neurons-without-compartments"));
    let program = program::read(&bytes.expect("a file")).expect("a program");
    let refused = CoreSim::new(&program).err().expect("tables that contradict each other");
    let expected = "27262963 of 27262975 neurons of `b` have no compartment";
    assert!(refused.to_string().contains(expected), "{refused}");
}

/// A target for every reader, which checks that reader.
#[test]
fn every_reader_has_a_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
    let workspace = fs::read_to_string(folder.join("Cargo.toml")).expect("a workspace");
    for Reader { name, .. } in READERS {
        assert!(workspace.contains(&format!("name = \"{name}\"")), "{name} has no target");
        let target = fs::read_to_string(folder.join(format!("fuzz_targets/{name}.rs")));
        assert!(target.expect("a target").contains(&format!("check(\"{name}\", data)")), "{name}");
    }
}
