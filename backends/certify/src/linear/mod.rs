//! Tight bounds of what arrives behind linear relays.
//!
//! A relay that passes both signs sends `m = (a + b) >> s`, that is `2^s · m = a + η` with
//! `b − (2^s − 1) ≤ η ≤ b`. A sum `Σ w·m` over such relays is therefore a linear form of what *they* read,
//! plus one of their η. Weights of opposite signs cancel in the form, where the product of intervals
//! would count both.
//!
//! What arrives at a neuron falls into *parts*: what one population sends in one step, read through
//! one geometry. Every part is bounded twice, by the intervals of what its population sends, and, where
//! that consists of linear relays, by the form of all that lies behind them ([`way`]). Both bounds hold, so
//! the smaller one does; parts are added. Neither bound is always the smaller one: a form knows what cancels,
//! but counts kernels whole and rounds apart; intervals know padding, and what relays in front
//! of the last one are bounded to.
//!
//! Forms take time, so nothing is bounded here before it is asked for. What relays send is bounded once for
//! all who read them: a kernel counts whole for that, so that all neurons of a channel are alike unless
//! their biases differ, and no synapse of a convolution has to be visited on its own.

mod product;
mod way;

use super::host::Host;
use super::matrix::RowSums;
use super::registers::mode_of;
use super::sends::{self, Sends, Span};
use snnc_ir::Entity;
use snnc_ir::arena::{MatId, PopId};
use snnc_ir::conv::Conv;
use snnc_ir::quantized::{Graded, Projection, QuantizedDraft, Structure};
use std::collections::{HashMap, HashSet};

/// What bounds depend on.
#[derive(Clone, Copy)]
pub(super) struct Facts<'f> {
    pub(super) source: &'f QuantizedDraft,
    pub(super) host: &'f Host,
    /// What the populations send, by intervals alone.
    pub(super) sends: &'f [Sends],
}

/// Bounds of what arrives, by population, as far as they have been asked for.
#[derive(Debug)]
pub(super) struct Linear {
    /// Graded relays, each behind those that it reads.
    order: Option<Vec<PopId>>,
    parts: HashMap<PopId, Vec<Part>>,
    /// What graded relays send.
    messages: HashMap<PopId, Sends>,
    sums: RowSums,
}

/// What a population receives of another in one step.
#[derive(Debug)]
struct Part {
    from: PopId,
    /// The matrices through which it does, all of one geometry.
    matrices: Vec<MatId>,
    /// Bounds by the form behind the source.
    form: Option<Each>,
}

/// A bound for every neuron: one for each run of so many.
#[derive(Debug)]
struct Each {
    plane: usize,
    spans: Vec<Span>,
}

impl Each {
    /// `spans` of the equal parts of `size` neurons.
    fn new(spans: Vec<Span>, size: usize) -> Self {
        Self { plane: (size / spans.len().max(1)).max(1), spans }
    }

    fn at(&self, neuron: usize) -> Span {
        self.spans[neuron / self.plane]
    }
}

impl Default for Linear {
    fn default() -> Self {
        let (parts, messages) = (HashMap::new(), HashMap::new());
        Self { order: None, parts, messages, sums: RowSums::exact() }
    }
}

impl Linear {
    /// Bounds of what arrives at a neuron in one step, biases left out. Nothing may arrive, too.
    pub(super) fn arriving(&mut self, facts: Facts<'_>, id: PopId, neuron: usize) -> Span {
        self.prepare(facts, id);
        let Self { parts, messages, sums, .. } = self;
        let parts = parts.get(&id).map(Vec::as_slice).unwrap_or_default();
        let total = parts.iter().fold(Span::default(), |total, part| {
            let sends = messages.get(&part.from).unwrap_or(&facts.sends[part.from.index()]);
            let interval = part.matrices.iter().fold(Span::default(), |total, &matrix| {
                let of = (matrix, &facts.source.matrices[matrix]);
                let sum = sums.of(of, neuron, (part.from, sends));
                total.plus(Span { low: sum.low, high: sum.high })
            });
            total.plus(part.bound(interval, neuron))
        });
        total.hull(Span::default())
    }

