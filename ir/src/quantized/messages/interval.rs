//! Interval arithmetic: what one projection may deliver to a row if all its sources are independent.

use super::cases::Cases;
use super::{Range, add};
use crate::arena::PopId;
use crate::conv::Conv;
use crate::network::Coding;
use crate::param::Param;
use crate::quantized::{IntMatrix, PopKind, Projection, QuantizedDraft, Structure, current_bounds};
use crate::shape::Shape;

/// `weight · m` over all messages `m` of a range, which holds 0.
fn scaled(weight: i32, (low, high): Range) -> Range {
    let [a, b] = [low, high].map(|m| m.saturating_mul(i64::from(weight)));
    (a.min(b), a.max(b))
}

/// What one projection may deliver to its rows, in equal groups of consecutive rows: one per row for
/// dense and sparse matrices; for an identity one per value of `source`; for a convolution one per
/// output channel, its whole kernel, which padding can only lessen.
pub(super) fn delivered(matrix: &IntMatrix, source: &Param<Range>, shape: &Shape) -> Vec<Range> {
    let row = |row: usize| {
        let mut total = (0, 0);
        matrix.for_row(row, |col, w| total = add(total, scaled(w, source.at(col, shape))));
        total
    };
    match &matrix.structure {
        Structure::Identity { .. } => {
            source.values().iter().map(|range| scaled(matrix.weight(0), *range)).collect()
        }
        Structure::Conv(conv) => kernels(matrix, conv, &channels(conv, source, shape)),
        Structure::Dense { .. } | Structure::Sparse { .. } => {
            (0..matrix.structure.rows()).map(row).collect()
        }
    }
}

/// Range of each input channel of a convolution, 0 included.
fn channels(conv: &Conv, source: &Param<Range>, shape: &Shape) -> Vec<Range> {
    let hull = |a: Range, b: Range| (a.0.min(b.0), a.1.max(b.1));
    let ranges = by_channel(source, shape, conv.input[0] as usize, hull);
    ranges.into_iter().map(|range| hull(range, (0, 0))).collect()
}

/// One value for each of `count` equal groups of consecutive neurons: what `join` makes of theirs.
/// The groups are the channels of a convolution; the population may be a vector that stands for its
/// extents.
pub(super) fn by_channel<T: Copy>(
    values: &Param<T>,
    shape: &Shape,
    count: usize,
    join: impl Fn(T, T) -> T + Copy,
) -> Vec<T> {
    match values {
        Param::Uniform(value) => vec![*value; count],
        Param::PerChannel(values) if values.len() == count => values.clone(),
        _ => {
            let all = values.expand(shape);
            let groups = all.chunks((all.len() / count.max(1)).max(1));
            groups.filter_map(|group| group.iter().copied().reduce(join)).collect()
        }
    }
}

/// Sum of the whole kernel of each output channel.
fn kernels(matrix: &IntMatrix, conv: &Conv, channels: &[Range]) -> Vec<Range> {
    let [outputs, inputs, height, width] = conv.kernel_shape().map(|d| d as usize);
    let per_group = outputs / conv.groups as usize;
    let kernel = |output: usize| {
        let first = output / per_group * inputs;
        let cells = (0..inputs).flat_map(|i| (0..height * width).map(move |cell| (i, cell)));
        cells.fold((0, 0), |total, (input, cell)| {
            let weight = matrix.weight((output * inputs + input) * height * width + cell);
            add(total, scaled(weight, channels[first + input]))
        })
    };
    (0..outputs).map(kernel).collect()
}

/// Ranges of equal groups of neurons as a parameter of a population.
pub(super) fn grouped(ranges: Vec<Range>, shape: &Shape) -> Param<Range> {
    match ranges[..] {
        [range] => Param::Uniform(range),
        _ if ranges.len() == shape.channels() => Param::PerChannel(ranges),
        _ => {
            let size = shape.size();
            Param::PerNeuron((0..size).map(|n| ranges[n * ranges.len() / size]).collect())
        }
    }
}

/// What one projection may deliver to single neurons: a convolution counts without its padding.
pub(super) struct Local<'a> {
    matrix: &'a IntMatrix,
    source: &'a Param<Range>,
    shape: &'a Shape,
    /// Of a convolution whose sources are alike within a channel.
    cases: Option<Cases>,
}

impl<'a> Local<'a> {
    /// `source` is what the source of `projection` may send.
    pub(super) fn new(
        draft: &'a QuantizedDraft,
        projection: &Projection,
        source: &'a Param<Range>,
    ) -> Self {
        let matrix = &draft.matrices[projection.matrix];
        let shape = &draft.populations[projection.source].shape;
        let cases = match (&matrix.structure, source) {
            (Structure::Conv(conv), Param::Uniform(_)) => Cases::new(conv),
            (Structure::Conv(conv), Param::PerChannel(ranges))
                if ranges.len() == conv.input[0] as usize =>
            {
                Cases::new(conv)
            }
            _ => None,
        };
        Self { matrix, source, shape, cases }
    }

    /// What may arrive at `neuron`.
    pub(super) fn at(&mut self, neuron: usize) -> Range {
        let Self { matrix, source, shape, cases } = self;
        let sum = || {
            let mut total = (0, 0);
            matrix.for_row(neuron, |col, weight| {
                total = add(total, scaled(weight, source.at(col, shape)));
            });
            total
        };
        match cases {
            None => sum(),
            Some(cases) => cases.of(neuron, sum),
        }
    }
}

/// What the host may add to the bias of each neuron of `target`, all directly coded inputs
/// together, over all samples within their ranges. An input without a range has no bounds.
///
/// # Panics
/// As [`message_ranges`](super::message_ranges).
pub fn host_range(draft: &QuantizedDraft, target: PopId) -> Param<Range> {
    let shape = &draft.populations[target].shape;
    let mut total = Param::Uniform((0, 0));
    for host in draft.host.iter().filter(|h| h.target == target) {
        let PopKind::Input(Coding::Direct { range: Some(range) }) =
            draft.populations[host.input].kind
        else {
            total = Param::Uniform((i64::MIN, i64::MAX));
            continue;
        };
        let row = |row| {
            let bounds = current_bounds(&host.structure, &host.weights, row, range);
            integers(host.rounded(bounds))
        };
        // Rows with equal weights in the same order have the same sums, down to the last bit.
        let mut cases = match &host.structure {
            Structure::Conv(conv) => Cases::new(conv),
            _ => None,
        };
        let rows = (0..shape.size()).map(|neuron| match &mut cases {
            Some(cases) => cases.of(neuron, || row(neuron)),
            None => row(neuron),
        });
        let part = Param::PerNeuron(rows.collect());
        total = total.zip(&part, shape, add);
    }
    total.compact(shape)
}

/// Whole numbers as integers.
#[expect(clippy::cast_possible_truncation, reason = "saturates, as bounds may")]
fn integers((low, high): (f64, f64)) -> Range {
    (low as i64, high as i64)
}
