//! Reference simulator of the integer level: the definition of its semantics, in code.
//!
//! Event-driven: a population pulls the spikes or messages that arrive now from the trains of its
//! sources, which the run keeps anyway, so that delays need no buffers. Nothing wraps: a register
//! that leaves ±(2^23 − 1), or a message that leaves 32 bits, ends the run with
//! [`SimError::Overflow`].
//!
//! A run in hardware time lasts until the last logical step of its latest population is over, and all
//! others go on meanwhile, as they do on a chip. From hardware step `P·T + ℓ` on (of T logical steps),
//! where a population is through with its own, nothing that it does can be seen: what it sends arrives
//! behind the last logical step of whoever reads it, and neither readouts nor comparisons in logical time
//! look there. So an overflow there is none: u, v and messages that would leave their range stay at the
//! end of it, and the run goes on. Every simulator of this crate does the same.

pub(crate) mod body;
pub(crate) mod bounds;
mod host;
mod logical;
pub(crate) mod neuron;
mod relay;

use crate::compare::Activity;
use crate::error::{SimError, check_trains};
use crate::kernel::Kernel;
use crate::messages::{MessageTrain, check_messages};
use crate::probe::Probe;
use crate::readout::{argmax, mean_linear};
use crate::stimulus::{Port, Signal, Stimulus};
use body::Body;
pub(crate) use logical::{logical, window};
pub use logical::{logical_messages, logical_spikes};
use snnc_ir::arena::{Entity, MatId, PopId};
use snnc_ir::quantized::{IntMatrix, IntReadout, PopKind, Population, QuantizedNetwork, Structure};
use snnc_ir::spikes::SpikeTrain;

/// Largest magnitude of u and v. The value −2^23 is excluded: the chip's membrane saturates one
/// above it.
pub const REGISTER_MAX: i64 = (1 << 23) - 1;

/// Which registers an integer simulation records.
pub type IntProbe = Probe<PopId>;

/// Recorded registers of one neuron, one value per step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntTrace {
    /// The population.
    pub population: PopId,
    /// The neuron.
    pub neuron: usize,
    /// Current.
    pub u: Vec<i32>,
    /// Membrane that was compared with the threshold.
    pub h: Vec<i32>,
    /// Membrane at the end of the step, after the reset.
    pub v: Vec<i32>,
}

/// Result of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct IntRun {
    /// Spikes by [`PopId`], in the time of the network (inputs as they were injected; those that
    /// take frames are silent). Of a graded population: where it sent a message.
    pub spikes: Vec<SpikeTrain>,
    /// Messages by [`PopId`] in the time of the network; `None` for populations that spike.
    pub messages: Vec<Option<MessageTrain>>,
    /// One score per class.
    pub scores: Vec<f64>,
    /// The recorded registers, in the order of the probe.
    pub traces: Vec<IntTrace>,
}

impl IntRun {
    /// The class with the largest score, ties to the lowest.
    pub fn class(&self) -> Option<usize> {
        argmax(&self.scores)
    }

    /// What population `id` sent, in the time of the network.
    pub fn activity(&self, id: PopId) -> Activity<'_> {
        let messages = self.messages.get(id.index()).and_then(Option::as_ref);
        Activity { spikes: &self.spikes[id.index()], messages }
    }
}

/// Runs `network` once on `stimulus`: one signal per input population in ascending order of ids,
/// trains `[steps, neurons]` in **logical** time (in hardware time the train of an input of latency
/// ℓ is injected at steps `P·t + ℓ`). To run it often, make an [`IntSim`] first.
///
/// # Errors
/// A stimulus that does not fit, a probe of a neuron that does not exist, an overflow of u, v or a
/// message, a run too large for memory.
pub fn simulate(
    network: &QuantizedNetwork,
    stimulus: &Stimulus,
    probe: &IntProbe,
) -> Result<IntRun, SimError> {
    IntSim::new(network)?.run(stimulus, probe)
}

