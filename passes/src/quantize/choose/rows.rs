//! Stored weights by the target neurons that share them.

use crate::quantize::decision::rows_per_scale;
use snnc_ir::quantized::Structure;

/// The weights of a projection, row by row: one row per target neuron, or per channel of a convolution.
#[derive(Clone, Copy, Debug)]
pub(in crate::quantize) struct Rows<'a> {
    /// Stored weights.
    pub values: &'a [f32],
    /// Stored weights of a row.
    len: usize,
    /// Target neurons of a row.
    neurons: usize,
}

impl<'a> Rows<'a> {
    /// The rows of `values` in this layout.
    pub(in crate::quantize) fn new(structure: &Structure, values: &'a [f32]) -> Self {
        let neurons = rows_per_scale(structure);
        let rows = (structure.rows() / neurons.max(1)).max(1);
        Self { values, len: (values.len() / rows).max(1), neurons }
    }

    /// Number of rows.
    pub(in crate::quantize) const fn count(&self) -> usize {
        self.values.len() / self.len
    }

    /// The weights of row `row`.
    pub(in crate::quantize) fn row(&self, row: usize) -> &'a [f32] {
        &self.values[row * self.len..(row + 1) * self.len]
    }

    /// The first target neuron of row `row`.
    pub(in crate::quantize) const fn neuron(&self, row: usize) -> usize {
        row * self.neurons
    }

    /// Every so-manieth row, so that about `budget` weights are looked at, but always one row.
    pub(in crate::quantize) fn sampled(
        &self,
        budget: usize,
    ) -> impl Iterator<Item = usize> + use<> {
        let most = (budget / self.len).max(1);
        strided(self.count(), most)
    }
}

/// At most `most` of `count` positions at a fixed distance.
pub(in crate::quantize) fn strided(count: usize, most: usize) -> impl Iterator<Item = usize> {
    (0..count).step_by(count.div_ceil(most.max(1)).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use snnc_ir::conv::Conv;

    #[test]
    fn rows_of_a_convolution_are_channels() {
        let conv = Conv {
            input: [2, 3, 3],
            out_channels: 2,
            kernel: [2, 2],
            stride: [1, 1],
            pad: [0; 4],
            groups: 1,
            crop: [0; 4],
        };
        let values: Vec<f32> = (0..16_u8).map(f32::from).collect();
        let rows = Rows::new(&Structure::Conv(conv), &values);
        assert_eq!((rows.count(), rows.neuron(1)), (2, 4), "4 positions per channel");
        assert_eq!(rows.row(1), &values[8..]);
    }

    #[test]
    fn samples_are_strided_and_never_empty() {
        let values = [0.0; 12];
        let rows = Rows::new(&Structure::Dense { rows: 6, cols: 2 }, &values);
        let sampled = |budget| rows.sampled(budget).collect::<Vec<_>>();
        assert_eq!(sampled(12), [0, 1, 2, 3, 4, 5]);
        assert_eq!(sampled(6), [0, 2, 4]);
        assert_eq!(sampled(1), [0]);
        assert_eq!(strided(0, 3).count(), 0);
    }
}
