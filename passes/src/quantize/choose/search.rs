//! The choice of scale and exponents.
//!
//! **Candidates.** With the largest exponents allowed there is a largest scale at which every weight lies
//! in the set of its group. Candidates are multiples of it in steps of 2^(1/8), from 0.84 (a scale with
//! more fitting thresholds) to 16 (clipping of almost all weights), then 2^(1/16) around the best. Where all neurons have
//! one threshold θ they are moved to the nearest with a whole mantissa `θ·s`, so that the threshold is
//! exact. Where all weights are whole multiples of one number, the scale that makes them all exact is one
//! more. The largest scale without clipping is left only for a gain of 5 % in the predicted error.
//!
//! **Exponents.** `8 − bits` keep integers within ±127 (255 in a group of one sign), what 8 bits without an exponent
//! have. One more lets thresholds, biases and small projections have steps twice as fine, and NetX still
//! expresses it (even integers within ±254, any within ±127): it is taken for a gain of 3 % in the predicted
//! error. Still larger ones are for programs only; they are taken where the predicted error is above 10 % of
//! the threshold and falls by more than 20 %.
//!
//! **A tensor that other populations read, too,** is to stay one matrix, so that everything decided about
//! it has to follow from its weights alone: errors then count alike in all neurons, and neither thresholds
//! nor biases are looked at.

use super::decay;
use super::model::{Effect, Neurons, Registers, Traffic};
use super::plan::Plan;
use super::rest;
use super::rows::strided;
use crate::quantize::decision::Wanted;
use crate::quantize::member::Member;
use crate::quantize::population::minimum_units;
use snnc_ir::Param;

/// Neurons whose registers a candidate is tried on.
const NEURONS: usize = 64;

/// Variance of the error below which nothing is done about it that costs something: 2 % of the threshold.
pub(super) const SMALL: f64 = 0.02 * 0.02;

/// Variance of the error below which exponents stay within what NetX expresses: 10 % of the threshold.
const FELT: f64 = 0.1 * 0.1;

/// Factor of the variance that justifies one exponent more: 3 % of the error.
const WORTH_ONE: f64 = 0.97 * 0.97;

/// Factor of the variance that justifies larger exponents: 20 % of the error.
const WORTH_EXPONENTS: f64 = 0.8 * 0.8;

/// Factor of the variance that justifies another scale than the largest without clipping.
const WORTH_MOVING: f64 = 0.95 * 0.95;

/// Powers of 2^(1/8).
pub(super) const EIGHTHS: [f64; 8] = [
    1.0,
    1.090_507_732_665_257_7,
    1.189_207_115_002_721,
    1.296_839_554_651_009_6,
    std::f64::consts::SQRT_2,
    1.542_210_825_407_940_7,
    1.681_792_830_507_429,
    1.834_008_086_409_342_4,
];

/// 2^(1/16).
const SIXTEENTH: f64 = 1.044_273_782_427_413_8;

/// 2^(eighths / 8), with `eighths` from −64 to 64.
pub(super) fn power(eighths: i32) -> f64 {
    let whole = eighths.div_euclid(8);
    let unit = f64::from(1_u32 << whole.unsigned_abs().min(8));
    let part = EIGHTHS[usize::try_from(eighths.rem_euclid(8)).unwrap_or(0)];
    if whole < 0 { part / unit } else { part * unit }
}

/// What a scale is chosen for.
pub(super) struct Search<'a> {
    /// The population.
    pub member: &'a Member<'a>,
    /// Its neurons.
    pub neurons: Neurons<'a>,
    /// What the recipe asks for.
    pub wanted: &'a Wanted<'a>,
    /// Its projections.
    pub plans: Vec<Plan<'a>>,
    /// Whether another population reads one of its tensors.
    pub shared: bool,
    /// The smallest scale at which all weights are whole numbers, if there is one.
    unit: Option<f64>,
}

/// A scale with the exponents that suit it.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    /// Integer weight per unit of float weight.
    pub scale: f64,
    /// By projection.
    pub exponents: Vec<u8>,
    /// Variance of the predicted error.
    pub variance: f64,
    /// What limits the scale.
    pub why: String,
}

