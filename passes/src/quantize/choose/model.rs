//! What rounding does to membranes: a model of the error that needs no data.
//!
//! With float membrane `v` and integer membrane `V` at scale `s`, the error is `V / (64·s) − v`, in units
//! of the float network. Sources of spikes are taken to fire independently, `ρ =` [`ASSUMED_RATE`] times per
//! step on average; some fire more often than others, and the deviation of their rates is ρ, too. A membrane that keeps `λ = 1 − decay` of itself adds up what
//! enters it in the `n` steps since its last reset:
//!
//! ```text
//! mean   A₁ = Σ_{t<n} λ^t      what enters in every step
//! noise  A₂ = Σ_{t<n} λ^2t     variances of what enters independently
//! ```
//!
//! `n` is the time between spikes, 1/ρ, and no more than the run (a reset to a value clears the error); with
//! subtractive reset, which keeps it, the run. A neuron with weight errors `δ_i` then has the error variance
//!
//! ```text
//! Σ_projections [ (ρ(1 − ρ)·A₂ + (ρ·A₁)²)·Σ δ² + (ρ·A₁·Σ δ)² ]   rounding and clipping
//!   + (θ̂ − θ)² + (A₁·(b̂ − b))² + (A₁·drift)² + (A₁·h)²          threshold, bias, decay, host
//! ```
//!
//! where `drift` is what the decay register and rounding toward zero take from a membrane at half of the
//! threshold ([`decay::drift`]), and `h² = 1/(12 s²)` the rounding of a current that the host computes.
//! Everything is stated over the threshold: the error is the root of the mean of `variance / θ²` over
//! neurons. Messages `m ≥ 0` of graded relays of root mean square `r` count as a rectified Gaussian:
//! mean² `r²/π`, variance `r²(1 − 1/π)`. A relay itself has no memory (A₁ = A₂ = 1), and its error is
//! stated over the root mean square of what arrives.

use super::decay;
use super::rows::{Rows, strided};
use crate::quantize::account::ASSUMED_RATE;
use crate::quantize::decision::{Decision, TermDecision};
use crate::quantize::matrix::{Set, Weights, steps};
use crate::quantize::member::{Member, Model};
use crate::quantize::refuse;
use crate::quantize::stages::{Heard, traffic::Readings};
use snnc_ir::network::{NetworkDraft, Neuron, Reset};
use snnc_ir::{Param, Shape};
use std::f64::consts::PI;

/// Weights looked at per projection; larger ones are sampled row by row.
const MAX_WEIGHTS: usize = 1 << 18;

/// Neurons looked at.
const MAX_NEURONS: usize = 1 << 12;

/// How a membrane adds up what enters it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::quantize) struct Memory {
    /// Factor of what enters in every step, A₁.
    pub mean: f64,
    /// Factor of the variance of what enters independently, A₂.
    pub noise: f64,
}

impl Memory {
    /// Without memory.
    const NONE: Self = Self { mean: 1.0, noise: 1.0 };

    /// Over `n` steps with this decay.
    pub(super) fn over(decay: f64, n: u32) -> Self {
        let keep = 1.0 - decay.clamp(0.0, 1.0);
        let mut memory = Self { mean: 0.0, noise: 0.0 };
        let mut share = 1.0;
        for _ in 0..n.max(1) {
            memory.mean += share;
            memory.noise += share * share;
            share *= keep;
            if share < 1e-9 {
                break;
            }
        }
        memory
    }
}

/// Steps between resets that the error model assumes.
pub(super) fn interval(reset: Reset, steps: u32) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number")]
    let between = (1.0 / ASSUMED_RATE).round() as u32;
    match reset {
        Reset::To(_) => steps.min(between),
        Reset::Subtract => steps,
    }
    .max(1)
}

/// What a source sends in a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::quantize) struct Traffic {
    /// Mean over sources and steps.
    pub mean: f64,
    /// Variance from step to step.
    pub variance: f64,
    /// Variance of the means of sources.
    pub spread: f64,
}

impl Traffic {
    /// A source of spikes.
    pub(super) const SPIKES: Self = Self {
        mean: ASSUMED_RATE,
        variance: ASSUMED_RATE * (1.0 - ASSUMED_RATE),
        spread: ASSUMED_RATE * ASSUMED_RATE,
    };

    /// A graded relay whose messages have this root mean square.
    fn messages(rms: f64) -> Self {
        let square = rms * rms;
        Self { mean: rms / PI.sqrt(), variance: square * (1.0 - 1.0 / PI), spread: 0.0 }
    }
}

