//! Convolutions: what a source adds lies in a few runs of consecutive sums.
//!
//! Sums are kept with the output channels innermost, on a grid with a margin, so that no run has to
//! be clipped. The taps that meet a source lie every `stride` rows and columns of the kernel, from a
//! first one that depends on the position of the source: its *phase*. Along a row of the grid the
//! outputs of ascending columns meet descending taps; stored in that order, the taps of one kernel
//! row and phase are one run (without groups).

use super::rows::{HALVES, narrow};
use super::simd::wide;
use snnc_ir::conv::Conv;
use std::array;
use std::ops::{Add, Mul};

/// A convolution, ready to scatter.
pub(super) struct Scatter {
    channels: usize,
    /// Rows and columns of the output.
    output: [usize; 2],
    /// Columns of the grid.
    columns: usize,
    /// Sums of the grid, and the place of output (0, 0) in it.
    cells: usize,
    origin: usize,
    /// By source: where its runs begin in the grid, and which runs.
    sources: Vec<Option<Source>>,
    /// By input channel and phase.
    phases: Vec<Vec<Run>>,
    taps: Taps,
}

#[derive(Clone, Copy)]
struct Source {
    cell: u32,
    phase: u32,
}

/// Consecutive sums that get consecutive taps.
struct Run {
    /// First sum, from that of the source.
    cell: usize,
    /// First tap.
    tap: usize,
    /// Taps, filled up with zeros to whole vectors.
    length: usize,
}

/// Sums that are added at once. Neighbors in a row are whole numbers of channels apart, so that vectors
/// of common channel counts do not straddle what was stored just before.
const LANES: usize = 8;

/// Largest grid; beyond it offsets would need more than 32 bits.
const MAX_CELLS: u64 = 1 << 31;

/// Taps in the width of the sums.
enum Taps {
    Halves(Vec<i16>),
    Words(Vec<i32>),
}

/// Sums of one call.
#[derive(Default)]
pub(super) struct Grids {
    halves: Vec<i16>,
    words: Vec<i32>,
}

/// How the outputs of one axis meet the inputs.
struct Axis {
    stride: usize,
    kernel: usize,
    pad: usize,
    /// First input that is not cropped away, and how many there are.
    kept: [usize; 2],
    /// Outputs before 0 that a tap could reach.
    margin: usize,
    /// Positions of the grid.
    grid: usize,
}

/// Fills a run up to whole vectors. The sums behind it get zeros, which changes nothing.
fn fill(run: &mut Run, taps: &mut Vec<i32>) {
    let rest = run.length.next_multiple_of(LANES) - run.length;
    taps.extend(std::iter::repeat_n(0, rest));
    run.length += rest;
}

impl Axis {
    fn new(conv: &Conv, axis: usize) -> Option<Self> {
        let [stride, kernel] = [conv.stride[axis] as usize, conv.kernel[axis] as usize];
        let pad = conv.pad[2 * axis] as usize;
        let kept = [conv.crop[2 * axis] as usize, conv.cropped(axis)? as usize];
        let margin = kernel.checked_sub(1)?.checked_div(stride)? + 1;
        let last = (kept[1] - 1 + pad) / stride;
        Some(Self { stride, kernel, pad, kept, margin, grid: margin + last + 1 })
    }

    /// Grid position of the last output that input `at` reaches, with its phase; `None` if it is
    /// cropped away.
    fn place(&self, at: usize) -> Option<(usize, usize)> {
        let at = at.checked_sub(self.kept[0]).filter(|&at| at < self.kept[1])? + self.pad;
        Some((at / self.stride + self.margin, at % self.stride))
    }

    /// Taps of a phase: the i-th goes to the output i before the last one.
    fn taps(&self, phase: usize) -> impl DoubleEndedIterator<Item = (usize, usize)> + use<> {
        let count = self.kernel.saturating_sub(phase).div_ceil(self.stride);
        let stride = self.stride;
        (0..count).map(move |i| (i, phase + i * stride))
    }
}

