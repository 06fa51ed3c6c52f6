//! The same program, written otherwise.

use crate::trust::stimuli::Draw;
use snnc_ir::program::{Program, ProgramCore, SymbolRole};

/// A rewriting that changes nothing of what is computed; `None` where it would not change a byte.
type Rewrite = fn(&mut Program, &mut Draw) -> Option<()>;

pub(super) const CLASSES: &[(&str, Rewrite)] = &[
    ("values-renumbered", values_renumbered),
    ("matrices-renumbered", matrices_renumbered),
    ("profiles-renumbered", profiles_renumbered),
    ("thresholds-renumbered", thresholds_renumbered),
    ("formats-renumbered", formats_renumbered),
    ("profile-doubled", profile_doubled),
    ("format-doubled", format_doubled),
    ("unused-threshold", unused_threshold),
    ("blocks-reordered", blocks_reordered),
    ("block-split", block_split),
    ("routes-reordered", routes_reordered),
    ("route-split", route_split),
    ("inputs-reordered", inputs_reordered),
    ("input-split", input_split),
    ("run-split", run_split),
    ("cycle-unrolled", cycle_unrolled),
    ("cores-reordered", cores_reordered),
    ("axons-renumbered", axons_renumbered),
    ("symbols-renumbered", symbols_renumbered),
];

/// A random order of `0..count` that is not the one they are in: `order[new] = old`.
fn order(count: usize, draw: &mut Draw) -> Option<Vec<usize>> {
    if count < 2 {
        return None;
    }
    let mut order: Vec<usize> = (0..count).collect();
    for i in (1..count).rev() {
        order.swap(i, draw.below(i + 1));
    }
    (!order.is_sorted()).then_some(order)
}

/// Where each old index went.
fn inverse(order: &[usize]) -> Vec<u32> {
    let mut moved = vec![0; order.len()];
    for (new, &old) in order.iter().enumerate() {
        moved[old] = u32::try_from(new).unwrap_or(u32::MAX);
    }
    moved
}

fn permuted<T: Clone>(items: &mut Vec<T>, order: &[usize]) {
    *items = order.iter().map(|&old| items[old].clone()).collect();
}

/// A core for which `found` holds.
fn core_with(
    program: &mut Program,
    draw: &mut Draw,
    found: impl Fn(&ProgramCore) -> bool,
) -> Option<usize> {
    let cores: Vec<usize> =
        (0..program.cores.len()).filter(|&i| found(&program.cores[i])).collect();
    cores.get(draw.below(cores.len())).copied()
}

fn values_renumbered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let order = order(program.values.len(), draw)?;
    permuted(&mut program.values, &order);
    let moved = inverse(&order);
    program.matrices.iter_mut().for_each(|m| m.values = moved[m.values as usize]);
    Some(())
}

fn matrices_renumbered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let order = order(program.matrices.len(), draw)?;
    permuted(&mut program.matrices, &order);
    let moved = inverse(&order);
    let blocks = program.cores.iter_mut().flat_map(|core| &mut core.synapses);
    blocks.for_each(|block| block.matrix = moved[block.matrix as usize]);
    Some(())
}

fn profiles_renumbered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let at = core_with(program, draw, |core| core.profiles.len() > 1)?;
    let core = &mut program.cores[at];
    let order = order(core.profiles.len(), draw)?;
    permuted(&mut core.profiles, &order);
    let moved = inverse(&order);
    let registers = core.compartments.iter_mut().flat_map(|run| &mut run.cycle);
    registers.for_each(|r| r.profile = moved[r.profile as usize]);
    Some(())
}

fn thresholds_renumbered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    // The threshold index of a graded relay is 0 and means nothing.
    let at = core_with(program, draw, |core| {
        core.thresholds.len() > 1 && core.profiles.iter().all(|p| p.graded.is_none())
    })?;
    let core = &mut program.cores[at];
    let order = order(core.thresholds.len(), draw)?;
    permuted(&mut core.thresholds, &order);
    let moved = inverse(&order);
    let registers = core.compartments.iter_mut().flat_map(|run| &mut run.cycle);
    registers.for_each(|r| r.threshold = moved[r.threshold as usize]);
    Some(())
}

fn formats_renumbered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let at = core_with(program, draw, |core| core.formats.len() > 1)?;
    let core = &mut program.cores[at];
    let order = order(core.formats.len(), draw)?;
    permuted(&mut core.formats, &order);
    let moved = inverse(&order);
    core.synapses.iter_mut().for_each(|block| block.format = moved[block.format as usize]);
    Some(())
}

