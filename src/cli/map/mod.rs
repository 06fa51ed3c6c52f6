//! `snnc map`: where a network goes, and how far from the best that is.
//!
//! Three kinds of networks: sources like those of `snnc compile`, mapped for good; layer files, which have shapes and no weights;
//! and hypergraphs, by which mappers are compared. The last two see neurons, source axons and traffic.

mod graph;
mod hypergraph;
mod layers;
mod network;
mod picture;

use super::GivenArgs;
use super::lowering::LoweringArgs;
use super::output::Reply;
use super::profile::ProfileArgs;
use super::search::SearchArgs;
use crate::artifact::mapping::{EstimateEntry, ProfileEntry, TrafficEntry};
use crate::source;
use crate::target::Target;
use clap::Args;
use serde::Serialize;
use snnc_ir::{Diagnostics, TargetSpec};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct MapArgs {
    #[command(flatten)]
    what: WhatArgs,
    #[command(flatten)]
    given: GivenArgs,
    #[command(flatten)]
    lowering: LoweringArgs,
    /// Target, built in or a file.
    #[arg(long, short, visible_alias = "preset", value_name = "NAME|FILE")]
    target: String,
    #[command(flatten)]
    search: SearchArgs,
    #[command(flatten)]
    profile: ProfileArgs,
    /// Spikes per neuron, for layer files: an array of this archive, the only one or the one named like the network.
    #[arg(long, value_name = "FILE.npz", requires = "layers")]
    rates: Option<PathBuf>,
    /// Draw the cores on the mesh, with their loads and messages, to this file. Not for mappings in closed form.
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<PathBuf>,
    /// Write the core of each vertex to this file, one line each, `-` for none. Of layer files, of each neuron: layer by layer, row by
    /// row, channels last.
    #[arg(long, short, value_name = "FILE", conflicts_with = "source")]
    output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct WhatArgs {
    /// Genome (.json), text form (.snn) or binary form (.snnb) of a network.
    source: Option<PathBuf>,
    /// A hypergraph in hMETIS' format: an edge for each axon, its source first, weighted with 100 times its rate.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["lowering", "weights", "profile"])]
    hgr: Option<PathBuf>,
    /// A layered network by its shapes (.toml).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["lowering", "weights", "profile"])]
    layers: Option<PathBuf>,
}

/// Report of `snnc map`.
#[derive(Debug, Serialize)]
pub(super) struct MapReport {
    /// Name of the network, or of the file.
    network: String,
    /// Name of the target.
    target: String,
    /// Neurons on cores.
    neurons: u64,
    /// Cores in use.
    cores: u64,
    /// No mapping takes fewer.
    lower_bound: u64,
    /// What makes them so many.
    bound_by: String,
    /// What the messages between cores come to; absent for mappings in closed form.
    #[serde(skip_serializing_if = "Option::is_none")]
    traffic: Option<TrafficEntry>,
    /// Spikes per neuron and step, where they are assumed; of sources.
    #[serde(skip_serializing_if = "Option::is_none")]
    assumed_rate: Option<f64>,
    /// On what rates were measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<ProfileEntry>,
    /// What a step takes; of sources.
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<EstimateEntry>,
    /// Why there is no estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    no_estimate: Option<String>,
    /// All but the cores, for people.
    #[serde(skip)]
    said: String,
}

impl MapReport {
    /// The report of a mapping that is known by its shape alone.
    fn of_shape(
        (network, neurons): (String, u64),
        target: &TargetSpec,
        (cores, lower_bound, bound_by): (u64, u64, &str),
        traffic: Option<TrafficEntry>,
    ) -> Self {
        Self {
            network,
            target: target.name.clone(),
            neurons,
            cores,
            lower_bound,
            bound_by: bound_by.to_owned(),
            said: traffic.as_ref().map_or_else(String::new, TrafficEntry::text),
            traffic,
            assumed_rate: None,
            profile: None,
            estimate: None,
            no_estimate: None,
        }
    }
}

pub(super) fn run(args: &MapArgs) -> Result<Reply<MapReport>, Diagnostics> {
    let target = Target::find(&args.target)?;
    let mut diagnostics = Diagnostics::new();
    let report = if let Some(path) = &args.what.hgr {
        hypergraph::map(path, args, &target.spec)?
    } else if let Some(path) = &args.what.layers {
        layers::map(path, args, &target.spec)?
    } else {
        let path = args.what.source.clone().unwrap_or_default();
        let source = source::read_with(&path, args.given.all())?;
        diagnostics.extend(source.warnings.clone());
        match network::map(&source, args, &target, &mut diagnostics) {
            Ok(report) => report,
            Err(failed) => {
                diagnostics.extend(failed);
                return Err(diagnostics);
            }
        }
    };
    Ok(Reply { product: text(&report).into_bytes(), diagnostics, ..Reply::new(report) })
}

fn text(report: &MapReport) -> String {
    let MapReport { network, target, neurons, cores, lower_bound, bound_by, said, .. } = report;
    format!(
        "{network} on {target}: {neurons} neurons, cores {cores} (lower bound {lower_bound}: {bound_by})\n{said}"
    )
}
