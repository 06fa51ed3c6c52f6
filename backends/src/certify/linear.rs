//! Tight bounds of what chains of linear relays deliver.
//!
//! A relay that passes both signs sends `m = (a + b) >> s`, that is `2^s · m = a + b − e` with a remainder
//! `0 ≤ e < 2^s`. A sum `Σ w·m` over such relays is therefore, over a common power of two, a linear form of
//! what *they* read, plus an interval for biases and remainders. Weights of opposite signs cancel in the form,
//! where the product of intervals would count both.
//!
//! A form has one coefficient for each channel and kernel cell of each *leaf*: a population that spikes, or
//! whose messages are cut at 0. Relays that read in other steps or through other windows have coefficients of
//! their own, because they see other messages. So has every cell of a kernel for every cell of a kernel
//! behind it; messages that several of these see count several times, which only widens the bound. Within one
//! channel, padding of either kernel leaves out whole cells, with all coefficients that read through them,
//! and what a cell adds holds 0: so the form of the whole kernel bounds every neuron of the channel. Before
//! its first logical step a relay is silent: its interval holds 0, too.
//!
//! Coefficients are integers below 2^50, for which arithmetic in f64 is exact; where they could be larger
//! there is no such bound.

use super::host::Host;
use super::sends::{Sends, Span};
use snnc_ir::arena::{MatId, PopId};
use snnc_ir::conv::Conv;
use snnc_ir::quantized::{IntMatrix, QuantizedDraft, Structure};
use snnc_ir::{Entity, Param};
use std::collections::HashMap;
use std::rc::Rc;

/// 2^50: sums of integers up to here are exact.
const EXACT: f64 = 1_125_899_906_842_624.0;

/// Relays that a chain passes through, at most; one further down is a leaf.
const DEEPEST: usize = 4;

/// What bounds depend on.
#[derive(Clone, Copy)]
pub(super) struct Facts<'f> {
    pub(super) source: &'f QuantizedDraft,
    pub(super) host: &'f Host,
    /// What the populations send, those before the one in question at least.
    pub(super) sends: &'f [Sends],
}

/// Bounds of the sums of a population's channels, each of so many neurons; `None` where there are none.
type Sums = (usize, Vec<Option<Span>>);

/// Bounds of sums by population.
#[derive(Debug, Default)]
pub(super) struct Linear {
    sums: HashMap<PopId, Option<Sums>>,
}

impl Linear {
    /// Bounds of what arrives at a neuron in one step, biases left out, if it reads linear relays.
    pub(super) fn arriving(&mut self, facts: Facts<'_>, id: PopId, neuron: usize) -> Option<Span> {
        let known = self.sums.entry(id).or_insert_with(|| sums(facts, id));
        let (plane, channels) = known.as_ref()?;
        channels.get(neuron / plane).copied().flatten()
    }

    /// Whether the bounds of this population have been asked for.
    pub(super) fn knows(&self, id: PopId) -> bool {
        self.sums.contains_key(&id)
    }
}

/// Whether the population consists of relays that pass both signs.
fn linear(source: &QuantizedDraft, id: PopId) -> bool {
    source.populations[id].graded().is_some_and(|relay| relay.keep.is_none())
}

/// Bounds of the sums that reach each channel.
fn sums(facts: Facts<'_>, id: PopId) -> Option<(usize, Vec<Option<Span>>)> {
    let source = facts.source;
    if !source.projections_into(id).any(|(_, p)| linear(source, p.source)) {
        return None;
    }
    let plane = plane(source, id);
    let layout = Layout::of(facts, id, plane, 0)?;
    let leaves: Vec<Vec<(f64, f64)>> =
        layout.slots.iter().map(|slot| ranges(&facts.sends[slot.key.leaf.index()], slot)).collect();
    let channels = source.populations[id].size() / plane;
    let bound = |channel| {
        let row = layout.row(source, channel)?;
        row.bounds(&layout, &leaves)
    };
    Some((plane, (0..channels).map(bound).collect()))
}

