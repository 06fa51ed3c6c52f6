//! Rounding that keeps the sum of a row.
//!
//! Where sources fire at similar rates, what a neuron receives on average is their rate times the sum of
//! its weights, and errors of weights add up in it over the memory of the membrane. Nearest rounding
//! makes each error small and leaves their sum to chance, about √(N/12) steps for N weights. Here
//! weights near the middle between two steps go to the other one, as long as the sum gains more than
//! the weights lose. Turning a weight that is off by `d > 0` (steps, in the direction of the sum `E` of
//! all errors) costs `(1 − d)² − d² = 1 − 2d` and gains `E² − (E − 1)² = 2E − 1`; it is done while the
//! cost is below [`WEIGHT_OF_THE_MEAN`] times the gain.
//!
//! This is a function of the weights and their step alone, so that a tensor read twice stays one matrix.
//! Weights of 0 stay 0: they are no synapses.
//!
//! **Source** of the idea: SQuant (Guo et al., ICLR 2022), which flips roundings so that sums of errors
//! vanish. The trade of cost against gain is measured: see the documentation of quantization.

use crate::quantize::matrix::Set;

/// What the square of the mean counts beside the variance: of the order of `ρ / (1 − ρ)` times what
/// a leaky membrane adds to errors that persist. Measured to be best where it is small, for rates differ.
const WEIGHT_OF_THE_MEAN: f64 = 0.2;

/// Rounds weights given in steps to steps of `set`.
pub(super) fn balanced(steps: &[f64], set: Set) -> Vec<i16> {
    let (low, high) = (f64::from(set.low), f64::from(set.high));
    let mut rounded: Vec<f64> =
        steps.iter().map(|x| x.round_ties_even().clamp(low, high)).collect();
    let mut sum: f64 = rounded.iter().zip(steps).map(|(q, x)| q - x).sum();
    let side = sum.signum();
    let mut turnable: Vec<(f64, usize)> = Vec::new();
    for (i, (q, x)) in rounded.iter().zip(steps).enumerate() {
        let off = (q - x) * side;
        let stored = (low..=high).contains(&(q - side));
        if off > 0.0 && stored && x.abs() > 0.0 {
            turnable.push((off, i));
        }
    }
    turnable.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    for (off, i) in turnable {
        if 1.0 - 2.0 * off >= WEIGHT_OF_THE_MEAN * (2.0 * sum.abs() - 1.0) {
            break;
        }
        rounded[i] -= side;
        sum -= side;
    }
    #[expect(clippy::cast_possible_truncation, reason = "within the set")]
    rounded.into_iter().map(|q| q as i16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SET: Set = Set { low: -7, high: 7 };

    #[test]
    fn sums_are_kept_where_it_costs_little() {
        // Each is 0.4 too small; three of five turned bring the sum of errors from −2 to 1, two to 0:
        // a turn costs 0.2 and the gains are 3, 1, −1, times 0.2.
        assert_eq!(balanced(&[1.4; 5], SET), [2, 1, 1, 1, 1]);
        // A cost of 0.02 is below 0.2 · 1, too.
        assert_eq!(balanced(&[1.49; 4], SET), [2, 2, 1, 1]);
        // Far from the middle nothing turns.
        assert_eq!(balanced(&[1.1; 5], SET), [1; 5]);
        assert_eq!(balanced(&[-1.49, -1.49, 0.0, 3.0], SET), [-2, -1, 0, 3]);
    }

    #[test]
    fn the_set_is_kept() {
        assert_eq!(balanced(&[9.0, 9.0, -8.0], SET), [7, 7, -7]);
        let one_sign = Set { low: 0, high: 3 };
        assert_eq!(balanced(&[0.45, 0.45, 0.45, -0.2], one_sign), [1, 0, 0, 0]);
        assert_eq!(balanced(&[], SET), [0_i16; 0]);
    }

    proptest! {
        /// Weights go to one of the two steps beside them, zeros stay, and the sum is never further off
        /// than by nearest rounding.
        #[test]
        fn turned_weights_stay_neighbors(steps in proptest::collection::vec(
            prop_oneof![Just(0.0), -9.0_f64..9.0], 0..40)) {
            let rounded = balanced(&steps, SET);
            let (mut sum, mut nearest) = (0.0, 0.0);
            for (&q, &x) in rounded.iter().zip(&steps) {
                prop_assert!((-7..=7).contains(&q));
                let inside = x.clamp(-7.0, 7.0);
                prop_assert!((f64::from(q) - inside).abs() < 1.0 && (x.abs() > 0.0 || q == 0));
                sum += f64::from(q) - x;
                nearest += x.round_ties_even().clamp(-7.0, 7.0) - x;
            }
            prop_assert!(sum.abs() <= nearest.abs() + 1e-9, "{sum} {nearest}");
        }
    }
}
