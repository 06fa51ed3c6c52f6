//! A start where a few clusters make up a core: which of them share one.
//!
//! If a core holds two clusters, that is a matching of most shared cost. Threshold accepting (Dueck and Scheuer,
//! 1990) on the costs that pairs share comes close to it in milliseconds, in integers only, and also where more
//! than two fit.

use super::Limits;
use super::level::Level;
use super::random::Random;
use crate::hypergraph::narrow;

/// Clusters up to which all pairs are kept.
const PAIRS: usize = 512;

/// Pins of an edge up to which its pairs count; longer ones reach every core anyway.
const PINS: usize = 64;

/// Steps per cluster, in all.
const STEPS: usize = 2000;

/// Puts every vertex on one of `cores` cores. None where there are too many vertices for this.
pub(super) fn gather(
    level: &Level,
    limits: &Limits,
    cores: u32,
    random: &mut Random,
) -> Option<Vec<u32>> {
    let count = level.vertices();
    if count > PAIRS || cores < 2 || count == 0 {
        return None;
    }
    let mut gather = Gather::new(level, limits.neurons, cores as usize, random);
    let steps = STEPS * count;
    // From the cost that an average pair shares, linearly down to nothing.
    let mean = gather.shared.iter().sum::<i64>() / i64::try_from(count * count).unwrap_or(1);
    let mut best = (gather.value, gather.core.clone());
    for step in 0..steps {
        let heat = mean.max(1) / 64 * i64::try_from((steps - step) * 128 / steps).unwrap_or(0);
        gather.step(heat, random);
        if gather.value > best.0 {
            best = (gather.value, gather.core.clone());
        }
    }
    Some(best.1)
}

struct Gather {
    count: usize,
    /// Cost of the edges that each pair of vertices shares.
    shared: Vec<i64>,
    weights: Vec<u64>,
    limit: u64,
    core: Vec<u32>,
    members: Vec<Vec<u32>>,
    load: Vec<u64>,
    /// Cost shared within cores.
    value: i64,
}

impl Gather {
    /// Heavy vertices first, each where it fits and shares most, or where it overfills least.
    fn new(level: &Level, limit: u64, cores: usize, random: &mut Random) -> Self {
        let count = level.vertices();
        let mut gather = Self {
            count,
            shared: vec![0; count * count],
            weights: level.weights.iter().map(|&weight| u64::from(weight)).collect(),
            limit,
            core: vec![0; count],
            members: vec![Vec::new(); cores],
            load: vec![0; cores],
            value: 0,
        };
        for edge in 0..level.edges() {
            let pins = level.pins_of(edge);
            if pins.len() > PINS {
                continue;
            }
            let cost = i64::from(level.costs[edge]);
            for &one in pins {
                for &other in pins {
                    if one != other {
                        gather.shared[one as usize * count + other as usize] += cost;
                    }
                }
            }
        }
        let mut order: Vec<u32> = (0..narrow(count)).collect();
        random.shuffle(&mut order);
        order.sort_by_key(|&vertex| std::cmp::Reverse(gather.weights[vertex as usize]));
        for vertex in order {
            let vertex = vertex as usize;
            let over =
                |core: usize| (gather.load[core] + gather.weights[vertex]).saturating_sub(limit);
            let best = (0..cores).min_by_key(|&core| (over(core), -gather.with(vertex, core)));
            gather.put(vertex, best.unwrap_or(0));
        }
        gather
    }

    /// Cost that a vertex shares with a core.
    fn with(&self, vertex: usize, core: usize) -> i64 {
        let row = &self.shared[vertex * self.count..][..self.count];
        self.members[core].iter().map(|&other| row[other as usize]).sum()
    }

    fn put(&mut self, vertex: usize, core: usize) {
        self.value += self.with(vertex, core);
        self.core[vertex] = narrow(core);
        self.members[core].push(narrow(vertex));
        self.load[core] += self.weights[vertex];
    }

    fn take(&mut self, vertex: usize) {
        let core = self.core[vertex] as usize;
        self.members[core].retain(|&other| other as usize != vertex);
        self.load[core] -= self.weights[vertex];
        self.value -= self.with(vertex, core);
    }

    /// Tries to move a vertex next to another one, in exchange for one that lies there if room is short. Losses up to `heat` are accepted.
    fn step(&mut self, heat: i64, random: &mut Random) {
        let vertex = random.below(self.count);
        let (from, to) = (self.core[vertex] as usize, random.below(self.members.len()));
        if from == to {
            return;
        }
        let weight = self.weights[vertex];
        let mut gain = self.with(vertex, to) - self.with(vertex, from);
        let mut back = None;
        if self.load[to] + weight > self.limit && !self.members[to].is_empty() {
            let other = self.members[to][random.below(self.members[to].len())] as usize;
            gain += self.with(other, from)
                - self.with(other, to)
                - 2 * self.shared[vertex * self.count + other];
            back = Some(other);
        }
        let returned = back.map_or(0, |other| self.weights[other]);
        let over = |load: u64| load.saturating_sub(self.limit);
        let (was, is) = (
            over(self.load[from]) + over(self.load[to]),
            over(self.load[from] - weight + returned) + over(self.load[to] + weight - returned),
        );
        if is <= was && (is < was || gain >= -heat) {
            self.take(vertex);
            if let Some(other) = back {
                self.take(other);
                self.put(other, from);
            }
            self.put(vertex, to);
        }
    }
}
