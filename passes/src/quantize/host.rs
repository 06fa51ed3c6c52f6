//! Currents of directly coded inputs, which the host computes from each sample and writes as biases.

use super::canonical::Term;
use super::sums::Span;
use crate::linear::DENSE_LIMIT;
use snnc_ir::Diagnostic;
use snnc_ir::arena::NodeId;
use snnc_ir::diag::codes::quantize as codes;
use snnc_ir::network::NetworkDraft;
use snnc_ir::quantized::{Structure, current_bounds};

/// A current from a directly coded input, constant over a run.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// The input.
    pub input: NodeId,
    /// Layout of the weights.
    pub structure: Structure,
    /// Weights.
    pub weights: Vec<f32>,
    /// Smallest and largest current of each neuron over all samples in range.
    pub bounds: Vec<(f64, f64)>,
    /// Smallest and largest value of a sample.
    range: [i32; 2],
}

impl Sample {
    /// The current that `term` reads from a directly coded input with this range; `names` are those
    /// of the population and the input.
    ///
    /// # Errors
    /// If the input is read with a delay.
    pub(super) fn new(
        network: &NetworkDraft,
        term: &Term,
        range: [i32; 2],
        names: (&str, &str),
    ) -> Result<Self, Diagnostic> {
        if term.delay > 0 {
            return Err(delayed(names, term.delay));
        }
        let weights = network.tensors[term.weight].data.clone();
        Ok(Self::bounded(term.source, term.structure.clone(), weights, range))
    }

    fn bounded(input: NodeId, structure: Structure, weights: Vec<f32>, range: [i32; 2]) -> Self {
        let bound = |row| current_bounds(&structure, &weights, row, range);
        let bounds = (0..structure.rows()).map(bound).collect();
        Self { input, structure, weights, bounds, range }
    }

    /// Adds another current from the same input.
    ///
    /// # Errors
    /// If the layouts differ and a matrix that holds both is too large.
    pub(super) fn join(&mut self, other: &Self, names: (&str, &str)) -> Result<(), Diagnostic> {
        let (rows, cols) = (self.structure.rows(), self.structure.cols());
        let sum = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a + b).collect();
        let (structure, weights) = if self.structure == other.structure {
            (self.structure.clone(), sum(&self.weights, &other.weights))
        } else {
            let extents = (u32::try_from(rows), u32::try_from(cols));
            let (Ok(dense_rows), Ok(dense_cols)) = extents else {
                return Err(two_layers(names));
            };
            if rows.saturating_mul(cols) > DENSE_LIMIT {
                return Err(two_layers(names));
            }
            let structure = Structure::Dense { rows: dense_rows, cols: dense_cols };
            (structure, sum(&self.expand(rows, cols), &other.expand(rows, cols)))
        };
        *self = Self::bounded(self.input, structure, weights, self.range);
        Ok(())
    }

    fn expand(&self, rows: usize, cols: usize) -> Vec<f32> {
        let mut dense = vec![0.0; rows * cols];
        for row in 0..rows {
            self.structure.for_row(row, |col, index| dense[row * cols + col] = self.weights[index]);
        }
        dense
    }

    /// Largest absolute current.
    pub(super) fn reach(&self) -> f64 {
        self.bounds.iter().fold(0.0, |m: f64, (low, high)| m.max(-low).max(*high))
    }

    /// What the host may add to the bias of neuron `n` at this scale.
    pub(super) fn span(&self, n: usize, scale: f64) -> Span {
        let units = |x: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "saturates far beyond any register"
            )]
            {
                (x * scale).round_ties_even() as i64
            }
        };
        Span { low: units(self.bounds[n].0), high: units(self.bounds[n].1) }
    }
}

fn delayed((population, input): (&str, &str), delay: u32) -> Diagnostic {
    Diagnostic::error(
        codes::DIRECT_DELAY,
        format!(
            "population `{population}` reads the directly coded input `{input}` {delay} steps late"
        ),
    )
    .at(format!("population `{population}`"))
    .note("the host writes the current of a sample to biases, which act from the first step on")
    .help("read the input without delay, or code it as `events`, `accumulator` or `rate`")
}

fn two_layers((population, input): (&str, &str)) -> Diagnostic {
    Diagnostic::error(
        codes::DIRECT_TWICE,
        format!("population `{population}` reads the directly coded input `{input}` through two layers of different layout"),
    )
    .at(format!("population `{population}`"))
    .note(format!("as one matrix they have more than {DENSE_LIMIT} weights"))
    .help("join the layers into one")
}
