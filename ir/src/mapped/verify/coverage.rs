//! Every synapse is in a block.

use super::{codes, core_place, name};
use crate::arena::ProjId;
use crate::diag::{Diagnostic, Diagnostics};
use crate::mapped::reach::Scratch;
use crate::mapped::usage::Accounting;
use crate::mapped::{Core, MappedDraft, Slice};
use std::collections::BTreeMap;

/// For each projection and slice of its target, the axon runs of the slice's blocks hold every source
/// neuron that has a nonzero synapse into the slice. With disjoint runs and no block listed twice,
/// each synapse is covered exactly once. What a slice reads is a set of runs of positions, too, so runs are
/// held against runs.
pub(super) fn check(draft: &MappedDraft, out: &mut Diagnostics) {
    let accounting = Accounting::new(&draft.network, &draft.orders);
    let mut scratch = Scratch::default();
    for (id, core) in draft.cores.iter() {
        let runs = runs(core);
        for (index, slice) in (0..).zip(&core.slices) {
            for projection in accounting.projections_into(slice.population) {
                let covered = runs.get(&(*projection, index)).map_or(&[][..], Vec::as_slice);
                if let Some(position) =
                    uncovered(&accounting, *projection, slice, covered, &mut scratch)
                {
                    let (source, target) = synapse(&accounting, *projection, slice, position);
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

/// The first position of the source that reaches `slice` and is in none of `covered`.
fn uncovered(
    accounting: &Accounting<'_>,
    projection: ProjId,
    slice: &Slice,
    covered: &[Slice],
    scratch: &mut Scratch,
) -> Option<u32> {
    let network = accounting.network();
    let axons: usize = covered.iter().map(|r| r.len as usize).sum();
    if axons == network.populations[network.projections[projection].source].size() {
        // Disjoint runs inside the source that hold as many neurons as it has.
        return None;
    }
    let missing = |read: std::ops::Range<u32>| {
        let mut next = read.start;
        let first = covered.partition_point(|run| run.end() <= u64::from(read.start));
        for run in covered[first..].iter().take_while(|run| run.start < read.end) {
            if run.start > next {
                break;
            }
            next = next.max(run.start + run.len);
        }
        (next < read.end).then_some(next)
    };
    accounting.sources(projection, slice, scratch).into_iter().find_map(missing)
}

/// A synapse (source neuron, target neuron) into `slice` of the source at `position`.
fn synapse(
    accounting: &Accounting<'_>,
    projection: ProjId,
    slice: &Slice,
    position: u32,
) -> (u32, u32) {
    let network = accounting.network();
    let ends = &network.projections[projection];
    let source = accounting.order(ends.source).neuron(position);
    let reaches = |target: &u32| {
        let mut found = false;
        let row = *target as usize;
        network.matrices[ends.matrix].for_row(row, |col, _| found |= col == source as usize);
        found
    };
    let targets = slice.start..slice.start + slice.len;
    let target = targets.map(|p| accounting.order(ends.target).neuron(p)).find(reaches);
    (source, target.unwrap_or(slice.start))
}
