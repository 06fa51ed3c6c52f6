//! What a placement comes to: energy, hops, and what is busiest.

use super::{Mesh, Placement, Traffic, energy_bound};

/// Figures of a placement. Messages are per step, energy is per step and of the messages alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Messages between cores: the km1 of the partition.
    pub messages: f64,
    /// Energy of all messages, in pJ per step.
    pub energy: f64,
    /// No placement on this mesh takes less, in pJ per step ([`energy_bound`]).
    pub energy_bound: f64,
    /// Links that a message passes, on average.
    pub mean_hops: f64,
    /// Links that a message passes at most.
    pub most_hops: u32,
    /// Time of a message that waits for no other, on average, in ns.
    pub mean_latency: f64,
    /// Longest such time, in ns.
    pub most_latency: f64,
    /// The core with the most messages, sent and received; the first of several.
    pub busiest_core: Option<Busiest<u32>>,
    /// The router that the most messages pass, the first and the last of their routers included.
    pub busiest_router: Option<Busiest<[u32; 2]>>,
    /// The link that the most messages pass in one direction, from router to router.
    pub busiest_link: Option<Busiest<[[u32; 2]; 2]>>,
    /// Messages between cores on different chips.
    pub between_chips: f64,
    /// Messages times the chip borders that each crosses.
    pub border_crossings: f64,
    /// Chips with a core on them.
    pub chips: usize,
    /// Routers with a core on them.
    pub routers: usize,
}

/// What has the most messages, and how many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Busiest<T> {
    /// Which it is.
    pub at: T,
    /// Messages per step.
    pub messages: f64,
}

/// Sums up a placement. Linear in flows and in the smallest rectangle of routers around all cores.
///
/// A placement that does not belong to the traffic (another number of cores, cells outside of the mesh) has no
/// figures: the report is empty.
pub fn report(traffic: &Traffic, mesh: &Mesh, placement: &Placement) -> Report {
    if mesh.check().is_err()
        || !placement.is_valid(mesh)
        || placement.cells.len() != traffic.cores()
    {
        return Report::default();
    }
    let routers: Vec<[u32; 2]> = placement.cells.iter().map(|&cell| mesh.router(cell)).collect();
    let mut report = Report { energy_bound: energy_bound(traffic, mesh), ..Report::default() };
    let mut cores = vec![0.0; routers.len()];
    let mut hops = 0.0;
    let mut latency = 0.0;
    for (source, target, rate) in traffic.iter() {
        let (from, to) = (routers[source as usize], routers[target as usize]);
        let [links, borders] = mesh.links(from, to);
        let time = mesh.latency(from, to);
        report.messages += rate;
        report.energy += rate * mesh.energy(from, to);
        hops += rate * f64::from(links);
        latency += rate * time;
        report.most_hops = report.most_hops.max(links);
        report.most_latency = report.most_latency.max(time);
        report.border_crossings += rate * f64::from(borders);
        report.between_chips += if borders > 0 { rate } else { 0.0 };
        cores[source as usize] += rate;
        cores[target as usize] += rate;
    }
    if report.messages > 0.0 {
        report.mean_hops = hops / report.messages;
        report.mean_latency = latency / report.messages;
    }
    let mut chips: Vec<_> = routers.iter().map(|&router| mesh.chip(router)).collect();
    chips.sort_unstable();
    chips.dedup();
    report.chips = chips.len();
    let mut used = routers.clone();
    used.sort_unstable();
    used.dedup();
    report.routers = used.len();
    report.busiest_core = busiest((0..).zip(cores));
    let loads = Loads::of(traffic, &routers);
    report.busiest_link = busiest(loads.links());
    report.busiest_router = busiest(loads.routers());
    report
}

fn busiest<T>(loads: impl Iterator<Item = (T, f64)>) -> Option<Busiest<T>> {
    let mut most: Option<Busiest<T>> = None;
    for (at, messages) in loads {
        if messages > most.as_ref().map_or(0.0, |most| most.messages) {
            most = Some(Busiest { at, messages });
        }
    }
    most
}

/// Directions of links.
const STEPS: [[i64; 2]; 4] = [[1, 0], [-1, 0], [0, 1], [0, -1]];

