//! Which outputs of a convolution read the same part of its kernel.

use super::Range;
use crate::conv::Conv;

/// What is known of the outputs of one convolution, case by case: outputs of a channel that read the
/// same part of the kernel are alike. There are few cases, since only outputs near the border lack a
/// part.
pub(super) struct Cases {
    /// Neurons per channel, and per row of it.
    area: usize,
    width: usize,
    /// The case of each output row and column.
    rows: Vec<usize>,
    columns: Vec<usize>,
    known: Vec<Option<Range>>,
    /// Cases of columns, and of all outputs of a channel.
    per_row: usize,
    per_channel: usize,
}

impl Cases {
    /// `None` if the convolution has no output.
    pub(super) fn new(conv: &Conv) -> Option<Self> {
        let [channels, height, width] = conv.output()?.map(|d| d as usize);
        let (rows, row_cases) = numbered(conv, 0, height);
        let (columns, per_row) = numbered(conv, 1, width);
        let per_channel = row_cases * per_row;
        let known = vec![None; channels * per_channel];
        Some(Self { area: height * width, width, rows, columns, known, per_row, per_channel })
    }

    /// The range of output `neuron`, computed by `range` once per case.
    pub(super) fn of(&mut self, neuron: usize, range: impl FnOnce() -> Range) -> Range {
        let within = neuron % self.area;
        let (row, column) = (self.rows[within / self.width], self.columns[within % self.width]);
        let case = neuron / self.area * self.per_channel + row * self.per_row + column;
        *self.known[case].get_or_insert_with(range)
    }
}

/// The cases along one axis, numbered, and how many there are.
fn numbered(conv: &Conv, axis: usize, extent: usize) -> (Vec<usize>, usize) {
    let mut parts = Vec::new();
    let mut number = |taps| {
        let found = parts.iter().position(|part| *part == taps);
        found.unwrap_or_else(|| {
            parts.push(taps);
            parts.len() - 1
        })
    };
    let cases = (0..extent).map(|i| number(conv.taps(axis, i))).collect();
    (cases, parts.len())
}
