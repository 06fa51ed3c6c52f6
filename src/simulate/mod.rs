//! Runs of one level on a stimulus, and their spikes as arrays.

#[cfg(feature = "burn")]
mod burn;

use crate::describe;
use crate::stimulus::{Interface, Stimuli};
use crate::verify::simulation_failed;
use snnc_frontend::arrays::{Array, ArrayData};
use snnc_ir::diag::codes::usage;
use snnc_ir::network::{Coding, Emission, Node, Op};
use snnc_ir::program::Program;
use snnc_ir::quantized::{Population, Time};
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::{Diagnostic, Diagnostics, Network, QuantizedNetwork};
use snnc_runtime::cores::{CoreProbe, CoreSim};
use snnc_runtime::event::float::FloatSim;
use snnc_runtime::event::integer::IntSim;
use snnc_runtime::float::{FloatProbe, FloatRun};
use snnc_runtime::integer::IntProbe;
use snnc_runtime::{MessageTrain, Signal, SimError, batch};

/// Largest file of spikes.
const MAX_SPIKES: u64 = 4 << 30;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runtime {
    /// The reference simulators.
    Cpu,
    /// Batches of tensors.
    #[cfg(feature = "burn")]
    Burn,
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
    /// What each population sent in each sample, if it was to be kept.
    trains: Vec<Vec<Train>>,
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

    /// Steps of a run and bytes that a step of a sample takes in a file: 1 per neuron, 4 more per
    /// neuron that sends messages.
    fn extent(&self) -> (u64, u64) {
        let sum = |sizes: &mut dyn Iterator<Item = (usize, bool)>| {
            sizes.fold(0_u64, |bytes, (size, sends_messages)| {
                let each = if sends_messages { 5 } else { 1 };
                bytes.saturating_add((size as u64).saturating_mul(each))
            })
        };
        match self {
            Self::Float(n) => {
                let size = |n: &Node| {
                    let bursts = matches!(&n.op, Op::Neuron(n) if n.emission != Emission::Binary);
                    (n.shape.size(), bursts)
                };
                let populations = n.nodes.values().filter(|n| n.op.is_population());
                (u64::from(n.steps), sum(&mut populations.map(size)))
            }
            Self::Integers(n) => {
                let size = |p: &Population| (p.size(), p.graded().is_some());
                (n.run_steps(), sum(&mut n.populations.values().map(size)))
            }
            Self::Program(p) => {
                let modes = describe::graded_modes(p);
                let sizes = p.populations.iter().zip(modes);
                (p.run_steps, sum(&mut sizes.map(|(s, mode)| (s.shape.size(), mode.is_some()))))
            }
        }
    }
}

/// Checks, before anything runs, that the spikes of `samples` samples can be written.
///
/// # Errors
/// `SNN0820`.
pub(crate) fn check_size(machine: &Machine, samples: usize) -> Result<(), Diagnostic> {
    let (steps, per_step) = machine.extent();
    let bytes = (samples as u64).saturating_mul(steps).saturating_mul(per_step);
    if bytes > MAX_SPIKES {
        return Err(Diagnostic::error(
            usage::TOO_MANY_SAMPLES,
            format!("the spikes of {samples} samples take {bytes} bytes"),
        )
        .note(format!("expected at most {MAX_SPIKES}"))
        .help("limit the number of samples with `--samples`"));
    }
    Ok(())
}

/// Runs `machine` on all samples; `record` keeps every train.
///
/// # Errors
/// `SNN0835` if a simulation stops.
pub(crate) fn run(
    machine: &Machine,
    stimuli: &Stimuli,
    runtime: Runtime,
    record: bool,
) -> Result<Recording, Diagnostics> {
    let result = match runtime {
        Runtime::Cpu => on_cpu(machine, stimuli, record),
        #[cfg(feature = "burn")]
        Runtime::Burn => burn::run(machine, stimuli, record),
    };
    let samples = result.map_err(|e| simulation_failed(&e))?;
    Ok(Recording::new(machine.names(), samples))
}

fn on_cpu(machine: &Machine, stimuli: &Stimuli, record: bool) -> Result<Vec<Sample>, SimError> {
    let samples: Vec<usize> = (0..stimuli.samples()).collect();
    match machine {
        Machine::Float(network) => {
            let sim = FloatSim::new(network)?;
            batch::map(&samples, |&sample| {
                let run = sim.run(&stimuli.stimulus(sample)?, &FloatProbe::None)?;
                Ok(Sample::of_float(run, record))
            })
        }
        Machine::Integers(network) => {
            let sim = IntSim::new(network)?;
            batch::map(&samples, |&sample| {
                let run = sim.run(&stimuli.stimulus(sample)?, &IntProbe::None)?;
                Ok(Sample::of_integers(run.class(), run.spikes, run.messages, record))
            })
        }
        Machine::Program(program) => {
            let sim = CoreSim::new(program)?;
            batch::map(&samples, |&sample| {
                let run = sim.run(&stimuli.stimulus(sample)?, &CoreProbe::None)?;
                Ok(Sample::of_integers(run.class(), run.spikes, run.messages, record))
            })
        }
    }
}

/// What is kept of the run of one sample.
struct Sample {
    class: Option<usize>,
    counts: Vec<Sent>,
    trains: Vec<Train>,
}

impl Sample {
    fn new(class: Option<usize>, trains: Vec<Train>, record: bool) -> Self {
        let counts = trains.iter().map(Train::count).collect();
        Self { class, counts, trains: if record { trains } else { Vec::new() } }
    }

