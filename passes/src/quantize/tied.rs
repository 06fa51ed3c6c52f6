//! Populations whose scales messages tie together: one scale each, found by the search over groups,
//! and exponents that follow from it.

use super::choose::{decay_register, filter_registers};
use super::decision::{Decision, TermDecision, Wanted};
use super::matrix::{MAX_WEIGHT, SCHEME, Set, exponents, steps};
use super::member::{Member, Model};
use super::population::{UNLIMITED, biases, lower, registers, thresholds};
use snnc_ir::network::NetworkDraft;
use snnc_ir::recipe::{Grouping, Settings};
use snnc_ir::{Param, TargetSpec};
use std::ops::RangeInclusive;

/// How the weights on spikes of a tied population are stored.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// By position in [`Member::spikes`].
    pub terms: Vec<TermPlan>,
    /// The largest scale at which weights on spikes, threshold and bias fit, and which of them sets it.
    pub first: (f64, &'static str),
}

/// How the weights of a projection are stored.
#[derive(Clone, Debug)]
pub(super) struct TermPlan {
    bits: u8,
    split: bool,
    set: Set,
    exponents: RangeInclusive<u8>,
    /// Smallest and largest weight, and 0.
    ends: (f32, f32),
}

impl Plan {
    /// Reads what the recipe says about the bits of a population's projections.
    pub(super) fn new(
        network: &NetworkDraft,
        member: &Member<'_>,
        wanted: &Wanted<'_>,
        target: &TargetSpec,
    ) -> Self {
        let mut first = registers(member, target).into_iter().fold(UNLIMITED, lower);
        let terms = member.spikes.iter().zip(&wanted.terms).map(|(term, entry)| {
            let values = &network.tensors[term.weight].data;
            let bits = entry.and_then(|e| e.weight_bits).unwrap_or(wanted.settings.weight_bits);
            let split = entry
                .and_then(|e| e.split)
                .unwrap_or_else(|| splits(bits, values, wanted.settings));
            let exponents = exponents(bits, split, values, target, wanted.settings.max_exponent);
            let set = Set::of(bits, split, values);
            let ends = values.iter().fold((0.0_f32, 0.0_f32), |(a, b), &w| (a.min(w), b.max(w)));
            let plan = TermPlan { bits, split, set, exponents, ends };
            first = plan.limits(first);
            plan
        });
        let terms = terms.collect();
        Self { terms, first }
    }

    /// Everything about the population at this scale.
    pub(super) fn decide(&self, member: &Member<'_>, scale: f64, limited_by: String) -> Decision {
        let scale = Param::Uniform(scale);
        let terms = self.terms.iter().map(|term| term.decide(&scale));
        let terms = terms.collect();
        let bias = biases(&member.bias, &scale, member.shape);
        let (threshold, du, dv) = match &member.model {
            Model::Neurons(neuron, decay) => {
                let threshold = thresholds(neuron, &scale, member.shape);
                let du = filter_registers(neuron, decay, &threshold, member.shape);
                let dv = decay.zip(&threshold, member.shape, decay_register);
                (threshold, du, dv.compact(member.shape))
            }
            Model::Relays(_) | Model::Stage => {
                (Param::Uniform(0), Param::Uniform(4095), Param::Uniform(4095))
            }
        };
        Decision { scale, threshold, bias, du, dv, shift: 0, terms, limited_by }
    }
}

/// Whether weights are stored apart by sign where the recipe names no projection. One bit for both
/// signs together would store no excitatory weight.
pub(super) fn splits(bits: u8, values: &[f32], settings: Settings) -> bool {
    let both = values.iter().any(|w| *w < 0.0) && values.iter().any(|w| *w > 0.0);
    both && match settings.groups {
        Grouping::Auto => bits == 1,
        Grouping::Mixed => false,
        Grouping::Split => true,
    }
}

impl TermPlan {
    /// The scale at which the weights still fit: with an exponent only as far as fewer bits need it, for
    /// a larger scale would only make messages larger.
    fn limits(&self, best: (f64, &'static str)) -> (f64, &'static str) {
        let sides = [(-self.ends.0, -self.set.low), (self.ends.1, self.set.high)];
        sides.into_iter().filter(|(_, end)| *end > 0).fold(best, |best, (largest, end)| {
            let reach = |exponent: &u8| i32::from(end) << exponent;
            let within = |exponent: &u8| reach(exponent) <= i32::from(MAX_WEIGHT);
            let exponent = self.exponents.clone().rev().find(within);
            let most = reach(&exponent.unwrap_or(*self.exponents.start())).min(MAX_WEIGHT.into());
            let why = if most == i32::from(MAX_WEIGHT) {
                "the largest weight (127)"
            } else {
                "the largest weight, which has few bits"
            };
            lower(best, (f64::from(largest), f64::from(most), why))
        })
    }

    /// The smallest exponent with which the weights fit.
    fn decide(&self, scale: &Param<f64>) -> TermDecision {
        let scale = scale.values().first().copied().unwrap_or(1.0);
        let within = |end: f32, limit: i16, exponent: u8| {
            limit == 0 || steps(end, scale, exponent).abs() <= f64::from(limit.min(SCHEME.high))
        };
        let fits = |exponent: &u8| {
            within(self.ends.0, -self.set.low, *exponent)
                && within(self.ends.1, self.set.high, *exponent)
        };
        let exponent = self.exponents.clone().find(fits).unwrap_or(*self.exponents.end());
        TermDecision { bits: self.bits, split: self.split, exponent, weights: None }
    }
}
