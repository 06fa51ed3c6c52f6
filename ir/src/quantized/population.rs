//! Populations of the integer level.

use crate::arena::PopId;
use crate::network::{Coding, Compare, Keep, UpdateOrder};
use crate::param::Param;
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// A population of the integer level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Population {
    /// Unique name.
    pub name: String,
    /// Shape; neurons are numbered row-major.
    pub shape: Shape,
    /// What the population is for.
    pub role: Role,
    /// Source of its spikes.
    pub kind: PopKind,
}

impl Population {
    /// Number of neurons.
    pub fn size(&self) -> usize {
        self.shape.size()
    }

    /// Its neurons' parameters, if it consists of spiking neurons.
    pub const fn neuron(&self) -> Option<&IntNeuron> {
        match &self.kind {
            PopKind::Neurons(n) => Some(n),
            PopKind::Input(_) | PopKind::Graded(_) => None,
        }
    }

    /// Its parameters, if it sends graded messages.
    pub const fn graded(&self) -> Option<&Graded> {
        match &self.kind {
            PopKind::Graded(g) => Some(g),
            PopKind::Input(_) | PopKind::Neurons(_) => None,
        }
    }

    /// Whether its spikes come from outside.
    pub const fn is_input(&self) -> bool {
        matches!(self.kind, PopKind::Input(_))
    }
}

/// What a population is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// It exists in the source network.
    Logical,
    /// It repeats the spikes of `of`, `hops` steps later (one neuron per neuron).
    Relay {
        /// Population at the head of the relay chain.
        of: PopId,
        /// Steps behind it, at least 1.
        hops: u32,
    },
    /// All its neurons fire together every P-th step from the step given by its latency on; their
    /// spikes carry biases to populations whose latency is not zero.
    Clock,
}

/// Source of a population's spikes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PopKind {
    /// Spikes come from outside.
    Input(Coding),
    /// Neurons of the integer contract.
    Neurons(IntNeuron),
    /// Stateless compartments that pass on what arrives as graded messages.
    Graded(Graded),
}

/// Parameters of a population of graded relays: in every step a compartment sums what arrives,
/// `m = (a + bias) >> shift` (rounded down), keeps the values of one sign and, where `m ≠ 0`, sends
/// the message `m`. A target without graded messages has none.
///
/// A bias from 0 to `2^shift − 1` is *silent*: where nothing arrives it gives `bias >> shift = 0`,
/// which is never sent, whatever sign passes. A relay has no state, so a silent bias acts where
/// something arrives and nowhere else, as a constant of the source does: it may stand in the static
/// register at any latency and period. Any other bias of a population whose latency is not 0, or
/// whose logical steps take several hardware steps, is carried by clock spikes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graded {
    /// The sign that passes; `None` = both.
    pub keep: Option<Keep>,
    /// Added in every step, in units of weight.
    pub bias: Param<i32>,
    /// Bits by which the sum is shifted to the right before it is sent: a message of 1 stands for
    /// `2^shift` units of weight. Not 0 only on targets with programmable neurons.
    pub shift: u8,
}

/// Largest shift of a [`Graded`] relay.
pub const MAX_SHIFT: u8 = 31;

impl Graded {
    /// Whether a relay of this shift sends nothing of `bias` alone: half a step, which makes rounding
    /// down rounding to nearest, is one such bias, and 0 another.
    pub const fn silent(shift: u8, bias: i32) -> bool {
        let shift = if shift > MAX_SHIFT { MAX_SHIFT } else { shift };
        bias >= 0 && bias >> shift == 0
    }

    /// What is sent of `sum` (bias included) by relays of this sign and shift.
    pub const fn passes(keep: Option<Keep>, shift: u8, sum: i64) -> i64 {
        // A verified network has no larger shift; a draft may.
        let sum = sum >> if shift > MAX_SHIFT { MAX_SHIFT } else { shift };
        match keep {
            Some(Keep::Positive) if sum < 0 => 0,
            Some(Keep::Negative) if sum > 0 => 0,
            _ => sum,
        }
    }
}

/// Parameters of a population in the integer contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntNeuron {
    /// Current decay, 0..=4095; 4095 = no memory.
    pub du: Param<u16>,
    /// Membrane decay, 0..=4095; 0 = no leak.
    pub dv: Param<u16>,
    /// Threshold in units of the membrane (64 = one unit of the threshold mantissa).
    pub threshold: Param<i32>,
    /// Firing comparison; targets know only `gt`.
    pub compare: Compare,
    /// What a spike does to the membrane.
    pub reset: IntReset,
    /// Bias in units of the membrane, added in every update.
    pub bias: Param<i32>,
    /// 1 = none; r holds the membrane for `r − 1` further updates after a spike.
    pub refractory: u32,
    /// Order of leak, input and comparison inside a step.
    pub order: UpdateOrder,
    /// In hardware time: the neuron updates only in steps `t ≡ latency (mod period)` and sums its
    /// input in between. Needs a programmable neuron; 1 = every step.
    pub update_period: u32,
    /// Lowest membrane, at most 0: what an update takes it below is raised to it before the comparison.
    /// `None` = there is none. Targets say which floors their neurons have.
    pub floor: Option<Param<i32>>,
}

/// What a spike does to the membrane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IntReset {
    /// The membrane becomes 0.
    Zero,
    /// This amount (units of the membrane) is subtracted. Needs a programmable neuron.
    Subtract(Param<i32>),
}
