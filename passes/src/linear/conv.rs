//! Compositions in which a convolution stays a convolution.

use super::{DENSE_LIMIT, Weight};
use snnc_ir::arena::{Arena, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::network::Tensor;

type Tensors = Arena<TensorId, Tensor>;

/// `outer` after `inner` as one convolution, where that is exact.
///
/// Per dimension, output `y` of `outer` reads intermediate cells `m = y·s₂ + v₂ − p₂`, and each of
/// them reads inputs `m·s₁ + v₁ − p₁`. So the composite has kernel `(k₂ − 1)·s₁ + k₁`, stride
/// `s₁·s₂` and leading padding `p₁ + p₂·s₁`. It is exact unless `outer` pads with zeros where
/// `inner`, continued beyond its output, would not be zero: every padded `m` that is read must lie
/// wholly outside the input, `m·s₁ − p₁ + k₁ ≤ 0` or `m·s₁ − p₁ ≥ n`. (A pooling with a kernel no
/// larger than its stride, without padding and without dropped rows satisfies this always.)
pub(super) fn after(
    tensors: &Tensors,
    (outer, outer_weight): (&Conv, &Weight),
    (inner, inner_weight): (&Conv, &Weight),
) -> Option<(Conv, Weight)> {
    if inner.output() != Some(outer.input) {
        return None; // The elements are regarded as another shape in between.
    }
    let vertical = dimension(outer, inner, 0)?;
    let horizontal = dimension(outer, inner, 1)?;
    let conv = Conv {
        input: inner.input,
        out_channels: outer.out_channels,
        kernel: [vertical.kernel, horizontal.kernel],
        stride: [vertical.stride, horizontal.stride],
        pad: [vertical.before, vertical.after, horizontal.before, horizontal.after],
        groups: gcd(outer.groups, inner.groups),
        crop: inner.crop,
    };
    if conv.kernel_size() > DENSE_LIMIT || conv.output() != outer.output() {
        return None;
    }
    let data = kernel(tensors, &conv, (outer, outer_weight), (inner, inner_weight));
    let from = [outer_weight.origins(), inner_weight.origins()].concat();
    Some((conv, Weight::Made { data, from }))
}

struct Dimension {
    kernel: u32,
    stride: u32,
    before: u32,
    after: u32,
}

/// One dimension of the composite; 0 is vertical. `None` if it is not exact or overflows.
fn dimension(outer: &Conv, inner: &Conv, dim: usize) -> Option<Dimension> {
    let (k1, s1, p1) = (inner.kernel[dim], inner.stride[dim], inner.pad[2 * dim]);
    let (k2, s2, p2) = (outer.kernel[dim], outer.stride[dim], outer.pad[2 * dim]);
    let input = inner.input[dim + 1];
    let middle = inner.output()?[dim + 1];
    let output = outer.output()?[dim + 1];
    let kernel = k2.checked_sub(1)?.checked_mul(s1)?.checked_add(k1)?;
    let stride = s1.checked_mul(s2)?;
    let before = p2.checked_mul(s1)?.checked_add(p1)?;
    let reach = output.checked_sub(1)?.checked_mul(stride)?.checked_add(kernel)?;
    let after = reach.saturating_sub(input.checked_add(before)?);
    for y in 0..i64::from(output) {
        for v in 0..i64::from(k2) {
            let m = y * i64::from(s2) + v - i64::from(p2);
            let first = m * i64::from(s1) - i64::from(p1);
            let padded = m < 0 || m >= i64::from(middle);
            if padded && first + i64::from(k1) > 0 && first < i64::from(input) {
                return None;
            }
        }
    }
    Some(Dimension { kernel, stride, before, after })
}

/// Kernel of the composite: `K[o, i, v₂·s₁ + v₁] = Σ K₂[o, m, v₂] · K₁[m, i, v₁]`.
fn kernel(
    tensors: &Tensors,
    conv: &Conv,
    (outer, outer_weight): (&Conv, &Weight),
    (inner, inner_weight): (&Conv, &Weight),
) -> Vec<f64> {
    let [out_channels, per_group, k_h, k_w] = conv.kernel_shape().map(|d| d as usize);
    let [_, mid_per_group, k2_h, k2_w] = outer.kernel_shape().map(|d| d as usize);
    let [_, in_per_group, k1_h, k1_w] = inner.kernel_shape().map(|d| d as usize);
    let mid_per_inner_group = inner.out_channels as usize / inner.groups as usize;
    let out_per_group = out_channels / conv.groups as usize;
    let out_per_outer_group = out_channels / outer.groups as usize;
    let mut data = vec![0.0; conv.kernel_size()];
    for o in 0..out_channels {
        let first_in = o / out_per_group * per_group;
        let first_mid = o / out_per_outer_group * mid_per_group;
        for m in 0..mid_per_group {
            let mid = first_mid + m;
            let mid_first_in = mid / mid_per_inner_group * in_per_group;
            for (v2, u2) in cells(k2_h, k2_w) {
                let w2 =
                    outer_weight.at(tensors, ((o * mid_per_group + m) * k2_h + v2) * k2_w + u2);
                for i in 0..in_per_group {
                    let row = o * per_group + mid_first_in + i - first_in;
                    for (v1, u1) in cells(k1_h, k1_w) {
                        let w1 = inner_weight
                            .at(tensors, ((mid * in_per_group + i) * k1_h + v1) * k1_w + u1);
                        let v = v2 * inner.stride[0] as usize + v1;
                        let u = u2 * inner.stride[1] as usize + u1;
                        data[(row * k_h + v) * k_w + u] += w2 * w1;
                    }
                }
            }
        }
    }
    data
}

/// The convolution that reads only input channels `first..first + count`, the others being zero.
pub(super) fn slice_input(
    tensors: &Tensors,
    conv: &Conv,
    weight: &Weight,
    first: usize,
    count: u32,
) -> Option<(Conv, Weight)> {
    let input = [count, conv.input[1], conv.input[2]];
    rewire(tensors, conv, weight, Conv { input, groups: 1, ..*conv }, |o, i| Some((o, first + i)))
}

/// The convolution whose output channels become channels `first..` of `total`, the others being
/// zero.
pub(super) fn place_output(
    tensors: &Tensors,
    conv: &Conv,
    weight: &Weight,
    first: usize,
    total: u32,
) -> Option<(Conv, Weight)> {
    let last = first + conv.out_channels as usize;
    rewire(tensors, conv, weight, Conv { out_channels: total, groups: 1, ..*conv }, |o, i| {
        (first..last).contains(&o).then(|| (o - first, i))
    })
}

/// The kernel of `new` (ungrouped), in which channel pair `(o, i)` is pair `old(o, i)` of `conv`.
fn rewire(
    tensors: &Tensors,
    conv: &Conv,
    weight: &Weight,
    new: Conv,
    old: impl Fn(usize, usize) -> Option<(usize, usize)>,
) -> Option<(Conv, Weight)> {
    if new.kernel_size() > DENSE_LIMIT {
        return None;
    }
    let [out_channels, in_channels, k_h, k_w] = new.kernel_shape().map(|d| d as usize);
    let per_group = conv.kernel_shape()[1] as usize;
    let out_per_group = conv.out_channels as usize / conv.groups as usize;
    let cells = k_h * k_w;
    let mut data = vec![0.0; new.kernel_size()];
    for o in 0..out_channels {
        for i in 0..in_channels {
            let Some((old_o, old_i)) = old(o, i) else { continue };
            let first = old_o / out_per_group * per_group;
            let Some(rest) = old_i.checked_sub(first).filter(|&r| r < per_group) else { continue };
            for cell in 0..cells {
                let index = (old_o * per_group + rest) * cells + cell;
                data[(o * in_channels + i) * cells + cell] = weight.at(tensors, index);
            }
        }
    }
    Some((new, Weight::Made { data, from: weight.origins().to_vec() }))
}

fn cells(height: usize, width: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..height).flat_map(move |v| (0..width).map(move |u| (v, u)))
}

const fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
