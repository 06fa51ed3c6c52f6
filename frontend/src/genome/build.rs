//! From a parsed genome to a network: look everything up, decode, check, assemble.

use super::assemble::Builder;
use super::envelope::{GenomeFile, ReadoutKind, ReadoutSpec};
use super::genes::Genes;
use super::graph::{self, Read};
use super::node::{NodeSpec, OpSpec};
use super::pool::Pool;
use super::shapes::{Graph, Weights};
use super::store::Store;
use crate::account::{GenomeAccount, Stored};
use crate::fields::unknown_name;
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::network::Readout;
use snnc_ir::{Diagnostic, Diagnostics, NetworkDraft, Shape};
use std::collections::{BTreeMap, BTreeSet};

/// Builds the network; `None` if something is wrong.
pub(crate) fn build(
    file: &GenomeFile,
    nodes: &[NodeSpec],
    store: Option<Store>,
    out: &mut Diagnostics,
) -> Option<(NetworkDraft, GenomeAccount)> {
    let by_id = graph::index(nodes, out);
    let reads = graph::reads(nodes, &by_id, out);
    graph::loops(nodes, &reads, out);
    let input = input_node(nodes, out);
    currents(nodes, &reads, out);
    // Without its tensors nothing more can be said about a genome.
    let store = store?;
    let genes = Genes::load(&file.genes, &store, out);
    let mut pool = Pool::default();
    let weights: Vec<Weights> =
        nodes.iter().map(|n| node_weights(n, &mut pool, &genes, &store, out)).collect();
    if let Some(check) = &file.check {
        check.verify(nodes, &by_id, &weights, &pool.tensors, out);
    }
    let spec = file.input.as_ref()?;
    let graph = Graph { nodes, reads: &reads, weights: &weights, pool: &pool, input: &spec.shape };
    let shapes = graph.shapes(out);
    let readout =
        file.readout.as_ref().and_then(|r| readout(r, nodes, &by_id, &reads, &shapes, out));
    let mut builder = Builder {
        file,
        nodes,
        reads: &reads,
        shapes: &shapes,
        weights: &weights,
        store: &store,
        pool,
        used_neurons: BTreeSet::new(),
        normalized: spec.normalization.as_ref().and(input),
    };
    let network = builder.nodes(spec, out);
    if out.has_errors() {
        return None;
    }
    builder.report_unused(&genes, out);
    let readout_id = builder.id(readout?);
    let mut account = builder.pool.account;
    for (tensor, (role, values)) in genes.used() {
        account.stored.insert(tensor.to_owned(), Stored { role, values });
    }
    let draft = NetworkDraft {
        name: file.name.clone()?,
        steps: file.steps?,
        nodes: network?,
        tensors: builder.pool.tensors,
        readout: match file.readout.as_ref()?.kind {
            ReadoutKind::SpikeCount => Readout::SpikeCount(readout_id),
            ReadoutKind::MeanLinear => Readout::MeanLinear(readout_id),
        },
        discretization: None,
    };
    Some((draft, account))
}

/// The one input node.
fn input_node(nodes: &[NodeSpec], out: &mut Diagnostics) -> Option<usize> {
    let inputs: Vec<usize> =
        (0..nodes.len()).filter(|&i| matches!(nodes[i].op, Some(OpSpec::Input))).collect();
    match inputs[..] {
        [one] => Some(one),
        [] => {
            // An operation that could not be read may have been the input.
            if nodes.iter().all(|n| n.op.is_some()) {
                out.push(
                    Diagnostic::error(codes::INPUT_NODE, "no node has the operation `input`")
                        .at("$.nodes")
                        .help("add { \"id\": \"x\", \"op\": \"input\" }"),
                );
            }
            None
        }
        [first, second, ..] => {
            out.push(
                Diagnostic::error(codes::INPUT_NODE, format!("{} nodes are inputs", inputs.len()))
                    .at(&nodes[second].path)
                    .note(format!("the first is {}", nodes[first].path)),
            );
            None
        }
    }
}

