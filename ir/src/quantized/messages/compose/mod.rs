//! What a projection from plain relays delivers, bounded through the matrices behind them.
//!
//! Interval arithmetic lets every relay send its largest message at once, which sources that they
//! share never make them do. A relay of both signs is linear up to rounding:
//!
//! ```text
//! m_r = (a_r + b_r) >> s = a_r / 2^s + η_r         b_r − (2^s − 1) ≤ 2^s · η_r ≤ b_r
//! Σ_r w_r · m_r = Σ_i (Σ_r w_r · W_ri) · x_i / 2^s + Σ_r w_r · η_r
//! ```
//!
//! A row of the reader, `w`, is taken back through the relays, matrix by matrix, until sources are
//! reached that spike or clip. There, and at the rounding η of each relay, every coefficient counts with
//! the end of its range that is worse. Without a shift η is the bias, and the bound is attained where
//! the sources are independent; with one it is off by less than a message of each relay.
//!
//! Convolutions behind convolutions are composed as kernels: one row per output channel, a list of
//! *taps* with one coefficient per input channel each. Taps that read the same pixel are not merged,
//! so padding, which takes taps away, can only lessen the bound. Elsewhere rows are composed in full.

mod run;

use super::interval::{by_channel, host_range};
use super::product::Part;
use super::{Range, add, graded_edges};
use crate::arena::{Entity, MatId, PopId};
use crate::conv::Conv;
use crate::graph;
use crate::param::Param;
use crate::quantized::{Graded, IntMatrix, Population, Projection, QuantizedDraft, Structure};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Most multiplications for one projection; beyond them intervals have to do.
const MAX_WORK: u64 = 1 << 35;
/// Most relays, sources and matrices behind one projection.
const MAX_STEPS: usize = 1 << 12;
/// Most coefficients of one row with all its intermediate results.
const MAX_VALUES: usize = 1 << 24;
/// Most weights of the matrices on the way, as numbers of 64 bits.
const MAX_WEIGHTS: usize = 1 << 25;
/// Coefficients that are worked on together.
const BATCH_VALUES: usize = 1 << 20;
/// Most rows that are.
const BATCH_ROWS: usize = 32;
/// Largest sum of the shifts on one path: sums are kept in units of `2^-MAX_DOWN`.
const MAX_DOWN: u32 = 32;
/// Largest message and bias: products with exact coefficients stay far inside 128 bits.
const MAX_RANGE: i64 = 1 << 40;

/// Projections into `target` that are bounded together: what one population of plain relays sends in one
/// step, through matrices that may be parts of one; any other projection on its own.
pub(super) fn groups(draft: &QuantizedDraft, target: PopId) -> Vec<Vec<&Projection>> {
    let mut groups: Vec<Vec<&Projection>> = Vec::new();
    for (_, projection) in draft.projections_into(target) {
        let relays = plain(&draft.populations[projection.source]).is_some();
        let alike = |group: &&mut Vec<&Projection>| {
            let first = group[0];
            (first.source, first.delay) == (projection.source, projection.delay)
                && reads(draft, first).is_some_and(|kind| reads(draft, projection) == Some(kind))
        };
        match groups.iter_mut().find(alike).filter(|_| relays) {
            Some(group) => group.push(projection),
            None => groups.push(vec![projection]),
        }
    }
    groups
}

/// How the target of a projection reads its source.
#[derive(Clone, Copy, PartialEq)]
enum Reads {
    /// Through the windows of a convolution.
    Windows(Conv),
    /// Row by row.
    Rows,
}

/// How `projection` reads, if more than one source per neuron.
fn reads(draft: &QuantizedDraft, projection: &Projection) -> Option<Reads> {
    match &draft.matrices[projection.matrix].structure {
        // Its range says all.
        Structure::Identity { .. } => None,
        Structure::Conv(conv) => Some(Reads::Windows(*conv)),
        Structure::Dense { .. } | Structure::Sparse { .. } => Some(Reads::Rows),
    }
}

