//! Integer weights on a device.

use super::conv::Windows;
use super::{Device, INT};
use crate::error::{SimError, check_words};
use burn::tensor::kind::Numeric;
use burn::tensor::{DType, Int, Tensor, TensorData};
use snnc_ir::quantized::{IntMatrix, Structure};

/// Largest `Σ|w|·|m|` of a neuron for which f32 sums are exact, and largest message that f32 holds.
pub(super) const EXACT: u64 = 1 << 24;

/// The weights of one matrix.
pub(super) enum Weights {
    /// `[sources, targets]`, multiplied in f32.
    Float(Tensor<2>),
    /// `[sources, targets]`, multiplied in i32.
    Int(Tensor<2, Int>),
    /// By group, then by kernel offset: `[1, output channels, input channels]`, multiplied in f32.
    FloatConv(Windows, Vec<Vec<Tensor<3>>>),
    /// The same, multiplied in i32.
    IntConv(Windows, Vec<Vec<Tensor<3, Int>>>),
    /// One weight on the diagonal.
    Identity(i32),
}

impl Weights {
    /// Puts a matrix on `device`, whose products sum to `worst` at most; sparse ones become dense.
    ///
    /// # Errors
    /// [`SimError::TooLarge`] for a sparse matrix too large to be dense.
    pub(super) fn new(matrix: &IntMatrix, worst: u64, device: &Device) -> Result<Self, SimError> {
        let exact = worst <= EXACT;
        if let Structure::Conv(conv) = &matrix.structure {
            let windows = Windows::new(conv).ok_or_else(|| {
                SimError::Malformed(format!("the convolution of `{}` has no output", matrix.name))
            })?;
            return Ok(if exact {
                Self::FloatConv(windows, taps(&windows, matrix, |d, s| float(d, s, device)))
            } else {
                Self::IntConv(windows, taps(&windows, matrix, |d, s| int(d, s, device)))
            });
        }
        if let Structure::Identity { .. } = &matrix.structure {
            return Ok(Self::Identity(matrix.weight(0)));
        }
        let (rows, cols) = (matrix.structure.rows(), matrix.structure.cols());
        check_words("a sparse matrix laid out in full", (rows as u64).saturating_mul(cols as u64))?;
        let mut by_source = vec![0; rows * cols];
        for row in 0..rows {
            matrix.for_row(row, |source, weight| by_source[source * rows + row] += weight);
        }
        Ok(if exact {
            let data = by_source.into_iter().map(as_float).collect();
            Self::Float(super::matrix(data, [cols, rows], device))
        } else {
            Self::Int(int(by_source, [cols, rows], device))
        })
    }

    /// Sums of what `spikes` (`[batch, sources]`, 0 or 1, or messages) bring, `[batch, targets]`.
    pub(super) fn sums(&self, spikes: Tensor<2>) -> Tensor<2, Int> {
        let [batch, _] = spikes.dims();
        match self {
            Self::Float(w) => spikes.matmul(w.clone()).cast(INT),
            Self::Int(w) => spikes.cast(INT).matmul(w.clone()),
            Self::Identity(w) => spikes.cast(INT) * *w,
            Self::FloatConv(windows, taps) => {
                convolve(windows, taps, &windows.patches(spikes), batch).cast(INT)
            }
            Self::IntConv(windows, taps) => {
                let patches = windows.patches(spikes).into_iter().map(|p| p.cast(INT));
                convolve(windows, taps, &patches.collect::<Vec<_>>(), batch)
            }
        }
    }
}

fn float(data: Vec<i32>, shape: [usize; 3], device: &Device) -> Tensor<3> {
    let data: Vec<f32> = data.into_iter().map(as_float).collect();
    Tensor::from_data(TensorData::new(data, shape), (device, DType::F32))
}

fn int<const D: usize>(data: Vec<i32>, shape: [usize; D], device: &Device) -> Tensor<D, Int> {
    Tensor::from_data(TensorData::new(data, shape), (device, DType::from(INT)))
}

/// Exact: weights have at most 23 bits.
#[expect(clippy::cast_precision_loss, reason = "a 9-bit mantissa shifted by at most 7")]
const fn as_float(weight: i32) -> f32 {
    weight as f32
}

/// Weights by group, then by kernel offset, as `[1, output channels, input channels]`.
fn taps<T>(
    windows: &Windows,
    matrix: &IntMatrix,
    tensor: impl Fn(Vec<i32>, [usize; 3]) -> T,
) -> Vec<Vec<T>> {
    let [inputs, outputs] = windows.per_group();
    let area = windows.area();
    let tap = |group: usize, offset: usize| {
        let channels = group * outputs..(group + 1) * outputs;
        let fan_in = |o: usize| (0..inputs).map(move |i| (o * inputs + i) * area + offset);
        let data = channels.flat_map(fan_in).map(|i| matrix.weight(i)).collect();
        tensor(data, [1, outputs, inputs])
    };
    let group = |g| (0..area).map(|offset| tap(g, offset)).collect();
    (0..windows.groups()).map(group).collect()
}

/// Sum over kernel offsets of channel-mixing products; the order does not matter, since every
/// partial sum is exact.
fn convolve<K: Numeric>(
    windows: &Windows,
    taps: &[Vec<Tensor<3, K>>],
    patches: &[Tensor<4, K>],
    batch: usize,
) -> Tensor<2, K> {
    let [inputs, outputs] = windows.per_group();
    let [_, height, width] = windows.output();
    let group = |(g, taps): (usize, &Vec<Tensor<3, K>>)| {
        let products = taps.iter().zip(patches).map(|(tap, patch)| {
            let channels = patch.clone().narrow(1, g * inputs, inputs);
            tap.clone().matmul(channels.reshape([batch, inputs, height * width]))
        });
        // A kernel has at least one offset.
        products.reduce(|sum, product| sum + product)
    };
    let groups: Vec<_> = taps.iter().enumerate().filter_map(group).collect();
    Tensor::cat(groups, 1).reshape([batch, windows.groups() * outputs * height * width])
}
