//! Refinement by moves that may break limits for a while.
//!
//! Cores are full, so that single moves that gain and fit do not exist. A move may overfill its core; then the
//! next one has to leave that core, until all limits hold again: swaps, cycles and chains of any length are found this way. What does not
//! end in a better partition is undone (Fiduccia and Mattheyses, 1982; undoing per short run as in the localized
//! search of `KaHyPar`).

use super::level::NONE;
use super::queue::Queues;
use super::state::{Raised, Score, State};
use crate::hypergraph::narrow;

/// How patient a pass is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Moves without improvement after which a run is undone.
    pub(super) run: usize,
    /// Runs without improvement after which a pass ends.
    pub(super) runs: usize,
    /// Passes at most.
    pub(super) passes: usize,
}

/// Improves a partition until a pass does not help. The score never gets worse.
pub(super) fn refine(state: &mut State<'_>, patience: Patience) {
    for _ in 0..patience.passes {
        let before = state.score();
        let after = pass(state, patience);
        if after >= before || (before.excess == 0 && (before.cost - after.cost) * 500 < before.cost)
        {
            break;
        }
    }
}

struct Pass<'s, 'a> {
    state: &'s mut State<'a>,
    queues: Queues,
    raised: Raised,
    /// Neurons and axons by which a move may overfill a core.
    slack: (u64, u64),
}

fn pass(state: &mut State<'_>, patience: Patience) -> Score {
    let queues = Queues::new(&state.core, state.cores(), |vertex| state.best_gain(vertex));
    let heaviest = state.level.weights.iter().copied().max().unwrap_or(0);
    let slack = (
        u64::from(heaviest).max(state.limits.neurons.min(1 << 20) / 100),
        // With less, nothing may move at all where most cores are above their limits.
        state.limits.inputs.min(1 << 30) / if state.score().excess > 0 { 25 } else { 50 },
    );
    let mut best = state.score();
    let mut pass = Pass { state, queues, raised: Vec::new(), slack };
    let mut undo: Vec<(u32, u32)> = Vec::new();
    let mut failures = 0;
    while failures < patience.runs {
        let Some((vertex, to)) = pass.choose() else { break };
        undo.push((narrow(vertex), pass.state.core[vertex]));
        pass.queues.remove(pass.state.core[vertex] as usize, vertex);
        pass.shift(vertex, to);
        let score = pass.state.score();
        if score < best {
            best = score;
            undo.clear();
            failures = 0;
        } else if undo.len() >= patience.run {
            pass.undo(&mut undo);
            failures += 1;
        }
    }
    pass.undo(&mut undo);
    best
}

impl Pass<'_, '_> {
    fn shift(&mut self, vertex: usize, to: usize) {
        self.state.shift(vertex, to, &mut self.raised);
        for (vertex, core) in self.raised.drain(..) {
            let vertex = vertex as usize;
            if !self.queues.holds(vertex) {
                continue;
            }
            let own = self.state.core[vertex];
            if core == NONE {
                self.queues.raise(own as usize, vertex, self.state.best_gain(vertex));
            } else if core != own {
                self.queues.raise(own as usize, vertex, self.state.gain(vertex, core as usize));
            }
        }
    }

    fn undo(&mut self, moves: &mut Vec<(u32, u32)>) {
        while let Some((vertex, from)) = moves.pop() {
            self.shift(vertex as usize, from as usize);
        }
    }

    fn choose(&mut self) -> Option<(usize, usize)> {
        let worst = (0..self.state.cores())
            .map(|core| (self.state.excess_of(core), core))
            .max_by_key(|&(excess, core)| (excess, std::cmp::Reverse(core)))?;
        if worst.0 > 0 { self.choose_from(worst.1) } else { self.choose_any() }
    }

    /// The move that gains most.
    fn choose_any(&mut self) -> Option<(usize, usize)> {
        loop {
            let (key, core, vertex) = (0..self.state.cores())
                .filter_map(|core| self.queues.first(core).map(|(vertex, key)| (key, core, vertex)))
                .max_by_key(|&(key, core, _)| (key, std::cmp::Reverse(core)))?;
            let actual = self.state.best_gain(vertex);
            if actual < key {
                self.queues.set(core, vertex, actual);
                continue;
            }
            match self.target(vertex) {
                Some((to, _)) => return Some((vertex, to)),
                None => self.queues.remove(core, vertex),
            }
        }
    }

