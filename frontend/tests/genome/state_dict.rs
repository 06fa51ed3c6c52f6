//! State dicts of searched networks: what they must hold, and what they change.

use crate::search::Genome;
use crate::search_cases::{MSE, NEUEVO};
use snnc_frontend::arrays::{Array, ArrayData, write_npz};
use snnc_frontend::{Loaded, read_genome_bytes};
use snnc_ir::network::{Dynamics, Neuron, Op};
use snnc_ir::{Diagnostics, Param};
use std::collections::BTreeMap;
use tempfile::TempDir;

type Tensors = BTreeMap<String, Array>;

fn f32s(shape: &[usize], values: &[f32]) -> Array {
    Array { shape: shape.to_vec(), data: ArrayData::F32(values.to_vec()) }
}

/// The tensors that the network of `genome` needs, with random values.
fn tensors(genome: &str) -> Tensors {
    let loaded = Genome::of_text(genome).random(1).unwrap_or_else(|d| panic!("{d}"));
    let tensors = loaded.network.tensors.values();
    tensors
        .map(|t| {
            let shape: Vec<usize> = t.shape.0.iter().map(|&d| d as usize).collect();
            (t.name.clone(), f32s(&shape, &t.data))
        })
        .collect()
}

/// Reads `genome` with a state dict.
fn read(genome: &str, tensors: Tensors) -> Result<Loaded, Diagnostics> {
    let folder = TempDir::new().unwrap();
    let tensors: Vec<(String, Array)> = tensors.into_iter().collect();
    std::fs::write(folder.path().join("t.npz"), write_npz(&tensors).unwrap()).unwrap();
    let names = r#""tensors": {"file": "t.npz", "format": "npz", "names": "braincog-state-dict"},"#;
    let genome = genome.replacen('{', &format!("{{{names}"), 1);
    read_genome_bytes(genome.as_bytes(), folder.path(), "g.json")
}

fn refused(genome: &str, tensors: Tensors) -> String {
    read(genome, tensors).unwrap_err().to_string()
}

fn neuron<'a>(loaded: &'a Loaded, name: &str) -> &'a Neuron {
    let network = &loaded.network;
    match &network.nodes[network.node_named(name).unwrap()].op {
        Op::Neuron(neuron) => neuron,
        other => panic!("{}", other.name()),
    }
}

#[test]
fn a_whole_state_dict_is_read() {
    let mut tensors = tensors(MSE);
    // What training leaves behind is ignored.
    for module in ["cells.0._ops.0.op", "cells.1.fun"] {
        tensors.insert(format!("{module}.act_fun.alpha"), f32s(&[], &[2.0]));
        tensors.insert(format!("{module}.num_batches_tracked"), f32s(&[], &[7.0]));
    }
    let loaded = read(MSE, tensors).unwrap_or_else(|d| panic!("{d}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    let account = loaded.account;
    assert_eq!(account.stored_parameters(), account.network_parameters());
}

#[test]
fn thresholds_of_populations_replace_the_model_s() {
    let mut tensors = tensors(MSE);
    tensors.insert("cells.0._ops.1.op.0.threshold".to_owned(), f32s(&[], &[0.75]));
    tensors
        .insert("cells.1.fun.activation.threshold".to_owned(), f32s(&[4], &[1.0, 2.0, 3.0, 4.0]));
    let loaded = read(MSE, tensors).unwrap_or_else(|d| panic!("{d}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    assert_eq!(neuron(&loaded, "cells.0._ops.0.op.0").threshold, Param::Uniform(0.5));
    assert_eq!(neuron(&loaded, "cells.0._ops.1.op.0").threshold, Param::Uniform(0.75));
    let channels = Param::PerChannel(vec![1.0, 2.0, 3.0, 4.0]);
    assert_eq!(neuron(&loaded, "cells.1.fun.activation").threshold, channels);
}

/// The leak of a parametric neuron is learnt, so it may stand in the state dict alone.
#[test]
fn leaks_of_populations() {
    let mut all = tensors(NEUEVO);
    all.insert("global_pooling.0.w".to_owned(), f32s(&[], &[0.25]));
    let loaded = read(NEUEVO, all.clone()).unwrap_or_else(|d| panic!("{d}"));
    assert_eq!(
        neuron(&loaded, "global_pooling.0").dynamics,
        Dynamics::Sigmoid(Param::Uniform(0.25))
    );
    let without = NEUEVO.replace(r#""w": -0.5, "#, "");
    assert_eq!(read(&without, all).unwrap().network, loaded.network);
    // A leak that the neurons of the genome do not have.
    let mut tensors = tensors(MSE);
    tensors.insert("global_pooling.0.w".to_owned(), f32s(&[], &[0.25]));
    insta::assert_snapshot!(refused(MSE, tensors), @r"
    error[SNN0208]: `w` of neurons that have none
      --> g.json $.search.neuron
      = note: only `plif` neurons have a `w`
    ");
}

#[test]
fn tensors_of_another_network() {
    let all = tensors(MSE);
    let mut some = all.clone();
    some.retain(|name, _| !name.starts_with("cells.1.fun.conv"));
    insta::assert_snapshot!("missing", refused(MSE, some));
    // Names of another export.
    let renamed = all.iter().map(|(name, t)| (format!("module.{name}"), t.clone())).collect();
    insta::assert_snapshot!("renamed", refused(MSE, renamed));
    let wider = MSE.replace(r#""init_channels": 2"#, r#""init_channels": 3"#);
    let found = read(&wider, all.clone()).unwrap_err();
    let first = found.iter().next().unwrap();
    assert_eq!(first.message, "`stem.0.weight` has the shape [6, 2, 3, 3]");
    assert_eq!(first.notes[0], "the unfolded network needs [9, 2, 3, 3]");
    assert!(found.iter().all(|d| d.code.to_string() == "SNN0231"), "{found}");
    // Another size of one edge: only its own gene is to blame.
    let gene = MSE.replace("[5, 1, 0", "[5, 0, 0");
    insta::assert_snapshot!("another_size", refused(&gene, all.clone()));
    let mut more = all;
    more.insert("cells.7._ops.0.op.1.weight".to_owned(), f32s(&[1], &[1.0]));
    insta::assert_snapshot!("leftover", read(MSE, more).unwrap().warnings);
}

#[test]
fn tensors_of_networks_that_end_in_votes() {
    let mut tensors = tensors(MSE);
    tensors.remove("classifier.weight");
    tensors.remove("classifier.bias");
    tensors.insert("classifier.0.weight".to_owned(), f32s(&[20, 12], &[0.0; 240]));
    insta::assert_snapshot!("votes", refused(MSE, tensors));
}

/// Cells with a population before each convolution have another numbering.
#[test]
fn tensors_of_neuevo_with_neurons_on_edges() {
    let tensors = tensors(NEUEVO)
        .into_iter()
        .map(|(name, t)| (name.replace(".op.1.", ".op.2.").replace(".op.0.", ".op.1."), t))
        .collect();
    insta::assert_snapshot!("neurons_on_edges", refused(NEUEVO, tensors));
}
