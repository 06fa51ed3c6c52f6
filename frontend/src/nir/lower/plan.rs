//! The graph without nesting, with its delays on edges and its loops cut.

use super::delay::Delays;
use super::no_form;
use crate::json::quote;
use crate::nir::check::Checked;
use crate::nir::graph::{NirGraph, Primitive};
use crate::nir::tree::join;
use snnc_ir::diag::codes::nir_time as codes;
use snnc_ir::network::discretization::LoopBias;
use snnc_ir::{Diagnostic, Diagnostics};
use std::collections::BTreeSet;

/// Calls `look` with name, path and primitive of every node that is no graph, in the order of
/// [`crate::nir::Flat`].
pub(super) fn visit<'a>(
    graph: &'a NirGraph,
    prefix: &str,
    path: &str,
    look: &mut dyn FnMut(&str, &str, &'a Primitive),
) {
    for (name, node) in &graph.nodes {
        let full = if prefix.is_empty() { name.clone() } else { join(prefix, name) };
        let at = join(&join(path, "nodes"), name);
        match &node.primitive {
            Primitive::Graph(inner) => visit(inner, &full, &at, look),
            primitive => look(&full, &at, primitive),
        }
    }
}

/// A node.
#[derive(Clone, Debug)]
pub(super) struct PlanNode<'a> {
    /// Names from the outermost graph to the node, joined by slashes.
    pub(super) name: String,
    /// Place in the file.
    pub(super) path: String,
    /// What it computes.
    pub(super) primitive: &'a Primitive,
    /// Extents of its input.
    pub(super) input: Vec<usize>,
    /// Extents of its output.
    pub(super) output: Vec<usize>,
    /// Whether it is a port of the outermost graph.
    pub(super) is_port: bool,
}

/// An edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PlanEdge {
    from: usize,
    to: usize,
    /// Steps.
    delay: u32,
    /// Whether one of the steps cuts a loop.
    cut: bool,
}

/// A graph that can be built node by node.
#[derive(Clone, Debug)]
pub(super) struct Plan<'a> {
    /// Nodes; the first ones are those of [`crate::nir::Flat`].
    pub(super) nodes: Vec<PlanNode<'a>>,
    /// What each node reads, with delays in steps, in the order of the file.
    pub(super) sources: Vec<Vec<(usize, u32)>>,
    /// Nodes in an order in which edges without delay go forward.
    pub(super) order: Vec<usize>,
}

/// Whether a node's value is made of spikes, or comes from outside, or is a membrane.
fn is_population(node: &PlanNode<'_>) -> bool {
    match node.primitive {
        Primitive::Input { .. } => node.is_port,
        Primitive::I { .. }
        | Primitive::If { .. }
        | Primitive::Li { .. }
        | Primitive::Lif { .. }
        | Primitive::CubaLi { .. }
        | Primitive::CubaLif { .. }
        | Primitive::Threshold { .. } => true,
        _ => false,
    }
}

impl<'a> Plan<'a> {
    /// Plans `graph`; `None` if something is refused.
    pub(super) fn new(
        graph: &'a NirGraph,
        checked: &Checked,
        delays: &Delays,
        loop_bias: Option<LoopBias>,
        out: &mut Diagnostics,
    ) -> Option<Self> {
        let mut nodes = Vec::new();
        visit(graph, "", "/node", &mut |name, path, primitive| {
            let shapes = checked.shapes.get(path).cloned().unwrap_or_default();
            let is_port = !name.contains('/')
                && matches!(primitive, Primitive::Input { .. } | Primitive::Output { .. });
            nodes.push(PlanNode {
                name: name.to_owned(),
                path: path.to_owned(),
                primitive,
                input: shapes.input,
                output: shapes.output,
                is_port,
            });
        });
        let mut edges: Vec<PlanEdge> = Vec::with_capacity(checked.flat.edges.len());
        for &(from, to) in &checked.flat.edges {
            let steps = delays.steps.get(&nodes[to].name);
            let delay = steps.and_then(|s| s.iter().min()).copied().unwrap_or(0);
            edges.push(PlanEdge { from, to, delay, cut: false });
            let target = &nodes[to];
            if target.is_port && matches!(target.primitive, Primitive::Input { .. }) {
                out.push(no_form(
                    &target.path,
                    format!(
                        "the input {} of the outermost graph receives an edge",
                        quote(&target.name)
                    ),
                ));
                return None;
            }
        }
        cut_loops(&nodes, &mut edges);
        if loop_bias != Some(LoopBias::Delayed) {
            move_cuts(&mut nodes, &mut edges);
        }
        say_cuts(&nodes, &edges, out);
        let order = order(nodes.len(), &edges);
        let mut sources = vec![Vec::new(); nodes.len()];
        for edge in &edges {
            sources[edge.to].push((edge.from, edge.delay));
        }
        Some(Self { nodes, sources, order })
    }
}