/// Neurons of a channel: those that read alike.
fn plane(source: &QuantizedDraft, id: PopId) -> usize {
    let population = &source.populations[id];
    let mut plane = population.shape.per_channel().max(1);
    for (_, p) in source.projections_into(id) {
        match &source.matrices[p.matrix].structure {
            Structure::Dense { .. } | Structure::Sparse { .. } => return 1,
            Structure::Conv(conv) => plane = places(conv.output().unwrap_or([1; 3])),
            Structure::Identity { .. } => {}
        }
    }
    if population.size().is_multiple_of(plane) { plane } else { 1 }
}

fn places([_, height, width]: [u32; 3]) -> usize {
    (height as usize * width as usize).max(1)
}

/// How a matrix joins channels of `plane` neurons: neurons of a channel on the other side, and kernel cells.
fn joins(structure: &Structure, plane: usize) -> Option<(usize, usize)> {
    match structure {
        Structure::Identity { .. } => Some((plane, 1)),
        Structure::Dense { .. } | Structure::Sparse { .. } => (plane == 1).then_some((1, 1)),
        Structure::Conv(conv) => {
            let [height, width] = conv.kernel.map(|d| d as usize);
            let output = conv.output().map(places);
            (output == Some(plane)).then_some((places(conv.input), height * width))
        }
    }
}

/// Coefficients of one leaf that are read in one step through one window.
#[derive(Clone, Debug)]
struct Slot {
    key: Key,
    /// Place of its first coefficient; those of a cell lie together, one for each channel.
    first: usize,
    channels: usize,
    cells: usize,
}

impl Slot {
    const fn len(&self) -> usize {
        self.channels * self.cells
    }
}

/// What has coefficients of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    leaf: PopId,
    /// Steps from the leaf to the reader.
    delay: u64,
    /// The convolutions on the way.
    path: Vec<Option<Conv>>,
}

/// Where the form of a population has its coefficients.
struct Layout {
    slots: Vec<Slot>,
    width: usize,
    /// The form is over `2^scale`.
    scale: u32,
    parts: Vec<Part>,
}

/// What one projection adds.
struct Part {
    matrix: MatId,
    /// Power of two that brings it to the common scale.
    factor: f64,
    from: From,
}

enum From {
    /// The leaf's slot.
    Leaf(usize),
    /// Relays, and for each of their slots the place of its coefficients.
    Relays(Rc<Form>, Vec<usize>),
}

/// What relays send, over `2^scale`.
struct Form {
    slots: Vec<Slot>,
    rows: Vec<Row>,
    scale: u32,
}

/// A linear form plus an interval.
#[derive(Clone)]
struct Row {
    coefficients: Vec<f64>,
    low: f64,
    high: f64,
    /// Magnitude of all terms together.
    norm: f64,
}

impl Layout {
    /// The layout for a population in channels of `plane` neurons. `None` if a projection joins it otherwise.
    fn of(facts: Facts<'_>, id: PopId, plane: usize, depth: usize) -> Option<Self> {
        let source = facts.source;
        let mut layout = Self { slots: Vec::new(), width: 0, scale: 0, parts: Vec::new() };
        let mut forms: HashMap<(PopId, usize), Option<Rc<Form>>> = HashMap::new();
        let mut scales = Vec::new();
        for (_, p) in source.projections_into(id) {
            let structure = &source.matrices[p.matrix].structure;
            let (other, cells) = joins(structure, plane)?;
            let form = if linear(source, p.source) && depth < DEEPEST {
                let make = || Form::of(facts, p.source, other, depth + 1).map(Rc::new);
                forms.entry((p.source, other)).or_insert_with(make).clone()
            } else {
                None
            };
            let step = match structure {
                Structure::Conv(conv) => Some(*conv),
                _ => None,
            };
            let delay = u64::from(p.delay);
            let (from, scale) = if let Some(form) = form {
                let places = form.slots.iter().map(|slot| {
                    let mut path = slot.key.path.clone();
                    path.push(step);
                    let key = Key { leaf: slot.key.leaf, delay: slot.key.delay + delay, path };
                    let slot = layout.slot(key, slot.channels, slot.cells * cells);
                    layout.slots[slot].first
                });
                let places = places.collect();
                let scale = form.scale;
                (From::Relays(form, places), scale)
            } else {
                let channels = source.populations[p.source].size() / other;
                let key = Key { leaf: p.source, delay, path: vec![step] };
                (From::Leaf(layout.slot(key, channels, cells)), 0)
            };
            scales.push(scale);
            layout.parts.push(Part { matrix: p.matrix, factor: 1.0, from });
        }
        layout.scale = scales.iter().copied().max().unwrap_or(0);
        for (part, scale) in layout.parts.iter_mut().zip(scales) {
            part.factor = power(layout.scale - scale);
        }
        Some(layout)
    }

