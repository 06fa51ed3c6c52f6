//! Which source neurons reach a slice, found without visiting the synapses of convolutions.
//!
//! A slice is a few [`Patch`]es. What a patch reads through a kernel is, for each input channel, the union
//! of the patch's places moved by the kernel's taps; input channels whose kernels are zero at the same
//! taps read the same places. So the work is places · taps for each such set of taps, not synapses.

use super::Slice;
use crate::conv::Conv;
use crate::order::{Order, Patch};
use crate::quantized::{IntMatrix, Structure};
use crate::shape::Shape;
use std::ops::Range;

/// Buffers that many searches share.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Positions of the source, 64 to a word.
    bits: Vec<u64>,
    /// Places of the source.
    plane: Vec<bool>,
    /// Taps with a nonzero value, by input channel of a group.
    taps: Vec<bool>,
}

/// Runs of positions of the source with a nonzero synapse into `slice`, ascending and apart.
///
/// **Complexity**: convolutions O(places · taps + positions of the source / 64), given few zeros in the
/// kernel; other matrices O(stored values of the slice's rows), identities O(neurons).
///
/// # Panics
/// If the matrix does not fit the orders of its source and target, or the slice the target.
pub fn sources(
    matrix: &IntMatrix,
    [source, target]: [&Order; 2],
    slice: &Slice,
    scratch: &mut Scratch,
) -> Vec<Range<u32>> {
    let rows = || (slice.start..slice.start + slice.len).map(|p| target.neuron(p) as usize);
    let words = matrix.structure.cols().div_ceil(64);
    match &matrix.structure {
        Structure::Identity { .. } if matrix.weight(0) == 0 => return Vec::new(),
        Structure::Identity { .. } if source == target => {
            return std::iter::once(slice.start..slice.start + slice.len).collect();
        }
        _ => {
            scratch.bits.clear();
            scratch.bits.resize(words, 0);
        }
    }
    let Scratch { bits, plane, taps } = scratch;
    let mut reach = |col: usize| {
        let position = source.position(narrow(col));
        bits[position as usize / 64] |= 1 << (position % 64);
    };
    match &matrix.structure {
        Structure::Identity { .. } => rows().for_each(reach),
        Structure::Sparse { .. } => rows().for_each(|row| matrix.for_row(row, |col, _| reach(col))),
        Structure::Dense { cols, .. } => {
            // Columns that no row so far reaches: few after the first rows.
            let mut open: Vec<usize> = (0..*cols as usize).collect();
            for row in rows() {
                open.retain(|&col| {
                    let zero = matrix.weight(row * *cols as usize + col) == 0;
                    if !zero {
                        reach(col);
                    }
                    zero
                });
                if open.is_empty() {
                    break;
                }
            }
        }
        Structure::Conv(conv) => {
            for patch in patches(conv, target, slice) {
                for (channels, used) in used_taps(conv, &matrix.mantissa, &patch.channels, taps) {
                    read_places(conv, &patch.places, used, plane);
                    for places in runs(plane) {
                        let read = Patch { channels: channels.clone(), places };
                        mark(conv, source, &read, bits);
                    }
                }
            }
        }
    }
    set_runs(bits)
}

/// The neurons of a slice as patches of a convolution's output, where `target` is the order of its population.
pub(super) fn patches(conv: &Conv, target: &Order, slice: &Slice) -> Vec<Patch> {
    let [channels, height, width] = conv.output().unwrap_or_default();
    let positions = slice.start..slice.start + slice.len;
    if target.channels() == channels && target.places() == height * width {
        return target.patches(positions);
    }
    let plain = Order::new(&Shape::chw(channels, height, width), 1);
    if target.is_row_major() {
        return plain.patches(positions);
    }
    positions.flat_map(|p| plain.patches(target.neuron(p)..target.neuron(p) + 1)).collect()
}

