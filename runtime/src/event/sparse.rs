//! Sparse matrices: lists of synapses by source, four bytes each where they fit.

use super::part::Part;
use super::rows::HALVES;
use super::simd::add_halves;
use std::hint::black_box;
use std::ops::AddAssign;

/// Synapses that are fetched together: the cache lines of several sources are all asked for before the first
/// is waited for, which a row by row walk through memory would not do.
const AHEAD: usize = 1600;

/// Packed synapses in a cache line.
const LINE: usize = 16;

/// Targets that 16 bits name. A table of so many sums needs no check of its bounds.
const TABLE: usize = 1 << 16;

/// Synapses by source, and of each source by the part that they end in.
pub(super) struct Sparse {
    /// Synapses of source `s` into part `p` are `start[s * parts + p]..start[s * parts + p + 1]`.
    start: Vec<u32>,
    parts: usize,
    entries: Entries,
    /// Whether 16 bits hold all sums of one call.
    halves: bool,
}

enum Entries {
    /// Target in the upper 16 bits, weight in the lower 16.
    Short(Vec<u32>),
    /// Target in the upper 24 bits, weight in the lower 8.
    Packed(Vec<u32>),
    /// Target and weight.
    Pairs(Vec<(u32, i32)>),
}

impl Sparse {
    /// From compressed rows: row `r` holds `range[r]..range[r + 1]` of `col`; `weight` by the same
    /// positions. Weights of 0 are kept: they are stored, so they count. No sum of one call exceeds `bound`.
    /// The rows may be asked for in as many as `parts` parts.
    pub(super) fn new(
        cols: usize,
        row_start: &[u32],
        col: &[u32],
        weight: impl Fn(usize) -> i32,
        bound: u64,
        parts: usize,
    ) -> Self {
        let rows = row_start.len().saturating_sub(1);
        let cuts: Vec<Part> = Part::all(rows, parts).collect();
        let parts = cuts.len();
        // Counts are of 32 bits: so is `row_start`, which counts the same synapses.
        let mut start = vec![0_u32; cols * parts + 1];
        for part in &cuts {
            let of_part =
                row_start[part.first()] as usize..row_start[part.first() + part.len()] as usize;
            for &c in &col[of_part] {
                start[c as usize * parts + part.index() + 1] += 1;
            }
        }
        for place in 1..start.len() {
            start[place] += start[place - 1];
        }
        let short = rows <= TABLE && (0..col.len()).all(|i| i16::try_from(weight(i)).is_ok());
        let packs = rows <= 1 << 24 && (0..col.len()).all(|i| i8::try_from(weight(i)).is_ok());
        let entries = if short {
            // The weight's lower bytes are all of it.
            Entries::Short(by_source(&start, &cuts, row_start, col, |row, i| {
                let [low, high, ..] = weight(i).to_le_bytes();
                row << 16 | u32::from(u16::from_le_bytes([low, high]))
            }))
        } else if packs {
            // The weight's lowest byte is all of it.
            Entries::Packed(by_source(&start, &cuts, row_start, col, |row, i| {
                row << 8 | u32::from(weight(i).to_le_bytes()[0])
            }))
        } else {
            Entries::Pairs(by_source(&start, &cuts, row_start, col, |row, i| (row, weight(i))))
        };
        Self { start, parts, entries, halves: bound <= HALVES }
    }

    /// Whether [`Sparse::gather`] can be used.
    pub(super) const fn gathers(&self) -> bool {
        self.halves && matches!(self.entries, Entries::Short(_) | Entries::Packed(_))
    }

    /// Adds the synapses of some of the sources that are active in one step to `sums`, one per target of the
    /// whole population, if [`Sparse::gathers`].
    pub(super) fn gather(&self, active: &[u32], sums: &mut [i16]) {
        let part = Part::whole(sums.len());
        match &self.entries {
            Entries::Short(entries) => self.ahead(active, part, entries, |entry| {
                let (target, weight) = unpack_short(entry);
                sums[target] += weight;
            }),
            Entries::Packed(entries) => self.add_packed(active, part, entries, sums, i16::from),
            Entries::Pairs(_) => {}
        }
    }

    /// Mean number of synapses of a source.
    pub(super) fn fan_out(&self) -> usize {
        let synapses = self.start.last().map_or(0, |&end| end as usize);
        synapses * self.parts / self.start.len()
    }

    /// Sources whose synapses into one of `of` parts are fetched together.
    fn together(&self, of: usize) -> usize {
        (AHEAD * of / self.fan_out().max(1)).clamp(4, 32)
    }

