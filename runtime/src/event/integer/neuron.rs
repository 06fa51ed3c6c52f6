//! Neurons of the integer contract in 32 bits, a block at a time.

use crate::error::Register;
use crate::event::part::Part;
use crate::event::simd::{BLOCK, Blocks, wide, word};
use crate::integer::REGISTER_MAX;
use crate::integer::neuron::Overflow;
use crate::readout::Window;
use snnc_ir::network::Compare;
use snnc_ir::param::Param;
use snnc_ir::quantized::messages::Range;
use snnc_ir::quantized::{IntNeuron, IntReset};
use snnc_ir::shape::Shape;
use snnc_ir::spikes::SpikeTrain;

/// Largest magnitude of u and v.
#[expect(clippy::cast_possible_truncation, reason = "2^23 − 1")]
const MAX: i32 = REGISTER_MAX as i32;

/// Largest sum of arrivals, and largest bias, with which nothing here leaves 32 bits: `64 · a` stays
/// within 2^30, and so does the bias.
pub(super) const MAX_ARRIVALS: u64 = 1 << 24;
const MAX_BIAS: i64 = 1 << 30;

/// Parameters of one population, the same in every run.
pub(super) struct Model {
    size: usize,
    /// Whether no current lasts beyond its step.
    forgets: bool,
    keep_u: Blocks<i32>,
    keep_v: Blocks<i32>,
    bias: Vec<i64>,
    blocks: Blocks<i32>,
    /// Fires above it.
    threshold: Blocks<i32>,
    /// What a spike subtracts; `None` = reset to 0.
    subtract: Option<Blocks<i32>>,
    /// Lowest membrane; `None` = there is none.
    floor: Option<Blocks<i32>>,
    /// Updates for which a spike holds the membrane.
    hold: u32,
    /// Updates happen in steps `t ≡ phase (mod period)`.
    period: usize,
    phase: usize,
    /// The first step behind the last logical one.
    end: usize,
}

impl Model {
    /// `host` is what the host may add to the biases, in units of weight. `None` if a bias leaves no room
    /// in 32 bits.
    pub(super) fn new(
        neuron: &IntNeuron,
        shape: &Shape,
        window: Window,
        host: &Param<Range>,
    ) -> Option<Self> {
        let period = (neuron.update_period as usize).max(1);
        let bias = neuron.bias.map(i64::from).expand(shape);
        for (n, b) in bias.iter().enumerate() {
            let (low, high) = host.at(n, shape);
            narrow(&[low, high].map(|h| h.saturating_mul(64).saturating_add(*b)))?;
        }
        // A threshold beyond the registers is as good as one just beyond them.
        let strict = i32::from(neuron.compare == Compare::Ge);
        let threshold = neuron.threshold.map(|t| t.clamp(-MAX - 2, MAX + 2) - strict).expand(shape);
        let parameter = |values: Vec<i32>| Blocks::new(&values, 0);
        Some(Self {
            size: shape.size(),
            forgets: neuron.du.values().iter().all(|&du| du == 4095),
            keep_u: parameter(neuron.du.map(|d| 4095 - i32::from(d)).expand(shape)),
            keep_v: parameter(neuron.dv.map(|d| 4096 - i32::from(d)).expand(shape)),
            blocks: Blocks::new(&narrow(&bias)?, 0),
            bias,
            threshold: parameter(threshold),
            subtract: match &neuron.reset {
                IntReset::Zero => None,
                IntReset::Subtract(amount) => {
                    let fits = amount.values().iter().all(|a| i64::from(*a).abs() <= MAX_BIAS);
                    Some(parameter(fits.then(|| amount.expand(shape))?))
                }
            },
            floor: neuron.floor.as_ref().map(|floor| parameter(floor.expand(shape))),
            hold: neuron.refractory.saturating_sub(1),
            period,
            phase: window.latency % period,
            end: window.end(),
        })
    }

    /// Biases with what the host adds, in units of weight; `None` if that leaves the range that was
    /// stated when the model was made.
    pub(super) fn biases(&self, host: &[i64]) -> Option<Blocks<i32>> {
        let sums: Vec<_> = self.bias.iter().zip(host).map(|(b, h)| b + 64 * h).collect();
        Some(Blocks::new(&narrow(&sums)?, 0))
    }

    /// Neurons.
    pub(super) const fn size(&self) -> usize {
        self.size
    }

    /// Updates between two looks at the arrivals.
    pub(super) const fn period(&self) -> usize {
        self.period
    }

    /// Whether neurons are updated in step `t`.
    pub(super) const fn is_due(&self, t: usize) -> bool {
        t % self.period == self.phase
    }
}

fn narrow(bias: &[i64]) -> Option<Vec<i32>> {
    let fits = |&b: &i64| i32::try_from(b).ok().filter(|_| b.abs() <= MAX_BIAS);
    bias.iter().map(fits).collect()
}

