//! `snnc map`: cores against their bounds, pictures, and what it refuses.

mod common;

use common::{GENOME, Place, STIMULUS, repo, said};
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

fn float(report: &Value, path: &str) -> f64 {
    let found = report.pointer(path).and_then(Value::as_f64);
    found.unwrap_or_else(|| panic!("no number at {path} in {report}"))
}

/// Both ends of a range.
fn range(report: &Value, path: &str) -> [f64; 2] {
    [0, 1].map(|end| float(report, &format!("{path}/{end}")))
}

#[test]
fn a_profile_counts_what_the_simulator_sends() {
    // Spikes, and messages of graded relays.
    for (fixture, target) in [("skip", "loihi1"), ("loop", "loihi1"), ("clips", "loihi2")] {
        let place = Place::new();
        place.copy(&format!("tests/fixtures/{fixture}.genome.json"), "g.json");
        place.copy(&format!("tests/fixtures/{fixture}.npz"), "s.npz");
        let run = ["run", "g.json", "-t", target, "--level", "scheduled", "--format", "json"];
        let run = [&run[..], &["--stimulus", "s.npz", "--samples", "1..4"]].concat();
        let run = place.run(&run).exits(0).json();
        let sent = |entry: &Value| entry["spikes"].as_u64().or(entry["messages"].as_u64());
        let sent = run["spikes"].as_array().expect("a list").iter().map(|e| sent(e).expect("one"));
        let sent: u64 = sent.sum();
        let map = ["map", "g.json", "-t", target, "--format", "json"];
        let map = [&map[..], &["--profile", "s.npz", "--profile-samples", "1..4"]].concat();
        let report = place.run(&map).exits(0).json();
        let profile = &report["profile"];
        assert!(sent > 0, "{fixture} answers");
        assert_eq!(number(profile, "sent"), sent, "{fixture}");
        assert_eq!([number(profile, "first"), number(profile, "samples")], [1, 3]);
        assert!(report.get("assumed_rate").is_none());
        let data = blake3::hash(&place.read("s.npz")).to_hex().to_string();
        assert_eq!(profile["data"], data.as_str());
        // No thread changes anything.
        let mut one = place.command();
        let again = said(one.args(&map).env("RAYON_NUM_THREADS", "1")).exits(0).json();
        assert_eq!(again, report);
    }
}

#[test]
fn a_profiled_artifact_is_reproduced_and_verified_without_the_samples() {
    let place = Place::new();
    place.copy(GENOME, "g.json");
    place.copy(STIMULUS, "s.npz");
    narrow(&place, "narrow.toml", "loihi1", &[("compartments", "value = 1024", "value = 8")]);
    let compile = ["compile", "g.json", "-t", "narrow.toml", "--profile", "s.npz", "-o", "art"];
    place.run(&compile).exits(0);
    let first = place.contents();
    place.run(&compile).exits(0);
    assert_eq!(place.contents(), first);
    // Whatever the target file is called on the command line.
    let path = place.path("narrow.toml").display().to_string();
    place
        .run(&compile.map(|word| if word == "narrow.toml" { path.as_str() } else { word }))
        .exits(0);
    assert_eq!(place.contents(), first);
    let manifest: Value = serde_json::from_slice(&place.read("art/manifest.json")).expect("JSON");
    assert!(number(&manifest["mapping"], "cores") > 1);
    assert!(float(&manifest, "/mapping/traffic/messages") > 0.0);
    let map = ["map", "g.json", "-t", "narrow.toml", "--profile", "s.npz", "--format", "json"];
    let report = place.run(&map).exits(0).json();
    for key in ["cores", "profile", "traffic", "estimate"] {
        assert_eq!(report[key], manifest["mapping"][key], "{key}");
    }
    std::fs::remove_file(place.path("s.npz")).expect("it is there");
    place.run(&["verify", "g.json", "art"]).exits(0);
}

#[test]
fn bad_profiles_are_refused_before_anything_is_mapped() {
    let place = Place::new();
    place.copy(GENOME, "g.json");
    place.copy(STIMULUS, "s.npz");
    place.copy("tests/fixtures/conv.npz", "other.npz");
    let before = place.contents();
    for (arguments, exit, expected) in [
        (&["--profile", "no.npz"][..], 2, "SNN0801"),
        (&["--profile", "g.json"], 1, "SNN0120"),
        (&["--profile", "other.npz"], 2, "SNN0815"),
        (&["--profile", "s.npz", "--profile-samples", "0..100000"], 2, "SNN0815"),
        (&["--profile-samples", "3"], 2, "--profile"),
    ] {
        for command in [&["map"][..], &["compile", "-o", "art"]] {
            let arguments = [command, &["g.json", "-t", "loihi1"], arguments].concat();
            let said = place.run(&arguments).exits(exit);
            assert!(said.stderr.contains(expected), "{arguments:?}: {}", said.stderr);
            assert_eq!(place.contents(), before, "nothing is written");
        }
    }
    let emit = ["compile", "g.json", "-t", "loihi1", "--profile", "s.npz", "--emit", "scheduled"];
    let said = place.run(&emit).exits(2);
    assert!(said.stderr.contains("use `--emit mapped`"), "{}", said.stderr);
    let layers = repo("examples/layers/vgg11.toml");
    let layers = layers.to_str().expect("a path");
    let said = place.run(&["map", "--layers", layers, "-t", "loihi84", "--profile", "s.npz"]);
    assert!(said.exits(2).stderr.contains("cannot be used with"));
}

