//! What a bisection says, as data.

use crate::verify::MembraneReport;
use serde::Serialize;
use snnc_ir::Diagnostics;
use snnc_passes::Class;

/// Every pass and writer of a compilation, each held to what it promises.
#[derive(Clone, Debug, Serialize)]
pub struct Bisection {
    /// The passes that were run.
    pub pipeline: String,
    /// Samples of the stimulus file that all levels were run on.
    pub given: usize,
    /// Stimuli made from the inputs of the network, beside them.
    pub made: usize,
    /// What was checked, in order.
    pub steps: Vec<Step>,
    /// The first step that breaks its promise.
    pub culprit: Option<String>,
}

impl Bisection {
    /// The first step that breaks its promise.
    pub fn first(&self) -> Option<&Step> {
        self.steps.iter().find(|s| s.finding.is_some())
    }
}

/// A pass, a writer, or the artifact.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Its name; of a writer, the file that it writes.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// What a pass promises.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<&'static str>,
    /// How that was checked.
    pub check: &'static str,
    /// What was compared.
    pub compared: Compared,
    /// How it breaks its promise; `None` if it keeps it as far as was looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
}

/// What a step of a bisection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A pass.
    Pass,
    /// A writer, with the reader of what it writes.
    Writer,
    /// The files of the artifact themselves.
    Artifact,
}

/// How much was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// Populations that both sides have.
    pub populations: usize,
    /// Of these, the ones that sent nothing on any stimulus: nothing was learnt about what they feed.
    pub silent: usize,
    /// Spikes and messages of the first side.
    pub spikes: u64,
    /// Stimuli whose runs part where f32 rounding decides; they were compared up to there.
    pub rounded: usize,
}

/// How a step breaks its promise.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Finding {
    /// In words.
    pub what: String,
    /// What found it.
    pub by: By,
    /// What the networks were run on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stimulus: Option<String>,
    /// The population.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub population: Option<String>,
    /// Its neuron, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neuron: Option<usize>,
    /// Logical step, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// The neuron before the pass, when its membrane was compared, in the units of its level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<MembraneReport>,
    /// The neuron after the pass, when its membrane was compared, in the units of its level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<MembraneReport>,
}

/// What found a broken promise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The verifier of a level, which every pass has to satisfy.
    #[default]
    Verifier,
    /// Runs before and after.
    Simulation,
    /// A comparison of structure.
    Structure,
    /// What quantization says of itself, held against both networks.
    Account,
    /// The certificate.
    Certificate,
}

impl By {
    /// Name in lists.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verifier => "verifier",
            Self::Simulation => "simulation",
            Self::Structure => "structure",
            Self::Account => "account",
            Self::Certificate => "certificate",
        }
    }
}

impl Finding {
    /// A finding in words.
    pub(super) fn new(by: By, what: impl Into<String>) -> Self {
        Self { what: what.into(), by, ..Self::default() }
    }

    /// The finding of errors that name everything themselves.
    pub(super) fn of(by: By, errors: &Diagnostics) -> Self {
        let words = errors.iter().take(3).map(|d| format!("{}: {}", d.code, d.message));
        Self::new(by, words.collect::<Vec<_>>().join("; "))
    }
}

impl Step {
    /// A step that keeps its promise.
    pub(super) fn new(name: &str, kind: Kind, check: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            class: None,
            check,
            compared: Compared::default(),
            finding: None,
        }
    }

    /// A pass that keeps its promise.
    pub(super) fn pass(name: &str, class: Class, check: &'static str) -> Self {
        Self { class: Some(class.name()), ..Self::new(name, Kind::Pass, check) }
    }

    /// The same step, as found.
    pub(super) fn found(self, (compared, finding): (Compared, Option<Finding>)) -> Self {
        Self { compared, finding, ..self }
    }
}
