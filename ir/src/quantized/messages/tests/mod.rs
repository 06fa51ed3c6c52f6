//! Bounds of messages, worked out by hand and against whatever sources may send.

mod chains;

use super::*;
use crate::level::AnyDraft;
use crate::network::Keep;
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

/// By intervals alone.
fn loose(draft: &QuantizedDraft, name: &str) -> Vec<Range> {
    let id = draft.population_named(name).unwrap();
    Bounds::new(draft).unwrap().loose_messages(id).values().to_vec()
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
fn intervals_are_those_of_independent_sources() {
    let draft = draft(CHAIN);
    assert_eq!(loose(&draft, "x"), vec![(0, 1)]);
    assert_eq!(loose(&draft, "direct"), vec![(0, 0)]);
    // Kernels 2 + 4 and -6 + 8, and the bias.
    assert_eq!(loose(&draft, "conv"), vec![(0, 7), (-5, 9)]);
    // 4 · 2 · (0, 7); 2 · (-5, 9) - 4 · (-5, 9).
    assert_eq!(loose(&draft, "dense"), vec![(0, 56), (-46, 38)]);
    // -4 · (-46, 38), and nothing; only what is below 0.
    assert_eq!(loose(&draft, "sparse"), vec![(-152, 0), (0, 0)]);
    assert_eq!(loose(&draft, "up"), vec![(0, 0), (0, 46)]);
    assert_eq!(loose(&draft, "down"), vec![(0, 0), (-43, 0)]);
    // 10 · (0.5 · x - 0.25 · y) and 10 · y for x and y from -1 to 2; -12.5 + ... rounds to even.
    assert_eq!(loose(&draft, "hosted"), vec![(-20, 2), (-10, 20)]);
}

#[test]
fn relays_of_relays_are_bounded_through_both_matrices() {
    let draft = draft(CHAIN);
    assert_eq!(range(&draft, "conv"), vec![(0, 7), (-5, 9)], "spikes are independent");
    // The padding is seen: 2 · (2 a + 6 b + 2) for each of two rows of pixels; the second neuron of
    // "dense" reads 2 · (-6 a + 8 b + 1) - 4 · (-6 c + 1).
    assert_eq!(range(&draft, "dense"), vec![(0, 40), (-14, 38)]);
    assert_eq!(range(&draft, "sparse"), vec![(-152, 0), (0, 0)]);
    assert_eq!(range(&draft, "up"), vec![(0, 0), (0, 14)]);
    assert_eq!(range(&draft, "down"), vec![(0, 0), (-11, 0)]);
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
    let pops = (1..9).map(|i| format!("pop{i} \"g{i}\" [1] = logical graded keep both bias 0\n"));
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
    /// Whatever sources send within their bounds, sums and messages keep to theirs; composed bounds are
    /// never larger than those of intervals, and both ways to ask agree.
    #[test]
    fn no_message_leaves_its_bounds(draft in quantized(Space::Everything), seed: u64) {
        let ranges = message_ranges(&draft).unwrap();
        let bounds = Bounds::new(&draft).unwrap();
        let mut state = seed | 1;
        let mut draw = |(low, high): Range| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let span = u64::try_from(high - low).unwrap() + 1;
            low + i64::try_from(state % span).unwrap()
        };
        let mut sent: Vec<Vec<i64>> = draft.populations.iter().map(|(id, p)| {
            (0..p.size()).map(|n| draw(ranges[id.index()].at(n, &p.shape))).collect()
        }).collect();
        let hosts: Vec<_> = draft.populations.ids().map(|id| host_range(&draft, id)).collect();
        let relays = bounds.order.clone().into_iter();
        let others = draft.populations.iter().filter(|(_, p)| p.neuron().is_some());
        for id in relays.chain(others.map(|(id, _)| id)) {
            let population = &draft.populations[id];
            let shape = &population.shape;
            let all = arrivals(&draft, &ranges, id);
            prop_assert_eq!(&all, bounds.arrivals(id));
            let loose = bounds.loose_arrivals(id);
            let mut local = bounds.local_arrivals(id);
            for neuron in 0..population.size() {
                let mut sum = 0;
                for (_, p) in draft.projections_into(id) {
                    draft.matrices[p.matrix].for_row(neuron, |col, w| {
                        sum += i64::from(w) * sent[p.source.index()][col];
                    });
                }
                let (low, high) = arrivals_at(&draft, &ranges, id, neuron);
                prop_assert_eq!(local(neuron), (low, high));
                prop_assert!((low..=high).contains(&sum), "{sum} is outside {low}..={high}");
                for wider in [all.at(neuron, shape), loose.at(neuron, shape)] {
                    prop_assert!(wider.0 <= low && high <= wider.1, "{:?}", (wider, low, high));
                }
                if let Some(graded) = population.graded() {
                    let total = sum
                        + i64::from(graded.bias.at(neuron, shape))
                        + draw(hosts[id.index()].at(neuron, shape));
                    let message = Graded::passes(graded.keep, graded.shift, total);
                    let (low, high) = ranges[id.index()].at(neuron, shape);
                    prop_assert!((low..=high).contains(&message));
                    let wider = bounds.loose_messages(id).at(neuron, shape);
                    prop_assert!(wider.0 <= low && high <= wider.1);
                    // What a plain relay sends follows from what it reads.
                    sent[id.index()][neuron] = message;
                }
            }
        }
    }

    /// Where relays clip, intervals are exact for single neurons.
    #[test]
    fn sums_of_independent_messages_are_exact(draft in quantized(Space::Everything)) {
        let mut draft = draft;
        for population in draft.populations.values_mut() {
            if let PopKind::Graded(graded) = &mut population.kind {
                graded.keep = graded.keep.or(Some(Keep::Positive));
            }
        }
        let ranges = message_ranges(&draft).unwrap();
        for (id, population) in draft.populations.iter() {
            for neuron in 0..population.size() {
                let (mut least, mut most) = (0, 0);
                for (_, p) in draft.projections_into(id) {
                    let from = &draft.populations[p.source].shape;
                    draft.matrices[p.matrix].for_row(neuron, |col, w| {
                        let (low, high) = ranges[p.source.index()].at(col, from);
                        let w = i64::from(w);
                        least += (w * low).min(w * high);
                        most += (w * low).max(w * high);
                    });
                }
                prop_assert_eq!(arrivals_at(&draft, &ranges, id, neuron), (least, most));
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
