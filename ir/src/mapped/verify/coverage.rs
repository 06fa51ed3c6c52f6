//! Every synapse is in a block.

use super::{codes, core_place, name};
use crate::arena::{Entity, ProjId};
use crate::diag::{Diagnostic, Diagnostics};
use crate::mapped::{Core, MappedDraft, Slice};
use std::collections::BTreeMap;

/// For each projection and slice of its target, the axon runs of the slice's blocks hold every source
/// neuron that has a nonzero synapse into the slice. With disjoint runs and no block listed twice,
/// each synapse is covered exactly once.
pub(super) fn check(draft: &MappedDraft, out: &mut Diagnostics) {
    let mut into = vec![Vec::new(); draft.network.populations.len()];
    for (id, projection) in draft.network.projections.iter() {
        into[projection.target.index()].push(id);
    }
    for (id, core) in draft.cores.iter() {
        let runs = runs(core);
        for (index, slice) in (0..).zip(&core.slices) {
            for projection in &into[slice.population.index()] {
                let covered = runs.get(&(*projection, index)).map_or(&[][..], Vec::as_slice);
                if let Some((source, target)) = uncovered(draft, *projection, slice, covered) {
                    let ends = &draft.network.projections[*projection];
                    out.push(
                        Diagnostic::error(
                            codes::COVERAGE,
                            format!(
                                "the synapse from neuron {source} to neuron {target} is in no block"
                            ),
                        )
                        .at(format!(
                            "projection {} -> {} ({projection}), {}",
                            name(draft, ends.source),
                            name(draft, ends.target),
                            core_place(draft, id)
                        ))
                        .note(format!("no block joins its axon to the slice {slice}"))
                        .help("run the map pass again"),
                    );
                }
            }
        }
    }
}

/// Axon runs of the blocks, by projection and slice, ascending.
fn runs(core: &Core) -> BTreeMap<(ProjId, u32), Vec<Slice>> {
    let mut runs: BTreeMap<_, Vec<Slice>> = BTreeMap::new();
    for block in &core.blocks {
        let run = core.axons[block.axons as usize];
        runs.entry((block.projection, block.slice)).or_default().push(run);
    }
    for runs in runs.values_mut() {
        runs.sort_unstable();
    }
    runs
}

/// The first synapse (source, target) into `slice` whose source is in none of `covered`.
fn uncovered(
    draft: &MappedDraft,
    projection: ProjId,
    slice: &Slice,
    covered: &[Slice],
) -> Option<(usize, usize)> {
    let matrix = &draft.network.matrices[draft.network.projections[projection].matrix];
    let axons: usize = covered.iter().map(|r| r.len as usize).sum();
    if axons == matrix.structure.cols() {
        // Disjoint runs inside the source that hold as many neurons as it has.
        return None;
    }
    let mut holds = vec![false; matrix.structure.cols()];
    for run in covered {
        holds[run.neurons()].fill(true);
    }
    let mut missing = None;
    for row in slice.neurons() {
        matrix.for_row(row, |source, _| {
            if !holds[source] {
                missing.get_or_insert((source, row));
            }
        });
        if missing.is_some() {
            break;
        }
    }
    missing
}
