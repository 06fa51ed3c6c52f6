//! The integer level in batches.

use super::int_weights::{Weights, worst_row};
use super::{Device, INT, ReadBack, upload, zeros};
use crate::error::{SimError, check_words};
use crate::integer::{self, IntProbe, IntRun, REGISTER_MAX};
use burn::tensor::{Bool, DType, Int, Tensor, TensorData};
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::network::Compare;
use snnc_ir::quantized::{IntNeuron, IntReset, PopKind, QuantizedNetwork};
use snnc_ir::shape::Shape;
use snnc_ir::spikes::SpikeTrain;

/// Largest magnitude of u and v.
#[expect(clippy::cast_possible_truncation, reason = "24 bits")]
const BOUND: i32 = REGISTER_MAX as i32;

/// Bound to which inputs, biases and overflowed registers are clamped. It is far enough outside the
/// registers' range that a clamped value overflows exactly where the value itself does (an input
/// counts 64-fold), and low enough that sums of clamped values stay in i32.
const CLAMP: i32 = 1 << 26;

/// An integer network on a device.
pub struct IntSim<'n> {
    /// Injects inputs, computes scores, and finds the place of an overflow.
    reference: integer::IntSim<'n>,
    network: &'n QuantizedNetwork,
    device: Device,
    /// By matrix.
    weights: Vec<Weights>,
}

impl<'n> IntSim<'n> {
    /// Puts `network` on `device`.
    ///
    /// # Errors
    /// As [`integer::IntSim::new`]; [`SimError::TooLarge`] where a sum of weights could leave i32 or
    /// a sparse matrix is too large to be laid out in full.
    pub fn new(network: &'n QuantizedNetwork, device: &Device) -> Result<Self, SimError> {
        let reference = integer::IntSim::new(network)?;
        for (id, population) in network.populations.iter() {
            let Some(neuron) = population.neuron() else { continue };
            let incoming = network.projections_into(id);
            let sum = incoming.map(|(_, p)| worst_row(&network.matrices[p.matrix])).sum::<u64>();
            let worst = sum.saturating_mul(u64::from(neuron.update_period));
            if worst > i32::MAX as u64 {
                return Err(SimError::TooLarge {
                    what: format!("the worst sum of weights into `{}`", population.name),
                    size: worst,
                    limit: i32::MAX as u64,
                });
            }
        }
        let matrices = network.matrices.values();
        let weights = matrices.map(|m| Weights::new(m, device)).collect::<Result<_, _>>()?;
        Ok(Self { reference, network, device: device.clone(), weights })
    }

    /// Runs all `samples` (one train per input each) together: what [`integer::IntSim::run`] gives
    /// for each, without traces.
    ///
    /// # Errors
    /// [`SimError::Sample`] with the first sample that does not fit or overflows,
    /// [`SimError::TooLarge`] for a batch too large for memory, [`SimError::Tensor`].
    pub fn run(&self, samples: &[Vec<SpikeTrain>]) -> Result<Vec<IntRun>, SimError> {
        let in_sample = |index| move |source| SimError::Sample { index, source: Box::new(source) };
        if samples.is_empty() {
            return Ok(Vec::new());
        }
        let populations = &self.network.populations;
        let (batch, steps) = (samples.len(), self.reference.steps());
        let injected = (samples.iter().enumerate())
            .map(|(i, inputs)| self.reference.inject(inputs).map_err(in_sample(i)))
            .collect::<Result<Vec<_>, _>>()?;
        let neurons: Vec<PopId> =
            populations.iter().filter(|(_, p)| p.neuron().is_some()).map(|(id, _)| id).collect();
        // Spikes of every neuron, and one flag for an overflow in this step.
        let columns = neurons.iter().map(|&id| populations[id].size()).sum::<usize>() + 1;
        let cells = populations.values().fold(1, |n, p| n + p.size() as u64);
        check_words("the batch", cells.saturating_mul(steps as u64 * batch as u64))?;
        let mut run = Run::new(self, &injected, steps);
        let mut rows = Vec::with_capacity(steps);
        for t in 0..steps {
            let overflow = run.step(t);
            let mut values: Vec<_> =
                neurons.iter().map(|id| run.spikes[id.index()][t].clone()).collect();
            values.push(overflow);
            rows.push(Tensor::cat(values, 1));
        }
        let back = ReadBack::new(rows, batch, columns)?;
        let collect = |(sample, mut trains): (usize, Vec<SpikeTrain>)| {
            if (0..steps).any(|t| back.row(t, sample, columns - 1, 1)[0] > 0.0) {
                return Err(in_sample(sample)(self.locate(&samples[sample])));
            }
            let mut first = 0;
            for id in &neurons {
                back.spikes(sample, first, &mut trains[id.index()]);
                first += populations[*id].size();
            }
            let scores = self.reference.scores(&trains);
            Ok(IntRun { spikes: trains, scores, traces: Vec::new() })
        };
        injected.into_iter().enumerate().map(collect).collect()
    }

