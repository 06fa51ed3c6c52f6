//! Changes of routes, of cores and of inputs.

use super::Chance;
use super::view::{Source, blocks, effect, feeds, is_clock};
use snnc_ir::program::Program;

/// A route: of a core (core, index) or of an input.
#[derive(Clone, Copy)]
enum Wire {
    Core(usize, usize),
    Input(usize),
}

/// The numbers of a route.
struct Ends<'a> {
    first: &'a mut u32,
    len: &'a mut u32,
    core: &'a mut u32,
    axon: &'a mut u32,
}

fn ends(program: &mut Program, wire: Wire) -> Ends<'_> {
    match wire {
        Wire::Core(core, index) => {
            let r = &mut program.cores[core].routes[index];
            let (len, core) = (&mut r.len, &mut r.core);
            Ends { first: &mut r.compartment, len, core, axon: &mut r.axon }
        }
        Wire::Input(index) => {
            let r = &mut program.inputs[index];
            Ends { first: &mut r.first, len: &mut r.len, core: &mut r.core, axon: &mut r.axon }
        }
    }
}

fn describe(wire: Wire) -> String {
    match wire {
        Wire::Core(core, index) => format!("route {index} of core {core}"),
        Wire::Input(index) => format!("input route {index}"),
    }
}

/// A route with what is known about its axons.
struct Live {
    wire: Wire,
    /// Which of its axons have a synapse that acts.
    acts: Vec<bool>,
    sources: Vec<Option<Source>>,
    /// Core and first axon.
    at: (usize, usize),
}

/// Routes of one kind that carry spikes to a synapse of weight not 0, in random order.
fn live(program: &mut Program, chance: &mut Chance, inputs: bool) -> Option<Vec<Live>> {
    let feeds = feeds(program);
    let mut used: Vec<Vec<bool>> = feeds.iter().map(|f| vec![false; f.len()]).collect();
    for (core, index) in blocks(program) {
        let block = program.cores[core].synapses[index];
        let sources: Vec<_> =
            effect(program, &feeds, core, &block)?.iter().map(|e| Some(e.source)).collect();
        for axon in block.axon..block.axon + block.axons {
            used[core][axon as usize] |= sources.contains(&feeds[core][axon as usize]);
        }
    }
    let wires: Vec<Wire> = if inputs {
        (0..program.inputs.len()).map(Wire::Input).collect()
    } else {
        let cores = program.cores.iter().enumerate();
        cores.flat_map(|(c, k)| (0..k.routes.len()).map(move |r| Wire::Core(c, r))).collect()
    };
    let mut found = Vec::new();
    for wire in chance.rotated(wires) {
        let ends = ends(program, wire);
        let at = (*ends.core as usize, *ends.axon as usize);
        let axons = at.1..at.1 + *ends.len as usize;
        let acts = used[at.0][axons.clone()].to_vec();
        if acts.contains(&true) {
            found.push(Live { wire, acts, sources: feeds[at.0][axons].to_vec(), at });
        }
    }
    Some(found)
}

/// Changes the first live route that `change` can change.
fn change(
    program: &mut Program,
    chance: &mut Chance,
    inputs: bool,
    change: impl Fn(&mut Program, &mut Chance, &Live) -> Option<String>,
) -> Option<String> {
    live(program, chance, inputs)?.iter().find_map(|route| {
        let changed = change(program, chance, route)?;
        Some(format!("{} {changed}", describe(route.wire)))
    })
}

fn to_other_core(program: &mut Program, chance: &mut Chance, inputs: bool) -> Option<String> {
    change(program, chance, inputs, |program, chance, route| {
        // One index beyond the last core, so that a single core has another, too.
        let cores = 0..=program.cores.len();
        let new = chance.pick(cores.filter(|&c| c != route.at.0))?;
        *ends(program, route.wire).core = u32::try_from(new).ok()?;
        Some(format!("leads to core {new}"))
    })
}

fn to_other_axon(program: &mut Program, chance: &mut Chance, inputs: bool) -> Option<String> {
    let feeds = feeds(program);
    change(program, chance, inputs, |program, chance, route| {
        // Where the next axon is free, it may have the same synapses.
        let taken = |axon: usize| feeds[route.at.0].get(axon).is_none_or(Option::is_some);
        let end = route.at.1 + route.acts.len();
        let down = route.at.1.checked_sub(1).filter(|&axon| taken(axon));
        let up = taken(end).then_some(route.at.1 + 1);
        let new = chance.pick([up, down].into_iter().flatten())?;
        *ends(program, route.wire).axon = u32::try_from(new).ok()?;
        Some(format!("leads to axon {new}"))
    })
}

