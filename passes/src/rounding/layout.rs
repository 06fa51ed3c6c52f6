//! Which weights are rounded together, and which column of the sums belongs to which weight.

use snnc_ir::conv::Conv;
use snnc_ir::quantized::Structure;
use snnc_ir::{Param, Shape};
use std::ops::Range;

/// Largest number of columns whose correlations are kept. Wider families are cut into blocks of even
/// size, and sources of different blocks count as uncorrelated: their errors are not weighed against
/// each other.
pub const BLOCK: usize = 1024;

/// Where the spikes of a term come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// Number of the source, as the caller numbers the trains handed to the statistics.
    pub source: usize,
    /// Logical delay.
    pub delay: u32,
}

/// Weights of one tensor that lead into the population.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Layout of the weights; no identity.
    pub structure: Structure,
    /// What they read: more than one where several projections into the population share the tensor (and
    /// its integers).
    pub inputs: Vec<Input>,
}

/// What the rows of a family are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rows {
    /// Each target neuron has weights of its own.
    Neurons(usize),
    /// All neurons of a channel share weights; output extents.
    Channels([u32; 3]),
}

impl Rows {
    fn of(structure: &Structure) -> Option<Self> {
        match structure {
            Structure::Dense { rows, .. } | Structure::Sparse { rows, .. } => {
                Some(Self::Neurons(*rows as usize))
            }
            Structure::Conv(conv) => conv.output().map(Self::Channels),
            Structure::Identity { .. } => None,
        }
    }
}

/// Terms that are rounded together, by their positions in `structures`: matrices (dense or sparse), and
/// convolutions of the same output. Identities are in none. Each family has its own sums; errors of
/// different families are not weighed against each other. If there are several, let the one with
/// convolutions (first, if there are any) have the bias.
pub fn families(structures: &[&Structure]) -> Vec<Vec<usize>> {
    let mut found: Vec<(Rows, Vec<usize>)> = Vec::new();
    for (term, rows) in structures.iter().enumerate().filter_map(|(i, s)| Some((i, Rows::of(s)?))) {
        match found.iter_mut().find(|(r, _)| *r == rows) {
            Some((_, terms)) => terms.push(term),
            None => found.push((rows, vec![term])),
        }
    }
    // Channels before neurons; stable, so that the rest keeps its order.
    found.sort_by_key(|(rows, _)| matches!(rows, Rows::Neurons(_)));
    found.into_iter().map(|(_, terms)| terms).collect()
}

/// The columns of a family: the sources of matrices, the taps of kernels, term after term, and at the
/// end the constant source that stands for the bias.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    terms: Vec<Term>,
    rows: Rows,
    /// First column of each term; the last entry is the column of the bias.
    offsets: Vec<usize>,
    /// Rows that read the same columns: all of a matrix; channels whose kernels read the same groups.
    classes: Vec<Range<usize>>,
    blocks: Vec<Range<usize>>,
}

impl Layout {
    /// Columns of `terms`. `None` if they are no family (see [`families`]) or there are none.
    pub fn new(terms: Vec<Term>) -> Option<Self> {
        Self::with_blocks(terms, BLOCK)
    }

    /// As [`Layout::new`] with blocks of at most `limit` columns: less memory, fewer correlations.
    pub fn with_blocks(terms: Vec<Term>, limit: usize) -> Option<Self> {
        let rows = Rows::of(&terms.first()?.structure)?;
        if terms.iter().any(|t| Rows::of(&t.structure) != Some(rows)) {
            return None;
        }
        let mut offsets = vec![0_usize];
        for term in &terms {
            offsets.push(offsets.last()?.checked_add(columns(&term.structure))?);
        }
        let classes = match rows {
            Rows::Neurons(n) => std::iter::once(0..n).collect(),
            Rows::Channels([channels, ..]) => classes(&terms, channels as usize),
        };
        let blocks = blocks(offsets.last()? + 1, limit.max(1));
        Some(Self { terms, rows, offsets, classes, blocks })
    }

    /// The terms.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Number of rows: target neurons, or channels of convolutions.
    pub const fn rows(&self) -> usize {
        match self.rows {
            Rows::Neurons(n) => n,
            Rows::Channels([channels, ..]) => channels as usize,
        }
    }

    /// Vectors that one step of one sample offers: 1 for matrices, the output positions of
    /// convolutions.
    pub const fn positions(&self) -> usize {
        match self.rows {
            Rows::Neurons(_) => 1,
            Rows::Channels([_, height, width]) => (height as usize).saturating_mul(width as usize),
        }
    }

    /// Number of columns, the bias included.
    pub fn columns(&self) -> usize {
        self.bias() + 1
    }

    /// Largest number of bytes that the sums of one [`Statistics`](super::Statistics) take; saturates.
    pub fn bytes(&self) -> usize {
        // H and E are symmetric and packed, G is not; and a panel of vectors.
        let sums = self
            .blocks
            .iter()
            .fold(0_usize, |sum, b| sum.saturating_add(b.len().saturating_mul(2 * b.len() + 1)));
        let panel = self.columns().saturating_mul(2 * super::moments::BATCH);
        sums.saturating_add(panel).saturating_mul(8).saturating_mul(self.classes.len())
    }

