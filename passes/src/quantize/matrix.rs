//! Rounding a float matrix onto the set that a synapse group stores.

use super::decision::rows_per_scale;
use snnc_ir::network::{Provenance, Tensor};
use snnc_ir::quantized::{IntMatrix, Sign, Structure};
use snnc_ir::recipe::{MAX_EXPONENT, MAX_WEIGHT_BITS};
use snnc_ir::{Param, Shape, TargetSpec};
use std::ops::RangeInclusive;

/// Largest weight without exponent that exists in every sign mode (as a doubled mantissa with exponent
/// −1 where a group is mixed).
pub(crate) const MAX_WEIGHT: i16 = 127;

/// Largest float weight that rounds into the scheme with an exponent.
pub(super) const LARGEST_SHIFTED: f64 = 127.0 * 128.0;

/// The steps of the symmetric scheme.
pub(super) const SCHEME: Set = Set { low: -MAX_WEIGHT, high: MAX_WEIGHT };

/// The steps that the groups of a projection store: all integers of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Set {
    /// The smallest.
    pub low: i16,
    /// The largest.
    pub high: i16,
}

impl Set {
    /// The set of `bits` bits (1..=8) that holds weights of the signs of `values`: of one sign all of the
    /// bits; of both signs symmetric with one bit for the sign (with one bit in all: -1 and 0), or, if
    /// `split`, all of the bits for either sign.
    pub(super) fn of(bits: u8, split: bool, values: &[f32]) -> Self {
        let ends = |bits: u8| (1_i16 << bits.min(8)) - 1;
        let negative = values.iter().any(|w| *w < 0.0);
        let positive = values.iter().any(|w| *w > 0.0);
        match (negative, positive) {
            (false, _) => Self { low: 0, high: ends(bits) },
            (true, false) => Self { low: -ends(bits), high: 0 },
            (true, true) if split => Self { low: -ends(bits), high: ends(bits) },
            (true, true) if bits <= 1 => Self { low: -1, high: 0 },
            (true, true) => Self { low: -ends(bits - 1), high: ends(bits - 1) },
        }
    }

    /// The nearest step of the set.
    pub(super) fn clamp(self, steps: f64) -> i16 {
        #[expect(clippy::cast_possible_truncation, reason = "within the ends of the set")]
        {
            steps.clamp(f64::from(self.low), f64::from(self.high)) as i16
        }
    }
}

/// The exponents of steps that the target stores for a group of `bits` bits, as far as `most` allows;
/// `values` and `split` as for [`Set::of`].
pub(super) fn exponents(
    bits: u8,
    split: bool,
    values: &[f32],
    target: &TargetSpec,
    most: u8,
) -> RangeInclusive<u8> {
    let set = Set::of(bits, split, values);
    let mixed = !split && set.low < 0 && set.high > 0;
    let up = MAX_WEIGHT_BITS + u8::from(mixed) - bits;
    // A mixed group whose steps all have one sign is stored with an exponent that is one more.
    let ends = [target.min_weight_exponent.value, target.max_weight_exponent.value - 1];
    let [least, largest] = ends.map(|end| (end + i64::from(up)).clamp(0, MAX_EXPONENT.into()));
    let largest = if mixed { largest } else { (largest + 1).min(MAX_EXPONENT.into()) };
    let narrow = |exponent: i64| u8::try_from(exponent).unwrap_or(MAX_EXPONENT);
    narrow(least)..=narrow(largest).min(most).max(narrow(least))
}

/// The scale of every stored weight of a layout.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Factors {
    /// One per block of stored weights.
    values: Vec<f64>,
    /// Stored weights of a block: all synapses of one target neuron, or of one channel.
    block: usize,
}

impl Factors {
    /// One scale for all.
    pub(super) fn uniform(scale: f64) -> Self {
        Self { values: vec![scale], block: usize::MAX }
    }

