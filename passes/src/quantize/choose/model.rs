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
//! subtractive reset, which keeps it, the run. A current with memory, of which a share `κ` remains, spreads
//! what enters over later steps, also beyond a reset: `λ^t` becomes `Σ_{i+j=t} λ^i·κ^j`, and to what entered in the
//! `n` steps comes what was left of the current before (`Memory::filtered`). A population that fires in every
//! step has the rate 1 and no noise. A neuron with weight errors `δ_i` then has the error variance
//!
//! ```text
//! Σ_projections [ (ρ(1 − ρ)·A₂ + (ρ·A₁)²)·Σ δ² + (ρ·A₁·Σ δ)² ]   rounding and clipping
//!   + (θ̂ − θ)² + (A₁·(b̂ − b))² + (A₁·drift)² + (A₁·h)²          threshold, bias, decay, host
//! ```
//!
//! with A₁ of the membrane alone in the second line; the drift of a current adds up in both.
//!
//! where `drift` is what the decay register and rounding toward zero take from a membrane at half of the
//! threshold ([`decay::drift`]), and `h² = 1/(12 s²)` the rounding of a current that the host computes.
//! Everything is stated over the threshold: the error is the root of the mean of `variance / θ²` over
//! neurons. Messages `m ≥ 0` of graded relays of root mean square `r` count as a rectified Gaussian:
//! mean² `r²/π`, variance `r²(1 − 1/π)`. A relay itself has no memory (A₁ = A₂ = 1), and its error is
//! stated over the root mean square of what arrives.

use super::decay;
use super::rows::{Rows, strided};
use crate::currents::always::is_always_on;
use crate::quantize::account::ASSUMED_RATE;
use crate::quantize::decision::{Decision, TermDecision};
use crate::quantize::matrix::{Set, Weights, steps};
use crate::quantize::member::{Member, Model};
use crate::quantize::refuse;
use crate::quantize::stages::{Heard, traffic::Readings};
use snnc_ir::arena::NodeId;
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

    /// Over `n` steps with this decay, of what enters a current that keeps a share `keep` of itself and
    /// has run for `before` steps more.
    pub(super) fn filtered(decay: f64, keep: f64, n: u32, before: u32) -> Self {
        let (leak, keep) = (1.0 - decay.clamp(0.0, 1.0), keep.clamp(0.0, 1.0));
        let mut memory = Self { mean: 0.0, noise: 0.0 };
        // Response of the membrane `t` steps after a pulse, and what remains of the current then.
        let (mut response, mut current) = (0.0, 1.0);
        for _ in 0..n.max(1) {
            response = response * leak + current;
            memory.mean += response;
            memory.noise += response * response;
            current *= keep;
            if response < 1e-9 {
                break;
            }
        }
        // A current of 1 before the first of the steps has this effect by the last.
        let left = response * keep;
        if before > 0 && left > 0.0 {
            let old = Self::over(1.0 - keep, before);
            memory.mean += left * old.mean;
            memory.noise += left * left * old.noise;
        }
        memory
    }

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

    /// A source that fires in every step.
    pub(super) const ALWAYS: Self = Self { mean: 1.0, variance: 0.0, spread: 0.0 };

    /// What population `source` is taken to send.
    pub(super) fn of(network: &NetworkDraft, source: NodeId) -> Self {
        if is_always_on(network, source) { Self::ALWAYS } else { Self::SPIKES }
    }

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
    /// How membranes add up what enters the current.
    known: Param<Memory>,
    /// How they add up what enters them.
    membrane: Param<Memory>,
}

impl<'a> Neurons<'a> {
    /// The neurons of a population in a run of `steps` steps.
    pub(super) fn new(neuron: &'a Neuron, shape: &'a Shape, steps: u32) -> Self {
        let decay = refuse::decay(neuron).unwrap_or(Param::Uniform(0.0));
        let n = interval(neuron.reset, steps);
        let mut over = last_kept(|decay: f64, ()| Memory::over(decay, n));
        let membrane = decay.map(|decay| over(decay, ()));
        let known = match neuron.dynamics.current() {
            None => membrane.clone(),
            Some(current) => {
                let before = steps.saturating_sub(n);
                let filtered =
                    last_kept(|decay, keep: f32| Memory::filtered(decay, keep.into(), n, before));
                decay.zip(&current.keep, shape, filtered)
            }
        };
        Self { neuron, decay, shape, steps, known, membrane }
    }

    /// The current decay register of neuron `n` with this threshold mantissa.
    pub(super) fn filter_register(&self, n: usize, mantissa: i32) -> u16 {
        let Some(current) = self.neuron.dynamics.current() else { return 4095 };
        let keep = f64::from(current.keep.at(n, self.shape));
        decay::filter_register(keep, self.decay.at(n, self.shape), mantissa)
    }

    /// Threshold of neuron `n`, in floats.
    pub(super) fn threshold(&self, n: usize) -> f64 {
        f64::from(self.neuron.threshold.at(n, self.shape))
    }

