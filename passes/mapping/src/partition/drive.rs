//! What is tried, in which order, for how long.

use super::anneal::anneal;
use super::even::even;
use super::grow::grow;
use super::level::{Level, NONE};
use super::modules::modules;
use super::multilevel::{
    Candidate, Coarsening, Hierarchy, compact, fits_table, improve, soft, start,
};
use super::pack::evacuate;
use super::plan::{Plan, SMALL};
use super::random::Random;
use super::refine::Patience;
use super::state::Score;
use super::twins::{leaves, siblings, twins};
use super::{Effort, Limits, Partition, Unfit};
use crate::hypergraph::Hypergraph;

/// Pins that a level may have whatever the network: refinement there takes milliseconds.
const COARSE: usize = 30_000;

/// How much a neuron's place is worth in starts on coarse levels, in mean costs around a neuron: high, so that heavy
/// clusters with many edges come first and light ones fill the gaps.
const THRIFT: u32 = 3;

/// Input axons above limits, in shares of all limits, that refinement is known to remove, and that annealing is.
const REFINED: u64 = 110;
const ANNEALED: u64 = 80;

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
    let whole = (plan.modules && level.size() > SMALL)
        .then(|| modules(&level, &bounded, least, plan.patience, &mut random))
        .flatten();
    // Where modules are whole, or after annealing, there is little left to do.
    let mut settled = whole.is_some();
    let best = whole.unwrap_or_else(|| {
        let coarse = multilevel(&level, &bounded, least, &plan, &mut random);
        match coarse {
            Some(coarse) if coarse.score.excess == 0 && coarse.cores == least => coarse,
            other => {
                let (best, annealed) = direct(graph, &level, &bounded, least, &plan, &mut random);
                settled = annealed;
                other.filter(|other| other.beats(&best)).unwrap_or(best)
            }
        }
    });
    let cycles = plan.cycles.saturating_sub(usize::from(settled));
    let best = cycle(&level, &bounded, best, cycles, plan.patience, &mut random);
    if best.cores > limits.cores {
        return Err(Unfit::Cores { need: best.cores, least, limit: limits.cores });
    }
    Ok(spread(graph, &original, best))
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
    if let Some(patience) = plan.evacuation {
        best = evacuate(&level, &bounded, level.fewest_cores(&bounded), best, patience);
    }
    best = cycle(&level, &bounded, best, plan.cycles, plan.patience, &mut random);
    let refined = spread(graph, &original, best);
    // Integer costs are rounded: the definition has the last word.
    let worse = refined.cores > partition.cores
        || (refined.cores == partition.cores && graph.km1(&refined) > graph.km1(&partition));
    if worse { partition } else { refined }
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

/// A start on the finest level, and whether it was annealed. Where input axons are short, copies count at first, and not only spikes.
fn direct(
    graph: &Hypergraph,
    level: &Level,
    limits: &Limits,
    least: u32,
    plan: &Plan,
    random: &mut Random,
) -> (Candidate, bool) {
    let (core, cores) = grow(level, limits, None, 0, random);
    let score = Score { excess: 0, cost: i64::MAX };
    let mut best = Candidate { core, cores, score };
    // Refinement of large networks with short axons takes longer than all else.
    if cores > least && level.size() <= plan.priced {
        let (priced, _) = Level::new(graph, 1.0);
        if let Some(annealed) = annealed(level, &priced, limits, least, &best, plan, random) {
            return (annealed, true);
        }
        let evened = plan.evacuation.and_then(|patience| {
            let evened = even(&priced, limits, least, &best, REFINED)?;
            Some(improve(&priced, limits, evened, patience)).filter(|it| it.score.excess == 0)
        });
        best = match evened {
            Some(evened) if evened.cores <= best.cores => evened,
            _ => improve(&priced, limits, best, plan.patience),
        };
        if let Some(patience) = plan.evacuation {
            best = evacuate(&priced, limits, least, best, patience);
        }
    }
    (improve(level, limits, best, Patience { passes: 1, ..plan.patience }), false)
}

/// Even cores, annealed. None where that is too long, or not legal, or on more cores.
fn annealed(
    level: &Level,
    priced: &Level,
    limits: &Limits,
    least: u32,
    grown: &Candidate,
    plan: &Plan,
    random: &mut Random,
) -> Option<Candidate> {
    if level.size() > plan.annealed || !fits_table(level, grown.cores) {
        return None;
    }
    let even = even(priced, limits, least, grown, ANNEALED)?;
    let core = anneal(level, limits, even.core, even.cores, plan.sweeps, random)?;
    let best = improve(level, limits, Candidate { core, ..even }, plan.patience);
    (best.score.excess == 0 && best.cores <= grown.cores).then_some(best)
}

