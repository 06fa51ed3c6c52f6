//! Interval sums: what may arrive at each neuron in one step, whatever its sources send.
//!
//! A spike counts 0 or 1; a message lies in a range that holds 0 (no message). Sources are bounded
//! per channel, and so the sum of a convolution depends on the output position only through the rows and
//! columns of the kernel that lie inside the input: few cases, each summed once. Where messages
//! are bounded, a convolution counts with its whole kernel everywhere, as in
//! [`message_ranges`](snnc_ir::quantized::messages::message_ranges), which the verifier holds them to.
//!
//! Complexity: O(stored weights · cases) for a convolution, O(synapses) for other layouts.

use super::matrix::Weights;
use snnc_ir::Shape;
use snnc_ir::conv::Conv;
use snnc_ir::network::Keep;
use snnc_ir::quantized::{Graded, Structure};

/// A range of integers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// Smallest value.
    pub low: i64,
    /// Largest value.
    pub high: i64,
}

impl Span {
    /// The range that both lie in.
    pub(super) fn hull(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// The range of what lies in both; both hold the same value.
    pub(super) fn common(self, other: Self) -> Self {
        Self { low: self.low.max(other.low), high: self.high.min(other.high) }
    }

    /// The range of the sum.
    pub(super) const fn plus(self, other: Self) -> Self {
        Self { low: self.low.saturating_add(other.low), high: self.high.saturating_add(other.high) }
    }

    /// The range of the product.
    pub(super) const fn times(self, weight: i64) -> Self {
        let (a, b) = (self.low.saturating_mul(weight), self.high.saturating_mul(weight));
        if weight < 0 { Self { low: b, high: a } } else { Self { low: a, high: b } }
    }

    /// What a relay of this sign and shift passes on.
    pub(super) const fn kept(self, keep: Option<Keep>, shift: u8) -> Self {
        Self {
            low: Graded::passes(keep, shift, self.low),
            high: Graded::passes(keep, shift, self.high),
        }
    }

    /// The largest absolute value.
    pub(super) fn reach(self) -> i64 {
        self.high.max(self.low.saturating_neg())
    }
}

/// What the neurons of a population may send in one step, per channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    spans: Vec<Span>,
    /// Neurons per entry of `spans`.
    area: usize,
}

impl Sent {
    /// Spikes.
    pub(super) fn spikes() -> Self {
        Self { spans: vec![Span { low: 0, high: 1 }], area: usize::MAX }
    }

    /// Messages of a population of this shape, one range per neuron.
    pub(super) fn messages(shape: &Shape, spans: &[Span]) -> Self {
        let area = shape.per_channel().max(1);
        let hull = |c: &[Span]| c.iter().fold(Span::default(), |a, b| a.hull(*b));
        Self { spans: spans.chunks(area).map(hull).collect(), area }
    }

    fn of(&self, neuron: usize) -> Span {
        self.spans[neuron / self.area]
    }

    /// What `len` neurons from `first` on may send.
    fn among(&self, first: usize, len: usize) -> Span {
        let last = (first + len.max(1) - 1) / self.area;
        self.spans[first / self.area..=last].iter().fold(Span::default(), |a, b| a.hull(*b))
    }
}

/// Which part of a kernel counts at the border of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Border {
    /// What lies inside the input.
    Inside,
    /// All of it.
    Whole,
}

/// Adds what arrives over a projection to the sums of its targets.
pub(super) fn add(
    structure: &Structure,
    weights: &Weights,
    sent: &Sent,
    border: Border,
    sums: &mut [Span],
) {
    match structure {
        Structure::Conv(conv) => convolution(conv, weights, sent, border, sums),
        _ => {
            for (row, sum) in sums.iter_mut().enumerate() {
                structure.for_row(row, |source, index| {
                    *sum = sum.plus(sent.of(source).times(weights.at(index)));
                });
            }
        }
    }
}

