//! Interval analysis of one compartment: no register overflows, whatever arrives.
//!
//! With `k = 4096 − decay`, a register driven by at most `x ≥ 0` per update obeys
//! `y' ≤ ⌊y·k / 4096⌋ + x`, is monotone in `y`, and starts at 0. So it never exceeds the smallest
//! `y` with `y = ⌊y·k / 4096⌋ + x`, that is `⌈y·decay / 4096⌉ = x`, that is
//! `⌊(x − 1)·4096 / decay⌋ + 1`; nor `x` times the number of updates. Truncation toward zero makes
//! the lower side the mirror image.
//!
//! A floor `f` adds one bound: an update starts at `f` at the lowest, or at what a subtractive reset left,
//! so the membrane, before the floor raises it, never falls below `tz(f·k, 12)` less what one update takes.
//!
//! A graded relay has no register that lasts from step to step: the bounds of what it sends are those
//! of the sum that arrives, plus its bias.
//!
//! Only the updates of the logical steps of one run count: what a neuron does after its last
//! logical step cannot change a spike of an earlier one.

use super::certificate::{Bounds, Interval};
use super::findings::Site;
use super::matrix::RowSum;
use super::sends::Span;
use snnc_ir::diag::codes;
use snnc_ir::program::GradedMode;
use snnc_ir::target::{Limit, TargetSpec};
use snnc_ir::{Diagnostic, Diagnostics};

/// What the bounds of a neuron depend on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// What may arrive in one step, bias carriers included.
    pub(super) sum: RowSum,
    /// Static bias register, with what the host writes. **Units**: membrane.
    pub(super) bias: (i64, i64),
    /// Current decay register.
    pub(super) du: u16,
    /// Membrane decay register.
    pub(super) dv: u16,
    /// Largest membrane that does not fire, at least 0.
    pub(super) threshold: i64,
    /// Amount of a subtractive reset, at least 0.
    pub(super) subtract: Option<i64>,
    /// Lowest membrane, at most 0.
    pub(super) floor: Option<i64>,
    /// Updates of one run.
    pub(super) updates: u64,
}

/// Bounds of a neuron, in exact arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    /// Sum of weights of one step.
    input: (i128, i128),
    /// Current.
    u: (i128, i128),
    /// Current plus bias.
    drive: (i128, i128),
    /// Membrane before the reset, and before a floor raises it.
    v: (i128, i128),
    /// Largest membrane that an update leaves behind.
    rest: i128,
    /// Whether a reset never leaves a membrane below the floor.
    lifted: bool,
    threshold: i128,
    /// Messages, of a graded relay.
    message: Option<(i128, i128)>,
}

/// Largest value of a register with this decay (0..=4096) that starts at 0 and receives at most
/// `drive` per update.
fn settle(drive: i128, decay: i128, updates: i128) -> i128 {
    if drive <= 0 {
        return 0;
    }
    // The cap is far beyond every register; it only keeps later products inside i128.
    let linear = drive.saturating_mul(updates).min(1 << 100);
    if decay == 0 { linear } else { linear.min((drive - 1) * 4096 / decay + 1) }
}

