//! Neurons that share registers: which profiles and thresholds a core has to store for each unit.

use super::units::{Units, narrow};
use snnc_ir::mapped::usage::Accounting;
use snnc_ir::quantized::{IntNeuron, IntReset, QuantizedDraft, Time};
use snnc_ir::{Entity, Param, TargetSpec};
use std::collections::BTreeMap;

/// What of a neuron a profile holds, the floor first.
type Profile = (Option<i32>, [u32; 2], Option<i32>, [u32; 3]);

/// Whether neurons of a population differ in what profiles and thresholds hold.
pub(super) fn differ(neuron: &IntNeuron) -> bool {
    let uniform = matches!(neuron.du, Param::Uniform(_))
        && matches!(neuron.dv, Param::Uniform(_))
        && matches!(neuron.threshold, Param::Uniform(_));
    let amount = match &neuron.reset {
        IntReset::Zero => true,
        IntReset::Subtract(amount) => matches!(amount, Param::Uniform(_)),
    };
    let floor = neuron.floor.iter().all(|floor| matches!(floor, Param::Uniform(_)));
    !(uniform && amount && floor)
}

/// Units that a core can hold together as far as registers go: the number of their family, and in it of their kind.
///
/// Profiles are numbered in order, and every so many as a core stores are a family, as long as their floors are; so are
/// thresholds. Units whose
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
        profiles.extend(profile.map(|profile| (profile, [0; 2])));
        thresholds.extend(threshold.map(|threshold| (threshold, 0)));
    }
    thresholds.values_mut().zip(0..).for_each(|(number, n)| *number = n);
    let [per_profile, per_threshold, per_floor] =
        [&target.profiles, &target.thresholds, &target.floors]
            .map(|limit| u32::try_from(limit.value).unwrap_or(u32::MAX).max(1));
    profiles.values_mut().zip(0..).for_each(|(numbers, n)| numbers[1] = n);
    number(&mut profiles, per_profile, per_floor);
    let of = |(profile, threshold): &(Option<Profile>, Option<i32>)| {
        let [family, profile] = profile.and_then(|p| profiles.get(&p)).copied().unwrap_or([0; 2]);
        let threshold = threshold.and_then(|t| thresholds.get(&t)).copied().unwrap_or(0);
        [family, threshold / per_threshold, profile, threshold]
    };
    kinds.iter().map(of).collect()
}

/// Numbers profiles and their families, of which none has more profiles or floors than a core stores.
fn number(profiles: &mut BTreeMap<Profile, [u32; 2]>, per_profile: u32, per_floor: u32) {
    let (mut family, mut held, mut floors) = (0, 0, Vec::new());
    for ((floor, ..), numbers) in profiles {
        let new = floors.last() != Some(floor);
        if held == per_profile || new && floors.len() == per_floor as usize {
            (family, held) = (family + 1, 0);
            floors.clear();
        }
        if floors.last() != Some(floor) {
            floors.push(*floor);
        }
        *numbers = [family, numbers[1]];
        held += 1;
    }
}

/// Profile and threshold of the first neuron of a unit.
fn kind(accounting: &Accounting<'_>, units: &Units, unit: u32) -> (Option<Profile>, Option<i32>) {
    let slice = units.slice(unit);
    let network = accounting.network();
    let population = &network.populations[slice.population];
    if let Some(graded) = population.graded() {
        let keep = graded.keep.map_or(0, |keep| 1 + keep as u32);
        return (Some((None, [u32::MAX, keep], None, [u32::from(graded.shift), 0, 0])), None);
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
    let floor = neuron.floor.as_ref().map(|floor| floor.at(n, shape));
    (Some((floor, decays, subtract, others)), Some(neuron.threshold.at(n, shape)))
}

/// Step of the period in which a population updates.
fn phase(network: &QuantizedDraft, population: usize, period: u32) -> u32 {
    match &network.time {
        Time::Hardware(schedule) => schedule.latency[population] % period.max(1),
        Time::Logical => 0,
    }
}
