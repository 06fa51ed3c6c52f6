//! Bounds through chains of linear relays: by hand, against what is sent, and against the verifier.

use super::*;
use proptest::prelude::*;
use snnc_ir::level::AnyDraft;
use snnc_ir::network::Coding;
use snnc_ir::quantized::messages::Bounds;
use snnc_ir::quantized::{PopKind, Population};
use snnc_ir::testing::{Space, quantized};
use snnc_ir::text;

fn draft(text: &str) -> QuantizedDraft {
    match text::parse(text) {
        Ok(AnyDraft::Quantized(draft)) => draft,
        other => panic!("{other:?}"),
    }
}

/// Bounds of what arrives at each neuron, by intervals and as close as they get.
fn bounds(draft: &QuantizedDraft, name: &str) -> Vec<(Span, Span)> {
    let (host, mut sums) = (Host::of(draft), RowSums::default());
    let sends = sends::sends(draft, &host, &mut sums).unwrap();
    let id = draft.population_named(name).unwrap();
    let into: Vec<_> = draft.projections_into(id).map(|(p, _)| p).collect();
    let facts = Facts { source: draft, host: &host, sends: &sends };
    let mut linear = Linear::default();
    (0..draft.populations[id].size())
        .map(|n| {
            let sum = sends::arriving(draft, &sends, &mut sums, &into, n);
            (span(sum.low, sum.high), linear.arriving(facts, id, n))
        })
        .collect()
}

const fn span(low: i64, high: i64) -> Span {
    Span { low, high }
}

/// A network of matrices (layout and weights, all even), populations and projections (source, target,
/// matrix, delay). Population 0 spikes, the others are relays.
fn network(
    matrices: &[(&str, &str)],
    populations: &[(&str, &str)],
    projections: &[(usize, usize, usize, u32)],
) -> QuantizedDraft {
    let matrices = matrices.iter().enumerate().map(|(i, (layout, weights))| {
        format!("mat{i} \"m{i}\" {layout} mixed exponent 0 from dense \"w\" {{ {weights} }}\n")
    });
    let populations = populations.iter().enumerate().map(|(i, (shape, keep))| {
        let kind = if i == 0 { "input events".to_owned() } else { format!("graded keep {keep}") };
        format!("pop{i} \"g{i}\" {shape} = logical {kind}\n")
    });
    let projections = projections.iter().enumerate().map(|(i, (from, to, matrix, delay))| {
        format!("proj{i} pop{from} -> pop{to} mat{matrix} delay {delay}\n")
    });
    let parts: String = matrices.chain(populations).chain(projections).collect();
    draft(&format!(
        "snn 1 quantized name \"n\" steps 4 time logical\n{parts}readout spike_count pop0"
    ))
}

const PLAIN: &str = "both bias 0";
const LAST: &str = "positive bias 0";

/// Two relays that see the same spikes: 3x + y and 3x - y, in weights of 2; and a reader of both, through 5
/// and -4.
const DIFFERENCE: [(&str, &str); 2] = [("dense [2, 2]", "6 2 6 -2"), ("dense [1, 2]", "10 -8")];

/// What arrives at the only neuron of the last population.
fn arriving(draft: &QuantizedDraft) -> Span {
    let found = bounds(draft, &format!("g{}", draft.populations.len() - 1));
    assert_eq!(found.len(), 1);
    found[0].1
}

/// What the reader of [`DIFFERENCE`] receives of such relays.
fn difference(relays: &str, projections: &[(usize, usize, usize, u32)]) -> Span {
    let populations = [("[2]", ""), ("[2]", relays), ("[1]", LAST)];
    arriving(&network(&DIFFERENCE, &populations, projections))
}

