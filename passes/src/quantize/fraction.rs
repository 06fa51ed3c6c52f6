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
}

/// The fraction of these weights: `n` and the denominator are at most [`MAX_WEIGHT`], and each weight
/// is the f32 nearest to its quotient. `None` if there is none, or if all weights are 0.
pub(super) fn common(weights: &[f32]) -> Option<Fraction> {
    (1..=MAX_WEIGHT.unsigned_abs()).find_map(|denominator| over(weights, denominator))
}

fn over(weights: &[f32], denominator: u16) -> Option<Fraction> {
    let d = f64::from(denominator);
    let mut largest = 0.0_f64;
    for &w in weights {
        let n = (f64::from(w) * d).round_ties_even();
        #[expect(clippy::cast_possible_truncation, reason = "the nearest f32 is what is compared")]
        let nearest = (n / d) as f32;
        if n.abs() > f64::from(MAX_WEIGHT) || (nearest - w).abs() > 0.0 {
            return None;
        }
        largest = largest.max(n.abs());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 127")]
    let numerator = largest as u64;
    (numerator > 0).then_some(Fraction { denominator: u64::from(denominator), numerator })
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
    fn other_weights_are_not() {
        assert_eq!(fraction(&[0.0, 0.0]), None);
        assert_eq!(fraction(&[1.0, 0.123_456]), None);
        assert_eq!(fraction(&[1.0 / 128.0]), None, "the denominator is too large");
        assert_eq!(fraction(&[128.0]), None, "the numerator is too large");
        assert_eq!(fraction(&[f32::from_bits(1.0_f32.to_bits() + 1)]), None);
    }
}
