//! One step of a population.

use snnc_ir::network::neuron::sigmoid;
use snnc_ir::network::{Compare, Dynamics, Emission, LinearDynamics, Neuron, Reset};
use snnc_ir::shape::Shape;

/// A neuron model with its parameters expanded per neuron.
pub(crate) struct NeuronPlan {
    leak: Leak,
    threshold: Vec<f32>,
    compare: Compare,
    reset: Reset,
    refractory: u32,
    emission: Emission,
    floor: Option<Vec<f32>>,
}

enum Leak {
    None,
    /// Time constants.
    Tau(Vec<f32>),
    /// `1 − decay`.
    Keep(Vec<f32>),
    /// What is multiplied by `I − v`.
    Gain(Vec<f32>),
    /// Rate of recovery, its product with the coupling, and what a spike adds.
    Izhikevich {
        a: f32,
        ab: f32,
        d: f32,
    },
    Linear(Linear),
}

/// Coefficients of linear neurons.
struct Linear {
    /// Share of the synaptic current that remains, and its gain.
    current: Option<[Vec<f32>; 2]>,
    keep: Vec<f32>,
    gain: Vec<f32>,
    drive: Vec<f32>,
}

impl NeuronPlan {
    pub(crate) fn new(neuron: &Neuron, shape: &Shape) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the rounding to f32 is the definition"
        )]
        let round = |x: f64| x as f32;
        let leak = match &neuron.dynamics {
            Dynamics::Integrate => Leak::None,
            Dynamics::Tau(tau) => Leak::Tau(tau.expand(shape)),
            Dynamics::Decay(decay) => Leak::Keep(decay.map(|d| 1.0 - d).expand(shape)),
            Dynamics::Sigmoid(w) => Leak::Gain(w.map(sigmoid).expand(shape)),
            Dynamics::Izhikevich { a, b, d } => {
                Leak::Izhikevich { a: round(*a), ab: round(a * b), d: round(*d) }
            }
            Dynamics::Linear(LinearDynamics { current, keep, gain, drive }) => {
                Leak::Linear(Linear {
                    current: current
                        .as_ref()
                        .map(|c| [&c.keep, &c.gain].map(|param| param.expand(shape))),
                    keep: keep.expand(shape),
                    gain: gain.expand(shape),
                    drive: drive.expand(shape),
                })
            }
        };
        Self {
            leak,
            threshold: neuron.threshold.expand(shape),
            compare: neuron.compare,
            reset: neuron.reset,
            refractory: neuron.refractory,
            emission: neuron.emission,
            floor: neuron.floor.as_ref().map(|floor| floor.expand(shape)),
        }
    }
}

/// Membranes of one population; empty for other nodes.
#[derive(Default)]
pub(crate) struct State {
    /// Membrane at the end of the step.
    pub(crate) v: Vec<f32>,
    /// Membrane that was compared with the threshold.
    pub(crate) h: Vec<f32>,
    /// Recovery variables of Izhikevich's model; empty for others.
    r: Vec<f32>,
    /// Synaptic currents that have memory; empty for others.
    i: Vec<f32>,
    /// Steps in which the neuron is still held.
    hold: Vec<u32>,
}

impl State {
    pub(crate) fn new(neuron: &Neuron, size: usize) -> Self {
        let recovers = matches!(neuron.dynamics, Dynamics::Izhikevich { .. });
        Self {
            v: vec![neuron.v_init; size],
            h: vec![neuron.v_init; size],
            r: vec![0.0; if recovers { size } else { 0 }],
            i: vec![0.0; if neuron.dynamics.current().is_some() { size } else { 0 }],
            hold: vec![0; size],
        }
    }

    /// One step: `spikes` becomes what each neuron sends, 0 where it does not fire.
    pub(crate) fn update(&mut self, plan: &NeuronPlan, current: &[f32], spikes: &mut [f32]) {
        match &plan.leak {
            Leak::None => self.step(plan, spikes, |n, v| v + current[n]),
            Leak::Tau(tau) => self.step(plan, spikes, |n, v| {
                let d = current[n] - v;
                let q = d / tau[n];
                v + q
            }),
            Leak::Keep(keep) => self.step(plan, spikes, |n, v| {
                let p = v * keep[n];
                p + current[n]
            }),
            Leak::Gain(gain) => self.step(plan, spikes, |n, v| {
                let d = current[n] - v;
                let p = d * gain[n];
                v + p
            }),
            Leak::Izhikevich { a, ab, d } => {
                let mut recovery = std::mem::take(&mut self.r);
                self.step(plan, spikes, |n, v| {
                    let (h, r) = izhikevich(v, recovery[n], current[n], *a, *ab);
                    recovery[n] = r;
                    h
                });
                let fired = recovery.iter_mut().zip(&*spikes).filter(|(_, s)| **s != 0.0);
                fired.for_each(|(r, _)| *r += d);
                self.r = recovery;
            }
            Leak::Linear(linear) => {
                let mut synaptic = std::mem::take(&mut self.i);
                if let Some([keep, gain]) = &linear.current {
                    for (n, i) in synaptic.iter_mut().enumerate() {
                        let p = *i * keep[n];
                        let q = current[n] * gain[n];
                        *i = p + q;
                    }
                }
                let i = if linear.current.is_some() { &synaptic } else { current };
                self.step(plan, spikes, |n, v| {
                    let p = v * linear.keep[n];
                    let q = i[n] * linear.gain[n];
                    let s = p + q;
                    s + linear.drive[n]
                });
                self.i = synaptic;
            }
        }
    }

