//! Cores of a whole network: full tiles of each layer, and what is left over poured into the gaps of others.

use super::cost::{CoreLimits, Work, ratio};
use super::outputs::reach;
use super::plan::{
    Candidate, Plan, Taste, choose, grain, longest, part, plans, refusal_of as refusal,
};
use super::{Cost, Group, Tile, TileError, Tiling};
use crate::layers::network::Network;

/// Most cores with room that are kept at hand.
const OPEN: usize = 256;

/// Part of a core's neurons (one in so many) below which a gap, or a piece to fill it, is not worth it.
const CRUMB: u64 = 24;

/// Rounds in which the output axons of the last one are looked at.
const ROUNDS: usize = 6;

/// Most cores whose output axons are counted.
const COUNTED: u64 = 1 << 15;

/// Cuts a network into tiles.
///
/// Layers go first whose cores are short of memory rather than of neurons, so that lighter ones can fill their gaps. How many cores
/// a neuron reaches is only known when its readers are cut: where output axons are limited, cutting is repeated with what the
/// rounds before came to, and the first result within the limit is returned, or else the one with fewest cores above it. Hold it
/// to [`outputs`](super::outputs()). Above 32,768 cores they are not counted. Time: cores, times what the sizes of a layer take to try.
///
/// # Errors
/// If a core cannot hold a neuron of some layer.
pub fn tile(network: &Network, limits: &CoreLimits) -> Result<Tiling, TileError> {
    let mut work = Work { network, reach: vec![0; network.layers.len()] };
    let mut best = fewest(&work, limits)?;
    if limits.outputs == u64::MAX || best.cores() > COUNTED {
        return Ok(best);
    }
    let mut last = best.clone();
    let mut least = usize::MAX;
    for _ in 0..ROUNDS {
        let (axons, reach) = reach(network, &last, limits);
        let over = axons.iter().filter(|axons| **axons > limits.outputs).count();
        if over < least {
            (best, least) = (last, over);
        }
        if over == 0 {
            break;
        }
        for (known, found) in work.reach.iter_mut().zip(reach) {
            *known = found.max(*known);
        }
        let Ok(next) = fewest(&work, limits) else { break };
        last = next;
    }
    Ok(best)
}

/// The tiling with fewest cores of all tastes.
fn fewest(work: &Work<'_>, limits: &CoreLimits) -> Result<Tiling, TileError> {
    let mut candidates = Vec::new();
    for (index, layer) in work.network.layers.iter().enumerate() {
        if !layer.input {
            candidates.push((index, plans(work, index, limits)?));
        }
    }
    let mut best = with(work, limits, &candidates, Taste::ALL[0])?;
    for taste in &Taste::ALL[1..] {
        let other = with(work, limits, &candidates, *taste)?;
        if other.cores() < best.cores() {
            best = other;
        }
    }
    Ok(best)
}

/// Tiles of a network whose sizes are chosen with one taste.
fn with(
    work: &Work<'_>,
    limits: &CoreLimits,
    candidates: &[(usize, Vec<Candidate>)],
    taste: Taste,
) -> Result<Tiling, TileError> {
    let chosen = candidates.iter();
    let chosen = chosen.filter_map(|(layer, all)| Some((*layer, choose(all, limits, taste)?)));
    let mut plans: Vec<(usize, Plan)> = chosen.collect();
    // Cores of neurons that the memory of one core serves: few first.
    let neurons = |plan: &Plan| {
        let memory = ratio(plan.cost.words, limits.words);
        let inputs = ratio(plan.cost.inputs, limits.inputs);
        ratio(plan.cost.neurons, limits.neurons) / memory.max(inputs).max(1e-9)
    };
    plans.sort_by(|a, b| neurons(&a.1).total_cmp(&neurons(&b.1)).then(a.0.cmp(&b.0)));
    let mut pour = Pour { work, limits, tiling: Tiling::default(), open: Vec::new() };
    for (layer, plan) in plans {
        let shape = work.network.layers[layer].shape;
        for block in 0..plan.blocks {
            let channels = part(shape.channels, plan.blocks, block);
            for strip in 0..plan.strips {
                let columns = part(shape.width, plan.strips, strip);
                let all = u64::from(columns[1] - columns[0]) * u64::from(shape.height);
                let tile = Tile { layer, channels, columns, run: [0, all] };
                pour.strip(tile, plan.pixels)?;
            }
        }
    }
    let Pour { mut tiling, open, .. } = pour;
    tiling.mixed.extend(open.into_iter().map(|core| core.tiles));
    Ok(tiling)
}

