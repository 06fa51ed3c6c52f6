//! A network of any level, and the names of the levels.

use snnc_ir::{Level, MappedNetwork, Network, QuantizedNetwork};
use std::fmt;

/// The levels in the order of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LevelKind {
    /// [`Network`].
    Network,
    /// [`QuantizedNetwork`].
    Quantized,
    /// [`MappedNetwork`].
    Mapped,
}

impl LevelKind {
    /// Name in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Network => Network::NAME,
            Self::Quantized => QuantizedNetwork::NAME,
            Self::Mapped => MappedNetwork::NAME,
        }
    }
}

impl fmt::Display for LevelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A verified network of any level.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyLevel {
    /// f32, logical time.
    Network(Network),
    /// Integers.
    Quantized(QuantizedNetwork),
    /// Integers on cores.
    Mapped(MappedNetwork),
}

impl AnyLevel {
    /// Which level it is.
    pub const fn kind(&self) -> LevelKind {
        match self {
            Self::Network(_) => LevelKind::Network,
            Self::Quantized(_) => LevelKind::Quantized,
            Self::Mapped(_) => LevelKind::Mapped,
        }
    }
}
