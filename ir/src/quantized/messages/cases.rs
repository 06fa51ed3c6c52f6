//! Which outputs of a convolution read the same part of its kernel.

use crate::conv::Conv;
use std::ops::Range;

/// Output channel, and the rows and columns of the kernel that lie on the input.
pub(super) type Case = (usize, [usize; 2], [usize; 2]);

/// The cases of one convolution: few, since only outputs near the border lack a part of the kernel.
pub(super) struct Cases {
    /// Neurons per channel, and per row of it.
    area: usize,
    width: usize,
    /// Part of the kernel by output row and by output column.
    taps: [Vec<[usize; 2]>; 2],
}

impl Cases {
    /// `None` if the convolution has no output.
    pub(super) fn new(conv: &Conv) -> Option<Self> {
        let [_, height, width] = conv.output()?.map(|d| d as usize);
        let ends = |taps: Range<usize>| [taps.start, taps.end];
        let axis = |axis: usize, extent| (0..extent).map(|i| ends(conv.taps(axis, i))).collect();
        Some(Self { area: height * width, width, taps: [axis(0, height), axis(1, width)] })
    }

    /// The case of output `neuron`.
    pub(super) fn of(&self, neuron: usize) -> Case {
        let within = neuron % self.area;
        let [rows, columns] = &self.taps;
        (neuron / self.area, rows[within / self.width], columns[within % self.width])
    }
}
