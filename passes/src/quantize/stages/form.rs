//! What a chain of plain relays sends, as a function of the spikes that enter it: the product of its integer
//! matrices, row by row.
//!
//! A relay of shift `s` and bias `b` sends `m = (a + b − e) / 2^s` with a remainder `0 ≤ e < 2^s`. Behind
//! relays of shifts `s₁, s₂, …` messages are therefore `(C·x + o) / 2^S` with the composed matrix `C`,
//! `S = s₁ + s₂ + …`, and an offset `o` whose ends follow from biases and remainders alone. What may arrive
//! at a reader is bounded through `C`, in which products of many weights cancel: bounds from the ranges of single
//! messages are larger by about the number of relays.
//!
//! Where kernels follow each other, a spike that several of their cells see counts as many spikes: bounds hold, and are
//! attained where windows do not overlap, as those of a pooling in front.
//!
//! Everything is a whole number below 2^53, in f64, so that sums are exact. Kernels count whole: padding takes
//! away whole cells, and offsets hold 0.

use super::super::choose::strided;
use super::super::sums::Span;
use snnc_ir::quantized::Structure;

/// Columns that are summed at once, so that they stay in the cache for all rows.
const TILE: usize = 256;

/// Products above lose bits.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Messages as sums over spikes.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::quantize) struct Form {
    /// One row per relay, or per channel of a convolution.
    pub rows: usize,
    /// Weights of a row: one per spike that it may see.
    pub len: usize,
    /// Row by row, in units of `2^-shift`.
    pub values: Vec<f64>,
    /// The sum of all shifts.
    pub shift: u32,
    /// What biases and remainders add to each row, in units of `2^-shift`; holds 0.
    pub offset: Vec<Span>,
    /// Relays of a row.
    area: usize,
}

/// How a layout reads relays: rows of blocks, one block of weights per cell of its kernel.
#[derive(Clone, Copy, Debug)]
struct Reading {
    rows: usize,
    cells: usize,
    area: usize,
}

