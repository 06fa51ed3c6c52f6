//! Descents: never worse, within the range, locally optimal, row by row.

use super::super::{
    BiasChoice, BiasProblem, Choice, Descent, Input, Layout, Options, Problem, Refined, Sampling,
    Statistics, Term, TermProblem, refine,
};
use super::{Numbers, correlated, dense, errors, layout};
use proptest::prelude::*;
use snnc_ir::conv::Conv;
use snnc_ir::quantized::Structure;
use snnc_ir::spikes::SpikeTrain;

/// Sums of correlated sources; the quantized prefix and the float network differ unless `equal`.
fn sums(layout: &Layout, seed: u64, equal: bool) -> Statistics<'_> {
    let mut numbers = Numbers(seed);
    let neurons = layout.terms()[0].structure.cols();
    let mut sums = Statistics::new(layout, 0.7, Sampling::ALL);
    for sample in 0..3 {
        let x = correlated(&mut numbers, 16, neurons, 3);
        let mut y = SpikeTrain::new(16, neurons);
        for (t, n) in (0..16).flat_map(|t| (0..neurons).map(move |n| (t, n))) {
            if x.get(t, n) != (!equal && numbers.uniform() < 0.1) {
                y.set(t, n);
            }
        }
        sums.add(sample, &[&x], &[&y]);
    }
    sums
}

fn weights(seed: u64, count: usize) -> Vec<f32> {
    let mut numbers = Numbers(seed);
    #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
    (0..count).map(|_| 1.5 * numbers.normal() as f32).collect()
}

fn problem<'a>(weights: &'a [f32], scales: &'a [f64], range: [i16; 2], ridge: f64) -> Problem<'a> {
    let choice = Choice::Free { range, start: None };
    Problem {
        terms: vec![TermProblem { weights, exponent: 0, choice }],
        bias: None,
        scales,
        options: Options { ridge, sweeps: 100 },
    }
}

/// The nearest integers of a problem of one term.
fn nearest(problem: &Problem<'_>, [low, high]: [i16; 2]) -> Vec<i16> {
    let TermProblem { weights, exponent, .. } = problem.terms[0];
    let per_row = weights.len() / problem.scales.len();
    let scales = problem.scales.iter().flat_map(|s| std::iter::repeat_n(s, per_row));
    #[expect(clippy::cast_possible_truncation, reason = "small")]
    let q = |(w, s): (&f32, &f64)| {
        (f64::from(*w) * s / f64::from(1 << exponent)).round_ties_even() as i16
    };
    weights.iter().zip(scales).map(q).map(|q| q.clamp(low, high)).collect()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The error reported is the one the sums imply, it never grows, integers stay in their range,
    /// and no single integer can be moved to gain.
    #[test]
    fn rows_end_where_no_weight_improves(
        seed in any::<u64>(),
        equal in any::<bool>(),
        scale in 0.3_f64..3.0,
        (low, high) in (-3_i16..=0, 0_i16..=3),
        ridge in prop_oneof![Just(0.0), 0.0_f64..1.0],
    ) {
        let layout = layout(vec![dense(3, 7)]);
        let sums = sums(&layout, seed, equal);
        let weights = weights(seed, 21);
        let scales = [scale, 2.0 * scale, 0.5 * scale];
        let problem = problem(&weights, &scales, [low, high], ridge);
        let refined = refine(&sums, &problem);
        let start = nearest(&problem, [low, high]);
        let before = errors(&sums, &problem, std::slice::from_ref(&start));
        let after = errors(&sums, &problem, &refined.weights);
        for (row, gain) in refined.rows.iter().enumerate() {
            prop_assert!(close(gain.before, before[row]) && close(gain.after, after[row]));
            prop_assert!(gain.after <= gain.before);
            let range = row * 7..(row + 1) * 7;
            let moved = range.filter(|&i| refined.weights[0][i] != start[i]).count();
            prop_assert_eq!(gain.moved, moved);
        }
        prop_assert!(refined.weights[0].iter().all(|q| (low..=high).contains(q)));
        if ridge == 0.0 {
            for index in 0..21 {
                for by in [-1, 1] {
                    let mut other = refined.weights[0].clone();
                    other[index] += by;
                    if (low..=high).contains(&other[index]) {
                        let moved = errors(&sums, &problem, &[other])[index / 7];
                        prop_assert!(moved >= after[index / 7] - 1e-6);
                    }
                }
            }
        }
    }

    /// Rows know nothing of each other.
    #[test]
    fn permuted_rows_give_permuted_integers(seed in any::<u64>(), turn in 1_usize..4) {
        let layout = layout(vec![dense(4, 6)]);
        let sums = sums(&layout, seed, false);
        let weights = weights(seed, 24);
        let scales = [1.0, 1.5, 2.0, 2.5];
        let refined = refine(&sums, &problem(&weights, &scales, [-3, 3], 0.1));
        let (mut turned, mut turned_scales) = (weights.clone(), scales);
        turned.rotate_left(6 * turn);
        turned_scales.rotate_left(turn);
        let mut other = refine(&sums, &problem(&turned, &turned_scales, [-3, 3], 0.1));
        other.weights[0].rotate_right(6 * turn);
        other.rows.rotate_right(turn);
        prop_assert_eq!(other, refined);
    }

    /// Rows may be rounded in any order.
    #[test]
    fn rows_alone_are_the_same(seed in any::<u64>()) {
        let layout = layout(vec![dense(3, 6)]);
        let (sums, weights) = (sums(&layout, seed, false), weights(seed, 18));
        let problem = problem(&weights, &[1.0; 3], [-3, 3], 0.1);
        let descent = Descent::new(&sums, &problem);
        let mut rows: Vec<_> = (0..3).rev().map(|row| descent.row(row)).collect();
        rows.reverse();
        prop_assert_eq!(descent.assemble(rows), refine(&sums, &problem));
    }
}

