//! Parameters of continuous time from coefficients of a step.
//!
//! Many numbers become the same coefficient once it is rounded to f32. Of those the shortest decimal is taken,
//! so that what a person wrote (a time constant of 0.02) comes back as it was.

use crate::arrays::{Array, ArrayData};
use snnc_ir::network::discretization::Integration;

/// The number of fewest decimal digits near `guess` that `forward` takes to `wanted`; `None` if f64 holds
/// none.
pub(super) fn shortest(guess: f64, wanted: f32, forward: impl Fn(f64) -> f32) -> Option<f64> {
    let reaches = |x: f64| x.is_finite() && forward(x).to_bits() == wanted.to_bits();
    // As f32 where that does, then as f64.
    let decimals = |digits: usize| format!("{guess:.digits$e}");
    let singles = (0..9).filter_map(|d| decimals(d).parse::<f32>().ok()).map(f64::from);
    let doubles = (0..17).filter_map(|d| decimals(d).parse::<f64>().ok());
    singles.chain(doubles).chain([guess]).find(|&x| reaches(x))
}

/// The share of a state that remains after a step of length `step`.
pub(super) fn keep(integration: Integration, step: f64, tau: f64) -> f32 {
    round(1.0 - taken(integration, step, tau))
}

/// The share of a state that is lost in a step of length `step`.
pub(super) fn taken(integration: Integration, step: f64, tau: f64) -> f64 {
    match integration {
        Integration::Euler => step / tau,
        Integration::Exponential | Integration::ExponentialUnit => -(-step / tau).exp_m1(),
    }
}

/// Steps of a time constant so long that f32 takes what is lost in a step for nothing.
pub(super) const ENDLESS: f64 = 67_108_864.0;

/// The time constant after which `keep` of a state remains in a step, [`ENDLESS`] where all of it does; `None`
/// where there is none: the whole is lost in an instant.
pub(super) fn time_constant(integration: Integration, step: f64, keep: f32) -> Option<f64> {
    let kept = f64::from(keep);
    let guess = match integration {
        Integration::Euler if kept < 1.0 => step / (1.0 - kept),
        Integration::Exponential | Integration::ExponentialUnit if kept > 0.0 && kept < 1.0 => {
            -step / kept.ln()
        }
        _ if kept >= 1.0 => return Some(step * ENDLESS),
        _ => return None,
    };
    let forward = |tau: f64| self::keep(integration, step, tau);
    shortest(guess, keep, forward).filter(|&tau| tau > 0.0)
}

/// Numbers as f32 where that changes none of them, else as f64.
pub(super) fn array(shape: &[usize], values: Vec<f64>) -> Array {
    let exact = values.iter().all(|&v| f64::from(round(v)).to_bits() == v.to_bits());
    let data = if exact {
        ArrayData::F32(values.into_iter().map(round).collect())
    } else {
        ArrayData::F64(values)
    };
    Array { shape: shape.to_vec(), data }
}

#[expect(clippy::cast_possible_truncation, reason = "coefficients are f32")]
pub(super) const fn round(x: f64) -> f32 {
    x as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_person_wrote_comes_back() {
        for (tau, step) in [(0.02, 1e-4), (2.5e-3, 1e-4), (5e-3, 1e-3), (20.0, 1.0)] {
            let stored = f64::from(round(tau));
            for integration in [Integration::Euler, Integration::Exponential] {
                let kept = keep(integration, step, stored);
                assert_eq!(time_constant(integration, step, kept), Some(stored), "{tau} {step}");
            }
        }
        for integration in [Integration::Euler, Integration::Exponential] {
            let endless = time_constant(integration, 0.25, 1.0).unwrap();
            assert_eq!(keep(integration, 0.25, endless).to_bits(), 1.0_f32.to_bits());
        }
        assert_eq!(time_constant(Integration::Exponential, 1.0, 0.0), None);
        assert_eq!(time_constant(Integration::Euler, 0.5, 0.0), Some(0.5));
    }

    proptest! {
        #[test]
        fn a_time_constant_gives_its_share_again(kept in 0.0_f32..1.0, step in 1e-6_f64..10.0) {
            for integration in [Integration::Euler, Integration::Exponential] {
                if let Some(tau) = time_constant(integration, step, kept) {
                    prop_assert_eq!(keep(integration, step, tau).to_bits(), kept.to_bits());
                } else {
                    prop_assert!(kept == 0.0, "no time constant for {}", kept);
                }
            }
        }
    }
}
