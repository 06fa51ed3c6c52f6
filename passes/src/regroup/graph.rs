//! Units and the axons between them as a hypergraph.

use super::units::{Units, narrow};
use crate::rates::{Rates, Sent};
use snnc_ir::TargetSpec;
use snnc_ir::arena::{PopId, ProjId};
use snnc_ir::mapped::usage::Accounting;
use snnc_ir::mapped::{Block, Core, Slice};
use snnc_ir::order::Patch;
use snnc_mapping::hypergraph::Hypergraph;
use std::collections::BTreeMap;
use std::ops::Range;

/// A unit that reads some positions of another one.
struct Reader {
    unit: u32,
    positions: Range<u32>,
}

/// The units as vertices, inputs without weight, and for each unit its axons, those that reach the same units as one edge.
/// An edge pays as many input axons as the target counts for it alone.
///
/// `None` if there are more than `most` pins.
///
/// **Complexity**: O(pins · log), where neurons of a unit that reach different units make as many edges.
pub(super) fn hypergraph(
    accounting: &Accounting<'_>,
    target: &TargetSpec,
    units: &Units,
    rates: &Rates,
    most: usize,
) -> Option<Hypergraph> {
    let network = accounting.network();
    let all = 0..narrow(units.len());
    let weight = |unit: u32| {
        let Slice { population, len, .. } = units.slice(unit);
        if network.populations[population].is_input() { 0 } else { len }
    };
    let mut graph =
        Hypergraph { weights: all.map(weight).collect(), starts: vec![0], ..Hypergraph::default() };
    let mut from: BTreeMap<PopId, Vec<ProjId>> = BTreeMap::new();
    for (id, projection) in network.projections.iter() {
        from.entry(projection.source).or_default().push(id);
    }
    for (source, projections) in from {
        let readers = readers(accounting, units, source, &projections);
        for (unit, readers) in units.of(source).zip(readers) {
            for (positions, targets) in bundles(units.slice(unit), readers) {
                let counted = axons(accounting, target, source, &projections, &positions);
                graph.sources.push(unit);
                graph.axons.push(counted);
                graph.rates.push(sent(accounting, rates, source, &positions));
                graph.targets.extend(targets);
                graph.starts.push(graph.targets.len());
            }
            if graph.pins() > most {
                return None;
            }
        }
    }
    Some(graph)
}

/// Who reads each unit of a population.
fn readers(
    accounting: &Accounting<'_>,
    units: &Units,
    source: PopId,
    projections: &[ProjId],
) -> Vec<Vec<Reader>> {
    let own = units.of(source);
    let mut readers: Vec<Vec<Reader>> = Vec::new();
    readers.resize_with(own.len(), Vec::new);
    let mut targets: Vec<PopId> =
        projections.iter().map(|p| accounting.network().projections[*p].target).collect();
    targets.sort_unstable();
    targets.dedup();
    for unit in targets.into_iter().flat_map(|target| units.of(target)) {
        let reads = units.reads(unit).iter().filter(|(p, _)| projections.contains(p));
        for run in reads.flat_map(|(_, runs)| runs.iter()) {
            for read in units.at(source, run) {
                let Slice { start, len, .. } = units.slice(read);
                let positions = run.start.max(start)..run.end.min(start + len);
                readers[(read - own.start) as usize].push(Reader { unit, positions });
            }
        }
    }
    readers
}

/// Positions of a unit by who reads them: runs of positions, and their readers, ascending.
fn bundles(slice: Slice, mut readers: Vec<Reader>) -> Vec<(Vec<Range<u32>>, Vec<u32>)> {
    let whole = slice.start..slice.start + slice.len;
    if readers.is_empty() {
        return Vec::new();
    }
    // Units come in order, several times if they read in several ways.
    readers.sort_by_key(|reader| reader.unit);
    if readers.iter().all(|reader| reader.positions == whole) {
        let mut targets: Vec<u32> = readers.into_iter().map(|reader| reader.unit).collect();
        targets.dedup();
        return vec![(std::iter::once(whole).collect(), targets)];
    }
    let mut cuts: Vec<u32> =
        readers.iter().flat_map(|r| [r.positions.start, r.positions.end]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut parts: Vec<Vec<u32>> = vec![Vec::new(); cuts.len()];
    for Reader { unit, positions } in readers {
        let first = cuts.partition_point(|cut| *cut < positions.start);
        let past = cuts.partition_point(|cut| *cut < positions.end);
        for part in &mut parts[first..past] {
            if part.last() != Some(&unit) {
                part.push(unit);
            }
        }
    }
    let mut bundles: BTreeMap<Vec<u32>, Vec<Range<u32>>> = BTreeMap::new();
    for (cut, targets) in cuts.windows(2).zip(parts) {
        if !targets.is_empty() {
            bundles.entry(targets).or_default().push(cut[0]..cut[1]);
        }
    }
    bundles.into_iter().map(|(targets, positions)| (positions, targets)).collect()
}

/// Input axons that a core takes for these positions alone.
fn axons(
    accounting: &Accounting<'_>,
    target: &TargetSpec,
    population: PopId,
    projections: &[ProjId],
    positions: &[Range<u32>],
) -> u32 {
    let run =
        |range: &Range<u32>| Slice { population, start: range.start, len: range.end - range.start };
    if target.axon_atoms.value <= 0 {
        return positions.iter().map(|range| range.end - range.start).sum();
    }
    let order = accounting.order(population);
    if target.list_bases.value <= 0 && !order.is_row_major() {
        // A unit holds some channels of a place once.
        let atoms = u32::try_from(target.axon_atoms.value).unwrap_or(u32::MAX);
        let groups = |patch: Patch| {
            let [channels, places] =
                [patch.channels, patch.places].map(|range| range.end - range.start);
            places * channels.div_ceil(atoms)
        };
        let patches = positions.iter().flat_map(|range| order.patches(range.clone()));
        return patches.map(groups).sum();
    }
    let block = |projection: &ProjId| Block { projection: *projection, axons: 0, slice: 0 };
    let core = Core {
        axons: positions.iter().map(run).collect(),
        blocks: projections.iter().map(block).collect(),
        ..Core::default()
    };
    u32::try_from(accounting.input_axons(&core, target)).unwrap_or(u32::MAX)
}

/// Messages per step of these positions.
fn sent(accounting: &Accounting<'_>, rates: &Rates, id: PopId, positions: &[Range<u32>]) -> f64 {
    let order = accounting.order(id);
    let of = |range: &Range<u32>| match rates.of(accounting.network(), id) {
        Sent::Alike(rate) => rate * f64::from(range.end - range.start),
        Sent::Each(rates) => {
            let neurons = range.clone().map(|position| order.neuron(position) as usize);
            neurons.filter_map(|n| rates.get(n)).map(|rate| f64::from(*rate)).sum()
        }
    };
    positions.iter().map(of).sum()
}
