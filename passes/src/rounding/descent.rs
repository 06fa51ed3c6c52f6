//! Coordinate descent over the integers of each row.

use super::layout::Layout;
use super::moments::Moments;
use super::problem::{BiasChoice, Choice, Gain, Problem, Refined, Row};
use super::statistics::{PRODUCTS_PER_WORK, Statistics};
use snnc_ir::quantized::Structure;

/// A move must gain more than this share of what a whole step costs: ties stay, and rounding errors of
/// sums move nothing.
const SHARE: f64 = 1e-9;

/// Rounds every row of `problem`, one after the other.
///
/// # Panics
/// As [`Descent::new`].
pub fn refine(statistics: &Statistics<'_>, problem: &Problem<'_>) -> Refined {
    let descent = Descent::new(statistics, problem);
    let rows = (0..descent.rows()).map(|row| descent.row(row)).collect();
    descent.assemble(rows)
}

/// A problem made ready: rows are independent and may be rounded in any order, on any thread.
#[derive(Clone, Debug)]
pub struct Descent<'a> {
    layout: &'a Layout,
    problem: &'a Problem<'a>,
    /// By class, by block.
    blocks: Vec<Vec<Block<'a>>>,
    vectors: f64,
}

/// The sums of one block, in the form that the descent reads.
#[derive(Clone, Debug)]
struct Block<'a> {
    /// H, row-major.
    own: Vec<f64>,
    moments: &'a Moments,
    ridge: f64,
}

/// The integers of a row as the descent sees them, column by column.
struct Coordinates {
    /// Float weights.
    weight: Vec<f64>,
    /// Float value of an integer step.
    step: Vec<f64>,
    q: Vec<i32>,
    /// Range of the integer; both ends are `q` where it is fixed.
    range: Vec<[i32; 2]>,
}

impl<'a> Descent<'a> {
    /// Prepares `problem`.
    ///
    /// # Panics
    /// If the problem does not fit the layout of the statistics: the number of terms, weights, integers,
    /// scales or biases, a scale that is not above 0, a range without 0.
    pub fn new(statistics: &'a Statistics<'_>, problem: &'a Problem<'a>) -> Self {
        let layout = statistics.layout();
        check(layout, problem);
        let classes = 0..layout.classes().len();
        let blocks = classes.map(|class| {
            let sums = statistics.moments(class).iter().zip(layout.blocks());
            sums.map(|(moments, columns)| {
                let weights = layout.bias().min(columns.end) - columns.start;
                Block::new(moments, columns.len(), weights, problem.options.ridge)
            })
            .collect()
        });
        #[expect(clippy::cast_precision_loss, reason = "vectors are far fewer than 2^52")]
        let vectors = statistics.vectors().max(1) as f64;
        Self { layout, problem, blocks: blocks.collect(), vectors }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.layout.rows()
    }

    /// Rounds one row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, row: usize) -> Row {
        let mut all = self.coordinates(row);
        let start = all.q.clone();
        let mut gain = Gain::default();
        let mut products = 0;
        for (block, columns) in self.blocks[self.layout.class(row)].iter().zip(self.layout.blocks())
        {
            let mut part = all.part(columns.clone());
            let [before, after] =
                block.descend(&mut part, self.problem.options.sweeps, &mut products);
            all.q[columns.clone()].copy_from_slice(&part.q);
            gain.before += before / self.vectors;
            gain.after += after / self.vectors;
        }
        gain.moved = all.q.iter().zip(&start).filter(|(q, start)| q != start).count();
        gain.work = products / PRODUCTS_PER_WORK;
        let weights = (0..self.layout.terms().len()).map(|term| {
            let mut weights = Vec::new();
            self.layout.for_row(term, row, |column, _| weights.push(narrow(all.q[column])));
            weights
        });
        let bias = self.problem.bias.map(|_| all.q[self.layout.bias()]);
        Row { weights: weights.collect(), bias, gain }
    }

    /// Puts the rows, in their order, into the layout of the tensors.
    ///
    /// # Panics
    /// If a row is missing.
    pub fn assemble(&self, rows: Vec<Row>) -> Refined {
        assert_eq!(rows.len(), self.rows(), "rows");
        let terms = self.problem.terms.iter();
        let mut weights: Vec<_> = terms.map(|t| vec![0; t.weights.len()]).collect();
        for (number, row) in rows.iter().enumerate() {
            for (term, (weights, from)) in weights.iter_mut().zip(&row.weights).enumerate() {
                let mut from = from.iter();
                self.layout.for_row(term, number, |_, index| {
                    weights[index] = from.next().copied().unwrap_or(0);
                });
            }
        }
        let bias = self.problem.bias.map(|_| rows.iter().map(|r| r.bias.unwrap_or(0)).collect());
        Refined { weights, bias, rows: rows.into_iter().map(|r| r.gain).collect() }
    }

    /// Where a row starts.
    fn coordinates(&self, row: usize) -> Coordinates {
        let (problem, layout) = (self.problem, self.layout);
        let unit = 1.0 / problem.scales[row];
        let mut all = Coordinates::new(layout.columns());
        for (term, of) in problem.terms.iter().enumerate() {
            let step = unit * f64::from(2.0_f32.powi(i32::from(of.exponent)));
            layout.for_row(term, row, |column, index| {
                let weight = f64::from(of.weights[index]);
                match of.choice {
                    Choice::Fixed(q) => all.fix(column, weight, step, i32::from(q[index])),
                    Choice::Free { .. } if weight == 0.0 => all.fix(column, weight, step, 0),
                    Choice::Free { range, start } => {
                        let start = start.map(|q| i32::from(q[index]));
                        all.free(column, weight, step, range.map(i32::from), start);
                    }
                }
            });
        }
        if let Some(bias) = problem.bias {
            let (column, value) = (layout.bias(), f64::from(bias.values[row]));
            match bias.choice {
                BiasChoice::Fixed(q) => all.fix(column, value, unit, q[row]),
                BiasChoice::Free(range) => all.free(column, value, unit, range, None),
            }
        }
        all
    }
}

