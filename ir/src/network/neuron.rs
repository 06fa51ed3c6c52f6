//! Neuron semantics of the float level, explicit in every respect.
//!
//! One logical step of a neuron with current `I` and membrane `v` (f32, every operation rounded):
//!
//! 1. [`Dynamics`]: `H` from `v` and `I`; where the neuron has a floor, `H = max(H, floor)`.
//! 2. If the neuron is refractory, `H` is the reset value and it does not fire.
//! 3. [`Compare`]: fires if `H > θ` (`gt`) or `H ≥ θ` (`ge`).
//! 4. [`Reset`], in the same step: where it fired `v = value` or `v = H − θ`, elsewhere `v = H`.
//! 5. [`Emission`]: a spike has the value 1, or (burst, several) a graded one.
//!
//! `refractory` = number of steps after a spike in which the neuron is held (0 = none). A held
//! neuron of subtractive reset is held at its membrane after the reset. A current with memory
//! ([`Current`]) runs on while its neuron is held, and no spike resets it.

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
    /// What a spike carries.
    pub emission: Emission,
    /// Lowest membrane: what an update takes it below is raised to it. Finite, at most the value that a spike
    /// resets to (0 where it subtracts). `None` = there is none.
    pub floor: Option<Param<f32>>,
}

impl Neuron {
    /// Neurons that fire above their threshold, once in a step, are reset to 0, start there, and have neither
    /// refractory time nor floor.
    pub const fn plain(dynamics: Dynamics, threshold: Param<f32>) -> Self {
        Self {
            dynamics,
            threshold,
            compare: Compare::Gt,
            reset: Reset::To(0.0),
            v_init: 0.0,
            refractory: 0,
            order: UpdateOrder::LeakInputFire,
            emission: Emission::Binary,
            floor: None,
        }
    }
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
    /// `H = v + (I − v) · k` with `k =` [`sigmoid`]`(w)`: the parametric LIF, whose learnt `w` sets
    /// the leak (BrainCog's PLIF). Float order: `d = I − v; p = d · k; H = v + p`.
    Sigmoid(Param<f32>),
    /// Izhikevich's neuron in Euler steps of 1 (BrainCog's form), with the recovery variable `r`
    /// (0 before the first step): `H = v + (0.04·v·v + 5·v − r + 140 + I)`, then
    /// `r = r + (a·b·H − a·r)` **with the new `H`**; a spike adds `d` to `r`. The reset value is
    /// the model's `c`. Float order: `p = 0.04·v; p = p·v; q = 5·v; p = p + q; p = p − r;
    /// p = p + 140; p = p + I; H = v + p`, then with `k = a·b` in f64, rounded once: `m = k·H; n = a·r;
    /// m = m − n; r = r + m; r = r + s·d`. Constants are rounded to f32.
    Izhikevich {
        /// Rate of recovery.
        a: f64,
        /// Coupling of recovery to the membrane.
        b: f64,
        /// What a spike adds to the recovery variable.
        d: f64,
    },
    /// `H = v · keep + i · gain + drive`, with a synaptic current that may have memory of its own.
    Linear(LinearDynamics),
}

impl Dynamics {
    /// The synaptic current that remembers, if there is one.
    pub const fn current(&self) -> Option<&Current> {
        match self {
            Self::Linear(linear) => linear.current.as_ref(),
            Self::Integrate
            | Self::Tau(_)
            | Self::Decay(_)
            | Self::Sigmoid(_)
            | Self::Izhikevich { .. } => None,
        }
    }
}

/// A linear neuron with every coefficient given: `H = v · keep + i · gain + drive`, where `i` is the
/// synaptic current, or what the neuron reads where it has none. Float order: `p = v · keep;
/// q = i · gain; s = p + q; H = s + drive`.
///
/// Leaky neurons of other forms are values of it: forward Euler in steps of `dt` gives
/// `keep = 1 − dt/tau`, the exact solution between spikes `keep = exp(−dt/tau)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinearDynamics {
    /// The synaptic current; `None`: the neuron reads its current without memory.
    pub current: Option<Current>,
    /// Share of the membrane that remains from step to step, `0 <= keep <= 1`.
    pub keep: Param<f32>,
    /// Membrane per unit of current, above 0.
    pub gain: Param<f32>,
    /// Added to the membrane in every step that is not held, from the first step on.
    pub drive: Param<f32>,
}

/// A synaptic current with memory: `i' = i · keep + x · gain` for what the neuron reads, `x`; 0 before
/// the first step. Float order: `p = i · keep; q = x · gain; i = p + q`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Current {
    /// Share of the current that remains from step to step, `0 <= keep <= 1`.
    pub keep: Param<f32>,
    /// Current per unit of what is read, above 0.
    pub gain: Param<f32>,
}

/// `1 / (1 + exp(−w))`, as PyTorch computes it for a single number: the exponential, the sum and the
/// quotient are rounded to f32 one after the other.
#[expect(clippy::cast_possible_truncation, reason = "the rounding to f32 is the definition")]
pub fn sigmoid(w: f32) -> f32 {
    let e = (-f64::from(w)).exp() as f32;
    1.0 / (1.0 + e)
}

/// What a spike carries.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Emission {
    /// The value 1.
    Binary,
    /// A graded burst (BrainCog's burst LIF): with `x` = `H − θ` clipped to −0.5..=4.5, the count is
    /// `s = (⌈x⌉ + x) − x` in f32 (in exact arithmetic `⌈x⌉`, 0 to 5); the membrane becomes
    /// `H · (1 − s)`, the value emitted is `s`, or `factor · s` where `s > 1`. The comparison is
    /// `gt`, the reset value 0, and there is no refractory time.
    Burst {
        /// Multiplies counts above 1; 1.5 in BrainCog.
        factor: f32,
    },
    /// As many spikes as thresholds fit into the membrane, in one step: `n = ⌊H / θ⌋` where the
    /// comparison holds (one division, rounded to f32, then down), and the membrane becomes
    /// `H − n · θ` (the product rounded, then the difference). The value emitted is `n`, and a readout
    /// of spike counts counts `n` spikes. The reset is by subtraction, and there is no refractory time.
    Several,
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

#[cfg(test)]
mod tests {
    use super::sigmoid;

    #[test]
    fn sigmoid_rounds_as_recorded() {
        // PyTorch 1.13 on x86-64; the first is one unit below the correctly rounded value.
        assert_eq!(sigmoid(0.7).to_bits(), 0.668_187_74_f32.to_bits());
        assert_eq!(
            [0.0, -1e30, 1e30].map(|w| sigmoid(w).to_bits()),
            [0.5, 0.0, 1.0_f32].map(f32::to_bits)
        );
        // BrainCog starts at w = −ln(τ − 1).
        assert!((sigmoid(-(3.0_f32.ln())) - 0.25).abs() < 1e-7);
    }
}
