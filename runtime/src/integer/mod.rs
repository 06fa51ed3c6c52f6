//! Reference simulator of the integer level: the definition of its semantics, in code.
//!
//! Event-driven: a population pulls the spikes that arrive now from the trains of its sources,
//! which the run keeps anyway, so that delays need no buffers. Nothing wraps: a register that
//! leaves ±(2^23 − 1) ends the run with [`SimError::Overflow`].

mod neuron;

use crate::error::{SimError, check_trains};
use crate::kernel::Kernel;
use crate::probe::Probe;
use crate::readout::{Window, argmax, mean_linear};
use neuron::State;
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::quantized::{
    IntMatrix, IntReadout, PopKind, QuantizedDraft, QuantizedNetwork, Role, Structure, Time,
};
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
    /// Spikes by [`PopId`], in the time of the network (inputs as they were injected).
    pub spikes: Vec<SpikeTrain>,
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
}

/// Runs `network` once on `inputs`: one train per input population in ascending order of ids,
/// `[steps, neurons]` in **logical** time (in hardware time the train of an input of latency ℓ is
/// injected at steps `P·t + ℓ`). To run it often, make an [`IntSim`] first.
///
/// # Errors
/// Inputs that do not fit, a probe of a neuron that does not exist, an overflow of u or v, a run
/// too large for memory.
pub fn simulate(
    network: &QuantizedNetwork,
    inputs: &[SpikeTrain],
    probe: &IntProbe,
) -> Result<IntRun, SimError> {
    IntSim::new(network)?.run(inputs, probe)
}

/// The trains of the logical populations in logical time: spike `(n, t)` is spike
/// `(n, P·t + ℓ)` of `run`. Relays and clocks are left out; in logical time nothing changes.
///
/// # Errors
/// [`SimError::OffSchedule`] for the first spike in a step that belongs to no logical step.
pub fn logical_spikes(
    network: &QuantizedNetwork,
    run: &IntRun,
) -> Result<Vec<(PopId, SpikeTrain)>, SimError> {
    let populations = network.populations.iter().filter(|(_, p)| p.role == Role::Logical);
    populations.map(|(id, _)| Ok((id, logical(network, run, id)?))).collect()
}

/// The train of population `id` in logical time.
pub(crate) fn logical(
    network: &QuantizedDraft,
    run: &IntRun,
    id: PopId,
) -> Result<SpikeTrain, SimError> {
    window(network, id).logical(&run.spikes[id.index()]).map_err(|(neuron, step)| {
        let population = network.populations[id].name.clone();
        SimError::OffSchedule { population, neuron, step }
    })
}

/// Where the logical steps of population `id` lie.
pub(crate) fn window(network: &QuantizedDraft, id: PopId) -> Window {
    let steps = network.steps as usize;
    match &network.time {
        Time::Logical => Window { period: 1, latency: 0, steps },
        Time::Hardware(schedule) => Window {
            period: schedule.period as usize,
            latency: schedule.latency[id.index()] as usize,
            steps,
        },
    }
}

/// A network prepared for simulation: order of evaluation, weights by source.
pub struct IntSim<'n> {
    network: &'n QuantizedNetwork,
    /// By matrix.
    kernels: Vec<Kernel<i32>>,
    /// Populations in an order in which every delay-0 projection points forward.
    order: Vec<PopId>,
    inputs: Vec<PopId>,
    /// Projections into each population: source, matrix, delay.
    incoming: Vec<Vec<(usize, usize, usize)>>,
    steps: usize,
}

