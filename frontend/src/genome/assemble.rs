//! The nodes of the network from checked parts.

use super::envelope::{GenomeFile, InputSpec};
use super::genes::Genes;
use super::graph::Read;
use super::node::{NodeSpec, OpSpec, Population};
use super::pool::Pool;
use super::shapes::{self, Weights};
use super::store::Store;
use crate::fields::{Name, unknown_name};
use snnc_ir::arena::{Entity, NodeId, TensorId};
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::network::{Edge, Node, Op};
use snnc_ir::{Arena, Diagnostic, Diagnostics, Shape};
use std::collections::BTreeSet;

/// Assembles the nodes of the network.
pub(crate) struct Builder<'a> {
    pub(crate) file: &'a GenomeFile,
    pub(crate) nodes: &'a [NodeSpec],
    pub(crate) reads: &'a [Option<Vec<Read>>],
    pub(crate) shapes: &'a [Option<Shape>],
    pub(crate) weights: &'a [Weights],
    pub(crate) store: &'a Store,
    pub(crate) pool: Pool,
    pub(crate) used_neurons: BTreeSet<&'a str>,
    /// The input node, if its frames are normalized.
    pub(crate) normalized: Option<usize>,
}

impl<'a> Builder<'a> {
    /// The id that node `i` of the file has in the network: the normalization of the input, which
    /// the file does not have, comes right after the input.
    pub(crate) fn id(&self, i: usize) -> NodeId {
        NodeId::new(i + usize::from(self.normalized.is_some_and(|input| i > input)))
    }

    /// What a read of node `i` reads: the normalized frame in place of the raw one.
    fn source(&self, i: usize) -> NodeId {
        if self.normalized == Some(i) { NodeId::new(i + 1) } else { self.id(i) }
    }

    /// All nodes; `None` if one is wrong, which is then reported.
    pub(crate) fn nodes(
        &mut self,
        input: &InputSpec,
        out: &mut Diagnostics,
    ) -> Option<Arena<NodeId, Node>> {
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
            OpSpec::Clip(keep) => Some(Op::Relay(Some(*keep))),
            OpSpec::Crop(crop) => Some(Op::Crop(*crop)),
            OpSpec::Zero(_) => Some(Op::Zero),
            OpSpec::Neuron(population) => self.neuron(population, &spec.path, shape, out),
            OpSpec::BatchNorm { prefix, eps } => self.batch_norm(prefix, *eps, shape, out),
            // A bias that is wrong is an error, so that nothing comes of this node.
            OpSpec::Linear { .. } => {
                let Weights { weight, bias } = self.weights[i];
                weight.map(|weight| Op::Linear { weight, bias })
            }
            OpSpec::Conv2d { window, groups, .. } => {
                let Weights { weight, bias } = self.weights[i];
                let weight = weight?;
                let channels = self.pool.tensors[weight].shape.0.first().copied()?;
                let conv = shapes::geometry(*window, read_shape?, channels, *groups).ok()?;
                Some(Op::Conv2d { weight, bias, conv })
            }
            OpSpec::AvgPool { window, exclude_pad } => {
                let [channels, ..] = read_shape?.as_chw()?;
                let window = shapes::geometry(*window, read_shape?, channels, channels).ok()?;
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
        population: &'a Population,
        path: &str,
        shape: Option<&Shape>,
        out: &mut Diagnostics,
    ) -> Option<Op> {
        let name = &population.neuron;
        self.used_neurons.insert(&name.text);
        let neurons = &self.file.neurons;
        let Some((_, spec)) = neurons.get(&name.text) else {
            out.push(unknown_name(name, "neuron", neurons.keys().map(String::as_str)));
            return None;
        };
        spec.as_ref()?.resolve(population, path, shape?, self.store, out).map(Op::Neuron)
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

    /// Warns of neurons, genes and tensors that nothing uses.
    pub(crate) fn report_unused(&self, genes: &Genes, out: &mut Diagnostics) {
        let used = &self.used_neurons;
        for (name, (path, _)) in
            self.file.neurons.iter().filter(|(n, _)| !used.contains(n.as_str()))
        {
            let message = format!("the neuron `{name}` is unused");
            out.push(Diagnostic::warning(codes::UNUSED, message).at(path));
        }
        genes.report_unused(out);
        self.store.report_unused(out);
    }
}
