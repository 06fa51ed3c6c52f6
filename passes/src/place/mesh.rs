//! The board of a target as a mesh.

use snnc_ir::TargetSpec;
use snnc_ir::target::{Cost, Limit};
use snnc_mapping::place::Mesh;

/// In what a message costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Published energies, in pJ.
    Picojoule,
    /// No energy is public: links, those between chips counted as several.
    Hops,
}

/// The board of a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    /// Its mesh. Costs of links are the mean of both directions and of what is published.
    pub mesh: Mesh,
    /// In what the mesh counts energy.
    pub unit: Unit,
    cores_per_chip: u32,
    chips: u32,
}

impl Board {
    /// The board of `target`.
    pub fn of(target: &TargetSpec) -> Self {
        let extent = |limit: &Limit| u32::try_from(limit.value).unwrap_or(1).max(1);
        let costs = &target.costs;
        let energies = [&costs.router_energy, &costs.hop_energy_x, &costs.hop_energy_y].map(middle);
        let (unit, [e_router, e_x, e_y]) = match energies {
            [Some(router), Some(x), Some(y)] => (Unit::Picojoule, [router, x, y]),
            _ => (Unit::Hops, [0.0, 1.0, 1.0]),
        };
        let times = [&costs.router_time, &costs.hop_time_x, &costs.hop_time_y].map(middle);
        let [t_router, t_x, t_y] = times.map(|time| time.unwrap_or(0.0));
        let (e_wire, t_wire) = (f64::midpoint(e_x, e_y), f64::midpoint(t_x, t_y));
        let more_hops = f64::from(extent(&target.chip_hops) - 1);
        let mesh = Mesh {
            width: extent(&target.mesh_width),
            height: extent(&target.mesh_height),
            chips: [extent(&target.board_width), extent(&target.board_height)],
            cores_per_router: extent(&target.cores_per_router),
            e_router,
            e_wire,
            e_chip: more_hops * e_wire,
            t_router,
            t_wire,
            t_chip: more_hops * t_wire,
        };
        let [cores_per_chip, chips] = [&target.cores_per_chip, &target.chips].map(extent);
        Self { mesh, unit, cores_per_chip, chips }
    }

    /// Chip and cell of the chip, both row-major, of a cell of the mesh.
    pub fn place(&self, cell: u32) -> [u32; 2] {
        let Mesh { width, height, chips, cores_per_router, .. } = self.mesh;
        let [x, y] = self.mesh.router(cell);
        let router = y % height * width + x % width;
        let slot = cell % cores_per_router;
        [y / height * chips[0] + x / width, router * cores_per_router + slot]
    }

    /// Cell of the mesh of a cell of a chip.
    pub fn cell(&self, [chip, cell]: [u32; 2]) -> u32 {
        let Mesh { width, height, chips, cores_per_router, .. } = self.mesh;
        let router = cell / cores_per_router;
        let x = chip % chips[0] * width + router % width;
        let y = (chip / chips[0] * height).saturating_add(router / width);
        self.mesh.cell([x, y], cell % cores_per_router)
    }

    /// Whether the board has this cell of this chip.
    pub const fn exists(&self, [chip, cell]: [u32; 2]) -> bool {
        chip < self.chips && cell < self.cores_per_chip
    }
}

/// Thousand times less (femtojoules to picojoules, picoseconds to nanoseconds), the middle of the range.
#[expect(clippy::cast_precision_loss, reason = "costs are small numbers")]
fn middle(cost: &Cost) -> Option<f64> {
    cost.range().map(|[low, high]| f64::midpoint(low as f64, high as f64) / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::target;

    #[test]
    fn cells_of_chips_and_of_the_board_are_each_other_s_inverse() {
        let mut spec = target();
        let keys = [
            (&mut spec.mesh_width, 3),
            (&mut spec.mesh_height, 2),
            (&mut spec.cores_per_router, 4),
            (&mut spec.board_width, 2),
            (&mut spec.board_height, 3),
            (&mut spec.chips, 6),
            (&mut spec.cores_per_chip, 24),
        ];
        for (limit, value) in keys {
            limit.value = value;
        }
        let board = Board::of(&spec);
        let places: Vec<[u32; 2]> = (0..board.mesh.cells()).map(|c| board.place(c)).collect();
        assert!((0..).zip(&places).all(|(cell, place)| board.cell(*place) == cell));
        assert!(places.iter().all(|place| board.exists(*place)));
        // Six routers in a row belong to two chips.
        assert_eq!(board.place(3 * 4 + 1), [1, 1]);
        assert!(!board.exists([6, 0]) && !board.exists([0, 24]));
    }
}
