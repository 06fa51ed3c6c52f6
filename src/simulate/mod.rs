//! Runs of one level on a stimulus, and their spikes as arrays.

#[cfg(feature = "burn")]
mod burn;

use crate::stimulus::{Interface, Stimuli};
use crate::verify::simulation_failed;
use snnc_frontend::arrays::{Array, ArrayData};
use snnc_ir::diag::codes::usage;
use snnc_ir::network::{Coding, Op};
use snnc_ir::program::Program;
use snnc_ir::quantized::{Population, Time};
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::{Diagnostic, Diagnostics, Network, QuantizedNetwork};
use snnc_runtime::cores::{CoreProbe, CoreSim};
use snnc_runtime::float::{FloatProbe, FloatRun, FloatSim, Signal, Stimulus};
use snnc_runtime::integer::{IntProbe, IntSim};
use snnc_runtime::{SimError, batch};

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
    /// Populations that spike.
    pub(crate) names: Vec<String>,
    /// Class of each sample.
    pub(crate) classes: Vec<Option<usize>>,
    /// Spikes of each population over all samples.
    pub(crate) counts: Vec<u64>,
    /// Trains of each sample and population, if they were to be kept.
    trains: Vec<Vec<SpikeTrain>>,
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
                let spikes = |op: &Op| op.is_population() && *op != Op::Input(Coding::Direct);
                let nodes = n.nodes.values().filter(|n| spikes(&n.op));
                nodes.map(|n| n.name.clone()).collect()
            }
            Self::Integers(n) => n.populations.values().map(|p| p.name.clone()).collect(),
            Self::Program(p) => p.populations.iter().map(|s| s.name.clone()).collect(),
        }
    }

    /// Steps of a run and neurons of all populations.
    fn extent(&self) -> (u64, u64) {
        let sum = |sizes: &mut dyn Iterator<Item = usize>| {
            sizes.fold(0_u64, |n, size| n.saturating_add(size as u64))
        };
        match self {
            Self::Float(n) => {
                let populations = n.nodes.values().filter(|n| n.op.is_population());
                (u64::from(n.steps), sum(&mut populations.map(|n| n.shape.size())))
            }
            Self::Integers(n) => {
                (n.run_steps(), sum(&mut n.populations.values().map(Population::size)))
            }
            Self::Program(p) => {
                (p.run_steps, sum(&mut p.populations.iter().map(|s| s.shape.size())))
            }
        }
    }
}

/// Checks, before anything runs, that the spikes of `samples` samples can be written.
///
/// # Errors
/// `SNN0820`.
pub(crate) fn check_size(machine: &Machine, samples: usize) -> Result<(), Diagnostic> {
    let (steps, neurons) = machine.extent();
    let bytes = (samples as u64).saturating_mul(steps).saturating_mul(neurons);
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
                let stimulus = Stimulus { inputs: stimuli.signals(sample)? };
                Ok(Sample::of_float(sim.run(&stimulus, &FloatProbe::None)?, record))
            })
        }
        Machine::Integers(network) => {
            let sim = IntSim::new(network)?;
            batch::map(&samples, |&sample| {
                let run = sim.run(&stimuli.trains(sample)?, &IntProbe::None)?;
                Ok(Sample::new(run.class(), run.spikes, record))
            })
        }
        Machine::Program(program) => {
            let sim = CoreSim::new(program)?;
            batch::map(&samples, |&sample| {
                let run = sim.run(&stimuli.trains(sample)?, &CoreProbe::None)?;
                Ok(Sample::new(run.class(), run.spikes, record))
            })
        }
    }
}

/// What is kept of the run of one sample.
struct Sample {
    class: Option<usize>,
    counts: Vec<u64>,
    trains: Vec<SpikeTrain>,
}

impl Sample {
    fn new(class: Option<usize>, trains: Vec<SpikeTrain>, record: bool) -> Self {
        let counts = trains.iter().map(SpikeTrain::count).collect();
        Self { class, counts, trains: if record { trains } else { Vec::new() } }
    }

    /// Populations come in the order of node ids, as in [`Machine::names`].
    fn of_float(run: FloatRun, record: bool) -> Self {
        let class = run.class();
        Self::new(class, run.spikes.into_values().collect(), record)
    }
}

impl Recording {
    fn new(names: Vec<String>, samples: Vec<Sample>) -> Self {
        let mut counts = vec![0; names.len()];
        for sample in &samples {
            counts.iter_mut().zip(&sample.counts).for_each(|(sum, n)| *sum += n);
        }
        let classes = samples.iter().map(|s| s.class).collect();
        Self { names, classes, counts, trains: samples.into_iter().map(|s| s.trains).collect() }
    }

    /// `spikes_NAME` `[samples, steps, neurons]` of every population in the time of the level, and
    /// `input_NAME` `[samples, logical steps, elements]` of every input (frames:
    /// `[samples, elements]`).
    ///
    /// # Errors
    /// `SNN0835` if a sample cannot be coded.
    pub(crate) fn arrays(&self, stimuli: &Stimuli) -> Result<Vec<(String, Array)>, Diagnostics> {
        let mut arrays = Vec::new();
        let signals = (0..stimuli.samples())
            .map(|sample| stimuli.signals(sample))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| simulation_failed(&e))?;
        for (i, name) in stimuli.input_names().enumerate() {
            let of_input = signals.iter().map(|s| &s[i]);
            arrays.push((format!("input_{name}"), input_array(of_input)));
        }
        for (i, name) in self.names.iter().enumerate() {
            let trains = self.trains.iter().map(|sample| &sample[i]);
            arrays.push((format!("spikes_{name}"), spike_array(trains)));
        }
        Ok(arrays)
    }
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