/// A network prepared for simulation: order of evaluation, weights by source.
pub struct IntSim<'n> {
    network: &'n QuantizedNetwork,
    /// By matrix.
    pub(crate) kernels: Vec<Kernel<i32>>,
    /// Populations in an order in which every delay-0 projection points forward.
    order: Vec<PopId>,
    inputs: Vec<PopId>,
    /// Projections into each population: source, matrix, delay.
    pub(crate) incoming: Vec<Vec<(usize, usize, usize)>>,
    steps: usize,
}

impl<'n> IntSim<'n> {
    /// Prepares `network`.
    ///
    /// # Errors
    /// [`SimError::ZeroDelayCycle`], or [`SimError::TooLarge`] for a run too large for memory.
    pub fn new(network: &'n QuantizedNetwork) -> Result<Self, SimError> {
        Self::with_kernels(network, |_| true)
    }

    /// As [`IntSim::new`], with weights of those matrices only of which `needed` is true. Runs must not
    /// read the others.
    pub(crate) fn with_kernels(
        network: &'n QuantizedNetwork,
        needed: impl Fn(MatId) -> bool,
    ) -> Result<Self, SimError> {
        let populations = &network.populations;
        let steps = check_trains(network.run_steps(), populations.values().map(Population::size))?;
        let graded = populations.values().filter(|p| p.graded().is_some());
        check_messages(steps, graded.map(Population::size))?;
        let worst: Vec<_> = network.matrices.values().map(bounds::worst_row).collect();
        populations.ids().try_for_each(|id| bounds::check(network, id, &worst))?;
        let mut incoming = vec![Vec::new(); populations.len()];
        for p in network.projections.values() {
            incoming[p.target.index()].push((p.source.index(), p.matrix.index(), p.delay as usize));
        }
        let laid_out = |(id, matrix)| {
            if needed(id) { kernel(matrix) } else { Ok(Kernel::Identity(0)) }
        };
        Ok(Self {
            network,
            kernels: network.matrices.iter().map(laid_out).collect::<Result<_, _>>()?,
            order: network.order().ok_or(SimError::ZeroDelayCycle)?,
            inputs: populations.iter().filter(|(_, p)| p.is_input()).map(|(i, _)| i).collect(),
            incoming,
            steps,
        })
    }

