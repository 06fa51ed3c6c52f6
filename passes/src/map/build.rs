//! Axon runs and synapse blocks of a core, from the slices that it holds.

use snnc_ir::arena::{PopId, ProjId};
use snnc_ir::mapped::{Block, Core, Slice};
use snnc_ir::quantized::QuantizedDraft;
use std::collections::BTreeMap;

/// Rebuilds the axons and blocks of `core` for the slices it holds.
///
/// One axon per source neuron with at least one nonzero synapse into the core; consecutive source
/// neurons form a run. A block joins a run to a slice where the projection has a synapse between
/// them. Complexity: O(synapses into the core).
pub(super) fn connect(network: &QuantizedDraft, core: &mut Core) {
    let mut sources: BTreeMap<PopId, Vec<bool>> = BTreeMap::new();
    let mut parts: Vec<(ProjId, PopId, u32, Vec<bool>)> = Vec::new();
    for (index, slice) in core.slices.iter().enumerate() {
        for (id, projection) in network.projections_into(slice.population) {
            let size = network.populations[projection.source].size();
            let mut reached = vec![false; size];
            let matrix = &network.matrices[projection.matrix];
            for n in slice.start..slice.start + slice.len {
                matrix.for_row(n as usize, |source, _| reached[source] = true);
            }
            let all = sources.entry(projection.source).or_insert_with(|| vec![false; size]);
            all.iter_mut().zip(&reached).for_each(|(a, &r)| *a |= r);
            parts.push((id, projection.source, narrow(index), reached));
        }
    }
    core.axons = sources.iter().flat_map(|(&p, used)| runs(p, used)).collect();
    core.blocks.clear();
    for (axons, run) in core.axons.iter().enumerate() {
        let range = run.start as usize..(run.start + run.len) as usize;
        for (projection, source, slice, reached) in &parts {
            if *source == run.population && reached[range.clone()].contains(&true) {
                core.blocks.push(Block {
                    projection: *projection,
                    axons: narrow(axons),
                    slice: *slice,
                });
            }
        }
    }
}

/// Maximal runs of set entries.
fn runs(population: PopId, used: &[bool]) -> Vec<Slice> {
    let mut runs: Vec<Slice> = Vec::new();
    for (n, _) in used.iter().enumerate().filter(|(_, u)| **u) {
        let n = narrow(n);
        match runs.last_mut() {
            Some(run) if run.start + run.len == n => run.len += 1,
            _ => runs.push(Slice { population, start: n, len: 1 }),
        }
    }
    runs
}

/// Appends neurons to the core: grows the last slice if they continue it.
pub(super) fn append(core: &mut Core, slice: Slice) {
    match core.slices.last_mut() {
        Some(last)
            if last.population == slice.population && last.start + last.len == slice.start =>
        {
            last.len += slice.len;
        }
        _ => core.slices.push(slice),
    }
}

fn narrow(n: usize) -> u32 {
    u32::try_from(n).expect("neurons and parts of a core number fewer than 2^32")
}
