//! The option that says what becomes of encoded weights, shared by the commands that lower a source.

use crate::pipeline::Lowering;
use clap::{Args, ValueEnum};

/// What becomes of encoded weights.
#[derive(Debug, Args)]
pub(super) struct LoweringArgs {
    /// What becomes of weights that the genome encodes.
    #[arg(long, value_enum, default_value_t)]
    lowering: LoweringArg,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LoweringArg {
    /// Factored where that pays on the target.
    Auto,
    /// Decoded to one matrix each.
    Materialized,
    /// Kept as two or three smaller matrices with relays between them, wherever possible.
    Factored,
    /// Factored where that stores less, however many relays it takes.
    Smallest,
}

impl Default for LoweringArg {
    fn default() -> Self {
        match Lowering::DEFAULT {
            Lowering::Auto => Self::Auto,
            Lowering::Materialized => Self::Materialized,
            Lowering::Factored => Self::Factored,
            Lowering::Smallest => Self::Smallest,
        }
    }
}

impl LoweringArgs {
    pub(super) const fn lowering(&self) -> Lowering {
        match self.lowering {
            LoweringArg::Auto => Lowering::Auto,
            LoweringArg::Materialized => Lowering::Materialized,
            LoweringArg::Factored => Lowering::Factored,
            LoweringArg::Smallest => Lowering::Smallest,
        }
    }
}