/// How errors of weights count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Effect {
    /// Factor of the sum of their squares.
    pub noise: f64,
    /// Factor of the square of their sum.
    pub mean: f64,
}

impl Effect {
    /// On a membrane, over the square of `unit`.
    pub(super) fn new(traffic: Traffic, memory: Memory, unit: f64) -> Self {
        let square = unit * unit;
        let mean = traffic.mean * memory.mean;
        let spread = traffic.spread * memory.mean * memory.mean;
        let noise = traffic.variance * memory.noise + spread;
        Self { noise: noise / square, mean: mean * mean / square }
    }

    /// The variance that errors with this sum and sum of squares cause.
    pub(super) fn of(&self, sum: f64, squares: f64) -> f64 {
        self.noise * squares + self.mean * sum * sum
    }
}

/// The neurons of a population as the error model sees them.
#[derive(Clone, Debug)]
pub(super) struct Neurons<'a> {
    /// The float parameters.
    pub neuron: &'a Neuron,
    /// Share of the membrane lost in a step.
    pub decay: Param<f64>,
    /// Shape of the population.
    pub shape: &'a Shape,
    /// Steps of a run.
    pub steps: u32,
    /// The memory of neurons by decay, as long as decays repeat.
    known: Param<Memory>,
}

impl<'a> Neurons<'a> {
    /// The neurons of a population in a run of `steps` steps.
    pub(super) fn new(neuron: &'a Neuron, shape: &'a Shape, steps: u32) -> Self {
        let decay = refuse::decay(neuron).unwrap_or(Param::Uniform(0.0));
        let n = interval(neuron.reset, steps);
        let mut last: Option<(f64, Memory)> = None;
        let known = decay.map(|decay| match last {
            Some((known, memory)) if known.to_bits() == decay.to_bits() => memory,
            _ => {
                let memory = Memory::over(decay, n);
                last = Some((decay, memory));
                memory
            }
        });
        Self { neuron, decay, shape, steps, known }
    }

    /// Threshold of neuron `n`, in floats.
    pub(super) fn threshold(&self, n: usize) -> f64 {
        f64::from(self.neuron.threshold.at(n, self.shape))
    }

    /// Memory of neuron `n`.
    pub(super) fn memory(&self, n: usize) -> Memory {
        self.known.at(n, self.shape)
    }

    /// How errors of weights on spikes count in neuron `n`, over its threshold.
    pub(super) fn effect(&self, n: usize) -> Effect {
        Effect::new(Traffic::SPIKES, self.memory(n), self.threshold(n))
    }
}

/// What rounding is expected to do to the membranes of a population.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::quantize) struct Prediction {
    /// Standard deviation of the membrane error over the threshold (of relays: over the root mean square
    /// of what arrives).
    pub error: f64,
    /// Share of the error variance by position in [`Member::spikes`], then in [`Member::messages`].
    pub shares: Vec<f64>,
    /// Root mean square of the messages that relays send, in units of the float network; 0 for neurons.
    pub sent: f64,
}