fn convolution(conv: &Conv, weights: &Weights, sent: &Sent, border: Border, sums: &mut [Span]) {
    let Some([out_channels, height, width]) = conv.output() else { return };
    let cases = |axis, outputs| match border {
        Border::Inside => inside(conv, axis, outputs),
        Border::Whole => whole(conv, axis, outputs),
    };
    let [rows, columns] = [cases(0, height), cases(1, width)];
    let [_, per_group, kernel_h, kernel_w] = conv.kernel_shape().map(|d| d as usize);
    let outputs_per_group = (out_channels / conv.groups.max(1)).max(1) as usize;
    let area = conv.input[1] as usize * conv.input[2] as usize;
    for (channel, sums) in sums.chunks_mut((height * width) as usize).enumerate() {
        let first = channel / outputs_per_group * per_group;
        let mut cases = vec![Span::default(); rows.cases.len() * columns.cases.len()];
        for input in 0..per_group {
            let sent = sent.among((first + input) * area, area);
            let kernel = (channel * per_group + input) * kernel_h * kernel_w;
            for (case, sum) in cases.iter_mut().enumerate() {
                let (y, x) = (case / columns.cases.len(), case % columns.cases.len());
                let columns = columns.cases[x].clone();
                for row in rows.cases[y].clone() {
                    let first = kernel + row * kernel_w;
                    let weights = columns.clone().map(|column| weights.at(first + column));
                    *sum = weights.fold(*sum, |sum, w| sum.plus(sent.times(w)));
                }
            }
        }
        for (at, sum) in sums.iter_mut().enumerate() {
            let (y, x) = (at / width as usize, at % width as usize);
            *sum = sum.plus(cases[rows.of[y] * columns.cases.len() + columns.of[x]]);
        }
    }
}

/// The parts of a kernel that count, along one axis.
struct Inside {
    /// The distinct ranges of kernel indices.
    cases: Vec<std::ops::Range<usize>>,
    /// Which of them holds at each output position.
    of: Vec<usize>,
}

fn whole(conv: &Conv, axis: usize, outputs: u32) -> Inside {
    let all = 0..conv.kernel[axis] as usize;
    Inside { cases: std::iter::once(all).collect(), of: vec![0; outputs as usize] }
}

fn inside(conv: &Conv, axis: usize, outputs: u32) -> Inside {
    let mut cases: Vec<std::ops::Range<usize>> = Vec::new();
    let of = (0..outputs as usize).map(|position| {
        let case = conv.taps(axis, position);
        cases.iter().position(|c| *c == case).unwrap_or_else(|| {
            cases.push(case);
            cases.len() - 1
        })
    });
    let of = of.collect();
    Inside { cases, of }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The sums of a convolution are those of its synapses, one by one.
        #[test]
        fn convolutions_are_summed_synapse_by_synapse(
            (groups, per_group_in, per_group_out) in (1_u32..3, 1_u32..3, 1_u32..3),
            (height, width) in (1_u32..6, 1_u32..6),
            kernel in prop::array::uniform2(1_u32..4),
            stride in prop::array::uniform2(1_u32..4),
            pad in prop::array::uniform4(0_u32..4),
            crop in prop::array::uniform4(0_u32..2),
            weights in proptest::collection::vec(-200.0_f32..=200.0, 200),
            ranges in proptest::collection::vec((-300_i64..=0, 0_i64..300), 4),
            spikes in any::<bool>(),
        ) {
            let input = [groups * per_group_in, height, width];
            let conv = Conv {
                input, out_channels: groups * per_group_out, kernel, stride, pad, groups, crop,
            };
            prop_assume!(conv.output().is_some());
            let structure = Structure::Conv(conv);
            let weights = Weights::finest(&weights, 1.0);
            let sent = if spikes {
                Sent::spikes()
            } else {
                let area = (height * width) as usize;
                let span = |n: usize| Span { low: ranges[n / area].0, high: ranges[n / area].1 };
                let spans: Vec<Span> = (0..structure.cols()).map(span).collect();
                Sent::messages(&Shape(input.to_vec()), &spans)
            };
            let mut sums = vec![Span { low: -1, high: 1 }; structure.rows()];
            let mut expected = sums.clone();
            for (row, sum) in expected.iter_mut().enumerate() {
                structure.for_row(row, |source, index| {
                    let (a, b) = (sent.of(source), weights.at(index));
                    sum.low += (a.low * b).min(a.high * b);
                    sum.high += (a.low * b).max(a.high * b);
                });
            }
            let before = sums.clone();
            add(&structure, &weights, &sent, Border::Inside, &mut sums);
            prop_assert_eq!(&sums, &expected);
            let mut whole = before;
            add(&structure, &weights, &sent, Border::Whole, &mut whole);
            for (whole, sum) in whole.iter().zip(&sums) {
                prop_assert!(whole.low <= sum.low && sum.high <= whole.high);
            }
        }
    }

    #[test]
    fn messages_are_bounded_per_channel() {
        let span = |low, high| Span { low, high };
        let sent = Sent::messages(
            &Shape::chw(2, 1, 2),
            &[span(0, 5), span(-1, 2), span(-4, 0), span(-3, -2)],
        );
        assert_eq!((sent.of(0), sent.of(1)), (span(-1, 5), span(-1, 5)));
        assert_eq!(sent.of(3), span(-4, 0), "a step without a message counts too");
    }
}
