//! What architecture genomes unfold to.

use crate::library::feedback;
use snnc_frontend::search::Preprocess::{
    self, Pointwise as One, Reduce as Half, Reduce4 as Quarter,
};
use snnc_frontend::search::{Operation, Sign};
use snnc_frontend::{
    Loaded, RandomWeights, ReadOptions, Unfolding, read_genome, read_genome_with, resolved, unfold,
};
use snnc_ir::Diagnostics;
use snnc_ir::network::{Keep, Node, Op};
use std::path::PathBuf;
use tempfile::TempDir;

/// Codes that the tests below demand.
pub(crate) const CODES: [u16; 4] = [248, 249, 250, 251];

/// Everything of an architecture genome but its search.
const ENVELOPE: &str = r#"{
  "format": "snnc-genome", "version": "1.0", "kind": "mse-nas", "name": "searched",
  "time": {"steps": 3, "order": "step_major"},
  "input": {"coding": "events", "shape": SHAPE},
  "readout": {"kind": "mean_linear", "classes": 3},
  "neurons": {"lif": {"model": "lif", "tau": 2.0, "threshold": 0.5, "compare": "gt", "v_init": 0.0,
                      "reset": {"kind": "to", "value": 0.0}}},
  MORE
  "search": SEARCH
}"#;

/// The fields of `search` that do not matter to a test.
const COMMON: &str =
    r#""init_channels": 4, "in_channels": 2, "stem": "conv", "neuron": "lif", "library": 1"#;

/// A genome in a folder of its own.
pub(crate) struct Genome {
    folder: TempDir,
    path: PathBuf,
}

impl Genome {
    pub(crate) fn of_text(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("g.genome.json");
        std::fs::write(&path, text).unwrap();
        Self { folder, path }
    }

    fn new(shape: &str, search: &str) -> Self {
        Self::of_text(&text(shape, "", search))
    }

    pub(crate) fn unfold(&self) -> Result<Unfolding, Diagnostics> {
        unfold(&self.path).map(|(unfolding, _)| unfolding)
    }

    pub(crate) fn random(&self, seed: u64) -> Result<Loaded, Diagnostics> {
        let options = ReadOptions { weights: Some(RandomWeights { seed }) };
        read_genome_with(&self.path, &options)
    }
}

fn text(shape: &str, more: &str, search: &str) -> String {
    ENVELOPE.replace("SHAPE", shape).replace("MORE", more).replace("SEARCH", search)
}

/// One cell of motif `id` whose genes are 0 but for those given.
fn genes(id: u32, arity: u32, ones: &[(usize, u32)]) -> Vec<u32> {
    let mut genes = vec![0; 20];
    genes[0] = id;
    for &(position, value) in ones {
        genes[position] = value;
    }
    genes.push(arity);
    genes
}

fn one_cell(genome: &[u32]) -> String {
    cells(genome, "[]", "same_step")
}

fn cells(genome: &[u32], reduce_at: &str, feedback: &str) -> String {
    let cells = genome.len() / 20;
    format!(
        r#"{{"family": "braincog-mse-nas", "genome": {genome:?}, "cells": {cells}, "genes_per_cell": 20,
            "reduce_at": {reduce_at}, "feedback": "{feedback}", {COMMON}}}"#
    )
}

fn neuevo(genotype: &str, feedback: &str) -> String {
    format!(
        r#"{{"family": "braincog-neuevo", "genotype": "{genotype}", "cells": 2, "reduce_at": [1],
            "feedback": "{feedback}", {COMMON}}}"#
    )
}

fn node<'a>(loaded: &'a Loaded, name: &str) -> &'a Node {
    let network = &loaded.network;
    let id = network.node_named(name).unwrap_or_else(|| panic!("no node {name}"));
    &network.nodes[id]
}

