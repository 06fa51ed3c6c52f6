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
mod shapes;
mod target;
#[cfg(test)]
mod tests;

use crate::level::AnyDraft;
use crate::mapped::MappedDraft;
use crate::network::NetworkDraft;
use crate::quantized::{PopKind, QuantizedDraft};
use crate::spikes::SpikeTrain;
use draw::Draw;
use proptest::collection::vec;
use proptest::prelude::*;
pub use target::target;

/// What a generated network may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// Whatever the verifier accepts.
    All,
    /// What has an integer form on a programmable neuron: inputs of spikes; membranes that start at
    /// their reset value.
    Programmable,
    /// As before, without reset by subtraction.
    Fixed,
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

/// Integer networks in logical time. [`Space::All`] adds what only a programmable neuron runs.
pub fn quantized(space: Space) -> impl Strategy<Value = QuantizedDraft> {
    built(move |draw| quantized::build(draw, space))
}

/// Integer networks in hardware time, with relays and clocks; every population fires above its
/// threshold only.
pub fn hardware(space: Space) -> impl Strategy<Value = QuantizedDraft> {
    built(move |draw| hardware::build(draw, space))
}

/// Networks on one to four cores, mapped for [`target`].
pub fn mapped(space: Space) -> impl Strategy<Value = MappedDraft> {
    built(move |draw| mapped::build(draw, space))
}

/// Drafts of any level.
pub fn any_draft() -> impl Strategy<Value = AnyDraft> {
    prop_oneof![
        network(Space::All).prop_map(AnyDraft::Network),
        quantized(Space::All).prop_map(AnyDraft::Quantized),
        hardware(Space::All).prop_map(AnyDraft::Quantized),
        mapped(Space::All).prop_map(AnyDraft::Mapped),
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

/// One spike train of [`QuantizedDraft::steps`] steps per input population, in order of ids.
pub fn stimulus(draft: &QuantizedDraft) -> impl Strategy<Value = Vec<SpikeTrain>> + use<> {
    let steps = draft.steps as usize;
    let inputs = draft.populations.values().filter(|p| matches!(p.kind, PopKind::Input(_)));
    inputs.map(|p| spike_train(steps, p.size())).collect::<Vec<_>>()
}
