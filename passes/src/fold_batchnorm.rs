//! `fold-batchnorm`: batch normalization becomes weights and biases (class: real-exact).
//!
//! With `s = gamma / sqrt(variance + eps)` and `t = beta − mean · s`, the node computes `x·s + t`.
//! Behind a linear operation `W y + b` that is `(s·W) y + (s·b + t)`: the operation is repeated
//! with scaled weights in place of the normalization, and the original disappears unless something
//! else reads it. Behind a `concat` each part is normalized on its own (`NAME.0`, `NAME.1`, …), so
//! that every operation in front of it takes its share, and the node becomes the `concat` of these.
//! Anywhere else (behind a sum, a pooling, an input, …) the node becomes a depthwise 1×1 convolution
//! with weights `s` and bias `t`. All products are taken in f64 and rounded once.
//!
//! A normalization that reads an operation with a bias through a delay is not folded into it: before
//! the first step it reads 0, not the bias.
//!
//! ```text
//! // before
//! node1 "c" [2, 4, 4] = conv2d(node0) weight tensor0 conv [1, 4, 4] to 2 kernel [1, 1] …
//! node2 "n" [2, 4, 4] = batchnorm(node1) gamma tensor1 beta tensor2 mean tensor3 variance tensor4 eps 0.001
//! // after: tensor5 is "w.bn", tensor6 is "beta.bn"
//! node1 "n" [2, 4, 4] = conv2d(node0) weight tensor5 bias tensor6 conv [1, 4, 4] to 2 kernel [1, 1] …
//! ```
//!
//! Complexity: O(weights).

use crate::framework::{Class, Context, Pass, PassInfo, Property};
use crate::graph::{add_delays, extents, only_input, reader_counts, remove_newly_unread};
use crate::linear::pointwise;
use crate::tensors::{TensorMaker, round, unique};
use snnc_ir::arena::{NodeId, TensorId};
use snnc_ir::network::{Edge, Node, Op};
use snnc_ir::{Diagnostic, Diagnostics, Network, NetworkDraft, Shape};
use std::collections::BTreeSet;
use std::ops::Range;

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct FoldBatchNorm;

static INFO: PassInfo = PassInfo {
    name: "fold-batchnorm",
    summary: "fold batch normalization into weights and biases",
    class: Class::RealExact,
    requires: &[Property::GenesLowered],
    establishes: &[Property::BatchNormFolded],
    invalidates: &[
        Property::NeuronsPushed,
        Property::SilentFolded,
        Property::NodesMerged,
        Property::DeadRemoved,
        Property::TensorsShared,
    ],
    options: &[],
};

impl Pass for FoldBatchNorm {
    type From = Network;
    type To = Network;

    fn info(&self) -> &'static PassInfo {
        &INFO
    }

    fn run(
        &self,
        mut draft: NetworkDraft,
        _cx: &mut Context<'_>,
    ) -> Result<NetworkDraft, Diagnostics> {
        let readers = reader_counts(&draft);
        let mut tensors = std::mem::take(&mut draft.tensors);
        let mut maker = TensorMaker::new(&mut tensors, INFO.name, "bn");
        let mut names = draft.nodes.values().map(|n| n.name.clone()).collect();
        let mut errors = Diagnostics::new();
        // Sources first, so that a normalization of a normalization finds it folded.
        let order = draft.order().unwrap_or_else(|| draft.nodes.ids().collect());
        for id in order {
            let Some(affine) = Affine::of(&draft.nodes[id].op, &maker) else { continue };
            if let Err(error) = replace(&mut draft, id, &affine, &mut maker, &mut names) {
                errors.push(error);
            }
        }
        draft.tensors = tensors;
        if errors.is_empty() {
            remove_newly_unread(&mut draft, &readers);
        }
        errors.into_result(draft)
    }
}

/// `x · scale + shift` per channel.
struct Affine {
    scale: Vec<f64>,
    shift: Vec<f64>,
    /// Tensors of the scale: gamma and variance.
    scale_from: [TensorId; 2],
    /// Tensors of the shift: beta, mean, gamma and variance.
    shift_from: [TensorId; 4],
}

impl Affine {
    fn of(op: &Op, maker: &TensorMaker<'_>) -> Option<Self> {
        let Op::BatchNorm { gamma, beta, mean, variance, eps } = *op else { return None };
        let values = |t: TensorId| maker.arena()[t].data.iter().map(|&v| f64::from(v));
        let scale: Vec<f64> =
            values(gamma).zip(values(variance)).map(|(g, v)| g / (v + eps).sqrt()).collect();
        let shift = values(beta).zip(values(mean)).zip(&scale).map(|((b, m), s)| b - m * s);
        Some(Self {
            shift: shift.collect(),
            scale,
            scale_from: [gamma, variance],
            shift_from: [beta, mean, gamma, variance],
        })
    }

    /// Some channels.
    fn part(&self, channels: Range<usize>) -> Self {
        Self {
            scale: self.scale[channels.clone()].to_vec(),
            shift: self.shift[channels].to_vec(),
            ..*self
        }
    }
}