/// Names of what a node reads, `@1` for the previous step.
fn reads(loaded: &Loaded, name: &str) -> Vec<String> {
    let nodes = &loaded.network.nodes;
    let read = |e: &snnc_ir::network::Edge| match e.delay {
        0 => nodes[e.source].name.clone(),
        d => format!("{}@{d}", nodes[e.source].name),
    };
    node(loaded, name).inputs.iter().map(read).collect()
}

fn random(search: &str) -> Loaded {
    Genome::new("[2, 8, 8]", search).random(1).unwrap_or_else(|d| panic!("{d}"))
}

/// The genome that BrainCog publishes as the default of its search program.
const PUBLISHED: [u32; 121] = [
    4, 0, 0, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, //
    4, 1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 0, //
    4, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 0, 1, 2, //
    4, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 1, //
    4, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 3, //
    4, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, //
    3,
];

#[test]
fn the_published_genome() {
    let search = cells(&PUBLISHED, "[1, 3, 5]", "same_step");
    let search = search.replace(r#""init_channels": 4"#, r#""init_channels": 48"#);
    let text = text("[2, 48, 48]", "", &search).replace(r#""classes": 3"#, r#""classes": 11"#);
    let unfolding = Genome::of_text(&text).unfold().unwrap_or_else(|d| panic!("{d}"));
    let totals = unfolding.totals;
    assert_eq!(
        (totals.parameters, totals.populations, totals.neurons),
        (24_597_227, 49, 5_902_848)
    );
    insta::assert_snapshot!(unfolding);
}

#[test]
fn four_channels_give_a_network_of_the_same_graph() {
    let genome = cells(&PUBLISHED, "[1, 3, 5]", "same_step");
    let loaded = Genome::new("[2, 48, 48]", &genome).random(7).unwrap_or_else(|d| panic!("{d}"));
    let unfolding = loaded.unfolding.unwrap();
    assert_eq!(unfolding.totals.populations, 49);
    assert_eq!(loaded.network.nodes.len(), unfolding.totals.nodes);
    let neurons: Vec<&Node> =
        loaded.network.nodes.values().filter(|n| matches!(n.op, Op::Neuron(_))).collect();
    assert_eq!(neurons.len(), 49);
    let sizes: usize = neurons.iter().map(|n| n.shape.size()).sum();
    assert_eq!(sizes as u64, unfolding.totals.neurons);
    let tensors = loaded.network.tensors.values();
    let learnt = tensors.filter(|t| !t.name.contains(".running_")).map(|t| t.data.len());
    assert_eq!(learnt.sum::<usize>() as u64, unfolding.totals.parameters);
    assert_eq!(loaded.account.stored_parameters(), 0, "random weights are not stored");
}

/// Every edge owns its population; signs become clips; zero entries vanish.
#[test]
fn one_cell_of_m4() {
    let loaded = random(&one_cell(&genes(4, 3, &[])));
    // Twelve edges, three inputs, and the population before the pooling.
    assert_eq!(loaded.unfolding.as_ref().unwrap().totals.populations, 12 + 3 + 1);
    assert_eq!(reads(&loaded, "cells.0.state.6"), ["cells.0._ops.10.clip", "cells.0._ops.11.clip"]);
    assert_eq!(reads(&loaded, "cells.0._ops.11.op.0"), ["cells.0.state.5"]);
    assert_eq!(node(&loaded, "cells.0._ops.10.clip").op, Op::Relay(Some(Keep::Positive)));
    assert_eq!(node(&loaded, "cells.0._ops.11.clip").op, Op::Relay(Some(Keep::Negative)));
    let outputs: Vec<String> = (3..8).map(|s| format!("cells.0.state.{s}")).collect();
    assert_eq!(reads(&loaded, "cells.0"), outputs);
    assert!(loaded.network.node_named("cells.0._ops.9.op.0").is_none(), "entry 9 is zero");
}

/// Identity feedback in the same step: the node was computed from the old state, the output joins
/// the new one.
#[test]
fn identity_feedback_is_seen_by_later_readers_only() {
    let loaded = random(&one_cell(&genes(5, 2, &[])));
    assert_eq!(reads(&loaded, "cells.0._ops.3.op.0"), ["cells.0.state.2"]);
    assert_eq!(reads(&loaded, "cells.0.state.2.v1"), ["cells.0.state.2", "cells.0.state.3"]);
    assert_eq!(reads(&loaded, "cells.0"), ["cells.0.state.2.v1", "cells.0.state.3"]);
    let loaded = random(&one_cell(&genes(5, 3, &[])));
    assert_eq!(reads(&loaded, "cells.0.state.3.v1"), ["cells.0.state.3", "cells.0.state.4"]);
    assert_eq!(reads(&loaded, "cells.0"), ["cells.0.state.3.v1", "cells.0.state.4"]);
}

/// A later reader inside the cell: the fourth state of mm3 reads state 3, not yet changed, and its
/// own feedback changes state 3 for the output.
#[test]
fn feedback_of_two_nodes() {
    let loaded = random(&one_cell(&genes(3, 2, &[])));
    assert_eq!(reads(&loaded, "cells.0.state.2.v1"), ["cells.0.state.2", "cells.0.state.3"]);
    assert_eq!(reads(&loaded, "cells.0.state.3.v1")[1], "cells.0._ops_back.1.clip");
    assert_eq!(reads(&loaded, "cells.0._ops_back.1.op.0"), ["cells.0.state.4"]);
    let output = ["cells.0.state.2.v1", "cells.0.state.3.v1", "cells.0.state.4"];
    assert_eq!(reads(&loaded, "cells.0"), output);
}

fn conv(size: u32, sign: Sign) -> Operation {
    Operation::Conv { size, sign }
}

/// The template of m3 says inhibitory, its gene excitatory; only genes of 2 and 3 inhibit.
#[test]
fn the_sign_of_feedback_is_the_gene_s() {
    let of = |id, arity, ones: &[(usize, u32)]| {
        let genome = Genome::new("[2, 8, 8]", &one_cell(&genes(id, arity, ones)));
        let cell = genome.unfold().unwrap_or_else(|d| panic!("{d}")).cells.remove(0);
        feedback(&cell.graph.unwrap())
    };
    let zero = Operation::Zero;
    assert_eq!(of(3, 3, &[]), [conv(3, Sign::Excitatory), zero]);
    assert_eq!(of(3, 3, &[(11, 1)]), [conv(5, Sign::Excitatory), zero]);
    assert_eq!(of(3, 3, &[(11, 2)]), [conv(3, Sign::Inhibitory), zero]);
    assert_eq!(of(5, 4, &[(19, 2)]), [conv(3, Sign::Inhibitory), zero, zero]);
    assert_eq!(of(5, 4, &[(19, 3)]), [conv(5, Sign::Inhibitory), zero, zero]);
    // t3 has 15 entries, one of which is never executed.
    assert_eq!(of(3, 4, &[(15, 1)]), [conv(5, Sign::Excitatory), zero]);
}

/// The second node of t3 has no entry but zeros; its feedback population still reads it.
#[test]
fn a_node_of_zeros() {
    let loaded = random(&one_cell(&genes(3, 4, &[])));
    assert_eq!(node(&loaded, "cells.0.state.5").op, Op::Zero);
    assert_eq!(reads(&loaded, "cells.0._ops_back.0.op.0"), ["cells.0.state.5"]);
    let terms = ["cells.0._ops.8.clip", "cells.0._ops.10.clip"];
    assert_eq!(reads(&loaded, "cells.0.state.6"), terms);
    // The empty motif of two inputs has one state, which is 0.
    let loaded = random(&one_cell(&genes(0, 2, &[])));
    assert_eq!(reads(&loaded, "cells.0"), ["cells.0.state.2"]);
    assert_eq!(node(&loaded, "cells.0.state.2").op, Op::Zero);
}

#[test]
fn delayed_feedback() {
    let loaded = random(&cells(&genes(5, 2, &[]), "[]", "delay1"));
    assert_eq!(reads(&loaded, "cells.0.state.2")[2], "cells.0.state.3@1");
    assert_eq!(reads(&loaded, "cells.0"), ["cells.0.state.2", "cells.0.state.3"]);
    // A convolution reads the spikes of the previous step.
    let loaded = random(&cells(&genes(3, 3, &[]), "[]", "delay1"));
    assert_eq!(reads(&loaded, "cells.0._ops_back.0.op.0"), ["cells.0.state.4"]);
    assert_eq!(reads(&loaded, "cells.0._ops_back.0.op.1"), ["cells.0._ops_back.0.op.0@1"]);
    assert_eq!(reads(&loaded, "cells.0.state.3")[3], "cells.0._ops_back.0.clip");
    // Feedback into the inputs of a cell, of the convolutions of NeuEvo.
    let loaded = random(&neuevo("dvsc10_new_skip22", "delay1"));
    let terms = ["cells.0.preprocess0.op.1", "cells.0._ops_back.0.clip"];
    assert_eq!(reads(&loaded, "cells.0.state.0"), terms);
    assert_eq!(reads(&loaded, "cells.0._ops_back.0.op.0"), ["cells.0.state.3@1"]);
    assert_eq!(reads(&loaded, "cells.0._ops.1.op.0"), ["cells.0.state.0"]);
}

/// Genes of `count` cells of motif 1.
fn ones(count: usize, arity: u32) -> Vec<u32> {
    let mut genome: Vec<u32> =
        (0..count).flat_map(|_| genes(1, arity, &[])[..20].to_vec()).collect();
    genome.push(arity);
    genome
}

#[test]
fn a_reduction() {
    let loaded = random(&cells(&ones(1, 3), "[0]", "same_step"));
    let cell = &loaded.unfolding.as_ref().unwrap().cells[0];
    assert_eq!((cell.channels, cell.output, cell.kind()), (8, [24, 4, 4], "reduction"));
    assert!(cell.genes.iter().all(|g| g.neutral));
    assert_eq!(reads(&loaded, "cells.0.fun.conv_1"), ["cells.0.fun.activation"]);
    assert_eq!(reads(&loaded, "cells.0.fun.crop"), ["cells.0.fun.activation"]);
    assert_eq!(node(&loaded, "cells.0.fun.crop").op, Op::Crop([1, 0, 1, 0]));
    assert_eq!(node(&loaded, "cells.0.fun.crop").shape.0, [12, 7, 7]);
    assert_eq!(reads(&loaded, "cells.0.fun.conv_2"), ["cells.0.fun.crop"]);
    let Op::Conv2d { conv, .. } = node(&loaded, "cells.0.fun.conv_2").op else { panic!() };
    assert_eq!((conv.stride, conv.pad, conv.output()), ([2, 2], [1; 4], Some([12, 4, 4])));
    assert_eq!(reads(&loaded, "cells.0.fun.concat"), ["cells.0.fun.conv_1", "cells.0.fun.conv_2"]);
    assert_eq!(reads(&loaded, "global_pooling.0"), ["cells.0.fun.bn"]);
}

/// How inputs reach a cell behind reductions, and what its channels are.
#[test]
fn inputs_by_distance() {
    let of = |reduce_at: &str, arity| {
        let genome = Genome::new("[2, 16, 16]", &cells(&ones(5, arity), reduce_at, "same_step"));
        genome.unfold().unwrap_or_else(|d| panic!("{d}")).cells
    };
    let how = |cell: &snnc_frontend::search::Cell| -> Vec<Preprocess> {
        cell.inputs.iter().map(|i| i.preprocess).collect()
    };
    let from = |cell: &snnc_frontend::search::Cell| -> Vec<Option<usize>> {
        cell.inputs.iter().map(|i| i.cell).collect()
    };
    let cells = of("[1, 3]", 3);
    assert_eq!((how(&cells[0]), from(&cells[0])), (vec![One; 3], vec![None; 3]));
    assert_eq!(how(&cells[2]), [Half, Half, One]);
    assert_eq!(from(&cells[2]), [None, Some(0), Some(1)]);
    assert_eq!(how(&cells[4]), [Half, Half, One]);
    let cells = of("[1, 2]", 3);
    assert_eq!(how(&cells[3]), [Quarter, Half, One]);
    assert_eq!(how(&cells[4]), [Half, One, One]);
    assert_eq!((cells[3].channels, cells[3].output), (16, [32, 4, 4]));
    let cells = of("[1, 3]", 4);
    assert_eq!(how(&cells[4]), [Quarter, Half, Half, One]);
    assert_eq!(from(&cells[4]), [Some(0), Some(1), Some(2), Some(3)]);
}

/// Behind three reductions the released code names an operation that it does not define; a reduction
/// itself reads the newest output only.
#[test]
fn three_reductions() {
    let of = |cells_count, reduce_at: &str| {
        let search = cells(&ones(cells_count, 4), reduce_at, "same_step");
        Genome::new("[2, 16, 16]", &search).unfold()
    };
    assert!(of(4, "[1, 2, 3]").is_ok());
    let found = of(5, "[1, 2, 3]").unwrap_err();
    let first = found.iter().next().unwrap();
    assert_eq!(first.code.to_string(), "SNN0246");
    assert_eq!(first.message, "cell 4 reads an output that three reductions follow");
}

/// The reduction to a quarter has a further convolution without normalization.
#[test]
fn reduction_to_a_quarter() {
    let genome = Genome::new("[2, 16, 16]", &cells(&ones(4, 3), "[1, 2]", "same_step"));
    let loaded = genome.random(3).unwrap_or_else(|d| panic!("{d}"));
    assert_eq!(reads(&loaded, "cells.3.preprocess0.op"), ["cells.3.preprocess0.bn"]);
    assert_eq!(node(&loaded, "cells.3.preprocess0.op").shape.0, [16, 4, 4]);
    assert_eq!(reads(&loaded, "cells.3._ops.0.op.0"), ["cells.3.preprocess0.op"]);
}

/// In the released NeuEvo the population before the convolutions of a cell is commented out; averages
/// never had one.
#[test]
fn edges_of_neuevo_have_no_neurons() {
    let loaded = random(&neuevo("dvsc10_new0", "same_step"));
    assert_eq!(reads(&loaded, "cells.0._ops.0.op.0"), ["cells.0.preprocess1.op.1"]);
    assert_eq!(reads(&loaded, "cells.0._ops.1.pool"), ["cells.0.preprocess0.op.1"]);
    assert_eq!(reads(&loaded, "cells.0._ops.1.clip"), ["cells.0._ops.1.pool"]);
    let Op::AvgPool { window, exclude_pad } = node(&loaded, "cells.0._ops.1.pool").op else {
        panic!()
    };
    assert_eq!((window.kernel, window.stride, window.pad), ([3; 2], [1; 2], [1; 4]));
    assert!(exclude_pad);
    // The reduction has one, and the pooling at the end.
    assert_eq!(loaded.unfolding.unwrap().totals.populations, 2);
}

/// All cells of maps build, with the feedback that the released code can run.
#[test]
fn every_genotype_builds() {
    for genotype in snnc_frontend::library().genotypes {
        let feedback = if genotype.feedback.is_empty() { "none" } else { "same_step" };
        let genome = Genome::new("[2, 8, 8]", &neuevo(&genotype.name, feedback));
        assert_eq!(genome.random(1).is_ok(), !genotype.has_mlp(), "{}", genotype.name);
    }
}

/// All motifs build in networks of cells and reductions.
#[test]
fn every_motif_builds() {
    for motif in snnc_frontend::library().motifs {
        let arity = u32::try_from(motif.arity).unwrap();
        let mut genome: Vec<u32> =
            (0..4).flat_map(|_| genes(motif.id, arity, &[])[..20].to_vec()).collect();
        genome.push(arity);
        for feedback in ["same_step", "delay1"] {
            let genome = Genome::new("[2, 8, 8]", &cells(&genome, "[1]", feedback));
            let loaded = genome.random(1).unwrap_or_else(|d| panic!("{}:\n{d}", motif.name()));
            assert!(loaded.warnings.is_empty(), "{}:\n{}", motif.name(), loaded.warnings);
        }
    }
}

#[test]
fn a_stem_of_two_convolutions() {
    let search = one_cell(&genes(1, 2, &[])).replace(r#""stem": "conv""#, r#""stem": "conv_conv""#);
    let loaded = random(&search);
    assert_eq!(node(&loaded, "stem.0").shape.0, [3, 8, 8]);
    assert_eq!(node(&loaded, "stem.1").shape.0, [12, 8, 8]);
    assert_eq!(reads(&loaded, "stem.2"), ["stem.1"]);
}

/// Modules of EB-NAS: five cells share their sizes; a connection feeds the input of the last cell,
/// which the first cell of the next module reads, too.
#[test]
fn modules_and_connections() {
    // Reductions at cells 1 and 5: module 0 ends at 8 x 8, the last cell of module 1 reads 4 x 4.
    let mut genome = vec![1, 2, 3, 4, 5];
    genome.extend([0; 19]);
    genome.extend([5, 4, 3, 2, 1]);
    genome.extend([1; 19]);
    genome.extend([0, 1, 0, 1]);
    let adapters =
        r#"[{"from": 0, "to": 1, "weight": "glob.0.1.weight", "k": 4, "stride": 2, "pad": 1}]"#;
    let search = format!(
        r#"{{"family": "braincog-eb-nas", "genome": {genome:?}, "modules": 2, "reduce_at": [1, 5],
            "feedback": "same_step", "adapters": {adapters}, {COMMON}}}"#
    );
    let genome = Genome::new("[2, 16, 16]", &search);
    let loaded = genome.random(1).unwrap_or_else(|d| panic!("{d}"));
    let codes: Vec<String> = loaded.warnings.iter().map(|d| d.code.to_string()).collect();
    // It acts in step 0; that of module 1 to itself joins equal sizes.
    assert_eq!(codes, ["SNN0250", "SNN0249"]);
    // A look at the architecture alone says so, too.
    let (_, warnings) = unfold(&genome.path).unwrap();
    assert_eq!(warnings.iter().map(|d| d.code.to_string()).collect::<Vec<_>>(), codes);
    assert_eq!(reads(&loaded, "glob.0.1"), ["cells.4"]);
    assert_eq!(reads(&loaded, "glob.0.1.sum"), ["glob.0.1", "cells.8"]);
    assert_eq!(reads(&loaded, "cells.9.preprocess1.op.0"), ["glob.0.1.sum"]);
    assert_eq!(reads(&loaded, "cells.9.preprocess0.op.0"), ["cells.7"]);
    insta::assert_snapshot!(loaded.unfolding.unwrap());
}

/// A connection back to an earlier module reads the previous step, and the cell after the last of
/// the module reads the sum, too.
#[test]
fn connections_back() {
    let mut genome = Vec::new();
    for _ in 0..2 {
        genome.extend([1, 2, 3, 4, 5]);
        genome.extend([0; 19]);
    }
    genome.extend([1, 0, 0, 0]);
    let adapters = r#"[{"from": 0, "to": 0, "weight": "w", "k": 3, "stride": 1, "pad": 1}]"#;
    let search = format!(
        r#"{{"family": "braincog-eb-nas", "genome": {genome:?}, "modules": 2, "reduce_at": [],
            "feedback": "same_step", "adapters": {adapters}, {COMMON}}}"#
    );
    let loaded = random(&search);
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    assert_eq!(reads(&loaded, "glob.0.0"), ["cells.4@1"]);
    assert_eq!(reads(&loaded, "cells.4.preprocess1.op.0"), ["glob.0.0.sum"]);
    assert_eq!(reads(&loaded, "cells.5.preprocess0.op.0"), ["glob.0.0.sum"]);
    assert_eq!(reads(&loaded, "cells.5.preprocess1.op.0"), ["cells.4"]);
}

