//! Bounds of messages: what may arrive at a neuron in one step, and what a graded relay may send.
//!
//! A spike is a message of 1. What a graded relay sends is bounded by what it reads; that ends because
//! no loop consists of graded relays only. The bounds hold for all inputs and all steps, the first ones
//! included, in which nothing arrives yet.
//!
//! Each projection is bounded twice, and the smaller bound counts (projections that are parts of one
//! count as one): by interval arithmetic
//! (`interval`), which is attained where its sources are independent and a convolution sees no padding,
//! and, where its source is a plain relay, through the matrices behind it (`compose`), which is
//! attained where those read independent sources and nothing is shifted. Paths through several relays
//! to one source are added before they are bounded. [`Bounds`] composes on demand only:
//! intervals cost a pass over kernels, compositions a matrix product per projection.

mod cases;
mod compose;
mod interval;
mod product;
#[cfg(test)]
mod tests;

use super::{Graded, PopKind, Projection, QuantizedDraft};
use crate::arena::{Entity, PopId};
use crate::graph;
use crate::network::Coding;
use crate::param::Param;
pub use interval::host_range;
use interval::{Local, delivered, grouped};
use std::cell::OnceCell;

/// Smallest and largest value, in units of weight (one spike through a weight of 1 counts 1).
/// Bounds beyond i64 are cut off there.
pub type Range = (i64, i64);

/// Bounds of one network, each computed when it is first asked for.
pub struct Bounds<'d> {
    draft: &'d QuantizedDraft,
    /// Graded relays, each behind those that it reads.
    order: Vec<PopId>,
    /// What each population may send, by intervals alone.
    loose: Vec<Param<Range>>,
    /// What it may send.
    messages: Vec<OnceCell<Param<Range>>>,
    /// What may arrive at it.
    arrivals: Vec<OnceCell<Sums>>,
}

/// What may arrive at a population.
struct Sums {
    total: Param<Range>,
    /// Bounds by composition, of each of the [`compose::groups`] of its projections that has one.
    composed: Vec<Option<Param<Range>>>,
}

impl<'d> Bounds<'d> {
    /// Bounds `draft` by intervals.
    ///
    /// **Complexity**: O(synapses into graded relays), a convolution counting as its kernel.
    ///
    /// # Errors
    /// The loops that consist of graded relays only, whatever their delays: their messages have no
    /// bounds.
    ///
    /// # Panics
    /// If projections or host biases name populations or matrices that do not exist, or matrices do
    /// not fit the populations (never in a verified network).
    pub fn new(draft: &'d QuantizedDraft) -> Result<Self, Vec<Vec<PopId>>> {
        let count = draft.populations.len();
        let Some(order) = graph::topological(count, &graded_edges(draft)) else {
            return Err(graded_loops(draft));
        };
        let graded = |id: &PopId| draft.populations[*id].graded().is_some();
        let spikes = draft.populations.values().map(|p| match p.kind {
            PopKind::Input(Coding::Direct { .. }) => Param::Uniform((0, 0)),
            _ => Param::Uniform((0, 1)),
        });
        let mut bounds = Self {
            draft,
            order: order.into_iter().map(PopId::new).filter(graded).collect(),
            loose: spikes.collect(),
            messages: (0..count).map(|_| OnceCell::new()).collect(),
            arrivals: (0..count).map(|_| OnceCell::new()).collect(),
        };
        for id in bounds.order.clone() {
            let sums = bounds.loose_arrivals(id);
            bounds.loose[id.index()] = sent(draft, id, &sums);
        }
        Ok(bounds)
    }

    /// What each neuron may send in one step, silence counting as 0: (0, 1) for spikes, (0, 0) for a
    /// directly coded input.
    ///
    /// **Complexity**: for a graded relay, a matrix product per projection from plain relays into it
    /// and the relays before it, the first time.
    pub fn messages(&self, id: PopId) -> &Param<Range> {
        self.prepare(id);
        self.known(id)
    }

