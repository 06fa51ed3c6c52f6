//! JUnit, SARIF, annotations and lines: of commands that end well, and of such that do not.

use crate::common::{Place, compiled};
use serde_json::Value;

/// The test cases of a report: their names, and what is inside.
fn cases(xml: &str) -> Vec<(String, String)> {
    let case = |part: &str| {
        let name = part.split(" name=\"").nth(1).and_then(|rest| rest.split('"').next());
        let inside = part.split_once('>').map_or("", |(_, inside)| inside);
        (name.expect("a name").to_owned(), inside.trim_end().to_owned())
    };
    xml.split("<testcase ").skip(1).map(case).collect()
}

/// A genome that is no JSON.
fn broken() -> Place {
    let place = Place::new();
    place.write("bad, 100%.json", "{\n  \"kind\": 1,,\n}");
    place
}

#[test]
fn a_report_has_a_case_for_everything_proved() {
    let place = compiled();
    let verify = ["verify", "g.json", "art", "--stimulus", "s.npz", "--junit", "r.xml"];
    place.run(&verify).exits(0);
    let xml = String::from_utf8(place.read("r.xml")).expect("UTF-8");
    assert!(xml.contains("failures=\"0\" errors=\"0\" skipped=\"0\" time=\"0\""), "{xml}");
    let found = cases(&xml);
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    let manifest: Value = serde_json::from_slice(&place.read("art/manifest.json")).expect("JSON");
    let fixed = ["source is read", "files are unaltered", "program is decoded"];
    assert_eq!(names[..3], fixed);
    assert!(names.contains(&"integer levels agree on the stimulus"));
    for population in manifest["populations"].as_array().expect("populations") {
        assert!(names.contains(&population["name"].as_str().expect("a name")), "{xml}");
    }
    assert!(found.iter().all(|(_, inside)| !inside.contains("<failure")), "{xml}");
    // The same on every run.
    place.run(&verify).exits(0);
    assert_eq!(place.read("r.xml"), xml.as_bytes());

    place.run(&["compile", "g.json", "-t", "loihi2", "-o", "art", "--junit", "c.xml"]).exits(0);
    assert!(String::from_utf8_lossy(&place.read("c.xml")).contains("artifact is published"));
    place.run(&["check", "g.json", "-t", "loihi2", "--junit", "c.xml"]).exits(0);
    assert_eq!(cases(&String::from_utf8_lossy(&place.read("c.xml"))).len(), names.len() - 3);
}

#[test]
fn a_report_is_written_when_the_proof_fails() {
    let place = compiled();
    let mut program = place.read("art/program.snnb");
    let last = program.len() - 1;
    program[last] ^= 1;
    place.write("art/program.snnb", &program);
    place.run(&["verify", "g.json", "art", "--junit", "r.xml"]).exits(1);
    let xml = String::from_utf8(place.read("r.xml")).expect("UTF-8");
    let found = cases(&xml);
    let inside = |name: &str| &found.iter().find(|(n, _)| n == name).expect("a case").1;
    assert!(inside("files are unaltered").contains("type=\"SNN0832\""), "{xml}");
    let proof = inside("program equals the quantized network for all inputs");
    assert!(proof.contains("type=\"SNN07"), "what the alteration means: {xml}");
    assert!(inside("files are unaltered").contains("program.snnb differs"), "{xml}");
    assert!(inside("source is read").ends_with("</testcase>"), "{xml}");
    assert!(inside("program is decoded").contains("<skipped"), "{xml}");

    // Another network: the certificate fails, and says so where it belongs.
    let place = compiled();
    place.copy("tests/fixtures/bias.genome.json", "other.json");
    place.run(&["verify", "other.json", "art", "--junit", "r.xml"]).exits(1);
    let xml = String::from_utf8(place.read("r.xml")).expect("UTF-8");
    assert!(xml.contains("<failure") && !xml.contains("<error"), "{xml}");
    let found = cases(&xml);
    let files = found.iter().find(|(n, _)| n == "files are unaltered").expect("a case");
    assert!(!files.1.contains("<failure"), "{xml}");

    // What cannot be judged is an error.
    place.run(&["verify", "none.json", "art", "--junit", "r.xml"]).exits(2);
    assert!(String::from_utf8_lossy(&place.read("r.xml")).contains("<error message="));
}

#[test]
fn sarif_names_rules_places_and_levels() {
    let place = broken();
    let said =
        place.run(&["check", "bad, 100%.json", "--format", "sarif", "--sarif", "r.sarif"]).exits(1);
    assert!(said.stderr.is_empty(), "{}", said.stderr);
    assert_eq!(said.stdout.as_bytes(), place.read("r.sarif"), "the same on stdout and in the file");
    let log = said.json();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "snnc");
    let result = &run["results"][0];
    let rule = &run["tool"]["driver"]["rules"][0];
    assert_eq!(result["ruleId"], rule["id"]);
    assert_eq!(result["level"], "error");
    assert!(rule["help"]["text"].as_str().is_some_and(|text| text.len() > 20));
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "bad%2C%20100%25.json");
    assert_eq!(place["region"]["startLine"], 2);
}

#[test]
fn annotations_and_lines_stand_in_for_findings() {
    let place = broken();
    let said = place.run(&["check", "bad, 100%.json", "--format", "github"]).exits(1);
    let start = "::error file=bad%2C 100%25.json,line=2,col=";
    assert!(said.stderr.starts_with(start), "{}", said.stderr);
    assert_eq!(said.stderr.lines().count(), 1, "{}", said.stderr);
    let said = place.run(&["check", "bad, 100%.json", "--format", "short"]).exits(1);
    assert!(said.stderr.starts_with("bad, 100%.json:2:"), "{}", said.stderr);
    assert!(said.stderr.contains(": error[SNN01"), "{}", said.stderr);
    assert_eq!(said.stderr.lines().count(), 1, "{}", said.stderr);
    // Products stay on stdout.
    assert!(
        place.run(&["explain", "801", "--format", "github"]).exits(0).stdout.contains("SNN0801")
    );
}
