//! proptest strategies for small valid drafts of every level, for the tests of all crates.
//!
//! Each strategy draws numbers and builds a valid draft from them, so nothing is rejected and
//! everything shrinks. The drafts hold what breaks compilers: skip connections, delayed
//! recurrent edges, self-loops, several edges between the same nodes, zero weights, shared tensors,
//! grouped convolutions with uneven padding, parameters per channel and per neuron.
//!
//! Integer networks stay in the range in which all known implementations of the integer contract
//! agree: sums of inputs within ±32767, currents and membranes within 24 bits for every input.

mod draw;
mod hardware;
mod mapped;
mod network;
mod quantized;
mod recount;
mod sample;
mod shapes;
mod target;
#[cfg(test)]
mod tests;
mod twist;

use crate::level::AnyDraft;
use crate::mapped::MappedDraft;
use crate::network::{Coding, NetworkDraft, Provenance, Scheme};
use crate::quantized::{PopKind, QuantizedDraft};
use crate::spikes::SpikeTrain;
use draw::Draw;
use proptest::collection::vec;
use proptest::prelude::*;
pub use recount::recount;
pub use sample::{Family, sampled_integers, sampled_layers, sampled_network};
pub use target::target;

/// What a generated network may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// Whatever the verifier accepts.
    Everything,
    /// Of that, what has an integer form on a target with graded messages: as
    /// [`Space::Programmable`], with clips, crops, zeros, learnt leaks, cropped convolutions and
    /// directly coded inputs of a stated range; on the integer levels graded relays and biases from
    /// the host. A direct input may still have no schedule, and a readout may read what the host
    /// does not count.
    Graded,
    /// Whatever the verifier accepts of networks whose populations send binary spikes and whose
    /// convolutions have no crop; without clips, zeros, and models that a target simulates only.
    All,
    /// What has an integer form on a programmable neuron: inputs of spikes; membranes that start at
    /// their reset value.
    Programmable,
    /// As before, without reset by subtraction.
    Fixed,
    /// As [`Space::Programmable`], with plain relays: on the float level chains of matrices with plain
    /// relays between them, on the integer levels graded relays of any sign that shift.
    Stages,
}

impl Space {
    /// Whether there may be messages that are no spikes, and what comes with them.
    const fn graded(self) -> bool {
        matches!(self, Self::Everything | Self::Graded)
    }

    /// Whether there may be plain relays, which shift in integers.
    const fn stages(self) -> bool {
        matches!(self, Self::Everything | Self::Stages)
    }

    /// Whether there may be what only the float level has.
    const fn analog(self) -> bool {
        matches!(self, Self::Everything | Self::All)
    }

    /// Whether there may be what only a programmable neuron runs.
    const fn programmable(self) -> bool {
        !matches!(self, Self::Fixed)
    }
}

/// Drafts built from numbers.
fn built<T: std::fmt::Debug>(build: impl Fn(&mut Draw) -> T) -> impl Strategy<Value = T> {
    (vec(any::<u32>(), 0..100), any::<u32>())
        .prop_map(move |(numbers, seed)| build(&mut Draw::new(numbers, seed)))
}

/// Networks in f32.
pub fn network(space: Space) -> impl Strategy<Value = NetworkDraft> {
    built(move |draw| network::build(draw, space))
}

/// Integer networks in logical time: with [`Space::Everything`] and [`Space::Graded`] graded relays and
/// biases from the host, with [`Space::Everything`] and [`Space::Stages`] graded relays that shift, with
/// [`Space::Fixed`] nothing that only a programmable neuron runs.
pub fn quantized(space: Space) -> impl Strategy<Value = QuantizedDraft> {
    built(move |draw| quantized::build(draw, space))
}

/// Integer networks in hardware time, with relays and clocks; every population fires above its
/// threshold only.
pub fn hardware(space: Space) -> impl Strategy<Value = QuantizedDraft> {
    built(move |draw| hardware::build(draw, space))
}

/// Networks on one to four cores, mapped for [`target`]; all populations row-major.
pub fn mapped(space: Space) -> impl Strategy<Value = MappedDraft> {
    built(move |draw| mapped::build(draw, space, false))
}

