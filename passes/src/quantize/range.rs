//! Worst cases of a neuron over all inputs: per-step input sum, current, membrane and messages.
//!
//! Sound interval bounds, not estimates: they hold whatever spikes arrive. A register with decay `d` (in
//! 4096ths) that receives at most `x` per update obeys
//! `y' ≤ ⌊y·(4096 − d) / 4096⌋ + x`, is monotone in `y`, and starts at 0. So it never exceeds the smallest
//! `y` with `y = ⌊y·(4096 − d) / 4096⌋ + x`, which is `⌊(x − 1)·4096 / d⌋ + 1`; nor `x` times the number
//! of updates. Truncation toward zero makes the lower side the mirror image. The current receives
//! `sum << 6` and decays by `du + 1` (without memory, `du = 4095`, it is what arrives); the membrane
//! receives the current and the bias, and decays by `dv`. On the upper side, what an
//! update leaves behind is at most the threshold after a reset to zero, and little more after a subtraction.
//! A graded relay has no state: its message is what arrives and its bias, shifted and clipped to a sign.

use super::sums::Span;
use snnc_ir::network::Keep;

/// Worst cases of one neuron, in units of the membrane unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Range {
    /// Sums that may arrive in one step (in weights), bias carriers included.
    pub input: Span,
    /// The bias and what the host adds to it (in weights).
    pub bias: Span,
    /// The current; of a relay, what arrives.
    pub u: Span,
    /// The membrane before a reset; of a relay, what arrives and its bias.
    pub v: Span,
    /// Messages of a relay (in weights); 0 for neurons.
    pub message: Span,
}

/// What enters a neuron or relay in every step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Drive {
    /// Sums of weights, without the bias; the range holds 0.
    pub sum: Span,
    /// Bias in units of weight.
    pub bias: i64,
    /// What the host may add to the bias, in units of weight.
    pub host: Span,
}

impl Drive {
    /// What acts on a membrane without memory of currents in a step, in units of weight. A bias that
    /// spikes carry may be missing, as far as the verifier and the certificate know.
    fn total(&self) -> Span {
        self.arriving().plus(self.host)
    }

    /// The bias or 0, and what the host adds.
    fn constant(&self) -> Span {
        self.host.plus(Span { low: self.bias.min(0), high: self.bias.max(0) })
    }

    /// The bias and what the host adds to it.
    const fn biases(&self) -> Span {
        self.host.plus(Span { low: self.bias, high: self.bias })
    }

    /// What may arrive as spikes and messages; a bias may be carried by spikes of a clock.
    fn arriving(&self) -> Span {
        self.sum.plus(Span { low: self.bias.min(0), high: self.bias.max(0) })
    }
}

/// What the bound of a neuron depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NeuronFacts {
    /// Its input.
    pub drive: Drive,
    /// Current decay register.
    pub du: u16,
    /// Membrane decay register.
    pub dv: u16,
    /// Largest membrane that does not fire.
    pub quiet: i64,
    /// Amount of a subtractive reset.
    pub subtract: Option<i64>,
    /// Lowest membrane that an update leaves behind.
    pub floor: Option<i64>,
    /// Updates in one run.
    pub updates: u64,
}

/// Bounds of one neuron.
pub(super) fn bound(facts: &NeuronFacts) -> Range {
    let NeuronFacts { drive, du, dv, quiet, subtract, floor, updates } = facts;
    // The chip adds 1 to the register. A bias is carried by spikes only where the current has no memory.
    let filter = i64::from(*du) + 1;
    let arriving = if *du == 4095 { drive.arriving() } else { drive.sum }.times(64);
    let u = Span {
        low: -settle(arriving.low.saturating_neg(), filter, *updates),
        high: settle(arriving.high, filter, *updates),
    };
    let total = if *du == 4095 { drive.host } else { drive.constant() }.times(64).plus(u);
    let (rise, fall) = (total.high.max(0), total.low.min(0));
    let settle = |x: i64| settle(x, i64::from(*dv), *updates);
    let (free, quiet) = (settle(rise), (*quiet).max(0));
    let (rest, reset) = match subtract {
        None => (free.min(quiet), 0),
        // y' ≤ max(θ, keep(y) + rise − amount) stays within θ + settle(rise − amount).
        Some(amount) => {
            let above = quiet.saturating_add(settle(rise.saturating_sub(*amount)));
            (free.min(above), (quiet + 1 - amount).min(0))
        }
    };
    let kept = i128::from(rest) * i128::from(4096 - i64::from(*dv)) / 4096;
    let kept = i64::try_from(kept).unwrap_or(i64::MAX);
    let free_low = reset.saturating_sub(settle(fall.saturating_neg()));
    let low = match floor {
        // One update below the floor, or below what a subtraction left.
        Some(floor) => free_low.max((*floor).min(reset).saturating_add(fall)),
        None => free_low,
    };
    let v = Span { low, high: free.min(kept.saturating_add(rise)) };
    Range { input: drive.arriving(), bias: drive.biases(), u, v, message: Span::default() }
}

