//! What lava-dl's loader and Lava's synapses make of a weight matrix.
//!
//! The loader shifts all weights left so that they fill 8 bits, gives the layer a negative
//! exponent in return, and counts the bits in use (`optimize_weight_bits` of lava-dl 0.6.0,
//! `netx/utils.py`). Lava then clips and truncates each matrix by its own signs (lava-nc 0.10.0,
//! `utils/weightutils.py`). The two disagree in places: a matrix without positive weights whose
//! smallest is −2^k is shifted to −256, which an inhibitory synapse clips to −255. This module repeats
//! both steps, so that a matrix is written only if it comes out unchanged.

/// Why the loader would change a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// The loader fails on a matrix of zeros.
    AllZero,
    /// This weight does not fit a synapse beside the others.
    TooLarge(i32),
    /// This odd weight cannot be stored: the signs are mixed and some weight is beyond ±127.
    Odd(i32),
    /// This weight is clipped or truncated.
    Changed(i32),
}

impl Damage {
    /// The weight that is damaged.
    pub(super) const fn weight(self) -> i32 {
        match self {
            Self::AllZero => 0,
            Self::TooLarge(w) | Self::Odd(w) | Self::Changed(w) => w,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Mixed,
    Excitatory,
    Inhibitory,
}

/// Whether a layer keeps its weights, and the power of two by which they grow, of which the exponent of their
/// synapses is the negative. The matrices of a layer (into it, and from it to itself) share shift and bit
/// count; each has its own sign mode.
pub(super) fn keeps(matrices: &[&[i32]]) -> Result<i32, Damage> {
    let all = || matrices.iter().flat_map(|m| m.iter().copied());
    let (min, max) = all().fold((i32::MAX, i32::MIN), |(lo, hi), w| (lo.min(w), hi.max(w)));
    if all().all(|w| w == 0) {
        return Err(Damage::AllZero);
    }
    let sign = if max < 0 {
        Sign::Inhibitory
    } else if min >= 0 {
        Sign::Excitatory
    } else {
        Sign::Mixed
    };
    let (low, high) = match sign {
        Sign::Mixed => (-256, 254),
        Sign::Excitatory => (0, 255),
        Sign::Inhibitory => (-256, -1),
    };
    if let Some(weight) = all().find(|w| !(low..=high).contains(w)) {
        return Err(Damage::TooLarge(weight));
    }
    // Powers of two by which the weights can grow; the ranges above keep this from being negative.
    let shift = match sign {
        Sign::Excitatory => floor_log2(255, max),
        Sign::Inhibitory => floor_log2(256, -min),
        Sign::Mixed if max > 0 => floor_log2(127, max).min(floor_log2(128, -min)) + 1,
        Sign::Mixed => floor_log2(128, -min) + 1,
    };
    let common = all().filter(|&w| w != 0).map(i32::trailing_zeros).min().unwrap_or(0).min(8);
    let mixed = i32::from(sign == Sign::Mixed);
    let weight_bits = 8 - shift - (common.cast_signed() - mixed);
    // Nine bits: the weights of both signs leave no bit to drop, and a matrix of one sign would have to
    // gain one.
    if let Some(odd) = all().find(|w| w % 2 != 0 && weight_bits > 8) {
        return Err(Damage::Odd(odd));
    }
    for matrix in matrices {
        let sign = stored_sign(matrix);
        let truncated = 8 - weight_bits + i32::from(sign == Sign::Mixed);
        for &weight in *matrix {
            let shifted = weight << shift;
            if sign == Sign::Mixed && shifted % 2 != 0 {
                return Err(Damage::Odd(weight));
            }
            if store(shifted, sign, truncated) != Some(shifted) {
                return Err(Damage::Changed(weight));
            }
        }
    }
    Ok(shift)
}

/// The largest k with 2^k ≤ a / b, for positive a and b; −1 stands for everything below 1, which
/// only an even weight beyond ±127 of a mixed matrix reaches.
fn floor_log2(a: i32, b: i32) -> i32 {
    (a / b).checked_ilog2().map_or(-1, u32::cast_signed)
}

/// Lava's sign mode of a matrix.
fn stored_sign(matrix: &[i32]) -> Sign {
    if matrix.iter().all(|&w| w >= 0) {
        Sign::Excitatory
    } else if matrix.iter().all(|&w| w <= 0) {
        Sign::Inhibitory
    } else {
        Sign::Mixed
    }
}

/// What Lava stores: clipped to the range of the sign mode, the low bits cut off. `None` if the number
/// of bits to cut makes no sense.
fn store(weight: i32, sign: Sign, truncated: i32) -> Option<i32> {
    let truncated = u32::try_from(truncated).ok().filter(|&bits| bits < 16)?;
    let cut = |w: i32| w >> truncated << truncated;
    Some(match sign {
        Sign::Mixed => cut(weight.clamp(-256, 255)),
        Sign::Excitatory => cut(weight.clamp(0, 255)),
        Sign::Inhibitory => -cut((-weight).clamp(0, 255)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weights of the first matrix, of the second, and whether lava-dl 0.6.0 with lava-nc 0.10.0
    /// gave all of them back.
    #[test]
    fn the_model_agrees_with_the_loader() {
        let observed: &[(&[i32], &[i32], bool)] = &[
            (&[-1], &[], false),
            (&[0, -1], &[], false),
            (&[-128, -3], &[], false),
            (&[-127, -3], &[], true),
            (&[0, -64, -3], &[], false),
            (&[-255, -3], &[], true),
            (&[-256, -2], &[], false),
            (&[-256, 2], &[], true),
            (&[255, 1], &[], true),
            (&[256, 1], &[], false),
            (&[-3, 5, 127], &[], true),
            (&[-128, 127], &[], true),
            (&[130, -2], &[], true),
            (&[-64, 0], &[64], true),
            (&[-128], &[64, 3], false),
            (&[-129], &[3, 3], false),
            (&[-130], &[2], true),
            (&[1, 1], &[], true),
            (&[254], &[-256], false),
            (&[72, 129], &[-3, 5], false),
            (&[72, 127], &[-3, 5], true),
        ];
        for (a, b, kept) in observed {
            let matrices: &[&[i32]] = if b.is_empty() { &[a] } else { &[a, b] };
            assert_eq!(keeps(matrices).is_ok(), *kept, "{a:?} {b:?}");
        }
    }

    #[test]
    fn the_damage_names_a_weight() {
        assert_eq!(keeps(&[&[0, 0]]), Err(Damage::AllZero));
        assert_eq!(keeps(&[&[0, 0], &[1]]), Ok(7));
        assert_eq!(keeps(&[&[-3, 100]]), Ok(1));
        assert_eq!(keeps(&[&[-2, 130]]), Ok(0));
        assert_eq!(keeps(&[&[1, 256]]), Err(Damage::TooLarge(256)));
        assert_eq!(keeps(&[&[-1, 255]]), Err(Damage::TooLarge(255)));
        assert_eq!(keeps(&[&[-2, 131]]), Err(Damage::Odd(131)));
        assert_eq!(keeps(&[&[-3, -128]]), Err(Damage::Changed(-128)));
        assert_eq!(keeps(&[&[72, 129], &[-4, 6]]), Err(Damage::Odd(129)));
    }
}
