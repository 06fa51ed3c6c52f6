//! On what rates were measured.

use serde::{Deserialize, Serialize};
use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::mapping;

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
    pub(super) fn text(&self) -> String {
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
