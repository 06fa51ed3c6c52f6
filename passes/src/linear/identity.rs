//! Sources that enter a current as they are, as linear operations.

use super::{DENSE_LIMIT, LinearOp, Matrix, TooLarge, Weight, pointwise};
use crate::graph::extents;
use snnc_ir::Shape;
use snnc_ir::arena::{Arena, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::network::Tensor;

impl LinearOp {
    /// The map as a matrix or convolution that reads a source of shape `source`.
    ///
    /// The identity is a depthwise 1×1 convolution with weight 1. A source that fills some channels
    /// of a larger value is a 1×1 convolution onto these channels; if it does not fill whole
    /// channels, or is a vector, it is a matrix. So is a convolution that reads the source in
    /// another shape.
    ///
    /// # Errors
    /// If it would have to be a dense matrix beyond the limit.
    pub(crate) fn structured(
        self,
        source: &Shape,
        tensors: &Arena<TensorId, Tensor>,
    ) -> Result<Self, TooLarge> {
        let input = extents(source);
        let (offset, len, total) = match self {
            LinearOp::Place { offset, len, total } => (offset, len, total),
            // The convolution reads the elements as a vector, or as that of another shape.
            LinearOp::Conv { conv, .. } if conv.input != input => {
                return self.into_matrix(tensors).map(LinearOp::Dense);
            }
            op => return Ok(op),
        };
        if len == total {
            let conv = pointwise(input);
            return Ok(LinearOp::Conv { weight: made(vec![1.0; conv.kernel_size()]), conv });
        }
        let area = source.per_channel();
        let whole = offset.is_multiple_of(area) && total.is_multiple_of(area);
        let channels = u32::try_from(total / area).ok().filter(|_| whole && area > 1);
        let (rows, cols, first) = match channels {
            Some(channels) => (channels as usize, source.channels(), offset / area),
            None => (total, len, offset),
        };
        if rows.saturating_mul(cols) > DENSE_LIMIT {
            return Err(TooLarge { rows, cols });
        }
        let mut data = vec![0.0; rows * cols];
        for i in 0..cols {
            data[(first + i) * cols + i] = 1.0;
        }
        Ok(match channels {
            Some(out_channels) => {
                let conv = Conv { out_channels, groups: 1, ..pointwise(input) };
                LinearOp::Conv { weight: made(data), conv }
            }
            None => LinearOp::Dense(Matrix { weight: made(data), rows, cols }),
        })
    }
}

const fn made(data: Vec<f64>) -> Weight {
    Weight::Made { data, from: Vec::new() }
}
