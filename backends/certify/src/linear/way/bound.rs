//! Bounds of readers by a way that is known.

use super::super::product::{EXACT, Rows, multiply};
use super::{MOST_SHIFTS, MatId, Place, Span, Through, Way};
use std::ops::Range;

/// Multiplications for all readers.
const MOST_WORK: u64 = 1 << 35;
/// Coefficients, and readers, that are worked on together.
const BATCH: (usize, usize) = (1 << 20, 32);

impl Way<'_> {
    /// Bounds of what arrives at each reader through `matrices` together. `None` if that takes too long, or
    /// numbers become too large.
    pub(in super::super) fn bounds(&self, matrices: &[MatId]) -> Option<Vec<Span>> {
        if self.work.saturating_mul(self.readers as u64) > MOST_WORK {
            return None;
        }
        let batch = (BATCH.0 / self.coefficients.max(1)).clamp(1, BATCH.1);
        let mut bounds = Vec::with_capacity(self.readers);
        for first in (0..self.readers).step_by(batch) {
            let readers = first..(first + batch).min(self.readers);
            bounds.extend(self.together(matrices, &readers)?);
        }
        Some(bounds)
    }

    fn together(&self, matrices: &[MatId], readers: &Range<usize>) -> Option<Vec<Span>> {
        let mut coefficients: Vec<Rows> = self.places.iter().map(|_| Rows::default()).collect();
        coefficients[0] = self.first(matrices, readers);
        // What coefficients, and parts of their sums, may reach.
        let mut reach = vec![0.0; self.places.len()];
        let mut sums = vec![(0_i128, 0_i128); readers.len()];
        for &at in &self.order {
            let place = &self.places[at];
            let rows = std::mem::take(&mut coefficients[at]);
            let norm = rows.norm();
            place.add(&rows, norm, &mut sums)?;
            for hop in &place.hops {
                let most = norm * hop.largest;
                reach[hop.to] += most;
                if reach[hop.to] > EXACT {
                    return None;
                }
                let next = &self.places[hop.to];
                let behind = &mut coefficients[hop.to];
                if behind.data.is_empty() {
                    *behind = Rows::zeros(readers.len() * next.cells, next.width);
                }
                hop.through.take(&rows, behind, most);
            }
        }
        // Whole numbers arrive.
        let unit = 1_i128 << MOST_SHIFTS;
        let whole = |n: i128| i64::try_from(n).unwrap_or(if n < 0 { i64::MIN } else { i64::MAX });
        let span = |(low, high): (i128, i128)| Span {
            low: whole((low + unit - 1).div_euclid(unit)),
            high: whole(high.div_euclid(unit)),
        };
        Some(sums.into_iter().map(span).collect())
    }

    /// The weights of the readers.
    fn first(&self, matrices: &[MatId], readers: &Range<usize>) -> Rows {
        let Place { cells, width, .. } = self.places[0];
        let mut rows = Rows::zeros(readers.len() * cells, width);
        for &matrix in matrices {
            let matrix = &self.facts.source.matrices[matrix];
            for (reader, rows) in readers.clone().zip(rows.data.chunks_exact_mut(cells * width)) {
                let Some(conv) = &self.windows else {
                    matrix.for_row(reader, |col, weight| rows[col] += f64::from(weight));
                    continue;
                };
                let [outputs, inputs, ..] = conv.kernel_shape().map(|d| d as usize);
                let channel = reader / (outputs / conv.groups as usize) * inputs;
                for index in 0..inputs * cells {
                    let weight = matrix.weight(reader * inputs * cells + index);
                    let (input, cell) = (index / cells, index % cells);
                    rows[cell * width + channel + input] += f64::from(weight);
                }
            }
        }
        rows
    }
}

impl Place<'_> {
    /// Adds what `rows`, whose magnitudes add up to `norm` at most, bring to `sums`, in units of
    /// `2^-MOST_SHIFTS`.
    fn add(&self, rows: &Rows, norm: f64, sums: &mut [(i128, i128)]) -> Option<()> {
        let unit = 1_i128 << (MOST_SHIFTS - self.unit);
        let largest = self.ends.iter().fold(0.0_f64, |most, (a, b)| most.max(-a).max(*b));
        let exact = norm * largest <= EXACT;
        for (i, row) in rows.iter().enumerate() {
            let (low, high) =
                if exact { add_up(row, &self.ends) } else { add_far(row, &self.ends)? };
            // A row that is missing adds 0.
            let (low, high) = if self.partial { (low.min(0), high.max(0)) } else { (low, high) };
            let sum = &mut sums[i / self.cells];
            sum.0 = sum.0.checked_add(low.checked_mul(unit)?)?;
            sum.1 = sum.1.checked_add(high.checked_mul(unit)?)?;
        }
        Some(())
    }
}

/// Smallest and largest sum, where floating point is exact.
#[expect(clippy::cast_possible_truncation, reason = "integers below 2^53")]
fn add_up(row: &[f64], ends: &[(f64, f64)]) -> (i128, i128) {
    let (mut low, mut high) = (0.0, 0.0);
    for (x, (least, most)) in row.iter().zip(ends) {
        let (a, b) = (x * least, x * most);
        low += if a < b { a } else { b };
        high += if a < b { b } else { a };
    }
    (low as i128, high as i128)
}

/// The same in integers.
#[expect(clippy::cast_possible_truncation, reason = "integers below 2^53")]
fn add_far(row: &[f64], ends: &[(f64, f64)]) -> Option<(i128, i128)> {
    let (mut low, mut high) = (0_i128, 0_i128);
    for (&x, &(least, most)) in row.iter().zip(ends) {
        let (a, b) = (x as i128 * least as i128, x as i128 * most as i128);
        low = low.checked_add(a.min(b))?;
        high = high.checked_add(a.max(b))?;
    }
    Some((low, high))
}

impl Through<'_> {
    /// Takes `rows` back, and adds them to `behind`; `most` bounds every sum in that.
    fn take(&self, rows: &Rows, behind: &mut Rows, most: f64) {
        match self {
            Self::Weight(weight) => {
                let pairs = behind.data.iter_mut().zip(&rows.data);
                pairs.for_each(|(sum, x)| *sum += x * weight);
            }
            Self::Blocks(blocks) => {
                // The rows that the cells of a kernel make of one row lie together.
                let width = behind.data.len() / rows.iter().len().max(1);
                for block in blocks.iter() {
                    multiply(rows, block, &mut behind.data, width, most);
                }
            }
            Self::Synapses(matrix) => {
                let width = behind.width.max(1);
                for (row, behind) in rows.iter().zip(behind.data.chunks_exact_mut(width)) {
                    for (neuron, &x) in row.iter().enumerate().filter(|(_, x)| **x != 0.0) {
                        matrix.for_row(neuron, |col, weight| behind[col] += x * f64::from(weight));
                    }
                }
            }
        }
    }
}
