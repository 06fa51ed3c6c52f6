//! Sums against their definition, in the plainest form.

use super::super::moments::Moments;
use super::super::{BLOCK, Input, Layout, Sampling, Statistics, Term, families};
use super::{Numbers, correlated, dense, layout};
use proptest::prelude::*;
use snnc_ir::conv::Conv;
use snnc_ir::quantized::Structure;
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::testing::spike_train;
use snnc_ir::{Param, Shape};

const STEPS: usize = 5;

/// A trace by its definition: a decaying sum over past spikes.
fn trace(train: &SpikeTrain, neuron: usize, delay: u32, t: usize, leak: f64) -> f64 {
    let delay = delay as usize;
    let sent = (delay..=t).filter(|s| train.get(s - delay, neuron));
    sent.map(|s| leak.powi(i32::try_from(t - s).unwrap())).sum()
}

/// The vector of one class at a step and output position, by walking the synapses of a neuron.
fn vector(
    layout: &Layout,
    class: usize,
    (t, position): (usize, usize),
    trains: &[&SpikeTrain],
    leak: f64,
) -> Vec<f64> {
    let mut vector = vec![0.0; layout.columns()];
    let row = layout.classes()[class].start;
    let mut offset = 0;
    for term in layout.terms() {
        let mut add = |column: usize, source: usize| {
            for input in &term.inputs {
                vector[column] += trace(trains[input.source], source, input.delay, t, leak);
            }
        };
        match &term.structure {
            Structure::Conv(conv) => {
                let taps = conv.kernel_size() / conv.out_channels as usize;
                let target = row * layout.positions() + position;
                conv.for_sources(target, |source, index| add(offset + index - row * taps, source));
                offset += taps;
            }
            matrix => {
                (0..matrix.cols()).for_each(|c| add(offset + c, c));
                offset += matrix.cols();
            }
        }
    }
    vector[offset] = (0..=t).map(|s| leak.powi(i32::try_from(s).unwrap())).sum();
    vector
}

/// Asserts that H, G and E of every class and block are the sums over every `stride`-th vector.
fn check(statistics: &Statistics<'_>, samples: &[[Vec<SpikeTrain>; 2]], leak: f64, stride: usize) {
    let layout = statistics.layout();
    let positions = layout.positions();
    for class in 0..layout.classes().len() {
        for (moments, block) in statistics.moments(class).iter().zip(layout.blocks()) {
            let n = block.len();
            let mut sums = vec![[0.0; 3]; n * n];
            let mut number = 0;
            for trains in samples {
                for at in (0..STEPS).flat_map(|t| (0..positions).map(move |p| (t, p))) {
                    number += 1;
                    if (number - 1) % stride != 0 {
                        continue;
                    }
                    let [x, y] = [0, 1].map(|i| {
                        let trains: Vec<_> = trains[i].iter().collect();
                        vector(layout, class, at, &trains, leak)[block.clone()].to_vec()
                    });
                    for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
                        let [di, dj] = [i, j].map(|k| y[k] - x[k]);
                        let sums = &mut sums[i * n + j];
                        sums[0] += x[i] * x[j];
                        sums[1] += x[i] * dj;
                        sums[2] += di * dj;
                    }
                }
            }
            for ((found, expected), at) in full(moments).iter().zip(&sums).zip(0..) {
                for (found, expected) in found.iter().zip(expected) {
                    assert!((found - expected).abs() < 1e-9, "{at}: {found} {expected}");
                }
            }
        }
    }
}

/// H, G and E of every pair of columns.
fn full(moments: &Moments) -> Vec<[f64; 3]> {
    let own = moments.own.full();
    let drift = moments.drift.as_ref().map(|d| (&d.cross, d.own.full()));
    let entry = |i: usize| match &drift {
        Some((cross, own)) => [cross[i], own[i]],
        None => [0.0; 2],
    };
    (0..own.len()).map(|i| [own[i], entry(i)[0], entry(i)[1]]).collect()
}

/// Runs with the quantized prefix and in the float network of one source.
fn runs(neurons: usize) -> impl Strategy<Value = Vec<[Vec<SpikeTrain>; 2]>> {
    let trains = || spike_train(STEPS, neurons).prop_map(|train| vec![train]);
    prop::collection::vec([trains(), trains()], 1..4)
}

