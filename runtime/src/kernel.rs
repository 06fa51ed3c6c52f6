//! Synapses laid out by source, for event-driven simulation.
//!
//! A simulator visits the active sources in ascending order and adds the weights of each to its
//! targets. Every target thus receives its terms in ascending order of sources, which is the order
//! that the float semantics prescribe; for integers any order would do.

use snnc_ir::conv::Conv;
use std::ops::AddAssign;

/// Weights of type `T`, source-major. Convolutions stay convolutions.
pub(crate) enum Kernel<T> {
    /// `by_source[source * rows + target]`.
    Dense { rows: usize, by_source: Vec<T> },
    /// A convolution kernel.
    Conv(ConvKernel<T>),
    /// Entries of source `s` at `start[s]..start[s + 1]`: target and weight.
    Sparse { start: Vec<usize>, entries: Vec<(u32, T)> },
    /// Neuron i to neuron i, one weight for all.
    Identity(T),
}

/// A convolution kernel with the output channels innermost.
pub(crate) struct ConvKernel<T> {
    input: [usize; 3],
    output: [usize; 3],
    size: [usize; 2],
    stride: [usize; 2],
    /// Padding: top, left.
    pad: [usize; 2],
    /// First row and number of rows that are not cropped away, then the same for columns.
    kept: [(usize, usize); 2],
    /// Input and output channels of a group.
    per_group: [usize; 2],
    /// `[input channel, kernel row, kernel column, output channel within the group]`.
    taps: Vec<T>,
}

impl<T: Copy> Kernel<T> {
    /// A dense kernel from row-major weights `[rows, cols]`.
    pub(crate) fn dense(rows: usize, cols: usize, weight: impl Fn(usize) -> T) -> Self {
        let by_source =
            (0..cols).flat_map(|c| (0..rows).map(move |r| r * cols + c)).map(weight).collect();
        Self::Dense { rows, by_source }
    }

    /// A kernel from compressed sparse rows.
    pub(crate) fn sparse(
        cols: usize,
        row_start: &[u32],
        col: &[u32],
        weight: impl Fn(usize) -> T,
    ) -> Self {
        let mut start = vec![0_usize; cols + 1];
        for &c in col {
            start[c as usize + 1] += 1;
        }
        for c in 0..cols {
            start[c + 1] += start[c];
        }
        // A stable counting sort by column: the place of entry `order[k]` is `k`.
        let mut free = start.clone();
        let mut entries: Vec<Option<(u32, T)>> = vec![None; col.len()];
        for (row, range) in (0_u32..).zip(row_start.windows(2)) {
            for i in range[0] as usize..range[1] as usize {
                let place = &mut free[col[i] as usize];
                entries[*place] = Some((row, weight(i)));
                *place += 1;
            }
        }
        Self::Sparse { start, entries: entries.into_iter().flatten().collect() }
    }

    /// A convolution from a kernel laid out as [`Conv::kernel_shape`]; `None` if the geometry has
    /// no output.
    pub(crate) fn conv(conv: &Conv, weight: impl Fn(usize) -> T) -> Option<Self> {
        let input = conv.input.map(|d| d as usize);
        let output = conv.output()?.map(|d| d as usize);
        let size = conv.kernel.map(|d| d as usize);
        let groups = conv.groups as usize;
        let per_group = [input[0].checked_div(groups)?, output[0].checked_div(groups)?];
        let area = size[0] * size[1];
        let mut taps = Vec::with_capacity(conv.kernel_size());
        for c in 0..input[0] {
            let group = c / per_group[0];
            for k in 0..area {
                for o in group * per_group[1]..(group + 1) * per_group[1] {
                    taps.push(weight((o * per_group[0] + c % per_group[0]) * area + k));
                }
            }
        }
        Some(Self::Conv(ConvKernel {
            input,
            output,
            size,
            stride: conv.stride.map(|d| d as usize),
            pad: [conv.pad[0] as usize, conv.pad[2] as usize],
            kept: [
                (conv.crop[0] as usize, conv.cropped(0)? as usize),
                (conv.crop[2] as usize, conv.cropped(1)? as usize),
            ],
            per_group,
            taps,
        }))
    }

    /// Adds the contributions of `active` sources (ascending) with their values to `out`:
    /// `mac(accumulator, weight, value)` for each synapse. `scratch` is kept between calls to
    /// save allocations.
    pub(crate) fn add<A: Copy + Default + AddAssign, X: Copy>(
        &self,
        active: impl Iterator<Item = (usize, X)>,
        scratch: &mut Vec<A>,
        out: &mut [A],
        mac: impl Fn(&mut A, T, X),
    ) {
        match self {
            Self::Dense { rows, by_source } => {
                for (source, x) in active {
                    let column = &by_source[source * rows..(source + 1) * rows];
                    for (a, &w) in out.iter_mut().zip(column) {
                        mac(a, w, x);
                    }
                }
            }
            Self::Sparse { start, entries } => {
                for (source, x) in active {
                    for &(target, w) in &entries[start[source]..start[source + 1]] {
                        mac(&mut out[target as usize], w, x);
                    }
                }
            }
            Self::Identity(w) => active.for_each(|(source, x)| mac(&mut out[source], *w, x)),
            Self::Conv(conv) => {
                let mut active = active.peekable();
                if active.peek().is_some() {
                    conv.add(active, scratch, out, mac);
                }
            }
        }
    }
}

