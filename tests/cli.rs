//! The command line as a user sees it: files, streams, exit codes, reports.

mod common;

use common::{GENOME, Place, compiled, repo, said};
use serde_json::Value;
use snnc::artifact::manifest::FileEntry;
use snnc::artifact::{Artifact, Manifest};
use snnc::frontend::arrays::{ArrayData, read_npz};
use snnc::ir::diag::codes;
use std::fs;
use std::io::Read;
use std::process::Stdio;

/// Text for a snapshot: paths, versions, hashes and the lengths of the accounts taken out.
fn golden(place: &Place, text: &str) -> String {
    let is_hash = |w: &str| w.len() == 64 && w.bytes().all(|b| b.is_ascii_hexdigit());
    let mut text = place.plain(text);
    let manifest = Manifest::read(&place.path("art")).ok();
    for name in ["report.json", "report.html"] {
        if let Some(report) = manifest.as_ref().and_then(|m| m.file(name)) {
            let length = report.bytes.to_string();
            let mut parts = text.split(name);
            let first = parts.next().unwrap_or_default().to_owned();
            text =
                parts.fold(first, |text, part| text + name + &part.replacen(&length, "<bytes>", 1));
        }
    }
    let words = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    words
        .map(|word| {
            let end = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            if is_hash(end) { word.replace(end, "<hash>") } else { word.to_owned() }
        })
        .collect()
}

#[test]
fn an_artifact_holds_what_its_manifest_says() {
    let place = compiled();
    let manifest = Manifest::read(&place.path("art")).expect("a manifest");
    let mut expected: Vec<String> = manifest.files.iter().map(|f| f.name.clone()).collect();
    expected.push("manifest.json".to_owned());
    expected.sort();
    let found: Vec<String> =
        place.names().iter().filter_map(|n| n.strip_prefix("art/").map(str::to_owned)).collect();
    assert_eq!(found, expected);
    for file in &manifest.files {
        let bytes = place.read(&format!("art/{}", file.name));
        assert_eq!(*file, FileEntry::of(&file.name, &bytes));
    }
    for needed in ["program.snnb", "source.snnb", "target.toml", "certificate.json", "report.html"]
    {
        assert!(manifest.file(needed).is_some(), "{needed} is listed");
    }
    Artifact::load(&place.path("art")).expect("it loads");
}

#[test]
fn compile_says_what_it_did_on_stderr_only() {
    let place = Place::new();
    place.copy(GENOME, "skip.genome.json");
    let said = place.run(&["compile", "skip.genome.json", "-t", "loihi2"]).exits(0);
    assert!(said.stdout.is_empty());
    assert!(!said.stderr.contains('\u{1b}'), "no colors without a terminal");
    assert!(place.path("skip.loihi2/manifest.json").is_file(), "the default destination");
    insta::assert_snapshot!("compile", golden(&place, &said.stderr));
}

#[test]
fn nothing_is_published_when_something_is_wrong() {
    let place = compiled();
    let before = place.contents();
    place.copy("tests/fixtures/subtract.genome.json", "bad.json");
    place.run(&["compile", "bad.json", "-t", "loihi1", "-o", "art"]).exits(1);
    place.run(&["compile", "bad.json", "-t", "loihi1", "-o", "new"]).exits(1);
    fs::remove_file(place.path("bad.json")).expect("it was copied");
    assert_eq!(place.contents(), before);
    place.run(&["check", "g.json", "-t", "loihi2"]).exits(0);
    assert_eq!(place.contents(), before, "check publishes nothing");
}

#[test]
fn an_artifact_of_ours_is_replaced() {
    let place = compiled();
    let first = place.contents();
    place.run(&["compile", "g.json", "-t", "loihi1", "-o", "art"]).exits(0);
    let manifest = Manifest::read(&place.path("art")).expect("a manifest");
    assert_eq!(manifest.target.name, "loihi1");
    // A damaged one is one of ours, too.
    place.write("art/program.snnb", "damaged");
    place.run(&["compile", "g.json", "-t", "loihi2", "-o", "art"]).exits(0);
    assert_eq!(place.contents(), first);
}

