//! State of one core and its update.

use super::check::CoreTables;
use crate::error::Register;
use snnc_ir::network::Keep;
use snnc_ir::program::GradedMode;

/// Exclusive bound on the magnitude of a 24-bit register (its most negative value excluded).
const BOUND: i128 = 1 << 23;
/// The largest value of such a register; the lowest is its negative.
const LARGEST: i32 = (1 << 23) - 1;

/// A register that left its range.
#[derive(Clone, Copy)]
pub(super) struct Overflow {
    pub(super) compartment: usize,
    pub(super) register: Register,
    pub(super) value: i64,
}

/// Registers and arrivals of one core.
pub(super) struct CoreState<'t> {
    tables: &'t CoreTables,
    /// By symbol, the first step behind its last logical one.
    ends: &'t [usize],
    /// Biases in units of the membrane, what the host wrote included.
    bias: Vec<i64>,
    u: Vec<i32>,
    /// Membrane that was compared with the threshold.
    compared: Vec<i32>,
    v: Vec<i32>,
    /// Updates for which the membrane is still held.
    hold: Vec<u8>,
    /// What arrived since the last update.
    pending: Vec<i64>,
    /// `arrivals[step mod slots][compartment]`: weights on their way.
    arrivals: Vec<Vec<i64>>,
}

impl<'t> CoreState<'t> {
    pub(super) fn new(tables: &'t CoreTables, ends: &'t [usize]) -> Self {
        let n = tables.neurons.len();
        Self {
            tables,
            ends,
            bias: (0..n).map(|c| tables.registers(c).bias).collect(),
            u: vec![0; n],
            compared: vec![0; n],
            v: vec![0; n],
            hold: vec![0; n],
            pending: vec![0; n],
            arrivals: vec![vec![0; n]; tables.slots],
        }
    }

    /// Adds what the host writes to a bias register, in units of weight.
    pub(super) fn add_bias(&mut self, compartment: usize, units: i64) {
        self.bias[compartment] += units * 64;
    }

    /// Where weights are put that arrive in step `at`, by compartment.
    pub(super) fn arrivals(&mut self, at: usize) -> &mut [i64] {
        let slot = at % self.arrivals.len();
        &mut self.arrivals[slot]
    }

    /// u, compared membrane and v of a compartment.
    pub(super) fn registers(&self, compartment: usize) -> [i32; 3] {
        [self.u[compartment], self.compared[compartment], self.v[compartment]]
    }

    /// Step `t` of every compartment: takes what arrives, updates, calls `send` with the compartment
    /// and 1 for each spike, the message for each message.
    pub(super) fn update(
        &mut self,
        t: usize,
        mut send: impl FnMut(usize, i32),
    ) -> Result<(), Overflow> {
        let slot = t % self.arrivals.len();
        let pending = self.pending.iter_mut().zip(&mut self.arrivals[slot]);
        for (compartment, (pending, arrived)) in pending.enumerate() {
            let arrived = std::mem::take(arrived);
            let value = pending.saturating_add(arrived);
            let sum = pending.checked_add(arrived);
            *pending = sum.ok_or(Overflow { compartment, register: Register::Input, value })?;
        }
        let (tables, ends) = (self.tables, self.ends);
        for c in 0..tables.neurons.len() {
            let r = tables.registers(c);
            if let Some(mode) = r.profile.graded {
                let message = self.message(c, mode, t)?;
                if message != 0 {
                    send(c, message);
                }
                continue;
            }
            let (period, phase) = r.profile.update;
            if t % period as usize != phase as usize {
                continue;
            }
            let fit = |value: i128, register| match i32::try_from(value) {
                Ok(fits) if value.abs() < BOUND => Ok(fits),
                _ => outside(tables, ends, (c, t), (register, value)),
            };
            let input = i128::from(std::mem::take(&mut self.pending[c])) * 64;
            let lost_u = lost(self.u[c], u32::from(r.profile.du) + 1);
            let u = fit(i128::from(self.u[c] - lost_u) + input, Register::Current)?;
            self.u[c] = u;
            if self.hold[c] > 0 {
                self.hold[c] -= 1;
                self.compared[c] = self.v[c];
                continue;
            }
            let rest = self.v[c] - lost(self.v[c], u32::from(r.profile.dv));
            let driven = i128::from(rest) + i128::from(u) + i128::from(self.bias[c]);
            let v = fit(driven, Register::Membrane)?;
            let v = r.profile.floor.map_or(v, |floor| v.max(floor));
            self.compared[c] = v;
            self.v[c] = v;
            if i64::from(v) > r.threshold {
                let after =
                    r.profile.subtract.map_or(0, |amount| i128::from(v) - i128::from(amount));
                self.v[c] = fit(after, Register::Membrane)?;
                self.hold[c] = r.profile.refractory.saturating_sub(1);
                send(c, 1);
            }
        }
        Ok(())
    }

