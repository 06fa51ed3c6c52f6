//! Neurons of the float level, a block at a time. Every operation stands in the order of the definition
//! and is rounded by itself, so that vectors give what single numbers give.

use crate::event::simd::{BLOCK, Blocks, wide, word};
use snnc_ir::network::neuron::sigmoid;
use snnc_ir::network::{Compare, Dynamics, Emission, LinearDynamics, Neuron, Reset};
use snnc_ir::shape::Shape;
use snnc_ir::spikes::SpikeTrain;

/// Parameters of one population, the same in every run.
pub(super) struct Model {
    size: usize,
    leak: Leak,
    threshold: Blocks<f32>,
    reaches: bool,
    reset: Reset,
    refractory: u32,
    start: f32,
    floor: Option<Blocks<f32>>,
}

enum Leak {
    None,
    /// Time constants.
    Tau(Blocks<f32>),
    /// `1 − decay`.
    Keep(Blocks<f32>),
    /// What is multiplied by `I − v`.
    Gain(Blocks<f32>),
    Linear(Linear),
}

/// Coefficients of linear neurons.
struct Linear {
    /// Share of the synaptic current that remains, and its gain.
    current: Option<[Blocks<f32>; 2]>,
    keep: Blocks<f32>,
    gain: Blocks<f32>,
    drive: Blocks<f32>,
}

impl Leak {
    /// Whether there is a synaptic current with memory.
    const fn remembers(&self) -> bool {
        matches!(self, Self::Linear(Linear { current: Some(_), .. }))
    }
}

impl Model {
    /// `None` for neurons with a second variable, and for those that send bursts.
    pub(super) fn new(neuron: &Neuron, shape: &Shape) -> Option<Self> {
        let blocks = |values: Vec<f32>| Blocks::new(&values, 1.0);
        let leak = match &neuron.dynamics {
            Dynamics::Integrate => Leak::None,
            Dynamics::Tau(tau) => Leak::Tau(blocks(tau.expand(shape))),
            Dynamics::Decay(decay) => Leak::Keep(blocks(decay.map(|d| 1.0 - d).expand(shape))),
            Dynamics::Sigmoid(w) => Leak::Gain(blocks(w.map(sigmoid).expand(shape))),
            Dynamics::Linear(LinearDynamics { current, keep, gain, drive }) => {
                Leak::Linear(Linear {
                    current: current
                        .as_ref()
                        .map(|c| [&c.keep, &c.gain].map(|param| blocks(param.expand(shape)))),
                    keep: blocks(keep.expand(shape)),
                    gain: blocks(gain.expand(shape)),
                    drive: blocks(drive.expand(shape)),
                })
            }
            Dynamics::Izhikevich { .. } => return None,
        };
        (neuron.emission == Emission::Binary).then(|| Self {
            size: shape.size(),
            leak,
            threshold: blocks(neuron.threshold.expand(shape)),
            reaches: neuron.compare == Compare::Ge,
            reset: neuron.reset,
            refractory: neuron.refractory,
            start: neuron.v_init,
            floor: neuron.floor.as_ref().map(|floor| blocks(floor.expand(shape))),
        })
    }
}

/// Membranes of one population in one run.
pub(super) struct State {
    /// Membrane at the end of the step.
    v: Vec<[f32; BLOCK]>,
    /// Membrane that was compared with the threshold; empty unless it is recorded.
    h: Vec<[f32; BLOCK]>,
    /// Synaptic currents that have memory; empty for others.
    i: Vec<[f32; BLOCK]>,
    /// Steps in which the neuron is still held; empty where nothing is ever held.
    hold: Vec<[u32; BLOCK]>,
}

impl State {
    pub(super) fn new(model: &Model, traced: bool) -> Self {
        let count = model.size.div_ceil(BLOCK);
        let blocks = || vec![[model.start; BLOCK]; count];
        Self {
            v: blocks(),
            h: if traced { blocks() } else { Vec::new() },
            i: if model.leak.remembers() { vec![[0.0; BLOCK]; count] } else { Vec::new() },
            hold: vec![[0; BLOCK]; if model.refractory > 0 { count } else { 0 }],
        }
    }