/// Sums the runs in chunks of two.
fn sum<'l>(
    layout: &'l Layout,
    samples: &[[Vec<SpikeTrain>; 2]],
    leak: f64,
    sampling: Sampling,
) -> Statistics<'l> {
    let mut all = Statistics::new(layout, leak, sampling);
    for (first, chunk) in (0..).step_by(2).zip(samples.chunks(2)) {
        let mut part = Statistics::new(layout, leak, sampling);
        for (sample, [quantized, float]) in (first..).zip(chunk) {
            let [x, y] = [quantized, float].map(|trains| trains.iter().collect::<Vec<_>>());
            part.add(sample, &x, &y);
        }
        all.merge(&part);
    }
    all
}

fn conv() -> impl Strategy<Value = Conv> {
    let extents = (1_u32..3, 1_u32..3, 1_u32..3, 2_u32..5, 2_u32..5);
    let window = (prop::array::uniform2(1_u32..3), prop::array::uniform2(1_u32..3));
    (extents, window, prop::array::uniform4(0_u32..2), prop::array::uniform4(0_u32..2)).prop_map(
        |((groups, per_in, per_out, height, width), (kernel, stride), pad, mut crop)| {
            // Leave something to read.
            crop[1] = crop[1].min((height - 2).saturating_sub(crop[0]));
            crop[3] = crop[3].min((width - 2).saturating_sub(crop[2]));
            crop[0] = crop[0].min(height - 2);
            crop[2] = crop[2].min(width - 2);
            let input = [groups * per_in, height, width];
            let out_channels = groups * per_out;
            Conv { input, out_channels, kernel, stride, pad, groups, crop }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Matrices: several terms, one of them reading twice, and blocks narrower than the columns.
    #[test]
    fn sums_of_matrices_are_those_of_the_definition(
        samples in runs(5),
        leak in 0.3_f64..=1.0,
        (delay, wanted, limit) in (0_u32..3, 1_u64..16, 3_usize..16),
    ) {
        let sparse = Structure::Sparse { rows: 2, cols: 5, row_start: vec![0, 1, 3], col: vec![4, 0, 2] };
        let inputs = vec![Input { source: 0, delay }, Input { source: 0, delay: 1 }];
        let terms = vec![dense(2, 5), Term { structure: sparse, inputs }];
        let layout = Layout::with_blocks(terms, limit).unwrap();
        prop_assert_eq!(layout.columns(), 11);
        prop_assert!(layout.blocks().iter().all(|b| !b.is_empty() && b.len() <= limit));
        let sampling = Sampling::spread(&layout, samples.len() as u64, STEPS as u64, wanted);
        let sums = sum(&layout, &samples, leak, sampling);
        let stride = usize::try_from(sampling.stride()).unwrap();
        prop_assert!(sums.vectors() >= wanted.min((samples.len() * STEPS) as u64));
        check(&sums, &samples, leak, stride);
    }

    /// Convolutions with every kind of geometry, patches at sampled positions.
    #[test]
    fn sums_of_convolutions_are_those_of_the_definition(
        (conv, samples) in conv().prop_flat_map(|conv| {
            let neurons = conv.input.iter().product::<u32>() as usize;
            (Just(conv), runs(neurons))
        }),
        leak in 0.3_f64..=1.0,
        wanted in 1_u64..40,
    ) {
        prop_assume!(conv.output().is_some());
        let term = |delay| Term {
            structure: Structure::Conv(conv),
            inputs: vec![Input { source: 0, delay }],
        };
        let layout = layout(vec![term(0), term(1)]);
        prop_assert_eq!(layout.classes().len(), conv.groups as usize);
        let sampling = Sampling::spread(&layout, samples.len() as u64, STEPS as u64, wanted);
        let sums = sum(&layout, &samples, leak, sampling);
        check(&sums, &samples, leak, usize::try_from(sampling.stride()).unwrap());
    }
}

#[test]
fn panels_are_added_up() {
    // More vectors per sample than a panel takes.
    let conv = Conv {
        input: [1, 9, 9],
        out_channels: 2,
        kernel: [2, 2],
        stride: [1, 1],
        pad: [0; 4],
        groups: 1,
        crop: [0; 4],
    };
    let inputs = vec![Input { source: 0, delay: 0 }];
    let layout = layout(vec![Term { structure: Structure::Conv(conv), inputs }]);
    let mut numbers = Numbers(1);
    let train = |numbers: &mut Numbers| vec![correlated(numbers, STEPS, 81, 4)];
    let samples = [[train(&mut numbers), train(&mut numbers)]];
    let sums = sum(&layout, &samples, 0.5, Sampling::ALL);
    assert_eq!(sums.vectors(), 5 * 64);
    check(&sums, &samples, 0.5, 1);
}

#[test]
fn equal_prefixes_keep_no_sums_of_drift() {
    let layout = layout(vec![dense(1, 4)]);
    let train = correlated(&mut Numbers(1), STEPS, 4, 2);
    let mut sums = Statistics::new(&layout, 0.5, Sampling::ALL);
    sums.add(0, &[&train], &[&train]);
    assert!(sums.moments(0)[0].drift.is_none());
    assert_eq!(sums.vectors(), 5);
    assert!(sums.work() > 0);
}

#[test]
fn strides_visit_all_steps_and_positions() {
    let layout = layout(vec![dense(1, 4)]);
    // 20 runs of 10 steps, 40 vectors wanted: every 5th would take steps 0 and 5 only.
    assert_eq!(Sampling::spread(&layout, 20, 10, 40).stride(), 3);
    assert_eq!(Sampling::spread(&layout, 20, 10, 1000), Sampling::ALL);
    assert_eq!(Sampling::spread(&layout, 0, 0, 0), Sampling::ALL);
}

#[test]
fn families_hold_what_can_be_weighed_together() {
    let conv = Conv {
        input: [2, 3, 3],
        out_channels: 2,
        kernel: [3, 3],
        stride: [1, 1],
        pad: [1; 4],
        groups: 2,
        crop: [0; 4],
    };
    let wide = Conv { input: [2, 1, 1], kernel: [1, 1], pad: [1; 4], groups: 1, ..conv };
    let dense = Structure::Dense { rows: 18, cols: 4 };
    let sparse = Structure::Sparse { rows: 18, cols: 1, row_start: vec![0; 19], col: vec![] };
    let [identity, conv, wide] =
        [Structure::Identity { size: 18 }, Structure::Conv(conv), Structure::Conv(wide)];
    let all = [&dense, &identity, &conv, &sparse, &wide];
    assert_eq!(families(&all), [vec![2, 4], vec![0, 3]]);
    let term = |s: &Structure| Term { structure: s.clone(), inputs: vec![] };
    assert!(Layout::new(vec![term(&dense), term(&conv)]).is_none());
    assert!(Layout::new(vec![term(&identity)]).is_none());
    assert!(Layout::new(vec![]).is_none());
    // Channels that read the same groups in every term.
    let layout = layout(vec![term(&conv), term(&wide)]);
    assert_eq!((layout.rows(), layout.positions(), layout.classes().len()), (2, 9, 2));
    let shape = Shape::chw(2, 3, 3);
    assert_eq!(layout.row_values(&Param::PerChannel(vec![1, 2]), &shape), Some(vec![1, 2]));
    assert_eq!(layout.row_values(&Param::PerNeuron((0..18).collect()), &shape), None);
    assert_eq!(layout.row_values(&Param::Uniform(1), &Shape::flat(17)), None);
    // A population that is a vector of as many elements.
    let flat = Param::PerNeuron((0..18).map(|n| n / 9).collect());
    assert_eq!(layout.row_values(&flat, &Shape::flat(18)), Some(vec![0, 1]));
}

#[test]
fn wide_families_are_cut_evenly() {
    let layout = layout(vec![dense(1, 2 * BLOCK)]);
    let lengths: Vec<_> = layout.blocks().iter().map(ExactSizeIterator::len).collect();
    assert_eq!(lengths, [683, 683, 683]);
    assert!(layout.bytes() > 3 * 683 * 683 * 16);
}
