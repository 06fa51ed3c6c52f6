//! Products of integer matrices, exact in f64.
//!
//! f64 adds and multiplies integers below 2^53 without rounding, and processors do it several numbers
//! at a time. Whoever multiplies checks first that no sum leaves 2^53: `‖row‖₁ · max|B|`, over all
//! rows, bounds every partial sum.

/// 2^52: up to twice as much sums of integers are exact; norms, summed in f64 themselves, may be off.
pub(super) const EXACT: f64 = 4_503_599_627_370_496.0;

/// Columns of `B` that are multiplied together: eight rows of them stay in the first cache.
const COLUMNS: usize = 256;

/// Rows of numbers, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rows {
    pub(super) width: usize,
    pub(super) data: Vec<f64>,
}

impl Rows {
    /// `rows · width` zeros.
    pub(super) fn zeros(rows: usize, width: usize) -> Self {
        Self { width, data: vec![0.0; rows * width] }
    }

    /// The rows, in order.
    pub(super) fn iter(&self) -> std::slice::ChunksExact<'_, f64> {
        self.data.chunks_exact(self.width.max(1))
    }

    /// Largest sum of magnitudes of a row.
    pub(super) fn norm(&self) -> f64 {
        let norm = |row: &[f64]| row.iter().map(|x| x.abs()).sum::<f64>();
        self.iter().map(norm).fold(0.0, f64::max)
    }
}

/// Where a product lies in its operands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Part {
    /// First column of the left operand.
    pub(super) from: usize,
    /// Columns of the left operand, rows of `b`.
    pub(super) inner: usize,
    /// First column of the result.
    pub(super) to: usize,
    /// Columns of `b`.
    pub(super) columns: usize,
}

/// Adds `a[:, from..from + inner] · b` to `out[:, to..to + columns]`; `b` is row-major.
pub(super) fn multiply(a: &Rows, b: &[f64], out: &mut Rows, part: Part) {
    let Part { from, inner, to, columns } = part;
    let width = out.width;
    if columns == 0 || width == 0 {
        return;
    }
    for first in (0..columns).step_by(COLUMNS) {
        let last = (first + COLUMNS).min(columns);
        for k in (0..inner).step_by(8) {
            let taken = (inner - k).min(8);
            let line = |i: usize| {
                // A line beyond the last is multiplied by 0.
                let start = (k + i.min(taken - 1)) * columns;
                &b[start + first..start + last]
            };
            let lines: [&[f64]; 8] = std::array::from_fn(line);
            for (left, sums) in a.iter().zip(out.data.chunks_exact_mut(width)) {
                let left = &left[from + k..from + k + taken];
                if left.iter().all(|x| *x == 0.0) {
                    continue;
                }
                let mut factors = [0.0; 8];
                factors[..taken].copy_from_slice(left);
                add_lines(&mut sums[to + first..to + last], factors, lines);
            }
        }
    }
}

/// `sums += Σ factors[i] · lines[i]`, all of one length.
fn add_lines(sums: &mut [f64], factors: [f64; 8], lines: [&[f64]; 8]) {
    let [l0, l1, l2, l3, l4, l5, l6, l7] = lines.map(|line| &line[..sums.len()]);
    let [f0, f1, f2, f3, f4, f5, f6, f7] = factors;
    for (i, sum) in sums.iter_mut().enumerate() {
        let near = f0 * l0[i] + f1 * l1[i] + (f2 * l2[i] + f3 * l3[i]);
        let far = f4 * l4[i] + f5 * l5[i] + (f6 * l6[i] + f7 * l7[i]);
        *sum += near + far;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Any part of any product, against the definition.
        #[test]
        fn products_are_those_of_the_definition(
            (rows, inner, columns, from, to) in
                (1_usize..4, 1_usize..20, 1_usize..12, 0_usize..3, 0_usize..3),
            wide: bool,
            seed: u32,
        ) {
            let columns = if wide { columns + COLUMNS } else { columns };
            let mut state = seed;
            let mut draw = |n: usize| -> Vec<f64> {
                (0..n).map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    f64::from(state >> 24) - 128.0
                }).collect()
            };
            let a = Rows { width: from + inner + 1, data: draw(rows * (from + inner + 1)) };
            let b = draw(inner * columns);
            let mut out = Rows { width: to + columns + 2, data: draw(rows * (to + columns + 2)) };
            let mut expected = out.clone();
            for r in 0..rows {
                for c in 0..columns {
                    for k in 0..inner {
                        expected.data[r * out.width + to + c] +=
                            a.data[r * a.width + from + k] * b[k * columns + c];
                    }
                }
            }
            multiply(&a, &b, &mut out, Part { from, inner, to, columns });
            prop_assert_eq!(out, expected);
        }
    }
}
