//! Damaged files are refused or read: no panic, no endless walk, no allocation that the file does
//! not account for.

use crate::fixtures::bytes;
use proptest::prelude::*;
use snnc_frontend::nir::dialect::Choices;
use snnc_frontend::nir::lower::{Given, lower};
use snnc_frontend::nir::{Any, Compat, check, open, read_any, write, write_recording};
use snnc_ir::network::discretization::{Dialect, TimeUnit};
use std::time::{Duration, Instant};

const FILES: [&str; 8] = [
    "compressed",
    "convolutional",
    "feedforward",
    "foreign",
    "nested",
    "older",
    "recording",
    "recurrent",
];

/// A change of some bytes.
#[derive(Clone, Debug)]
enum Change {
    Set(usize, u8),
    Flip(usize, u8),
    Fill(usize, usize, u8),
    Copy(usize, usize, usize),
    Number(usize, u64),
    Cut(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<usize>();
    let number = prop_oneof![
        any::<u64>(),
        Just(0),
        Just(u64::MAX),
        Just(1 << 31),
        Just(1 << 62),
        0..60_000_u64,
    ];
    prop_oneof![
        3 => (at, any::<u8>()).prop_map(|(i, b)| Change::Set(i, b)),
        4 => (at, 0..8_u8).prop_map(|(i, b)| Change::Flip(i, b)),
        2 => (at, 1..64_usize, prop_oneof![Just(0_u8), Just(255), any::<u8>()])
            .prop_map(|(i, n, b)| Change::Fill(i, n, b)),
        1 => (at, at, 1..64_usize).prop_map(|(i, j, n)| Change::Copy(i, j, n)),
        3 => (at, number).prop_map(|(i, n)| Change::Number(i, n)),
        1 => at.prop_map(Change::Cut),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    let len = bytes.len();
    if len < 128 {
        return;
    }
    match *change {
        Change::Set(i, b) => bytes[i % len] = b,
        Change::Flip(i, b) => bytes[i % len] ^= 1 << b,
        Change::Fill(i, n, b) => {
            let i = i % len;
            bytes[i..(i + n).min(len)].fill(b);
        }
        Change::Copy(i, j, n) => {
            let (i, j) = (i % (len - 64), j % (len - 64));
            bytes.copy_within(i..i + n, j);
        }
        // Addresses and extents are aligned mostly.
        Change::Number(i, n) => {
            let i = (i % (len - 8)) & !7;
            bytes[i..i + 8].copy_from_slice(&n.to_le_bytes());
        }
        Change::Cut(i) => bytes.truncate(i % len),
    }
}

/// Reads, and does everything with what was read.
fn survive(bytes: Vec<u8>) -> bool {
    match read_any(bytes) {
        Err(found) => {
            assert!(found.has_errors());
            false
        }
        Ok(Any::Graph(read)) => {
            let checked = check(&read.file);
            let _ = open(&read.file, &checked);
            if !checked.found.has_errors() {
                for dialect in [Dialect::Norse, Dialect::Exact] {
                    let choices = Choices {
                        dialect: Some(dialect),
                        dt: Some(1e-3),
                        time_unit: Some(TimeUnit::Seconds),
                        ..Choices::default()
                    };
                    let given = Given { name: "n", steps: Some(9), choices };
                    if let Err(found) = lower(&read.file, &checked, &given) {
                        assert!(found.has_errors());
                    }
                }
            }
            // What cannot be written is refused; what is written can be read.
            if let Ok(written) = write(&read.file, Compat::Newest) {
                read_any(written.bytes).unwrap();
            }
            true
        }
        Ok(Any::Recording(recording, _)) => {
            write_recording(&recording).unwrap();
            true
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damaged_files_are_survived(
        name in prop::sample::select(&FILES[..]),
        changes in prop::collection::vec(change(), 1..6),
    ) {
        let mut bytes = bytes(name);
        for change in &changes {
            apply(&mut bytes, change);
        }
        survive(bytes);
    }
}

#[test]
fn every_shortened_file_is_refused() {
    for name in ["recurrent", "recording"] {
        let whole = bytes(name);
        // The last bytes are padding of a heap that nothing needs.
        for length in (0..whole.len() - 4096).step_by(509) {
            assert!(!survive(whole[..length].to_vec()), "{name} cut at {length}");
        }
    }
}

/// Found by the long test below: a chunk so far out that adding to its place overflows.
#[test]
fn a_chunk_beyond_the_extents_is_refused() {
    let whole = bytes("compressed");
    // B-trees of chunks: signature, kind 1, level 0; the place follows 24 + 8 bytes later.
    let trees: Vec<usize> = whole
        .windows(6)
        .enumerate()
        .filter_map(|(at, window)| (window == b"TREE\x01\x00").then_some(at + 32))
        .collect();
    assert!(!trees.is_empty());
    for at in trees {
        for offset in [u64::MAX, 1 << 40, 1] {
            let mut bytes = whole.clone();
            bytes[at..at + 8].copy_from_slice(&offset.to_le_bytes());
            let found = read_any(bytes).map(|_| ()).unwrap_err();
            assert!(found.to_string().contains("SNN0260"), "{found}");
        }
    }
}

/// By hand: `NIR_FUZZ_SECONDS=1800 cargo test -p snnc-frontend --release --test nir -- --ignored`;
/// `NIR_FUZZ_SEED` is a number, for other files than before.
#[test]
#[ignore = "takes as long as NIR_FUZZ_SECONDS says"]
fn damaged_files_for_a_long_time() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, TestRng, TestRunner};
    let seconds: u64 = std::env::var("NIR_FUZZ_SECONDS").map_or(10, |s| s.parse().unwrap());
    let files: Vec<Vec<u8>> = FILES.iter().map(|name| bytes(name)).collect();
    let mut seed = *b"an arbitrary seed of the fuzzing";
    if let Ok(number) = std::env::var("NIR_FUZZ_SEED") {
        seed[..8].copy_from_slice(&number.parse::<u64>().unwrap().to_le_bytes());
    }
    let rng = TestRng::from_seed(prop::test_runner::RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = (0..files.len(), prop::collection::vec(change(), 1..6));
    let start = Instant::now();
    let (mut tried, mut read) = (0_u64, 0_u64);
    while start.elapsed() < Duration::from_secs(seconds) {
        let (file, changes) = strategy.new_tree(&mut runner).unwrap().current();
        let mut bytes = files[file].clone();
        for change in &changes {
            apply(&mut bytes, change);
        }
        // What kills the process is found here.
        if let Ok(path) = std::env::var("NIR_FUZZ_LAST") {
            std::fs::write(path, &bytes).unwrap();
        }
        let before = Instant::now();
        read += u64::from(survive(bytes));
        tried += 1;
        let took = before.elapsed();
        assert!(took < Duration::from_mins(1), "{} {changes:?} took {took:?}", FILES[file]);
    }
    assert!(tried > 0);
    #[allow(clippy::print_stderr, reason = "the outcome of a run by hand")]
    {
        eprintln!("{tried} damaged files, {read} of them readable");
    }
}
