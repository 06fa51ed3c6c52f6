//! Rounding of weights on messages whose sources are correlated.
//!
//! Relays of a chain read the same spikes, so what they send is correlated: with `H` the mean of `m·mᵀ`, errors
//! `δ` of a row of weights on messages cause an error of variance `δᵀ·H·δ`, and errors can cancel. From the nearest
//! steps on, each weight in turn moves to the step that is best as long as the others stay, until none moves.
//! That never makes the variance larger.

use crate::quantize::matrix::Set;

/// Sweeps over a row at the most.
const SWEEPS: usize = 8;

/// Rounds weights given in steps to steps of `set`; `gram` is `H`, row by row. Of a kernel, each cell
/// is rounded alone: it reads other spikes. Weights of 0 stay, and so does everything without `gram`.
pub(super) fn settled(steps: &[f64], gram: &[f64], set: Set) -> Vec<i16> {
    let mut rounded: Vec<i16> = steps.iter().map(|x| set.clamp(x.round_ties_even())).collect();
    let relays = (1..=steps.len()).find(|n| n * n >= gram.len()).unwrap_or(0);
    if relays == 0 || relays * relays != gram.len() || !steps.len().is_multiple_of(relays) {
        return rounded;
    }
    let cells = steps.len() / relays;
    let mut pull = vec![0.0; relays];
    for cell in 0..cells {
        let at = |relay: usize| relay * cells + cell;
        pull.fill(0.0);
        for relay in 0..relays {
            let off = f64::from(rounded[at(relay)]) - steps[at(relay)];
            for (pull, h) in pull.iter_mut().zip(&gram[relay * relays..]) {
                *pull += off * h;
            }
        }
        for _ in 0..SWEEPS {
            let mut moved = false;
            for relay in 0..relays {
                let own = gram[relay * relays + relay];
                let x = steps[at(relay)];
                if own <= 0.0 || x.abs() <= 0.0 {
                    continue;
                }
                let now = rounded[at(relay)];
                let best = set.clamp((f64::from(now) - pull[relay] / own).round_ties_even());
                let by = f64::from(best) - f64::from(now);
                // The variance changes by 2·by·pull + by²·own.
                if by.abs() > 0.0 && by * (2.0 * pull[relay] + by * own) < -1e-12 * own {
                    rounded[at(relay)] = best;
                    moved = true;
                    for (pull, h) in pull.iter_mut().zip(&gram[relay * relays..]) {
                        *pull += by * h;
                    }
                }
            }
            if !moved {
                break;
            }
        }
    }
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SET: Set = Set { low: -7, high: 7 };

    fn variance(steps: &[f64], rounded: &[i16], gram: &[f64]) -> f64 {
        let off: Vec<f64> = rounded.iter().zip(steps).map(|(q, x)| f64::from(*q) - x).collect();
        let n = off.len();
        (0..n * n).map(|i| off[i / n] * gram[i] * off[i % n]).sum()
    }

    #[test]
    fn errors_of_equal_messages_cancel() {
        // Two relays that send the same: only the sum of weights counts, 0.8 in all.
        assert_eq!(settled(&[0.4, 0.4], &[1.0, 1.0, 1.0, 1.0], SET), [1, 0]);
        // Independent ones round alone, and so does what has no messages to judge by.
        assert_eq!(settled(&[0.4, 0.4], &[1.0, 0.0, 0.0, 1.0], SET), [0, 0]);
        assert_eq!(settled(&[0.4, 1.6, 9.0], &[], SET), [0, 2, 7]);
        // Cells of a kernel are apart; a weight of 0 stays.
        let gram = [1.0, 1.0, 1.0, 1.0];
        assert_eq!(settled(&[0.4, 0.0, 0.4, 0.4], &gram, SET), [1, 0, 0, 0]);
    }

    proptest! {
        /// Never worse than the nearest steps, and within the set.
        #[test]
        fn variance_falls(
            steps in proptest::collection::vec(-8.0_f64..8.0, 4),
            factors in proptest::collection::vec(-1.0_f64..1.0, 12),
        ) {
            let row = |i: usize| &factors[i * 3..(i + 1) * 3];
            let dot = |i: usize, j: usize| row(i).iter().zip(row(j)).map(|(a, b)| a * b).sum::<f64>();
            let gram: Vec<f64> = (0..16).map(|i| dot(i / 4, i % 4)).collect();
            let found = settled(&steps, &gram, SET);
            let nearest: Vec<i16> = steps.iter().map(|x| SET.clamp(x.round_ties_even())).collect();
            prop_assert!(found.iter().all(|q| (-7..=7).contains(q)));
            let (found, nearest) = (variance(&steps, &found, &gram), variance(&steps, &nearest, &gram));
            prop_assert!(found <= nearest + 1e-9, "{found} {nearest}");
        }
    }
}