impl Scatter {
    /// From a kernel laid out as [`Conv::kernel_shape`]; `None` if the geometry has no output, or is
    /// too large for the offsets used here. No sum of one call exceeds `bound`, were every output to see the whole
    /// kernel of its channel: beside the outputs there are sums that nobody reads, and they must not leave their width either.
    pub(super) fn new(conv: &Conv, weight: impl Fn(usize) -> i32, bound: u64) -> Option<Self> {
        let [channels, height, width] = conv.output()?.map(|d| d as usize);
        let [inputs, in_height, in_width] = conv.input.map(|d| d as usize);
        let [rows, columns] = [Axis::new(conv, 0)?, Axis::new(conv, 1)?];
        let groups = conv.groups as usize;
        let per_group = [inputs.checked_div(groups)?, channels.checked_div(groups)?];
        let area = rows.kernel * columns.kernel;
        // Outputs may lie beyond what any input reaches: those see padding only.
        let grid = [rows.grid.max(rows.margin + height), columns.grid.max(columns.margin + width)];
        let cells = [grid[0], grid[1], channels].map(|n| n as u64);
        let cells = cells.into_iter().fold(1_u64, u64::saturating_mul);
        let phase_count = [inputs, rows.stride, columns.stride].map(|n| n as u64);
        let phase_count = phase_count.into_iter().fold(1_u64, u64::saturating_mul);
        let reasonable = (conv.kernel_size() + inputs * in_height * in_width) as u64 + (1 << 16);
        if cells > MAX_CELLS || phase_count > reasonable.saturating_mul(4) {
            return None;
        }
        let mut taps = Vec::new();
        let mut phases = Vec::new();
        for c in 0..inputs {
            let group = c / per_group[0];
            for (py, px) in (0..rows.stride).flat_map(|y| (0..columns.stride).map(move |x| (y, x)))
            {
                let mut runs: Vec<Run> = Vec::new();
                for (dy, ky) in rows.taps(py) {
                    for (dx, kx) in columns.taps(px).rev() {
                        // From the corner that the margin leaves before the source's last output.
                        let back = (rows.margin - 1 - dy) * grid[1] + columns.margin - 1 - dx;
                        let cell = back * channels + group * per_group[1];
                        match runs.last_mut() {
                            Some(run) if run.cell + run.length == cell => {
                                run.length += per_group[1];
                            }
                            last => {
                                if let Some(run) = last {
                                    fill(run, &mut taps);
                                }
                                runs.push(Run { cell, tap: taps.len(), length: per_group[1] });
                            }
                        }
                        for o in group * per_group[1]..(group + 1) * per_group[1] {
                            let row = o * per_group[0] + c % per_group[0];
                            taps.push(weight(row * area + ky * columns.kernel + kx));
                        }
                    }
                }
                if let Some(run) = runs.last_mut() {
                    fill(run, &mut taps);
                }
                phases.push(runs);
            }
        }
        let source = |index: usize| {
            let (c, y, x) =
                (index / (in_height * in_width), index / in_width % in_height, index % in_width);
            let ((y, py), (x, px)) = (rows.place(y)?, columns.place(x)?);
            let first = (y + 1 - rows.margin) * grid[1] + x + 1 - columns.margin;
            let phase = (c * rows.stride + py) * columns.stride + px;
            Some(Source {
                cell: u32::try_from(first * channels).ok()?,
                phase: u32::try_from(phase).ok()?,
            })
        };
        Some(Self {
            channels,
            output: [height, width],
            columns: grid[1],
            cells: grid[0] * grid[1] * channels + LANES,
            origin: (rows.margin * grid[1] + columns.margin) * channels,
            sources: (0..inputs * in_height * in_width).map(source).collect(),
            phases,
            taps: match narrow(&taps).filter(|_| bound <= HALVES) {
                Some(halves) => Taps::Halves(halves),
                None => Taps::Words(taps),
            },
        })
    }

