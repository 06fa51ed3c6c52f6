//! Weights decoded by hand, G = 3: every scheme, a rectangular core, shared genes.

use snnc_frontend::read_genome_bytes;
use snnc_ir::arena::TensorId;
use snnc_ir::network::{Op, Provenance, Scheme, Tensor};
use snnc_ir::{Network, Shape};
use std::path::Path;

/// Eo has 2 rows, Ei has 2 (channels) or 8 (channels · 2 × 2 cells) rows; the core `square` serves
/// three weights and `e_in` two.
const GENOME: &str = r#"{
  "format": "snnc-genome", "version": "1.0", "kind": "gee", "name": "decode",
  "time": {"steps": 1, "order": "step_major"},
  "input": {"coding": "events", "shape": [2, 2, 2]},
  "readout": {"kind": "mean_linear", "node": "end", "classes": 2},
  "neurons": {},
  "tensors": {"inline": {
    "e.out": {"shape": [2, 3], "values": [1, 0, 2, 0, -1, 1]},
    "e.in": {"shape": [2, 3], "values": [1, 1, 0, 0, 2, 1]},
    "e.cells": {"shape": [8, 3], "values": [
      1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 2, 0, 0, 0, 2, 0, 0, 0, 2, -1, 0, 0]},
    "e.narrow": {"shape": [2, 1], "values": [3, -2]},
    "square": {"shape": [3, 3], "values": [1, 2, 0, 0, 1, 0, 1, 0, -1]},
    "rectangle": {"shape": [3, 1], "values": [1, 10, 100]},
    "bank": {"shape": [4, 3, 3], "values": [
      1, 0, 0, 0, 1, 0, 0, 0, 1,
      0, 0, 0, 0, 0, 0, 0, 0, 0,
      2, 0, 0, 0, 2, 0, 0, 0, 2,
      0, 1, 0, 0, 0, 0, 0, 0, 0]},
    "beta": {"shape": [3], "values": [5, 7, -1]}
  }},
  "genes": {
    "count": 3,
    "interactions": {"square": {"tensor": "square"}, "bank": {"tensor": "bank"},
                     "rectangle": {"tensor": "rectangle"}, "alias": {"tensor": "square"}},
    "encodings": {"out": {"tensor": "e.out"}, "in": {"tensor": "e.in"},
                  "cells": {"tensor": "e.cells"}, "narrow": {"tensor": "e.narrow"}},
    "vectors": {"beta": {"tensor": "beta"}}
  },
  "nodes": [
    {"id": "x", "op": "input"},
    {"id": "pool", "op": "global_avgpool", "in": ["x"]},
    {"id": "linear", "op": "linear", "in": ["pool"], "weight": {"encoded":
      {"scheme": "linear", "out": "out", "core": "square", "in": "in", "scale": 0.5}},
      "bias": {"encoded": {"out": "out", "beta": "beta"}}},
    {"id": "again", "op": "linear", "in": ["pool"], "weight": {"encoded":
      {"scheme": "linear", "out": "out", "core": "alias", "in": "in", "scale": 0.5, "post": "none"}}},
    {"id": "step", "op": "linear", "in": ["pool"], "weight": {"encoded":
      {"scheme": "linear", "out": "out", "core": "square", "in": "in", "scale": 0.5, "post": "heaviside"}}},
    {"id": "rectangle", "op": "linear", "in": ["pool"], "weight": {"encoded":
      {"scheme": "linear", "out": "out", "core": "rectangle", "in": "narrow", "scale": 1}}},
    {"id": "offset", "op": "conv2d", "in": ["x"], "k": [2, 2], "stride": [1, 1], "pad": [0, 0, 0, 0],
      "weight": {"encoded": {"scheme": "per_offset", "out": "out", "core": "bank", "in": "in", "scale": -1}}},
    {"id": "fan", "op": "conv2d", "in": ["x"], "k": [2, 2], "stride": [1, 1], "pad": [0, 0, 0, 0],
      "weight": {"encoded": {"scheme": "flat_fan_in", "out": "out", "core": "square", "in": "cells", "scale": 1}}},
    {"id": "flat_offset", "op": "flatten", "in": ["offset"]},
    {"id": "flat_fan", "op": "flatten", "in": ["fan"]},
    {"id": "end", "op": "add", "in": ["linear", "again", "step", "rectangle", "flat_offset", "flat_fan"]}
  ]
}"#;

