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

/// The shipped graph, from its file to spikes: `verify` reads it as its manifest says.
#[test]
fn a_graph_is_compiled_under_an_explicit_discretization() {
    let place = place(RECURRENT);
    place.copy("examples/nir/recurrent.npz", "x.npz");
    let choice = ["--dialect", "norse", "--steps", "60"];
    let with = |command: &[&str]| {
        let arguments: Vec<&str> = command.iter().copied().chain(choice).collect();
        place.run(&arguments).exits(0)
    };
    with(&["compile", "g.nir", "-t", "loihi2", "-o", "a"]);
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(place.path("a/manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["source"]["kind"], "NIR graph");
    let found = &manifest["source"]["discretization"];
    assert_eq!((&found["dialect"], &found["dt"]), (&"norse".into(), &0.001.into()));
    let said = place.run(&["verify", "g.nir", "a", "--stimulus", "x.npz"]).exits(0);
    for equal in ["quantized and scheduled: 0 of ", "scheduled and artifact: 0 of "] {
        assert!(said.stdout.contains(equal), "{}", said.stdout);
    }
    // Read otherwise, it is another network.
    let said = place.run(&["verify", "g.nir", "a", "--dialect", "norse", "--dt", "0.002"]);
    assert_ne!(said.exits(1).stderr, "");
    // As text it is the same network, with its record.
    with(&["convert", "g.nir", "-o", "g.snn"]);
    let text = std::fs::read_to_string(place.path("g.snn")).unwrap();
    assert!(text.contains("discretization dialect norse dt 0.001 time_unit s"), "{text}");
    place.run(&["fmt", "--check", "g.snn"]).exits(0);
    place.run(&["verify", "g.snn", "a", "--stimulus", "x.npz"]).exits(0);
    with(&["run", "g.nir", "--stimulus", "x.npz"]);
    with(&["map", "g.nir", "-t", "loihi2"]);
    with(&["inspect", "g.nir"]);
    with(&["inspect", "g.nir", "--folding"]);
    with(&["quantize", "g.nir", "-t", "loihi2"]);
    with(&["check", "g.nir"]);
    for refused in
        [&["--weights", "random:1"][..], &["--dt", "0"], &["--time-unit", "steps", "--dt", "1"]]
    {
        let arguments: Vec<&str> =
            ["check", "g.nir", "--steps", "4"].into_iter().chain(refused.iter().copied()).collect();
        let said = place.run(&arguments);
        assert!(
            said.stderr.contains("SNN0810") || said.stderr.contains("SNN0258"),
            "{}",
            said.stderr
        );
    }
}

#[test]
fn integers_are_explained() {
    let place = place(RECURRENT);
    let explain = ["explain", "--network", "g.nir", "--dialect", "norse", "--steps", "60"];
    let said = place.run(&explain).exits(0);
    insta::assert_snapshot!("explain", said.stdout);
    let json: Vec<&str> = explain.into_iter().chain(["--format", "json"]).collect();
    let report = place.run(&json).exits(0).json();
    let hidden = &report["populations"][0];
    assert_eq!(hidden["name"], "hidden");
    for register in hidden["registers"].as_array().unwrap() {
        for value in register["values"].as_array().unwrap() {
            let [exact, integer] = ["exact", "integer"].map(|k| value[k].as_f64().unwrap());
            // Decays are chosen with what truncation takes beside them, everything else is rounded.
            let most = if register["register"] == "threshold" { 64.0 } else { 4.0 };
            assert!((exact - integer).abs() <= most, "{register}");
        }
    }
    place.copy(common::GENOME, "g.json");
    let said = place.run(&["explain", "--network", "g.json"]).exits(0);
    assert!(said.stdout.contains("64·(threshold·scale)"), "{}", said.stdout);
    place.copy("examples/tennlab/xor.json", "t.json");
    let said = place.run(&["explain", "--network", "t.json"]).exits(2);
    assert!(said.stderr.contains("SNN0805"), "{}", said.stderr);
    place.run(&["explain", "801", "--steps", "4"]).exits(2);
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