    /// Adds what sources send, each times its factor, to `sums`, row-major.
    pub(super) fn add(
        &self,
        active: impl Iterator<Item = (u32, i32)>,
        grids: &mut Grids,
        sums: &mut [i32],
    ) {
        match &self.taps {
            Taps::Halves(taps) => {
                let grid = &mut grids.halves;
                // A factor beyond 16 bits is within the bound only if all weights are 0.
                let narrow = |factor| i16::try_from(factor).unwrap_or(0);
                let active = active.map(|(source, factor)| (source, narrow(factor)));
                wide(
                    #[inline(always)]
                    || self.add_on(taps, active, grid, sums),
                );
            }
            Taps::Words(taps) => {
                let grid = &mut grids.words;
                wide(
                    #[inline(always)]
                    || self.add_on(taps, active, grid, sums),
                );
            }
        }
    }

    #[expect(clippy::inline_always, reason = "is compiled with the vectors of its caller")]
    #[inline(always)]
    fn add_on<A: Sum>(
        &self,
        taps: &[A],
        active: impl Iterator<Item = (u32, A)>,
        grid: &mut Vec<A>,
        sums: &mut [i32],
    ) {
        grid.clear();
        grid.resize(self.cells, A::default());
        for (source, factor) in active {
            let Some(source) = self.sources[source as usize] else { continue };
            for run in &self.phases[source.phase as usize] {
                let cells = &mut grid[source.cell as usize + run.cell..][..run.length];
                let (cells, _) = cells.as_chunks_mut::<LANES>();
                let (taps, _) = taps[run.tap..][..run.length].as_chunks::<LANES>();
                for (cells, taps) in cells.iter_mut().zip(taps) {
                    let mut sum = *cells;
                    for (sum, &w) in sum.iter_mut().zip(taps) {
                        *sum = *sum + w * factor;
                    }
                    *cells = sum;
                }
            }
        }
        self.collect(grid, sums);
    }

    /// Adds the grid to row-major sums, by squares of `LANES` channels and columns.
    #[expect(clippy::inline_always, reason = "is compiled with the vectors of its caller")]
    #[inline(always)]
    fn collect<A: Sum>(&self, grid: &[A], sums: &mut [i32]) {
        let [height, width] = self.output;
        let (channels, area) = (self.channels, height * width);
        let squares = (channels / LANES * LANES, width / LANES * LANES);
        for y in 0..height {
            let row = &grid[self.origin + y * self.columns * channels..][..width * channels];
            for c in (0..squares.0).step_by(LANES) {
                for x in (0..squares.1).step_by(LANES) {
                    let mut square = [[A::default(); LANES]; LANES];
                    for (i, column) in square.iter_mut().enumerate() {
                        column.copy_from_slice(&row[(x + i) * channels + c..][..LANES]);
                    }
                    for (k, place) in (0..LANES).map(|k| (k, (c + k) * area + y * width + x)) {
                        let line: [A; LANES] = array::from_fn(|i| square[i][k]);
                        for (sum, cell) in sums[place..][..LANES].iter_mut().zip(line) {
                            *sum += cell.into();
                        }
                    }
                }
                for c in c..c + LANES {
                    for x in squares.1..width {
                        sums[c * area + y * width + x] += row[x * channels + c].into();
                    }
                }
            }
            for c in squares.0..channels {
                let cells = row[c..].iter().step_by(channels);
                for (sum, &cell) in sums[c * area + y * width..][..width].iter_mut().zip(cells) {
                    *sum += cell.into();
                }
            }
        }
    }
}

/// Integers that are summed.
trait Sum: Copy + Default + Into<i32> + Add<Output = Self> + Mul<Output = Self> {}

impl Sum for i16 {}
impl Sum for i32 {}
