//! Quantization as a user decides and sees it: options, files, recipes in artifacts, accounts, sweeps.

mod common;

use common::{GENOME, Place, STIMULUS, said};
use serde_json::Value;
use snnc::artifact::{Artifact, Manifest};
use snnc::calibrate::Progress;
use snnc::ir::Recipe;
use snnc::ir::quantized::IntMatrix;
use snnc::ir::recipe::Grouping;
use std::ffi::OsString;
use std::sync::Mutex;

/// A folder with a genome `g.json` and its stimulus `s.npz` of 50 samples.
fn place() -> Place {
    let place = Place::new();
    place.copy(GENOME, "g.json");
    place.copy(STIMULUS, "s.npz");
    place
}

/// Compiles with options, split at blanks, and returns the artifact.
fn compiled(place: &Place, options: &str) -> Artifact {
    let compile = ["compile", "g.json", "-t", "loihi2", "-o", "art"];
    let options: Vec<&str> = options.split_whitespace().collect();
    place.run(&[&compile[..], &options].concat()).exits(0);
    Artifact::load(&place.path("art")).expect("it loads")
}

/// The largest number of bits that a weight of the artifact takes.
fn widest(artifact: &Artifact) -> u8 {
    let widths = artifact.source.matrices.values().map(IntMatrix::weight_bits);
    widths.max().expect("there are weights")
}

#[test]
fn the_default_recipe_needs_no_file() {
    let place = place();
    let plain = compiled(&place, "");
    let quantization = plain.manifest.quantization.as_ref().expect("it was quantized");
    assert!(!quantization.recipe && !place.path("art/recipe.snnb").exists());
    let before = place.contents();
    let spelled = compiled(&place, "--weight-bits 8 --groups auto --scales auto --max-exponent 7");
    assert_eq!(spelled.recipe, Recipe::default());
    assert_eq!(place.contents(), before);
}

#[test]
fn an_artifact_carries_its_recipe_and_is_verified_by_it() {
    let place = place();
    let artifact = compiled(&place, "--weight-bits 4 --groups split");
    assert_eq!(artifact.recipe.settings.weight_bits, 4);
    assert_eq!(artifact.recipe.settings.groups, Grouping::Split);
    assert!(widest(&artifact) <= 4, "{}", widest(&artifact));
    for name in ["recipe.snnb", "report.json"] {
        assert!(artifact.manifest.file(name).is_some(), "{name} is listed");
    }
    let report: Value = serde_json::from_slice(&place.read("art/report.json")).expect("JSON");
    assert_eq!(report["settings"]["weight_bits"], 4);
    // Neither the options nor the configuration are needed again.
    place.write("snnc.toml", "[quantize]\nweight-bits = 2\n");
    let said = place.run(&["verify", "g.json", "art", "--stimulus", "s.npz"]).exits(0);
    assert!(said.stdout.contains("quantized by recipe.snnb: 4 bits"), "{}", said.stdout);
    place.run(&["run", "art", "--level", "scheduled", "--stimulus", "s.npz"]).exits(0);
    // The same network by another recipe is another network.
    let manifest = place.read("art/manifest.json");
    let other = compiled(&place, "--config /dev/null");
    assert!(widest(&other) > 4);
    place.write("art/manifest.json", manifest);
    let said = place.run(&["verify", "g.json", "art"]).exits(1);
    assert!(said.stderr.contains("SNN0832"), "{}", said.stderr);
}

