//! Windows of an image, by kernel offset.

use burn::tensor::{Slice, Tensor};
use snnc_ir::conv::Conv;

/// Geometry of a convolution or pooling window, resolved.
#[derive(Clone, Copy)]
pub(super) struct Windows {
    conv: Conv,
    output: [usize; 3],
}

impl Windows {
    /// `None` if the geometry has no output.
    pub(super) fn new(conv: &Conv) -> Option<Self> {
        Some(Self { conv: *conv, output: conv.output()?.map(|d| d as usize) })
    }

    /// Output channels, height, width.
    pub(super) const fn output(&self) -> [usize; 3] {
        self.output
    }

    /// Input and output channels of a group.
    pub(super) const fn per_group(&self) -> [usize; 2] {
        let groups = self.conv.groups as usize;
        [self.conv.input[0] as usize / groups, self.output[0] / groups]
    }

    /// Kernel offsets.
    pub(super) const fn area(&self) -> usize {
        self.conv.kernel[0] as usize * self.conv.kernel[1] as usize
    }

    /// Channel groups.
    pub(super) const fn groups(&self) -> usize {
        self.conv.groups as usize
    }

    /// For each kernel offset, in row-major order, the input cell that each output position reads
    /// through it, `[batch, input channels, output height, output width]`; zero in the padding.
    /// `x` is `[batch, elements]`.
    pub(super) fn patches(&self, x: Tensor<2>) -> Vec<Tensor<4>> {
        let [batch, _] = x.dims();
        let [channels, height, width] = self.conv.input.map(|d| d as usize);
        let [top, bottom, left, right] = self.conv.pad.map(|d| d as usize);
        let image = crop(x.reshape([batch, channels, height, width]), self.conv.crop);
        let image = if self.conv.pad == [0; 4] {
            image
        } else {
            image.pad((left, right, top, bottom), 0.0)
        };
        let [_, out_h, out_w] = self.output;
        let range = |offset: u32, extent: usize, stride: u32| {
            let (first, stride) = (signed(offset as usize), signed(stride as usize));
            Slice::new(first, Some(first + (signed(extent) - 1) * stride + 1), stride)
        };
        let [stride_y, stride_x] = self.conv.stride;
        let mut patches = Vec::new();
        for ky in 0..self.conv.kernel[0] {
            for kx in 0..self.conv.kernel[1] {
                let rows = range(ky, out_h, stride_y);
                let cols = range(kx, out_w, stride_x);
                patches.push(image.clone().slice([Slice::full(), Slice::full(), rows, cols]));
            }
        }
        patches
    }
}

/// `image`, `[batch, channels, height, width]`, without its outer rows and columns: top, bottom, left,
/// right.
pub(super) fn crop(image: Tensor<4>, [top, bottom, left, right]: [u32; 4]) -> Tensor<4> {
    let [_, _, height, width] = image.dims();
    let rest = |extent: usize, before: u32, after: u32| extent - before as usize - after as usize;
    let (rows, columns) = (rest(height, top, bottom), rest(width, left, right));
    if (rows, columns) == (height, width) {
        return image;
    }
    image.narrow(2, top as usize, rows).narrow(3, left as usize, columns)
}

/// An extent as the tensor library wants it; extents are far below 2^63.
fn signed(x: usize) -> isize {
    isize::try_from(x).unwrap_or(isize::MAX)
}
