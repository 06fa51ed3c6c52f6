//! Dense matrices: one narrow row of weights per source.

use super::part::Part;
use super::simd::wide;

/// Largest sum that 16 bits hold.
pub(super) const HALVES: u64 = i16::MAX as u64;

/// Rows that are added in 16 bits before the sums are widened: 255 · 128 < 2^15.
const NARROW: usize = 255;

/// Weights `[source, target]`.
pub(super) struct Rows {
    /// Targets.
    width: usize,
    weights: Weights,
}

/// In the narrowest integers that hold them.
enum Weights {
    Bytes(Vec<i8>),
    Halves(Vec<i16>),
    Words(Vec<i32>),
}

/// Rows of weights, cut to the targets that are wanted.
#[derive(Clone, Copy)]
struct Cut<'a, W> {
    weights: &'a [W],
    width: usize,
    first: usize,
    len: usize,
}

impl<'a, W> Cut<'a, W> {
    #[expect(clippy::inline_always, reason = "is compiled with the vectors of its caller")]
    #[inline(always)]
    fn row(self, source: u32) -> &'a [W] {
        &self.weights[source as usize * self.width + self.first..][..self.len]
    }
}

impl Rows {
    /// Narrows `weights`, rows of `width`.
    pub(super) fn new(width: usize, weights: Vec<i32>) -> Self {
        let bytes = narrow(&weights).map(Weights::Bytes);
        let halves = || narrow(&weights).map(Weights::Halves);
        Self { width, weights: bytes.or_else(halves).unwrap_or(Weights::Words(weights)) }
    }

    /// Targets.
    pub(super) const fn width(&self) -> usize {
        self.width
    }

    fn cut<'a, W>(&self, weights: &'a [W], part: Part) -> Cut<'a, W> {
        Cut { weights, width: self.width, first: part.first(), len: part.len() }
    }

    /// Adds the rows of `active` sources to `sums`, one per target of `part`.
    pub(super) fn add(&self, active: &[u32], part: Part, partial: &mut Vec<i16>, sums: &mut [i32]) {
        match &self.weights {
            Weights::Bytes(weights) => {
                let rows = self.cut(weights, part);
                partial.clear();
                partial.resize(sums.len(), 0);
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
            Weights::Halves(weights) => wide(
                #[inline(always)]
                || add_rows(self.cut(weights, part), active, sums, i32::from),
            ),
            Weights::Words(weights) => wide(
                #[inline(always)]
                || add_rows(self.cut(weights, part), active, sums, |w| w),
            ),
        }
    }

    /// Adds the rows of `active` sources, each times its factor.
    pub(super) fn add_scaled(&self, active: &[u32], factors: &[i32], part: Part, sums: &mut [i32]) {
        wide(
            #[inline(always)]
            || match &self.weights {
                Weights::Bytes(w) => add_scaled(self.cut(w, part), active, factors, sums),
                Weights::Halves(w) => add_scaled(self.cut(w, part), active, factors, sums),
                Weights::Words(w) => add_scaled(self.cut(w, part), active, factors, sums),
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
    cut: Cut<'_, W>,
    active: &[u32],
    sums: &mut [A],
    widen: impl Fn(W) -> A,
) {
    let (fours, rest) = active.as_chunks::<4>();
    for &[a, b, c, d] in fours {
        let [a, b, c, d] = [a, b, c, d].map(
            #[inline(always)]
            |source| cut.row(source),
        );
        let rows = a.iter().zip(b).zip(c.iter().zip(d));
        for (sum, ((a, b), (c, d))) in sums.iter_mut().zip(rows) {
            *sum = *sum + ((widen(*a) + widen(*b)) + (widen(*c) + widen(*d)));
        }
    }
    for &source in rest {
        for (sum, w) in sums.iter_mut().zip(cut.row(source)) {
            *sum = *sum + widen(*w);
        }
    }
}

#[expect(clippy::inline_always, reason = "is compiled with the vectors of its caller")]
#[inline(always)]
fn add_scaled<W: Copy + Into<i32>>(
    cut: Cut<'_, W>,
    active: &[u32],
    factors: &[i32],
    sums: &mut [i32],
) {
    for (&source, &factor) in active.iter().zip(factors) {
        for (sum, &w) in sums.iter_mut().zip(cut.row(source)) {
            *sum += w.into() * factor;
        }
    }
}
