//! `snnc verify --certificate`: a certificate is proved again from its files alone, and no other is.

mod common;

use common::{GENOME, Place};
use serde_json::Value;
use snnc::verify::recheck;
use std::path::Path;

/// The files that a certificate is about, and the certificate: nothing else of an artifact.
const FILES: [&str; 4] = ["program.snnb", "source.snnb", "target.toml", "certificate.json"];

/// A folder `c` with nothing but a certificate and its files.
fn alone(genome: &str, options: &[&str]) -> Place {
    let place = Place::new();
    place.copy(genome, "g.json");
    place.run(&[&["compile", "g.json", "-o", "art"][..], options].concat()).exits(0);
    for file in FILES.iter().chain(&["network.net"]) {
        if place.path("art").join(file).exists() {
            place.write(&format!("c/{file}"), place.read(&format!("art/{file}")));
        }
    }
    place
}

/// Codes of what is wrong with a certificate, and all that is said.
fn refused(path: &Path) -> Option<(Vec<String>, String)> {
    let errors = recheck(path).err()?;
    Some((errors.iter().map(|d| d.code.to_string()).collect(), errors.to_string()))
}

#[test]
fn a_certificate_needs_its_files_alone() {
    for (genome, options) in [
        (GENOME, &["-t", "loihi2"][..]),
        ("tests/fixtures/bias.genome.json", &["-t", "loihi1", "--delays", "relay"]),
        ("tests/fixtures/clips.genome.json", &["-t", "loihi2"]),
    ] {
        let place = alone(genome, options);
        let said = place.run(&["verify", "--certificate", "c/certificate.json"]).exits(0);
        assert!(said.stdout.contains("proved again from program.snnb, source.snnb, target.toml"));
        let folder = place.run(&["verify", "--certificate", "c"]).exits(0);
        assert_eq!(folder.stdout, said.stdout);
        let report = place.run(&["verify", "--certificate", "c", "--format", "json"]).exits(0);
        let (report, text) = (report.json(), place.read("c/certificate.json"));
        let certificate: Value = serde_json::from_slice(&text).expect("JSON");
        for (field, value) in certificate.as_object().expect("an object") {
            assert_eq!(report[field], *value, "{field}");
        }
    }
}

/// Paths of everything in a document, `/`-separated.
fn paths(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(k, v)| paths(v, &format!("{at}/{k}"), out));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, v)| paths(v, &format!("{at}/{i}"), out));
        }
        _ => {}
    }
}

/// Another value of the same kind.
fn other(value: &Value) -> Value {
    match value {
        Value::Null => Value::from(0),
        Value::Bool(b) => Value::from(!b),
        Value::Number(n) => Value::from(n.as_i64().expect("an integer") + 1),
        Value::String(s) => Value::from(format!("{s}0")),
        Value::Array(items) => Value::from(items.iter().skip(1).cloned().collect::<Vec<_>>()),
        Value::Object(fields) => {
            let mut fields = fields.clone();
            fields.insert("claim".to_owned(), Value::from("it is safe"));
            fields.into()
        }
    }
}

/// Each value is changed, and each is taken out; each time the certificate is refused, with the place
/// named.
#[test]
fn every_altered_field_is_refused() {
    let place = alone(GENOME, &["-t", "loihi2"]);
    let file = place.path("c/certificate.json");
    let whole: Value = serde_json::from_slice(&place.read("c/certificate.json")).expect("JSON");
    let mut all = Vec::new();
    paths(&whole, "", &mut all);
    assert!(all.len() > 60, "{all:?}");
    let mut tried = 0;
    let mut expect = |what: String, document: &Value| {
        let text = serde_json::to_string_pretty(document).expect("JSON") + "\n";
        place.write("c/certificate.json", text);
        let (codes, said) = refused(&file).unwrap_or_else(|| panic!("accepted: {what}"));
        // Not for its form alone, which is another one in every case.
        let known = if what.starts_with("/format") { "SNN0718" } else { "SNN07" };
        let form = |c: &String| c == "SNN0718" && !what.starts_with("/format");
        assert!(codes.iter().all(|c| c.starts_with(known) && !form(c)), "{what}: {said}");
        tried += 1;
        said
    };
    for path in &all {
        let mut changed = whole.clone();
        let value = changed.pointer_mut(path).expect("a path of the document");
        // An empty list has nothing to lose.
        if value.as_array().is_some_and(Vec::is_empty) {
            continue;
        }
        *value = other(value);
        let said = expect(format!("{path} changed"), &changed);
        let leaf = path.rsplit('/').next().unwrap_or_default();
        assert!(leaf.parse::<usize>().is_ok() || said.contains(leaf), "{path}: {said}");
        let Some((parent, name)) = path.rsplit_once('/') else { continue };
        let mut without = whole.clone();
        match without.pointer_mut(parent).expect("a path of the document") {
            Value::Object(fields) => drop(fields.remove(name)),
            Value::Array(items) => drop(items.remove(name.parse().expect("an index"))),
            _ => unreachable!("only these have members"),
        }
        expect(format!("{path} taken out"), &without);
    }
    assert!(tried > 120, "{tried}");
}

