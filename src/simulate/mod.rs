//! Runs of one level on a stimulus, and files of what they leave behind.

#[cfg(feature = "burn")]
mod batches;
pub(crate) mod nir;
mod record;
mod spool;
pub(crate) mod write;

use crate::calibrate::Progress;
use crate::files::cannot_write;
use crate::stimulus::{Interface, Stimuli};
use crate::verify::simulation_failed;
use record::Tracer;
pub(crate) use record::{Recorder, Traced};
use snnc_ir::network::{Coding, Op};
use snnc_ir::program::Program;
use snnc_ir::quantized::Time;
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::{Diagnostics, Network, QuantizedNetwork};
use snnc_runtime::cores::{CoreProbe, CoreSim};
use snnc_runtime::event::Split;
use snnc_runtime::event::float::FloatSim;
use snnc_runtime::event::integer::IntSim;
use snnc_runtime::float::FloatRun;
use snnc_runtime::{MessageTrain, Probe, SimError, batch};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Something that can be run.
#[derive(Clone, Debug)]
pub(crate) enum Machine {
    /// f32, logical time.
    Float(Network),
    /// Integers, logical or hardware time.
    Integers(QuantizedNetwork),
    /// Core by core, hardware time.
    Program(Program),
}

/// Which simulators run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Runtime {
    /// Event by event.
    Cpu,
    /// Batches of tensors on the CPU.
    #[cfg(feature = "burn")]
    Tensors,
    /// Batches on a graphics processor.
    #[cfg(feature = "gpu")]
    Gpu(&'static snnc_runtime::gpu::Gpu),
}

/// What came out, sample by sample.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    /// Populations that send something.
    pub(crate) names: Vec<String>,
    /// Class of each sample.
    pub(crate) classes: Vec<Option<usize>>,
    /// Spikes or messages of each population over all samples.
    pub(crate) counts: Vec<Sent>,
}

/// What a population sent, counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Spikes.
    Spikes(u64),
    /// Graded messages.
    Messages(u64),
}

/// What a population sent in one sample.
#[derive(Clone, Debug)]
enum Train {
    /// Spikes.
    Spikes(SpikeTrain),
    /// Graded messages in integers.
    Messages(MessageTrain),
    /// Graded bursts of a float network.
    Bursts(MessageTrain<f32>),
}

impl Train {
    fn count(&self) -> Sent {
        match self {
            Self::Spikes(train) => Sent::Spikes(train.count()),
            Self::Messages(train) => Sent::Messages(train.count()),
            Self::Bursts(train) => Sent::Messages(train.count()),
        }
    }
}

impl Sent {
    /// Adds what was sent in another sample.
    const fn add(self, other: Self) -> Self {
        match (self, other) {
            (Self::Spikes(a), Self::Spikes(b)) => Self::Spikes(a + b),
            (Self::Spikes(a) | Self::Messages(a), Self::Spikes(b) | Self::Messages(b)) => {
                Self::Messages(a + b)
            }
        }
    }
}