    /// What a population may send in one step.
    pub(super) fn sent<'a>(&'a mut self, facts: Facts<'a>, id: PopId) -> &'a Sends {
        self.prepare(facts, id);
        self.messages.get(&id).unwrap_or(&facts.sends[id.index()])
    }

    /// Whether the bounds of this population have been asked for.
    pub(super) fn knows(&self, id: PopId) -> bool {
        self.parts.contains_key(&id)
    }

    /// Bounds `id` and the relays that it reads, and that these read.
    fn prepare(&mut self, facts: Facts<'_>, id: PopId) {
        if self.knows(id) {
            return;
        }
        let source = facts.source;
        let (mut wanted, mut open) = (HashSet::from([id]), vec![id]);
        while let Some(next) = open.pop() {
            for (_, p) in source.projections_into(next) {
                let graded = source.populations[p.source].graded().is_some();
                if graded && !self.knows(p.source) && wanted.insert(p.source) {
                    open.push(p.source);
                }
            }
        }
        // Without an order nothing was sent, and nobody asks.
        let relays = || sends::relays_in_order(source).unwrap_or_default();
        let order = self.order.take().unwrap_or_else(relays);
        for &relay in order.iter().filter(|id| wanted.contains(id)) {
            let parts = self.parts(facts, &order, relay);
            if let Some(graded) = source.populations[relay].graded() {
                let sent = self.relayed(facts, relay, graded, &parts);
                self.messages.insert(relay, sent);
            }
            self.parts.insert(relay, parts);
        }
        if !self.knows(id) {
            let parts = self.parts(facts, &order, id);
            self.parts.insert(id, parts);
        }
        self.order = Some(order);
    }

    /// What `id` receives, part by part.
    fn parts(&self, facts: Facts<'_>, order: &[PopId], id: PopId) -> Vec<Part> {
        let mut groups: Vec<(Part, &Projection)> = Vec::new();
        for (_, p) in facts.source.projections_into(id) {
            let alike = groups.iter_mut().find(|(part, first)| {
                (part.from, first.delay) == (p.source, p.delay)
                    && geometry(facts.source, first) == geometry(facts.source, p)
                    && plain(facts.source, p.source).is_some()
            });
            if let Some((part, _)) = alike {
                part.matrices.push(p.matrix);
            } else {
                let part = Part { from: p.source, matrices: vec![p.matrix], form: None };
                groups.push((part, p));
            }
        }
        let bounded = groups.into_iter().map(|(part, first)| {
            let sent = |id: PopId| self.messages.get(&id).unwrap_or(&facts.sends[id.index()]);
            let form = match geometry(facts.source, first) {
                // One for one: what is sent says all.
                Geometry::Identity => None,
                Geometry::Conv(conv) => {
                    let windows = way::Way::new(facts, &sent, order, first, Some(conv));
                    let whole = windows.and_then(|way| way.bounds(&part.matrices));
                    whole.or_else(|| {
                        let rows = way::Way::new(facts, &sent, order, first, None)?;
                        rows.bounds(&part.matrices)
                    })
                }
                Geometry::Rows => way::Way::new(facts, &sent, order, first, None)
                    .and_then(|way| way.bounds(&part.matrices)),
            };
            let size = facts.source.populations[id].size();
            Part { form: form.map(|spans| Each::new(spans, size)), ..part }
        });
        bounded.collect()
    }