#[test]
fn what_cancels_is_not_counted() {
    let populations = [("[2]", ""), ("[2]", PLAIN), ("[1]", LAST)];
    let once = network(&DIFFERENCE, &populations, &[(0, 1, 0, 0), (1, 2, 1, 0)]);
    // Messages: 0..8 and -2..6. By intervals 10·(0..8) - 8·(-2..6); as a form 60x + 20y - 48x + 16y.
    assert_eq!(bounds(&once, "g2"), [(span(-48, 96), span(0, 48))]);
    // A bias of 1 before a shift of 2: 4m = a + η, η from -2 to 1. The form is 12x + 36y over 4, plus
    // 10 and -8 times -2..1, over 4: from -20 - 8 to 10 + 16.
    let shifted = difference("both bias 1 shift 2", &[(0, 1, 0, 0), (1, 2, 1, 0)]);
    assert_eq!(shifted, span(-7, (48 + 26) / 4));
    // Another step: nothing cancels between messages of different steps.
    let delayed = difference(PLAIN, &[(0, 1, 0, 0), (1, 2, 1, 0), (1, 2, 1, 1)]);
    assert_eq!(delayed, span(0, 96));
}

#[test]
fn parts_of_one_matrix_are_added_before_they_are_bounded() {
    let split = [DIFFERENCE[0], DIFFERENCE[1], ("dense [1, 2]", "-8 10")];
    let populations = [("[2]", ""), ("[2]", PLAIN), ("[1]", LAST)];
    let both = [(0, 1, 0, 0), (1, 2, 1, 0), (1, 2, 2, 0)];
    // 2·(3x + y) + 2·(3x - y), in weights of 2.
    assert_eq!(arriving(&network(&split, &populations, &both)), span(0, 24));
}

#[test]
fn biases_cancel_like_messages() {
    let now = [(0, 1, 0, 0), (1, 2, 1, 0)];
    // 10·5 - 8·5 and what the spikes bring.
    assert_eq!(difference("both bias 5", &now), span(0, 58));
    assert_eq!(difference("both bias -5", &now), span(-10, 38));
    // Nothing arrives in the first step.
    assert_eq!(difference("both bias 5", &[(0, 1, 0, 0), (1, 2, 1, 1)]), span(0, 58));
    // Two steps of one relay: 0..48 - 10 in each, but in the first step only one of them.
    let twice = [(0, 1, 0, 0), (1, 2, 1, 0), (1, 2, 1, 1)];
    assert_eq!(difference("both bias -5", &twice), span(-20, 38 + 48));
}

#[test]
fn relays_one_for_one_leave_a_form_as_it_is() {
    let matrices = [DIFFERENCE[0], DIFFERENCE[1], ("identity [2]", "2")];
    let mut populations = vec![("[2]", ""), ("[2]", PLAIN)];
    let mut projections = vec![(0, 1, 0, 0)];
    for i in 2..9 {
        populations.push(("[2]", PLAIN));
        projections.push((i - 1, i, 2, 0));
    }
    populations.push(("[1]", LAST));
    projections.push((8, 9, 1, 0));
    let found = arriving(&network(&matrices, &populations, &projections));
    assert_eq!(found, span(0, 48 << 7));
}

#[test]
fn parts_take_the_smaller_bound_each() {
    let matrices = [DIFFERENCE[0], DIFFERENCE[1], ("dense [1, 2]", "2 0"), ("dense [1, 1]", "10")];
    let populations = [("[2]", ""), ("[2]", PLAIN), ("[1]", "both bias 0 shift 6"), ("[1]", LAST)];
    let projections = [(0, 1, 0, 0), (1, 3, 1, 0), (0, 2, 2, 0), (2, 3, 3, 0)];
    // The second relay sends 2x >> 6, which is 0. As a form that is 10·2x / 64 - 10·63 / 64.
    assert_eq!(arriving(&network(&matrices, &populations, &projections)), span(0, 48));
}