    /// As [`Bounds::messages`], by intervals alone: not smaller, and known already.
    pub fn loose_messages(&self, id: PopId) -> &Param<Range> {
        &self.loose[id.index()]
    }

    /// What may arrive at each neuron in one step, biases left out, if every projection delivers at
    /// once. A convolution counts as if it saw no padding.
    ///
    /// **Complexity**: as [`Bounds::messages`].
    pub fn arrivals(&self, id: PopId) -> &Param<Range> {
        &self.sums(id).total
    }

    fn sums(&self, id: PopId) -> &Sums {
        self.prepare(id);
        self.arrivals[id.index()].get_or_init(|| tight(self.draft, &|id| self.known(id), id))
    }

    /// As [`Bounds::arrivals`], by intervals alone: not smaller.
    ///
    /// **Complexity**: O(synapses into the population), a convolution counting as its kernel.
    pub fn loose_arrivals(&self, id: PopId) -> Param<Range> {
        let shape = &self.draft.populations[id].shape;
        let into = self.draft.projections_into(id);
        into.fold(Param::Uniform((0, 0)), |total, (_, projection)| {
            let part = by_intervals(self.draft, &|id| &self.loose[id.index()], projection);
            total.zip(&part, shape, add)
        })
    }

    /// As [`Bounds::arrivals`], of single neurons, which may see padding.
    pub fn local_arrivals(&self, id: PopId) -> impl FnMut(usize) -> Range {
        let shape = &self.draft.populations[id].shape;
        let groups = compose::groups(self.draft, id).into_iter().zip(&self.sums(id).composed);
        let local = |p: &Projection| Local::new(self.draft, p, self.known(p.source));
        let local = |group: Vec<&Projection>| group.into_iter().map(local).collect::<Vec<_>>();
        let mut parts: Vec<_> = groups.map(|(group, composed)| (local(group), composed)).collect();
        move |neuron| {
            let part = |(locals, composed): &mut (Vec<Local<'_>>, &Option<Param<Range>>)| {
                let sum = locals.iter_mut().map(|l| l.at(neuron)).fold((0, 0), add);
                composed.as_ref().map_or(sum, |c| common(sum, c.at(neuron, shape)))
            };
            parts.iter_mut().map(part).fold((0, 0), add)
        }
    }

    /// Computes what `id` and the relays that it depends on may send.
    fn prepare(&self, id: PopId) {
        let edges = self.draft.projections.values().filter(|p| self.graded(p.source));
        let mut incoming = vec![Vec::new(); self.draft.populations.len()];
        for p in edges {
            incoming[p.target.index()].push(p.source);
        }
        let mut wanted = vec![false; self.draft.populations.len()];
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if self.messages[id.index()].get().is_none()
                && !std::mem::replace(&mut wanted[id.index()], true)
            {
                open.extend(&incoming[id.index()]);
            }
        }
        for &relay in self.order.iter().filter(|id| wanted[id.index()]) {
            let sums = tight(self.draft, &|id| self.known(id), relay);
            let range = sent(self.draft, relay, &sums.total);
            // Set here alone, and only where nothing was.
            let _ = self.messages[relay.index()].set(range);
            let _ = self.arrivals[relay.index()].set(sums);
        }
    }

    fn graded(&self, id: PopId) -> bool {
        self.draft.populations[id].graded().is_some()
    }

    /// The smallest range known of what `id` sends.
    fn known(&self, id: PopId) -> &Param<Range> {
        self.messages[id.index()].get().unwrap_or_else(|| self.loose_messages(id))
    }
}

/// What each neuron of a population may send in one step ([`Bounds::messages`]), by [`PopId`] index.
///
/// # Errors
/// As [`Bounds::new`].
///
/// # Panics
/// As [`Bounds::new`].
pub fn message_ranges(draft: &QuantizedDraft) -> Result<Vec<Param<Range>>, Vec<Vec<PopId>>> {
    let bounds = Bounds::new(draft)?;
    Ok(draft.populations.ids().map(|id| bounds.messages(id).clone()).collect())
}

