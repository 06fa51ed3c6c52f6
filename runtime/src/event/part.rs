//! Parts of a population: stretches of neurons that threads compute side by side.
//!
//! A part consists of whole blocks, has its own sums and registers, and reads of every source the synapses
//! that end in it. Sums are integers, and a spike depends on one neuron alone: results do not depend
//! on how a population is cut.

use super::simd::BLOCK;

/// How many threads one run may use, and from when on it does. Results do not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// Parts into which a large population is cut.
    pub parts: usize,
    /// Work of a population in one step, counted in synapses of sparse matrices, from which on its parts are
    /// shared among threads. Below it they are computed one after the other.
    pub least: usize,
}

impl Split {
    /// One thread.
    pub const NONE: Self = Self::into(1);

    /// Parts, shared among threads where that pays: handing work over takes a few microseconds.
    pub const fn into(parts: usize) -> Self {
        Self { parts, least: 8192 }
    }

    /// What keeps all threads of the current pool busy with `samples` samples, which run side by side: parts
    /// only where there are fewer samples than threads.
    pub fn over(samples: usize) -> Self {
        let threads = rayon::current_num_threads();
        Self::into(if samples >= threads { 1 } else { threads.div_ceil(samples.max(1)) })
    }
}

/// One of `of` parts of a population.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    index: usize,
    of: usize,
    /// Its first neuron, a multiple of [`BLOCK`].
    first: usize,
    /// Its neurons.
    len: usize,
}

impl Part {
    /// A population of `size` in one part.
    pub(super) const fn whole(size: usize) -> Self {
        Self { index: 0, of: 1, first: 0, len: size }
    }

    /// The parts of a population of `size`: `of`, or one per block where there are fewer blocks.
    pub(super) fn all(size: usize, of: usize) -> impl Iterator<Item = Self> {
        let blocks = size.div_ceil(BLOCK);
        let of = of.clamp(1, blocks.max(1));
        let first = move |index: usize| (blocks * index / of * BLOCK).min(size);
        (0..of).map(move |index| Self {
            index,
            of,
            first: first(index),
            len: first(index + 1) - first(index),
        })
    }

    /// Position among the parts.
    pub(super) const fn index(self) -> usize {
        self.index
    }

    /// Number of parts.
    pub(super) const fn of(self) -> usize {
        self.of
    }

    /// First neuron.
    pub(super) const fn first(self) -> usize {
        self.first
    }

    /// Number of neurons.
    pub(super) const fn len(self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use super::Part;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_are_blocks_and_cover_all_neurons(size in 1_usize..1000, of in 1_usize..40) {
            let mut next = 0;
            for (index, part) in Part::all(size, of).enumerate() {
                prop_assert_eq!((part.first(), part.index()), (next, index));
                prop_assert!(part.len() > 0 && next % 64 == 0 && part.of() <= of);
                next += part.len();
            }
            prop_assert_eq!(next, size);
        }
    }
}
