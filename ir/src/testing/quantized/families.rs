//! Integer networks of special forms.

use super::Builder;
use crate::arena::{Entity, PopId};
use crate::conv::Conv;
use crate::network::Coding;
use crate::quantized::{IntReadout, PopKind, Projection, QuantizedDraft, Structure};
use crate::shape::Shape;
use crate::testing::Space;
use crate::testing::draw::Draw;

/// Largest weight. A kernel of 3x3 reads at most 27 sources, so the bounds of the plain networks hold.
const MAX_WEIGHT: i32 = 40;

/// A geometry that reads images of shape `input`: any kernel up to 3x3, stride, padding on any side,
/// groups and crop; with `even` as much padding above as below, and left as right. What has no output, or too many
/// neurons, is drawn smaller.
pub(super) fn geometry(draw: &mut Draw, space: Space, input: [u32; 3], even: bool) -> Conv {
    let groups = draw.pick(&[1, 1, 2, 3, 4]);
    let groups = if input[0].is_multiple_of(groups) { groups } else { 1 };
    let out_channels = groups * (1 + draw.small(if groups == 1 { 3 } else { 2 }));
    let mut conv = Conv {
        input,
        out_channels,
        kernel: [1 + draw.small(3), 1 + draw.small(3)],
        stride: [1 + draw.small(3), 1 + draw.small(3)],
        pad: std::array::from_fn(|_| draw.pick(&[0, 0, 1, 2])),
        groups,
        crop: if space.graded() {
            std::array::from_fn(|_| draw.pick(&[0, 0, 0, 1]))
        } else {
            [0; 4]
        },
    };
    if even {
        let [top, _, left, _] = conv.pad;
        conv.pad = [top, top, left, left];
    }
    if conv.output().is_none() {
        conv.crop = [0; 4];
    }
    if conv.output().is_none() {
        conv.kernel = [1, 1];
    }
    while conv.output().is_some_and(|o| o.iter().product::<u32>() > 60) {
        // Wider steps leave fewer places; in the end one place for each channel.
        conv.stride = conv.stride.map(|s| s + 2);
        conv.pad = [0; 4];
        conv.kernel = [1, 1];
    }
    conv
}

/// One to three convolutions in a row, some with a kernel back to themselves.
pub(crate) fn convolutions(draw: &mut Draw, space: Space) -> QuantizedDraft {
    let steps = 1 + draw.small(5);
    let mut builder = Builder::new(draw, space);
    let draw = &mut *builder.draw;
    let mut image = [1 + draw.small(4), 1 + draw.small(5), 1 + draw.small(5)];
    let shape = Shape(image.to_vec());
    let coding = Coding::Events;
    builder.add("x0".to_owned(), shape, PopKind::Input(coding));
    for layer in 0..=builder.draw.small(3) {
        let source = PopId::new(builder.populations.len() - 1);
        let conv = geometry(builder.draw, space, image, false);
        image = conv.output().unwrap_or([1; 3]);
        let shape = Shape(image.to_vec());
        let neuron = builder.neuron(&shape);
        builder.add(format!("h{layer}"), shape, PopKind::Neurons(neuron));
        let target = PopId::new(builder.populations.len() - 1);
        builder.join(source, target, Structure::Conv(conv));
        if builder.draw.one_in(3) {
            let kernel = [1 + 2 * builder.draw.small(2), 1 + 2 * builder.draw.small(2)];
            let [high, wide] = kernel.map(|k| k / 2);
            let pad = [high, high, wide, wide];
            let back = Conv {
                input: image,
                out_channels: image[0],
                kernel,
                stride: [1, 1],
                pad,
                groups: if builder.draw.one_in(2) { image[0] } else { 1 },
                crop: [0; 4],
            };
            builder.join(target, target, Structure::Conv(back));
        }
    }
    let last = PopId::new(builder.populations.len() - 1);
    builder.finish(steps, IntReadout::SpikeCount(last))
}

/// No neuron or one, inputs or none, a few synapses or none.
pub(crate) fn tiny(draw: &mut Draw, space: Space) -> QuantizedDraft {
    let steps = 1 + draw.small(8);
    let mut builder = Builder::new(draw, space);
    let neurons = !builder.draw.one_in(4);
    let inputs = if neurons { builder.draw.small(3) } else { 1 };
    for i in 0..inputs {
        let shape = Shape::flat(1 + builder.draw.small(2));
        builder.add(format!("x{i}"), shape, PopKind::Input(Coding::Events));
    }
    if neurons {
        let shape = Shape::flat(1);
        let neuron = builder.neuron(&shape);
        builder.add("h".to_owned(), shape, PopKind::Neurons(neuron));
    }
    let target = PopId::new(builder.populations.len() - 1);
    for _ in 0..builder.draw.below(4) {
        if !neurons {
            break;
        }
        let source = PopId::new(builder.draw.below(builder.populations.len()));
        let [rows, cols] =
            [target, source].map(|p| u32::try_from(builder.populations[p].size()).unwrap_or(1));
        builder.join(source, target, Structure::Dense { rows, cols });
    }
    let readout = if neurons {
        IntReadout::SpikeCount(target)
    } else {
        let weights = vec![1.0; builder.populations[target].size()];
        IntReadout::MeanLinear { terms: vec![(target, weights)], bias: vec![0.5] }
    };
    builder.finish(steps, readout)
}

/// Many small populations, each read by about two others, sooner or later.
pub(crate) fn crowd(draw: &mut Draw, space: Space) -> QuantizedDraft {
    let steps = 1 + draw.small(4);
    let mut builder = Builder::new(draw, space);
    let shape = Shape::flat(1 + builder.draw.small(3));
    builder.add("x0".to_owned(), shape, PopKind::Input(Coding::Events));
    let count = 10 + builder.draw.below(20);
    for i in 0..count {
        let shape = Shape::flat(1 + builder.draw.small(3));
        let neuron = builder.neuron(&shape);
        builder.add(format!("h{i}"), shape, PopKind::Neurons(neuron));
    }
    for target in 1..=count {
        for _ in 0..=builder.draw.below(3) {
            // Mostly something shortly before.
            let source = if builder.draw.one_in(5) {
                builder.draw.below(count + 1)
            } else {
                target - 1 - builder.draw.below(target.min(3))
            };
            let [source, target] = [source, target].map(PopId::new);
            let [rows, cols] =
                [target, source].map(|p| u32::try_from(builder.populations[p].size()).unwrap_or(1));
            let structure = if rows == cols && builder.draw.one_in(2) {
                Structure::Identity { size: rows }
            } else {
                Structure::Dense { rows, cols }
            };
            builder.join(source, target, structure);
        }
    }
    let last = PopId::new(count);
    builder.finish(steps, IntReadout::SpikeCount(last))
}

impl Builder<'_> {
    /// Joins two populations by weights of this layout; back in time where it must be.
    fn join(&mut self, source: PopId, target: PopId, structure: Structure) {
        let delay = u32::from(source >= target) + self.draw.pick(&[0, 0, 0, 1, 2]);
        let matrix = self.weights(structure, MAX_WEIGHT);
        self.projections.push(Projection { source, target, matrix, delay });
    }
}
