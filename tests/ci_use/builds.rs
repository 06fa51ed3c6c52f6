//! `--deps` with make and ninja, as they are.

use crate::common::{Place, repo};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

/// Whether `tool` can be started. In continuous integration it has to be there.
fn there(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok_and(|o| o.status.success());
    assert!(found || std::env::var_os("SNNC_NEEDS_BUILD_TOOLS").is_none(), "{tool} is missing");
    if !found {
        println!("skipped: {tool} is not here");
    }
    found
}

/// Runs a command and returns which sources it compiled.
fn built(command: &mut Command) -> Vec<String> {
    let output = command.output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    let mut all: Vec<String> = text
        .lines()
        .filter_map(|line| line.split("compile ").nth(1))
        .map(|rest| rest.split(" --").next().unwrap_or_default().trim().to_owned())
        .map(|path| path.rsplit('/').next().unwrap_or_default().to_owned())
        .collect();
    all.sort();
    all
}

/// Changes when a file was modified last. The clock that file systems use is coarser than that of programs.
fn touch(path: &Path) {
    let pause = Duration::from_millis(30);
    sleep(pause);
    let file = fs::File::options().append(true).open(path).expect("a file");
    file.set_modified(std::time::SystemTime::now()).expect("a time");
    sleep(pause);
}

/// A copy of what the example files build, in a folder whose name has to be escaped.
fn copied() -> Place {
    let place = Place::new();
    for file in [
        "ci/Makefile",
        "ci/build.ninja",
        "small/conv.genome.json",
        "small/genes.genome.json",
        "small/skip.genome.json",
        "digits/digits.genome.json",
        "digits/digits.safetensors",
    ] {
        place.copy(&format!("examples/{file}"), &format!("examples/{file}"));
    }
    fs::create_dir(place.path("bin")).expect("a folder");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_snnc"), place.path("bin/snnc")).expect("a link");
    place
}

fn with_path(command: &mut Command, place: &Place) {
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", place.path("bin").display()));
    command.env_remove("MAKEFLAGS").env_remove("MAKELEVEL").env_remove("MFLAGS");
    command.current_dir(place.path(""));
}

#[test]
fn make_repeats_only_what_has_changed() {
    if !there("make") {
        return;
    }
    let place = copied();
    let make = |more: &[&str]| {
        let mut command = Command::new("make");
        command.args(["-f", "examples/ci/Makefile"]).args(more);
        with_path(&mut command, &place);
        built(&mut command)
    };
    let all = ["conv.genome.json", "genes.genome.json", "skip.genome.json"];
    assert_eq!(make(&[]), all);
    assert_eq!(make(&[]), [""; 0], "nothing has changed");
    touch(&place.path("examples/small/skip.genome.json"));
    assert_eq!(make(&[]), ["skip.genome.json"]);
    // A side-car and a target, of which only the dependency files know.
    place.copy("backends/targets/loihi2.toml", "own.toml");
    let digits = ["GENOMES=examples/digits/digits.genome.json", "TARGET=own.toml"];
    assert_eq!(make(&digits), ["digits.genome.json"]);
    assert_eq!(make(&digits), [""; 0]);
    touch(&place.path("examples/digits/digits.safetensors"));
    assert_eq!(make(&digits), ["digits.genome.json"]);
    touch(&place.path("own.toml"));
    assert_eq!(make(&digits), ["digits.genome.json"]);
    assert_eq!(make(&digits), [""; 0]);
}

#[test]
fn ninja_repeats_only_what_has_changed() {
    if !there("ninja") {
        return;
    }
    let place = copied();
    let ninja = || {
        let mut command = Command::new("ninja");
        command.args(["-v", "-f", "examples/ci/build.ninja"]);
        with_path(&mut command, &place);
        built(&mut command)
    };
    assert_eq!(ninja(), ["conv.genome.json", "digits.genome.json", "skip.genome.json"]);
    assert_eq!(ninja(), [""; 0], "nothing has changed");
    touch(&place.path("examples/digits/digits.safetensors"));
    assert_eq!(ninja(), ["digits.genome.json"]);
    assert_eq!(ninja(), [""; 0]);
}

/// Names that mean something in these files, in a rule that make and ninja read.
#[test]
fn names_are_escaped_as_both_read_them() {
    let place = copied();
    let name = "a b#c$d:e.json";
    place.copy("examples/digits/digits.genome.json", name);
    place.copy("examples/digits/digits.safetensors", "digits.safetensors");
    place.copy("examples/digits/calibrate.npz", "cal x.npz");
    place.write("snnc.toml", "[quantize]\nweight-bits = 6\n");
    place.write(
        "Makefile",
        "o$$/x/manifest.json:\n\tsnnc compile 'a b#c$$d:e.json' -t loihi2 -o 'o$$/x' --deps x.d \
         --calibrate 'cal x.npz' --calibrate-samples 2 --budget 0.001\n-include x.d\n",
    );
    place.write(
        "build.ninja",
        "rule c\n  command = snnc compile 'a b#c$$d:e.json' -t loihi2 -o 'o$$/x' --deps x.d --calibrate 'cal x.npz' \
         --calibrate-samples 2 --budget 0.001\n  depfile = x.d\nbuild o$$/x/manifest.json: c\n",
    );
    fs::create_dir(place.path("o$")).expect("a folder");
    for (tool, arguments) in [("make", &[][..]), ("ninja", &["-v"])] {
        if !there(tool) {
            continue;
        }
        let run = || {
            let mut command = Command::new(tool);
            command.args(arguments);
            with_path(&mut command, &place);
            built(&mut command).len()
        };
        fs::remove_dir_all(place.path("o$/x")).ok();
        assert_eq!(run(), 1, "{tool}");
        assert_eq!(run(), 0, "{tool}: nothing has changed");
        for input in [name, "digits.safetensors", "cal x.npz", "snnc.toml"] {
            touch(&place.path(input));
            assert_eq!(run(), 1, "{tool}: {input} has changed");
            assert_eq!(run(), 0, "{tool}: nothing has changed");
        }
    }
    let rule = String::from_utf8(place.read("x.d")).expect("UTF-8");
    assert!(rule.starts_with("o$$/x/manifest.json: \\\n  a\\ b\\#c$$d\\:e.json \\\n"), "{rule}");
}

#[test]
fn nothing_is_published_without_its_rule() {
    let place = Place::new();
    place.copy("examples/small/skip.genome.json", "g;1.json");
    let compile = ["compile", "g;1.json", "-t", "loihi2", "-o", "out", "--deps", "x.d"];
    let said = place.run(&compile).exits(2);
    assert!(said.stderr.contains("SNN0846"), "{}", said.stderr);
    assert_eq!(place.names(), ["g;1.json"]);
    assert!(repo("examples/ci/action.yml").is_file());
}
