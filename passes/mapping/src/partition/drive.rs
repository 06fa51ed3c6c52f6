//! What is tried, in which order, for how long.

use super::level::{Level, NONE};
use super::multilevel::{Candidate, Coarsening, Hierarchy, compact, improve, soft, start};
use super::pack::evacuate;
use super::random::Random;
use super::refine::Patience;
use super::state::Score;
use super::{Effort, Limits, Partition, Unfit};
use crate::hypergraph::{Hypergraph, narrow};

/// What an effort stands for.
struct Plan {
    /// Starts on coarse levels.
    starts: usize,
    /// Rounds of coarsening within cores and refinement.
    cycles: usize,
    patience: Patience,
}

impl Plan {
    fn new(effort: Effort) -> Self {
        let patience = Patience { run: 30, runs: 10, passes: 4 };
        match effort {
            Effort::Fast => {
                Self { starts: 0, cycles: 0, patience: Patience { run: 15, passes: 1, ..patience } }
            }
            Effort::Balanced => Self { starts: 4, cycles: 1, patience },
            Effort::Best => {
                Self { starts: 12, cycles: 4, patience: Patience { run: 60, runs: 40, passes: 8 } }
            }
        }
    }
}

pub(super) fn partition(
    graph: &Hypergraph,
    limits: &Limits,
    effort: Effort,
    seed: u64,
) -> Result<Partition, Unfit> {
    let (level, original) = Level::new(graph, 0.0);
    fits_alone(&level, &original, limits)?;
    let Some(bounded) = bounded(&level, limits) else {
        return Ok(Partition { core: vec![NONE; graph.vertices()], cores: 0 });
    };
    let plan = Plan::new(effort);
    let mut random = Random::new(seed);
    let least = level.fewest_cores(&bounded);
    let mut best = direct(&level, &bounded, &plan, &mut random);
    if plan.starts > 0
        && let Some(other) = multilevel(&level, &bounded, least, &plan, &mut random)
        && other.beats(&best)
    {
        best = other;
    }
    if best.cores > least && effort != Effort::Fast {
        best = fewer(graph, &level, &bounded, best, &plan, &mut random);
    }
    best = cycles(&level, &bounded, best, &plan, &mut random);
    if best.cores > limits.cores {
        return Err(Unfit::Cores { need: best.cores, least, limit: limits.cores });
    }
    Ok(spread(graph, &original, &best))
}

pub(super) fn refine(
    graph: &Hypergraph,
    limits: &Limits,
    partition: Partition,
    effort: Effort,
    seed: u64,
) -> Partition {
    if graph.check(limits, &partition).is_err() {
        return partition;
    }
    let (level, original) = Level::new(graph, 0.0);
    let Some(bounded) = bounded(&level, limits) else { return partition };
    let plan = Plan::new(effort);
    let mut random = Random::new(seed);
    let core = original.iter().map(|&vertex| partition.core[vertex as usize]).collect();
    let score = Score { excess: 0, cost: i64::MAX };
    let first = Candidate { core, cores: partition.cores, score };
    let mut best = improve(&level, &bounded, first, plan.patience);
    best = cycles(&level, &bounded, best, &plan, &mut random);
    let refined = spread(graph, &original, &best);
    // Integer costs are rounded: the last word has the definition.
    let better = |a: &Partition, b: &Partition| {
        a.cores < b.cores || (a.cores == b.cores && graph.km1(a) <= graph.km1(b))
    };
    if better(&refined, &partition) && graph.check(limits, &refined).is_ok() {
        refined
    } else {
        partition
    }
}

/// A vertex that breaks a limit alone breaks it everywhere.
fn fits_alone(level: &Level, original: &[u32], limits: &Limits) -> Result<(), Unfit> {
    let weights = level.weights.iter().enumerate();
    let heaviest = weights.max_by_key(|&(vertex, &weight)| (weight, std::cmp::Reverse(vertex)));
    if let Some((vertex, &weight)) = heaviest
        && u64::from(weight) > limits.neurons
    {
        let (need, limit) = (u64::from(weight), limits.neurons);
        return Err(Unfit::Neurons { vertex: original[vertex], need, limit });
    }
    match level.thirstiest() {
        Some((need, vertex)) if need > limits.inputs => {
            Err(Unfit::Inputs { vertex: original[vertex], need, limit: limits.inputs })
        }
        _ => Ok(()),
    }
}

