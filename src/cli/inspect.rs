//! `snnc inspect`: what a file or an artifact holds.

use super::compile::netx_line;
use super::convert::is_program;
use super::output::Reply;
use super::table::Table;
use crate::artifact::manifest::{CoreEntry, Manifest, PopulationEntry, QuantizationEntry};
use crate::artifact::{Artifact, load};
use crate::describe::{self, shape_text};
use crate::files::{self, shown};
use crate::source::{self, FileKind, Source};
use clap::Args;
use serde::Serialize;
use snnc_backends::program;
use snnc_ir::network::Op;
use snnc_ir::program::{Program, SymbolRole};
use snnc_ir::quantized::{Role, Time};
use snnc_ir::{Diagnostics, Network, QuantizedDraft};
use snnc_passes::AnyLevel;
use std::fmt::Write as _;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// Genome, .snn, .snnb, program.snnb, or the folder of an artifact.
    path: PathBuf,
}

/// Report of `snnc inspect`.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum InspectReport {
    /// A genome or a network.
    Network(NetworkReport),
    /// An integer network.
    Quantized(QuantizedReport),
    /// An integer network on cores.
    Mapped(MappedReport),
    /// An emitted program.
    Program(ProgramReport),
    /// An artifact.
    Artifact(Box<ArtifactReport>),
}