/// Bounds of one neuron.
pub(super) fn reach(facts: &Facts) -> Reach {
    let updates = i128::from(facts.updates);
    let (negative, positive) = (i128::from(facts.sum.low), i128::from(facts.sum.high));
    let bias = (i128::from(facts.bias.0), i128::from(facts.bias.1));
    let threshold = i128::from(facts.threshold);
    // The chip adds 1 to the current decay register.
    let du = i128::from(facts.du) + 1;
    let dv = i128::from(facts.dv);
    let u = (-settle(-64 * negative, du, updates), settle(64 * positive, du, updates));
    let drive = (u.0 + bias.0, u.1 + bias.1);
    let (fall, rise) = ((-drive.0).max(0), drive.1.max(0));
    let free = settle(rise, dv, updates);
    let (rest, lowest_reset) = match facts.subtract.map(i128::from) {
        None => (free.min(threshold), 0),
        Some(amount) => {
            // x' ≤ max(θ, keep(x) + rise − amount) stays within θ + settle(rise − amount).
            let above = settle(rise - amount, dv, updates);
            (free.min(threshold + above), (threshold + 1 - amount).min(0))
        }
    };
    let kept = rest * (4096 - dv) / 4096;
    let floor = facts.floor.map(i128::from);
    // With a floor, every update starts there at the lowest, or at what a reset left.
    let unbounded = lowest_reset - settle(fall, dv, updates);
    let lowest = floor.map_or(unbounded, |floor| {
        unbounded.max(floor.min(lowest_reset) * (4096 - dv) / 4096 - fall)
    });
    Reach {
        input: (negative, positive),
        u,
        drive,
        v: (lowest, free.min(kept + rise)),
        rest,
        lifted: floor.is_none_or(|floor| lowest_reset >= floor),
        threshold,
        message: None,
    }
}

/// Bounds of one graded relay; `bias` as in [`Facts`].
pub(super) fn relay_reach(sum: RowSum, bias: (i64, i64), mode: GradedMode) -> Reach {
    let input = (i128::from(sum.low), i128::from(sum.high));
    let u = (64 * input.0, 64 * input.1);
    let drive = (u.0 + i128::from(bias.0), u.1 + i128::from(bias.1));
    let narrow = |x: i128| {
        i64::try_from(x.div_euclid(64)).unwrap_or(if x < 0 { i64::MIN } else { i64::MAX })
    };
    let sent = Span { low: narrow(drive.0), high: narrow(drive.1) }.sent(mode);
    Reach {
        input,
        u,
        drive,
        v: drive,
        rest: 0,
        lifted: true,
        threshold: 0,
        message: Some((i128::from(sent.low), i128::from(sent.high))),
    }
}

impl Reach {
    /// Whether the membrane that an update leaves behind is never above the threshold nor below the
    /// floor, so that an update without input and leak changes nothing.
    pub(super) const fn rests(&self) -> bool {
        self.rest <= self.threshold && self.lifted
    }

