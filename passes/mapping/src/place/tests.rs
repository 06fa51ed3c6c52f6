//! Placement as a whole.

use super::report::Loads;
use super::*;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Random traffic between up to `most` cores.
fn traffics(most: u32) -> impl Strategy<Value = Traffic> {
    (0..=most).prop_flat_map(move |cores| {
        let flow = (0..cores.max(1), 0..cores.max(1), 0.001..10.0_f64);
        prop::collection::vec(flow, 0..60).prop_map(move |flows| Traffic::from_flows(cores, flows))
    })
}

fn meshes() -> impl Strategy<Value = Mesh> {
    (1..5_u32, 1..5_u32, 1..3_u32, 1..3_u32, 1..4_u32, 0.0..3.0_f64, 0.0..3.0_f64, 0.0..20.0_f64)
        .prop_map(|(width, height, across, down, cores, e_router, e_wire, e_chip)| Mesh {
            width,
            height,
            chips: [across, down],
            cores_per_router: cores,
            e_router,
            e_wire,
            e_chip,
            ..Mesh::loihi64()
        })
}

fn energy(traffic: &Traffic, mesh: &Mesh, cells: &[u32]) -> f64 {
    let router = |core: u32| mesh.router(cells[core as usize]);
    traffic.iter().map(|(a, b, rate)| rate * mesh.energy(router(a), router(b))).sum()
}

/// Least energy over all ways to put the cores on cells.
fn brute_force(traffic: &Traffic, mesh: &Mesh) -> f64 {
    fn go(traffic: &Traffic, mesh: &Mesh, cells: &mut Vec<u32>, best: &mut f64) {
        if cells.len() == traffic.cores() {
            *best = best.min(energy(traffic, mesh, cells));
            return;
        }
        for cell in 0..mesh.cells() {
            if !cells.contains(&cell) {
                cells.push(cell);
                go(traffic, mesh, cells, best);
                cells.pop();
            }
        }
    }
    let mut best = f64::INFINITY;
    go(traffic, mesh, &mut Vec::new(), &mut best);
    best
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn changes_of_cost_are_what_counting_anew_says(
        traffic in traffics(20), mesh in meshes(), seed in any::<u64>()
    ) {
        let Ok(board) = region::region(&mesh, traffic.cores()) else { return Ok(()) };
        let partners = Partners::of(&traffic);
        let start = (0..).zip(0..traffic.cores()).map(|(site, _)| site).collect();
        let mut layout = Layout::new(&board, &partners, start);
        let mut rng = super::Rng::new(seed);
        let cores = u32::try_from(traffic.cores()).unwrap();
        for _ in 0..if cores > 0 { 50 } else { 0 } {
            let core = rng.below(cores);
            let site = rng.below(u32::try_from(board.sites()).unwrap());
            if layout.site_of[core as usize] == site {
                continue;
            }
            let before = layout.cost();
            let delta = layout.delta(core, board.router(site), site);
            layout.go(core, board.router(site), site);
            let anew = Layout::new(&board, &partners, layout.site_of.clone());
            prop_assert!((anew.cost() - before - delta).abs() < 1e-6 * (1.0 + before));
            prop_assert!((anew.cost() - layout.cost()).abs() < 1e-6 * (1.0 + before));
            prop_assert_eq!(&anew.core_at, &layout.core_at);
        }
    }

    #[test]
    fn every_core_gets_a_cell_and_no_cell_two(
        traffic in traffics(20), mesh in meshes(), seed in any::<u64>()
    ) {
        let cells = mesh.cells();
        match place(&traffic, &mesh, Effort::Fast, seed) {
            Ok(placement) => {
                prop_assert!(placement.is_valid(&mesh));
                prop_assert_eq!(placement.cells.len(), traffic.cores());
                prop_assert_eq!(&place(&traffic, &mesh, Effort::Fast, seed).unwrap(), &placement);
                let sum = energy(&traffic, &mesh, &placement.cells);
                let report = report(&traffic, &mesh, &placement);
                prop_assert!((report.energy - sum).abs() <= 1e-9 * (1.0 + sum));
                prop_assert!(report.energy_bound <= sum * (1.0 + 1e-12));
                prop_assert!(report.chips <= report.routers && report.routers <= traffic.cores());
                let own: f64 = messages(&traffic, &mesh, &placement)
                    .iter()
                    .map(|m| m.links_x + m.links_y)
                    .sum();
                prop_assert!((report.mean_hops * report.messages - own).abs() <= 1e-9 * (1.0 + own));
            }
            Err(error) => {
                prop_assert_eq!(error, PlaceError::Full { cores: traffic.cores(), cells });
                prop_assert!(traffic.cores() > cells as usize);
            }
        }
    }

    #[test]
    fn loads_are_those_of_walking_every_path(
        traffic in traffics(12), mesh in meshes(), seed in any::<u64>()
    ) {
        let Ok(placement) = place(&traffic, &mesh, Effort::Fast, seed) else { return Ok(()) };
        let router = |core: u32| mesh.router(placement.cells[core as usize]);
        let mut links = std::collections::BTreeMap::new();
        let mut passing = std::collections::BTreeMap::new();
        for (source, target, rate) in traffic.iter() {
            let (mut at, end) = (router(source), router(target));
            *passing.entry(at).or_insert(0.0) += rate;
            while at != end {
                let from = at;
                let axis = usize::from(at[0] == end[0]);
                at[axis] = if at[axis] < end[axis] { at[axis] + 1 } else { at[axis] - 1 };
                *links.entry([from, at]).or_insert(0.0) += rate;
                *passing.entry(at).or_insert(0.0) += rate;
            }
        }
        let routers: Vec<_> = placement.cells.iter().map(|&cell| mesh.router(cell)).collect();
        let loads = Loads::of(&traffic, &routers);
        let of = |list: Vec<([[u32; 2]; 2], f64)>| {
            list.into_iter().filter(|(_, load)| *load > 1e-6).collect::<Vec<_>>()
        };
        let mut counted = of(loads.links().collect());
        counted.sort_by_key(|(link, _)| *link);
        let walked = of(links.into_iter().collect());
        prop_assert_eq!(counted.len(), walked.len());
        for (a, b) in counted.iter().zip(&walked) {
            prop_assert!(a.0 == b.0 && (a.1 - b.1).abs() < 1e-9);
        }
        for (router, load) in loads.routers() {
            prop_assert!((load - passing.get(&router).copied().unwrap_or(0.0)).abs() < 1e-9);
        }
    }
}

