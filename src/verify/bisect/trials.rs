//! What the networks are run on: samples that are given, and stimuli made from the inputs alone.

use crate::stimulus::{InputSpec, Interface, Stimuli};
use snnc_ir::network::Coding;
use snnc_ir::spikes::SpikeTrain;
use snnc_runtime::{Signal, SimError, Stimulus};

/// Stimuli made of a small network.
const MOST: usize = 28;
/// Stimuli made of a large one: every kind once.
const FEWEST: usize = 8;
/// Neurons times steps up to which a network counts as small.
const SMALL: u64 = 1 << 16;

/// Stimuli for all levels of one network.
pub(super) struct Trials {
    /// Names of the inputs, in the order of the signals.
    inputs: Vec<String>,
    /// Each with what it is.
    pub(super) all: Vec<(String, Stimulus)>,
    /// How many of them were given; they come first.
    pub(super) given: usize,
}

impl Trials {
    /// The samples of `given`, then stimuli made for `interface`; `work` is the neurons times the steps of the
    /// network, which decides how many.
    ///
    /// # Errors
    /// What the coder of a given sample rejects.
    pub(super) fn new(
        interface: &Interface,
        work: u64,
        given: Option<&Stimuli>,
    ) -> Result<Self, SimError> {
        let mut all = Vec::new();
        if let Some(stimuli) = given {
            for sample in 0..stimuli.samples() {
                let name = format!("sample {}", stimuli.first() + sample);
                all.push((name, stimuli.stimulus(sample)?));
            }
        }
        let given = all.len();
        let made = if work <= SMALL { MOST } else { FEWEST };
        all.extend((0..made).map(|number| made_stimulus(interface, number)));
        let inputs = interface.inputs.iter().map(|i| i.name.clone()).collect();
        Ok(Self { inputs, all, given })
    }

    /// `stimulus` for a network whose inputs have these names, in this order.
    ///
    /// # Errors
    /// [`SimError::Unmatched`] for an input that the source does not have.
    pub(super) fn ordered<'a>(
        &self,
        stimulus: &Stimulus,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<Stimulus, SimError> {
        let signal = |name: &str| {
            let at = self.inputs.iter().position(|own| own == name);
            let unmatched = || SimError::Unmatched { name: name.to_owned(), side: "left" };
            at.map(|at| stimulus.inputs[at].clone()).ok_or_else(unmatched)
        };
        Ok(Stimulus { inputs: names.map(signal).collect::<Result<_, _>>()? })
    }
}

/// Numbers without a state: the same for the same place, everywhere.
fn hash(seed: u64, place: u64) -> u64 {
    let mut x =
        seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ place.wrapping_mul(0xd6e8_feb8_6659_fd93);
    for _ in 0..3 {
        x ^= x >> 32;
        x = x.wrapping_mul(0xd6e8_feb8_6659_fd93);
    }
    x ^ (x >> 32)
}

/// Stimulus `number` and what it is. The first ones are extremes: everything, nothing, one volley, a wave,
/// few spikes, many, one neuron alone; all further ones are random, each neuron with a rate of its own.
fn made_stimulus(interface: &Interface, number: usize) -> (String, Stimulus) {
    let name = match number {
        0 => "all inputs in every step",
        1 => "random inputs, half of them",
        2 => "no input",
        3 => "all inputs in the first step",
        4 => "a wave over the inputs",
        5 => "random inputs, few",
        6 => "random inputs, most",
        7 => "one input neuron alone",
        _ => "random inputs, each at its own rate",
    };
    let signal = |(port, input): (usize, &InputSpec)| signal(interface, input, port, number);
    let inputs = interface.inputs.iter().enumerate().map(signal).collect();
    (format!("made {number}: {name}"), Stimulus { inputs })
}

fn signal(interface: &Interface, input: &InputSpec, port: usize, number: usize) -> Signal {
    let size = input.shape.size();
    let seed = ((number as u64) << 16) | port as u64;
    if let Coding::Direct { range } = &input.coding {
        return Signal::Frame((0..size).map(|n| value(*range, seed, number, n)).collect());
    }
    let steps = interface.steps as usize;
    let mut train = SpikeTrain::new(steps, size);
    for t in 0..steps {
        for n in (0..size).filter(|&n| fires(seed, number, [t, n], size)) {
            train.set(t, n);
        }
    }
    Signal::Spikes(train)
}

/// Whether neuron n of an input fires in step t.
fn fires(seed: u64, number: usize, [t, n]: [usize; 2], size: usize) -> bool {
    let chance = |of_256: u64| hash(seed, ((t as u64) << 32) | n as u64) & 255 < of_256;
    match number {
        0 => true,
        1 => chance(128),
        2 => false,
        3 => t == 0,
        4 => (t + n).is_multiple_of(3),
        5 => chance(26),
        6 => chance(224),
        7 => n as u64 == hash(seed, 1) % (size as u64).max(1),
        _ => chance(hash(seed, (1 << 63) | n as u64) & 255),
    }
}

/// Element n of a frame: within the range, or of the size of normalized pixels.
fn value(range: Option<[i32; 2]>, seed: u64, number: usize, n: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "bounds of a range are small")]
    let [low, high] = range.map_or([-2.0, 2.0], |bounds| bounds.map(|b| b as f32));
    let part = |of: u64| {
        #[expect(clippy::cast_precision_loss, reason = "16 bits")]
        let part = (of & 0xffff) as f32 / 65_535.0;
        (low + (high - low) * part).clamp(low, high)
    };
    let random = hash(seed, n as u64);
    match number {
        0 => high,
        2 => 0.0_f32.clamp(low, high),
        3 => low,
        4 => [low, 0.0_f32.clamp(low, high), high][n % 3],
        // Whole numbers, as pixels are.
        5 => part(random).round().clamp(low, high),
        6 => [low, high][(random & 1) as usize],
        _ => part(random),
    }
}