/// An own motif and an own genotype, without the library.
#[test]
fn own_templates() {
    let motifs = r#""motifs": {"9/2": {"arity": 2, "concat": [3, 2], "nodes": [
        {"id": 2, "in": [["+", 0], ["-", 1]]}, {"id": 3, "in": [["id", 2], ["zero", 0]]}],
        "feedback": [{"after": 3, "to": 0, "op": "-"}]}},"#;
    let search = one_cell(&genes(9, 2, &[(5, 3)])).replace(r#", "library": 1"#, "");
    let genome = Genome::of_text(&text("[2, 8, 8]", motifs, &search));
    let loaded = genome.random(1).unwrap_or_else(|d| panic!("{d}"));
    assert_eq!(reads(&loaded, "cells.0.state.3"), ["cells.0.state.2"]);
    assert_eq!(reads(&loaded, "cells.0"), ["cells.0.state.3", "cells.0.state.2"]);
    assert_eq!(node(&loaded, "cells.0._ops_back.0.clip").op, Op::Relay(Some(Keep::Negative)));
    assert_eq!(reads(&loaded, "cells.0.state.0.v1")[0], "cells.0.preprocess0.op.2");
    let genotypes = r#""genotypes": {"mine": {"concat": [2, 3], "normal": [
        ["conv_5x5_n", 0], ["skip_connect_p", 1], ["avg_pool_3x3", 2], ["conv_3x3", 0],
        ["skip_connect_back", 2]]}},"#;
    let search = neuevo("mine", "same_step").replace(r#", "library": 1"#, "");
    let genome = Genome::of_text(&text("[2, 8, 8]", genotypes, &search));
    let loaded = genome.random(1).unwrap_or_else(|d| panic!("{d}"));
    assert_eq!(reads(&loaded, "cells.0.state.2"), ["cells.0._ops.0.clip", "cells.0._ops.1.clip"]);
    assert_eq!(reads(&loaded, "cells.0.state.3"), ["cells.0._ops.2.pool", "cells.0._ops.3.op.1"]);
    assert_eq!(reads(&loaded, "cells.0.state.2.v1"), ["cells.0.state.2", "cells.0.state.3"]);
}

