//! Motif genomes through the whole compiler: the networks recorded from BrainCog become certified
//! artifacts whose levels agree on every spike and message; the published genome unfolds to what it
//! is known to unfold to.
#![expect(clippy::print_stdout, reason = "a summary for those who ask for it")]

mod common;

use common::{Place, repo};
use rayon::prelude::*;
use snnc::alike::Distinct;
use snnc::artifact::{Artifact, publish};
use snnc::frontend::arrays::{Array, ArrayData, read_npz, write_npz};
use snnc::ir::diag::codes::{Code, quantize};
use snnc::ir::network::Op;
use snnc::ir::{Diagnostics, Severity};
use snnc::passes::AnyLevel;
use snnc::source::{Given, Weights};
use snnc::stimulus::{self, Interface};
use snnc::verify::measure;
use snnc::{Options, Target, compile, source, verify};
use std::borrow::Borrow;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

const PUBLISHED: &str = "examples/motif/published.genome.json";

fn fixtures() -> Vec<PathBuf> {
    let folder = fs::read_dir(repo("tests/fixtures/braincog")).expect("the fixtures");
    let paths = folder.map(|entry| entry.expect("an entry").path());
    let mut genomes: Vec<_> =
        paths.filter(|p| p.to_string_lossy().ends_with(".genome.json")).collect();
    genomes.sort();
    genomes
}

/// Writes the recorded input of a fixture as a stimulus; returns the range of a frame's values.
fn stimulus(place: &Place, genome: &str, trace: &str) -> Option<[i32; 2]> {
    let arrays = read_npz(&repo(trace)).expect("a recording");
    let (_, input) = arrays.into_iter().find(|(n, _)| n == "input").expect("an input");
    let shape = [vec![1], input.shape].concat();
    let direct = genome.contains("\"direct\"");
    let range = match &input.data {
        ArrayData::F32(values) if direct => {
            #[expect(clippy::cast_possible_truncation, reason = "values of a normal distribution")]
            let whole = |x: f32| x as i32;
            let low = values.iter().copied().fold(0.0, f32::min).floor();
            let high = values.iter().copied().fold(0.0, f32::max).ceil();
            Some([whole(low), whole(high)])
        }
        _ => None,
    };
    let name = if direct { "x" } else { "spikes" };
    let arrays = [(name.to_owned(), Array { shape, data: input.data })];
    place.write("s.npz", write_npz(&arrays).expect("an array of its shape"));
    range
}

fn name(path: &Path) -> String {
    path.file_name().expect("a file").to_string_lossy().replace(".genome.json", "")
}

/// Neurons and relays, cores, spikes and messages; or the code of the first error and all of them.
type Outcome = Result<(u64, usize, u64), (Option<Code>, String)>;

fn refused(found: impl Borrow<Diagnostics>) -> (Option<Code>, String) {
    let found = found.borrow();
    let mut errors = found.iter().filter(|d| d.severity == Severity::Error);
    (errors.next().map(|d| d.code), found.to_string())
}

/// Compiles a fixture for `loihi2`, proves the artifact, and runs all levels on the recorded input.
fn through(path: &Path) -> Outcome {
    let (name, place) = (name(path), Place::new());
    let mut genome = fs::read_to_string(path).expect("a genome");
    let from = format!("tests/fixtures/braincog/{name}");
    if let Some([low, high]) = stimulus(&place, &genome, &format!("{from}.trace.npz")) {
        let coded = format!("\"coding\": \"direct\", \"range\": [{low}, {high}]");
        genome = genome.replace("\"coding\": \"direct\"", &coded);
    }
    place.write("g.genome.json", genome);
    place.copy(&format!("{from}.safetensors"), &format!("{name}.safetensors"));
    let source = source::read(&place.path("g.genome.json")).map_err(refused)?;
    let target = Target::find("loihi2").map_err(refused)?;
    let compiled = compile(&source, &target, &Options::default()).map_err(|f| {
        assert!(f.replay.is_none(), "{name}: {}", f.diagnostics);
        refused(f.diagnostics)
    })?;
    publish::publish(&place.path("art"), &compiled.files, false).expect("a free place");
    let artifact = Artifact::load(&place.path("art")).map_err(refused)?;
    let proof = verify(&source, &artifact).map_err(|f| refused(f.diagnostics))?;
    let interface = Interface::of_quantized(proof.quantized().expect("the stage is there"));
    let stimuli = stimulus::read(&place.path("s.npz"), &interface, None).map_err(refused)?;
    let measured = measure(&source, &proof, &artifact, &stimuli).map_err(refused)?;
    if !measured.integers_agree() {
        return Err((None, format!("the integer levels differ: {measured:?}")));
    }
    let sent = measured.artifact.spikes + measured.artifact.messages;
    Ok((proof.certificate.totals.neurons, artifact.manifest.cores.len(), sent))
}

