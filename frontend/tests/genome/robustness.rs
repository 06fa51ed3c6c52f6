//! Damaged files are refused or read, but never crash the reader.

use crate::cases::BASE;
use crate::files::{base_safetensors, genome, tensors};
use crate::search_cases::{EB, MSE, NEUEVO};
use proptest::prelude::*;
use snnc_frontend::arrays::{read_npz, write_npz};
use snnc_frontend::{RandomWeights, ReadOptions, read_genome_bytes, read_genome_with, unfold};
use snnc_ir::Diagnostics;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use tempfile::TempDir;

/// A change of some bytes.
#[derive(Clone, Debug)]
enum Change {
    Set(usize, u8),
    Remove(usize, usize),
    Repeat(usize, usize),
    Cut(usize),
    /// Bytes that mean something in one of the formats.
    Insert(usize, &'static [u8]),
}

const WORDS: [&[u8]; 12] = [
    b"\"",
    b"}",
    b"[[[[",
    b"-1",
    b"1e308",
    b"18446744073709551616",
    b"null",
    b"\xff\xff\xff\xff",
    b"\x00\x00\x00\x00\x00\x00\x00\x80",
    b"PK\x01\x02",
    b"(9999999999999,)",
    b"\"in\": [\"out\"], ",
];

fn change() -> impl Strategy<Value = Change> {
    let at = any::<usize>();
    prop_oneof![
        4 => (at, any::<u8>()).prop_map(|(i, b)| Change::Set(i, b)),
        1 => (at, 1..40_usize).prop_map(|(i, n)| Change::Remove(i, n)),
        1 => (at, 1..40_usize).prop_map(|(i, n)| Change::Repeat(i, n)),
        1 => at.prop_map(Change::Cut),
        3 => (at, prop::sample::select(&WORDS[..])).prop_map(|(i, w)| Change::Insert(i, w)),
    ]
}

fn apply(bytes: &mut Vec<u8>, changes: &[Change]) {
    for change in changes {
        if bytes.is_empty() {
            return;
        }
        let len = bytes.len();
        match *change {
            Change::Set(i, b) => bytes[i % len] = b,
            Change::Remove(i, n) => {
                bytes.drain(i % len..(i % len + n).min(len));
            }
            Change::Repeat(i, n) => {
                let part = bytes[i % len..(i % len + n).min(len)].to_vec();
                bytes.splice(i % len..i % len, part);
            }
            Change::Cut(i) => bytes.truncate(i % len),
            Change::Insert(i, word) => {
                bytes.splice(i % len..i % len, word.iter().copied());
            }
        }
    }
}

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().unwrap());

/// A refusal says why, and not that the reader is at a loss.
fn refused(found: &Diagnostics) {
    assert!(found.has_errors());
    assert!(found.iter().all(|d| *d.code.to_string() < *"SNN0900"), "{found}");
}

/// Reads a genome whose side-car file has these bytes.
fn read_sidecar(format: &str, bytes: &[u8]) {
    let name = format!("{format}.bin");
    fs::write(FOLDER.path().join(&name), bytes).unwrap();
    let genome = genome(&name, format, "");
    if let Err(found) = read_genome_bytes(genome.as_bytes(), FOLDER.path(), "g.json") {
        refused(&found);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn genome_json(changes in prop::collection::vec(change(), 1..4)) {
        let mut bytes = BASE.as_bytes().to_vec();
        apply(&mut bytes, &changes);
        if let Err(found) = read_genome_bytes(&bytes, Path::new(""), "g.json") {
            refused(&found);
        }
    }

    #[test]
    fn architecture(
        base in prop::sample::select(&[MSE, NEUEVO, EB][..]),
        changes in prop::collection::vec(change(), 1..4),
    ) {
        let mut bytes = base.as_bytes().to_vec();
        apply(&mut bytes, &changes);
        let path = FOLDER.path().join("search.genome.json");
        fs::write(&path, bytes).unwrap();
        let options = ReadOptions { weights: Some(RandomWeights { seed: 1 }) };
        let read = read_genome_with(&path, &options);
        match (read, unfold(&path)) {
            (Ok(loaded), unfolding) => {
                assert_eq!(loaded.unfolding, unfolding.ok().map(|(unfolding, _)| unfolding));
            }
            (Err(found), _) => refused(&found),
        }
    }

    #[test]
    fn safetensors(changes in prop::collection::vec(change(), 1..4)) {
        let mut bytes = base_safetensors();
        apply(&mut bytes, &changes);
        read_sidecar("safetensors", &bytes);
    }

    #[test]
    fn npz(changes in prop::collection::vec(change(), 1..4)) {
        let mut bytes = write_npz(&tensors()).unwrap();
        apply(&mut bytes, &changes);
        read_sidecar("npz", &bytes);
        let _ = read_npz(&FOLDER.path().join("npz.bin"));
    }
}
