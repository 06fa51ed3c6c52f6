//! Fewer cores: what one core holds moves to the others.

use super::Limits;
use super::level::Level;
use super::multilevel::{Candidate, fits_table, improve};
use super::refine::Patience;
use super::state::State;

/// Dissolves the emptiest core, lets refinement repair what that breaks, and again until it can not. `least` cores stay.
pub(super) fn evacuate(
    level: &Level,
    limits: &Limits,
    least: u32,
    mut best: Candidate,
    patience: Patience,
) -> Candidate {
    while best.cores > least.max(1) && fits_table(level, best.cores) {
        let candidate = improve(level, limits, dissolve(level, limits, &best), patience);
        if candidate.score.excess > 0 || candidate.cores >= best.cores {
            break;
        }
        best = candidate;
    }
    best
}

/// Moves every vertex of the emptiest core to where it costs least, room for neurons provided; heavy ones first.
fn dissolve(level: &Level, limits: &Limits, from: &Candidate) -> Candidate {
    let mut state = State::new(level, *limits, from.cores, from.core.clone());
    let filled = |core: &usize| {
        // Shares of the limits, in 1/65536.
        let share = |part: u64, limit: u64| u128::from(part) * 65_536 / u128::from(limit.max(1));
        share(state.load[*core], limits.neurons) + share(state.inputs[*core], limits.inputs)
    };
    let empty = (0..state.cores()).min_by_key(filled).unwrap_or(0);
    let mut members: Vec<usize> =
        (0..level.vertices()).filter(|&vertex| state.core[vertex] as usize == empty).collect();
    members.sort_by_key(|&vertex| (std::cmp::Reverse(level.weights[vertex]), vertex));
    for vertex in members {
        let weight = u64::from(level.weights[vertex]);
        let others = (0..state.cores()).filter(|&core| core != empty);
        let best = others.max_by_key(|&core| {
            let over = (state.load[core] + weight).saturating_sub(limits.neurons);
            (std::cmp::Reverse(over), state.gain(vertex, core), std::cmp::Reverse(core))
        });
        if let Some(core) = best {
            state.shift(vertex, core, &mut Vec::new());
        }
    }
    let score = state.score();
    Candidate { core: state.core, cores: from.cores, score }
}
