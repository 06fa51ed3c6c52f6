//! Networks of the three levels.

use super::super::table::Table;
use super::program::host_table;
use crate::artifact::manifest::{HostEntry, QuantizationEntry};
use crate::describe::{self, shape_text};
use crate::source::Source;
use serde::Serialize;
use snnc_frontend::tennlab::Placed;
use snnc_ir::network::Op;
use snnc_ir::quantized::{HostBias, PopKind, Role, Time};
use snnc_ir::{MappedDraft, Network, QuantizedDraft};
use std::fmt::Write as _;

/// A genome or a network.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct NetworkReport {
    network: String,
    blake3: String,
    steps: u32,
    nodes: Vec<NodeEntry>,
    /// Parameters stored in tensors, each tensor once.
    parameters: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    genome: Option<GeneEntry>,
}

#[derive(Debug, Serialize)]
struct NodeEntry {
    name: String,
    op: &'static str,
    shape: Vec<u32>,
    inputs: Vec<ReadEntry>,
}

#[derive(Debug, Serialize)]
struct ReadEntry {
    node: String,
    delay: u32,
}

/// Stored genes and decoded weights.
#[derive(Debug, Serialize)]
struct GeneEntry {
    /// Numbers that the genome stores.
    stored: usize,
    /// Numbers that the network has.
    decoded: usize,
}

/// An integer network.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct QuantizedReport {
    network: String,
    blake3: String,
    time: &'static str,
    steps: u32,
    run_steps: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<u32>,
    populations: Vec<IntegerEntry>,
    projections: usize,
    /// Currents that the host computes from directly coded inputs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    host: Vec<HostEntry>,
    matrices: usize,
    /// Mantissas stored, each matrix once.
    stored: usize,
}

#[derive(Debug, Serialize)]
struct IntegerEntry {
    name: String,
    role: &'static str,
    shape: Vec<u32>,
    latency: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    ranges: Option<QuantizationEntry>,
    /// Node of the file for each neuron, in a TENNLab network.
    #[serde(skip_serializing_if = "Option::is_none")]
    nodes: Option<Vec<u32>>,
}

/// An integer network on cores.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct MappedReport {
    target: String,
    cores: Vec<MappedCore>,
    #[serde(flatten)]
    network: QuantizedReport,
}

#[derive(Debug, Serialize)]
struct MappedCore {
    chip: u32,
    cell: u32,
    compartments: usize,
    input_axons: usize,
    blocks: usize,
}

/// Nodes and parameters of a network, with the gene account of a genome.
pub(super) fn network(network: &Network, source: &Source) -> (String, NetworkReport) {
    let nodes: Vec<NodeEntry> = network
        .nodes
        .values()
        .map(|node| NodeEntry {
            name: node.name.clone(),
            op: node.op.name(),
            shape: node.shape.0.clone(),
            inputs: node
                .inputs
                .iter()
                .map(|e| ReadEntry { node: network.nodes[e.source].name.clone(), delay: e.delay })
                .collect(),
        })
        .collect();
    let parameters = network.parameters();
    let genome = source.account.as_ref().map(|account| GeneEntry {
        stored: account.stored_parameters(),
        decoded: account.network_parameters(),
    });
    let neurons: usize = network
        .nodes
        .values()
        .filter(|n| matches!(n.op, Op::Neuron(_)))
        .map(|n| n.shape.size())
        .sum();
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{} `{}`: {} nodes, {neurons} neurons, {parameters} parameters, {} steps",
        source.kind_name(),
        network.name,
        nodes.len(),
        network.steps
    );
    if let Some(g) = &genome {
        let _ = writeln!(text, "{} stored parameters decode to {}", g.stored, g.decoded);
    }
    let mut table = Table::new(&["node", "op", "shape", "reads"]);
    for node in &nodes {
        let reads: Vec<String> = node
            .inputs
            .iter()
            .map(|r| match r.delay {
                0 => r.node.clone(),
                delay => format!("{}@{delay}", r.node),
            })
            .collect();
        let cells =
            [node.name.clone(), node.op.to_owned(), shape_text(&node.shape), reads.join(", ")];
        table.row(cells);
    }
    text.push_str(&table.render(2));
    let report = NetworkReport {
        network: network.name.clone(),
        blake3: source.hash.clone(),
        steps: network.steps,
        nodes,
        parameters,
        genome,
    };
    (text, report)
}