/// A core with room.
struct Open {
    tiles: Vec<Tile>,
    used: Cost,
}

struct Pour<'a> {
    work: &'a Work<'a>,
    limits: &'a CoreLimits,
    tiling: Tiling,
    open: Vec<Open>,
}

impl Pour<'_> {
    /// Puts all pixels of a strip on cores.
    fn strip(&mut self, mut rest: Tile, pixels: u64) -> Result<(), TileError> {
        let grain = grain(self.work, &rest, self.limits);
        // Strips may be narrower than the plan's by a column.
        let pixels = (pixels / grain).max(1) * grain;
        self.gaps(&mut rest, grain);
        let end = rest.run[1];
        while rest.run[0] < end {
            let next = [rest.run[0], end.min(rest.run[0] + pixels)];
            let tile = Tile { run: next, ..rest };
            let found = longest(self.work, &tile, grain, Cost::default(), self.limits);
            // The plan's sizes hold everywhere but for borders that start in the middle of a row.
            let Some((length, used)) = found else {
                return Err(refusal(
                    self.work,
                    &Tile { run: [next[0], next[0] + 1], ..tile },
                    self.limits,
                ));
            };
            rest.run[0] += length;
            let tile = Tile { run: [next[0], next[0] + length], ..tile };
            self.put(tile, used);
        }
        Ok(())
    }

    /// Fills gaps of open cores.
    fn gaps(&mut self, rest: &mut Tile, grain: u64) {
        let end = rest.run[1];
        let channels = u64::from(rest.channels[1] - rest.channels[0]);
        let crumb = (self.limits.neurons / CRUMB / channels).max(1).next_multiple_of(grain);
        let mut n = 0;
        while n < self.open.len() && rest.run[0] < end {
            let core = &mut self.open[n];
            n += 1;
            let least = crumb.min(end - rest.run[0]);
            let run = [rest.run[0], rest.run[0] + least];
            let probe = self.work.cost(&Tile { run, ..*rest }, core.used.neurons, self.limits);
            if !core.used.plus(probe).fits(self.limits) {
                continue;
            }
            let found = longest(self.work, rest, grain, core.used, self.limits);
            let Some((length, cost)) = found else { continue };
            core.tiles.push(Tile { run: [rest.run[0], rest.run[0] + length], ..*rest });
            core.used = core.used.plus(cost);
            rest.run[0] += length;
            if full(core.used, self.limits) {
                n -= 1;
                let core = self.open.remove(n);
                self.tiling.mixed.push(core.tiles);
            }
        }
    }

    /// Opens a core.
    fn put(&mut self, tile: Tile, used: Cost) {
        if !full(used, self.limits) {
            self.open.push(Open { tiles: vec![tile], used });
            if self.open.len() > OPEN {
                // The one with least room.
                let shares = self.open.iter().map(|core| core.used.share(self.limits));
                let fullest = shares.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
                let core = self.open.swap_remove(fullest.map_or(0, |(n, _)| n));
                self.tiling.mixed.push(core.tiles);
            }
            return;
        }
        if let Some(last) = self.tiling.groups.last_mut()
            && last.tile(last.cores) == tile
        {
            last.cores += 1;
            return;
        }
        self.tiling.groups.push(Group { first: tile, cores: 1 });
    }
}

/// Least room of other resources that a filling can do with.
const ROOM: u64 = 32;

/// Whether a core has no room worth filling.
fn full(used: Cost, limits: &CoreLimits) -> bool {
    used.neurons + limits.neurons / CRUMB > limits.neurons
        || used.words.saturating_add(ROOM) > limits.words
        || used.inputs.saturating_add(ROOM) > limits.inputs
        || used.outputs.saturating_add(ROOM) > limits.outputs
}