#[test]
fn force_moves_aside_and_never_deletes() {
    let place = Place::new();
    place.copy(GENOME, "g.json");
    place.write("out/thesis.txt", "years of work");
    let compile = ["compile", "g.json", "-t", "loihi2", "-o", "out", "--force"];
    let said = place.run(&compile).exits(0);
    assert!(said.stderr.contains("out.old.1"), "{}", said.stderr);
    assert_eq!(place.read("out.old.1/thesis.txt"), b"years of work");
    assert!(place.path("out/manifest.json").is_file());
    place.write("out/notes.txt", "mine");
    place.run(&compile).exits(0);
    assert_eq!(place.read("out.old.2/notes.txt"), b"mine");
    assert!(place.names().iter().all(|n| !n.starts_with(".snnc")), "{:?}", place.names());
    // An empty folder is nothing to move.
    fs::create_dir(place.path("empty")).expect("a folder");
    place.run(&["compile", "g.json", "-t", "loihi2", "-o", "empty"]).exits(0);
    assert!(!place.path("empty.old.1").exists());
}

#[test]
#[cfg(unix)]
fn a_link_at_the_destination_is_foreign() {
    let place = compiled();
    std::os::unix::fs::symlink(place.path("art"), place.path("link")).expect("a link");
    let said = place.run(&["compile", "g.json", "-t", "loihi2", "-o", "link"]).exits(2);
    assert!(said.stderr.contains("SNN0806"), "{}", said.stderr);
    assert!(place.path("link").symlink_metadata().expect("it is there").is_symlink());
}

#[test]
#[cfg(target_os = "linux")]
fn a_parent_that_cannot_be_written_is_reported() {
    let place = Place::new();
    place.copy(GENOME, "g.json");
    // Not even the superuser makes folders there.
    let said = place.run(&["compile", "g.json", "-t", "loihi2", "-o", "/proc/out"]).exits(2);
    assert!(said.stderr.contains("error[SNN0802]: cannot write /proc/out"), "{}", said.stderr);
    assert_eq!(place.names(), ["g.json"]);
}

#[test]
fn equal_sources_give_equal_bytes_whatever_the_threads() {
    let art = |threads: &str| {
        let place = Place::new();
        place.copy("tests/fixtures/split.genome.json", "g.json");
        let mut command = place.command();
        command.env("RAYON_NUM_THREADS", threads);
        command.args(["compile", "g.json", "-t", "loihi1", "-o", "art"]);
        said(&mut command).exits(0);
        place.contents()
    };
    let one = art("1");
    assert!(one.len() > 4);
    assert_eq!(one, art("2"));
}

#[test]
fn measurements_do_not_depend_on_threads() {
    let place = compiled();
    let measure = |threads: &str| {
        let verify = ["verify", "g.json", "art", "--stimulus", "s.npz", "--format", "json"];
        place.run(&[&verify[..], &["--threads", threads]].concat()).exits(0).stdout
    };
    assert_eq!(measure("1"), measure("3"));
}

#[test]
fn verify_proves_and_measures() {
    let place = compiled();
    let said = place.run(&["verify", "g.json", "art", "--stimulus", "s.npz"]).exits(0);
    insta::assert_snapshot!("verify", golden(&place, &said.stdout));
    let report = place.run(&["verify", "g.json", "art", "--stimulus", "s.npz", "--format", "json"]);
    let report = report.exits(0).json();
    assert_eq!(report["same_source"], true);
    let measured = &report["measurement"];
    assert_eq!(measured["samples"], 50);
    assert!(measured["artifact"]["spikes"].as_u64() > Some(1000));
    assert_eq!(measured["artifact"]["differing"], 0);
    assert_eq!(measured["schedule"]["differing"], 0);
    let first = &measured["quantization"]["first"];
    for side in ["left", "right"] {
        assert!(first[side]["v"].is_number() && first[side]["threshold"].is_number(), "{first}");
    }
}