#[test]
fn a_shuffled_plane_comes_out_flat() {
    // Cores of a plane that send to their four neighbors, and a little across: on as many cells no layout is below one link
    // per message of the former.
    let side = 12_u32;
    let name = |x: u32, y: u32| (y * side + x) * 7 % (side * side); // A permutation: 7 does not divide 144.
    let mut flows = Vec::new();
    for y in 0..side {
        for x in 0..side {
            flows.extend((x + 1 < side).then(|| (name(x, y), name(x + 1, y), 1.0)));
            flows.extend((y + 1 < side).then(|| (name(x, y + 1), name(x, y), 1.0)));
            flows.push((name(x, y), name((x * 7 + y) % side, (y * 11 + 3) % side), 0.01));
        }
    }
    let traffic = Traffic::from_flows(side * side, flows);
    let mesh = Mesh::square(side, 0.0, 1.0);
    let placement = place(&traffic, &mesh, Effort::Fast, 1).unwrap();
    let report = report(&traffic, &mesh, &placement);
    assert!(report.mean_hops < 1.5, "{}", report.mean_hops);
    assert!(report.energy_bound > 0.95 * 2.0 * 132.0);
}

#[test]
fn an_odd_board_without_a_free_cell_is_filled() {
    let cores = 13 * 9;
    let ring = (0..cores).map(|core| (core, (core + 1) % cores, 1.0));
    let mesh = Mesh { width: 13, height: 9, ..Mesh::square(1, 1.0, 1.0) };
    let traffic = Traffic::from_flows(cores, ring);
    let placement = place(&traffic, &mesh, Effort::Fast, 3).unwrap();
    assert!(placement.is_valid(&mesh));
    assert!(report(&traffic, &mesh, &placement).mean_hops < 1.4);
}

#[test]
fn evening_out_takes_load_from_the_busiest_link_and_little_energy() {
    // Two stars whose paths run along one row.
    let flows = (1..9).map(|leaf| (0, leaf, 1.0)).chain((10..18).map(|leaf| (9, leaf, 1.0)));
    let traffic = Traffic::from_flows(18, flows.chain([(0, 9, 3.0)]));
    let mesh = Mesh::square(8, 1.0, 1.0);
    let board = region::region(&mesh, 18).unwrap();
    let partners = Partners::of(&traffic);
    let mut layout = Layout::new(&board, &partners, (0..18).collect());
    let loads = |layout: &Layout<'_>| {
        let routers: Vec<_> = (0..18).map(|core| layout.router_of(core)).collect();
        Loads::of(&traffic, &routers).links().map(|(_, load)| load).fold(0.0, f64::max)
    };
    let before = (layout.cost(), loads(&layout));
    even(&mut layout, &traffic);
    assert!(loads(&layout) < before.1);
    assert!(layout.cost() <= before.0 * 1.005);
}

proptest! {
    // A search may miss the best, so these are always the same cases.
    #![proptest_config(ProptestConfig {
        cases: 24,
        rng_seed: RngSeed::Fixed(5),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn few_cores_lie_as_well_as_they_can(traffic in traffics(6), seed in any::<u64>()) {
        let mesh = Mesh { e_chip: 4.0, ..Mesh { width: 2, chips: [2, 1], ..Mesh::square(2, 1.0, 2.0) } };
        let best = brute_force(&traffic, &mesh);
        let placement = place(&traffic, &mesh, Effort::Balanced, seed).unwrap();
        let found = energy(&traffic, &mesh, &placement.cells);
        // What evening out the busiest link may take.
        prop_assert!(found <= best * 1.005, "{found} above {best}");
        let (board, partners) = (region::region(&mesh, traffic.cores()).unwrap(), Partners::of(&traffic));
        let sites = solve(&board, &partners, &search(Effort::Balanced), &mut super::Rng::new(seed));
        let searched = energy(&traffic, &mesh, &cells(&board, &mesh, &sites).cells);
        prop_assert!(searched <= best * (1.0 + 1e-9), "{searched} above {best}");
        prop_assert!(energy_bound(&traffic, &mesh) <= best * (1.0 + 1e-9));
    }
}