    /// The bounds as reported.
    ///
    /// # Errors
    /// A finding for each quantity that can leave the range in which all implementations agree.
    pub(super) fn within(
        &self,
        site: &Site<'_>,
        target: &TargetSpec,
    ) -> Result<Bounds, Diagnostics> {
        let state = i128::from(target.state_bits.value.clamp(1, 63)) - 1;
        let state = (1_i128 << state) - 1;
        let sum = i128::from(target.max_input_sum.value);
        let mut out = Diagnostics::new();
        let mut check =
            |what: &str, range: (i128, i128), most: i128, limit: &str, source: &Limit| {
                let narrow = (i64::try_from(range.0), i64::try_from(range.1));
                // Messages are signed numbers of some bits, whose smallest has no counterpart.
                let message = limit == "message_bits";
                let least = if message { -most - 1 } else { -most };
                if let (Ok(low), Ok(high)) = narrow
                    && least <= range.0
                    && range.1 <= most
                {
                    return Interval { low, high };
                }
                let (beyond, help) = if message {
                    (format!("outside {least}..={most}"), "a smaller fan-in or smaller weights")
                } else {
                    let help = "fewer steps, a leak, a smaller fan-in or smaller weights";
                    (format!("beyond ±{most}"), help)
                };
                let (low, high) = range;
                let message = format!("{what} of a neuron can reach {low}..={high}, {beyond}");
                out.push(
                    site.mark(Diagnostic::error(codes::equivalence::OVERFLOW, message))
                        .note(format!("{}: {limit} = {source}", target.file))
                        .help(help),
                );
                Interval { low: 0, high: 0 }
            };
        let bits = &target.state_bits;
        let bounds = Bounds {
            input_sum: check(
                "the input sum of a step",
                self.input,
                sum,
                "max_input_sum",
                &target.max_input_sum,
            ),
            u: check("the current", self.u, state, "state_bits", bits),
            drive: check("current plus bias", self.drive, state, "state_bits", bits),
            v: check("the membrane", self.v, state, "state_bits", bits),
            message: self.message.map(|range| {
                let bits = target.message_bits.value.clamp(0, 63);
                let most = (1_i128 << bits) / 2 - 1;
                check("a message", range, most, "message_bits", &target.message_bits)
            }),
        };
        out.into_result(bounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// tz(x·k, 12) of the integer contract.
    fn decayed(x: i64, k: i64) -> i64 {
        let kept = (x.abs() * k) >> 12;
        if x < 0 { -kept } else { kept }
    }

    #[test]
    fn a_current_without_memory_is_what_arrives() {
        let facts = Facts {
            sum: RowSum { low: -20_000, high: 30_000, count: 2 },
            bias: (5, 5),
            du: 4095,
            dv: 4095,
            threshold: 64,
            subtract: None,
            floor: None,
            updates: 1000,
        };
        let reach = reach(&facts);
        assert_eq!(reach.u, (-64 * 20_000, 64 * 30_000));
        assert_eq!(reach.drive, (5 - 64 * 20_000, 5 + 64 * 30_000));
    }

    proptest! {
        /// No admissible input drives a simulated neuron out of its bounds.
        #[test]
        fn bounds_hold(
            positive in 0_i64..300, negative in -300_i64..=0, bias in -2000_i64..2000,
            written in -500_i64..500,
            du in prop_oneof![Just(4095_u16), 0_u16..4096],
            dv in prop_oneof![Just(0_u16), 0_u16..4096],
            threshold in 0_i64..300, amount in proptest::option::of(0_i64..20_000),
            floor in proptest::option::of(-30_000_i64..=0), refractory in 1_u32..4,
            inputs in proptest::collection::vec(prop_oneof![Just(0.0), Just(1.0), 0.0..=1.0], 1..80),
        ) {
            let threshold = threshold * 64;
            // The host adds something between 0 and `written`, the same in every step.
            let facts = Facts {
                sum: RowSum { low: negative, high: positive, count: 2 },
                bias: (bias + written.min(0), bias + written.max(0)), du, dv, threshold, subtract: amount, floor,
                updates: inputs.len() as u64,
            };
            let reach = reach(&facts);
            let bias = bias + written / 2;
            let (mut u, mut v, mut hold) = (0, 0, 0);
            for x in inputs {
                #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss,
                    reason = "small test values")]
                let a = negative + ((positive - negative) as f64 * x).round() as i64;
                u = decayed(u, 4095 - i64::from(du)) + 64 * a;
                prop_assert!(reach.u.0 <= i128::from(u) && i128::from(u) <= reach.u.1);
                let drive = i128::from(u + bias);
                prop_assert!(reach.drive.0 <= drive && drive <= reach.drive.1);
                if hold > 0 {
                    hold -= 1;
                    continue;
                }
                v = decayed(v, 4096 - i64::from(dv)) + u + bias;
                prop_assert!(reach.v.0 <= i128::from(v) && i128::from(v) <= reach.v.1, "{v} {reach:?}");
                v = floor.map_or(v, |floor| v.max(floor));
                if v > threshold {
                    v = amount.map_or(0, |a| v - a);
                    hold = refractory - 1;
                }
                prop_assert!(i128::from(v) <= reach.rest);
            }
        }

        /// Without a reset in the way the upper bounds are attained, so they raise no false alarm.
        #[test]
        fn bounds_are_tight(x in 1_i128..100_000, decay in 1_i128..=4096) {
            let mut y = 0;
            loop {
                let next = y * (4096 - decay) / 4096 + x;
                if next == y { break; }
                y = next;
            }
            prop_assert_eq!(y, settle(x, decay, i128::MAX >> 64));
        }
    }
}
