//! Chains of linear maps, composed with as much structure as possible.

use super::{DENSE_LIMIT, LinearOp, Matrix, TooLarge, Weight, conv};
use snnc_ir::arena::{Arena, TensorId};
use snnc_ir::network::Tensor;

type Tensors = Arena<TensorId, Tensor>;

/// Maps applied one after the other; the first one is applied last.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Chain {
    ops: Vec<LinearOp>,
}

/// A chain composed into one map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Composed {
    /// The map.
    pub op: LinearOp,
    /// Whether maps had to be multiplied out that keep no structure together.
    pub multiplied_out: bool,
}

impl Chain {
    /// A chain of these maps, the first one applied last.
    pub(crate) const fn new(ops: Vec<LinearOp>) -> Self {
        Self { ops }
    }

    /// Whether there are convolutions and no matrices.
    pub(crate) fn only_convolutions(&self) -> bool {
        self.ops.iter().any(|op| matches!(op, LinearOp::Conv { .. }))
            && !self.ops.iter().any(|op| matches!(op, LinearOp::Dense(_)))
    }

    /// Applies the chain to a vector.
    pub(crate) fn apply(&self, tensors: &Tensors, x: Vec<f64>) -> Vec<f64> {
        self.ops.iter().rev().fold(x, |x, op| op.apply(tensors, &x))
    }

    /// One map equal to the chain, on a source of `len` elements.
    ///
    /// # Errors
    /// If it would have to be a dense matrix beyond the limit.
    pub(crate) fn compose(mut self, tensors: &Tensors, len: usize) -> Result<Composed, TooLarge> {
        let mut rest = self.ops.len();
        self.ops.retain(|op| {
            // The last one left may be the identity.
            let gone = rest > 1 && op.is_identity(tensors);
            rest -= usize::from(gone);
            !gone
        });
        // Pairs are joined where that keeps structure, until none is left.
        let mut at = 0;
        while at + 1 < self.ops.len() {
            match join(tensors, &self.ops[at], &self.ops[at + 1]) {
                Some(joined) => {
                    self.ops.splice(at..at + 2, [joined]);
                    at = at.saturating_sub(1);
                }
                None => at += 1,
            }
        }
        if self.ops.len() > 1 {
            let op = LinearOp::Dense(self.dense(tensors)?);
            return Ok(Composed { op, multiplied_out: true });
        }
        let op = self.ops.pop().unwrap_or(LinearOp::identity(len));
        Ok(Composed { op, multiplied_out: false })
    }

    /// The chain as one dense matrix, row by row.
    ///
    /// # Errors
    /// If the matrix is beyond the limit.
    pub(crate) fn dense(&self, tensors: &Tensors) -> Result<Matrix, TooLarge> {
        let rows = self.ops.first().map_or(0, LinearOp::rows);
        let cols = self.ops.last().map_or(0, LinearOp::cols);
        if rows.saturating_mul(cols) > DENSE_LIMIT {
            return Err(TooLarge { rows, cols });
        }
        let mut data = Vec::with_capacity(rows * cols);
        for row in 0..rows {
            let mut values = vec![];
            for (i, op) in self.ops.iter().enumerate() {
                let mut next = vec![0.0; op.cols()];
                if i == 0 {
                    op.for_row(tensors, row, |c, w| next[c] += w);
                } else {
                    for (mid, &factor) in values.iter().enumerate().filter(|(_, f)| **f != 0.0) {
                        op.for_row(tensors, mid, |c, w| next[c] += factor * w);
                    }
                }
                values = next;
            }
            data.extend(values);
        }
        let from = self.ops.iter().flat_map(LinearOp::origins).copied().collect();
        Ok(Matrix { weight: Weight::Made { data, from }, rows, cols })
    }
}

/// `outer` after `inner` as one structured map, if there is one.
pub(crate) fn join(tensors: &Tensors, outer: &LinearOp, inner: &LinearOp) -> Option<LinearOp> {
    match (outer, inner) {
        (LinearOp::Place { offset: a, total, .. }, LinearOp::Place { offset: b, len, .. }) => {
            Some(LinearOp::Place { offset: a + b, len: *len, total: *total })
        }
        (LinearOp::Dense(m), LinearOp::Place { offset, len, .. }) => {
            let columns = (0..m.rows).flat_map(|r| (*offset..offset + len).map(move |c| (r, c)));
            let data = columns.map(|(r, c)| m.weight.at(tensors, r * m.cols + c)).collect();
            let weight = Weight::Made { data, from: m.weight.origins().to_vec() };
            Some(LinearOp::Dense(Matrix { weight, rows: m.rows, cols: *len }))
        }
        (LinearOp::Place { offset, total, .. }, LinearOp::Dense(m)) => {
            if total.saturating_mul(m.cols) > DENSE_LIMIT {
                return None;
            }
            let mut data = vec![0.0; total * m.cols];
            for i in 0..m.rows * m.cols {
                data[offset * m.cols + i] = m.weight.at(tensors, i);
            }
            let weight = Weight::Made { data, from: m.weight.origins().to_vec() };
            Some(LinearOp::Dense(Matrix { weight, rows: *total, cols: m.cols }))
        }
        (LinearOp::Conv { weight, conv }, LinearOp::Place { offset, len, .. }) => {
            let area = conv.input[1] as usize * conv.input[2] as usize;
            let (first, count) = (channels(*offset, area)?, channels(*len, area)?);
            let count = u32::try_from(count).ok()?;
            let (conv, weight) = conv::slice_input(tensors, conv, weight, first, count)?;
            Some(LinearOp::Conv { weight, conv })
        }
        (LinearOp::Place { offset, total, .. }, LinearOp::Conv { weight, conv }) => {
            let [_, height, width] = conv.output()?;
            let area = height as usize * width as usize;
            let (first, total) = (channels(*offset, area)?, channels(*total, area)?);
            let total = u32::try_from(total).ok()?;
            let (conv, weight) = conv::place_output(tensors, conv, weight, first, total)?;
            Some(LinearOp::Conv { weight, conv })
        }
        (LinearOp::Conv { weight: w2, conv: c2 }, LinearOp::Conv { weight: w1, conv: c1 }) => {
            let (conv, weight) = conv::after(tensors, (c2, w2), (c1, w1))?;
            Some(LinearOp::Conv { weight, conv })
        }
        _ => None,
    }
}

/// `elements / area` if it is whole.
fn channels(elements: usize, area: usize) -> Option<usize> {
    (area > 0 && elements.is_multiple_of(area)).then(|| elements / area)
}
