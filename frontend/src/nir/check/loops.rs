//! The graph without nesting, its loops, and those among them that nothing holds back.

use super::super::graph::{NirGraph, Primitive};
use super::super::tree::join;
use super::values::range;
use crate::json::quote;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use snnc_ir::diag::codes::nir as codes;
use snnc_ir::{Diagnostic, Diagnostics};
use std::collections::BTreeMap;

/// A graph whose inner graphs are dissolved: an edge to one leads to its `Input`, an edge from one
/// leaves its `Output`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flat {
    /// Nodes other than graphs, in the order of their paths.
    pub nodes: Vec<FlatNode>,
    /// Positions in `nodes`.
    pub edges: Vec<(usize, usize)>,
    /// Groups of nodes that reach each other.
    pub cycles: Vec<Cycle>,
}

/// A node of a [`Flat`] graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlatNode {
    /// Names from the outermost graph to the node, joined by slashes.
    pub name: String,
    /// Type.
    pub kind: &'static str,
    /// Whether its output depends on the past alone: a neuron, an integrator, a delay above 0.
    pub remembers: bool,
}

/// Nodes that reach each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// Positions in [`Flat::nodes`], ascending.
    pub nodes: Vec<usize>,
}

/// Where edges to and from a node lead.
#[derive(Clone, Copy)]
struct Ends {
    entry: Option<usize>,
    exit: Option<usize>,
}

/// Dissolves inner graphs. Edges to nodes or ports that are not there are left out: they are
/// reported elsewhere.
pub(super) fn flatten(graph: &NirGraph) -> Flat {
    let mut flat = Flat::default();
    dissolve(graph, "", &mut flat);
    flat.cycles = cycles(&flat, |_| true);
    flat
}

fn dissolve(graph: &NirGraph, prefix: &str, flat: &mut Flat) -> Ends {
    let mut ends: BTreeMap<&str, Ends> = BTreeMap::new();
    let mut own = Ends { entry: None, exit: None };
    for (name, node) in &graph.nodes {
        let full = if prefix.is_empty() { name.clone() } else { join(prefix, name) };
        let at = if let Primitive::Graph(inner) = &node.primitive {
            dissolve(inner, &full, flat)
        } else {
            let index = flat.nodes.len();
            flat.nodes.push(FlatNode {
                name: full,
                kind: node.primitive.type_name(),
                remembers: remembers(&node.primitive),
            });
            match node.primitive {
                Primitive::Input { .. } => own.entry = own.entry.or(Some(index)),
                Primitive::Output { .. } => own.exit = own.exit.or(Some(index)),
                _ => {}
            }
            Ends { entry: Some(index), exit: Some(index) }
        };
        ends.insert(name, at);
    }
    for (from, to) in &graph.edges {
        if let (Some(from), Some(to)) = (ends.get(from.as_str()), ends.get(to.as_str()))
            && let (Some(from), Some(to)) = (from.exit, to.entry)
        {
            flat.edges.push((from, to));
        }
    }
    own
}

fn remembers(primitive: &Primitive) -> bool {
    match primitive {
        Primitive::Delay { delay } => range(&delay.data).is_some_and(|[low, _]| low > 0.0),
        Primitive::I { .. }
        | Primitive::If { .. }
        | Primitive::Li { .. }
        | Primitive::Lif { .. }
        | Primitive::CubaLi { .. }
        | Primitive::CubaLif { .. } => true,
        _ => false,
    }
}

/// Loops of the nodes that `part` takes, by their first nodes.
fn cycles(flat: &Flat, part: impl Fn(&FlatNode) -> bool) -> Vec<Cycle> {
    let mut graph: DiGraph<(), ()> = DiGraph::with_capacity(flat.nodes.len(), flat.edges.len());
    for _ in &flat.nodes {
        graph.add_node(());
    }
    for &(from, to) in &flat.edges {
        if part(&flat.nodes[from]) && part(&flat.nodes[to]) {
            graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), ());
        }
    }
    let mut found: Vec<Cycle> = tarjan_scc(&graph)
        .into_iter()
        .filter(|c| c.len() > 1 || graph.contains_edge(c[0], c[0]))
        .map(|c| {
            let mut nodes: Vec<usize> = c.into_iter().map(NodeIndex::index).collect();
            nodes.sort_unstable();
            Cycle { nodes }
        })
        .collect();
    found.sort_by(|a, b| a.nodes.cmp(&b.nodes));
    found
}

/// Reports loops of nodes that remember nothing.
pub(super) fn check(flat: &Flat, out: &mut Diagnostics) {
    const SHOWN: usize = 8;
    for cycle in cycles(flat, |n| !n.remembers) {
        let names: Vec<String> =
            cycle.nodes.iter().take(SHOWN).map(|&n| quote(&flat.nodes[n].name)).collect();
        let more = if cycle.nodes.len() > SHOWN { ", …" } else { "" };
        out.push(
            Diagnostic::error(codes::LOOP, "nodes without state form a loop")
                .at(format!("node {}", names[0]))
                .note(format!("in the loop: {}{more}", names.join(", ")))
                .help("put a neuron, an integrator or a `Delay` above 0 into the loop"),
        );
    }
}