    /// The network.
    pub const fn network(&self) -> &'n QuantizedNetwork {
        self.network
    }

    /// Input populations in the order of a stimulus.
    pub fn inputs(&self) -> &[PopId] {
        &self.inputs
    }

    /// Populations in order of evaluation within a step.
    pub fn order(&self) -> &[PopId] {
        &self.order
    }

    /// Steps of one run, in the time of the network.
    pub const fn steps(&self) -> usize {
        self.steps
    }

    /// Trains of all populations before a run: inputs injected, the others silent.
    ///
    /// # Errors
    /// A signal that does not fit its input.
    pub(crate) fn inject(&self, stimulus: &Stimulus) -> Result<Vec<SpikeTrain>, SimError> {
        let populations = &self.network.populations;
        let ports = populations.values().filter_map(|p| match &p.kind {
            PopKind::Input(coding) => Some(Port { name: &p.name, coding, size: p.size() }),
            PopKind::Neurons(_) | PopKind::Graded(_) => None,
        });
        stimulus.check(self.network.steps as usize, &ports.collect::<Vec<_>>())?;
        let mut trains: Vec<_> =
            populations.values().map(|p| SpikeTrain::new(self.steps, p.size())).collect();
        for (&id, signal) in self.inputs.iter().zip(&stimulus.inputs) {
            let Signal::Spikes(train) = signal else { continue };
            let window = window(self.network, id);
            for t in 0..train.steps() {
                train.active(t).for_each(|n| trains[id.index()].set(window.at(t), n));
            }
        }
        Ok(trains)
    }

    /// Runs the network once.
    ///
    /// # Errors
    /// As [`simulate`].
    pub fn run(&self, stimulus: &Stimulus, probe: &IntProbe) -> Result<IntRun, SimError> {
        let mut trains = self.inject(stimulus)?;
        let mut messages = self.silence();
        let mut traces = self.traces(probe)?;
        let mut bodies = self.bodies(stimulus)?;
        let mut scratch = Vec::new();
        for t in 0..self.steps {
            for &id in &self.order {
                let body = &mut bodies[id.index()];
                let Some(input) = body.input() else { continue };
                for &(source, matrix, delay) in &self.incoming[id.index()] {
                    let Some(then) = t.checked_sub(delay) else { continue };
                    let kernel = &self.kernels[matrix];
                    if let Some(sent) = &messages[source] {
                        let active = sent.step(then).iter().map(|&(n, m)| (n as usize, m));
                        let add = |a: &mut i64, w, m| *a += i64::from(w) * i64::from(m);
                        kernel.add(active, &mut scratch, input, add);
                    } else {
                        let active = trains[source].active(then).map(|n| (n, ()));
                        let add = |a: &mut i64, w, ()| *a += i64::from(w);
                        kernel.add(active, &mut scratch, input, add);
                    }
                }
                let sent = messages[id.index()].as_mut();
                body.step(t, &mut trains[id.index()], sent).map_err(|o| SimError::Overflow {
                    population: self.network.populations[id].name.clone(),
                    neuron: o.neuron,
                    step: t,
                    register: o.register,
                    value: o.value,
                })?;
            }
            for trace in &mut traces {
                if let Body::Neurons(state) = &bodies[trace.population.index()] {
                    let [u, h, v] = state.registers(trace.neuron);
                    trace.u.push(u);
                    trace.h.push(h);
                    trace.v.push(v);
                }
            }
        }
        let scores = self.scores(&trains);
        Ok(IntRun { spikes: trains, messages, scores, traces })
    }

    /// Messages of all populations before a run.
    pub(crate) fn silence(&self) -> Vec<Option<MessageTrain>> {
        let populations = self.network.populations.values();
        populations.map(|p| p.graded().map(|_| MessageTrain::new(self.steps, p.size()))).collect()
    }

    /// The neurons that `probe` chooses; `steps` of them are kept.
    pub(crate) fn resolve(
        &self,
        probe: &IntProbe,
        steps: usize,
    ) -> Result<Vec<(PopId, usize)>, SimError> {
        let neurons = self.network.populations.iter().filter(|(_, p)| p.neuron().is_some());
        let sizes: Vec<_> = neurons.map(|(id, p)| (id, p.size())).collect();
        probe.resolve(&sizes, steps, 2)
    }

    pub(crate) fn traces(&self, probe: &IntProbe) -> Result<Vec<IntTrace>, SimError> {
        let trace = |(population, neuron)| IntTrace {
            population,
            neuron,
            u: Vec::new(),
            h: Vec::new(),
            v: Vec::new(),
        };
        Ok(self.resolve(probe, self.steps)?.into_iter().map(trace).collect())
    }

    /// What the host computes from the trains of a run.
    pub(crate) fn scores(&self, trains: &[SpikeTrain]) -> Vec<f64> {
        let counts = |id: PopId| window(self.network, id).counts(&trains[id.index()]);
        match &self.network.readout {
            IntReadout::SpikeCount(id) => counts(*id).into_iter().map(f64::from).collect(),
            IntReadout::MeanLinear { terms, bias } => {
                let terms: Vec<_> =
                    terms.iter().map(|(id, weights)| (counts(*id), weights.as_slice())).collect();
                mean_linear(&terms, bias, self.network.steps)
            }
        }
    }
}

/// The weights of a matrix by source.
fn kernel(matrix: &IntMatrix) -> Result<Kernel<i32>, SimError> {
    let weight = |i| matrix.weight(i);
    Ok(match &matrix.structure {
        Structure::Dense { rows, cols } => Kernel::dense(*rows as usize, *cols as usize, weight),
        Structure::Conv(conv) => Kernel::conv(conv, weight).ok_or_else(|| {
            SimError::Malformed(format!("the convolution of `{}` has no output", matrix.name))
        })?,
        Structure::Sparse { cols, row_start, col, .. } => {
            Kernel::sparse(*cols as usize, row_start, col, weight)
        }
        Structure::Identity { .. } => Kernel::Identity(weight(0)),
    })
}