    /// The scales of neurons of this shape, equal over blocks of
    /// [`grain`](super::decision::grain).
    pub(super) fn of(structure: &Structure, scale: &Param<f64>, shape: &Shape) -> Self {
        let (rows, neurons) = match (scale, structure) {
            (Param::Uniform(scale), _) => return Self::uniform(*scale),
            (_, Structure::Conv(conv)) => (conv.out_channels as usize, rows_per_scale(structure)),
            _ => (structure.rows(), 1),
        };
        let values = (0..rows).map(|row| scale.at(row * neurons, shape)).collect();
        Self { values, block: (structure.stored() / rows.max(1)).max(1) }
    }

    /// Blocks of stored weights with their scales.
    pub(super) fn blocks<'a, T>(&'a self, stored: &'a [T]) -> impl Iterator<Item = (&'a [T], f64)> {
        stored.chunks(self.block).zip(self.values.iter().copied())
    }
}

/// Integer weights: steps of a power of two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Weights {
    /// Steps.
    pub units: Vec<i16>,
    /// Exponent of a step.
    pub shift: u8,
}

impl Weights {
    /// The steps nearest to every value times its scale, ties to even; the end of the set beyond it.
    pub(super) fn nearest(values: &[f32], factors: &Factors, shift: u8, set: Set) -> Self {
        let mut units = Vec::with_capacity(values.len());
        for (values, scale) in factors.blocks(values) {
            units.extend(values.iter().map(|&w| set.clamp(steps(w, scale, shift))));
        }
        Self { units, shift }
    }

    /// The nearest steps with the smallest exponent at which no value lies beyond [`SCHEME`].
    pub(super) fn finest(values: &[f32], scale: f64) -> Self {
        let largest = values.iter().fold(0.0_f32, |largest, w| largest.max(w.abs()));
        let fits = |shift: &u8| steps(largest, scale, *shift) <= f64::from(SCHEME.high);
        let shift = (0..MAX_EXPONENT).find(fits).unwrap_or(MAX_EXPONENT);
        Self::nearest(values, &Factors::uniform(scale), shift, SCHEME)
    }

    /// The integer of stored weight `index`.
    pub(super) fn at(&self, index: usize) -> i64 {
        i64::from(self.units[index]) << self.shift
    }
}

/// A weight in whole steps, not yet clamped.
pub(super) fn steps(weight: f32, scale: f64, shift: u8) -> f64 {
    (f64::from(weight) * scale / f64::from(1_u32 << shift)).round_ties_even()
}

/// Steps as mantissas of `bits` bits, with the exponent and sign of their group.
///
/// A group of `bits` bits stores the upper bits of a mantissa: of eight if it has one sign, of nine,
/// whose last is always 0, if it is mixed. The exponent undoes the shift, so that the integer is the same.
fn encode(units: Vec<i16>, shift: u8, bits: u8) -> (Vec<i16>, i8, Sign) {
    let any_negative = units.iter().any(|&w| w < 0);
    let any_positive = units.iter().any(|&w| w > 0);
    let (sign, up) = match (any_negative, any_positive) {
        (false, _) => (Sign::Excitatory, MAX_WEIGHT_BITS - bits),
        (true, false) => (Sign::Inhibitory, MAX_WEIGHT_BITS - bits),
        (true, true) => (Sign::Mixed, MAX_WEIGHT_BITS + 1 - bits),
    };
    let mantissa = units.into_iter().map(|w| w << up).collect();
    (mantissa, shift.cast_signed() - up.cast_signed(), sign)
}

