//! From a problem to rows of integers and back into the layout of tensors.

use super::block::{Block, Coordinates};
use super::layout::Layout;
use super::problem::{BiasChoice, Choice, Gain, Problem, Refined, Row};
use super::statistics::Statistics;
use snnc_ir::quantized::Structure;

/// Products that count as one unit of work: those of a descent come from memory.
const PRODUCTS_PER_WORK: u64 = 16;

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

impl<'a> Descent<'a> {
    /// Prepares `problem`. Takes up to as much memory again as the statistics.
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

/// A weight within its range.
#[expect(clippy::cast_possible_truncation, reason = "the ranges of weights are those of i16")]
const fn narrow(q: i32) -> i16 {
    q as i16
}