/// Neurons must not read populations.
fn currents(nodes: &[NodeSpec], reads: &[Option<Vec<Read>>], out: &mut Diagnostics) {
    for (node, reads) in nodes.iter().zip(reads) {
        let (Some(OpSpec::Neuron(_)), Some([read])) = (&node.op, reads.as_deref()) else {
            continue;
        };
        if let (Some(OpSpec::Neuron(_) | OpSpec::Input), Some(id)) =
            (&nodes[read.node].op, &nodes[read.node].id)
        {
            out.push(
                Diagnostic::error(
                    codes::CURRENT,
                    format!("the neurons read the spikes of `{}` as their current", id.text),
                )
                .at(&node.path)
                .help("put a `linear` or `conv2d` in between"),
            );
        }
    }
}

/// Decodes the weights of a node.
fn node_weights(
    node: &NodeSpec,
    pool: &mut Pool,
    genes: &Genes,
    store: &Store,
    out: &mut Diagnostics,
) -> Weights {
    let (weight, bias, kernel) = match &node.op {
        Some(OpSpec::Linear { weight, bias }) => (weight, bias, None),
        Some(OpSpec::Conv2d { weight, bias, window, .. }) => (weight, bias, Some(window.kernel)),
        _ => return Weights::default(),
    };
    // A node without a readable id is wrong already; its weight is still checked.
    let name = node.id.as_ref().map_or("?", |id| &id.text);
    let weight = pool.weight(weight, name, kernel, genes, store, out);
    let bias_id = bias.as_ref().and_then(|b| pool.bias(b, name, genes, store, out));
    if let (Some(weight), Some(bias)) = (weight, bias_id) {
        let (weight, bias) = (&pool.tensors[weight], &pool.tensors[bias]);
        let rows = weight.shape.channels();
        if bias.shape.0.len() != 1 || bias.shape.size() != rows {
            out.push(
                Diagnostic::error(
                    codes::TENSOR_SHAPE,
                    format!("the bias has the shape {}", bias.shape),
                )
                .at(format!("{}.bias", node.path))
                .note(format!("expected [{rows}], one per row of the weight {}", weight.shape)),
            );
        }
    }
    Weights { weight, bias: bias_id }
}

/// The index of the node read out.
fn readout(
    spec: &ReadoutSpec,
    nodes: &[NodeSpec],
    by_id: &BTreeMap<&str, usize>,
    reads: &[Option<Vec<Read>>],
    shapes: &[Option<Shape>],
    out: &mut Diagnostics,
) -> Option<usize> {
    let (name, expected) = match spec.kind {
        ReadoutKind::SpikeCount => ("spike_count", "a `neuron` node"),
        ReadoutKind::MeanLinear => ("mean_linear", "an analog node, such as a `linear`"),
    };
    let fits = |i: usize| match (&nodes[i].op, spec.kind) {
        (Some(OpSpec::Neuron(_)), kind) => kind == ReadoutKind::SpikeCount,
        (Some(OpSpec::Input) | None, _) => false,
        (Some(_), kind) => kind == ReadoutKind::MeanLinear,
    };
    let Some(node) = &spec.node else {
        let read: BTreeSet<usize> =
            reads.iter().flatten().flatten().filter(|r| r.delay == 0).map(|r| r.node).collect();
        let ends: Vec<&str> = (0..nodes.len())
            .filter(|i| fits(*i) && !read.contains(i))
            .filter_map(|i| nodes[i].id.as_ref().map(|id| &*id.text))
            .collect();
        let d = Diagnostic::error(codes::MISSING_FIELD, "the field `node` is missing")
            .at(&spec.path)
            .note(format!("`node`: id of the node read out, {expected}"));
        out.push(match ends[..] {
            [one] => d.help(format!("probably \"node\": \"{one}\", which nothing reads")),
            _ => d,
        });
        return None;
    };
    let Some(&i) = by_id.get(node.text.as_str()) else {
        out.push(unknown_name(node, "node", by_id.keys().copied()));
        return None;
    };
    if !fits(i) {
        // A node that could not be read was reported there.
        if nodes[i].op.is_some() {
            out.push(
                Diagnostic::error(
                    codes::READOUT_NODE,
                    format!("`{name}` cannot read the node `{}`", node.text),
                )
                .at(&node.path)
                .note(format!("expected {expected}")),
            );
        }
        return None;
    }
    if let (Some(shape), Some(classes)) = (&shapes[i], spec.classes)
        && shape.size() != classes as usize
    {
        out.push(
            Diagnostic::error(
                codes::READOUT_NODE,
                format!("`{}` has {} elements for {classes} classes", node.text, shape.size()),
            )
            .at(&node.path)
            .note("one element per class"),
        );
    }
    Some(i)
}
