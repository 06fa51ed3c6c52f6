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
    let passes = |sum: i64| Graded::passes(graded.keep, graded.shift, sum);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::AnyDraft;
    use crate::testing::{Space, quantized};
    use crate::text;
    use proptest::prelude::*;

    fn draft(text: &str) -> QuantizedDraft {
        match text::parse(text) {
            Ok(AnyDraft::Quantized(draft)) => draft,
            other => panic!("{other:?}"),
        }
    }

    fn range(draft: &QuantizedDraft, name: &str) -> Vec<Range> {
        let id = draft.population_named(name).unwrap();
        message_ranges(draft).unwrap()[id.index()].values().to_vec()
    }

    /// Every layout of a matrix, a host bias, and clips.
    const CHAIN: &str = r#"snn 1 quantized name "chain" steps 1 time logical
        mat0 "k" conv [2, 2, 2] to 2 kernel [1, 2] stride [1, 1] pad [0, 0, 0, 1] groups 2 mixed exponent 0
          from dense "k" { 2 4 -6 8 }
        mat1 "d" dense [2, 8] mixed exponent 0 from dense "d" { 2 2 2 2 0 0 0 0 0 0 0 0 2 0 0 -4 }
        mat2 "s" sparse [2, 2] row_start { 0 1 1 } col { 1 } mixed exponent 1 from dense "s" { -2 }
        mat3 "i" identity [2] mixed exponent -1 from dense "i" { -2 }
        pop0 "x" [2, 2, 2] = logical input events
        pop1 "direct" [2] = logical input direct range [-1, 2]
        pop2 "conv" [2, 2, 2] = logical graded keep both bias 1
        pop3 "dense" [2] = logical graded keep both bias 0
        pop4 "sparse" [2] = logical graded keep negative bias 0
        pop5 "up" [2] = logical graded keep positive bias 0
        pop6 "down" [2] = logical graded keep negative bias 3
        pop7 "hosted" [2] = logical graded keep both bias per_neuron { -10 0 }
        proj0 pop0 -> pop2 mat0 delay 0
        proj1 pop2 -> pop3 mat1 delay 0
        proj2 pop3 -> pop4 mat2 delay 3
        proj3 pop3 -> pop5 mat3 delay 0
        proj4 pop5 -> pop6 mat3 delay 0
        host pop1 -> pop7 dense [2, 2] scale 10.0 { 0.5 -0.25 0 1 }
        readout spike_count pop0"#;

    #[test]
    fn bounds_are_those_of_interval_arithmetic() {
        let draft = draft(CHAIN);
        assert_eq!(range(&draft, "x"), vec![(0, 1)]);
        assert_eq!(range(&draft, "direct"), vec![(0, 0)]);
        // Kernels 2 + 4 and -6 + 8, and the bias.
        assert_eq!(range(&draft, "conv"), vec![(0, 7), (-5, 9)]);
        // 4 · 2 · (0, 7); 2 · (-5, 9) - 4 · (-5, 9).
        assert_eq!(range(&draft, "dense"), vec![(0, 56), (-46, 38)]);
        // -4 · (-46, 38), and nothing; only what is below 0.
        assert_eq!(range(&draft, "sparse"), vec![(-152, 0), (0, 0)]);
        assert_eq!(range(&draft, "up"), vec![(0, 0), (0, 46)]);
        assert_eq!(range(&draft, "down"), vec![(0, 0), (-43, 0)]);
        // 10 · (0.5 · x - 0.25 · y) and 10 · y for x and y from -1 to 2; -12.5 + ... rounds to even.
        assert_eq!(range(&draft, "hosted"), vec![(-20, 2), (-10, 20)]);
    }

    #[test]
    fn loops_are_named() {
        let closed =
            CHAIN.replace("proj4 pop5 -> pop6 mat3 delay 0", "proj4 pop5 -> pop3 mat3 delay 7");
        let found = message_ranges(&draft(&closed));
        assert_eq!(found, Err(vec![vec![PopId::new(3), PopId::new(5)]]));
    }

    /// A bound beyond i64 is cut off, not wrapped.
    #[test]
    fn long_chains_saturate() {
        let pops =
            (1..9).map(|i| format!("pop{i} \"g{i}\" [1] = logical graded keep both bias 0\n"));
        let projs = (0..8).map(|i| format!("proj{i} pop{i} -> pop{} mat0 delay 0\n", i + 1));
        let chain: String = pops.chain(projs).collect();
        let draft = draft(&format!(
            r#"snn 1 quantized name "long" steps 1 time logical
            mat0 "i" identity [1] mixed exponent 7 from dense "i" {{ -256 }}
            pop0 "x" [1] = logical input events
            {chain} readout spike_count pop0"#
        ));
        assert_eq!(range(&draft, "g3"), vec![(-(1 << 45), 0)]);
        assert_eq!(range(&draft, "g8"), vec![(0, i64::MAX)]);
    }

    proptest! {
        /// Whatever sources send within their bounds, sums and messages keep to theirs; the sums of single
        /// neurons are exact.
        #[test]
        fn no_message_leaves_its_bounds(draft in quantized(Space::Everything), seed: u64) {
            let ranges = message_ranges(&draft).unwrap();
            let mut state = seed | 1;
            let mut draw = |(low, high): Range| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let span = u64::try_from(high - low).unwrap() + 1;
                low + i64::try_from(state % span).unwrap()
            };
            let sent: Vec<Vec<i64>> = draft.populations.iter().map(|(id, p)| {
                (0..p.size()).map(|n| draw(ranges[id.index()].at(n, &p.shape))).collect()
            }).collect();
            for (id, population) in draft.populations.iter().filter(|(_, p)| !p.is_input()) {
                let shape = &population.shape;
                let bounds = arrivals(&draft, &ranges, id);
                let host = host_range(&draft, id);
                for neuron in 0..population.size() {
                    let (mut sum, mut least, mut most) = (0, 0, 0);
                    for (_, p) in draft.projections_into(id) {
                        let from = &draft.populations[p.source].shape;
                        draft.matrices[p.matrix].for_row(neuron, |col, w| {
                            let w = i64::from(w);
                            sum += w * sent[p.source.index()][col];
                            let (low, high) = ranges[p.source.index()].at(col, from);
                            least += (w * low).min(w * high);
                            most += (w * low).max(w * high);
                        });
                    }
                    let exact = arrivals_at(&draft, &ranges, id, neuron);
                    prop_assert_eq!(exact, (least, most));
                    let (low, high) = bounds.at(neuron, shape);
                    prop_assert!(low <= least && most <= high, "{:?} {:?}", exact, (low, high));
                    if let Some(graded) = population.graded() {
                        let total = sum
                            + i64::from(graded.bias.at(neuron, shape))
                            + draw(host.at(neuron, shape));
                        let message = Graded::passes(graded.keep, graded.shift, total);
                        let (low, high) = ranges[id.index()].at(neuron, shape);
                        prop_assert!((low..=high).contains(&message));
                    }
                }
            }
        }

        /// What the host computes for a sample within the range is within the bounds.
        #[test]
        fn no_sample_leaves_the_bounds_of_the_host(
            (draft, feeds) in quantized(Space::Everything)
                .prop_flat_map(|d| (Just(d.clone()), crate::testing::feed(&d)))
        ) {
            let inputs = draft.populations.iter().filter(|(_, p)| p.is_input()).map(|(id, _)| id);
            let frames: Vec<_> = inputs.zip(feeds).collect();
            for target in draft.populations.ids() {
                let shape = &draft.populations[target].shape;
                let mut total = vec![0_i64; shape.size()];
                for host in draft.host.iter().filter(|h| h.target == target) {
                    for (input, feed) in &frames {
                        if let (true, crate::testing::Feed::Frame(sample)) = (*input == host.input, feed) {
                            let biases = host.biases(sample).unwrap();
                            total.iter_mut().zip(biases).for_each(|(t, b)| *t += i64::from(b));
                        }
                    }
                }
                let bounds = host_range(&draft, target);
                for (neuron, bias) in total.into_iter().enumerate() {
                    let (low, high) = bounds.at(neuron, shape);
                    prop_assert!((low..=high).contains(&bias), "{bias} is outside {low}..={high}");
                }
            }
        }
    }
}
