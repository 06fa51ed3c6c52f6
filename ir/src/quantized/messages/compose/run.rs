//! Bounds of rows by a way back that is known: products, and the worst end of every range.

use super::{MAX_DOWN, Plan, Settle, Slot, Step, Through};
use crate::quantized::IntMatrix;
use crate::quantized::messages::Range;
use crate::quantized::messages::product::{EXACT, Rows, multiply};

impl Plan<'_> {
    /// Bounds of the groups `groups` of the sum of `targets`.
    pub(super) fn run(
        &self,
        targets: &[&IntMatrix],
        groups: std::ops::Range<usize>,
    ) -> Option<Vec<Range>> {
        let mut slots = vec![Rows::default(); self.slots.len()];
        slots[0] = self.first(targets, groups.clone());
        // Magnitudes that a coefficient of each place may have.
        let mut reach = vec![0.0; self.slots.len()];
        let mut sums = vec![(0_i128, 0_i128); groups.len()];
        for step in &self.steps {
            match step {
                Step::Back { from, to, through, largest } => {
                    reach[*to] += slots[*from].norm() * largest;
                    if reach[*to] > EXACT {
                        return None;
                    }
                    let Slot { taps, width } = self.slots[*to];
                    let mut sums = std::mem::take(&mut slots[*to]);
                    if sums.data.is_empty() {
                        sums = Rows::zeros(groups.len() * taps, width);
                    }
                    slots[*to] = through.apply(&slots[*from], sums);
                }
                Step::Settle(settle) => {
                    let taps = self.slots[settle.slot].taps;
                    for (row, coefficients) in slots[settle.slot].iter().enumerate() {
                        let (low, high) = settle.range(coefficients)?;
                        let sum = &mut sums[row / taps];
                        *sum = (sum.0.checked_add(low)?, sum.1.checked_add(high)?);
                    }
                }
            }
        }
        // What arrives is a whole number.
        let whole = |units: i128| {
            let down = (units >> MAX_DOWN).clamp(i64::MIN.into(), i64::MAX.into());
            i64::try_from(down).unwrap_or(i64::MAX)
        };
        Some(
            sums.into_iter()
                .map(|(low, high)| (whole(low + (1 << MAX_DOWN) - 1), whole(high)))
                .collect(),
        )
    }

    /// The weights of the targets in these groups.
    fn first(&self, targets: &[&IntMatrix], groups: std::ops::Range<usize>) -> Rows {
        let Slot { taps, width } = self.slots[0];
        let mut rows = Rows::zeros(groups.len() * taps, width);
        for (target, (i, group)) in
            targets.iter().flat_map(|t| groups.clone().enumerate().map(move |group| (t, group)))
        {
            let Some(conv) = &self.conv else {
                let row = &mut rows.data[i * width..(i + 1) * width];
                target.for_row(group, |source, weight| row[source] += f64::from(weight));
                continue;
            };
            let [outputs, inputs, ..] = conv.kernel_shape().map(|d| d as usize);
            let first = group / (outputs / conv.groups as usize) * inputs;
            for input in 0..inputs {
                for tap in 0..taps {
                    let weight = target.weight((group * inputs + input) * taps + tap);
                    rows.data[(i * taps + tap) * width + first + input] += f64::from(weight);
                }
            }
        }
        rows
    }
}

impl Through<'_> {
    /// Adds the rows `from`, taken back, to `sums`.
    fn apply(&self, from: &Rows, mut sums: Rows) -> Rows {
        match self {
            Self::Scale(weight) => {
                for (sum, x) in sums.data.iter_mut().zip(&from.data) {
                    *sum += x * weight;
                }
            }
            Self::Parts(parts) => {
                // All taps of one row side by side, as `Part::to` counts.
                let before = from.data.len() / from.width.max(1);
                let width = std::mem::replace(&mut sums.width, sums.data.len() / before.max(1));
                for (weights, part) in parts.iter() {
                    multiply(from, weights, &mut sums, *part);
                }
                sums.width = width;
            }
            Self::Synapses(matrix) => {
                let width = sums.width.max(1);
                for (row, back) in from.iter().zip(sums.data.chunks_exact_mut(width)) {
                    for (neuron, &x) in row.iter().enumerate().filter(|(_, x)| **x != 0.0) {
                        matrix.for_row(neuron, |source, w| back[source] += x * f64::from(w));
                    }
                }
            }
        }
        sums
    }
}

impl Settle {
    /// Bounds of `coefficients · values`, in units of `2^-MAX_DOWN`.
    #[expect(clippy::cast_possible_truncation, reason = "exact integers below 2^53")]
    fn range(&self, coefficients: &[f64]) -> Option<(i128, i128)> {
        let (mut low, mut high) = (0_i128, 0_i128);
        for (&x, &(least, most)) in coefficients.iter().zip(&self.bounds) {
            let x = i128::from(x as i64);
            let (a, b) = (x * i128::from(least), x * i128::from(most));
            low += a.min(b);
            high += a.max(b);
        }
        let terms = coefficients.iter().zip(&self.apart);
        let apart: i128 = terms.map(|(&x, &value)| i128::from(x as i64) * i128::from(value)).sum();
        low += apart.min(0);
        high += apart.max(0);
        let unit = 1_i128 << (MAX_DOWN - self.down);
        Some((low.checked_mul(unit)?, high.checked_mul(unit)?))
    }
}
