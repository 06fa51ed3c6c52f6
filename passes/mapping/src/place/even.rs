//! Evens out the busiest link, for little energy.
//!
//! Where links are full, messages wait. Cores whose flows pass the busiest link are moved or swapped nearby if the link, and every
//! link that takes over, ends up with less than it had, and if the energy of all such moves stays within a small part of the whole.

use super::Traffic;
use super::board::{Layout, NONE};

/// Part of the energy that may be spent.
const SLACK: f64 = 0.005;
/// Flows of the busiest link whose cores are looked at, and how far they go.
const FLOWS: usize = 12;
const REACH: u32 = 2;
/// Moves looked at in all.
const TRIES: usize = 4000;
/// Flows looked at in all while looking for those of a busiest link, and how often that is done at least.
const WORK: usize = 20_000_000;
const ROUNDS: usize = 4;

/// Evens out the busiest link of a layout, under routing along x first, then along y.
pub(super) fn even(layout: &mut Layout<'_>, traffic: &Traffic) {
    let backward = Traffic::from_flows(
        u32::try_from(traffic.cores()).unwrap_or(0),
        traffic.iter().map(|(a, b, rate)| (b, a, rate)),
    );
    let mut links = Links::of(layout, traffic);
    let mut left = layout.cost() * SLACK;
    let mut tries = TRIES;
    for _ in 0..(WORK / traffic.flows().max(1)).max(ROUNDS) {
        let Some((busiest, load)) = links.busiest() else { return };
        let moved = passing(layout, traffic, busiest).into_iter().find_map(|core| {
            let flows = Flows { traffic, backward: &backward };
            flows.relieve(layout, &mut links, core, (busiest, load), left, &mut tries)
        });
        match moved {
            Some(energy) => left -= energy,
            None => return,
        }
    }
}

/// Cores with the largest flows over a link, the largest first.
fn passing(layout: &Layout<'_>, traffic: &Traffic, link: usize) -> Vec<u32> {
    let (direction, router) = (link % 4, link / 4);
    let at = [router % layout.board.xs.len(), router / layout.board.xs.len()];
    let passes = |from: [u32; 2], to: [u32; 2]| {
        let (from, to) = (from.map(|i| i as usize), to.map(|i| i as usize));
        match direction {
            0 => from[1] == at[1] && from[0] <= at[0] && at[0] < to[0],
            1 => from[1] == at[1] && to[0] < at[0] && at[0] <= from[0],
            2 => to[0] == at[0] && from[1] <= at[1] && at[1] < to[1],
            _ => to[0] == at[0] && to[1] < at[1] && at[1] <= from[1],
        }
    };
    let mut flows: Vec<(f64, u32, u32)> = traffic
        .iter()
        .filter(|&(a, b, _)| passes(layout.router_of(a), layout.router_of(b)))
        .map(|(a, b, rate)| (rate, a, b))
        .collect();
    flows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut cores = Vec::new();
    for core in flows.iter().take(FLOWS).flat_map(|&(_, a, b)| [a, b]) {
        if !cores.contains(&core) {
            cores.push(core);
        }
    }
    cores
}

/// A link: the router that it leaves, and its direction (right, left, down, up).
type Link = ([u32; 2], usize);

fn index(layout: &Layout<'_>, ([x, y], direction): Link) -> usize {
    (y as usize * layout.board.xs.len() + x as usize) * 4 + direction
}

/// Links from router to router, along x first.
fn path(from: [u32; 2], to: [u32; 2]) -> impl Iterator<Item = Link> {
    let line = |a: u32, b: u32| {
        let step = move |i: u32| if a < b { a + i } else { a - i };
        (0..a.abs_diff(b)).map(step)
    };
    let across = line(from[0], to[0]).map(move |x| ([x, from[1]], usize::from(to[0] < from[0])));
    let down = line(from[1], to[1]).map(move |y| ([to[0], y], 2 + usize::from(to[1] < from[1])));
    across.chain(down)
}

/// Messages on every link of a board.
struct Links {
    loads: Vec<f64>,
}

impl Links {
    fn of(layout: &Layout<'_>, traffic: &Traffic) -> Self {
        let mut links =
            Self { loads: vec![0.0; layout.board.xs.len() * layout.board.ys.len() * 4] };
        for (a, b, rate) in traffic.iter() {
            for link in path(layout.router_of(a), layout.router_of(b)) {
                links.loads[index(layout, link)] += rate;
            }
        }
        links
    }

    fn busiest(&self) -> Option<(usize, f64)> {
        let loads = self.loads.iter().copied().enumerate();
        let most = loads.fold((0, 0.0), |most, link| if link.1 > most.1 { link } else { most });
        (most.1 > 0.0).then_some(most)
    }
}