impl Form {
    /// The sums of a projection that reads spikes. `None` for layouts whose rows differ in more than weights.
    pub(in crate::quantize) fn spikes(
        structure: &Structure,
        weight: impl Fn(usize) -> f64,
    ) -> Option<Self> {
        let (rows, len, area) = match structure {
            Structure::Dense { rows, cols } => (*rows as usize, *cols as usize, 1),
            Structure::Conv(conv) => {
                let [_, height, width] = conv.output()?.map(|d| d as usize);
                let [out, _, kernel_h, kernel_w] = conv.kernel_shape().map(|d| d as usize);
                let cells = kernel_h * kernel_w;
                (out, conv.input[0] as usize * cells, height * width)
            }
            Structure::Sparse { .. } | Structure::Identity { .. } => return None,
        };
        let stored = structure.stored() / rows.max(1);
        let mut values = vec![0.0; rows * len];
        for row in 0..rows {
            // The channels of a group are apart from those of the others.
            let first = match structure {
                Structure::Conv(conv) => {
                    let per_group = rows / (conv.groups as usize).max(1);
                    row * len + row / per_group.max(1) * stored
                }
                _ => row * len,
            };
            for (i, value) in values[first..first + stored].iter_mut().enumerate() {
                *value = weight(row * stored + i);
            }
        }
        let offset = vec![Span::default(); rows];
        Some(Self { rows, len, values, shift: 0, offset, area })
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.len..(row + 1) * self.len]
    }

    /// How `structure` reads these relays, if composed rows describe that.
    fn reading(&self, structure: &Structure) -> Option<Reading> {
        match structure {
            Structure::Dense { rows, cols } => {
                let fits = self.area == 1 && *cols as usize == self.rows;
                fits.then_some(Reading { rows: *rows as usize, cells: 1, area: 1 })
            }
            Structure::Conv(conv) => {
                let [_, height, width] = conv.output()?.map(|d| d as usize);
                let cells = conv.kernel.iter().map(|d| *d as usize).product();
                let positions = conv.input[1] as usize * conv.input[2] as usize;
                let fits = conv.groups == 1
                    && conv.input[0] as usize == self.rows
                    && positions == self.area;
                let rows = conv.out_channels as usize;
                fits.then_some(Reading { rows, cells, area: height * width })
            }
            Structure::Sparse { .. } | Structure::Identity { .. } => None,
        }
    }

    /// Visits the composed weights of `rows` of a projection from these relays, piece by piece: `visit(position in
    /// `rows`, cell, first column, weights)`. `None` without a visit where composed rows do not describe
    /// it, or sums might lose bits.
    pub(in crate::quantize) fn compose(
        &self,
        structure: &Structure,
        weight: impl Fn(usize) -> f64,
        rows: &[usize],
        mut visit: impl FnMut(usize, usize, usize, &[f64]),
    ) -> Option<()> {
        let Reading { cells, .. } = self.reading(structure)?;
        let stored = self.rows * cells;
        // By row and cell, the weights of all relays.
        let mut weights = vec![0.0; rows.len() * stored];
        for (at, &row) in rows.iter().enumerate() {
            for cell in 0..cells {
                for relay in 0..self.rows {
                    weights[(at * cells + cell) * self.rows + relay] =
                        weight(row * stored + relay * cells + cell);
                }
            }
        }
        let reach = |values: &[f64]| values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        let largest = reach(&self.values);
        let lines = weights.chunks(self.rows.max(1));
        let most = lines.map(|line| line.iter().map(|w| w.abs()).sum::<f64>()).fold(0.0, f64::max);
        if most * largest >= EXACT {
            return None;
        }
        let mut sums = [0.0; TILE];
        for first in (0..self.len).step_by(TILE) {
            let width = TILE.min(self.len - first);
            let sums = &mut sums[..width];
            for (at, line) in weights.chunks(self.rows.max(1)).enumerate() {
                sums.fill(0.0);
                self.sum(line, first, sums);
                visit(at / cells, at % cells, first, sums);
            }
        }
        Some(())
    }

    /// Adds the rows times their weights to `sums`, from column `first` on.
    fn sum(&self, line: &[f64], first: usize, sums: &mut [f64]) {
        let width = sums.len();
        let mut chunks = line.chunks_exact(4);
        let mut relay = 0;
        for four in chunks.by_ref() {
            let weights: [f64; 4] = [four[0], four[1], four[2], four[3]];
            let rows = [0, 1, 2, 3].map(|i| &self.row(relay + i)[first..first + width]);
            for (column, sum) in sums.iter_mut().enumerate() {
                let terms = [0, 1, 2, 3].map(|i| weights[i] * rows[i][column]);
                *sum += (terms[0] + terms[1]) + (terms[2] + terms[3]);
            }
            relay += 4;
        }
        for (i, &w) in chunks.remainder().iter().enumerate() {
            for (sum, p) in sums.iter_mut().zip(&self.values[(relay + i) * self.len + first..]) {
                *sum += w * p;
            }
        }
    }

    /// The composed matrix of a projection from these relays, biases and remainders of the relays included.
    pub(in crate::quantize) fn through(
        &self,
        structure: &Structure,
        weight: impl Fn(usize) -> f64,
    ) -> Option<Self> {
        let Reading { rows, cells, area } = self.reading(structure)?;
        let len = self.len * cells;
        let all: Vec<usize> = (0..rows).collect();
        let mut values = vec![0.0; rows * len];
        self.compose(structure, &weight, &all, |row, cell, first, sums| {
            let start = row * len + cell * self.len + first;
            values[start..start + sums.len()].copy_from_slice(sums);
        })?;
        let offset = self.offsets(structure, &weight)?;
        Some(Self { rows, len, values, shift: self.shift, offset, area })
    }

    /// What the offsets of these relays add to each row of a projection, in units of `2^-shift`.
    pub(in crate::quantize) fn offsets(
        &self,
        structure: &Structure,
        weight: impl Fn(usize) -> f64,
    ) -> Option<Vec<Span>> {
        let Reading { rows, cells, .. } = self.reading(structure)?;
        let of = |row: usize| {
            let stored = self.rows * cells;
            (0..stored).fold(Span::default(), |sum, i| {
                sum.plus(self.offset[i / cells].times(whole(weight(row * stored + i))))
            })
        };
        Some((0..rows).map(of).collect())
    }

    /// The sums of negative and of positive composed weights of each row of a projection from these relays.
    pub(in crate::quantize) fn halves(
        &self,
        structure: &Structure,
        weight: impl Fn(usize) -> f64,
    ) -> Option<Vec<(f64, f64)>> {
        let rows = self.reading(structure)?.rows;
        let all: Vec<usize> = (0..rows).collect();
        let mut ends = vec![(0.0_f64, 0.0_f64); rows];
        self.compose(structure, &weight, &all, |row, _, _, sums| {
            let (low, high) = signed_sums(sums);
            (ends[row].0, ends[row].1) = (ends[row].0 + low, ends[row].1 + high);
        })?;
        Some(ends)
    }

    /// What may arrive over a projection from these relays at each of its rows, in units of `2^-shift`.
    pub(in crate::quantize) fn reach(
        &self,
        structure: &Structure,
        weight: impl Fn(usize) -> f64,
    ) -> Option<Vec<Span>> {
        let halves = self.halves(structure, &weight)?;
        let offsets = self.offsets(structure, &weight)?;
        let spans = halves.into_iter().zip(offsets);
        Some(spans.map(|((low, high), o)| span(low, high).plus(o)).collect())
    }

    /// Ends of what the rows themselves sum up to, in units of `2^-shift`.
    pub(in crate::quantize) fn ends(&self) -> Vec<Span> {
        let of = |(row, offset): (usize, &Span)| {
            let (low, high) = signed_sums(self.row(row));
            span(low, high).plus(*offset)
        };
        self.offset.iter().enumerate().map(of).collect()
    }

    /// The sum of two projections into the same relays: of different spikes, as far as bounds know.
    pub(in crate::quantize) fn beside(self, other: &Self) -> Option<Self> {
        if (self.rows, self.area) != (other.rows, other.area) {
            return None;
        }
        let shift = self.shift.max(other.shift);
        let (a, b) = (self.at(shift), other.clone().at(shift));
        let len = a.len + b.len;
        let mut values = Vec::with_capacity(a.rows * len);
        for row in 0..a.rows {
            values.extend_from_slice(a.row(row));
            values.extend_from_slice(b.row(row));
        }
        let offset = a.offset.iter().zip(&b.offset).map(|(a, b)| a.plus(*b)).collect();
        Some(Self { rows: a.rows, len, values, shift, offset, area: a.area })
    }

    /// The same in finer units.
    fn at(mut self, shift: u32) -> Self {
        let up = shift - self.shift;
        if up > 0 {
            let factor = f64::from(up).exp2();
            self.values.iter_mut().for_each(|v| *v *= factor);
            self.offset.iter_mut().for_each(|o| *o = o.times(1 << up.min(62)));
            self.shift = shift;
        }
        self
    }

    /// What is sent of these sums by relays of this shift and these biases, the smallest and the largest of each row.
    pub(in crate::quantize) fn sent(mut self, shift: u8, bias: impl Fn(usize) -> Span) -> Self {
        let unit = 1_i64 << self.shift.min(62);
        let rest = (1_i64 << shift.min(62)) - 1;
        for row in 0..self.rows {
            let bias = bias(row);
            let own = Span { low: bias.low.saturating_sub(rest), high: bias.high };
            let own = own.hull(Span::default()).times(unit);
            self.offset[row] = self.offset[row].plus(own);
        }
        self.shift += u32::from(shift);
        self
    }

    /// The same without the composed matrix: what offsets need.
    pub(in crate::quantize) fn outline(&self) -> Self {
        Self { values: Vec::new(), offset: self.offset.clone(), ..*self }
    }

    /// Relays of a row.
    pub(in crate::quantize) const fn area(&self) -> usize {
        self.area
    }

    /// The sums of the negative and of the positive weights of a row.
    pub(in crate::quantize) fn halves_of(&self, row: usize) -> (f64, f64) {
        signed_sums(self.row(row))
    }

    /// At most `most` weights of a row, at fixed distances.
    pub(in crate::quantize) fn strided(&self, row: usize, most: usize) -> Vec<f64> {
        strided(self.len, most).map(|column| self.row(row)[column]).collect()
    }

    /// Sum and sum of squares of a row, over `unit`.
    pub(in crate::quantize) fn moments(&self, row: usize, unit: f64) -> (f64, f64) {
        let each = self.row(row).iter().map(|v| v / unit);
        each.fold((0.0, 0.0), |(a, b), v| (a + v, b + v * v))
    }

    /// Sum and sum of squares of what a row differs from that of `float`, both over their units.
    pub(in crate::quantize) fn errors(&self, row: usize, unit: f64, float: &Self) -> (f64, f64) {
        let each = self.row(row).iter().zip(float.row(row)).map(|(v, w)| v / unit - w);
        each.fold((0.0, 0.0), |(a, b), d| (a + d, b + d * d))
    }
}