/// Networks that show one feature each, for a quick look.
const QUICK: [&str; 16] = [
    "m0_r_m1",
    "m1",
    "m1_plif",
    "m2",
    "m2_signs",
    "m2_thresholds",
    "m3",
    "m3_image_signs",
    "m5",
    "mm1",
    "mm2_image",
    "mm3_plif",
    "mm5",
    "neuevo_dvsg_new2",
    "t2",
    "t3",
];
/// Networks that have no integer form, and why.
const REFUSED: [(&str, Code); 5] = [
    // The last cell emits nothing: the classes never depend on the input.
    ("m0", quantize::READOUT),
    ("mm0", quantize::READOUT),
    ("mm1_r_mm0", quantize::READOUT),
    // Sums of clipped sums of random weights, without neurons in between, outgrow the registers.
    ("neuevo_cifar_new0", quantize::NO_SCALE),
    ("neuevo_cifar_new_skip1", quantize::NO_SCALE),
];

/// Takes the fixtures that `wanted` names through the compiler; returns how many there are.
fn compile_all(wanted: impl Fn(&str) -> bool) -> usize {
    let fixtures: Vec<_> = fixtures().into_iter().filter(|p| wanted(&name(p))).collect();
    let outcomes: Vec<_> = fixtures.par_iter().map(|path| (name(path), through(path))).collect();
    let (mut sum, mut wrong, mut refused) = ((0, 0, 0), Vec::new(), 0);
    for (name, result) in &outcomes {
        let expected = REFUSED.iter().find(|(n, _)| n == name).map(|(_, code)| *code);
        match (result, expected) {
            (Ok(done), None) => sum = (sum.0 + done.0, sum.1 + done.1, sum.2 + done.2),
            (Err((Some(code), _)), Some(expected)) if *code == expected => refused += 1,
            (Ok(_), Some(code)) => wrong.push(format!("{name}: compiles in spite of {code}")),
            (Err((_, why)), _) => wrong.push(format!("{name}: {why}")),
        }
    }
    println!(
        "motif genomes for loihi2: {} of {} certified, {refused} refused; {} neurons on {} cores; \
         {} spikes and messages, all alike at the integer levels",
        outcomes.len() - refused - wrong.len(),
        outcomes.len(),
        sum.0,
        sum.1,
        sum.2
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(sum.2 > 10_000, "the comparison is about something");
    outcomes.len()
}

#[test]
fn recorded_networks_compile_and_their_levels_agree() {
    let count = compile_all(|name| QUICK.contains(&name) || name == "m0");
    assert_eq!(count, QUICK.len() + 1);
}

#[test]
#[ignore = "takes minutes without optimization; .ci/run runs it with"]
fn every_recorded_network_compiles_and_its_levels_agree() {
    assert!(compile_all(|_| true) >= 60);
}

#[test]
fn the_published_genome_unfolds_to_what_is_known_of_it() {
    let start = Instant::now();
    let (unfolding, _) = snnc::frontend::unfold(&repo(PUBLISHED)).unwrap_or_else(|e| panic!("{e}"));
    let totals = unfolding.totals;
    println!("published genome: unfolded in {:?}: {totals:?}", start.elapsed());
    assert_eq!(totals.parameters, 24_597_227);
    assert_eq!(totals.populations, 49);
    assert_eq!(totals.neurons, 5_902_848);
}

#[test]
fn populations_of_the_published_genome_merge() {
    let start = Instant::now();
    let source = source::read_with(
        &repo(PUBLISHED),
        Given { weights: Some(Weights::Random(1)), ..Given::default() },
    );
    let source = source.unwrap_or_else(|e| panic!("{e}"));
    let AnyLevel::Network(network) = &source.level else { panic!("a genome is a network") };
    let target = Target::find("loihi2").expect("a shipped target");
    let read = start.elapsed();
    let start = Instant::now();
    let found = Distinct::of(network, &target.spec);
    let found = found.unwrap_or_else(|f| panic!("{}", f.diagnostics));
    println!(
        "published genome with random weights: read in {read:?}, merged in {:?}: {found:?}",
        start.elapsed()
    );
    let neurons = network.nodes.values().filter(|n| matches!(n.op, Op::Neuron(_)));
    let sizes: Vec<usize> = neurons.map(|n| n.shape.size()).collect();
    assert_eq!((sizes.len(), sizes.iter().sum::<usize>()), (49, 5_902_848));
    assert_eq!((found.populations, found.neurons), (16, 2_170_368));
    // Three outputs of five states of which three are read one by one, too.
    assert_eq!(found.parts, 16 + 3 * 4);
}

#[test]
fn random_weights_are_recorded_and_reproduced() {
    let place = Place::new();
    let genome = fs::read_to_string(repo("examples/motif/cells.genome.json")).expect("a genome");
    // An architecture genome: the same without its tensors.
    let cut = genome.find(",\n \"tensors\"").expect("the field");
    place.write("a.genome.json", format!("{}\n}}\n", &genome[..cut]));
    place.copy("examples/motif/test.npz", "s.npz");
    let said = place.run(&["compile", "a.genome.json", "-t", "loihi2", "-o", "none"]).exits(1);
    assert!(said.stderr.contains("--weights random:"), "{}", said.stderr);
    let with = |seed: &str, out: &str| {
        let compile = ["compile", "a.genome.json", "-t", "loihi2", "-o", out, "--weights", seed];
        place.run(&compile).exits(0)
    };
    let said = with("random:5", "one");
    assert!(said.stderr.contains("warning[") && said.stderr.contains("random"), "{}", said.stderr);
    with("random:5", "two");
    with("random:6", "three");
    assert_eq!(place.read("one/program.snnb"), place.read("two/program.snnb"));
    assert_ne!(place.read("one/program.snnb"), place.read("three/program.snnb"));
    let manifest = String::from_utf8(place.read("one/manifest.json")).expect("text");
    assert!(manifest.contains("\"weights\": \"random:5\""), "{manifest}");
    let verify = ["verify", "a.genome.json", "one", "--stimulus", "s.npz", "--format", "json"];
    let same = place.run(&[&verify[..], &["--weights", "random:5"]].concat()).exits(0).json();
    assert_eq!(same["same_source"], true);
    place.run(&[&verify[..], &["--weights", "random:6"]].concat()).exits(1);
}

#[test]
fn a_genome_of_many_forms_is_one_network() {
    let place = Place::new();
    for file in ["cells.genome.json", "cells.safetensors", "test.npz"] {
        place.copy(&format!("examples/motif/{file}"), file);
    }
    place.run(&["convert", "cells.genome.json", "-o", "a.snn"]).exits(0);
    let resolve = ["convert", "cells.genome.json", "--emit", "resolved"];
    place.run(&[&resolve[..], &["-o", "resolved.json"]].concat()).exits(0);
    assert_eq!(place.run(&resolve).exits(0).stdout.as_bytes(), place.read("resolved.json"));
    place.run(&["convert", "resolved.json", "-o", "b.snn"]).exits(0);
    let text = |file| String::from_utf8(place.read(file)).expect("text");
    assert!(text("a.snn") == text("b.snn"), "the list of nodes is the same network");
}

/// The levels of `run` on one genome with clips, feedback and a reduction.
#[test]
fn run_agrees_at_every_integer_level() {
    let place = Place::new();
    for file in ["cells.genome.json", "cells.safetensors", "test.npz"] {
        place.copy(&format!("examples/motif/{file}"), file);
    }
    place.run(&["compile", "cells.genome.json", "-t", "loihi", "-o", "art"]).exits(0);
    let run = |level: &str, spikes: &str| {
        let run = ["run", "art", "--stimulus", "test.npz", "--samples", "3", "--level", level];
        let said = place.run(&[&run[..], &["--spikes", spikes, "--format", "json"]].concat());
        (said.exits(0).json(), read_npz(&place.path(spikes)).expect("an archive"))
    };
    let (scheduled, on_chip) = (run("scheduled", "s.npz"), run("artifact", "a.npz"));
    assert_eq!(scheduled.0["predictions"], on_chip.0["predictions"]);
    let find = |arrays: &[(String, Array)], name: &str| {
        arrays.iter().find(|(n, _)| n == name).map(|(_, array)| array.data.clone())
    };
    let mut graded = 0;
    for (name, array) in &scheduled.1 {
        assert_eq!(find(&on_chip.1, name).as_ref(), Some(&array.data), "{name}");
        if let (Some(population), ArrayData::I32(messages)) =
            (name.strip_prefix("messages_"), &array.data)
        {
            graded += 1;
            let spikes = find(&scheduled.1, &format!("spikes_{population}"));
            let marks = messages.iter().map(|m| u8::from(*m != 0)).collect();
            assert_eq!(spikes, Some(ArrayData::U8(marks)), "{name}");
        }
    }
    assert!(graded > 0, "some clips act");
    assert_eq!(run("quantized", "q.npz").0["predictions"], on_chip.0["predictions"]);
}

#[test]
fn inspect_shows_the_genotype_next_to_the_cells() {
    let place = Place::new();
    for file in ["cells.genome.json", "cells.safetensors"] {
        place.copy(&format!("examples/motif/{file}"), file);
    }
    let text = place.run(&["inspect", "cells.genome.json"]).exits(0).stdout;
    insta::assert_snapshot!("inspect_motif", text);
    let dot = place.run(&["inspect", "cells.genome.json", "--graph", "dot"]).exits(0).stdout;
    insta::assert_snapshot!("inspect_motif_dot", dot);

    let draw = ["inspect", "cells.genome.json", "--graph", "svg"];
    let svg = place.run(&draw).exits(0).stdout;
    let said = place.run(&[&draw[..], &["-o", "a.svg", "--format", "json"]].concat()).exits(0);
    assert_eq!(place.read("a.svg"), svg.as_bytes());
    let report = said.json();
    assert_eq!((&report["kind"], &report["graph"]), (&"motif".into(), &"a.svg".into()));
    assert_eq!(report["merged"]["neurons"], 4096);
    // Stem, three cells, readout; the first cell has the motif gene and 19 more.
    let blocks = report["blocks"].as_array().expect("a list");
    assert_eq!(blocks.len(), 5);
    assert_eq!(blocks[1]["genes"].as_array().map(Vec::len), Some(20));
    assert_eq!(blocks[1]["genes"][7]["neutral"], true);
    for block in blocks {
        let name = block["name"].as_str().expect("a name");
        assert!(svg.contains(&format!(">{name}</tspan>")), "{name} is drawn");
    }
    place.run(&[&draw[..], &["--format", "json"]].concat()).exits(2);

    // Without weights all but the merged counts is known.
    place.copy(PUBLISHED, "p.json");
    let said = place.run(&["inspect", "p.json"]).exits(0);
    assert!(said.stdout.contains("49 populations, 5902848 neurons"), "{}", said.stdout);
    assert!(!said.stdout.contains("merged"), "{}", said.stdout);
    assert!(said.stderr.starts_with("note[SNN0248]"), "{}", said.stderr);
}
