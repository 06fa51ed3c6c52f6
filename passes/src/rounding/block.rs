//! Descent over the integers of one row, in one block of columns.
//!
//! Two kinds of moves, both by whole steps: one integer goes to its optimum, given all others; where no
//! integer gains alone, two that are strongly correlated move by a step each. The second kind pays: on
//! the networks of the examples it lowers the mean squared error by another quarter, and trying only
//! the [`PARTNERS`] most correlated columns finds what trying all of them does.

use super::moments::Moments;
use std::ops::Range;

/// A move must gain more than this share of what a whole step costs: ties stay, and rounding errors of
/// sums move nothing.
const SHARE: f64 = 1e-9;

/// Columns that a column is paired with.
const PARTNERS: usize = 32;

/// The sums of one block, in the form that the descent reads.
#[derive(Clone, Debug)]
pub(super) struct Block<'a> {
    /// H, row-major.
    own: Vec<f64>,
    /// The most correlated other columns of each column, ascending.
    partners: Vec<Vec<usize>>,
    moments: &'a Moments,
    ridge: f64,
}

/// The integers of a row, column by column.
pub(super) struct Coordinates {
    /// Float weights.
    weight: Vec<f64>,
    /// Float value of an integer step.
    step: Vec<f64>,
    pub(super) q: Vec<i32>,
    /// Range of the integer; both ends are `q` where it is fixed.
    range: Vec<[i32; 2]>,
}

impl Coordinates {
    /// Columns that the row does not read: weight 0, fixed to 0.
    pub(super) fn new(columns: usize) -> Self {
        Self {
            weight: vec![0.0; columns],
            step: vec![1.0; columns],
            q: vec![0; columns],
            range: vec![[0; 2]; columns],
        }
    }

    /// Decides a column.
    pub(super) fn fix(&mut self, column: usize, weight: f64, step: f64, q: i32) {
        (self.weight[column], self.step[column]) = (weight, step);
        (self.q[column], self.range[column]) = (q, [q; 2]);
    }

    /// Leaves a column free, from `start` or else the nearest integer on.
    pub(super) fn free(
        &mut self,
        column: usize,
        weight: f64,
        step: f64,
        [low, high]: [i32; 2],
        start: Option<i32>,
    ) {
        let nearest = integer((weight / step).round_ties_even());
        (self.weight[column], self.step[column]) = (weight, step);
        self.q[column] = start.unwrap_or(nearest).clamp(low, high);
        self.range[column] = [low, high];
    }

    /// Some of the columns.
    pub(super) fn part(&self, columns: Range<usize>) -> Self {
        Self {
            weight: self.weight[columns.clone()].to_vec(),
            step: self.step[columns.clone()].to_vec(),
            q: self.q[columns.clone()].to_vec(),
            range: self.range[columns].to_vec(),
        }
    }

    /// What each column is off by, in float units.
    fn errors(&self) -> Vec<f64> {
        let columns = self.q.iter().zip(&self.step).zip(&self.weight);
        columns.map(|((&q, step), weight)| f64::from(q) * step - weight).collect()
    }
}

impl<'a> Block<'a> {
    /// `columns` of which the first `weights` are weights (the last may be the bias).
    pub(super) fn new(moments: &'a Moments, columns: usize, weights: usize, ridge: f64) -> Self {
        let own = moments.own.full();
        // The bias is heard all the time and would make the ridge of rarely heard weights too high.
        let heard = (0..weights).map(|i| own[i * columns + i]).filter(|h| *h > 0.0);
        let (sum, count) = heard.fold((0.0, 0_u32), |(sum, n), h| (sum + h, n + 1));
        let partners = (0..columns).map(|i| partners(&own, columns, i)).collect();
        Self { own, partners, moments, ridge: ridge * sum / f64::from(count.max(1)) }
    }

    /// Descends; returns `Σ (ŵ·x − w·y)²` before and after.
    pub(super) fn descend(
        &self,
        at: &mut Coordinates,
        sweeps: u32,
        products: &mut u64,
    ) -> [f64; 2] {
        let n = at.q.len();
        // G w and wᵀE w.
        let (pull, constant) = match &self.moments.drift {
            Some(drift) => (
                drift.cross.chunks_exact(n).map(|row| dot(row, &at.weight)).collect(),
                drift.own.quadratic(&at.weight),
            ),
            None => (vec![0.0; n], 0.0),
        };
        let (start, errors) = (at.q.clone(), at.errors());
        let before = self.objective(&errors, &pull);
        let slopes = self.own.chunks_exact(n).zip(errors.iter().zip(&pull));
        let gradient = slopes
            .map(|(row, (error, pull))| dot(row, &errors) + self.ridge * error - pull)
            .collect();
        *products += 3 * (n * n) as u64;
        let diagonal = self.own.iter().step_by(n + 1).zip(&at.step);
        let curvature = diagonal.map(|(h, step)| (h + self.ridge) * step * step).collect();
        let mut walk = Walk { block: self, at, gradient, curvature, products };
        for _ in 0..sweeps {
            // Every column in turn; not `any`, which would stop at the first that moves.
            let alone = (0..n).filter(|&k| walk.alone(k)).count();
            if alone == 0 && (0..n).filter(|&k| walk.pair(k)).count() == 0 {
                break;
            }
        }
        let mut after = self.objective(&at.errors(), &pull);
        if after.price > before.price {
            // Only by rounding errors of the gradient.
            at.q = start;
            after = before;
        }
        [before.error + constant, after.error + constant].map(|e| e.max(0.0))
    }

