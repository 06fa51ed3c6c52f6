//! Runs that can be compared and repeated.

use super::activity::Record;
use crate::cores::{CoreProbe, CoreRun, CoreSim};
use crate::error::SimError;
use crate::event::float::FloatSim;
use crate::event::integer::IntSim;
use crate::float::{FloatProbe, FloatRun};
use crate::integer::{self, IntProbe, IntRun};
use crate::stimulus::Stimulus;
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::network::{Coding, Op};
use snnc_ir::program::{Symbol, SymbolRole};
use snnc_ir::quantized::PopKind;

/// State of a neuron at the moment when its membrane was compared with the threshold. Each side
/// has its own units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Membrane {
    /// Step in the time of the simulator (hardware steps where it has them).
    pub step: usize,
    /// Current, where the model has one.
    pub u: Option<f64>,
    /// Membrane before the reset.
    pub v: f64,
    /// Threshold.
    pub threshold: f64,
}

impl Membrane {
    /// `v − θ`: by how much the neuron fired (or did not).
    pub fn margin(&self) -> f64 {
        self.v - self.threshold
    }
}

/// A run that can be compared with another.
pub trait Subject {
    /// What each population sent in logical time, causes before their effects within a step. Inputs
    /// that take frames send nothing and are left out. The bursts of a float network are left out
    /// too but for their spikes: nothing else has values to compare them with.
    ///
    /// # Errors
    /// [`SimError::OffSchedule`].
    fn records(&self) -> Result<Vec<Record>, SimError>;

    /// Repeats the run and records a neuron in logical step `step`; `None` for what has no membrane,
    /// an input or graded relay.
    ///
    /// # Errors
    /// Errors of the simulator, [`SimError::Unmatched`] for an unknown population.
    fn membrane(
        &self,
        population: &str,
        neuron: usize,
        step: usize,
    ) -> Result<Option<Membrane>, SimError>;
}

fn unknown(name: &str) -> SimError {
    SimError::Unmatched { name: name.to_owned(), side: "other" }
}

/// A run of a float network.
pub struct FloatSubject<'a, 'n> {
    /// The simulator.
    pub sim: &'a FloatSim<'n>,
    /// What it was given.
    pub stimulus: &'a Stimulus,
    /// What came out.
    pub run: &'a FloatRun,
}

impl Subject for FloatSubject<'_, '_> {
    fn records(&self) -> Result<Vec<Record>, SimError> {
        let nodes = &self.sim.network().nodes;
        let record = |&id| {
            let spikes = self.run.spikes.get(&id)?.clone();
            Some(Record { name: nodes[id].name.clone(), spikes, messages: None })
        };
        Ok(self.sim.order().iter().filter_map(record).collect())
    }

    fn membrane(
        &self,
        population: &str,
        neuron: usize,
        step: usize,
    ) -> Result<Option<Membrane>, SimError> {
        let mut nodes = self.sim.network().nodes.iter();
        let (id, node) =
            nodes.find(|(_, n)| n.name == population).ok_or_else(|| unknown(population))?;
        let Op::Neuron(model) = &node.op else { return Ok(None) };
        let probe = FloatProbe::Neurons(vec![(id, neuron)]);
        let run = self.sim.run(self.stimulus, &probe)?;
        let threshold = f64::from(model.threshold.at(neuron, &node.shape));
        let h = run.traces.first().and_then(|trace| trace.h.get(step));
        Ok(h.map(|&h| Membrane { step, u: None, v: f64::from(h), threshold }))
    }
}

/// A run of an integer network in logical or hardware time.
pub struct IntSubject<'a, 'n> {
    /// The simulator.
    pub sim: &'a IntSim<'n>,
    /// What it was given, in logical time.
    pub stimulus: &'a Stimulus,
    /// What came out.
    pub run: &'a IntRun,
}

