//! Operations of analog nodes on `[batch, elements]` tensors, in the stated order.

use super::conv::{Windows, crop};
use super::{Device, matrix, per_neuron, zeros};
use crate::error::SimError;
use crate::float::plan::{batch_norm, count};
use burn::tensor::{DType, Tensor, TensorData};
use snnc_ir::arena::TensorId;
use snnc_ir::network::{Keep, Network, Node, Op};
use snnc_ir::shape::Shape;

/// An analog node's computation.
pub(super) enum Operator {
    /// Weights by source `[in, out]`, bias per output.
    Linear {
        by_source: Box<Tensor<2>>,
        bias: Option<Vec<f32>>,
    },
    /// For each group, offset and input channel (innermost last) the weights of the output
    /// channels, `[1, channels, 1, 1]`; bias per element.
    Conv {
        windows: Windows,
        taps: Vec<Vec<Tensor<4>>>,
        bias: Option<Vec<f32>>,
    },
    /// `x · scale + shift`, per element.
    BatchNorm {
        scale: Vec<f32>,
        shift: Vec<f32>,
    },
    Add,
    Concat,
    /// Sum over a window, divided per element.
    Pool {
        windows: Windows,
        divisors: Vec<f32>,
    },
    /// Mean over the positions of each channel.
    GlobalPool {
        channels: usize,
        area: usize,
    },
    Relay(Option<Keep>),
    /// What is left of an image `[channels, height, width]`.
    Crop {
        image: [usize; 3],
        crop: [u32; 4],
    },
    /// Zeros, as many as the node has elements.
    Zero(usize),
}

impl Operator {
    /// The operator of an analog node.
    pub(super) fn new(network: &Network, node: &Node, device: &Device) -> Result<Self, SimError> {
        let data = |id: TensorId| network.tensors[id].data.as_slice();
        let windows = |conv| {
            let what =
                || SimError::Malformed(format!("the window of `{}` has no output", node.name));
            Windows::new(conv).ok_or_else(what)
        };
        let size = node.shape.size();
        let spread = |values: &[f32]| -> Vec<f32> {
            let positions = size / values.len().max(1);
            values.iter().flat_map(|&x| std::iter::repeat_n(x, positions)).collect()
        };
        Ok(match &node.op {
            Op::Linear { weight, bias } => {
                let weights = network.values(*weight).into_owned();
                let cols = weights.len() / size.max(1);
                Self::Linear {
                    by_source: Box::new(matrix(weights, [size, cols], device).transpose()),
                    bias: bias.map(|b| data(b).to_vec()),
                }
            }
            Op::Conv2d { weight, bias, conv } => {
                let windows = windows(conv)?;
                Self::Conv {
                    windows,
                    taps: taps(&windows, &network.values(*weight), device),
                    bias: bias.map(|b| spread(data(b))),
                }
            }
            Op::BatchNorm { gamma, beta, mean, variance, eps } => {
                let (gamma, beta) = (data(*gamma), data(*beta));
                let (mean, variance) = (data(*mean), data(*variance));
                let (scale, shift): (Vec<_>, Vec<_>) = (0..node.shape.channels())
                    .map(|c| batch_norm(gamma[c], beta[c], mean[c], variance[c], *eps))
                    .unzip();
                Self::BatchNorm { scale: spread(&scale), shift: spread(&shift) }
            }
            Op::Add => Self::Add,
            Op::AvgPool { window, exclude_pad } => {
                let full = window.kernel[0] as usize * window.kernel[1] as usize;
                let divisors = (0..size).map(|o| {
                    let mut inside = 0;
                    window.for_sources(o, |_, _| inside += 1);
                    count(if *exclude_pad { inside } else { full })
                });
                Self::Pool { windows: windows(window)?, divisors: divisors.collect() }
            }
            Op::GlobalAvgPool => {
                let source =
                    node.inputs.first().map_or(0, |e| network.nodes[e.source].shape.size());
                Self::GlobalPool { channels: size, area: source / size.max(1) }
            }
            Op::Relay(keep) => Self::Relay(*keep),
            Op::Crop(crop) => {
                let source = node.inputs.first().map(|e| &network.nodes[e.source].shape);
                let Some(image) = source.and_then(Shape::as_chw) else {
                    return Err(SimError::Malformed(format!("`{}` crops no image", node.name)));
                };
                Self::Crop { image: image.map(|d| d as usize), crop: *crop }
            }
            Op::Zero => Self::Zero(size),
            // Populations are handled by the caller, and have nothing to compute here.
            Op::Concat | Op::Flatten | Op::Input(_) | Op::Neuron(_) => Self::Concat,
        })
    }

