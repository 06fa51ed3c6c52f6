//! The verifier of networks in f32.

mod genes;
mod neuron;
pub(super) mod op;
#[cfg(test)]
mod tests;

use super::{Discretization, Edge, Emission, NetworkDraft, Neuron, Op, Readout};
use crate::arena::{Entity, NodeId, TensorId};
use crate::check::{self, MAX_DELAY};
use crate::diag::codes::network as codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::graph;
use crate::level::Rules;

/// Checks every rule of the level. Targets have no say here: their limits concern integers.
pub(super) fn check(draft: &NetworkDraft, _rules: Rules<'_>, out: &mut Diagnostics) {
    check::names(
        draft.nodes.iter().map(|(id, n)| (node_place(draft, id), &*n.name)),
        codes::NAME,
        out,
    );
    check::names(
        draft.tensors.iter().map(|(id, t)| (tensor_place(draft, id), &*t.name)),
        codes::NAME,
        out,
    );
    if draft.steps == 0 {
        out.push(
            Diagnostic::error(codes::STEPS, "the network runs for 0 steps")
                .at("steps")
                .note("expected at least 1")
                .help("set the number of logical steps of one run"),
        );
    }
    if let Some((problem, expected)) =
        draft.discretization.as_ref().and_then(Discretization::problem)
    {
        out.push(
            Diagnostic::error(codes::DISCRETIZATION, problem)
                .at("discretization")
                .note(format!("expected {expected}"))
                .help("correct the record, or remove it: the network does not depend on it"),
        );
    }
    let before = out.len();
    for id in draft.tensors.ids() {
        tensor(draft, id, out);
    }
    if out.len() == before {
        genes::check(draft, out);
    }
    let before = out.len();
    references(draft, out);
    if out.len() > before {
        // What follows looks nodes and tensors up.
        return;
    }
    for (id, node) in draft.nodes.iter() {
        for edge in node.inputs.iter().filter(|e| e.delay > MAX_DELAY) {
            out.push(
                Diagnostic::error(
                    codes::DELAY,
                    format!("an edge has a delay of {} steps", edge.delay),
                )
                .at(format!(
                    "{}, edge from {}",
                    node_place(draft, id),
                    node_place(draft, edge.source)
                ))
                .note(format!("expected at most {MAX_DELAY}"))
                .help("check the unit of the delay: it counts logical steps"),
            );
        }
        op::check(draft, id, out);
    }
    loops(draft, out);
    readout(draft, out);
}

/// A node, as diagnostics name it.
fn node_place(draft: &NetworkDraft, id: NodeId) -> String {
    format!("node \"{}\" ({id})", draft.nodes[id].name)
}

/// A tensor, as diagnostics name it.
fn tensor_place(draft: &NetworkDraft, id: TensorId) -> String {
    format!("tensor \"{}\" ({id})", draft.tensors[id].name)
}

/// Extents, number of values, and finiteness of one tensor.
fn tensor(draft: &NetworkDraft, id: TensorId, out: &mut Diagnostics) {
    let tensor = &draft.tensors[id];
    let place = tensor_place(draft, id);
    if tensor.shape.0.is_empty() || tensor.shape.0.contains(&0) {
        out.push(
            Diagnostic::error(codes::TENSOR, format!("the tensor has the shape {}", tensor.shape))
                .at(&*place)
                .note("expected one or more extents of at least 1")
                .help("correct the shape; a tensor without values should not exist"),
        );
    } else if tensor.genes.is_some() {
        // A generated tensor stores nothing; `genes` has the rules.
        if !tensor.data.is_empty() {
            out.push(
                Diagnostic::error(
                    codes::GENES,
                    format!("the tensor is generated but stores {} values", tensor.data.len()),
                )
                .at(&*place)
                .note("expected none: genes say what they are")
                .help("remove the values, or the genes"),
            );
        }
    } else if tensor.shape.size() != tensor.data.len() {
        out.push(
            Diagnostic::error(
                codes::TENSOR,
                format!("the tensor has {} values", tensor.data.len()),
            )
            .at(&*place)
            .note(format!("expected {}: the product of {}", tensor.shape.size(), tensor.shape))
            .help("correct the shape or the data"),
        );
    }
    // Of a generated tensor `genes` says so.
    if let Some(scale) = tensor.provenance.bad_scale().filter(|_| tensor.genes.is_none()) {
        out.push(
            Diagnostic::error(codes::NOT_FINITE, format!("the scale of its encodings is {scale}"))
                .at(&*place)
                .note("expected a finite number: what made the values")
                .help("correct the scale behind `from encoded`"),
        );
    }
    let mut bad = tensor.data.iter().enumerate().filter(|(_, v)| !v.is_finite());
    if let Some((index, value)) = bad.next() {
        let total = 1 + bad.count();
        out.push(
            Diagnostic::error(
                codes::NOT_FINITE,
                format!("the value at flat index {index} is {value}"),
            )
            .at(place)
            .note(format!("{total} of {} values are not finite", tensor.data.len()))
            .help("export the tensor again with finite values"),
        );
    }
}

/// Every id that names no node or tensor.
fn references(draft: &NetworkDraft, out: &mut Diagnostics) {
    for (id, node) in draft.nodes.iter() {
        for Edge { source, .. } in &node.inputs {
            check::unknown(&draft.nodes, *source, codes::REFERENCE, || node_place(draft, id), out);
        }
        for tensor in op::tensors(&node.op) {
            check::unknown(&draft.tensors, tensor, codes::REFERENCE, || node_place(draft, id), out);
        }
    }
    check::unknown(
        &draft.nodes,
        draft.readout.node(),
        codes::REFERENCE,
        || "readout".to_owned(),
        out,
    );
}

/// Loops of the zero-delay graph, each reported once with its nodes.
fn loops(draft: &NetworkDraft, out: &mut Diagnostics) {
    for part in graph::loops(draft.nodes.len(), &draft.zero_delay_edges()) {
        let names: Vec<_> =
            part.iter().map(|&i| format!("\"{}\"", draft.nodes[NodeId::new(i)].name)).collect();
        out.push(
            Diagnostic::error(codes::LOOP, "nodes read each other within the same step")
                .at(node_place(draft, NodeId::new(part[0])))
                .note(format!("the loop runs through {}", names.join(", ")))
                .help("give the recurrent edge of the loop a delay of at least 1"),
        );
    }
}

fn readout(draft: &NetworkDraft, out: &mut Diagnostics) {
    let id = draft.readout.node();
    let op = &draft.nodes[id].op;
    let bursts = |n: &Neuron| matches!(n.emission, Emission::Burst { .. });
    let (message, expected) = match (draft.readout, op) {
        (Readout::SpikeCount(_), Op::Neuron(neuron)) if bursts(neuron) => (
            "the readout counts spikes that are graded bursts".to_owned(),
            "a mean-linear readout, which weighs what a burst carries",
        ),
        (Readout::SpikeCount(_), Op::Neuron(_)) => return,
        (Readout::MeanLinear(_), op) if !op.is_population() => return,
        (readout, op) => (
            format!("the readout reads a node of kind {}", op.name()),
            match readout {
                Readout::SpikeCount(_) => "a neuron population",
                Readout::MeanLinear(_) => "an analog node, such as a linear",
            },
        ),
    };
    out.push(
        Diagnostic::error(codes::READOUT, message)
            .at(format!("readout, {}", node_place(draft, id)))
            .note(format!("expected {expected}"))
            .help("name another node, or choose the other kind of readout"),
    );
}
