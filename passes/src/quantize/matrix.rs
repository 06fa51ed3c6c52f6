//! Rounding a float matrix onto the set that a synapse group stores.

use snnc_ir::network::{Provenance, Tensor};
use snnc_ir::quantized::{IntMatrix, Sign, Structure};

/// Largest weight of the symmetric scheme: all integers of this range exist in every sign mode
/// (as a doubled mantissa with exponent −1 where a group is mixed), and the NetX loader keeps them
/// exactly.
pub(crate) const MAX_WEIGHT: i16 = 127;

/// Rounds every value times `scale` to the nearest integer, ties to even.
pub(crate) fn round(values: &[f32], scale: f64) -> Vec<i16> {
    values
        .iter()
        .map(|&w| {
            let rounded = (f64::from(w) * scale).round_ties_even();
            let bound = f64::from(MAX_WEIGHT);
            debug_assert!(rounded.abs() <= bound, "the scale keeps weights within the scheme");
            #[expect(clippy::cast_possible_truncation, reason = "bounded by MAX_WEIGHT")]
            {
                rounded.clamp(-bound, bound) as i16
            }
        })
        .collect()
}

/// Stores integer weights in −127..=127 so that every sign mode keeps them.
///
/// Groups of one sign store the weight itself; mixed groups only store even mantissas, so they
/// store twice the weight with exponent −1, which is the same integer.
pub(crate) fn encode(weights: Vec<i16>) -> (Vec<i16>, i8, Sign) {
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
    let (mantissa, exponent, sign) = encode(round(&tensor.data, scale));
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
        assert_eq!(round(&[0.5, 1.5, -0.5, -1.5, 0.49, 126.6], 1.0), [0, 2, 0, -2, 0, 127]);
    }
}
