//! Which columns a part of a matrix needs: whether blocks that cover some columns hold all its entries.
//!
//! Nothing is expanded. The columns that an output of a convolution reads are a box of channels, rows and
//! columns of its input, which in an order by blocks of channels is a few ranges of positions; outputs of one
//! place and group read the same box.

use super::matrix::window;
use snnc_ir::conv::Conv;
use snnc_ir::order::Order;
use snnc_ir::quantized::Structure;
use std::collections::HashSet;
use std::ops::Range;

/// Whether two orders of the same neurons are the same permutation.
pub(super) fn same(a: Order, b: Order) -> bool {
    a == b || a.is_row_major() && b.is_row_major()
}

/// Rows at consecutive positions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    /// Order of all rows.
    pub(super) order: Order,
    /// First position.
    pub(super) first: u32,
    /// Number of rows.
    pub(super) len: u32,
}

/// A set of columns.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    order: Order,
    /// Ranges of positions, ascending, none touching the next.
    ranges: Vec<Range<u32>>,
}

impl Columns {
    /// The columns at positions `first..first + len` of all parts, which ascend and are disjoint.
    pub(super) fn new(parts: impl Iterator<Item = (u32, u32)>, order: Order) -> Self {
        let mut ranges: Vec<Range<u32>> = Vec::new();
        for (first, len) in parts {
            match ranges.last_mut() {
                Some(last) if last.end == first => last.end += len,
                _ => ranges.push(first..first + len),
            }
        }
        Self { order, ranges }
    }

    /// Whether all columns at these positions are in the set.
    fn contains(&self, positions: &Range<u32>) -> bool {
        let after = self.ranges.partition_point(|r| r.start <= positions.start);
        let range = after.checked_sub(1).map(|i| &self.ranges[i]);
        positions.is_empty() || range.is_some_and(|r| positions.end <= r.end)
    }

    /// Whether the column of this neuron is in the set.
    fn has(&self, neuron: usize) -> bool {
        u32::try_from(neuron).is_ok_and(|neuron| {
            let position = self.order.position(neuron);
            self.contains(&(position..position + 1))
        })
    }
}

/// Whether every entry of these rows that the structure stores lies in one of the columns.
pub(super) fn holds(structure: &Structure, rows: Rows, columns: &Columns) -> bool {
    let width = u32::try_from(structure.cols()).unwrap_or(u32::MAX);
    if columns.contains(&(0..width)) {
        return true;
    }
    let positions = rows.first..rows.first + rows.len;
    let mut neurons = positions.clone().map(|p| rows.order.neuron(p) as usize);
    match structure {
        // Every row reads every column.
        Structure::Dense { .. } => rows.len == 0,
        Structure::Identity { .. } if same(rows.order, columns.order) => {
            columns.contains(&positions)
        }
        Structure::Identity { .. } => neurons.all(|row| columns.has(row)),
        Structure::Sparse { row_start, col, .. } => neurons.all(|row| {
            let entries = row_start[row] as usize..row_start[row + 1] as usize;
            col[entries].iter().all(|&c| columns.has(c as usize))
        }),
        Structure::Conv(conv) => {
            let plane = conv.output().map_or(1, |[_, h, w]| h as usize * w as usize);
            let per_group = (conv.out_channels / conv.groups).max(1) as usize;
            let blocks = blocks(conv, columns.order);
            let mut seen = HashSet::new();
            neurons.all(|row| {
                let group = row / plane / per_group;
                !seen.insert((group, row % plane)) || reads(conv, row, group, columns, &blocks)
            })
        }
    }
}

/// Blocks of input channels: runs whose first neurons lie at consecutive positions.
fn blocks(conv: &Conv, order: Order) -> Vec<Range<usize>> {
    let [channels, height, width] = conv.input.map(|d| d as usize);
    let mut blocks: Vec<Range<usize>> = Vec::new();
    let mut before = None;
    for channel in 0..channels {
        let here = u32::try_from(channel * height * width).ok().map(|n| order.position(n));
        match blocks.last_mut() {
            Some(last) if here.is_some() && before == here.and_then(|p| p.checked_sub(1)) => {
                last.end += 1;
            }
            _ => blocks.push(channel..channel + 1),
        }
        before = here;
    }
    blocks
}

