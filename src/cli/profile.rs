//! `--profile`: samples on which the rates of neurons are measured, shared by the commands that map.

use super::samples::Samples;
use crate::source::Source;
use crate::stimulus::{self, Interface, Stimuli};
use clap::Args;
use snnc_ir::Diagnostics;
use snnc_passes::AnyLevel;
use std::path::{Path, PathBuf};

/// Samples on which rates are measured.
#[derive(Debug, Args)]
pub(super) struct ProfileArgs {
    /// Measure how often neurons send on these samples (.npz), and map for that; without it a rate is assumed.
    #[arg(long, value_name = "FILE", requires = "target")]
    profile: Option<PathBuf>,
    /// Use the first N samples only, or those from A up to, and without, B.
    #[arg(long, value_name = "N|A..B", requires = "profile")]
    profile_samples: Option<Samples>,
}

impl ProfileArgs {
    /// Whether rates are to be measured.
    pub(super) const fn is_given(&self) -> bool {
        self.profile.is_some()
    }

    /// The file of the samples.
    pub(super) fn file(&self) -> Option<&Path> {
        self.profile.as_deref()
    }

    /// Reads the samples, before anything slow is done.
    ///
    /// # Errors
    /// As [`stimulus::read`].
    pub(super) fn read(&self, source: &Source) -> Result<Option<Stimuli>, Diagnostics> {
        let Some(file) = &self.profile else { return Ok(None) };
        let interface = match &source.level {
            AnyLevel::Network(network) => Interface::of_network(network),
            AnyLevel::Quantized(network) => Interface::of_quantized(network),
            AnyLevel::Mapped(mapped) => Interface::of_quantized(&mapped.network),
        };
        stimulus::read(file, &interface, Samples::range(self.profile_samples.as_ref())).map(Some)
    }
}