/// Neurons of one part of a population in one run.
pub(super) struct Section {
    part: Part,
    /// Weights that arrived since the last update.
    input: Vec<[i32; BLOCK]>,
    u: Vec<[i32; BLOCK]>,
    v: Vec<[i32; BLOCK]>,
    /// Membrane that was compared with the threshold; empty unless it is recorded.
    h: Vec<[i32; BLOCK]>,
    /// Updates for which the membrane is still held; empty where nothing is ever held.
    hold: Vec<[u32; BLOCK]>,
    /// Spikes of the last update.
    words: Vec<u64>,
}

impl Section {
    pub(super) fn new(model: &Model, part: Part, traced: bool) -> Self {
        let count = part.len().div_ceil(BLOCK);
        let blocks = || vec![[0; BLOCK]; count];
        Self {
            part,
            input: blocks(),
            u: blocks(),
            v: blocks(),
            h: if traced { blocks() } else { Vec::new() },
            hold: vec![[0; BLOCK]; if model.hold > 0 { count } else { 0 }],
            words: vec![0; count],
        }
    }

    /// The part, and where weights that arrive in it are summed.
    pub(super) fn input(&mut self) -> (Part, &mut [i32]) {
        (self.part, &mut self.input.as_flattened_mut()[..self.part.len()])
    }

    /// u, compared membrane and v of a neuron of the population, if it is one of this part; the compared
    /// membrane only if the run is traced.
    pub(super) fn registers(&self, neuron: usize) -> Option<[i32; 3]> {
        let neuron = neuron.checked_sub(self.part.first())?;
        let (b, i) = (neuron / BLOCK, neuron % BLOCK);
        Some([self.u.get(b)?[i], self.h.get(b).map_or(0, |h| h[i]), self.v[b][i]])
    }

    /// Marks the spikes of the last update in step `t` of `train`.
    pub(super) fn mark(&self, train: &mut SpikeTrain, t: usize) {
        for (word, &bits) in (self.part.first() / BLOCK..).zip(&self.words) {
            train.set_word(t, word, bits);
        }
    }

    /// The update of step `t`; `bias` is that of this run where the host adds to it.
    pub(super) fn update(
        &mut self,
        model: &Model,
        bias: Option<&Blocks<i32>>,
        t: usize,
    ) -> Result<(), Overflow> {
        let bias = bias.unwrap_or(&model.blocks);
        if t < model.end { self.blocks::<false>(model, bias) } else { self.behind(model, bias) }
    }

    /// An update behind the last logical step. There are few, so the usual one is kept apart.
    #[cold]
    #[inline(never)]
    fn behind(&mut self, model: &Model, bias: &Blocks<i32>) -> Result<(), Overflow> {
        self.blocks::<true>(model, bias)
    }

    /// Updates all blocks.
    #[expect(clippy::inline_always, reason = "is compiled into each of its two callers")]
    #[inline(always)]
    fn blocks<const BEHIND: bool>(
        &mut self,
        model: &Model,
        bias: &Blocks<i32>,
    ) -> Result<(), Overflow> {
        wide(
            #[inline(always)]
            || {
                // A loop, not an iterator's method: that would be compiled for the base set.
                for b in 0..self.u.len() {
                    self.words[b] = self.block::<BEHIND>(model, bias, b)?;
                }
                Ok(())
            },
        )
    }