/// Predicts the error of any population. `stages` holds the plain relays by position in [`Member::spikes`], `heard` [`Prediction::sent`] by position in
/// [`Member::messages`], `messages` the integer weight of each of these per unit of float weight.
///
/// **Complexity**: O(weights), sampled beyond 2^18 per projection.
pub(in crate::quantize) fn predict(
    network: &NetworkDraft,
    member: &Member<'_>,
    decision: &Decision,
    stages: &[Option<Heard>],
    messages: &[(f64, &Weights)],
    heard: &[f64],
) -> Prediction {
    let neurons = match &member.model {
        Model::Neurons(neuron, _) => Some(Neurons::new(neuron, member.shape, network.steps)),
        Model::Relays(_) | Model::Stage => None,
    };
    // The variance of the error, and mean and variance of what arrives at a relay.
    let (mut causes, mut arriving) = (Vec::new(), (0.0, 0.0));
    let mut account = |(rows, stage): (Rows<'_>, Option<&Heard>),
                       traffic: Traffic,
                       error: &dyn Fn(usize) -> (f64, f64)| {
        let (mut variance, mut sums, mut count) = (0.0, (0.0, 0.0), 0.0);
        for row in rows.sampled(MAX_WEIGHTS) {
            let n = rows.neuron(row);
            let (memory, unit) = match &neurons {
                Some(neurons) => (neurons.memory(n), neurons.threshold(n)),
                None => (Memory::NONE, 1.0),
            };
            let (sum, squares) = error(row);
            variance += Effect::new(traffic, memory, unit).of(sum, squares);
            if let Some(stage) = stage {
                let readings = Readings::of(&stage.relays);
                variance += readings.upstream(rows.row(row), memory) / (unit * unit);
            }
            let weights = rows.row(row).iter().map(|&w| f64::from(w));
            let (sum, squares) = weights.fold((0.0, 0.0), |(a, b), w| (a + w, b + w * w));
            sums = (sums.0 + sum, sums.1 + squares);
            count += 1.0;
        }
        if count > 0.0 {
            causes.push(variance / count);
            arriving.0 += traffic.mean * sums.0 / count;
            arriving.1 += (traffic.variance + traffic.spread) * sums.1 / count;
        } else {
            causes.push(0.0);
        }
    };
    for ((term, decided), stage) in member.spikes.iter().zip(&decision.terms).zip(stages) {
        let sent = stage.as_ref().map_or(1.0, |stage| stage.unit);
        let traffic = stage.as_ref().map(|stage| Readings::of(&stage.relays).traffic());
        let rows = Rows::new(&term.structure, &network.tensors[term.weight].data);
        let set = Set::of(decided.bits, decided.split, rows.values);
        let error = |row: usize| {
            let scale = decision.scale.at(rows.neuron(row), member.shape) / sent;
            row_error(rows, row, scale, decided, set)
        };
        account((rows, stage.as_ref()), traffic.unwrap_or(Traffic::SPIKES), &error);
    }
    for ((message, (factor, weights)), rms) in member.messages.iter().zip(messages).zip(heard) {
        let rows = Rows::new(&message.term.structure, &network.tensors[message.term.weight].data);
        let error = |row: usize| {
            let first = row * rows.row(row).len();
            let each = rows.row(row).iter().enumerate().map(|(i, &w)| {
                #[expect(clippy::cast_precision_loss, reason = "weights are far below 2^52")]
                let integer = weights.at(first + i) as f64;
                integer / factor - f64::from(w)
            });
            each.fold((0.0, 0.0), |(a, b), d| (a + d, b + d * d))
        };
        account((rows, None), Traffic::messages(*rms), &error);
    }
    let sources: f64 = causes.iter().sum();
    let (others, unit, sent) = if let Some(neurons) = &neurons {
        (registers(member, neurons, decision), 1.0, 0.0)
    } else {
        let size = member.bias.len().max(1);
        #[expect(clippy::cast_precision_loss, reason = "a number of neurons")]
        let bias = member.bias.iter().sum::<f64>() / size as f64;
        let mean = arriving.0 + bias;
        let square = (arriving.1 + mean * mean).max(f64::MIN_POSITIVE);
        // Of a Gaussian one side is kept.
        (0.0, square, (square / 2.0).sqrt())
    };
    let variance = sources + others;
    let share = |cause: f64| if variance > 0.0 { cause / variance } else { 0.0 };
    Prediction {
        error: (variance / unit).sqrt(),
        shares: causes.iter().map(|&cause| share(cause)).collect(),
        sent,
    }
}

/// Sum and sum of squares of the errors of the weights of a row.
fn row_error(
    rows: Rows<'_>,
    row: usize,
    scale: f64,
    decided: &TermDecision,
    set: Set,
) -> (f64, f64) {
    let step = f64::from(1_u32 << decided.exponent) / scale;
    let weights = rows.row(row);
    let first = row * weights.len();
    let each = weights.iter().enumerate().map(|(i, &w)| {
        let unit = match &decided.weights {
            Some(units) => f64::from(units[first + i]),
            None => {
                steps(w, scale, decided.exponent).clamp(f64::from(set.low), f64::from(set.high))
            }
        };
        unit * step - f64::from(w)
    });
    each.fold((0.0, 0.0), |(a, b), d| (a + d, b + d * d))
}

/// The variance over the square of the threshold that registers and currents from the host cause, on
/// average over neurons.
fn registers(member: &Member<'_>, neurons: &Neurons<'_>, decision: &Decision) -> f64 {
    let shape = member.shape;
    let (mut total, mut count) = (0.0, 0.0);
    for n in strided(shape.size(), MAX_NEURONS) {
        let scale = decision.scale.at(n, shape);
        let mantissa = decision.threshold.at(n, shape);
        let parts = Registers {
            scale,
            mantissa,
            bias: decision.bias.at(n, shape),
            dv: decision.dv.at(n, shape),
            host: !member.samples.is_empty(),
        };
        total += parts.variance(neurons, n, member.bias.get(n).copied().unwrap_or(0.0));
        count += 1.0;
    }
    if count > 0.0 { total / count } else { 0.0 }
}

/// The registers of a neuron.
#[derive(Clone, Copy, Debug)]
pub(super) struct Registers {
    /// Integer weight per unit of float weight.
    pub scale: f64,
    /// Threshold mantissa.
    pub mantissa: i32,
    /// Bias in units of weight.
    pub bias: i32,
    /// Membrane decay.
    pub dv: u16,
    /// Whether the host adds to the bias.
    pub host: bool,
}

impl Registers {
    /// The variance over the square of the threshold that they cause in neuron `n` of float bias `bias`.
    pub(super) fn variance(&self, neurons: &Neurons<'_>, n: usize, bias: f64) -> f64 {
        let theta = neurons.threshold(n);
        let memory = neurons.memory(n);
        let threshold = f64::from(self.mantissa) / self.scale - theta;
        let every_step = f64::from(self.bias) / self.scale - bias;
        let v = decay::typical(self.mantissa);
        let drift = decay::drift(self.dv, neurons.decay.at(n, neurons.shape), v);
        let drift = drift / (64.0 * self.scale);
        let host = if self.host { 1.0 / (12.0 * self.scale * self.scale) } else { 0.0 };
        let coherent = every_step * every_step + drift * drift + host;
        (threshold * threshold + memory.mean * memory.mean * coherent) / (theta * theta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use snnc_ir::network::{Compare, Dynamics, Emission, UpdateOrder};

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-9 * b.abs().max(1e-3), "{a} {b}");
    }

    #[test]
    fn memories_are_geometric_sums() {
        let memory = Memory::over(0.5, 3);
        close(memory.mean, 1.75);
        close(memory.noise, 1.0 + 0.25 + 0.0625);
        let memory = Memory::over(0.1, 10_000);
        close(memory.mean, 10.0);
        close(memory.noise, 1.0 / (1.0 - 0.81));
        assert_eq!(Memory::over(0.0, 7), Memory { mean: 7.0, noise: 7.0 });
        assert_eq!(Memory::over(1.0, 7), Memory::NONE);
        assert_eq!(interval(Reset::To(0.0), 100), 10);
        assert_eq!(interval(Reset::To(0.0), 4), 4);
        assert_eq!(interval(Reset::Subtract, 100), 100);
    }

    #[test]
    fn errors_of_weights_count_as_noise_and_as_a_mean() {
        // Two errors of 0.01 and −0.03 at rate 0.1, A₁ = A₂ = 10, threshold 2.
        let effect = Effect::new(Traffic::SPIKES, Memory::over(0.0, 10), 2.0);
        close(effect.of(-0.02, 0.001), ((0.09 * 10.0 + 1.0) * 0.001 + 0.02 * 0.02) / 4.0);
        let graded = Traffic::messages(3.0);
        close(graded.mean * graded.mean + graded.variance, 9.0);
        close(graded.mean, 3.0 / PI.sqrt());
    }

    #[test]
    fn registers_add_up() {
        let neuron = Neuron {
            dynamics: Dynamics::Decay(Param::Uniform(0.5)),
            threshold: Param::Uniform(2.0),
            compare: Compare::Gt,
            reset: Reset::To(0.0),
            v_init: 0.0,
            refractory: 0,
            order: UpdateOrder::LeakInputFire,
            emission: Emission::Binary,
        };
        let shape = Shape::flat(1);
        let neurons = Neurons::new(&neuron, &shape, 2);
        let parts = Registers { scale: 10.0, mantissa: 21, bias: 3, dv: 2048, host: false };
        // Threshold 0.1 off; bias 0.05 off and a quarter of a unit lost, twice with A₁ = 1.5.
        let lost = 0.25 / 640.0;
        let expected = (0.01 + 2.25 * (0.0025 + lost * lost)) / 4.0;
        close(parts.variance(&neurons, 0, 0.25), expected);
        let hosted = Registers { host: true, ..parts };
        close(hosted.variance(&neurons, 0, 0.25), expected + 2.25 / 1200.0 / 4.0);
    }
}
