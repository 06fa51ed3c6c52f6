//! Linear maps between the elements of two nodes, and their composition.
//!
//! A [`LinearOp`] keeps its structure (a place inside a larger vector, a convolution, a pooling)
//! for as long as composition allows; [`Chain::compose`] falls back to a dense matrix, whose every
//! value is summed in f64 and rounded once.

mod chain;
mod conv;
mod identity;
#[cfg(test)]
mod tests;

pub(crate) use chain::{Chain, join};

use crate::tensors::{TensorMaker, round};
use snnc_ir::arena::{Arena, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::diag::codes::network;
use snnc_ir::network::Tensor;
use snnc_ir::{Diagnostic, Shape};

/// Most values of a matrix that a pass makes: 64 MiB of f32.
pub(crate) const DENSE_LIMIT: usize = 1 << 24;

/// Values of a matrix or kernel.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Weight {
    /// A tensor as it is.
    Tensor(TensorId),
    /// Computed, not yet rounded.
    Made {
        /// Values, row-major.
        data: Vec<f64>,
        /// Tensors it was made from.
        from: Vec<TensorId>,
    },
}

impl Weight {
    fn at(&self, tensors: &Arena<TensorId, Tensor>, index: usize) -> f64 {
        match self {
            Self::Tensor(id) => f64::from(tensors[*id].data[index]),
            Self::Made { data, .. } => data[index],
        }
    }

    /// Visits all values in order.
    pub(crate) fn for_each(&self, tensors: &Arena<TensorId, Tensor>, mut visit: impl FnMut(f64)) {
        match self {
            Self::Tensor(id) => tensors[*id].data.iter().for_each(|&v| visit(f64::from(v))),
            Self::Made { data, .. } => data.iter().for_each(|&v| visit(v)),
        }
    }

    /// Tensors that the values come from.
    pub(crate) fn origins(&self) -> &[TensorId] {
        match self {
            Self::Tensor(id) => std::slice::from_ref(id),
            Self::Made { from, .. } => from,
        }
    }

    /// The tensor of this kernel, rounded; `base` names it if it comes from no other.
    pub(crate) fn kernel(
        self,
        conv: &Conv,
        maker: &mut TensorMaker<'_>,
        base: &str,
    ) -> Result<TensorId, Diagnostic> {
        self.tensor(Shape(conv.kernel_shape().to_vec()), maker, base)
    }

    fn tensor(
        self,
        shape: Shape,
        maker: &mut TensorMaker<'_>,
        base: &str,
    ) -> Result<TensorId, Diagnostic> {
        match self {
            Self::Tensor(id) => Ok(id),
            Self::Made { data, from } => {
                maker.derive(&from, base, shape, data.into_iter().map(round).collect())
            }
        }
    }
}

/// A dense matrix, row-major.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Matrix {
    /// Values.
    pub weight: Weight,
    /// Elements of the target.
    pub rows: usize,
    /// Elements of the source.
    pub cols: usize,
}

impl Matrix {
    /// The tensor of this matrix, rounded; `base` names it if it comes from no other.
    pub(crate) fn tensor(
        self,
        maker: &mut TensorMaker<'_>,
        base: &str,
    ) -> Result<TensorId, Diagnostic> {
        // Nodes have at most 2^26 elements, so the extents fit.
        let extent = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.weight.tensor(Shape(vec![extent(self.rows), extent(self.cols)]), maker, base)
    }
}

/// A dense matrix would have more than [`DENSE_LIMIT`] values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge {
    /// Elements of the target.
    pub rows: usize,
    /// Elements of the source.
    pub cols: usize,
}

impl TooLarge {
    /// The error about node `name`.
    pub(crate) fn at(self, name: &str) -> Diagnostic {
        let Self { rows, cols } = self;
        Diagnostic::error(
            network::COMPOSITE_TOO_LARGE,
            format!(
                "the linear operations of `{name}` make a dense matrix of {rows} x {cols} values"
            ),
        )
        .at(format!("node `{name}`"))
        .note(format!("the bound is {DENSE_LIMIT} values"))
        .help("put a population between the operations, or use a pooling that tiles its input")
    }
}

/// A linear map from the elements of one node to those of another, both row-major.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LinearOp {
    /// The `len` elements become elements `offset..offset + len` of `total`; the rest is 0.
    Place {
        /// First element.
        offset: usize,
        /// Number of elements of the source.
        len: usize,
        /// Number of elements of the target.
        total: usize,
    },
    /// A matrix.
    Dense(Matrix),
    /// A convolution.
    Conv {
        /// Kernel.
        weight: Weight,
        /// Geometry.
        conv: Conv,
    },
    /// Average pooling, each cell divided by the number of cells inside the input.
    ///
    /// Pooling that divides by the window size is a [`LinearOp::Conv`].
    BorderPool {
        /// Geometry.
        window: Conv,
    },
}

impl LinearOp {
    /// The identity on `len` elements.
    pub(crate) const fn identity(len: usize) -> Self {
        Self::Place { offset: 0, len, total: len }
    }

    /// Whether every element stays what and where it is.
    pub(crate) fn is_identity(&self, tensors: &Arena<TensorId, Tensor>) -> bool {
        match self {
            Self::Place { len, total, .. } => len == total,
            Self::Conv { weight, conv } => {
                let mut ones = *conv == pointwise(conv.input);
                if ones {
                    weight.for_each(tensors, |w| ones &= w.to_bits() == 1.0_f64.to_bits());
                }
                ones
            }
            Self::Dense(_) | Self::BorderPool { .. } => false,
        }
    }

