//! The order in which the neurons of a population lie on cores.
//!
//! Neurons are numbered row-major, channel after channel. A core that holds a few rows of all channels
//! sees a small part of what a convolution reads; a core that holds a few channels whole stores a small part
//! of its kernel. Both are contiguous runs if neurons are laid out by blocks of channels: block after
//! block, inside a block row after row and column after column, and at each place its channels.

use crate::shape::Shape;
use std::ops::Range;

/// An order of the neurons of a population, by *positions*.
///
/// Position `p` runs over (block of channels, row, column, channel inside the block), the last fastest. The
/// last block may have fewer channels. Blocks of one channel are the row-major order; so is every order
/// of a population without rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    channels: u32,
    /// Places: rows times columns.
    places: u32,
    block: u32,
}

/// Some channels at consecutive places (rows and columns, row-major).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// The channels.
    pub channels: Range<u32>,
    /// The places.
    pub places: Range<u32>,
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

    /// Channels of the population.
    pub const fn channels(&self) -> u32 {
        self.channels
    }

    /// Places of a channel: rows times columns.
    pub const fn places(&self) -> u32 {
        self.places
    }

    /// The neurons at these positions as at most nine patches, in order; blocks that are whole make one.
    pub fn patches(&self, positions: Range<u32>) -> Vec<Patch> {
        // Without rows and columns, a block of all channels says the same as blocks of one.
        let block = if self.places <= 1 { self.channels.max(1) } else { self.block };
        let whole = block * self.places.max(1);
        let mut patches = Vec::new();
        let mut start = positions.start;
        while start < positions.end {
            let first = start / whole * block;
            let offset = start % whole;
            let blocks = (positions.end - start) / whole;
            if offset == 0 && blocks > 0 {
                let channels = first..first + blocks * block;
                patches.push(Patch { channels, places: 0..self.places });
                start += blocks * whole;
                continue;
            }
            let width = if self.places <= 1 { block } else { self.width(first) };
            let end = (offset + positions.end - start).min(width * self.places.max(1));
            start += end - offset;
            let [(from, skipped), (to, begun)] = [offset, end].map(|p| (p / width, p % width));
            let mut push = |channels: Range<u32>, places: Range<u32>| {
                if !channels.is_empty() && !places.is_empty() {
                    patches.push(Patch { channels, places });
                }
            };
            if from == to {
                push(first + skipped..first + begun, from..to + 1);
                continue;
            }
            let full = if skipped > 0 { from + 1 } else { from };
            push(first + skipped..first + width, from..full);
            push(first..first + width, full..to);
            push(first..first + begun, to..to + 1);
        }
        patches
    }

    /// Visits the positions of a patch as ranges.
    pub fn for_positions(&self, patch: &Patch, mut visit: impl FnMut(Range<u32>)) {
        let Patch { channels, places } = patch;
        if self.places <= 1 {
            return visit(channels.clone());
        }
        let mut channel = channels.start;
        while channel < channels.end {
            let first = channel / self.block * self.block;
            let width = self.width(first);
            let end = channels.end.min(first + width);
            let base = first * self.places;
            if end - channel == width {
                visit(base + places.start * width..base + places.end * width);
            } else {
                for place in places.clone() {
                    let base = base + place * width;
                    visit(base + channel - first..base + end - first);
                }
            }
            channel = end;
        }
    }

    /// First channel of a last block that has fewer channels than the others; the number of channels if none has.
    pub const fn narrow_from(&self) -> u32 {
        self.channels - self.channels % self.block
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

        #[test]
        fn patches_hold_the_neurons_of_their_positions(
            (channels, height, width) in (1_u32..7, 1_u32..4, 1_u32..4), block in 0_u32..9,
            (start, end) in (any::<u32>(), any::<u32>()),
        ) {
            let size = channels * height * width;
            let order = Order::new(&Shape::chw(channels, height, width), block);
            let [start, end] = [start, end].map(|p| p % (size + 1));
            let patches = order.patches(start..end.max(start));
            prop_assert!(patches.len() <= 9);
            let mut neurons = Vec::new();
            let mut positions = Vec::new();
            for patch in &patches {
                for channel in patch.channels.clone() {
                    neurons.extend(patch.places.clone().map(|p| channel * height * width + p));
                }
                order.for_positions(patch, |range| positions.extend(range));
            }
            neurons.sort_unstable();
            positions.sort_unstable();
            let mut expected: Vec<u32> = (start..end.max(start)).map(|p| order.neuron(p)).collect();
            expected.sort_unstable();
            prop_assert_eq!(neurons, expected);
            prop_assert_eq!(positions, (start..end.max(start)).collect::<Vec<_>>());
        }
    }
}