    /// Where a vertex goes with most gain, what that makes others leave included.
    fn target(&self, vertex: usize) -> Option<(usize, i32)> {
        let state = &self.state;
        let own = state.core[vertex] as usize;
        let weight = u64::from(state.level.weights[vertex]);
        let row = state.row(vertex);
        let direct = state.excess_of(own) > 0;
        let mut banned = [usize::MAX; 4];
        for attempt in 0..banned.len() {
            let mut best: Option<(i32, usize)> = None;
            for (core, &shared) in row.iter().enumerate() {
                if core == own || banned.contains(&core) {
                    continue;
                }
                let load = state.load[core] + weight;
                let value = if load <= state.limits.neurons {
                    shared
                } else if !direct && load <= state.limits.neurons + self.slack.0 {
                    shared.saturating_add(self.price(core, weight))
                } else {
                    continue;
                };
                if best.is_none_or(|(most, _)| value > most) {
                    best = Some((value, core));
                }
            }
            let (value, core) = best?;
            if state.drinks(vertex, core, self.slack.1) {
                return Some((core, value + state.base(vertex)));
            }
            banned[attempt] = core;
        }
        None
    }

    /// What making room for `weight` neurons costs (negative), if all that leaves costs as much as what leaves first.
    fn price(&self, core: usize, weight: u64) -> i32 {
        let Some((first, key)) = self.queues.first(core) else { return i32::MIN / 2 };
        let leaves = u64::from(self.state.level.weights[first]);
        let times = weight.div_ceil(leaves);
        key.min(0).saturating_mul(i32::try_from(times).unwrap_or(i32::MAX)).max(i32::MIN / 2)
    }

    /// The best move out of an overfull core.
    fn choose_from(&mut self, core: usize) -> Option<(usize, usize)> {
        const CANDIDATES: usize = 16;
        let state = &self.state;
        let free: Vec<i64> = (0..state.cores())
            .map(|core| signed(state.limits.neurons) - signed(state.load[core]))
            .collect();
        let over = signed(state.load[core]) - signed(state.limits.neurons);
        let mut values: Vec<(i32, u32)> = Vec::with_capacity(self.queues.members(core).len());
        for &vertex in self.queues.members(core) {
            let weight = i64::from(state.level.weights[vertex as usize]);
            let mut best = i32::MIN;
            for (to, &shared) in state.row(vertex as usize).iter().enumerate() {
                if to == core {
                    continue;
                }
                let value = if free[to] >= weight { shared } else { i32::MIN };
                best = best.max(value);
            }
            if best > i32::MIN {
                let mut value = best.saturating_add(state.base(vertex as usize));
                if value < 0 {
                    // Per neuron that has to leave; scaled to keep differences.
                    let loss = i64::from(value) * 64 / weight.min(over.max(1));
                    value = i32::try_from(loss).unwrap_or(i32::MIN);
                }
                values.push((value, vertex));
            }
        }
        let thirsty = state.inputs[core] > state.limits.inputs;
        let order = |&(value, vertex): &(i32, u32)| (std::cmp::Reverse(value), vertex);
        if values.len() > CANDIDATES {
            values.select_nth_unstable_by_key(CANDIDATES, order);
            values.truncate(CANDIDATES);
        }
        values.sort_unstable_by_key(order);
        let mut best: Option<(f64, usize, usize)> = None;
        for &(_, vertex) in &values {
            let vertex = vertex as usize;
            let Some((to, value)) = self.target(vertex) else { continue };
            if !thirsty {
                return Some((vertex, to));
            }
            let relief = f64::from(u32::try_from(state.relief(vertex)).unwrap_or(u32::MAX));
            let value = f64::from(value);
            let merit = if value > 0.0 { value * relief } else { value / (relief + 0.01) };
            if best.is_none_or(|(most, ..)| merit > most) {
                best = Some((merit, vertex, to));
            }
        }
        best.map(|(_, vertex, to)| (vertex, to))
    }
}

fn signed(neurons: u64) -> i64 {
    i64::try_from(neurons).unwrap_or(i64::MAX)
}
