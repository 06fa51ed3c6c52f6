//! Coarsening in several steps, and refinement on the way back.

use super::Limits;
use super::coarsen::cluster;
use super::grow::grow;
use super::level::Level;
use super::random::Random;
use super::refine::{Patience, refine};
use super::state::{Score, State};
use super::twins::Join;

/// Memory that gains may take, in entries of 4 bytes. Levels that need more are left as they are.
const TABLE: usize = 1 << 26;

/// Steps of coarsening: enough for clusters of 2^64 neurons, of which each step at least doubles the largest.
const STEPS: usize = 80;

/// A level and what it became, coarser and coarser.
pub(super) struct Hierarchy {
    /// Levels coarser than the one it starts from, each with the cluster of every vertex of the level before.
    steps: Vec<(Vec<u32>, Level)>,
}

/// A partition of some level.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) core: Vec<u32>,
    pub(super) cores: u32,
    pub(super) score: Score,
}

impl Candidate {
    /// Whether it is better: legal, on fewer cores, cheaper.
    pub(super) fn beats(&self, other: &Self) -> bool {
        let rank = |it: &Self| (it.score.excess > 0, it.cores, it.score);
        rank(self) < rank(other)
    }
}

/// How coarse levels get.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coarsening {
    /// Largest cluster, in neurons.
    pub(super) largest: u64,
    /// By how much clusters may grow per step.
    pub(super) step: u64,
    /// Vertices below which it ends.
    pub(super) vertices: usize,
    /// Pins below which it ends.
    pub(super) pins: usize,
}

impl Hierarchy {
    /// Coarsens a level, or, with the core of every vertex, without joining what lies on different cores (then
    /// the cores of the coarsest level are returned, too).
    pub(super) fn new(
        level: &Level,
        core: Option<&[u32]>,
        plan: Coarsening,
        random: &mut Random,
    ) -> (Self, Option<Vec<u32>>) {
        let mut steps: Vec<(Vec<u32>, Level)> = Vec::new();
        let mut core = core.map(<[u32]>::to_vec);
        let mean = level.weight() / (level.vertices() as u64).max(1);
        let mut most = mean.max(1);
        // Weights of clusters are 32-bit numbers.
        let largest = plan.largest.min(u64::from(u32::MAX));
        for _ in 0..STEPS {
            let full = most >= largest;
            most = most.saturating_mul(plan.step).min(largest);
            let last = steps.last().map_or(level, |(_, level)| level);
            if last.vertices() <= plan.vertices || last.size() <= plan.pins {
                break;
            }
            let (clusters, count) = cluster(last, most, core.as_deref(), random);
            // A step that joins little is not worth its refinement; larger clusters may be.
            if count * 20 > last.vertices() * 19 {
                if full {
                    break;
                }
                continue;
            }
            core = core.map(|core| {
                let mut coarse = vec![0; count];
                for (&cluster, core) in clusters.iter().zip(core) {
                    coarse[cluster as usize] = core;
                }
                coarse
            });
            let next = last.contract(&clusters, count);
            steps.push((clusters, next));
        }
        (Self { steps }, core)
    }

    /// Joins by several means, one after the other, what no sensible partition tells apart, in clusters of at most `most` neurons.
    pub(super) fn of_twins(level: &Level, most: u64, means: &[Join]) -> Self {
        let most = most.min(u64::from(u32::MAX));
        let mut steps: Vec<(Vec<u32>, Level)> = Vec::new();
        for join in means {
            let last = steps.last().map_or(level, |(_, level)| level);
            let (clusters, count) = join(last, most);
            // Little is not worth a level.
            if count * 10 <= last.vertices() * 9 {
                let next = last.contract(&clusters, count);
                steps.push((clusters, next));
            }
        }
        Self { steps }
    }

    /// Whether nothing was joined.
    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The level at which it ends, `level` being where it starts.
    pub(super) fn coarsest<'a>(&'a self, level: &'a Level) -> &'a Level {
        self.steps.last().map_or(level, |(_, level)| level)
    }

    /// The vertex of the coarsest level to which each vertex of the first one came. None if nothing was joined.
    pub(super) fn clusters(&self) -> Option<Vec<u32>> {
        let mut steps = self.steps.iter().map(|(clusters, _)| clusters);
        let first = steps.next()?.clone();
        Some(steps.fold(first, |mut clusters, next| {
            for cluster in &mut clusters {
                *cluster = next[*cluster as usize];
            }
            clusters
        }))
    }

    /// Carries a partition of the coarsest level to `level`, from which this was coarsened, and improves it on each
    /// level on the way (not on the coarsest); there, clusters may break limits by a little.
    pub(super) fn descend(
        &self,
        level: &Level,
        limits: &Limits,
        mut candidate: Candidate,
        patience: Patience,
    ) -> Candidate {
        for step in (0..self.steps.len()).rev() {
            let (clusters, _) = &self.steps[step];
            let finer = if step == 0 { level } else { &self.steps[step - 1].1 };
            candidate.core =
                clusters.iter().map(|&cluster| candidate.core[cluster as usize]).collect();
            let limits = if step == 0 { *limits } else { soft(finer, limits) };
            candidate = improve(finer, &limits, candidate, patience);
        }
        candidate
    }
}

/// Limits of a level of clusters, which are too heavy to fill a core to the last neuron.
pub(super) fn soft(level: &Level, limits: &Limits) -> Limits {
    let heaviest = u64::from(level.weights.iter().copied().max().unwrap_or(0));
    Limits { neurons: limits.neurons + (heaviest / 2).min(limits.neurons * 3 / 100), ..*limits }
}

/// Whether gains of all moves may be kept.
pub(super) fn fits_table(level: &Level, cores: u32) -> bool {
    (level.vertices() + level.edges()).saturating_mul(cores as usize) <= TABLE
}

/// Refines a partition, drops cores that were emptied, and scores it.
pub(super) fn improve(
    level: &Level,
    limits: &Limits,
    candidate: Candidate,
    patience: Patience,
) -> Candidate {
    let Candidate { core, cores, score } = candidate;
    if !fits_table(level, cores) {
        return Candidate { core, cores, score };
    }
    let mut state = State::new(level, *limits, cores, core);
    refine(&mut state, patience);
    let score = state.score();
    let (core, cores) = compact(state.core, cores);
    Candidate { core, cores, score }
}

/// Numbers the cores that hold something from 0, in their order.
pub(super) fn compact(mut core: Vec<u32>, cores: u32) -> (Vec<u32>, u32) {
    let mut number = vec![0u32; cores as usize];
    for &core in &core {
        number[core as usize] = 1;
    }
    let mut count = 0;
    for number in &mut number {
        count += std::mem::replace(number, count);
    }
    for core in &mut core {
        *core = number[*core as usize];
    }
    (core, count)
}

/// Grows a partition, on `cores` cores if given, and refines it.
pub(super) fn start(
    level: &Level,
    limits: &Limits,
    cores: Option<u32>,
    thrift: u32,
    patience: Patience,
    random: &mut Random,
) -> Candidate {
    let (core, cores) = grow(level, limits, cores, thrift, random);
    let score = Score { excess: u64::MAX, cost: i64::MAX };
    improve(level, limits, Candidate { core, cores, score }, patience)
}
