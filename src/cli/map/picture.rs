//! Cores on the mesh as a picture.

use super::MapReport;
use crate::describe;
use crate::files;
use crate::picture::{self, Drawing, float};
use snnc_ir::{Diagnostic, MappedNetwork, TargetSpec};
use snnc_mapping::hypergraph::Hypergraph;
use snnc_mapping::partition::{Limits, Partition};
use snnc_mapping::picture::Resource;
use snnc_mapping::place::{Mesh, Placement, Traffic};
use snnc_passes::rates::Rates;
use std::path::Path;

/// Draws a placed hypergraph.
pub(super) fn hypergraph(
    file: &Path,
    report: &MapReport,
    (graph, partition, limits): (&Hypergraph, &Partition, &Limits),
    board: (&Mesh, &Traffic, &Placement),
) -> Result<(), Diagnostic> {
    let usage = graph.usage(partition);
    let names: Vec<String> =
        usage.iter().map(|u| format!("{} neurons, {} input axons", u.neurons, u.inputs)).collect();
    let resource = |name: &str, limit: u64, used: Vec<f64>| Resource {
        name: name.to_owned(),
        limit: float(limit),
        used,
    };
    let resources = [
        resource("neurons", limits.neurons, usage.iter().map(|u| float(u.neurons)).collect()),
        resource("input axons", limits.inputs, usage.iter().map(|u| float(u.inputs)).collect()),
    ];
    let (title, facts) = heading(report);
    let drawing =
        Drawing { title: &title, facts: &facts, board, names: &names, resources: &resources };
    files::write(file, drawing.svg().as_bytes())
}

/// Draws a mapped network.
pub(super) fn network(
    file: &Path,
    report: &MapReport,
    mapped: &MappedNetwork,
    target: &TargetSpec,
    rates: &Rates,
) -> Result<(), Diagnostic> {
    let (title, facts) = heading(report);
    let (cores, limits) = (describe::cores(mapped, target), describe::limits(target));
    let heading = (title.as_str(), facts.as_slice());
    let svg = picture::network(heading, mapped, (&cores, &limits), target, rates);
    files::write(file, svg.as_bytes())
}

/// Title and facts.
fn heading(report: &MapReport) -> (String, Vec<String>) {
    let title = format!("{} on {}", report.network, report.target);
    let cores = format!("{} cores, lower bound {}", report.cores, report.lower_bound);
    let text = super::text(report);
    let facts = std::iter::once(cores).chain(text.lines().skip(1).map(str::to_owned));
    (title, facts.collect())
}
