//! How many parameters a genome stores, and how many weights it decodes to.

use std::collections::BTreeMap;

/// Stored parameters against decoded ones. Neuron parameters are not counted on either side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GenomeAccount {
    /// Every tensor of the genome that a weight, bias or normalization uses, by name.
    pub stored: BTreeMap<String, Stored>,
    /// Scale factors: one per distinct encoded weight.
    pub scales: usize,
    /// Weights and biases that encoded tensors decode to; a tensor used by many nodes counts once.
    pub decoded: usize,
    /// Values of the network's tensors that are used as they are stored.
    pub dense: usize,
}

/// A tensor of the genome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// `encoding`, `interaction`, `vector` or `dense`. A gene that also serves as a dense weight is
    /// a gene.
    pub role: &'static str,
    /// Number of values.
    pub values: usize,
}

impl GenomeAccount {
    /// Numbers that the genome stores: genes, dense tensors and scales.
    pub fn stored_parameters(&self) -> usize {
        self.scales + self.stored.values().map(|s| s.values).sum::<usize>()
    }

    /// Numbers that the network has: decoded and dense tensors.
    pub fn network_parameters(&self) -> usize {
        self.decoded + self.dense
    }
}