impl<'n> IntSim<'n> {
    /// Prepares `network`.
    ///
    /// # Errors
    /// [`SimError::ZeroDelayCycle`], or [`SimError::TooLarge`] for a run too large for memory.
    pub fn new(network: &'n QuantizedNetwork) -> Result<Self, SimError> {
        let populations = &network.populations;
        let sizes = populations.values().map(snnc_ir::quantized::Population::size);
        let steps = check_trains(network.run_steps(), sizes)?;
        let mut incoming = vec![Vec::new(); populations.len()];
        for p in network.projections.values() {
            incoming[p.target.index()].push((p.source.index(), p.matrix.index(), p.delay as usize));
        }
        Ok(Self {
            network,
            kernels: network.matrices.values().map(kernel).collect::<Result<_, _>>()?,
            order: network.order().ok_or(SimError::ZeroDelayCycle)?,
            inputs: populations
                .iter()
                .filter(|(_, p)| p.neuron().is_none())
                .map(|(i, _)| i)
                .collect(),
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

    /// Trains of all populations before a run: inputs injected, neurons silent.
    ///
    /// # Errors
    /// [`SimError::StimulusCount`] or [`SimError::StimulusShape`].
    pub(crate) fn inject(&self, inputs: &[SpikeTrain]) -> Result<Vec<SpikeTrain>, SimError> {
        if inputs.len() != self.inputs.len() {
            let (expected, found) = (self.inputs.len(), inputs.len());
            return Err(SimError::StimulusCount { expected, found });
        }
        let populations = &self.network.populations;
        let mut trains: Vec<_> =
            populations.values().map(|p| SpikeTrain::new(self.steps, p.size())).collect();
        for (&id, train) in self.inputs.iter().zip(inputs) {
            let expected = (self.network.steps as usize, populations[id].size());
            let found = (train.steps(), train.neurons());
            if expected != found {
                let input = populations[id].name.clone();
                return Err(SimError::StimulusShape { input, expected, found });
            }
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
    pub fn run(&self, inputs: &[SpikeTrain], probe: &IntProbe) -> Result<IntRun, SimError> {
        let mut trains = self.inject(inputs)?;
        let mut traces = self.traces(probe)?;
        let mut states: Vec<_> = self
            .network
            .populations
            .iter()
            .map(|(id, p)| match &p.kind {
                PopKind::Input(_) => None,
                PopKind::Neurons(n) => {
                    Some(State::new(n, &p.shape, window(self.network, id).latency))
                }
            })
            .collect();
        let mut scratch = Vec::new();
        for t in 0..self.steps {
            for &id in &self.order {
                let Some(state) = &mut states[id.index()] else { continue };
                for &(source, matrix, delay) in &self.incoming[id.index()] {
                    let Some(then) = t.checked_sub(delay) else { continue };
                    let active = trains[source].active(then).map(|n| (n, ()));
                    let add = |a: &mut i64, w, ()| *a += i64::from(w);
                    self.kernels[matrix].add(active, &mut scratch, state.input(), add);
                }
                if state.updates_at(t) {
                    state.update(&mut trains[id.index()], t).map_err(|o| SimError::Overflow {
                        population: self.network.populations[id].name.clone(),
                        neuron: o.neuron,
                        step: t,
                        register: o.register,
                        value: o.value,
                    })?;
                }
            }
            for trace in &mut traces {
                if let Some(state) = &states[trace.population.index()] {
                    let [u, h, v] = state.registers(trace.neuron);
                    trace.u.push(u);
                    trace.h.push(h);
                    trace.v.push(v);
                }
            }
        }
        let scores = self.scores(&trains);
        Ok(IntRun { spikes: trains, scores, traces })
    }

    fn traces(&self, probe: &IntProbe) -> Result<Vec<IntTrace>, SimError> {
        let neurons = self.network.populations.iter().filter(|(_, p)| p.neuron().is_some());
        let sizes: Vec<_> = neurons.map(|(id, p)| (id, p.size())).collect();
        let trace = |(population, neuron)| IntTrace {
            population,
            neuron,
            u: Vec::new(),
            h: Vec::new(),
            v: Vec::new(),
        };
        Ok(probe.resolve(&sizes, self.steps, 2)?.into_iter().map(trace).collect())
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
