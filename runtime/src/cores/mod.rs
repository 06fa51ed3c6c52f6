//! Simulator of a core-level program: registers, axons, routes and synapse blocks.
//!
//! A spike travels only as the tables say: compartment → route → axon of a core → synapse blocks of
//! that axon → compartments, `1 + delay` steps later. The code shares neither layout nor arithmetic
//! with [`crate::integer`], against which it is compared; an emitted artifact is simulated here
//! after an independent reader decoded it.

mod check;
mod columns;
mod state;

use crate::error::SimError;
use crate::probe::Probe;
use crate::readout::{Window, argmax, mean_linear};
use check::Tables;
use snnc_ir::program::{Program, ProgramReadout, SymbolRole};
use snnc_ir::spikes::SpikeTrain;
use state::{CoreState, Overflow};

/// Which registers a core-level simulation records; populations are indices into
/// [`Program::populations`].
pub type CoreProbe = Probe<usize>;

/// Recorded registers of one compartment, one value per hardware step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreTrace {
    /// The population, an index into [`Program::populations`].
    pub population: usize,
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
pub struct CoreRun {
    /// Spikes of each symbol in hardware time (inputs as they were injected).
    pub spikes: Vec<SpikeTrain>,
    /// One score per class.
    pub scores: Vec<f64>,
    /// The recorded registers, in the order of the probe.
    pub traces: Vec<CoreTrace>,
}

impl CoreRun {
    /// The class with the largest score, ties to the lowest.
    pub fn class(&self) -> Option<usize> {
        argmax(&self.scores)
    }
}

/// Runs `program` once on `inputs`: one train per input symbol in order, `[steps, neurons]` in
/// logical time. To run it often, make a [`CoreSim`] first.
///
/// # Errors
/// [`SimError::Malformed`] for tables that contradict each other, inputs that do not fit, an
/// overflow of u or v, a run too large for memory.
pub fn simulate(
    program: &Program,
    inputs: &[SpikeTrain],
    probe: &CoreProbe,
) -> Result<CoreRun, SimError> {
    CoreSim::new(program)?.run(inputs, probe)
}

/// A program whose tables have been checked.
pub struct CoreSim<'p> {
    program: &'p Program,
    tables: Tables,
}

/// A spike on its way to an axon.
#[derive(Clone, Copy)]
struct Event {
    core: usize,
    axon: usize,
}

impl<'p> CoreSim<'p> {
    /// Checks every index of `program` and lays its matrices out by column.
    ///
    /// # Errors
    /// [`SimError::Malformed`], [`SimError::TooLarge`].
    pub fn new(program: &'p Program) -> Result<Self, SimError> {
        Ok(Self { program, tables: Tables::new(program)? })
    }

