//! What rounding rows together buys on data that was not used for it.

use super::super::{Choice, Options, Problem, Sampling, Statistics, TermProblem, refine};
use super::{Numbers, correlated, dense, errors, layout};

const SOURCES: usize = 64;
const ROWS: usize = 12;

/// Mean squared error of the membrane on fresh data: nearest rounding, and rounding of rows.
fn errors_at(bits: u32) -> [f64; 2] {
    let mut numbers = Numbers(u64::from(bits));
    let layout = layout(vec![dense(ROWS, SOURCES)]);
    let mut sums = || {
        let mut sums = Statistics::new(&layout, 0.7, Sampling::ALL);
        for sample in 0..40 {
            let train = correlated(&mut numbers, 20, SOURCES, 8);
            sums.add(sample, &[&train], &[&train]);
        }
        sums
    };
    let [seen, fresh] = [sums(), sums()];
    #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
    let weights: Vec<_> = (0..ROWS * SOURCES).map(|_| numbers.normal() as f32).collect();
    let high = (1 << (bits - 1)) - 1;
    let largest = weights.iter().fold(0.0_f32, |m, w| m.max(w.abs()));
    let scales = [f64::from(high) / f64::from(largest); ROWS];
    let choice = Choice::Free { range: [-high, high], start: None };
    let problem = |sweeps| Problem {
        terms: vec![TermProblem { weights: &weights, exponent: 0, choice }],
        bias: None,
        scales: &scales,
        options: Options { sweeps, ..Options::default() },
    };
    [0, 16].map(|sweeps| {
        let refined = refine(&seen, &problem(sweeps));
        errors(&fresh, &problem(sweeps), &refined.weights).iter().sum()
    })
}

#[test]
fn errors_that_occur_together_cancel() {
    for bits in [4, 3] {
        let [nearest, refined] = errors_at(bits);
        assert!(refined < 0.5 * nearest, "{bits} bits: {nearest} {refined}");
    }
}