    /// Compared membrane and v of a neuron; the compared membrane only if the run is traced.
    pub(super) fn membranes(&self, neuron: usize) -> [f32; 2] {
        let (b, i) = (neuron / BLOCK, neuron % BLOCK);
        [self.h.get(b).map_or(0.0, |h| h[i]), self.v[b][i]]
    }

    /// Step `t`: marks spikes in `train`.
    pub(super) fn update(
        &mut self,
        model: &Model,
        current: &[f32],
        train: &mut SpikeTrain,
        t: usize,
    ) {
        wide(
            #[inline(always)]
            || {
                for (b, current) in current.chunks(BLOCK).enumerate() {
                    train.set_word(t, b, self.block(model, b, current));
                }
            },
        );
    }

    #[expect(clippy::inline_always, reason = "is compiled with the vectors of its caller")]
    #[inline(always)]
    fn block(&mut self, model: &Model, b: usize, values: &[f32]) -> u64 {
        let mut current = [0.0; BLOCK];
        current[..values.len()].copy_from_slice(values);
        let v = &mut self.v[b];
        let mut h = [0.0; BLOCK];
        match &model.leak {
            Leak::None => {
                for i in 0..BLOCK {
                    h[i] = v[i] + current[i];
                }
            }
            Leak::Tau(tau) => {
                let tau = tau.at(b);
                for i in 0..BLOCK {
                    let difference = current[i] - v[i];
                    let part = difference / tau[i];
                    h[i] = v[i] + part;
                }
            }
            Leak::Keep(keep) => {
                let keep = keep.at(b);
                for i in 0..BLOCK {
                    let kept = v[i] * keep[i];
                    h[i] = kept + current[i];
                }
            }
            Leak::Gain(gain) => {
                let gain = gain.at(b);
                for i in 0..BLOCK {
                    let difference = current[i] - v[i];
                    let part = difference * gain[i];
                    h[i] = v[i] + part;
                }
            }
            Leak::Linear(linear) => {
                if let (Some([keep, gain]), Some(synaptic)) = (&linear.current, self.i.get_mut(b)) {
                    let (keep, gain) = (keep.at(b), gain.at(b));
                    for i in 0..BLOCK {
                        let kept = synaptic[i] * keep[i];
                        let new = current[i] * gain[i];
                        synaptic[i] = kept + new;
                    }
                    current = *synaptic;
                }
                let (keep, gain, drive) =
                    (linear.keep.at(b), linear.gain.at(b), linear.drive.at(b));
                for i in 0..BLOCK {
                    let kept = v[i] * keep[i];
                    let new = current[i] * gain[i];
                    let sum = kept + new;
                    h[i] = sum + drive[i];
                }
            }
        }
        if let Some(floor) = &model.floor {
            let floor = floor.at(b);
            for i in 0..BLOCK {
                h[i] = if h[i] < floor[i] { floor[i] } else { h[i] };
            }
        }
        let threshold = model.threshold.at(b);
        let mut fires = [0_u8; BLOCK];
        if model.reaches {
            for i in 0..BLOCK {
                fires[i] = u8::from(h[i] >= threshold[i]);
            }
        } else {
            for i in 0..BLOCK {
                fires[i] = u8::from(h[i] > threshold[i]);
            }
        }
        if let Some(hold) = self.hold.get_mut(b) {
            for i in 0..BLOCK {
                let held = hold[i] > 0;
                h[i] = if held { v[i] } else { h[i] };
                fires[i] &= u8::from(!held);
                let rest = hold[i].saturating_sub(1);
                hold[i] = if fires[i] == 1 { model.refractory } else { rest };
            }
        }
        match model.reset {
            Reset::To(value) => {
                for i in 0..BLOCK {
                    v[i] = if fires[i] == 1 { value } else { h[i] };
                }
            }
            Reset::Subtract => {
                for i in 0..BLOCK {
                    let rest = h[i] - threshold[i];
                    v[i] = if fires[i] == 1 { rest } else { h[i] };
                }
            }
        }
        if let Some(trace) = self.h.get_mut(b) {
            *trace = h;
        }
        word(&fires)
    }
}
