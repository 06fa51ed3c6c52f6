//! Networks written as NIR graphs: read back, they fire alike; integers come back as they were.

mod common;

use common::{Place, repo};
use snnc::frontend::arrays::{ArrayData, read_npz};
use snnc::frontend::nir::{self, NirFile, NirGraph, Primitive};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Spikes of every population, by name.
fn spikes(file: &Path) -> BTreeMap<String, Vec<u8>> {
    let arrays = read_npz(file).unwrap_or_else(|e| panic!("{e}"));
    let spikes = arrays.into_iter().filter_map(|(name, array)| {
        let name = name.strip_prefix("spikes_")?.to_owned();
        let ArrayData::U8(values) = array.data else { panic!("{name}") };
        Some((name, values))
    });
    spikes.collect()
}

fn graph(file: &NirFile) -> &NirGraph {
    match &file.root.primitive {
        Primitive::Graph(graph) => graph,
        other => panic!("{}", other.type_name()),
    }
}

fn read(place: &Place, name: &str) -> NirFile {
    nir::read(place.read(name)).unwrap_or_else(|e| panic!("{e}")).file
}

#[test]
fn a_graph_fires_like_the_network_that_it_was_made_from() {
    let place = Place::new();
    let names = [
        "bias",
        "conv",
        "heterogeneous",
        "loop",
        "loop_leaky",
        "signs",
        "skip",
        "split",
        "subtract",
        "thresholds",
    ];
    for name in names {
        let genome = repo(&format!("tests/fixtures/{name}.genome.json")).display().to_string();
        let stimulus = repo(&format!("tests/fixtures/{name}.npz")).display().to_string();
        place.run(&["convert", &genome, "-o", "g.nir"]).exits(0);
        let run = |source: &str, stimulus: &str, more: &[&str]| {
            let run = ["run", source, "--stimulus", stimulus, "--samples", "3"];
            place.run(&[&run[..], more].concat()).exits(0);
        };
        run(&genome, &stimulus, &["--spikes", "a.npz"]);
        run(&genome, &stimulus, &["--spikes", "in.nir"]);
        run("g.nir", "in.nir", &["--spikes", "b.npz"]);
        let (a, b) = (spikes(&place.path("a.npz")), spikes(&place.path("b.npz")));
        let fired: usize =
            a.values().map(|v| v.iter().map(|&s| usize::from(s)).sum::<usize>()).sum();
        assert!(fired > 50, "{name} fires");
        assert!(a == b, "{name}");
        // The same bytes again.
        let bytes = place.read("g.nir");
        place.run(&["convert", &genome, "-o", "g.nir"]).exits(0);
        assert!(bytes == place.read("g.nir"), "{name}");
    }
}

#[test]
fn a_graph_is_kept_through_a_network() {
    let place = Place::new();
    let graphs = [
        ("examples/nir/recurrent", "exact"),
        ("tests/fixtures/nir/norse_conv", "norse"),
        ("tests/fixtures/nir/norse_recurrent", "norse"),
        ("tests/fixtures/nir/sinabs_import", "sinabs"),
        ("tests/fixtures/nir/snntorch_conv", "snntorch"),
        ("tests/fixtures/nir/snntorch_cuba", "snntorch"),
        ("tests/fixtures/nir/spikingjelly_recurrent", "spikingjelly"),
    ];
    for (name, dialect) in graphs {
        let file = repo(&format!("{name}.nir")).display().to_string();
        let mut how = vec!["--dialect", dialect];
        if dialect == "exact" {
            how.extend(["--dt", "1e-4", "--time-unit", "s"]);
        }
        let there = [&["convert", &file, "--steps", "20", "-o", "n.snn"], &how[..]].concat();
        place.run(&there).exits(0);
        place.run(&["convert", "n.snn", "-o", "again.nir"]).exits(0);
        let before =
            nir::read(std::fs::read(&file).unwrap()).unwrap_or_else(|e| panic!("{e}")).file;
        let after = read(&place, "again.nir");
        let (before, after) = (graph(&before), graph(&after));
        let edges = |g: &NirGraph| g.edges.iter().cloned().collect::<BTreeSet<_>>();
        assert_eq!(edges(before), edges(after), "{name}");
        assert_eq!(before.nodes.len(), after.nodes.len(), "{name}");
        for (node, expected) in &before.nodes {
            let found = &after.nodes[node];
            assert_eq!(expected.primitive.type_name(), found.primitive.type_name(), "{node}");
            let arrays = expected.primitive.arrays().into_iter().zip(found.primitive.arrays());
            for ((parameter, a), (same, b)) in arrays {
                assert_eq!((parameter, &a.shape), (same, &b.shape), "{node}");
                let (a, b) = (a.to_f64().unwrap(), b.to_f64().unwrap());
                let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-5 * a.abs();
                assert!(a.iter().zip(&b).all(close), "{node} {parameter}: {a:?} {b:?}");
            }
        }
        // A second time nothing changes: time constants are those that give the same coefficients.
        place.run(&["convert", "again.nir", "-o", "n2.snn"]).exits(0);
        place.run(&["convert", "n2.snn", "-o", "third.nir"]).exits(0);
        assert!(place.read("again.nir") == place.read("third.nir"), "{name}");
    }
}

