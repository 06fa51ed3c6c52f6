//! Compositions against the product of the matrices.

use super::{Chain, LinearOp, Matrix, Weight, join};
use snnc_ir::arena::{Arena, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::network::Tensor;
use std::ops::RangeInclusive;

/// Values without a pattern, so that equal sums are equal terms.
fn made(len: usize, seed: u32) -> Weight {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        f64::from(state % 1000) / 500.0 - 0.9
    };
    Weight::Made { data: (0..len).map(|_| next()).collect(), from: Vec::new() }
}

fn convolution(conv: Conv, seed: u32) -> LinearOp {
    LinearOp::Conv { weight: made(conv.kernel_size(), seed), conv }
}

fn dense(ops: Vec<LinearOp>) -> Vec<f64> {
    let none: Arena<TensorId, Tensor> = Arena::new();
    let matrix = Chain::new(ops).dense(&none).expect("small");
    (0..matrix.rows * matrix.cols).map(|i| matrix.weight.at(&none, i)).collect()
}

#[track_caller]
fn assert_close(a: &[f64], b: &[f64], what: impl std::fmt::Debug) {
    assert_eq!(a.len(), b.len(), "{what:?}");
    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9), "{what:?}: {a:?} and {b:?}");
}

/// A column of `n` cells.
fn column(n: u32, kernel: u32, stride: u32, pad: [u32; 2]) -> Conv {
    Conv {
        input: [1, n, 1],
        out_channels: 1,
        kernel: [kernel, 1],
        stride: [stride, 1],
        pad: [pad[0], pad[1], 0, 0],
        groups: 1,
        crop: [0; 4],
    }
}

/// Calls `f(outer, inner, joined)` for every pair of small columns, with or without crops.
fn for_pairs(mut f: impl FnMut(Conv, Conv, Option<LinearOp>)) {
    let none: Arena<TensorId, Tensor> = Arena::new();
    let mut pair = |outer: Conv, inner: Conv| {
        if outer.output().is_some() {
            let ops = (convolution(outer, 7), convolution(inner, 3));
            f(outer, inner, join(&none, &ops.0, &ops.1));
        }
    };
    for n in 1..=6 {
        for (k1, s1, p1, q1) in quadruples(3, 3, 2) {
            let inner = column(n, k1, s1, [p1, q1]);
            let Some([_, middle, _]) = inner.output() else { continue };
            for (k2, s2, p2, q2) in quadruples(3, 2, 2) {
                pair(column(middle, k2, s2, [p2, q2]), inner);
            }
        }
        for (k1, s1, p1, c1) in quadruples(3, 2, 1) {
            let inner = cropped(column(n, k1, s1, [p1, 0]), [c1, 1 - c1]);
            let Some([_, middle, _]) = inner.output() else { continue };
            for (k2, s2, p2, c2) in quadruples(3, 2, 2) {
                pair(cropped(column(middle, k2, s2, [p2, 1]), [c2, 0]), inner);
                pair(cropped(column(middle, k2, s2, [1, p2]), [0, c2]), inner);
            }
        }
    }
}

fn cropped(conv: Conv, [top, bottom]: [u32; 2]) -> Conv {
    Conv { crop: [top, bottom, 0, 0], ..conv }
}

fn quadruples(kernel: u32, stride: u32, pad: u32) -> impl Iterator<Item = (u32, u32, u32, u32)> {
    (1..=kernel).flat_map(move |k| {
        (1..=stride)
            .flat_map(move |s| (0..=pad).flat_map(move |p| (0..=pad).map(move |q| (k, s, p, q))))
    })
}

#[test]
fn joined_convolutions_equal_the_product() {
    let (mut joined, mut with_crop) = (0, 0);
    for_pairs(|outer, inner, result| {
        let Some(result) = result else { return };
        joined += 1;
        if let LinearOp::Conv { conv, .. } = &result {
            with_crop += usize::from(conv.crop != inner.crop);
        }
        let product = dense(vec![convolution(outer, 7), convolution(inner, 3)]);
        assert_close(&dense(vec![result]), &product, (outer, inner));
    });
    assert!(joined > 10_000 && with_crop > 1000, "{joined}, {with_crop} of them with a crop");
}

/// Where nothing is joined, the composite kernel would give other values, whatever it crops.
#[test]
fn what_is_not_joined_differs() {
    let mut refused = 0;
    for_pairs(|outer, inner, result| {
        if result.is_some() {
            return;
        }
        refused += 1;
        let product = dense(vec![convolution(outer, 7), convolution(inner, 3)]);
        if product.iter().all(|v| v.abs() <= 0.0) {
            return; // Reads nothing but padding.
        }
        let visible = i64::from(inner.cropped(0).expect("a verified convolution"));
        for first in 0..visible {
            for last in first..visible {
                let composite = composite(&outer, &inner, first..=last);
                let same = composite.iter().zip(&product).all(|(a, b)| (a - b).abs() < 1e-9);
                assert!(!same, "{outer:?} after {inner:?} is exact after all: {first}..={last}");
            }
        }
    });
    assert!(refused > 1000, "{refused}");
}