/// Messages on every link under routing along x first, then along y.
#[derive(Clone, Debug)]
pub(super) struct Loads {
    /// First router of the smallest rectangle around all cores.
    origin: [u32; 2],
    /// Extents of the rectangle.
    extent: [usize; 2],
    /// By direction (right, left, down, up), then row by row: messages that leave the router that way.
    leaving: [Vec<f64>; 4],
    /// Messages that start at each router.
    starting: Vec<f64>,
}

impl Loads {
    /// Loads of a traffic with its cores on these routers. Linear in flows and routers of the rectangle.
    pub(super) fn of(traffic: &Traffic, routers: &[[u32; 2]]) -> Self {
        let corner = |pick: fn(u32, u32) -> u32, start: u32| {
            routers.iter().fold([start; 2], |a, r| [pick(a[0], r[0]), pick(a[1], r[1])])
        };
        let (low, high) = (corner(Ord::min, u32::MAX), corner(Ord::max, 0));
        let extent = if routers.is_empty() {
            [0; 2]
        } else {
            [0, 1].map(|axis| (high[axis] - low[axis] + 1) as usize)
        };
        let size = extent[0] * extent[1];
        let mut loads = Self {
            origin: if routers.is_empty() { [0; 2] } else { low },
            extent,
            leaving: [(); 4].map(|()| vec![0.0; size]),
            starting: vec![0.0; size],
        };
        loads.count(traffic, routers);
        loads
    }

    fn count(&mut self, traffic: &Traffic, routers: &[[u32; 2]]) {
        let [across, _] = self.extent;
        let at = |x: usize, y: usize| y * across + x;
        let local = |core: u32| {
            let [x, y] = routers[core as usize];
            [(x - self.origin[0]) as usize, (y - self.origin[1]) as usize]
        };
        // A path adds its rate where it begins and takes it away where it ends; sums along rows and columns follow.
        for (source, target, rate) in traffic.iter() {
            let ([a, b], [c, d]) = (local(source), local(target));
            self.starting[at(a, b)] += rate;
            if a != c {
                let direction = &mut self.leaving[usize::from(c < a)];
                direction[at(a, b)] += rate;
                direction[at(c, b)] -= rate;
            }
            if b != d {
                let direction = &mut self.leaving[2 + usize::from(d < b)];
                direction[at(c, b)] += rate;
                direction[at(c, d)] -= rate;
            }
        }
        let size = self.starting.len();
        let [right, left, down, up] = &mut self.leaving;
        for i in 0..size {
            if i % across > 0 {
                right[i] += right[i - 1];
            }
            if i >= across {
                down[i] += down[i - across];
            }
        }
        for i in (0..size).rev() {
            if (i + 1) % across > 0 {
                left[i] += left[i + 1];
            }
            if i + across < size {
                up[i] += up[i + across];
            }
        }
        // What is left where sums cancel is no load.
        let noise = traffic.total() * 1e-12;
        for load in self.leaving.iter_mut().flatten().filter(|load| **load <= noise) {
            *load = 0.0;
        }
    }

    fn router(&self, index: usize) -> [u32; 2] {
        let [x, y] = [index % self.extent[0], index / self.extent[0]];
        let narrow = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
        [self.origin[0] + narrow(x), self.origin[1] + narrow(y)]
    }

    /// Links within the rectangle, as (from, to), with their messages per step.
    pub(super) fn links(&self) -> impl Iterator<Item = ([[u32; 2]; 2], f64)> + '_ {
        let of = move |index: usize| {
            let from = self.router(index);
            self.leaving.iter().zip(STEPS).filter_map(move |(loads, step)| {
                let to = [
                    u32::try_from(i64::from(from[0]) + step[0]).ok()?,
                    u32::try_from(i64::from(from[1]) + step[1]).ok()?,
                ];
                let load = loads[index];
                (load > 0.0).then_some(([from, to], load))
            })
        };
        (0..self.starting.len()).flat_map(of)
    }

    /// Routers of the rectangle with the messages that pass them.
    pub(super) fn routers(&self) -> impl Iterator<Item = ([u32; 2], f64)> + '_ {
        let mut passing = self.starting.clone();
        for ([_, to], load) in self.links() {
            let [x, y] = [0, 1].map(|axis| (to[axis] - self.origin[axis]) as usize);
            if let Some(sum) = passing.get_mut(y * self.extent[0] + x) {
                *sum += load;
            }
        }
        passing.into_iter().enumerate().map(|(index, load)| (self.router(index), load))
    }
}
