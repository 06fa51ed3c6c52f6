//! Rules of one integer matrix.

use super::{codes, matrix_place};
use crate::arena::MatId;
use crate::check;
use crate::diag::{Diagnostic, Diagnostics};
use crate::quantized::{IntMatrix, QuantizedDraft, Structure};

/// Checks the matrix `id`; true if rows can be visited and weights computed.
pub(super) fn check(draft: &QuantizedDraft, id: MatId, out: &mut Diagnostics) -> bool {
    let matrix = &draft.matrices[id];
    let place = matrix_place(draft, id);
    if matrix.name.is_empty() {
        out.push(
            Diagnostic::error(codes::NAME, "the name is empty")
                .at(&*place)
                .help("give it the name of the tensor that it comes from"),
        );
    }
    if let Some(scale) = matrix.provenance.bad_scale() {
        out.push(
            Diagnostic::error(codes::MATRIX, format!("the scale of its encodings is {scale}"))
                .at(&*place)
                .note("expected a finite number: what made the weights")
                .help("correct the scale behind `from encoded`"),
        );
    }
    let exponent_fits = values(matrix, &place, out);
    let problem = structure(&matrix.structure).or_else(|| {
        let stored = matrix.structure.stored();
        (matrix.mantissa.len() != stored).then(|| {
            format!("expected {stored} mantissas from the layout, found {}", matrix.mantissa.len())
        })
    });
    let sound = problem.is_none() && exponent_fits;
    if let Some(problem) = problem {
        out.push(
            Diagnostic::error(codes::MATRIX, "layout and contents of the matrix disagree")
                .at(place)
                .note(problem)
                .help("build the matrix again from its tensor"),
        );
    }
    sound
}

/// Checks the exponent, and each mantissa against sign mode and exponent; true if the exponent is in
/// range.
fn values(matrix: &IntMatrix, place: &str, out: &mut Diagnostics) -> bool {
    let IntMatrix { mantissa, exponent, sign, .. } = matrix;
    if !(-7..=7).contains(exponent) {
        out.push(
            Diagnostic::error(codes::EXPONENT, format!("the exponent is {exponent}"))
                .at(place)
                .note("expected -7 to 7")
                .help("quantize with another scale"),
        );
        return false;
    }
    if let Some((index, value)) = mantissa.iter().enumerate().find(|(_, m)| !sign.stores(**m)) {
        out.push(
            Diagnostic::error(codes::MANTISSA, format!("mantissa {index} is {value}"))
                .at(place)
                .note(format!("sign mode {}: {}", sign.name(), sign.range()))
                .help("round into the set when quantizing, or choose another sign mode"),
        );
    }
    let divisor = 1_i16 << exponent.min(&0).unsigned_abs();
    if let Some((index, value)) = mantissa.iter().enumerate().find(|(_, m)| *m % divisor != 0) {
        out.push(
            Diagnostic::error(
                codes::EXPONENT,
                format!("mantissa {index} is {value}, with the exponent {exponent}"),
            )
            .at(place)
            .note(format!("expected multiples of {divisor}"))
            .help("use a larger exponent, or mantissas that are divisible"),
        );
    }
    true
}

/// What is wrong with a layout on its own, if anything.
pub(super) fn structure(structure: &Structure) -> Option<String> {
    match structure {
        Structure::Conv(conv) => check::geometry(conv),
        Structure::Dense { rows: 0, .. }
        | Structure::Dense { cols: 0, .. }
        | Structure::Sparse { rows: 0, .. }
        | Structure::Sparse { cols: 0, .. }
        | Structure::Identity { size: 0 } => {
            Some("expected at least one row and column".to_owned())
        }
        Structure::Dense { .. } | Structure::Identity { .. } => None,
        Structure::Sparse { rows, cols, row_start, col } => {
            sparse(*rows as usize, *cols, row_start, col)
        }
    }
}

fn sparse(rows: usize, cols: u32, row_start: &[u32], col: &[u32]) -> Option<String> {
    if row_start.len() != rows + 1 {
        return Some(format!("expected {} row offsets, found {}", rows + 1, row_start.len()));
    }
    let last = row_start[rows] as usize;
    if row_start[0] != 0 || last != col.len() {
        return Some(format!(
            "expected row offsets from 0 to {}, the number of columns listed; found {} to {last}",
            col.len(),
            row_start[0]
        ));
    }
    for (row, range) in row_start.windows(2).enumerate() {
        // A descending offset, or one beyond the list before a descent.
        let Some(entries) = col.get(range[0] as usize..range[1] as usize) else {
            return Some(format!("expected ascending row offsets, row {row} has {range:?}"));
        };
        if let Some(pair) = entries.windows(2).find(|p| p[0] >= p[1]) {
            return Some(format!("expected ascending columns, row {row} has {pair:?}"));
        }
        if let Some(last) = entries.last().filter(|c| **c >= cols) {
            return Some(format!("expected columns below {cols}, row {row} has {last}"));
        }
    }
    None
}