/// Traffic in both directions.
struct Flows<'t> {
    traffic: &'t Traffic,
    backward: &'t Traffic,
}

impl Flows<'_> {
    /// Tries sites near the core's and its partners' until the busiest link has less, and nothing else as much as it had. What it
    /// takes in energy if one was found: the move is made.
    fn relieve(
        &self,
        layout: &mut Layout<'_>,
        links: &mut Links,
        core: u32,
        busiest: (usize, f64),
        left: f64,
        tries: &mut usize,
    ) -> Option<f64> {
        let from = layout.router_of(core);
        let (board, old) = (layout.board, layout.site_of[core as usize]);
        let range = |at: u32, end: u32| at.saturating_sub(REACH)..(at + REACH + 1).min(end);
        for y in range(from[1], board.rows()) {
            for x in range(from[0], board.cols()) {
                for site in (0..board.slots).map(|slot| board.site([x, y], slot)) {
                    if [x, y] == from || *tries == 0 {
                        continue;
                    }
                    *tries -= 1;
                    let energy = layout.delta(core, [x, y], site);
                    if energy > left {
                        continue;
                    }
                    let other = layout.core_at[site as usize];
                    self.count(layout, links, core, other, -1.0, f64::INFINITY);
                    layout.go(core, [x, y], site);
                    // Less by a little at least, so that this ends.
                    let (link, load) = (busiest.0, busiest.1 * 0.9999);
                    let fits = self.count(layout, links, core, other, 1.0, load);
                    if fits && links.loads[link] < load {
                        return Some(energy);
                    }
                    self.count(layout, links, core, other, -1.0, f64::INFINITY);
                    layout.go(core, from, old);
                    self.count(layout, links, core, other, 1.0, f64::INFINITY);
                }
            }
        }
        None
    }

    /// Adds flows of one or two cores, times `sign`. Whether all links that they pass have less than `load`.
    fn count(
        &self,
        layout: &Layout<'_>,
        links: &mut Links,
        core: u32,
        other: u32,
        sign: f64,
        load: f64,
    ) -> bool {
        let mut fits = true;
        for (this, but) in [(core, NONE), (other, core)] {
            if this == NONE {
                continue;
            }
            let at = layout.router_of(this);
            for (ways, out) in [(self.traffic, true), (self.backward, false)] {
                for (partner, rate) in ways.from(this as usize).filter(|(p, _)| *p != but) {
                    let end = layout.router_of(partner);
                    let (from, to) = if out { (at, end) } else { (end, at) };
                    for link in path(from, to) {
                        let sum = &mut links.loads[index(layout, link)];
                        *sum += sign * rate;
                        fits &= *sum < load;
                    }
                }
            }
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::board::{Board, Partners};
    use crate::place::report::Loads;

    #[test]
    fn links_are_those_of_the_report_and_of_the_flows_that_pass_them() {
        let axis: Vec<f64> = (0..5_u8).map(f64::from).collect();
        let board = Board { xs: axis.clone(), ys: axis[..4].to_vec(), slots: 2 };
        let flows = (0..40_u32).map(|i| (i % 19, i * 7 % 20, f64::from(i) + 0.5));
        let traffic = Traffic::from_flows(20, flows);
        let partners = Partners::of(&traffic);
        let layout = Layout::new(&board, &partners, (0..20).map(|core| core * 13 % 40).collect());
        let links = Links::of(&layout, &traffic);
        let routers: Vec<_> = (0..20).map(|core| layout.router_of(core)).collect();
        let mut found = 0;
        for ([from, to], load) in Loads::of(&traffic, &routers).links() {
            let direction = match [to[0].cmp(&from[0]), to[1].cmp(&from[1])].map(|o| o as i8) {
                [1, _] => 0,
                [-1, _] => 1,
                [_, 1] => 2,
                _ => 3,
            };
            let link = index(&layout, (from, direction));
            assert!((links.loads[link] - load).abs() < 1e-9);
            let over = traffic.iter().filter(|&(a, b, _)| {
                path(layout.router_of(a), layout.router_of(b)).any(|l| index(&layout, l) == link)
            });
            let mut cores: Vec<u32> = over.flat_map(|(a, b, _)| [a, b]).collect();
            cores.sort_unstable();
            cores.dedup();
            let mut passing = passing(&layout, &traffic, link);
            passing.sort_unstable();
            assert_eq!(passing, cores);
            found += 1;
        }
        assert_eq!(found, links.loads.iter().filter(|load| **load > 0.0).count());
    }
}
