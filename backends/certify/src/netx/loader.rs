//! What reaches the neurons when lava-dl 0.6.0 loads a layer's weights and lava-nc 0.10.0 runs them.
//!
//! The loader (`optimize_weight_bits`) shifts all matrices of a layer left by the same s until they fill 8 bits,
//! and says how many bits they use. Each synapse process clips and truncates its own matrix by the signs it
//! finds there, adds up what arrives, and shifts the sum right by s. Where every stored weight is a multiple of
//! 2^s, that is a sum of weights again, and those are returned. Convolutions are left alone.
//!
//! The writer has a model of its own of the same arithmetic, and its tests the same table of observations. Both stand here
//! once more on purpose: the checker shares nothing with what it checks, or one mistake would go through both.

use snnc_ir::program::Format;
use snnc_ir::quantized::Sign;

/// Signs of weights, as the loader tells them apart.
fn signs(mut weights: impl Iterator<Item = i32> + Clone) -> Sign {
    if weights.clone().all(|w| w >= 0) {
        Sign::Excitatory
    } else if weights.all(|w| w < 0) {
        Sign::Inhibitory
    } else {
        Sign::Mixed
    }
}

/// The largest s (−1 stands for all below 0) with `value · 2^s ≤ most`, for a positive value.
fn room(value: i32, most: i32) -> i32 {
    (0..16).take_while(|s| i64::from(value) << s <= i64::from(most)).last().unwrap_or(-1)
}

/// The weights that the neurons of a dense layer see, matrix by matrix.
///
/// # Errors
/// Why the weights do not act as weights.
pub(super) fn received(matrices: &[&[i32]]) -> Result<Vec<Vec<i32>>, String> {
    let all = || matrices.iter().flat_map(|m| m.iter().copied());
    let (low, high) = (all().min().unwrap_or(0), all().max().unwrap_or(0));
    if (low, high) == (0, 0) {
        return Err("all weights are 0, on which the loader fails".to_owned());
    }
    if low < -256 || high > 255 {
        let weight = if low < -256 { low } else { high };
        return Err(format!("the weight {weight} is beyond what the loader can scale"));
    }
    let sign = signs(all());
    let shift = match sign {
        Sign::Excitatory => room(high, 255),
        Sign::Inhibitory => room(-low, 256),
        Sign::Mixed if high == 0 => room(-low, 128) + 1,
        // 127 / 255 is below one half, whose logarithm counts as −2.
        Sign::Mixed if high == 255 => -1,
        Sign::Mixed => room(high, 127).min(room(-low, 128)) + 1,
    };
    let shift = u32::try_from(shift)
        .map_err(|_| format!("the loader shifts the weight {high} out of its field"))?;
    let unused = (0..=8_i64).take_while(|n| all().all(|w| w % (1 << n) == 0)).last().unwrap_or(0);
    let mixed = |sign: Sign| i64::from(sign == Sign::Mixed);
    let bits = 8 - i64::from(shift) - (unused - mixed(sign));
    matrices
        .iter()
        .map(|matrix| {
            // A matrix without positive weights is inhibitory here, zeros or not.
            let own = match signs(matrix.iter().copied()) {
                Sign::Mixed if matrix.iter().all(|&w| w <= 0) => Sign::Inhibitory,
                sign => sign,
            };
            let cut = u32::try_from(8 - bits + mixed(own)).map_err(|_| {
                "one of the matrices has a sign that leaves it a bit too few".to_owned()
            })?;
            let seen = |&weight: &i32| {
                let shifted = weight << shift;
                let truncated = |w: i32| (w >> cut) << cut;
                let stored = match own {
                    Sign::Mixed => truncated(shifted.clamp(-256, 255)),
                    Sign::Excitatory => truncated(shifted.clamp(0, 255)),
                    Sign::Inhibitory => -truncated((-shifted).clamp(0, 255)),
                };
                if stored % (1 << shift) == 0 {
                    Ok(stored >> shift)
                } else {
                    Err(format!("the weight {weight} becomes {stored}/{}", 1 << shift))
                }
            };
            matrix.iter().map(seen).collect()
        })
        .collect()
}

/// The mantissas and the format by which a synapse of a chip stores weights.
///
/// # Errors
/// Why there is none.
pub(super) fn stored(weights: &[i32]) -> Result<(Vec<i16>, Format), String> {
    let format = |exponent, sign| Format { exponent, sign, weight_bits: 8, delay_bits: 6 };
    let all = |fits: &dyn Fn(i32) -> bool| weights.iter().all(|&w| fits(w));
    let format = if all(&|w| (0..=255).contains(&w)) {
        format(0, Sign::Excitatory)
    } else if all(&|w| (-255..=0).contains(&w)) {
        format(0, Sign::Inhibitory)
    } else if all(&|w| w % 2 == 0 && (-256..=254).contains(&w)) {
        format(0, Sign::Mixed)
    } else if all(&|w| (-128..=127).contains(&w)) {
        format(-1, Sign::Mixed)
    } else {
        return Err("no synapse format holds all weights of a matrix".to_owned());
    };
    let mantissa = |&w: &i32| i16::try_from(if format.exponent < 0 { 2 * w } else { w });
    let mantissas = weights.iter().map(mantissa).collect::<Result<_, _>>();
    Ok((mantissas.map_err(|_| "a weight is beyond 16 bits".to_owned())?, format))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weights of the first matrix, of the second, and whether lava-dl 0.6.0 with lava-nc 0.10.0 gave all
    /// of them back.
    #[test]
    fn what_comes_back_is_what_was_observed() {
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
            let back = received(matrices);
            let same = back.as_ref().is_ok_and(|back| {
                back.iter().zip(matrices).all(|(back, m)| back == m && stored(back).is_ok())
            });
            assert_eq!(same, *kept, "{a:?} {b:?}: {back:?}");
        }
    }
}
