//! Targets with every limit at many values: small networks compile for them and are certified, or are refused for the
//! limit, but no certificate is refused to an artifact of ours.

use snnc::trust::readers::{Outcome, READERS};
use std::fs;
use std::path::Path;

/// Values that a limit is set to, if its key takes them; beside one less and one more than it has.
const VALUES: [i64; 12] = [-4, -1, 0, 1, 2, 5, 6, 8, 31, 63, 127, 1000];

/// The texts of a target in which the limit of one line is another.
fn others(text: &str) -> impl Iterator<Item = String> {
    let lines: Vec<&str> = text.lines().collect();
    let limit = |line: &&str| {
        let (key, rest) = line.split_once(" = { value = ")?;
        let (value, rest) = rest.split_once(',')?;
        Some((key.to_owned(), value.parse::<i64>().ok()?, rest.to_owned()))
    };
    let mut texts = Vec::new();
    for (at, (key, value, rest)) in
        lines.iter().enumerate().filter_map(|(at, line)| Some((at, limit(line)?)))
    {
        for other in VALUES.into_iter().chain([value - 1, value + 1]) {
            let line = format!("{key} = {{ value = {other},{rest}");
            let mut changed = lines.clone();
            changed[at] = &line;
            texts.push(changed.join("\n"));
        }
    }
    texts.into_iter()
}

fn sweep(name: &str) {
    let check = READERS.iter().find(|r| r.name == "target").expect("a reader of targets").check;
    let path = format!("backends/targets/{name}.toml");
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("it is there");
    let (mut read, mut refused) = (0, 0);
    for other in others(&text) {
        match std::panic::catch_unwind(|| check(other.as_bytes())) {
            Ok(Outcome::Read) => read += 1,
            Ok(Outcome::Refused) => refused += 1,
            Err(_) => {
                let changed = text.lines().zip(other.lines()).find(|(old, new)| old != new);
                panic!("{name} with another limit breaks a promise: {changed:?}");
            }
        }
    }
    // A limit that is no number of a line, or that takes none of the values, would make this a test of nothing.
    assert!(read > 250 && refused > 50, "{read} targets were read, {refused} were not");
}

#[test]
fn loihi1() {
    sweep("loihi1");
}

#[test]
fn loihi2() {
    sweep("loihi2");
}
