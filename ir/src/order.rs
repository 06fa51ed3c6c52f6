//! The order in which the neurons of a population lie on cores.
//!
//! Neurons are numbered row-major, channel after channel. A core that holds a few rows of all channels
//! sees a small part of what a convolution reads; a core that holds a few channels whole stores a small part
//! of its kernel. Both are contiguous runs if neurons are laid out by blocks of channels: block after
//! block, inside a block row after row and column after column, and at each place its channels.

use crate::shape::Shape;

/// An order of the neurons of a population, by *positions*.
///
/// Position `p` runs over (block of channels, row, column, channel inside the block), the last fastest. The
/// last block may have fewer channels. Blocks of one channel are the row-major order; so is every order
/// of a population without rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    channels: u32,
    /// Places: rows times columns.
    places: u32,
    block: u32,
}

impl Order {
    /// The order of a population of this shape in blocks of `block` channels, cut to 1 up to all channels.
    pub fn new(shape: &Shape, block: u32) -> Self {
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (channels, places) = (narrow(shape.channels()), narrow(shape.per_channel()));
        Self { channels, places, block: block.clamp(1, channels.max(1)) }
    }

    /// Whether positions are neuron numbers.
    pub const fn is_row_major(&self) -> bool {
        self.block == 1 || self.places <= 1
    }

    /// Neuron at `position`.
    pub const fn neuron(&self, position: u32) -> u32 {
        if self.is_row_major() {
            return position;
        }
        let whole = self.block * self.places;
        let (first, inside) = (position / whole * self.block, position % whole);
        let width = self.width(first);
        (first + inside % width) * self.places + inside / width
    }

    /// Position of `neuron`.
    pub const fn position(&self, neuron: u32) -> u32 {
        if self.is_row_major() {
            return neuron;
        }
        let (channel, place) = (neuron / self.places, neuron % self.places);
        let first = channel / self.block * self.block;
        first * self.places + place * self.width(first) + channel - first
    }

    /// Channels of the block whose first channel is `first`.
    const fn width(&self, first: u32) -> u32 {
        let rest = self.channels - first;
        if rest < self.block { rest } else { self.block }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn channels_of_a_block_lie_together() {
        let order = Order::new(&Shape::chw(3, 1, 2), 2);
        let neurons: Vec<u32> = (0..6).map(|p| order.neuron(p)).collect();
        // Channels 0 and 1 of the first place, of the second, then channel 2.
        assert_eq!(neurons, [0, 2, 1, 3, 4, 5]);
        assert!(Order::new(&Shape::chw(3, 1, 2), 1).is_row_major());
        assert!(Order::new(&Shape::flat(6), 4).is_row_major());
    }

    proptest! {
        #[test]
        fn positions_are_a_permutation_of_neurons(
            (channels, height, width) in (1_u32..7, 1_u32..4, 1_u32..4), block in 0_u32..9,
        ) {
            let order = Order::new(&Shape::chw(channels, height, width), block);
            let mut seen = vec![false; (channels * height * width) as usize];
            for position in 0..channels * height * width {
                let neuron = order.neuron(position);
                prop_assert!(!std::mem::replace(&mut seen[neuron as usize], true));
                prop_assert_eq!(order.position(neuron), position);
            }
        }
    }
}