/// The integer matrix of steps of `tensor`; `part` is added to its name.
pub(super) fn matrix(
    tensor: &Tensor,
    structure: Structure,
    weights: Weights,
    bits: u8,
    part: &str,
) -> IntMatrix {
    let (mantissa, exponent, sign) = encode(weights.units, weights.shift, bits);
    IntMatrix {
        name: format!("{}{part}", tensor.name),
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
    let (mantissa, exponent, sign) = encode(weights, 0, MAX_WEIGHT_BITS);
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
        let rounded = Weights::finest(&[0.5, 1.5, -0.5, -1.5, 0.49, 126.6], 1.0);
        assert_eq!(rounded, Weights { units: vec![0, 2, 0, -2, 0, 127], shift: 0 });
    }

    #[test]
    fn large_weights_have_an_exponent() {
        let rounded = Weights::finest(&[1.0, -0.25, 0.001], 729.0);
        assert_eq!([0, 1, 2].map(|i| rounded.at(i)), [728, -184, 0]);
        let tensor = Tensor {
            name: "t".into(),
            shape: Shape::flat(3),
            data: vec![1.0, -0.25, 0.001],
            provenance: Provenance::Derived { pass: "test".into(), from: vec![] },
            genes: None,
        };
        let matrix = matrix(&tensor, Structure::Dense { rows: 1, cols: 3 }, rounded, 8, "");
        assert_eq!([0, 1, 2].map(|i| matrix.weight(i)), [728, -184, 0]);
        assert_eq!(Weights::finest(&[1.0], LARGEST_SHIFTED).at(0), 127 * 128);
    }

    #[test]
    fn every_step_of_every_set_is_stored_exactly() {
        for bits in 1..=8_u8 {
            for values in [&[1.0_f32][..], &[-1.0], &[1.0, -1.0], &[0.0]] {
                for split in [false, true] {
                    let set = Set::of(bits, split, values);
                    let all: Vec<i16> = (set.low..=set.high).collect();
                    let negative = all.iter().map(|&q| q.min(0)).collect();
                    let positive = all.iter().map(|&q| q.max(0)).collect();
                    for units in if split { vec![negative, positive] } else { vec![all] } {
                        for shift in 0..=MAX_EXPONENT {
                            let (mantissa, exponent, sign) = encode(units.clone(), shift, bits);
                            assert!(mantissa.iter().all(|&m| sign.stores(m)), "{bits} {units:?}");
                            assert!((-7..=7).contains(&exponent), "{bits} bits: {exponent}");
                            let weight = |m: i16| f64::from(m) * f64::from(exponent).exp2();
                            let exact = |(&m, &q): (&i16, &i16)| {
                                (weight(m) - f64::from(q) * f64::from(shift).exp2()).abs() <= 0.0
                            };
                            assert!(mantissa.iter().zip(&units).all(exact));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn sets_have_all_of_their_bits() {
        let set = |bits, split, values: &[f32]| {
            let Set { low, high } = Set::of(bits, split, values);
            (low, high)
        };
        assert_eq!(set(8, false, &[1.0, -1.0]), (-127, 127));
        assert_eq!(set(8, false, &[1.0, 0.0]), (0, 255));
        assert_eq!(set(3, false, &[-1.0]), (-7, 0));
        assert_eq!(set(3, true, &[-1.0]), (-7, 0));
        assert_eq!(set(3, true, &[-1.0, 1.0]), (-7, 7));
        assert_eq!(set(2, false, &[-1.0, 1.0]), (-1, 1));
        assert_eq!(set(1, false, &[-1.0, 1.0]), (-1, 0));
        assert_eq!(set(1, true, &[-1.0, 1.0]), (-1, 1));
    }

    #[test]
    fn blocks_of_a_layout_have_the_scale_of_their_neurons() {
        let shape = Shape::chw(2, 1, 3);
        let conv = snnc_ir::conv::Conv {
            input: [1, 1, 4],
            out_channels: 2,
            kernel: [1, 2],
            stride: [1, 1],
            pad: [0; 4],
            groups: 1,
            crop: [0; 4],
        };
        let scale = Param::PerChannel(vec![10.0, 100.0]);
        let factors = Factors::of(&Structure::Conv(conv), &scale, &shape);
        let wide = Set { low: 0, high: 255 };
        let rounded = Weights::nearest(&[0.1, 0.2, 0.3, 9.0], &factors, 0, wide);
        assert_eq!(rounded.units, [1, 2, 30, 255], "the end of the set where it is too large");
        let dense = Structure::Dense { rows: 6, cols: 1 };
        let factors = Factors::of(&dense, &scale, &shape);
        let rounded = Weights::nearest(&[0.06; 6], &factors, 1, wide);
        assert_eq!(rounded.units, [0, 0, 0, 3, 3, 3]);
    }
}
