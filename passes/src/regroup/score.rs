//! What mappings are compared by.

use crate::place::traffic_between;
use crate::rates::Rates;
use snnc_ir::mapped::Core;
use snnc_ir::quantized::QuantizedDraft;

/// Less traffic than this share of what was is worth other cores.
const CLEAR: f64 = 0.99;

/// A mapping in numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Score {
    /// Cores.
    pub(super) cores: usize,
    /// Messages between cores per step: every neuron that sends counts once for every other core that it reaches.
    pub(super) traffic: f64,
    /// Slices, runs of axons and blocks: what a program lists for its cores.
    pub(super) records: usize,
}

impl Score {
    /// Of these cores.
    pub(super) fn of(
        network: &QuantizedDraft,
        orders: &[u32],
        cores: &[&Core],
        rates: &Rates,
    ) -> Self {
        let records = |core: &&Core| core.slices.len() + core.axons.len() + core.blocks.len();
        Self {
            cores: cores.len(),
            traffic: traffic_between(network, orders, cores, rates).total(),
            records: cores.iter().map(records).sum(),
        }
    }

    /// Whether this mapping replaces `other`: on fewer cores, or on as many with at least a hundredth less traffic, and then
    /// its program may list at most `room` more records.
    pub(super) fn beats(&self, other: &Self, room: usize) -> bool {
        if self.cores != other.cores {
            return self.cores < other.cores;
        }
        self.traffic < CLEAR * other.traffic && self.records <= other.records.saturating_add(room)
    }
}