#[test]
fn an_artifact_is_proved_against_every_form_of_its_source() {
    let place = compiled();
    place.run(&["convert", "g.json", "-o", "n.snn"]).exits(0);
    place.run(&["convert", "n.snn", "-o", "n.snnb"]).exits(0);
    for stage in ["network", "quantized"] {
        let emitted = place.run(&["compile", "g.json", "-t", "loihi2", "--emit", stage]).exits(0);
        place.write(&format!("{stage}.snn"), emitted.stdout);
    }
    for source in ["n.snn", "n.snnb", "network.snn", "quantized.snn", "art/source.snnb"] {
        let said = place.run(&["verify", source, "art", "--stimulus", "s.npz"]).exits(0);
        assert!(said.stdout.contains("compiled from another file"), "{source}: {}", said.stdout);
        place.run(&["compile", source, "-t", "loihi2", "-o", "again"]).exits(0);
        assert_eq!(place.read("again/program.snnb"), place.read("art/program.snnb"), "{source}");
        assert_eq!(place.read("again/source.snnb"), place.read("art/source.snnb"), "{source}");
    }
}

#[test]
fn conversions_lose_nothing() {
    let place = compiled();
    place.run(&["convert", "g.json", "-o", "a.snn"]).exits(0);
    place.run(&["convert", "a.snn", "-o", "b.snnb"]).exits(0);
    place.run(&["convert", "b.snnb", "-o", "c.snn"]).exits(0);
    assert_eq!(place.read("a.snn"), place.read("c.snn"));
    place.run(&["convert", "art/program.snnb", "-o", "p.json"]).exits(0);
    let program: Value = serde_json::from_slice(&place.read("p.json")).expect("JSON");
    assert_eq!(program["name"], "skip");
    assert_eq!(program["cores"].as_array().map(Vec::len), Some(1));
}

#[test]
fn fmt_writes_the_canonical_text() {
    let place = Place::new();
    place.copy(GENOME, "g.json");
    place.run(&["convert", "g.json", "-o", "a.snn"]).exits(0);
    let canonical = place.read("a.snn");
    place.run(&["fmt", "--check", "a.snn"]).exits(0);
    let loose =
        String::from_utf8(canonical.clone()).expect("text").replace("steps 20", "steps   20\n");
    place.write("a.snn", &loose);
    let said = place.run(&["fmt", "--check", "a.snn"]).exits(1);
    assert!(said.stderr.contains("SNN0812"), "{}", said.stderr);
    assert_eq!(place.read("a.snn"), loose.as_bytes(), "--check changes nothing");
    place.run(&["fmt", "a.snn"]).exits(0);
    assert_eq!(place.read("a.snn"), canonical);
    assert_eq!(place.names(), ["a.snn", "g.json"]);
}

#[test]
fn run_predicts_the_same_at_every_integer_level() {
    let place = compiled();
    let run = |arguments: &[&str]| {
        let run = [&["run"], arguments, &["--stimulus", "s.npz", "--format", "json"]].concat();
        place.run(&run).exits(0).json()
    };
    let artifact = run(&["art"]);
    assert_eq!(artifact["level"], "artifact");
    assert_eq!(artifact["predictions"].as_array().map(Vec::len), Some(50));
    let others: [&[&str]; 5] = [
        &["art", "--level", "quantized"],
        &["art", "--level", "scheduled"],
        &["g.json", "--level", "quantized", "-t", "loihi2"],
        &["g.json", "--level", "scheduled", "-t", "loihi2"],
        &["g.json", "--level", "artifact", "-t", "loihi2"],
    ];
    for arguments in others {
        let other = run(arguments);
        assert_eq!(other["predictions"], artifact["predictions"], "{arguments:?}");
    }
    assert_eq!(run(&["g.json"])["level"], "float");
}

