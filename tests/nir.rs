//! NIR files on the command line: shown, checked, rewritten, and compiled once it is said how time is cut into steps.

mod common;

use common::{Place, repo};

const RECURRENT: &str = "examples/nir/recurrent.nir";

fn place(from: &str) -> Place {
    let place = Place::new();
    place.copy(from, "g.nir");
    place
}

#[test]
fn a_graph_is_shown() {
    let said = place(RECURRENT).run(&["inspect", "g.nir"]).exits(0);
    insta::assert_snapshot!("inspect", said.stdout);
    let report = place(RECURRENT).run(&["inspect", "g.nir", "--format", "json"]).exits(0).json();
    assert_eq!(report["kind"], "nir");
    assert_eq!(report["holds"], "graph");
    assert_eq!(report["nodes"].as_array().map(Vec::len), Some(5));
    assert_eq!(report["cycles"][0][0], "back");
    assert!(report["open"].as_array().is_some_and(|o| o.iter().any(|a| a["attribute"] == "dt")));
}

#[test]
fn a_recording_is_shown() {
    let said = place("frontend/tests/nir/fixtures/recording.nir").run(&["inspect", "g.nir"]);
    insta::assert_snapshot!("recording", said.exits(0).stdout);
}

#[test]
fn a_broken_graph_is_shown_as_far_as_it_is_understood() {
    let place = Place::new();
    // Renames a node in the edges, and leaves the lengths.
    let bytes = std::fs::read(repo(RECURRENT)).unwrap();
    let at = bytes.windows(8).rposition(|w| w == b"hidden\0\0").unwrap();
    let mut broken = bytes;
    broken[at..at + 6].copy_from_slice(b"hiddan");
    place.write("g.nir", broken);
    let said = place.run(&["inspect", "g.nir"]).exits(1);
    assert!(said.stdout.contains("CubaLIF"), "{}", said.stdout);
    assert!(said.stderr.contains("SNN0274") && said.stderr.contains("hidden"), "{}", said.stderr);
    let said = place.run(&["check", "g.nir"]).exits(1);
    assert!(said.stderr.contains("SNN0274"), "{}", said.stderr);
}

#[test]
fn nothing_is_compiled_while_time_is_open() {
    let place = place(RECURRENT);
    let said = place.run(&["check", "g.nir"]).exits(0);
    assert_eq!(said.stderr, "g: a valid NIR graph\n");
    for command in [
        &["compile", "g.nir", "-t", "loihi2"][..],
        &["check", "g.nir", "-t", "loihi2"],
        &["check", "g.nir", "--steps", "8"],
        &["map", "g.nir", "-t", "loihi2"],
        &["inspect", "g.nir", "--folding"],
        &["convert", "g.nir", "-o", "g.snn"],
    ] {
        let said = place.run(command).exits(1);
        assert!(said.stderr.contains("SNN0252"), "{command:?}: {}", said.stderr);
        assert!(said.stderr.contains("add `--dialect NAME`"), "{command:?}: {}", said.stderr);
    }
}

#[test]
fn a_graph_is_rewritten() {
    let place = place(RECURRENT);
    place.run(&["convert", "g.nir", "-o", "a.nir"]).exits(0);
    place.run(&["convert", "a.nir", "-o", "b.nir"]).exits(0);
    let read = |name| std::fs::read(place.path(name)).unwrap();
    assert_eq!(read("a.nir"), read("b.nir"));
    place.run(&["convert", "g.nir", "-o", "c.nir", "--nir-compat", "1.0.4"]).exits(0);
    let said = place.run(&["inspect", "c.nir"]).exits(0);
    assert!(said.stdout.contains("version 1.0.4"), "{}", said.stdout);
    let said = place.run(&["convert", "g.nir", "-o", "g.json"]).exits(2);
    assert!(said.stderr.contains("SNN0803"), "{}", said.stderr);
    place.copy(common::GENOME, "g.json");
    let said = place.run(&["convert", "g.json", "-o", "x.snn", "--nir-compat", "1.0.4"]).exits(2);
    assert!(said.stderr.contains("--nir-compat"), "{}", said.stderr);
}
