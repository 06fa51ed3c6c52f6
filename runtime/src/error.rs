//! What can go wrong in a simulation.

use std::fmt;

/// A register of the integer contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Register {
    /// Current, u.
    Current,
    /// Membrane, v, before the reset.
    Membrane,
    /// What a graded relay is about to send.
    Message,
    /// The sum of what arrives in one step.
    Input,
}

impl Register {
    /// Width, sign included.
    const fn bits(self) -> u32 {
        match self {
            Self::Current | Self::Membrane => 24,
            Self::Message => 32,
            Self::Input => 64,
        }
    }
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "current u",
            Self::Membrane => "membrane v",
            Self::Message => "message m",
            Self::Input => "sum of arrivals a",
        })
    }
}

/// Why a simulation gave no result.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// The stimulus has another number of inputs than the network.
    #[error("the network has {expected} inputs, the stimulus {found}")]
    StimulusCount {
        /// Inputs of the network.
        expected: usize,
        /// Inputs of the stimulus.
        found: usize,
    },
    /// A spike train has another size than its input.
    #[error("input `{input}` takes {expected:?} (steps, neurons), but its train has {found:?}")]
    StimulusShape {
        /// Name of the input.
        input: String,
        /// Steps and neurons needed.
        expected: (usize, usize),
        /// Steps and neurons given.
        found: (usize, usize),
    },
    /// A frame has another size than its input.
    #[error("input `{input}` takes a frame of {expected} values, but {found} are given")]
    FrameSize {
        /// Name of the input.
        input: String,
        /// Values needed.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// A value of a frame is no number of its input's range.
    #[error("element {element} of the frame for input `{input}` is {value}; expected {expected}")]
    FrameValue {
        /// Name of the input.
        input: String,
        /// Position in the frame.
        element: usize,
        /// Its value.
        value: f32,
        /// What the input takes.
        expected: String,
    },
    /// What the host adds to a bias for this sample does not fit an integer.
    #[error(
        "the host's bias for neuron {neuron} of `{population}` is {value} units of weight, outside \
         32 bits"
    )]
    HostBias {
        /// Name of the population.
        population: String,
        /// Neuron.
        neuron: usize,
        /// The bias.
        value: f64,
    },
    /// A frame was given where spikes are needed, or the other way round.
    #[error("input `{input}` takes {expected}")]
    StimulusKind {
        /// Name of the input.
        input: String,
        /// What its coding asks for.
        expected: &'static str,
    },
    /// A sample cannot be coded.
    #[error("element {element} of the sample is {value}, larger than pmax = {pmax}")]
    SampleRange {
        /// Position in the sample.
        element: usize,
        /// Its value.
        value: u32,
        /// Largest value allowed by the coding.
        pmax: u32,
    },
    /// The parameters of a coding contradict each other or the run.
    #[error("{0}")]
    Coding(String),
    /// A register left its bits: the chip would wrap or saturate.
    #[error(
        "the {register} of neuron {neuron} of `{population}` is {value} in step {step}, outside \
         its {} bits",
        register.bits()
    )]
    Overflow {
        /// Name of the population.
        population: String,
        /// Neuron.
        neuron: usize,
        /// Step, in the time of the network that was simulated.
        step: usize,
        /// Which register.
        register: Register,
        /// Its value (the nearest i64).
        value: i64,
    },
    /// A logical population fired in a hardware step that belongs to none of its logical steps.
    #[error("neuron {neuron} of `{population}` fired in hardware step {step}, off the schedule")]
    OffSchedule {
        /// Name of the population.
        population: String,
        /// Neuron.
        neuron: usize,
        /// Hardware step.
        step: usize,
    },
    /// Projections without delay form a cycle (a verified network has none).
    #[error("a cycle of connections has no delay")]
    ZeroDelayCycle,
    /// A probe names a neuron that does not exist or has no membrane.
    #[error("there is no neuron {neuron} with a membrane in `{place}`")]
    UnknownProbe {
        /// Population or node.
        place: String,
        /// Neuron.
        neuron: usize,
    },
    /// The run needs more memory than any simulation is given.
    #[error("{what} needs {size} elements; the limit is {limit}")]
    TooLarge {
        /// What is too large.
        what: String,
        /// Elements needed (saturated).
        size: u64,
        /// Elements allowed.
        limit: u64,
    },
    /// A table of a core-level program, or a geometry, contradicts itself.
    #[error("malformed: {0}")]
    Malformed(String),
    /// Two spike trains that are to be compared have different sizes.
    #[error("`{name}` has {left:?} (steps, neurons) on one side and {right:?} on the other")]
    TrainShape {
        /// Name of the pair.
        name: String,
        /// Steps and neurons of the left train.
        left: (usize, usize),
        /// Steps and neurons of the right train.
        right: (usize, usize),
    },
    /// A population of one side has no counterpart of its name on the other.
    #[error("population `{name}` exists only on the {side} side")]
    Unmatched {
        /// Its name.
        name: String,
        /// `left` or `right`.
        side: &'static str,
    },
    /// Lists that belong together have different lengths.
    #[error("{left} predictions for {right} labels")]
    LabelCount {
        /// Predictions.
        left: usize,
        /// Labels.
        right: usize,
    },
    /// One sample of a batch failed.
    #[error("sample {index}: {source}")]
    Sample {
        /// Position in the batch.
        index: usize,
        /// What went wrong.
        source: Box<SimError>,
    },
    /// A simulator that knows only a part of the level meets something else.
    #[error("`{place}`: the batched simulator does not know {what}")]
    Unsupported {
        /// Node or population.
        place: String,
        /// What it has.
        what: &'static str,
    },
    /// A graphics processor gave no result.
    #[error("graphics processor: {0}")]
    Device(String),
    /// The tensor library failed.
    #[error("tensor back end: {0}")]
    Tensor(String),
}

/// Largest number of 64-bit words that a run's recordings of one kind may take (2 GiB).
const MAX_WORDS: u64 = 1 << 28;

/// Refuses recordings larger than [`MAX_WORDS`], before anything is allocated.
///
/// # Errors
/// [`SimError::TooLarge`].
pub(crate) fn check_words(what: &str, words: u64) -> Result<(), SimError> {
    if words > MAX_WORDS {
        return Err(SimError::TooLarge { what: what.to_owned(), size: words, limit: MAX_WORDS });
    }
    Ok(())
}

/// Refuses spike trains of populations of `sizes` over `steps` steps that need too much memory,
/// and converts the number of steps.
///
/// # Errors
/// [`SimError::TooLarge`].
pub(crate) fn check_trains(
    steps: u64,
    sizes: impl Iterator<Item = usize>,
) -> Result<usize, SimError> {
    let row = sizes.fold(0_u64, |sum, n| sum.saturating_add(n.div_ceil(64) as u64));
    // At least one word per step, so that the count of steps itself is bounded too.
    check_words("the spike trains of the run", row.max(1).saturating_mul(steps))?;
    usize::try_from(steps).map_err(|_| SimError::TooLarge {
        what: "the run".to_owned(),
        size: steps,
        limit: MAX_WORDS,
    })
}