    /// What relays send that receive `parts`.
    fn relayed(&self, facts: Facts<'_>, id: PopId, relay: &Graded, parts: &[Part]) -> Sends {
        let shape = &facts.source.populations[id].shape;
        let intervals = parts.iter().map(|part| {
            let sent = self.messages.get(&part.from).unwrap_or(&facts.sends[part.from.index()]);
            let each = |&matrix: &MatId| whole(facts.source, matrix, sent);
            (part, part.matrices.iter().map(each).collect())
        });
        let intervals: Vec<(&Part, Vec<Each>)> = intervals.collect();
        let message = |n: usize| {
            let sum = intervals.iter().fold(Span::default(), |total, (part, each)| {
                let sum = each.iter().fold(Span::default(), |sum, each| sum.plus(each.at(n)));
                total.plus(part.bound(sum, n))
            });
            let (bias, written) = (i64::from(relay.bias.at(n, shape)), facts.host.at(id, n));
            sum.plus(written).plus(Span { low: bias, high: bias }).sent(mode_of(relay))
        };
        Sends::Messages((0..shape.size()).map(message).collect())
    }
}

impl Part {
    /// What it brings to a neuron, to which it brings `interval` at most.
    fn bound(&self, interval: Span, neuron: usize) -> Span {
        self.form.as_ref().map_or(interval, |form| {
            let form = form.at(neuron);
            Span { low: interval.low.max(form.low), high: interval.high.min(form.high) }
        })
    }
}

/// How a target reads.
#[derive(Clone, Copy, PartialEq)]
enum Geometry {
    /// Each neuron reads its own source.
    Identity,
    /// Channel by channel, through windows.
    Conv(Conv),
    /// Neuron by neuron.
    Rows,
}

fn geometry(source: &QuantizedDraft, p: &Projection) -> Geometry {
    match &source.matrices[p.matrix].structure {
        Structure::Identity { .. } => Geometry::Identity,
        Structure::Conv(conv) => Geometry::Conv(*conv),
        Structure::Dense { .. } | Structure::Sparse { .. } => Geometry::Rows,
    }
}

/// The parameters of linear relays.
fn plain(source: &QuantizedDraft, id: PopId) -> Option<&Graded> {
    source.populations[id].graded().filter(|relay| relay.keep.is_none())
}

/// What every row of a matrix brings at most; the kernel of a convolution counts whole.
fn whole(source: &QuantizedDraft, matrix: MatId, sent: &Sends) -> Each {
    let matrix = &source.matrices[matrix];
    let structure = &matrix.structure;
    let Structure::Conv(conv) = structure else {
        let row = |row| {
            let mut sum = Span::default();
            matrix.for_row(row, |col, w| sum = sum.plus(sent.at(col).scaled(i64::from(w))));
            sum
        };
        return Each { plane: 1, spans: (0..structure.rows()).map(row).collect() };
    };
    let [outputs, inputs, height, width] = conv.kernel_shape().map(|d| d as usize);
    let channels = by_channel(sent, conv.input);
    let per_group = (outputs / (conv.groups as usize).max(1)).max(1);
    let kernel = |output: usize| {
        let first = output / per_group * inputs;
        let mut sum = Span::default();
        for (input, span) in channels[first..first + inputs].iter().enumerate() {
            let cells = (output * inputs + input) * height * width;
            for cell in cells..cells + height * width {
                sum = sum.plus(span.scaled(i64::from(matrix.weight(cell))));
            }
        }
        sum
    };
    Each::new((0..outputs).map(kernel).collect(), structure.rows())
}

/// What the neurons of each channel may send.
fn by_channel(sent: &Sends, [channels, height, width]: [u32; 3]) -> Vec<Span> {
    match sent {
        Sends::Messages(each) => {
            let plane = (height as usize * width as usize).max(1);
            let hull = |part: &[Span]| part.iter().copied().reduce(Span::hull);
            each.chunks(plane).map(|part| hull(part).unwrap_or_default()).collect()
        }
        Sends::Spikes | Sends::Nothing => vec![sent.at(0); channels as usize],
    }
}

#[cfg(test)]
#[expect(clippy::format_push_string, clippy::needless_range_loop, reason = "tests read better so")]
mod tests;