    /// The overflow of a sample, by the reference.
    fn locate(&self, inputs: &[SpikeTrain]) -> SimError {
        match self.reference.run(inputs, &IntProbe::None) {
            Err(error) => error,
            Ok(_) => SimError::Tensor("the device found an overflow that is none".to_owned()),
        }
    }
}

/// The state of one run.
struct Run<'a, 'n> {
    sim: &'a IntSim<'n>,
    batch: usize,
    /// Spikes of each population in each step.
    spikes: Vec<Vec<Tensor<2>>>,
    states: Vec<Option<State>>,
}

impl<'a, 'n> Run<'a, 'n> {
    fn new(sim: &'a IntSim<'n>, injected: &[Vec<SpikeTrain>], steps: usize) -> Self {
        let (device, batch) = (&sim.device, injected.len());
        let populations = sim.network.populations.iter();
        let (spikes, states) = populations
            .map(|(id, p)| match &p.kind {
                PopKind::Input(_) => {
                    let trains: Vec<_> = injected.iter().map(|s| &s[id.index()]).collect();
                    let all = upload(&trains, steps, p.size(), device);
                    let step = |t| all.clone().narrow(0, t * batch, batch);
                    ((0..steps).map(step).collect(), None)
                }
                PopKind::Neurons(neuron) => {
                    let latency = integer::window(sim.network, id).latency;
                    let state = State::new(neuron, &p.shape, latency, steps, batch, device);
                    (Vec::with_capacity(steps), Some(state))
                }
            })
            .unzip();
        Self { sim, batch, spikes, states }
    }

    /// One step of all populations; 1 where a register of the sample overflowed, `[batch, 1]`.
    fn step(&mut self, t: usize) -> Tensor<2> {
        let network = self.sim.network;
        let mut overflow = zeros(self.batch, 1, &self.sim.device);
        for &id in self.sim.reference.order() {
            let Some(state) = &mut self.states[id.index()] else { continue };
            for (_, p) in network.projections_into(id) {
                let Some(then) = t.checked_sub(p.delay as usize) else { continue };
                let spikes = self.spikes[p.source.index()][then].clone();
                let sums = self.sim.weights[p.matrix.index()].sums(spikes);
                state.input = state.input.clone() + sums;
            }
            let silent = zeros(self.batch, network.populations[id].size(), &self.sim.device);
            let spikes = if t % state.period == state.phase {
                let (fired, outside) = state.update();
                overflow = overflow.mask_fill(outside.any_dim(1), 1.0_f32);
                silent.mask_fill(fired, 1.0_f32)
            } else {
                silent
            };
            self.spikes[id.index()].push(spikes);
        }
        overflow
    }
}

/// Parameters and registers of one population, all `[batch, neurons]` in i32.
struct State {
    keep_u: Tensor<2, Int>,
    keep_v: Tensor<2, Int>,
    bias: Tensor<2, Int>,
    threshold: Tensor<2, Int>,
    subtract: Option<Tensor<2, Int>>,
    compare: Compare,
    /// Updates for which a neuron is held after a spike.
    held_for: i32,
    period: usize,
    phase: usize,
    /// Weights that arrived since the last update.
    input: Tensor<2, Int>,
    u: Tensor<2, Int>,
    v: Tensor<2, Int>,
    hold: Tensor<2, Int>,
}