fn network() -> Network {
    let loaded = read_genome_bytes(GENOME.as_bytes(), Path::new(""), "decode.json");
    let loaded = loaded.unwrap_or_else(|d| panic!("{d}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    loaded.network
}

fn weight_of(network: &Network, node: &str) -> (TensorId, Option<TensorId>) {
    match network.nodes[network.node_named(node).unwrap()].op {
        Op::Linear { weight, bias } | Op::Conv2d { weight, bias, .. } => (weight, bias),
        ref op => panic!("{node} is {}", op.name()),
    }
}

/// The values of the weight, which a network does not store.
fn values(network: &Network, node: &str) -> Vec<f32> {
    let id = weight_of(network, node).0;
    let generated = network.tensors[id].genes.is_some();
    assert_eq!(generated, node != "step", "a step is no product of factors");
    assert_eq!(network.tensors[id].data.is_empty(), generated);
    network.values(id).into_owned()
}

fn tensor<'a>(network: &'a Network, node: &str) -> &'a Tensor {
    &network.tensors[weight_of(network, node).0]
}

#[test]
fn linear() {
    // P = O·Eiᵀ: columns [1 + 2, 1, 1] = [3, 1, 1] and [4, 2, -1].
    // Eo·P: [3 + 2, 4 - 2] and [-1 + 1, -2 - 1]; halved.
    let network = network();
    let weight = tensor(&network, "linear");
    assert_eq!(values(&network, "linear"), [2.5, 1.0, 0.0, -1.5]);
    assert_eq!(weight.shape, Shape(vec![2, 2]));
    assert_eq!(values(&network, "step"), [1.0, 1.0, 0.0, 0.0]);
    // b = Eo·β: 5 - 2 and -7 - 1.
    let bias = &network.tensors[weight_of(&network, "linear").1.unwrap()];
    assert_eq!(bias.data, [3.0, -8.0]);
    let expected = Provenance::EncodedBias { out: "out".to_owned(), beta: "beta".to_owned() };
    assert_eq!(bias.provenance, expected);
}

#[test]
fn rectangular_core() {
    // P = [1, 10, 100]ᵀ·[3, -2]; Eo·[1, 10, 100] = [201, 90].
    assert_eq!(values(&network(), "rectangle"), [603.0, -402.0, 270.0, -180.0]);
}

#[test]
fn per_offset() {
    // Cells 0 and 2 are multiples of Eo·Eiᵀ = [[1, 2], [-1, -1]]; cell 1 is nothing; cell 3 picks
    // Eo[:, 0] and Ei[:, 1]: [[1, 2], [0, 0]]. All negated, cells innermost.
    let network = network();
    let weight = tensor(&network, "offset");
    assert_eq!(weight.shape, Shape(vec![2, 2, 2, 2]));
    let weight = values(&network, "offset");
    let rows = [
        [-1.0, 0.0, -2.0, -1.0],
        [-2.0, 0.0, -4.0, -2.0],
        [1.0, 0.0, 2.0, 0.0],
        [1.0, 0.0, 2.0, 0.0],
    ];
    assert_eq!(weight, rows.concat());
}

#[test]
fn flat_fan_in() {
    // Eo·O = [[3, 2, -2], [1, -1, -1]]; each row of `cells` is multiplied by both.
    let network = network();
    let weight = tensor(&network, "fan");
    assert_eq!(weight.shape, Shape(vec![2, 2, 2, 2]));
    let weight = values(&network, "fan");
    let rows = [
        [3.0, 2.0, -2.0, 3.0],
        [6.0, 4.0, -4.0, -3.0],
        [1.0, -1.0, -1.0, -1.0],
        [2.0, -2.0, -2.0, -1.0],
    ];
    assert_eq!(weight, rows.concat());
}

#[test]
fn what_decodes_to_the_same_is_one_tensor() {
    let network = network();
    let id = |node| weight_of(&network, node).0;
    // `again` names the same stored core by another name.
    assert_eq!(id("linear"), id("again"));
    assert_ne!(id("linear"), id("step"));
    let expected = Provenance::Encoded {
        scheme: Scheme::Linear,
        out: "out".to_owned(),
        core: "square".to_owned(),
        source: "in".to_owned(),
        scale: 0.5,
        heaviside: false,
    };
    assert_eq!(tensor(&network, "again").provenance, expected);
    // Six that nodes use and seven genes, each once.
    assert_eq!(network.only_genes().iter().filter(|gene| **gene).count(), 7);
    assert_eq!(network.tensors.len(), 13);
    let genes = |node| tensor(&network, node).genes.unwrap();
    assert_eq!(genes("linear").core, genes("fan").core);
    let core = &network.tensors[genes("linear").core];
    assert_eq!(core.provenance, Provenance::Dense { tensor: "square".to_owned() });
}

#[test]
fn genes_beyond_f32_are_decoded_at_once() {
    let tenth = GENOME.replace(r#""values": [1, 10, 100]"#, r#""values": [0.1, 10, 100]"#);
    let loaded = read_genome_bytes(tenth.as_bytes(), Path::new(""), "decode.json").unwrap();
    let weight = tensor(&loaded.network, "rectangle");
    assert!(weight.genes.is_none());
    // P = [0.1, 10, 100]ᵀ·[3, -2]; rows [1, 0, 2] and [0, -1, 1], in f64.
    assert_eq!(weight.data, [600.3, -400.2, 270.0, -180.0]);
}