/// Whether what output `row` of a convolution reads, of input channels of `group`, is in the columns.
fn reads(
    conv: &Conv,
    row: usize,
    group: usize,
    columns: &Columns,
    blocks: &[Range<usize>],
) -> bool {
    let [channels, height, width] = conv.input.map(|d| d as usize);
    let per_group = channels / conv.groups as usize;
    let window = window(conv, row);
    let (first, last) = (group * per_group, (group + 1) * per_group);
    let (tall, wide) = (window.ky.len(), window.kx.len());
    if tall == 0 || wide == 0 {
        return true;
    }
    let neuron = |channel: usize, y: usize, x: usize| (channel * height + y) * width + x;
    #[expect(clippy::cast_possible_truncation, reason = "a verified matrix counts columns in u32")]
    let position =
        |channel: usize, y: usize, x: usize| columns.order.position(neuron(channel, y, x) as u32);
    let order = columns.order;
    let like = (order.channels() as usize, order.places() as usize) == (channels, height * width);
    let regular = like || order.is_row_major();
    let from = blocks.partition_point(|block| block.end <= first);
    let touched = || blocks[from..].iter().take_while(|block| block.start < last);
    (window.y..window.y + tall).all(|y| {
        touched().all(|block| {
            let (channel, end) = (block.start.max(first), block.end.min(last));
            let (low, high) =
                (position(channel, y, window.x), position(end - 1, y, window.x + wide - 1));
            // Inside a block positions ascend with place and channel. So a range whose ends are as far
            // apart as the box has members holds just these.
            let members = (end - channel) * wide;
            if regular && high.checked_sub(low).is_some_and(|d| d as usize + 1 == members) {
                return columns.contains(&(low..high + 1));
            }
            (channel..end).all(|c| (0..wide).all(|x| columns.has(neuron(c, y, window.x + x))))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use snnc_ir::Shape;

    prop_compose! {
        fn convolution()(
            groups in 1_u32..3, c in 1_u32..4, o in 1_u32..3,
            h in 1_u32..6, w in 1_u32..6, kernel in prop::array::uniform2(1_u32..4),
            stride in prop::array::uniform2(1_u32..3), pad in prop::array::uniform4(0_u32..3),
        ) -> Conv {
            Conv {
                input: [c * groups, h, w], out_channels: o * groups, kernel, stride, pad,
                groups, crop: [0; 4],
            }
        }
    }

    proptest! {
        /// What is said of ranges is what holds entry by entry, in every order.
        #[test]
        fn covered_is_what_has_every_entry(
            conv in convolution(), blocks in prop::array::uniform2(1_u32..7),
            shapes in prop::array::uniform2(any::<bool>()),
            first in 0_u32..40, len in 1_u32..20,
            parts in prop::collection::vec((0_u32..20, 1_u32..30), 0..6),
        ) {
            let output = conv.output().filter(|o| !o.contains(&0));
            prop_assume!(output.is_some());
            let structure = Structure::Conv(conv);
            let order = |of: [u32; 3], flat: bool, block| {
                // A population that is a vector lies in order.
                let flat = flat.then(|| Shape::flat(of.iter().product()));
                Order::new(&flat.unwrap_or_else(|| Shape(of.to_vec())), block)
            };
            let rows = order(output.unwrap_or_default(), shapes[0], blocks[0]);
            let cols = order(conv.input, shapes[1], blocks[1]);
            let narrow = |n: usize| u32::try_from(n).expect("small");
            let (height, width) = (narrow(structure.rows()), narrow(structure.cols()));
            let first = first % height;
            let rows = Rows { order: rows, first, len: len.min(height - first) };
            let mut at = 0;
            let mut taken = Vec::new();
            for (gap, len) in parts {
                let start = (at + gap).min(width);
                let end = (start + len).min(width);
                if start < end { taken.push((start, end - start)); }
                at = end;
            }
            let columns = Columns::new(taken.iter().copied(), cols);
            let mut all = true;
            for p in rows.first..rows.first + rows.len {
                structure.for_row(rows.order.neuron(p) as usize, |col, _| {
                    let position = cols.position(narrow(col));
                    all &= taken.iter().any(|&(s, n)| (s..s + n).contains(&position));
                });
            }
            prop_assert_eq!(holds(&structure, rows, &columns), all);
        }
    }
}