/// Gives the edges that go back a delay of one step, depth-first from the inputs in the order of the file.
fn cut_loops(nodes: &[PlanNode<'_>], edges: &mut [PlanEdge]) {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (i, edge) in edges.iter().enumerate().filter(|(_, e)| e.delay == 0) {
        next[edge.from].push(i);
    }
    let inputs = (0..nodes.len()).filter(|&n| is_population(&nodes[n]) && nodes[n].is_port);
    let starts: Vec<usize> = inputs.chain(0..nodes.len()).collect();
    let mut marks = vec![Mark::New; nodes.len()];
    for start in starts {
        if marks[start] != Mark::New {
            continue;
        }
        marks[start] = Mark::Open;
        let mut path = vec![(start, 0)];
        while let Some((node, position)) = path.last_mut() {
            let Some(&edge) = next[*node].get(*position) else {
                marks[*node] = Mark::Done;
                path.pop();
                continue;
            };
            *position += 1;
            let to = edges[edge].to;
            match marks[to] {
                Mark::New => {
                    marks[to] = Mark::Open;
                    path.push((to, 0));
                }
                Mark::Open => {
                    edges[edge].delay = 1;
                    edges[edge].cut = true;
                }
                Mark::Done => {}
            }
        }
    }
}

/// Moves the delays that cut loops to where populations are read, so that biases behind them act in every step. A
/// node that is also read without the delay is doubled.
fn move_cuts(nodes: &mut Vec<PlanNode<'_>>, edges: &mut Vec<PlanEdge>) {
    let mut cut: BTreeSet<usize> = edges.iter().filter(|e| e.cut).map(|e| e.from).collect();
    if cut.is_empty() {
        return;
    }
    for node in order(nodes.len(), edges).into_iter().rev() {
        if is_population(&nodes[node]) || !cut.contains(&node) {
            continue;
        }
        let reads = |e: &PlanEdge| e.from == node;
        let whole = edges.iter().filter(|e| reads(e)).all(|e| e.cut);
        let delayed = if whole {
            node
        } else {
            let copy =
                PlanNode { name: format!("{}.delayed", nodes[node].name), ..nodes[node].clone() };
            nodes.push(copy);
            let into: Vec<PlanEdge> = edges.iter().copied().filter(|e| e.to == node).collect();
            let copy = nodes.len() - 1;
            edges.extend(into.into_iter().map(|e| PlanEdge { to: copy, ..e }));
            copy
        };
        for edge in edges.iter_mut() {
            if edge.from == node && edge.cut {
                *edge = PlanEdge { from: delayed, delay: edge.delay - 1, cut: false, ..*edge };
            }
            if edge.to == delayed {
                *edge = PlanEdge { delay: edge.delay + 1, cut: true, ..*edge };
                cut.insert(edge.from);
            }
        }
    }
}

fn say_cuts(nodes: &[PlanNode<'_>], edges: &[PlanEdge], out: &mut Diagnostics) {
    let cuts = edges.iter().filter(|e| e.cut);
    let names: Vec<String> = cuts
        .map(|e| format!("{} → {}", quote(&nodes[e.from].name), quote(&nodes[e.to].name)))
        .collect();
    if names.is_empty() {
        return;
    }
    let message = match names.len() {
        1 => "one edge of a loop is read one step later".to_owned(),
        n => format!("{n} edges of loops are read one step later"),
    };
    let note = Diagnostic::note_only(codes::RECURRENCE, message);
    out.push(names.into_iter().fold(note, Diagnostic::note));
}

/// Nodes in an order in which edges without delay go forward, the smallest first wherever there is a choice.
fn order(nodes: usize, edges: &[PlanEdge]) -> Vec<usize> {
    let mut open = vec![0_usize; nodes];
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    for edge in edges.iter().filter(|e| e.delay == 0) {
        open[edge.to] += 1;
        next[edge.from].push(edge.to);
    }
    let mut ready: BTreeSet<usize> = (0..nodes).filter(|&n| open[n] == 0).collect();
    let mut order = Vec::with_capacity(nodes);
    while let Some(node) = ready.pop_first() {
        order.push(node);
        for &to in &next[node] {
            open[to] -= 1;
            if open[to] == 0 {
                ready.insert(to);
            }
        }
    }
    order
}
