//! Sparse matrices: lists of synapses by source, four bytes each where they fit.

use super::rows::HALVES;
use super::simd::wide;
use std::hint::black_box;

/// Sources whose synapses are fetched together: their cache lines are all asked for before the first
/// is waited for, which a row by row walk through memory would not do.
const AHEAD: usize = 4;

/// Packed synapses in a cache line.
const LINE: usize = 16;

/// Synapses by source.
pub(super) struct Sparse {
    /// Synapses of source `s` are `start[s]..start[s + 1]`.
    start: Vec<usize>,
    entries: Entries,
    /// Whether 16 bits hold all sums of one call.
    halves: bool,
}

enum Entries {
    /// Target in the upper 24 bits, weight in the lower 8.
    Packed(Vec<u32>),
    /// Target and weight.
    Pairs(Vec<(u32, i32)>),
}

impl Sparse {
    /// From compressed rows: row `r` holds `range[r]..range[r + 1]` of `col`; `weight` by the same
    /// positions. Weights of 0 are kept: they are stored, so they count. No sum of one call exceeds `bound`.
    pub(super) fn new(
        cols: usize,
        row_start: &[u32],
        col: &[u32],
        weight: impl Fn(usize) -> i32,
        bound: u64,
    ) -> Self {
        let mut start = vec![0_usize; cols + 1];
        for &c in col {
            start[c as usize + 1] += 1;
        }
        for c in 0..cols {
            start[c + 1] += start[c];
        }
        let rows = row_start.len().saturating_sub(1);
        let packs = rows <= 1 << 24 && (0..col.len()).all(|i| i8::try_from(weight(i)).is_ok());
        let entries = if packs {
            // The weight's lowest byte is all of it.
            Entries::Packed(by_source(&start, row_start, col, |row, i| {
                row << 8 | u32::from(weight(i).to_le_bytes()[0])
            }))
        } else {
            Entries::Pairs(by_source(&start, row_start, col, |row, i| (row, weight(i))))
        };
        Self { start, entries, halves: bound <= HALVES }
    }

    /// Adds the synapses of `active` sources to `sums`.
    pub(super) fn add(&self, active: &[u32], partial: &mut Vec<i16>, sums: &mut [i32]) {
        match &self.entries {
            // Half the memory for sums pays for one pass over them, if more than a few are touched.
            Entries::Packed(entries) if self.halves && active.len() * 8 > sums.len() / 64 => {
                partial.clear();
                partial.resize(sums.len(), 0);
                self.ahead(active, entries, |target, weight| {
                    partial[target] += i16::from(weight);
                });
                wide(
                    #[inline(always)]
                    || {
                        for (sum, p) in sums.iter_mut().zip(&*partial) {
                            *sum += i32::from(*p);
                        }
                    },
                );
            }
            Entries::Packed(entries) => self.ahead(active, entries, |target, weight| {
                sums[target] += i32::from(weight);
            }),
            Entries::Pairs(entries) => {
                for row in active.iter().map(|&s| self.row(s, entries)) {
                    for &(target, weight) in row {
                        sums[target as usize] += weight;
                    }
                }
            }
        }
    }

    /// Adds the synapses of `active` sources, each times its factor.
    pub(super) fn add_scaled(&self, active: &[u32], factors: &[i32], sums: &mut [i32]) {
        for (&source, &factor) in active.iter().zip(factors) {
            match &self.entries {
                Entries::Packed(entries) => {
                    for &entry in self.row(source, entries) {
                        let (target, weight) = unpack(entry);
                        sums[target] += i32::from(weight) * factor;
                    }
                }
                Entries::Pairs(entries) => {
                    for &(target, weight) in self.row(source, entries) {
                        sums[target as usize] += weight * factor;
                    }
                }
            }
        }
    }

    /// Visits the packed synapses of `active` sources.
    #[expect(clippy::inline_always, reason = "the loop around `add`")]
    #[inline(always)]
    fn ahead(&self, active: &[u32], entries: &[u32], mut add: impl FnMut(usize, i8)) {
        for group in active.chunks(AHEAD) {
            let mut fetched = 0;
            for row in group.iter().map(|&s| self.row(s, entries)) {
                for line in row.chunks(LINE) {
                    fetched |= line[0];
                }
            }
            black_box(fetched);
            for row in group.iter().map(|&s| self.row(s, entries)) {
                for &entry in row {
                    let (target, weight) = unpack(entry);
                    add(target, weight);
                }
            }
        }
    }

    fn row<'a, E>(&self, source: u32, entries: &'a [E]) -> &'a [E] {
        let source = source as usize;
        &entries[self.start[source]..self.start[source + 1]]
    }
}

/// Target and weight of a packed synapse.
#[expect(clippy::inline_always, reason = "the body of the innermost loop")]
#[inline(always)]
fn unpack(entry: u32) -> (usize, i8) {
    let [weight, ..] = entry.to_le_bytes();
    ((entry >> 8) as usize, weight.cast_signed())
}

/// Entries sorted by source, targets ascending; `entry(row, position)` makes one.
fn by_source<E: Copy + Default>(
    start: &[usize],
    row_start: &[u32],
    col: &[u32],
    entry: impl Fn(u32, usize) -> E,
) -> Vec<E> {
    let mut free = start.to_vec();
    let mut entries = vec![E::default(); col.len()];
    for (row, range) in (0_u32..).zip(row_start.windows(2)) {
        for i in range[0] as usize..range[1] as usize {
            let place = &mut free[col[i] as usize];
            entries[*place] = entry(row, i);
            *place += 1;
        }
    }
    entries
}
