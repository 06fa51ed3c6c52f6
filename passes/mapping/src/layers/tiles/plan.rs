//! How a layer is best cut: channels of a block, columns of a strip, pixels of a run.

use super::cost::{CoreLimits, Storage, Work, ratio};
use super::{Cost, Tile, TileError};
use crate::layers::network::{Read, Store};

/// Sizes of tiles of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Blocks of channels, as equal as possible.
    pub(super) blocks: u32,
    /// Strips of columns, as equal as possible.
    pub(super) strips: u32,
    /// Pixels of a full tile.
    pub(super) pixels: u64,
    /// What the first tile takes.
    pub(super) cost: Cost,
}

/// Part `index` of `parts` nearly equal parts of `length`.
pub(super) fn part(length: u32, parts: u32, index: u32) -> [u32; 2] {
    let at = |index: u32| {
        let place = u64::from(length) * u64::from(index) / u64::from(parts);
        u32::try_from(place).expect("a part of a length")
    };
    [at(index), at(index + 1)]
}

/// Pixels that tiles may be cut at: of lists, whole rows only, unless windows are single places.
pub(super) fn grain(work: &Work<'_>, tile: &Tile, limits: &CoreLimits) -> u64 {
    let single = |read: &Read| {
        read.store == Store::Lists || (read.rows.kernel == 1 && read.columns.kernel == 1)
    };
    if limits.storage == Storage::Once || work.network.layers[tile.layer].reads.iter().all(single) {
        return 1;
    }
    u64::from(tile.columns[1] - tile.columns[0])
}

/// The most pixels (a multiple of `grain`, or all that are left) of a tile that starts as this one and does not go further, so that
/// with `used` it fits on a core; and what they take.
pub(super) fn longest(
    work: &Work<'_>,
    tile: &Tile,
    grain: u64,
    used: Cost,
    limits: &CoreLimits,
) -> Option<(u64, Cost)> {
    let channels = u64::from(tile.channels[1] - tile.channels[0]);
    let room = limits.neurons.saturating_sub(used.neurons) / channels;
    let all = tile.run[1] - tile.run[0];
    let attempt = |pixels: u64| {
        let run = [tile.run[0], tile.run[0] + pixels];
        let cost = work.cost(&Tile { run, ..*tile }, used.neurons, limits);
        used.plus(cost).fits(limits).then_some((pixels, cost))
    };
    if room >= all
        && let Some(found) = attempt(all)
    {
        return Some(found);
    }
    // In units of the grain: `low` fits, `high` does not.
    let (mut low, mut high) = (0, room.min(all) / grain + 1);
    let mut best = None;
    // Mostly neurons are what limits.
    if high > 1
        && let Some(found) = attempt((high - 1) * grain)
    {
        return Some(found);
    }
    high = high.saturating_sub(1);
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        if let Some(found) = attempt(middle * grain) {
            best = Some(found);
            low = middle;
        } else {
            high = middle;
        }
    }
    best
}

/// Numbers of parts of `length` that differ in the size of their largest part, coarse ones for long axes.
fn counts(length: u32, most: u32) -> Vec<u32> {
    let mut all = Vec::new();
    let mut parts = 1;
    while parts <= length.min(most) {
        all.push(parts);
        // Not every count of hundreds makes a difference.
        let size = length.div_ceil(parts);
        let next = if size > 1 { length.div_ceil(size - 1) } else { length + 1 };
        parts = next.max(parts + parts / 24 + 1).max(parts + 1);
    }
    all
}

/// All plans of a layer that make a difference.
///
/// # Errors
/// If a core cannot hold a single neuron.
pub(super) fn plans(
    work: &Work<'_>,
    layer: usize,
    limits: &CoreLimits,
) -> Result<Vec<Candidate>, TileError> {
    let shape = work.network.layers[layer].shape;
    let mut found = Vec::new();
    for blocks in counts(shape.channels, shape.channels) {
        // Parts differ by one at most, and the last one is among the largest.
        let channels = part(shape.channels, blocks, blocks - 1);
        if !holds(work, layer, channels, limits) {
            continue;
        }
        for strips in counts(shape.width, shape.width) {
            let columns = inner(shape.width, strips);
            let width = u64::from(columns[1] - columns[0]);
            let all = width * u64::from(shape.height);
            // Away from the border, where windows see most.
            let start = width * u64::from(shape.height.min(3) / 2);
            let tile = Tile { layer, channels, columns, run: [start, all] };
            let grain = grain(work, &tile, limits);
            // Wider than high by far is never better: borders only grow.
            let room = limits.neurons / u64::from(channels[1] - channels[0]);
            let wide = width * width > 4 * room.max(1).min(all);
            if wide && strips < shape.width && grain == 1 {
                continue;
            }
            let Some((mut pixels, mut cost)) = longest(work, &tile, grain, Cost::default(), limits)
            else {
                continue;
            };
            let tile = Tile { run: [0, all], ..tile };
            if start + pixels == all
                && let Some(whole) = longest(work, &tile, grain, Cost::default(), limits)
            {
                (pixels, cost) = whole;
            }
            let plan = Plan { blocks, strips, pixels, cost };
            found.push(Candidate::new(work, &tile, plan, limits));
        }
    }
    if found.is_empty() {
        return Err(refusal(work, layer, limits));
    }
    Ok(found)
}