/// Whole bounds of `span / 2^shift`, where the quotient is known to be whole.
pub(in crate::quantize) const fn quotient(span: Span, shift: u32) -> Span {
    let shift = if shift > 62 { 62 } else { shift };
    Span { low: -(span.low.saturating_neg() >> shift), high: span.high >> shift }
}

/// Sums of the negative and of the positive values.
fn signed_sums(values: &[f64]) -> (f64, f64) {
    values.iter().fold((0.0, 0.0), |(low, high), v| (low + v.min(0.0), high + v.max(0.0)))
}

fn span(low: f64, high: f64) -> Span {
    Span { low: whole(low), high: whole(high) }
}

#[expect(clippy::cast_possible_truncation, reason = "whole numbers; beyond i64 bounds saturate")]
fn whole(value: f64) -> i64 {
    value as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use snnc_ir::conv::Conv;

    fn conv(input: [u32; 3], out_channels: u32, size: u32, stride: u32, pad: u32) -> Structure {
        Structure::Conv(Conv {
            input,
            out_channels,
            kernel: [size, size],
            stride: [stride, stride],
            pad: [pad; 4],
            groups: 1,
            crop: [0; 4],
        })
    }

    /// What relays of this shift send of spikes, and what arrives behind them.
    fn through(layers: &[(Structure, Vec<i64>)], shift: u8, bias: i64, spikes: &[i64]) -> Vec<i64> {
        let mut sent = spikes.to_vec();
        for (at, (structure, weights)) in layers.iter().enumerate() {
            let mut sums = vec![0; structure.rows()];
            for (row, sum) in sums.iter_mut().enumerate() {
                structure.for_row(row, |col, i| *sum += weights[i] * sent[col]);
            }
            if at + 1 < layers.len() {
                for sum in &mut sums {
                    *sum = (*sum + bias) >> shift;
                }
            }
            sent = sums;
        }
        sent
    }

    fn weights(seed: &mut u64, structure: &Structure) -> Vec<i64> {
        let mut next = || {
            *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            i64::try_from(*seed >> 33).unwrap_or(0) % 41 - 20
        };
        (0..structure.stored()).map(|_| next()).collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn bounds(layers: &[(Structure, Vec<i64>)], shift: u8, bias: i64) -> Option<Vec<Span>> {
        let at = |weights: &[i64], i: usize| weights[i] as f64;
        let (first, rest) = layers.split_first()?;
        let mut form = Form::spikes(&first.0, |i| at(&first.1, i))?;
        let (last, between) = rest.split_last()?;
        let own = |_| Span { low: bias, high: bias };
        form = form.sent(shift, own);
        for (structure, weights) in between {
            form = form.through(structure, |i| at(weights, i))?.sent(shift, own);
        }
        let ends = form.reach(&last.0, |i| at(&last.1, i))?;
        let area = last.0.rows() / ends.len();
        let ends = ends.into_iter().map(|span| quotient(span, form.shift));
        Some(ends.flat_map(|span| std::iter::repeat_n(span, area)).collect())
    }

    proptest! {
        /// Nothing that arrives leaves its bounds, whatever enters; without shifts and padding a dense chain reaches
        /// them.
        #[test]
        fn bounds_hold(
            kind in 0..6, shift in 0_u8..5, bias in -9_i64..20, seed: u64,
            spikes in proptest::collection::vec(0_i64..2, 32),
        ) {
            let dense = |rows, cols| Structure::Dense { rows, cols };
            let layouts = match kind {
                0 => vec![dense(5, 32), dense(7, 5)],
                1 => vec![dense(4, 32), dense(4, 4), dense(6, 4)],
                2 => vec![conv([2, 4, 4], 3, 1, 1, 0), conv([3, 4, 4], 3, 3, 2, 1), conv([3, 2, 2], 4, 1, 1, 0)],
                3 => vec![conv([2, 4, 4], 3, 3, 1, 1), conv([3, 4, 4], 2, 1, 1, 0)],
                4 => vec![conv([2, 4, 4], 3, 3, 1, 1), conv([3, 4, 4], 2, 3, 2, 1)],
                _ => vec![conv([2, 4, 4], 3, 2, 2, 0), conv([3, 2, 2], 3, 3, 1, 1), conv([3, 2, 2], 4, 1, 1, 0)],
            };
            let mut seed = seed;
            let layers: Vec<_> =
                layouts.into_iter().map(|s| { let w = weights(&mut seed, &s); (s, w) }).collect();
            let bounds = bounds(&layers, shift, bias).expect("composed");
            let found = through(&layers, shift, bias, &spikes);
            for (n, (span, a)) in bounds.iter().zip(&found).enumerate() {
                prop_assert!(span.low <= *a && *a <= span.high, "{n}: {a} is outside {span:?}");
            }
            if kind < 2 && shift == 0 && bias == 0 {
                let one = |i: usize| (0..32).map(|j| i64::from(i == j)).collect::<Vec<_>>();
                let alone: Vec<_> = (0..32).map(|i| through(&layers, 0, 0, &one(i))[0]).collect();
                let high: i64 = alone.iter().map(|a| a.max(&0)).sum();
                prop_assert_eq!(bounds[0].high, high);
            }
        }
    }

    #[test]
    fn layouts_that_rows_do_not_describe_are_left_to_ranges() {
        let form = Form::spikes(&conv([2, 4, 4], 3, 3, 1, 1), |_| 1.0).expect("a form");
        assert!(form.through(&Structure::Dense { rows: 2, cols: 48 }, |_| 1.0).is_none());
        let huge = Form::spikes(&Structure::Dense { rows: 2, cols: 2 }, |_| 1e15).expect("a form");
        assert!(huge.reach(&Structure::Dense { rows: 1, cols: 2 }, |_| 100.0).is_none());
    }
}
