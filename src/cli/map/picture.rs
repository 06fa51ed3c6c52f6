//! Cores on the mesh as a picture.

use super::MapReport;
use crate::artifact::manifest::{CoreEntry, Resources};
use crate::describe;
use crate::files;
use snnc_ir::mapped::Core;
use snnc_ir::{Diagnostic, MappedNetwork, TargetSpec};
use snnc_mapping::hypergraph::Hypergraph;
use snnc_mapping::partition::{Limits, Partition};
use snnc_mapping::picture::{Picture, Resource, svg};
use snnc_mapping::place::{Mesh, Placement, Traffic};
use snnc_passes::place::{Board, placement, traffic};
use snnc_passes::rates::Rates;
use std::path::Path;

/// Draws a placed hypergraph.
pub(super) fn hypergraph(
    file: &Path,
    report: &MapReport,
    (graph, partition, limits): (&Hypergraph, &Partition, &Limits),
    (mesh, traffic, placement): (&Mesh, &Traffic, &Placement),
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
    draw(file, report, (mesh, traffic, placement), &names, &resources)
}

/// Draws a mapped network.
pub(super) fn network(
    file: &Path,
    report: &MapReport,
    mapped: &MappedNetwork,
    target: &TargetSpec,
) -> Result<(), Diagnostic> {
    let board = Board::of(target);
    let traffic = traffic(mapped, &Rates::assumed());
    let limits = describe::limits(target);
    let cores = describe::cores(mapped, target);
    let populations = |core: &Core| {
        let name = |s: &snnc_ir::mapped::Slice| {
            let population = &mapped.network.populations[s.population];
            format!("{} ({} of {})", population.name, s.len, population.size())
        };
        core.slices.iter().map(name).collect::<Vec<_>>().join(", ")
    };
    let names: Vec<String> = mapped.cores.values().map(populations).collect();
    let resources = resources(&cores, &limits);
    draw(file, report, (&board.mesh, &traffic, &placement(mapped, &board)), &names, &resources)
}

/// What the cores use, resource by resource.
fn resources(cores: &[CoreEntry], limits: &Resources) -> Vec<Resource> {
    let of = |index: usize, (name, _, limit): (&'static str, u64, u64)| Resource {
        name: name.to_owned(),
        limit: float(limit),
        used: cores.iter().map(|core| float(core.used.against(limits)[index].1)).collect(),
    };
    limits.against(limits).into_iter().enumerate().map(|(index, entry)| of(index, entry)).collect()
}

fn draw(
    file: &Path,
    report: &MapReport,
    (mesh, traffic, placement): (&Mesh, &Traffic, &Placement),
    names: &[String],
    resources: &[Resource],
) -> Result<(), Diagnostic> {
    let title = format!("{} on {}", report.network, report.target);
    let facts: Vec<String> = super::text(report).lines().skip(1).map(str::to_owned).collect();
    let cores = format!("{} cores, lower bound {}", report.cores, report.lower_bound);
    let facts: Vec<String> = std::iter::once(cores).chain(facts).collect();
    let loads: Vec<f64> = resources
        .first()
        .map(|first| first.used.iter().map(|used| used / first.limit.max(1.0)).collect())
        .unwrap_or_default();
    let load = format!("{}, part of the limit", resources.first().map_or("load", |r| &r.name));
    let picture = Picture {
        title: &title,
        facts: &facts,
        mesh,
        placement,
        traffic,
        names,
        load: &load,
        loads: &loads,
        resources,
    };
    files::write(file, svg(&picture).as_bytes())
}

#[expect(clippy::cast_precision_loss, reason = "for a picture")]
const fn float(n: u64) -> f64 {
    n as f64
}
