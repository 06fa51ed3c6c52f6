//! Integer networks that files of layers hold: neurons that reset to 0, without floors and refractory periods, and
//! integer weights of 8 bits.

use super::Builder;
use super::families::geometry;
use crate::arena::{Entity, PopId};
use crate::conv::Conv;
use crate::network::Coding;
use crate::param::Param;
use crate::quantized::{IntNeuron, IntReadout, PopKind, Projection, QuantizedDraft, Structure};
use crate::shape::Shape;
use crate::testing::Space;
use crate::testing::draw::Draw;

/// Largest weight beside currents with memory; at most 60 sources, so that sums stay below 60 · 2 · 40 = 4800 and
/// currents below 4800 · 64 · 4.
const MAX_WEIGHT: i32 = 40;
/// Largest weight where currents have none: sums stay below 60 · 2 · 127 = 15,240.
const MAX_LARGE_WEIGHT: i32 = 127;
/// Most neurons of a layer.
const MAX_NEURONS: u32 = 60;

/// A chain of layers, a network with loops, or populations that read inputs alone.
pub(crate) fn network(draw: &mut Draw) -> QuantizedDraft {
    let steps = 2 + draw.small(6);
    let form = draw.below(9);
    let mut builder = Builder::new(draw, Space::Fixed);
    match form {
        0..5 => builder.chain(),
        5..8 => builder.loops(),
        _ => builder.fan(),
    }
    let last = PopId::new(builder.populations.len() - 1);
    builder.finish(steps, IntReadout::SpikeCount(last))
}

impl Builder<'_> {
    /// One input, then one to four layers, each of which reads the one before: convolutions of any geometry, pooling,
    /// and whole matrices with delays.
    fn chain(&mut self) {
        let image = [1 + self.draw.small(4), 1 + self.draw.small(6), 1 + self.draw.small(6)];
        let shape = if self.draw.one_in(6) { self.vector() } else { Shape(image.to_vec()) };
        self.add("x0".to_owned(), shape, PopKind::Input(Coding::Events));
        for layer in 0..=self.draw.below(4) {
            let source = PopId::new(layer);
            let from = self.populations[source].shape.clone();
            let conv = from.as_chw().filter(|_| !self.draw.one_in(6));
            let conv = conv.map(|image| self.kernel(image));
            let output = conv.and_then(|conv| conv.output());
            let shape = match output {
                Some(output) => Shape(output.to_vec()),
                // An image that no kernel makes: what reads it may be a convolution again.
                None if self.draw.one_in(4) => Shape(vec![1 + self.draw.small(3), 3, 2]),
                None => self.vector(),
            };
            let target = self.layer(layer, shape);
            // Kernels have no delays in a file: such a one is written as a matrix.
            let delay = if output.is_some() && !self.draw.one_in(8) { 0 } else { self.delay() };
            let structure = conv.filter(|_| output.is_some()).map(Structure::Conv);
            for _ in 0..=usize::from(self.draw.one_in(4)) {
                self.connect(source, target, structure.clone(), delay);
            }
        }
    }

    /// One or two inputs, then one to four populations, each of which reads one before it, and itself or a later one
    /// some steps ago.
    fn loops(&mut self) {
        let inputs = self.inputs();
        let count = 1 + self.draw.below(4);
        for i in 0..count {
            let shape = self.vector();
            self.layer(i, shape);
        }
        for i in 0..count {
            let target = inputs + i;
            for _ in 0..=self.draw.below(2) {
                let source = if self.draw.one_in(3) { self.draw.below(target) } else { target - 1 };
                let delay = self.draw.pick(&[0, 0, 0, 1, 3]);
                self.connect(PopId::new(source), PopId::new(target), None, delay);
            }
            if i == 0 || self.draw.one_in(2) {
                let back = self.draw.below(count - i);
                // A loop of n populations takes n hardware steps, which this delay leaves it.
                let delay = 1 + self.draw.small(2) + u32::try_from(back).unwrap_or(0);
                self.connect(PopId::new(target + back), PopId::new(target), None, delay);
            }
        }
    }

    /// One or two inputs, and one to three populations that read some of them, now or later.
    fn fan(&mut self) {
        let inputs = self.inputs();
        for i in 0..=self.draw.below(3) {
            let shape = self.vector();
            let target = self.layer(i, shape);
            // Two delays between one pair of neurons have no place in a file.
            let first = self.draw.below(inputs);
            for source in first..inputs {
                let delay = self.delay();
                self.connect(PopId::new(source), target, None, delay);
            }
        }
    }

    fn inputs(&mut self) -> usize {
        let inputs = 1 + self.draw.below(2);
        for i in 0..inputs {
            let shape = self.vector();
            self.add(format!("x{i}"), shape, PopKind::Input(Coding::Events));
        }
        inputs
    }

    /// One to twelve neurons.
    fn vector(&mut self) -> Shape {
        Shape::flat(1 + self.draw.small(12))
    }

    /// None mostly, a few steps, or up to what a delay register holds.
    fn delay(&mut self) -> u32 {
        match self.draw.below(8) {
            0..4 => 0,
            7 => self.draw.small(62),
            _ => 1 + self.draw.small(4),
        }
    }

    fn layer(&mut self, i: usize, shape: Shape) -> PopId {
        let neuron = IntNeuron { refractory: 1, floor: None, ..self.neuron(&shape) };
        self.add(format!("h{i}"), shape, PopKind::Neurons(neuron));
        PopId::new(self.populations.len() - 1)
    }

    /// A kernel over `image`: as much padding above as below and left as right, or now and then not; or pooling,
    /// a kernel of one channel that steps as far as it is wide.
    fn kernel(&mut self, image: [u32; 3]) -> Conv {
        let even = !self.draw.one_in(8);
        let mut conv = geometry(self.draw, Space::Fixed, image, even);
        if self.draw.one_in(4) {
            let [channels, high, wide] = image;
            let window = [high, wide].map(|side| 1 + self.draw.small(side.min(3)));
            let pool = Conv {
                out_channels: channels,
                groups: channels,
                kernel: window,
                stride: window,
                pad: [0; 4],
                ..conv
            };
            let small = |o: [u32; 3]| o.iter().product::<u32>() <= MAX_NEURONS;
            if pool.output().is_some_and(small) {
                conv = pool;
            }
        }
        conv
    }

    /// Joins two populations by weights that fill at most 8 bits; mostly late enough for a bias to act from the first
    /// step on, which a register does. Earlier ones need clocks.
    fn connect(&mut self, source: PopId, target: PopId, kernel: Option<Structure>, delay: u32) {
        let [from, to] = [source, target].map(|p| self.populations[p].shape.clone());
        let structure = kernel.unwrap_or_else(|| self.structure(&from, &to));
        let matrix =
            self.weights(structure, if self.large { MAX_LARGE_WEIGHT } else { MAX_WEIGHT });
        let biased = self.populations[target].neuron().is_some_and(|n| n.bias != Param::Uniform(0));
        let delay = delay.max(u32::from(biased && !self.draw.one_in(6)));
        self.projections.push(Projection { source, target, matrix, delay });
    }
}
