//! Compositions against the product of the matrices.

use super::{Chain, LinearOp, Matrix, Weight, join};
use snnc_ir::arena::{Arena, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::network::Tensor;

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

/// Calls `f(outer, inner, joined)` for every pair of small columns.
fn for_pairs(mut f: impl FnMut(Conv, Conv, Option<LinearOp>)) {
    let none: Arena<TensorId, Tensor> = Arena::new();
    for n in 1..=6 {
        for (k1, s1, p1, q1) in quadruples(3, 3, 2) {
            let inner = column(n, k1, s1, [p1, q1]);
            let Some([_, middle, _]) = inner.output() else { continue };
            for (k2, s2, p2, q2) in quadruples(3, 2, 2) {
                let outer = column(middle, k2, s2, [p2, q2]);
                if outer.output().is_some() {
                    let ops = (convolution(outer, 7), convolution(inner, 3));
                    f(outer, inner, join(&none, &ops.0, &ops.1));
                }
            }
        }
    }
}

fn quadruples(kernel: u32, stride: u32, pad: u32) -> impl Iterator<Item = (u32, u32, u32, u32)> {
    (1..=kernel).flat_map(move |k| {
        (1..=stride)
            .flat_map(move |s| (0..=pad).flat_map(move |p| (0..=pad).map(move |q| (k, s, p, q))))
    })
}

#[test]
fn joined_convolutions_equal_the_product() {
    let mut joined = 0;
    for_pairs(|outer, inner, result| {
        let Some(result) = result else { return };
        joined += 1;
        let product = dense(vec![convolution(outer, 7), convolution(inner, 3)]);
        assert_close(&dense(vec![result]), &product, (outer, inner));
    });
    assert!(joined > 1000, "{joined}");
}

/// Where nothing is joined, the composite kernel would give other values.
#[test]
fn what_is_not_joined_differs() {
    let none: Arena<TensorId, Tensor> = Arena::new();
    let mut refused = 0;
    for_pairs(|outer, inner, result| {
        if result.is_some() {
            return;
        }
        refused += 1;
        let weights = (made(outer.kernel_size(), 7), made(inner.kernel_size(), 3));
        let (n, step) = (i64::from(inner.input[1]), i64::from(inner.stride[0]));
        let before = i64::from(inner.pad[0]) + i64::from(outer.pad[0]) * step;
        let mut composite = Vec::new();
        for y in 0..i64::from(outer.output().expect("an output")[1]) {
            let mut row = vec![0.0; inner.input[1] as usize];
            for (v2, v1) in
                (0..outer.kernel[0]).flat_map(|v| (0..inner.kernel[0]).map(move |u| (v, u)))
            {
                let tap = i64::from(v2) * step + i64::from(v1);
                let x = y * step * i64::from(outer.stride[0]) + tap - before;
                if (0..n).contains(&x) {
                    row[usize::try_from(x).expect("not negative")] +=
                        weights.0.at(&none, v2 as usize) * weights.1.at(&none, v1 as usize);
                }
            }
            composite.extend(row);
        }
        let product = dense(vec![convolution(outer, 7), convolution(inner, 3)]);
        let same = composite.iter().zip(&product).all(|(a, b)| (a - b).abs() < 1e-9);
        assert!(!same, "{outer:?} after {inner:?} is exact after all");
    });
    assert!(refused > 1000, "{refused}");
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
