//! Layouts of many cores: first pairs of pairs of cores, then the cores.
//!
//! Moves of single cores mend what is near and never turn half of a board around. So cores that send each other much are
//! joined in pairs and the board is halved, again and again, until annealing finds a layout of the few groups that are left; then
//! every group is split on the two sites below its own and annealed a little, back to single cores.

use super::anneal::{Schedule, anneal};
use super::board::{Board, Layout, NONE, Partners, narrow};
use super::rng::Rng;

/// How long to search.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    /// Groups (or cores) in all of the layouts that are made of few of them; the best is kept. Few get stuck more easily, and cost
    /// little to start again.
    pub(super) starts: usize,
    /// Moves on each level.
    pub(super) moves: u64,
    /// Fewest and most moves of a core on each level.
    pub(super) each: [u64; 2],
}

/// Groups that are few enough to begin with.
const FEW: usize = 25;
/// Up to so many groups, several layouts are made.
const SEVERAL: usize = 200;
/// At most so many.
const MOST_STARTS: usize = 4;

/// Sites of the cores on a board that has enough of them.
pub(super) fn solve(
    board: &Board,
    partners: &Partners,
    search: &Search,
    rng: &mut Rng,
) -> Vec<u32> {
    let cores = partners.cores();
    if cores > SEVERAL {
        return level(board, partners, search, rng, solve);
    }
    let mut best = (f64::INFINITY, Vec::new());
    for _ in 0..(search.starts / cores.max(1)).clamp(1, MOST_STARTS) {
        let sites = once(board, partners, search, rng);
        let cost = Layout::new(board, partners, sites.clone()).cost();
        // The first one is kept even if costs are no numbers.
        if cost < best.0 || best.1.is_empty() {
            best = (cost, sites);
        }
    }
    best.1
}

fn once(board: &Board, partners: &Partners, search: &Search, rng: &mut Rng) -> Vec<u32> {
    level(board, partners, search, rng, once)
}

type Solve = fn(&Board, &Partners, &Search, &mut Rng) -> Vec<u32>;

/// A layout of a level: from scratch if cores are few, else on what `above` finds for pairs of them.
fn level(
    board: &Board,
    partners: &Partners,
    search: &Search,
    rng: &mut Rng,
    above: Solve,
) -> Vec<u32> {
    let cores = partners.cores();
    let [fewest, most] = search.each;
    let moves = (search.moves / cores.max(1) as u64).clamp(fewest, most.max(fewest));
    if cores <= FEW {
        let start = (0..narrow(cores)).collect();
        let reach = board.cols().max(board.rows());
        let schedule = Schedule { moves, steps: 100, hot: 0.3, cold: 0.003, reach };
        return annealed(board, partners, start, &schedule, rng);
    }
    let pairs = pairs(partners);
    let (coarse, cut) = halved(board);
    let sites = above(&coarse, &joined(partners, &pairs), search, rng);
    let start = split(board, &coarse, cut, &pairs, &sites, cores);
    // Warm enough to undo a pair, too cold to forget where it was.
    let schedule = Schedule { moves, steps: 50, hot: 0.1, cold: 0.003, reach: 4 };
    annealed(board, partners, start, &schedule, rng)
}

fn annealed(
    board: &Board,
    partners: &Partners,
    start: Vec<u32>,
    schedule: &Schedule,
    rng: &mut Rng,
) -> Vec<u32> {
    let mut layout = Layout::new(board, partners, start);
    anneal(&mut layout, schedule, rng);
    layout.site_of
}

/// Of the heaviest flow of a core, the part that makes a partner of its pair: distant ones often send little.
const STRONG: f64 = 0.2;

/// Pairs of cores that send each other much. The second of a pair is [`NONE`] where no partner was left.
///
/// The heaviest pairs first, as far as that goes and flows are strong. Who is left over would have to go with a stranger, and the pair would be drawn to two places
/// at once; so pairs along a path to another one that is left over change partners (an augmenting path, Berge 1957, looked for only
/// nearby and without blossoms). Weak flows count only then, and the last few go with whom there is.
fn pairs(partners: &Partners) -> Vec<[u32; 2]> {
    let cores = narrow(partners.cores());
    let mut edges: Vec<(f64, u32, u32)> = (0..cores)
        .flat_map(|core| {
            let later = partners.of_core(core).iter().filter(move |(other, _)| *other > core);
            later.map(move |&(other, weight)| (weight, core, other))
        })
        .collect();
    edges.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut least: Vec<f64> = (0..cores)
        .map(|core| {
            let weights = partners.of_core(core).iter().map(|(_, weight)| *weight);
            weights.fold(0.0, f64::max) * STRONG
        })
        .collect();
    let mut mates = vec![NONE; partners.cores()];
    let mut seen = vec![NONE; partners.cores()];
    for _ in 0..2 {
        for &(weight, a, b) in &edges {
            if mates[a as usize] == NONE
                && mates[b as usize] == NONE
                && weight >= least[a as usize].min(least[b as usize])
            {
                (mates[a as usize], mates[b as usize]) = (b, a);
            }
        }
        for core in 0..cores {
            if mates[core as usize] == NONE {
                augment(partners, &least, &mut mates, &mut seen, core);
            }
        }
        // Who is left takes anybody.
        least.fill(0.0);
        seen.fill(NONE);
    }
    let mut pairs = Vec::with_capacity(partners.cores().div_ceil(2));
    let mut left = Vec::new();
    for (core, &mate) in (0..).zip(&mates) {
        if mate == NONE {
            left.push(core);
        } else if core < mate {
            pairs.push([core, mate]);
        }
    }
    pairs.extend(left.chunks(2).map(|two| [two[0], two.get(1).copied().unwrap_or(NONE)]));
    pairs
}

