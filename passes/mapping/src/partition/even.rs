//! Compact cores of equal size on as few cores as input axons allow.
//!
//! Where axons are short, a core is a patch of a network without seams, and round patches of equal size need the
//! fewest axons. Growth leaves crooked remnants between cores that refinement, move by move, does not get rid of.

use super::Limits;
use super::level::{Level, NONE};
use super::multilevel::{Candidate, fits_table};
use super::state::{Score, State};

/// Rounds in which a number of cores is tried.
const TRY: usize = 4;

/// Rounds once the number of cores is known.
const ROUNDS: usize = 12;

/// Numbers of cores to try.
const TRIES: u32 = 8;

/// Evens out a partition on fewer cores than it has, such that what follows can make it legal: that removes input axons above limits up
/// to 1/`share` of all limits. None if no such number of cores was found.
pub(super) fn even(
    level: &Level,
    limits: &Limits,
    least: u32,
    grown: &Candidate,
    share: u64,
) -> Option<Candidate> {
    if !fits_table(level, grown.cores) {
        return None;
    }
    let mut core = grown.core.clone();
    // Growth wastes about a fifth.
    let mut cores = (grown.cores * 4 / 5).max(least).max(1);
    let mut best: Option<(u32, Vec<u32>)> = None;
    for _ in 0..TRIES {
        if cores >= grown.cores || cores < least.max(1) {
            break;
        }
        vote(level, &mut core, cores, TRY);
        let excess = State::new(level, *limits, cores, core.clone()).score().excess;
        if excess > limits.inputs.saturating_mul(u64::from(cores)) / share {
            if best.is_some() {
                break;
            }
            cores += 1;
        } else {
            let fewer = best.as_ref().is_none_or(|&(most, _)| cores < most);
            if !fewer {
                break;
            }
            best = Some((cores, core.clone()));
            cores -= 1;
        }
    }
    let (cores, mut core) = best?;
    vote(level, &mut core, cores, ROUNDS);
    Some(Candidate { core, cores, score: Score { excess: u64::MAX, cost: i64::MAX } })
}

/// Lets every vertex go where most pins of its edges are, large cores counting less, in some rounds. Vertices of
/// cores from `cores` on find a new one.
fn vote(level: &Level, core: &mut [u32], cores: u32, rounds: usize) {
    let wide = cores as usize;
    let mut counts = vec![0u32; level.edges() * wide];
    let mut tally = vec![0u32; wide];
    let mut loads = Loads::new(level, core, cores);
    for _ in 0..rounds {
        counts.fill(0);
        for edge in 0..level.edges() {
            let row = &mut counts[edge * wide..][..wide];
            for &pin in level.pins_of(edge) {
                if let Some(count) = row.get_mut(core[pin as usize] as usize) {
                    *count += 1;
                }
            }
        }
        for (vertex, core) in core.iter_mut().enumerate() {
            tally.fill(0);
            for incident in level.incident_to(vertex) {
                let row = &counts[incident.edge() * wide..][..wide];
                for (sum, &count) in tally.iter_mut().zip(row) {
                    *sum = sum.saturating_add(count);
                }
            }
            let value = |core: &u32| {
                let core = *core as usize;
                (u64::from(tally[core]) + 1) * loads.factor[core]
            };
            let best = (0..cores).max_by_key(|core| (value(core), std::cmp::Reverse(*core)));
            if let Some(best) = best.filter(|best| best != core) {
                let weight = u64::from(level.weights[vertex]);
                loads.add(best, weight);
                loads.remove(*core, weight);
                *core = best;
            }
        }
    }
}

/// Neurons of each core, and how much a pin there counts.
struct Loads {
    load: Vec<u64>,
    factor: Vec<u64>,
    /// Neurons per core.
    mean: u64,
}

impl Loads {
    fn new(level: &Level, core: &[u32], cores: u32) -> Self {
        let mut loads = Self {
            load: vec![0; cores as usize],
            factor: vec![0; cores as usize],
            mean: (level.weight() / u64::from(cores)).max(1),
        };
        for core in 0..cores {
            loads.add(core, 0);
        }
        for (vertex, &core) in core.iter().enumerate() {
            if core < cores {
                loads.add(core, u64::from(level.weights[vertex]));
            }
        }
        loads
    }

    fn add(&mut self, core: u32, weight: u64) {
        self.load[core as usize] += weight;
        self.weigh(core as usize);
    }

    fn remove(&mut self, core: u32, weight: u64) {
        if core != NONE && (core as usize) < self.load.len() {
            self.load[core as usize] -= weight;
            self.weigh(core as usize);
        }
    }

    /// A pin counts 5 on an empty core, 1 on one of mean size, nearly nothing from 5/4 of that on: steep enough that all
    /// cores have about the same size after few rounds.
    fn weigh(&mut self, core: usize) {
        let share = u128::from(self.load[core]) * 4096 / u128::from(self.mean);
        let factor = (5 * 4096u128).saturating_sub(4 * share).max(1);
        self.factor[core] = u64::try_from(factor).unwrap_or(1);
    }
}
