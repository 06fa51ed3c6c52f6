//! What moves as one: consecutive positions of a population, and what they read.

use crate::map::{Part, Runs, connect, merged};
use snnc_ir::Entity;
use snnc_ir::arena::{PopId, ProjId};
use snnc_ir::mapped::reach::Scratch;
use snnc_ir::mapped::usage::Accounting;
use snnc_ir::mapped::{Core, Slice};
use std::ops::Range;

/// A network cut into units, which the cores of a mapping hold whole.
#[derive(Debug)]
pub(super) struct Units {
    /// All neurons and inputs, by population and position.
    slices: Vec<Slice>,
    /// First unit of each population; one more than populations.
    firsts: Vec<u32>,
    /// What each unit reads: nothing for inputs.
    reads: Vec<Vec<(ProjId, Runs)>>,
}

impl Units {
    /// Cuts every population, in this order, after so many places (positions, where it has no rows and columns or lies
    /// row-major) as `grains` says, and wherever a slice of `cores` ends.
    pub(super) fn cut(
        accounting: &Accounting<'_>,
        orders: &[u32],
        cores: &[&Core],
        grains: &[u32],
    ) -> Self {
        let mut ends: Vec<Vec<u32>> = vec![Vec::new(); orders.len()];
        for slice in cores.iter().flat_map(|core| &core.slices) {
            ends[slice.population.index()].push(slice.start);
        }
        let (mut slices, mut firsts) = (Vec::new(), vec![0]);
        for (id, population) in accounting.network().populations.iter() {
            let mut cuts = std::mem::take(&mut ends[id.index()]);
            let size = narrow(population.size());
            let block = orders[id.index()];
            cuts.extend(multiples(accounting, id, block, grains[id.index()], size));
            cuts.push(size);
            cuts.sort_unstable();
            cuts.dedup();
            let pairs = cuts.windows(2);
            slices.extend(pairs.map(|cut| Slice {
                population: id,
                start: cut[0],
                len: cut[1] - cut[0],
            }));
            firsts.push(narrow(slices.len()));
        }
        let mut scratch = Scratch::default();
        let reads = slices.iter().map(|slice| {
            let into = accounting.projections_into(slice.population).iter();
            let runs = into.map(|p| (*p, Runs::from(accounting.sources(*p, slice, &mut scratch))));
            runs.filter(|(_, runs)| !runs.is_empty()).collect()
        });
        let reads = reads.collect();
        Self { slices, firsts, reads }
    }

    /// Number of units.
    pub(super) fn len(&self) -> usize {
        self.slices.len()
    }

    /// Neurons of a unit.
    pub(super) fn slice(&self, unit: u32) -> Slice {
        self.slices[unit as usize]
    }

    /// Units of a population.
    pub(super) fn of(&self, population: PopId) -> Range<u32> {
        self.firsts[population.index()]..self.firsts[population.index() + 1]
    }

    /// Units that hold one of these positions.
    pub(super) fn at(&self, population: PopId, positions: &Range<u32>) -> Range<u32> {
        let all = self.of(population);
        let slices = &self.slices[all.start as usize..all.end as usize];
        let first = slices.partition_point(|s| s.end() <= u64::from(positions.start));
        let past = slices.partition_point(|s| s.start < positions.end);
        all.start + narrow(first)..all.start + narrow(past)
    }

    /// What a unit reads.
    pub(super) fn reads(&self, unit: u32) -> &[(ProjId, Runs)] {
        &self.reads[unit as usize]
    }

    /// Units of each of the cores that they were cut for.
    pub(super) fn held(&self, cores: &[&Core]) -> Vec<Vec<u32>> {
        let of_core = |core: &&Core| {
            let mut held: Vec<u32> = core
                .slices
                .iter()
                .flat_map(|s| self.at(s.population, &(s.start..s.start + s.len)))
                .collect();
            held.sort_unstable();
            held
        };
        cores.iter().map(of_core).collect()
    }

    /// Neurons of these units.
    pub(super) fn neurons(&self, units: &[u32]) -> u64 {
        units.iter().map(|unit| u64::from(self.slice(*unit).len)).sum()
    }

    /// A core that holds these units, ascending: neighbors as one slice.
    pub(super) fn core(&self, accounting: &Accounting<'_>, units: &[u32]) -> Core {
        let (mut slices, mut parts) = (Vec::<Slice>::new(), Vec::new());
        let mut reads: Vec<(ProjId, Vec<Range<u32>>)> = Vec::new();
        for (at, unit) in units.iter().enumerate() {
            let slice = self.slice(*unit);
            let index = match slices.last_mut() {
                Some(last) if joins(last, &slice) => {
                    last.len += slice.len;
                    slices.len() - 1
                }
                _ => {
                    slices.push(slice);
                    slices.len() - 1
                }
            };
            for (projection, runs) in self.reads(*unit) {
                match reads.iter_mut().find(|(known, _)| known == projection) {
                    Some((_, known)) => known.extend(runs.iter().cloned()),
                    None => reads.push((*projection, runs.to_vec())),
                }
            }
            let last =
                units.get(at + 1).is_none_or(|next| !joins(&slices[index], &self.slice(*next)));
            if last {
                reads.sort_unstable_by_key(|(projection, _)| *projection);
                parts.extend(reads.drain(..).map(|(projection, runs)| Part {
                    projection,
                    source: accounting.network().projections[projection].source,
                    slice: narrow(index),
                    runs: merged(runs).into(),
                }));
            }
        }
        let (axons, blocks) = connect(&parts);
        Core { slices, axons, blocks, ..Core::default() }
    }
}

/// Whether `next` continues `slice`.
fn joins(slice: &Slice, next: &Slice) -> bool {
    slice.population == next.population && slice.end() == u64::from(next.start)
}

/// Where units of a population begin.
fn multiples(
    accounting: &Accounting<'_>,
    id: PopId,
    block: u32,
    grain: u32,
    size: u32,
) -> Vec<u32> {
    let order = accounting.order(id);
    let grain = grain.max(1);
    let step = |n: u32| n.max(1) as usize;
    if order.is_row_major() {
        return (0..size).step_by(step(grain)).collect();
    }
    let mut cuts = Vec::new();
    for first in (0..order.channels()).step_by(step(block)) {
        let width = block.min(order.channels() - first);
        let start = first * order.places();
        let end = start + width * order.places();
        cuts.extend((start..end).step_by(step(grain.saturating_mul(width))));
    }
    cuts
}

pub(super) fn narrow(n: usize) -> u32 {
    u32::try_from(n).expect("units and neurons number fewer than 2^32")
}
