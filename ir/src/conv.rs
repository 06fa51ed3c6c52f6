//! Geometry of a two-dimensional convolution (cross-correlation, the PyTorch convention).

use serde::{Deserialize, Serialize};

/// Where a convolution kernel reads and writes.
///
/// **Shapes.** input `[in_channels, in_height, in_width]`, output `[out_channels, out_height,
/// out_width]`, kernel `[out_channels, in_channels / groups, kernel_height, kernel_width]`, all
/// row-major. `out = (in − crop_before − crop_after + pad_before + pad_after − kernel) / stride + 1`,
/// rounded down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Conv {
    /// Input extents: channels, height, width.
    pub input: [u32; 3],
    /// Output channels.
    pub out_channels: u32,
    /// Kernel height and width.
    pub kernel: [u32; 2],
    /// Stride, vertical and horizontal.
    pub stride: [u32; 2],
    /// Zero padding: top, bottom, left, right.
    pub pad: [u32; 4],
    /// Number of channel groups.
    pub groups: u32,
    /// Rows and columns of the input that are left out, before the padding takes their place: top,
    /// bottom, left, right. What is left out acts as padding does: it contributes nothing.
    pub crop: [u32; 4],
}

impl Conv {
    /// Output extents: channels, height, width. `None` if nothing is left after the crop, the padded
    /// input is smaller than the kernel, an extent overflows, or a stride is zero.
    pub fn output(&self) -> Option<[u32; 3]> {
        let extent = |axis: usize| {
            let [before, after] = [self.pad[2 * axis], self.pad[2 * axis + 1]];
            let padded = self.cropped(axis)?.checked_add(before)?.checked_add(after)?;
            padded.checked_sub(self.kernel[axis])?.checked_div(self.stride[axis])?.checked_add(1)
        };
        Some([self.out_channels, extent(0)?, extent(1)?])
    }

    /// Input height (`axis` 0) or width (`axis` 1) after the crop. `None` if nothing is left.
    pub fn cropped(&self, axis: usize) -> Option<u32> {
        let [before, after] = [self.crop[2 * axis], self.crop[2 * axis + 1]];
        self.input[axis + 1].checked_sub(before)?.checked_sub(after).filter(|&rest| rest > 0)
    }

    /// Rows (`axis` 0) or columns (`axis` 1) of the kernel that lie on the input, and not on padding,
    /// where output row or column `position` is computed.
    pub fn taps(&self, axis: usize, position: usize) -> std::ops::Range<usize> {
        let extent = self.cropped(axis).unwrap_or(0) as usize;
        let [kernel, stride, pad] =
            [self.kernel[axis], self.stride[axis], self.pad[2 * axis]].map(|n| n as usize);
        // Kernel index k reads row `position · stride + k − pad` of what the crop leaves.
        let start = position * stride;
        let first = pad.saturating_sub(start).min(kernel);
        let end = (extent + pad).saturating_sub(start).min(kernel).max(first);
        first..end
    }

    /// How many places of the output each cell of the kernel serves: those where it lies on the input, and not on
    /// padding. **Shapes**: `[kernel_height, kernel_width]`, row-major; empty if there is no output.
    pub fn tap_counts(&self) -> Vec<u64> {
        let Some(output) = self.output() else { return Vec::new() };
        let meets = |axis: usize| {
            let mut times = vec![0_u64; self.kernel[axis] as usize];
            for position in 0..output[axis + 1] as usize {
                times[self.taps(axis, position)].iter_mut().for_each(|n| *n += 1);
            }
            times
        };
        let (vertical, horizontal) = (meets(0), meets(1));
        vertical.iter().flat_map(|v| horizontal.iter().map(move |h| v * h)).collect()
    }

    /// Extents of the kernel.
    pub fn kernel_shape(&self) -> [u32; 4] {
        let per_group = self.input[0] / self.groups.max(1);
        [self.out_channels, per_group, self.kernel[0], self.kernel[1]]
    }

    /// Number of kernel values; saturates instead of overflowing.
    pub fn kernel_size(&self) -> usize {
        self.kernel_shape().iter().fold(1_usize, |n, &d| n.saturating_mul(d as usize))
    }