/// A shipped motif written out agrees with the library.
#[test]
fn the_library_may_be_written_out() {
    let motifs = r#""motifs": {"3/4": {"arity": 4, "concat": [4, 5, 6], "unused": 1, "nodes": [
        {"id": 4, "in": [["+", 0], ["+", 1], ["+", 2], ["+", 3]]},
        {"id": 5, "in": [["zero", 0], ["zero", 2], ["zero", 1], ["zero", 3]]},
        {"id": 6, "in": [["+", 4], ["zero", 0], ["+", 4], ["zero", 1]]}],
        "feedback": [{"after": 5, "to": 4, "op": "-"}, {"after": 6, "to": 4, "op": "zero"}]}},"#;
    let search = one_cell(&genes(3, 4, &[]));
    let genome = Genome::of_text(&text("[2, 8, 8]", motifs, &search));
    genome.unfold().unwrap_or_else(|d| panic!("{d}"));
}

#[test]
fn random_weights_depend_on_seed_name_and_shape_only() {
    let search = one_cell(&genes(4, 3, &[]));
    let [first, again] = [0, 1].map(|_| random(&search));
    assert_eq!(first.network, again.network);
    assert_eq!(first.hash, again.hash);
    let other = Genome::new("[2, 8, 8]", &search).random(2).unwrap();
    assert_ne!(first.hash, other.hash);
    let values = |loaded: &Loaded, name: &str| -> Vec<f32> {
        let mut tensors = loaded.network.tensors.values();
        tensors.find(|t| t.name == name).unwrap_or_else(|| panic!("{name}")).data.clone()
    };
    let weight = "cells.0._ops.0.op.1.weight";
    assert_ne!(values(&first, weight), values(&other, weight));
    assert_ne!(values(&first, weight), values(&first, "cells.0._ops.1.op.1.weight"));
    // In a network of two cells the first cell's weights are the same.
    let genome = [&genes(4, 3, &[])[..20], &genes(4, 3, &[])[..]].concat();
    let longer = random(&cells(&genome, "[]", "same_step"));
    assert_eq!(values(&first, weight), values(&longer, weight));
    // Uniform up to sqrt(6 / 36), around 0.
    let weights = values(&first, weight);
    let bound = (6.0_f32 / 36.0).sqrt();
    let largest = weights.iter().fold(0.0_f32, |m, w| m.max(w.abs()));
    assert!(largest <= bound && largest > 0.9 * bound, "{largest}");
    #[expect(clippy::cast_precision_loss, reason = "a mean of few values")]
    let mean = weights.iter().sum::<f32>() / weights.len() as f32;
    assert!(mean.abs() < 0.2 * bound, "{mean}");
    let variances = values(&first, "stem.1.running_var");
    assert!(variances.iter().all(|v| (0.5..1.5).contains(v)), "{variances:?}");
    // Pinned: the same on every machine.
    assert_eq!(weights[..4], [-0.144_128, -0.008_744_506, 0.100_091_78, 0.169_044_4]);
}

