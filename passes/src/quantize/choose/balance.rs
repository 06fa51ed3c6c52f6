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
//! **Source** of the idea: `SQuant` (Guo et al., ICLR 2022), which flips roundings so that sums of errors
//! vanish, whatever each flip costs.

use crate::quantize::matrix::Set;

/// What the square of the sum counts beside the sum of squares. If all sources fired at one rate, 0.1 to
/// 1 would be right; rates differ, and sums that suit one rate are wrong at another. Measured on eight
/// to fourteen networks of random and evolved weights: spike distances hardly change from 0.02 to 1, and
/// the accuracy of classifiers of images, whose inputs differ most, falls above 0.05 at 4 bits and less.
const WEIGHT_OF_THE_MEAN: f64 = 0.02;

/// Rounds weights given in steps to steps of `set`.
pub(in crate::quantize) fn balanced(steps: &[f64], set: Set) -> Vec<i16> {
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

/// Bins of [`Tally`] over the distances from 0 to half a step.
const BINS: u8 = 16;

/// Errors of a row rounded to the nearest steps, from which those after turning follow nearly: what
/// [`balanced`] leaves, without sorting.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    sum: f64,
    squares: f64,
    /// Weights that can be turned down and up, by how far they are off.
    turnable: [[f64; BINS as usize]; 2],
}

impl Tally {
    /// Takes in a weight other than 0 that lies at `steps` and was rounded to `unit`.
    pub(super) fn add(&mut self, steps: f64, unit: f64, (low, high): (f64, f64)) {
        let off = unit - steps;
        self.sum += off;
        self.squares += off * off;
        let (side, stored) = if off > 0.0 { (0, unit > low) } else { (1, unit < high) };
        if stored {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bins")]
            let bin = (off.abs() * 2.0 * f64::from(BINS)) as usize;
            self.turnable[side][bin.min(usize::from(BINS) - 1)] += 1.0;
        }
    }

    /// The sum of errors and that of their squares without turning.
    pub(super) const fn nearest(&self) -> (f64, f64) {
        (self.sum, self.squares)
    }

    /// The sum of errors and that of their squares after turning.
    pub(super) fn turned(&self) -> (f64, f64) {
        let side = usize::from(self.sum < 0.0);
        let (mut sum, mut squares) = (self.sum.abs(), self.squares);
        for (bin, &count) in (0..BINS).zip(&self.turnable[side]).rev() {
            let cost = 1.0 - (f64::from(bin) + 0.5) / f64::from(BINS);
            // Turned while cost < weight · (2·sum − 1).
            let most = ((sum - 0.5 - cost / (2.0 * WEIGHT_OF_THE_MEAN)).ceil()).clamp(0.0, count);
            sum -= most;
            squares += most * cost;
            if most < count {
                break;
            }
        }
        (sum, squares)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SET: Set = Set { low: -7, high: 7 };

    #[test]
    fn sums_are_kept_where_it_costs_little() {
        // The sum is off by −4.8. A turn costs 0.04; it gains 0.02 times 8.6, 6.6, 4.6, 2.6, 0.6.
        assert_eq!(balanced(&[1.48; 10], SET), [2, 2, 2, 2, 1, 1, 1, 1, 1, 1]);
        // Off by −1.996, then by −0.996: a cost of 0.002 is below both gains.
        assert_eq!(balanced(&[1.499; 4], SET), [2, 2, 1, 1]);
        // Far from the middle nothing turns.
        assert_eq!(balanced(&[1.1; 5], SET), [1; 5]);
        assert_eq!(balanced(&[-1.499, -1.499, 0.0, 3.0], SET), [-2, -1, 0, 3]);
    }

    #[test]
    fn the_set_is_kept() {
        assert_eq!(balanced(&[9.0, 9.0, -8.0], SET), [7, 7, -7]);
        let one_sign = Set { low: 0, high: 3 };
        assert_eq!(balanced(&[0.499, 0.499, 0.499, -0.2], one_sign), [1, 0, 0, 0]);
        assert_eq!(balanced(&[], SET), [0_i16; 0]);
    }

    /// Sum and sum of squares of the errors.
    fn errors(steps: &[f64], rounded: &[i16]) -> (f64, f64) {
        let each = rounded.iter().zip(steps).map(|(&q, x)| f64::from(q) - x);
        each.fold((0.0, 0.0), |(a, b), d| (a + d, b + d * d))
    }

    fn tally(steps: &[f64]) -> Tally {
        let mut tally = Tally::default();
        for &x in steps.iter().filter(|x| x.abs() > 0.0) {
            tally.add(x, x.round_ties_even().clamp(-7.0, 7.0), (-7.0, 7.0));
        }
        tally
    }

    #[test]
    fn tallies_foresee_what_is_turned() {
        let steps: Vec<f64> = (0..60).map(|i| f64::from(i * 37 % 101) / 25.0 - 1.9).collect();
        let steps: Vec<f64> =
            steps.iter().map(|x| if x.fract().abs() > 0.6 { 0.45 } else { *x }).collect();
        let (sum, squares) = errors(&steps, &balanced(&steps, SET));
        let found = tally(&steps).turned();
        assert!((found.0 - sum.abs()).abs() <= 1.0, "{found:?} {sum}");
        assert!((found.1 - squares).abs() <= 0.1 * squares + 0.2, "{found:?} {squares}");
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
