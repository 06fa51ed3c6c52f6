//! Compositions in which a convolution stays a convolution.

use super::{DENSE_LIMIT, Weight};
use snnc_ir::arena::{Arena, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::network::Tensor;

type Tensors = Arena<TensorId, Tensor>;

/// `outer` after `inner` as one convolution, where that is exact.
///
/// Per dimension, output `y` of `outer` reads intermediate cells `m = y·s₂ + v₂ − p₂ + a₂`, and each
/// of them reads cells `m·s₁ + v₁ − p₁` of what the crop of `inner` leaves. So the composite has the
/// kernel `(k₂ − 1)·s₁ + k₁` and the stride `s₁·s₂`, and its first cell is
/// `(a₂ − p₂)·s₁ − p₁`: negative values are padding, positive ones a crop.
///
/// It is exact unless `outer` takes for 0 (pads or crops) an intermediate cell that `inner`,
/// continued beyond its output, would not compute as 0. Where the inputs of all such cells lie
/// before or behind every input that is really read, the composite crops them; else there is none.
/// (A pooling with a kernel no larger than its stride and without padding has always one.)
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
    let [top, bottom, left, right] = inner.crop;
    let conv = Conv {
        input: inner.input,
        out_channels: outer.out_channels,
        kernel: [vertical.kernel, horizontal.kernel],
        stride: [vertical.stride, horizontal.stride],
        pad: [vertical.pad[0], vertical.pad[1], horizontal.pad[0], horizontal.pad[1]],
        groups: gcd(outer.groups, inner.groups),
        crop: [
            top + vertical.crop[0],
            bottom + vertical.crop[1],
            left + horizontal.crop[0],
            right + horizontal.crop[1],
        ],
    };
    if conv.kernel_size() > DENSE_LIMIT || conv.output() != outer.output() {
        return None;
    }
    let data = kernel(tensors, &conv, (outer, outer_weight), (inner, inner_weight));
    let from = [outer_weight.origins(), inner_weight.origins()].concat();
    Some((conv, Weight::Made { data, from }))
}

/// One dimension of a composite.
struct Dimension {
    kernel: u32,
    stride: u32,
    pad: [u32; 2],
    /// Cells to leave out of what the crop of the inner convolution leaves.
    crop: [u32; 2],
}

/// One dimension of the composite; 0 is vertical. `None` if it is not exact or overflows.
fn dimension(outer: &Conv, inner: &Conv, dim: usize) -> Option<Dimension> {
    let [k1, s1, p1] = [inner.kernel[dim], inner.stride[dim], inner.pad[2 * dim]].map(i128::from);
    let [k2, s2, p2, a2, b2] = [
        outer.kernel[dim],
        outer.stride[dim],
        outer.pad[2 * dim],
        outer.crop[2 * dim],
        outer.crop[2 * dim + 1],
    ]
    .map(i128::from);
    let input = i128::from(inner.cropped(dim)?);
    let middle = i128::from(inner.output()?[dim + 1]);
    let output = i128::from(outer.output()?[dim + 1]);
    // Extents are below 2^32, so their products fit.
    let (kernel, stride) = ((k2 - 1) * s1 + k1, s1 * s2);
    let start = (a2 - p2) * s1 - p1;
    let reach = (output - 1) * stride + kernel;
    // Input cells of an intermediate one, first and last, if there are any.
    let cells = |m: i128| {
        let first = m * s1 - p1;
        let (first, last) = (first.max(0), (first + k1 - 1).min(input - 1));
        (first <= last).then_some((first, last))
    };
    let taps = || (0..output).flat_map(|y| (0..k2).map(move |v| y * s2 + v - p2 + a2));
    let is_read = |m: &i128| (a2..middle - b2).contains(m);
    let read = taps().filter(is_read).filter_map(cells);
    let read = read.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let mut crop = [start.max(0), 0];
    for (first, last) in taps().filter(|m| !is_read(m)).filter_map(cells) {
        let (lowest, highest) = read?;
        if last < lowest {
            crop[0] = crop[0].max(last + 1);
        } else if first > highest {
            crop[1] = crop[1].max(input - first);
        } else {
            return None;
        }
    }
    let before = crop[0] - start;
    let seen = input - crop[0] - crop[1] + before;
    if seen - reach >= stride {
        crop[1] += seen - reach; // The window would fit once more.
    }
    let pad = [before, (reach - seen).max(0)];
    let extent = |n: i128| u32::try_from(n).ok();
    Some(Dimension {
        kernel: extent(kernel)?,
        stride: extent(stride)?,
        pad: [extent(pad[0])?, extent(pad[1])?],
        crop: [extent(crop[0])?, extent(crop[1])?],
    })
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