impl Machine {
    /// Name of the network.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Float(n) => &n.name,
            Self::Integers(n) => &n.name,
            Self::Program(p) => &p.name,
        }
    }

    /// Steps of the level in a logical step.
    pub(crate) fn period(&self) -> u32 {
        match self {
            Self::Float(_) => 1,
            Self::Integers(n) => match &n.time {
                Time::Logical => 1,
                Time::Hardware(schedule) => schedule.period,
            },
            Self::Program(p) => p.period,
        }
    }

    /// Name of the level on the command line.
    pub(crate) fn level(&self) -> &'static str {
        match self {
            Self::Float(_) => "float",
            Self::Integers(n) if n.time == Time::Logical => "quantized",
            Self::Integers(_) => "scheduled",
            Self::Program(_) => "artifact",
        }
    }

    /// What a stimulus has to fit.
    pub(crate) fn interface(&self) -> Interface {
        match self {
            Self::Float(n) => Interface::of_network(n),
            Self::Integers(n) => Interface::of_quantized(n),
            Self::Program(p) => Interface::of_program(p),
        }
    }

    /// Names of the populations that spike (inputs that are frames do not).
    fn names(&self) -> Vec<String> {
        match self {
            Self::Float(n) => {
                let spikes =
                    |op: &Op| op.is_population() && !matches!(op, Op::Input(Coding::Direct { .. }));
                let nodes = n.nodes.values().filter(|n| spikes(&n.op));
                nodes.map(|n| n.name.clone()).collect()
            }
            Self::Integers(n) => n.populations.values().map(|p| p.name.clone()).collect(),
            Self::Program(p) => p.populations.iter().map(|s| s.name.clone()).collect(),
        }
    }

    /// Populations with membranes, and the steps of a run, in the order in which runs give them; `None` for
    /// a program, of which no membranes are recorded.
    pub(crate) fn traceable(&self) -> Option<(Vec<Traced>, usize)> {
        let traced = |name: &String, size| Traced { name: name.clone(), size };
        match self {
            Self::Float(n) => {
                let neurons = n.nodes.values().filter(|n| matches!(n.op, Op::Neuron(_)));
                let populations = neurons.map(|n| traced(&n.name, n.shape.size()));
                Some((populations.collect(), n.steps as usize))
            }
            Self::Integers(n) => {
                let neurons = n.populations.values().filter(|p| p.neuron().is_some());
                let populations = neurons.map(|p| traced(&p.name, p.size())).collect();
                Some((populations, usize::try_from(n.run_steps()).ok()?))
            }
            Self::Program(_) => None,
        }
    }
}

/// Runs `machine` on all samples; `recorder` keeps what they leave behind.
///
/// # Errors
/// `SNN0835` if a simulation stops.
pub(crate) fn run(
    machine: &Machine,
    stimuli: &Stimuli,
    runtime: Runtime,
    recorder: Option<&Recorder>,
    progress: &dyn Progress,
) -> Result<Recording, Diagnostics> {
    let result = match runtime {
        Runtime::Cpu => on_cpu(machine, stimuli, recorder, progress),
        #[cfg(feature = "burn")]
        Runtime::Tensors => batches::on_cpu(machine, stimuli, recorder),
        #[cfg(feature = "gpu")]
        Runtime::Gpu(gpu) => batches::on_gpu(machine, stimuli, gpu, recorder),
    };
    if let Some(recorder) = recorder {
        recorder.check().map_err(|e| cannot_write(Path::new("a temporary file"), &e))?;
    }
    let samples = result.map_err(|e| simulation_failed(&e))?;
    Ok(Recording::new(machine.names(), &samples))
}

fn on_cpu(
    machine: &Machine,
    stimuli: &Stimuli,
    recorder: Option<&Recorder>,
    progress: &dyn Progress,
) -> Result<Vec<Sample>, SimError> {
    let samples: Vec<usize> = (0..stimuli.samples()).collect();
    let meter = Meter::new(progress, samples.len());
    match machine {
        Machine::Float(network) => {
            let sim = FloatSim::new(network)?;
            let nodes = network.nodes.iter().filter(|(_, n)| matches!(n.op, Op::Neuron(_)));
            let neurons = nodes.map(|(id, n)| (id, n.name.as_str(), n.shape.size()));
            let probe = probe(recorder, neurons);
            batch::map(&samples, |&sample| {
                let mut tracer = begin(recorder, sample)?;
                let run = sim.watch(&stimuli.stimulus(sample)?, &probe, &mut |t, membranes| {
                    meter.step(t, network.steps.into());
                    if let Some(tracer) = &mut tracer {
                        tracer.push(membranes, f32::to_le_bytes);
                    }
                })?;
                Ok(meter.done(Sample::of_float(run).keep(sample, recorder)))
            })
        }
        Machine::Integers(network) => {
            let sim = IntSim::with_split(network, Split::over(samples.len()))?;
            let populations = network.populations.iter().filter(|(_, p)| p.neuron().is_some());
            let neurons = populations.map(|(id, p)| (id, p.name.as_str(), p.size()));
            let probe = probe(recorder, neurons);
            batch::map(&samples, |&sample| {
                let mut tracer = begin(recorder, sample)?;
                let run = sim.watch(&stimuli.stimulus(sample)?, &probe, &mut |t, registers| {
                    meter.step(t, network.run_steps());
                    if let Some(tracer) = &mut tracer {
                        tracer.push(registers, i32::to_le_bytes);
                    }
                })?;
                let sent = Sample::of_integers(run.class(), run.spikes, run.messages);
                Ok(meter.done(sent.keep(sample, recorder)))
            })
        }
        Machine::Program(program) => {
            let sim = CoreSim::new(program)?;
            batch::map(&samples, |&sample| {
                begin(recorder, sample)?;
                let run = sim.run(&stimuli.stimulus(sample)?, &CoreProbe::None)?;
                let sent = Sample::of_integers(run.class(), run.spikes, run.messages);
                Ok(meter.done(sent.keep(sample, recorder)))
            })
        }
    }
}

