//! Level 2: the network in integers.
//!
//! Populations joined by projections. One step of a neuron (the *integer contract*, CUBA LIF of
//! Loihi; `tz(x, k) = sign(x)·(|x| >> k)`, all other shifts are floor):
//!
//! ```text
//! a  = Σ weights of spikes that arrive now            weight = mantissa · 2^exponent, an integer
//! u' = tz(u · (4096 − (du + 1)), 12) + (a << 6)       du = 4095: no memory
//! v' = tz(v · (4096 − dv), 12) + u' + bias            bias in units of v
//! v' = max(v', floor)                                 where the neuron has a floor, which is ≤ 0
//! s  = v' > θ   (or v' ≥ θ, only before `strict-compare`)   θ in units of v
//! v' = 0 where s   (or v' − amount, only where the target's neuron is programmable)
//! ```
//!
//! A refractory neuron (`refractory = r ≥ 1`, 1 = none) holds `v = 0` (after a subtractive reset:
//! what remained) for `r − 1` further updates after a spike while its current keeps running.
//! `u = v = 0` before the first step.
//!
//! A floor acts in an update that computes the membrane, not while it is held, and before the
//! comparison; no threshold is below 0, so it decides no spike of its own step. What a subtractive
//! reset leaves is below the floor at most until the next update. The membrane keeps to its register
//! before the floor raises it: a sum that overflows is an overflow, with a floor or without.
//!
//! A [`Graded`] population has no state: `m = (a + bias) >> shift` (rounded down), clipped to one
//! sign, is sent as a message where it is not 0. A message counts as `m` spikes at once: what arrives
//! is `weight · m`. The shift is that of the sum: biases, static, of the host or from clocks, are in
//! units of weight, before it.
//!
//! A directly coded input sends nothing. It acts through [`HostBias`]: the host computes a current
//! from the sample, rounds it to units of weight and adds it to the biases of a population, where it
//! stays for the whole run.
//!
//! [`Time::Logical`]: a projection of delay `d` carries the spikes of step `t` to step `t + d`;
//! zero-delay projections form no cycle. [`Time::Hardware`]: every delay is at least 1, the bias of
//! a population acts in every step, and logical spike `(n, t)` is hardware spike
//! `(n, P·t + latency(n))`.
//!
//! u and v have 24 bits, of which −2^23 is not used; a message has 32. What leaves them is an *overflow*, of which
//! the contract does not speak: a run ends there. In hardware time a population goes on while later ones finish
//! their last logical step, the T-th. From step `P·T + latency` on, which is behind its own, nothing that it does
//! can be seen (what it sends arrives behind the last logical step of its targets), and an overflow ends no run: u,
//! v after each sum and subtraction, and messages stay at the end of their range that is nearest.

pub mod matrix;
pub mod messages;
pub mod population;
pub(crate) mod verify;

use crate::arena::{Arena, Entity, MatId, PopId, ProjId};
use crate::level::sealed;
pub use matrix::{IntMatrix, Sign, Structure, WEIGHT_FIELDS};
pub use population::{Graded, IntNeuron, IntReset, PopKind, Population, Role};
use serde::{Deserialize, Serialize};

/// An editable integer network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantizedDraft {
    /// Name of the network.
    pub name: String,
    /// Logical steps of one run.
    pub steps: u32,
    /// Logical time, or hardware time after the schedule pass.
    pub time: Time,
    /// Populations; names are unique.
    pub populations: Arena<PopId, Population>,
    /// Projections.
    pub projections: Arena<ProjId, Projection>,
    /// Integer matrices; one may serve many projections.
    pub matrices: Arena<MatId, IntMatrix>,
    /// What the host adds to biases, sample by sample; at most one entry per input and target.
    pub host: Vec<HostBias>,
    /// How spike counts become scores.
    pub readout: IntReadout,
}

sealed! {
    /// A verified integer network.
    QuantizedNetwork, QuantizedDraft, "quantized", verify::check
}

impl QuantizedDraft {
    /// Projections into `target`, in order.
    pub fn projections_into(&self, target: PopId) -> impl Iterator<Item = (ProjId, &Projection)> {
        self.projections.iter().filter(move |(_, p)| p.target == target)
    }

    /// Populations in an order in which every zero-delay projection goes forward, the smallest id
    /// first wherever there is a choice. In hardware time, where no delay is 0, that is the order of
    /// ids. `None` if zero-delay projections form a loop or name a population that does not exist
    /// (never in a verified network).
    pub fn order(&self) -> Option<Vec<PopId>> {
        let order = crate::graph::topological(self.populations.len(), &self.zero_delay_edges())?;
        Some(order.into_iter().map(PopId::new).collect())
    }

    /// Zero-delay projections as (source, target).
    fn zero_delay_edges(&self) -> Vec<(usize, usize)> {
        let zero = self.projections.values().filter(|p| p.delay == 0);
        zero.map(|p| (p.source.index(), p.target.index())).collect()
    }

    /// Id of the population called `name`.
    pub fn population_named(&self, name: &str) -> Option<PopId> {
        self.populations.iter().find(|(_, p)| p.name == name).map(|(id, _)| id)
    }

    /// Steps that a simulation of one run takes: logical steps, or `P·T + ℓ_max` hardware steps
    /// (so that the last logical step of every population is over).
    pub fn run_steps(&self) -> u64 {
        match &self.time {
            Time::Logical => u64::from(self.steps),
            Time::Hardware(s) => {
                let last = s.latency.iter().copied().max().unwrap_or(0);
                u64::from(s.period) * u64::from(self.steps) + u64::from(last)
            }
        }
    }
}