/// On small problems the descent is compared with the best of all choices.
#[test]
fn descents_come_close_to_the_best() {
    let layout = layout(vec![dense(1, 5)]);
    let (mut found, mut best, mut start) = (0.0, 0.0, 0.0);
    for seed in 0..24 {
        let sums = sums(&layout, seed, false);
        let weights = weights(seed, 5);
        let problem = problem(&weights, &[1.0], [-2, 2], 0.0);
        let refined = refine(&sums, &problem);
        let all = (0..5_i16.pow(5)).map(|mut code| {
            let mut q = Vec::new();
            for _ in 0..5 {
                q.push(code % 5 - 2);
                code /= 5;
            }
            errors(&sums, &problem, &[q])[0]
        });
        let least = all.fold(f64::INFINITY, f64::min);
        assert!(refined.after() >= least - 1e-9);
        (found, best, start) = (found + refined.after(), best + least, start + refined.before());
    }
    // With pairs, hardly anything is missed.
    assert!(start - found > 0.98 * (start - best), "{start} {found} {best}");
}

#[test]
fn fixed_weights_stay_and_free_ones_make_up_for_them() {
    // Two terms that read the same source: what one loses the other can give.
    let layout = layout(vec![dense(1, 4), dense(1, 4)]);
    let sums = sums(&layout, 3, true);
    let weights = [1.0_f32, -1.0, 2.0, 1.0];
    let fixed = [0_i16, -2, 2, 1];
    let choice = Choice::Free { range: [-7, 7], start: None };
    let problem = |values, choice_of_bias| Problem {
        terms: vec![
            TermProblem { weights: &weights, exponent: 0, choice: Choice::Fixed(&fixed) },
            TermProblem { weights: &weights, exponent: 0, choice },
        ],
        bias: Some(BiasProblem { values, choice: choice_of_bias }),
        scales: &[1.0],
        options: Options { ridge: 0.0, ..Options::default() },
    };
    let refined = refine(&sums, &problem(&[0.0], BiasChoice::Fixed(&[0])));
    assert_eq!(refined.weights, [vec![0, -2, 2, 1], vec![2, 0, 2, 1]]);
    assert_eq!((refined.after(), refined.bias), (0.0, Some(vec![0])));
    // A bias that was rounded away is made up for, too, as far as weights can.
    let without = refine(&sums, &problem(&[3.0], BiasChoice::Fixed(&[0])));
    assert!(without.after() < without.before());
    // One that is free is where it belongs.
    let free = refine(&sums, &problem(&[3.0], BiasChoice::Free([-7, 7])));
    assert_eq!((free.weights, free.bias), (refined.weights, Some(vec![3])));
    let bounded = refine(&sums, &problem(&[3.0], BiasChoice::Free([-7, 2])));
    assert_eq!(bounded.bias, Some(vec![2]));
}