fn profile_doubled(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let at = core_with(program, draw, |core| (1..8).contains(&core.profiles.len()))?;
    let core = &mut program.cores[at];
    let old = draw.below(core.profiles.len());
    let new = u32::try_from(core.profiles.len()).ok()?;
    core.profiles.push(core.profiles[old]);
    let registers = core.compartments.iter_mut().flat_map(|run| &mut run.cycle);
    registers
        .filter(|r| r.profile as usize == old)
        .filter(|_| draw.below(2) == 1)
        .for_each(|r| r.profile = new);
    Some(())
}

fn format_doubled(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let at = core_with(program, draw, |core| (1..8).contains(&core.formats.len()))?;
    let core = &mut program.cores[at];
    let old = draw.below(core.formats.len());
    let new = u32::try_from(core.formats.len()).ok()?;
    core.formats.push(core.formats[old]);
    let blocks = core.synapses.iter_mut().filter(|block| block.format as usize == old);
    blocks.filter(|_| draw.below(2) == 1).for_each(|block| block.format = new);
    Some(())
}

fn unused_threshold(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let at = core_with(program, draw, |core| (1..8).contains(&core.thresholds.len()))?;
    program.cores[at].thresholds.push(u32::try_from(draw.below(1 << 17)).ok()?);
    Some(())
}

fn blocks_reordered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let at = core_with(program, draw, |core| core.synapses.len() > 1)?;
    let order = order(program.cores[at].synapses.len(), draw)?;
    permuted(&mut program.cores[at].synapses, &order);
    Some(())
}

/// A block becomes two, along its axons or its compartments.
fn block_split(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let splits =
        |core: &ProgramCore| core.synapses.iter().any(|b| b.axons > 1 || b.compartments > 1);
    let at = core_with(program, draw, splits)?;
    let blocks = &mut program.cores[at].synapses;
    let wide: Vec<usize> =
        (0..blocks.len()).filter(|&i| blocks[i].axons > 1 || blocks[i].compartments > 1).collect();
    let index = *wide.get(draw.below(wide.len()))?;
    let mut second = blocks[index];
    if second.axons > 1 && (second.compartments == 1 || draw.below(2) == 1) {
        let kept = 1 + u32::try_from(draw.below(second.axons as usize - 1)).ok()?;
        blocks[index].axons = kept;
        second.axons -= kept;
        second.axon += kept;
        second.col += kept;
    } else {
        let kept = 1 + u32::try_from(draw.below(second.compartments as usize - 1)).ok()?;
        blocks[index].compartments = kept;
        second.compartments -= kept;
        second.compartment += kept;
        second.row += kept;
    }
    blocks.push(second);
    Some(())
}

fn routes_reordered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let at = core_with(program, draw, |core| core.routes.len() > 1)?;
    let order = order(program.cores[at].routes.len(), draw)?;
    permuted(&mut program.cores[at].routes, &order);
    Some(())
}

fn route_split(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let at = core_with(program, draw, |core| core.routes.iter().any(|r| r.len > 1))?;
    let routes = &mut program.cores[at].routes;
    let long: Vec<usize> = (0..routes.len()).filter(|&i| routes[i].len > 1).collect();
    let index = *long.get(draw.below(long.len()))?;
    let mut second = routes[index];
    let kept = 1 + u32::try_from(draw.below(second.len as usize - 1)).ok()?;
    routes[index].len = kept;
    second.len -= kept;
    second.compartment += kept;
    second.axon += kept;
    routes.push(second);
    Some(())
}

fn inputs_reordered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let order = order(program.inputs.len(), draw)?;
    permuted(&mut program.inputs, &order);
    Some(())
}

fn input_split(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let routes = &mut program.inputs;
    let long: Vec<usize> = (0..routes.len()).filter(|&i| routes[i].len > 1).collect();
    let index = *long.get(draw.below(long.len()))?;
    let mut second = routes[index];
    let kept = 1 + u32::try_from(draw.below(second.len as usize - 1)).ok()?;
    routes[index].len = kept;
    second.len -= kept;
    second.first += kept;
    second.axon += kept;
    routes.push(second);
    Some(())
}