/// Looks for a path from a core without mate to another one, over pairs, and changes mates along it.
fn augment(partners: &Partners, least: &[f64], mates: &mut [u32], seen: &mut [u32], start: u32) {
    /// Cores looked at.
    const NEAR: usize = 300;
    // Cores that could leave their mate, with the place in this list of who would take the mate.
    let mut queue = vec![(start, 0)];
    seen[start as usize] = start;
    let mut next = 0;
    while next < queue.len() && queue.len() < NEAR {
        let (core, _) = queue[next];
        for &(other, weight) in partners.of_core(core) {
            if seen[other as usize] == start
                || weight < least[core as usize].min(least[other as usize])
            {
                continue;
            }
            seen[other as usize] = start;
            let mate = mates[other as usize];
            if mate == NONE {
                // Everybody on the path takes the one after.
                let (mut taken, mut at) = (other, next);
                loop {
                    let (core, before) = queue[at];
                    let freed = mates[core as usize];
                    (mates[core as usize], mates[taken as usize]) = (taken, core);
                    if core == start {
                        return;
                    }
                    (taken, at) = (freed, before);
                }
            }
            if seen[mate as usize] != start {
                seen[mate as usize] = start;
                queue.push((mate, next));
            }
        }
        next += 1;
    }
}

/// What pairs send each other.
fn joined(partners: &Partners, pairs: &[[u32; 2]]) -> Partners {
    let mut pair_of = vec![0; partners.cores()];
    for (index, pair) in (0..).zip(pairs) {
        for &core in pair.iter().filter(|core| **core != NONE) {
            pair_of[core as usize] = index;
        }
    }
    let edges = (0..narrow(partners.cores())).flat_map(|core| {
        let a: u32 = pair_of[core as usize];
        let later = partners.of_core(core).iter().filter(move |(other, _)| *other > core);
        let pair_of = &pair_of;
        later.map(move |&(other, weight)| (a, pair_of[other as usize], weight))
    });
    Partners::from_pairs(pairs.len(), edges.filter(|(a, b, _)| a != b).collect())
}

/// What a board is halved along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Slots,
    Columns,
    Rows,
}

/// A board of half as many sites, rounded up: two sites of a router become one, or two columns or rows.
fn halved(board: &Board) -> (Board, Cut) {
    let half = |axis: &[f64]| -> Vec<f64> {
        axis.chunks(2).map(|two| f64::midpoint(two[0], two[two.len() - 1])).collect()
    };
    let (xs, ys, slots) = (board.xs.clone(), board.ys.clone(), board.slots);
    if slots.is_multiple_of(2) {
        (Board { xs, ys, slots: slots / 2 }, Cut::Slots)
    } else if xs.len() >= ys.len() {
        (Board { xs: half(&xs), ys, slots }, Cut::Columns)
    } else {
        (Board { xs, ys: half(&ys), slots }, Cut::Rows)
    }
}

/// Every pair on the two sites below its own, or, at an odd border, one of it on the nearest site that is free.
fn split(
    board: &Board,
    coarse: &Board,
    cut: Cut,
    pairs: &[[u32; 2]],
    above: &[u32],
    cores: usize,
) -> Vec<u32> {
    let mut site_of = vec![NONE; cores];
    let mut taken = vec![false; board.sites()];
    let mut homeless = Vec::new();
    for (pair, &site) in pairs.iter().zip(above) {
        let [x, y] = coarse.router(site);
        let slot = site % coarse.slots;
        let below = [0, 1].map(|i| match cut {
            Cut::Slots => Some(board.site([x, y], slot * 2 + i)),
            Cut::Columns => (x * 2 + i < board.cols()).then(|| board.site([x * 2 + i, y], slot)),
            Cut::Rows => (y * 2 + i < board.rows()).then(|| board.site([x, y * 2 + i], slot)),
        });
        for (&core, site) in pair.iter().zip(below).filter(|(core, _)| **core != NONE) {
            match site {
                Some(site) => {
                    site_of[core as usize] = site;
                    taken[site as usize] = true;
                }
                None => homeless.push((core, below[0].unwrap_or(0))),
            }
        }
    }
    for (core, near) in homeless {
        if let Some(site) = free(board, &taken, board.router(near)) {
            site_of[core as usize] = site;
            taken[site as usize] = true;
        }
    }
    site_of
}

/// A free site as near as possible: rings of routers around one.
fn free(board: &Board, taken: &[bool], [x, y]: [u32; 2]) -> Option<u32> {
    (0..board.cols() + board.rows()).find_map(|radius| {
        (0..=2 * radius).find_map(|i| {
            let at = (x + i).checked_sub(radius).filter(|at| *at < board.cols())?;
            let up = radius - at.abs_diff(x);
            let ends = [y.checked_sub(up), Some(y + up)];
            let rows = ends.into_iter().flatten().filter(|row| *row < board.rows());
            let sites = rows.flat_map(|row| (0..board.slots).map(move |slot| ([at, row], slot)));
            sites.map(|(router, slot)| board.site(router, slot)).find(|s| !taken[*s as usize])
        })
    })
}