#[test]
fn recorded_spikes_have_the_promised_shapes() {
    let place = compiled();
    let run = ["run", "art", "--stimulus", "s.npz", "--samples", "7", "--spikes", "o.npz"];
    let said = place.run(&[&run[..], &["--format", "json"]].concat()).exits(0);
    let report = said.json();
    let manifest = Manifest::read(&place.path("art")).expect("a manifest");
    let arrays = read_npz(&place.path("o.npz")).expect("an archive");
    let names: Vec<&str> = arrays.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names, ["input_in", "spikes_in", "spikes_a", "spikes_b", "spikes_c"]);
    for (name, array) in &arrays {
        let ArrayData::U8(values) = &array.data else { panic!("{name} is not u8") };
        assert!(values.iter().all(|v| *v <= 1));
        let steps = if name == "input_in" { 20 } else { manifest.time.run_steps };
        assert_eq!(array.shape[..2], [7, usize::try_from(steps).expect("small")], "{name}");
        let Some(population) = name.strip_prefix("spikes_") else { continue };
        let spikes = report["spikes"].as_array().expect("a list");
        let listed = spikes.iter().find(|s| s["population"] == population).expect("listed");
        let sum: u64 = values.iter().map(|v| u64::from(*v)).sum();
        assert_eq!(listed["spikes"], sum, "{name}");
    }
    // Hardware time: the first logical step of an input is its latency.
    let latency = manifest.inputs[0].latency as usize;
    let (ArrayData::U8(logical), ArrayData::U8(hardware)) = (&arrays[0].1.data, &arrays[1].1.data)
    else {
        panic!("spikes are u8")
    };
    assert_eq!(logical[..12], hardware[latency * 12..(latency + 1) * 12]);
}

#[test]
fn run_prints_predictions_and_accuracy() {
    let place = Place::new();
    let digits = repo("examples/digits/digits.genome.json").display().to_string();
    let stimulus = repo("examples/digits/test.npz").display().to_string();
    let said = place.run(&["run", &digits, "--stimulus", &stimulus, "--samples", "5"]).exits(0);
    assert_eq!(said.stdout, "0 2 2\n1 0 0\n2 7 7\n3 0 0\n4 2 2\n");
    insta::assert_snapshot!("run", said.stderr);
}

#[test]
fn samples_keep_their_numbers() {
    let place = compiled();
    let run = |samples: &str| {
        let run = ["run", "art", "--stimulus", "s.npz", "--samples", samples];
        place.run(&run).exits(0).stdout
    };
    let first_ten = run("10");
    let lines: Vec<&str> = first_ten.lines().collect();
    assert_eq!(run("4..10").lines().collect::<Vec<_>>(), lines[4..]);
    let verify = |samples: &str| {
        let verify = ["verify", "g.json", "art", "--stimulus", "s.npz", "--samples", samples];
        place.run(&[&verify[..], &["--format", "json"]].concat()).exits(0).json()["measurement"]
            .take()
    };
    let late = verify("30..50");
    assert_eq!((&late["first"], &late["samples"]), (&30.into(), &20.into()));
    let sample = late["quantization"]["first"]["sample"].as_u64().expect("something diverges");
    assert!((30..50).contains(&sample), "{sample}");
    // What is measured in two parts is what is measured at once.
    let differing = |m: &Value| m["quantization"]["total"]["differing"].as_u64().expect("a number");
    assert_eq!(differing(&verify("30")) + differing(&late), differing(&verify("50")));
}