/// What takes the membranes of a sample. Stops where what came before could not be kept.
fn begin(recorder: Option<&Recorder>, sample: usize) -> Result<Option<Tracer<'_>>, SimError> {
    let Some(recorder) = recorder else { return Ok(None) };
    if recorder.has_failed() {
        return Err(SimError::Malformed("what came before could not be recorded".to_owned()));
    }
    Ok(recorder.trace(sample))
}

/// All neurons of the populations whose membranes are kept, in their order.
fn probe<'a, K: Copy>(
    recorder: Option<&Recorder>,
    neurons: impl Iterator<Item = (K, &'a str, usize)>,
) -> Probe<K> {
    let traced = recorder.map_or(&[][..], Recorder::traced);
    if traced.is_empty() {
        return Probe::None;
    }
    let chosen = neurons.filter(|(_, name, _)| traced.iter().any(|t| t.name == *name));
    Probe::Neurons(chosen.flat_map(|(id, _, size)| (0..size).map(move |n| (id, n))).collect())
}

/// Counts samples, or the steps of a single one.
struct Meter<'p> {
    progress: &'p dyn Progress,
    samples: u64,
    done: AtomicU64,
}

impl<'p> Meter<'p> {
    fn new(progress: &'p dyn Progress, samples: usize) -> Self {
        Self { progress, samples: samples as u64, done: AtomicU64::new(0) }
    }

    /// Step `t` of `steps` is done.
    fn step(&self, t: usize, steps: u64) {
        if self.samples == 1 {
            self.progress.step("simulating steps", t as u64 + 1, steps);
        }
    }

    /// Counts a sample.
    fn done<T>(&self, sample: T) -> T {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.samples > 1 {
            self.progress.step("simulating samples", done, self.samples);
        }
        sample
    }
}

/// What is kept of the run of one sample.
struct Sample {
    class: Option<usize>,
    counts: Vec<Sent>,
    trains: Vec<Train>,
}

impl Sample {
    fn new(class: Option<usize>, trains: Vec<Train>) -> Self {
        let counts = trains.iter().map(Train::count).collect();
        Self { class, counts, trains }
    }

    /// Hands the trains of sample `index` over to `recorder`, if there is one.
    fn keep(mut self, index: usize, recorder: Option<&Recorder>) -> Self {
        if let Some(recorder) = recorder {
            recorder.keep(index, &self);
        }
        self.trains = Vec::new();
        self
    }

    /// Populations with messages are graded.
    fn of_integers(
        class: Option<usize>,
        spikes: Vec<SpikeTrain>,
        messages: Vec<Option<MessageTrain>>,
    ) -> Self {
        let train = |(spikes, messages): (SpikeTrain, Option<MessageTrain>)| {
            messages.map_or(Train::Spikes(spikes), Train::Messages)
        };
        Self::new(class, spikes.into_iter().zip(messages).map(train).collect())
    }

    /// Populations come in the order of node ids, as in [`Machine::names`].
    fn of_float(mut run: FloatRun) -> Self {
        let class = run.class();
        let train = |(node, spikes)| {
            run.messages.remove(&node).map_or(Train::Spikes(spikes), Train::Bursts)
        };
        let trains = run.spikes.into_iter().map(train).collect();
        Self::new(class, trains)
    }
}

impl Recording {
    fn new(names: Vec<String>, samples: &[Sample]) -> Self {
        let mut counts = vec![Sent::Spikes(0); names.len()];
        for sample in samples {
            counts.iter_mut().zip(&sample.counts).for_each(|(sum, n)| *sum = sum.add(*n));
        }
        let classes = samples.iter().map(|s| s.class).collect();
        Self { names, classes, counts }
    }
}
