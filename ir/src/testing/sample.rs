//! Networks by number: the same seed, the same network, without proptest.

use super::Space;
use super::draw::Draw;
use super::quantized::{families, layers};
use super::{network, quantized, twist};
use crate::network::NetworkDraft;
use crate::quantized::QuantizedDraft;

/// A kind of integer networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// As [`quantized`](super::quantized()): what every target of the space takes.
    Plain,
    /// Of those, with a few changes towards what breaks compilers: delays about what registers hold,
    /// weights and parameters at the ends of their ranges, doubled, silent and missing projections. Some
    /// leave the registers, which targets and certificates refuse.
    Twisted,
    /// One to three convolutions of any geometry, with kernels back.
    Convolutions,
    /// No neuron or one; no synapse, no input, or some.
    Tiny,
    /// Ten to thirty populations of one to three neurons.
    Crowd,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Plain, Self::Twisted, Self::Convolutions, Self::Tiny, Self::Crowd];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Twisted => "twisted",
            Self::Convolutions => "convolutions",
            Self::Tiny => "tiny",
            Self::Crowd => "crowd",
        }
    }
}

/// The network of `seed` in f32; with `twisted`, with a few changes towards what breaks compilers.
pub fn sampled_network(space: Space, twisted: bool, seed: u64) -> NetworkDraft {
    let mut draw = Draw::of(seed);
    let mut draft = network::build(&mut draw, space);
    if twisted {
        twist::network(&mut draw, &mut draft);
    }
    draft
}

/// The integer network of `seed`, in logical time.
pub fn sampled_integers(space: Space, family: Family, seed: u64) -> QuantizedDraft {
    let mut draw = Draw::of(seed);
    match family {
        Family::Plain => quantized::build(&mut draw, space),
        Family::Twisted => {
            let mut draft = quantized::build(&mut draw, space);
            twist::integers(&mut draw, &mut draft);
            draft
        }
        Family::Convolutions => families::convolutions(&mut draw, space),
        Family::Tiny => families::tiny(&mut draw, space),
        Family::Crowd => families::crowd(&mut draw, space),
    }
}

/// The integer network of `seed`, in logical time, of what files of layers (NetX) hold: chains of convolutions and whole
/// matrices, networks with loops, and populations that read inputs alone.
pub fn sampled_layers(seed: u64) -> QuantizedDraft {
    layers::network(&mut Draw::of(seed))
}
