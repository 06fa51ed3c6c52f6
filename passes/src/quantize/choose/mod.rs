//! Fills the gaps of a recipe without data.
//!
//! For a population of neurons that read spikes and samples, and nothing that ties its scale:
//!
//! | decided | how | where |
//! | --- | --- | --- |
//! | scale, exponents | least error predicted by a model of what rounding does to membranes | [`search`], [`model`] |
//! | scales of neurons | a palette of at most four, where the error falls by 10 % | [`palette`] |
//! | sets | mixed; split by sign where at most 2 bits would leave one step on a side | [`plan`] |
//! | weights | nearest steps, turned where that keeps the sum of a row | [`balance`] |
//! | weights on messages | steps whose errors cancel in correlated messages | [`lattice`] |
//! | thresholds | nearest; lower where few bits make currents fluctuate less | [`spread`] |
//! | biases | nearest, or one beside that keeps the rhythm at rest | [`rest`] |
//! | decays | with what rounding toward zero takes | [`decay`] |
//!
//! What leaves its range for some input lowers the scale of the neurons concerned, and the choice is made
//! again below it. Everything is deterministic: sums in the order of the stored weights, samples
//! at fixed distances, and no function whose rounding depends on a platform.

mod balance;
mod decay;
mod lattice;
mod model;
mod palette;
mod plan;
mod rest;
mod rows;
mod search;
#[cfg(test)]
mod tests;

pub(super) use balance::balanced;
pub(super) use decay::{current_loss, filter_registers, register as decay_register};
pub(super) use model::{Memory, Prediction, Traffic, predict};
pub(super) use rows::{Rows, strided};

use super::decision::{Check, Decision, TermDecision, Wanted, grain};
use super::limits::Bound;
use super::member::{Member, Model};
use super::population::{self, UNLIMITED, registers, thresholds};
use super::stages::Stage;
use model::Neurons;
use search::{Choice, SMALL, Search};
use snnc_ir::network::{NetworkDraft, Neuron, Op};
use snnc_ir::{Param, Shape, TargetSpec};

/// Bound on the rounds in which a range lowers scales.
const MAX_ROUNDS: usize = 200;

/// Factor of the variance that justifies storing signs apart: 25 % of the error.
const WORTH_SPLITTING: f64 = 0.75 * 0.75;

/// Spread of rounded weights below which thresholds follow it.
const WORTH_WIDENING: f64 = 0.99;

