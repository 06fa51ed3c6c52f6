//! The shipped genomes are read, and mean what their documentation says.

use snnc_frontend::arrays::{Array, ArrayData, read_npz};
use snnc_frontend::{Loaded, read_genome, read_genome_bytes};
use snnc_ir::network::{Coding, Op, Provenance, Readout};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// All shipped genomes, relative to `examples`.
pub(crate) const EXAMPLES: [&str; 6] = [
    "digits/digits.genome.json",
    "mnist/mnist.genome.json",
    "small/conv.genome.json",
    "small/direct.genome.json",
    "small/genes.genome.json",
    "small/skip.genome.json",
];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}

pub(crate) fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

pub(crate) fn load(name: &str) -> Loaded {
    let loaded = read_genome(&path(name)).unwrap_or_else(|d| panic!("{name}:\n{d}"));
    assert!(loaded.warnings.is_empty(), "{name}:\n{}", loaded.warnings);
    loaded
}

fn arrays(name: &str) -> BTreeMap<String, Array> {
    read_npz(&path(name)).unwrap_or_else(|d| panic!("{d}")).into_iter().collect()
}

/// One line per node: id, operation, shape, what it reads.
fn outline(loaded: &Loaded) -> String {
    let nodes = &loaded.network.nodes;
    let line = |n: &snnc_ir::network::Node| {
        let reads: Vec<String> = n
            .inputs
            .iter()
            .map(|e| match e.delay {
                0 => nodes[e.source].name.clone(),
                d => format!("{}@{d}", nodes[e.source].name),
            })
            .collect();
        format!("{} = {} {} <- {}\n", n.name, n.op.name(), n.shape, reads.join(" "))
    };
    nodes.values().map(line).collect::<Vec<_>>().concat()
}

/// The examples of the format's documentation: one of genes, one of an architecture.
pub(crate) fn documented() -> [String; 2] {
    let page = text("../docs/genome-format.md");
    let examples: Vec<String> = page
        .split("```json\n")
        .skip(1)
        .map(|rest| rest.split_once("```").unwrap().0.to_owned())
        .collect();
    examples.try_into().unwrap()
}

#[test]
fn the_documented_examples_are_read() {
    let [genes, architecture] = documented();
    let genes = read_genome_bytes(genes.as_bytes(), Path::new(""), "docs");
    let architecture = crate::search::Genome::of_text(&architecture).random(1);
    for loaded in [genes, architecture] {
        let loaded = loaded.unwrap_or_else(|d| panic!("{d}"));
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    }
}

#[test]
fn all_are_read() {
    for name in EXAMPLES {
        load(name);
    }
}

/// The integer twin that ships with a genome was made by other code from the same genes: every one
/// of its weights, biases and thresholds must follow from the decoded network.
fn twin_agrees(folder: &str) {
    let loaded = load(&format!("{folder}/{folder}.genome.json"));
    let gold = arrays(&format!("{folder}/gold.npz"));
    let network = &loaded.network;
    let scale = |population: &str| match gold[&format!("scale_{population}")].data {
        ArrayData::F64(ref v) => v[0],
        ref other => panic!("{}", other.type_name()),
    };
    let mut projections = 0;
    for (name, twin) in gold.iter().filter(|(n, _)| n.starts_with("Wint_")) {
        // Wint_<index>_<pre>_<post>_d<delay>, stored [pre, post].
        let parts: Vec<&str> = name.split('_').collect();
        let (pre, post, delay) = (parts[2], parts[3], parts[4][1..].parse::<u32>().unwrap());
        let node = &network.nodes[network.node_named(&format!("{pre}_{post}")).unwrap()];
        assert_eq!(network.nodes[node.inputs[0].source].name, pre);
        assert_eq!(node.inputs[0].delay, delay);
        let Op::Linear { weight, bias } = node.op else { panic!("{}", node.op.name()) };
        let weight = &network.tensors[weight];
        let [rows, columns] = weight.shape.0[..] else { panic!("{}", weight.shape) };
        assert_eq!(twin.shape, [columns as usize, rows as usize]);
        let twin = twin.to_f64().unwrap();
        for (i, &w) in weight.data.iter().enumerate() {
            let (row, column) = (i / columns as usize, i % columns as usize);
            let expected = twin[column * rows as usize + row];
            let found = (f64::from(w) * scale(post)).round_ties_even();
            assert!((found - expected).abs() < 0.5, "{name}[{column}, {row}]: {found}, {expected}");
        }
        if let Some(bias) = bias {
            let twin = gold[&format!("bias_int_{post}")].to_f64().unwrap();
            for (b, expected) in network.tensors[bias].data.iter().zip(twin) {
                let found = (64.0 * f64::from(*b) * scale(post)).round_ties_even();
                assert!((found - expected).abs() < 0.5, "bias of {post}: {found}, {expected}");
            }
        }
        projections += 1;
    }
    let linear = network.nodes.values().filter(|n| matches!(n.op, Op::Linear { .. })).count();
    assert_eq!(projections, linear);
}

#[test]
fn digits_decodes_to_its_twin() {
    twin_agrees("digits");
}

#[test]
fn mnist_decodes_to_its_twin() {
    twin_agrees("mnist");
}

#[test]
fn accounts_match_what_was_measured() {
    for (name, stored, network) in [("digits", 5_744, 33_610), ("mnist", 83_653, 270_154)] {
        let account = load(&format!("{name}/{name}.genome.json")).account;
        assert_eq!(account.stored_parameters(), stored);
        assert_eq!(account.network_parameters(), network);
    }
}

#[test]
fn outlines() {
    let text = EXAMPLES.map(|name| format!("## {name}\n{}", outline(&load(name))));
    insta::assert_snapshot!(text.concat());
}

#[test]
fn the_envelope_arrives() {
    let network = load("digits/digits.genome.json").network;
    assert_eq!((network.name.as_str(), network.steps), ("digits", 11));
    let input = network.node_named("in").unwrap();
    let coding = Coding::Accumulator { pmax: 16, steps_in: 8 };
    assert_eq!(network.nodes[input].op, Op::Input(coding));
    assert_eq!(network.readout, Readout::SpikeCount(network.node_named("out").unwrap()));
    let network = load("small/conv.genome.json").network;
    assert_eq!(network.readout, Readout::MeanLinear(network.node_named("y").unwrap()));
}

#[test]
fn a_weight_used_twice_is_one_tensor() {
    let network = load("small/skip.genome.json").network;
    let weight = |name: &str| match network.nodes[network.node_named(name).unwrap()].op {
        Op::Linear { weight, .. } => weight,
        ref op => panic!("{}", op.name()),
    };
    assert_eq!(weight("x_a"), weight("x_b"));
    assert_ne!(weight("x_a"), weight("a_a"));
    let tensor = &network.tensors[weight("x_a")];
    assert_eq!(tensor.name, "x_a.weight");
    assert!(matches!(&tensor.provenance, Provenance::Encoded { out, .. } if out == "h"));
}

#[test]
fn test_sets_have_the_shape_of_the_input() {
    for (name, samples) in [("digits", 360), ("mnist", 2000)] {
        let loaded = load(&format!("{name}/{name}.genome.json"));
        let input = &loaded.network.nodes[loaded.network.node_named("in").unwrap()];
        let test = arrays(&format!("{name}/test.npz"));
        assert_eq!(test["x"].shape, [samples, input.shape.size()]);
        assert_eq!(test["y"].shape, [samples]);
        assert_eq!((test["x"].data.type_name(), test["y"].data.type_name()), ("uint8", "uint8"));
    }
}
