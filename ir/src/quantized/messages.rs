//! Bounds of messages: what may arrive at a neuron in one step, and what a graded relay may send.
//!
//! A spike is a message of 1. The message of a graded relay is bounded by interval arithmetic from the
//! messages that it reads; that ends because no loop consists of graded relays only. The bounds
//! hold for all inputs and all steps, the first ones included, in which nothing arrives yet. They are
//! attained where sources are independent and a convolution sees no padding.

use super::{Graded, IntMatrix, PopKind, QuantizedDraft, Structure};
use crate::arena::{Entity, PopId};
use crate::conv::Conv;
use crate::graph;
use crate::network::Coding;
use crate::param::Param;
use crate::shape::Shape;

/// Smallest and largest value, in units of weight (one spike through a weight of 1 counts 1).
/// Bounds beyond i64 are cut off there.
pub type Range = (i64, i64);

/// What each neuron of a population may send in one step, silence counting as 0: (0, 1) for spikes,
/// (0, 0) for a directly coded input; by [`PopId`] index.
///
/// **Complexity**: O(synapses into graded relays), a convolution counting as its kernel.
///
/// # Errors
/// The loops that consist of graded relays only, whatever their delays: their messages have no
/// bounds.
///
/// # Panics
/// If projections or host biases name populations or matrices that do not exist, or matrices do not
/// fit the populations (never in a verified network).
pub fn message_ranges(draft: &QuantizedDraft) -> Result<Vec<Param<Range>>, Vec<Vec<PopId>>> {
    let edges = graded_edges(draft);
    let Some(order) = graph::topological(draft.populations.len(), &edges) else {
        return Err(graded_loops(draft));
    };
    let spikes = draft.populations.values().map(|p| match p.kind {
        PopKind::Input(Coding::Direct { .. }) => Param::Uniform((0, 0)),
        _ => Param::Uniform((0, 1)),
    });
    let mut ranges: Vec<Param<Range>> = spikes.collect();
    for id in order.into_iter().map(PopId::new) {
        let population = &draft.populations[id];
        if let PopKind::Graded(graded) = &population.kind {
            let shape = &population.shape;
            let sums = arrivals(draft, &ranges, id).zip(&host_range(draft, id), shape, add).zip(
                &graded.bias,
                shape,
                |r, bias| add(r, (i64::from(bias), i64::from(bias))),
            );
            ranges[id.index()] = sums.map(|sum| sent(graded, sum)).compact(shape);
        }
    }
    Ok(ranges)
}

/// Loops that consist of graded relays only, whatever their delays.
pub(super) fn graded_loops(draft: &QuantizedDraft) -> Vec<Vec<PopId>> {
    let loops = graph::loops(draft.populations.len(), &graded_edges(draft));
    loops.into_iter().map(|part| part.into_iter().map(PopId::new).collect()).collect()
}

/// Projections between graded relays, as (source, target).
fn graded_edges(draft: &QuantizedDraft) -> Vec<(usize, usize)> {
    let graded = |id: PopId| draft.populations.get(id).is_some_and(|p| p.graded().is_some());
    let between = draft.projections.values().filter(|p| graded(p.source) && graded(p.target));
    between.map(|p| (p.source.index(), p.target.index())).collect()
}

/// What may arrive at each neuron of `target` in one step, biases left out, if every projection
/// delivers at once; `ranges` as [`message_ranges`] returns it.
///
/// # Panics
/// As [`message_ranges`].
pub fn arrivals(draft: &QuantizedDraft, ranges: &[Param<Range>], target: PopId) -> Param<Range> {
    let shape = &draft.populations[target].shape;
    let mut total = Param::Uniform((0, 0));
    for (_, projection) in draft.projections_into(target) {
        let source = &draft.populations[projection.source];
        let part = delivered(
            &draft.matrices[projection.matrix],
            &ranges[projection.source.index()],
            &source.shape,
        );
        total = total.zip(&grouped(part, shape), shape, add);
    }
    total
}

