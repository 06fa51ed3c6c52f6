//! Slices, axon runs and blocks of the cores.

use super::{codes, core_place, name};
use crate::arena::{CoreId, PopId};
use crate::diag::{Diagnostic, Diagnostics};
use crate::mapped::{MappedDraft, Slice};
use crate::quantized::PopKind;
use std::collections::{BTreeMap, BTreeSet};

/// Every population has an order, and every slice and axon run names neurons that exist.
pub(super) fn slices(draft: &MappedDraft, out: &mut Diagnostics) {
    let populations = draft.network.populations.len();
    let fits = |(id, block): (PopId, &u32)| {
        let channels = draft.network.populations[id].shape.channels();
        *block > 0 && *block as usize <= channels
    };
    if draft.orders.len() != populations
        || !draft.network.populations.ids().zip(&draft.orders).all(fits)
    {
        out.push(
            Diagnostic::error(codes::SLICE, format!("the orders are {:?}", draft.orders))
                .at("orders")
                .note(format!(
                    "expected channels per block, 1 up to all of them, of each of the {populations} populations"
                ))
                .help("run the map pass again"),
        );
    }
    for (id, core) in draft.cores.iter() {
        let parts = core.slices.iter().map(|s| ("slice", s));
        for (what, slice) in parts.chain(core.axons.iter().map(|s| ("axon run", s))) {
            let found = match draft.network.populations.get(slice.population) {
                None => format!("{} does not exist", slice.population),
                Some(p) if slice.len == 0 || slice.end() > p.size() as u64 => {
                    format!("population \"{}\" has {} neurons", p.name, p.size())
                }
                Some(_) => continue,
            };
            out.push(
                Diagnostic::error(codes::SLICE, format!("a {what} holds {slice}"))
                    .at(core_place(draft, id))
                    .note(format!("expected at least one neuron, all of them existing; {found}"))
                    .help("run the map pass again"),
            );
        }
    }
}

/// Every neuron is in exactly one compartment, every input in none.
pub(super) fn placement(draft: &MappedDraft, out: &mut Diagnostics) {
    let mut placed: BTreeMap<PopId, Vec<(Slice, CoreId)>> = BTreeMap::new();
    for (core, part) in draft.cores.iter().flat_map(|(id, c)| c.slices.iter().map(move |s| (id, s)))
    {
        placed.entry(part.population).or_default().push((*part, core));
    }
    for (id, population) in draft.network.populations.iter() {
        let mut slices = placed.remove(&id).unwrap_or_default();
        slices.sort_unstable();
        let mut wrong = |message: String, place: String| {
            out.push(
                Diagnostic::error(codes::PLACEMENT, message)
                    .at(format!("population {}{place}", name(draft, id)))
                    .note(match population.kind {
                        PopKind::Input(_) => "expected no compartment: inputs come from outside",
                        PopKind::Neurons(_) | PopKind::Graded(_) => {
                            "expected exactly one compartment per neuron"
                        }
                    })
                    .help("run the map pass again"),
            );
        };
        if let PopKind::Input(_) = population.kind {
            if let Some((slice, core)) = slices.first() {
                wrong(
                    format!("{slice} of an input is on a core"),
                    format!(", {}", core_place(draft, *core)),
                );
            }
            continue;
        }
        let mut next = 0_u64;
        for (slice, core) in &slices {
            let start = u64::from(slice.start);
            if start > next {
                wrong(format!("{id}[{next}..{start}] is on no core"), String::new());
            } else if start < next {
                let both = next.min(slice.end());
                wrong(
                    format!("{id}[{start}..{both}] is placed again"),
                    format!(", {}", core_place(draft, *core)),
                );
            }
            next = next.max(slice.end());
        }
        let size = population.size() as u64;
        if next < size {
            wrong(format!("{id}[{next}..{size}] is on no core"), String::new());
        }
    }
}

/// A source neuron has at most one axon per core.
pub(super) fn axons(draft: &MappedDraft, out: &mut Diagnostics) {
    for (id, core) in draft.cores.iter() {
        let mut runs = core.axons.clone();
        runs.sort_unstable();
        for pair in runs.windows(2) {
            if pair[0].population == pair[1].population && pair[0].end() > u64::from(pair[1].start)
            {
                out.push(
                    Diagnostic::error(codes::AXON_TWICE, "two axon runs share source neurons")
                        .at(core_place(draft, id))
                        .note(format!(
                            "{} and {} of population {}",
                            pair[0],
                            pair[1],
                            name(draft, pair[0].population)
                        ))
                        .help("merge the axon runs, or run the map pass again"),
                );
            }
        }
    }
}

/// Blocks refer to parts that fit each other, each once; true if all do.
pub(super) fn blocks(draft: &MappedDraft, out: &mut Diagnostics) -> bool {
    let before = out.len();
    for (id, core) in draft.cores.iter() {
        let mut seen = BTreeSet::new();
        for block in &core.blocks {
            let place = || {
                format!(
                    "{}, block {} axons {} slice {}",
                    core_place(draft, id),
                    block.projection,
                    block.axons,
                    block.slice
                )
            };
            let projection = draft.network.projections.get(block.projection);
            let run = core.axons.get(block.axons as usize);
            let slice = core.slices.get(block.slice as usize);
            let problem = match (projection, run, slice) {
                (None, ..) => Some(format!("{} does not exist", block.projection)),
                (_, None, _) => Some(format!("the core has {} axon runs", core.axons.len())),
                (.., None) => Some(format!("the core has {} slices", core.slices.len())),
                (Some(p), Some(run), _) if run.population != p.source => {
                    Some(format!("the axon run holds {run}, but the source is {}", p.source))
                }
                (Some(p), _, Some(slice)) if slice.population != p.target => {
                    Some(format!("the slice holds {slice}, but the target is {}", p.target))
                }
                _ => None,
            };
            if let Some(problem) = problem {
                out.push(
                    Diagnostic::error(codes::BLOCK_PARTS, "a synapse block does not fit its core")
                        .at(place())
                        .note(problem)
                        .help("run the map pass again"),
                );
            } else if !seen.insert((block.projection, block.axons, block.slice)) {
                out.push(
                    Diagnostic::error(codes::BLOCK_TWICE, "a synapse block is listed twice")
                        .at(place())
                        .help("remove one of them"),
                );
            }
        }
    }
    out.len() == before
}