    /// The node's value.
    pub(super) fn apply(&self, inputs: Vec<Tensor<2>>, batch: usize, device: &Device) -> Tensor<2> {
        let constant = |values: &[f32]| per_neuron(values.to_vec(), batch, device);
        let mut rest = inputs.into_iter();
        let Some(x) = rest.next() else {
            // Only a zero reads nothing.
            let size = if let Self::Zero(size) = self { *size } else { 0 };
            return zeros(batch, size, device);
        };
        match self {
            Self::Linear { by_source, bias } => {
                let [sources, targets] = by_source.dims();
                let mut sum = zeros(batch, targets, device);
                for i in 0..sources {
                    let weights = Tensor::clone(by_source).narrow(0, i, 1);
                    sum = sum + x.clone().narrow(1, i, 1) * weights;
                }
                bias.iter().fold(sum, |sum, b| sum + constant(b))
            }
            Self::Conv { windows, taps, bias } => {
                let sum = convolve(windows, taps, x, batch, device);
                bias.iter().fold(sum, |sum, b| sum + constant(b))
            }
            Self::BatchNorm { scale, shift } => x * constant(scale) + constant(shift),
            Self::Add => rest.fold(x, |sum, y| sum + y),
            Self::Concat => Tensor::cat(std::iter::once(x).chain(rest).collect(), 1),
            Self::Pool { windows, divisors } => {
                let [channels, height, width] = windows.output();
                let start = Tensor::zeros([batch, channels, height, width], (device, DType::F32));
                // Padding adds +0 to a sum that is never −0.
                let sum = windows.patches(x).into_iter().fold(start, |sum, patch| sum + patch);
                sum.reshape([batch, divisors.len()]) / constant(divisors)
            }
            Self::GlobalPool { channels, area } => {
                let x = x.reshape([batch, *channels, *area]);
                let mut sum = Tensor::zeros([batch, *channels, 1], (device, DType::F32));
                for i in 0..*area {
                    sum = sum + x.clone().narrow(2, i, 1);
                }
                sum.reshape([batch, *channels]) / constant(&vec![count(*area); *channels])
            }
            Self::Relay(keep) => {
                let dropped = match keep {
                    None => return x,
                    Some(Keep::Positive) => x.clone().greater_scalar(0.0_f32).bool_not(),
                    Some(Keep::Negative) => x.clone().lower_scalar(0.0_f32).bool_not(),
                };
                x.mask_fill(dropped, 0.0_f32)
            }
            Self::Crop { image: [channels, height, width], crop: window } => {
                let image = x.reshape([batch, *channels, *height, *width]);
                crop(image, *window).flatten(1, 3)
            }
            Self::Zero(size) => zeros(batch, *size, device),
        }
    }
}

/// Weights by group, then by (input channel, offset), one tensor for all output channels.
fn taps(windows: &Windows, weights: &[f32], device: &Device) -> Vec<Vec<Tensor<4>>> {
    let [inputs, outputs] = windows.per_group();
    let fan_in = weights.len() / windows.output()[0].max(1);
    let group = |g: usize| {
        let tap = |i: usize| {
            let values = (g * outputs..(g + 1) * outputs).map(|o| weights[o * fan_in + i]);
            let data = TensorData::new(values.collect::<Vec<f32>>(), [1, outputs, 1, 1]);
            Tensor::from_data(data, (device, DType::F32))
        };
        (0..fan_in).map(tap).collect()
    };
    // Fan-in runs over (input channel, row, column), as the order of summation does.
    debug_assert_eq!(fan_in % inputs.max(1), 0);
    (0..windows.groups()).map(group).collect()
}

fn convolve(
    windows: &Windows,
    taps: &[Vec<Tensor<4>>],
    x: Tensor<2>,
    batch: usize,
    device: &Device,
) -> Tensor<2> {
    let [inputs, outputs] = windows.per_group();
    let [channels, height, width] = windows.output();
    let patches = windows.patches(x);
    let group = |(g, taps): (usize, &Vec<Tensor<4>>)| {
        let mut sum = Tensor::zeros([batch, outputs, height, width], (device, DType::F32));
        for (i, tap) in taps.iter().enumerate() {
            let (channel, offset) = (i / patches.len(), i % patches.len());
            let cells = patches[offset].clone().narrow(1, g * inputs + channel, 1);
            sum = sum + cells * tap.clone();
        }
        sum
    };
    let groups = taps.iter().enumerate().map(group).collect();
    Tensor::cat(groups, 1).reshape([batch, channels * height * width])
}