#[test]
fn integers_lie_beside_the_graph() {
    let place = Place::new();
    let source = repo("tests/fixtures/tennlab/leak.json").display().to_string();
    place.run(&["convert", &source, "-o", "direct.snnb"]).exits(0);
    let said = place.run(&["convert", &source, "-o", "g.nir"]).exits(0);
    assert!(
        said.stderr.contains("the integers themselves are in g.integers.snnb"),
        "{}",
        said.stderr
    );
    assert!(place.read("direct.snnb") == place.read("g.integers.snnb"));
    let said = place.run(&["compile", "g.nir", "-t", "loihi2", "-o", "art"]).exits(0);
    assert!(said.stderr.contains("the integers are read from g.integers.snnb"), "{}", said.stderr);
    place.run(&["verify", "g.nir", "art"]).exits(0);
    // Another reading has to be asked for.
    let alone = ["convert", "g.nir", "--dialect", "exact", "--dt", "1e-4", "--time-unit", "s"];
    place.run(&[&alone[..], &["-o", "alone.snn"]].concat()).exits(0);
    assert!(String::from_utf8(place.read("alone.snn")).unwrap().starts_with("snn 1 network"));
    // A file that is another one, and one that is gone.
    place.copy("tests/fixtures/tennlab/leak.npz", "g.integers.snnb");
    let said = place.run(&["compile", "g.nir", "-t", "loihi2", "-o", "no"]).exits(1);
    assert!(said.stderr.contains("SNN0299"), "{}", said.stderr);
    std::fs::remove_file(place.path("g.integers.snnb")).unwrap();
    let said = place.run(&["check", "g.nir", "-t", "loihi2"]).exits(1);
    assert!(said.stderr.contains("g.integers.snnb is missing"), "{}", said.stderr);
    assert!(!place.path("no").exists());
}

#[test]
fn levels_of_integers_are_graphs_with_the_same_spikes() {
    let place = Place::new();
    // No leak and one unit for all: nothing is truncated, so that real numbers do what the integers do.
    let source = repo("tests/fixtures/tennlab/plus_keep.json").display().to_string();
    let stimulus = repo("tests/fixtures/tennlab/plus_keep.npz").display().to_string();
    place.run(&["convert", &source, "-o", "g.nir"]).exits(0);
    let run = |source: &str, stimulus: &str, more: &[&str]| {
        place.run(&[&["run", source, "--stimulus", stimulus], more].concat()).exits(0);
    };
    run(&source, &stimulus, &["--spikes", "a.npz"]);
    run(&source, &stimulus, &["--spikes", "in.nir"]);
    let how = ["--dialect", "exact", "--dt", "1e-4", "--time-unit", "s", "--integration", "euler"];
    let how = [&how[..], &["--steps", "500", "--spikes", "b.npz"]].concat();
    run("g.nir", "in.nir", &how);
    let (a, b) = (spikes(&place.path("a.npz")), spikes(&place.path("b.npz")));
    assert!(a.values().flatten().map(|&s| usize::from(s)).sum::<usize>() > 1000);
    assert!(a == b);
}

#[test]
fn what_nir_has_no_word_for_is_refused_by_name() {
    let place = Place::new();
    for (name, what) in [("refractory", "refractory time"), ("clips", "a clip by sign")] {
        let genome = repo(&format!("tests/fixtures/{name}.genome.json")).display().to_string();
        let said = place.run(&["convert", &genome, "-o", "no.nir"]).exits(1);
        assert!(said.stderr.contains(&format!("NIR has no word for {what}")), "{}", said.stderr);
        assert!(place.names().is_empty(), "nothing is written");
    }
    let genome = repo(common::GENOME).display().to_string();
    for how in [&["--dt", "0"][..], &["--reset", "zero"]] {
        let convert = [&["convert", &genome, "-o", "no.nir"], how].concat();
        place.run(&convert).exits(2);
        assert!(place.names().is_empty());
    }
    place.run(&["convert", &genome, "--dt", "0.001", "-o", "ms.nir"]).exits(0);
    let file = read(&place, "ms.nir");
    let found = nir::discretization(&file).unwrap().expect("the metadata say how it is read");
    assert_eq!(found.dt, Some(1e-3));
}
