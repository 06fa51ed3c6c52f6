//! Which core each vertex goes to.
//!
//! The fewest cores come first, then the least traffic ([`Hypergraph::km1`]). Three means, one file each: cores that *grow* one
//! after the other across layers (`grow`), *coarsening* to clusters of vertices that share costly edges (`coarsen`), and *refinement*
//! by chains of moves that overfill cores only for a while (`refine`); `drive` says in which order. Four more serve kinds of
//! networks: vertices that edges do not tell apart are one at first (`twins`, for convolutions), modules are found and gathered
//! whole (`modules`), and patches of networks without seams are evened out and
//! annealed (`even`, `anneal`, where axons are short). All limits hold at
//! the end whatever the means do: a start that breaks none is always at hand.

mod anneal;
mod coarsen;
mod drive;
mod even;
mod gather;
mod grow;
mod level;
mod modules;
mod multilevel;
mod pack;
mod plan;
mod queue;
mod random;
mod refine;
mod state;
mod twins;
mod vote;

use crate::hypergraph::Hypergraph;

/// What one core can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Neurons.
    pub neurons: u64,
    /// Input axons: of every edge with a target on the core, its axons. An edge whose source is on the core counts, too.
    pub inputs: u64,
    /// Most cores.
    pub cores: u32,
}

/// How much time to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Effort {
    /// A linear pass and a quick refinement.
    Fast,
    /// Multilevel.
    #[default]
    Balanced,
    /// Several starts and repeated refinement.
    Best,
}

/// The core of every vertex.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Partition {
    /// Core of each vertex; of vertices of weight 0, `u32::MAX`.
    pub core: Vec<u32>,
    /// Cores in use, numbered from 0.
    pub cores: u32,
}

/// Why a network has no partition, or why none was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A vertex alone has too many neurons for a core.
    #[error("vertex {vertex} has {need} neurons, and a core holds {limit}")]
    Neurons {
        /// The vertex (the heaviest one).
        vertex: u32,
        /// Its neurons.
        need: u64,
        /// Neurons of a core.
        limit: u64,
    },
    /// A vertex alone needs too many input axons.
    #[error("vertex {vertex} needs {need} input axons, and a core has {limit}")]
    Inputs {
        /// The vertex (the one that needs most).
        vertex: u32,
        /// Axons that reach it.
        need: u64,
        /// Input axons of a core.
        limit: u64,
    },
    /// More cores than there are.
    #[error("needs {need} cores (at least {least} by its totals), and there are {limit}")]
    Cores {
        /// Cores of the best partition found.
        need: u32,
        /// A bound below which no partition exists.
        least: u32,
        /// Cores there are.
        limit: u32,
    },
}

/// Finds a partition: legal, on few cores, with little traffic. The same `seed` gives the same partition.
///
/// The hypergraph has to be well formed ([`Hypergraph::validate`]).
///
/// # Errors
/// When a vertex alone breaks a limit, or no partition on at most [`Limits::cores`] cores was found.
///
/// # Panics
/// If the hypergraph is malformed.
pub fn partition(
    graph: &Hypergraph,
    limits: &Limits,
    effort: Effort,
    seed: u64,
) -> Result<Partition, Unfit> {
    drive::partition(graph, limits, effort, seed)
}

/// Improves a legal partition: never on more cores, and never with more traffic on as many. What is not legal comes back unchanged.
///
/// # Panics
/// If the hypergraph is malformed.
pub fn refine(
    graph: &Hypergraph,
    limits: &Limits,
    partition: Partition,
    effort: Effort,
    seed: u64,
) -> Partition {
    drive::refine(graph, limits, partition, effort, seed)
}

#[cfg(test)]
mod tests;
