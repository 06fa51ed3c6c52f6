//! One network through the whole compiler, and every level that comes out compared on stimuli.
//!
//! The certificate says that source and program are the same machine. This module lets both run, and what is
//! between them: an error of the checker and one of the compiler would have to agree on every spike to be
//! missed. [`compile`] makes the stages, [`certified`] the program as read back from its bytes,
//! [`simulate`] compares.

mod dice;
pub mod stimuli;

use crate::compile::Failure as Refusal;
use crate::pipeline::{self, Delays, Lowering, Search, Stage, Stages};
pub use dice::Dice;
use snnc_backends::certify::{Certificate, certify};
use snnc_backends::{Backend, LoihiBackend, PROGRAM_FILE, program};
use snnc_ir::diag::Code;
use snnc_ir::network::{Coding, Op};
use snnc_ir::program::Program;
use snnc_ir::quantized::PopKind;
use snnc_ir::{
    Diagnostics, Level, MappedNetwork, Network, QuantizedNetwork, Recipe, Rules, Severity,
    TargetSpec,
};
use snnc_passes::{AnyLevel, Pipeline, Registry};
use snnc_runtime::compare::{CoreSubject, IntSubject, Side, Subject, compare};
use snnc_runtime::cores::{CoreProbe, CoreSim};
use snnc_runtime::event::integer::IntSim;
use snnc_runtime::integer::{self, IntProbe};
use snnc_runtime::{MessageTrain, Stimulus};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use stimuli::Port;

/// How a network is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Way<'a> {
    /// For which target.
    pub target: &'a TargetSpec,
    /// What becomes of encoded weights.
    pub lowering: Lowering,
    /// Where delays go.
    pub delays: Delays,
    /// Decisions about quantization; only float networks have a use for it.
    pub recipe: &'a Recipe,
}

/// Where something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The source is no valid network.
    Source,
    /// A pass, or the planner, rejects the network.
    Compile,
    /// A pass makes an invalid network, or not what it declares.
    Pass,
    /// The back end cannot write the program.
    Write,
    /// The independent reader rejects the bytes.
    Read,
    /// The certificate is refused.
    Certify,
    /// A simulator rejects what it is given, or stops.
    Simulate,
    /// A level differs from the source.
    Compare,
    /// The compiler panics.
    Panic,
}

impl Step {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Compile => "compile",
            Self::Pass => "pass",
            Self::Write => "write",
            Self::Read => "read",
            Self::Certify => "certify",
            Self::Simulate => "simulate",
            Self::Compare => "compare",
            Self::Panic => "panic",
        }
    }
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub step: Step,
    /// Codes of all errors, in order; empty for simulations and panics.
    pub codes: Vec<Code>,
    /// In words.
    pub text: String,
}

impl Fault {
    /// A fault without a diagnostic code.
    pub fn new(step: Step, text: impl fmt::Display) -> Self {
        Self { step, codes: Vec::new(), text: text.to_string() }
    }

    /// The fault that these findings are.
    pub fn found(step: Step, findings: &Diagnostics) -> Self {
        let errors = || findings.iter().filter(|d| d.severity == Severity::Error);
        let text: Diagnostics = errors().cloned().collect();
        Self { step, codes: errors().map(|d| d.code).collect(), text: text.to_string() }
    }

    /// Whether `other` is a fault of the same kind: the same step, and the same first code.
    pub fn like(&self, other: &Self) -> bool {
        self.step == other.step && self.codes.first() == other.codes.first()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step.name(), self.text.trim_end())
    }
}

/// The stages of a source.
///
/// # Errors
/// [`Step::Compile`] if a pass or the planner rejects it, [`Step::Pass`] if a pass is at fault.
pub fn compile(registry: &Registry, level: AnyLevel, way: &Way<'_>) -> Result<Stages, Fault> {
    let text = pipeline::lowered(Stage::of(&level), way.lowering, way.delays, Search::default());
    let pipeline = Pipeline::parse(&text).map_err(|e| Fault::found(Step::Compile, &e))?;
    pipeline::run(registry, &pipeline, level, way.target, way.recipe).map_err(|failure| {
        let step = if failure.replay.is_some() { Step::Pass } else { Step::Compile };
        Fault::found(step, &Refusal::from(failure).diagnostics)
    })
}

/// The cores of a network in hardware time, by the passes that choose them.
///
/// # Errors
/// As [`compile`].
pub fn map(
    registry: &Registry,
    scheduled: &QuantizedNetwork,
    target: &TargetSpec,
) -> Result<MappedNetwork, Fault> {
    let recipe = Recipe::default();
    let (lowering, delays) = (Lowering::default(), Delays::default());
    let way = Way { target, lowering, delays, recipe: &recipe };
    let stages = compile(registry, AnyLevel::Quantized(scheduled.clone()), &way)?;
    stages.mapped.ok_or_else(|| Fault::new(Step::Pass, "the pipeline leads to no cores"))
}

/// The program of a mapped network as read back from its bytes, and the certificate that it computes `logical`.
///
/// # Errors
/// [`Step::Write`], [`Step::Read`] or [`Step::Certify`].
pub fn certified(
    logical: &QuantizedNetwork,
    mapped: &MappedNetwork,
    target: &TargetSpec,
) -> Result<(Program, Certificate), Fault> {
    let written = LoihiBackend.emit(mapped, target).map_err(|e| Fault::found(Step::Write, &e))?;
    let file = written.files.iter().find(|file| file.name == PROGRAM_FILE);
    let bytes = file.map_or(&[][..], |file| &file.bytes);
    let program = program::read(bytes).map_err(|e| Fault::found(Step::Read, &e))?;
    let proof = certify(logical, &program, target).map_err(|e| Fault::found(Step::Certify, &e))?;
    Ok((program, proof))
}