/// All synapses between two populations that share a matrix and a delay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Projection {
    /// Where spikes come from.
    pub source: PopId,
    /// Where they go.
    pub target: PopId,
    /// Weights: rows = neurons of the target, columns = neurons of the source.
    pub matrix: MatId,
    /// Steps from a spike to its arrival: logical (≥ 0) or hardware (≥ 1) by [`QuantizedDraft::time`].
    pub delay: u32,
}

/// A current that a directly coded input feeds into a population, constant over a run.
///
/// Neuron `n` gets `h(n) = rint(scale · Σ_i W[n][i] · x[i])` units of weight (64 units of membrane
/// each) on top of its bias: sums in f64, sources ascending, products `W · x` rounded to f64, one
/// multiplication by `scale`, rounded half to even.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostBias {
    /// A population of kind `Input(Direct { range: Some(_) })`; samples keep to the range.
    pub input: PopId,
    /// Neurons or graded relays; in hardware time of latency 0 and period 1.
    pub target: PopId,
    /// Layout of `weights`: rows = neurons of the target, columns = elements of the sample. Dense or
    /// convolution.
    pub structure: Structure,
    /// Weights; finite.
    pub weights: Vec<f32>,
    /// Units of weight per unit of current; finite, above 0.
    pub scale: f64,
}

impl HostBias {
    /// The bias of every neuron of the target, in units of weight.
    ///
    /// # Errors
    /// The first neuron whose bias leaves the range of i32, with the bias.
    ///
    /// # Panics
    /// If `sample` has fewer elements than the matrix has columns.
    pub fn biases(&self, sample: &[f32]) -> Result<Vec<i32>, (usize, f64)> {
        let rows = 0..self.structure.rows();
        rows.map(|row| {
            let mut sum = 0.0_f64;
            self.structure.for_row(row, |col, index| {
                sum += f64::from(self.weights[index]) * f64::from(sample[col]);
            });
            let units = (sum * self.scale).round_ties_even();
            let fits = units.abs() <= f64::from(i32::MAX);
            #[expect(clippy::cast_possible_truncation, reason = "checked to fit")]
            if fits { Ok(units as i32) } else { Err((row, units)) }
        })
        .collect()
    }

    /// Smallest and largest bias of neuron `row` over all samples within `range`, in units of weight.
    pub fn range(&self, row: usize, range: [i32; 2]) -> (f64, f64) {
        self.rounded(current_bounds(&self.structure, &self.weights, row, range))
    }

    /// Bounds of a current as bounds of the bias that it becomes.
    fn rounded(&self, (low, high): (f64, f64)) -> (f64, f64) {
        // Rounding is monotone, and so is every operation before: no sample leaves these bounds.
        ((low * self.scale).round_ties_even(), (high * self.scale).round_ties_even())
    }
}

/// Smallest and largest current that a directly coded input feeds into neuron `row` through these
/// weights, over all samples within `range`; summed in the order of [`HostBias::biases`].
pub fn current_bounds(
    structure: &Structure,
    weights: &[f32],
    row: usize,
    range: [i32; 2],
) -> (f64, f64) {
    let [low, high] = range.map(f64::from);
    let mut bounds = (0.0_f64, 0.0_f64);
    structure.for_row(row, |_, index| {
        let weight = f64::from(weights[index]);
        let (a, b) = (weight * low, weight * high);
        bounds.0 += a.min(b);
        bounds.1 += a.max(b);
    });
    bounds
}

/// Which clock the delays count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Time {
    /// Logical steps of the genome.
    Logical,
    /// Steps of the chip.
    Hardware(Schedule),
}

/// Where logical steps lie in hardware time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Hardware steps per logical step, P.
    pub period: u32,
    /// Latency ℓ of each population, by [`PopId`] index, relays and clocks included (a relay's is
    /// its source's plus its hop; a clock's is the first step in which it fires).
    pub latency: Vec<u32>,
}

/// How spike counts become scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum IntReadout {
    /// Spikes of one population, summed over all logical steps.
    SpikeCount(PopId),
    /// `score = bias + Σ_k W_k · count_k / steps`, computed by the host in f64.
    MeanLinear {
        /// Source population and weights (row-major `[classes, neurons]`) of each term.
        terms: Vec<(PopId, Vec<f32>)>,
        /// One per class.
        bias: Vec<f32>,
    },
}

impl IntReadout {
    /// The populations that are read.
    pub fn populations(&self) -> Vec<PopId> {
        match self {
            Self::SpikeCount(p) => vec![*p],
            Self::MeanLinear { terms, .. } => terms.iter().map(|(p, _)| *p).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(weights: Vec<f32>, scale: f64) -> HostBias {
        let cols = u32::try_from(weights.len()).unwrap_or(0);
        let structure = Structure::Dense { rows: 1, cols };
        HostBias { input: PopId::new(0), target: PopId::new(1), structure, weights, scale }
    }

    #[test]
    fn host_biases_round_half_to_even() {
        let host = host(vec![0.5, -1.0], 1.0);
        assert_eq!(host.biases(&[1.0, 0.0]), Ok(vec![0]));
        assert_eq!(host.biases(&[3.0, 0.0]), Ok(vec![2]));
        assert_eq!(host.biases(&[1.0, 1.0]), Ok(vec![0]));
        assert_eq!(host.biases(&[0.0, 1.6]), Ok(vec![-2]));
        assert_eq!(host.range(0, [-1, 3]), (-4.0, 2.0));
    }

    #[test]
    fn a_host_bias_beyond_i32_is_named() {
        let host = host(vec![1.0], 4_294_967_296.0);
        assert_eq!(host.biases(&[0.25]), Ok(vec![1 << 30]));
        assert_eq!(host.biases(&[1.0]), Err((0, 4_294_967_296.0)));
        assert!(host.biases(&[f32::NAN]).is_err());
    }
}