/// With all nodes written out a genome reads back to the same network.
#[test]
fn resolved_genomes_read_back() {
    for path in crate::braincog::genomes() {
        let original = read_genome(&path).unwrap();
        let (text, _) = resolved(&path).unwrap_or_else(|d| panic!("{}:\n{d}", path.display()));
        assert_eq!(text, resolved(&path).unwrap().0);
        let folder = path.parent().unwrap();
        let again = snnc_frontend::read_genome_bytes(text.as_bytes(), folder, "resolved");
        let again = again.unwrap_or_else(|d| panic!("{}:\n{d}", path.display()));
        assert!(again.warnings.is_empty(), "{}:\n{}", path.display(), again.warnings);
        assert_eq!(again.network, original.network, "{}", path.display());
        assert_eq!(again.account, original.account);
        assert!(again.unfolding.is_none());
    }
}

/// The same for genomes whose nodes already stand in the file, genes included.
#[test]
fn resolved_genes_read_back() {
    let [documented, _] = crate::examples::documented();
    for text in [crate::cases::BASE.to_owned(), documented] {
        let genome = Genome::of_text(&text);
        let original = read_genome(&genome.path).unwrap();
        let again = Genome::of_text(&resolved(&genome.path).unwrap().0);
        assert_eq!(read_genome(&again.path).unwrap().network, original.network);
    }
}

