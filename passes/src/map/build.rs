//! Axon runs and synapse blocks of a core, from the slices that it holds.

use snnc_ir::arena::{PopId, ProjId};
use snnc_ir::mapped::reach::Scratch;
use snnc_ir::mapped::usage::Accounting;
use snnc_ir::mapped::{Block, Core, Slice};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::rc::Rc;

/// Positions in a source's order, ascending and apart.
pub(crate) type Runs = Rc<[Range<u32>]>;

/// A core that may still grow.
#[derive(Clone, Debug, Default)]
pub(super) struct Open {
    pub(super) core: Core,
    /// What its slices read, in the order of slices, then projections.
    parts: Vec<Part>,
}

/// What one slice reads through one projection.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) projection: ProjId,
    /// The projection's source.
    pub(crate) source: PopId,
    /// Index of the slice.
    pub(crate) slice: u32,
    /// Positions of the source.
    pub(crate) runs: Runs,
}

/// What slices of one population read, kept for the next core that is tried with them.
#[derive(Debug, Default)]
pub(super) struct Reads {
    population: Option<PopId>,
    known: HashMap<(ProjId, u32, u32), Runs>,
    scratch: Scratch,
}

impl Reads {
    /// Runs of positions of the projection's source that reach `slice`.
    fn of(&mut self, projection: ProjId, slice: Slice, accounting: &Accounting<'_>) -> Runs {
        if self.population.replace(slice.population) != Some(slice.population) {
            self.known.clear();
        }
        let Self { known, scratch, .. } = self;
        let key = (projection, slice.start, slice.len);
        let read = || accounting.sources(projection, &slice, scratch).into();
        Rc::clone(known.entry(key).or_insert_with(read))
    }
}

impl Open {
    /// An empty core of a chip.
    pub(super) fn on(chip: u32, cell: u32) -> Self {
        Self { core: Core { chip, cell, ..Core::default() }, parts: Vec::new() }
    }

    /// The core with more neurons, its axons and blocks rebuilt: the last slice grows if they continue it.
    ///
    /// One axon per source neuron with at least one nonzero synapse into the core; consecutive positions
    /// form a run. A block joins a run to a slice where the projection has a synapse between them.
    pub(super) fn with(&self, more: Slice, accounting: &Accounting<'_>, reads: &mut Reads) -> Self {
        let Self { core: Core { chip, cell, slices, .. }, parts } = self;
        let (mut slices, mut parts) = (slices.clone(), parts.clone());
        match slices.last_mut() {
            Some(last) if last.population == more.population && last.end() == more.start.into() => {
                last.len += more.len;
            }
            _ => slices.push(more),
        }
        let grown = *slices.last().expect("one was added");
        let slice = narrow(slices.len() - 1);
        parts.retain(|part| part.slice != slice);
        for &projection in accounting.projections_into(grown.population) {
            let source = accounting.network().projections[projection].source;
            let runs = reads.of(projection, grown, accounting);
            if !runs.is_empty() {
                parts.push(Part { projection, source, slice, runs });
            }
        }
        let (axons, blocks) = connect(&parts);
        Self { core: Core { chip: *chip, cell: *cell, slices, axons, blocks }, parts }
    }
}

/// Axons and blocks of these parts. **Complexity**: O(runs of the parts · log).
pub(crate) fn connect(parts: &[Part]) -> (Vec<Slice>, Vec<Block>) {
    let mut sources: BTreeMap<PopId, Vec<&Part>> = BTreeMap::new();
    for part in parts {
        sources.entry(part.source).or_default().push(part);
    }
    let (mut axons, mut blocks) = (Vec::new(), Vec::new());
    for (population, parts) in sources {
        let runs = union(&parts);
        // By run, then by part.
        let mut joined: Vec<(usize, usize)> = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let mut at = 0;
            for run in part.runs.iter() {
                at += runs[at..].partition_point(|r| r.end <= run.start);
                // Runs of a part are apart, and several may lie in one run of all.
                if joined.last() != Some(&(at, index)) {
                    joined.push((at, index));
                }
            }
        }
        joined.sort_unstable();
        let first = narrow(axons.len());
        blocks.extend(joined.into_iter().map(|(run, part)| {
            let Part { projection, slice, .. } = *parts[part];
            Block { projection, axons: first + narrow(run), slice }
        }));
        axons.extend(runs.into_iter().map(|Range { start, end }| Slice {
            population,
            start,
            len: end - start,
        }));
    }
    (axons, blocks)
}

/// The runs of all parts, merged where they meet.
fn union(parts: &[&Part]) -> Vec<Range<u32>> {
    let runs: Vec<Range<u32>> = parts.iter().flat_map(|p| p.runs.iter().cloned()).collect();
    if parts.len() > 1 { merged(runs) } else { runs }
}

/// These runs in order, merged where they meet.
pub(crate) fn merged(mut runs: Vec<Range<u32>>) -> Vec<Range<u32>> {
    runs.sort_unstable_by_key(|run| run.start);
    runs.dedup_by(|next, run| {
        let meet = next.start <= run.end;
        if meet {
            run.end = run.end.max(next.end);
        }
        meet
    });
    runs
}

pub(crate) fn narrow(n: usize) -> u32 {
    u32::try_from(n).expect("neurons and parts of a core number fewer than 2^32")
}
