//! What a mapping comes to: cores against their bound, messages between them, and what a step takes.

use crate::profile::Profile;
use serde::{Deserialize, Serialize};
use snnc_ir::diag::codes::mapping;
use snnc_ir::target::{Cost, Costs};
use snnc_ir::{Diagnostic, MappedNetwork, TargetSpec};
use snnc_mapping::place::{Account, Report};
use snnc_passes::map::lower_bound;
use snnc_passes::place::{self, Board, Estimate, Unit};
use snnc_passes::rates::{self, ASSUMED};
use std::fmt::Write as _;

/// What a mapping comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingEntry {
    /// Cores in use.
    pub cores: u64,
    /// No mapping takes fewer.
    pub lower_bound: u64,
    /// What makes them so many.
    pub bound_by: String,
    /// Spikes per neuron and step that messages are counted with where nothing was measured; relays of messages count as 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub assumed_rate: Option<f64>,
    /// On what rates were measured, if they were.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub profile: Option<ProfileEntry>,
    /// Messages between cores.
    pub traffic: TrafficEntry,
    /// What a step takes: an estimate, where the target file has figures of all operations.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub estimate: Option<EstimateEntry>,
    /// Why there is no estimate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub no_estimate: Option<String>,
}

impl MappingEntry {
    /// The account of a mapped network, by the rates of `profile`, or by those that are assumed.
    pub fn of(mapped: &MappedNetwork, target: &TargetSpec, profile: Option<&Profile>) -> Self {
        let bound = lower_bound(&mapped.network, target);
        let rates = profile.map_or(&rates::NONE, |profile| &profile.rates);
        let report = place::account(mapped, target, rates);
        let (estimate, no_estimate) = match place::estimate(mapped, target, rates) {
            Ok(found) => {
                (Some(EstimateEntry::new(&found, mapped.network.run_steps(), target)), None)
            }
            Err(absent) => {
                (None, Some(format!("{} (line {} of the target)", absent.why, absent.line)))
            }
        };
        Self {
            cores: mapped.cores.len() as u64,
            lower_bound: bound.cores,
            bound_by: bound.resource.to_owned(),
            assumed_rate: rates.is_assumed().then_some(ASSUMED),
            profile: profile.map(|profile| profile.entry.clone()),
            traffic: TrafficEntry::new(&report, Board::of(target).unit),
            estimate,
            no_estimate,
        }
    }

    /// Cores with their bound, in a few words.
    pub fn cores_text(&self) -> String {
        let s = if self.cores == 1 { "" } else { "s" };
        format!("{} core{s} (lower bound {})", self.cores, self.lower_bound)
    }

    /// Rates, messages and estimate in a few lines.
    pub fn text(&self) -> String {
        let mut text = match (&self.profile, self.assumed_rate) {
            (Some(profile), _) => profile.text(),
            (None, Some(rate)) => {
                format!(
                    "rates are assumed: {rate} spikes per neuron and step (`--profile` measures them)\n"
                )
            }
            (None, None) => String::new(),
        };
        text.push_str(&self.traffic.text());
        if let Some(estimate) = &self.estimate {
            text.push_str(&estimate.text());
        }
        if let Some(why) = &self.no_estimate {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "no estimate of energy and time: {why}");
        }
        text
    }
}

/// On what rates were measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileEntry {
    /// blake3 of the file of samples, hexadecimal.
    pub data: String,
    /// Position in the file of the first sample.
    pub first: u64,
    /// Number of samples.
    pub samples: u64,
    /// Hardware steps of a sample.
    pub steps: u64,
    /// Neurons that were counted: inputs, relays and clocks, too.
    pub neurons: u64,
    /// Of these, neurons that sent nothing.
    pub silent: u64,
    /// Spikes, and messages other than 0, over all samples.
    pub sent: u64,
}

impl ProfileEntry {
    /// Spikes and messages per neuron and step.
    #[expect(clippy::cast_precision_loss, reason = "for readers")]
    pub fn rate(&self) -> f64 {
        let cells = self.samples as f64 * self.steps as f64 * self.neurons as f64;
        self.sent as f64 / cells.max(1.0)
    }

    /// A line for people.
    fn text(&self) -> String {
        let s = if self.samples == 1 { "" } else { "s" };
        format!(
            "rates are measured on {} sample{s} of {} steps: {:.4} per neuron and step, {} of {} neurons silent\n",
            self.samples,
            self.steps,
            self.rate(),
            self.silent,
            self.neurons
        )
    }

    /// That nothing was sent.
    pub fn remark(&self) -> Option<Diagnostic> {
        let finding = Diagnostic::warning(
            mapping::SILENT_PROFILE,
            format!("no neuron sent anything on {} samples of the profile", self.samples),
        )
        .note("no traffic is known, so cores lie anywhere")
        .help("give samples that the network answers, or leave `--profile` out");
        (self.sent == 0).then_some(finding)
    }
}

/// Messages between cores, in a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrafficEntry {
    /// Messages: for each spike one to every other core that it reaches. This is the km1 of the partition.
    pub messages: f64,
    /// Links that a message passes, on average.
    pub mean_hops: f64,
    /// Links that a message passes at most.
    pub most_hops: u32,
    /// What the messages cost in `unit`, by published figures.
    pub cost: f64,
    /// No placement of these cores costs less.
    pub cost_bound: f64,
    /// `pJ`, or `hops` where no energy is public; links between chips count several.
    pub unit: String,
    /// Messages of the core that sends and receives most.
    pub busiest_core: f64,
    /// Messages on the link that most pass.
    pub busiest_link: f64,
    /// Messages between chips.
    pub between_chips: f64,
    /// Chips in use.
    pub chips: u64,
}

impl TrafficEntry {
    /// The figures of a placement that are kept.
    pub fn new(report: &Report, unit: Unit) -> Self {
        let unit = match unit {
            Unit::Picojoule => "pJ",
            Unit::Hops => "hops",
        };
        Self {
            messages: report.messages,
            mean_hops: report.mean_hops,
            most_hops: report.most_hops,
            cost: report.energy,
            cost_bound: report.energy_bound,
            unit: unit.to_owned(),
            busiest_core: report.busiest_core.map_or(0.0, |b| b.messages),
            busiest_link: report.busiest_link.map_or(0.0, |b| b.messages),
            between_chips: report.between_chips,
            chips: report.chips as u64,
        }
    }

    /// A few lines for people.
    pub fn text(&self) -> String {
        let Self { messages, mean_hops, most_hops, cost, cost_bound, unit, .. } = self;
        if *messages <= 0.0 {
            return "no messages between cores\n".to_owned();
        }
        let mut text = format!(
            "messages between cores {messages:.1} a step (km1) over {mean_hops:.2} links on average, {most_hops} at most; \
             busiest core {:.1}, busiest link {:.1}\n",
            self.busiest_core, self.busiest_link,
        );
        // Writing to a string cannot fail.
        let _ = writeln!(text, "they cost {cost:.1} {unit} a step (lower bound {cost_bound:.1})");
        if self.chips > 1 {
            let _ = writeln!(
                text,
                "{:.1} of them cross between {} chips",
                self.between_chips, self.chips
            );
        }
        text
    }
}

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
    fn new(found: &Estimate, run_steps: u64, target: &TargetSpec) -> Self {
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
