//! Populations of the integer level in batches.

use super::{Device, INT};
use crate::integer::REGISTER_MAX;
use crate::readout::Window;
use burn::tensor::{Bool, DType, Int, Tensor, TensorData};
use snnc_ir::network::{Compare, Keep};
use snnc_ir::quantized::{Graded, IntNeuron, IntReset};
use snnc_ir::shape::Shape;

/// Largest magnitude of u and v.
#[expect(clippy::cast_possible_truncation, reason = "24 bits")]
const BOUND: i32 = REGISTER_MAX as i32;

/// Bound to which inputs, biases and overflowed registers are clamped. It is far enough outside the
/// registers' range that a clamped value overflows exactly where the value itself does (an input
/// counts 64-fold), and low enough that sums of clamped values stay in i32.
const CLAMP: i32 = 1 << 26;

/// One value per sample and neuron, `[batch, neurons]`: `shared`, plus what each sample adds (times
/// `unit`), clamped to `limit`.
fn per_sample(
    shared: &[i32],
    added: &[Option<&[i64]>],
    (unit, limit): (i64, i32),
    device: &Device,
) -> Tensor<2, Int> {
    let value = |n: usize, added: Option<&[i64]>| {
        let sum = i64::from(shared[n]) + unit * added.map_or(0, |a| a[n]);
        i32::try_from(sum.clamp(i64::from(-limit), i64::from(limit))).unwrap_or(limit)
    };
    let rows = added.iter().flat_map(|&a| (0..shared.len()).map(move |n| value(n, a)));
    let data = TensorData::new(rows.collect::<Vec<_>>(), [added.len(), shared.len()]);
    Tensor::from_data(data, (device, DType::from(INT)))
}

/// A population of graded relays, all `[batch, compartments]` in i32.
pub(super) struct Relay {
    keep: Option<Keep>,
    shift: u8,
    bias: Tensor<2, Int>,
    /// What arrives in this step.
    pub(super) input: Tensor<2, Int>,
}

impl Relay {
    /// `host` is what the host adds to the biases, sample by sample.
    pub(super) fn new(
        graded: &Graded,
        shape: &Shape,
        host: &[Option<&[i64]>],
        device: &Device,
    ) -> Self {
        // `Bounds` keeps sums with the bias inside i32.
        let bias = per_sample(&graded.bias.expand(shape), host, (1, i32::MAX), device);
        let Graded { keep, shift, .. } = *graded;
        Self { keep, shift, input: bias.zeros_like(), bias }
    }

    /// The messages of this step; 0 where there is none.
    pub(super) fn messages(&mut self) -> Tensor<2, Int> {
        let input = std::mem::replace(&mut self.input, self.bias.zeros_like());
        let sum = input + self.bias.clone();
        // On i32 the shift is arithmetic: it rounds down below 0 too.
        let sum = match self.shift {
            0 => sum,
            shift => sum.bitwise_right_shift_scalar(i32::from(shift)),
        };
        match self.keep {
            None => sum,
            Some(Keep::Positive) => sum.clamp_min(0),
            Some(Keep::Negative) => sum.clamp_max(0),
        }
    }
}

/// Parameters and registers of one population, all `[batch, neurons]` in i32.
pub(super) struct State {
    keep_u: Tensor<2, Int>,
    keep_v: Tensor<2, Int>,
    bias: Tensor<2, Int>,
    threshold: Tensor<2, Int>,
    subtract: Option<Tensor<2, Int>>,
    floor: Option<Tensor<2, Int>>,
    compare: Compare,
    /// Updates for which a neuron is held after a spike.
    held_for: i32,
    pub(super) period: usize,
    pub(super) phase: usize,
    /// The first step behind the last logical one.
    end: usize,
    /// Weights that arrived since the last update.
    pub(super) input: Tensor<2, Int>,
    u: Tensor<2, Int>,
    v: Tensor<2, Int>,
    hold: Tensor<2, Int>,
}