/// The matrix of the composite kernel that reads only the cells `visible` of what the inner crop
/// leaves.
fn composite(outer: &Conv, inner: &Conv, visible: RangeInclusive<i64>) -> Vec<f64> {
    let none: Arena<TensorId, Tensor> = Arena::new();
    let weights = (made(outer.kernel_size(), 7), made(inner.kernel_size(), 3));
    let step = i64::from(inner.stride[0]);
    let start =
        (i64::from(outer.crop[0]) - i64::from(outer.pad[0])) * step - i64::from(inner.pad[0]);
    let taps = || (0..outer.kernel[0]).flat_map(|v| (0..inner.kernel[0]).map(move |u| (v, u)));
    let mut composite = Vec::new();
    for y in 0..i64::from(outer.output().expect("an output")[1]) {
        let mut row = vec![0.0; inner.input[1] as usize];
        for (v2, v1) in taps() {
            let tap = i64::from(v2) * step + i64::from(v1);
            let x = y * step * i64::from(outer.stride[0]) + tap + start;
            if visible.contains(&x) {
                row[usize::try_from(x).expect("not negative") + inner.crop[0] as usize] +=
                    weights.0.at(&none, v2 as usize) * weights.1.at(&none, v1 as usize);
            }
        }
        composite.extend(row);
    }
    composite
}

#[test]
fn pooling_that_tiles_always_joins() {
    let none: Arena<TensorId, Tensor> = Arena::new();
    for (cells, outputs) in [(1, 3), (2, 2), (2, 3), (3, 2)] {
        let window = column(cells * outputs, cells, cells, [0, 0]);
        for (k, s, p, q) in quadruples(3, 2, 2) {
            let outer = column(outputs, k, s, [p, q]);
            if outer.output().is_some() {
                let pool = LinearOp::pool(window, false);
                assert!(join(&none, &convolution(outer, 5), &pool).is_some(), "{outer:?}");
            }
        }
    }
}

/// Channels and groups in two dimensions.
#[test]
fn groups_join_block_by_block() {
    for (g1, g2) in [(1, 1), (2, 1), (1, 2), (2, 2), (4, 2), (2, 4), (4, 4)] {
        let inner = Conv {
            input: [4, 3, 4],
            out_channels: 8,
            kernel: [2, 1],
            stride: [1, 2],
            pad: [1, 0, 0, 1],
            groups: g1,
            crop: [0; 4],
        };
        let outer = Conv {
            input: inner.output().expect("an output"),
            out_channels: 4,
            kernel: [1, 2],
            stride: [1, 1],
            pad: [0; 4],
            groups: g2,
            crop: [0; 4],
        };
        let none: Arena<TensorId, Tensor> = Arena::new();
        let ops = [convolution(outer, 1), convolution(inner, 2)];
        let joined = join(&none, &ops[0], &ops[1]).expect("no padding in between");
        assert_close(&dense(vec![joined]), &dense(ops.to_vec()), (g1, g2));
    }
}

/// A window of a window, and a strided convolution of one: the second half of a factorized
/// reduction.
#[test]
fn crops_join() {
    let none: Arena<TensorId, Tensor> = Arena::new();
    let crop = LinearOp::crop([2, 4, 6], [1, 0, 1, 0]);
    let again = LinearOp::crop([2, 3, 5], [0, 1, 2, 0]);
    let conv = Conv {
        input: [2, 3, 5],
        out_channels: 3,
        kernel: [3, 3],
        stride: [2, 2],
        pad: [1; 4],
        groups: 1,
        crop: [0; 4],
    };
    for outer in [again, convolution(conv, 5)] {
        let joined = join(&none, &outer, &crop).expect("a convolution");
        assert_close(&dense(vec![joined]), &dense(vec![outer, crop.clone()]), "crop");
    }
}

#[test]
fn places_cut_columns_and_channels() {
    let none: Arena<TensorId, Tensor> = Arena::new();
    let conv = Conv {
        input: [4, 2, 2],
        out_channels: 2,
        kernel: [2, 2],
        stride: [1, 1],
        pad: [1, 0, 1, 0],
        groups: 2,
        crop: [0; 4],
    };
    let matrix = LinearOp::Dense(Matrix { weight: made(48, 4), rows: 3, cols: 16 });
    for (offset, len) in [(0, 4), (4, 8), (12, 4)] {
        let place = LinearOp::Place { offset, len, total: 16 };
        for outer in [convolution(conv, 9), matrix.clone()] {
            let joined = join(&none, &outer, &place).expect("whole channels");
            assert_close(&dense(vec![joined]), &dense(vec![outer, place.clone()]), (offset, len));
        }
    }
    // Elements that are no whole channels leave no convolution.
    let crooked = LinearOp::Place { offset: 1, len: 5, total: 16 };
    assert_eq!(join(&none, &convolution(conv, 9), &crooked), None);
}

#[test]
fn places_embed_rows_and_channels() {
    let none: Arena<TensorId, Tensor> = Arena::new();
    let conv = Conv {
        input: [2, 2, 2],
        out_channels: 2,
        kernel: [1, 1],
        stride: [1, 1],
        pad: [0; 4],
        groups: 2,
        crop: [0; 4],
    };
    let place = LinearOp::Place { offset: 4, len: 8, total: 16 };
    let matrix = LinearOp::Dense(Matrix { weight: made(24, 4), rows: 8, cols: 3 });
    for inner in [convolution(conv, 9), matrix] {
        let joined = join(&none, &place, &inner).expect("whole channels");
        assert_close(&dense(vec![joined]), &dense(vec![place.clone(), inner]), "embedded");
    }
}

#[test]
fn a_matrix_beyond_the_limit_is_not_made() {
    let none: Arena<TensorId, Tensor> = Arena::new();
    let size = 1 << 13;
    let identity = LinearOp::identity(size);
    let error = Chain::new(vec![identity]).dense(&none).expect_err("too large");
    assert_eq!((error.rows, error.cols), (size, size));
}
