//! Dense matrices: one narrow row of weights per source.

use super::simd::wide;

/// Largest sum that 16 bits hold.
pub(super) const HALVES: u64 = i16::MAX as u64;

/// Rows that are added in 16 bits before the sums are widened: 255 · 128 < 2^15.
const NARROW: usize = 255;

/// Weights `[source, target]` in the narrowest integers that hold them.
pub(super) enum Rows {
    Bytes(Vec<i8>),
    Halves(Vec<i16>),
    Words(Vec<i32>),
}

impl Rows {
    /// Narrows `weights`.
    pub(super) fn new(weights: Vec<i32>) -> Self {
        let bytes = narrow(&weights).map(Self::Bytes);
        let halves = || narrow(&weights).map(Self::Halves);
        bytes.or_else(halves).unwrap_or(Self::Words(weights))
    }

    /// Adds the rows of `active` sources to `sums`, one per target.
    pub(super) fn add(&self, active: &[u32], partial: &mut Vec<i16>, sums: &mut [i32]) {
        let width = sums.len();
        match self {
            Self::Bytes(rows) => {
                partial.clear();
                partial.resize(width, 0);
                for part in active.chunks(NARROW) {
                    wide(
                        #[inline(always)]
                        || {
                            partial.fill(0);
                            add_rows(rows, part, partial, i16::from);
                            for (sum, p) in sums.iter_mut().zip(&*partial) {
                                *sum += i32::from(*p);
                            }
                        },
                    );
                }
            }
            Self::Halves(rows) => wide(
                #[inline(always)]
                || add_rows(rows, active, sums, i32::from),
            ),
            Self::Words(rows) => wide(
                #[inline(always)]
                || add_rows(rows, active, sums, |w| w),
            ),
        }
    }

    /// Adds the rows of `active` sources, each times its factor.
    pub(super) fn add_scaled(&self, active: &[u32], factors: &[i32], sums: &mut [i32]) {
        wide(
            #[inline(always)]
            || match self {
                Self::Bytes(rows) => add_scaled(rows, active, factors, sums),
                Self::Halves(rows) => add_scaled(rows, active, factors, sums),
                Self::Words(rows) => add_scaled(rows, active, factors, sums),
            },
        );
    }
}

/// The values in a narrower type, if it holds all of them.
pub(super) fn narrow<T: TryFrom<i32>>(values: &[i32]) -> Option<Vec<T>> {
    values.iter().map(|&v| T::try_from(v).ok()).collect()
}

/// Adds four rows at a time, so that a sum is loaded and stored once for four weights.
#[expect(clippy::inline_always, reason = "is compiled with the vectors of its caller")]
#[inline(always)]
fn add_rows<W: Copy, A: Copy + std::ops::Add<Output = A>>(
    rows: &[W],
    active: &[u32],
    sums: &mut [A],
    widen: impl Fn(W) -> A,
) {
    let width = sums.len();
    let row = |source: u32| &rows[source as usize * width..][..width];
    let (fours, rest) = active.as_chunks::<4>();
    for &[a, b, c, d] in fours {
        let rows = row(a).iter().zip(row(b)).zip(row(c).iter().zip(row(d)));
        for (sum, ((a, b), (c, d))) in sums.iter_mut().zip(rows) {
            *sum = *sum + ((widen(*a) + widen(*b)) + (widen(*c) + widen(*d)));
        }
    }
    for &source in rest {
        for (sum, w) in sums.iter_mut().zip(row(source)) {
            *sum = *sum + widen(*w);
        }
    }
}

#[expect(clippy::inline_always, reason = "is compiled with the vectors of its caller")]
#[inline(always)]
fn add_scaled<W: Copy + Into<i32>>(rows: &[W], active: &[u32], factors: &[i32], sums: &mut [i32]) {
    let width = sums.len();
    for (&source, &factor) in active.iter().zip(factors) {
        let row = &rows[source as usize * width..][..width];
        for (sum, &w) in sums.iter_mut().zip(row) {
            *sum += w.into() * factor;
        }
    }
}
