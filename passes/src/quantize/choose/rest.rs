//! Biases that keep the rhythm of a neuron at rest.
//!
//! A neuron whose bias alone drives it over its threshold fires every so many steps where nothing
//! arrives. Where the membrane passes the threshold narrowly, rounding bias, threshold or decay may
//! change that number, in every period and in every sample; a bias one unit away often restores it.

use snnc_ir::network::Compare;

/// Steps that are looked at; slower rhythms count as silence.
const HORIZON: u32 = 256;

/// What decides the rhythm of a neuron, in floats.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exact {
    /// Bias.
    pub bias: f64,
    /// Share of the membrane lost in a step.
    pub decay: f64,
    /// Threshold.
    pub threshold: f32,
    /// Comparison.
    pub compare: Compare,
}

/// What decides it in integers, beside the bias.
#[derive(Clone, Copy, Debug)]
pub(super) struct Integer {
    /// Membrane decay register.
    pub dv: u16,
    /// Whether the membrane only takes multiples of 64: neither it nor the current leaks.
    pub whole: bool,
    /// Threshold mantissa.
    pub mantissa: i32,
}

/// Steps until the first spike without input, `None` if there is none in `steps` steps. In the
/// arithmetic of the level in floats.
pub(super) fn rhythm(neuron: &Exact, steps: u32) -> Option<u32> {
    #[expect(clippy::cast_possible_truncation, reason = "the level in floats computes in f32")]
    let (keep, bias) = (1.0 - neuron.decay as f32, neuron.bias as f32);
    let mut v = 0.0_f32;
    (1..=steps.min(HORIZON)).find(|_| {
        v = v * keep + bias;
        match neuron.compare {
            Compare::Gt => v > neuron.threshold,
            Compare::Ge => v >= neuron.threshold,
        }
    })
}

/// The same in integers, with a bias in units of weight.
pub(super) fn integer_rhythm(
    neuron: Integer,
    compare: Compare,
    bias: i32,
    steps: u32,
) -> Option<u32> {
    let threshold = i64::from(neuron.mantissa) * 64;
    let keep = 4096 - i64::from(neuron.dv);
    let mut v = 0_i64;
    (1..=steps.min(HORIZON)).find(|_| {
        v = v.signum() * ((v.abs() * keep) >> 12) + 64 * i64::from(bias);
        // Without leak `≥ 64·m` is exact; elsewhere the nearest that registers hold is `> 64·m`.
        if compare == Compare::Ge && neuron.whole { v >= threshold } else { v > threshold }
    })
}

/// The bias nearest to `exact.bias · scale` with the rhythm of the exact neuron; if none of the three
/// nearest has it, the nearest. Returns whether the rhythm is kept, too.
pub(super) fn bias(exact: &Exact, integer: Integer, scale: f64, steps: u32) -> (i32, bool) {
    let aim = exact.bias * scale;
    #[expect(clippy::cast_possible_truncation, reason = "saturates beyond every register")]
    let nearest = aim.round_ties_even() as i32;
    if exact.bias.abs() <= 0.0 {
        return (nearest, true);
    }
    let beside = if aim > f64::from(nearest) { 1 } else { -1 };
    let wanted = rhythm(exact, steps);
    let candidates = [0, beside, -beside].map(|d| nearest.saturating_add(d));
    let keeps = |&b: &i32| integer_rhythm(integer, exact.compare, b, steps) == wanted;
    let kept = candidates.into_iter().find(keeps);
    (kept.unwrap_or(nearest), kept.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(bias: f64, decay: f64) -> Exact {
        Exact { bias, decay, threshold: 1.0, compare: Compare::Gt }
    }

    #[test]
    fn a_rhythm_is_the_number_of_steps_to_the_first_spike() {
        assert_eq!(rhythm(&exact(1.01, 0.5), 20), Some(1));
        // 0.6, 0.9, 1.05
        assert_eq!(rhythm(&exact(0.6, 0.5), 20), Some(3));
        assert_eq!(rhythm(&exact(0.6, 0.5), 2), None);
        assert_eq!(rhythm(&exact(0.5, 0.5), 100), None, "at the threshold in the limit");
        let ge = Exact { compare: Compare::Ge, ..exact(0.5, 0.0) };
        assert_eq!(rhythm(&ge, 10), Some(2));
        let integer = Integer { dv: 0, whole: true, mantissa: 10 };
        assert_eq!(integer_rhythm(integer, Compare::Ge, 5, 10), Some(2));
        assert_eq!(integer_rhythm(integer, Compare::Gt, 5, 10), Some(3));
        assert_eq!(integer_rhythm(integer, Compare::Gt, -5, 10), None);
    }

    #[test]
    fn biases_keep_the_rhythm() {
        // 1.004 · 44 rounds to 44, which does not pass the threshold of 44 at once.
        let integer = Integer { dv: 512, whole: false, mantissa: 44 };
        assert_eq!(bias(&exact(1.004, 0.125), integer, 44.0, 11), (45, true));
        assert_eq!(bias(&exact(0.9999, 0.125), integer, 44.0, 11), (44, true));
        // Half a unit above, the nearest would fire too early.
        let integer = Integer { dv: 512, whole: false, mantissa: 43 };
        assert_eq!(bias(&exact(0.999, 0.125), integer, 43.6, 11), (43, true));
        // Two units are too far.
        let integer = Integer { dv: 512, whole: false, mantissa: 50 };
        assert_eq!(bias(&exact(1.004, 0.125), integer, 44.0, 11), (44, false));
        assert_eq!(bias(&exact(0.0, 0.125), integer, 44.0, 11), (0, true));
    }
}
