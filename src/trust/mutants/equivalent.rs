//! The same program, written otherwise.

use crate::trust::stimuli::Draw;
use snnc_ir::program::{
    CompartmentRun, InputRoute, Program, ProgramCore, Registers, Route, SymbolRole, SynapseBlock,
};

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

/// Puts the items into another order, and says where each old index went.
fn shuffled<T: Clone>(items: &mut Vec<T>, draw: &mut Draw) -> Option<Vec<u32>> {
    let order = order(items.len(), draw)?;
    permuted(items, &order);
    Some(inverse(&order))
}

/// Adds one of the items again, and says where it was and where it is now, too.
fn doubled<T: Copy>(items: &mut Vec<T>, draw: &mut Draw) -> Option<[u32; 2]> {
    let old = draw.below(items.len());
    items.push(*items.get(old)?);
    Some([u32::try_from(old).ok()?, u32::try_from(items.len() - 1).ok()?])
}

/// The index of an item for which `found` holds.
fn place<T>(items: &[T], draw: &mut Draw, found: impl Fn(&T) -> bool) -> Option<usize> {
    let places: Vec<usize> = (0..items.len()).filter(|&i| found(&items[i])).collect();
    places.get(draw.below(places.len())).copied()
}

/// A core for which `found` holds.
fn core_with<'p>(
    program: &'p mut Program,
    draw: &mut Draw,
    found: impl Fn(&ProgramCore) -> bool,
) -> Option<&'p mut ProgramCore> {
    let at = place(&program.cores, draw, found)?;
    program.cores.get_mut(at)
}

/// The registers of all compartments of a core.
fn registers(core: &mut ProgramCore) -> impl Iterator<Item = &mut Registers> {
    core.compartments.iter_mut().flat_map(|run| &mut run.cycle)
}

fn values_renumbered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let moved = shuffled(&mut program.values, draw)?;
    program.matrices.iter_mut().for_each(|m| m.values = moved[m.values as usize]);
    Some(())
}

fn matrices_renumbered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let moved = shuffled(&mut program.matrices, draw)?;
    let blocks = program.cores.iter_mut().flat_map(|core| &mut core.synapses);
    blocks.for_each(|block| block.matrix = moved[block.matrix as usize]);
    Some(())
}

fn profiles_renumbered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let core = core_with(program, draw, |core| core.profiles.len() > 1)?;
    let moved = shuffled(&mut core.profiles, draw)?;
    registers(core).for_each(|r| r.profile = moved[r.profile as usize]);
    Some(())
}

fn thresholds_renumbered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    // The threshold index of a graded relay is 0 and means nothing.
    let core = core_with(program, draw, |core| {
        core.thresholds.len() > 1 && core.profiles.iter().all(|p| p.graded.is_none())
    })?;
    let moved = shuffled(&mut core.thresholds, draw)?;
    registers(core).for_each(|r| r.threshold = moved[r.threshold as usize]);
    Some(())
}

fn formats_renumbered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let core = core_with(program, draw, |core| core.formats.len() > 1)?;
    let moved = shuffled(&mut core.formats, draw)?;
    core.synapses.iter_mut().for_each(|block| block.format = moved[block.format as usize]);
    Some(())
}

fn profile_doubled(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let core = core_with(program, draw, |core| (1..8).contains(&core.profiles.len()))?;
    let [old, new] = doubled(&mut core.profiles, draw)?;
    let users = registers(core).filter(|r| r.profile == old);
    users.filter(|_| draw.below(2) == 1).for_each(|r| r.profile = new);
    Some(())
}

fn format_doubled(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let core = core_with(program, draw, |core| (1..8).contains(&core.formats.len()))?;
    let [old, new] = doubled(&mut core.formats, draw)?;
    let users = core.synapses.iter_mut().filter(|block| block.format == old);
    users.filter(|_| draw.below(2) == 1).for_each(|block| block.format = new);
    Some(())
}

fn unused_threshold(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let core = core_with(program, draw, |core| (1..8).contains(&core.thresholds.len()))?;
    core.thresholds.push(u32::try_from(draw.below(1 << 17)).ok()?);
    Some(())
}

fn blocks_reordered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let core = core_with(program, draw, |core| core.synapses.len() > 1)?;
    shuffled(&mut core.synapses, draw).map(drop)
}

/// How many of `len`, at least 2, the first of two parts keeps.
fn kept(len: u32, draw: &mut Draw) -> Option<u32> {
    Some(1 + u32::try_from(draw.below(len.checked_sub(1)? as usize)).ok()?)
}