/// A panic of `run` as a fault.
///
/// # Errors
/// As `run`, and [`Step::Panic`].
pub fn caught<T>(run: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        let text = payload
            .downcast_ref::<&str>()
            .map(|s| (*s).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned());
        Err(Fault::new(Step::Panic, text.unwrap_or_else(|| "no message".to_owned())))
    })
}

/// What networks did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Runs of one level on one stimulus.
    pub runs: u64,
    /// Spikes and messages of the source that were compared, level by level.
    pub compared: u64,
    /// Spikes of the source on all stimuli.
    pub spikes: u64,
    /// Messages of the source on all stimuli.
    pub messages: u64,
    /// Stimuli on which a membrane met its threshold, or was one unit of the threshold off.
    pub close: u64,
}

impl Seen {
    /// Adds what another network did.
    pub const fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.compared += other.compared;
        self.spikes += other.spikes;
        self.messages += other.messages;
        self.close += other.close;
    }
}

/// An error of the simulator of a level.
fn sim(level: &str) -> impl Fn(snnc_runtime::SimError) -> Fault + '_ {
    move |error| Fault::new(Step::Simulate, format!("{level}: {error}"))
}

/// The inputs of an integer network.
pub fn ports(network: &QuantizedNetwork) -> Vec<Port> {
    let inputs = network.populations.values().filter_map(|p| match &p.kind {
        PopKind::Input(coding) => Some(port(coding, p.size())),
        PopKind::Neurons(_) | PopKind::Graded(_) => None,
    });
    inputs.collect()
}

/// The inputs of a float network.
pub fn float_ports(network: &Network) -> Vec<Port> {
    let inputs = network.nodes.values().filter_map(|n| match &n.op {
        Op::Input(coding) => Some(port(coding, n.shape.size())),
        _ => None,
    });
    inputs.collect()
}

/// What an input of `coding` takes.
const fn port(coding: &Coding, size: usize) -> Port {
    let range = match coding {
        Coding::Direct { range: Some(range) } => Some(*range),
        Coding::Direct { range: None } => Some([-1, 1]),
        Coding::Events | Coding::Accumulator { .. } | Coding::Rate { .. } => None,
    };
    Port { size, range }
}

/// Runs the source by its definition and by events, the network in hardware time, the network of the cores and
/// every program, each on every stimulus, and compares all that they send.
///
/// # Errors
/// [`Step::Simulate`] if a simulator stops, [`Step::Compare`] for the first spike or message that differs.
pub fn simulate(
    logical: &QuantizedNetwork,
    scheduled: &QuantizedNetwork,
    mapped: &MappedNetwork,
    programs: &[(&str, &Program)],
    stimuli: &[(&str, Stimulus)],
) -> Result<Seen, Fault> {
    let definition = integer::IntSim::new(logical).map_err(sim("definition"))?;
    let source = IntSim::new(logical).map_err(sim("source"))?;
    // Mapping moves neurons and changes none; where it left the network alone, one run serves for both.
    let on_cores = if mapped.network == **scheduled {
        None
    } else {
        let found = QuantizedNetwork::verify(mapped.network.clone(), &Rules::default());
        Some(found.map_err(|e| Fault::found(Step::Pass, &e))?)
    };
    let mut networks = vec![("scheduled", IntSim::new(scheduled).map_err(sim("scheduled"))?)];
    if let Some(network) = &on_cores {
        networks.push(("mapped", IntSim::new(network).map_err(sim("mapped"))?));
    }
    let sims: Vec<(&str, CoreSim<'_>)> = programs
        .iter()
        .map(|(name, program)| Ok((*name, CoreSim::new(program).map_err(sim(name))?)))
        .collect::<Result<_, Fault>>()?;

    let mut seen = Seen::default();
    for (name, stimulus) in stimuli {
        let run = source.run(stimulus, &IntProbe::None).map_err(sim("source"))?;
        let defined = definition.run(stimulus, &IntProbe::None).map_err(sim("definition"))?;
        if run != defined {
            let text = format!("on {name}: events and definition of the source part");
            return Err(Fault::new(Step::Compare, text));
        }
        let left = IntSubject { sim: &source, stimulus, run: &run };
        let mut against = |level: &str, right: &dyn Subject| {
            let found = compare(&left, right).map_err(sim(level))?;
            if let Some(first) = &found.first {
                return Err(Fault::new(Step::Compare, format!("on {name}: {level}: {first:?}")));
            }
            if let Some((_, alone)) = found.unmatched.iter().find(|(side, _)| *side == Side::Left) {
                let text = format!("on {name}: {level}: population `{alone}` is missing");
                return Err(Fault::new(Step::Compare, text));
            }
            seen.compared += found.distances.iter().map(|d| d.left).sum::<u64>();
            seen.runs += 1;
            Ok(())
        };
        for (level, simulator) in &networks {
            let run = simulator.run(stimulus, &IntProbe::None).map_err(sim(level))?;
            against(level, &IntSubject { sim: simulator, stimulus, run: &run })?;
        }
        for (level, simulator) in &sims {
            let run = simulator.run(stimulus, &CoreProbe::None).map_err(sim(level))?;
            against(level, &CoreSubject { sim: simulator, stimulus, run: &run })?;
        }
        seen.runs += 2;
        let messages: u64 = run.messages.iter().flatten().map(MessageTrain::count).sum();
        let all: u64 = run.spikes.iter().map(snnc_ir::spikes::SpikeTrain::count).sum();
        seen.messages += messages;
        seen.spikes += all - messages.min(all);
    }
    Ok(seen)
}