/// Bounds of what a group of projections delivers, in equal groups of consecutive rows, or to one row
/// only; where its source is a plain relay and the composition is within its limits.
pub(super) fn composed<'r>(
    draft: &QuantizedDraft,
    ranges: &dyn Fn(PopId) -> &'r Param<Range>,
    group: &[&Projection],
    row: Option<usize>,
) -> Option<Vec<Range>> {
    let first = *group.first()?;
    plain(&draft.populations[first.source])?;
    let kernels = match reads(draft, first)? {
        Reads::Windows(conv) => Plan::new(draft, ranges, first, Some(conv)),
        Reads::Rows => None,
    };
    let plan = kernels.or_else(|| Plan::new(draft, ranges, first, None))?;
    let targets: Vec<_> = group.iter().map(|p| &draft.matrices[p.matrix]).collect();
    let groups = match row {
        None => 0..plan.groups,
        Some(row) => {
            let group = row / (targets[0].structure.rows() / plan.groups.max(1)).max(1);
            group..group + 1
        }
    };
    if (groups.len() as u64).saturating_mul(plan.work) > MAX_WORK {
        return None;
    }
    let batch = (BATCH_VALUES / plan.values().max(1)).clamp(1, BATCH_ROWS);
    let mut bounds = Vec::with_capacity(groups.len());
    for first in groups.clone().step_by(batch) {
        bounds.extend(plan.run(&targets, first..(first + batch).min(groups.end))?);
    }
    Some(bounds)
}

/// The parameters of a population of plain relays.
pub(super) fn plain(population: &Population) -> Option<&Graded> {
    population.graded().filter(|graded| graded.keep.is_none())
}

/// The way back from a projection to its sources.
struct Plan<'d> {
    /// Rows of the target that are bounded apart: output channels, or all.
    groups: usize,
    /// Geometry of the target, where kernels are composed.
    conv: Option<Conv>,
    /// Rows of coefficients at each place on the way; the first is that of the target's weights.
    slots: Vec<Slot>,
    steps: Vec<Step<'d>>,
    /// Products with matrices on the way.
    parts: BTreeMap<MatId, Rc<Parts>>,
    /// Multiplications per group.
    work: u64,
    /// Weights in `parts`.
    weights: usize,
}

/// Row-major matrices, and what of the rows before and after each concerns.
type Parts = Vec<(Vec<f64>, Part)>;

/// Rows of coefficients over the neurons, or channels, of one population.
#[derive(Clone, Copy)]
struct Slot {
    /// Rows per group: one, or one per tap.
    taps: usize,
    width: usize,
}

enum Step<'d> {
    /// Takes rows back through a matrix, whose largest weight is `largest`.
    Back { from: usize, to: usize, through: Through<'d>, largest: f64 },
    /// Bounds what rows bring.
    Settle(Settle),
}

/// A matrix on the way.
enum Through<'d> {
    /// Products with parts of it.
    Parts(Rc<Parts>),
    /// One weight on the diagonal.
    Scale(f64),
    /// Its synapses, one by one.
    Synapses(&'d IntMatrix),
}

/// The ranges of what rows of coefficients are multiplied with.
struct Settle {
    slot: usize,
    /// Per column, in units of `2^-down`; 0 is inside wherever `apart` holds something.
    bounds: Vec<Range>,
    /// Part of every value in the range, which is there or, with all of its row, not.
    apart: Vec<i64>,
    down: u32,
}

/// A place on the way back: what a population sent so many steps ago, seen through so many windows.
/// Paths that meet in one place bring one and the same, so their coefficients are added.
struct Place {
    slot: usize,
    population: PopId,
    /// Sum of the delays so far.
    lag: u64,
    /// Sum of the shifts so far.
    down: u32,
    /// Whether rows may be missing: at the border of a convolution, or before anything has arrived.
    missing: bool,
    /// Where kernels are composed: extents that the reader sees, and the windows so far, those of single
    /// pixels left out.
    extents: Option<[u32; 3]>,
    windows: Vec<Conv>,
}

impl Place {
    fn meets(&self, other: &Self) -> bool {
        self.population == other.population
            && (self.lag, self.down, self.extents) == (other.lag, other.down, other.extents)
            && self.windows == other.windows
    }

    /// Passes through the window of a convolution.
    fn look_through(&mut self, conv: &Conv) {
        self.missing |= padded(conv);
        self.extents = Some(conv.input);
        let pixel = Conv { kernel: [1, 1], stride: [1, 1], pad: [0; 4], crop: [0; 4], ..*conv };
        if *conv != pixel {
            let [_, height, width] = conv.input;
            // Which channels there are does not matter to where a tap lies.
            let input = [0, height, width];
            self.windows.push(Conv { input, out_channels: 0, groups: 0, ..*conv });
        }
    }
}

