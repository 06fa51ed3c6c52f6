//! `snnc map`: cores against their bounds, pictures, and what it refuses.

mod common;

use common::{GENOME, Place, repo};
use serde_json::Value;

fn layers(place: &Place, name: &str, target: &str, more: &[&str]) -> Value {
    let file = repo(&format!("examples/layers/{name}.toml"));
    let file = file.to_str().expect("a path");
    let arguments = ["map", "--layers", file, "--target", target, "--format", "json"];
    place.run(&[&arguments[..], more].concat()).exits(0).json()
}

fn number(report: &Value, key: &str) -> u64 {
    report[key].as_u64().unwrap_or_else(|| panic!("no {key} in {report}"))
}

/// Core counts that were published for these shapes: 61, 574 and 2,048 cores.
#[test]
fn published_shapes_take_fewer_cores_than_published() {
    let place = Place::new();
    for (name, target, neurons, most) in [
        ("pilotnet-sdnn", "loihi2", 118_909, 40),
        ("yolo-kp", "loihi2", 2_016_448, 520),
        ("mobilenet-128", "loihi1", 1_648_616, 1640),
    ] {
        let report = layers(&place, name, target, &[]);
        assert_eq!(number(&report, "neurons"), neurons, "{name}");
        let (cores, bound) = (number(&report, "cores"), number(&report, "lower_bound"));
        assert!(bound <= cores && cores <= most, "{name}: {cores} cores, bound {bound}");
    }
}

#[test]
fn layers_with_an_axon_for_each_neuron_are_placed_for_traffic() {
    let place = Place::new();
    let report = layers(&place, "vgg11", "loihi84", &["--effort", "fast", "--svg", "vgg.svg"]);
    assert_eq!([number(&report, "cores"), number(&report, "lower_bound")], [45, 45]);
    let traffic = &report["traffic"];
    assert!(traffic["cost"].as_f64() > traffic["cost_bound"].as_f64());
    assert_eq!(traffic["unit"], "pJ");
    let picture = String::from_utf8(place.read("vgg.svg")).expect("text");
    assert!(picture.starts_with("<svg ") && picture.trim_end().ends_with("</svg>"));
    assert!(picture.contains("lower bound 45"));
}

/// Two rings of four, joined by one axon.
const RINGS: &str =
    "9 8 1\n100 1 2\n100 2 3\n100 3 4\n100 4 1\n100 5 6\n100 6 7\n100 7 8\n100 8 5\n30 1 5\n";

#[test]
fn hypergraphs_are_parted_where_little_passes() {
    let place = Place::new();
    place.write("rings.hgr", RINGS);
    let four = std::fs::read_to_string(repo("backends/targets/loihi64.toml")).expect("a target");
    let four = four.replace("compartments = { value = 1024", "compartments = { value = 4");
    place.write("four.toml", four);
    let said = place.run(&["map", "--hgr", "rings.hgr", "--preset", "four.toml", "-o", "cores"]);
    assert!(said.exits(0).stdout.contains("cores 2 (lower bound 2: neurons)"));
    let cores = String::from_utf8(place.read("cores")).expect("text");
    let cores: Vec<&str> = cores.lines().collect();
    assert_eq!(cores.len(), 8);
    assert!(cores[..4].iter().all(|core| core == &cores[0]) && cores[0] != cores[4]);
    assert!(cores[4..].iter().all(|core| core == &cores[4]));
    let said = place.run(&["map", "--hgr", "rings.hgr", "-t", "four.toml", "--format", "json"]);
    let report = said.exits(0).json();
    assert!((report["traffic"]["messages"].as_f64().expect("a number") - 0.3).abs() < 1e-9);
}

#[test]
fn sources_are_mapped_as_they_are_compiled() {
    let place = Place::new();
    place.copy(GENOME, "g.json");
    let arguments = ["map", "g.json", "-t", "loihi1", "--svg", "g.svg"];
    let said = place.run(&arguments).exits(0);
    assert!(said.stdout.contains("cores 1 (lower bound 1: compartments)"), "{}", said.stdout);
    let picture = place.read("g.svg");
    assert_eq!(place.run(&arguments).exits(0).stdout, said.stdout);
    assert_eq!(place.read("g.svg"), picture);
    place.run(&["compile", "g.json", "-t", "loihi1", "-o", "art"]).exits(0);
    let manifest: Value = serde_json::from_slice(&place.read("art/manifest.json")).expect("JSON");
    assert_eq!(number(&manifest["mapping"], "cores"), 1);
    assert_eq!(number(&manifest["mapping"], "lower_bound"), 1);
}

#[test]
fn refusals_name_place_and_limit() {
    let place = Place::new();
    place.write("bad.hgr", "1 2 1\n100 1 x\n");
    let said = place.run(&["map", "--hgr", "bad.hgr", "-t", "loihi64"]).exits(1);
    assert!(
        said.stderr.contains("SNN0563") && said.stderr.contains("bad.hgr:2"),
        "{}",
        said.stderr
    );
    place.write(
        "bad.toml",
        "name = \"n\"\n[[layer]]\nname = \"a\"\nreads = [{ from = \"b\", kind = \"conv\" }]\n",
    );
    let said = place.run(&["map", "--layers", "bad.toml", "-t", "loihi64"]).exits(1);
    assert!(
        said.stderr.contains("SNN0564") && said.stderr.contains("layer `a`"),
        "{}",
        said.stderr
    );
    let fan_in: Vec<String> = (1..=5000).map(|n| format!("1 {n} 5001")).collect();
    place.write("wide.hgr", format!("5000 5001 1\n{}\n", fan_in.join("\n")));
    let said = place.run(&["map", "--hgr", "wide.hgr", "-t", "loihi64"]).exits(1);
    assert!(said.stderr.contains("SNN0565"), "{}", said.stderr);
    assert!(said.stderr.contains("5000 input axons") && said.stderr.contains("input_axons = 4096"));
    let yolo = repo("examples/layers/billion.toml");
    let yolo = yolo.to_str().expect("a path");
    let said = place.run(&["map", "--layers", yolo, "-t", "loihi2"]).exits(1);
    assert!(said.stderr.contains("SNN0562") && said.stderr.contains("chips ="), "{}", said.stderr);
    let said = place.run(&["map", "--layers", yolo, "-t", "loihi2", "--rates", "no.npz"]).exits(1);
    assert!(said.stderr.contains("leave `--rates` out"), "{}", said.stderr);
    // What only genomes have is not ignored.
    for option in [["--lowering", "smallest"], ["--weights", "random:1"]] {
        let arguments = ["map", "--layers", yolo, "-t", "loihi2"];
        let said = place.run(&[&arguments[..], &option].concat()).exits(2);
        assert!(said.stderr.contains("cannot be used with"), "{}", said.stderr);
    }
}