/// What may arrive at each neuron of `target` in one step ([`Bounds::arrivals`]); `ranges` as
/// [`message_ranges`] returns it.
///
/// # Panics
/// As [`Bounds::new`].
pub fn arrivals(draft: &QuantizedDraft, ranges: &[Param<Range>], target: PopId) -> Param<Range> {
    tight(draft, &|id| &ranges[id.index()], target).total
}

/// As [`arrivals`], of one neuron, which may see padding.
///
/// # Panics
/// As [`Bounds::new`].
pub fn arrivals_at(
    draft: &QuantizedDraft,
    ranges: &[Param<Range>],
    target: PopId,
    neuron: usize,
) -> Range {
    let ranges = |id: PopId| &ranges[id.index()];
    let mut total = (0, 0);
    for group in compose::groups(draft, target) {
        let local = |p: &&Projection| Local::new(draft, p, ranges(p.source)).at(neuron);
        let part = group.iter().map(local).fold((0, 0), add);
        let composed = compose::composed(draft, &ranges, &group, Some(neuron));
        total = add(total, composed.map_or(part, |c| c.into_iter().fold(part, common)));
    }
    total
}

/// What may arrive at each neuron of `target`, every group of projections by the smaller bound.
fn tight<'r>(
    draft: &QuantizedDraft,
    ranges: &dyn Fn(PopId) -> &'r Param<Range>,
    target: PopId,
) -> Sums {
    let shape = &draft.populations[target].shape;
    let mut sums = Sums { total: Param::Uniform((0, 0)), composed: Vec::new() };
    for group in compose::groups(draft, target) {
        let mut part = Param::Uniform((0, 0));
        for projection in &group {
            part = part.zip(&by_intervals(draft, ranges, projection), shape, add);
        }
        let composed = compose::composed(draft, ranges, &group, None);
        let composed = composed.map(|ranges| grouped(ranges, shape));
        if let Some(composed) = &composed {
            part = part.zip(composed, shape, common);
        }
        sums.total = sums.total.zip(&part, shape, add);
        sums.composed.push(composed);
    }
    sums
}

/// What one projection may deliver to each neuron of its target, by intervals.
fn by_intervals<'r>(
    draft: &QuantizedDraft,
    ranges: &dyn Fn(PopId) -> &'r Param<Range>,
    projection: &Projection,
) -> Param<Range> {
    let [source, target] =
        [projection.source, projection.target].map(|p| &draft.populations[p].shape);
    let matrix = &draft.matrices[projection.matrix];
    grouped(delivered(matrix, ranges(projection.source), source), target)
}

/// What the relays `id` may send if `sums` arrive: biases added, shifted, clipped; a neuron that
/// spikes or waits for input keeps its range. Nothing, which is 0, is always possible.
fn sent(draft: &QuantizedDraft, id: PopId, sums: &Param<Range>) -> Param<Range> {
    let population = &draft.populations[id];
    let Some(graded) = population.graded() else { return Param::Uniform((0, 1)) };
    let shape = &population.shape;
    let sums = sums.zip(&host_range(draft, id), shape, add);
    let sums =
        sums.zip(&graded.bias, shape, |sum, bias| add(sum, (i64::from(bias), i64::from(bias))));
    let passes = |sum: i64| Graded::passes(graded.keep, graded.shift, sum);
    sums.map(|(low, high)| (passes(low).min(0), passes(high).max(0))).compact(shape)
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

fn add(a: Range, b: Range) -> Range {
    (a.0.saturating_add(b.0), a.1.saturating_add(b.1))
}

/// What lies in both ranges.
fn common(a: Range, b: Range) -> Range {
    (a.0.max(b.0), a.1.min(b.1))
}