#[test]
fn options_win_over_files_and_files_over_defaults() {
    let place = place();
    place.write(
        "snnc.toml",
        "[quantize]\nweight-bits = 5\nmax-exponent = 0\n[[quantize.projection]]\nfrom = \"in\"\n\
         to = \"a\"\nweight-bits = 3\n",
    );
    let check = ["check", "g.json", "-t", "loihi2"];
    let said = place.run(&check).exits(0);
    assert!(said.stderr.contains("note[SNN0825]: snnc.toml decides"), "{}", said.stderr);
    let settings = |options: &[&str]| {
        let said = place.run(&[&check[..], options, &["--format", "json"]].concat()).exits(0);
        said.json()["manifest"]["quantization"]["settings"].take()
    };
    let of = |bits: u8, exponent: u8| {
        serde_json::json!({
            "weight_bits": bits, "groups": "auto", "scales": "auto", "max_exponent": exponent
        })
    };
    assert_eq!(settings(&[]), of(5, 0));
    assert_eq!(settings(&["--weight-bits", "6"]), of(6, 0));
    assert_eq!(settings(&["--config", "/dev/null"]), of(8, 7));
    place.write("r.json", r#"{"settings": {"weight_bits": 7}}"#);
    assert_eq!(settings(&["--recipe", "r.json"]), of(7, 7));
    assert_eq!(settings(&["--recipe", "r.json", "--max-exponent", "1"]), of(7, 1));

    // Entries of the file count beside a recipe.
    let artifact = compiled(&place, "--recipe r.json");
    assert_eq!(artifact.recipe.projection("in", "a", 0).and_then(|p| p.weight_bits), Some(3));
    let width = |source: &str, target: &str| {
        let network = &artifact.source;
        let id = |name: &str| network.population_named(name).expect("a population");
        let (source, target) = (id(source), id(target));
        let all = network.projections.values();
        let between = all.filter(|p| p.source == source && p.target == target);
        between.map(|p| network.matrices[p.matrix].weight_bits()).max().expect("a projection")
    };
    assert!(width("in", "a") <= 3 && width("a", "b") > 3);
}

#[test]
fn a_complete_recipe_is_a_fixed_point() {
    let place = place();
    let plain = compiled(&place, "");
    let quantize = ["quantize", "g.json", "-t", "loihi2"];
    let said = place.run(&[&quantize[..], &["-o", "q"]].concat()).exits(0);
    assert!(said.stderr.contains("wrote q"), "{}", said.stderr);
    assert!(said.stdout.contains("`skip` on loihi2"), "{}", said.stdout);
    // Only what was compiled has a program and cores, which the account of folding ends in.
    let report = |path: &str| {
        let mut report: Value = serde_json::from_slice(&place.read(path)).expect("JSON");
        report.as_object_mut().expect("an object").remove("folding");
        report
    };
    assert_eq!(report("q/report.json"), report("art/report.json"));
    let again = compiled(&place, "--recipe q/recipe.snnb");
    assert_eq!(again.source, plain.source);
    assert_eq!(again.program, plain.program);
    place.run(&["verify", "g.json", "art"]).exits(0);
    // And so it is after a detour through JSON.
    place.run(&["convert", "q/recipe.snnb", "-o", "r.json"]).exits(0);
    place.run(&["convert", "r.json", "-o", "r.snnb"]).exits(0);
    assert_eq!(place.read("r.snnb"), place.read("q/recipe.snnb"));
    let printed = place.run(&["convert", "r.snnb", "--emit", "json"]).exits(0).stdout;
    assert_eq!(printed.as_bytes(), place.read("r.json"));
    // The folder is replaced, and nothing else would be.
    place.run(&[&quantize[..], &["-o", "q", "--recipe", "r.json"]].concat()).exits(0);
    assert_eq!(place.read("q/recipe.snnb"), place.read("r.snnb"));
    place.run(&[&quantize[..], &["-o", "art"]].concat()).exits(2);
}

#[test]
fn recipes_are_inspected() {
    let place = place();
    place.run(&["quantize", "g.json", "-t", "loihi2", "-o", "q"]).exits(0);
    let said = place.run(&["inspect", "q/recipe.snnb"]).exits(0);
    assert!(said.stdout.starts_with("recipe: weights of 8 bits"), "{}", said.stdout);
    place.run(&["convert", "q/recipe.snnb", "-o", "r.json"]).exits(0);
    let report = place.run(&["inspect", "r.json", "--format", "json"]).exits(0).json();
    assert_eq!(report["kind"], "recipe");
    assert_eq!(report["populations"].as_array().map(Vec::len), Some(3));
    assert_eq!(report["projections"][0]["weights"]["count"], 192);
}

#[test]
fn what_is_denied_is_not_written() {
    let place = place();
    let before = place.contents();
    // One bit for all weights silences this network or breaks it otherwise.
    let collapse = ["--weight-bits", "1", "--deny", "collapse"];
    let quantize = ["quantize", "g.json", "-t", "loihi2", "--stimulus", "s.npz"];
    let said = place.run(&[&quantize[..], &collapse[..], &["-o", "q"]].concat()).exits(1);
    assert!(said.stderr.contains("an error because of `--deny collapse`"), "{}", said.stderr);
    assert!(said.stdout.contains("measured on 50 samples"), "the account: {}", said.stdout);
    let note = ["compile", "g.json", "-t", "loihi2", "-o", "art", "--deny", "SNN0453"];
    let said = place.run(&note).exits(1);
    assert!(said.stderr.contains("error[SNN0453]"), "{}", said.stderr);
    assert!(said.stdout.is_empty());
    let emit = ["compile", "g.json", "-t", "loihi2", "--emit", "quantized", "--deny", "453"];
    assert!(place.run(&emit).exits(1).stdout.is_empty());
    assert_eq!(place.contents(), before);
    place.run(&["check", "g.json", "-t", "loihi2", "--deny", "warnings"]).exits(0);
}

#[test]
fn run_takes_the_recipe_of_a_source() {
    let place = place();
    let predictions = |arguments: &[&str]| {
        let run = ["run", "--stimulus", "s.npz", "--level", "quantized", "--format", "json"];
        place.run(&[&run[..], arguments].concat()).exits(0).json()["spikes"].take()
    };
    compiled(&place, "--weight-bits 4");
    let source = predictions(&["g.json", "-t", "loihi2", "--weight-bits", "4"]);
    assert_eq!(predictions(&["art"]), source);
    assert_ne!(predictions(&["g.json", "-t", "loihi2"]), source);
}

#[test]
fn a_calibrated_artifact_needs_no_data_and_no_luck() {
    let artifact = |threads: &str| {
        let place = place();
        let mut command = place.command();
        command.env("RAYON_NUM_THREADS", threads);
        command.args(["compile", "g.json", "-t", "loihi2", "-o", "art", "--weight-bits", "4"]);
        command.args(["--calibrate", "s.npz", "--calibrate-samples", "5..25", "--budget", "0.5"]);
        let said = said(&mut command).exits(0);
        assert!(said.stderr.contains("calibrated on 20 samples"), "{}", said.stderr);
        assert!(!said.stderr.contains('\u{1b}') && !said.stderr.contains('\r'), "no progress");
        std::fs::remove_file(place.path("s.npz")).expect("it was copied");
        place.run(&["verify", "g.json", "art"]).exits(0);
        place.contents()
    };
    let one = artifact("1");
    assert_eq!(one, artifact("3"));

    let place = Place::new();
    for (name, bytes) in one {
        if let Some(bytes) = bytes {
            place.write(&name, bytes);
        }
    }
    let manifest = Manifest::read(&place.path("art")).expect("a manifest");
    let calibration = manifest.quantization.and_then(|q| q.calibration).expect("calibrated");
    assert_eq!((calibration.first, calibration.samples), (5, 20));
    assert_eq!(calibration.budget, 50_000_000);
    place.copy(STIMULUS, "s.npz");
    assert_eq!(calibration.data, blake3_of(&place.read("s.npz")));
    let report: Value = serde_json::from_slice(&place.read("art/report.json")).expect("JSON");
    assert_eq!(report["samples"]["first"], 5, "measured on what it was calibrated on");
}

/// What a calibration chose can be taken from one command to another.
#[test]
fn a_calibrated_recipe_is_kept_and_used_again() {
    let place = place();
    let calibrate = ["--calibrate", "s.npz", "--calibrate-samples", "30", "--budget", "0.3"];
    let quantize = ["quantize", "g.json", "-t", "loihi2", "--weight-bits", "3", "-o", "q"];
    let said = place.run(&[&quantize[..], &calibrate[..]].concat()).exits(0);
    assert!(said.stdout.starts_with("calibrated on 30 samples"), "{}", said.stdout);
    assert!(said.stdout.contains("measured on 30 samples from 0"), "{}", said.stdout);
    let first = compiled(&place, &format!("--weight-bits 3 {}", calibrate.join(" ")));
    let kept = place.read("art/recipe.snnb");
    assert_eq!(place.read("q/recipe.snnb"), kept);
    std::fs::remove_file(place.path("s.npz")).expect("it was copied");
    let again = compiled(&place, "--recipe q/recipe.snnb");
    assert_eq!(again.program, first.program);
    assert_eq!(place.read("art/recipe.snnb"), kept);
    assert_eq!(again.manifest.quantization, first.manifest.quantization);
}

fn blake3_of(bytes: &[u8]) -> String {
    snnc::artifact::manifest::FileEntry::of("", bytes).blake3
}

#[test]
fn widths_are_compared_in_a_table_and_a_drawing() {
    let place = place();
    let sweep = ["quantize", "g.json", "-t", "loihi2", "--sweep", "8..1"];
    let said = place.run(&[&sweep[..], &["--stimulus", "s.npz", "--plot", "p.svg"]].concat());
    let said = said.exits(0);
    let rows = said.stdout.lines().filter(|line| line.contains("KiB") && line.contains('█'));
    assert_eq!(rows.count(), 8, "{}", said.stdout);
    let drawing = String::from_utf8(place.read("p.svg")).expect("text");
    assert!(drawing.starts_with("<svg ") && drawing.ends_with("</svg>\n"));
    let json = ["--samples", "10..20", "--calibrate", "s.npz", "--calibrate-samples", "5"];
    let budget =
        ["--budget", "0.01", "--stimulus", "s.npz", "--groups", "mixed", "--format", "json"];
    let run = [&sweep[..], &json[..], &budget[..]].concat();
    let report = place.run(&[&run[..], &["--threads", "1"]].concat()).exits(0).json();
    assert_eq!(place.run(&[&run[..], &["--threads", "3"]].concat()).exits(0).json(), report);
    let sweep = &report["sweep"];
    assert_eq!(sweep["samples"], serde_json::json!({"first": 10, "count": 10}));
    let rows = sweep["rows"].as_array().expect("rows");
    let found: Vec<_> =
        rows.iter().map(|r| (r["weight_bits"].clone(), r["calibrated"].clone())).collect();
    let expected =
        (1..=8_u8).rev().flat_map(|bits| [(bits.into(), false.into()), (bits.into(), true.into())]);
    assert_eq!(found, expected.collect::<Vec<(Value, Value)>>());
    let words = |row: &Value| row["synapse_words"].as_u64().expect("it compiles");
    assert!(words(&rows[0]) > words(&rows[14]), "one group for both signs: {sweep}");
    assert!(rows.iter().all(|r| r["distance"].is_number()), "{sweep}");
}

#[test]
fn a_width_that_cannot_be_compiled_says_why() {
    let place = place();
    // An entry that this network has no use for fails at every width.
    place.write("snnc.toml", "[[quantize.projection]]\nfrom = \"in\"\nto = \"nowhere\"\n");
    let said = place.run(&["quantize", "g.json", "-t", "loihi2", "--sweep", "3..2"]).exits(0);
    assert_eq!(said.stdout.matches("cannot be compiled").count(), 4, "{}", said.stdout);
    assert!(said.stdout.contains("3 bits: there is no population `nowhere`"), "{}", said.stdout);
}

/// Keeps what it is told.
struct Kept(Mutex<Vec<(String, u64, u64)>>);

impl Progress for Kept {
    fn step(&self, stage: &str, done: u64, total: u64) {
        self.0.lock().expect("no thread panicked").push((stage.to_owned(), done, total));
    }
}

#[test]
fn progress_is_told_and_never_printed() {
    let place = place();
    let path = |name: &str| place.path(name).display().to_string();
    let kept = Kept(Mutex::new(Vec::new()));
    let (genome, samples) = (path("g.json"), path("s.npz"));
    let arguments =
        ["snnc", "quantize", &genome, "-t", "loihi2", "--calibrate", &samples, "--budget", "0.1"];
    let outcome = snnc::cli::execute_with(arguments.map(OsString::from), &kept);
    assert_eq!(outcome.exit, snnc::Exit::Done, "{}", outcome.stderr);
    let steps = kept.0.into_inner().expect("no thread panicked");
    assert!(!steps.is_empty());
    assert!(
        steps.iter().all(|(stage, done, total)| !stage.is_empty() && done <= total),
        "{steps:?}"
    );
    assert!(steps.windows(2).all(|pair| pair[0].1 <= pair[1].1), "it goes forward: {steps:?}");
}
