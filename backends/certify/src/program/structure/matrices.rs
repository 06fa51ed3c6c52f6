//! Layouts of the matrix pool.

use super::Check;
use snnc_ir::conv::Conv;
use snnc_ir::program::Layout;
use snnc_ir::quantized::Structure;
use std::collections::HashSet;

impl Check<'_> {
    /// Checks every matrix once and notes which are sound.
    pub(super) fn matrices(&mut self) {
        for (i, matrix) in self.program.matrices.iter().enumerate() {
            let layout = sound(&matrix.structure);
            let why = layout.err().unwrap_or_default();
            let sensible =
                self.need(layout.is_ok(), || format!("matrices[{i}].structure"), || why.to_owned());
            let ordered = self.layout(matrix.rows, matrix.structure.rows(), sensible, || {
                format!("matrices[{i}].rows")
            }) & self.layout(matrix.cols, matrix.structure.cols(), sensible, || {
                format!("matrices[{i}].cols")
            });
            let values = &self.program.values;
            let here = self.index(matrix.values, values.len(), || format!("matrices[{i}].values"));
            let given = values.get(matrix.values as usize).map_or(0, Vec::len);
            let stored = matrix.structure.stored();
            let complete = (sensible && here)
                && self.need(
                    stored == given,
                    || format!("matrices[{i}].values"),
                    || format!("the layout stores {stored} mantissas, not {given}"),
                );
            self.sound.push(complete && ordered);
        }
        self.distinct();
    }

    /// Equal arrays and equal matrices are one.
    fn distinct(&mut self) {
        let mut arrays = HashSet::new();
        for (i, array) in self.program.values.iter().enumerate() {
            let fresh = arrays.insert(array.as_slice());
            self.need(
                fresh,
                || format!("values[{i}]"),
                || "the array repeats an earlier one".to_owned(),
            );
        }
        let mut matrices = HashSet::new();
        for (i, matrix) in self.program.matrices.iter().enumerate() {
            let fresh = matrices.insert(matrix);
            self.need(
                fresh,
                || format!("matrices[{i}]"),
                || "the matrix repeats an earlier one".to_owned(),
            );
        }
    }

    /// Checks an order of `count` rows or columns, if that number is known to make sense.
    fn layout(
        &mut self,
        layout: Layout,
        count: usize,
        sensible: bool,
        at: impl FnOnce() -> String,
    ) -> bool {
        let Layout { places, block } = layout;
        let divides = places >= 1 && count.is_multiple_of(places as usize);
        let several =
            block >= 2 && places >= 2 && divides && block as usize <= count / places as usize;
        self.need(!sensible || layout == Layout::ROW_MAJOR || several, at, || {
            format!(
                "blocks of {block} channels of {places} neurons are no order of {count} (1 and 1 where \
                 neurons lie in order)"
            )
        })
    }
}

/// Why a layout makes no sense.
pub(super) fn sound(structure: &Structure) -> Result<(), &'static str> {
    match structure {
        Structure::Dense { rows, cols } => (*rows >= 1 && *cols >= 1)
            .then_some(())
            .ok_or("a matrix has at least one row and one column"),
        Structure::Identity { size } => {
            (*size >= 1).then_some(()).ok_or("a matrix has at least one row and one column")
        }
        Structure::Sparse { rows, cols, row_start, col } => sparse(*rows, *cols, row_start, col),
        Structure::Conv(conv) => convolution(conv),
    }
}

fn sparse(rows: u32, cols: u32, row_start: &[u32], col: &[u32]) -> Result<(), &'static str> {
    if rows == 0 || cols == 0 {
        return Err("a matrix has at least one row and one column");
    }
    if row_start.len() != rows as usize + 1 {
        return Err("`row_start` has one entry per row and one more");
    }
    if row_start[0] != 0 || row_start[rows as usize] as usize != col.len() {
        return Err("`row_start` begins with 0 and ends with the number of entries");
    }
    if row_start.windows(2).any(|w| w[0] > w[1]) {
        return Err("`row_start` never falls");
    }
    let ascending = |row: &[u32]| {
        row.windows(2).all(|w| w[0] < w[1]) && row.last().is_none_or(|&last| last < cols)
    };
    if row_start.windows(2).all(|w| ascending(&col[w[0] as usize..w[1] as usize])) {
        Ok(())
    } else {
        Err("the columns of a row ascend and lie inside the matrix")
    }
}

fn convolution(conv: &Conv) -> Result<(), &'static str> {
    let Conv { input, out_channels, kernel, stride, pad: _, groups, crop: _ } = *conv;
    let extents = input.iter().chain(&kernel).chain(&stride).chain([&out_channels, &groups]);
    if extents.into_iter().any(|&extent| extent == 0) {
        return Err("extents, kernel, stride and groups of a convolution are at least 1");
    }
    if !input[0].is_multiple_of(groups) || !out_channels.is_multiple_of(groups) {
        return Err("groups divide the channels of input and output");
    }
    let fits = |shape: [u32; 3]| {
        shape.iter().try_fold(1_u32, |n, &d| n.checked_mul(d)).is_some_and(|n| n >= 1)
    };
    match conv.output() {
        Some(output) if fits(output) && fits(input) => Ok(()),
        _ => Err("a convolution has an output, and fewer than 2^32 neurons on either side"),
    }
}