    /// The slot of a key.
    fn slot(&mut self, key: Key, channels: usize, cells: usize) -> usize {
        if let Some(known) = self.slots.iter().position(|slot| slot.key == key) {
            return known;
        }
        self.slots.push(Slot { key, first: self.width, channels, cells });
        self.width += channels * cells;
        self.slots.len() - 1
    }

    /// The form of what arrives at a channel; `None` if numbers become too large.
    fn row(&self, source: &QuantizedDraft, channel: usize) -> Option<Row> {
        let mut row = Row { coefficients: vec![0.0; self.width], low: 0.0, high: 0.0, norm: 0.0 };
        for part in &self.parts {
            let matrix = &source.matrices[part.matrix];
            entries(matrix, channel, |from, cell, weight| row.add(self, part, from, cell, weight));
        }
        (row.norm <= EXACT).then_some(row)
    }
}

impl Row {
    /// Adds what channel `from` sends, through a weight of kernel cell `cell`.
    fn add(&mut self, layout: &Layout, part: &Part, from: usize, cell: usize, weight: i32) {
        let weight = f64::from(weight) * part.factor;
        match &part.from {
            From::Leaf(slot) => {
                let slot = &layout.slots[*slot];
                self.coefficients[slot.first + cell * slot.channels + from] += weight;
                self.norm += weight.abs();
            }
            From::Relays(form, places) => {
                let row = &form.rows[from];
                for (slot, place) in form.slots.iter().zip(places) {
                    let first = place + cell * slot.len();
                    let own = &mut self.coefficients[first..first + slot.len()];
                    let theirs = &row.coefficients[slot.first..slot.first + slot.len()];
                    for (own, theirs) in own.iter_mut().zip(theirs) {
                        *own += weight * theirs;
                    }
                }
                let ends = (weight * row.low, weight * row.high);
                self.low += ends.0.min(ends.1);
                self.high += ends.0.max(ends.1);
                self.norm += weight.abs() * row.norm;
            }
        }
    }

    /// The smallest and the largest integer that it takes, silence included.
    fn bounds(&self, layout: &Layout, leaves: &[Vec<(f64, f64)>]) -> Option<Span> {
        let (mut low, mut high) = (self.low, self.high);
        let mut widest = 1.0_f64;
        for (slot, ranges) in layout.slots.iter().zip(leaves) {
            let all = &self.coefficients[slot.first..slot.first + slot.len()];
            for cell in all.chunks(slot.channels.max(1)) {
                for (coefficient, (least, most)) in cell.iter().zip(ranges) {
                    let ends = (coefficient * least, coefficient * most);
                    low += ends.0.min(ends.1);
                    high += ends.0.max(ends.1);
                }
            }
            widest = ranges.iter().fold(widest, |w, (least, most)| w.max(-least).max(*most));
        }
        if self.norm * widest > EXACT {
            return None;
        }
        let scale = power(layout.scale);
        #[expect(clippy::cast_possible_truncation, reason = "integers below 2^50")]
        let (low, high) = ((low / scale).ceil() as i64, (high / scale).floor() as i64);
        Some(Span { low: low.min(0), high: high.max(0) })
    }
}

