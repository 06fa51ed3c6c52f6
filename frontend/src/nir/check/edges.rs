//! Edges, inputs and outputs of one graph.

use super::super::graph::{NirGraph, Primitive};
use super::super::shape::ports;
use super::super::tree::join;
use crate::json::quote;
use crate::suggest::closest;
use snnc_ir::diag::codes::nir as codes;
use snnc_ir::{Diagnostic, Diagnostics};
use std::collections::BTreeSet;

pub(super) fn check(graph: &NirGraph, path: &str, root: bool, out: &mut Diagnostics) {
    let at = join(path, "edges");
    let mut seen = BTreeSet::new();
    for (i, (from, to)) in graph.edges.iter().enumerate() {
        let edge = format!("{} → {}", quote(from), quote(to));
        for name in BTreeSet::from([from, to]) {
            if !graph.nodes.contains_key(name) {
                out.push(dangling(graph, name, &edge).at(format!("{at}[{i}]")));
            }
        }
        if !seen.insert((from, to)) {
            out.push(
                Diagnostic::error(codes::DUPLICATE_EDGE, format!("the edge {edge} is given twice"))
                    .at(format!("{at}[{i}]"))
                    .help("remove one of the two"),
            );
        }
    }
    check_ports(graph, path, root, out);
    unused(graph, path, out);
}

fn dangling(graph: &NirGraph, name: &str, edge: &str) -> Diagnostic {
    const SHOWN: usize = 12;
    let d = Diagnostic::error(
        codes::EDGE,
        format!("the edge {edge} names a node {} that is not there", quote(name)),
    );
    let names = || graph.nodes.keys().map(String::as_str);
    // `lif` for `lif1`: a name that continues or shortens the other.
    let kin = || names().find(|n| n.starts_with(name) || name.starts_with(n));
    if let Some(near) = closest(name, names()).or_else(kin) {
        return d.help(format!("did you mean {}?", quote(near)));
    }
    let shown: Vec<&str> = names().take(SHOWN).collect();
    d.note(format!("there are: {}", shown.join(", ")))
}

fn check_ports(graph: &NirGraph, path: &str, root: bool, out: &mut Diagnostics) {
    for (inputs, name) in [(true, "Input"), (false, "Output")] {
        let found = ports(graph, inputs).len();
        if found == 0 {
            out.push(
                Diagnostic::error(codes::PORTS, format!("the graph has no `{name}` node"))
                    .at(path)
                    .help(format!("add an `{name}` node with a `shape`, and an edge")),
            );
        } else if found > 1 && !root {
            out.push(
                Diagnostic::error(
                    codes::PORTS,
                    format!("a graph within a graph has {found} nodes of type `{name}`"),
                )
                .at(path)
                .note("edges do not say which of them they mean")
                .help("cut the graph into parts with one each, or dissolve it in the outer one"),
            );
        }
    }
}

fn unused(graph: &NirGraph, path: &str, out: &mut Diagnostics) {
    let sources: BTreeSet<&str> = graph.edges.iter().map(|(from, _)| from.as_str()).collect();
    let targets: BTreeSet<&str> = graph.edges.iter().map(|(_, to)| to.as_str()).collect();
    for (name, node) in &graph.nodes {
        let mut warn = |what: &str| {
            out.push(
                Diagnostic::warning(codes::UNUSED, format!("{} {what}", quote(name)))
                    .at(join(&join(path, "nodes"), name)),
            );
        };
        let primitive = &node.primitive;
        if !targets.contains(name.as_str()) && !matches!(primitive, Primitive::Input { .. }) {
            warn("receives nothing");
        }
        if !sources.contains(name.as_str()) && !matches!(primitive, Primitive::Output { .. }) {
            warn("gives its output to no node");
        }
    }
}