    /// Adds the synapses of `active` sources into `part` to `sums`, one per target of the part.
    pub(super) fn add(&self, active: &[u32], part: Part, partial: &mut Vec<i16>, sums: &mut [i32]) {
        let first = part.first();
        match &self.entries {
            // Half the memory for sums pays for one pass over them, if more than a few are touched.
            Entries::Short(entries) if self.halves && active.len() * 8 > sums.len() / 64 => {
                partial.resize(partial.len().max(TABLE), 0);
                let own = first..first + sums.len();
                partial[own.clone()].fill(0);
                if let Some(table) = partial.first_chunk_mut::<TABLE>() {
                    self.ahead(active, part, entries, |entry| {
                        let (target, weight) = unpack_short(entry);
                        table[target] += weight;
                    });
                }
                add_halves(sums, &partial[own]);
            }
            Entries::Packed(entries) if self.halves && active.len() * 8 > sums.len() / 64 => {
                partial.clear();
                partial.resize(sums.len(), 0);
                self.add_packed(active, part, entries, partial, i16::from);
                add_halves(sums, partial);
            }
            Entries::Short(entries) => self.ahead(active, part, entries, |entry| {
                let (target, weight) = unpack_short(entry);
                sums[target - first] += i32::from(weight);
            }),
            Entries::Packed(entries) => self.add_packed(active, part, entries, sums, i32::from),
            Entries::Pairs(entries) => {
                for row in active.iter().map(|&s| self.row(s, part, entries)) {
                    for &(target, weight) in row {
                        sums[target as usize - first] += weight;
                    }
                }
            }
        }
    }

    /// Adds the synapses of `active` sources, each times its factor.
    pub(super) fn add_scaled(&self, active: &[u32], factors: &[i32], part: Part, sums: &mut [i32]) {
        let first = part.first();
        for (&source, &factor) in active.iter().zip(factors) {
            match &self.entries {
                Entries::Short(entries) => {
                    for &entry in self.row(source, part, entries) {
                        let (target, weight) = unpack_short(entry);
                        sums[target - first] += i32::from(weight) * factor;
                    }
                }
                Entries::Packed(entries) => {
                    for &entry in self.row(source, part, entries) {
                        let (target, weight) = unpack(entry);
                        sums[target - first] += i32::from(weight) * factor;
                    }
                }
                Entries::Pairs(entries) => {
                    for &(target, weight) in self.row(source, part, entries) {
                        sums[target as usize - first] += weight * factor;
                    }
                }
            }
        }
    }

    /// Adds packed synapses to sums of one width.
    fn add_packed<A: AddAssign>(
        &self,
        active: &[u32],
        part: Part,
        entries: &[u32],
        sums: &mut [A],
        widen: impl Fn(i8) -> A,
    ) {
        // Spares the populations that are not cut a subtraction for each synapse.
        match part.first() {
            0 => self.ahead(active, part, entries, |entry| {
                let (target, weight) = unpack(entry);
                sums[target] += widen(weight);
            }),
            first => self.ahead(active, part, entries, |entry| {
                let (target, weight) = unpack(entry);
                sums[target - first] += widen(weight);
            }),
        }
    }

    /// Visits the packed synapses of `active` sources.
    #[expect(clippy::inline_always, reason = "the loop around `add`")]
    #[inline(always)]
    fn ahead(&self, active: &[u32], part: Part, entries: &[u32], mut add: impl FnMut(u32)) {
        for group in active.chunks(self.together(part.of())) {
            let mut fetched = 0;
            for row in group.iter().map(|&s| self.row(s, part, entries)) {
                for line in row.chunks(LINE) {
                    fetched |= line[0];
                }
            }
            black_box(fetched);
            for row in group.iter().map(|&s| self.row(s, part, entries)) {
                row.iter().copied().for_each(&mut add);
            }
        }
    }

    /// Synapses of a source into a part; a population that is not cut reads those into all parts.
    fn row<'a, E>(&self, source: u32, part: Part, entries: &'a [E]) -> &'a [E] {
        let step = self.parts / part.of();
        let place = source as usize * self.parts + part.index() * step;
        &entries[self.start[place] as usize..self.start[place + step] as usize]
    }
}

/// Target and weight of a short synapse.
#[expect(clippy::inline_always, reason = "the body of the innermost loop")]
#[inline(always)]
fn unpack_short(entry: u32) -> (usize, i16) {
    let [low, high, to_low, to_high] = entry.to_le_bytes();
    (usize::from(u16::from_le_bytes([to_low, to_high])), i16::from_le_bytes([low, high]))
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
    start: &[u32],
    parts: &[Part],
    row_start: &[u32],
    col: &[u32],
    entry: impl Fn(u32, usize) -> E,
) -> Vec<E> {
    let mut free = start.to_vec();
    let mut entries = vec![E::default(); col.len()];
    let mut rows = (0_u32..).zip(row_start.windows(2));
    for part in parts {
        for (row, range) in rows.by_ref().take(part.len()) {
            for i in range[0] as usize..range[1] as usize {
                let place = &mut free[col[i] as usize * parts.len() + part.index()];
                entries[*place as usize] = entry(row, i);
                *place += 1;
            }
        }
    }
    entries
}
