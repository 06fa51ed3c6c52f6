//! Rounding a float matrix onto the set that a synapse group stores.

use snnc_ir::network::{Provenance, Tensor};
use snnc_ir::quantized::{IntMatrix, Sign, Structure};

/// Largest weight of the symmetric scheme: all integers of this range exist in every sign mode
/// (as a doubled mantissa with exponent −1 where a group is mixed), and the NetX loader keeps them
/// exactly.
pub(crate) const MAX_WEIGHT: i16 = 127;

/// Largest exponent of a matrix. Only weights on messages need one above 0, where scales part far.
const MAX_SHIFT: u32 = 7;

/// Largest float weight that rounds into the scheme with an exponent.
pub(super) const LARGEST_SHIFTED: f64 = 127.0 * 128.0;

/// Weights as the scheme stores them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Weights {
    /// In −127..=127.
    units: Vec<i16>,
    /// Exponent of a unit.
    shift: u32,
}

impl Weights {
    /// Rounds every value times `scale` to the nearest integer, ties to even. If the largest one is
    /// above 127, to the nearest multiple of the smallest power of two with which it is not.
    pub(super) fn round(values: &[f32], scale: f64) -> Self {
        let bound = f64::from(MAX_WEIGHT);
        let unit = |w: f32, shift: u32| {
            (f64::from(w) * scale / f64::from(1_u32 << shift)).round_ties_even()
        };
        let largest = values.iter().fold(0.0_f32, |largest, w| largest.max(w.abs()));
        let fits = |shift: &u32| unit(largest, *shift) <= bound;
        let shift = (0..MAX_SHIFT).find(fits).unwrap_or(MAX_SHIFT);
        let stored = |&w: &f32| {
            let unit = unit(w, shift);
            debug_assert!(unit.abs() <= bound, "the scale keeps weights within the scheme");
            #[expect(clippy::cast_possible_truncation, reason = "bounded by MAX_WEIGHT")]
            {
                unit.clamp(-bound, bound) as i16
            }
        };
        Self { units: values.iter().map(stored).collect(), shift }
    }

    /// The integer of stored weight `index`.
    pub(super) fn at(&self, index: usize) -> i64 {
        i64::from(self.units[index]) << self.shift
    }
}

/// Stores integer weights in −127..=127 so that every sign mode keeps them.
///
/// Groups of one sign store the weight itself; mixed groups only store even mantissas, so they
/// store twice the weight with exponent −1, which is the same integer.
fn encode(weights: Vec<i16>) -> (Vec<i16>, i8, Sign) {
    let any_negative = weights.iter().any(|&w| w < 0);
    let any_positive = weights.iter().any(|&w| w > 0);
    match (any_negative, any_positive) {
        (false, _) => (weights, 0, Sign::Excitatory),
        (true, false) => (weights, 0, Sign::Inhibitory),
        (true, true) => (weights.into_iter().map(|w| 2 * w).collect(), -1, Sign::Mixed),
    }
}

/// The integer matrix of `tensor` at `scale`.
pub(crate) fn quantize_tensor(tensor: &Tensor, structure: Structure, scale: f64) -> IntMatrix {
    let Weights { units, shift } = Weights::round(&tensor.data, scale);
    let (mantissa, exponent, sign) = encode(units);
    #[expect(clippy::cast_possible_truncation, reason = "at most MAX_SHIFT")]
    let exponent = exponent + shift as i8;
    IntMatrix {
        name: tensor.name.clone(),
        structure,
        mantissa,
        exponent,
        sign,
        provenance: tensor.provenance.clone(),
    }
}

/// An integer matrix made by a pass.
pub(crate) fn derived(
    name: String,
    structure: Structure,
    weights: Vec<i16>,
    pass: &str,
    from: Vec<String>,
) -> IntMatrix {
    let (mantissa, exponent, sign) = encode(weights);
    let provenance = Provenance::Derived { pass: pass.to_owned(), from };
    IntMatrix { name, structure, mantissa, exponent, sign, provenance }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_weight_is_stored_exactly_in_every_sign_mode() {
        for range in [-127..=127_i16, 0..=127, -127..=0] {
            let weights: Vec<i16> = range.collect();
            let matrix = derived(
                "m".into(),
                Structure::Dense { rows: 1, cols: 1 },
                weights.clone(),
                "test",
                vec![],
            );
            for (i, &w) in weights.iter().enumerate() {
                assert!(matrix.sign.stores(matrix.mantissa[i]), "{w} in {:?}", matrix.sign);
                assert_eq!(matrix.weight(i), i32::from(w));
            }
        }
    }

    #[test]
    fn rounding_goes_to_the_nearest_integer_and_ties_to_even() {
        let rounded = Weights::round(&[0.5, 1.5, -0.5, -1.5, 0.49, 126.6], 1.0);
        assert_eq!(rounded, Weights { units: vec![0, 2, 0, -2, 0, 127], shift: 0 });
    }

    #[test]
    fn large_weights_have_an_exponent() {
        let rounded = Weights::round(&[1.0, -0.25, 0.001], 729.0);
        assert_eq!([0, 1, 2].map(|i| rounded.at(i)), [728, -184, 0]);
        let tensor = Tensor {
            name: "t".into(),
            shape: snnc_ir::Shape::flat(3),
            data: vec![1.0, -0.25, 0.001],
            provenance: Provenance::Derived { pass: "test".into(), from: vec![] },
        };
        let matrix = quantize_tensor(&tensor, Structure::Dense { rows: 1, cols: 3 }, 729.0);
        assert_eq!([0, 1, 2].map(|i| matrix.weight(i)), [728, -184, 0]);
        assert_eq!(Weights::round(&[1.0], LARGEST_SHIFTED).at(0), 127 * 128);
    }
}