#[test]
fn a_resolved_genome() {
    let genome = Genome::new("[2, 4, 4]", &one_cell(&genes(5, 2, &[])));
    insta::assert_snapshot!(resolved(&genome.path).unwrap_or_else(|d| panic!("{d}")).0);
}

/// The hash of a genome with random weights is not that of the file alone.
#[test]
fn architecture_genomes_need_random_weights() {
    let genome = Genome::new("[2, 8, 8]", &one_cell(&genes(1, 2, &[])));
    let refused = read_genome(&genome.path).unwrap_err();
    assert_eq!(refused.iter().next().unwrap().code.to_string(), "SNN0248");
    let tensors = r#""tensors": {"inline": {}, "names": "braincog-state-dict"},"#;
    let text = text("[2, 8, 8]", tensors, &one_cell(&genes(1, 2, &[])));
    let both = Genome::of_text(&text).random(1).unwrap_err();
    assert_eq!(both.iter().next().unwrap().code.to_string(), "SNN0248");
    let gee = Genome::of_text(crate::cases::BASE);
    assert_eq!(gee.random(1).unwrap_err().iter().next().unwrap().code.to_string(), "SNN0248");
    assert_eq!(gee.unfold().unwrap_err().iter().next().unwrap().code.to_string(), "SNN0251");
    drop(genome.folder);
}