#[test]
fn samples_that_nothing_answers_are_warned_about() {
    let place = Place::new();
    let genome = repo("tests/fixtures/skip.genome.json");
    let genome = std::fs::read_to_string(genome).expect("a genome");
    place.write("g.json", genome);
    place.copy(STIMULUS, "s.npz");
    let arrays = snnc::frontend::arrays::read_npz(&place.path("s.npz")).expect("arrays");
    let silent: Vec<_> = arrays
        .into_iter()
        .filter(|(name, _)| name != "y")
        .map(|(name, array)| {
            let data = snnc::frontend::arrays::ArrayData::U8(vec![0; array.shape.iter().product()]);
            (name, snnc::frontend::arrays::Array { shape: array.shape, data })
        })
        .collect();
    place.write("s.npz", snnc::frontend::arrays::write_npz(&silent).expect("an archive"));
    let said = place.run(&["map", "g.json", "-t", "loihi1", "--profile", "s.npz"]).exits(0);
    assert!(said.stderr.contains("warning[SNN0571]"), "{}", said.stderr);
}

/// A built-in target with some values replaced, under the name of the file.
fn narrow(place: &Place, file: &str, target: &str, values: &[(&str, &str, &str)]) {
    let text = repo(&format!("backends/targets/{target}.toml"));
    let text = std::fs::read_to_string(text).expect("a target");
    let name = file.trim_end_matches(".toml");
    let line = |line: &str| {
        let key = line.split(" =").next().unwrap_or_default();
        match values.iter().find(|(of, ..)| *of == key) {
            Some((_, old, new)) => {
                assert!(line.contains(old), "{line} has no {old}");
                line.replacen(old, new, 1)
            }
            None => line.replace(&format!("name = \"{target}\""), &format!("name = \"{name}\"")),
        }
    };
    place.write(file, text.lines().map(line).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_step_is_estimated_by_the_figures_of_the_target() {
    let place = Place::new();
    place.copy(GENOME, "g.json");
    let report = place.run(&["map", "g.json", "-t", "loihi1", "--format", "json"]).exits(0).json();
    let estimate = &report["estimate"];
    let [events, updates, spikes] =
        ["/synaptic_events", "/neuron_updates", "/spikes"].map(|path| float(estimate, path));
    let close = |found: f64, expected: f64| {
        assert!((found - expected).abs() < 1e-6 * expected.abs() + 1e-9, "{found} {expected}");
    };
    assert!(events > 0.0 && updates > spikes && spikes > 0.0);
    // One core, so nothing travels.
    for (end, [synapse, neuron, firing]) in
        [[23.6, 51.2, 81.0], [35.5, 81.0, 142.1]].iter().enumerate()
    {
        let energy = events * synapse + (updates - spikes) * neuron + spikes * firing;
        close(range(estimate, "/energy")[end], energy);
        close(range(estimate, "/run_energy")[end], energy * float(estimate, "/run_steps"));
    }
    for (end, barrier) in [113.0, 1800.0].into_iter().enumerate() {
        close(range(estimate, "/time")[end], range(estimate, "/core_time")[end] + barrier);
    }
    let sources = estimate["sources"].to_string();
    assert!(sources.contains("Davies et al. 2018") && sources.contains("SANA-FE"), "{sources}");
    let said = place.run(&["map", "g.json", "-t", "loihi1"]).exits(0).stdout;
    assert!(said.contains("estimate of a step: ") && said.contains("[costs]"), "{said}");
}

#[test]
fn no_figures_no_estimate() {
    let place = Place::new();
    place.copy(GENOME, "g.json");
    let report = place.run(&["map", "g.json", "-t", "loihi2", "--format", "json"]).exits(0).json();
    assert!(report.get("estimate").is_none());
    let why = report["no_estimate"].as_str().expect("a reason");
    assert!(why.contains("of Loihi 2 are public") && why.contains("of the target"), "{why}");
    let said = place.run(&["map", "g.json", "-t", "loihi2"]).exits(0).stdout;
    assert!(!said.contains(" nJ") && !said.contains(" pJ"), "{said}");
}

#[test]
fn cores_that_keep_their_order_are_remarked() {
    let place = Place::new();
    place.copy(GENOME, "g.json");
    let few = ("compartments", "value = 1024", "value = 8");
    // Two routers on a chip, and a core for one of them; then a mesh of more places than are counted.
    let empty = [
        few,
        ("cores_per_chip", "value = 128", "value = 1"),
        ("cores_per_router", "value = 4", "value = 1"),
        ("mesh_width", "value = 8", "value = 2"),
        ("mesh_height", "value = 4", "value = 1"),
    ];
    let huge = [
        few,
        ("mesh_width", "value = 8", "value = 1024"),
        ("mesh_height", "value = 4", "value = 1024"),
        ("board_width", "value = 8", "value = 1024"),
        ("board_height", "value = 4", "value = 1024"),
    ];
    for (file, values, why) in [
        ("empty.toml", &empty[..], Some("the board has no core 1 of chip 0")),
        ("huge.toml", &huge, Some("2^32 and more")),
        ("whole.toml", &empty[..1], None),
    ] {
        narrow(&place, file, "loihi1", values);
        let report = place.run(&["map", "g.json", "-t", file, "--format", "json"]).exits(0).json();
        assert!(number(&report, "cores") > 1);
        let found = report["diagnostics"].as_array().expect("a list");
        let found: Vec<&Value> = found.iter().filter(|d| d["code"] == "SNN0570").collect();
        match why {
            Some(why) => {
                assert_eq!(found.len(), 1, "{file}: {report}");
                assert_eq!(found[0]["severity"], "note");
                assert!(found[0]["message"].as_str().expect("text").contains(why), "{found:?}");
                assert_eq!(found[0]["place"]["file"], file);
                assert!(
                    !found[0]["notes"].to_string().contains(".toml"),
                    "notes go into artifacts"
                );
            }
            None => assert!(found.is_empty(), "{found:?}"),
        }
    }
}