/// As [`mapped`], but populations lie on the cores in blocks of some channels.
pub fn blocked(space: Space) -> impl Strategy<Value = MappedDraft> {
    built(move |draw| mapped::build(draw, space, true))
}

/// A network in hardware time, its populations cut anywhere and spread over one to four cores of [`target`]: for
/// what must hold wherever neurons lie. The same `seed` scatters alike.
pub fn scattered(network: QuantizedDraft, blocks: bool, seed: u32) -> MappedDraft {
    mapped::scatter(&mut Draw::new(Vec::new(), seed), network, blocks)
}

/// Drafts of any level.
pub fn any_draft() -> impl Strategy<Value = AnyDraft> {
    prop_oneof![
        network(Space::Everything).prop_map(AnyDraft::Network),
        quantized(Space::Everything).prop_map(AnyDraft::Quantized),
        hardware(Space::Everything).prop_map(AnyDraft::Quantized),
        mapped(Space::Everything).prop_map(AnyDraft::Mapped),
    ]
}

/// Spikes of `neurons` neurons over `steps` steps.
pub fn spike_train(steps: usize, neurons: usize) -> impl Strategy<Value = SpikeTrain> {
    vec(any::<bool>(), steps * neurons).prop_map(move |spikes| {
        let mut train = SpikeTrain::new(steps, neurons);
        for (index, _) in spikes.iter().enumerate().filter(|(_, s)| **s) {
            train.set(index / neurons, index % neurons);
        }
        train
    })
}

/// A sample of a directly coded input: `elements` values within `range` (bounds up to 2^24), whole and
/// broken ones.
pub fn frame(range: [i32; 2], elements: usize) -> impl Strategy<Value = Vec<f32>> {
    #[expect(clippy::cast_precision_loss, reason = "the bounds are exact")]
    let [low, high] = range.map(|bound| bound as f32);
    let inside = move |part: u16| low + (high - low) * (f32::from(part) / f32::from(u16::MAX));
    let value = prop_oneof![Just(low), Just(high), any::<u16>().prop_map(inside)];
    vec(value.prop_map(move |v| v.clamp(low, high)), elements)
}

/// What an input population gets in one run.
#[derive(Clone, Debug, PartialEq)]
pub enum Feed {
    /// Spikes of [`QuantizedDraft::steps`] steps.
    Spikes(SpikeTrain),
    /// One sample of a directly coded input.
    Frame(Vec<f32>),
}

/// What each input population gets, in order of ids.
pub fn feed(draft: &QuantizedDraft) -> impl Strategy<Value = Vec<Feed>> + use<> {
    let steps = draft.steps as usize;
    let feeds = draft.populations.values().filter_map(|p| match p.kind {
        PopKind::Input(Coding::Direct { range: Some(range) }) => {
            Some(frame(range, p.size()).prop_map(Feed::Frame).boxed())
        }
        PopKind::Input(_) => Some(spike_train(steps, p.size()).prop_map(Feed::Spikes).boxed()),
        PopKind::Neurons(_) | PopKind::Graded(_) => None,
    });
    feeds.collect::<Vec<_>>()
}

/// One spike train of [`QuantizedDraft::steps`] steps per input population, in order of ids; for
/// networks without directly coded inputs, which [`feed`] serves too.
pub fn stimulus(draft: &QuantizedDraft) -> impl Strategy<Value = Vec<SpikeTrain>> + use<> {
    let steps = draft.steps as usize;
    let inputs = draft.populations.values().filter(|p| matches!(p.kind, PopKind::Input(_)));
    inputs.map(|p| spike_train(steps, p.size())).collect::<Vec<_>>()
}

/// Where encoded weights come from, with this scale.
#[must_use]
pub fn encoded(scale: f64) -> Provenance {
    Provenance::Encoded {
        scheme: Scheme::Linear,
        out: "e_out".to_owned(),
        core: "o".to_owned(),
        source: "e_in".to_owned(),
        scale,
        heaviside: false,
    }
}
