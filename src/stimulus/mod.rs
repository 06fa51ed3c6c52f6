//! Stimuli: `.npz` files and NIR recordings to what simulators take, everything checked first.
//!
//! | array | shape | for |
//! | --- | --- | --- |
//! | `x_NAME` | `[samples, elements]` or `[samples, …extents]` | raw samples of input NAME |
//! | `spikes_NAME` | `[samples, steps, elements]` or `[samples, steps, …extents]` | its spikes |
//! | `y` | `[samples]` | labels, optional |
//!
//! Where the network has one input, plain `x` and `spikes` name it too. A NIR recording has the spikes of
//! the node that is named like the input. See `docs/stimuli.md`.

mod read;
mod recording;

pub use read::read;
pub(crate) use recording::is_recording;
use snnc_ir::network::{Coding, Discretization, NetworkDraft, Op, Readout};
use snnc_ir::program::{Program, ProgramReadout, SymbolRole};
use snnc_ir::quantized::{IntReadout, PopKind, QuantizedDraft};
use snnc_ir::shape::Shape;
use snnc_ir::spikes::SpikeTrain;
use snnc_runtime::{Signal, SimError, Stimulus, encode};

/// An input of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputSpec {
    /// Its name.
    pub name: String,
    /// Its extents.
    pub shape: Shape,
    /// How samples become its values.
    pub coding: Coding,
}

/// What a stimulus has to fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Interface {
    /// Inputs, in ascending order of ids.
    pub inputs: Vec<InputSpec>,
    /// Logical steps of one run.
    pub steps: u32,
    /// Classes of the readout.
    pub classes: usize,
    /// Length of a step in the unit of time of recordings, if the network's is known.
    pub dt: Option<f64>,
}

impl Interface {
    /// The interface of a float network.
    pub fn of_network(network: &NetworkDraft) -> Self {
        let spec = |node: &snnc_ir::network::Node| match &node.op {
            Op::Input(coding) => Some(InputSpec {
                name: node.name.clone(),
                shape: node.shape.clone(),
                coding: coding.clone(),
            }),
            _ => None,
        };
        let (Readout::SpikeCount(read) | Readout::MeanLinear(read)) = network.readout;
        Self {
            inputs: network.nodes.values().filter_map(spec).collect(),
            steps: network.steps,
            classes: network.nodes[read].shape.size(),
            dt: network.discretization.as_ref().map(Discretization::step),
        }
    }

    /// The same, with steps as long as those of the network that it was made from.
    #[must_use]
    pub fn in_steps_of(self, dt: Option<f64>) -> Self {
        Self { dt: self.dt.or(dt), ..self }
    }

    /// The interface of an integer network.
    pub fn of_quantized(network: &QuantizedDraft) -> Self {
        let spec = |p: &snnc_ir::quantized::Population| match &p.kind {
            PopKind::Input(coding) => Some(InputSpec {
                name: p.name.clone(),
                shape: p.shape.clone(),
                coding: coding.clone(),
            }),
            PopKind::Neurons(_) | PopKind::Graded(_) => None,
        };
        Self {
            inputs: network.populations.values().filter_map(spec).collect(),
            steps: network.steps,
            classes: match &network.readout {
                IntReadout::SpikeCount(p) => network.populations[*p].size(),
                IntReadout::MeanLinear { bias, .. } => bias.len(),
            },
            dt: None,
        }
    }

    /// The interface of a decoded program.
    pub fn of_program(program: &Program) -> Self {
        let spec = |s: &snnc_ir::program::Symbol| match &s.role {
            SymbolRole::Input(coding) => Some(InputSpec {
                name: s.name.clone(),
                shape: s.shape.clone(),
                coding: coding.clone(),
            }),
            _ => None,
        };
        let size = |p: u32| program.populations.get(p as usize).map_or(0, |s| s.shape.size());
        Self {
            inputs: program.populations.iter().filter_map(spec).collect(),
            steps: program.steps,
            classes: match &program.readout {
                ProgramReadout::SpikeCount(p) => size(*p),
                ProgramReadout::MeanLinear { bias, .. } => bias.len(),
            },
            dt: None,
        }
    }
}

/// Values of one input for all samples, sample by sample.
#[derive(Clone, Debug, PartialEq)]
enum Feed {
    /// Raw samples of accumulator coding.
    Raw { values: Vec<u32>, pmax: u32, steps_in: u32 },
    /// Frames of direct coding.
    Frames(Vec<f32>),
    /// Spikes, `[samples, steps, elements]`, 0 or 1.
    Spikes(Vec<u8>),
}

/// A checked stimulus.
#[derive(Clone, Debug, PartialEq)]
pub struct Stimuli {
    hash: String,
    inputs: Vec<(InputSpec, Feed)>,
    labels: Option<Vec<usize>>,
    steps: u32,
    first: usize,
    samples: usize,
    dt: Option<f64>,
}

impl Stimuli {
    /// blake3 of the file, hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Position in its file of the first sample.
    pub const fn first(&self) -> usize {
        self.first
    }

    /// Length of a step in the unit of time of recordings; 1 where it is not known.
    pub fn dt(&self) -> f64 {
        self.dt.unwrap_or(1.0)
    }

    /// Number of samples.
    pub const fn samples(&self) -> usize {
        self.samples
    }

    /// Names of the inputs, in the order of the interface.
    pub fn input_names(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|(spec, _)| spec.name.as_str())
    }

    /// One label per sample, if the file has labels.
    pub fn labels(&self) -> Option<&[usize]> {
        self.labels.as_deref()
    }

    /// What every input receives in `sample`, in the order of the interface.
    ///
    /// # Errors
    /// What the coder rejects.
    ///
    /// # Panics
    /// If there is no such sample.
    pub fn stimulus(&self, sample: usize) -> Result<Stimulus, SimError> {
        let signals = self.inputs.iter().map(|(spec, feed)| self.signal(spec, feed, sample));
        Ok(Stimulus { inputs: signals.collect::<Result<_, _>>()? })
    }

    fn signal(&self, spec: &InputSpec, feed: &Feed, sample: usize) -> Result<Signal, SimError> {
        let size = spec.shape.size();
        Ok(match feed {
            Feed::Raw { values, pmax, steps_in } => {
                let sample = &values[sample * size..(sample + 1) * size];
                Signal::Spikes(encode::accumulator(sample, *pmax, *steps_in, self.steps)?)
            }
            Feed::Frames(values) => {
                Signal::Frame(values[sample * size..(sample + 1) * size].to_vec())
            }
            Feed::Spikes(values) => {
                let steps = self.steps as usize;
                let mut train = SpikeTrain::new(steps, size);
                let first = sample * steps * size;
                for (i, _) in
                    values[first..first + steps * size].iter().enumerate().filter(|(_, v)| **v == 1)
                {
                    train.set(i / size, i % size);
                }
                Signal::Spikes(train)
            }
        })
    }
}