/// As [`arrivals`], of one neuron and exactly: a convolution counts without its padding.
///
/// # Panics
/// As [`message_ranges`].
pub fn arrivals_at(
    draft: &QuantizedDraft,
    ranges: &[Param<Range>],
    target: PopId,
    neuron: usize,
) -> Range {
    let mut total = (0, 0);
    for (_, projection) in draft.projections_into(target) {
        let range = &ranges[projection.source.index()];
        let shape = &draft.populations[projection.source].shape;
        draft.matrices[projection.matrix].for_row(neuron, |source, weight| {
            total = add(total, scaled(weight, range.at(source, shape)));
        });
    }
    total
}

/// What the host may add to the bias of each neuron of `target`, all directly coded inputs
/// together, over all samples within their ranges. An input without a range has no bounds.
///
/// # Panics
/// As [`message_ranges`].
pub fn host_range(draft: &QuantizedDraft, target: PopId) -> Param<Range> {
    let shape = &draft.populations[target].shape;
    let mut total = Param::Uniform((0, 0));
    for host in draft.host.iter().filter(|h| h.target == target) {
        let part = match draft.populations[host.input].kind {
            PopKind::Input(Coding::Direct { range: Some(range) }) => Param::PerNeuron(
                (0..shape.size()).map(|row| integers(host.range(row, range))).collect(),
            ),
            _ => Param::Uniform((i64::MIN, i64::MAX)),
        };
        total = total.zip(&part, shape, add);
    }
    total.compact(shape)
}

/// Whole numbers as integers.
#[expect(clippy::cast_possible_truncation, reason = "saturates, as bounds may")]
fn integers((low, high): (f64, f64)) -> Range {
    (low as i64, high as i64)
}

/// What a relay may send if its sums lie within `sum`; nothing, which is 0, is always possible.
fn sent(graded: &Graded, (low, high): Range) -> Range {
    let passes = |sum: i64| Graded::passes(graded.keep, sum);
    (passes(low).min(0), passes(high).max(0))
}

fn add(a: Range, b: Range) -> Range {
    (a.0.saturating_add(b.0), a.1.saturating_add(b.1))
}

/// `weight · m` over all messages `m` of a range, which holds 0.
fn scaled(weight: i32, (low, high): Range) -> Range {
    let [a, b] = [low, high].map(|m| m.saturating_mul(i64::from(weight)));
    (a.min(b), a.max(b))
}

/// What one projection may deliver to its rows, in equal groups of consecutive rows: one per row for
/// dense and sparse matrices; for an identity one per value of `source`; for a convolution one per
/// output channel, its whole kernel, which padding can only lessen.
fn delivered(matrix: &IntMatrix, source: &Param<Range>, shape: &Shape) -> Vec<Range> {
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

/// Range of each input channel of a convolution.
fn channels(conv: &Conv, source: &Param<Range>, shape: &Shape) -> Vec<Range> {
    let count = conv.input[0] as usize;
    match source {
        Param::Uniform(range) => vec![*range; count],
        Param::PerChannel(ranges) if ranges.len() == count => ranges.clone(),
        // The population is a vector that stands for the extents of the convolution.
        _ => {
            let all = source.expand(shape);
            let hull = |part: &[Range]| {
                part.iter().fold((0, 0), |a: Range, b| (a.0.min(b.0), a.1.max(b.1)))
            };
            all.chunks((all.len() / count).max(1)).map(hull).collect()
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
fn grouped(ranges: Vec<Range>, shape: &Shape) -> Param<Range> {
    match ranges[..] {
        [range] => Param::Uniform(range),
        _ if ranges.len() == shape.channels() => Param::PerChannel(ranges),
        _ => {
            let size = shape.size();
            Param::PerNeuron((0..size).map(|n| ranges[n * ranges.len() / size]).collect())
        }
    }
}
