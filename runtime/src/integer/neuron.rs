//! One update of a population in the integer contract.

use super::REGISTER_MAX;
use crate::error::Register;
use crate::readout::Window;
use snnc_ir::network::Compare;
use snnc_ir::quantized::{IntNeuron, IntReset};
use snnc_ir::shape::Shape;
use snnc_ir::spikes::SpikeTrain;

/// A register that left its range.
pub(crate) struct Overflow {
    pub(crate) neuron: usize,
    pub(crate) register: Register,
    pub(crate) value: i64,
}

/// Parameters, expanded per neuron, and registers of one population.
pub(crate) struct State {
    keep_u: Vec<i64>,
    keep_v: Vec<i64>,
    bias: Vec<i64>,
    threshold: Vec<i64>,
    /// What a spike subtracts; `None` = reset to 0.
    subtract: Option<Vec<i64>>,
    /// Lowest membrane; `None` = there is none.
    floor: Option<Vec<i64>>,
    strict: bool,
    refractory: u32,
    /// Updates happen in steps `t ≡ phase (mod period)`.
    period: usize,
    phase: usize,
    /// The first step behind the last logical one.
    end: usize,
    /// Weights that arrived since the last update.
    input: Vec<i64>,
    u: Vec<i64>,
    /// Membrane that was compared with the threshold.
    h: Vec<i64>,
    v: Vec<i64>,
    /// Updates for which the membrane is still held.
    hold: Vec<u32>,
}

impl State {
    /// `host` is what the host adds to the biases, in units of weight.
    pub(super) fn new(
        neuron: &IntNeuron,
        shape: &Shape,
        window: Window,
        host: Option<&[i64]>,
    ) -> Self {
        let n = shape.size();
        let period = (neuron.update_period as usize).max(1);
        let mut bias = neuron.bias.map(i64::from).expand(shape);
        if let Some(host) = host {
            bias.iter_mut().zip(host).for_each(|(b, h)| *b += 64 * h);
        }
        Self {
            keep_u: neuron.du.map(|d| 4096 - (i64::from(d) + 1)).expand(shape),
            keep_v: neuron.dv.map(|d| 4096 - i64::from(d)).expand(shape),
            bias,
            threshold: neuron.threshold.map(i64::from).expand(shape),
            subtract: match &neuron.reset {
                IntReset::Zero => None,
                IntReset::Subtract(amount) => Some(amount.map(i64::from).expand(shape)),
            },
            floor: neuron.floor.as_ref().map(|floor| floor.map(i64::from).expand(shape)),
            strict: neuron.compare == Compare::Gt,
            refractory: neuron.refractory,
            period,
            phase: window.latency % period,
            end: window.end(),
            input: vec![0; n],
            u: vec![0; n],
            h: vec![0; n],
            v: vec![0; n],
            hold: vec![0; n],
        }
    }

    /// Where arriving weights are summed.
    pub(super) fn input(&mut self) -> &mut [i64] {
        &mut self.input
    }

    pub(super) const fn updates_at(&self, t: usize) -> bool {
        t % self.period == self.phase
    }

    /// u, compared membrane and v of a neuron.
    pub(crate) fn registers(&self, neuron: usize) -> [i32; 3] {
        // `stored` keeps them in 24 bits.
        [self.u[neuron], self.h[neuron], self.v[neuron]]
            .map(|x| i32::try_from(x).unwrap_or_default())
    }

    /// One update of every neuron; marks spikes in step `t` of `train`.
    pub(super) fn update(&mut self, train: &mut SpikeTrain, t: usize) -> Result<(), Overflow> {
        let behind = t >= self.end;
        let stored = |value, n, register| stored(value, n, register, behind);
        for n in 0..self.u.len() {
            let a = std::mem::take(&mut self.input[n]);
            // Saturation only ever turns a sum that is far out of range into another one.
            let u = decay(self.u[n], self.keep_u[n]).saturating_add(a.saturating_mul(64));
            let u = stored(u, n, Register::Current)?;
            self.u[n] = u;
            if self.hold[n] > 0 {
                self.hold[n] -= 1;
                self.h[n] = self.v[n];
                continue;
            }
            let v = decay(self.v[n], self.keep_v[n]) + u + self.bias[n];
            let v = stored(v, n, Register::Membrane)?;
            let v = self.floor.as_ref().map_or(v, |floor| v.max(floor[n]));
            self.h[n] = v;
            let threshold = self.threshold[n];
            let fires = if self.strict { v > threshold } else { v >= threshold };
            if fires {
                train.set(t, n);
                self.hold[n] = self.refractory.saturating_sub(1);
            }
            self.v[n] = match &self.subtract {
                _ if !fires => v,
                None => 0,
                Some(amount) => stored(v - amount[n], n, Register::Membrane)?,
            };
        }
        Ok(())
    }
}

/// `tz(x · keep, 12)`: toward zero.
const fn decay(x: i64, keep: i64) -> i64 {
    let magnitude = (x.abs() * keep) >> 12;
    if x < 0 { -magnitude } else { magnitude }
}

/// What a register holds that is to hold `value`: behind the last logical step the nearest that it can.
fn stored(value: i64, neuron: usize, register: Register, behind: bool) -> Result<i64, Overflow> {
    let nearest = value.clamp(-REGISTER_MAX, REGISTER_MAX);
    if nearest != value && !behind {
        return Err(Overflow { neuron, register, value });
    }
    Ok(nearest)
}

#[cfg(test)]
mod tests {
    use super::decay;

    #[test]
    fn decay_rounds_toward_zero() {
        assert_eq!(decay(-4097, 4095), -4095); // -4097 * 4095 / 4096 = -4095.99…
        assert_eq!(decay(4097, 4095), 4095);
        assert_eq!(decay(-1, 4095), 0);
        assert_eq!(decay(4096, 1), 1); // dv = 4095 leaves 1/4096
        assert_eq!(decay(i64::from(i32::MAX), 0), 0);
    }
}
