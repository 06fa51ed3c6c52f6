//! Shapes, convolutions and parameters of small populations.

use super::Space;
use super::draw::Draw;
use crate::conv::Conv;
use crate::param::Param;
use crate::shape::Shape;

/// Height and width of all images of a network, so that convolutions fit between them.
pub(super) const SIDE: [u32; 2] = [3, 2];

/// A vector of one to five elements, or an image of one or two channels.
pub(super) fn shape(draw: &mut Draw) -> Shape {
    if draw.one_in(3) {
        Shape::chw(1 + draw.small(2), SIDE[0], SIDE[1])
    } else {
        Shape::flat(1 + draw.small(5))
    }
}

/// A convolution from `source` to `target`, if both are images; kernel, padding and groups vary, and
/// in some spaces the crop.
pub(super) fn conv(draw: &mut Draw, space: Space, source: &Shape, target: &Shape) -> Option<Conv> {
    let (input, [out_channels, height, width]) = (source.as_chw()?, target.as_chw()?);
    if [height, width] != SIDE || [input[1], input[2]] != SIDE {
        return None;
    }
    // Each keeps height and width; the last pads on one side only.
    let (kernel, pad) = draw.pick(&[
        ([1, 1], [0; 4]),
        ([3, 3], [1; 4]),
        ([1, 3], [0, 0, 1, 1]),
        ([2, 2], [1, 0, 0, 1]),
    ]);
    let even = input[0] % 2 == 0 && out_channels % 2 == 0;
    let groups = if even { 1 + draw.small(2) } else { 1 };
    let crop = crop(draw, space);
    // Padding takes the place of what is cropped.
    let pad = std::array::from_fn(|side| pad[side] + crop[side]);
    Some(Conv { input, out_channels, kernel, stride: [1, 1], pad, groups, crop })
}

/// Rows and columns that a convolution leaves out.
fn crop(draw: &mut Draw, space: Space) -> [u32; 4] {
    if space.graded() { draw.pick(&[[0; 4], [0; 4], [1, 0, 1, 0], [1, 1, 0, 1]]) } else { [0; 4] }
}

/// A strided convolution that reads `source`, if it is an image.
pub(super) fn strided(draw: &mut Draw, space: Space, source: &Shape) -> Option<Conv> {
    let input = source.as_chw()?;
    let stride = [1 + draw.small(2), 1 + draw.small(2)];
    let out_channels = 1 + draw.small(2);
    let (kernel, pad) = ([2, 1], [0, 1, 0, 0]);
    let crop = crop(draw, space);
    let conv = Conv { input, out_channels, kernel, stride, pad, groups: 1, crop };
    conv.output().map(|_| conv)
}

/// A parameter in one of its three forms.
pub(super) fn param<T>(
    draw: &mut Draw,
    shape: &Shape,
    mut value: impl FnMut(&mut Draw) -> T,
) -> Param<T> {
    match draw.below(4) {
        2 => Param::PerChannel((0..shape.channels()).map(|_| value(draw)).collect()),
        3 => Param::PerNeuron((0..shape.size()).map(|_| value(draw)).collect()),
        _ => Param::Uniform(value(draw)),
    }
}
