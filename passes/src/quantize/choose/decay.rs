//! Decay registers of membranes and currents.
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
//! **Currents** decay by `du + 1` in 4096ths, rounded toward zero in the same way. Without memory that is
//! 4096, exact (`du = 4095`). With memory the register makes up for the remainders at the current that
//! holds a membrane at half of its threshold, `v · decay`; that of a membrane without leak is taken to
//! reach it within ten steps. A current that should lose less than 1/8192 in a step loses 1/4096, the
//! least that the chip has. So `du` follows from the float decays and the threshold.

use crate::quantize::account::ASSUMED_RATE;
use snnc_ir::network::Neuron;
use snnc_ir::{Param, Shape};

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

/// What a current loses in a step with register `du`, in 4096ths.
pub(in crate::quantize) fn current_loss(du: u16) -> u16 {
    du.min(4095) + 1
}

/// The register with which the current of neurons that keep a share `keep` of it decays most nearly, if
/// their membranes lose a share `decay` and have a threshold of `mantissa` (units of 64).
pub(super) fn filter_register(keep: f64, decay: f64, mantissa: i32) -> u16 {
    let plain = nearest_loss(1.0 - keep);
    let i = typical_current(mantissa, decay);
    if keep <= 0.0 || plain <= 1 || i <= 0.0 {
        return plain - 1;
    }
    let cost = |lost: u16| drift(lost, 1.0 - keep, i).abs();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "64 at most")]
    let reach = (2048.0 / i).ceil().clamp(1.0, 64.0) as u16;
    // 4095 is the most that can be lost without losing everything.
    let plain = plain.min(4095);
    let candidates = (plain.saturating_sub(reach).max(1)..=plain).rev();
    candidates.fold(plain, |best, lost| if cost(lost) < cost(best) { lost } else { best }) - 1
}

/// The nearest loss that a current can have, in 4096ths: 1 to 4096.
fn nearest_loss(decay: f64) -> u16 {
    let rounded = (decay * 4096.0).round_ties_even().clamp(1.0, 4096.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    {
        rounded as u16
    }
}

/// The current at which its register is to be right, in units of the membrane.
pub(super) fn typical_current(mantissa: i32, decay: f64) -> f64 {
    typical(mantissa) * decay.max(ASSUMED_RATE)
}

/// Current decay registers of neurons whose membranes lose these shares; 4095 without memory.
pub(in crate::quantize) fn filter_registers(
    neuron: &Neuron,
    decay: &Param<f64>,
    threshold: &Param<i32>,
    shape: &Shape,
) -> Param<u16> {
    let Some(current) = neuron.dynamics.current() else { return Param::Uniform(4095) };
    let membranes = decay.zip(threshold, shape, |decay, mantissa| (decay, mantissa));
    let keep = current.keep.zip(&membranes, shape, |keep, membrane| (f64::from(keep), membrane));
    keep.map(|(keep, (decay, mantissa))| filter_register(keep, decay, mantissa)).compact(shape)
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

    #[test]
    fn currents_have_registers_from_0_to_4095() {
        let register = |keep| filter_register(keep, 0.5, 1000);
        assert_eq!((register(0.0), register(1.0), register(0.9999)), (4095, 0, 0));
        // 4096 · 0.1 = 409.6, of which the remainders of a current of 16000 units are worth 0.13.
        assert_eq!((filter_register(0.9, 0.5, 1000), filter_register(0.5, 0.5, 1000)), (408, 2047));
        // At 160 units half a unit is worth 12.8 registers.
        assert_eq!(filter_register(0.9, 0.05, 50), 396);
        // Nearly everything: 4095 keeps 1/4096, the exact 4096 belongs to a share of 0.
        assert_eq!(filter_register(0.0001, 0.5, 1000), 4094);
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
