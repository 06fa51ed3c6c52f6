//! Worst cases of a population over all inputs: per-step input sum, current and membrane.
//!
//! Sound interval bounds, not estimates: they hold whatever spikes arrive. `u` has no memory here
//! (`du = 4095`), so `u = sum << 6`. With `X` = largest |u + bias| on one side, `T` updates and
//! membrane decay `dv`, truncation toward zero gives `|v| ≤ min(T·X, X·4096/dv)`; on the upper side
//! a neuron that did not fire is at most at its threshold, which is tighter for reset to zero.

/// Worst cases of one neuron, in units of the membrane unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Range {
    /// Largest sum of weights that may arrive in one step (in weights), bias carriers included.
    pub input_high: i64,
    /// Smallest such sum.
    pub input_low: i64,
    /// Upper bound of the membrane before a reset.
    pub v_high: i64,
    /// Lower bound of the membrane.
    pub v_low: i64,
}

/// What the bound depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NeuronFacts {
    /// Sum of the positive weights.
    pub positive: i64,
    /// Sum of the negative weights (≤ 0).
    pub negative: i64,
    /// Bias, a multiple of 64.
    pub bias: i64,
    /// Membrane decay register.
    pub dv: u16,
    /// Largest membrane that does not fire.
    pub quiet: i64,
    /// Amount of a subtractive reset.
    pub subtract: Option<i64>,
    /// Updates in one run.
    pub updates: u64,
}

/// Bounds of one neuron.
pub(crate) fn bound(facts: &NeuronFacts) -> Range {
    // The bias may be carried by spikes of a clock population, so it counts as input too.
    let carried = facts.bias / 64;
    let input_high = facts.positive + carried.max(0);
    let input_low = facts.negative + carried.min(0);
    let up = (facts.positive * 64 + facts.bias).max(0);
    let down = (facts.negative * 64 + facts.bias).min(0);
    let accumulated_up = accumulate(up, facts.dv, facts.updates);
    let (v_high, v_low) = match facts.subtract {
        None => (
            (facts.quiet.max(0) + up).min(accumulated_up),
            -accumulate(-down, facts.dv, facts.updates),
        ),
        Some(amount) => {
            let after_reset = (facts.quiet + 1 - amount).min(0);
            (accumulated_up, after_reset - accumulate(-down, facts.dv, facts.updates))
        }
    };
    Range { input_high, input_low, v_high, v_low }
}

/// Bound of a membrane driven by at most `x ≥ 0` per update.
fn accumulate(x: i64, dv: u16, updates: u64) -> i64 {
    let linear = x.saturating_mul(i64::try_from(updates).unwrap_or(i64::MAX));
    if dv == 0 { linear } else { linear.min(x.saturating_mul(4096) / i64::from(dv)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn step(v: i64, dv: i64, x: i64) -> i64 {
        let decayed = (v.abs() * (4096 - dv)) >> 12;
        (if v < 0 { -decayed } else { decayed }) + x
    }

    proptest! {
        /// A simulated neuron under arbitrary admissible input never leaves its bounds.
        #[test]
        fn bounds_hold_for_any_input(
            positive in 0_i64..200, negative in -200_i64..=0, bias in -20_i64..20,
            dv in 0_u16..4096, theta in 1_i64..300, subtract in any::<bool>(),
            choices in proptest::collection::vec(0.0_f64..=1.0, 1..60),
        ) {
            let theta = theta * 64;
            let facts = NeuronFacts {
                positive, negative, bias: bias * 64, dv, quiet: theta,
                subtract: subtract.then_some(theta), updates: choices.len() as u64,
            };
            let range = bound(&facts);
            let mut v = 0;
            for c in choices {
                #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss,
                    reason = "small test values")]
                let sum = negative + ((positive - negative) as f64 * c).round() as i64;
                prop_assert!(range.input_low <= sum && sum <= range.input_high);
                v = step(v, i64::from(dv), sum * 64 + bias * 64);
                prop_assert!(range.v_low <= v && v <= range.v_high, "{v} outside {range:?}");
                if v > theta {
                    v = if subtract { v - theta } else { 0 };
                }
            }
        }
    }
}
