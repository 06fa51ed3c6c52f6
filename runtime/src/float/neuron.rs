//! One step of a population.

use snnc_ir::network::{Compare, Dynamics, Neuron, Op, Reset};
use snnc_ir::shape::Shape;

/// A neuron model with its parameters expanded per neuron.
pub(super) struct NeuronPlan {
    leak: Leak,
    threshold: Vec<f32>,
    compare: Compare,
    reset: Reset,
    refractory: u32,
}

enum Leak {
    None,
    /// Time constants.
    Tau(Vec<f32>),
    /// `1 − decay`.
    Keep(Vec<f32>),
}

impl NeuronPlan {
    pub(super) fn new(neuron: &Neuron, shape: &Shape) -> Self {
        let leak = match &neuron.dynamics {
            Dynamics::Integrate => Leak::None,
            Dynamics::Tau(tau) => Leak::Tau(tau.expand(shape)),
            Dynamics::Decay(decay) => Leak::Keep(decay.map(|d| 1.0 - d).expand(shape)),
        };
        Self {
            leak,
            threshold: neuron.threshold.expand(shape),
            compare: neuron.compare,
            reset: neuron.reset,
            refractory: neuron.refractory,
        }
    }
}

/// Membranes of one population; empty for other nodes.
pub(super) struct State {
    /// Membrane at the end of the step.
    pub(super) v: Vec<f32>,
    /// Membrane that was compared with the threshold.
    pub(super) h: Vec<f32>,
    /// Steps in which the neuron is still held.
    hold: Vec<u32>,
}

impl State {
    pub(super) fn new(op: &Op, size: usize) -> Self {
        let (n, v_init) =
            if let Op::Neuron(neuron) = op { (size, neuron.v_init) } else { (0, 0.0) };
        Self { v: vec![v_init; n], h: vec![v_init; n], hold: vec![0; n] }
    }

    /// One step: `spikes` becomes 1 where the neuron fires, else 0.
    pub(super) fn update(&mut self, plan: &NeuronPlan, current: &[f32], spikes: &mut [f32]) {
        for n in 0..self.v.len() {
            spikes[n] = 0.0;
            let (v, i) = (self.v[n], current[n]);
            if self.hold[n] > 0 {
                // After a reset to a value the membrane is that value, after a subtraction what
                // remained: either way it is held where it is.
                self.hold[n] -= 1;
                self.h[n] = v;
                continue;
            }
            let h = match &plan.leak {
                Leak::None => v + i,
                Leak::Tau(tau) => {
                    let d = i - v;
                    let q = d / tau[n];
                    v + q
                }
                Leak::Keep(keep) => {
                    let p = v * keep[n];
                    p + i
                }
            };
            self.h[n] = h;
            let threshold = plan.threshold[n];
            let fires = match plan.compare {
                Compare::Gt => h > threshold,
                Compare::Ge => h >= threshold,
            };
            self.v[n] = match plan.reset {
                _ if !fires => h,
                Reset::To(value) => value,
                Reset::Subtract => h - threshold,
            };
            if fires {
                spikes[n] = 1.0;
                self.hold[n] = plan.refractory;
            }
        }
    }
}
