//! Weights that are whole multiples of one fraction, such as those of identities and poolings.
//!
//! A message is an integer, so a weight on it is exact if it is one in units of the target. Where a
//! population is passed on as it is (weight 1) or averaged (1/9, 1/6, 1/4), a suitable ratio of the
//! two scales makes all weights integers; general weights are rounded.

use super::matrix::MAX_WEIGHT;

/// Weights that are `n / denominator` for small whole `n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fraction {
    /// The smallest common denominator.
    pub denominator: u64,
    /// The largest |n|.
    pub numerator: u64,
    /// The smallest |n| that is not 0.
    least: u64,
}

impl Fraction {
    /// The denominators that may take the place of the exact one, which is the first.
    pub(super) fn denominators(&self) -> impl Iterator<Item = u64> {
        let Self { denominator, least, .. } = *self;
        (1..=denominator)
            .rev()
            .filter(move |d| denominator.is_multiple_of(*d) && d * least >= denominator)
    }

    /// The denominator at this level of coarseness; 0 is exact.
    pub(super) fn at(&self, level: usize) -> u64 {
        self.denominators().take(level + 1).last().unwrap_or(self.denominator)
    }
}

/// The fraction of these weights: `n` and the denominator are at most [`MAX_WEIGHT`], and each weight
/// is the f32 nearest to its quotient. `None` if there is none, or if all weights are 0.
pub(super) fn common(weights: &[f32]) -> Option<Fraction> {
    (1..=MAX_WEIGHT.unsigned_abs()).find_map(|denominator| over(weights, denominator))
}

fn over(weights: &[f32], denominator: u16) -> Option<Fraction> {
    let d = f64::from(denominator);
    let (mut largest, mut least) = (0.0_f64, f64::INFINITY);
    for &w in weights {
        let n = (f64::from(w) * d).round_ties_even();
        #[expect(clippy::cast_possible_truncation, reason = "the nearest f32 is what is compared")]
        let nearest = (n / d) as f32;
        if n.abs() > f64::from(MAX_WEIGHT) || (nearest - w).abs() > 0.0 {
            return None;
        }
        if n.abs() > 0.0 {
            (largest, least) = (largest.max(n.abs()), least.min(n.abs()));
        }
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 127")]
    let [numerator, least] = [largest, least].map(|n| n as u64);
    let denominator = u64::from(denominator);
    (largest > 0.0).then_some(Fraction { denominator, numerator, least })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fraction(weights: &[f32]) -> Option<(u64, u64)> {
        common(weights).map(|f| (f.denominator, f.numerator))
    }

    #[test]
    fn identities_and_poolings_are_fractions() {
        assert_eq!(fraction(&[1.0, 0.0, 1.0]), Some((1, 1)));
        assert_eq!(fraction(&[-2.0, 1.0]), Some((1, 2)));
        assert_eq!(fraction(&[1.0 / 9.0; 4]), Some((9, 1)));
        assert_eq!(fraction(&[1.0 / 9.0, 1.0 / 6.0, 1.0 / 4.0]), Some((36, 9)));
        assert_eq!(fraction(&[0.375, -0.5]), Some((8, 4)));
    }

    #[test]
    fn coarser_units_go_down_to_the_smallest_weight() {
        let levels = |weights: &[f32]| {
            common(weights).expect("a fraction").denominators().collect::<Vec<_>>()
        };
        let average = [1.0 / 9.0, 1.0 / 6.0, 1.0 / 4.0];
        assert_eq!(levels(&average), [36, 18, 12, 9]);
        assert_eq!(levels(&[1.0 / 9.0]), [9]);
        assert_eq!(levels(&[1.0, 0.0]), [1]);
        let average = common(&average).expect("a fraction");
        assert_eq!([0, 1, 3, 9].map(|level| average.at(level)), [36, 18, 9, 9]);
    }

    #[test]
    fn other_weights_are_not() {
        assert_eq!(fraction(&[0.0, 0.0]), None);
        assert_eq!(fraction(&[1.0, 0.123_456]), None);
        assert_eq!(fraction(&[1.0 / 128.0]), None, "the denominator is too large");
        assert_eq!(fraction(&[128.0]), None, "the numerator is too large");
        assert_eq!(fraction(&[f32::from_bits(1.0_f32.to_bits() + 1)]), None);
    }
}