#[test]
fn ways_through_channels_of_any_number_meet() {
    // One relay reads 3x of its pixel, others 3x and x, through one more: a·3x - (3x, x)·(a, 0).
    let conv = |from: u32, to: u32| {
        format!("conv [{from}, 1, 2] to {to} kernel [1, 1] stride [1, 1] pad [0, 0, 0, 0] groups 1")
    };
    let (one, spread, join) = (conv(1, 1), conv(1, 2), conv(2, 1));
    let window = "conv [1, 1, 2] to 1 kernel [1, 2] stride [1, 1] pad [0, 0, 0, 0] groups 1";
    let matrices = [
        (one.as_str(), "6"),
        (spread.as_str(), "6 2"),
        ("identity [4]", "2"),
        (one.as_str(), "20"),
        (join.as_str(), "-10 0"),
        (window, "2 4"),
    ];
    let (single, double) = ("[1, 1, 2]", "[2, 1, 2]");
    let populations = [
        (single, ""),
        (single, PLAIN),
        (double, PLAIN),
        (double, PLAIN),
        (single, PLAIN),
        ("[1, 1, 1]", LAST),
    ];
    let projections =
        [(0, 1, 0, 0), (0, 2, 1, 0), (2, 3, 2, 0), (1, 4, 3, 0), (3, 4, 4, 0), (4, 5, 5, 0)];
    assert_eq!(arriving(&network(&matrices, &populations, &projections)), span(0, 0));
}

#[test]
fn readers_of_neurons_see_through_kernels() {
    let window = "conv [1, 1, 3] to 1 kernel [1, 2] stride [1, 1] pad [0, 0, 0, 0] groups 1";
    let matrices = [(window, "6 6"), ("dense [1, 2]", "10 -10")];
    let populations = [("[1, 1, 3]", ""), ("[1, 1, 2]", PLAIN), ("[1]", LAST)];
    // 10·(6a + 6b) - 10·(6b + 6c).
    let found = arriving(&network(&matrices, &populations, &[(0, 1, 0, 0), (1, 2, 1, 0)]));
    assert_eq!(found, span(-60, 60));
}

#[test]
fn biases_of_neurons_count_where_they_are() {
    let window = "conv [1, 1, 2] to 1 kernel [1, 2] stride [1, 1] pad [0, 0, 0, 0] groups 1";
    let matrices = [("identity [2]", "2"), (window, "2 -2")];
    let biased = "both bias per_neuron { 8 -8 }";
    let populations = [("[1, 1, 2]", ""), ("[1, 1, 2]", biased), ("[1, 1, 1]", LAST)];
    // 2·(0..10) - 2·(-8..0).
    let found = arriving(&network(&matrices, &populations, &[(0, 1, 0, 0), (1, 2, 1, 0)]));
    assert_eq!(found, span(0, 36));
}

#[test]
fn what_is_cut_at_zero_is_what_a_form_leaves() {
    let matrices = [DIFFERENCE[0], DIFFERENCE[1], ("dense [1, 1]", "-6")];
    let populations = [("[2]", ""), ("[2]", PLAIN), ("[1]", "positive bias 4"), ("[1]", LAST)];
    let projections = [(0, 1, 0, 0), (1, 2, 1, 0), (2, 3, 2, 0)];
    // -6·(0..48 + 4).
    assert_eq!(arriving(&network(&matrices, &populations, &projections)), span(-312, 0));
}