/// Asserts that the problem fits the layout.
fn check(layout: &Layout, problem: &Problem<'_>) {
    assert_eq!(problem.terms.len(), layout.terms().len(), "terms");
    for (problem, term) in problem.terms.iter().zip(layout.terms()) {
        let stored = match &term.structure {
            Structure::Conv(conv) => conv.kernel_size(),
            matrix => matrix.stored(),
        };
        assert_eq!(problem.weights.len(), stored, "weights of a term");
        match problem.choice {
            Choice::Fixed(q) | Choice::Free { start: Some(q), .. } => {
                assert_eq!(q.len(), stored, "integers of a term");
            }
            Choice::Free { start: None, .. } => {}
        }
        if let Choice::Free { range: [low, high], .. } = problem.choice {
            assert!(low <= 0 && high >= 0, "a range without 0");
        }
    }
    assert_eq!(problem.scales.len(), layout.rows(), "scales");
    assert!(problem.scales.iter().all(|s| s.is_finite() && *s > 0.0), "scales above 0");
    if let Some(bias) = problem.bias {
        assert_eq!(bias.values.len(), layout.rows(), "biases");
        match bias.choice {
            BiasChoice::Fixed(q) => assert_eq!(q.len(), layout.rows(), "integers of the bias"),
            BiasChoice::Free([low, high]) => assert!(low <= high, "an empty range"),
        }
    }
}

impl Coordinates {
    /// Columns that the row does not read: weight 0, fixed to 0.
    fn new(columns: usize) -> Self {
        Self {
            weight: vec![0.0; columns],
            step: vec![1.0; columns],
            q: vec![0; columns],
            range: vec![[0; 2]; columns],
        }
    }

    fn fix(&mut self, column: usize, weight: f64, step: f64, q: i32) {
        (self.weight[column], self.step[column]) = (weight, step);
        (self.q[column], self.range[column]) = (q, [q; 2]);
    }

    fn free(
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

    fn part(&self, columns: std::ops::Range<usize>) -> Self {
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
    fn new(moments: &'a Moments, columns: usize, weights: usize, ridge: f64) -> Self {
        let own = moments.own.full();
        // The bias is heard all the time and would make the ridge of rarely heard weights too high.
        let heard = (0..weights).map(|i| own[i * columns + i]).filter(|h| *h > 0.0);
        let (sum, count) = heard.fold((0.0, 0_u32), |(sum, n), h| (sum + h, n + 1));
        Self { own, moments, ridge: ridge * sum / f64::from(count.max(1)) }
    }

    /// Descends; returns `Σ (ŵ·x − w·y)²` before and after.
    fn descend(&self, at: &mut Coordinates, sweeps: u32, products: &mut u64) -> [f64; 2] {
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
        // Half the gradient with respect to the float weights.
        let mut gradient: Vec<f64> = (self.own.chunks_exact(n).zip(errors.iter().zip(&pull)))
            .map(|(row, (error, pull))| dot(row, &errors) + self.ridge * error - pull)
            .collect();
        *products += 3 * (n * n) as u64;
        for _ in 0..sweeps {
            let mut moved = false;
            for k in 0..n {
                let [low, high] = at.range[k];
                if low == high {
                    continue;
                }
                let step = at.step[k];
                let curvature = (self.own[k * n + k] + self.ridge) * step * step;
                let slope = gradient[k] * step;
                let best = (-slope / curvature).round_ties_even();
                let q = f64::from(at.q[k]);
                let by = best.clamp(f64::from(low) - q, f64::from(high) - q);
                // Not a number where nothing was ever heard: nothing moves.
                if -by * (2.0 * slope + by * curvature) > SHARE * curvature {
                    at.q[k] = integer(q + by);
                    let change = by * step;
                    let column = &self.own[k * n..(k + 1) * n];
                    gradient.iter_mut().zip(column).for_each(|(g, h)| *g += change * h);
                    gradient[k] += change * self.ridge;
                    *products += n as u64;
                    moved = true;
                }
            }
            if !moved {
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

/// What is minimized, up to a constant.
#[derive(Clone, Copy)]
struct Objective {
    /// Squared error of the membrane.
    error: f64,
    /// The same with the ridge.
    price: f64,
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

/// A weight within its range.
#[expect(clippy::cast_possible_truncation, reason = "the ranges of weights are those of i16")]
const fn narrow(q: i32) -> i16 {
    q as i16
}
