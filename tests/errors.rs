//! Bad input over the whole command line: every case asserts code, place and exit code, that stdout
//! stays empty, that the JSON form says the same, and that nothing was left on disk.

#[path = "errors/artifacts.rs"]
mod artifacts;
mod common;
#[path = "errors/exports.rs"]
mod exports;
#[path = "errors/genomes.rs"]
mod genomes;
#[path = "errors/levels.rs"]
mod levels;
#[path = "errors/motifs.rs"]
mod motifs;
#[path = "errors/quantize.rs"]
mod quantize;
#[path = "errors/stimuli.rs"]
mod stimuli;
#[path = "errors/usage.rs"]
mod usage;

use common::{Place, repo};
use std::collections::BTreeSet;
use std::panic::catch_unwind;

/// One bad input.
pub(crate) struct Case {
    /// Unique name.
    name: &'static str,
    /// Writes the files of the case.
    set: fn(&Place),
    /// Command line, split at blanks.
    run: &'static str,
    /// Exit code.
    exit: i32,
    /// Code of one of the errors.
    code: &'static str,
    /// Where it is, as printed behind `-->`.
    place: &'static str,
}

/// Copies a text file of the repository with one replacement, which must apply.
pub(crate) fn edited(place: &Place, from: &str, to: &str, old: &str, new: &str) {
    let text = std::fs::read_to_string(repo(from)).expect("a text file of the repository");
    assert!(text.contains(old), "{from} holds no {old:?}");
    place.write(to, text.replacen(old, new, 1));
}

fn check(case: &Case) {
    let place = Place::new();
    (case.set)(&place);
    let before = place.contents();
    let arguments: Vec<&str> = case.run.split_whitespace().collect();

    let said = place.run(&arguments);
    let context = format!("case {}\nstdout:\n{}\nstderr:\n{}", case.name, said.stdout, said.stderr);
    assert_eq!(said.code, case.exit, "{context}");
    let blocks: Vec<&str> = said.stderr.split("error[").skip(1).collect();
    let block = blocks.iter().find(|b| b.starts_with(case.code));
    let block = block.unwrap_or_else(|| panic!("no {} in {context}", case.code));
    let shown = block.lines().find_map(|l| l.trim_start().strip_prefix("--> ")).unwrap_or("");
    let shown = place.plain(shown);
    assert!(shown.contains(case.place), "{} is not at {:?} in {context}", shown, case.place);
    assert!(said.stdout.is_empty(), "{context}");
    assert!(said.stderr.contains("snnc explain SNN"), "{context}");
    assert_eq!(place.contents(), before, "something was left on disk by {context}");

    // What prints a network has no place for a report; exports have.
    let prints = case.run.contains("--emit") && !case.run.contains("--emit sanafe -o");
    if prints || case.run.contains("--schema") {
        return;
    }
    let said = place.run(&[&arguments[..], &["--format", "json"]].concat()).exits(case.exit);
    let report = said.json();
    assert!(said.stderr.is_empty(), "{context}");
    assert_eq!(report["ok"], false, "{context}");
    assert_eq!(report["exit"], case.exit, "{context}");
    let schema = format!("snnc-{}/1", arguments[0]);
    assert_eq!(report["schema"], schema.as_str(), "{context}");
    let found = report["diagnostics"].as_array().expect("a list of diagnostics");
    assert!(found.iter().any(|d| d["code"] == case.code), "{context}");
    assert_eq!(place.contents(), before, "something was left on disk by {context}");
}

fn check_all(cases: &[Case]) {
    let names: BTreeSet<_> = cases.iter().map(|c| c.name).collect();
    assert_eq!(names.len(), cases.len(), "names of cases are unique");
    // All of them are run, so that one change of wording shows everywhere at once.
    let failed: Vec<_> = cases.iter().filter(|c| catch_unwind(|| check(c)).is_err()).collect();
    assert!(failed.is_empty(), "{} of {} cases failed", failed.len(), cases.len());
}

#[test]
fn genomes() {
    check_all(genomes::CASES);
}

#[test]
fn exports() {
    check_all(exports::CASES);
}

#[test]
fn levels() {
    check_all(levels::CASES);
}

#[test]
fn motifs() {
    check_all(motifs::CASES);
}

/// All that stands in the way is named at once.
#[test]
fn every_clip_that_a_chip_cannot_run_is_named() {
    let place = Place::new();
    for file in ["cells.genome.json", "cells.safetensors"] {
        place.copy(&format!("examples/motif/{file}"), file);
    }
    let said = place.run(&["compile", "cells.genome.json", "-t", "loihi1"]).exits(1);
    let emit = ["compile", "cells.genome.json", "-t", "loihi2", "--emit", "quantized"];
    let text = place.run(&emit).exits(0).stdout;
    let clips: Vec<&str> =
        text.split('"').filter(|name| name.split('.').next_back() == Some("clip")).collect();
    assert!(clips.len() > 10, "{text}");
    for clip in clips {
        assert!(said.stderr.contains(&format!("`{clip}`")), "{clip} is not in {}", said.stderr);
    }
    assert!(said.stderr.contains("loihi2"), "the help names a target that has messages");
}

#[test]
fn stimuli() {
    check_all(stimuli::CASES);
}

#[test]
fn artifacts() {
    check_all(artifacts::CASES);
}

#[test]
fn quantization() {
    check_all(quantize::CASES);
}

#[test]
fn usage() {
    check_all(usage::CASES);
}

#[test]
fn there_are_many_cases() {
    let counts = [
        exports::CASES.len(),
        genomes::CASES.len(),
        levels::CASES.len(),
        motifs::CASES.len(),
        stimuli::CASES.len(),
        artifacts::CASES.len(),
        quantize::CASES.len(),
        usage::CASES.len(),
    ];
    assert!(counts.iter().sum::<usize>() >= 150, "{counts:?}");
}
