//! Nodes without state: weights, convolutions, pooling, scales, flattening, delays of several lengths.

use super::build::{Builder, Source, shape};
use super::no_form;
use super::plan::PlanNode;
use crate::arrays::{Array, show_shape};
use crate::json::quote;
use crate::nir::dialect::all;
use crate::nir::graph::{self, Padding, Pool, Primitive};
use snnc_ir::arena::{NodeId, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::network::Op;
use snnc_ir::{Diagnostic, Shape};
use std::collections::BTreeSet;

/// Most values of a matrix that is made of a smaller parameter.
const MAX_MADE: usize = 1 << 24;

/// Most different delays of one node.
const MAX_MASKS: usize = 64;

/// Whether a node adds something to its input.
pub(super) fn is_biased(primitive: &Primitive) -> bool {
    match primitive {
        Primitive::Affine { bias, .. } => !all(bias, 0.0),
        Primitive::Conv1d(c) => !all(&c.bias, 0.0),
        Primitive::Conv2d(c) => !all(&c.bias, 0.0),
        _ => false,
    }
}

/// The numbers of an array in f32, each rounded once.
#[expect(clippy::cast_possible_truncation, reason = "networks hold f32")]
pub(super) fn floats(array: &Array) -> Vec<f32> {
    let mut values = Vec::with_capacity(array.data.len());
    crate::nir::check::visit(&array.data, |_, x| values.push(x as f32));
    values
}

/// A linear operation and its bias.
struct Linear {
    weight: TensorId,
    /// Geometry of a convolution.
    conv: Option<Conv>,
    /// One value per output, or per output channel.
    bias: Option<Vec<f32>>,
}

impl<'a> Builder<'a, '_> {
    /// Builds a node without state.
    pub(super) fn linear(
        &mut self,
        index: usize,
        node: &PlanNode<'a>,
    ) -> Result<NodeId, Diagnostic> {
        let at = |name: &str| format!("{}/{name}", node.path);
        let biased = |bias: &Array| (!all(bias, 0.0)).then(|| floats(bias));
        match node.primitive {
            Primitive::Affine { weight, bias } => {
                let (weight, copies) = self.matrix(node, weight)?;
                let bias = biased(bias).map(|b| {
                    let outputs = node.output.iter().product::<usize>();
                    if b.len() == outputs { b } else { b.repeat(copies) }
                });
                self.weighted(index, node, Linear { weight, conv: None, bias })
            }
            Primitive::Linear { weight } => {
                let (weight, _) = self.matrix(node, weight)?;
                self.weighted(index, node, Linear { weight, conv: None, bias: None })
            }
            Primitive::Conv1d(c) => {
                let conv = conv1d(c);
                self.convolution(index, node, &conv, biased(&c.bias))
            }
            Primitive::Conv2d(c) => self.convolution(index, node, c, biased(&c.bias)),
            Primitive::SumPool2d(pool) => self.sums(index, node, pool, 1.0),
            Primitive::AvgPool2d(pool) => self.averages(index, node, pool),
            Primitive::Flatten(_) => self.flatten(index, node),
            Primitive::Scale { scale } => {
                let input = self.input(index, 0)?;
                self.scaled(&node.name, &at("scale"), node, &floats(scale), input)
            }
            _ => Err(no_form(&node.path, format!("{} has no form in steps", quote(&node.name)))),
        }
    }

    /// A weight `[..., out, in]` as a matrix, with one block for each element of the leading extents, and their
    /// number.
    fn matrix(
        &mut self,
        node: &PlanNode<'a>,
        weight: &Array,
    ) -> Result<(TensorId, usize), Diagnostic> {
        let path = format!("{}/weight", node.path);
        let Some((lead, &[rows, columns])) = weight.shape.split_last_chunk() else {
            return Err(no_form(&path, "a weight has at least two dimensions"));
        };
        let blocks: usize = lead.iter().product();
        let (height, width) = (rows.saturating_mul(blocks), columns.saturating_mul(blocks));
        let size = height.saturating_mul(width);
        let (Ok(tall), Ok(wide)) = (u32::try_from(height), u32::try_from(width)) else {
            return Err(too_large(node, size));
        };
        let values = floats(weight);
        if blocks == 1 {
            return Ok((self.tensor(&path, vec![tall, wide], values), 1));
        }
        if size > MAX_MADE {
            return Err(too_large(node, size));
        }
        let mut whole = vec![0.0_f32; size];
        for (i, row) in values.chunks(columns.max(1)).enumerate() {
            let start = i * width + i / rows * columns;
            whole[start..start + columns].copy_from_slice(row);
        }
        Ok((self.tensor(&path, vec![tall, wide], whole), blocks))
    }

    /// A linear operation.
    fn weighted(
        &mut self,
        index: usize,
        node: &PlanNode<'a>,
        linear: Linear,
    ) -> Result<NodeId, Diagnostic> {
        let Linear { weight, conv, bias } = linear;
        let shape = shape(node, &node.output)?;
        let input = self.input(index, 0)?;
        let op = |bias| match conv {
            Some(conv) => Op::Conv2d { weight, bias, conv },
            None => Op::Linear { weight, bias },
        };
        let path = format!("{}/bias", node.path);
        let Some(values) = bias else { return Ok(self.add(&node.name, op(None), &[input], shape)) };
        let count = |values: &[f32]| u32::try_from(values.len()).unwrap_or(u32::MAX);
        let bias = self.tensor(&path, vec![count(&values)], values);
        Ok(self.add(&node.name, op(Some(bias)), &[input], shape))
    }

    fn convolution(
        &mut self,
        index: usize,
        node: &PlanNode<'a>,
        c: &graph::Conv<2>,
        bias: Option<Vec<f32>>,
    ) -> Result<NodeId, Diagnostic> {
        let path = format!("{}/weight", node.path);
        let (kernel, extents) = dilated(c).ok_or_else(|| too_large(node, usize::MAX))?;
        let pad = match c.padding {
            Padding::Valid => [0; 4],
            Padding::Zeros([v, h]) => [v, v, h, h],
            Padding::Same => {
                let [v, h] = extents.map(|k| k - 1);
                [v / 2, v - v / 2, h / 2, h - h / 2]
            }
        };
        let conv = self.geometry(node, c.weight.shape[0], extents, c.stride, pad, c.groups)?;
        let weight = self.tensor(&path, conv.kernel_shape().to_vec(), kernel);
        self.weighted(index, node, Linear { weight, conv: Some(conv), bias })
    }

    /// Sums of windows, times `factor`.
    fn sums(
        &mut self,
        index: usize,
        node: &PlanNode<'a>,
        pool: &Pool,
        factor: f32,
    ) -> Result<NodeId, Diagnostic> {
        let channels = node.input[0];
        let conv = self.window(node, pool)?;
        let taps = channels.saturating_mul(pool.kernel[0]).saturating_mul(pool.kernel[1]);
        if taps > MAX_MADE {
            return Err(too_large(node, taps));
        }
        let path = format!("{}/kernel_size", node.path);
        let weight = self.tensor(&path, conv.kernel_shape().to_vec(), vec![factor; taps]);
        self.weighted(index, node, Linear { weight, conv: Some(conv), bias: None })
    }

    fn averages(
        &mut self,
        index: usize,
        node: &PlanNode<'a>,
        pool: &Pool,
    ) -> Result<NodeId, Diagnostic> {
        if (0..2).any(|axis| pool.padding[axis] >= pool.kernel[axis]) {
            let cells = pool.kernel[0].saturating_mul(pool.kernel[1]);
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                reason = "the weight of a cell, rounded once"
            )]
            let share = (1.0 / cells as f64) as f32;
            return self.sums(index, node, pool, share);
        }
        let window = self.window(node, pool)?;
        let shape = shape(node, &node.output)?;
        let input = self.input(index, 0)?;
        Ok(self.add(&node.name, Op::AvgPool { window, exclude_pad: false }, &[input], shape))
    }

    fn window(&self, node: &PlanNode<'a>, pool: &Pool) -> Result<Conv, Diagnostic> {
        let [v, h] = pool.padding;
        let &[channels, ..] = &node.input[..] else { return Err(odd(node)) };
        self.geometry(node, channels, pool.kernel, pool.stride, [v, v, h, h], channels)
    }

    #[expect(clippy::unused_self, reason = "reads like the other builders")]
    fn geometry(
        &self,
        node: &PlanNode<'a>,
        out_channels: usize,
        kernel: [usize; 2],
        stride: [usize; 2],
        pad: [usize; 4],
        groups: usize,
    ) -> Result<Conv, Diagnostic> {
        let input = shape(node, &node.input)?.as_chw().ok_or_else(|| odd(node))?;
        let small = |n: usize| u32::try_from(n).map_err(|_| odd(node));
        let [top, bottom, left, right] = pad;
        Ok(Conv {
            input,
            out_channels: small(out_channels)?,
            kernel: [small(kernel[0])?, small(kernel[1])?],
            stride: [small(stride[0])?, small(stride[1])?],
            pad: [small(top)?, small(bottom)?, small(left)?, small(right)?],
            groups: small(groups)?,
            crop: [0; 4],
        })
    }

    fn flatten(&mut self, index: usize, node: &PlanNode<'a>) -> Result<NodeId, Diagnostic> {
        let (from, to) = (shape(node, &node.input)?, shape(node, &node.output)?);
        if from == to {
            return self.pass(index, node);
        }
        let input = self.input(index, 0)?;
        let flat = Shape::flat(u32::try_from(to.size()).unwrap_or(u32::MAX));
        if to == flat {
            return Ok(self.add(&node.name, Op::Flatten, &[input], flat));
        }
        // Vectors become channels again behind a convolution that changes nothing.
        let Some(extents) = to.as_chw() else { return Err(odd(node)) };
        let vector = self.add(&format!("{}.vector", node.name), Op::Flatten, &[input], flat);
        let conv = Conv {
            input: extents,
            out_channels: extents[0],
            kernel: [1, 1],
            stride: [1, 1],
            pad: [0; 4],
            groups: extents[0],
            crop: [0; 4],
        };
        let ones = vec![1.0; extents[0] as usize];
        let path = format!("{}/start_dim", node.path);
        let weight = self.tensor(&path, conv.kernel_shape().to_vec(), ones);
        let op = Op::Conv2d { weight, bias: None, conv };
        Ok(self.add(&node.name, op, &[Source::Built(vector, 0)], to))
    }

    /// Every element times its number.
    fn scaled(
        &mut self,
        name: &str,
        path: &str,
        node: &PlanNode<'a>,
        values: &[f32],
        input: Source,
    ) -> Result<NodeId, Diagnostic> {
        let shape = shape(node, &node.output)?;
        let (channels, area) = (shape.channels(), shape.per_channel());
        let value = |i: usize| values[if values.len() == 1 { 0 } else { i }];
        let alike = |c: usize| {
            (0..area).all(|i| value(c * area + i).to_bits() == value(c * area).to_bits())
        };
        if (0..channels).all(alike) {
            let gamma: Vec<f32> = (0..channels).map(|c| value(c * area)).collect();
            let count = u32::try_from(channels).unwrap_or(u32::MAX);
            let gamma = self.tensor(path, vec![count], gamma);
            let zeros = self.tensor(&format!("{path}.zeros"), vec![count], vec![0.0; channels]);
            let ones = self.tensor(&format!("{path}.ones"), vec![count], vec![1.0; channels]);
            let op = Op::BatchNorm { gamma, beta: zeros, mean: zeros, variance: ones, eps: 0.0 };
            return Ok(self.add(name, op, &[input], shape));
        }
        let size = shape.size();
        if size.saturating_mul(size) > MAX_MADE {
            return Err(too_large(node, size.saturating_mul(size))
                .help("scale channels, or put the scale into the weights next to it"));
        }
        let mut diagonal = vec![0.0; size * size];
        (0..size).for_each(|i| diagonal[i * size + i] = value(i));
        let extent = u32::try_from(size).unwrap_or(u32::MAX);
        let weight = self.tensor(path, vec![extent, extent], diagonal);
        Ok(self.add(name, Op::Linear { weight, bias: None }, &[input], shape))
    }

    /// A delay. Elements with different delays are masked, one mask for each delay, and summed.
    pub(super) fn delay(
        &mut self,
        index: usize,
        node: &PlanNode<'a>,
    ) -> Result<NodeId, Diagnostic> {
        let steps = self.delays.steps.get(&node.name).map_or(&[][..], Vec::as_slice);
        let lengths: BTreeSet<u32> = steps.iter().copied().collect();
        let least = lengths.first().copied().unwrap_or(0);
        if lengths.len() < 2 {
            return self.pass(index, node);
        }
        if lengths.len() > MAX_MASKS {
            return Err(no_form(
                &format!("{}/delay", node.path),
                format!("{} has {} different delays", quote(&node.name), lengths.len()),
            )
            .note(format!("each takes a mask of its own, and at most {MAX_MASKS} are made"))
            .help("round the delays, or split the node"));
        }
        let shape = shape(node, &node.output)?;
        let mut parts = Vec::new();
        for &length in &lengths {
            let input = self.input(index, length - least)?;
            let mask: Vec<f32> =
                steps.iter().map(|&s| if s == length { 1.0 } else { 0.0 }).collect();
            let name = format!("{}.{length}", node.name);
            let path = format!("{}/delay.{length}", node.path);
            parts.push(Source::Built(self.scaled(&name, &path, node, &mask, input)?, 0));
        }
        Ok(self.add(&node.name, Op::Add, &parts, shape))
    }
}

