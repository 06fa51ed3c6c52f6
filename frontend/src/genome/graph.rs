//! The graph of a genome: names looked up, arity, loops.

use super::node::{NodeSpec, OpSpec};
use crate::fields::unknown_name;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::{Diagnostic, Diagnostics};
use std::collections::BTreeMap;

/// A read of another node: its index in the file, and the delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) node: usize,
    pub(crate) delay: u32,
}

/// Indices of nodes by id. Repeated ids are reported and keep their first node.
pub(crate) fn index<'a>(nodes: &'a [NodeSpec], out: &mut Diagnostics) -> BTreeMap<&'a str, usize> {
    let mut by_id = BTreeMap::new();
    for (i, node) in nodes.iter().enumerate() {
        let Some(id) = &node.id else { continue };
        if let Some(&first) = by_id.get(id.text.as_str()) {
            let first: &NodeSpec = &nodes[first];
            out.push(
                Diagnostic::error(codes::DUPLICATE_NODE, format!("the id `{}` is taken", id.text))
                    .at(&id.path)
                    .note(format!("the first node of this id is {}", first.path)),
            );
        } else {
            by_id.insert(id.text.as_str(), i);
        }
    }
    by_id
}

/// The nodes that each node reads. `None` where a name is unknown or the number is wrong.
pub(crate) fn reads(
    nodes: &[NodeSpec],
    by_id: &BTreeMap<&str, usize>,
    out: &mut Diagnostics,
) -> Vec<Option<Vec<Read>>> {
    let mut all = Vec::with_capacity(nodes.len());
    for node in nodes {
        let reads = node.inputs.as_ref().and_then(|edges| {
            let found: Vec<Option<Read>> = edges
                .iter()
                .map(|edge| {
                    let found = by_id.get(edge.node.text.as_str());
                    if found.is_none() {
                        out.push(unknown_name(&edge.node, "node", by_id.keys().copied()));
                    }
                    found.map(|&node| Read { node, delay: edge.delay })
                })
                .collect();
            found.into_iter().collect::<Option<Vec<Read>>>()
        });
        let reads = match (&node.op, reads) {
            (Some(op), Some(reads)) => arity(op, &node.path, reads, out),
            (_, reads) => reads,
        };
        all.push(reads);
    }
    all
}

fn arity(op: &OpSpec, path: &str, reads: Vec<Read>, out: &mut Diagnostics) -> Option<Vec<Read>> {
    let (fits, expected) = match op {
        OpSpec::Input | OpSpec::Zero(_) => (true, ""),
        OpSpec::Add | OpSpec::Concat => (!reads.is_empty(), "one or more inputs"),
        _ => (reads.len() == 1, "exactly one input"),
    };
    if fits {
        return Some(reads);
    }
    let d = Diagnostic::error(codes::ARITY, format!("the node has {} inputs", reads.len()))
        .at(format!("{path}.in"))
        .note(format!("expected {expected}"));
    out.push(if reads.len() > 1 {
        d.help("join several currents with an `add` node")
    } else {
        d.help("name the node that is read")
    });
    None
}

/// Reports every loop of delay-0 edges, once.
pub(crate) fn loops(nodes: &[NodeSpec], reads: &[Option<Vec<Read>>], out: &mut Diagnostics) {
    let mut graph = DiGraph::<(), (), usize>::with_capacity(nodes.len(), nodes.len());
    for _ in nodes {
        graph.add_node(());
    }
    for (to, reads) in reads.iter().enumerate() {
        for read in reads.iter().flatten().filter(|r| r.delay == 0) {
            graph.add_edge(NodeIndex::new(read.node), NodeIndex::new(to), ());
        }
    }
    // Kosaraju's algorithm keeps its own stack; a long chain cannot exhaust ours.
    let mut found: Vec<Vec<usize>> = kosaraju_scc(&graph)
        .into_iter()
        .filter(|part| part.len() > 1 || graph.contains_edge(part[0], part[0]))
        .map(|part| {
            let mut part: Vec<usize> = part.into_iter().map(NodeIndex::index).collect();
            part.sort_unstable();
            part
        })
        .collect();
    found.sort_unstable();
    for part in found {
        const SHOWN: usize = 8;
        let mut names: Vec<&str> = part
            .iter()
            .take(SHOWN)
            .filter_map(|&i| nodes[i].id.as_ref())
            .map(|n| &*n.text)
            .collect();
        if part.len() > SHOWN {
            names.push("…");
        }
        out.push(
            Diagnostic::error(codes::ZERO_DELAY_LOOP, "nodes read each other in the same step")
                .at(&nodes[part[0]].path)
                .note(format!("the loop: {}", names.join(", ")))
                .help("give the recurrent edge a delay: { \"node\": …, \"delay\": 1 }"),
        );
    }
}
