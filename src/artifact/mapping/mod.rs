//! What a mapping comes to: cores against their bound, messages between them, and what a step takes.

mod estimate;
mod profile;
mod traffic;

pub use estimate::{EstimateEntry, energy, time};
pub use profile::ProfileEntry;
pub use traffic::TrafficEntry;

use crate::profile::Profile;
use serde::{Deserialize, Serialize};
use snnc_ir::{MappedNetwork, TargetSpec};
use snnc_passes::map::lower_bound;
use snnc_passes::place::{self, Board};
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
        let (report, estimate) = place::account(mapped, target, rates);
        let (estimate, no_estimate) = match estimate {
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