    /// What a graded relay sends in step `t`; 0 = nothing.
    fn message(&mut self, c: usize, mode: GradedMode, t: usize) -> Result<i32, Overflow> {
        // The tables hold multiples of 64, and the host adds such.
        let bias = i128::from(self.bias[c] >> 6);
        let sum = i128::from(std::mem::take(&mut self.pending[c])) + bias;
        let scaled = sum >> mode.shift;
        let kept = match mode.keep {
            None => scaled,
            Some(Keep::Positive) => scaled.max(0),
            Some(Keep::Negative) => scaled.min(0),
        };
        match i32::try_from(kept) {
            Ok(message) => Ok(message),
            Err(_) if behind(self.tables, self.ends, c, t) => {
                Ok(if kept < 0 { i32::MIN } else { i32::MAX })
            }
            Err(_) => {
                let nearest = if kept < 0 { i64::MIN } else { i64::MAX };
                let value = i64::try_from(kept).unwrap_or(nearest);
                Err(Overflow { compartment: c, register: Register::Message, value })
            }
        }
    }
}

/// What becomes of a value outside the range of u and v in compartment `c` in step `t`. Behind the last logical step of
/// its neuron nobody looks at what it does, so it stays at the end of the range.
#[cold]
#[inline(never)]
fn outside(
    tables: &CoreTables,
    ends: &[usize],
    (c, t): (usize, usize),
    (register, value): (Register, i128),
) -> Result<i32, Overflow> {
    if behind(tables, ends, c, t) {
        return Ok(if value < 0 { -LARGEST } else { LARGEST });
    }
    let value = i64::try_from(value).unwrap_or(i64::MAX);
    Err(Overflow { compartment: c, register, value })
}

/// Whether step `t` is behind the last logical step of the neuron in compartment `c`.
fn behind(tables: &CoreTables, ends: &[usize], c: usize, t: usize) -> bool {
    let (symbol, _) = tables.neuron(c);
    t >= ends[symbol]
}

/// What a register loses to decay: `|x| · d / 4096`, rounded away from zero.
///
/// Subtracting it equals `tz(x · (4096 − d), 12)`, since `m·4096 − m·d` over 4096, rounded down, is
/// `m` less `m·d / 4096` rounded up.
fn lost(x: i32, d: u32) -> i32 {
    let amount = (u64::from(x.unsigned_abs()) * u64::from(d)).div_ceil(4096);
    // |x| < 2^23 and d <= 4096, so the amount is at most |x|.
    let amount = i32::try_from(amount).unwrap_or(i32::MAX);
    if x < 0 { -amount } else { amount }
}

#[cfg(test)]
mod tests {
    use super::lost;
    use proptest::prelude::*;

    proptest! {
        /// The subtractive form is the multiplicative form of the contract.
        #[test]
        fn loss_complements_the_kept_part(x in -(1_i32 << 23) + 1..1 << 23, d in 0_u32..=4096) {
            let kept = i64::from(x.signum())
                * ((i64::from(x.abs()) * i64::from(4096 - d)) >> 12);
            prop_assert_eq!(i64::from(x - lost(x, d)), kept);
        }
    }
}