/// Decides about a free population ([`Member::is_free`]) what the recipe leaves open.
///
/// `chains` are the plain relays by position in [`Member::spikes`], and the scale that their sums allow each neuron.
///
/// What `wanted` holds is taken over as it is, and then `check` may refuse: the caller checks the result
/// again and reports what the recipe asked for.
///
/// # Errors
/// What keeps every scale from bringing the population into range with weights above 0.
pub(super) fn choose<'a>(
    network: &'a NetworkDraft,
    member: &'a Member<'a>,
    wanted: &'a Wanted<'a>,
    target: &'a TargetSpec,
    (stages, limits): (&[Option<&'a Stage>], &[f64]),
    check: &Check<'_>,
) -> Result<Decision, String> {
    let Model::Neurons(neuron, _) = &member.model else {
        return Err("a graded relay is not free".to_owned());
    };
    let shared = shared(network, member);
    let search = |split: bool| {
        let neurons = Neurons::new(neuron, member.shape, network.steps);
        let effect = |n: usize, traffic| Search::effect(&neurons, shared, n, traffic);
        let memory = |n: usize| (neurons.memory(n), neurons.threshold(n));
        let effects = plan::Effects { spikes: &effect, memory: &memory };
        let plans = plan::plans(network, (member, stages), &effects, wanted, target, split);
        Search::new(member, neurons, wanted, plans, shared)
    };
    let (most, why) = registers(member, target).into_iter().fold(UNLIMITED, population::lower);
    let mixed = search(false);
    let apart = search(true);
    let search = if differ(&mixed, &apart) {
        let errors = [&mixed, &apart].map(|s| s.choose(most, why).variance);
        let gain = errors[1] < errors[0] * WORTH_SPLITTING || useless(&mixed);
        let worth = gain && (shared || errors[0] > SMALL);
        if worth { apart } else { mixed }
    } else {
        mixed
    };
    let grain = grain(member);
    let blocks = limits.chunks(grain).map(|block| block.iter().copied().fold(most, f64::min));
    let mut caps: Vec<f64> = blocks.collect();
    let mut limited_by = if caps.iter().any(|cap| *cap < most) { Bound::Input.name() } else { why };
    let given = wanted.population.and_then(|e| e.scale.clone());
    for _ in 0..MAX_ROUNDS {
        let choice = match &given {
            Some(scale) => search.at(scale),
            None => search.choose(caps.iter().copied().fold(f64::INFINITY, f64::min), limited_by),
        };
        if given.is_none() && vanish(&search, choice.scale) {
            return Err(limited_by.to_owned());
        }
        let thresholds = usize::try_from(target.thresholds.value / 2).unwrap_or(0);
        let scale = match &given {
            Some(scale) => scale.clone(),
            None => palette::palette(&search, &choice, &caps, thresholds)
                .unwrap_or(Param::Uniform(choice.scale)),
        };
        let decision = decide(&search, choice, &scale);
        match check(&decision) {
            Err(excess) if given.is_none() && search.matching().is_none() => {
                limited_by = excess.why;
                for (n, factor) in excess.neurons {
                    let scale = scale.at(n, member.shape) * factor.min(0.999);
                    let cap = &mut caps[n / grain];
                    *cap = cap.min(scale);
                }
            }
            _ => return Ok(decision),
        }
    }
    Err(limited_by.to_owned())
}

/// The memory of the neurons of a population in a run of `steps` steps, and the threshold that errors are stated over:
/// those of a neuron in the middle.
pub(super) fn memory(neuron: &Neuron, shape: &Shape, steps: u32) -> (Memory, f64) {
    let neurons = Neurons::new(neuron, shape, steps);
    let n = shape.size() / 2;
    (neurons.memory(n), neurons.threshold(n))
}

/// Whether another population reads one of the tensors of `member`.
fn shared(network: &NetworkDraft, member: &Member<'_>) -> bool {
    // What reads relays has a scale that follows from theirs.
    let spikes = || member.spikes.iter().zip(&member.relays).filter(|(_, r)| r.is_none());
    let own = |id| member.spikes.iter().filter(|t| t.weight == id).count();
    let readers = |id| {
        let reads = |op: &Op| match op {
            Op::Linear { weight, .. } | Op::Conv2d { weight, .. } => *weight == id,
            _ => false,
        };
        network.nodes.values().filter(|n| reads(&n.op)).count()
    };
    spikes().any(|(t, _)| readers(t.weight) > own(t.weight))
}

/// Whether signs are stored apart in one and not in the other.
fn differ(a: &Search<'_>, b: &Search<'_>) -> bool {
    a.plans.iter().zip(&b.plans).any(|(a, b)| a.split != b.split)
}

/// Whether a mixed group would have no positive step.
fn useless(search: &Search<'_>) -> bool {
    search.plans.iter().any(|p| p.bits == 1 && !p.split && p.set.low < 0 && p.has_positive())
}

/// Whether all weights and currents round to zero at this scale.
fn vanish(search: &Search<'_>, scale: f64) -> bool {
    let samples = search.member.samples.iter().map(super::host::Sample::reach);
    let weights = search.plans.iter().map(|p| p.largest() / p.unit);
    let largest = weights.chain(samples).fold(0.0, f64::max);
    scale <= 0.0 || (largest > 0.0 && largest * scale <= 0.5)
}

/// Everything else that follows from the scales of the weights.
fn decide(search: &Search<'_>, choice: Choice, scale: &Param<f64>) -> Decision {
    let (member, shape) = (search.member, search.member.shape);
    let entry = search.wanted.population;
    let mut missing = vec![0.0; shape.size()];
    let terms: Vec<TermDecision> = search
        .plans
        .iter()
        .zip(choice.exponents)
        .map(|(plan, exponent)| TermDecision {
            bits: plan.bits,
            split: plan.split,
            exponent,
            weights: Some(if plan.traffic == Traffic::ALWAYS {
                constants(plan, scale, shape, exponent, &mut missing)
            } else {
                weights(plan, scale, shape, exponent)
            }),
        })
        .collect();
    let fixed = entry.is_some_and(|e| e.scale.is_some() || e.threshold.is_some());
    let shrunk = if fixed { 1.0 } else { spread(search, &terms, scale) };
    let scale = if shrunk < WORTH_WIDENING {
        scale.map(|s| search.aligned(s * shrunk, f64::round_ties_even))
    } else {
        scale.clone()
    };
    let threshold = entry
        .and_then(|e| e.threshold.clone())
        .unwrap_or_else(|| thresholds(search.neurons.neuron, &scale, shape));
    let dv = entry.and_then(|e| e.dv.clone()).unwrap_or_else(|| {
        search.neurons.decay.zip(&threshold, shape, decay::register).compact(shape)
    });
    let du = filter_registers(search.neurons.neuron, &search.neurons.decay, &threshold, shape);
    let bias = entry.and_then(|e| e.bias.clone()).unwrap_or_else(|| {
        if member.bias.is_empty() {
            return Param::Uniform(0);
        }
        let registers = |n| [du.at(n, shape), dv.at(n, shape)];
        let of = |n| search.bias(n, scale.at(n, shape), threshold.at(n, shape), registers(n)).0;
        Param::PerNeuron((0..shape.size()).map(of).collect()).compact(shape)
    });
    Decision { terms, scale, threshold, bias, du, dv, shift: 0, limited_by: choice.why }
}

/// The weights of a projection in steps: those of the recipe, else rounded row by row.
fn weights(plan: &plan::Plan<'_>, scale: &Param<f64>, shape: &Shape, exponent: u8) -> Vec<i16> {
    if let Some(given) = plan.weights {
        return given.to_vec();
    }
    let unit = f64::from(1_u32 << exponent) * plan.unit;
    let rows = plan.rows;
    let mut weights = Vec::with_capacity(rows.values.len());
    for row in 0..rows.count() {
        let scale = scale.at(rows.neuron(row), shape);
        let steps: Vec<f64> = rows.row(row).iter().map(|&w| f64::from(w) * scale / unit).collect();
        if plan.is_spikes {
            weights.extend(balanced(&steps, plan.set));
        } else {
            weights.extend(lattice::settled(&steps, plan.gram, plan.set));
        }
    }
    weights
}

/// The weights, in steps, of a projection from a source that fires in every step. What rounding those before took
/// from a neuron (`missing`, in units of weight) is added to the next: from some step on their sum is what
/// acts.
fn constants(
    plan: &plan::Plan<'_>,
    scale: &Param<f64>,
    shape: &Shape,
    exponent: u8,
    missing: &mut [f64],
) -> Vec<i16> {
    let given = plan.weights.map(<[i16]>::to_vec);
    let unit = f64::from(1_u32 << exponent);
    let mut found = Vec::with_capacity(plan.rows.values.len());
    for row in 0..plan.rows.count() {
        let n = plan.rows.neuron(row);
        for &w in plan.rows.row(row) {
            let exact = f64::from(w) * scale.at(n, shape) + missing[n];
            let step = (exact / unit).round_ties_even();
            let step = step.clamp(plan.set.low.into(), plan.set.high.into());
            missing[n] = exact - step * unit;
            #[expect(clippy::cast_possible_truncation, reason = "clamped to a set of 16 bits")]
            found.push(step as i16);
        }
    }
    given.unwrap_or(found)
}

/// Root mean square of the rounded weights of a population over that of its weights, each row at its scale.
///
/// Few bits make small weights 0 and clip large ones, so that it is below 1: currents fluctuate less,
/// neurons whose spikes are due to fluctuations fire less often, and from layer to layer less still. Where
/// thresholds and biases shrink alike, which a smaller scale says, they keep firing.
fn spread(search: &Search<'_>, terms: &[TermDecision], scale: &Param<f64>) -> f64 {
    let (mut rounded, mut exact) = (0.0, 0.0);
    for (plan, term) in search.plans.iter().zip(terms) {
        let mut units = term.weights.iter().flatten();
        for row in 0..plan.rows.count() {
            let scale = scale.at(plan.rows.neuron(row), search.member.shape);
            let step = f64::from(1_u32 << term.exponent) * plan.unit / scale;
            for (&w, &q) in plan.rows.row(row).iter().zip(&mut units) {
                let (w, q) = (f64::from(w), f64::from(q) * step);
                exact += w * w;
                rounded += q * q;
            }
        }
    }
    let ratio: f64 = rounded / exact;
    if ratio.is_finite() && ratio > 0.0 { ratio.sqrt() } else { 1.0 }
}