/// The same for the part about `network.net`, and for the file itself.
#[test]
fn what_is_said_of_the_export_is_proved_again() {
    let place = alone(GENOME, &["-t", "loihi2", "--delays", "relay"]);
    let text = place.read("c/certificate.json");
    let whole: Value = serde_json::from_slice(&text).expect("JSON");
    let layout = &whole["netx"]["layout"];
    assert!(layout["populations"].as_array().is_some_and(|all| all.len() > 1), "{whole}");
    let expect = |what: &str, document: &Value| {
        place.write(
            "c/certificate.json",
            serde_json::to_string_pretty(document).expect("JSON") + "\n",
        );
        refused(&place.path("c")).unwrap_or_else(|| panic!("accepted: {what}"))
    };
    let mut all = Vec::new();
    paths(&whole["netx"], "/netx", &mut all);
    for path in all {
        let mut changed = whole.clone();
        let value = changed.pointer_mut(&path).expect("a path of the document");
        *value = other(value);
        expect(&path, &changed);
    }
    let mut without = whole.clone();
    without.as_object_mut().expect("an object").remove("netx");
    let (codes, said) = expect("no claim about network.net", &without);
    assert!(codes.contains(&"SNN0720".to_owned()), "{said}");
    place.write("c/certificate.json", &text);
    recheck(&place.path("c")).expect("all as it was");
    let bytes = place.read("c/network.net");
    place.write("c/network.net", &bytes[..bytes.len() / 2]);
    let (codes, said) = refused(&place.path("c")).expect("a file cut short");
    assert!(
        codes.contains(&"SNN0719".to_owned()) && codes.contains(&"SNN0636".to_owned()),
        "{said}"
    );
}

/// Two fields of one name: readers differ in which one they believe.
#[test]
fn a_field_that_stands_twice_is_refused() {
    let place = alone(GENOME, &["-t", "loihi2"]);
    let text = String::from_utf8(place.read("c/certificate.json")).expect("UTF-8");
    let line = text.lines().find(|l| l.contains("\"steps\"")).expect("a number of steps");
    place.write(
        "c/certificate.json",
        text.replacen(line, &format!("  \"steps\": 9999,\n{line}"), 1),
    );
    let (codes, _) = refused(&place.path("c")).expect("refused");
    assert_eq!(codes, ["SNN0718"]);
}

/// A byte of each file changed: the hash says so, and where the network is another one the checker says
/// which neuron.
#[test]
fn every_altered_file_is_refused() {
    let place = alone(GENOME, &["-t", "loihi2"]);
    for file in &FILES[..3] {
        let whole = place.read(&format!("c/{file}"));
        for part in 1..8 {
            let mut bytes = whole.clone();
            let at = bytes.len() * part / 8;
            bytes[at] ^= 4;
            place.write(&format!("c/{file}"), &bytes);
            let (codes, said) = refused(&place.path("c")).unwrap_or_else(|| panic!("{file} {at}"));
            assert!(codes.iter().any(|c| c == "SNN0719"), "{file} {at}: {said}");
        }
        place.write(&format!("c/{file}"), &whole);
    }
    recheck(&place.path("c")).expect("all as it was");
}

/// A certificate with the right hashes for a program that computes something else: only the proof can tell.
#[test]
fn a_forged_certificate_is_refused() {
    let place = alone(GENOME, &["-t", "loihi2"]);
    let mut program =
        snnc::backends::program::read(&place.read("c/program.snnb")).expect("a program");
    program.cores[0].thresholds[0] += 1;
    let bytes = snnc::backends::program::encode(&program);
    place.write("c/program.snnb", &bytes);
    let mut forged: Value =
        serde_json::from_slice(&place.read("c/certificate.json")).expect("JSON");
    let entry = snnc::artifact::manifest::FileEntry::of("program.snnb", &bytes);
    forged["files"][0] = serde_json::to_value(entry).expect("JSON");
    place.write("c/certificate.json", serde_json::to_string_pretty(&forged).expect("JSON") + "\n");
    let (codes, said) = refused(&place.path("c")).expect("refused");
    assert!(codes.iter().any(|c| c == "SNN0706"), "{said}");
    assert!(said.contains("neuron"), "{said}");
}