fn from_other_source(program: &mut Program, chance: &mut Chance, inputs: bool) -> Option<String> {
    change(program, chance, inputs, |program, chance, route| {
        // Neurons of one clock fire together: one stands for the other.
        if route.sources.iter().flatten().any(|s| is_clock(program, s.0)) {
            return None;
        }
        let first = ends(program, route.wire).first;
        *first = u32::try_from(chance.nudge(i64::from(*first), 0, i64::from(u32::MAX))?).ok()?;
        Some(format!("starts at {first}"))
    })
}

fn shortened(program: &mut Program, chance: &mut Chance, inputs: bool) -> Option<String> {
    change(program, chance, inputs, |program, _, route| {
        let last = route.acts.last().copied().unwrap_or(false);
        let len = ends(program, route.wire).len;
        *len = last.then(|| len.saturating_sub(1))?;
        Some(format!("has length {len}"))
    })
}

pub(super) fn core(program: &mut Program, chance: &mut Chance) -> Option<String> {
    to_other_core(program, chance, false)
}

pub(super) fn axon(program: &mut Program, chance: &mut Chance) -> Option<String> {
    to_other_axon(program, chance, false)
}

pub(super) fn source(program: &mut Program, chance: &mut Chance) -> Option<String> {
    from_other_source(program, chance, false)
}

pub(super) fn length(program: &mut Program, chance: &mut Chance) -> Option<String> {
    shortened(program, chance, false)
}

pub(super) fn dropped(program: &mut Program, chance: &mut Chance) -> Option<String> {
    change(program, chance, false, |program, _, route| {
        if let Wire::Core(core, index) = route.wire {
            program.cores[core].routes.remove(index);
        }
        Some("was dropped".to_owned())
    })
}

pub(super) fn doubled(program: &mut Program, chance: &mut Chance) -> Option<String> {
    change(program, chance, false, |program, _, route| {
        if let Wire::Core(core, index) = route.wire {
            let copy = program.cores[core].routes[index];
            program.cores[core].routes.push(copy);
        }
        Some("was doubled".to_owned())
    })
}

pub(super) fn input_core(program: &mut Program, chance: &mut Chance) -> Option<String> {
    to_other_core(program, chance, true)
}

pub(super) fn input_axon(program: &mut Program, chance: &mut Chance) -> Option<String> {
    to_other_axon(program, chance, true)
}

pub(super) fn input_neuron(program: &mut Program, chance: &mut Chance) -> Option<String> {
    from_other_source(program, chance, true)
}

pub(super) fn input_length(program: &mut Program, chance: &mut Chance) -> Option<String> {
    shortened(program, chance, true)
}

pub(super) fn input_population(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let symbols = program.populations.len();
    change(program, chance, true, |program, chance, route| {
        let Wire::Input(index) = route.wire else { return None };
        let old = program.inputs[index].population as usize;
        let new = chance.pick((0..symbols).filter(|&s| s != old))?;
        program.inputs[index].population = u32::try_from(new).ok()?;
        Some(format!("starts at symbol {new}"))
    })
}

pub(super) fn input_dropped(program: &mut Program, chance: &mut Chance) -> Option<String> {
    change(program, chance, true, |program, _, route| {
        if let Wire::Input(index) = route.wire {
            program.inputs.remove(index);
        }
        Some("was dropped".to_owned())
    })
}

pub(super) fn input_doubled(program: &mut Program, chance: &mut Chance) -> Option<String> {
    change(program, chance, true, |program, _, route| {
        if let Wire::Input(index) = route.wire {
            let copy = program.inputs[index];
            program.inputs.push(copy);
        }
        Some("was doubled".to_owned())
    })
}

/// A core loses its last axon.
pub(super) fn axons(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let feeds = feeds(program);
    let fed = (0..feeds.len()).filter(|&c| matches!(feeds[c].last(), Some(Some(_))));
    let core = chance.pick(fed)?;
    program.cores[core].axons -= 1;
    Some(format!("core {core} lost its last axon"))
}