impl Form {
    /// What the relays of each channel of `plane` neurons send.
    fn of(facts: Facts<'_>, id: PopId, plane: usize, depth: usize) -> Option<Self> {
        let Facts { source, host, .. } = facts;
        let population = &source.populations[id];
        let relay = population.graded()?;
        if !population.size().is_multiple_of(plane) {
            return None;
        }
        let layout = Layout::of(facts, id, plane, depth)?;
        let unit = power(layout.scale);
        let remainder = power(u32::from(relay.shift)) - 1.0;
        let uniform = matches!(relay.bias, Param::Uniform(_)) && !host.writes(id);
        let row = |channel: usize| {
            let mut row = layout.row(source, channel)?;
            let neurons = channel * plane..channel * plane + if uniform { 1 } else { plane };
            let biases = neurons.map(|n| {
                let (bias, written) = (relay.bias.at(n, &population.shape), host.at(id, n));
                let sum = |end: i64| end.saturating_add(i64::from(bias));
                (float(sum(written.low)), float(sum(written.high)))
            });
            let hull = |a: (f64, f64), b: (f64, f64)| (a.0.min(b.0), a.1.max(b.1));
            let (least, most) = biases.reduce(hull)?;
            row.low += unit * (least - remainder).min(0.0);
            row.high += unit * most.max(0.0);
            row.norm += unit * (least.abs().max(most.abs()) + remainder);
            (row.norm <= EXACT).then_some(row)
        };
        let rows: Option<Vec<Row>> = (0..population.size() / plane).map(row).collect();
        Some(Self {
            rows: rows?,
            scale: layout.scale + u32::from(relay.shift),
            slots: layout.slots,
        })
        .filter(|form| form.scale < 50)
    }
}

/// Visits the stored weights into a channel: `visit(source channel, kernel cell, weight)`.
fn entries(matrix: &IntMatrix, channel: usize, mut visit: impl FnMut(usize, usize, i32)) {
    match &matrix.structure {
        Structure::Conv(conv) => {
            let cells = conv.kernel[0] as usize * conv.kernel[1] as usize;
            let inputs = (conv.input[0] / conv.groups) as usize;
            let outputs = (conv.out_channels / conv.groups).max(1) as usize;
            let first = channel / outputs * inputs;
            for input in 0..inputs {
                for cell in 0..cells {
                    let weight = matrix.weight((channel * inputs + input) * cells + cell);
                    if weight != 0 {
                        visit(first + input, cell, weight);
                    }
                }
            }
        }
        // One weight for all.
        Structure::Identity { .. } => visit(channel, 0, matrix.weight(0)),
        Structure::Dense { .. } | Structure::Sparse { .. } => {
            matrix.for_row(channel, |col, weight| visit(col, 0, weight));
        }
    }
}

/// What each channel of a leaf may send.
fn ranges(sends: &Sends, slot: &Slot) -> Vec<(f64, f64)> {
    let ends = |span: Span| (float(span.low), float(span.high));
    match sends {
        Sends::Messages(each) => {
            let plane = (each.len() / slot.channels.max(1)).max(1);
            let hull = |part: &[Span]| part.iter().copied().reduce(Span::hull);
            each.chunks(plane).map(|part| ends(hull(part).unwrap_or_default())).collect()
        }
        Sends::Spikes | Sends::Nothing => vec![ends(sends.at(0)); slot.channels],
    }
}

fn power(exponent: u32) -> f64 {
    f64::from(exponent.min(1000)).exp2()
}

/// A number as the nearest f64; those that are not exact are too large for a bound.
#[expect(clippy::cast_precision_loss, reason = "see above")]
const fn float(n: i64) -> f64 {
    n as f64
}

#[cfg(test)]
#[expect(clippy::format_push_string, clippy::needless_range_loop, reason = "tests read better so")]
mod tests {
    use super::*;
    use crate::certify::matrix::RowSums;
    use crate::certify::sends;
    use proptest::prelude::*;
    use snnc_ir::level::AnyDraft;
    use snnc_ir::network::Coding;
    use snnc_ir::quantized::{Graded, PopKind};
    use snnc_ir::testing::{Space, quantized};
    use snnc_ir::text;

    fn draft(text: &str) -> QuantizedDraft {
        match text::parse(text) {
            Ok(AnyDraft::Quantized(draft)) => draft,
            other => panic!("{other:?}"),
        }
    }