    /// One step, where `membrane` is H of a neuron from its number and v.
    fn step(
        &mut self,
        plan: &NeuronPlan,
        spikes: &mut [f32],
        mut membrane: impl FnMut(usize, f32) -> f32,
    ) {
        if let Emission::Burst { factor } = plan.emission {
            for (n, sent) in spikes.iter_mut().enumerate() {
                let h = membrane(n, self.v[n]);
                self.h[n] = h;
                (*sent, self.v[n]) = burst(h, plan.threshold[n], factor);
            }
            return;
        }
        for (n, spike) in spikes.iter_mut().enumerate() {
            *spike = 0.0;
            let v = self.v[n];
            if self.hold[n] > 0 {
                // After a reset to a value the membrane is that value, after a subtraction what
                // remained: either way it is held where it is.
                self.hold[n] -= 1;
                self.h[n] = v;
                continue;
            }
            let mut h = membrane(n, v);
            if let Some(floor) = &plan.floor
                && h < floor[n]
            {
                h = floor[n];
            }
            self.h[n] = h;
            let threshold = plan.threshold[n];
            let fires = match plan.compare {
                Compare::Gt => h > threshold,
                Compare::Ge => h >= threshold,
            };
            if plan.emission == Emission::Several {
                (*spike, self.v[n]) = if fires { several(h, threshold) } else { (0.0, h) };
                continue;
            }
            self.v[n] = match plan.reset {
                _ if !fires => h,
                Reset::To(value) => value,
                Reset::Subtract => h - threshold,
            };
            if fires {
                *spike = 1.0;
                self.hold[n] = plan.refractory;
            }
        }
    }
}

/// Membrane and recovery variable before the spike, from those of the last step and the current.
fn izhikevich(v: f32, recovery: f32, current: f32, a: f32, ab: f32) -> (f32, f32) {
    let mut change = 0.04 * v;
    change *= v;
    let linear = 5.0 * v;
    change += linear;
    change -= recovery;
    change += 140.0;
    change += current;
    let h = v + change;
    let gain = ab * h;
    let loss = a * recovery;
    (h, recovery + (gain - loss))
}

/// Value sent and membrane afterwards.
fn burst(h: f32, threshold: f32, factor: f32) -> (f32, f32) {
    let x = (h - threshold).clamp(-0.5, 4.5);
    let raised = x.ceil() + x;
    let count = raised - x;
    let sent = if count > 1.0 { factor * count } else { count };
    let kept = 1.0 - count;
    (sent, h * kept)
}

/// How many thresholds fit into a membrane that fires, and what remains of it.
fn several(h: f32, threshold: f32) -> (f32, f32) {
    let count = (h / threshold).floor();
    let taken = count * threshold;
    (count, h - taken)
}

#[cfg(test)]
mod tests {
    use super::{burst, izhikevich, several};

    #[test]
    fn recovery_follows_the_new_membrane() {
        let (h, r) = izhikevich(0.0, 0.0, 0.0, 0.02, 0.02 * 0.2);
        assert_eq!((h.to_bits(), r.to_bits()), (140.0_f32.to_bits(), 0.56_f32.to_bits()));
    }

    #[test]
    fn bursts_count_up_to_five() {
        let sent = |h| burst(h, 1.0, 1.5);
        assert_eq!(sent(1.0), (0.0, 1.0));
        assert_eq!(sent(-9.0), (0.0, -9.0));
        assert_eq!(sent(1.5), (1.0, 0.0));
        assert_eq!(sent(2.5), (3.0, -2.5));
        assert_eq!(sent(90.0), (7.5, -360.0));
    }

    #[test]
    fn several_spikes_take_a_threshold_each() {
        assert_eq!(several(3.5, 1.0), (3.0, 0.5));
        assert_eq!(several(0.75, 0.25), (3.0, 0.0));
        // 0.7f32 / 0.1f32 is rounded to 7, of which the seven are a little more than 0.7.
        assert_eq!(several(0.7, 0.1), (7.0, 0.7 - 7.0 * 0.1));
    }
}
