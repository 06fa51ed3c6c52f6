//! Where input axons fill cores before neurons do: vertices move one by one at falling heat.
//!
//! Refinement goes uphill for a few moves only, and full cores hold it up. Here losses are accepted, with a probability that falls
//! from round to round (Kirkpatrick, Gelatt and Vecchi, 1983), and axons above a limit have a price, so low at first that most cores
//! are a little too full. On a torus of random neighbors, this finds cores that cost 1 % less than refinement does,
//! and 2 % less than hexagons.
//!
//! A move costs a look at the edges of its vertex and no more: what it gains is counted when it is due, and only moves
//! are tried that did not lose much when last counted.

use super::Limits;
use super::level::{Level, NONE};
use super::random::Random;
use crate::hypergraph::narrow;

/// Rounds, at the beginning of which all moves are counted.
const ROUNDS: u32 = 12;

/// Rounds at the end in which axons above limits are dear.
const DEAR: u32 = 2;

/// Heat in the first and in the last round, in mean costs of an edge.
const HEAT: [f64; 2] = [4.0, 0.3];

/// What an axon above a limit costs, in mean costs per axon, before the last rounds and then. A core that exceeds its limit by
/// 1/[`STEEP`] pays twice as much per axon: without that, some cores would grow at the cost of all others.
const PRICE: [f64; 2] = [0.7, 3.0];
const STEEP: u32 = 128;

/// Rounds more, at most, while cores are above limits.
const REPAIRS: u32 = 6;

/// Input axons that a core above its limit may shed by one move, when axons are dear.
const SHED: f64 = 8.0;

/// Losses up to which moves are tried in a round, in its heat. Acceptance is `exp(-8)` there.
const WIDE: f64 = 8.0;

/// How much a move may have gained since it was counted, in the heat of a round.
const STALE: f64 = 1.0;

/// A vertex and another core, and what it gained to move there when last counted.
#[derive(Clone, Copy, Debug)]
struct Move {
    vertex: u32,
    to: u32,
    gain: i32,
}

/// What a move changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Cost that it saves.
    pub(super) gain: i32,
    /// Input axons that the core it leaves no longer needs.
    pub(super) relief: u64,
    /// Input axons that the core to which it goes needs in addition.
    pub(super) thirst: u64,
}

/// A partition, counted.
pub(super) struct Anneal<'a> {
    level: &'a Level,
    limits: Limits,
    cores: usize,
    pub(super) core: Vec<u32>,
    load: Vec<u64>,
    inputs: Vec<u64>,
    /// Pins of each edge on each core: 16 bits, so that caches hold more.
    counts: Vec<u16>,
    /// Core of each edge's source, if that is not a target.
    home: Vec<u32>,
}

/// Anneals a partition, with `sweeps` tries per vertex. What comes out may be above limits by some axons, and for refinement
/// to put right. None where an edge has too many pins for this.
pub(super) fn anneal(
    level: &Level,
    limits: &Limits,
    core: Vec<u32>,
    cores: u32,
    sweeps: usize,
    random: &mut Random,
) -> Option<Vec<u32>> {
    let mut anneal = Anneal::new(level, *limits, core, cores)?;
    let costs: f64 = level.costs.iter().map(|&cost| f64::from(cost)).sum();
    let axons: f64 = level.axons.iter().map(|&axons| f64::from(axons)).sum();
    let mean = costs / f64::from(narrow(level.edges()).max(1));
    let tries = sweeps * level.vertices() / ROUNDS as usize;
    for round in 0..ROUNDS + REPAIRS {
        if round >= ROUNDS && !anneal.overfull() {
            break;
        }
        let rest = (ROUNDS - 1).saturating_sub(round);
        let fall = f64::from(rest) / f64::from(ROUNDS - 1);
        let heat = mean * (HEAT[1] + (HEAT[0] - HEAT[1]) * fall * fall);
        let dear = rest < DEAR;
        let price = costs / axons.max(1.0) * PRICE[usize::from(dear)];
        let shed = if dear { price * SHED } else { 0.0 };
        let mut moves = anneal.moves(heat * WIDE, shed);
        if moves.is_empty() {
            continue;
        }
        for _ in 0..tries {
            let place = random.below(moves.len());
            let most = heat * exponential(random.next());
            let it = &mut moves[place];
            let shed = if dear && anneal.is_over(it.vertex as usize) { shed } else { 0.0 };
            if f64::from(it.gain) + most + heat * STALE + shed >= 0.0 {
                anneal.attempt(it, most, price);
            }
        }
    }
    Some(anneal.core)
}

/// An exponential variate of mean 1, up to some percent: the logarithm is taken as linear between powers of two. Functions of the
/// system's library could differ from machine to machine.
fn exponential(bits: u64) -> f64 {
    let zeros = bits.leading_zeros();
    let below = bits.checked_shl(zeros + 1).unwrap_or(0);
    let part = f64::from(narrow(usize::try_from(below >> 33).unwrap_or(0))) / f64::from(1u32 << 31);
    (f64::from(zeros + 1) - part) * std::f64::consts::LN_2
}