#[test]
fn a_start_is_kept_or_left_for_a_better_one() {
    let layout = layout(vec![dense(1, 5)]);
    let (sums, weights) = (sums(&layout, 2, false), weights(2, 5));
    let nearest = problem(&weights, &[1.0], [-3, 3], 0.0);
    let best = refine(&sums, &nearest);
    let from = |start| {
        let mut problem = nearest.clone();
        problem.terms[0].choice = Choice::Free { range: [-3, 3], start: Some(start) };
        refine(&sums, &problem)
    };
    // At rest: nothing moves. Outside the range: clamped, and left.
    assert_eq!(from(&best.weights[0]).rows[0].moved, 0);
    let far = from(&[9, -9, 9, -9, 9]);
    assert!(far.after() < far.before() && far.weights[0].iter().all(|q| q.abs() <= 3));
}

#[test]
fn weights_of_0_are_no_synapses() {
    let layout = layout(vec![dense(1, 3)]);
    let sums = sums(&layout, 5, false);
    let refined = refine(&sums, &problem(&[0.0, 0.4, 0.4], &[1.0], [-7, 7], 0.0));
    assert_eq!(refined.weights[0][0], 0);
}

#[test]
fn silent_sources_move_nothing() {
    let layout = layout(vec![dense(2, 3)]);
    let silent = SpikeTrain::new(8, 3);
    let mut sums = Statistics::new(&layout, 0.5, Sampling::ALL);
    let weights = [0.4, 1.6, -0.7, 0.5, -1.4, 9.0];
    let problem = problem(&weights, &[1.0; 2], [-7, 7], 0.0);
    let nearest = vec![nearest(&problem, [-7, 7])];
    assert_eq!(refine(&sums, &problem).weights, nearest);
    sums.add(0, &[&silent], &[&silent]);
    let refined = refine(&sums, &problem);
    assert_eq!((refined.weights, refined.rows[0].after), (nearest, 0.0));
}

/// The channels of a grouped convolution and the entries of a sparse matrix are rounded as the rows
/// of the dense matrix that does the same.
#[test]
fn structures_of_one_matrix_agree() {
    // 1 × 1 kernels at one position: channel c of group g reads the two inputs of its group.
    let conv = Conv {
        input: [4, 1, 1],
        out_channels: 4,
        kernel: [1, 1],
        stride: [1, 1],
        pad: [0; 4],
        groups: 2,
        crop: [0; 4],
    };
    let sparse = Structure::Sparse {
        rows: 4,
        cols: 4,
        row_start: vec![0, 2, 4, 6, 8],
        col: vec![0, 1, 0, 1, 2, 3, 2, 3],
    };
    let kernel = weights(9, 8);
    let mut matrix = vec![0.0; 16];
    for (index, &w) in kernel.iter().enumerate() {
        matrix[index / 2 * 4 + index / 4 * 2 + index % 2] = w;
    }
    let run = |structure: Structure, weights: &[f32]| -> Refined {
        let inputs = vec![Input { source: 0, delay: 0 }];
        let layout = layout(vec![Term { structure, inputs }]);
        refine(&sums(&layout, 4, false), &problem(weights, &[1.0; 4], [-3, 3], 0.0))
    };
    let dense = run(Structure::Dense { rows: 4, cols: 4 }, &matrix);
    let by_conv = run(Structure::Conv(conv), &kernel);
    assert_eq!(run(sparse, &kernel).weights, by_conv.weights);
    let dense: Vec<_> = dense.weights[0]
        .chunks(4)
        .enumerate()
        .map(|(r, row)| row[r / 2 * 2..r / 2 * 2 + 2].to_vec())
        .collect();
    assert_eq!(dense.concat(), by_conv.weights[0]);
}