impl<'d> Plan<'d> {
    /// Follows `projection`, or others like it, back, through kernels if `conv` is its geometry. `None` beyond the limits,
    /// or where a relay on the way is not read as a convolution writes it.
    fn new<'r>(
        draft: &'d QuantizedDraft,
        ranges: &dyn Fn(PopId) -> &'r Param<Range>,
        projection: &Projection,
        conv: Option<Conv>,
    ) -> Option<Self> {
        let source = &draft.populations[projection.source];
        let (groups, first) = if let Some(conv) = conv {
            let slot = Slot { taps: taps(&conv), width: conv.input[0] as usize };
            (conv.out_channels as usize, slot)
        } else {
            let rows = draft.matrices[projection.matrix].structure.rows();
            (rows, Slot { taps: 1, width: source.size() })
        };
        let mut plan = Self {
            groups,
            conv,
            slots: vec![first],
            steps: Vec::new(),
            parts: BTreeMap::new(),
            work: 0,
            weights: 0,
        };
        let rank = ranks(draft)?;
        let mut start = Place {
            slot: 0,
            population: projection.source,
            lag: projection.delay.into(),
            down: 0,
            missing: projection.delay > 0,
            extents: None,
            windows: Vec::new(),
        };
        if let Some(conv) = &conv {
            start.look_through(conv);
        }
        let mut places = vec![start];
        // Relays that read others come before these, sources last: all paths to a place have then met.
        let late = |place: &Place| {
            let relays = plain(&draft.populations[place.population]).is_some();
            (relays, rank[place.population.index()])
        };
        while let Some(last) = (0..places.len()).max_by_key(|i| late(&places[*i])) {
            let place = places.swap_remove(last);
            let population = &draft.populations[place.population];
            let (bounds, down) = match plain(population) {
                None => (ranges(place.population).clone(), place.down),
                Some(graded) => {
                    let down = place.down + u32::from(graded.shift);
                    for (_, into) in draft.projections_into(place.population) {
                        plan.back(draft, &place, into, down, &mut places)?;
                    }
                    (rounding(draft, place.population, graded), down)
                }
            };
            plan.settle(&place, population, &bounds, down)?;
            if plan.steps.len() > MAX_STEPS || plan.values() > MAX_VALUES || down > MAX_DOWN {
                return None;
            }
        }
        Some(plan)
    }

    /// Coefficients of one group with all intermediate results.
    fn values(&self) -> usize {
        let values = self.slots.iter().map(|slot| slot.taps.saturating_mul(slot.width));
        values.fold(0, usize::saturating_add)
    }

    /// Takes the rows at `place`, whose relays read `into` and whose shifts sum up to `down`, back to its
    /// source, one of `places`.
    fn back(
        &mut self,
        draft: &'d QuantizedDraft,
        place: &Place,
        into: &Projection,
        down: u32,
        places: &mut Vec<Place>,
    ) -> Option<()> {
        let Slot { taps: rows, width } = self.slots[place.slot];
        let matrix = &draft.matrices[into.matrix];
        let source = draft.populations[into.source].size();
        let mut next = Place {
            slot: self.slots.len(),
            population: into.source,
            lag: place.lag + u64::from(into.delay),
            down,
            missing: place.missing || into.delay > 0,
            extents: place.extents,
            windows: place.windows.clone(),
        };
        let (slot, through, work) = match (&matrix.structure, place.extents) {
            (Structure::Identity { .. }, _) => {
                (Slot { taps: rows, width }, Through::Scale(f64::from(matrix.weight(0))), width)
            }
            (Structure::Conv(conv), Some(extents)) => {
                if conv.output() != Some(extents) {
                    return None;
                }
                next.look_through(conv);
                let slot =
                    Slot { taps: rows.saturating_mul(taps(conv)), width: conv.input[0] as usize };
                let parts = self.parts(into.matrix, matrix, || kernel_parts(matrix, conv))?;
                (slot, Through::Parts(parts), conv.kernel_size())
            }
            (_, Some(_)) => return None,
            (Structure::Dense { rows: inner, cols }, None) => {
                let part =
                    Part { inner: *inner as usize, columns: *cols as usize, ..Part::default() };
                let weights = || (0..matrix.mantissa.len()).map(|i| f64::from(matrix.weight(i)));
                let parts =
                    self.parts(into.matrix, matrix, || vec![(weights().collect(), part)])?;
                (Slot { taps: rows, width: source }, Through::Parts(parts), matrix.mantissa.len())
            }
            (Structure::Conv(conv), None) => {
                (Slot { taps: rows, width: source }, Through::Synapses(matrix), synapses(conv))
            }
            (Structure::Sparse { .. }, None) => {
                let work = matrix.mantissa.len();
                (Slot { taps: rows, width: source }, Through::Synapses(matrix), work)
            }
        };
        let work = (rows as u64).saturating_mul(work as u64);
        self.work = self.work.saturating_add(work);
        let (low, high) = matrix.weight_range();
        let largest = f64::from(high.max(-low));
        let to = if let Some(met) = places.iter_mut().find(|other| other.meets(&next)) {
            met.missing |= next.missing;
            met.slot
        } else {
            self.slots.push(slot);
            places.push(next);
            self.slots.len() - 1
        };
        self.steps.push(Step::Back { from: place.slot, to, through, largest });
        Some(())
    }

    /// What `make` makes of a matrix, which may stand on several paths.
    fn parts(
        &mut self,
        id: MatId,
        matrix: &IntMatrix,
        make: impl FnOnce() -> Parts,
    ) -> Option<Rc<Parts>> {
        if let Some(parts) = self.parts.get(&id) {
            return Some(Rc::clone(parts));
        }
        self.weights = self.weights.saturating_add(matrix.mantissa.len());
        if self.weights > MAX_WEIGHTS {
            return None;
        }
        let parts = Rc::new(make());
        self.parts.insert(id, Rc::clone(&parts));
        Some(parts)
    }

    /// Bounds what the rows at `place` bring by the ranges of its population.
    fn settle(
        &mut self,
        place: &Place,
        population: &Population,
        bounds: &Param<Range>,
        down: u32,
    ) -> Option<()> {
        let hull = |a: Range, b: Range| (a.0.min(b.0), a.1.max(b.1));
        let mut bounds = match place.extents {
            Some([channels, ..]) => by_channel(bounds, &population.shape, channels as usize, hull),
            None => bounds.expand(&population.shape),
        };
        if bounds.iter().any(|&(low, high)| low < -MAX_RANGE || high > MAX_RANGE) {
            return None;
        }
        let mut apart = Vec::new();
        if place.missing && bounds.iter().any(|&(low, high)| low > 0 || high < 0) {
            // Of a range without 0 the end that is nearest to it.
            apart = bounds.iter().map(|&(low, high)| low.max(0) + high.min(0)).collect();
            for (range, apart) in bounds.iter_mut().zip(&apart) {
                *range = add(*range, (-apart, -apart));
            }
        }
        self.steps.push(Step::Settle(Settle { slot: place.slot, bounds, apart, down }));
        Some(())
    }
}

