//! Neurons that share registers: which profiles and thresholds a core has to store for each unit.

use super::units::{Units, narrow};
use snnc_ir::mapped::usage::Accounting;
use snnc_ir::quantized::{IntNeuron, IntReset, QuantizedDraft, Time};
use snnc_ir::{Entity, Param, TargetSpec};
use std::collections::BTreeMap;

/// What of a neuron a profile holds.
type Profile = ([u32; 2], Option<i32>, [u32; 3]);

/// Whether neurons of a population differ in what profiles and thresholds hold.
pub(super) fn differ(neuron: &IntNeuron) -> bool {
    let uniform = matches!(neuron.du, Param::Uniform(_))
        && matches!(neuron.dv, Param::Uniform(_))
        && matches!(neuron.threshold, Param::Uniform(_));
    let amount = match &neuron.reset {
        IntReset::Zero => true,
        IntReset::Subtract(amount) => matches!(amount, Param::Uniform(_)),
    };
    !(uniform && amount)
}

/// Units that a core can hold together as far as registers go: the number of their family, and in it of their kind.
///
/// Profiles are numbered in order, and every so many as a core stores are a family; so are thresholds. Units whose
/// neurons differ count as their first one.
pub(super) fn families(
    accounting: &Accounting<'_>,
    units: &Units,
    target: &TargetSpec,
) -> Vec<[u32; 4]> {
    let kinds: Vec<(Option<Profile>, Option<i32>)> =
        (0..narrow(units.len())).map(|unit| kind(accounting, units, unit)).collect();
    let mut profiles = BTreeMap::new();
    let mut thresholds = BTreeMap::new();
    for (profile, threshold) in &kinds {
        profiles.extend(profile.map(|profile| (profile, 0)));
        thresholds.extend(threshold.map(|threshold| (threshold, 0)));
    }
    profiles.values_mut().zip(0..).for_each(|(number, n)| *number = n);
    thresholds.values_mut().zip(0..).for_each(|(number, n)| *number = n);
    let [per_profile, per_threshold] = [&target.profiles, &target.thresholds]
        .map(|limit| u32::try_from(limit.value).unwrap_or(u32::MAX).max(1));
    let of = |(profile, threshold): &(Option<Profile>, Option<i32>)| {
        let profile = profile.and_then(|p| profiles.get(&p)).copied().unwrap_or(0);
        let threshold = threshold.and_then(|t| thresholds.get(&t)).copied().unwrap_or(0);
        [profile / per_profile, threshold / per_threshold, profile, threshold]
    };
    kinds.iter().map(of).collect()
}

/// Profile and threshold of the first neuron of a unit.
fn kind(accounting: &Accounting<'_>, units: &Units, unit: u32) -> (Option<Profile>, Option<i32>) {
    let slice = units.slice(unit);
    let network = accounting.network();
    let population = &network.populations[slice.population];
    if let Some(graded) = population.graded() {
        let keep = graded.keep.map_or(0, |keep| 1 + keep as u32);
        return (Some(([u32::MAX, keep], None, [u32::from(graded.shift), 0, 0])), None);
    }
    let Some(neuron) = population.neuron() else { return (None, None) };
    let n = accounting.order(slice.population).neuron(slice.start) as usize;
    let shape = &population.shape;
    let subtract = match &neuron.reset {
        IntReset::Zero => None,
        IntReset::Subtract(amount) => Some(amount.at(n, shape)),
    };
    let decays = [neuron.du.at(n, shape), neuron.dv.at(n, shape)].map(u32::from);
    let phase = phase(network, slice.population.index(), neuron.update_period);
    let others = [neuron.refractory, neuron.update_period, phase];
    (Some((decays, subtract, others)), Some(neuron.threshold.at(n, shape)))
}

/// Step of the period in which a population updates.
fn phase(network: &QuantizedDraft, population: usize, period: u32) -> u32 {
    match &network.time {
        Time::Hardware(schedule) => schedule.latency[population] % period.max(1),
        Time::Logical => 0,
    }
}