/// The best of several trials on coarse levels, if the network is small enough for these.
fn multilevel(
    level: &Level,
    limits: &Limits,
    least: u32,
    plan: &Plan,
    random: &mut Random,
) -> Option<Candidate> {
    if plan.pins == 0 {
        return None;
    }
    let outer = Hierarchy::of_twins(level, limits.neurons / 16, &[siblings, leaves]);
    let single = outer.coarsest(level);
    if single.size() > plan.pins {
        return None;
    }
    let inner_limits = if outer.is_empty() { *limits } else { soft(single, limits) };
    let inner = Hierarchy::of_twins(single, limits.neurons / 16, &[twins]);
    let mut best: Option<Candidate> = None;
    // Where these are cheap.
    let trials = if single.size() <= COARSE { plan.trials } else { plan.trials.div_ceil(4) };
    for _ in 0..trials {
        let candidate = trial(single, &inner_limits, least, &inner, plan, random);
        if let Some(candidate) = candidate
            && best.as_ref().is_none_or(|best| candidate.beats(best))
        {
            best = Some(candidate);
        }
    }
    if outer.is_empty() && inner.is_empty() {
        return best.map(|best| improve(level, limits, best, plan.patience));
    }
    Some(outer.descend(level, limits, best?, plan.patience))
}

/// One of several starts on coarse levels, refined down to `level`, from which `twins` was coarsened.
fn trial(
    level: &Level,
    limits: &Limits,
    least: u32,
    twins: &Hierarchy,
    plan: &Plan,
    random: &mut Random,
) -> Option<Candidate> {
    let patience = plan.patience;
    let single = twins.coarsest(level);
    let single_limits = if twins.is_empty() { *limits } else { soft(single, limits) };
    let down = Coarsening {
        largest: limits.neurons / 4,
        step: 6,
        vertices: 200,
        pins: (single.size() / 3).max(COARSE),
    };
    let (trunk, _) = Hierarchy::new(single, None, down, random);
    let base = trunk.coarsest(single);
    let base_limits = soft(base, &single_limits);
    let mut best: Option<Candidate> = None;
    for attempt in 0..plan.starts {
        let largest = limits.neurons / [4, 12, 2][attempt % 3];
        let down = Coarsening { largest, step: 2, vertices: 2 * least as usize, pins: 0 };
        let (branch, _) = Hierarchy::new(base, None, down, random);
        let top = branch.coarsest(base);
        let limits = soft(top, &base_limits);
        let candidate = start(top, &limits, Some(least), THRIFT, patience, random);
        let candidate = branch.descend(base, &base_limits, candidate, patience);
        if best.as_ref().is_none_or(|best| candidate.beats(best)) {
            best = Some(candidate);
        }
    }
    let best = cycle(base, &base_limits, best?, plan.coarse_cycles, patience, random);
    let best = trunk.descend(single, &single_limits, best, patience);
    Some(twins.descend(level, limits, best, patience))
}

/// Coarsens within cores and refines on the way back, as often as said. The result is not worse.
fn cycle(
    level: &Level,
    limits: &Limits,
    mut best: Candidate,
    rounds: usize,
    patience: Patience,
    random: &mut Random,
) -> Candidate {
    for round in 0..rounds {
        let largest = limits.neurons / [2, 4, 12][round % 3];
        let down = Coarsening { largest, step: 5, vertices: 2 * best.cores as usize, pins: 0 };
        let (hierarchy, core) = Hierarchy::new(level, Some(&best.core), down, random);
        let Some(core) = core.filter(|_| !hierarchy.is_empty()) else { break };
        let top = hierarchy.coarsest(level);
        let candidate = Candidate { core, ..best.clone() };
        let candidate = improve(top, &soft(top, limits), candidate, patience);
        let candidate = hierarchy.descend(level, limits, candidate, patience);
        if candidate.beats(&best) {
            best = candidate;
        }
    }
    best
}

/// The partition of all vertices.
fn spread(graph: &Hypergraph, original: &[u32], best: Candidate) -> Partition {
    let (homes, cores) = compact(best.core, best.cores);
    let mut core = vec![NONE; graph.vertices()];
    for (&vertex, &home) in original.iter().zip(&homes) {
        core[vertex as usize] = home;
    }
    Partition { core, cores }
}
