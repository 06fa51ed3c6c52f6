//! Programs and artifacts.

use super::super::compile::netx_line;
use super::super::table::Table;
use crate::artifact::manifest::{CoreEntry, HostEntry, Manifest, PopulationEntry};
use crate::describe::{self, shape_text};
use serde::Serialize;
use snnc_ir::program::Program;
use std::fmt::Write as _;

/// An emitted program.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct ProgramReport {
    network: String,
    target: String,
    steps: u32,
    period: u32,
    run_steps: u64,
    populations: Vec<PopulationEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    host: Vec<HostEntry>,
    cores: Vec<ProgramCoreEntry>,
}

#[derive(Debug, Serialize)]
struct ProgramCoreEntry {
    chip: u32,
    cell: u32,
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
pub(in crate::cli) struct ArtifactReport {
    manifest: Manifest,
}

/// Symbols and tables of a program.
pub(super) fn program(program: &Program) -> (String, ProgramReport) {
    let populations = describe::populations(program, None);
    let cores: Vec<_> = program
        .cores
        .iter()
        .map(|c| ProgramCoreEntry {
            chip: c.chip,
            cell: c.cell,
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
    let host = describe::host(program);
    text.push_str(&host_table(&host));
    let headings = [
        "core",
        "chip",
        "cell",
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
            c.cell.to_string(),
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
        host,
        cores,
    };
    (text, report)
}

fn population_table(populations: &[PopulationEntry]) -> String {
    let mut table = Table::new(&["population", "role", "shape", "latency"]);
    for p in populations {
        let role = match &p.messages {
            Some(messages) => format!("{} ({messages})", p.role),
            None => p.role.clone(),
        };
        table.row([p.name.clone(), role, shape_text(&p.shape), p.latency.to_string()]);
    }
    table.render(2)
}

/// What the host computes before a run; empty if it has nothing to do.
pub(super) fn host_table(host: &[HostEntry]) -> String {
    if host.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["host map from", "to the biases of", "weights", "scale"]);
    for map in host {
        let cells =
            [map.input.clone(), map.target.clone(), map.weights.to_string(), map.scale.to_string()];
        table.row(cells);
    }
    table.render(2)
}

/// What the manifest of an artifact says.
pub(super) fn artifact(manifest: Manifest) -> (String, ArtifactReport) {
    (manifest_text(&manifest), ArtifactReport { manifest })
}

fn manifest_text(manifest: &Manifest) -> String {
    let time = manifest.time;
    let weights = manifest.source.weights.as_ref().map(|w| format!(", weights {w}"));
    let weights = weights.unwrap_or_default();
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "artifact `{}` for {}, written by snnc {}\nsource {} {}{}\npipeline {}\n{} logical steps in \
         {} hardware steps (period {})",
        manifest.network,
        manifest.target.name,
        manifest.snnc,
        manifest.source.kind,
        manifest.source.blake3,
        weights,
        manifest.pipeline,
        time.steps,
        time.run_steps,
        time.period
    );
    text.push_str(&population_table(&manifest.populations));
    text.push_str(&host_table(&manifest.host));
    let mut table = Table::new(&["core", "chip", "cell", "resource", "used", "limit"]);
    for (i, core) in manifest.cores.iter().enumerate() {
        core_rows(&mut table, i, core, manifest);
    }
    text.push_str(&table.render(2));
    let _ = writeln!(text, "{}", manifest.mapping.cores_text());
    text.push_str(&manifest.mapping.text());
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
            first(core.cell.to_string()),
            name.to_owned(),
            used.to_string(),
            limit.to_string(),
        ]);
    }
}
