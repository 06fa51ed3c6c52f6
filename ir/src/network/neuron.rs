//! Neuron semantics of the float level, explicit in every respect.
//!
//! One logical step of a neuron with current `I` and membrane `v` (f32, every operation rounded):
//!
//! 1. [`Dynamics`]: `H` from `v` and `I`.
//! 2. If the neuron is refractory, `H` is the reset value and it does not fire.
//! 3. [`Compare`]: fires if `H > θ` (`gt`) or `H ≥ θ` (`ge`).
//! 4. [`Reset`], in the same step: where it fired `v = value` or `v = H − θ`, elsewhere `v = H`.
//!
//! `refractory` = number of steps after a spike in which the neuron is held (0 = none). A held
//! neuron of subtractive reset is held at its membrane after the reset.

use crate::param::Param;
use serde::{Deserialize, Serialize};

/// A population's neuron model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Neuron {
    /// Leak and integration.
    pub dynamics: Dynamics,
    /// Firing threshold.
    pub threshold: Param<f32>,
    /// Firing comparison.
    pub compare: Compare,
    /// What a spike does to the membrane, in the step of the spike.
    pub reset: Reset,
    /// Membrane before the first step.
    pub v_init: f32,
    /// Steps after a spike in which the neuron neither integrates nor fires.
    pub refractory: u32,
    /// Order of leak, input and comparison inside a step.
    pub order: UpdateOrder,
}

/// Leak and integration of one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Dynamics {
    /// `H = v + I`: integrate and fire without leak.
    Integrate,
    /// `H = v + (I − v) / tau`: input scaled by the time constant (BrainCog, NIR with r = 1).
    /// Float order: `d = I − v; q = d / tau; H = v + q`. **Units**: steps; `tau >= 1`.
    Tau(Param<f32>),
    /// `H = v · (1 − decay) + I`: input not scaled. Float order: `k = 1 − decay; p = v · k;
    /// H = p + I`. `0 <= decay <= 1`.
    Decay(Param<f32>),
}

/// Firing comparison of membrane and threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Compare {
    /// Fires at `v > θ`.
    Gt,
    /// Fires at `v ≥ θ`.
    Ge,
}

/// What a spike does to the membrane.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reset {
    /// The membrane becomes this value.
    To(f32),
    /// The threshold is subtracted.
    Subtract,
}

/// Order of the parts of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum UpdateOrder {
    /// Leak, then add the input of this step, then compare, then reset.
    LeakInputFire,
}