#[test]
#[cfg(feature = "burn")]
fn burn_gives_the_same_spikes() {
    let place = compiled();
    for level in ["quantized", "scheduled"] {
        let run = |runtime: &str| {
            let run = ["run", "art", "--level", level, "--stimulus", "s.npz", "--spikes", "o.npz"];
            let said = place.run(&[&run[..], &["--runtime", runtime]].concat()).exits(0);
            (said.stdout, place.read("o.npz"))
        };
        assert_eq!(run("cpu"), run("burn"), "{level}");
    }
    let run = |runtime: &str| {
        place.run(&["run", "g.json", "--stimulus", "s.npz", "--runtime", runtime]).exits(0).stdout
    };
    assert_eq!(run("cpu"), run("burn"));
    // Graded messages, and a frame that acts through biases.
    for name in ["clips", "frame"] {
        let genome = repo(&format!("tests/fixtures/{name}.genome.json")).display().to_string();
        let stimulus = repo(&format!("tests/fixtures/{name}.npz")).display().to_string();
        let run = |runtime: &str| {
            let run = ["run", &genome, "--stimulus", &stimulus, "--level", "quantized"];
            let how = ["-t", "loihi2", "--spikes", "o.npz", "--runtime", runtime];
            let said = place.run(&[&run[..], &how].concat()).exits(0);
            (said.stdout, place.read("o.npz"))
        };
        assert_eq!(run("cpu"), run("burn"), "{name}");
    }
    let said = place.run(&["run", "art", "--stimulus", "s.npz", "--runtime", "burn"]).exits(2);
    assert!(said.stderr.contains("SNN0810"), "{}", said.stderr);
}

#[test]
fn inspect_shows_every_kind_of_file() {
    let place = compiled();
    for stage in ["quantized", "scheduled", "mapped"] {
        let said = place.run(&["compile", "g.json", "-t", "loihi2", "--emit", stage]).exits(0);
        place.write(&format!("{stage}.snn"), said.stdout);
    }
    place.copy("examples/digits/digits.genome.json", "d.json");
    place.copy("examples/digits/digits.safetensors", "digits.safetensors");
    let files = [
        ("d.json", "network"),
        ("g.json", "network"),
        ("quantized.snn", "quantized"),
        ("scheduled.snn", "quantized"),
        ("mapped.snn", "mapped"),
        ("art/program.snnb", "program"),
        ("art/source.snnb", "quantized"),
        ("art", "artifact"),
        ("art/manifest.json", "artifact"),
    ];
    let mut all = String::new();
    for (file, kind) in files {
        let said = place.run(&["inspect", file]).exits(0);
        all += &["$ snnc inspect ", file, "\n", &said.stdout, "\n"].concat();
        let report = place.run(&["inspect", file, "--format", "json"]).exits(0).json();
        assert_eq!(report["kind"], kind, "{file}");
        assert_eq!(report["schema"], "snnc-inspect/1");
    }
    insta::assert_snapshot!("inspect", golden(&place, &all));
}

#[test]
fn reports_are_json_on_stdout_and_in_files() {
    let place = compiled();
    let commands: [&[&str]; 8] = [
        &["compile", "g.json", "-t", "loihi2", "-o", "art"],
        &["check", "g.json", "-t", "loihi2"],
        &["check", "g.json"],
        &["verify", "g.json", "art"],
        &["run", "art", "--stimulus", "s.npz"],
        &["inspect", "art"],
        &["explain", "SNN0801"],
        &["list"],
    ];
    for command in commands {
        let said = place.run(&[command, &["--format", "json", "--json", "r.json"]].concat());
        let said = said.exits(0);
        assert_eq!(said.stdout.as_bytes(), place.read("r.json"), "{command:?}");
        assert!(said.stderr.is_empty(), "{command:?}");
        let report = said.json();
        assert_eq!(report["schema"], format!("snnc-{}/1", command[0]), "{command:?}");
        assert_eq!(report["ok"], true);
        assert!(report["diagnostics"].is_array());
    }
    let report = place.run(&["check", "g.json", "-t", "loihi2", "--format", "json"]).exits(0);
    insta::assert_snapshot!("check_json", golden(&place, &report.stdout));
    // A report of a failure is a report.
    place.run(&["check", "none.json", "--json", "r.json"]).exits(2);
    let report: Value = serde_json::from_slice(&place.read("r.json")).expect("JSON");
    assert_eq!(report["ok"], false);
    assert_eq!(report["diagnostics"][0]["code"], "SNN0801");
}