/// A kernel with zeros between its taps, and its extents. `None` if it is too large.
fn dilated(c: &graph::Conv<2>) -> Option<(Vec<f32>, [usize; 2])> {
    let &[out, per_group, height, width] = &c.weight.shape[..] else { return None };
    let reach = |k: usize, d: usize| k.checked_sub(1)?.checked_mul(d)?.checked_add(1);
    let [tall, wide] = [reach(height, c.dilation[0])?, reach(width, c.dilation[1])?];
    let kernel = floats(&c.weight);
    if [tall, wide] == [height, width] {
        return Some((kernel, [tall, wide]));
    }
    let planes = out.checked_mul(per_group)?;
    let size = planes.checked_mul(tall)?.checked_mul(wide)?;
    if size > MAX_MADE {
        return None;
    }
    let mut whole = vec![0.0; size];
    for (i, &value) in kernel.iter().enumerate() {
        let (plane, y, x) = (i / (height * width), i / width % height, i % width);
        whole[(plane * tall + y * c.dilation[0]) * wide + x * c.dilation[1]] = value;
    }
    Some((whole, [tall, wide]))
}

/// A convolution along one axis as one of height 1.
fn conv1d(c: &graph::Conv<1>) -> graph::Conv<2> {
    let mut weight = c.weight.clone();
    weight.shape.insert(2.min(weight.shape.len()), 1);
    graph::Conv {
        input_shape: c.input_shape.map(|[n]| [1, n]),
        weight,
        bias: c.bias.clone(),
        stride: [1, c.stride[0]],
        padding: match c.padding {
            Padding::Zeros([n]) => Padding::Zeros([0, n]),
            Padding::Same => Padding::Same,
            Padding::Valid => Padding::Valid,
        },
        dilation: [1, c.dilation[0]],
        groups: c.groups,
    }
}

fn too_large(node: &PlanNode<'_>, size: usize) -> Diagnostic {
    no_form(&node.path, format!("{} would become a matrix of {size} values", quote(&node.name)))
        .note(format!("at most {MAX_MADE} are made"))
}

fn odd(node: &PlanNode<'_>) -> Diagnostic {
    no_form(
        &node.path,
        format!("{} takes values of {}", quote(&node.name), show_shape(&node.input)),
    )
    .note("expected [channels, height, width], [channels, n] or [n], and extents below 2^32")
}
