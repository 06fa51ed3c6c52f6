//! The integer level in batches.

use super::int_bounds::Bounds;
use super::int_state::{Relay, State};
use super::int_weights::Weights;
use super::{Device, ReadBack, upload, zeros};
use crate::error::{SimError, check_words};
use crate::integer::{self, IntProbe, IntRun};
use crate::stimulus::Stimulus;
use burn::tensor::{FloatDType, Tensor};
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::quantized::{PopKind, Population, QuantizedNetwork};
use snnc_ir::spikes::SpikeTrain;

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
    /// As [`integer::IntSim::new`]; [`SimError::TooLarge`] where a sum of weights could leave i32, a
    /// message 2^24, or a sparse matrix is too large to be laid out in full.
    pub fn new(network: &'n QuantizedNetwork, device: &Device) -> Result<Self, SimError> {
        let reference = integer::IntSim::new(network)?;
        let bounds = Bounds::new(network)?;
        let matrices = network.matrices.values().zip(&bounds.products);
        let weights = matrices
            .map(|(matrix, &worst)| Weights::new(matrix, worst, device))
            .collect::<Result<_, _>>()?;
        Ok(Self { reference, network, device: device.clone(), weights })
    }

    /// Runs all `stimuli` together: what [`integer::IntSim::run`] gives for each, without traces.
    ///
    /// # Errors
    /// [`SimError::Sample`] with the first sample that does not fit or overflows,
    /// [`SimError::TooLarge`] for a batch too large for memory, [`SimError::Tensor`].
    pub fn run(&self, stimuli: &[Stimulus]) -> Result<Vec<IntRun>, SimError> {
        let in_sample = |index| move |source| SimError::Sample { index, source: Box::new(source) };
        if stimuli.is_empty() {
            return Ok(Vec::new());
        }
        let populations = &self.network.populations;
        let (batch, steps) = (stimuli.len(), self.reference.steps());
        let prepared = (stimuli.iter().enumerate())
            .map(|(i, stimulus)| Sample::new(&self.reference, stimulus).map_err(in_sample(i)))
            .collect::<Result<Vec<_>, _>>()?;
        let sending: Vec<PopId> =
            populations.iter().filter(|(_, p)| !p.is_input()).map(|(id, _)| id).collect();
        // What every neuron sends, and one flag for an overflow in this step.
        let columns = sending.iter().map(|&id| populations[id].size()).sum::<usize>() + 1;
        let cells = populations.values().fold(1, |n, p| n + p.size() as u64);
        check_words("the batch", cells.saturating_mul(steps as u64 * batch as u64))?;
        let mut run = Run::new(self, &prepared, steps);
        let mut rows = Vec::with_capacity(steps);
        for t in 0..steps {
            let overflow = run.step(t);
            let mut values: Vec<_> =
                sending.iter().map(|id| run.sent[id.index()][t].clone()).collect();
            values.push(overflow);
            rows.push(Tensor::cat(values, 1));
        }
        let back = ReadBack::new(rows, batch, columns)?;
        let collect = |(index, sample): (usize, Sample)| {
            if (0..steps).any(|t| back.row(t, index, columns - 1, 1)[0] > 0.0) {
                return Err(in_sample(index)(self.locate(&stimuli[index])));
            }
            let (mut trains, mut messages) = (sample.trains, self.reference.silence());
            let mut first = 0;
            for id in &sending {
                back.spikes(index, first, &mut trains[id.index()]);
                if let Some(messages) = &mut messages[id.index()] {
                    back.messages(index, first, messages);
                }
                first += populations[*id].size();
            }
            let scores = self.reference.scores(&trains);
            Ok(IntRun { spikes: trains, messages, scores, traces: Vec::new() })
        };
        prepared.into_iter().enumerate().map(collect).collect()
    }

    /// The overflow of a sample, by the reference.
    fn locate(&self, stimulus: &Stimulus) -> SimError {
        match self.reference.run(stimulus, &IntProbe::None) {
            Err(error) => error,
            Ok(_) => SimError::Tensor("the device found an overflow that is none".to_owned()),
        }
    }
}

/// What a stimulus sets up.
struct Sample {
    /// Inputs injected, the others silent.
    trains: Vec<SpikeTrain>,
    /// What the host adds to biases, by population.
    host: Vec<Option<Vec<i64>>>,
}

impl Sample {
    fn new(reference: &integer::IntSim<'_>, stimulus: &Stimulus) -> Result<Self, SimError> {
        Ok(Self { trains: reference.inject(stimulus)?, host: reference.host(stimulus)? })
    }
}

/// What a population consists of.
enum Body {
    Input,
    Neurons(Box<State>),
    Relay(Box<Relay>),
}

/// The state of one run.
struct Run<'a, 'n> {
    sim: &'a IntSim<'n>,
    batch: usize,
    /// Spikes or messages of each population in each step.
    sent: Vec<Vec<Tensor<2>>>,
    bodies: Vec<Body>,
}

impl<'a, 'n> Run<'a, 'n> {
    fn new(sim: &'a IntSim<'n>, samples: &[Sample], steps: usize) -> Self {
        let (device, batch) = (&sim.device, samples.len());
        let body = |(id, p): (PopId, &Population)| {
            let host: Vec<_> = samples.iter().map(|s| s.host[id.index()].as_deref()).collect();
            match &p.kind {
                PopKind::Input(_) => {
                    let trains: Vec<_> = samples.iter().map(|s| &s.trains[id.index()]).collect();
                    let all = upload(&trains, steps, p.size(), device);
                    let step = |t| all.clone().narrow(0, t * batch, batch);
                    ((0..steps).map(step).collect(), Body::Input)
                }
                PopKind::Neurons(neuron) => {
                    let window = integer::window(sim.network, id);
                    let state = State::new(neuron, &p.shape, window, steps, &host, device);
                    (Vec::with_capacity(steps), Body::Neurons(Box::new(state)))
                }
                PopKind::Graded(graded) => {
                    let relay = Relay::new(graded, &p.shape, &host, device);
                    (Vec::with_capacity(steps), Body::Relay(Box::new(relay)))
                }
            }
        };
        let (sent, bodies) = sim.network.populations.iter().map(body).unzip();
        Self { sim, batch, sent, bodies }
    }

    /// One step of all populations; 1 where a register of the sample overflowed, `[batch, 1]`.
    fn step(&mut self, t: usize) -> Tensor<2> {
        let network = self.sim.network;
        let mut overflow = zeros(self.batch, 1, &self.sim.device);
        for &id in self.sim.reference.order() {
            let input = match &mut self.bodies[id.index()] {
                Body::Input => continue,
                Body::Neurons(state) => &mut state.input,
                Body::Relay(relay) => &mut relay.input,
            };
            for (_, p) in network.projections_into(id) {
                let Some(then) = t.checked_sub(p.delay as usize) else { continue };
                let sent = self.sent[p.source.index()][then].clone();
                *input = input.clone() + self.sim.weights[p.matrix.index()].sums(sent);
            }
            let silent = zeros(self.batch, network.populations[id].size(), &self.sim.device);
            let sent = match &mut self.bodies[id.index()] {
                Body::Neurons(state) if t % state.period == state.phase => {
                    let (fired, outside) = state.update(t);
                    overflow = overflow.mask_fill(outside.any_dim(1), 1.0_f32);
                    silent.mask_fill(fired, 1.0_f32)
                }
                Body::Relay(relay) => relay.messages().cast(FloatDType::F32),
                Body::Input | Body::Neurons(_) => silent,
            };
            self.sent[id.index()].push(sent);
        }
        overflow
    }
}