#[test]
fn codes_targets_and_passes_are_listed() {
    let place = Place::new();
    let all = place.run(&["explain", "--all"]).exits(0).stdout;
    let listed = place.run(&["list", "codes"]).exits(0).stdout;
    for info in codes::all() {
        assert!(all.contains(&format!("{}: {}", info.code, info.title)), "{}", info.code);
        assert!(listed.contains(&info.code.to_string()), "{}", info.code);
        assert!(info.text.len() > 40, "{} is explained", info.code);
    }
    let one = place.run(&["explain", "snn0806"]).exits(0).stdout;
    insta::assert_snapshot!("explain", one);
    insta::assert_snapshot!("list_targets", place.run(&["list", "targets"]).exits(0).stdout);
    insta::assert_snapshot!("list_passes", place.run(&["list", "passes"]).exits(0).stdout);
    let motifs = place.run(&["list", "motifs"]).exits(0).stdout;
    assert!(motifs.contains("m4: 3 inputs, 15 entries\n3 = +(0) +(1) +(2)\n"), "{motifs}");
    let tables = place.run(&["list", "motifs", "--format", "json"]).exits(0).json();
    assert_eq!(tables["motifs"].as_array().map(Vec::len), Some(17));
    assert_eq!(tables["genotypes"].as_array().map(Vec::len), Some(47));
    assert_eq!(tables["genotypes"][0]["entries"][1], serde_json::json!(["conv_3x3_p", 1]));
    let schema = place.run(&["list", "--schema"]).exits(0).json();
    assert!(schema["$schema"].is_string());
    let said = place.run(&["list", "--schema", "--format", "json"]).exits(2);
    assert_eq!(said.json()["diagnostics"][0]["code"], "SNN0810");
}

#[test]
fn misuse_of_the_command_line_is_exit_code_2() {
    let place = Place::new();
    place.copy(GENOME, "g.json");
    let misuses: [&[&str]; 29] = [
        &[],
        &["compilr"],
        &["compile"],
        &["compile", "g.json"],
        &["compile", "g.json", "-t"],
        &["compile", "g.json", "-t", "loihi2", "--delays", "none"],
        &["compile", "g.json", "-t", "loihi2", "--passes", "map", "--delays", "relay"],
        &["verify", "g.json", "art", "--samples", "3"],
        &["run", "g.json", "--stimulus", "s.npz", "--threads", "0"],
        &["run", "g.json", "--stimulus", "s.npz", "--samples", "0"],
        &["run", "g.json", "--stimulus", "s.npz", "--samples", "5..5"],
        &["explain"],
        &["list", "codes", "--schema"],
        &["quantize", "g.json"],
        &["check", "g.json", "--weight-bits", "4"],
        &["check", "g.json", "-t", "loihi2", "--weight-bits", "0"],
        &["check", "g.json", "-t", "loihi2", "--weight-bits", "9"],
        &["check", "g.json", "-t", "loihi2", "--groups", "both"],
        &["check", "g.json", "-t", "loihi2", "--scales", "layer"],
        &["check", "g.json", "-t", "loihi2", "--max-exponent", "8"],
        &["check", "g.json", "-t", "loihi2", "--budget", "5"],
        &["check", "g.json", "-t", "loihi2", "--calibrate", "s.npz", "--budget", "0"],
        &["check", "g.json", "-t", "loihi2", "--calibrate-samples", "5"],
        &["check", "g.json", "-t", "loihi2", "--deny", "everything"],
        &["quantize", "g.json", "-t", "loihi2", "--sweep", "0..3"],
        &["quantize", "g.json", "-t", "loihi2", "--sweep", "8..1", "--weight-bits", "4"],
        &["quantize", "g.json", "-t", "loihi2", "--sweep", "8..1", "-o", "q"],
        &["quantize", "g.json", "-t", "loihi2", "--plot", "p.svg"],
        &["quantize", "g.json", "-t", "loihi2", "--samples", "5"],
    ];
    for misuse in misuses {
        let said = place.run(misuse).exits(2);
        assert!(said.stdout.is_empty(), "{misuse:?}");
        assert!(
            said.stderr.contains("Usage:") || said.stderr.contains("--help"),
            "{misuse:?}: {}",
            said.stderr
        );
    }
    assert_eq!(place.names(), ["g.json"]);
}

