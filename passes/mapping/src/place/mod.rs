//! Where each core lies on a mesh of routers.
//!
//! [`Traffic`] says what cores send each other, [`Mesh`] what a message costs, [`place`] looks for cells with little energy,
//! [`report`] sums up, [`energy_bound`] says how far from the best that can be at most, and [`account`] what a step takes on a chip
//! whose figures are published.

mod anneal;
mod board;
mod bound;
mod estimate;
mod even;
mod levels;
mod mesh;
mod region;
mod report;
mod rng;
mod traffic;

pub use bound::energy_bound;
pub use estimate::{Account, CoreWork, Cost, Figures, Messages, account, messages};
pub use mesh::Mesh;
pub use report::{Busiest, Report, report};
pub use traffic::Traffic;

use crate::partition::Effort;
use board::{Board, Layout, Partners};
use even::even;
use levels::{Search, solve};
use rng::Rng;
use thiserror::Error;

/// The cell of every core.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// Cell of each core, as [`Mesh`] numbers them.
    pub cells: Vec<u32>,
}

impl Placement {
    /// Whether every core has a cell of the mesh for itself.
    pub fn is_valid(&self, mesh: &Mesh) -> bool {
        let mut cells = self.cells.clone();
        cells.sort_unstable();
        mesh.check().is_ok()
            && cells.last().is_none_or(|&last| last < mesh.cells())
            && cells.windows(2).all(|pair| pair[0] < pair[1])
    }
}

/// Why cores cannot be placed.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum PlaceError {
    /// The mesh has no cells, or too many: extents of a chip, chips, cores of a router.
    #[error(
        "a mesh of {}x{} chips with {}x{} routers of {} cores has no cell, or 2^32 and more",
        .0[2], .0[3], .0[0], .0[1], .0[4]
    )]
    Extents([u32; 5]),
    /// A cost is not a finite number from 0.
    #[error("a cost of {0} is not a finite number from 0 up")]
    Cost(f64),
    /// There are more cores than cells.
    #[error("{cores} cores do not fit on a mesh of {cells} cells")]
    Full {
        /// Cores to place.
        cores: usize,
        /// Cells of the mesh.
        cells: u32,
    },
}

/// Looks for a placement with little energy, then makes the busiest link less busy for at most 0.5 % more energy.
///
/// Cores lie on the fewest chips that hold them, on a single chip from its first routers on. Near-linear: about 1.5 ms of processor
/// time per core at `Balanced` for some hundred cores and 0.3 ms for thousands, a fifth of that at `Fast`. The same seed gives the
/// same placement on every machine.
///
/// # Errors
/// If the mesh has no meaning, or fewer cells than there are cores.
pub fn place(
    traffic: &Traffic,
    mesh: &Mesh,
    effort: Effort,
    seed: u64,
) -> Result<Placement, PlaceError> {
    let board = region::region(mesh, traffic.cores())?;
    let partners = Partners::of(traffic);
    let sites = solve(&board, &partners, &search(effort), &mut Rng::new(seed));
    let mut layout = Layout::new(&board, &partners, sites);
    even(&mut layout, traffic);
    Ok(cells(&board, mesh, &layout.site_of))
}

/// How long to search.
fn search(effort: Effort) -> Search {
    match effort {
        Effort::Fast => Search { starts: 100, moves: 200_000, each: [50, 1000] },
        Effort::Balanced => Search { starts: 400, moves: 1_000_000, each: [200, 5000] },
        Effort::Best => Search { starts: 1600, moves: 10_000_000, each: [1000, 20_000] },
    }
}

/// Cells of the sites, moved to the first corner of the mesh where that changes nothing.
fn cells(board: &Board, mesh: &Mesh, site_of: &[u32]) -> Placement {
    let least = |axis: usize, single: bool| {
        let used = site_of.iter().map(|&site| board.router(site)[axis]).min();
        if single { used.unwrap_or(0) } else { 0 }
    };
    let left = least(0, board.cols() <= mesh.width);
    let top = least(1, board.rows() <= mesh.height);
    let cell = |&site: &u32| {
        let [x, y] = board.router(site);
        mesh.cell([x - left, y - top], site % board.slots)
    };
    Placement { cells: site_of.iter().map(cell).collect() }
}

#[cfg(test)]
mod tests;