    /// Bounds of what arrives at each neuron, by intervals and by forms.
    fn bounds(draft: &QuantizedDraft, name: &str) -> Vec<(Span, Option<Span>)> {
        let (host, mut sums) = (Host::of(draft), RowSums::default());
        let caches = (&mut sums, &mut Linear::default());
        let sends = sends::sends(draft, &host, caches, i64::MAX).unwrap();
        let id = draft.population_named(name).unwrap();
        let into: Vec<_> = draft.projections_into(id).map(|(p, _)| p).collect();
        let facts = Facts { source: draft, host: &host, sends: &sends };
        let mut linear = Linear::default();
        (0..draft.populations[id].size())
            .map(|n| {
                let sum = sends::arriving(draft, &sends, &mut sums, &into, n);
                (Span { low: sum.low, high: sum.high }, linear.arriving(facts, id, n))
            })
            .collect()
    }

    const fn span(low: i64, high: i64) -> Span {
        Span { low, high }
    }

    /// Two relays that see the same spikes, weighted against each other: 5·(3x + y) − 4·(3x − y).
    const DIFFERENCE: &str = r#"snn 1 quantized name "difference" steps 2 time logical
        mat0 "e" dense [2, 2] mixed exponent 0 from dense "e" { 6 2 6 -2 }
        mat1 "o" dense [1, 2] mixed exponent 0 from dense "o" { 10 -8 }
        pop0 "x" [2] = logical input events
        pop1 "g" [2] = logical graded keep both bias 0
        pop2 "y" [1] = logical neurons du 4095 dv 0 threshold gt 64 reset zero bias 0 refractory 1
          order leak-input-fire update every 1
        proj0 pop0 -> pop1 mat0 delay 0
        proj1 pop1 -> pop2 mat1 delay 0
        readout spike_count pop2"#;

    #[test]
    fn what_cancels_is_not_counted() {
        let text = DIFFERENCE.replace("pop2 \"y\" [1] = logical neurons du 4095 dv 0 threshold gt 64 reset zero bias 0 refractory 1\n          order leak-input-fire update every 1", "pop2 \"y\" [1] = logical graded keep positive bias 0")
            .replace("spike_count pop2", "spike_count pop0");
        let found = bounds(&draft(&text), "y");
        // g: 0..8 and -2..6. By intervals 10·(0..8) - 8·(-2..6); as a form 60x + 20y - 48x + 16y.
        assert_eq!(found, [(span(-48, 96), Some(span(0, 48)))]);
        // A bias of 1 before a shift of 2: 4m = a + 1 - e, e from 0 to 3. The form is 12x + 36y over 4, plus
        // 10 and -8 times -2..1, over 4: from -20 - 8 to 10 + 16.
        let shifted = text.replace("keep both bias 0", "keep both bias 1 shift 2");
        let found = bounds(&draft(&shifted), "y");
        assert_eq!(found[0].1, Some(span(-7, (48 + 26) / 4)));
        // Another step: nothing cancels between messages of different steps.
        let delayed = text.replace(
            "proj1 pop1 -> pop2 mat1 delay 0",
            "proj1 pop1 -> pop2 mat1 delay 0 proj2 pop1 -> pop2 mat1 delay 1",
        );
        assert_eq!(bounds(&draft(&delayed), "y")[0].1, Some(span(0, 96)));
    }

    /// Runs four steps with random spikes; no sum and no message may leave its bounds. How many sums had
    /// one.
    fn watch(draft: &QuantizedDraft, seed: u64, dense: u64) -> Result<usize, TestCaseError> {
        let (host, mut sums, mut linear) = (Host::of(draft), RowSums::default(), Linear::default());
        let caches = (&mut sums, &mut linear);
        let Ok(sends) = sends::sends(draft, &host, caches, 0) else { return Ok(0) };
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
        let mut bounded = 0;
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
                    if let Some(tight) = linear.arriving(facts, id, n) {
                        bounded += 1;
                        let inside = tight.low <= sum && sum <= tight.high;
                        prop_assert!(inside, "{sum} outside {tight:?} of {}", population.name);
                    }
                    row.push(match &population.kind {
                        PopKind::Graded(relay) => {
                            let bias = i64::from(relay.bias.at(n, &population.shape));
                            let sum = sum + bias + written[id.index()][n];
                            let message = Graded::passes(relay.keep, relay.shift, sum);
                            let span = sends[id.index()].at(n);
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
        Ok(bounded)
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
            prop_assert!(watch(&draft, seed, dense)? > 0);
        }
    }
}
