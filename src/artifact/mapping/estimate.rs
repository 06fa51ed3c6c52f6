//! Energy and time of a step.

use serde::{Deserialize, Serialize};
use snnc_ir::TargetSpec;
use snnc_ir::target::{Cost, Costs};
use snnc_mapping::place::Account;
use snnc_passes::place::Estimate;
use std::fmt::Write as _;

/// What a step takes, on average: an estimate, from the lowest to the highest of the published figures. Static power, the host
/// and what links between chips take more than others are no part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EstimateEntry {
    /// Synaptic events.
    pub synaptic_events: f64,
    /// Neurons, each updated in every step.
    pub neuron_updates: f64,
    /// Spikes and messages, each counted once.
    pub spikes: f64,
    /// Energy in pJ.
    pub energy: [f64; 2],
    /// Of synaptic events, in pJ.
    pub synapse_energy: [f64; 2],
    /// Of neurons, in pJ.
    pub neuron_energy: [f64; 2],
    /// Of messages, in pJ.
    pub message_energy: [f64; 2],
    /// Time of a step in ns: the busiest core or link, and the barrier.
    pub time: [f64; 2],
    /// The core that takes longest, by the highest figures.
    pub busiest_core: u64,
    /// Time of the core that takes longest, in ns.
    pub core_time: [f64; 2],
    /// Time of the busiest link, in ns.
    pub link_time: [f64; 2],
    /// Time of the barrier at the end of a step, in ns.
    pub barrier_time: [f64; 2],
    /// Hardware steps of a run.
    pub run_steps: u64,
    /// Energy of a run in pJ.
    pub run_energy: [f64; 2],
    /// Time of a run in ns.
    pub run_time: [f64; 2],
    /// Where the figures stand, and what each is from.
    pub sources: Vec<String>,
}

impl EstimateEntry {
    pub(super) fn new(found: &Estimate, run_steps: u64, target: &TargetSpec) -> Self {
        let both = |of: fn(&Account) -> f64| [of(&found.accounts[0]), of(&found.accounts[1])];
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let run = |step: [f64; 2]| step.map(|n| n * run_steps as f64);
        let (energy, time) = (both(Account::energy), both(Account::time));
        Self {
            synaptic_events: found.work.events,
            neuron_updates: found.work.neurons,
            spikes: found.work.spikes,
            energy,
            synapse_energy: both(|a| a.synapses),
            neuron_energy: both(|a| a.neurons),
            message_energy: both(|a| a.messages),
            time,
            busiest_core: found.accounts[1].busiest_core as u64,
            core_time: both(|a| a.core),
            link_time: both(|a| a.link),
            barrier_time: both(|a| a.barrier),
            run_steps,
            run_energy: run(energy),
            run_time: run(time),
            sources: sources(&target.costs),
        }
    }

    /// A few lines for people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "estimate of a step: {}; synapses {}, neurons {}, messages {}\n",
            energy(self.energy),
            energy(self.synapse_energy),
            energy(self.neuron_energy),
            energy(self.message_energy),
        );
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "estimate of a step: {}; core {} takes longest, {}, the busiest link {}, the barrier {}",
            time(self.time),
            self.busiest_core,
            time(self.core_time),
            time(self.link_time),
            time(self.barrier_time),
        );
        let _ = writeln!(
            text,
            "estimate of a run of {} steps: {}, {}; without static power, host, and what links between chips take",
            self.run_steps,
            energy(self.run_energy),
            time(self.run_time)
        );
        let _ = writeln!(
            text,
            "  of {:.1} synaptic events, {} neuron updates and {:.1} spikes a step, by the figures under [costs] of the target",
            self.synaptic_events, self.neuron_updates, self.spikes
        );
        text
    }
}

/// The figures of a target, with their sources. Artifacts name no paths: a copy of the target file is one of their files.
fn sources(costs: &Costs) -> Vec<String> {
    let named = [
        ("synapse_energy", "fJ", &costs.synapse_energy),
        ("synapse_time", "ps", &costs.synapse_time),
        ("neuron_energy", "fJ", &costs.neuron_energy),
        ("neuron_time", "ps", &costs.neuron_time),
        ("firing_energy", "fJ", &costs.firing_energy),
        ("firing_time", "ps", &costs.firing_time),
        ("message_energy", "fJ", &costs.message_energy),
        ("message_time", "ps", &costs.message_time),
        ("arrival_time", "ps", &costs.arrival_time),
        ("router_energy", "fJ", &costs.router_energy),
        ("hop_energy_x", "fJ", &costs.hop_energy_x),
        ("hop_energy_y", "fJ", &costs.hop_energy_y),
        ("hop_time_x", "ps", &costs.hop_time_x),
        ("hop_time_y", "ps", &costs.hop_time_y),
        ("barrier_time", "ps", &costs.barrier_time),
    ];
    let text = |(key, unit, cost): (&str, &str, &Cost)| match cost {
        Cost::Known { value: [low, high], source, line } if low == high => {
            Some(format!("{key} {low} {unit} (line {line} of the target: {source})"))
        }
        Cost::Known { value: [low, high], source, line } => {
            Some(format!("{key} {low} to {high} {unit} (line {line} of the target: {source})"))
        }
        Cost::Absent { .. } => None,
    };
    named.into_iter().filter_map(text).collect()
}

/// A range of energies in pJ for people.
pub fn energy(range: [f64; 2]) -> String {
    scaled(range, ["pJ", "nJ", "µJ", "mJ"])
}

/// A range of times in ns for people.
pub fn time(range: [f64; 2]) -> String {
    scaled(range, ["ns", "µs", "ms", "s"])
}

/// Three digits of both ends, in the largest unit that leaves the upper one at 1 at least.
fn scaled([low, high]: [f64; 2], units: [&str; 4]) -> String {
    let (mut unit, mut by) = (units[0], 1.0);
    for larger in &units[1..] {
        if high / by >= 1000.0 {
            (unit, by) = (larger, by * 1000.0);
        }
    }
    let digits = |value: f64| {
        let decimals = if value >= 100.0 {
            0
        } else if value >= 10.0 {
            1
        } else {
            2
        };
        format!("{value:.decimals$}")
    };
    let [low, high] = [low / by, high / by].map(digits);
    if low == high { format!("{low} {unit}") } else { format!("{low} to {high} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::{energy, time};

    #[test]
    fn ranges_are_shown_in_one_unit() {
        assert_eq!(energy([0.0, 0.0]), "0.00 pJ");
        assert_eq!(energy([23.6, 999.0]), "23.6 to 999 pJ");
        assert_eq!(energy([23.6, 1000.0]), "0.02 to 1.00 nJ");
        assert_eq!(time([113.0, 1800.0]), "0.11 to 1.80 µs");
        assert_eq!(time([5e9, 5e9]), "5.00 s");
        assert_eq!(time([5e12, 5e13]), "5000 to 50000 s");
    }
}
