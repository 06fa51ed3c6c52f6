//! What plain relays are expected to send, and how wrong it is: the model of `choose::model` for chains.
//!
//! Sources of spikes fire independently. A relay whose composed row is `c` then sends values of mean `ρ·Σc` and
//! variance `ρ(1 − ρ)·Σc²`, in units of the float network. Errors of the weights on its messages count with
//! these; errors `δ` of the composed row itself arrive at the reader with the weights on the messages. Rounding a
//! message to whole numbers is new in every step, `(1 − 4^−shift) / (12·k²)`, and passes through what follows
//! with the squares of its weights. Errors of different relays count as independent.

use super::form::Form;
use crate::quantize::account::ASSUMED_RATE;
use crate::quantize::choose::{Memory, Traffic};

/// What one relay is expected to send, in units of the float network.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::quantize) struct Relay {
    /// Sum of the composed float weights.
    pub sum: f64,
    /// Sum of their squares.
    pub squares: f64,
    /// Sum of the errors of the composed integer weights.
    pub error_sum: f64,
    /// Sum of their squares.
    pub error_squares: f64,
    /// Variance of what rounding messages adds in a step.
    pub fresh: f64,
}

impl Relay {
    /// Adds what another relay sends, times a weight.
    pub(super) fn add(&mut self, weight: f64, source: &Self) {
        let square = weight * weight;
        self.sum += weight * source.sum;
        self.squares += square * source.squares;
        self.error_sum += weight * source.error_sum;
        self.error_squares += square * source.error_squares;
        self.fresh += square * source.fresh;
    }

    /// Adds a weight on spikes.
    pub(super) fn spike(&mut self, weight: f64) {
        (self.sum, self.squares) = (self.sum + weight, self.squares + weight * weight);
    }
}

/// Variance of rounding to whole messages of which `unit` stand for 1.
pub(super) fn rounding(shift: u8, unit: f64) -> f64 {
    let share = 1.0 - 1.0 / f64::from(2 * u32::from(shift.min(31))).exp2();
    share / (12.0 * unit * unit)
}

/// Columns that correlations are taken from, at fixed distances.
const COLUMNS: usize = 1 << 10;

/// Part of the mean power of messages that counts as independent: sources do not fire at one rate.
const INDEPENDENT: f64 = 0.02;

/// What rows of weights on messages cause in a membrane of this memory: `δᵀ·H·δ` is the variance that errors `δ` cause, but
/// for a factor.
pub(super) fn gram(float: &Form, memory: Memory) -> Vec<f64> {
    let (rows, rate) = (float.rows, ASSUMED_RATE);
    let rated = rate * memory.mean;
    let varying = rate * (1.0 - rate) * memory.noise + rated * rated;
    let picked: Vec<Vec<f64>> = (0..rows).map(|row| float.strided(row, COLUMNS)).collect();
    let sums: Vec<f64> = picked.iter().map(|row| row.iter().sum()).collect();
    let mut gram = vec![0.0; rows * rows];
    for i in 0..rows {
        for j in 0..=i {
            let dot: f64 = picked[i].iter().zip(&picked[j]).map(|(a, b)| a * b).sum();
            let value = varying * dot + rated * rated * sums[i] * sums[j];
            (gram[i * rows + j], gram[j * rows + i]) = (value, value);
        }
    }
    let trace: f64 = (0..rows).map(|i| gram[i * rows + i]).sum();
    #[expect(clippy::cast_precision_loss, reason = "a number of relays")]
    let own = INDEPENDENT * trace / rows.max(1) as f64;
    (0..rows).for_each(|i| gram[i * rows + i] += own);
    gram
}

/// How a weight of a reader's row and what it reads belong together.
#[derive(Clone, Copy, Debug)]
pub(in crate::quantize) struct Readings<'a> {
    relays: &'a [Relay],
}

impl<'a> Readings<'a> {
    /// What is read of these relays.
    pub(in crate::quantize) const fn of(relays: &'a [Relay]) -> Self {
        Self { relays }
    }

    /// The weights of a reader's row with what they weigh.
    pub(in crate::quantize) fn row<'w>(
        self,
        weights: &'w [f32],
    ) -> impl Iterator<Item = (f64, &'a Relay)> + use<'a, 'w> {
        let (relays, len) = (self.relays, weights.len().max(1));
        let known = if relays.is_empty() { 0 } else { weights.len() };
        weights[..known]
            .iter()
            .enumerate()
            .map(move |(i, &w)| (f64::from(w), &relays[i * relays.len() / len]))
    }

    /// What the relays send on average, as errors of the weights on their messages count with it: such errors are
    /// independent, so that what repeats in every step adds up by its squares.
    pub(in crate::quantize) fn traffic(self) -> Traffic {
        let rate = ASSUMED_RATE;
        let each = self.relays.iter().map(|r| {
            let mean = rate * r.sum;
            (rate * (1.0 - rate) * r.squares, rate * rate * r.squares + mean * mean)
        });
        let (varying, repeated) = each.fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
        #[expect(clippy::cast_precision_loss, reason = "a number of relays")]
        let count = self.relays.len().max(1) as f64;
        Traffic { mean: 0.0, variance: varying / count, spread: repeated / count }
    }

    /// What the relays' own errors do to a membrane over these weights: the variance, in units of the float network.
    pub(in crate::quantize) fn upstream(self, weights: &[f32], memory: Memory) -> f64 {
        let (Memory { mean, noise }, rate) = (memory, ASSUMED_RATE);
        let (mut sum, mut squares, mut fresh) = (0.0, 0.0, 0.0);
        for (w, relay) in self.row(weights) {
            sum += w * relay.error_sum;
            squares += w * w * relay.error_squares;
            fresh += w * w * relay.fresh;
        }
        let (rated, coherent) = (rate * mean, rate * mean * sum);
        (rate * (1.0 - rate) * noise + rated * rated) * squares
            + coherent * coherent
            + noise * fresh
    }
}