/// Runs four steps with random spikes; no sum and no message may leave its bounds.
fn watch(draft: &QuantizedDraft, seed: u64, dense: u64) -> Result<(), TestCaseError> {
    let (host, mut linear) = (Host::of(draft), Linear::default());
    let Ok(sends) = sends::sends(draft, &host, &mut RowSums::default()) else { return Ok(()) };
    let facts = Facts { source: draft, host: &host, sends: &sends };
    let mut state = seed | 1;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 8
    };
    let order = draft.order().unwrap();
    let mut sent: Vec<Vec<Vec<i64>>> = vec![vec![]; draft.populations.len()];
    // The host writes once, what it can at most.
    let written = draft.populations.iter().map(|(id, p)| {
        let one = |n| {
            let span = host.at(id, n);
            if draw() % 2 == 0 { span.low } else { span.high }
        };
        (0..p.size()).map(one).collect()
    });
    let written: Vec<Vec<i64>> = written.collect();
    for t in 0..4_usize {
        for &id in &order {
            let population = &draft.populations[id];
            let mut row = Vec::new();
            for n in 0..population.size() {
                let mut sum = 0;
                for (_, p) in draft.projections_into(id) {
                    let Some(then) = t.checked_sub(p.delay as usize) else { continue };
                    let past = &sent[p.source.index()][then];
                    let matrix = &draft.matrices[p.matrix];
                    matrix.for_row(n, |col, w| sum += i64::from(w) * past[col]);
                }
                let tight = linear.arriving(facts, id, n);
                let inside = tight.low <= sum && sum <= tight.high;
                prop_assert!(inside, "{sum} outside {tight:?} of {}", population.name);
                row.push(match &population.kind {
                    PopKind::Graded(relay) => {
                        let bias = i64::from(relay.bias.at(n, &population.shape));
                        let sum = sum + bias + written[id.index()][n];
                        let message = Graded::passes(relay.keep, relay.shift, sum);
                        let span = linear.sent(facts, id).at(n);
                        prop_assert!(span.low <= message && message <= span.high);
                        message
                    }
                    PopKind::Input(Coding::Direct { .. }) => 0,
                    PopKind::Input(_) | PopKind::Neurons(_) => i64::from(draw() % 4 < dense),
                });
            }
            sent[id.index()].push(row);
        }
    }
    Ok(())
}

/// Spikes, two relays and a reader, joined by convolutions of any geometry; the reader reads the second
/// relay twice, through weights of both signs.
fn stages() -> impl Strategy<Value = Option<QuantizedDraft>> {
    let stage = (
        1_u32..4,
        prop::array::uniform2(prop_oneof![Just(1_u32), 1_u32..4]),
        prop::array::uniform2(1_u32..3),
        prop::array::uniform4(0_u32..2),
        (0_u8..3, -3_i32..4, 0_u32..2),
    );
    let weights = prop::collection::vec(-9_i16..10, 1..60);
    ((1_u32..3, 2_u32..5, 2_u32..5), prop::collection::vec(stage, 3), weights).prop_map(
        |((channels, height, width), stages, weights)| {
            let mut input = [channels, height, width];
            let mut pick = weights.iter().copied().cycle();
            let mut matrices = String::new();
            let mut populations = format!("pop0 \"x\" {input:?} = logical input events\n");
            let mut projections = String::new();
            for (i, (out_channels, kernel, stride, pad, (shift, bias, delay))) in
                stages.into_iter().enumerate()
            {
                let (groups, crop) = (1, [0; 4]);
                let conv = Conv { input, out_channels, kernel, stride, pad, groups, crop };
                let output = conv.output().filter(|o| !o.contains(&0))?;
                // The last stage comes twice.
                for copy in 0..=i / 2 {
                    let mat = i + copy;
                    let values: Vec<String> = (0..conv.kernel_size())
                        .map(|_| (2 * pick.next().unwrap_or(0)).to_string())
                        .collect();
                    matrices += &format!(
                        "mat{mat} \"m{mat}\" conv {input:?} to {out_channels} kernel {kernel:?} \
                         stride {stride:?} pad {pad:?} groups 1 mixed exponent -1 from dense \
                         \"w\" {{ {} }}\n",
                        values.join(" ")
                    );
                    let late = delay * u32::try_from(copy).ok()?;
                    projections +=
                        &format!("proj{mat} pop{i} -> pop{} mat{mat} delay {late}\n", i + 1);
                }
                let keep = if i == 2 { "positive" } else { "both" };
                let shift = if shift == 0 { String::new() } else { format!(" shift {shift}") };
                populations += &format!(
                    "pop{} \"g{i}\" {output:?} = logical graded keep {keep} bias {bias}{shift}\n",
                    i + 1
                );
                input = output;
            }
            Some(draft(&format!(
                "snn 1 quantized name \"s\" steps 4 time logical\n{matrices}{populations}\
                 {projections}readout spike_count pop0"
            )))
        },
    )
}

