//! The composite action: its steps are run as a runner runs them.

use crate::common::{Place, repo};
use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output};

/// A step: what it gets, and what it runs.
struct Step {
    env: Vec<(String, String)>,
    script: String,
}

/// Defaults of the inputs, and the steps, of the action. Reads the few forms of YAML that the file uses.
fn action() -> (BTreeMap<String, String>, Vec<Step>) {
    let text = fs::read_to_string(repo("examples/ci/action.yml")).expect("the action");
    let (head, runs) = text.split_once("\nruns:\n").expect("steps");
    let inputs =
        head.split_once("inputs:\n").expect("inputs").1.split("\noutputs:").next().expect("inputs");
    let mut defaults = BTreeMap::new();
    let mut name = "";
    for line in inputs.lines() {
        if let Some(input) = line.strip_prefix("  ").filter(|l| !l.starts_with(' ')) {
            name = input.trim_end_matches(':');
        } else if let Some(default) = line.trim().strip_prefix("default: ") {
            defaults.insert(name.to_owned(), default.trim_matches('"').to_owned());
        }
    }
    let steps = runs.split("\n    - name: ").skip(1).map(|step| {
        let (before, script) = step.split_once("run: |\n").expect("a script");
        let entries = before.lines().filter_map(|l| l.strip_prefix("        "));
        let env = entries.filter_map(|l| l.split_once(": ${{ inputs."));
        let env =
            env.map(|(key, input)| (key.to_owned(), input.trim_end_matches(" }}").to_owned()));
        let script: Vec<&str> =
            script.lines().map(|l| l.strip_prefix("        ").unwrap_or("")).collect();
        Step { env: env.collect(), script: script.join("\n") }
    });
    (defaults, steps.collect())
}

/// Runs the steps until one fails, with these inputs.
fn run(place: &Place, inputs: &[(&str, &str)]) -> Vec<Output> {
    let (defaults, steps) = action();
    assert_eq!(steps.len(), 3);
    let value = |name: &str| {
        let given = inputs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        given.unwrap_or_else(|| defaults[name].clone())
    };
    let mut outputs = Vec::new();
    for step in steps {
        // What GitHub's runners start for `shell: bash`.
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &step.script]);
        command.current_dir(place.path("")).env("GITHUB_PATH", place.path("github_path"));
        command.env("PATH", format!("{}:/usr/bin:/bin", place.path("bin").display()));
        command.envs(step.env.iter().map(|(key, input)| (key, value(input))));
        let output = command.output().expect("bash starts");
        let failed = !output.status.success();
        outputs.push(output);
        if failed {
            break;
        }
    }
    outputs
}

fn place() -> Place {
    let place = Place::new();
    fs::create_dir(place.path("bin")).expect("a folder");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_snnc"), place.path("bin/snnc")).expect("a link");
    place.copy("tests/fixtures/skip.genome.json", "my nets/g.json");
    place.copy("tests/fixtures/skip.npz", "s.npz");
    place
}

#[test]
fn the_action_compiles_and_verifies() {
    let place = place();
    let inputs = [
        ("genome", "my nets/g.json"),
        ("artifact", "out/art"),
        ("options", "--weight-bits\n6"),
        ("stimulus", "s.npz"),
    ];
    let outputs = run(&place, &inputs);
    let text: Vec<_> = outputs.iter().map(|o| String::from_utf8_lossy(&o.stderr)).collect();
    assert!(outputs.len() == 3 && outputs[2].status.success(), "{text:?}");
    for file in ["compile.xml", "verify.xml", "sarif/compile.sarif", "sarif/verify.sarif"] {
        assert!(place.path(&format!("snnc-reports/{file}")).is_file(), "{file}");
    }
    let manifest: serde_json::Value =
        serde_json::from_slice(&place.read("out/art/manifest.json")).expect("JSON");
    assert_eq!(manifest["quantization"]["settings"]["weight_bits"], 6);
}

#[test]
fn the_action_fails_with_annotations_and_reports() {
    let place = place();
    place.copy("tests/fixtures/subtract.genome.json", "bad.json");
    let outputs = run(&place, &[("genome", "bad.json"), ("target", "loihi1")]);
    let last = outputs.last().expect("steps");
    assert_eq!((outputs.len(), last.status.code()), (2, Some(1)));
    assert!(String::from_utf8_lossy(&last.stderr).contains("::error file=bad.json"), "{last:?}");
    let xml = String::from_utf8(place.read("snnc-reports/compile.xml")).expect("UTF-8");
    assert!(xml.contains("<failure"), "{xml}");

    fs::remove_file(place.path("bin/snnc")).expect("a link");
    let outputs = run(&place, &[("genome", "bad.json")]);
    assert_eq!((outputs.len(), outputs[0].status.code()), (1, Some(1)));
    assert!(String::from_utf8_lossy(&outputs[0].stdout).starts_with("::error title="));
}
