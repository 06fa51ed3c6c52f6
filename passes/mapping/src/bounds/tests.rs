//! Bounds against all sets of pixels of small maps, and against mappings.

use super::{cores, km1, partition, seen};
use crate::layers::mapping::map;
use crate::layers::network::{Read, Shape, Store, Window};
use crate::layers::testing::networks;
use crate::layers::tiles::{CoreLimits, Storage, tile};
use crate::partition::{Effort, Limits};
use proptest::prelude::*;

/// The fewest source pixels that sets of each size see, by trying all sets.
fn fewest(read: &Read, from: Shape, shape: Shape) -> Vec<u32> {
    let pixels = u32::try_from(shape.pixels()).unwrap();
    let mut windows = Vec::new();
    for row in 0..shape.height {
        for column in 0..shape.width {
            let [top, bottom] = read.rows.sources([row, row + 1], from.height);
            let [left, right] = read.columns.sources([column, column + 1], from.width);
            let places = (top..bottom).flat_map(|y| (left..right).map(move |x| (y, x)));
            windows.push(places.fold(0_u128, |mask, (y, x)| mask | 1 << (y * from.width + x)));
        }
    }
    let mut least = vec![u32::MAX; pixels as usize + 1];
    for set in 0..1_u32 << pixels {
        let members = (0..pixels).filter(|pixel| set >> pixel & 1 == 1);
        let seen = members.fold(0, |mask, pixel| mask | windows[pixel as usize]);
        let size = set.count_ones() as usize;
        least[size] = least[size].min(seen.count_ones());
    }
    least
}

fn windows() -> impl Strategy<Value = (Window, u32)> {
    (1..=4_u32, 1..=3_u32, 0..=3_u32, 1..=9_u32).prop_map(|(kernel, stride, padding, length)| {
        let kernel = kernel.min(length);
        (Window { kernel, stride, padding: padding.min(kernel - 1) }, length)
    })
}

proptest! {
    #[test]
    fn no_set_of_pixels_sees_less(
        (rows, height) in windows(),
        (columns, width) in windows(),
        keep in 1..=12_u32,
    ) {
        let mut shape = Shape {
            channels: 1,
            height: rows.targets(height).unwrap(),
            width: columns.targets(width).unwrap(),
        };
        shape.width = shape.width.min(keep);
        shape.height = shape.height.min(12 / shape.width);
        let from = Shape { channels: 1, height, width };
        let read = Read { source: 0, rows, columns, groups: 1, store: Store::Kernel };
        for (size, least) in fewest(&read, from, shape).into_iter().enumerate() {
            let bound = seen(&read, from, shape, size as u64);
            prop_assert!(bound <= f64::from(least) + 1e-9, "{size}: {bound} > {least}");
        }
    }

    #[test]
    fn no_tiling_takes_fewer_cores(
        network in networks(),
        (neurons, inputs, words) in (1..200_u64, 10..300_u64, 10..600_u64),
        storage in prop_oneof![Just(Storage::Once), Just(Storage::Patterns), Just(Storage::Lists)],
        atoms in prop_oneof![Just(0), Just(3), Just(1024)],
    ) {
        let limits =
            CoreLimits { neurons, inputs, words, storage, atoms, ..CoreLimits::LOIHI1 };
        if let Ok(tiling) = tile(&network, &limits) {
            let bounds = cores(&network, &limits);
            prop_assert!(bounds.largest() <= tiling.cores(), "{bounds:?} {}", tiling.cores());
        }
    }

    #[test]
    fn no_partition_is_better(
        network in networks(),
        (neurons, inputs) in (1..200_u64, 10..300_u64),
    ) {
        let limits = Limits { neurons, inputs, cores: u32::MAX };
        let mapped = map(&network, &limits, None, Effort::Fast, 1).unwrap();
        let Ok(usage) = mapped.graph.check(&limits, &mapped.partition) else { return Ok(()) };
        let bounds = partition(&network, &limits);
        let copies: u64 = usage.iter().map(|core| core.inputs).sum();
        prop_assert!(bounds.largest() <= u64::from(mapped.partition.cores));
        prop_assert!(bounds.copies <= copies, "{bounds:?} {copies}");
        prop_assert!(km1(&mapped.graph, &limits) <= mapped.graph.km1(&mapped.partition) + 1e-9);
    }
}

/// Without borders the corner form is Brunn's and Minkowski's; squares attain it.
#[test]
fn squares_are_best_without_padding() {
    let window = Window { kernel: 3, stride: 1, padding: 0 };
    let read = Read { source: 0, rows: window, columns: window, groups: 1, store: Store::Kernel };
    let from = Shape { channels: 1, height: 34, width: 34 };
    let shape = Shape { channels: 1, height: 32, width: 32 };
    for side in 1..=32_u32 {
        let bound = seen(&read, from, shape, u64::from(side * side));
        assert!((bound - f64::from((side + 2) * (side + 2))).abs() < 1e-9);
    }
}
