//! Populations of the float level in batches.

use super::{Device, INT, per_neuron, zeros};
use crate::error::SimError;
use burn::tensor::{Bool, DType, Int, Tensor};
use snnc_ir::network::neuron::sigmoid;
use snnc_ir::network::{Compare, Dynamics, Emission, LinearDynamics, Node, Op, Reset};

/// A neuron model with its parameters expanded per neuron.
pub(super) struct Model {
    leak: Leak<Vec<f32>>,
    threshold: Vec<f32>,
    compare: Compare,
    reset: Reset,
    v_init: f32,
    /// Steps after a spike in which a neuron is held.
    refractory: i32,
    floor: Option<Vec<f32>>,
}

/// Leak and integration, with one parameter per neuron.
enum Leak<T> {
    None,
    Tau(T),
    Keep(T),
    Gain(T),
    /// Keep and gain of the synaptic current, if it has memory; keep, gain and drive of the membrane.
    Linear(Option<[T; 2]>, [T; 3]),
}

impl<T> Leak<T> {
    fn map<U>(&self, f: impl Fn(&T) -> U) -> Leak<U> {
        match self {
            Self::None => Leak::None,
            Self::Tau(x) => Leak::Tau(f(x)),
            Self::Keep(x) => Leak::Keep(f(x)),
            Self::Gain(x) => Leak::Gain(f(x)),
            Self::Linear(current, membrane) => {
                let current = current.as_ref().map(|c| c.each_ref().map(&f));
                Leak::Linear(current, membrane.each_ref().map(f))
            }
        }
    }
}

impl Model {
    /// The model of a population; `None` for other nodes.
    ///
    /// # Errors
    /// [`SimError::Unsupported`].
    pub(super) fn new(node: &Node) -> Result<Option<Self>, SimError> {
        let Op::Neuron(neuron) = &node.op else { return Ok(None) };
        let unknown = |what| SimError::Unsupported { place: node.name.clone(), what };
        match neuron.emission {
            Emission::Binary => {}
            Emission::Burst { .. } => return Err(unknown("graded bursts")),
            Emission::Several => return Err(unknown("several spikes in one step")),
        }
        let shape = &node.shape;
        let leak = match &neuron.dynamics {
            Dynamics::Integrate => Leak::None,
            Dynamics::Tau(tau) => Leak::Tau(tau.expand(shape)),
            Dynamics::Decay(decay) => Leak::Keep(decay.map(|d| 1.0 - d).expand(shape)),
            Dynamics::Sigmoid(w) => Leak::Gain(w.map(sigmoid).expand(shape)),
            Dynamics::Linear(LinearDynamics { current, keep, gain, drive }) => Leak::Linear(
                current.as_ref().map(|c| [&c.keep, &c.gain].map(|param| param.expand(shape))),
                [keep, gain, drive].map(|param| param.expand(shape)),
            ),
            Dynamics::Izhikevich { .. } => return Err(unknown("Izhikevich's neurons")),
        };
        Ok(Some(Self {
            leak,
            threshold: neuron.threshold.expand(shape),
            compare: neuron.compare,
            reset: neuron.reset,
            v_init: neuron.v_init,
            // A run has fewer than 2^31 steps, so a longer hold makes no difference.
            refractory: i32::try_from(neuron.refractory).unwrap_or(i32::MAX),
            floor: neuron.floor.as_ref().map(|floor| floor.expand(shape)),
        }))
    }
}

/// Parameters and membranes of one population, all `[batch, neurons]`.
pub(super) struct State {
    leak: Leak<Tensor<2>>,
    threshold: Tensor<2>,
    compare: Compare,
    reset: Reset,
    refractory: i32,
    floor: Option<Tensor<2>>,
    v: Tensor<2>,
    /// Synaptic currents, where they have memory.
    i: Tensor<2>,
    /// Steps in which a neuron is still held.
    hold: Tensor<2, Int>,
}

impl State {
    pub(super) fn new(model: &Model, batch: usize, device: &Device) -> Self {
        let spread = |values: &Vec<f32>| per_neuron(values.clone(), batch, device);
        let n = model.threshold.len();
        Self {
            leak: model.leak.map(spread),
            threshold: spread(&model.threshold),
            compare: model.compare,
            reset: model.reset,
            refractory: model.refractory,
            floor: model.floor.as_ref().map(spread),
            v: spread(&vec![model.v_init; n]),
            i: zeros(batch, n, device),
            hold: Tensor::zeros([batch, n], (device, DType::from(INT))),
        }
    }

    /// One step: 1 where a neuron fires, else 0.
    pub(super) fn update(&mut self, current: Tensor<2>, device: &Device) -> Tensor<2> {
        let v = self.v.clone();
        let h = match &self.leak {
            Leak::None => v.clone() + current,
            Leak::Tau(tau) => v.clone() + (current - v.clone()) / tau.clone(),
            Leak::Keep(keep) => v.clone() * keep.clone() + current,
            Leak::Gain(gain) => v.clone() + (current - v.clone()) * gain.clone(),
            Leak::Linear(synaptic, [keep, gain, drive]) => {
                let current = match synaptic {
                    Some([keep, gain]) => {
                        self.i = self.i.clone() * keep.clone() + current * gain.clone();
                        self.i.clone()
                    }
                    None => current,
                };
                v.clone() * keep.clone() + current * gain.clone() + drive.clone()
            }
        };
        let h = match &self.floor {
            Some(floor) => {
                let below = h.clone().lower(floor.clone());
                h.mask_where(below, floor.clone())
            }
            None => h,
        };
        let threshold = self.threshold.clone();
        let mut fired: Tensor<2, Bool> = match self.compare {
            Compare::Gt => h.clone().greater(threshold.clone()),
            Compare::Ge => h.clone().greater_equal(threshold.clone()),
        };
        let mut next = match self.reset {
            Reset::To(value) => h.mask_fill(fired.clone(), value),
            Reset::Subtract => h.clone().mask_where(fired.clone(), h - threshold),
        };
        if self.refractory > 0 {
            let held = self.hold.clone().greater_scalar(0);
            next = next.mask_where(held.clone(), v);
            fired = fired.bool_and(held.bool_not());
            let counted = (self.hold.clone() - 1).clamp_min(0);
            self.hold = counted.mask_fill(fired.clone(), self.refractory);
        }
        let [batch, n] = next.dims();
        self.v = next;
        zeros(batch, n, device).mask_fill(fired, 1.0_f32)
    }
}
