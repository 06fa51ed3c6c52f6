//! A part of a mesh that cores move on, and cores on it.

use super::traffic::Traffic;

/// No core, or no site.
pub(super) const NONE: u32 = u32::MAX;

/// A rectangle of routers with `slots` sites each. Sites are numbered row by row, those of a router one after the other.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Board {
    /// Coordinate of each column: a message pays the difference.
    pub(super) xs: Vec<f64>,
    /// Coordinate of each row.
    pub(super) ys: Vec<f64>,
    /// Sites of a router.
    pub(super) slots: u32,
}

impl Board {
    pub(super) fn cols(&self) -> u32 {
        narrow(self.xs.len())
    }

    pub(super) fn rows(&self) -> u32 {
        narrow(self.ys.len())
    }

    pub(super) fn sites(&self) -> usize {
        self.xs.len() * self.ys.len() * self.slots as usize
    }

    /// Column and row of a site.
    pub(super) fn router(&self, site: u32) -> [u32; 2] {
        let router = site / self.slots;
        [router % self.cols(), router / self.cols()]
    }

    pub(super) fn site(&self, [x, y]: [u32; 2], slot: u32) -> u32 {
        (y * self.cols() + x) * self.slots + slot
    }

    fn point(&self, [x, y]: [u32; 2]) -> [f64; 2] {
        [self.xs[x as usize], self.ys[y as usize]]
    }
}

/// What a core and its partners send each other, both directions together: distances are the same both ways.
#[derive(Clone, Debug, Default)]
pub(super) struct Partners {
    starts: Vec<usize>,
    /// Partner, and messages per step both ways; by partner.
    list: Vec<(u32, f64)>,
}

impl Partners {
    pub(super) fn of(traffic: &Traffic) -> Self {
        Self::from_pairs(traffic.cores(), traffic.iter().collect())
    }

    /// Of weighted pairs, in any direction and order. Linear in pairs.
    pub(super) fn from_pairs(cores: usize, pairs: Vec<(u32, u32, f64)>) -> Self {
        let mut starts = vec![0; cores + 1];
        for &(a, b, _) in &pairs {
            starts[a as usize + 1] += 1;
            starts[b as usize + 1] += 1;
        }
        for core in 0..cores {
            starts[core + 1] += starts[core];
        }
        let mut next = starts.clone();
        let mut list = vec![(0, 0.0); pairs.len() * 2];
        for (a, b, rate) in pairs {
            for (a, b) in [(a, b), (b, a)] {
                list[next[a as usize]] = (b, rate);
                next[a as usize] += 1;
            }
        }
        // Sorts each core's list and adds up what occurs twice.
        let mut merged = Self { starts: vec![0], list: Vec::with_capacity(list.len()) };
        for core in 0..cores {
            let row = &mut list[starts[core]..starts[core + 1]];
            row.sort_by_key(|&(partner, _)| partner);
            let first = merged.list.len();
            for &(partner, rate) in &*row {
                match merged.list[first..].last_mut() {
                    Some(last) if last.0 == partner => last.1 += rate,
                    _ => merged.list.push((partner, rate)),
                }
            }
            merged.starts.push(merged.list.len());
        }
        merged
    }

    pub(super) fn cores(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    pub(super) fn entries(&self) -> usize {
        self.list.len()
    }

    pub(super) fn of_core(&self, core: u32) -> &[(u32, f64)] {
        &self.list[self.starts[core as usize]..self.starts[core as usize + 1]]
    }
}

/// Cores on the sites of a board.
#[derive(Clone, Debug)]
pub(super) struct Layout<'b> {
    pub(super) board: &'b Board,
    pub(super) partners: &'b Partners,
    /// Site of each core.
    pub(super) site_of: Vec<u32>,
    /// Core of each site, or [`NONE`].
    pub(super) core_at: Vec<u32>,
    /// Router of each core.
    routers: Vec<[u32; 2]>,
    /// Coordinates of each core.
    points: Vec<[f64; 2]>,
}

impl<'b> Layout<'b> {
    /// Cores on sites of their own.
    pub(super) fn new(board: &'b Board, partners: &'b Partners, site_of: Vec<u32>) -> Self {
        let mut core_at = vec![NONE; board.sites()];
        for (core, &site) in (0..).zip(&site_of) {
            core_at[site as usize] = core;
        }
        let routers: Vec<_> = site_of.iter().map(|&site| board.router(site)).collect();
        let points = routers.iter().map(|&router| board.point(router)).collect();
        Self { board, partners, site_of, core_at, routers, points }
    }

    /// Sum over pairs of messages times distance.
    pub(super) fn cost(&self) -> f64 {
        let twice: f64 = (0..)
            .zip(&self.points)
            .map(|(core, &p)| {
                let partners = self.partners.of_core(core).iter();
                partners.map(|&(n, w)| w * distance(p, self.points[n as usize])).sum::<f64>()
            })
            .sum();
        twice / 2.0
    }

    /// Where the core's router is.
    pub(super) fn router_of(&self, core: u32) -> [u32; 2] {
        self.routers[core as usize]
    }

    /// Change of cost if the core goes to a site, and who is there goes to where the core was.
    pub(super) fn delta(&self, core: u32, to: [u32; 2], site: u32) -> f64 {
        let from = self.points[core as usize];
        let to = self.board.point(to);
        match self.core_at[site as usize] {
            NONE => self.shift(core, from, to, NONE),
            other => self.shift(core, from, to, other) + self.shift(other, to, from, core),
        }
    }

    /// Change of the cost between a core and its partners but one.
    fn shift(&self, core: u32, from: [f64; 2], to: [f64; 2], but: u32) -> f64 {
        let mut sum = 0.0;
        for &(partner, weight) in self.partners.of_core(core) {
            if partner != but {
                let at = self.points[partner as usize];
                sum += weight * (distance(to, at) - distance(from, at));
            }
        }
        sum
    }

    /// Makes the move of [`delta`](Self::delta).
    pub(super) fn go(&mut self, core: u32, to: [u32; 2], site: u32) {
        let from = self.site_of[core as usize];
        let other = self.core_at[site as usize];
        self.core_at[from as usize] = other;
        self.core_at[site as usize] = core;
        self.site_of[core as usize] = site;
        let was = std::mem::replace(&mut self.routers[core as usize], to);
        self.points[core as usize] = self.board.point(to);
        if other != NONE {
            self.site_of[other as usize] = from;
            self.routers[other as usize] = was;
            self.points[other as usize] = self.board.point(was);
        }
    }
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).abs() + (a[1] - b[1]).abs()
}

/// Counts of cores and cells: a mesh has fewer than 2³².
pub(super) fn narrow(count: usize) -> u32 {
    u32::try_from(count).expect("fewer than 2^32 cells and cores")
}