proptest! {
    #[test]
    fn no_sum_leaves_its_bounds(
        draft in prop_oneof![quantized(Space::Stages), quantized(Space::Everything)],
        seed in any::<u64>(), dense in 0_u64..5,
    ) {
        watch(&draft, seed, dense)?;
    }

    /// Kernels, strides and padding in every place of a chain.
    #[test]
    fn no_sum_of_a_chain_leaves_its_bounds(
        draft in stages(), seed in any::<u64>(), dense in 1_u64..5,
    ) {
        let Some(draft) = draft else { return Ok(()) };
        watch(&draft, seed, dense)?;
    }
}

/// Numbers from a seed.
struct Draw(u64);

impl Draw {
    /// One of `0..n`.
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 20) % n as u64).unwrap()
    }

    fn list(&mut self, len: usize, least: i32, most: i32) -> String {
        let span = usize::try_from(most - least + 1).unwrap();
        let mut one = |_| (least + i32::try_from(self.below(span)).unwrap()).to_string();
        (0..len).map(&mut one).collect::<Vec<_>>().join(" ")
    }

    /// A matrix between populations of so many channels of `height` · `width` neurons each.
    fn matrix(&mut self, [from, to]: [usize; 2], [height, width]: [usize; 2]) -> String {
        let plane = height * width;
        let [rows, cols] = [to * plane, from * plane];
        let values = |draw: &mut Self, len: usize| {
            let mantissas = draw.list(len, -9, 9);
            let doubled = mantissas.split(' ').filter(|m| !m.is_empty());
            let doubled = doubled.map(|m| (2 * m.parse::<i32>().unwrap()).to_string());
            doubled.collect::<Vec<_>>().join(" ")
        };
        // Kernels that leave height and width as they are.
        let kernels =
            [([1, 1], [0; 4]), ([3, 3], [1; 4]), ([2, 1], [0, 1, 0, 0]), ([1, 2], [0, 0, 1, 0])];
        let (layout, stored) = match self.below(9) {
            0 => (format!("dense [{rows}, {cols}]"), rows * cols),
            1 => {
                let col = self.below(cols);
                let start = (0..=rows).map(|r| r.min(2).to_string()).collect::<Vec<_>>().join(" ");
                let len = rows.min(2);
                let cols_of = vec![col.to_string(); len].join(" ");
                let layout =
                    format!("sparse [{rows}, {cols}] row_start {{ {start} }} col {{ {cols_of} }}");
                (layout, len)
            }
            2 | 3 if from == to => (format!("identity [{rows}]"), 1),
            _ => {
                let (kernel, pad) = kernels[self.below(4)];
                let crop = if self.below(6) == 0 && pad[1] > 0 && height > 1 {
                    " crop [0, 1, 0, 0]"
                } else {
                    ""
                };
                let pad = if crop.is_empty() { pad } else { [pad[0], pad[1] + 1, pad[2], pad[3]] };
                let layout = format!(
                    "conv [{from}, {height}, {width}] to {to} kernel {kernel:?} stride [1, 1] pad {pad:?} \
                     groups 1{crop}"
                );
                (layout, from * to * kernel[0] * kernel[1])
            }
        };
        format!("{layout} mixed exponent -1 from dense \"w\" {{ {} }}", values(self, stored))
    }
}

