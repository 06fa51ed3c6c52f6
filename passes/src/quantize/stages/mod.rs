//! Chains of plain relays: a projection kept as two or three matrices.
//!
//! ```text
//! spikes → [first] → relays → [second] → relays → [last] → neurons
//! ```
//!
//! A relay sends `m = (a + bias) >> shift`, rounded to nearest by a bias of `2^(shift − 1)`. Nothing but the
//! relays' readers knows the scale of its messages, so that it is free. With `K` integer weights per unit
//! of float, `k = K / 2^shift` messages stand for a unit:
//!
//! * The weights of a relay fill the bits of their groups, `K = fill · k_source` (spikes have `k = 1`), which
//!   depends on the tensor alone: a matrix that many chains share becomes the same integers in all of them.
//!   Sums of relays that read spikes are below the target's limit, which may lower `fill`.
//! * A relay that relays read has the smallest shift at which their sums stay below the limit.
//! * A relay that neurons read has the shift with the least error that [`traffic`] predicts for their membranes: a
//!   smaller one sends finer messages, and leaves fewer steps to the weights on them, for the sum of a step
//!   has so many bits and no more.
//! * The last matrix is scaled with its neurons, which are as free as those that read spikes alone. What arrives
//!   through the chain is bounded through the composed matrix ([`form`]).

pub(super) mod form;
mod plan;
pub(super) mod traffic;

pub(super) use plan::plan;

use super::choose::Rows;
use super::limits::Bound;
use super::matrix::Weights;
use super::member::Member;
use super::sums::{Border, Sent, Span, add};
use form::{Form, quotient};
use snnc_ir::quantized::Structure;
use snnc_ir::{Param, Shape, TargetSpec};
use traffic::Relay;

/// Plain relays that have their integers.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    /// Messages per unit of float.
    pub unit: f64,
    /// What they send as a function of spikes, in integers; `None` where only ranges are known.
    pub form: Option<Form>,
    /// The same in floats.
    pub float: Option<Form>,
    /// Ranges of their messages.
    pub sent: Sent,
    /// What they are expected to send, row by row.
    pub relays: Vec<Relay>,
    /// How what they send is correlated, row by row; empty where no neurons read them, or nothing is known.
    pub gram: Vec<f64>,
}

impl Stage {
    /// Adds what may arrive from these relays over a projection to the sums of its targets: what composed
    /// rows bound, or ranges of messages where those are narrower.
    pub(super) fn add(&self, structure: &Structure, weights: &Weights, sums: &mut [Span]) {
        let mut ranges = vec![Span::default(); sums.len()];
        add(structure, weights, &self.sent, Border::Whole, &mut ranges);
        #[expect(clippy::cast_precision_loss, reason = "integer weights have at most 15 bits")]
        let at = |i: usize| weights.at(i) as f64;
        let composed =
            self.form.as_ref().and_then(|form| Some((form.reach(structure, at)?, form.shift)));
        if let Some((ends, shift)) = composed {
            let area = (ranges.len() / ends.len().max(1)).max(1);
            for (n, range) in ranges.iter_mut().enumerate() {
                *range = range.common(quotient(ends[n / area], shift));
            }
        }
        sums.iter_mut().zip(ranges).for_each(|(sum, range)| *sum = sum.plus(range));
    }
}

/// Room that rounding needs below a limit that sums of unrounded weights just reach.
const ROOM: f64 = 0.998;

/// The scale at which the sums that chains bring to each neuron reach the limit of a step, as far as chains are
/// known; `reach` holds the smallest and largest current of the rows of each chain.
#[expect(clippy::cast_precision_loss, reason = "a register")]
pub(super) fn caps(
    member: &Member<'_>,
    reach: &[&Vec<(f64, f64)>],
    target: &TargetSpec,
) -> Vec<f64> {
    let (size, limit) = (member.shape.size(), Bound::Input.most(target) as f64 * ROOM);
    let of = |n: usize| {
        let rows = reach.iter().map(|rows| rows[n * rows.len() / size]);
        let (low, high) = rows.fold((0.0, 0.0), |(a, b), (low, high)| (a - low, b + high));
        let most = f64::max(low, high);
        if most > 0.0 { limit / most } else { f64::INFINITY }
    };
    (0..size).map(of).collect()
}