    /// Visits every synapse of output neuron `target`: `visit(source, kernel_index)`, in ascending
    /// order of (input channel, row, column). Both neurons are row-major flat indices.
    ///
    /// # Panics
    /// If the geometry has no output or `target` lies outside it.
    pub fn for_sources(&self, target: usize, mut visit: impl FnMut(usize, usize)) {
        let [_, out_h, out_w] = self.output().expect("a verified convolution has an output");
        let (out_h, out_w) = (out_h as usize, out_w as usize);
        let (co, oy, ox) = (target / (out_h * out_w), target / out_w % out_h, target % out_w);
        let [_, in_h, in_w] = self.input.map(|d| d as usize);
        let [top, bottom, left, right] = self.crop.map(|d| d as usize);
        let (rows, columns) = (in_h - top - bottom, in_w - left - right);
        let [k_h, k_w] = self.kernel.map(|d| d as usize);
        let per_group_in = self.input[0] as usize / self.groups as usize;
        let per_group_out = self.out_channels as usize / self.groups as usize;
        let first_channel = co / per_group_out * per_group_in;
        for ci in 0..per_group_in {
            for ky in 0..k_h {
                let y = oy * self.stride[0] as usize + ky;
                let Some(y) = y.checked_sub(self.pad[0] as usize).filter(|&y| y < rows) else {
                    continue;
                };
                for kx in 0..k_w {
                    let x = ox * self.stride[1] as usize + kx;
                    let Some(x) = x.checked_sub(self.pad[2] as usize).filter(|&x| x < columns)
                    else {
                        continue;
                    };
                    let source = ((first_channel + ci) * in_h + y + top) * in_w + x + left;
                    visit(source, ((co * per_group_in + ci) * k_h + ky) * k_w + kx);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every (source, kernel index) of an output by trying all sources, in the promised order.
    fn sources_by_search(conv: &Conv, target: usize) -> Vec<(usize, usize)> {
        let [_, out_h, out_w] = conv.output().unwrap().map(i64::from);
        let [in_c, in_h, in_w] = conv.input.map(i64::from);
        let [k_h, k_w] = conv.kernel.map(i64::from);
        let per_group = [in_c, i64::from(conv.out_channels)].map(|c| c / i64::from(conv.groups));
        let target = i64::try_from(target).unwrap();
        let (co, oy, ox) = (target / (out_h * out_w), target / out_w % out_h, target % out_w);
        let mut found = Vec::new();
        for ci in 0..in_c {
            for y in 0..in_h {
                for x in 0..in_w {
                    let [top, bottom, left, right] = conv.crop.map(i64::from);
                    let ky = y - top + i64::from(conv.pad[0]) - oy * i64::from(conv.stride[0]);
                    let kx = x - left + i64::from(conv.pad[2]) - ox * i64::from(conv.stride[1]);
                    let kept =
                        (top..in_h - bottom).contains(&y) && (left..in_w - right).contains(&x);
                    let inside = (0..k_h).contains(&ky) && (0..k_w).contains(&kx);
                    if inside && kept && ci / per_group[0] == co / per_group[1] {
                        let kernel =
                            ((co * per_group[0] + ci % per_group[0]) * k_h + ky) * k_w + kx;
                        let source = (ci * in_h + y) * in_w + x;
                        found.push((
                            usize::try_from(source).unwrap(),
                            usize::try_from(kernel).unwrap(),
                        ));
                    }
                }
            }
        }
        found
    }

    proptest! {
        #[test]
        fn sources_are_those_of_the_definition(
            (groups, per_group_in, per_group_out) in (1_u32..3, 1_u32..3, 1_u32..3),
            height in 1_u32..5,
            width in 1_u32..5,
            kernel in prop::array::uniform2(1_u32..4),
            stride in prop::array::uniform2(1_u32..4),
            pad in prop::array::uniform4(0_u32..3),
            crop in prop::array::uniform4(0_u32..2),
        ) {
            let input = [groups * per_group_in, height, width];
            let out_channels = groups * per_group_out;
            let conv = Conv { input, out_channels, kernel, stride, pad, groups, crop };
            let [rows, columns] = [height.saturating_sub(crop[0] + crop[1]), width.saturating_sub(crop[2] + crop[3])];
            let fits = rows > 0 && columns > 0
                && rows + pad[0] + pad[1] >= kernel[0] && columns + pad[2] + pad[3] >= kernel[1];
            prop_assert_eq!(conv.output().is_some(), fits);
            let outputs = conv.output().map_or(0, |o| o.iter().product());
            for target in 0..outputs as usize {
                let mut found = Vec::new();
                conv.for_sources(target, |source, kernel| found.push((source, kernel)));
                prop_assert_eq!(found, sources_by_search(&conv, target));
            }
        }
    }

    #[test]
    fn impossible_outputs_are_none() {
        let good = Conv {
            input: [1, 3, 3],
            out_channels: 1,
            kernel: [3, 3],
            stride: [1, 1],
            pad: [0; 4],
            groups: 1,
            crop: [0; 4],
        };
        assert_eq!(good.output(), Some([1, 1, 1]));
        assert_eq!(Conv { kernel: [4, 3], ..good }.output(), None);
        assert_eq!(Conv { stride: [1, 0], ..good }.output(), None);
        assert_eq!(Conv { pad: [u32::MAX; 4], ..good }.output(), None);
        let overflow = Conv { input: [1, u32::MAX, 1], kernel: [0, 1], ..good };
        assert_eq!(overflow.output(), None);
    }
}
