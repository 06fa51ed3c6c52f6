//! The projections of a population as the search for scales sees them.

use super::balance::Tally;
use super::model::{Effect, Memory, Traffic};
use super::rows::Rows;
use crate::quantize::decision::Wanted;
use crate::quantize::matrix::{Set, exponents};
use crate::quantize::member::Member;
use crate::quantize::stages::{Stage, traffic::Readings};
use snnc_ir::TargetSpec;
use snnc_ir::network::NetworkDraft;
use snnc_ir::recipe::{Grouping, MAX_WEIGHT_BITS};

/// Weights of a projection that a candidate is tried on.
const SAMPLE: usize = 1 << 13;

/// A projection from inputs or neurons.
#[derive(Clone, Debug)]
pub(super) struct Plan<'a> {
    /// The weights.
    pub rows: Rows<'a>,
    /// Bits of a stored weight.
    pub bits: u8,
    /// Whether signs are stored apart.
    pub split: bool,
    /// What is stored.
    pub set: Set,
    /// Smallest and largest weight; 0 lies between them.
    ends: (f64, f64),
    /// The smallest exponent, the largest without an integer beyond those of 8 bits, the largest.
    exponents: [u8; 3],
    /// The exponent that the recipe asks for.
    pub given: Option<u8>,
    /// Weights that the recipe asks for.
    pub weights: Option<&'a [i16]>,
    /// Rows that candidates are tried on, and how errors count in them.
    sample: Vec<(usize, Effect)>,
    /// Messages per unit of float that the sources send; 1 for spikes. Weights are rounded at the scale over it.
    pub unit: f64,
    /// Whether the sources send spikes.
    pub is_spikes: bool,
    /// How often, if they do.
    pub traffic: Traffic,
    /// How messages are correlated, relay by relay; empty for spikes.
    pub gram: &'a [f64],
    /// Variance over the square of the threshold that is due to the sources, whatever the weights become.
    upstream: f64,
}

/// How errors count in a neuron.
pub(super) struct Effects<'e> {
    /// Of weights on spikes.
    pub spikes: &'e dyn Fn(usize, Traffic) -> Effect,
    /// The memory, and the threshold.
    pub memory: &'e dyn Fn(usize) -> (Memory, f64),
}

/// Added to a number below 2^51 and taken away again it leaves the nearest integer, ties to even: what
/// `round_ties_even` does, which is a call of a function on processors that only have SSE2.
const ROUNDING: f64 = 6_755_399_441_055_744.0;

/// The projections of a member, which reads these plain relays; signs are stored apart where `split` says so and the
/// recipe leaves it open.
pub(super) fn plans<'a>(
    network: &'a NetworkDraft,
    (member, stages): (&Member<'_>, &[Option<&'a Stage>]),
    effects: &Effects<'_>,
    wanted: &Wanted<'a>,
    target: &TargetSpec,
    split: bool,
) -> Vec<Plan<'a>> {
    let terms = member.spikes.iter().zip(&wanted.terms).zip(stages);
    let plans = terms.map(|((term, entry), stage)| {
        let rows = Rows::new(&term.structure, &network.tensors[term.weight].data);
        let bits = entry.and_then(|e| e.weight_bits).unwrap_or(wanted.settings.weight_bits);
        let split = entry.and_then(|e| e.split).unwrap_or_else(|| match wanted.settings.groups {
            Grouping::Mixed => false,
            Grouping::Split => true,
            Grouping::Auto => split && may_split(bits),
        });
        let split = split && has_both_signs(rows.values);
        let range = exponents(bits, split, rows.values, target, wanted.settings.max_exponent);
        let (least, most) = (*range.start(), *range.end());
        let plain = (MAX_WEIGHT_BITS - bits).clamp(least, most);
        let mut upstream = 0.0;
        let traffic = Traffic::of(network, term.source);
        let effect = |row: usize| {
            let n = rows.neuron(row);
            let Some(stage) = stage else { return (row, (effects.spikes)(n, traffic)) };
            let readings = Readings::of(&stage.relays);
            let (memory, theta) = (effects.memory)(n);
            upstream += readings.upstream(rows.row(row), memory) / (theta * theta);
            (row, Effect::new(readings.traffic(), memory, theta))
        };
        let sample: Vec<(usize, Effect)> = rows.sampled(SAMPLE).map(effect).collect();
        #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
        let upstream = upstream / sample.len().max(1) as f64;
        let bound = |ends: (f64, f64), w: &f32| (ends.0.min((*w).into()), ends.1.max((*w).into()));
        Plan {
            rows,
            bits,
            split,
            set: Set::of(bits, split, rows.values),
            ends: rows.values.iter().fold((0.0, 0.0), bound),
            exponents: [least, plain, most],
            given: entry.and_then(|e| e.exponent),
            weights: entry.and_then(|e| e.weights.as_deref()),
            sample,
            unit: stage.map_or(1.0, |stage| stage.unit),
            is_spikes: stage.is_none(),
            traffic,
            gram: stage.map_or(&[], |stage| &stage.gram),
            upstream,
        }
    });
    plans.collect()
}

