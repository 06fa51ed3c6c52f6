//! A level that can be run: float, integer, or core by core.

use super::trials::Trials;
use snnc_ir::program::Program;
use snnc_ir::{Network, QuantizedNetwork};
use snnc_runtime::compare::{CoreSubject, FloatSubject, IntSubject, Membrane, Record, Subject};
use snnc_runtime::cores::{CoreProbe, CoreRun, CoreSim};
use snnc_runtime::event::float::FloatSim;
use snnc_runtime::event::integer::IntSim;
use snnc_runtime::float::{FloatProbe, FloatRun};
use snnc_runtime::integer::{IntProbe, IntRun};
use snnc_runtime::{SimError, Stimulus};

/// A simulator of one level.
pub(super) enum Machine<'n> {
    /// In f32.
    Float(FloatSim<'n>),
    /// In integers, in logical or hardware time.
    Integer(IntSim<'n>),
    /// Core by core.
    Cores(CoreSim<'n>),
}

/// A run of a machine.
pub(super) struct Ran {
    stimulus: Stimulus,
    run: Run,
    /// Populations of spikes, in causal order, in logical time.
    pub(super) records: Vec<Record>,
}

enum Run {
    Float(FloatRun),
    Integer(IntRun),
    Cores(CoreRun),
}

impl Ran {
    /// What the readout says.
    pub(super) fn scores(&self) -> &[f64] {
        match &self.run {
            Run::Float(run) => &run.scores,
            Run::Integer(run) => &run.scores,
            Run::Cores(run) => &run.scores,
        }
    }
}

impl<'n> Machine<'n> {
    pub(super) fn float(network: &'n Network) -> Result<Self, SimError> {
        FloatSim::new(network).map(Self::Float)
    }

    pub(super) fn integer(network: &'n QuantizedNetwork) -> Result<Self, SimError> {
        IntSim::new(network).map(Self::Integer)
    }

    pub(super) fn cores(program: &'n Program) -> Result<Self, SimError> {
        CoreSim::new(program).map(Self::Cores)
    }

    /// Runs on a stimulus of `trials`.
    pub(super) fn run(&self, trials: &Trials, stimulus: &Stimulus) -> Result<Ran, SimError> {
        let stimulus = match self {
            Self::Float(sim) => {
                let nodes = &sim.network().nodes;
                trials.ordered(stimulus, sim.inputs().iter().map(|&id| nodes[id].name.as_str()))
            }
            Self::Integer(sim) => {
                let populations = &sim.network().populations;
                let names = sim.inputs().iter().map(|&id| populations[id].name.as_str());
                trials.ordered(stimulus, names)
            }
            Self::Cores(sim) => {
                let symbols = &sim.program().populations;
                trials.ordered(stimulus, sim.inputs().iter().map(|&at| symbols[at].name.as_str()))
            }
        }?;
        let run = match self {
            Self::Float(sim) => Run::Float(sim.run(&stimulus, &FloatProbe::None)?),
            Self::Integer(sim) => Run::Integer(sim.run(&stimulus, &IntProbe::None)?),
            Self::Cores(sim) => Run::Cores(sim.run(&stimulus, &CoreProbe::None)?),
        };
        let mut ran = Ran { stimulus, run, records: Vec::new() };
        ran.records = self.with(&ran, |subject| subject.records())?;
        Ok(ran)
    }

    /// The neuron when its membrane was compared in logical step `step`.
    pub(super) fn membrane(
        &self,
        ran: &Ran,
        (population, neuron): (&str, usize),
        step: usize,
    ) -> Result<Option<Membrane>, SimError> {
        self.with(ran, |subject| subject.membrane(population, neuron, step))
    }

    /// The largest membrane of the neuron in this run, in size; 0 where no rounding is.
    pub(super) fn reach(
        &self,
        ran: &Ran,
        (population, neuron): (&str, usize),
    ) -> Result<f64, SimError> {
        let Self::Float(sim) = self else { return Ok(0.0) };
        let Some(node) = sim.network().node_named(population) else { return Ok(0.0) };
        let run = sim.run(&ran.stimulus, &FloatProbe::Neurons(vec![(node, neuron)]))?;
        let h = run.traces.iter().flat_map(|trace| &trace.h);
        Ok(h.fold(0.0, |most, h| most.max(f64::from(h.abs()))))
    }

    /// Does `work` with a run as a side of a comparison.
    fn with<T>(&self, ran: &Ran, work: impl FnOnce(&dyn Subject) -> T) -> T {
        let stimulus = &ran.stimulus;
        match (self, &ran.run) {
            (Self::Float(sim), Run::Float(run)) => work(&FloatSubject { sim, stimulus, run }),
            (Self::Integer(sim), Run::Integer(run)) => work(&IntSubject { sim, stimulus, run }),
            (Self::Cores(sim), Run::Cores(run)) => work(&CoreSubject { sim, stimulus, run }),
            _ => unreachable!("a run is asked of the machine that ran it"),
        }
    }
}
