//! Level 3: the scheduled integer network on cores.
//!
//! Each population has an order on the cores. A core holds *slices* (contiguous neurons of one population in
//! that order, in compartment order), *axon runs* (contiguous source neurons, one input axon each) and *synapse blocks* that join a run to a slice
//! through a projection's matrix. Nothing here lists synapses.

pub mod reach;
pub mod senders;
pub mod usage;
mod verify;

use crate::arena::{Arena, CoreId, PopId, ProjId};
use crate::level::sealed;
use crate::quantized::QuantizedDraft;
use serde::{Deserialize, Serialize};

/// An editable mapped network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MappedDraft {
    /// The network in hardware time.
    pub network: QuantizedDraft,
    /// Name of the target.
    pub target: String,
    /// Order of each population on the cores, by [`PopId`] index: channels per block of its
    /// [`Order`](crate::order::Order), 1 = row-major.
    pub orders: Vec<u32>,
    /// Cores in use.
    pub cores: Arena<CoreId, Core>,
}

sealed! {
    /// A verified mapped network.
    MappedNetwork, MappedDraft, "mapped", verify::check
}

/// One neuromorphic core.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Core {
    /// Chip that holds the core.
    pub chip: u32,
    /// Which of the chip's cores it is: row-major on the chip's mesh, from 0.
    pub cell: u32,
    /// Neurons, in compartment order: the first slice starts at compartment 0.
    pub slices: Vec<Slice>,
    /// Input axons, in axon order: the first run starts at axon 0. A source neuron has at most one
    /// axon per core.
    pub axons: Vec<Slice>,
    /// Synapses.
    pub blocks: Vec<Block>,
}

/// Contiguous neurons of a population, in its order on the cores ([`MappedDraft::orders`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slice {
    /// The population.
    pub population: PopId,
    /// Position of the first neuron.
    pub start: u32,
    /// Number of neurons, at least 1.
    pub len: u32,
}

/// The part of a projection between one axon run and one slice of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Block {
    /// The projection.
    pub projection: ProjId,
    /// Index into [`Core::axons`].
    pub axons: u32,
    /// Index into [`Core::slices`].
    pub slice: u32,
}

impl Slice {
    /// The neuron after the last one.
    pub fn end(&self) -> u64 {
        u64::from(self.start) + u64::from(self.len)
    }

    /// Indices of its neurons in the population.
    pub fn neurons(&self) -> std::ops::Range<usize> {
        self.start as usize..self.start as usize + self.len as usize
    }
}

impl std::fmt::Display for Slice {
    /// As in the text form: `pop1[0..64]`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}[{}..{}]", self.population, self.start, self.end())
    }
}

impl Core {
    /// Compartments in use.
    pub fn compartments(&self) -> usize {
        self.slices.iter().map(|s| s.len as usize).sum()
    }

    /// Input axons in use.
    pub fn input_axons(&self) -> usize {
        self.axons.iter().map(|s| s.len as usize).sum()
    }
}