impl State {
    fn new(
        neuron: &IntNeuron,
        shape: &Shape,
        latency: usize,
        steps: usize,
        batch: usize,
        device: &Device,
    ) -> Self {
        let n = shape.size();
        let spread = |values: Vec<i32>| -> Tensor<2, Int> {
            let data = TensorData::new(values, [1, n]);
            Tensor::from_data(data, (device, DType::from(INT))).repeat_dim(0, batch)
        };
        let blank = || Tensor::zeros([batch, n], (device, DType::from(INT)));
        let clamped = |x: i32| x.clamp(-CLAMP, CLAMP);
        let period = (neuron.update_period as usize).max(1);
        let held_for = (neuron.refractory.saturating_sub(1) as usize).min(steps);
        Self {
            keep_u: spread(neuron.du.map(|d| 4095 - i32::from(d)).expand(shape)),
            keep_v: spread(neuron.dv.map(|d| 4096 - i32::from(d)).expand(shape)),
            bias: spread(neuron.bias.map(clamped).expand(shape)),
            threshold: spread(neuron.threshold.expand(shape)),
            subtract: match &neuron.reset {
                IntReset::Zero => None,
                IntReset::Subtract(amount) => Some(spread(amount.map(clamped).expand(shape))),
            },
            compare: neuron.compare,
            // At most the steps of a run, which fit in memory.
            held_for: i32::try_from(held_for).unwrap_or(i32::MAX),
            period,
            phase: latency % period,
            input: blank(),
            u: blank(),
            v: blank(),
            hold: blank(),
        }
    }

    /// One update: where neurons fire, and where a register left its range.
    fn update(&mut self) -> (Tensor<2, Bool>, Tensor<2, Bool>) {
        let input = std::mem::replace(&mut self.input, self.u.zeros_like());
        let u = decay(&self.u, &self.keep_u) + input.clamp(-CLAMP / 64, CLAMP / 64) * 64;
        let mut outside = leaves(&u);
        self.u = u.clone().clamp(-CLAMP, CLAMP);
        let h = decay(&self.v, &self.keep_v) + self.u.clone() + self.bias.clone();
        let held = self.hold.clone().greater_elem(0);
        let runs = held.clone().bool_not();
        outside = outside.bool_or(leaves(&h).bool_and(runs.clone()));
        let fired = match self.compare {
            Compare::Gt => h.clone().greater(self.threshold.clone()),
            Compare::Ge => h.clone().greater_equal(self.threshold.clone()),
        };
        let fired = fired.bool_and(runs);
        let after = match &self.subtract {
            None => h.clone().mask_fill(fired.clone(), 0),
            Some(amount) => h.clone().mask_where(fired.clone(), h - amount.clone()),
        };
        let after = after.mask_where(held, self.v.clone());
        outside = outside.bool_or(leaves(&after));
        self.v = after.clamp(-CLAMP, CLAMP);
        if self.held_for > 0 {
            let counted = (self.hold.clone() - 1).clamp_min(0);
            self.hold = counted.mask_fill(fired.clone(), self.held_for);
        }
        (fired, outside)
    }
}

/// Where a register is outside its 24 bits.
fn leaves(x: &Tensor<2, Int>) -> Tensor<2, Bool> {
    x.clone().greater_elem(BOUND).bool_or(x.clone().lower_elem(-BOUND))
}

/// `tz(x · keep, 12)` within i32, in two parts: the upper one times 4096 is a multiple of 4096, so
/// that only the lower one loses bits. For `|x| ≤ 2^26` and `keep ≤ 2^12` nothing leaves i32.
fn decay(x: &Tensor<2, Int>, keep: &Tensor<2, Int>) -> Tensor<2, Int> {
    let sign = x.clone().bitwise_right_shift_scalar(31);
    let magnitude = x.clone().bitwise_xor(sign.clone()) - sign.clone();
    let upper = magnitude.clone().bitwise_right_shift_scalar(12) * keep.clone();
    let lower = magnitude.bitwise_and_scalar(4095) * keep.clone();
    let kept = upper + lower.bitwise_right_shift_scalar(12);
    kept.bitwise_xor(sign.clone()) - sign
}