/// What becomes of encoded weights is an option, which the manifest records and `verify` repeats.
#[test]
fn factors_are_kept_on_request() {
    let place = Place::new();
    place.copy("examples/small/genes.genome.json", "g.json");
    for (lowering, relays) in [("factored", 3), ("auto", 0), ("materialized", 0)] {
        let compile = ["compile", "g.json", "-t", "loihi2", "--lowering", lowering, "-o", "art"];
        place.run(&compile).exits(0);
        let manifest = Manifest::read(&place.path("art")).expect("a manifest");
        let call = format!("lower-genes{{lowering={lowering}}},");
        assert!(manifest.pipeline.starts_with(&call), "{}", manifest.pipeline);
        let graded = manifest
            .populations
            .iter()
            .filter(|p| p.name.rsplit('.').next() == Some("relay"))
            .count();
        assert_eq!(graded, relays, "{lowering}");
        place.run(&["verify", "g.json", "art"]).exits(0);
    }
    place.copy("examples/small/skip.genome.json", "spikes.json");
    let check =
        |lowering| place.run(&["check", "spikes.json", "-t", "loihi1", "--lowering", lowering]);
    let refused = check("factored").exits(1);
    assert!(refused.stderr.contains(&codes::network::NO_FACTORS.to_string()), "{}", refused.stderr);
    let decoded = check("auto").exits(0);
    assert!(decoded.stderr.contains(&codes::network::DECODED.to_string()), "{}", decoded.stderr);
}

const COMMANDS: [&str; 12] = [
    "compile", "check", "quantize", "verify", "map", "run", "inspect", "explain", "convert", "fmt",
    "list", "reduce",
];

#[test]
fn help_and_version_are_products() {
    let place = Place::new();
    let help = place.run(&["--help"]).exits(0);
    assert!(help.stderr.is_empty());
    for command in COMMANDS {
        assert!(help.stdout.contains(&format!("\n  {command} ")), "{}", help.stdout);
        assert!(place.run(&[command, "--help"]).exits(0).stdout.contains("Usage: snnc"));
    }
    assert!(help.stdout.contains("Exit codes"));
    let version = place.run(&["--version"]).exits(0).stdout;
    assert_eq!(version, format!("snnc {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn every_command_and_option_is_documented() {
    let place = Place::new();
    let page = fs::read_to_string(repo("docs/cli.md")).expect("a page");
    for command in COMMANDS {
        assert!(page.contains(&format!("snnc {command} ")), "{command} is documented");
        let help = place.run(&[command, "--help"]).exits(0).stdout;
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
        for option in help.split(|c| !is_part(c)).filter(|w| w.starts_with("--") && w.len() > 2) {
            assert!(page.contains(option), "{option} of {command} is documented");
        }
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let place = Place::new();
    let mut command = place.command();
    command.args(["explain", "--all"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    // More is written than a pipe holds, and no one reads it.
    drop(child.stdout.take());
    let mut stderr = String::new();
    let mut stream = child.stderr.take().expect("a pipe");
    stream.read_to_string(&mut stderr).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(0), "{stderr}");
    assert!(stderr.is_empty(), "{stderr}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_behind_stdout_is_an_error() {
    let place = Place::new();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("a device");
    let mut command = place.command();
    command.args(["explain", "--all"]).stdout(full);
    let said = said(&mut command).exits(2);
    assert!(said.stderr.contains("SNN0845"), "{}", said.stderr);
}