/// Limits that say the same, small enough to add to. None without any neurons.
fn bounded(level: &Level, limits: &Limits) -> Option<Limits> {
    let inputs: u64 = (0..level.vertices()).map(|vertex| level.inputs_of(vertex)).sum();
    let neurons = level.weight();
    (neurons > 0).then(|| Limits {
        neurons: limits.neurons.min(neurons),
        inputs: limits.inputs.min(inputs),
        cores: limits.cores,
    })
}

fn direct(level: &Level, limits: &Limits, plan: &Plan, random: &mut Random) -> Candidate {
    start(level, limits, None, Patience { passes: 1, ..plan.patience }, random)
}

/// The best of several starts on coarse levels.
fn multilevel(
    level: &Level,
    limits: &Limits,
    least: u32,
    plan: &Plan,
    random: &mut Random,
) -> Option<Candidate> {
    let (trunk, _) = Hierarchy::new(
        level,
        None,
        Coarsening { largest: limits.neurons / 4, step: 6, vertices: 200, pins: level.size() / 3 },
        random,
    );
    let base = trunk.coarsest(level);
    let mut best: Option<Candidate> = None;
    for attempt in 0..plan.starts {
        let largest = [limits.neurons / 2, limits.neurons / 4, limits.neurons / 12][attempt % 3];
        let plan_down = Coarsening { largest, step: 2, vertices: 2 * least as usize, pins: 0 };
        let (branch, _) = Hierarchy::new(base, None, plan_down, random);
        let top = branch.coarsest(base);
        let mut candidate = start(top, &soft(top, limits), Some(least), plan.patience, random);
        candidate = branch.descend(base, limits, candidate, plan.patience, false);
        if best.as_ref().is_none_or(|best| candidate.beats(best)) {
            best = Some(candidate);
        }
    }
    best.map(|best| trunk.descend(level, limits, best, plan.patience, true))
}

/// Fewer cores where input axons are short: copies count, not only spikes.
fn fewer(
    graph: &Hypergraph,
    level: &Level,
    limits: &Limits,
    best: Candidate,
    plan: &Plan,
    random: &mut Random,
) -> Candidate {
    let (priced, _) = Level::new(graph, 1.0);
    let grown = start(&priced, limits, None, plan.patience, random);
    let candidate = improve(level, limits, grown, plan.patience);
    if candidate.beats(&best) { candidate } else { best }
}

/// Coarsens within cores and refines on the way back, as often as planned; evacuates cores before.
fn cycles(
    level: &Level,
    limits: &Limits,
    mut best: Candidate,
    plan: &Plan,
    random: &mut Random,
) -> Candidate {
    if let Some(candidate) = evacuate(level, limits, &best) {
        best = improve(level, limits, candidate, plan.patience);
    }
    for _ in 0..plan.cycles {
        let down = Coarsening {
            largest: limits.neurons / 2,
            step: 5,
            vertices: 2 * best.cores as usize,
            pins: 0,
        };
        let (hierarchy, core) = Hierarchy::new(level, Some(&best.core), down, random);
        let Some(core) = core else { break };
        let top = hierarchy.coarsest(level);
        let candidate = Candidate { core, ..best.clone() };
        let candidate = improve(top, &soft(top, limits), candidate, plan.patience);
        let candidate = hierarchy.descend(level, limits, candidate, plan.patience, true);
        if candidate.beats(&best) {
            best = candidate;
        }
    }
    best
}

/// The partition of all vertices.
fn spread(graph: &Hypergraph, original: &[u32], best: &Candidate) -> Partition {
    let (cores, count) = compact(best.core.clone(), best.cores);
    let mut core = vec![NONE; graph.vertices()];
    for (&vertex, &home) in original.iter().zip(&cores) {
        core[vertex as usize] = home;
    }
    debug_assert_eq!(original.len(), cores.len());
    debug_assert!(narrow(original.len()) >= count);
    Partition { core, cores: count }
}
