//! How often neurons send: what weighs the traffic between cores.

use snnc_ir::arena::PopId;
use snnc_ir::quantized::{PopKind, Population, QuantizedDraft, Role, Time};
use std::collections::BTreeMap;

/// Spikes of a neuron per step where nothing was measured: one step in ten.
pub const ASSUMED: f64 = 0.1;

/// What the neurons of a population send, in messages per hardware step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sent<'r> {
    /// Measured, neuron by neuron.
    Each(&'r [f32]),
    /// Assumed, all the same.
    Alike(f64),
}

/// Messages per hardware step of the neurons of populations in hardware time, by name of the population.
///
/// Populations that are not in it are assumed: [`ASSUMED`] for neurons that spike, 1 for graded relays, which send whenever
/// their sum is not 0, and one of a period for clocks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rates {
    measured: BTreeMap<String, Vec<f32>>,
}

/// Rates of a network that nothing was measured of.
pub static NONE: Rates = Rates::assumed();

impl Rates {
    /// Nothing was measured.
    pub const fn assumed() -> Self {
        Self { measured: BTreeMap::new() }
    }

    /// Rates that were measured: one for each neuron of a population. Negative ones and those that are not finite count as 0.
    pub fn measured(rates: impl IntoIterator<Item = (String, Vec<f32>)>) -> Self {
        let clean = |rate: f32| if rate.is_finite() { rate.max(0.0) } else { 0.0 };
        let entry =
            |(name, rates): (String, Vec<f32>)| (name, rates.into_iter().map(clean).collect());
        Self { measured: rates.into_iter().map(entry).collect() }
    }

    /// Whether every rate is assumed.
    pub fn is_assumed(&self) -> bool {
        self.measured.is_empty()
    }

    /// Rates of the neurons of a population.
    pub fn of(&self, network: &QuantizedDraft, id: PopId) -> Sent<'_> {
        let population = &network.populations[id];
        match self.measured.get(&population.name) {
            Some(rates) if rates.len() == population.size() => Sent::Each(rates),
            _ => Sent::Alike(assumed(network, population)),
        }
    }
}

fn assumed(network: &QuantizedDraft, population: &Population) -> f64 {
    match (&population.role, &population.kind) {
        (Role::Clock, _) => 1.0 / f64::from(period(network).max(1)),
        (_, PopKind::Graded(_)) => 1.0,
        _ => ASSUMED,
    }
}

fn period(network: &QuantizedDraft) -> u32 {
    match &network.time {
        Time::Logical => 1,
        Time::Hardware(schedule) => schedule.period,
    }
}
