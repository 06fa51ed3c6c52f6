//! Parts of a population side by side: neurons, rows and columns of matrices, parameters.

use crate::graph::extents;
use crate::linear::{LinearOp, Matrix, Weight, pointwise};
use snnc_ir::arena::{Arena, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::network::{Current, Dynamics, LinearDynamics, Neuron, Provenance, Tensor};
use snnc_ir::{MAX_ELEMENTS, Param, Shape};

type Tensors = Arena<TensorId, Tensor>;

/// How many times the largest weight of one part may be that of the other. Joined weights share the steps of one
/// exponent, and of the 7 bits of a magnitude the weaker part keeps at least 3. What is weaker still is
/// no half but a layer that an exponent of its own serves better.
const SPREAD: f64 = 16.0;

/// The shape of both populations behind each other.
pub(super) fn shape(a: &Shape, b: &Shape) -> Option<Shape> {
    let ([channels, tail @ ..], [more, other @ ..]) = (a.0.as_slice(), b.0.as_slice()) else {
        return None;
    };
    if tail != other {
        return None;
    }
    let channels = channels.checked_add(*more)?;
    let joined = Shape([&[channels], tail].concat());
    (joined.size() <= MAX_ELEMENTS).then_some(joined)
}

/// The model of both populations, if all but values per neuron is equal.
pub(super) fn neuron(a: (&Neuron, &Shape), b: (&Neuron, &Shape), shape: &Shape) -> Option<Neuron> {
    let join = |x: &Param<f32>, y: &Param<f32>| param((x, a.1), (y, b.1), shape);
    let dynamics = match (&a.0.dynamics, &b.0.dynamics) {
        (Dynamics::Tau(x), Dynamics::Tau(y)) => Dynamics::Tau(join(x, y)?),
        (Dynamics::Decay(x), Dynamics::Decay(y)) => Dynamics::Decay(join(x, y)?),
        (Dynamics::Sigmoid(x), Dynamics::Sigmoid(y)) => Dynamics::Sigmoid(join(x, y)?),
        (Dynamics::Linear(x), Dynamics::Linear(y)) => {
            let current = match (&x.current, &y.current) {
                (Some(x), Some(y)) => {
                    Some(Current { keep: join(&x.keep, &y.keep)?, gain: join(&x.gain, &y.gain)? })
                }
                (None, None) => None,
                _ => return None,
            };
            Dynamics::Linear(LinearDynamics {
                current,
                keep: join(&x.keep, &y.keep)?,
                gain: join(&x.gain, &y.gain)?,
                drive: join(&x.drive, &y.drive)?,
            })
        }
        (x, y) if x == y => x.clone(),
        _ => return None,
    };
    let floor = match (&a.0.floor, &b.0.floor) {
        (Some(x), Some(y)) => Some(join(x, y)?),
        (None, None) => None,
        _ => return None,
    };
    let threshold = join(&a.0.threshold, &b.0.threshold)?;
    let joined = Neuron { dynamics, threshold, floor, ..a.0.clone() };
    let rest = |n: &Neuron| Neuron {
        dynamics: joined.dynamics.clone(),
        threshold: joined.threshold.clone(),
        floor: joined.floor.clone(),
        ..n.clone()
    };
    (rest(b.0) == joined).then_some(joined)
}

/// A parameter of both populations: one value if it is the same one, values per channel or neuron if at least one
/// of them has such. Two different values are no halves of anything.
fn param(a: (&Param<f32>, &Shape), b: (&Param<f32>, &Shape), shape: &Shape) -> Option<Param<f32>> {
    match (a.0, b.0) {
        (Param::Uniform(x), Param::Uniform(y)) => {
            (x.to_bits() == y.to_bits()).then_some(Param::Uniform(*x))
        }
        (Param::PerChannel(x), Param::PerChannel(y)) => {
            Some(Param::PerChannel([x.as_slice(), y].concat()).compact(shape))
        }
        (x, y) => Some(Param::PerNeuron([x.expand(a.1), y.expand(b.1)].concat()).compact(shape)),
    }
}

/// The map to both targets: the rows of `a`, then those of `b`.
pub(super) fn rows(tensors: &Tensors, a: &LinearOp, b: &LinearOp) -> Option<LinearOp> {
    let join = |x: &Weight, y: &Weight| {
        let [x_values, y_values] = even(tensors, x, y)?;
        Some(made([x_values, y_values].concat(), x, y))
    };
    Some(match (a, b) {
        (LinearOp::Dense(x), LinearOp::Dense(y)) if x.cols == y.cols => {
            let weight = join(&x.weight, &y.weight)?;
            LinearOp::Dense(Matrix { weight, rows: x.rows + y.rows, cols: x.cols })
        }
        (LinearOp::Conv { weight: x, conv }, LinearOp::Conv { weight: y, conv: other }) => {
            let out_channels = conv.out_channels.checked_add(other.out_channels)?;
            let alike = Conv { out_channels: conv.out_channels, ..*other } == *conv;
            if !alike || conv.groups != 1 {
                return None;
            }
            LinearOp::Conv { weight: join(x, y)?, conv: Conv { out_channels, ..*conv } }
        }
        _ => return None,
    })
}

/// The map from both sources, of the joined shape `source`: the columns of `a`, then those of `b`.
pub(super) fn columns(
    tensors: &Tensors,
    a: &LinearOp,
    b: &LinearOp,
    source: &Shape,
) -> Option<LinearOp> {
    let join = |x: &Weight, y: &Weight, rows: usize| {
        let values = even(tensors, x, y)?;
        let [own, other] = values.each_ref().map(|v| v.len() / rows.max(1));
        let row =
            |r: usize| [&values[0][r * own..][..own], &values[1][r * other..][..other]].concat();
        Some(made((0..rows).flat_map(row).collect(), x, y))
    };
    let joined = match (a, b) {
        (LinearOp::Dense(x), LinearOp::Dense(y)) if x.rows == y.rows => {
            let weight = join(&x.weight, &y.weight, x.rows)?;
            LinearOp::Dense(Matrix { weight, rows: x.rows, cols: x.cols + y.cols })
        }
        (LinearOp::Conv { weight: x, conv }, LinearOp::Conv { weight: y, conv: other }) => {
            let channels = conv.input[0].checked_add(other.input[0])?;
            let input = |channels: u32, of: &Conv| [channels, of.input[1], of.input[2]];
            let alike = Conv { input: input(conv.input[0], other), ..*other } == *conv;
            if !alike || conv.groups != 1 {
                return None;
            }
            let weight = join(x, y, conv.out_channels as usize)?;
            LinearOp::Conv { weight, conv: Conv { input: input(channels, conv), ..*conv } }
        }
        _ => return None,
    };
    Some(if comes_from_nothing(tensors, a) && is_identity(&joined) {
        let conv = pointwise(extents(source));
        let ones = vec![1.0; conv.kernel_size()];
        LinearOp::Conv {
            weight: Weight::Made { data: ones, from: joined.origins().to_vec() },
            conv,
        }
    } else {
        joined
    })
}

/// The values of both, if the steps of one exponent suit both.
fn even(tensors: &Tensors, a: &Weight, b: &Weight) -> Option<[Vec<f64>; 2]> {
    let values = [a, b].map(|weight| {
        let mut values = Vec::new();
        weight.for_each(tensors, |v| values.push(v));
        values
    });
    let [x, y] = values.each_ref().map(|v| v.iter().fold(0.0, |max: f64, v| max.max(v.abs())));
    // Zeros are zeros in all steps.
    let (low, high) = (x.min(y), x.max(y));
    (low <= 0.0 || high <= low * SPREAD).then_some(values)
}

fn made(data: Vec<f64>, a: &Weight, b: &Weight) -> Weight {
    let mut from = a.origins().to_vec();
    from.extend(b.origins().iter().filter(|id| !a.origins().contains(id)));
    Weight::Made { data, from }
}

/// Whether the weights are those of a source that enters as it is.
fn comes_from_nothing(tensors: &Tensors, op: &LinearOp) -> bool {
    let nothing = |id: &TensorId| matches!(&tensors[*id].provenance, Provenance::Derived { from, .. } if from.is_empty());
    op.origins().iter().all(nothing)
}

/// Whether every element stays what and where it is.
fn is_identity(op: &LinearOp) -> bool {
    let (weight, size) = match op {
        LinearOp::Dense(m) if m.rows == m.cols => (&m.weight, m.rows),
        LinearOp::Conv { weight, conv }
            if Conv { groups: conv.input[0], ..*conv } == pointwise(conv.input) =>
        {
            (weight, conv.input[0] as usize)
        }
        _ => return false,
    };
    let Weight::Made { data, .. } = weight else { return false };
    let is =
        |i: usize, v: f64| v.to_bits() == f64::from(u8::from(i.is_multiple_of(size + 1))).to_bits();
    data.len() == size * size && data.iter().enumerate().all(|(i, &v)| is(i, v))
}
