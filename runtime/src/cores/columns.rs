//! Matrices by column: which stored values a spike on one axon, or an element of a sample, meets.

use crate::error::SimError;
use snnc_ir::conv::Conv;
use snnc_ir::order::Order;
use snnc_ir::quantized::Structure;
use std::ops::Range;

/// A matrix that is read by column, of mantissas or of the host's weights.
pub(super) enum Columns<T> {
    /// Values, column after column.
    Dense { rows: usize, stored: Vec<T> },
    /// Row and value of each entry, column after column.
    Sparse { columns: Vec<Vec<(usize, T)>> },
    /// A kernel as stored.
    Conv { conv: Conv, output: [usize; 3], stored: Vec<T> },
    /// One value on the diagonal.
    Identity(T),
}

impl<T: Copy + Default> Columns<T> {
    /// Checks a matrix and lays it out by column.
    pub(super) fn new(structure: &Structure, stored: &[T], name: &str) -> Result<Self, SimError> {
        let bad = |what: &str| Err(SimError::Malformed(format!("{name}: {what}")));
        if stored.len() != structure.stored() {
            return bad("the number of stored values contradicts the layout");
        }
        Ok(match structure {
            Structure::Dense { rows, cols } => {
                let (rows, cols) = (*rows as usize, *cols as usize);
                let mut by_column = vec![T::default(); stored.len()];
                for (i, &value) in stored.iter().enumerate() {
                    by_column[i % cols * rows + i / cols] = value;
                }
                Self::Dense { rows, stored: by_column }
            }
            Structure::Sparse { rows, cols, row_start, col } => {
                let entries = u32::try_from(col.len()).ok();
                let offsets = row_start.len() == *rows as usize + 1
                    && row_start.first() == Some(&0)
                    && row_start.is_sorted()
                    && row_start.last().copied() == entries;
                if !offsets {
                    return bad("the row offsets are not ascending from 0 to the entries");
                }
                crate::error::check_words(name, u64::from(*cols))?;
                let mut columns = vec![Vec::new(); *cols as usize];
                for (row, bounds) in row_start.windows(2).enumerate() {
                    let entries = bounds[0] as usize..bounds[1] as usize;
                    for (&c, &m) in col[entries.clone()].iter().zip(&stored[entries]) {
                        let Some(column) = columns.get_mut(c as usize) else {
                            return bad("an entry lies outside the columns");
                        };
                        column.push((row, m));
                    }
                }
                Self::Sparse { columns }
            }
            Structure::Conv(conv) => {
                let divides = |n: u32| conv.groups > 0 && n.is_multiple_of(conv.groups);
                let (true, true, Some(output)) =
                    (divides(conv.input[0]), divides(conv.out_channels), conv.output())
                else {
                    return bad("the convolution has no output or uneven groups");
                };
                Self::Conv {
                    conv: *conv,
                    output: output.map(|d| d as usize),
                    stored: stored.to_vec(),
                }
            }
            Structure::Identity { .. } => Self::Identity(stored[0]),
        })
    }

    /// Visits the stored values of the column at a position of one order in rows at positions of another:
    /// `visit(position of the row, value)`.
    pub(super) fn visit_placed(
        &self,
        (cols, col): (Order, u32),
        (rows, range): (Order, Range<u32>),
        mut visit: impl FnMut(u32, T),
    ) {
        let col = cols.neuron(col) as usize;
        // Rows of a checked matrix are counted in 32 bits.
        let narrow = |row: usize| u32::try_from(row).unwrap_or(u32::MAX);
        match self {
            _ if rows.is_row_major() => {
                let range = range.start as usize..range.end as usize;
                self.visit(col, range, |row, value| visit(narrow(row), value));
            }
            Self::Dense { rows: height, stored } => {
                let column = &stored[col * height..(col + 1) * height];
                range.for_each(|p| visit(p, column[rows.neuron(p) as usize]));
            }
            Self::Sparse { .. } | Self::Conv { .. } | Self::Identity(_) => {
                self.visit(col, 0..usize::MAX, |row, value| {
                    let position = rows.position(narrow(row));
                    if range.contains(&position) {
                        visit(position, value);
                    }
                });
            }
        }
    }

    /// Visits the stored values of column `col` in `rows`: `visit(row, value)`.
    pub(super) fn visit(&self, col: usize, rows: Range<usize>, mut visit: impl FnMut(usize, T)) {
        match self {
            Self::Dense { rows: height, stored } => {
                let column = &stored[col * height..(col + 1) * height];
                for (row, &m) in rows.clone().zip(&column[rows]) {
                    visit(row, m);
                }
            }
            Self::Sparse { columns } => {
                for &(row, m) in columns[col].iter().filter(|(row, _)| rows.contains(row)) {
                    visit(row, m);
                }
            }
            Self::Identity(m) => {
                if rows.contains(&col) {
                    visit(col, *m);
                }
            }
            Self::Conv { conv, output, stored } => {
                // The channels of the group, then every kernel position that maps the source cell
                // onto an output cell.
                let [_, height, width] = conv.input.map(|d| d as usize);
                let [k_h, k_w] = conv.kernel.map(|d| d as usize);
                let (channel, y, x) = (col / (height * width), col / width % height, col % width);
                let [top, bottom, left, right] = conv.crop.map(|d| d as usize);
                if !(top..height - bottom).contains(&y) || !(left..width - right).contains(&x) {
                    return;
                }
                let (y, x) = (y - top, x - left);
                let group_in = (conv.input[0] / conv.groups) as usize;
                let group_out = (conv.out_channels / conv.groups) as usize;
                let [_, out_h, out_w] = *output;
                let first = channel / group_in * group_out;
                for out in first..first + group_out {
                    for (oy, ky) in positions(y, conv.pad[0], conv.stride[0], k_h, out_h) {
                        for (ox, kx) in positions(x, conv.pad[2], conv.stride[1], k_w, out_w) {
                            let row = (out * out_h + oy) * out_w + ox;
                            if rows.contains(&row) {
                                let fan = out * group_in + channel % group_in;
                                visit(row, stored[(fan * k_h + ky) * k_w + kx]);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Output positions that read position `at` of what the crop left, with the kernel offset they read it through:
/// `out · stride + offset = at + pad`.
fn positions(
    at: usize,
    pad: u32,
    stride: u32,
    kernel: usize,
    extent: usize,
) -> impl Iterator<Item = (usize, usize)> {
    let (padded, stride) = (at + pad as usize, stride as usize);
    let first = (padded + 1).saturating_sub(kernel).div_ceil(stride);
    let end = (padded / stride + 1).min(extent);
    (first..end).map(move |out| (out, padded - out * stride))
}