    fn objective(&self, errors: &[f64], pull: &[f64]) -> Objective {
        let error = self.moments.own.quadratic(errors) - 2.0 * dot(errors, pull);
        Objective { error, price: error + self.ridge * dot(errors, errors) }
    }
}

/// The columns whose move best makes up for an error of column `i`: those of largest `H_ij² / H_jj`.
fn partners(own: &[f64], columns: usize, i: usize) -> Vec<usize> {
    let row = &own[i * columns..(i + 1) * columns];
    let others = (0..columns).filter(|&j| j != i && row[j] != 0.0);
    let mut rated: Vec<_> = others.map(|j| (row[j] * row[j] / own[j * columns + j], j)).collect();
    if rated.len() > PARTNERS {
        rated.select_nth_unstable_by(PARTNERS, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        rated.truncate(PARTNERS);
    }
    let mut partners: Vec<_> = rated.into_iter().map(|(_, j)| j).collect();
    partners.sort_unstable();
    partners
}

/// What is minimized, up to a constant.
#[derive(Clone, Copy)]
struct Objective {
    /// Squared error of the membrane.
    error: f64,
    /// The same with the ridge.
    price: f64,
}

/// A descent on its way.
struct Walk<'w> {
    block: &'w Block<'w>,
    at: &'w mut Coordinates,
    /// Half the gradient of the price with respect to the float weights.
    gradient: Vec<f64>,
    /// Curvature of the price along each integer.
    curvature: Vec<f64>,
    products: &'w mut u64,
}

impl Walk<'_> {
    /// Half the slope of the price along integer `k`: a move by `n` adds
    /// `2 · slope · n + curvature · n²`.
    fn slope(&self, k: usize) -> f64 {
        self.gradient[k] * self.at.step[k]
    }

    fn allows(&self, k: usize, by: i32) -> bool {
        let [low, high] = self.at.range[k];
        self.at.q[k].checked_add(by).is_some_and(|q| (low..=high).contains(&q))
    }

    /// Moves integer `k`.
    fn shift(&mut self, k: usize, to: i32) {
        let change = (f64::from(to) - f64::from(self.at.q[k])) * self.at.step[k];
        let n = self.gradient.len();
        let column = &self.block.own[k * n..(k + 1) * n];
        self.gradient.iter_mut().zip(column).for_each(|(g, h)| *g += change * h);
        self.gradient[k] += change * self.block.ridge;
        self.at.q[k] = to;
        *self.products += n as u64;
    }

    /// Moves integer `k` to its optimum; whether it moved.
    fn alone(&mut self, k: usize) -> bool {
        let [low, high] = self.at.range[k].map(f64::from);
        let (slope, curvature) = (self.slope(k), self.curvature[k]);
        let q = f64::from(self.at.q[k]);
        let by = (-slope / curvature).round_ties_even().clamp(low - q, high - q);
        // False for what is not a number: where nothing was ever heard, nothing moves.
        let gains = -by * (2.0 * slope + by * curvature) > SHARE * curvature;
        if gains {
            self.shift(k, integer(q + by));
        }
        gains
    }

    /// Moves integer `k` and the partner with which that gains most by one step each; whether any pair
    /// gained.
    fn pair(&mut self, k: usize) -> bool {
        let [low, high] = self.at.range[k];
        if low == high {
            return false;
        }
        let block = self.block;
        let (slope, curvature) = (self.slope(k), self.curvature[k]);
        let row = &block.own[k * self.gradient.len()..];
        let mut best = SHARE * curvature;
        let mut found = None;
        for by in [-1, 1].into_iter().filter(|&by| self.allows(k, by)) {
            let own = -(2.0 * f64::from(by) * slope + curvature);
            let change = f64::from(by) * self.at.step[k];
            for &j in &block.partners[k] {
                // What the slope along j is after the first move, and the step against it.
                let theirs = self.slope(j) + change * row[j] * self.at.step[j];
                let against = if theirs > 0.0 { -1 } else { 1 };
                let gain = own + 2.0 * theirs.abs() - self.curvature[j];
                if gain > best && self.allows(j, against) {
                    (best, found) = (gain, Some((by, j, against)));
                }
            }
        }
        *self.products += 4 * block.partners[k].len() as u64;
        let Some((by, j, against)) = found else { return false };
        self.shift(k, self.at.q[k] + by);
        self.shift(j, self.at.q[j] + against);
        true
    }
}

/// `Σ a·b`, in four interleaved sums: a fixed order, and one that a processor computes fast.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let mut sums = [0.0; 4];
    for (a, b) in a.0.iter().zip(b.0) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    let rest: f64 = a.1.iter().zip(b.1).map(|(a, b)| a * b).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// A whole number as an integer; saturates.
#[expect(clippy::cast_possible_truncation, reason = "a cast that saturates is meant")]
const fn integer(whole: f64) -> i32 {
    whole as i32
}