    /// Memory of neuron `n` of what arrives.
    pub(super) fn memory(&self, n: usize) -> Memory {
        self.known.at(n, self.shape)
    }

    /// How errors of weights on such spikes count in neuron `n`, over its threshold.
    pub(super) fn effect(&self, n: usize, traffic: Traffic) -> Effect {
        Effect::new(traffic, self.memory(n), self.threshold(n))
    }
}

/// `f`, which need not be computed again while its arguments repeat.
fn last_kept<A: PartialEq + Copy>(f: impl Fn(f64, A) -> Memory) -> impl FnMut(f64, A) -> Memory {
    let mut last: Option<((u64, A), Memory)> = None;
    move |decay, other| {
        let key = (decay.to_bits(), other);
        if let Some((known, memory)) = last
            && known == key
        {
            return memory;
        }
        let memory = f(decay, other);
        last = Some((key, memory));
        memory
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
        let spikes = || Traffic::of(network, term.source);
        account((rows, stage.as_ref()), traffic.unwrap_or_else(spikes), &error);
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
            du: decision.du.at(n, shape),
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
    /// Current decay.
    pub du: u16,
    /// Membrane decay.
    pub dv: u16,
    /// Whether the host adds to the bias.
    pub host: bool,
}

impl Registers {
    /// The variance over the square of the threshold that they cause in neuron `n` of float bias `bias`.
    pub(super) fn variance(&self, neurons: &Neurons<'_>, n: usize, bias: f64) -> f64 {
        let theta = neurons.threshold(n);
        let memory = neurons.membrane.at(n, neurons.shape);
        let threshold = f64::from(self.mantissa) / self.scale - theta;
        let every_step = f64::from(self.bias) / self.scale - bias;
        let v = decay::typical(self.mantissa);
        let drift = decay::drift(self.dv, neurons.decay.at(n, neurons.shape), v);
        let drift = drift / (64.0 * self.scale);
        let host = if self.host { 1.0 / (12.0 * self.scale * self.scale) } else { 0.0 };
        let current = self.current_drift(neurons, n) / (64.0 * self.scale);
        let coherent = every_step * every_step + drift * drift + current * current + host;
        (threshold * threshold + memory.mean * memory.mean * coherent) / (theta * theta)
    }
}

impl Registers {
    /// What the current of neuron `n` is too small by, in units of the membrane, once it is what holds the
    /// membrane at half of the threshold.
    fn current_drift(&self, neurons: &Neurons<'_>, n: usize) -> f64 {
        let Some(current) = neurons.neuron.dynamics.current() else { return 0.0 };
        let lost = decay::current_loss(self.du);
        if lost == 4096 {
            return 0.0;
        }
        let shape = neurons.shape;
        let share = 1.0 - f64::from(current.keep.at(n, shape));
        let typical = decay::typical_current(self.mantissa, neurons.decay.at(n, shape));
        // It adds up in the current as what enters it does.
        decay::drift(lost, share, typical) * Memory::over(share, neurons.steps).mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use snnc_ir::network::Dynamics;

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
    fn currents_with_memory_spread_what_enters() {
        // Responses 1, 1.25, 1.0625 of λ = 1/2 and κ = 3/4 … summed one by one.
        let (leak, keep, n, before) = (0.5, 0.75, 5_i32, 40);
        let response = |t: i32| (0..=t).map(|i| f64::powi(leak, i) * f64::powi(keep, t - i)).sum();
        let new: Vec<f64> = (0..n).map(response).collect();
        let old = (0..before).map(|k| {
            let step = |s: i32| f64::powi(leak, n - s) * f64::powi(keep, s + k);
            (1..=n).map(step).sum::<f64>()
        });
        let all: Vec<f64> = new.into_iter().chain(old).collect();
        let memory = Memory::filtered(1.0 - leak, keep, 5, 40);
        close(memory.mean, all.iter().sum());
        close(memory.noise, all.iter().map(|x| x * x).sum());
        assert_eq!(Memory::filtered(0.25, 0.0, 9, 30), Memory::over(0.25, 9));
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
        let neuron = Neuron::plain(Dynamics::Decay(Param::Uniform(0.5)), Param::Uniform(2.0));
        let shape = Shape::flat(1);
        let neurons = Neurons::new(&neuron, &shape, 2);
        let parts =
            Registers { scale: 10.0, mantissa: 21, bias: 3, du: 4095, dv: 2048, host: false };
        // Threshold 0.1 off; bias 0.05 off and a quarter of a unit lost, twice with A₁ = 1.5.
        let lost = 0.25 / 640.0;
        let expected = (0.01 + 2.25 * (0.0025 + lost * lost)) / 4.0;
        close(parts.variance(&neurons, 0, 0.25), expected);
        let hosted = Registers { host: true, ..parts };
        close(hosted.variance(&neurons, 0, 0.25), expected + 2.25 / 1200.0 / 4.0);
    }
}
