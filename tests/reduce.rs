//! `snnc reduce`: small networks that still do what they did, by code of a refusal and by any command.

mod common;

use common::Place;
use std::fs;

/// A folder with a network in integers, `net.snn`, and in f32, `float.snn`, of a genome that resets by
/// subtraction.
fn place() -> Place {
    let place = Place::new();
    for file in ["subtract.genome.json", "subtract.npz"] {
        place.copy(&format!("tests/fixtures/{file}"), file);
    }
    let emit = ["compile", "subtract.genome.json", "-t", "loihi2", "--emit", "quantized"];
    let text = place.run(&emit).exits(0).stdout;
    place.write("net.snn", text);
    place.run(&["convert", "subtract.genome.json", "-o", "float.snn"]).exits(0);
    place
}

/// The sizes that the report says.
fn sizes(report: &serde_json::Value) -> [[u64; 3]; 2] {
    ["before", "after"].map(|when| {
        ["populations", "joints", "weights"]
            .map(|what| report[when][what].as_u64().expect("a number"))
    })
}

#[test]
fn a_refusal_keeps_its_code_in_integers_and_in_floats() {
    let place = place();
    for (file, code) in [("net.snn", "SNN0426"), ("float.snn", "")] {
        let command = [
            "reduce",
            file,
            "-o",
            "small.snn",
            "--fails",
            "compile",
            "-t",
            "loihi1",
            "--format",
            "json",
        ];
        let report = place.run(&command).exits(0).json();
        let failure = report["failure"].as_str().expect("what failed").to_owned();
        assert!(failure.starts_with("compile SNN") && failure.ends_with(code), "{failure}");
        let [before, after] = sizes(&report);
        assert!(after[0] == 1 && after[0] <= before[0] && after[2] <= 1, "{before:?} {after:?}");
        // The code is that of the whole network, and of the small one.
        for network in [file, "small.snn"] {
            let said = place.run(&["check", network, "-t", "loihi1"]).exits(1);
            let code = failure.trim_start_matches("compile ");
            assert!(said.stderr.contains(code), "{network}: {}", said.stderr);
        }
        let small = fs::read(place.path("small.snn")).expect("a network");
        place.run(&command).exits(0);
        assert_eq!(fs::read(place.path("small.snn")).expect("a network"), small, "no chance in it");
    }
}

#[test]
fn any_command_can_say_what_is_of_interest() {
    let place = place();
    let test = "grep -q 'reset subtract' {}";
    place.run(&["reduce", "net.snn", "--test", test, "-o", "small.snnb"]).exits(0);
    place.run(&["convert", "small.snnb", "-o", "small.snn"]).exits(0);
    let text = fs::read_to_string(place.path("small.snn")).expect("a network");
    assert!(text.contains("reset subtract"), "{text}");
    assert!(text.lines().count() < 25, "{text}");
    // The default name is beside the source.
    place.run(&["reduce", "net.snn", "--test", "grep -q pop0 {}"]).exits(0);
    assert!(place.names().contains(&"net.reduced.snn".to_owned()), "{:?}", place.names());
}

#[test]
fn a_network_that_does_not_fail_is_not_reduced() {
    let place = place();
    for fails in ["compile", "certify", "verify", "panics"] {
        let said = place.run(&["reduce", "net.snn", "--fails", fails]).exits(1);
        assert!(said.stderr.contains("SNN0841") && said.stderr.contains("nothing fails"));
    }
    // Refused, but for another reason.
    let other = ["reduce", "net.snn", "--fails", "compile", "--code", "SNN0560", "-t", "loihi1"];
    let said = place.run(&other).exits(1);
    assert!(said.stderr.contains("SNN0841") && said.stderr.contains("SNN0426"), "{}", said.stderr);
    assert!(!place.names().contains(&"net.reduced.snn".to_owned()));
}
