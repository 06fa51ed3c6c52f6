//! Energy that no placement can go below.
//!
//! Of a core's partners, at most `p − 1` lie on its router where `p` cores share one, `4p` are one link away, `8p` two, and so
//! on: all cells are different, and a mesh has no more of them near any place than in its middle. With the partners that weigh most
//! on the nearest of these places, Σ messages × distance of one core comes out no higher than in any placement
//! (rearrangement inequality).
//!
//! Added over all cores this would count each pair twice. So every pair splits its messages between its two cores, and each core's sum is
//! over its shares: for *any* split the total is a bound, half and half being the plain one. Where a core places a partner farther away than
//! the partner places it, shifting messages to the former raises the bound; some rounds of that (supergradient ascent, the
//! bound is concave in the split) keep the best split seen. Costs of links between chips are left out, which keeps the bound valid.

use super::board::Partners;
use super::{Mesh, Traffic};

/// Rounds of ascent, and pairs looked at in all of them together.
const ROUNDS: usize = 200;
const WORK: usize = 4_000_000;

/// A lower bound on the energy of messages of any placement, in pJ per step: each of them passes one router, plus its distance.
/// 0 if the mesh has no meaning.
pub fn energy_bound(traffic: &Traffic, mesh: &Mesh) -> f64 {
    if mesh.check().is_err() {
        return 0.0;
    }
    let pairs = Pairs::of(&Partners::of(traffic));
    let rings = rings(mesh, pairs.most_partners());
    traffic.total() * mesh.e_router + pairs.links_bound(&rings) * (mesh.e_router + mesh.e_wire)
}

/// Links to the nearest `count` cells around a cell in the middle of the board, ascending.
///
/// In the middle every ball is largest: a row at a vertical distance has the most cells within what is left of the radius around
/// the middle column, and rows closer to the middle have more, so that the middle rows are the best to sum over.
fn rings(mesh: &Mesh, count: usize) -> Vec<f64> {
    let [width, height] = mesh.extent();
    let [x, y] = [width / 2, height / 2];
    let mut rings = Vec::with_capacity(count);
    for distance in 0..=width.saturating_add(height) {
        if rings.len() >= count {
            break;
        }
        let routers: u64 = (0..=distance.min(x.max(width - 1 - x)))
            .map(|across| {
                let up = distance - across;
                let columns = sides(x, width, across);
                let rows = sides(y, height, up);
                columns * rows
            })
            .sum();
        let mut cells = routers * u64::from(mesh.cores_per_router);
        if distance == 0 {
            cells -= 1;
        }
        let room = count - rings.len();
        let cells = usize::try_from(cells).unwrap_or(room).min(room);
        rings.resize(rings.len() + cells, f64::from(distance));
    }
    rings
}

/// Positions exactly so far from a place on a line.
fn sides(at: u32, end: u32, far: u32) -> u64 {
    if far == 0 { 1 } else { u64::from(far <= at) + u64::from(far < end - at) }
}

/// Pairs of partners and how their messages are split.
struct Pairs {
    /// Cores of each pair, messages both ways.
    ends: Vec<([u32; 2], f64)>,
    /// Part of the messages that the first core counts.
    share: Vec<f64>,
    /// Where the pairs of each core start.
    starts: Vec<usize>,
    /// Pair, and which of its cores this one is.
    members: Vec<(u32, u8)>,
}

impl Pairs {
    fn of(partners: &Partners) -> Self {
        let mut pairs = Vec::new();
        for core in 0..partners.cores() {
            let core = u32::try_from(core).unwrap_or(u32::MAX);
            let later = partners.of_core(core).iter().filter(|(other, _)| *other > core);
            pairs.extend(later.map(|&(other, weight)| ([core, other], weight)));
        }
        let mut starts = vec![0; partners.cores() + 1];
        for ([a, b], _) in &pairs {
            starts[*a as usize + 1] += 1;
            starts[*b as usize + 1] += 1;
        }
        for core in 0..partners.cores() {
            starts[core + 1] += starts[core];
        }
        let mut next = starts.clone();
        let mut members = vec![(0, 0); pairs.len() * 2];
        for (index, (cores, _)) in (0..).zip(&pairs) {
            for (which, &core) in (0..).zip(cores) {
                members[next[core as usize]] = (index, which);
                next[core as usize] += 1;
            }
        }
        Self { share: vec![0.5; pairs.len()], ends: pairs, starts, members }
    }

    fn most_partners(&self) -> usize {
        self.starts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
    }

    /// A lower bound on messages × links.
    fn links_bound(mut self, rings: &[f64]) -> f64 {
        let rounds = (WORK / self.members.len().max(1)).clamp(1, ROUNDS);
        let mut best = 0.0_f64;
        let mut slope = vec![0.0; self.ends.len()];
        let mut shares = Vec::with_capacity(rings.len());
        for round in 0..rounds {
            slope.fill(0.0);
            best = best.max(self.evaluate(rings, &mut slope, &mut shares));
            #[expect(clippy::cast_precision_loss, reason = "few rounds")]
            let step = 0.5 / (round as f64 + 2.0);
            for (share, slope) in self.share.iter_mut().zip(&slope) {
                *share = (*share + step * slope).clamp(0.0, 1.0);
            }
        }
        best
    }

    /// The bound for the split as it is; into `slope`, by how many links each pair's first core places it farther away than its
    /// second.
    fn evaluate(&self, rings: &[f64], slope: &mut [f64], shares: &mut Vec<(f64, u32, u8)>) -> f64 {
        let mut total = 0.0;
        for range in self.starts.windows(2) {
            shares.clear();
            shares.extend(self.members[range[0]..range[1]].iter().map(|&(pair, which)| {
                let share = self.share[pair as usize];
                let part = if which == 0 { share } else { 1.0 - share };
                (part * self.ends[pair as usize].1, pair, which)
            }));
            shares.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            for (&(part, pair, which), links) in shares.iter().zip(rings) {
                total += part * links;
                slope[pair as usize] += if which == 0 { *links } else { -links };
            }
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_are_the_cells_around_the_middle() {
        let mesh = Mesh::square(64, 1.0, 1.0);
        let near = rings(&mesh, 25);
        assert_eq!(near[..4], [1.0; 4]);
        assert_eq!(near[4..12], [2.0; 8]);
        assert_eq!(near[12..24], [3.0; 12]);
        assert_eq!(near[24..], [4.0]);
        // All other cells of a small board, and no more.
        assert_eq!(rings(&Mesh::square(3, 1.0, 1.0), 100), [1., 1., 1., 1., 2., 2., 2., 2.]);
        assert_eq!(rings(&Mesh { width: 2, height: 1, ..Mesh::loihi1([1, 1]) }, 100).len(), 7);
        let line = Mesh { width: 5, height: 1, ..Mesh::square(1, 1.0, 1.0) };
        assert_eq!(rings(&line, 9), [1.0, 1.0, 2.0, 2.0]);
    }

    #[test]
    fn a_star_is_bounded_by_what_it_takes() {
        // Six leaves around a core: four next to it, two behind; split evenly the leaves would count half of the latter as near.
        let mesh = Mesh::square(9, 0.0, 1.0);
        let traffic = Traffic::from_flows(7, (1..7).map(|leaf| (0, leaf, 1.0)));
        assert!(
            (energy_bound(&traffic, &mesh) - 8.0).abs() < 0.05,
            "{}",
            energy_bound(&traffic, &mesh)
        );
        assert!(energy_bound(&traffic, &mesh) <= 8.0);
    }
}