impl<T: Copy> ConvKernel<T> {
    /// Accumulates with the channels innermost (contiguous), then adds the result to the row-major
    /// `out`. For floats the detour changes nothing as long as `out` holds +0: a sum that starts at
    /// +0 is never −0.
    fn add<A: Copy + Default + AddAssign, X: Copy>(
        &self,
        active: impl Iterator<Item = (usize, X)>,
        scratch: &mut Vec<A>,
        out: &mut [A],
        mac: impl Fn(&mut A, T, X),
    ) {
        let channels = self.output[0];
        let area = self.output[1] * self.output[2];
        scratch.clear();
        scratch.resize(channels * area, A::default());
        for (source, x) in active {
            self.scatter(source, x, scratch, &mac);
        }
        for (position, cell) in scratch.chunks_exact(channels).enumerate() {
            for (channel, &sum) in cell.iter().enumerate() {
                out[channel * area + position] += sum;
            }
        }
    }

    fn scatter<A, X: Copy>(
        &self,
        source: usize,
        value: X,
        cells: &mut [A],
        mac: impl Fn(&mut A, T, X),
    ) {
        let [_, in_h, in_w] = self.input;
        let (c, y, x) = (source / (in_h * in_w), source / in_w % in_h, source % in_w);
        let inside = |at: usize, (first, count): (usize, usize)| {
            at.checked_sub(first).filter(|&rest| rest < count)
        };
        let [rows, columns] = self.kept;
        let (Some(y), Some(x)) = (inside(y, rows), inside(x, columns)) else { return };
        let group = c / self.per_group[0];
        let width = self.per_group[1];
        for ky in 0..self.size[0] {
            let Some(oy) = target(y + self.pad[0], ky, self.stride[0], self.output[1]) else {
                continue;
            };
            for kx in 0..self.size[1] {
                let Some(ox) = target(x + self.pad[1], kx, self.stride[1], self.output[2]) else {
                    continue;
                };
                let tap = ((c * self.size[0] + ky) * self.size[1] + kx) * width;
                let cell = (oy * self.output[2] + ox) * self.output[0] + group * width;
                let weights = &self.taps[tap..tap + width];
                for (a, &w) in cells[cell..cell + width].iter_mut().zip(weights) {
                    mac(a, w, value);
                }
            }
        }
    }
}

/// Output position to which the padded input position `padded` contributes through kernel offset
/// `k`, if there is one.
fn target(padded: usize, k: usize, stride: usize, extent: usize) -> Option<usize> {
    let distance = padded.checked_sub(k)?;
    (distance.is_multiple_of(stride) && distance / stride < extent).then(|| distance / stride)
}

#[cfg(test)]
mod tests {
    use super::Kernel;
    use proptest::prelude::*;
    use snnc_ir::conv::Conv;

    fn conv() -> impl Strategy<Value = Conv> {
        let extents = (1_u32..3, 1_u32..3, 1_u32..3, 1_u32..6, 1_u32..6);
        let kernel = ([1_u32..4, 1_u32..4], [1_u32..4, 1_u32..4], [0_u32..3, 0..3, 0..3, 0..3]);
        (extents, kernel, [0_u32..3, 0..2, 0..2, 0..3])
            .prop_map(|((groups, i, o, h, w), (kernel, stride, pad), crop)| Conv {
                input: [i * groups, h, w],
                out_channels: o * groups,
                kernel,
                stride,
                pad,
                groups,
                crop,
            })
            .prop_filter("has an output", |c| c.output().is_some())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// The scatter by source visits exactly the synapses that the gather by target visits.
        #[test]
        fn conv_scatter_is_the_transpose_of_gather(conv in conv()) {
            let kernel = Kernel::conv(&conv, |i| i64::try_from(i).unwrap() + 1).unwrap();
            let sources = conv.input.iter().product::<u32>() as usize;
            let targets = conv.output().unwrap().iter().product::<u32>() as usize;
            let mut by_gather = vec![vec![0_i64; targets]; sources];
            (0..targets).for_each(|t| {
                conv.for_sources(t, |s, k| by_gather[s][t] += i64::try_from(k).unwrap() + 1);
            });
            let mut scratch = Vec::new();
            for (s, expected) in by_gather.iter().enumerate() {
                let mut out = vec![0_i64; targets];
                kernel.add([(s, ())].into_iter(), &mut scratch, &mut out, |a, w, ()| *a += w);
                prop_assert_eq!(&out, expected);
            }
        }
    }

    #[test]
    fn sparse_rows_become_columns() {
        // [[5, 0, 6], [0, 0, 7]]
        let kernel = Kernel::sparse(3, &[0, 2, 3], &[0, 2, 2], |i| [5, 6, 7][i]);
        let mut out = [0; 2];
        let active = [(0, ()), (1, ()), (2, ())];
        kernel.add(active.into_iter(), &mut Vec::new(), &mut out, |a, w, ()| *a += w);
        assert_eq!(out, [11, 7]);
    }
}