    /// Updates block `b` and returns its spikes. With `BEHIND`, behind the last logical step, registers stay in
    /// their range, so that there is no overflow.
    #[expect(clippy::inline_always, reason = "is compiled with the vectors of its caller")]
    #[inline(always)]
    fn block<const BEHIND: bool>(
        &mut self,
        model: &Model,
        bias: &Blocks<i32>,
        b: usize,
    ) -> Result<u64, Overflow> {
        // Parameters are those of the whole population.
        let at = self.part.first() / BLOCK + b;
        let (keep_u, keep_v) = (model.keep_u.at(at), model.keep_v.at(at));
        let (bias, threshold) = (bias.at(at), model.threshold.at(at));
        let (input, old_u, old_v) = (&self.input[b], &self.u[b], &self.v[b]);
        let (mut u, mut v, mut h) = ([0; BLOCK], [0; BLOCK], [0; BLOCK]);
        let (mut fires, mut beyond) = ([0_u8; BLOCK], 0);
        let mut kept = [0; BLOCK];
        if !model.forgets {
            for i in 0..BLOCK {
                kept[i] = decay(old_u[i], keep_u[i]);
            }
        }
        for i in 0..BLOCK {
            let current = stored::<BEHIND>(kept[i] + 64 * input[i]);
            // Wraps only where the current is beyond its range already.
            let membrane = (decay(old_v[i], keep_v[i]) + bias[i]).wrapping_add(current);
            beyond |= i32::from(current.abs() > MAX);
            u[i] = current;
            h[i] = stored::<BEHIND>(membrane);
        }
        if let Some(floor) = &model.floor {
            let floor = floor.at(at);
            for i in 0..BLOCK {
                // What is beyond its range stays, to be found below.
                let within = h[i] >= -MAX;
                h[i] = if within { h[i].max(floor[i]) } else { h[i] };
            }
        }
        if let Some(hold) = self.hold.get_mut(b) {
            for i in 0..BLOCK {
                let held = hold[i] > 0;
                hold[i] = hold[i].saturating_sub(1);
                h[i] = if held { old_v[i] } else { h[i] };
                let fire = !held && h[i] > threshold[i];
                fires[i] = u8::from(fire);
                hold[i] = if fire { model.hold } else { hold[i] };
            }
        } else {
            for i in 0..BLOCK {
                fires[i] = u8::from(h[i] > threshold[i]);
            }
        }
        for x in &h {
            beyond |= i32::from(!(-MAX..=MAX).contains(x));
        }
        if let Some(amount) = &model.subtract {
            let amount = amount.at(at);
            for i in 0..BLOCK {
                let rest = stored::<BEHIND>(h[i].wrapping_sub(amount[i]));
                v[i] = if fires[i] == 1 { rest } else { h[i] };
                beyond |= i32::from(!(-MAX..=MAX).contains(&v[i]));
            }
        } else {
            for i in 0..BLOCK {
                v[i] = if fires[i] == 1 { 0 } else { h[i] };
            }
        }
        // What stands behind the last neuron computes as neurons do, and is nobody's.
        let real = self.part.len() - b * BLOCK;
        if beyond != 0 {
            if let Some(overflow) = overflow(at, real.min(BLOCK), [&u, &h, &v]) {
                return Err(overflow);
            }
            u[real..].fill(0);
            v[real..].fill(0);
        }
        self.input[b] = [0; BLOCK];
        self.u[b] = u;
        self.v[b] = v;
        if let Some(trace) = self.h.get_mut(b) {
            *trace = h;
        }
        let bits = word(&fires);
        Ok(if real < BLOCK { bits & ((1 << real) - 1) } else { bits })
    }
}

/// What a register holds that is to hold `value`, of which the run ends unless it is `BEHIND` the last logical step.
#[expect(clippy::inline_always, reason = "is compiled with the vectors of its caller")]
#[inline(always)]
fn stored<const BEHIND: bool>(value: i32) -> i32 {
    if BEHIND { value.clamp(-MAX, MAX) } else { value }
}

/// The first of u, h and v of the first `real` neurons of a block that left its range. Values are exact: a
/// current is, and the others are where the one before is in range.
#[cold]
fn overflow(block: usize, real: usize, registers: [&[i32; BLOCK]; 3]) -> Option<Overflow> {
    let names = [Register::Current, Register::Membrane, Register::Membrane];
    let registers = |i: usize| {
        let values = registers.map(|values| values[i]);
        names.into_iter().zip(values).map(move |(register, value)| (i, register, value))
    };
    let mut all = (0..real).flat_map(registers);
    let (i, register, value) = all.find(|(.., value)| !(-MAX..=MAX).contains(value))?;
    Some(Overflow { neuron: block * BLOCK + i, register, value: value.into() })
}

/// `tz(x · keep, 12)`: toward zero. **Source** of the split: `4096 · (m >> 12)` is a multiple of 4096, so
/// its product may be shifted by itself; no part leaves 32 bits for |x| < 2^23 and keep ≤ 4096.
#[expect(clippy::inline_always, reason = "is compiled with the vectors of its caller")]
#[inline(always)]
const fn decay(x: i32, keep: i32) -> i32 {
    let sign = x >> 31;
    let magnitude = (x ^ sign) - sign;
    let kept = (magnitude >> 12) * keep + (((magnitude & 4095) * keep) >> 12);
    (kept ^ sign) - sign
}

#[cfg(test)]
mod tests {
    use super::{MAX, decay};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_split_product_is_the_product(x in -MAX..=MAX, keep in 0..=4096) {
            let exact = (i64::from(x).abs() * i64::from(keep)) >> 12;
            prop_assert_eq!(i64::from(decay(x, keep)), exact * i64::from(x.signum()));
        }
    }

    #[test]
    fn decay_is_exact_at_the_limits() {
        assert_eq!([decay(MAX, 4096), decay(-MAX, 4096), decay(-1, 4095)], [MAX, -MAX, 0]);
        assert_eq!([decay(-4097, 4095), decay(4096, 1), decay(MAX, 0)], [-4095, 1, 0]);
    }
}
