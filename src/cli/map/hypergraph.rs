//! Hypergraphs on cores.

use super::graph::{limits, report, unfit};
use super::{MapArgs, MapReport};
use crate::files::{self, shown};
use crate::pipeline::Search;
use snnc_ir::diag::codes::mapping;
use snnc_ir::{Diagnostic, Diagnostics, TargetSpec};
use snnc_mapping::partition::partition;
use snnc_mapping::{bounds, hgr};
use std::fmt::Write as _;
use std::path::Path;

pub(super) fn map(
    path: &Path,
    args: &MapArgs,
    target: &TargetSpec,
) -> Result<MapReport, Diagnostics> {
    let bytes = files::read(path, files::MAX_BINARY)?;
    let graph = hgr::read(&bytes).map_err(|e| {
        Diagnostic::error(mapping::HYPERGRAPH, format!("expected {}, found {}", e.expected, e.found))
            .in_file(shown(path))
            .at_line(u32::try_from(e.line).unwrap_or(u32::MAX), 1)
            .help("give a hypergraph as hMETIS and its relatives write it, with weights of edges (format 1)")
    })?;
    drop(bytes);
    let limits = limits(target);
    let Search { effort, seed } = args.search.search();
    let found = partition(&graph, &limits, effort, seed)
        .map_err(|why| unfit(&why, target).in_file(shown(path)))?;
    let name = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let bound = bounds::hypergraph(&graph, &limits);
    let report = report(name, &graph, &found, &bound, args, target)?;
    if let Some(path) = &args.output {
        files::write(path, lines(&found.core).as_bytes())?;
    }
    Ok(report)
}

/// Cores, a line each.
pub(super) fn lines(cores: &[u32]) -> String {
    let mut text = String::new();
    for &core in cores {
        // Writing to a string cannot fail.
        let _ = match core {
            u32::MAX => writeln!(text, "-"),
            core => writeln!(text, "{core}"),
        };
    }
    text
}