impl Subject for IntSubject<'_, '_> {
    fn records(&self) -> Result<Vec<Record>, SimError> {
        let network = self.sim.network();
        // In hardware time an effect has a larger latency than its cause in the same logical step.
        let mut order = self.sim.order().to_vec();
        order.sort_by_key(|&id| integer::window(network, id).latency);
        let record = |id: PopId| {
            let messages = self.run.messages[id.index()].as_ref();
            Ok(Record {
                name: network.populations[id].name.clone(),
                spikes: integer::logical(network, self.run, id)?,
                messages: messages.map(|m| integer::window(network, id).messages(m)),
            })
        };
        let takes_frames =
            |id| matches!(network.populations[id].kind, PopKind::Input(Coding::Direct { .. }));
        order.into_iter().filter(|id| !takes_frames(*id)).map(record).collect()
    }

    fn membrane(
        &self,
        population: &str,
        neuron: usize,
        step: usize,
    ) -> Result<Option<Membrane>, SimError> {
        let network = self.sim.network();
        let id = network.population_named(population).ok_or_else(|| unknown(population))?;
        let Some(model) = network.populations[id].neuron() else { return Ok(None) };
        let run = self.sim.run(self.stimulus, &IntProbe::Neurons(vec![(id, neuron)]))?;
        let threshold = f64::from(model.threshold.at(neuron, &network.populations[id].shape));
        let at = integer::window(network, id).at(step);
        let state = run.traces.first().and_then(|t| Some((*t.u.get(at)?, *t.h.get(at)?)));
        Ok(state.map(|(u, h)| Membrane {
            step: at,
            u: Some(f64::from(u)),
            v: f64::from(h),
            threshold,
        }))
    }
}

/// A run of a core-level program.
pub struct CoreSubject<'a, 'p> {
    /// The simulator.
    pub sim: &'a CoreSim<'p>,
    /// What it was given, in logical time.
    pub stimulus: &'a Stimulus,
    /// What came out.
    pub run: &'a CoreRun,
}

impl Subject for CoreSubject<'_, '_> {
    fn records(&self) -> Result<Vec<Record>, SimError> {
        let symbols = self.sim.program().populations.iter().enumerate();
        let takes_frames =
            |role: &SymbolRole| matches!(role, SymbolRole::Input(Coding::Direct { .. }));
        let mut order: Vec<_> = symbols.filter(|(_, s)| !takes_frames(&s.role)).collect();
        order.sort_by_key(|(_, symbol)| symbol.latency);
        let trains = self.sim.logical_spikes(self.run)?;
        let record = |(i, symbol): (usize, &Symbol)| {
            let messages = self.run.messages[i].as_ref();
            Record {
                name: symbol.name.clone(),
                spikes: trains[i].clone(),
                messages: messages.map(|m| self.sim.window(i).messages(m)),
            }
        };
        Ok(order.into_iter().map(record).collect())
    }

    fn membrane(
        &self,
        population: &str,
        neuron: usize,
        step: usize,
    ) -> Result<Option<Membrane>, SimError> {
        let symbols = &self.sim.program().populations;
        let symbol = symbols.iter().position(|s| s.name == population);
        let symbol = symbol.ok_or_else(|| unknown(population))?;
        let relay = self.run.messages[symbol].is_some();
        if relay || matches!(symbols[symbol].role, SymbolRole::Input(_)) {
            return Ok(None);
        }
        let run = self.sim.run(self.stimulus, &CoreProbe::Neurons(vec![(symbol, neuron)]))?;
        let at = self.sim.window(symbol).at(step);
        let state = run.traces.first().and_then(|t| Some((*t.u.get(at)?, *t.h.get(at)?)));
        let threshold = self.sim.threshold(symbol, neuron);
        Ok(state.zip(threshold).map(|((u, h), threshold)| Membrane {
            step: at,
            u: Some(f64::from(u)),
            v: f64::from(h),
            threshold: f64::from(threshold),
        }))
    }
}