/// Bounds of one graded relay.
pub(super) fn relay(drive: &Drive, keep: Option<Keep>, shift: u8) -> Range {
    let total = drive.total();
    Range {
        input: drive.arriving(),
        bias: drive.biases(),
        u: drive.arriving().times(64),
        v: Span { low: total.low.saturating_mul(64), high: total.high.saturating_mul(64) },
        message: total.kept(keep, shift),
    }
}

/// Largest value of a register with this decay, which starts at 0 and receives at most `x` per update.
fn settle(x: i64, decay: i64, updates: u64) -> i64 {
    if x <= 0 {
        return 0;
    }
    let linear = x.saturating_mul(i64::try_from(updates).unwrap_or(i64::MAX));
    if decay == 0 { linear } else { linear.min((x - 1).saturating_mul(4096) / decay + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use snnc_ir::quantized::Graded;

    fn step(v: i64, dv: i64, x: i64) -> i64 {
        let decayed = (v.abs() * (4096 - dv)) >> 12;
        (if v < 0 { -decayed } else { decayed }) + x
    }

    proptest! {
        /// A simulated neuron under arbitrary admissible input never leaves its bounds.
        #[test]
        fn bounds_hold_for_any_input(
            positive in 0_i64..200, negative in -200_i64..=0, bias in -20_i64..20,
            host in -9_i64..9,
            keep in prop_oneof![Just(None), Just(Some(Keep::Positive)), Just(Some(Keep::Negative))],
            shift in 0_u8..5, du in prop_oneof![Just(4095_u16), 0_u16..4096],
            dv in 0_u16..4096, theta in 1_i64..300, subtract in any::<bool>(),
            floor in prop_oneof![Just(None), (-90_i64..=0).prop_map(|f| Some(f * 64))],
            choices in proptest::collection::vec(0.0_f64..=1.0, 1..60),
        ) {
            let theta = theta * 64;
            let drive = Drive {
                sum: Span { low: negative, high: positive },
                bias,
                host: Span { low: host.min(0), high: host.max(0) },
            };
            let facts = NeuronFacts {
                drive, du, dv, quiet: theta,
                subtract: subtract.then_some(theta), floor, updates: choices.len() as u64,
            };
            let range = bound(&facts);
            let sent = relay(&drive, keep, shift);
            prop_assert!(range.bias.low <= bias + host && bias + host <= range.bias.high);
            let (mut u, mut v) = (0, 0);
            for c in choices {
                #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss,
                    reason = "small test values")]
                let sum = negative + ((positive - negative) as f64 * c).round() as i64;
                for arriving in [sum, sum + bias] {
                    prop_assert!(range.input.low <= arriving && arriving <= range.input.high);
                }
                let total = sum + bias + host;
                let message = Graded::passes(keep, shift, total);
                prop_assert!(sent.message.low <= message && message <= sent.message.high);
                prop_assert!(sent.v.low <= 64 * total && 64 * total <= sent.v.high);
                u = step(u, i64::from(du) + 1, sum * 64);
                prop_assert!(range.u.low <= u && u <= range.u.high, "{u} outside {range:?}");
                v = step(v, i64::from(dv), u + (bias + host) * 64);
                prop_assert!(range.v.low <= v && v <= range.v.high, "{v} outside {range:?}");
                v = v.max(floor.unwrap_or(i64::MIN));
                if v > theta {
                    v = if subtract { v - theta } else { 0 };
                }
            }
        }
    }
}