/// Input channels that the output channels `channels` read with a value other than 0, as runs with equal
/// taps: (input channels, whether each tap is used).
fn used_taps<'t>(
    conv: &Conv,
    mantissa: &[i16],
    channels: &Range<u32>,
    taps: &'t mut Vec<bool>,
) -> Vec<(Range<u32>, &'t [bool])> {
    let [out_channels, inputs, height, width] = conv.kernel_shape();
    let outputs = (out_channels / conv.groups.max(1)).max(1);
    let (area, inputs) = ((height * width) as usize, inputs as usize);
    let groups = channels.start / outputs..channels.end.div_ceil(outputs);
    taps.clear();
    taps.resize(groups.len() * inputs * area, false);
    for (group, taps) in groups.clone().zip(taps.chunks_exact_mut((inputs * area).max(1))) {
        let mut missing = taps.len();
        let rows = channels.start.max(group * outputs)..channels.end.min((group + 1) * outputs);
        for row in rows {
            let values = mantissa[row as usize * taps.len()..].iter();
            for (tap, _) in taps.iter_mut().zip(values).filter(|(tap, m)| !**tap && **m != 0) {
                *tap = true;
                missing -= 1;
            }
            if missing == 0 {
                break;
            }
        }
    }
    let first = groups.start * narrow(inputs);
    let mut runs: Vec<(Range<u32>, &[bool])> = Vec::new();
    for (channel, used) in (first..).zip(taps.chunks_exact(area.max(1))) {
        match runs.last_mut() {
            Some((channels, same)) if channels.end == channel && *same == used => channels.end += 1,
            _ if used.contains(&true) => runs.push((channel..channel + 1, used)),
            _ => {}
        }
    }
    runs
}

/// Marks the places of the source that these places of the output read through the taps in use.
fn read_places(conv: &Conv, places: &Range<u32>, taps: &[bool], plane: &mut Vec<bool>) {
    let [_, height, width] = conv.input.map(|n| n as usize);
    plane.clear();
    plane.resize(height * width, false);
    for_reads(conv, places, taps, |read, step| {
        if step == 1 {
            plane[read].fill(true);
        } else {
            plane[read].iter_mut().step_by(step).for_each(|p| *p = true);
        }
    });
}

/// Visits what places of the output read: for each row of the output and each tap in use a range of the
/// source's places, of which every `step`-th is read.
fn for_reads(
    conv: &Conv,
    places: &Range<u32>,
    taps: &[bool],
    mut visit: impl FnMut(Range<usize>, usize),
) {
    let width = conv.output().map_or(1, |o| o[2] as usize).max(1);
    let places = places.start as usize..places.end as usize;
    let [stride_y, stride_x] = conv.stride.map(|s| s as usize);
    let [top, left] = [0, 2].map(|side| conv.pad[side] as usize);
    let [crop_top, crop_left] = [0, 2].map(|side| conv.crop[side] as usize);
    let columns = conv.cropped(1).unwrap_or(0) as usize;
    for row in places.start / width..places.end.div_ceil(width) {
        let first = places.start.max(row * width) - row * width;
        let end = places.end.min((row + 1) * width) - row * width;
        for ky in conv.taps(0, row) {
            let y = row * stride_y + ky - top + crop_top;
            for kx in 0..conv.kernel[1] as usize {
                if !taps[ky * conv.kernel[1] as usize + kx] {
                    continue;
                }
                // Output columns whose tap lies on the input.
                let first = first.max(left.saturating_sub(kx).div_ceil(stride_x));
                let end = end.min((columns + left).saturating_sub(kx).div_ceil(stride_x));
                if first < end {
                    let base = y * conv.input[2] as usize + crop_left;
                    let x = |column: usize| base + column * stride_x + kx - left;
                    visit(x(first)..x(end - 1) + 1, stride_x);
                }
            }
        }
    }
}

/// Through which cells of the kernel places of the output read which places of the input: (place of the input,
/// cell, place of the output). **Complexity**: O(places · cells).
pub(super) fn taps(conv: &Conv, places: &Range<u32>) -> Vec<(u32, u32, u32)> {
    let width = conv.output().map_or(1, |o| o[2]).max(1);
    let mut taps = Vec::new();
    for place in places.clone() {
        let [row, column] = [place / width, place % width];
        for ky in conv.taps(0, row as usize) {
            let y = row * conv.stride[0] + narrow(ky) - conv.pad[0] + conv.crop[0];
            for kx in conv.taps(1, column as usize) {
                let x = column * conv.stride[1] + narrow(kx) - conv.pad[2] + conv.crop[2];
                let cell = narrow(ky) * conv.kernel[1] + narrow(kx);
                taps.push((y * conv.input[2] + x, cell, place));
            }
        }
    }
    taps
}

