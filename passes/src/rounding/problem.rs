//! What is to be rounded, and what came of it.

/// What is to be rounded: the terms of a layout, the bias, and how.
///
/// The weight of stored index `i` in row `j` of a term is `q << exponent` in units of weight, which
/// stands for the float weight `q · 2^exponent / scales[j]`.
#[derive(Clone, Debug)]
pub struct Problem<'a> {
    /// The terms, in the order of the layout.
    pub terms: Vec<TermProblem<'a>>,
    /// The bias; `None` if its rounding is not to be weighed.
    pub bias: Option<BiasProblem<'a>>,
    /// Units of weight per unit of float weight, row by row; above 0
    /// ([`Layout::row_values`](super::Layout::row_values)).
    pub scales: &'a [f64],
    /// How to round.
    pub options: Options,
}

/// The weights of a term.
#[derive(Clone, Copy, Debug)]
pub struct TermProblem<'a> {
    /// Float weights, in the order in which they are stored. A weight of exactly 0 is no synapse, and
    /// stays 0 where it is free.
    pub weights: &'a [f32],
    /// Exponent of the step between neighboring weights.
    pub exponent: u8,
    /// What may change.
    pub choice: Choice<'a>,
}

/// Which integers a term may take.
#[derive(Clone, Copy, Debug)]
pub enum Choice<'a> {
    /// Any within the range.
    Free {
        /// Smallest and largest integer, in steps; 0 lies between.
        range: [i16; 2],
        /// Where to start, weight by weight (clamped to the range); `None` = the nearest integers.
        start: Option<&'a [i16]>,
    },
    /// These: they were decided elsewhere. Free weights make up for their errors.
    Fixed(&'a [i16]),
}

/// The bias.
#[derive(Clone, Copy, Debug)]
pub struct BiasProblem<'a> {
    /// Float bias, row by row.
    pub values: &'a [f32],
    /// What may change.
    pub choice: BiasChoice<'a>,
}

/// Which integers a bias may take, in units of weight.
#[derive(Clone, Copy, Debug)]
pub enum BiasChoice<'a> {
    /// Any within the range (ascending), from the nearest integer on.
    Free([i32; 2]),
    /// These, row by row.
    Fixed(&'a [i32]),
}

/// How to round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Price of leaving the float weight: `ridge · (mean of diag H) · ‖ŵ − w‖²` is added, so that
    /// correlations that were seen in a few samples only do not move weights far.
    pub ridge: f64,
    /// Most rounds over all weights of a row; few rows need that many to come to rest.
    pub sweeps: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { ridge: 0.5, sweeps: 100 }
    }
}

/// The integers of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Weights in steps, term by term, in the order in which the row stores them.
    pub weights: Vec<Vec<i16>>,
    /// Bias in units of weight, if the problem had one.
    pub bias: Option<i32>,
    /// What was gained.
    pub gain: Gain,
}

/// The integers.
#[derive(Clone, Debug, PartialEq)]
pub struct Refined {
    /// Weights in steps, term by term, in the order in which they are stored.
    pub weights: Vec<Vec<i16>>,
    /// Biases in units of weight, row by row, if the problem had one.
    pub bias: Option<Vec<i32>>,
    /// What each row gained.
    pub rows: Vec<Gain>,
}

/// Mean squared error of a row's membrane over all vectors, in units of the float membrane. Without the
/// price of the ridge.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gain {
    /// Where it started.
    pub before: f64,
    /// Where it ended. Never above `before` if it started at the nearest integers.
    pub after: f64,
    /// Weights (and bias) that left their start.
    pub moved: usize,
    /// Units of work done.
    pub work: u64,
}

impl Refined {
    /// Mean of [`Gain::before`] over the rows; 0 without rows.
    pub fn before(&self) -> f64 {
        mean(self.rows.iter().map(|r| r.before))
    }

    /// Mean of [`Gain::after`] over the rows; 0 without rows.
    pub fn after(&self) -> f64 {
        mean(self.rows.iter().map(|r| r.after))
    }

    /// Units of work done.
    pub fn work(&self) -> u64 {
        self.rows.iter().map(|r| r.work).sum()
    }
}

#[expect(clippy::cast_precision_loss, reason = "rows are far fewer than 2^52")]
fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<f64>() / count
}