/// Position of every population among graded relays, each behind those that it reads.
fn ranks(draft: &QuantizedDraft) -> Option<Vec<usize>> {
    let order = graph::topological(draft.populations.len(), &graded_edges(draft))?;
    let mut ranks = vec![0; order.len()];
    for (rank, population) in order.into_iter().enumerate() {
        ranks[population] = rank;
    }
    Some(ranks)
}

/// `2^shift · η` of each relay: its biases, less what rounding down may take.
fn rounding(draft: &QuantizedDraft, id: PopId, graded: &Graded) -> Param<Range> {
    let taken = (1_i64 << graded.shift) - 1;
    let shape = &draft.populations[id].shape;
    host_range(draft, id).zip(&graded.bias, shape, |host, bias| {
        add(host, (i64::from(bias) - taken, i64::from(bias)))
    })
}

/// Kernel rows and columns.
fn taps(conv: &Conv) -> usize {
    conv.kernel.iter().fold(1_usize, |n, &d| n.saturating_mul(d as usize))
}

const fn padded(conv: &Conv) -> bool {
    let [top, bottom, left, right] = conv.pad;
    top != 0 || bottom != 0 || left != 0 || right != 0
}

/// Synapses of a convolution.
fn synapses(conv: &Conv) -> usize {
    let [_, height, width] = conv.output().map_or([0; 3], |o| o.map(|d| d as usize));
    let along = |axis, extent| (0..extent).map(|i| conv.taps(axis, i).len()).sum::<usize>();
    let [outputs, inputs, ..] = conv.kernel_shape().map(|d| d as usize);
    let pairs = outputs.saturating_mul(inputs);
    pairs.saturating_mul(along(0, height)).saturating_mul(along(1, width))
}

/// The kernel of a convolution, one matrix `[output channels, input channels]` per group and tap.
fn kernel_parts(matrix: &IntMatrix, conv: &Conv) -> Parts {
    let [outputs, inputs, ..] = conv.kernel_shape().map(|d| d as usize);
    let (taps, groups) = (taps(conv), conv.groups as usize);
    let per_group = outputs / groups;
    let part = |group: usize, tap: usize| {
        let weight = |output: usize, input: usize| {
            let index = ((group * per_group + output) * inputs + input) * taps + tap;
            f64::from(matrix.weight(index))
        };
        let rows = (0..per_group).flat_map(|o| (0..inputs).map(move |i| (o, i)));
        let weights = rows.map(|(o, i)| weight(o, i)).collect();
        let part = Part {
            from: group * per_group,
            inner: per_group,
            to: tap * groups * inputs + group * inputs,
            columns: inputs,
        };
        (weights, part)
    };
    (0..groups).flat_map(|g| (0..taps).map(move |t| (g, t))).map(|(g, t)| part(g, t)).collect()
}