/// The smallest scale at which all weights are whole numbers, if there is one.
fn unit(plans: &[Plan<'_>]) -> Option<f64> {
    let weights = || plans.iter().flat_map(|p| p.rows.values).map(|w| f64::from(w.abs()));
    let least = weights().filter(|w| *w > 0.0).fold(f64::INFINITY, f64::min);
    let whole = |unit: f64| {
        // As near as an f32 comes to a multiple.
        weights().all(|w| {
            let multiple = w * unit;
            (multiple - multiple.round()).abs() <= multiple * 1e-7
        })
    };
    let found = (1..=4).map(|part| f64::from(part) / least).find(|&unit| whole(unit));
    found.filter(|unit| unit.is_finite() && *unit > 0.0)
}

impl<'a> Search<'a> {
    /// The search for `member` with these projections.
    pub(super) fn new(
        member: &'a Member<'a>,
        neurons: Neurons<'a>,
        wanted: &'a Wanted<'a>,
        plans: Vec<Plan<'a>>,
        shared: bool,
    ) -> Self {
        let spikes = plans.iter().all(|p| p.is_spikes);
        let unit = if spikes { unit(&plans) } else { None };
        Self { member, neurons, wanted, plans, shared, unit }
    }

    /// How errors of weights count.
    pub(super) fn effect(
        neurons: &Neurons<'_>,
        shared: bool,
        n: usize,
        traffic: Traffic,
    ) -> Effect {
        if shared { Effect { noise: 1.0, mean: 0.0 } } else { neurons.effect(n, traffic) }
    }

    /// The best scale of at most `cap` for all neurons, and the exponents that suit it.
    pub(super) fn choose(&self, cap: f64, capped_by: &str) -> Choice {
        let first = self.within(0, cap, capped_by);
        if self.shared {
            return first;
        }
        let second = self.within(1, cap, capped_by);
        let first = if second.variance < first.variance * WORTH_ONE { second } else { first };
        let worth = |choice: &Choice| choice.variance < first.variance * WORTH_EXPONENTS;
        if first.variance <= FELT {
            return first;
        }
        let most = self.plans.iter().map(|p| p.most(u8::MAX) - p.most(0)).max().unwrap_or(0);
        let larger = (2..=most).map(|extra| self.within(extra, cap, capped_by));
        let larger: Vec<Choice> = larger.filter(worth).collect();
        let least = larger.iter().map(|c| c.variance).fold(f64::INFINITY, f64::min);
        // The smallest exponents that are almost as good as the best.
        larger.into_iter().find(|c| c.variance <= least * 1.2).unwrap_or(first)
    }

    /// The exponents that suit given scales.
    pub(super) fn at(&self, scale: &Param<f64>) -> Choice {
        let of = |n: usize| scale.at(n, self.member.shape);
        let found = self.plans.iter().map(|plan| plan.best_for(&of));
        let (exponents, variances): (Vec<u8>, Vec<f64>) = found.unzip();
        let (variance, why) = (variances.iter().sum(), "the recipe".to_owned());
        Choice { scale: scale.values().first().copied().unwrap_or(1.0), exponents, variance, why }
    }

    /// The best scale with exponents of at most `extra` beyond those of 8 bits.
    fn within(&self, extra: u8, cap: f64, capped_by: &str) -> Choice {
        if let Some(scale) = self.matching() {
            return self.try_scale(scale, extra, "the recipe".to_owned());
        }
        let limits = self.plans.iter().map(|p| (p.fits(extra), p));
        let limit = limits.min_by(|a, b| a.0.total_cmp(&b.0));
        let (fits, why) = match limit {
            Some((fits, plan)) if fits < cap => {
                let largest = i32::from(plan.set.high.max(-plan.set.low)) << plan.most(extra);
                (fits, format!("the largest weight ({largest})"))
            }
            _ => (cap, capped_by.to_owned()),
        };
        let fits = if fits.is_finite() { fits } else { 1.0 };
        // Exact thresholds and exact weights cost nothing.
        let most = self.plans.iter().map(|p| p.most(extra)).max().unwrap_or(0);
        let exact = self.unit.into_iter().flat_map(|unit| {
            let multiple = move |e| unit * f64::from(1_u32 << e);
            (0..=most).map(multiple).map(|unit| (fits / unit + 1e-9).floor() * unit)
        });
        let free = [fits, self.aligned(fits, f64::floor)].into_iter().chain(exact);
        let plain = self.least(free.filter(|s| *s > 0.0 && *s <= cap), extra, &why);
        if fits >= cap {
            return plain.unwrap_or_else(|| self.try_scale(fits, extra, why));
        }
        let clipped = "the error of rounding and clipping";
        let nearest = |scale: f64| self.aligned(scale, f64::round_ties_even);
        let below = |scale: &f64| *scale > 0.0 && *scale <= cap;
        let around = (-2..=32).map(|eighths| nearest(fits * power(eighths))).filter(below);
        let moved = self.least(around, extra, clipped);
        let between = moved.iter().flat_map(|m| [m.scale * SIXTEENTH, m.scale / SIXTEENTH]);
        let between = self.least(between.map(nearest).filter(below), extra, clipped);
        let moved = [moved, between].into_iter().flatten();
        let moved = moved.min_by(|a, b| a.variance.total_cmp(&b.variance));
        match (plain, moved) {
            (Some(plain), Some(moved)) if moved.variance < plain.variance * WORTH_MOVING => moved,
            (Some(plain), _) => plain,
            (None, moved) => moved.unwrap_or_else(|| self.try_scale(fits, extra, why)),
        }
    }

    /// The first scale with the least error.
    fn least(&self, scales: impl Iterator<Item = f64>, extra: u8, why: &str) -> Option<Choice> {
        let tried = scales.map(|scale| self.try_scale(scale, extra, why.to_owned()));
        tried.min_by(|a, b| a.variance.total_cmp(&b.variance))
    }

    /// The scale that follows from thresholds of the recipe.
    pub(super) fn matching(&self) -> Option<f64> {
        let given = self.wanted.population?.threshold.as_ref()?;
        let shape = self.member.shape;
        let sums = (0..shape.size()).fold((0.0, 0.0), |(a, b), n| {
            (a + f64::from(given.at(n, shape)), b + self.neurons.threshold(n))
        });
        Some(sums.0 / sums.1).filter(|s| s.is_finite() && *s > 0.0)
    }

    /// `scale` moved so that the threshold has a whole mantissa, where all neurons have one.
    pub(super) fn aligned(&self, scale: f64, whole: fn(f64) -> f64) -> f64 {
        match self.neurons.neuron.threshold {
            Param::Uniform(theta) if !self.shared => {
                let theta = f64::from(theta);
                let mantissa = whole(scale * theta);
                if mantissa >= f64::from(minimum_units(self.neurons.neuron.compare)) {
                    mantissa / theta
                } else {
                    scale
                }
            }
            _ => scale,
        }
    }

    /// The exponents that suit a scale, and the error that is expected.
    fn try_scale(&self, scale: f64, extra: u8, why: String) -> Choice {
        let mut choice = Choice { scale, exponents: Vec::new(), variance: 0.0, why };
        for plan in &self.plans {
            let (exponent, variance) = plan.best(scale, extra);
            choice.exponents.push(exponent);
            choice.variance += variance;
        }
        choice.variance += self.registers(scale);
        choice
    }

    /// The variance that thresholds, biases and decays cause, on average over sampled neurons; a neuron
    /// whose rhythm at rest is lost counts as one that is off by its threshold.
    fn registers(&self, scale: f64) -> f64 {
        if self.shared {
            return 0.0;
        }
        let (mut total, mut count) = (0.0, 0.0);
        for n in strided(self.member.shape.size(), NEURONS) {
            total += self.registers_of(n, scale);
            count += 1.0;
        }
        if count > 0.0 { total / count } else { 0.0 }
    }

    /// The same for one neuron.
    pub(super) fn registers_of(&self, n: usize, scale: f64) -> f64 {
        let mantissa = self.mantissa(n, scale);
        let dv = decay::register(self.neurons.decay.at(n, self.member.shape), mantissa);
        let du = self.neurons.filter_register(n, mantissa);
        let (bias, kept) = self.bias(n, scale, mantissa, [du, dv]);
        let host = !self.member.samples.is_empty();
        let parts = Registers { scale, mantissa, bias, du, dv, host };
        let float = self.member.bias.get(n).copied().unwrap_or(0.0);
        parts.variance(&self.neurons, n, float) + f64::from(u8::from(!kept))
    }

    /// The nearest threshold mantissa.
    fn mantissa(&self, n: usize, scale: f64) -> i32 {
        let exact = self.neurons.threshold(n) * scale;
        let least = minimum_units(self.neurons.neuron.compare);
        #[expect(clippy::cast_possible_truncation, reason = "saturates beyond every register")]
        let nearest = exact.round_ties_even() as i32;
        nearest.max(least)
    }

    /// The bias of neuron `n` in units of weight, and whether the rhythm at rest is the float one. There
    /// is no rest where the host adds a current. `registers` are those of the decays, du and dv.
    pub(super) fn bias(
        &self,
        n: usize,
        scale: f64,
        mantissa: i32,
        registers: [u16; 2],
    ) -> (i32, bool) {
        let bias = self.member.bias.get(n).copied().unwrap_or(0.0);
        if !self.member.samples.is_empty() {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "saturates beyond every register"
            )]
            return ((bias * scale).round_ties_even() as i32, true);
        }
        let neuron = self.neurons.neuron;
        let exact = rest::Exact {
            bias,
            decay: self.neurons.decay.at(n, self.member.shape),
            threshold: neuron.threshold.at(n, self.member.shape),
            compare: neuron.compare,
        };
        let [du, dv] = registers;
        let integer = rest::Integer { dv, whole: du == 4095 && dv == 0, mantissa };
        rest::bias(&exact, integer, scale, self.neurons.steps)
    }
}
