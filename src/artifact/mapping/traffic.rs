//! Messages between cores.

use serde::{Deserialize, Serialize};
use snnc_mapping::place::Report;
use snnc_passes::place::Unit;
use std::fmt::Write as _;

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