/// Up to six relays, each of which reads earlier ones or spikes, through matrices of any layout.
fn web(seed: u64) -> QuantizedDraft {
    let draw = &mut Draw(seed | 1);
    let extents = [1 + draw.below(3), 1 + draw.below(3)];
    let plane = extents[0] * extents[1];
    let shape = |channels: usize| format!("[{channels}, {}, {}]", extents[0], extents[1]);
    let mut channels = vec![1 + draw.below(3)];
    let mut matrices = String::new();
    let mut populations = format!("pop0 \"x\" {} = logical input events\n", shape(channels[0]));
    let mut projections = String::new();
    let (mut mats, mut projs) = (0, 0);
    for pop in 1..2 + draw.below(6) {
        let own = 1 + draw.below(3);
        for _ in 0..=draw.below(3) {
            let source = if draw.below(2) == 0 { pop - 1 } else { draw.below(pop) };
            let delay = draw.below(4) / 3;
            let ends = [channels[source], own];
            matrices += &format!("mat{mats} \"m{mats}\" {}\n", draw.matrix(ends, extents));
            projections +=
                &format!("proj{projs} pop{source} -> pop{pop} mat{mats} delay {delay}\n");
            mats += 1;
            projs += 1;
        }
        let keep = ["both", "both", "both", "both", "positive", "negative"][draw.below(6)];
        let bias = match draw.below(4) {
            0 => "0".to_owned(),
            1 => draw.list(1, -20, 20),
            2 => format!("per_channel {{ {} }}", draw.list(own, -20, 20)),
            _ => format!("per_neuron {{ {} }}", draw.list(own * plane, -20, 20)),
        };
        let shift = match draw.below(4) {
            0 => format!(" shift {}", 1 + draw.below(4)),
            _ => String::new(),
        };
        let of = shape(own);
        populations +=
            &format!("pop{pop} \"g{pop}\" {of} = logical graded keep {keep} bias {bias}{shift}\n");
        channels.push(own);
    }
    draft(&format!(
        "snn 1 quantized name \"web\" steps 4 time logical\n{matrices}{populations}{projections}\
         readout spike_count pop0"
    ))
}

/// What arrives at every neuron at most, and what is sent.
fn certified(draft: &QuantizedDraft) -> Option<(Vec<Vec<Span>>, Vec<Sends>)> {
    let (host, mut linear) = (Host::of(draft), Linear::default());
    let sends = sends::sends(draft, &host, &mut RowSums::default()).ok()?;
    let facts = Facts { source: draft, host: &host, sends: &sends };
    let sent = draft.populations.ids().map(|id| linear.sent(facts, id).clone()).collect();
    let each = |(id, population): (PopId, &Population)| {
        (0..population.size()).map(|n| linear.arriving(facts, id, n)).collect()
    };
    Some((draft.populations.iter().map(each).collect(), sent))
}

/// What the certificate says is within what the verifier says.
fn holds_the_verifier(draft: &QuantizedDraft) -> Result<(), TestCaseError> {
    let Some((sums, sends)) = certified(draft) else { return Ok(()) };
    let theirs = Bounds::new(draft).unwrap();
    for (id, population) in draft.populations.iter() {
        let mut local = theirs.local_arrivals(id);
        for n in 0..population.size() {
            let own = sums[id.index()][n];
            let (low, high) = local(n);
            prop_assert!(
                low.min(0) <= own.low && own.high <= high.max(0),
                "{own:?} arrive at {} {n}, not {low}..={high}",
                population.name
            );
            let own = sends[id.index()].at(n);
            let (low, high) = theirs.messages(id).at(n, &population.shape);
            prop_assert!(
                low <= own.low && own.high <= high,
                "{} {n} sends {own:?}, not {low}..={high}",
                population.name
            );
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_bound_of_a_network_is_wider_than_the_verifiers(
        draft in prop_oneof![quantized(Space::Stages), quantized(Space::Everything)],
    ) {
        holds_the_verifier(&draft)?;
    }

    #[test]
    fn no_bound_of_a_chain_is_wider_than_the_verifiers(draft in stages()) {
        if let Some(draft) = draft {
            holds_the_verifier(&draft)?;
        }
    }

    #[test]
    fn no_bound_of_a_web_is_wider_than_the_verifiers(seed: u64) {
        holds_the_verifier(&web(seed))?;
    }

    #[test]
    fn no_sum_of_a_web_leaves_its_bounds(seed: u64, dense in 1_u64..5) {
        watch(&web(seed), seed, dense)?;
    }
}
