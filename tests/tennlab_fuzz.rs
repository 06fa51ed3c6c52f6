//! Damaged TENNLab networks are read and compiled, or refused: no panic, no endless work, no allocation that the file does not
//! account for.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use snnc::ir::Diagnostics;
use snnc::ir::diag::codes::internal;
use snnc::passes::AnyLevel;
use snnc::source::{self, Given};
use snnc::{Options, Target, compile};
use std::time::{Duration, Instant};

mod common;
use common::{Place, repo};

const FILES: [&str; 10] = [
    "factor",
    "fractions",
    "leak",
    "leak_above",
    "leak_zero",
    "listed",
    "mixed",
    "plus_keep",
    "plus_zero",
    "wide",
];

/// A change of the text, or of a value of the document: the `n`-th in order, modulo their number.
#[derive(Clone, Debug)]
enum Change {
    Set(usize, u8),
    Copy(usize, usize, usize),
    Cut(usize),
    Replace(usize, Value),
    Remove(usize),
    Rename(usize, String),
    Repeat(usize),
    Exchange(usize, usize),
}

fn value() -> impl Strategy<Value = Value> {
    let numbers = [
        json!(0),
        json!(-1),
        json!(1),
        json!(2.5),
        json!(-0.0),
        json!(255),
        json!(65_536),
        json!(u32::MAX),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e-300),
        json!(1e300),
    ];
    let names = ["Nodes", "Weight", "Delay", "all", "none", "configurable", "risp", ""];
    prop_oneof![
        6 => prop::sample::select(numbers.to_vec()),
        3 => (-300..300_i32).prop_map(Value::from),
        2 => (-10.0..10.0_f64).prop_map(Value::from),
        2 => prop::sample::select(names.to_vec()).prop_map(Value::from),
        1 => Just(json!(null)),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(json!([])),
        1 => Just(json!({})),
        1 => Just(json!([1, [2, {"id": 3}]])),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<usize>();
    let byte = prop_oneof![any::<u8>(), prop::sample::select(b"0123456789-.eE\"{}[],:".to_vec())];
    let name = prop::sample::select(vec!["Nodes", "id", "Weight", "values", "index", "x"]);
    prop_oneof![
        2 => (at, byte).prop_map(|(i, b)| Change::Set(i, b)),
        1 => (at, at, 1..64_usize).prop_map(|(i, j, n)| Change::Copy(i, j, n)),
        1 => at.prop_map(Change::Cut),
        12 => (at, value()).prop_map(|(i, v)| Change::Replace(i, v)),
        4 => at.prop_map(Change::Remove),
        1 => (at, name).prop_map(|(i, n)| Change::Rename(i, n.to_owned())),
        3 => at.prop_map(Change::Repeat),
        3 => (at, at).prop_map(|(i, j)| Change::Exchange(i, j)),
    ]
}

/// What is in `value`, itself first, in order.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(entries) => entries.values().map(count).sum(),
        _ => 0,
    }
}

/// The `n`-th of what [`count`] counts.
fn nth<'a>(value: &'a mut Value, n: &mut usize) -> Option<&'a mut Value> {
    if *n == 0 {
        return Some(value);
    }
    *n -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, n)),
        Value::Object(entries) => entries.values_mut().find_map(|item| nth(item, n)),
        _ => None,
    }
}

fn at(document: &mut Value, n: usize) -> &mut Value {
    let mut n = n % count(document);
    nth(document, &mut n).expect("within the count")
}

/// The list or object that holds the `n`-th value, or one after it.
fn holder(document: &mut Value, n: usize) -> Option<&mut Value> {
    let total = count(document);
    let holds = |v: &Value| match v {
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
        _ => false,
    };
    let found = (0..total).map(|k| (n % total + k) % total).find(|&k| holds(at(document, k)))?;
    Some(at(document, found))
}

fn apply_to_value(document: &mut Value, change: &Change) {
    match change {
        Change::Replace(i, new) => *at(document, *i) = new.clone(),
        Change::Remove(i) => match holder(document, *i) {
            Some(Value::Array(items)) => {
                items.remove(i % items.len());
            }
            Some(Value::Object(entries)) => {
                let key = entries.keys().nth(i % entries.len()).cloned().expect("a key");
                entries.remove(&key);
            }
            _ => {}
        },
        Change::Rename(i, new) => {
            if let Some(Value::Object(entries)) = holder(document, *i) {
                let key = entries.keys().nth(i % entries.len()).cloned().expect("a key");
                let old = entries.remove(&key).expect("an entry");
                entries.insert(new.clone(), old);
            }
        }
        Change::Repeat(i) => {
            if let Some(Value::Array(items)) = holder(document, *i) {
                let item = items[i % items.len()].clone();
                items.push(item);
            }
        }
        Change::Exchange(i, j) => {
            let first = at(document, *i).clone();
            let second = std::mem::replace(at(document, *j), first);
            *at(document, *i) = second;
        }
        Change::Set(..) | Change::Copy(..) | Change::Cut(..) => {}
    }
}