/// Puts an operation in place of the normalization `id`, one for each part of a `concat`.
fn replace(
    draft: &mut NetworkDraft,
    id: NodeId,
    affine: &Affine,
    maker: &mut TensorMaker<'_>,
    names: &mut BTreeSet<String>,
) -> Result<(), Diagnostic> {
    let Node { name, inputs, shape, .. } = draft.nodes[id].clone();
    let edge = inputs[0];
    if draft.nodes[edge.source].op != Op::Concat {
        let (op, input) = fold(draft, edge, &shape, &name, affine, maker)?;
        let node = &mut draft.nodes[id];
        node.op = op;
        node.inputs = vec![input];
        return Ok(());
    }
    let mut parts = Vec::new();
    let mut first = 0;
    for (k, read) in draft.nodes[edge.source].inputs.clone().into_iter().enumerate() {
        let shape = draft.nodes[read.source].shape.clone();
        let affine = affine.part(first..first + shape.channels());
        first += shape.channels();
        let name = unique(names, &format!("{name}.{k}"));
        let read = Edge { delay: add_delays(edge.delay, read.delay, &name)?, ..read };
        // A part may be a concatenation itself.
        let node = Node { name, op: draft.nodes[id].op.clone(), inputs: vec![read], shape };
        let part = draft.nodes.push(node);
        replace(draft, part, &affine, maker, names)?;
        parts.push(Edge { source: part, delay: 0 });
    }
    let node = &mut draft.nodes[id];
    node.op = Op::Concat;
    node.inputs = parts;
    Ok(())
}

/// What normalizes the value of shape `shape` that `edge` reads for the node `name`, and what that
/// reads.
fn fold(
    draft: &NetworkDraft,
    edge: Edge,
    shape: &Shape,
    name: &str,
    affine: &Affine,
    maker: &mut TensorMaker<'_>,
) -> Result<(Op, Edge), Diagnostic> {
    let source = &draft.nodes[edge.source];
    let (weight, bias) = match &source.op {
        Op::Linear { weight, bias } => (*weight, *bias),
        Op::Conv2d { weight, bias, conv } if conv.out_channels as usize == shape.channels() => {
            (*weight, *bias)
        }
        _ => return depthwise(shape, edge, affine, maker),
    };
    let silent = |b: TensorId| maker.arena()[b].data.iter().all(|v| v.abs() <= 0.0);
    let Some(inner) =
        only_input(draft, edge.source).filter(|_| edge.delay == 0 || bias.is_none_or(silent))
    else {
        return depthwise(shape, edge, affine, maker);
    };
    let delay = add_delays(edge.delay, inner.delay, name)?;
    let weight = scaled_weight(weight, affine, maker)?;
    let outputs = maker.arena()[weight].shape.channels();
    let bias = Some(scaled_bias(bias, outputs, affine, maker)?);
    let op = match source.op {
        Op::Conv2d { conv, .. } => Op::Conv2d { weight, bias, conv },
        _ => Op::Linear { weight, bias },
    };
    Ok((op, Edge { source: inner.source, delay }))
}

/// The normalization as a convolution of its own.
fn depthwise(
    shape: &Shape,
    edge: Edge,
    affine: &Affine,
    maker: &mut TensorMaker<'_>,
) -> Result<(Op, Edge), Diagnostic> {
    let conv = pointwise(extents(shape));
    let scale = affine.scale.iter().map(|&s| round(s)).collect();
    let kernel = Shape(conv.kernel_shape().to_vec());
    let weight = maker.derive(&affine.scale_from, "scale", kernel, scale)?;
    let shift = affine.shift.iter().map(|&t| round(t)).collect();
    let shape = Shape::flat(conv.out_channels);
    let bias = Some(maker.derive(&affine.shift_from, "shift", shape, shift)?);
    Ok((Op::Conv2d { weight, bias, conv }, edge))
}

fn scaled_weight(
    weight: TensorId,
    affine: &Affine,
    maker: &mut TensorMaker<'_>,
) -> Result<TensorId, Diagnostic> {
    let tensor = &maker.arena()[weight];
    let per_channel = tensor.data.len() / affine.scale.len();
    let rows = tensor.data.chunks(per_channel.max(1)).zip(&affine.scale);
    let data = rows.flat_map(|(row, &s)| row.iter().map(move |&w| round(f64::from(w) * s)));
    let (shape, data) = (tensor.shape.clone(), data.collect());
    let [gamma, variance] = affine.scale_from;
    maker.derive(&[weight, gamma, variance], "weight", shape, data)
}

fn scaled_bias(
    bias: Option<TensorId>,
    len: usize,
    affine: &Affine,
    maker: &mut TensorMaker<'_>,
) -> Result<TensorId, Diagnostic> {
    let per_channel = (len / affine.shift.len()).max(1);
    let old = |o: usize| bias.map_or(0.0, |b| f64::from(maker.arena()[b].data[o]));
    let value = |o: usize| old(o) * affine.scale[o / per_channel] + affine.shift[o / per_channel];
    let data = (0..len).map(|o| round(value(o))).collect();
    let from: Vec<_> = bias.into_iter().chain(affine.shift_from).collect();
    let shape = Shape::flat(u32::try_from(len).unwrap_or(u32::MAX));
    maker.derive(&from, "bias", shape, data)
}