    /// Populations with messages are graded.
    fn of_integers(
        class: Option<usize>,
        spikes: Vec<SpikeTrain>,
        messages: Vec<Option<MessageTrain>>,
        record: bool,
    ) -> Self {
        let train = |(spikes, messages): (SpikeTrain, Option<MessageTrain>)| {
            messages.map_or(Train::Spikes(spikes), Train::Messages)
        };
        Self::new(class, spikes.into_iter().zip(messages).map(train).collect(), record)
    }

    /// Populations come in the order of node ids, as in [`Machine::names`].
    fn of_float(mut run: FloatRun, record: bool) -> Self {
        let class = run.class();
        let train = |(node, spikes)| {
            run.messages.remove(&node).map_or(Train::Spikes(spikes), Train::Bursts)
        };
        let trains = run.spikes.into_iter().map(train).collect();
        Self::new(class, trains, record)
    }
}

impl Recording {
    fn new(names: Vec<String>, samples: Vec<Sample>) -> Self {
        let mut counts = vec![Sent::Spikes(0); names.len()];
        for sample in &samples {
            counts.iter_mut().zip(&sample.counts).for_each(|(sum, n)| *sum = sum.add(*n));
        }
        let classes = samples.iter().map(|s| s.class).collect();
        Self { names, classes, counts, trains: samples.into_iter().map(|s| s.trains).collect() }
    }

    /// `spikes_NAME` `[samples, steps, neurons]` of every population in the time of the level,
    /// `messages_NAME` with the values where it sends graded ones, and `input_NAME`
    /// `[samples, logical steps, elements]` of every input (frames: `[samples, elements]`).
    ///
    /// # Errors
    /// `SNN0835` if a sample cannot be coded.
    pub(crate) fn arrays(&self, stimuli: &Stimuli) -> Result<Vec<(String, Array)>, Diagnostics> {
        let mut arrays = Vec::new();
        let signals = (0..stimuli.samples())
            .map(|sample| stimuli.stimulus(sample))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| simulation_failed(&e))?;
        for (i, name) in stimuli.input_names().enumerate() {
            let of_input = signals.iter().map(|s| &s.inputs[i]);
            arrays.push((format!("input_{name}"), input_array(of_input)));
        }
        for (i, name) in self.names.iter().enumerate() {
            let trains = || self.trains.iter().map(move |sample| &sample[i]);
            let spikes: Vec<SpikeTrain> = trains().map(Train::spikes).collect();
            arrays.push((format!("spikes_{name}"), spike_array(spikes.iter())));
            if let Some(messages) = message_array(trains()) {
                arrays.push((format!("messages_{name}"), messages));
            }
        }
        Ok(arrays)
    }
}

impl Train {
    /// Where something was sent.
    fn spikes(&self) -> SpikeTrain {
        match self {
            Self::Spikes(train) => train.clone(),
            Self::Messages(train) => train.spikes(),
            Self::Bursts(train) => train.spikes(),
        }
    }
}

/// The values that a population sent; `None` if it spikes.
fn message_array<'a>(trains: impl ExactSizeIterator<Item = &'a Train>) -> Option<Array> {
    let samples = trains.len();
    let (mut extent, mut integers, mut bursts) = ((0, 0), Vec::new(), Vec::new());
    for train in trains {
        match train {
            Train::Spikes(_) => return None,
            Train::Messages(train) => extent = put(train, &mut integers),
            Train::Bursts(train) => extent = put(train, &mut bursts),
        }
    }
    let data = if bursts.is_empty() { ArrayData::I32(integers) } else { ArrayData::F32(bursts) };
    Some(Array { shape: vec![samples, extent.0, extent.1], data })
}

/// Appends the values of a train, 0 where nothing was sent; returns its steps and neurons.
fn put<T: Copy + Default>(train: &MessageTrain<T>, values: &mut Vec<T>) -> (usize, usize) {
    for t in 0..train.steps() {
        let first = values.len();
        values.resize(first + train.neurons(), T::default());
        train.step(t).iter().for_each(|&(n, value)| values[first + n as usize] = value);
    }
    (train.steps(), train.neurons())
}

fn input_array<'a>(signals: impl ExactSizeIterator<Item = &'a Signal> + Clone) -> Array {
    let trains = signals.clone().filter_map(|s| match s {
        Signal::Spikes(train) => Some(train),
        Signal::Frame(_) => None,
    });
    let trains: Vec<&SpikeTrain> = trains.collect();
    if trains.len() == signals.len() {
        return spike_array(trains.into_iter());
    }
    let samples = signals.len();
    let values: Vec<f32> = signals
        .filter_map(|s| match s {
            Signal::Frame(values) => Some(values.as_slice()),
            Signal::Spikes(_) => None,
        })
        .flatten()
        .copied()
        .collect();
    let shape = vec![samples, values.len() / samples.max(1)];
    Array { shape, data: ArrayData::F32(values) }
}

fn spike_array<'a>(trains: impl ExactSizeIterator<Item = &'a SpikeTrain>) -> Array {
    let samples = trains.len();
    let mut values = Vec::new();
    let mut extent = (0, 0);
    for train in trains {
        extent = (train.steps(), train.neurons());
        for t in 0..train.steps() {
            let first = values.len();
            values.resize(first + train.neurons(), 0_u8);
            train.active(t).for_each(|n| values[first + n] = 1);
        }
    }
    Array { shape: vec![samples, extent.0, extent.1], data: ArrayData::U8(values) }
}
