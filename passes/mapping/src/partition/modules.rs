//! A start for networks of modules: groups of neurons that talk to each other much more than to others.
//!
//! Coarsening finds the modules roughly, a vote sets them right, and what shares a core is a small problem of its own.

use super::Limits;
use super::gather::gather;
use super::level::Level;
use super::multilevel::{Candidate, Coarsening, Hierarchy, improve, soft};
use super::random::Random;
use super::refine::Patience;
use super::state::Score;
use super::vote::vote;

/// Rounds of votes. After two, hardly anything moves.
const ROUNDS: usize = 4;

/// A partition on `cores` cores that leaves modules whole. None if the network is not made of modules (of half a core at most), or
/// these do not fit.
pub(super) fn modules(
    level: &Level,
    limits: &Limits,
    cores: u32,
    patience: Patience,
    random: &mut Random,
) -> Option<Candidate> {
    let largest = limits.neurons / 2;
    let down = Coarsening { largest, step: 5, vertices: cores as usize, pins: 0 };
    let (hierarchy, _) = Hierarchy::new(level, None, down, random);
    let (clusters, count) = (hierarchy.clusters()?, hierarchy.coarsest(level).vertices());
    // Full modules must not keep out what is theirs until strangers left.
    let vote = vote(level, clusters, count, largest + largest / 4, ROUNDS);
    if vote.settled * 10 < level.vertices() * 9 {
        return None;
    }
    let top = level.contract(&vote.clusters, vote.count);
    let limits_of_top = soft(&top, limits);
    let core = gather(&top, &limits_of_top, cores, random)?;
    let score = Score { excess: 0, cost: i64::MAX };
    let found = improve(&top, &limits_of_top, Candidate { core, cores, score }, patience);
    let core = vote.clusters.iter().map(|&cluster| found.core[cluster as usize]).collect();
    let found = improve(level, limits, Candidate { core, ..found }, patience);
    (found.score.excess == 0).then_some(found)
}
