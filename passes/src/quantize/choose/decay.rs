//! Membrane decay registers.
//!
//! In every step the chip keeps `tz(v · (4096 − dv), 12)` of the membrane, rounded **toward zero**. The
//! remainder that is cut off takes, on average over membranes, `(1 − 2^z / 4096) / 2` units from |v|,
//! where `2^z` is the largest power of two that divides `4096 − dv`: a leak beyond the register's, the
//! larger the smaller the membrane. A register a little below `4096 · decay` makes up for it at one
//! membrane; half of the threshold is taken, which is where it matters. At a threshold of 100 units of
//! weight the remainder counts as much as 0.6 registers, at one of 10 units as much as 6.
//!
//! Two values have no register. A decay of **1** (the membrane forgets everything) becomes 4095, which
//! keeps `tz(v, 12)`: nothing as long as |v| < 4096, that is 64 units of weight, and else one unit of the
//! membrane (1/64 of a unit of weight) per 64 units of weight. What arrives is a multiple of 64, so
//! such a residue only decides where the membrane stands exactly at the threshold. A decay below
//! 1/8192 becomes 0, no leak.
//!
//! The current has no memory: its register `du` is 4095, and the chip decays it by `du + 1` = 4096/4096,
//! exactly. (The level in floats has no memory of currents that would need another register.)

/// The register nearest to `decay`.
pub(super) fn nearest(decay: f64) -> u16 {
    let rounded = (decay * 4096.0).round_ties_even().clamp(0.0, 4095.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    {
        rounded as u16
    }
}

/// What rounding toward zero takes from |v| in a step on average, in units of the membrane.
pub(super) fn truncated(dv: u16) -> f64 {
    let kept = 4096 - u32::from(dv.min(4095));
    (1.0 - f64::from(1_u32 << kept.trailing_zeros()) / 4096.0) / 2.0
}

/// What a membrane of `v` units (`v ≥ 0`) loses in a step with register `dv`, on average, beyond
/// `decay · v`.
pub(super) fn drift(dv: u16, decay: f64, v: f64) -> f64 {
    (f64::from(dv) / 4096.0 - decay) * v + truncated(dv)
}

/// The membrane at which a register is to be right, in its units: half of a threshold of `mantissa`.
pub(super) fn typical(mantissa: i32) -> f64 {
    32.0 * f64::from(mantissa)
}

/// The register with which a membrane at half of a threshold of `mantissa` (units of 64) decays most
/// nearly by `decay`.
pub(in crate::quantize) fn register(decay: f64, mantissa: i32) -> u16 {
    let plain = nearest(decay);
    let v = typical(mantissa);
    if plain == 0 || plain == 4095 || v <= 0.0 {
        return plain;
    }
    let cost = |dv: u16| drift(dv, decay, v).abs();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "64 at most")]
    let reach = (2048.0 / v).ceil().clamp(1.0, 64.0) as u16;
    let candidates = (plain.saturating_sub(reach).max(1)..=plain).rev();
    candidates.fold(plain, |best, dv| if cost(dv) < cost(best) { dv } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncation_takes_half_a_unit_but_for_powers_of_two() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        close(truncated(1), 0.5 - 0.5 / 4096.0);
        close(truncated(2048), 0.25);
        close(truncated(0), 0.0);
        close(drift(2048, 0.5, 1000.0), 0.25);
        close(drift(410, 0.1, 4096.0), 0.4 + 0.5 - 2.0 / 8192.0);
    }

    #[test]
    fn the_average_truncation_is_the_one_stated() {
        for dv in [1_u16, 7, 400, 512, 1000, 2048, 4000] {
            let kept = i64::from(4096 - dv);
            let lost: i64 = (0..4096_i64).map(|v| (v * kept) % 4096).sum();
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let average = lost as f64 / 4096.0 / 4096.0;
            assert!((average - truncated(dv)).abs() < 1e-9, "{dv}: {average}");
        }
    }

    #[test]
    fn registers_make_up_for_truncation() {
        // 4096 · 0.1 = 409.6; at 6400 units the remainder is worth 0.32 registers.
        assert_eq!((nearest(0.1), register(0.1, 200)), (410, 409));
        // At 320 units it is worth 6.4.
        assert_eq!(register(0.1, 10), 403);
        // 3584 = 7 · 512 has few fractions; at large thresholds the exact register stays.
        assert_eq!(register(0.125, 1000), 512);
        assert_eq!((register(0.0, 10), register(1.0, 10), register(0.9999, 10)), (0, 4095, 4095));
        assert_eq!(register(0.5, 0), 2048);
    }

    /// Numbers in 0..1 that a seed determines.
    fn random(seed: &mut u64) -> f64 {
        *seed =
            seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(*seed >> 33).unwrap_or(0)) / f64::from(1_u32 << 31)
    }

    /// Differences between the spikes of exact neurons and of neurons with register `dv`.
    fn differences(decay: f64, mantissa: i32, dv: u16) -> u32 {
        let mut seed = 1;
        let threshold = i64::from(mantissa) * 64;
        let mut found = 0;
        for _ in 0..40 {
            let (mut exact, mut v) = (0.0_f64, 0_i64);
            for _ in 0..150 {
                let size = f64::from(mantissa) * 0.4 * (random(&mut seed) - 0.3);
                #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
                let input = if random(&mut seed) < 0.7 { size.round() as i64 * 64 } else { 0 };
                let kept = (v.abs() * (4096 - i64::from(dv))) >> 12;
                v = v.signum() * kept + input;
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                {
                    exact = exact * (1.0 - decay) + input as f64;
                }
                let fired = (exact > f64::from(mantissa) * 64.0, v > threshold);
                found += u32::from(fired.0 != fired.1);
                exact = if fired.0 { 0.0 } else { exact };
                v = if fired.1 { 0 } else { v };
            }
        }
        found
    }

    /// Over random input, corrected registers follow the exact neuron better than the nearest.
    #[test]
    fn corrected_registers_track_exact_neurons_better() {
        let (mut plain, mut corrected) = (0, 0);
        for decay in [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.45] {
            for mantissa in [6, 10, 20, 40, 80, 160] {
                plain += differences(decay, mantissa, nearest(decay));
                corrected += differences(decay, mantissa, register(decay, mantissa));
            }
        }
        assert!(corrected * 10 < plain * 8, "{corrected} {plain}");
    }
}