/// Of candidates, the one that takes fewest cores, and of those about as good the one with fewest copies of axons.
pub(super) fn choose(candidates: &[Candidate], limits: &CoreLimits, taste: Taste) -> Option<Plan> {
    let cores = candidates.iter().map(|candidate| candidate.cores(limits, taste));
    let cores: Vec<f64> = cores.collect();
    let least = cores.iter().copied().fold(f64::INFINITY, f64::min);
    let good = candidates.iter().zip(cores).filter(|(_, cores)| *cores <= least * 1.004 + 0.1);
    let best = good.min_by(|a, b| a.0.copies.total_cmp(&b.0.copies).then(a.1.total_cmp(&b.1)));
    best.map(|(candidate, _)| candidate.plan)
}

/// The columns of a strip as wide as the widest, in the middle.
fn inner(length: u32, strips: u32) -> [u32; 2] {
    let width = length.div_ceil(strips);
    let start = (length - width) / 2;
    [start, start + width]
}

fn single(layer: usize, channels: [u32; 2]) -> Tile {
    Tile { layer, channels, columns: [0, 1], run: [0, 1] }
}

/// Whether one pixel at the map's corner fits: a quick test; inner ones may take more.
fn holds(work: &Work<'_>, layer: usize, channels: [u32; 2], limits: &CoreLimits) -> bool {
    work.cost(&single(layer, channels), 0, limits).fits(limits)
}

/// A plan and what it comes to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) plan: Plan,
    /// Full tiles of a strip.
    full: f64,
    /// What the last tile of a strip takes, if it is not full.
    rest: Cost,
    /// Strips in all blocks, as if they were as large as the largest, scaled to what the layer has.
    parts: f64,
    /// Copies of axons of the layer.
    copies: f64,
}

impl Candidate {
    fn new(work: &Work<'_>, tile: &Tile, plan: Plan, limits: &CoreLimits) -> Self {
        let shape = work.network.layers[tile.layer].shape;
        let all = tile.run[1];
        let (full, left) = (all / plan.pixels, all % plan.pixels);
        let last = Tile { run: [all - left, all], ..*tile };
        let rest = if left > 0 { work.cost(&last, 0, limits) } else { Cost::default() };
        let parts = float(shape.neurons()) / float(tile.neurons());
        let copies = float(plan.cost.inputs * full + rest.inputs) * parts;
        Self { plan, full: float(full), rest, parts, copies }
    }

    /// Cores of the layer, where what leaves room on a core counts as a part.
    fn cores(&self, limits: &CoreLimits, taste: Taste) -> f64 {
        let strip = self.full * taste.burden(self.plan.cost, limits);
        (strip + taste.burden(self.rest, limits)) * self.parts
    }
}

/// How gaps are judged when tiles are sized.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taste {
    /// Share of a core's neurons above which nothing else will come to it.
    pub(super) full: f64,
    /// Whether the rest of a core's memory is only good for as much again.
    pub(super) whole: bool,
}

impl Taste {
    /// Those that are tried: none is best everywhere.
    pub(super) const ALL: [Self; 7] = [
        Self { full: 1.0, whole: true },
        Self { full: 0.96, whole: true },
        Self { full: 0.85, whole: true },
        Self { full: 0.75, whole: true },
        Self { full: 0.96, whole: false },
        Self { full: 0.85, whole: false },
        Self { full: 0.75, whole: false },
    ];

    /// Part of a core that something takes.
    fn burden(self, cost: Cost, limits: &CoreLimits) -> f64 {
        let share = ratio(cost.words, limits.words);
        let words = if self.whole { 1.0 / (1.0 / share.max(1e-9)).floor() } else { share };
        let neurons = ratio(cost.neurons, limits.neurons);
        let axons = ratio(cost.inputs, limits.inputs).max(ratio(cost.outputs, limits.outputs));
        let most = neurons.max(axons).max(words);
        if most > self.full { 1.0 } else { most }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a measure for a search, not a count")]
fn float(count: u64) -> f64 {
    count as f64
}

/// What a single neuron in the middle of the map takes too much of.
fn refusal(work: &Work<'_>, layer: usize, limits: &CoreLimits) -> TileError {
    let shape = work.network.layers[layer].shape;
    let (row, column) = (u64::from(shape.height / 2), shape.width / 2);
    let columns = [column, column + 1];
    let tile = Tile { layer, channels: [0, 1], columns, run: [row, row + 1] };
    refusal_of(work, &tile, limits)
}

/// What a tile takes too much of.
pub(super) fn refusal_of(work: &Work<'_>, tile: &Tile, limits: &CoreLimits) -> TileError {
    let cost = work.cost(tile, 0, limits);
    let parts = [
        ("neurons", cost.neurons, limits.neurons),
        ("input axons", cost.inputs, limits.inputs),
        ("words of synapse memory", cost.words, limits.words),
        ("output axons", cost.outputs, limits.outputs),
    ];
    let over = parts.into_iter().find(|(_, need, limit)| need > limit);
    let (resource, need, limit) = over.unwrap_or(parts[0]);
    let layer = work.network.layers[tile.layer].name.clone();
    TileError { layer, resource, need, limit }
}