    /// Average pooling. A depthwise convolution unless `exclude_pad` matters somewhere.
    pub(crate) fn pool(window: Conv, exclude_pad: bool) -> Self {
        let cells = window.kernel[0] as usize * window.kernel[1] as usize;
        if exclude_pad && reads_padding(&window) {
            return Self::BorderPool { window };
        }
        // A window has at most as many cells as its padded input; f64 holds such counts exactly.
        #[allow(clippy::cast_precision_loss, reason = "counts of cells are far below 2^53")]
        let share = 1.0 / cells as f64;
        let weight = Weight::Made { data: vec![share; window.kernel_size()], from: Vec::new() };
        Self::Conv { weight, conv: window }
    }

    /// A window of each channel: a depthwise 1×1 convolution with weight 1 that reads no more.
    pub(crate) fn crop(input: [u32; 3], crop: [u32; 4]) -> Self {
        let conv = Conv { crop, ..pointwise(input) };
        let weight = Weight::Made { data: vec![1.0; conv.kernel_size()], from: Vec::new() };
        Self::Conv { weight, conv }
    }

    /// Elements of the target.
    pub(crate) fn rows(&self) -> usize {
        match self {
            Self::Place { total, .. } => *total,
            Self::Dense(m) => m.rows,
            Self::Conv { conv, .. } | Self::BorderPool { window: conv } => output_size(conv),
        }
    }

    /// Elements of the source.
    pub(crate) fn cols(&self) -> usize {
        match self {
            Self::Place { len, .. } => *len,
            Self::Dense(m) => m.cols,
            Self::Conv { conv, .. } | Self::BorderPool { window: conv } => input_size(conv),
        }
    }

    /// Visits the entries of one row: `visit(column, value)`, columns ascending.
    pub(crate) fn for_row(
        &self,
        tensors: &Arena<TensorId, Tensor>,
        row: usize,
        mut visit: impl FnMut(usize, f64),
    ) {
        match self {
            Self::Place { offset, len, .. } => {
                if let Some(col) = row.checked_sub(*offset).filter(|c| c < len) {
                    visit(col, 1.0);
                }
            }
            Self::Dense(m) => {
                (0..m.cols).for_each(|c| visit(c, m.weight.at(tensors, row * m.cols + c)));
            }
            Self::Conv { weight, conv } => {
                conv.for_sources(row, |col, index| visit(col, weight.at(tensors, index)));
            }
            Self::BorderPool { window } => {
                let mut inside = 0.0;
                window.for_sources(row, |_, _| inside += 1.0);
                window.for_sources(row, |col, _| visit(col, 1.0 / inside));
            }
        }
    }

    /// The map as a dense matrix.
    ///
    /// # Errors
    /// If the matrix is beyond the limit.
    pub(crate) fn into_matrix(self, tensors: &Arena<TensorId, Tensor>) -> Result<Matrix, TooLarge> {
        match self {
            Self::Dense(matrix) => Ok(matrix),
            op => Chain::new(vec![op]).dense(tensors),
        }
    }

    /// Applies the map to a vector.
    pub(crate) fn apply(&self, tensors: &Arena<TensorId, Tensor>, x: &[f64]) -> Vec<f64> {
        let row = |r| {
            let mut sum = 0.0;
            self.for_row(tensors, r, |c, w| sum += w * x[c]);
            sum
        };
        (0..self.rows()).map(row).collect()
    }

    /// Tensors that the values come from.
    pub(crate) fn origins(&self) -> &[TensorId] {
        match self {
            Self::Dense(m) => m.weight.origins(),
            Self::Conv { weight, .. } => weight.origins(),
            Self::Place { .. } | Self::BorderPool { .. } => &[],
        }
    }
}

/// Elements that a convolution reads.
pub(crate) fn input_size(conv: &Conv) -> usize {
    conv.input.iter().fold(1_usize, |n, &d| n.saturating_mul(d as usize))
}

/// Elements that a convolution writes. 0 if it has no output.
pub(crate) fn output_size(conv: &Conv) -> usize {
    conv.output().map_or(0, |o| o.iter().fold(1_usize, |n, &d| n.saturating_mul(d as usize)))
}

/// Whether some window of the geometry reaches into the padding.
fn reads_padding(window: &Conv) -> bool {
    let Some([_, out_h, out_w]) = window.output() else { return false };
    let beyond = |out: u32, dim: usize, before: u32| {
        let end =
            u64::from(out - 1) * u64::from(window.stride[dim]) + u64::from(window.kernel[dim]);
        let cells = window.cropped(dim).unwrap_or(0);
        before > 0 || end > u64::from(before) + u64::from(cells)
    };
    beyond(out_h, 0, window.pad[0]) || beyond(out_w, 1, window.pad[2])
}

/// A depthwise 1×1 convolution: every element of a channel times one factor.
pub(crate) const fn pointwise(extents: [u32; 3]) -> Conv {
    Conv {
        input: extents,
        out_channels: extents[0],
        kernel: [1, 1],
        stride: [1, 1],
        pad: [0; 4],
        groups: extents[0],
        crop: [0; 4],
    }
}
