//! The account of what populations became, and the complete recipe for it.

use super::account::{
    Account, BiasAccount, ComposedAccount, DecayAccount, PopulationAccount, ProjectionAccount,
    ThresholdAccount, WeightSet,
};
use super::canonical::positions;
use super::choose::{Prediction, current_loss, predict};
use super::decision::Decision;
use super::matrix::{Factors, Set, Weights};
use super::member::{Member, Model};
use super::settle::Planned;
use snnc_ir::network::{NetworkDraft, Neuron, Tensor};
use snnc_ir::recipe::{MAX_WEIGHT_BITS, PopulationRecipe, ProjectionRecipe, Recipe};
use snnc_ir::{Param, Shape};
use std::collections::{BTreeMap, BTreeSet};

/// The account and the complete recipe, populations in the order of nodes.
pub(super) fn tally(
    network: &NetworkDraft,
    members: &[Member<'_>],
    planned: &[Planned],
    recipe: &Recipe,
) -> (Account, Recipe) {
    let mut predictions: Vec<Prediction> = Vec::with_capacity(members.len());
    let mut by_node = BTreeMap::new();
    for (member, planned) in members.iter().zip(planned) {
        // Only clips are heard, and they stand before what reads them.
        let heard: Vec<f64> = member.messages.iter().map(|m| predictions[m.from].sent).collect();
        let messages: Vec<(f64, &Weights)> =
            planned.factors.iter().copied().zip(&planned.messages).collect();
        let prediction =
            predict(network, member, &planned.decision, &planned.heard, &messages, &heard);
        by_node.insert(member.node, (member, planned, prediction.clone()));
        predictions.push(prediction);
    }
    let mut account = Account::default();
    let mut complete = Recipe {
        settings: recipe.settings,
        calibration: recipe.calibration.clone(),
        ..Recipe::default()
    };
    for (member, planned, prediction) in by_node.values() {
        let projections = projections(network, member, planned, prediction);
        let entries = projections.iter().map(|p| p.1.clone());
        complete.projections.extend(entries);
        complete.populations.push(entry(member, planned));
        let projections = projections.into_iter().map(|p| p.0).collect();
        account.populations.push(population(member, planned, prediction, projections));
    }
    (account, complete)
}

fn entry(member: &Member<'_>, planned: &Planned) -> PopulationRecipe {
    let decision = &planned.decision;
    let neurons = matches!(member.model, Model::Neurons(..));
    PopulationRecipe {
        name: member.name.to_owned(),
        scale: Some(decision.scale.clone()),
        threshold: neurons.then(|| decision.threshold.clone()),
        bias: Some(decision.bias.clone()),
        dv: neurons.then(|| decision.dv.clone()),
        shift: matches!(member.model, Model::Stage).then_some(decision.shift),
    }
}

fn population(
    member: &Member<'_>,
    planned: &Planned,
    prediction: &Prediction,
    projections: Vec<ProjectionAccount>,
) -> PopulationAccount {
    let decision = &planned.decision;
    let (shape, scale) = (member.shape, &decision.scale);
    let mut scales = scale.values().to_vec();
    scales.sort_by(f64::total_cmp);
    scales.dedup_by_key(|s| s.to_bits());
    let neuron = match &member.model {
        Model::Neurons(neuron, decay) => Some((*neuron, decay)),
        Model::Relays(_) | Model::Stage => None,
    };
    PopulationAccount {
        name: member.name.to_owned(),
        neurons: shape.size(),
        scales,
        limited_by: decision.limited_by.clone(),
        threshold: neuron.map(|(n, _)| threshold(n, &decision.threshold, scale, shape)),
        decay: neuron.map(|(_, exact)| decay(exact, &decision.dv, shape)),
        current: neuron.and_then(|(n, _)| current(n, &decision.du, shape)),
        bias: bias(member, neuron.map(|(n, _)| n), decision, scale),
        shift: matches!(member.model, Model::Stage).then_some(decision.shift),
        bounds: planned.integers.survey.bounds,
        projections,
        predicted_error: prediction.error,
    }
}

fn ends<T: Copy + Ord + Default>(values: &[T]) -> [T; 2] {
    let least = values.iter().copied().min().unwrap_or_default();
    [least, values.iter().copied().max().unwrap_or_default()]
}

fn threshold(
    neuron: &Neuron,
    mantissa: &Param<i32>,
    scale: &Param<f64>,
    shape: &Shape,
) -> ThresholdAccount {
    let exact = neuron.threshold.zip(scale, shape, |t, s| (f64::from(t), s));
    let errors = exact.zip(mantissa, shape, |(t, s), m| (f64::from(m) / s - t).abs() / t);
    let distinct: BTreeSet<i32> = mantissa.values().iter().copied().collect();
    ThresholdAccount {
        mantissa: ends(mantissa.values()),
        distinct: distinct.len(),
        error: errors.values().iter().copied().fold(0.0, f64::max),
    }
}

fn decay(exact: &Param<f64>, register: &Param<u16>, shape: &Shape) -> DecayAccount {
    let errors = exact.zip(register, shape, |d, r| (f64::from(r) / 4096.0 - d).abs());
    DecayAccount {
        register: ends(register.values()),
        error: errors.values().iter().copied().fold(0.0, f64::max),
    }
}

fn current(neuron: &Neuron, register: &Param<u16>, shape: &Shape) -> Option<DecayAccount> {
    let current = neuron.dynamics.current()?;
    let errors = current.keep.zip(register, shape, |keep, du| {
        (f64::from(current_loss(du)) / 4096.0 - (1.0 - f64::from(keep))).abs()
    });
    Some(DecayAccount {
        register: ends(register.values()),
        error: errors.values().iter().copied().fold(0.0, f64::max),
    })
}

/// Biases in units of weight against the float ones; of relays over the largest float bias.
fn bias(
    member: &Member<'_>,
    neuron: Option<&Neuron>,
    decision: &Decision,
    scale: &Param<f64>,
) -> Option<BiasAccount> {
    // The part that makes a shift round to nearest is no bias of the network.
    let half = if decision.shift > 0 { 1 << (decision.shift.min(31) - 1) } else { 0 };
    let units = &decision.bias.map(|b| b.saturating_sub(half));
    if member.bias.is_empty() && units.values().iter().all(|b| *b == 0) {
        return None;
    }
    let float = |n: usize| member.bias.get(n).copied().unwrap_or(0.0);
    let largest = member.bias.iter().fold(0.0_f64, |m, b| m.max(b.abs()));
    let shape = member.shape;
    let over = |n: usize| match neuron {
        Some(neuron) => f64::from(neuron.threshold.at(n, shape)),
        None if largest > 0.0 => largest,
        None => 1.0,
    };
    let error =
        |n: usize| (f64::from(units.at(n, shape)) / scale.at(n, shape) - float(n)).abs() / over(n);
    Some(BiasAccount {
        units: ends(units.values()),
        error: (0..shape.size()).map(error).fold(0.0, f64::max),
    })
}

/// What a projection became, and its entry of the complete recipe, in the order of the current.
fn projections(
    network: &NetworkDraft,
    member: &Member<'_>,
    planned: &Planned,
    prediction: &Prediction,
) -> Vec<(ProjectionAccount, ProjectionRecipe)> {
    let spikes = member.spikes.iter().zip(&planned.decision.terms).zip(&planned.integers.weights);
    let spikes = spikes.zip(&planned.heard).map(|(((term, decided), weights), heard)| {
        let unit = heard.as_ref().map_or(1.0, |heard| heard.unit);
        let scale = planned.decision.scale.map(|s| s / unit);
        let factors = Factors::of(&term.structure, &scale, member.shape);
        let composed = heard.as_ref().and_then(|heard| heard.composed);
        (term, (decided.bits, decided.split), factors, weights, composed)
    });
    let messages = member.messages.iter().zip(&planned.factors).zip(&planned.messages);
    let messages = messages.map(|((message, &factor), weights)| {
        (&message.term, (MAX_WEIGHT_BITS, false), Factors::uniform(factor), weights, None)
    });
    let shares = prediction.shares.iter().copied().chain(std::iter::repeat(0.0));
    let nth = positions(member.spikes.iter())
        .into_iter()
        .chain(positions(member.messages.iter().map(|m| &m.term)));
    let mut all: Vec<_> = spikes.chain(messages).zip(shares).zip(nth).collect();
    all.sort_by_key(|(((term, ..), _), _)| term.place);
    let each = all.into_iter().map(|((found, share), nth)| {
        let (term, (bits, split), factors, weights, composed) = found;
        let source = &network.nodes[term.source].name;
        let recipe = ProjectionRecipe {
            source: source.clone(),
            target: member.name.to_owned(),
            nth,
            weight_bits: Some(bits),
            split: Some(split),
            exponent: Some(weights.shift),
            weights: Some(weights.units.clone()),
        };
        let tensor = &network.tensors[term.weight];
        let mut account = weights_account(tensor, (bits, split), &factors, weights);
        account.source.clone_from(source);
        (account.nth, account.delay, account.predicted_share) = (nth, term.delay, share);
        account.composed = composed.map(|c| ComposedAccount {
            relative_error: c.error,
            materialized_error: c.materialized,
        });
        (account, recipe)
    });
    each.collect()
}

/// What the weights of a tensor became; where they lead is left open.
fn weights_account(
    tensor: &Tensor,
    (bits, split): (u8, bool),
    factors: &Factors,
    weights: &Weights,
) -> ProjectionAccount {
    let set = Set::of(bits, split, &tensor.data);
    let step = f64::from(1_u32 << weights.shift);
    let mut coarsest = 0.0_f64;
    let (mut count, mut zeroed, mut clipped) = (0, 0, 0);
    let (mut max_error, mut errors, mut squares) = (0.0_f64, 0.0, 0.0);
    let mut units = weights.units.iter();
    for (values, scale) in factors.blocks(&tensor.data) {
        coarsest = coarsest.max(step / scale);
        for (&value, &unit) in values.iter().zip(&mut units) {
            let exact = f64::from(value);
            let error = f64::from(unit) * step / scale - exact;
            (errors, squares) = (errors + error * error, squares + exact * exact);
            max_error = max_error.max(error.abs());
            if exact.abs() > 0.0 {
                count += 1;
                zeroed += usize::from(unit == 0);
                let steps = exact * scale / step;
                let beyond = if exact > 0.0 {
                    unit >= set.high && steps > f64::from(unit) + 0.5
                } else {
                    unit <= set.low && steps < f64::from(unit) - 0.5
                };
                clipped += usize::from(beyond);
            }
        }
    }
    let any = |sign: i16| weights.units.iter().any(|q| q * sign > 0);
    ProjectionAccount {
        source: String::new(),
        nth: 0,
        delay: 0,
        tensor: tensor.name.clone(),
        weight_bits: bits,
        set: match (any(1), any(-1)) {
            (true, true) if split => WeightSet::Split,
            (true, true) => WeightSet::Mixed,
            (false, true) => WeightSet::Inhibitory,
            (_, false) => WeightSet::Excitatory,
        },
        exponent: weights.shift,
        step: coarsest,
        weights: count,
        zeroed,
        clipped,
        max_error,
        relative_error: if squares > 0.0 { (errors / squares).sqrt() } else { 0.0 },
        predicted_share: 0.0,
        composed: None,
    }
}