    /// The program.
    pub const fn program(&self) -> &'p Program {
        self.program
    }

    /// Symbols of the inputs in the order of a stimulus.
    pub fn inputs(&self) -> &[usize] {
        &self.tables.inputs
    }

    /// Where the logical steps of a symbol lie.
    pub(crate) fn window(&self, symbol: usize) -> Window {
        Window {
            period: self.program.period as usize,
            latency: self.program.populations[symbol].latency as usize,
            steps: self.program.steps as usize,
        }
    }

    /// Threshold of a neuron in units of the membrane, unless it is an input.
    pub(crate) fn threshold(&self, symbol: usize, neuron: usize) -> Option<i32> {
        let (core, compartment) = *self.tables.places[symbol].get(neuron)?;
        let registers = &self.tables.cores[core as usize].registers[compartment as usize];
        i32::try_from(registers.threshold).ok()
    }

    /// Trains of all symbols in logical time, by symbol.
    ///
    /// # Errors
    /// [`SimError::OffSchedule`] for the first spike in a step that belongs to no logical step.
    pub fn logical_spikes(&self, run: &CoreRun) -> Result<Vec<SpikeTrain>, SimError> {
        let symbols = self.program.populations.iter().zip(&run.spikes).enumerate();
        let logical = |(i, (symbol, train)): (usize, (&snnc_ir::program::Symbol, &SpikeTrain))| {
            self.window(i).logical(train).map_err(|(neuron, step)| SimError::OffSchedule {
                population: symbol.name.clone(),
                neuron,
                step,
            })
        };
        symbols.map(logical).collect()
    }

    /// Runs the program once.
    ///
    /// # Errors
    /// As [`simulate`].
    pub fn run(&self, inputs: &[SpikeTrain], probe: &CoreProbe) -> Result<CoreRun, SimError> {
        let mut spikes = self.inject(inputs)?;
        let mut traces = self.traces(probe)?;
        let mut states: Vec<_> = self.tables.cores.iter().map(CoreState::new).collect();
        let mut events = Vec::new();
        for t in 0..self.tables.steps {
            events.clear();
            for route in &self.program.inputs {
                let first = route.first as usize;
                let range = first..first + route.len as usize;
                let active = spikes[route.population as usize].active(t);
                events.extend(active.filter(|n| range.contains(n)).map(|n| Event {
                    core: route.core as usize,
                    axon: route.axon as usize + n - first,
                }));
            }
            for (index, state) in states.iter_mut().enumerate() {
                state
                    .update(t, |compartment| {
                        let core = &self.tables.cores[index];
                        let (symbol, neuron) = core.registers[compartment].neuron;
                        spikes[symbol].set(t, neuron);
                        for route in &self.program.cores[index].routes {
                            let offset = compartment.checked_sub(route.compartment as usize);
                            if let Some(offset) = offset.filter(|&o| o < route.len as usize) {
                                let (core, axon) =
                                    (route.core as usize, route.axon as usize + offset);
                                events.push(Event { core, axon });
                            }
                        }
                    })
                    .map_err(|o| self.overflow(index, &o, t))?;
            }
            for &Event { core, axon } in &events {
                self.tables.deliver(self.program, core, axon, t, &mut states[core]);
            }
            for trace in &mut traces {
                let (core, compartment) = self.tables.places[trace.population][trace.neuron];
                let [u, h, v] = states[core as usize].registers(compartment as usize);
                trace.u.push(u);
                trace.h.push(h);
                trace.v.push(v);
            }
        }
        let scores = self.scores(&spikes);
        Ok(CoreRun { spikes, scores, traces })
    }

    fn overflow(&self, core: usize, overflow: &Overflow, step: usize) -> SimError {
        let (symbol, neuron) = self.tables.cores[core].registers[overflow.compartment].neuron;
        SimError::Overflow {
            population: self.program.populations[symbol].name.clone(),
            neuron,
            step,
            register: overflow.register,
            value: overflow.value,
        }
    }

    fn inject(&self, inputs: &[SpikeTrain]) -> Result<Vec<SpikeTrain>, SimError> {
        let symbols = &self.program.populations;
        if inputs.len() != self.tables.inputs.len() {
            let (expected, found) = (self.tables.inputs.len(), inputs.len());
            return Err(SimError::StimulusCount { expected, found });
        }
        let mut spikes: Vec<_> =
            symbols.iter().map(|s| SpikeTrain::new(self.tables.steps, s.shape.size())).collect();
        for (&symbol, train) in self.tables.inputs.iter().zip(inputs) {
            let expected = (self.program.steps as usize, symbols[symbol].shape.size());
            let found = (train.steps(), train.neurons());
            if expected != found {
                let input = symbols[symbol].name.clone();
                return Err(SimError::StimulusShape { input, expected, found });
            }
            let period = self.program.period as usize;
            let latency = symbols[symbol].latency as usize;
            for t in 0..train.steps() {
                train.active(t).for_each(|n| spikes[symbol].set(period * t + latency, n));
            }
        }
        Ok(spikes)
    }

    fn traces(&self, probe: &CoreProbe) -> Result<Vec<CoreTrace>, SimError> {
        let symbols = self.program.populations.iter().enumerate();
        let neurons = symbols.filter(|(_, s)| !matches!(s.role, SymbolRole::Input(_)));
        let sizes: Vec<_> = neurons.map(|(i, s)| (i, s.shape.size())).collect();
        let trace = |(population, neuron)| CoreTrace {
            population,
            neuron,
            u: Vec::new(),
            h: Vec::new(),
            v: Vec::new(),
        };
        Ok(probe.resolve(&sizes, self.tables.steps, 2)?.into_iter().map(trace).collect())
    }

    fn scores(&self, spikes: &[SpikeTrain]) -> Vec<f64> {
        let counts = |symbol: u32| self.window(symbol as usize).counts(&spikes[symbol as usize]);
        match &self.program.readout {
            ProgramReadout::SpikeCount(symbol) => {
                counts(*symbol).into_iter().map(f64::from).collect()
            }
            ProgramReadout::MeanLinear { terms, bias } => {
                let terms: Vec<_> =
                    terms.iter().map(|(s, weights)| (counts(*s), weights.as_slice())).collect();
                mean_linear(&terms, bias, self.program.steps)
            }
        }
    }
}