/// A block becomes two, along its axons or its compartments.
fn block_split(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let wide = |b: &SynapseBlock| b.axons > 1 || b.compartments > 1;
    let core = core_with(program, draw, |core| core.synapses.iter().any(wide))?;
    let index = place(&core.synapses, draw, wide)?;
    let first = &mut core.synapses[index];
    let mut second = *first;
    if second.axons > 1 && (second.compartments == 1 || draw.below(2) == 1) {
        let kept = kept(second.axons, draw)?;
        first.axons = kept;
        second.axons -= kept;
        second.axon += kept;
        second.col += kept;
    } else {
        let kept = kept(second.compartments, draw)?;
        first.compartments = kept;
        second.compartments -= kept;
        second.compartment += kept;
        second.row += kept;
    }
    core.synapses.push(second);
    Some(())
}

fn routes_reordered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let core = core_with(program, draw, |core| core.routes.len() > 1)?;
    shuffled(&mut core.routes, draw).map(drop)
}

fn route_split(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let long = |route: &Route| route.len > 1;
    let core = core_with(program, draw, |core| core.routes.iter().any(long))?;
    let index = place(&core.routes, draw, long)?;
    let first = &mut core.routes[index];
    let mut second = *first;
    first.len = kept(second.len, draw)?;
    second.len -= first.len;
    second.compartment += first.len;
    second.axon += first.len;
    core.routes.push(second);
    Some(())
}

fn inputs_reordered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    shuffled(&mut program.inputs, draw).map(drop)
}

fn input_split(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let index = place(&program.inputs, draw, |route| route.len > 1)?;
    let first = &mut program.inputs[index];
    let mut second = *first;
    first.len = kept(second.len, draw)?;
    second.len -= first.len;
    second.first += first.len;
    second.axon += first.len;
    program.inputs.push(second);
    Some(())
}

/// A run of compartments becomes two; the cycle of the second begins where that of the first stops.
fn run_split(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let long = |run: &CompartmentRun| run.len > 1;
    let core = core_with(program, draw, |core| core.compartments.iter().any(long))?;
    let index = place(&core.compartments, draw, long)?;
    let first = &mut core.compartments[index];
    let kept = kept(first.len, draw)?;
    let mut second = first.clone();
    second.first += kept;
    second.len -= kept;
    let by = kept as usize % second.cycle.len();
    second.cycle.rotate_left(by);
    second.cycle.truncate(second.len as usize);
    first.len = kept;
    first.cycle.truncate(kept as usize);
    core.compartments.insert(index + 1, second);
    Some(())
}

/// The registers of a run are written for more of its compartments than they repeat after.
fn cycle_unrolled(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let short = |run: &CompartmentRun| 2 * run.cycle.len() <= run.len as usize;
    let core = core_with(program, draw, |core| core.compartments.iter().any(short))?;
    let index = place(&core.compartments, draw, short)?;
    let run = &mut core.compartments[index];
    let times = 2 + draw.below((run.len as usize / run.cycle.len()).min(8) - 1);
    run.cycle = run.cycle.repeat(times);
    Some(())
}

fn cores_reordered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let moved = shuffled(&mut program.cores, draw)?;
    let routes = program.cores.iter_mut().flat_map(|core| &mut core.routes);
    routes.for_each(|route| route.core = moved[route.core as usize]);
    program.inputs.iter_mut().for_each(|route| route.core = moved[route.core as usize]);
    Some(())
}

/// Most axons of a core whose axons are written one by one.
const AXONS: u32 = 64;

/// The axons of a core in another order; routes and blocks are written axon by axon then.
fn axons_renumbered(program: &mut Program, draw: &mut Draw) -> Option<()> {
    let at = place(&program.cores, draw, |core| (2..=AXONS).contains(&core.axons))?;
    let order = order(program.cores[at].axons as usize, draw)?;
    let moved = inverse(&order);
    let here = u32::try_from(at).ok()?;
    let blocks = std::mem::take(&mut program.cores[at].synapses);
    let each = |block: &SynapseBlock| {
        let block = *block;
        (0..block.axons).map(move |i| (block, i)).collect::<Vec<_>>()
    };
    program.cores[at].synapses = blocks
        .iter()
        .flat_map(each)
        .map(|(block, i)| SynapseBlock {
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
            core.routes.extend((0..route.len).map(|i| Route {
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
        program.inputs.extend((0..route.len).map(|i| InputRoute {
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
