//! Inputs that end too early: an error with a code, nothing written, no panic.

use crate::repo;
use snnc::Exit;
use snnc::cli::execute;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

/// Lengths at which a file of `size` bytes is cut: all of the first ones, all of the last ones, many between.
fn lengths(size: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..40).chain((1..=96).map(|i| i * size / 97)).collect();
    all.extend((1..24).map(|i| size.saturating_sub(i)));
    all.retain(|length| *length < size);
    all.sort_unstable();
    all.dedup();
    all
}

/// Runs a command line on cut versions of `file`, which is one of the files in `from`.
fn cut(from: &Path, others: &[&str], file: &str, arguments: &[&str]) -> usize {
    let place = tempfile::tempdir().expect("a folder");
    let at = |name: &str| place.path().join(name);
    for name in others {
        fs::copy(from.join(name), at(name)).expect("a file of the repository");
    }
    let whole = fs::read(from.join(file)).expect("a file of the repository");
    // A word that names a file stands for the copy.
    let arguments: Vec<OsString> = ["snnc"]
        .iter()
        .chain(arguments)
        .map(|word| match *word {
            "out" => at("out").into_os_string(),
            word if word == file || others.contains(&word) => at(word).into_os_string(),
            word => word.into(),
        })
        .collect();
    fs::write(at(file), &whole).expect("a copy");
    let good = execute(arguments.clone());
    assert_eq!(good.exit, Exit::Done, "{file}, whole: {}", good.stderr);
    if at("out").exists() {
        fs::remove_dir_all(at("out")).expect("it is ours");
    }
    let mut count = 0;
    for length in lengths(whole.len()) {
        // Blank text at the end says nothing.
        if whole[length..].iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        fs::write(at(file), &whole[..length]).expect("a copy");
        let said = execute(arguments.clone());
        let context = format!("{file} cut at {length} of {}: {}", whole.len(), said.stderr);
        assert!(matches!(said.exit, Exit::Rejected | Exit::Usage), "{context}");
        assert!(said.stderr.contains("error[SNN"), "{context}");
        assert!(said.stdout.is_empty(), "{context}");
        assert_eq!(
            fs::read_dir(place.path()).expect("a folder").count(),
            others.len() + 1,
            "{context}"
        );
        count += 1;
    }
    count
}

#[test]
fn genomes_and_side_cars() {
    let mut count = 0;
    count +=
        cut(&repo("examples/small"), &[], "direct.genome.json", &["check", "direct.genome.json"]);
    for name in ["conv", "genes", "skip"] {
        let file = format!("{name}.genome.json");
        count += cut(
            &repo("examples/small"),
            &[],
            &file,
            &["compile", &file, "-t", "loihi2", "-o", "out"],
        );
    }
    let motif = "motif.genome.json";
    count += cut(&repo("examples/small"), &[], motif, &["inspect", motif]);
    for name in ["digits", "mnist"] {
        let folder = repo(&format!("examples/{name}"));
        let [json, side] = ["genome.json", "safetensors"].map(|end| format!("{name}.{end}"));
        let check = ["check", json.as_str()];
        count += cut(&folder, &[&side], &json, &check);
        count += cut(&folder, &[&json], &side, &check);
    }
    let cells = ["cells.genome.json", "cells.safetensors"];
    count += cut(&repo("examples/motif"), &cells[1..], cells[0], &["check", cells[0]]);
    count += cut(&repo("examples/motif"), &cells[..1], cells[1], &["check", cells[0]]);
    count += cut(
        &repo("examples/motif"),
        &[],
        "published.genome.json",
        &["inspect", "published.genome.json"],
    );
    count += cut(&repo("examples/tennlab"), &[], "xor.json", &["check", "xor.json"]);
    println!("{count} cut genomes, side-cars and networks refused");
}

#[test]
fn graphs_stimuli_and_targets() {
    let mut count = 0;
    for name in ["recurrent.nir", "convolutional.nir"] {
        count += cut(&repo("examples/nir"), &[], name, &["inspect", name]);
    }
    let run = ["run", "skip.genome.json", "--stimulus", "skip.npz"];
    count += cut(&repo("tests/fixtures"), &["skip.genome.json"], "skip.npz", &run);
    let digits = [
        "check",
        "digits.genome.json",
        "-t",
        "loihi2",
        "--profile",
        "calibrate.npz",
        "--profile-samples",
        "1",
    ];
    let others = ["digits.genome.json", "digits.safetensors"];
    count += cut(&repo("examples/digits"), &others, "calibrate.npz", &digits);
    // Cut lines of a target are keys that are missing, or complete keys whose neighbors are gone.
    let place = tempfile::tempdir().expect("a folder");
    fs::copy(repo("backends/targets/loihi2.toml"), place.path().join("t.toml")).expect("a target");
    fs::copy(repo(crate::GENOME), place.path().join("g.json")).expect("a genome");
    count += cut(place.path(), &["g.json"], "t.toml", &["check", "g.json", "-t", "t.toml"]);
    println!("{count} cut graphs, stimuli and targets refused");
}

#[test]
fn levels_recipes_and_artifacts() {
    let place = tempfile::tempdir().expect("a folder");
    let at = |name: &str| place.path().join(name).into_os_string().into_string().expect("UTF-8");
    let genome = repo(crate::GENOME).display().to_string();
    let run = |arguments: &[&str]| {
        let said = execute(["snnc"].iter().chain(arguments).map(OsString::from));
        assert_eq!(said.exit, Exit::Done, "{}", said.stderr);
    };
    run(&["convert", &genome, "-o", &at("n.snn")]);
    run(&["convert", &genome, "-o", &at("n.snnb")]);
    run(&["quantize", &genome, "-t", "loihi2", "-o", &at("q")]);
    run(&["compile", &genome, "-t", "loihi2", "--recipe", &at("q/recipe.snnb"), "-o", &at("art")]);
    let mut count = 0;
    for name in ["n.snn", "n.snnb"] {
        count += cut(place.path(), &[], name, &["compile", name, "-t", "loihi2", "-o", "out"]);
    }
    count += cut(Path::new(&at("q")), &[], "recipe.snnb", &["inspect", "recipe.snnb"]);

    // Files of an artifact: each of them is held to its hash.
    for file in fs::read_dir(at("art")).expect("an artifact") {
        let file = file.expect("an entry");
        let whole = fs::read(file.path()).expect("a file");
        for length in [0, 1, whole.len() / 2, whole.len() - 2] {
            fs::write(file.path(), &whole[..length]).expect("a file");
            let said = execute(["snnc", "verify", &genome, &at("art")].map(OsString::from));
            assert_eq!(said.exit, Exit::Rejected, "{:?} at {length}: {}", file.path(), said.stderr);
            count += 1;
        }
        fs::write(file.path(), &whole).expect("a file");
    }
    println!("{count} cut levels, recipes and artifacts refused");
}
