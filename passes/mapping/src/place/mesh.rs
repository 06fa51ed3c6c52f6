//! Meshes of routers, alone or as chips beside each other, and what a message costs on them.

use super::PlaceError;

/// A mesh of routers with the cores behind them, and its costs.
///
/// A board is `chips[0]` by `chips[1]` chips of `width` by `height` routers, joined to one large mesh. Routers have coordinates
/// over the whole board, x to the right and y downward. A *cell* is a place for one core: cells are numbered row by row
/// over the board, those of a router one after the other.
///
/// Messages run along x first, then along y, one message per target core. Over `h` links, `c` of them between
/// chips, a message passes `h + 1` routers and costs `(h + 1)·e_router + h·e_wire + c·e_chip`: the formula by which mappings are
/// compared in the literature (`AxonCUDA`'s grader), with links between chips added.
#[derive(Clone, Debug, PartialEq)]
pub struct Mesh {
    /// Routers of a chip along x.
    pub width: u32,
    /// Routers of a chip along y.
    pub height: u32,
    /// Chips along x and y.
    pub chips: [u32; 2],
    /// Cores that share a router.
    pub cores_per_router: u32,
    /// Energy of a message in each router that it passes, in pJ.
    pub e_router: f64,
    /// Energy of a message on each link, in pJ.
    pub e_wire: f64,
    /// What a link between chips costs above [`e_wire`](Self::e_wire), in pJ.
    pub e_chip: f64,
    /// Time of a message in each router that it passes, in ns.
    pub t_router: f64,
    /// Time of a message on each link, in ns.
    pub t_wire: f64,
    /// What a link between chips takes above [`t_wire`](Self::t_wire), in ns.
    pub t_chip: f64,
}

impl Mesh {
    /// A chip of `side` by `side` routers with one core each, without a cost of time.
    pub fn square(side: u32, e_router: f64, e_wire: f64) -> Self {
        Self {
            width: side,
            height: side,
            chips: [1, 1],
            cores_per_router: 1,
            e_router,
            e_wire,
            e_chip: 0.0,
            t_router: 0.0,
            t_wire: 0.0,
            t_chip: 0.0,
        }
    }

    /// The mesh of the research preset `loihi64`: 64 × 64, 1.7 and 3.5 pJ, 2.1 and 5.3 ns (`AxonCUDA`, `nmhardware.hpp`; the
    /// figures are those of Davies et al., IEEE Micro 2018, links averaged over both directions).
    pub fn loihi64() -> Self {
        Self { t_router: 2.1, t_wire: 5.3, ..Self::square(64, 1.7, 3.5) }
    }

    /// The mesh of the research preset `loihi84`: 84 × 84, 1.0 and 0.1 (the setting of Jin et al., ASPLOS 2023).
    pub fn loihi84() -> Self {
        Self { t_router: 1.0, t_wire: 0.1, ..Self::square(84, 1.0, 0.1) }
    }

    /// Boards of Loihi 1 chips: 8 × 4 routers with four cores each, costs of [`loihi64`](Self::loihi64).
    ///
    /// What a link between chips costs is not published. `e_chip` here is ten links, `t_chip` too: a weight that keeps
    /// traffic on chips, not a measurement.
    pub fn loihi1(chips: [u32; 2]) -> Self {
        Self {
            width: 8,
            height: 4,
            chips,
            cores_per_router: 4,
            e_chip: 35.0,
            t_chip: 53.0,
            ..Self::loihi64()
        }
    }

    /// Whether the mesh has cells, not too many, and costs that are numbers.
    ///
    /// # Errors
    /// If an extent is 0, there are 2³² cells or more, or a cost is negative or not finite.
    pub fn check(&self) -> Result<(), PlaceError> {
        let extents =
            [self.width, self.height, self.chips[0], self.chips[1], self.cores_per_router];
        let cells = extents.iter().try_fold(1_u32, |product, &e| product.checked_mul(e));
        if cells.is_none_or(|cells| cells == 0 || cells == u32::MAX) {
            return Err(PlaceError::Extents(extents));
        }
        let costs =
            [self.e_router, self.e_wire, self.e_chip, self.t_router, self.t_wire, self.t_chip];
        match costs.iter().find(|cost| !(0.0..f64::INFINITY).contains(*cost)) {
            Some(&cost) => Err(PlaceError::Cost(cost)),
            None => Ok(()),
        }
    }