/// How many nonzero synapses each neuron of a matrix's source has into `slice`, whose population has the order `target`.
/// **Complexity**: convolutions O(kernel values of the channels present + neurons read · taps), other matrices O(stored values
/// of the slice's rows).
///
/// # Panics
/// If the slice's neurons are no rows of the matrix.
pub fn counts(matrix: &IntMatrix, target: &Order, slice: &Slice) -> Vec<u64> {
    if let Structure::Conv(conv) = &matrix.structure {
        return conv_counts(conv, &matrix.mantissa, &patches(conv, target, slice));
    }
    let mut counts = vec![0; matrix.structure.cols()];
    for position in slice.start..slice.start + slice.len {
        matrix.for_row(target.neuron(position) as usize, |source, _| counts[source] += 1);
    }
    counts
}

/// How many synapses each neuron of a convolution's source has into these patches of its output, row-major.
/// **Complexity**: O(kernel values of the channels present + neurons read · taps).
///
/// # Panics
/// If the kernel is shorter than its shape says.
fn conv_counts(conv: &Conv, mantissa: &[i16], patches: &[Patch]) -> Vec<u64> {
    let [out_channels, inputs, ..] = conv.kernel_shape();
    let (outputs, area) =
        ((out_channels / conv.groups.max(1)).max(1), (conv.kernel[0] * conv.kernel[1]) as usize);
    let plane = (conv.input[1] * conv.input[2]) as usize;
    let mut counts = vec![0_u64; conv.input[0] as usize * plane];
    let mut only = vec![false; area];
    for Patch { channels, places } in patches {
        for group in channels.start / outputs..channels.end.div_ceil(outputs) {
            let rows = channels.start.max(group * outputs)..channels.end.min((group + 1) * outputs);
            let mut present = vec![0_u64; inputs as usize * area];
            for row in rows {
                let values = &mantissa[row as usize * present.len()..];
                present.iter_mut().zip(values).for_each(|(n, m)| *n += u64::from(*m != 0));
            }
            for tap in 0..area {
                only.fill(false);
                only[tap] = true;
                for_reads(conv, places, &only, |read, step| {
                    for input in 0..inputs as usize {
                        let times = present[input * area + tap];
                        let channel = (group * inputs) as usize + input;
                        let counts = &mut counts[channel * plane..][read.clone()];
                        counts.iter_mut().step_by(step).for_each(|n| *n += times);
                    }
                });
            }
        }
    }
    counts
}

/// Runs of set entries.
fn runs(plane: &[bool]) -> Vec<Range<u32>> {
    let mut runs = Vec::new();
    let mut at = 0;
    while let Some(skip) = plane[at..].iter().position(|set| *set) {
        let start = at + skip;
        at = plane[start..].iter().position(|set| !*set).map_or(plane.len(), |n| start + n);
        runs.push(narrow(start)..narrow(at));
    }
    runs
}

/// Sets the bits of a patch of a convolution's input.
fn mark(conv: &Conv, source: &Order, patch: &Patch, bits: &mut [u64]) {
    let [channels, height, width] = conv.input;
    if source.channels() == channels && source.places() == height * width {
        return source.for_positions(patch, |range| set(bits, range));
    }
    let plain = Order::new(&Shape::chw(channels, height, width), 1);
    plain.for_positions(patch, |neurons| {
        if source.is_row_major() {
            set(bits, neurons);
        } else {
            neurons.map(|n| source.position(n)).for_each(|p| set(bits, p..p + 1));
        }
    });
}

/// Sets the bits of a range.
fn set(bits: &mut [u64], range: Range<u32>) {
    let (mut at, end) = (range.start, range.end);
    while at < end {
        let (word, low) = (at / 64, at % 64);
        let count = (end - at).min(64 - low);
        bits[word as usize] |= (u64::MAX >> (64 - count)) << low;
        at += count;
    }
}

/// Runs of set bits.
fn set_runs(bits: &[u64]) -> Vec<Range<u32>> {
    let mut runs: Vec<Range<u32>> = Vec::new();
    for (base, &word) in (0_u32..).step_by(64).zip(bits) {
        let mut rest = word;
        while rest != 0 {
            let low = rest.trailing_zeros();
            let count = (rest >> low).trailing_ones();
            match runs.last_mut() {
                Some(run) if run.end == base + low => run.end += count,
                _ => runs.push(base + low..base + low + count),
            }
            rest &= u64::MAX.checked_shl(low + count).unwrap_or(0);
        }
    }
    runs
}

fn narrow(n: usize) -> u32 {
    u32::try_from(n).expect("neurons of a population number fewer than 2^32")
}
