//! Random weights of an architecture genome, for studies of mapping and cost.
//!
//! The values of a tensor depend on the seed, its name and its shape alone, and are the same on every
//! machine. They are chosen so that networks neither fall silent nor fire all the time: weights are
//! uniform with the bound of He et al. (2015), `sqrt(6 / fan_in)`, which keeps the variance from layer
//! to layer; normalizations scatter around the identity, shifted a little upward.

use super::nodes::{Needed, Role};
use crate::arrays::{Array, ArrayData};
use std::ops::Range;

/// Weights that stand in for those of an architecture genome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomWeights {
    /// Another seed gives other weights.
    pub seed: u64,
}

impl RandomWeights {
    /// Random values for `needed`, whose size is bounded.
    pub(crate) fn tensor(self, needed: &Needed) -> Array {
        let range = range(needed.role);
        let width = range.end - range.start;
        let mut stream = self.stream(needed);
        #[expect(clippy::cast_possible_truncation, reason = "sizes are bounded")]
        let count = needed.size() as usize;
        #[expect(clippy::cast_possible_truncation, reason = "one rounding to f32")]
        let data = (0..count).map(|_| (range.start + width * stream.unit()) as f32).collect();
        let shape = needed.shape.iter().map(|&d| d as usize).collect();
        Array { shape, data: ArrayData::F32(data) }
    }

    /// The numbers of one tensor.
    fn stream(self, needed: &Needed) -> Stream {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes());
        for &extent in &needed.shape {
            hasher.update(&extent.to_le_bytes());
        }
        hasher.update(needed.name.as_bytes());
        let hash = hasher.finalize();
        let bytes = hash.as_bytes().iter().take(8);
        Stream { state: bytes.fold(0, |n, &b| (n << 8) | u64::from(b)) }
    }
}

/// Where the values of a tensor lie.
fn range(role: Role) -> Range<f64> {
    match role {
        Role::Weight { fan_in } => {
            let bound = (6.0 / f64::from(fan_in)).sqrt();
            -bound..bound
        }
        Role::Bias { fan_in } => {
            let bound = f64::from(fan_in).sqrt().recip();
            -bound..bound
        }
        Role::Gamma | Role::Variance => 0.5..1.5,
        Role::Beta => -0.2..0.4,
        Role::Mean => -0.1..0.1,
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Stream {
    state: u64,
}

impl Stream {
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// At least 0, below 1, with 32 random bits.
    fn unit(&mut self) -> f64 {
        let bits = (self.next() >> 32) as u32;
        f64::from(bits) / 4_294_967_296.0
    }
}