impl<'a> Anneal<'a> {
    /// Counts everything. None where an edge has too many pins.
    pub(super) fn new(
        level: &'a Level,
        limits: Limits,
        core: Vec<u32>,
        cores: u32,
    ) -> Option<Self> {
        let cores = cores as usize;
        let mut load = vec![0; cores];
        let mut inputs = vec![0; cores];
        let mut counts = vec![0u16; level.edges() * cores];
        let mut home = vec![NONE; level.edges()];
        for (vertex, &core) in core.iter().enumerate() {
            load[core as usize] += u64::from(level.weights[vertex]);
            inputs[core as usize] += u64::from(level.fixed[vertex]);
        }
        for edge in 0..level.edges() {
            let pins = level.pins_of(edge);
            u16::try_from(pins.len()).ok()?;
            let targets = pins.len() - usize::from(level.sources[edge] != NONE);
            let row = &mut counts[edge * cores..][..cores];
            for (place, &pin) in pins.iter().enumerate() {
                let core = core[pin as usize];
                if place == targets {
                    home[edge] = core;
                } else if row[core as usize] == 0 {
                    inputs[core as usize] += u64::from(level.axons[edge]);
                }
                row[core as usize] += 1;
            }
        }
        Some(Self { level, limits, cores, core, load, inputs, counts, home })
    }

    /// Whether a core is above its limit of input axons.
    fn overfull(&self) -> bool {
        self.inputs.iter().any(|&inputs| inputs > self.limits.inputs)
    }

    /// Whether the core of a vertex is.
    fn is_over(&self, vertex: usize) -> bool {
        self.inputs[self.core[vertex] as usize] > self.limits.inputs
    }

    /// Moves that lose at most so much, `shed` more if they leave a core above its limit.
    fn moves(&self, most: f64, shed: f64) -> Vec<Move> {
        let mut moves = Vec::new();
        let mut gains = vec![0i32; self.cores];
        for (vertex, &own) in self.core.iter().enumerate() {
            gains.fill(0);
            let most = if self.is_over(vertex) { most + shed } else { most };
            // Cost of edges that the vertex's core keeps without it.
            let mut kept = 0;
            for incident in self.level.incident_to(vertex) {
                let cost = self.level.costs[incident.edge()];
                let row = self.row(incident.edge());
                for (gain, &count) in gains.iter_mut().zip(row) {
                    *gain += if count > 0 { cost } else { 0 };
                }
                kept += if row[own as usize] > 1 { cost } else { 0 };
            }
            for (to, &gain) in (0..).zip(&gains) {
                if to != own && f64::from(gain - kept) >= -most {
                    moves.push(Move { vertex: narrow(vertex), to, gain: gain - kept });
                }
            }
        }
        moves
    }

    fn row(&self, edge: usize) -> &[u16] {
        &self.counts[edge * self.cores..][..self.cores]
    }

    /// What a move changes. Without branches, which nobody could foresee.
    pub(super) fn change(&self, vertex: usize, to: usize) -> Change {
        let from = self.core[vertex] as usize;
        let fixed = u64::from(self.level.fixed[vertex]);
        let mut change = Change { gain: 0, relief: fixed, thirst: fixed };
        for incident in self.level.incident_to(vertex) {
            let edge = incident.edge();
            let (left, there) = (self.row(edge)[from], self.row(edge)[to]);
            change.gain += self.level.costs[edge] * (i32::from(left == 1) - i32::from(there == 0));
            // The source itself is a pin, and needs no axon.
            let axons = u64::from(self.level.axons[edge]) * u64::from(!incident.is_source());
            let home = self.home[edge] as usize;
            change.relief += axons * u64::from(left == 1 + u16::from(home == from));
            change.thirst += axons * u64::from(there == u16::from(home == to));
        }
        change
    }

    /// Moves a vertex unless that loses more than `most`; what is left then is the move back. `price` is that of an axon above limits.
    fn attempt(&mut self, it: &mut Move, most: f64, price: f64) {
        let (vertex, to) = (it.vertex as usize, it.to as usize);
        let from = self.core[vertex];
        let weight = u64::from(self.level.weights[vertex]);
        // Another move may have brought the vertex there.
        if from == it.to || self.load[to] + weight > self.limits.neurons {
            return;
        }
        let change = self.change(vertex, to);
        it.gain = change.gain;
        let (giver, taker) = (self.inputs[from as usize], self.inputs[to]);
        let before = self.above(giver) + self.above(taker);
        let after = self.above(giver - change.relief) + self.above(taker + change.thirst);
        if price * (after - before) - f64::from(change.gain) <= most {
            self.shift(vertex, it.to, change);
            (it.to, it.gain) = (from, -change.gain);
        }
    }

    /// How much a core of so many input axons pays, in axons.
    fn above(&self, inputs: u64) -> f64 {
        let real = |axons: u64| f64::from(u32::try_from(axons).unwrap_or(u32::MAX));
        let over = real(inputs.saturating_sub(self.limits.inputs));
        over * (1.0 + over * f64::from(STEEP) / real(self.limits.inputs.max(1)))
    }

    /// Moves a vertex, `change` being what that changes.
    pub(super) fn shift(&mut self, vertex: usize, to: u32, change: Change) {
        let from = std::mem::replace(&mut self.core[vertex], to) as usize;
        let weight = u64::from(self.level.weights[vertex]);
        self.load[from] -= weight;
        self.load[to as usize] += weight;
        self.inputs[from] -= change.relief;
        self.inputs[to as usize] += change.thirst;
        for incident in self.level.incident_to(vertex) {
            let edge = incident.edge();
            let row = &mut self.counts[edge * self.cores..][..self.cores];
            row[from] -= 1;
            row[to as usize] += 1;
            if incident.is_source() {
                self.home[edge] = to;
            }
        }
    }
}