/// A genome or a network.
#[derive(Debug, Serialize)]
pub(super) struct NetworkReport {
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
pub(super) struct QuantizedReport {
    network: String,
    blake3: String,
    time: &'static str,
    steps: u32,
    run_steps: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<u32>,
    populations: Vec<IntegerEntry>,
    projections: usize,
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
}

/// An integer network on cores.
#[derive(Debug, Serialize)]
pub(super) struct MappedReport {
    target: String,
    cores: Vec<MappedCore>,
    #[serde(flatten)]
    network: QuantizedReport,
}

#[derive(Debug, Serialize)]
struct MappedCore {
    chip: u32,
    compartments: usize,
    input_axons: usize,
    blocks: usize,
}

/// An emitted program.
#[derive(Debug, Serialize)]
pub(super) struct ProgramReport {
    network: String,
    target: String,
    steps: u32,
    period: u32,
    run_steps: u64,
    populations: Vec<PopulationEntry>,
    cores: Vec<ProgramCoreEntry>,
}

#[derive(Debug, Serialize)]
struct ProgramCoreEntry {
    chip: u32,
    compartments: u64,
    axons: u32,
    blocks: usize,
    routes: usize,
    profiles: usize,
    thresholds: usize,
    formats: usize,
}

/// An artifact whose hashes hold.
#[derive(Debug, Serialize)]
pub(super) struct ArtifactReport {
    manifest: Manifest,
}

pub(super) fn run(args: &InspectArgs) -> Result<Reply<InspectReport>, Diagnostics> {
    if load::is_artifact(&args.path) {
        let artifact = Artifact::load(&args.path)?;
        let product = manifest_text(&artifact.manifest).into_bytes();
        let report =
            InspectReport::Artifact(Box::new(ArtifactReport { manifest: artifact.manifest }));
        return Ok(Reply { product, diagnostics: artifact.warnings, ..Reply::new(report) });
    }
    if FileKind::of(&args.path)? == FileKind::Binary {
        let bytes = files::read(&args.path, files::MAX_BINARY)?;
        if is_program(&bytes) {
            let program = program::read(&bytes).map_err(|d| d.in_file(&shown(&args.path)))?;
            let (text, report) = inspect_program(&program);
            let report = InspectReport::Program(report);
            return Ok(Reply { product: text.into_bytes(), ..Reply::new(report) });
        }
    }
    let source = source::read(&args.path)?;
    let (text, report) = match &source.level {
        AnyLevel::Network(network) => inspect_network(network, &source),
        AnyLevel::Quantized(network) => {
            let (text, report) = inspect_quantized(network, &source.hash);
            (text, InspectReport::Quantized(report))
        }
        AnyLevel::Mapped(mapped) => {
            let (text, network) = inspect_quantized(&mapped.network, &source.hash);
            let cores: Vec<_> = mapped
                .cores
                .values()
                .map(|c| MappedCore {
                    chip: c.chip,
                    compartments: c.compartments(),
                    input_axons: c.input_axons(),
                    blocks: c.blocks.len(),
                })
                .collect();
            let mut table = Table::new(&["core", "chip", "compartments", "input axons", "blocks"]);
            for (i, c) in cores.iter().enumerate() {
                let numbers = [i, c.chip as usize, c.compartments, c.input_axons, c.blocks];
                table.row(numbers.map(|n| n.to_string()));
            }
            let text = format!("{text}\ntarget {}\n{}", mapped.target, table.render(2));
            let target = mapped.target.clone();
            (text, InspectReport::Mapped(MappedReport { target, cores, network }))
        }
    };
    Ok(Reply { product: text.into_bytes(), diagnostics: source.warnings, ..Reply::new(report) })
}

fn inspect_network(network: &Network, source: &Source) -> (String, InspectReport) {
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
    let parameters = network.tensors.values().map(|t| t.data.len()).sum();
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
    (text, InspectReport::Network(report))
}

fn inspect_quantized(network: &QuantizedDraft, hash: &str) -> (String, QuantizedReport) {
    let populations: Vec<IntegerEntry> = network
        .populations
        .iter()
        .map(|(id, p)| IntegerEntry {
            name: p.name.clone(),
            role: match (p.role, p.neuron()) {
                (Role::Relay { .. }, _) => "relay",
                (Role::Clock, _) => "clock",
                (Role::Logical, None) => "input",
                (Role::Logical, Some(_)) => "neurons",
            },
            shape: p.shape.0.clone(),
            latency: describe::latency(network, id),
            ranges: describe::quantization(network, id),
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
        let span = |f: fn(&QuantizationEntry) -> [i32; 2]| {
            p.ranges.as_ref().map(f).map_or_else(|| "-".to_owned(), |[a, b]| format!("{a}..={b}"))
        };
        table.row([
            p.name.clone(),
            p.role.to_owned(),
            shape_text(&p.shape),
            p.latency.to_string(),
            span(|r| r.weight),
            span(|r| r.threshold),
            span(|r| r.bias),
        ]);
    }
    text.push_str(&table.render(2));
    let report = QuantizedReport {
        network: network.name.clone(),
        blake3: hash.to_owned(),
        time,
        steps: network.steps,
        run_steps: network.run_steps(),
        period,
        populations,
        projections: network.projections.len(),
        matrices: network.matrices.len(),
        stored,
    };
    (text, report)
}

fn inspect_program(program: &Program) -> (String, ProgramReport) {
    let populations: Vec<_> = program
        .populations
        .iter()
        .map(|s| PopulationEntry {
            name: s.name.clone(),
            shape: s.shape.0.clone(),
            role: match s.role {
                SymbolRole::Input(_) => "input",
                SymbolRole::Neurons => "neurons",
                SymbolRole::Relay { .. } => "relay",
                SymbolRole::Clock => "clock",
            }
            .to_owned(),
            of: None,
            latency: s.latency,
            quantization: None,
        })
        .collect();
    let cores: Vec<_> = program
        .cores
        .iter()
        .map(|c| ProgramCoreEntry {
            chip: c.chip,
            compartments: c.compartments.iter().map(|r| u64::from(r.len)).sum(),
            axons: c.axons,
            blocks: c.synapses.len(),
            routes: c.routes.len(),
            profiles: c.profiles.len(),
            thresholds: c.thresholds.len(),
            formats: c.formats.len(),
        })
        .collect();
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "program `{}` for {}: {} cores, {} logical steps in {} hardware steps (period {})",
        program.name,
        program.target,
        cores.len(),
        program.steps,
        program.run_steps,
        program.period
    );
    text.push_str(&population_table(&populations));
    let headings = [
        "core",
        "chip",
        "compartments",
        "axons",
        "blocks",
        "routes",
        "profiles",
        "thresholds",
        "formats",
    ];
    let mut table = Table::new(&headings);
    for (i, c) in cores.iter().enumerate() {
        table.row([
            i.to_string(),
            c.chip.to_string(),
            c.compartments.to_string(),
            c.axons.to_string(),
            c.blocks.to_string(),
            c.routes.to_string(),
            c.profiles.to_string(),
            c.thresholds.to_string(),
            c.formats.to_string(),
        ]);
    }
    text.push_str(&table.render(2));
    let report = ProgramReport {
        network: program.name.clone(),
        target: program.target.clone(),
        steps: program.steps,
        period: program.period,
        run_steps: program.run_steps,
        populations,
        cores,
    };
    (text, report)
}

fn population_table(populations: &[PopulationEntry]) -> String {
    let mut table = Table::new(&["population", "role", "shape", "latency"]);
    for p in populations {
        table.row([p.name.clone(), p.role.clone(), shape_text(&p.shape), p.latency.to_string()]);
    }
    table.render(2)
}

fn manifest_text(manifest: &Manifest) -> String {
    let time = manifest.time;
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "artifact `{}` for {}, written by snnc {}\nsource {} {}\npipeline {}\n{} logical steps in \
         {} hardware steps (period {})",
        manifest.network,
        manifest.target.name,
        manifest.snnc,
        manifest.source.kind,
        manifest.source.blake3,
        manifest.pipeline,
        time.steps,
        time.run_steps,
        time.period
    );
    text.push_str(&population_table(&manifest.populations));
    let mut table = Table::new(&["core", "chip", "resource", "used", "limit"]);
    for (i, core) in manifest.cores.iter().enumerate() {
        core_rows(&mut table, i, core, manifest);
    }
    text.push_str(&table.render(2));
    let mut table = Table::new(&["file", "bytes", "blake3"]);
    for file in &manifest.files {
        table.row([file.name.clone(), file.bytes.to_string(), file.blake3.clone()]);
    }
    text.push_str(&table.render(2));
    if let Some(netx) = &manifest.netx {
        text.push_str(&netx_line(netx));
    }
    text
}

fn core_rows(table: &mut Table, number: usize, core: &CoreEntry, manifest: &Manifest) {
    for (i, (name, used, limit)) in core.used.against(&manifest.limits).into_iter().enumerate() {
        let first = |text: String| if i == 0 { text } else { String::new() };
        table.row([
            first(number.to_string()),
            first(core.chip.to_string()),
            name.to_owned(),
            used.to_string(),
            limit.to_string(),
        ]);
    }
}
