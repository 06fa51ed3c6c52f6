//! Simulator of a core-level program: registers, axons, routes and synapse blocks.
//!
//! A spike or message travels only as the tables say: compartment → route → axon of a core → synapse
//! blocks of that axon → compartments, `1 + delay` steps later. The code shares neither layout nor arithmetic
//! with [`crate::integer`], against which it is compared; an emitted artifact is simulated here
//! after an independent reader decoded it. Behind the last logical step of their population, u, v and messages stay in
//! their ranges as they do there.

mod check;
mod columns;
mod host;
mod state;
mod symbols;

use crate::compare::Activity;
use crate::error::SimError;
use crate::messages::MessageTrain;
use crate::probe::Probe;
use crate::readout::{Window, argmax, mean_linear};
use crate::stimulus::{Port, Signal, Stimulus};
use check::Tables;
use snnc_ir::program::{Program, ProgramReadout, SymbolRole};
use snnc_ir::spikes::SpikeTrain;
use state::{CoreState, Overflow};
use symbols::window;

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
    /// Spikes of each symbol in hardware time (inputs as they were injected; those that take frames
    /// are silent). Of graded relays: where they sent a message.
    pub spikes: Vec<SpikeTrain>,
    /// Messages of each symbol in hardware time; `None` for symbols that spike.
    pub messages: Vec<Option<MessageTrain>>,
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

    /// What a symbol sent, in hardware time.
    pub fn activity(&self, symbol: usize) -> Activity<'_> {
        let messages = self.messages.get(symbol).and_then(Option::as_ref);
        Activity { spikes: &self.spikes[symbol], messages }
    }
}

/// Runs `program` once on `stimulus`: one signal per input symbol in order, trains `[steps, neurons]`
/// in logical time. To run it often, make a [`CoreSim`] first.
///
/// # Errors
/// [`SimError::Malformed`] for tables that contradict each other, a stimulus that does not fit, an
/// overflow of u, v or a message, a run too large for memory.
pub fn simulate(
    program: &Program,
    stimulus: &Stimulus,
    probe: &CoreProbe,
) -> Result<CoreRun, SimError> {
    CoreSim::new(program)?.run(stimulus, probe)
}

/// A program whose tables have been checked.
pub struct CoreSim<'p> {
    program: &'p Program,
    tables: Tables,
}

/// A spike (1) or message on its way to an axon.
#[derive(Clone, Copy)]
struct Event {
    core: usize,
    axon: usize,
    value: i32,
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
        window(self.program, &self.program.populations[symbol])
    }

    /// Threshold of a neuron in units of the membrane, unless it is an input.
    pub(crate) fn threshold(&self, symbol: usize, neuron: usize) -> Option<i32> {
        let (core, compartment) = *self.tables.places[symbol].get(neuron)?;
        let registers = self.tables.cores[core as usize].registers(compartment as usize);
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
    pub fn run(&self, stimulus: &Stimulus, probe: &CoreProbe) -> Result<CoreRun, SimError> {
        let mut spikes = self.inject(stimulus)?;
        let mut messages = self.silence();
        let mut traces = self.traces(probe)?;
        let state = |core| CoreState::new(core, &self.tables.ends);
        let mut states: Vec<_> = self.tables.cores.iter().map(state).collect();
        self.write_biases(stimulus, &mut states)?;
        let mut events = Vec::new();
        // Symbol, neuron and value of the messages of one step.
        let mut sent = Vec::new();
        for t in 0..self.tables.steps {
            events.clear();
            for route in &self.program.inputs {
                let first = route.first as usize;
                let range = first..first + route.len as usize;
                let active = spikes[route.population as usize].active(t);
                let order = self.program.populations[route.population as usize].order();
                // Neurons of a symbol are numbered in 32 bits.
                let place = |n| order.position(u32::try_from(n).unwrap_or(u32::MAX)) as usize;
                events.extend(active.map(place).filter(|p| range.contains(p)).map(|p| Event {
                    core: route.core as usize,
                    axon: route.axon as usize + p - first,
                    value: 1,
                }));
            }
            for (index, state) in states.iter_mut().enumerate() {
                state
                    .update(t, |compartment, value| {
                        let core = &self.tables.cores[index];
                        let (symbol, neuron) = core.neuron(compartment);
                        spikes[symbol].set(t, neuron);
                        if self.tables.graded[symbol] {
                            sent.push((symbol, neuron, value));
                        }
                        for route in &self.program.cores[index].routes {
                            let offset = compartment.checked_sub(route.compartment as usize);
                            if let Some(offset) = offset.filter(|&o| o < route.len as usize) {
                                let (core, axon) =
                                    (route.core as usize, route.axon as usize + offset);
                                events.push(Event { core, axon, value });
                            }
                        }
                    })
                    .map_err(|o| self.overflow(index, &o, t))?;
            }
            for &event in &events {
                self.tables
                    .deliver(self.program, event, t, &mut states[event.core])
                    .map_err(|o| self.overflow(event.core, &o, t))?;
            }
            record(&mut messages, t, &mut sent);
            for trace in &mut traces {
                let (core, compartment) = self.tables.places[trace.population][trace.neuron];
                let [u, h, v] = states[core as usize].registers(compartment as usize);
                trace.u.push(u);
                trace.h.push(h);
                trace.v.push(v);
            }
        }
        let scores = self.scores(&spikes);
        Ok(CoreRun { spikes, messages, scores, traces })
    }

    /// Messages of all symbols before a run.
    fn silence(&self) -> Vec<Option<MessageTrain>> {
        let symbols = self.program.populations.iter().zip(&self.tables.graded);
        let train = |size| MessageTrain::new(self.tables.steps, size);
        symbols.map(|(s, graded)| graded.then(|| train(s.shape.size()))).collect()
    }

    fn overflow(&self, core: usize, overflow: &Overflow, step: usize) -> SimError {
        let (symbol, neuron) = self.tables.cores[core].neuron(overflow.compartment);
        SimError::Overflow {
            population: self.program.populations[symbol].name.clone(),
            neuron,
            step,
            register: overflow.register,
            value: overflow.value,
        }
    }

    fn inject(&self, stimulus: &Stimulus) -> Result<Vec<SpikeTrain>, SimError> {
        let symbols = &self.program.populations;
        let ports = symbols.iter().filter_map(|s| match &s.role {
            SymbolRole::Input(coding) => Some(Port { name: &s.name, coding, size: s.shape.size() }),
            _ => None,
        });
        stimulus.check(self.program.steps as usize, &ports.collect::<Vec<_>>())?;
        let mut spikes: Vec<_> =
            symbols.iter().map(|s| SpikeTrain::new(self.tables.steps, s.shape.size())).collect();
        for (&symbol, signal) in self.tables.inputs.iter().zip(&stimulus.inputs) {
            let Signal::Spikes(train) = signal else { continue };
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
        let neurons = symbols
            .filter(|(i, s)| !matches!(s.role, SymbolRole::Input(_)) && !self.tables.graded[*i]);
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

/// Moves the messages of step `t` to their trains.
fn record(trains: &mut [Option<MessageTrain>], t: usize, sent: &mut Vec<(usize, usize, i32)>) {
    // Cores come in any order.
    sent.sort_unstable();
    for of_symbol in sent.chunk_by(|a, b| a.0 == b.0) {
        if let Some(train) = trains[of_symbol[0].0].as_mut() {
            // Neurons of a run are numbered in 32 bits.
            let messages = of_symbol.iter().map(|&(_, n, m)| (u32::try_from(n).unwrap_or(0), m));
            train.put(t, messages.collect());
        }
    }
    sent.clear();
}