impl State {
    /// `host` is what the host adds to the biases, sample by sample, in units of weight.
    pub(super) fn new(
        neuron: &IntNeuron,
        shape: &Shape,
        window: Window,
        steps: usize,
        host: &[Option<&[i64]>],
        device: &Device,
    ) -> Self {
        let (n, batch) = (shape.size(), host.len());
        let spread = |values: Vec<i32>| -> Tensor<2, Int> {
            let data = TensorData::new(values, [1, n]);
            Tensor::from_data(data, (device, DType::from(INT))).repeat_dim(0, batch)
        };
        let blank = || Tensor::zeros([batch, n], (device, DType::from(INT)));
        let clamped = |x: i32| x.clamp(-CLAMP, CLAMP);
        let period = (neuron.update_period as usize).max(1);
        let held_for = (neuron.refractory.saturating_sub(1) as usize).min(steps);
        Self {
            keep_u: spread(neuron.du.map(|d| 4095 - i32::from(d)).expand(shape)),
            keep_v: spread(neuron.dv.map(|d| 4096 - i32::from(d)).expand(shape)),
            bias: per_sample(&neuron.bias.expand(shape), host, (64, CLAMP), device),
            threshold: spread(neuron.threshold.expand(shape)),
            subtract: match &neuron.reset {
                IntReset::Zero => None,
                IntReset::Subtract(amount) => Some(spread(amount.map(clamped).expand(shape))),
            },
            floor: neuron.floor.as_ref().map(|floor| spread(floor.expand(shape))),
            compare: neuron.compare,
            // At most the steps of a run, which fit in memory.
            held_for: i32::try_from(held_for).unwrap_or(i32::MAX),
            period,
            phase: window.latency % period,
            end: window.end(),
            input: blank(),
            u: blank(),
            v: blank(),
            hold: blank(),
        }
    }

    /// The update of step `t`: where neurons fire, and where a register left its range. Behind the last logical step
    /// registers stay in it.
    pub(super) fn update(&mut self, t: usize) -> (Tensor<2, Bool>, Tensor<2, Bool>) {
        let behind = t >= self.end;
        let stored = |x: Tensor<2, Int>| if behind { x.clamp(-BOUND, BOUND) } else { x };
        let input = std::mem::replace(&mut self.input, self.u.zeros_like());
        let u = stored(decay(&self.u, &self.keep_u) + input.clamp(-CLAMP / 64, CLAMP / 64) * 64);
        let mut outside = leaves(&u);
        self.u = u.clone().clamp(-CLAMP, CLAMP);
        let h = stored(decay(&self.v, &self.keep_v) + self.u.clone() + self.bias.clone());
        let held = self.hold.clone().greater_elem(0);
        let runs = held.clone().bool_not();
        outside = outside.bool_or(leaves(&h).bool_and(runs.clone()));
        let h = match &self.floor {
            None => h,
            Some(floor) => h.max_pair(floor.clone()),
        };
        let fired = match self.compare {
            Compare::Gt => h.clone().greater(self.threshold.clone()),
            Compare::Ge => h.clone().greater_equal(self.threshold.clone()),
        };
        let fired = fired.bool_and(runs);
        let after = match &self.subtract {
            None => h.clone().mask_fill(fired.clone(), 0),
            Some(amount) => h.clone().mask_where(fired.clone(), stored(h - amount.clone())),
        };
        let after = after.mask_where(held, self.v.clone());
        outside = outside.bool_or(leaves(&after));
        self.v = after.clamp(-CLAMP, CLAMP);
        if self.held_for > 0 {
            let counted = (self.hold.clone() - 1).clamp_min(0);
            self.hold = counted.mask_fill(fired.clone(), self.held_for);
        }
        (fired, outside)
    }
}

/// Where a register is outside its 24 bits.
fn leaves(x: &Tensor<2, Int>) -> Tensor<2, Bool> {
    x.clone().greater_elem(BOUND).bool_or(x.clone().lower_elem(-BOUND))
}

/// `tz(x · keep, 12)` within i32, in two parts: the upper one times 4096 is a multiple of 4096, so
/// that only the lower one loses bits. For `|x| ≤ 2^26` and `keep ≤ 2^12` nothing leaves i32.
fn decay(x: &Tensor<2, Int>, keep: &Tensor<2, Int>) -> Tensor<2, Int> {
    let sign = x.clone().bitwise_right_shift_scalar(31);
    let magnitude = x.clone().bitwise_xor(sign.clone()) - sign.clone();
    let upper = magnitude.clone().bitwise_right_shift_scalar(12) * keep.clone();
    let lower = magnitude.bitwise_and_scalar(4095) * keep.clone();
    let kept = upper + lower.bitwise_right_shift_scalar(12);
    kept.bitwise_xor(sign.clone()) - sign
}