/// A run of compartments becomes two; the cycle of the second begins where that of the first stops.
fn run_split(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let at = core_with(program, draw, |core| core.compartments.iter().any(|r| r.len > 1))?;
    let runs = &mut program.cores[at].compartments;
    let long: Vec<usize> = (0..runs.len()).filter(|&i| runs[i].len > 1).collect();
    let index = *long.get(draw.below(long.len()))?;
    let run = &mut runs[index];
    let kept = 1 + u32::try_from(draw.below(run.len as usize - 1)).ok()?;
    let mut second = run.clone();
    second.first += kept;
    second.len -= kept;
    let by = kept as usize % second.cycle.len();
    second.cycle.rotate_left(by);
    second.cycle.truncate(second.len as usize);
    run.len = kept;
    run.cycle.truncate(kept as usize);
    runs.insert(index + 1, second);
    Some(())
}

/// The registers of a run are written for more of its compartments than they repeat after.
fn cycle_unrolled(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let at = core_with(program, draw, |core| {
        core.compartments.iter().any(|run| 2 * run.cycle.len() <= run.len as usize)
    })?;
    let runs = &mut program.cores[at].compartments;
    let short: Vec<usize> =
        (0..runs.len()).filter(|&i| 2 * runs[i].cycle.len() <= runs[i].len as usize).collect();
    let run = &mut runs[*short.get(draw.below(short.len()))?];
    let times = 2 + draw.below((run.len as usize / run.cycle.len()).min(8) - 1);
    run.cycle = run.cycle.repeat(times);
    Some(())
}

fn cores_reordered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let order = order(program.cores.len(), draw)?;
    permuted(&mut program.cores, &order);
    let moved = inverse(&order);
    let routes = program.cores.iter_mut().flat_map(|core| &mut core.routes);
    routes.for_each(|route| route.core = moved[route.core as usize]);
    program.inputs.iter_mut().for_each(|route| route.core = moved[route.core as usize]);
    Some(())
}

/// Most axons of a core whose axons are written one by one.
const AXONS: u32 = 64;

/// The axons of a core in another order; routes and blocks are written axon by axon then.
fn axons_renumbered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let at = core_with(program, draw, |core| (2..=AXONS).contains(&core.axons))?;
    let order = order(program.cores[at].axons as usize, draw)?;
    let moved = inverse(&order);
    let here = u32::try_from(at).ok()?;
    let blocks = std::mem::take(&mut program.cores[at].synapses);
    let each = |block: &snnc_ir::program::SynapseBlock| {
        let block = *block;
        (0..block.axons).map(move |i| (block, i)).collect::<Vec<_>>()
    };
    program.cores[at].synapses = blocks
        .iter()
        .flat_map(each)
        .map(|(block, i)| snnc_ir::program::SynapseBlock {
            axon: moved[(block.axon + i) as usize],
            axons: 1,
            col: block.col + i,
            ..block
        })
        .collect();
    for core in &mut program.cores {
        let routes = std::mem::take(&mut core.routes);
        for route in routes {
            if route.core != here {
                core.routes.push(route);
                continue;
            }
            core.routes.extend((0..route.len).map(|i| snnc_ir::program::Route {
                compartment: route.compartment + i,
                len: 1,
                core: here,
                axon: moved[(route.axon + i) as usize],
            }));
        }
    }
    let inputs = std::mem::take(&mut program.inputs);
    for route in inputs {
        if route.core != here {
            program.inputs.push(route);
            continue;
        }
        program.inputs.extend((0..route.len).map(|i| snnc_ir::program::InputRoute {
            first: route.first + i,
            len: 1,
            axon: moved[(route.axon + i) as usize],
            ..route
        }));
    }
    Some(())
}

/// Relays and clocks, which the source does not know, behind each other in another order.
fn symbols_renumbered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let own = |role: &SymbolRole| matches!(role, SymbolRole::Relay { .. } | SymbolRole::Clock);
    let places: Vec<usize> =
        (0..program.populations.len()).filter(|&i| own(&program.populations[i].role)).collect();
    let shuffled = order(places.len(), draw)?;
    let mut order: Vec<usize> = (0..program.populations.len()).collect();
    for (place, &from) in places.iter().zip(&shuffled) {
        order[*place] = places[from];
    }
    permuted(&mut program.populations, &order);
    let moved = inverse(&order);
    for symbol in &mut program.populations {
        if let SymbolRole::Relay { of, .. } = &mut symbol.role {
            *of = moved[*of as usize];
        }
    }
    let runs = program.cores.iter_mut().flat_map(|core| &mut core.compartments);
    runs.for_each(|run| run.population = moved[run.population as usize]);
    Some(())
}