/// Nodes of the file in the order of a population's neurons; `None` if it has none, as inputs do.
fn nodes_of(places: &[Placed], population: &str) -> Option<Vec<u32>> {
    let mut found: Vec<&Placed> =
        places.iter().filter(|place| place.population == population).collect();
    found.sort_unstable_by_key(|place| place.neuron);
    (!found.is_empty()).then(|| found.iter().map(|place| place.id).collect())
}

/// Populations and ranges of an integer network, and which nodes they are if it is a TENNLab network.
pub(super) fn quantized(
    network: &QuantizedDraft,
    hash: &str,
    places: Option<&[Placed]>,
) -> (String, QuantizedReport) {
    let populations: Vec<IntegerEntry> = network
        .populations
        .iter()
        .map(|(id, p)| IntegerEntry {
            name: p.name.clone(),
            role: match (p.role, &p.kind) {
                (Role::Relay { .. }, _) => "relay",
                (Role::Clock, _) => "clock",
                (Role::Logical, PopKind::Input(_)) => "input",
                (Role::Logical, PopKind::Neurons(_)) => "neurons",
                (Role::Logical, PopKind::Graded(_)) => "graded",
            },
            shape: p.shape.0.clone(),
            latency: describe::latency(network, id),
            ranges: describe::quantization(network, id),
            nodes: places.and_then(|places| nodes_of(places, &p.name)),
        })
        .collect();
    let (time, period) = match &network.time {
        Time::Logical => ("logical", None),
        Time::Hardware(s) => ("hardware", Some(s.period)),
    };
    let stored = network.matrices.values().map(|m| m.mantissa.len()).sum();
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "integer network `{}` in {time} time: {} populations, {} projections, {stored} stored \
         weights in {} matrices, {} steps",
        network.name,
        populations.len(),
        network.projections.len(),
        network.matrices.len(),
        network.run_steps()
    );
    let headings = ["population", "role", "shape", "latency", "weights", "thresholds", "biases"];
    let mut table = Table::new(&headings);
    for p in &populations {
        let span = |f: fn(&QuantizationEntry) -> Option<[i32; 2]>| {
            let range = p.ranges.as_ref().and_then(f);
            range.map_or_else(|| "-".to_owned(), |[a, b]| format!("{a}..={b}"))
        };
        table.row([
            p.name.clone(),
            p.role.to_owned(),
            shape_text(&p.shape),
            p.latency.to_string(),
            span(|r| Some(r.weight)),
            span(|r| r.threshold),
            span(|r| Some(r.bias)),
        ]);
    }
    text.push_str(&table.render(2));
    for (p, nodes) in populations.iter().filter_map(|p| p.nodes.as_ref().map(|nodes| (p, nodes))) {
        let nodes: Vec<String> = nodes.iter().map(u32::to_string).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "neurons of `{}` are nodes {}", p.name, nodes.join(", "));
    }
    let host: Vec<HostEntry> = network.host.iter().map(|h| host_entry(network, h)).collect();
    text.push_str(&host_table(&host));
    let report = QuantizedReport {
        network: network.name.clone(),
        blake3: hash.to_owned(),
        time,
        steps: network.steps,
        run_steps: network.run_steps(),
        period,
        populations,
        projections: network.projections.len(),
        host,
        matrices: network.matrices.len(),
        stored,
    };
    (text, report)
}

fn host_entry(network: &QuantizedDraft, host: &HostBias) -> HostEntry {
    let name = |id| network.populations[id].name.clone();
    HostEntry {
        input: name(host.input),
        target: name(host.target),
        scale: host.scale,
        weights: host.weights.len(),
    }
}

/// As [`quantized`], with the cores.
pub(super) fn mapped(mapped: &MappedDraft, hash: &str) -> (String, MappedReport) {
    let (text, network) = quantized(&mapped.network, hash, None);
    let cores: Vec<_> = mapped
        .cores
        .values()
        .map(|c| MappedCore {
            chip: c.chip,
            cell: c.cell,
            compartments: c.compartments(),
            input_axons: c.input_axons(),
            blocks: c.blocks.len(),
        })
        .collect();
    let mut table = Table::new(&["core", "chip", "cell", "compartments", "input axons", "blocks"]);
    for (i, c) in cores.iter().enumerate() {
        let numbers =
            [i, c.chip as usize, c.cell as usize, c.compartments, c.input_axons, c.blocks];
        table.row(numbers.map(|n| n.to_string()));
    }
    let text = format!("{text}\ntarget {}\n{}", mapped.target, table.render(2));
    (text, MappedReport { target: mapped.target.clone(), cores, network })
}
