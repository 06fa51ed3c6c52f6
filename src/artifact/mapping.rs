//! What a mapping comes to: cores against their bound, and messages between them.

use serde::{Deserialize, Serialize};
use snnc_ir::{MappedNetwork, TargetSpec};
use snnc_mapping::place::Report;
use snnc_passes::map::lower_bound;
use snnc_passes::place::{self, Board, Unit};
use snnc_passes::rates::{ASSUMED, Rates};
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
    /// Messages between cores.
    pub traffic: TrafficEntry,
}

impl MappingEntry {
    /// The account of a mapped network.
    pub fn of(mapped: &MappedNetwork, target: &TargetSpec, rates: &Rates) -> Self {
        let bound = lower_bound(&mapped.network, target);
        let report = place::account(mapped, target, rates);
        Self {
            cores: mapped.cores.len() as u64,
            lower_bound: bound.cores,
            bound_by: bound.resource.to_owned(),
            assumed_rate: rates.is_assumed().then_some(ASSUMED),
            traffic: TrafficEntry::new(&report, Board::of(target).unit),
        }
    }

    /// Cores with their bound, in a few words.
    pub fn cores_text(&self) -> String {
        let s = if self.cores == 1 { "" } else { "s" };
        format!("{} core{s} (lower bound {})", self.cores, self.lower_bound)
    }
}

/// Messages between cores, in a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrafficEntry {
    /// Messages: for each spike one to every other core that it reaches.
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
        let mut text = format!(
            "messages between cores {messages:.1} a step over {mean_hops:.2} links on average, {most_hops} at most; \
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