    /// Routers of the board along x and y.
    pub fn extent(&self) -> [u32; 2] {
        [self.width * self.chips[0], self.height * self.chips[1]]
    }

    /// Cells of the board.
    pub fn cells(&self) -> u32 {
        let [x, y] = self.extent();
        x * y * self.cores_per_router
    }

    /// Router of a cell.
    pub fn router(&self, cell: u32) -> [u32; 2] {
        let router = cell / self.cores_per_router;
        let across = self.extent()[0];
        [router % across, router / across]
    }

    /// Cell number `slot` of a router.
    pub fn cell(&self, [x, y]: [u32; 2], slot: u32) -> u32 {
        (y * self.extent()[0] + x) * self.cores_per_router + slot
    }

    /// Chip of a router.
    pub fn chip(&self, [x, y]: [u32; 2]) -> [u32; 2] {
        [x / self.width, y / self.height]
    }

    /// Links between two routers, and those of them between chips.
    pub fn links(&self, from: [u32; 2], to: [u32; 2]) -> [u32; 2] {
        let ([a, b], [c, d]) = (self.chip(from), self.chip(to));
        [from[0].abs_diff(to[0]) + from[1].abs_diff(to[1]), a.abs_diff(c) + b.abs_diff(d)]
    }

    /// Energy of a message between two routers, in pJ.
    pub fn energy(&self, from: [u32; 2], to: [u32; 2]) -> f64 {
        let [links, chips] = self.links(from, to).map(f64::from);
        (links + 1.0) * self.e_router + links * self.e_wire + chips * self.e_chip
    }

    /// Time of a message between two routers, in ns, if it waits for no other.
    pub fn latency(&self, from: [u32; 2], to: [u32; 2]) -> f64 {
        let [links, chips] = self.links(from, to).map(f64::from);
        (links + 1.0) * self.t_router + links * self.t_wire + chips * self.t_chip
    }

    /// Coordinates along x and y in pJ of the first routers. Energy is separable: two routers are `e_router` plus the
    /// differences of their coordinates apart.
    pub(super) fn axes(&self, [x, y]: [u32; 2]) -> [Vec<f64>; 2] {
        let axis = |extent: u32, chip: u32| {
            let at = |i| {
                f64::from(i) * (self.e_router + self.e_wire) + f64::from(i / chip) * self.e_chip
            };
            (0..extent).map(at).collect()
        };
        [axis(x, self.width), axis(y, self.height)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_those_of_the_formula_on_both_sides_of_chip_borders() {
        let mesh = Mesh { chips: [2, 2], e_chip: 10.0, ..Mesh::loihi1([1, 1]) };
        assert!((mesh.energy([0, 0], [0, 0]) - 1.7).abs() < 1e-12);
        assert!((mesh.energy([7, 3], [7, 2]) - (3.4 + 3.5)).abs() < 1e-12);
        // Over both borders.
        assert!((mesh.energy([8, 4], [7, 3]) - (5.1 + 7.0 + 20.0)).abs() < 1e-12);
        assert!((mesh.latency([6, 3], [8, 3]) - (6.3 + 10.6 + 53.0)).abs() < 1e-12);
        let [x, y] = mesh.axes(mesh.extent());
        for cell in 0..mesh.cells() {
            let [a, b] = mesh.router(cell);
            assert_eq!(mesh.cell([a, b], cell % 4), cell);
            let apart = (x[a as usize] - x[5]).abs() + (y[b as usize] - y[6]).abs();
            assert!((mesh.e_router + apart - mesh.energy([a, b], [5, 6])).abs() < 1e-9);
        }
    }

    #[test]
    fn meshes_without_meaning_are_refused() {
        assert!(Mesh::loihi64().check().is_ok());
        assert!(Mesh::loihi84().check().is_ok());
        let huge = Mesh { width: 1 << 16, height: 1 << 16, ..Mesh::loihi64() };
        assert!(matches!(huge.check(), Err(PlaceError::Extents(_))));
        let empty = Mesh { chips: [1, 0], ..Mesh::loihi64() };
        assert!(matches!(empty.check(), Err(PlaceError::Extents(_))));
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            let mesh = Mesh { e_wire: bad, ..Mesh::loihi64() };
            assert!(matches!(mesh.check(), Err(PlaceError::Cost(_))));
        }
    }
}
