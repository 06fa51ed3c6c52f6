//! From a parsed genome to a network: look everything up, decode, check, assemble.

use super::envelope::{GenomeFile, InputSpec, ReadoutKind, ReadoutSpec};
use super::genes::Genes;
use super::graph::{self, Graph, Read, Weights};
use super::node::{NodeSpec, OpSpec};
use super::tensors::Store;
use super::weight::Pool;
use crate::account::{GenomeAccount, Stored};
use crate::fields::{Name, unknown_name};
use snnc_ir::arena::{Entity, NodeId, TensorId};
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::network::{Edge, Node, Op, Readout};
use snnc_ir::{Arena, Diagnostic, Diagnostics, NetworkDraft, Shape};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Builds the network; `None` if something is wrong. The side-car file's bytes go to `hasher`.
pub(crate) fn build(
    mut file: GenomeFile,
    folder: &Path,
    hasher: &mut blake3::Hasher,
    out: &mut Diagnostics,
) -> Option<(NetworkDraft, GenomeAccount)> {
    let nodes = file.nodes.take()?;
    let store = file.tensors.take().and_then(|spec| Store::open(spec, folder, hasher, out));
    let by_id = graph::index(&nodes, out);
    let reads = graph::reads(&nodes, &by_id, out);
    graph::loops(&nodes, &reads, out);
    let input = input_node(&nodes, out);
    currents(&nodes, &reads, out);
    // Without its tensors nothing more can be said about a genome.
    let store = store?;
    let genes = Genes::load(&file.genes, &store, out);
    let mut pool = Pool::default();
    let weights: Vec<Weights> =
        nodes.iter().map(|n| node_weights(n, &mut pool, &genes, &store, out)).collect();
    if let Some(check) = &file.check {
        check.verify(&nodes, &by_id, &weights, &pool.tensors, out);
    }
    let spec = file.input.as_ref()?;
    let graph =
        Graph { nodes: &nodes, reads: &reads, weights: &weights, pool: &pool, input: &spec.shape };
    let shapes = graph.shapes(out);
    let readout =
        file.readout.as_ref().and_then(|r| readout(r, &nodes, &by_id, &reads, &shapes, out));
    let mut builder = Builder {
        file: &file,
        nodes: &nodes,
        reads: &reads,
        shapes: &shapes,
        weights: &weights,
        store: &store,
        pool,
        used_neurons: RefCell::default(),
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

/// Assembles the nodes of the network.
struct Builder<'a> {
    file: &'a GenomeFile,
    nodes: &'a [NodeSpec],
    reads: &'a [Option<Vec<Read>>],
    shapes: &'a [Option<Shape>],
    weights: &'a [Weights],
    store: &'a Store,
    pool: Pool,
    used_neurons: RefCell<BTreeSet<&'a str>>,
    /// The input node, if its frames are normalized.
    normalized: Option<usize>,
}

impl<'a> Builder<'a> {
    /// The id that node `i` of the file has in the network: the normalization of the input, which
    /// the file does not have, comes right after the input.
    fn id(&self, i: usize) -> NodeId {
        NodeId::new(i + usize::from(self.normalized.is_some_and(|input| i > input)))
    }

    /// What a read of node `i` reads: the normalized frame in place of the raw one.
    fn source(&self, i: usize) -> NodeId {
        if self.normalized == Some(i) { NodeId::new(i + 1) } else { self.id(i) }
    }

    fn nodes(&mut self, input: &InputSpec, out: &mut Diagnostics) -> Option<Arena<NodeId, Node>> {
        let specs = self.nodes;
        let mut nodes = Arena::new();
        let mut complete = true;
        for (i, spec) in specs.iter().enumerate() {
            let Some(node) = self.node(i, spec, input, out) else {
                complete = false;
                continue;
            };
            let id = nodes.push(node);
            if self.normalized == Some(i) {
                nodes.push(self.normalization(id, input, spec)?);
            }
        }
        complete.then_some(nodes)
    }

    fn node(
        &mut self,
        i: usize,
        spec: &'a NodeSpec,
        input: &InputSpec,
        out: &mut Diagnostics,
    ) -> Option<Node> {
        // Parameters are looked up even where the shape of the node is not known.
        let op = spec.op.as_ref()?;
        let shape = self.shapes[i].as_ref();
        let first = self.reads[i].as_ref().and_then(|r| r.first());
        let read_shape = first.and_then(|r| self.shapes[r.node].as_ref());
        let op = match op {
            OpSpec::Input => Some(Op::Input(input.coding.clone())),
            OpSpec::Add => Some(Op::Add),
            OpSpec::Concat => Some(Op::Concat),
            OpSpec::Flatten => Some(Op::Flatten),
            OpSpec::GlobalAvgPool => Some(Op::GlobalAvgPool),
            OpSpec::Neuron(name) => self.neuron(name, shape, out),
            OpSpec::BatchNorm { prefix, eps } => self.batch_norm(prefix, *eps, shape, out),
            OpSpec::Linear { bias, .. } => {
                let Weights { weight, bias: id } = self.weights[i];
                (bias.is_some() == id.is_some())
                    .then_some(())
                    .and(weight)
                    .map(|weight| Op::Linear { weight, bias: id })
            }
            OpSpec::Conv2d { bias, window, groups, .. } => {
                let Weights { weight, bias: id } = self.weights[i];
                let weight = (bias.is_some() == id.is_some()).then_some(()).and(weight)?;
                let channels = self.pool.tensors[weight].shape.0.first().copied()?;
                let conv = graph::geometry(*window, read_shape?, channels, *groups).ok()?;
                Some(Op::Conv2d { weight, bias: id, conv })
            }
            OpSpec::AvgPool { window, exclude_pad } => {
                let [channels, ..] = read_shape?.as_chw()?;
                let window = graph::geometry(*window, read_shape?, channels, channels).ok()?;
                Some(Op::AvgPool { window, exclude_pad: *exclude_pad })
            }
        };
        let inputs = self.reads[i].as_ref()?;
        let inputs =
            inputs.iter().map(|r| Edge { source: self.source(r.node), delay: r.delay }).collect();
        Some(Node { name: spec.id.as_ref()?.text.clone(), op: op?, inputs, shape: shape?.clone() })
    }

    fn neuron(
        &mut self,
        name: &'a Name,
        shape: Option<&Shape>,
        out: &mut Diagnostics,
    ) -> Option<Op> {
        self.used_neurons.borrow_mut().insert(&name.text);
        let neurons = &self.file.neurons;
        let Some((_, spec)) = neurons.iter().find(|(n, _)| n.text == name.text) else {
            out.push(unknown_name(name, "neuron", neurons.iter().map(|(n, _)| &*n.text)));
            return None;
        };
        spec.as_ref()?.resolve(shape?, self.store, out).map(Op::Neuron)
    }

    fn batch_norm(
        &mut self,
        prefix: &Name,
        eps: f64,
        shape: Option<&Shape>,
        out: &mut Diagnostics,
    ) -> Option<Op> {
        let mut tensor = |suffix: &str, out: &mut Diagnostics| {
            let text = format!("{}.{suffix}", prefix.text);
            let name = Name { text, path: prefix.path.clone() };
            let id = self.pool.dense(&name, self.store, out)?;
            let found = &self.pool.tensors[id].shape;
            let channels = shape?.channels();
            if found.0.len() == 1 && found.size() == channels {
                return Some(id);
            }
            out.push(
                Diagnostic::error(
                    codes::TENSOR_SHAPE,
                    format!("`{}` has the shape {found}", name.text),
                )
                .at(&prefix.path)
                .note(format!("expected [{channels}], one per channel")),
            );
            None
        };
        let gamma = tensor("weight", out);
        let beta = tensor("bias", out);
        let mean = tensor("running_mean", out);
        let variance = tensor("running_var", out);
        let variance = variance?;
        let values = &self.pool.tensors[variance].data;
        if let Some(index) = values.iter().position(|&v| v < 0.0 || f64::from(v) + eps <= 0.0) {
            out.push(
                Diagnostic::error(
                    codes::TENSOR_VALUE,
                    format!("variance {index} of `{}` is {}", prefix.text, values[index]),
                )
                .at(&prefix.path)
                .note(format!("expected variance >= 0 and variance + eps > 0; eps is {eps}")),
            );
            return None;
        }
        Some(Op::BatchNorm { gamma: gamma?, beta: beta?, mean: mean?, variance, eps })
    }

    /// `(x − mean) / std` of a directly coded input, as a batch normalization of scale `1 / std`,
    /// variance 1 and eps 0. `#` is in no id of a genome, so the name is free.
    fn normalization(&mut self, input: NodeId, spec: &InputSpec, node: &NodeSpec) -> Option<Node> {
        let (mean, std) = spec.normalization.as_ref()?;
        let name = &node.id.as_ref()?.text;
        let channels = mean.len();
        let mut tensor = |suffix: &str, values: Vec<f32>| -> TensorId {
            self.pool.derived(format!("{name}#{suffix}"), values, "$.input")
        };
        let op = Op::BatchNorm {
            gamma: tensor("scale", std.iter().map(|s| s.recip()).collect()),
            beta: tensor("shift", vec![0.0; channels]),
            mean: tensor("mean", mean.clone()),
            variance: tensor("variance", vec![1.0; channels]),
            eps: 0.0,
        };
        Some(Node {
            name: format!("{name}#normalized"),
            op,
            inputs: vec![Edge { source: input, delay: 0 }],
            shape: spec.shape.clone(),
        })
    }

    fn report_unused(&self, genes: &Genes, out: &mut Diagnostics) {
        let used = self.used_neurons.borrow();
        for (name, _) in self.file.neurons.iter().filter(|(n, _)| !used.contains(&*n.text)) {
            let message = format!("the neuron `{}` is unused", name.text);
            out.push(Diagnostic::warning(codes::UNUSED, message).at(&name.path));
        }
        genes.report_unused(out);
        self.store.report_unused(out);
    }
}
