//! Products of rows of integers with matrices of weights, exact in floating point.
//!
//! Whoever multiplies says how large any sum of a product can become, whatever is left out of it. Sums
//! up to 2^24 are exact in f32, which processors add twice as many of at a time; larger ones are in f64.

/// Sums up to here, and twice as large ones, are exact in f64. (The norms that tell are sums themselves.)
pub(super) const EXACT: f64 = 4_503_599_627_370_496.0;

/// As [`EXACT`], in f32.
const EXACT_SINGLE: f64 = 8_388_608.0;

/// Columns that are worked on together: eight rows of weights and the sums stay in the first cache.
const COLUMNS: usize = 512;

/// Weights of one kernel cell and group, row-major, and what of longer rows they concern.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) weights: Vec<f32>,
    /// First column on the left, rows.
    pub(super) from: usize,
    pub(super) inner: usize,
    /// First column of the result, columns.
    pub(super) to: usize,
    pub(super) columns: usize,
}

/// Rows of coefficients.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) width: usize,
    pub(super) data: Vec<f64>,
}

impl Rows {
    pub(super) fn zeros(rows: usize, width: usize) -> Self {
        Self { width, data: vec![0.0; rows * width] }
    }

    pub(super) fn iter(&self) -> std::slice::ChunksExact<'_, f64> {
        self.data.chunks_exact(self.width.max(1))
    }

    /// Largest sum of magnitudes of a row.
    pub(super) fn norm(&self) -> f64 {
        let norm = |row: &[f64]| row.iter().map(|x| x.abs()).sum::<f64>();
        self.iter().map(norm).fold(0.0, f64::max)
    }
}

/// Numbers in which sums are made.
trait Number: Copy + Default + std::ops::Add<Output = Self> + std::ops::Mul<Output = Self> {
    fn coefficient(x: f64) -> Self;
    fn weight(x: f32) -> Self;
    fn double(self) -> f64;
}

impl Number for f32 {
    #[expect(clippy::cast_possible_truncation, reason = "integers up to 2^24")]
    fn coefficient(x: f64) -> Self {
        x as Self
    }
    fn weight(x: f32) -> Self {
        x
    }
    fn double(self) -> f64 {
        self.into()
    }
}

impl Number for f64 {
    fn coefficient(x: f64) -> Self {
        x
    }
    fn weight(x: f32) -> Self {
        x.into()
    }
    fn double(self) -> f64 {
        self
    }
}

/// Adds the product of rows `left` with `block` to rows of `width` in `out`, if none of its sums can exceed `most`.
pub(super) fn multiply(left: &Rows, block: &Block, out: &mut [f64], width: usize, most: f64) {
    if most <= EXACT_SINGLE {
        multiply_in::<f32>(left, block, out, width);
    } else {
        multiply_in::<f64>(left, block, out, width);
    }
}

fn multiply_in<N: Number>(left: &Rows, block: &Block, out: &mut [f64], width: usize) {
    let Block { weights, from, inner, to, columns } = block;
    let mut sums = vec![N::default(); COLUMNS.min(*columns) * left.iter().len()];
    for first in (0..*columns).step_by(COLUMNS) {
        let count = (columns - first).min(COLUMNS);
        let sums = &mut sums[..count * left.iter().len()];
        sums.fill(N::default());
        for k in (0..*inner).step_by(8) {
            let taken = (inner - k).min(8);
            let lines = std::array::from_fn(|i| {
                // A line beyond the last is multiplied by 0.
                let start = (k + i.min(taken - 1)) * columns + first;
                &weights[start..start + count]
            });
            for (row, sums) in left.iter().zip(sums.chunks_exact_mut(count)) {
                let row = &row[from + k..from + k + taken];
                if row.iter().any(|x| *x != 0.0) {
                    let mut factors = [N::default(); 8];
                    factors.iter_mut().zip(row).for_each(|(f, x)| *f = N::coefficient(*x));
                    add_lines(sums, factors, lines);
                }
            }
        }
        for (out, sums) in out.chunks_exact_mut(width).zip(sums.chunks_exact(count)) {
            let out = &mut out[to + first..to + first + count];
            out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum.double());
        }
    }
}

/// `sums += Σ factors[i] · lines[i]`, all of one length.
fn add_lines<N: Number>(sums: &mut [N], factors: [N; 8], lines: [&[f32]; 8]) {
    let lines = lines.map(|line| &line[..sums.len()]);
    for (i, sum) in sums.iter_mut().enumerate() {
        let term = |k: usize| factors[k] * N::weight(lines[k][i]);
        *sum = *sum
            + ((term(0) + term(1)) + (term(2) + term(3)))
            + ((term(4) + term(5)) + (term(6) + term(7)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Any block of any product, in either precision, against the definition.
        #[test]
        fn products_are_those_of_the_definition(
            (rows, inner, columns, from, to) in
                (1_usize..4, 1_usize..20, 1_usize..12, 0_usize..3, 0_usize..3),
            wide: bool,
            large: bool,
            seed: u32,
        ) {
            let columns = if wide { columns + COLUMNS } else { columns };
            let mut state = seed;
            let mut draw = |n: usize| -> Vec<i64> {
                (0..n).map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    i64::from(state >> 24) - 128
                }).collect()
            };
            let scale = if large { 1 << 30 } else { 1 };
            #[expect(clippy::cast_precision_loss, reason = "small integers")]
            let float = |numbers: &[i64]| numbers.iter().map(|n| *n as f64).collect::<Vec<_>>();
            let (wide_left, width) = (from + inner + 1, to + columns + 2);
            let left: Vec<i64> = draw(rows * wide_left).iter().map(|n| n * scale).collect();
            let weights = draw(inner * columns);
            let mut out = draw(rows * width);
            let mut found = float(&out);
            for r in 0..rows {
                for c in 0..columns {
                    for k in 0..inner {
                        out[r * width + to + c] += left[r * wide_left + from + k] * weights[k * columns + c];
                    }
                }
            }
            let rows = Rows { width: wide_left, data: float(&left) };
            let most = rows.norm() * 128.0;
            #[expect(clippy::cast_possible_truncation, reason = "small integers")]
            let weights = float(&weights).iter().map(|w| *w as f32).collect();
            let block = Block { weights, from, inner, to, columns };
            multiply(&rows, &block, &mut found, width, most);
            prop_assert_eq!(found, float(&out));
        }
    }
}
