//! What is equal in integer matrices: weights, values up to a power of two, rows and columns.

use snnc_ir::Entity;
use snnc_ir::arena::{Arena, MatId};
use snnc_ir::conv::Conv;
use snnc_ir::quantized::{IntMatrix, Structure};
use std::collections::BTreeMap;

/// The mantissas divided by their largest common power of two: the same for matrices that are equal up to a
/// power of two, whatever their exponents and layouts. Matrices of zeros are as they are.
pub fn values(matrix: &IntMatrix) -> Vec<i16> {
    let shift = common_power(&matrix.mantissa);
    matrix.mantissa.iter().map(|m| m >> shift).collect()
}

/// Exponent of the largest power of two that divides all mantissas; 0 if all are 0.
pub(super) fn common_power(mantissa: &[i16]) -> u32 {
    let all = mantissa.iter().fold(0, |bits, m| bits | m);
    if all == 0 { 0 } else { all.trailing_zeros() }
}

/// Matrices of the same values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SameValues {
    /// Number of values.
    pub len: usize,
    /// The matrices, ascending.
    pub matrices: Vec<MatId>,
}

/// The arrays of values that the matrices hold, each once, in the order of their first matrices.
///
/// **Complexity**: O(stored mantissas).
pub fn distinct_values(matrices: &Arena<MatId, IntMatrix>) -> Vec<SameValues> {
    let contents: Vec<Vec<i16>> = matrices.values().map(values).collect();
    let same = |a: MatId, b: MatId| contents[a.index()] == contents[b.index()];
    let first = first_of(matrices, |m| hash(values(m).iter().map(|&v| i64::from(v))), same);
    let mut found: BTreeMap<MatId, Vec<MatId>> = BTreeMap::new();
    for (id, first) in matrices.ids().zip(first) {
        found.entry(first).or_default().push(id);
    }
    let class =
        |(first, all): (MatId, _)| SameValues { len: contents[first.index()].len(), matrices: all };
    found.into_iter().map(class).collect()
}

/// Whether two matrices have the same layout and the same weights, however they are stored.
pub fn same_weights(a: &IntMatrix, b: &IntMatrix) -> bool {
    a.structure == b.structure
        && a.mantissa.len() == b.mantissa.len()
        && (0..a.mantissa.len()).all(|i| a.weight(i) == b.weight(i))
}

/// For each matrix the first one of the same layout and weights.
pub(super) fn first_of_same_weights(matrices: &Arena<MatId, IntMatrix>) -> Vec<MatId> {
    let key = |m: &IntMatrix| hash((0..m.mantissa.len()).map(|i| i64::from(m.weight(i))));
    first_of(matrices, key, |a, b| same_weights(&matrices[a], &matrices[b]))
}

/// For each matrix the first one that is the same; the same matrices have the same key.
fn first_of(
    matrices: &Arena<MatId, IntMatrix>,
    key: impl Fn(&IntMatrix) -> u64,
    same: impl Fn(MatId, MatId) -> bool,
) -> Vec<MatId> {
    let mut known: BTreeMap<u64, Vec<MatId>> = BTreeMap::new();
    let first = matrices.iter().map(|(id, matrix)| {
        let alike = known.entry(key(matrix)).or_default();
        let found = alike.iter().copied().find(|&other| same(other, id));
        found.unwrap_or_else(|| {
            alike.push(id);
            id
        })
    });
    first.collect()
}

/// FNV-1a, number by number.
fn hash(numbers: impl Iterator<Item = i64>) -> u64 {
    numbers.fold(0xcbf2_9ce4_8422_2325, |hash, number| {
        (hash ^ number.cast_unsigned()).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Rows and columns of a matrix that differ from all others. Of a convolution: output channels by their
/// kernels, and input channels by what they add to all outputs of their group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distinct {
    /// Rows or output channels.
    pub rows: usize,
    /// Of these, different ones: targets with equal encodings have equal rows.
    pub distinct_rows: usize,
    /// Columns or input channels.
    pub cols: usize,
    /// Of these, different ones: axons of sources with equal encodings read one list of synapses.
    pub distinct_cols: usize,
}

/// Counts equal rows and columns; `None` for layouts that list single synapses.
///
/// **Complexity**: O(stored mantissas · log).
pub fn distinct(matrix: &IntMatrix) -> Option<Distinct> {
    let [rows, cols, cells] = match &matrix.structure {
        Structure::Dense { rows, cols } => [*rows as usize, *cols as usize, 1],
        Structure::Conv(Conv { groups: 1, input, out_channels, kernel, .. }) => {
            let cells = kernel[0] as usize * kernel[1] as usize;
            [*out_channels as usize, input[0] as usize, cells]
        }
        Structure::Conv(_) | Structure::Sparse { .. } | Structure::Identity { .. } => return None,
    };
    let cell = |row: usize, col: usize| &matrix.mantissa[(row * cols + col) * cells..][..cells];
    let row = |row: usize| (0..cols).map(move |col| cell(row, col));
    let col = |col: usize| (0..rows).map(move |row| cell(row, col));
    Some(Distinct {
        rows,
        distinct_rows: count(rows, |a, b| row(a).cmp(row(b))),
        cols,
        distinct_cols: count(cols, |a, b| col(a).cmp(col(b))),
    })
}

/// Number of different ones among `n`.
fn count(n: usize, compare: impl Fn(usize, usize) -> std::cmp::Ordering) -> usize {
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| compare(a, b));
    order.dedup_by(|a, b| compare(*a, *b).is_eq());
    order.len()
}

/// Bits of synapse memory that the synapses take where nothing on a core is shared and every index has the
/// fewest bits: a dense matrix lists its zeros, too, and no indices.
pub fn listed_bits(matrix: &IntMatrix) -> u64 {
    let bits = u64::from(matrix.weight_bits());
    match &matrix.structure {
        Structure::Dense { .. } => matrix.mantissa.len() as u64 * bits,
        _ => matrix.synapses().saturating_mul(bits + INDEX_BITS),
    }
}

/// Bits of the index of a listed synapse, at the least.
const INDEX_BITS: u64 = 6;
