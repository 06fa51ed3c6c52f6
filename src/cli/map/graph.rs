//! What a mapped hypergraph comes to.

use super::{MapArgs, MapReport, picture};
use crate::artifact::mapping::TrafficEntry;
use crate::pipeline::Search;
use snnc_ir::diag::codes::mapping;
use snnc_ir::target::Limit;
use snnc_ir::{Diagnostic, Diagnostics, TargetSpec};
use snnc_mapping::bounds::CoreBounds;
use snnc_mapping::hypergraph::Hypergraph;
use snnc_mapping::partition::{Limits, Partition, Unfit};
use snnc_mapping::place::{self, Traffic};
use snnc_passes::place::Board;

/// The limits of a core that hypergraphs know.
pub(super) fn limits(target: &TargetSpec) -> Limits {
    let count = |limit: &Limit| u64::try_from(limit.value).unwrap_or(0);
    Limits {
        neurons: count(&target.compartments),
        inputs: count(&target.input_axons),
        cores: u32::try_from(target.cores()).unwrap_or(u32::MAX),
    }
}

/// Why there is no mapping, with the line of the limit.
pub(super) fn unfit(unfit: &Unfit, target: &TargetSpec) -> Diagnostic {
    let limits = match unfit {
        Unfit::Neurons { .. } => vec![("compartments", &target.compartments)],
        Unfit::Inputs { .. } => vec![("input_axons", &target.input_axons)],
        Unfit::Cores { .. } => {
            vec![("chips", &target.chips), ("cores_per_chip", &target.cores_per_chip)]
        }
    };
    let error = Diagnostic::error(mapping::NO_PARTITION, unfit.to_string())
        .help("map for a target with more room, or divide what is too large");
    let note = |(key, limit)| format!("{}: {key} = {limit}", target.file);
    limits.into_iter().map(note).fold(error, Diagnostic::note)
}

/// Places the cores of `partition`, and sums up.
pub(super) fn report(
    network: String,
    graph: &Hypergraph,
    partition: &Partition,
    bound: &CoreBounds,
    args: &MapArgs,
    target: &TargetSpec,
) -> Result<MapReport, Diagnostics> {
    let board = Board::of(target);
    let traffic = Traffic::of(graph, partition);
    let Search { effort, seed } = args.search.search();
    let placement = place::place(&traffic, &board.mesh, effort, seed).map_err(|e| {
        Diagnostic::error(mapping::NO_PARTITION, e.to_string())
            .note(format!("{}: mesh_width = {}", target.file, target.mesh_width))
            .note(format!("{}: mesh_height = {}", target.file, target.mesh_height))
            .help("map for a target with a larger mesh")
    })?;
    let figures = place::report(&traffic, &board.mesh, &placement);
    let (lower_bound, bound_by) = bound.tightest();
    let cores = (u64::from(partition.cores), lower_bound, bound_by);
    let messages = TrafficEntry::new(&figures, board.unit);
    let report = MapReport::of_shape((network, graph.neurons()), target, cores, Some(messages));
    if let Some(file) = &args.svg {
        let what = (graph, partition, &limits(target));
        picture::hypergraph(file, &report, what, (&board.mesh, &traffic, &placement))?;
    }
    Ok(report)
}