/// Whether signs may be stored apart without being asked for: where a mixed group of so many bits has at
/// most one step on either side of 0. With more bits, one bit more in a mixed group is as good and takes
/// less memory.
pub(super) const fn may_split(bits: u8) -> bool {
    bits <= 2
}

fn has_both_signs(values: &[f32]) -> bool {
    values.iter().any(|w| *w < 0.0) && values.iter().any(|w| *w > 0.0)
}

impl Plan<'_> {
    /// The largest exponent with `extra` beyond what 8 bits have.
    pub(super) fn most(&self, extra: u8) -> u8 {
        let [_, plain, most] = self.exponents;
        self.given.unwrap_or_else(|| plain.saturating_add(extra).min(most))
    }

    /// The largest scale at which all weights lie in the set.
    pub(super) fn fits(&self, extra: u8) -> f64 {
        let unit = f64::from(1_u32 << self.most(extra));
        let side = |end: f64, limit: i16| {
            let limit = f64::from(limit);
            if end.abs() > 0.0 && limit.abs() > 0.0 { limit * unit / end } else { f64::INFINITY }
        };
        side(self.ends.1, self.set.high).min(side(self.ends.0, self.set.low)) * self.unit
    }

    /// Whether some weight is above 0.
    pub(super) fn has_positive(&self) -> bool {
        self.ends.1 > 0.0
    }

    /// Largest absolute weight.
    pub(super) fn largest(&self) -> f64 {
        self.ends.1.max(-self.ends.0)
    }

    /// The exponent that loses least at this scale, and the variance that rounding causes with it, on
    /// average over the sampled rows. The finest step at which everything fits, or finer ones that clip.
    pub(super) fn best(&self, scale: f64, extra: u8) -> (u8, f64) {
        let factor = scale / self.unit;
        self.best_of((self.ends.0 * factor, self.ends.1 * factor), &|_| scale, extra)
    }

    /// The same for neurons with scales of their own, with any exponent.
    pub(super) fn best_for(&self, scale: &dyn Fn(usize) -> f64) -> (u8, f64) {
        let mut ends = (0.0_f64, 0.0_f64);
        for row in 0..self.rows.count() {
            let scale = scale(self.rows.neuron(row)) / self.unit;
            for &w in self.rows.row(row) {
                let exact = f64::from(w) * scale;
                ends = (ends.0.min(exact), ends.1.max(exact));
            }
        }
        self.best_of(ends, scale, u8::MAX)
    }

    /// `ends` are the smallest and the largest weight times its scale, `scale` that of a neuron.
    fn best_of(&self, ends: (f64, f64), scale: &dyn Fn(usize) -> f64, extra: u8) -> (u8, f64) {
        let most = self.most(extra);
        let least = self.given.unwrap_or(self.exponents[0]);
        let fits = |e: &u8| {
            let unit = f64::from(1_u32 << e);
            // With one bit a mixed group has no positive step, and none fits.
            let high = self.set.high == 0 || ends.1 / unit <= f64::from(self.set.high) + 0.5;
            high && ends.0 / unit >= f64::from(self.set.low) - 0.5
        };
        let start = (least..most).find(fits).unwrap_or(most);
        let mut best = (start, self.variance(scale, start));
        for exponent in (least..start).rev() {
            let variance = self.variance(scale, exponent);
            if variance >= best.1 {
                break;
            }
            best = (exponent, variance);
        }
        best
    }

    /// The variance that rounding causes, on average over the sampled rows.
    fn variance(&self, scale: &dyn Fn(usize) -> f64, exponent: u8) -> f64 {
        let rows = self.sample.iter().map(|&(row, effect)| {
            self.row_variance(row, effect, scale(self.rows.neuron(row)), exponent)
        });
        let total: f64 = rows.sum();
        #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
        let count = self.sample.len().max(1) as f64;
        total / count + self.upstream
    }

    /// The variance that rounding a row causes.
    pub(super) fn row_variance(&self, row: usize, effect: Effect, scale: f64, exponent: u8) -> f64 {
        let factor = scale / (f64::from(1_u32 << exponent) * self.unit);
        let (low, high) = (f64::from(self.set.low), f64::from(self.set.high));
        let mut tally = Tally::default();
        for &w in self.rows.row(row) {
            let exact = f64::from(w) * factor;
            if exact.abs() > 0.0 {
                let unit = (exact.clamp(low, high) + ROUNDING) - ROUNDING;
                tally.add(exact, unit, (low, high));
            }
        }
        let (sum, squares) = if self.is_spikes { tally.turned() } else { tally.nearest() };
        effect.of(sum / factor, squares / (factor * factor))
    }
}