fn apply_to_text(text: &mut Vec<u8>, change: &Change) {
    let len = text.len();
    match *change {
        _ if len < 100 => {}
        Change::Set(i, b) => text[i % len] = b,
        Change::Copy(i, j, n) => {
            let (i, j) = (i % (len - 64), j % (len - 64));
            text.copy_within(i..i + n, j);
        }
        Change::Cut(i) => text.truncate(i % len),
        _ => {}
    }
}

fn original(name: &str) -> Value {
    let path = repo(&format!("tests/fixtures/tennlab/{name}.json"));
    serde_json::from_slice(&std::fs::read(path).expect("a fixture")).expect("JSON")
}

/// Changes of values first, then those of the text.
fn damaged(original: &Value, changes: &[Change]) -> Vec<u8> {
    let mut document = original.clone();
    for change in changes {
        apply_to_value(&mut document, change);
    }
    let mut text = serde_json::to_vec(&document).expect("JSON");
    for change in changes {
        apply_to_text(&mut text, change);
    }
    text
}

/// A refusal has a reason, which is no defect of the program.
fn refused(found: &Diagnostics) {
    assert!(found.has_errors());
    assert!(found.iter().all(|d| d.code != internal::PANIC), "{found}");
}

/// Reads and, if asked, compiles. Whether there was a network.
fn survive(place: &Place, text: &[u8], steps: Option<u32>, target: Option<&Target>) -> bool {
    place.write("n.json", text);
    match source::read_with(&place.path("n.json"), Given { steps, ..Given::default() }) {
        Err(found) => {
            refused(&found);
            false
        }
        Ok(source) => {
            let AnyLevel::Quantized(network) = &source.level else { panic!("not integers") };
            // Each step of a delay takes a relay for each neuron that waits.
            let waits: u64 = network.projections.values().map(|p| u64::from(p.delay)).sum();
            let target = target.filter(|_| waits < 2000);
            if let Some(Err(failure)) = target.map(|t| compile(&source, t, &Options::default())) {
                refused(&failure.diagnostics);
            }
            true
        }
    }
}

fn some(runner: &mut TestRunner, seconds: Option<u64>, cases: u64) -> (u64, u64, u64) {
    let place = Place::new();
    let target = Target::find("loihi2").expect("a target");
    let files: Vec<Value> = FILES.iter().map(|name| original(name)).collect();
    let steps = prop_oneof![Just(None), (0..200_u32).prop_map(Some)];
    let strategy = (0..files.len(), prop::collection::vec(change(), 1..4), steps);
    let start = Instant::now();
    let (mut tried, mut read, mut compiled) = (0, 0, 0);
    while seconds.map_or(tried < cases, |s| start.elapsed() < Duration::from_secs(s)) {
        let (file, changes, steps) = strategy.new_tree(runner).expect("a case").current();
        let text = damaged(&files[file], &changes);
        // What kills the process is found here.
        if let Ok(path) = std::env::var("TENNLAB_FUZZ_LAST") {
            std::fs::write(path, &text).expect("a file");
        }
        let before = Instant::now();
        let compiles = tried % 8 == 0;
        let network = survive(&place, &text, steps, compiles.then_some(&target));
        tried += 1;
        read += u64::from(network);
        compiled += u64::from(network && compiles);
        let took = before.elapsed();
        assert!(took < Duration::from_mins(2), "{} {changes:?} took {took:?}", FILES[file]);
    }
    (tried, read, compiled)
}

fn runner(seed: u64) -> TestRunner {
    let mut bytes = *b"an arbitrary seed of the fuzzing";
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

#[test]
fn damaged_networks_are_survived() {
    let (tried, read, compiled) = some(&mut runner(1), None, 400);
    // Some of the damage is harmless.
    assert!(read > tried / 20 && read < tried && compiled > 0, "{read} of {tried}, {compiled}");
}

/// By hand: `TENNLAB_FUZZ_SECONDS=1800 cargo test --test tennlab_fuzz -- --ignored`; `TENNLAB_FUZZ_SEED` is a number, for other
/// damage than before.
#[test]
#[ignore = "takes as long as TENNLAB_FUZZ_SECONDS says"]
fn damaged_networks_for_a_long_time() {
    let number = |name: &str, without: u64| {
        std::env::var(name).map_or(without, |text| text.parse().expect("a number"))
    };
    let seconds = number("TENNLAB_FUZZ_SECONDS", 10);
    let (tried, read, compiled) =
        some(&mut runner(number("TENNLAB_FUZZ_SEED", 2)), Some(seconds), 0);
    #[allow(clippy::print_stderr, reason = "the outcome of a run by hand")]
    {
        eprintln!("{tried} damaged networks, {read} of them readable, {compiled} compiled");
    }
}
