//! Neuron models and operations that came with architecture genomes, in a genome of family `explicit`.

use snnc_frontend::{Loaded, read_genome_bytes, resolved};
use snnc_ir::Param;
use snnc_ir::network::{Coding, Compare, Dynamics, Emission, Keep, Neuron, Op, Reset};
use std::path::Path;

/// Every new operation and model.
pub(crate) const EXPLICIT: &str = r#"{
  "format": "snnc-genome", "version": "1.0", "kind": "mse-nas", "name": "explicit",
  "time": {"steps": 2, "order": "step_major"},
  "input": {"coding": "direct", "shape": [1, 3, 3], "range": [-8, 255], "mean": [0.5], "std": [2]},
  "readout": {"kind": "mean_linear", "node": "sum", "classes": 2},
  "neurons": {
    "plif": {"model": "plif", "w": 0.5, "threshold": 1.0, "compare": "gt", "v_init": 0.0,
             "reset": {"kind": "to", "value": 0.0}, "refractory": 2},
    "izh": {"model": "izhikevich", "a": 0.02, "b": 0.2, "c": -55.0, "d": -2, "threshold": 1.0,
            "compare": "ge", "v_init": -70.0},
    "burst": {"model": "burst_lif", "tau": 2.0, "threshold": 0.5, "factor": 1.5, "compare": "gt",
              "v_init": 0.0, "reset": {"kind": "to", "value": 0.0}}
  },
  "search": {"family": "explicit", "x_from": "elsewhere"},
  "tensors": {"inline": {
    "k": {"shape": [1, 1, 1, 1], "values": [2]},
    "w.p": {"shape": [], "values": [-1]},
    "th": {"shape": [2, 2], "values": [1, 2, 3, 4]},
    "out": {"shape": [2, 4], "values": [1, 1, 1, 1, -1, -1, -1, -1]}
  }},
  "nodes": [
    {"id": "x", "op": "input"},
    {"id": "c", "op": "conv2d", "in": ["x"], "k": [1, 1], "stride": [1, 1], "pad": [0, 0, 0, 0],
     "weight": {"dense": "k"}},
    {"id": "crop", "op": "crop", "in": ["c"], "crop": [1, 0, 0, 1]},
    {"id": "p", "op": "neuron", "in": ["crop"], "neuron": "plif", "w": {"tensor": "w.p"}},
    {"id": "q", "op": "neuron", "in": ["crop"], "neuron": "plif"},
    {"id": "i", "op": "neuron", "in": ["crop"], "neuron": "izh"},
    {"id": "b", "op": "neuron", "in": ["flat"], "neuron": "burst"},
    {"id": "flat", "op": "flatten", "in": ["crop"]},
    {"id": "up", "op": "linear", "in": ["p"], "weight": {"dense": "out"}},
    {"id": "down", "op": "linear", "in": ["b"], "weight": {"dense": "out"}},
    {"id": "side", "op": "linear", "in": ["i"], "weight": {"dense": "out"}},
    {"id": "plus", "op": "clip", "in": ["up"], "sign": "+"},
    {"id": "minus", "op": "clip", "in": ["down"], "sign": "-"},
    {"id": "rest", "op": "linear", "in": ["q"], "weight": {"dense": "out"}},
    {"id": "none", "op": "zero", "shape": [2]},
    {"id": "sum", "op": "add", "in": ["plus", "minus", "side", "rest", "none"]}
  ]
}"#;

fn read(text: &str) -> Loaded {
    read_genome_bytes(text.as_bytes(), Path::new(""), "g.json").unwrap_or_else(|d| panic!("{d}"))
}

fn op<'a>(loaded: &'a Loaded, name: &str) -> &'a Op {
    &loaded.network.nodes[loaded.network.node_named(name).unwrap()].op
}

fn neuron<'a>(loaded: &'a Loaded, name: &str) -> &'a Neuron {
    match op(loaded, name) {
        Op::Neuron(neuron) => neuron,
        other => panic!("{}", other.name()),
    }
}

#[test]
fn operations() {
    let loaded = read(EXPLICIT);
    assert_eq!(*op(&loaded, "crop"), Op::Crop([1, 0, 0, 1]));
    assert_eq!(*op(&loaded, "plus"), Op::Relay(Some(Keep::Positive)));
    assert_eq!(*op(&loaded, "minus"), Op::Relay(Some(Keep::Negative)));
    assert_eq!(*op(&loaded, "none"), Op::Zero);
    assert_eq!(*op(&loaded, "x"), Op::Input(Coding::Direct { range: Some([-8, 255]) }));
    assert!(loaded.unfolding.is_none());
    let messages: Vec<&str> = loaded.warnings.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(messages, [r#"the tensor "th" is unused"#]);
}

#[test]
fn neurons() {
    let loaded = read(EXPLICIT);
    let p = neuron(&loaded, "p");
    assert_eq!((&p.dynamics, p.refractory), (&Dynamics::Sigmoid(Param::Uniform(-1.0)), 2));
    assert_eq!(neuron(&loaded, "q").dynamics, Dynamics::Sigmoid(Param::Uniform(0.5)));
    let i = neuron(&loaded, "i");
    assert_eq!(i.dynamics, Dynamics::Izhikevich { a: 0.02, b: 0.2, d: -2.0 });
    assert_eq!((i.reset, i.v_init, i.compare), (Reset::To(-55.0), -70.0, Compare::Ge));
    let b = neuron(&loaded, "b");
    assert_eq!(
        (&b.dynamics, b.emission),
        (&Dynamics::Tau(Param::Uniform(2.0)), Emission::Burst { factor: 1.5 })
    );
    assert_eq!((p.emission, i.emission), (Emission::Binary, Emission::Binary));
}

#[test]
fn thresholds_of_one_population() {
    let text = EXPLICIT
        .replace(r#""neuron": "izh"}"#, r#""neuron": "izh", "threshold": {"tensor": "th"}}"#);
    // The population is [1, 2, 2].
    let text = text.replace(r#""th": {"shape": [2, 2]"#, r#""th": {"shape": [1, 2, 2]"#);
    let loaded = read(&text);
    let thresholds = Param::PerNeuron(vec![1.0, 2.0, 3.0, 4.0]);
    assert_eq!(neuron(&loaded, "i").threshold, thresholds);
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
}

#[test]
fn printed_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g.genome.json");
    std::fs::write(&path, EXPLICIT).unwrap();
    let (text, _) = resolved(&path).unwrap();
    assert_eq!(read(&text).network, read(EXPLICIT).network);
    std::fs::write(&path, &text).unwrap();
    assert_eq!(resolved(&path).unwrap().0, text);
}