    /// Values of a parameter of the target population (of shape `shape`), row by row. `None` if neurons
    /// that share a row differ, or the population does not have as many neurons as the family.
    pub fn row_values<T: Copy + PartialEq>(
        &self,
        param: &Param<T>,
        shape: &Shape,
    ) -> Option<Vec<T>> {
        let positions = self.positions();
        if self.rows().checked_mul(positions) != Some(shape.size()) {
            return None;
        }
        let row = |row: usize| {
            let first = param.at(row * positions, shape);
            let mut rest = row * positions + 1..(row + 1) * positions;
            rest.all(|n| param.at(n, shape) == first).then_some(first)
        };
        (0..self.rows()).map(row).collect()
    }

    /// Column of the bias.
    pub(super) fn bias(&self) -> usize {
        self.offsets[self.terms.len()]
    }

    pub(super) fn blocks(&self) -> &[Range<usize>] {
        &self.blocks
    }

    pub(super) fn classes(&self) -> &[Range<usize>] {
        &self.classes
    }

    /// Class that `row` belongs to.
    pub(super) fn class(&self, row: usize) -> usize {
        self.classes.partition_point(|rows| rows.end <= row)
    }

    /// Visits the weights of `row` in `term`: `visit(column, index of the stored weight)`, columns
    /// ascending.
    pub(super) fn for_row(&self, term: usize, row: usize, mut visit: impl FnMut(usize, usize)) {
        let offset = self.offsets[term];
        match &self.terms[term].structure {
            Structure::Conv(conv) => {
                let taps = taps(conv);
                (0..taps).for_each(|t| visit(offset + t, row * taps + t));
            }
            matrix => matrix.for_row(row, |column, index| visit(offset + column, index)),
        }
    }

    /// Writes the traces that output `position` of a class reads into `vector`, `traces` holding those
    /// of every source neuron, term by term.
    pub(super) fn gather(
        &self,
        class: usize,
        position: usize,
        traces: &[super::Traces],
        vector: &mut [f64],
    ) {
        for (term, (of, traces)) in self.terms.iter().zip(traces).enumerate() {
            let vector = &mut vector[self.offsets[term]..self.offsets[term + 1]];
            match &of.structure {
                Structure::Conv(conv) => {
                    patch(conv, self.classes[class].start, position, traces.values(), vector);
                }
                _ => vector.copy_from_slice(traces.values()),
            }
        }
    }
}

/// Taps of one output channel.
fn taps(conv: &Conv) -> usize {
    conv.kernel_shape()[1..].iter().fold(1_usize, |n, &d| n.saturating_mul(d as usize))
}

fn columns(structure: &Structure) -> usize {
    match structure {
        Structure::Conv(conv) => taps(conv),
        matrix => matrix.cols(),
    }
}

/// Channels per group of the output.
fn group_size(conv: &Conv) -> usize {
    (conv.out_channels / conv.groups.max(1)).max(1) as usize
}

/// Channels with the same group in every term; neighbors, as groups ascend with channels.
fn classes(terms: &[Term], channels: usize) -> Vec<Range<usize>> {
    let starts = |channel: usize| {
        terms.iter().any(|term| match &term.structure {
            Structure::Conv(conv) => channel.is_multiple_of(group_size(conv)),
            _ => false,
        })
    };
    let bounds: Vec<_> = (0..channels).filter(|&c| c == 0 || starts(c)).chain([channels]).collect();
    bounds.windows(2).map(|b| b[0]..b[1]).collect()
}

/// Ranges of at most `limit` out of `columns`, of even size.
fn blocks(columns: usize, limit: usize) -> Vec<Range<usize>> {
    let count = columns.div_ceil(limit);
    (0..count).map(|b| b * columns / count..(b + 1) * columns / count).collect()
}

/// What the kernel of `channel` reads at an output position, tap by tap; 0 where it leaves the input.
fn patch(conv: &Conv, channel: usize, position: usize, input: &[f64], vector: &mut [f64]) {
    vector.fill(0.0);
    let width = conv.output().map_or(1, |[_, _, width]| width.max(1) as usize);
    let (rows, columns) = (conv.taps(0, position / width), conv.taps(1, position % width));
    let [_, in_h, in_w] = conv.input.map(|d| d as usize);
    let [_, per_group, k_h, k_w] = conv.kernel_shape().map(|d| d as usize);
    let first = channel / group_size(conv) * per_group;
    // Index of the input that kernel index 0 would read; taps keep what is read on the input.
    let y0 = position / width * conv.stride[0] as usize + conv.crop[0] as usize;
    let x0 = position % width * conv.stride[1] as usize + conv.crop[2] as usize;
    let [top, left] = [conv.pad[0] as usize, conv.pad[2] as usize];
    for ci in 0..per_group {
        for ky in rows.clone() {
            let source = ((first + ci) * in_h + y0 + ky - top) * in_w;
            let target = (ci * k_h + ky) * k_w;
            for kx in columns.clone() {
                vector[target + kx] = input[source + x0 + kx - left];
            }
        }
    }
}
