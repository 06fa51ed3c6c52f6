//! How long to look for a better mapping, shared by the commands that map.

use crate::pipeline::Search;
use clap::{Args, ValueEnum};
use snnc_mapping::partition::Effort;

/// How to look for a mapping.
#[derive(Debug, Args)]
pub(super) struct SearchArgs {
    /// How long to look for a better mapping.
    #[arg(long, value_enum, default_value_t)]
    effort: EffortArg,
    /// Seed of the search for a better mapping.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: u64,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum EffortArg {
    /// A quick pass.
    Fast,
    /// What is worth its time.
    #[default]
    Balanced,
    /// Several times the time for the last few percent.
    Best,
}

impl SearchArgs {
    pub(super) const fn search(&self) -> Search {
        let effort = match self.effort {
            EffortArg::Fast => Effort::Fast,
            EffortArg::Balanced => Effort::Balanced,
            EffortArg::Best => Effort::Best,
        };
        Search { effort, seed: self.seed }
    }
}