/// What a projection from plain relays reads, and what became of its chain.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    /// Messages per unit of float.
    pub unit: f64,
    /// What the relays are expected to send.
    pub relays: Vec<Relay>,
    /// Of the composed weights, where they are known.
    pub composed: Option<Composed>,
}

/// How far the composed weights of a chain are from those of the float network: root mean squares over that of
/// the weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Composed {
    /// Of the integer matrices multiplied.
    pub error: f64,
    /// Of one matrix of 8 bits instead, at the largest scale that its largest weight and the sum of a step allow.
    pub materialized: f64,
}

/// Composed weights that are looked at.
const SAMPLE: usize = 1 << 16;

/// The largest weight of a matrix of 8 bits.
const LARGEST: f64 = 127.0;

impl Heard {
    /// Of a projection between relays.
    pub(super) fn of(stage: &Stage) -> Self {
        Self { unit: stage.unit, relays: stage.relays.clone(), composed: None }
    }

    /// Of a projection into neurons with these float and integer weights, these scales, and at most this scale for
    /// one matrix.
    pub(super) fn new(
        stage: &Stage,
        (structure, values): (&Structure, &[f32]),
        weights: &Weights,
        (scale, shape): (&Param<f64>, &Shape),
        cap: f64,
    ) -> Self {
        let composed = || {
            let (exact, float) = (stage.form.as_ref()?, stage.float.as_ref()?);
            let rows = Rows::new(structure, values);
            let len = exact.len * (values.len() / rows.count().max(1) / exact.rows.max(1)).max(1);
            let most = (SAMPLE / len.max(1)).max(1);
            let sample: Vec<usize> = super::choose::strided(rows.count(), most).collect();
            let mut floats = vec![0.0; sample.len() * len];
            let mut integers = floats.clone();
            let put = |out: &mut [f64],
                       form: &Form,
                       (row, cell, first): (usize, usize, usize),
                       sums: &[f64]| {
                let start = row * len + cell * form.len + first;
                out[start..start + sums.len()].copy_from_slice(sums);
            };
            float.compose(
                structure,
                |i| f64::from(values[i]),
                &sample,
                |row, cell, first, sums| {
                    put(&mut floats, float, (row, cell, first), sums);
                },
            )?;
            #[expect(clippy::cast_precision_loss, reason = "integer weights have at most 15 bits")]
            exact.compose(
                structure,
                |i| weights.at(i) as f64,
                &sample,
                |row, cell, first, sums| {
                    put(&mut integers, exact, (row, cell, first), sums);
                },
            )?;
            let largest = floats.iter().fold(0.0_f64, |m, w| m.max(w.abs()));
            let one = cap.min(LARGEST / largest);
            let (mut squares, mut errors, mut rounding) = (0.0, 0.0, 0.0);
            for (at, &row) in sample.iter().enumerate() {
                let unit = scale.at(rows.neuron(row), shape) * f64::from(exact.shift).exp2();
                let line = at * len..(at + 1) * len;
                for (w, q) in floats[line.clone()].iter().zip(&integers[line]) {
                    let (chain, single) = (q / unit - w, (w * one).round_ties_even() / one - w);
                    squares += w * w;
                    errors += chain * chain;
                    rounding += single * single;
                }
            }
            let over = |x: f64| (x / squares).sqrt();
            (squares > 0.0).then(|| Composed { error: over(errors), materialized: over(rounding) })
        };
        Self { composed: composed(), ..Self::of(stage) }
    }
}
