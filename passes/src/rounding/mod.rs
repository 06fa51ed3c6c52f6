//! Rounding that keeps the membrane: integers whose *sum over spikes* is close to the float current.
//!
//! Rounding each weight to the nearest step makes the error of every weight small and lets the errors
//! add up wherever sources fire together. Here the weights of one target neuron (of one channel of a
//! convolution) are rounded together. With `x` the leaky traces of its sources in the network whose
//! earlier populations are integers already, `y` the same traces in the float network, `w` the float
//! and `ŵ` the rounded weights, the membrane is off by `ŵ·x − w·y`, and the integers chosen make
//!
//! ```text
//! Σ (ŵ·x − w·y)²  =  δᵀH δ − 2 δᵀG w + wᵀE w        δ = ŵ − w, d = y − x
//! H = Σ x xᵀ,  G = Σ x dᵀ,  E = Σ d dᵀ              (C = Σ x yᵀ = H + G)
//! ```
//!
//! small, summed over samples, steps and (convolutions) output positions. A constant source that fires
//! in every step stands for the bias.
//!
//! H, G and E are shared by all rows, so traces know a neuron's own resets only on average
//! ([`shortened`]). Sums per row, with traces that end at the resets of the float neuron, with or
//! without weights for membranes close to the threshold, were tried on the networks of the examples:
//! they cost a matrix per row and agree no better in spikes. Two things matter: `y` (made of `x`, so that
//! earlier layers' errors stay, 2 bits lose much), and a [`ridge`](Options::ridge) of about a half.
//! A bias left free corrects the mean of a membrane that may be far from its threshold, and may
//! do harm where the prefix is far off; keep biases fixed unless spikes are seen to agree better.
//!
//! 1. [`families`] says which terms of a population's current are rounded together, and which are not
//!    rounded here at all (identities: one weight for all neurons; the nearest one is theirs).
//! 2. A [`Layout`] numbers the columns of a family.
//! 3. A [`Statistics`] sums H, G and E over spike trains. Chunks of samples may be summed apart and
//!    merged; with chunks of a fixed size merged in a fixed order the result does not depend on threads.
//! 4. [`refine`] rounds all rows; [`Descent::row`] one, for callers that spread rows over threads.
//!
//! A matrix that several populations share is rounded for the first of them and [fixed](Choice::Fixed)
//! for the others, whose free weights make up for it; several projections into one population that share
//! it are the [inputs](Term::inputs) of one term. Sparse matrices are treated by their stored entries.
//! Sums need [`Layout::bytes`] of memory; [`BLOCK`] bounds the columns that are correlated.
//!
//! Complexity: sums O(vectors · active columns²), rounding O(rows · columns²).
//!
//! ```
//! use snnc_ir::quantized::Structure;
//! use snnc_ir::spikes::SpikeTrain;
//! use snnc_passes::rounding::{
//!     Choice, Input, Layout, Options, Problem, Sampling, Statistics, Term, TermProblem, refine,
//! };
//!
//! // Two sources that fire together, one target with weights of 0.4 and 0.4 steps.
//! let term = Term {
//!     structure: Structure::Dense { rows: 1, cols: 2 },
//!     inputs: vec![Input { source: 0, delay: 0 }],
//! };
//! let layout = Layout::new(vec![term]).expect("terms of one kind");
//! let mut train = SpikeTrain::new(4, 2);
//! (0..4).step_by(2).for_each(|t| (0..2).for_each(|n| train.set(t, n)));
//!
//! let mut statistics = Statistics::new(&layout, 0.5, Sampling::ALL);
//! statistics.add(0, &[&train], &[&train]);
//!
//! let problem = Problem {
//!     terms: vec![TermProblem {
//!         weights: &[0.4, 0.4],
//!         exponent: 0,
//!         choice: Choice::Free { range: [-7, 7], start: None },
//!     }],
//!     bias: None,
//!     scales: &[1.0],
//!     options: Options::default(),
//! };
//! let refined = refine(&statistics, &problem);
//! // Nearest rounding silences the target: 0 + 0. Together 0.8 is closer to 1.
//! assert_eq!(refined.weights, [vec![1, 0]]);
//! assert!(refined.after() < refined.before());
//! ```

mod block;
mod descent;
mod layout;
mod moments;
mod problem;
mod statistics;
#[cfg(test)]
mod tests;
mod traces;

pub use descent::{Descent, refine};
pub use layout::{BLOCK, Input, Layout, Term, families};
pub use problem::{
    BiasChoice, BiasProblem, Choice, Gain, Options, Problem, Refined, Row, TermProblem,
};
pub use statistics::{Sampling, Statistics};
pub use traces::{Traces, shortened};
