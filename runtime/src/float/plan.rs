//! Operators of the analog nodes, prepared for repeated use.

use super::neuron::NeuronPlan;
use crate::error::SimError;
use crate::kernel::Kernel;
use snnc_ir::arena::{NodeId, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::network::{Keep, Network, Node, Op};
use snnc_ir::shape::Shape;

/// A node's computation.
pub(crate) enum Operator {
    /// The signal of this number.
    Input(usize),
    /// `Linear` or `Conv2d`: index into [`Plan::kernels`], bias per element.
    Weights { kernel: usize, bias: Option<Vec<f32>> },
    /// `x · scale + shift`, per channel of `per_channel` elements.
    BatchNorm { scale: Vec<f32>, shift: Vec<f32>, per_channel: usize },
    /// A population.
    Neuron(NeuronPlan),
    /// Sum of the inputs.
    Add,
    /// Inputs one after the other (`Concat`, and `Flatten` of its one input).
    Concat,
    /// Average over the cells that `cells[start[o]..start[o + 1]]` lists, divided by `count[o]`.
    Pool { start: Vec<usize>, cells: Vec<usize>, count: Vec<f32> },
    /// Values of one sign.
    Relay(Option<Keep>),
    /// Rows of `width` cells of the input, by their first cells.
    Crop { rows: Vec<usize>, width: usize },
    /// Nothing.
    Zero,
}

/// The operators of all nodes.
pub(crate) struct Plan {
    /// By node.
    pub(crate) operators: Vec<Operator>,
    /// Distinct kernels; nodes that share a tensor and a geometry share one.
    kernels: Vec<Kernel<f32>>,
    keys: Vec<(TensorId, Option<Conv>)>,
}

impl Plan {
    /// Nodes of which `skipped` is true are computed elsewhere: their operator is [`Operator::Zero`].
    pub(crate) fn new(
        network: &Network,
        skipped: impl Fn(NodeId) -> bool,
    ) -> Result<Self, SimError> {
        let mut plan = Self { operators: Vec::new(), kernels: Vec::new(), keys: Vec::new() };
        let mut inputs = 0;
        for (id, node) in network.nodes.iter() {
            let operator = match node.op {
                Op::Linear { .. } | Op::Conv2d { .. } if skipped(id) => Operator::Zero,
                _ => plan.operator(network, node, &mut inputs)?,
            };
            plan.operators.push(operator);
        }
        Ok(plan)
    }

    fn operator(
        &mut self,
        network: &Network,
        node: &Node,
        inputs: &mut usize,
    ) -> Result<Operator, SimError> {
        let data = |id: TensorId| network.tensors[id].data.as_slice();
        Ok(match &node.op {
            Op::Input(_) => {
                *inputs += 1;
                Operator::Input(*inputs - 1)
            }
            Op::Linear { weight, bias } => Operator::Weights {
                kernel: self.kernel(network, *weight, None)?,
                bias: bias.map(|b| data(b).to_vec()),
            },
            Op::Conv2d { weight, bias, conv } => Operator::Weights {
                kernel: self.kernel(network, *weight, Some(*conv))?,
                bias: bias.map(|b| {
                    // The node's shape may be a vector: the positions are counted, not read off.
                    let positions = node.shape.size() / data(b).len().max(1);
                    let repeat = |&x| std::iter::repeat_n(x, positions);
                    data(b).iter().flat_map(repeat).collect()
                }),
            },
            Op::BatchNorm { gamma, beta, mean, variance, eps } => {
                let (gamma, beta) = (data(*gamma), data(*beta));
                let (mean, variance) = (data(*mean), data(*variance));
                let (scale, shift) = (0..node.shape.channels())
                    .map(|c| batch_norm(gamma[c], beta[c], mean[c], variance[c], *eps))
                    .unzip();
                Operator::BatchNorm { scale, shift, per_channel: node.shape.per_channel() }
            }
            Op::Neuron(neuron) => Operator::Neuron(NeuronPlan::new(neuron, &node.shape)),
            Op::Add => Operator::Add,
            Op::Concat | Op::Flatten => Operator::Concat,
            Op::AvgPool { window, exclude_pad } => average(window, *exclude_pad, node.shape.size()),
            Op::GlobalAvgPool => {
                let channels = node.shape.size();
                let source =
                    node.inputs.first().map_or(0, |e| network.nodes[e.source].shape.size());
                let area = source / channels.max(1);
                Operator::Pool {
                    start: (0..=channels).map(|c| c * area).collect(),
                    cells: (0..source).collect(),
                    count: vec![count(area); channels],
                }
            }
            Op::Relay(keep) => Operator::Relay(*keep),
            Op::Crop(crop) => {
                let source = node.inputs.first().map(|e| &network.nodes[e.source].shape);
                let (Some(input), Some(output)) =
                    (source.and_then(Shape::as_chw), node.shape.as_chw())
                else {
                    return Err(SimError::Malformed(format!("`{}` crops no image", node.name)));
                };
                cropped(input, output, *crop)
            }
            Op::Zero => Operator::Zero,
        })
    }

    fn kernel(
        &mut self,
        network: &Network,
        weight: TensorId,
        conv: Option<Conv>,
    ) -> Result<usize, SimError> {
        let key = (weight, conv);
        if let Some(known) = self.keys.iter().position(|k| *k == key) {
            return Ok(known);
        }
        let tensor = &network.tensors[weight];
        let values = network.values(weight);
        let value = |i: usize| values[i];
        let dense = || Kernel::dense(tensor.shape.channels(), tensor.shape.per_channel(), value);
        let kernel = conv.map_or_else(|| Some(dense()), |conv| Kernel::conv(&conv, value));
        let kernel = kernel.ok_or_else(|| {
            SimError::Malformed(format!("the convolution of `{}` has no output", tensor.name))
        })?;
        self.keys.push(key);
        self.kernels.push(kernel);
        Ok(self.kernels.len() - 1)
    }

    /// Computes an analog node. Inputs and populations are the caller's.
    pub(crate) fn apply(
        &self,
        operator: &Operator,
        inputs: &[&[f32]],
        scratch: &mut Vec<f32>,
        out: &mut [f32],
    ) {
        match operator {
            Operator::Input(_) | Operator::Neuron(_) => {}
            Operator::Weights { kernel, bias } => {
                out.fill(0.0);
                let values = inputs[0].iter().copied().enumerate();
                // Neutral bit for bit: see the head of the module `float`.
                let active = values.filter(|&(_, x)| x != 0.0);
                self.kernels[*kernel].add(active, scratch, out, |a, w, x| *a += w * x);
                if let Some(bias) = bias {
                    out.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
                }
            }
            Operator::BatchNorm { scale, shift, per_channel } => {
                let step = (*per_channel).max(1);
                let channels = out.chunks_mut(step).zip(inputs[0].chunks(step));
                for ((y, x), (s, t)) in channels.zip(scale.iter().zip(shift)) {
                    y.iter_mut().zip(x).for_each(|(y, x)| *y = x * s + t);
                }
            }
            Operator::Add => {
                let mut inputs = inputs.iter();
                if let Some(first) = inputs.next() {
                    out.copy_from_slice(first);
                }
                for x in inputs {
                    out.iter_mut().zip(*x).for_each(|(y, x)| *y += x);
                }
            }
            Operator::Concat => {
                let mut rest = out;
                for x in inputs {
                    let (head, tail) = rest.split_at_mut(x.len());
                    head.copy_from_slice(x);
                    rest = tail;
                }
            }
            Operator::Pool { start, cells, count } => {
                for (o, y) in out.iter_mut().enumerate() {
                    let mut sum = 0.0;
                    for &cell in &cells[start[o]..start[o + 1]] {
                        sum += inputs[0][cell];
                    }
                    *y = sum / count[o];
                }
            }
            Operator::Relay(keep) => {
                let pass = |x| keep.map_or(x, |keep| clip(keep, x));
                out.iter_mut().zip(inputs[0]).for_each(|(y, &x)| *y = pass(x));
            }
            Operator::Crop { rows, width } => {
                for (y, &first) in out.chunks_mut(*width).zip(rows) {
                    y.copy_from_slice(&inputs[0][first..first + width]);
                }
            }
            Operator::Zero => out.fill(0.0),
        }
    }
}

/// Scale and shift of batch normalization, computed in f64 and rounded once each.
#[expect(clippy::cast_possible_truncation, reason = "the rounding to f32 is the definition")]
pub(crate) fn batch_norm(gamma: f32, beta: f32, mean: f32, variance: f32, eps: f64) -> (f32, f32) {
    let scale = f64::from(gamma) / (f64::from(variance) + eps).sqrt();
    let shift = f64::from(beta) - f64::from(mean) * scale;
    (scale as f32, shift as f32)
}

/// `x` where its sign is the one kept, +0 elsewhere.
const fn clip(keep: Keep, x: f32) -> f32 {
    let kept = match keep {
        Keep::Positive => x > 0.0,
        Keep::Negative => x < 0.0,
    };
    if kept { x } else { 0.0 }
}

/// First cell of each row that a crop leaves of an image.
fn cropped(input: [u32; 3], output: [u32; 3], [top, _, left, _]: [u32; 4]) -> Operator {
    let [_, in_h, in_w] = input.map(|d| d as usize);
    let [channels, out_h, out_w] = output.map(|d| d as usize);
    let first = |c: usize, y: usize| (c * in_h + y + top as usize) * in_w + left as usize;
    let rows = (0..channels).flat_map(|c| (0..out_h).map(move |y| first(c, y))).collect();
    Operator::Crop { rows, width: out_w }
}

/// Cells of each pooling window, ascending, and their divisors.
fn average(window: &Conv, exclude_pad: bool, outputs: usize) -> Operator {
    let full = window.kernel[0] as usize * window.kernel[1] as usize;
    let (mut start, mut cells, mut divisors) = (vec![0], Vec::new(), Vec::new());
    for o in 0..outputs {
        window.for_sources(o, |source, _| cells.push(source));
        let inside = cells.len() - start[o];
        divisors.push(count(if exclude_pad { inside } else { full }));
        start.push(cells.len());
    }
    Operator::Pool { start, cells, count: divisors }
}

/// A number of cells as a divisor.
#[expect(clippy::cast_precision_loss, reason = "windows hold far fewer than 2^24 cells")]
pub(crate) const fn count(cells: usize) -> f32 {
    cells as f32
}

#[cfg(test)]
mod tests {
    use super::clip;
    use snnc_ir::network::Keep;

    #[test]
    fn what_is_clipped_is_a_positive_zero() {
        let kept = |keep| [-2.0, -0.0, 0.0, 2.0, f32::NAN].map(|x| clip(keep, x).to_bits());
        let zero = 0.0_f32.to_bits();
        assert_eq!(kept(Keep::Positive), [zero, zero, zero, 2.0_f32.to_bits(), zero]);
        assert_eq!(kept(Keep::Negative), [(-2.0_f32).to_bits(), zero, zero, zero, zero]);
    }
}
