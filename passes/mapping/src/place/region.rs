//! Which part of a mesh is used: the fewest chips, and on a single chip a square with some room.

use super::board::Board;
use super::{Mesh, PlaceError};

/// The routers that cores may lie on: from the first router of the mesh on.
pub(super) fn region(mesh: &Mesh, cores: usize) -> Result<Board, PlaceError> {
    mesh.check()?;
    let full = PlaceError::Full { cores, cells: mesh.cells() };
    let count = u32::try_from(cores).ok().filter(|&c| c <= mesh.cells()).ok_or(full)?;
    let routers = count.div_ceil(mesh.cores_per_router).max(1);
    let chip = mesh.width.saturating_mul(mesh.height);
    let extent = if routers <= chip {
        square(routers, [mesh.width, mesh.height])
    } else {
        let [x, y] = block(routers.div_ceil(chip), mesh);
        [x * mesh.width, y * mesh.height]
    };
    let [xs, ys] = mesh.axes(extent);
    Ok(Board { xs, ys, slots: mesh.cores_per_router })
}

/// A rectangle with room for `routers` on a chip: a square with margins if the chip has them. With
/// empty sites at its corners a layout can become round, which shortens what is longest.
fn square(routers: u32, [width, height]: [u32; 2]) -> [u32; 2] {
    let side = routers.isqrt() + u32::from(routers.isqrt().pow(2) < routers);
    let wanted = side + (side / 8).max(2);
    let x = wanted.min(width).max(routers.div_ceil(height));
    let y = wanted.min(height).max(routers.div_ceil(x));
    [x, y]
}

/// The fewest chips in a rectangle of the board, and of those the one whose far ends are nearest.
fn block(count: u32, mesh: &Mesh) -> [u32; 2] {
    let [across, down] = mesh.chips;
    let shapes = (1..=across.min(count)).filter_map(|x| {
        let y = count.div_ceil(x);
        (y <= down).then_some([x, y])
    });
    let far = |[x, y]: [u32; 2]| mesh.energy([0, 0], [x * mesh.width - 1, y * mesh.height - 1]);
    let order = |&a: &[u32; 2], &b: &[u32; 2]| {
        (a[0] * a[1]).cmp(&(b[0] * b[1])).then(far(a).total_cmp(&far(b)))
    };
    shapes.min_by(order).unwrap_or(mesh.chips)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(mesh: &Mesh, cores: usize) -> [u32; 2] {
        let board = region(mesh, cores).expect("fits");
        assert!(board.sites() >= cores);
        [board.cols(), board.rows()]
    }

    #[test]
    fn regions_have_room_and_are_compact() {
        assert_eq!(extent(&Mesh::loihi64(), 117), [13, 13]);
        assert_eq!(extent(&Mesh::loihi64(), 4096), [64, 64]);
        assert_eq!(extent(&Mesh::loihi64(), 0), [3, 3]);
        // A thin mesh is used along its length.
        let thin = Mesh { width: 1, height: 1 << 20, ..Mesh::loihi64() };
        assert_eq!(extent(&thin, 100), [1, 100]);
        // Four cores at a router; a chip of them; two, three and six chips.
        let board = Mesh::loihi1([4, 4]);
        assert_eq!(extent(&board, 9), [4, 4]);
        assert_eq!(extent(&board, 128), [8, 4]);
        assert_eq!(extent(&board, 129), [8, 8]);
        assert_eq!(extent(&board, 3 * 128), [8, 12]);
        assert_eq!(extent(&board, 6 * 128), [16, 12]);
        assert_eq!(extent(&board, 16 * 128), [32, 16]);
    }

    #[test]
    fn one_core_more_than_cells_is_refused() {
        let mesh = Mesh::square(3, 1.0, 1.0);
        assert_eq!(extent(&mesh, 9), [3, 3]);
        assert_eq!(region(&mesh, 10), Err(PlaceError::Full { cores: 10, cells: 9 }));
    }
}
