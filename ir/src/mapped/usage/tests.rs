//! The structural accounting against a definition that lists every synapse.

use super::{Accounting, formats};
use crate::arena::{Entity, MatId, PopId, ProjId};
use crate::mapped::reach::Scratch;
use crate::mapped::{Core, MappedDraft, Slice};
use crate::quantized::Structure;
use crate::target::TargetSpec;
use crate::testing::{Space, blocked, target};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A network on cores, many of whose matrices have equal values.
fn networks() -> impl Strategy<Value = MappedDraft> {
    (blocked(Space::Everything), any::<bool>()).prop_map(|(mut draft, share)| {
        if share {
            repeat_values(&mut draft);
        }
        draft
    })
}

/// Gives matrices with as many values the values of the first; a column or kernel may repeat inside, too.
/// What reaches what stays as it was, so that axons and blocks stay right.
fn repeat_values(draft: &mut MappedDraft) {
    let matrices = &mut draft.network.matrices;
    let ids: Vec<MatId> = matrices.ids().collect();
    for id in ids {
        let matrix = &mut matrices[id];
        let one = if matrix.exponent < 0 { 2 << -matrix.exponent } else { 2 };
        let sign = if matrix.sign.stores(one) { one } else { -one };
        matrix.mantissa.iter_mut().filter(|m| **m != 0).for_each(|m| *m = sign);
    }
}

fn neuron(draft: &MappedDraft, population: PopId, position: u32) -> usize {
    let shape = &draft.network.populations[population].shape;
    crate::order::Order::new(shape, draft.orders[population.index()]).neuron(position) as usize
}

fn neurons(draft: &MappedDraft, slice: &Slice) -> Vec<usize> {
    (slice.start..slice.start + slice.len).map(|p| neuron(draft, slice.population, p)).collect()
}

/// What identifies the values of a matrix: extents and mantissas.
type Content = (Vec<u32>, Vec<i16>);

fn content(draft: &MappedDraft, projection: ProjId) -> Content {
    let matrix = &draft.network.matrices[draft.network.projections[projection].matrix];
    let extents = match &matrix.structure {
        Structure::Conv(conv) => [conv.kernel_shape().to_vec(), vec![conv.groups]].concat(),
        Structure::Identity { .. } => vec![],
        Structure::Dense { rows, cols } | Structure::Sparse { rows, cols, .. } => {
            vec![*rows, *cols]
        }
    };
    (extents, matrix.mantissa.clone())
}

/// An entry of an axon's list: what, its column, and where it lies.
type Entry = (Content, u32, Vec<i16>, Vec<usize>, i64);

/// Words, values and formats of a core, from its synapses.
fn slow_memory(draft: &MappedDraft, core: &Core, target: &TargetSpec) -> (u64, u64, u64) {
    let network = &draft.network;
    let shared = target.shared_kernels.value == 1;
    let formats = formats(network);
    let index_bits = (6_u64..32).find(|bits| core.compartments() <= 1 << bits).expect("few");
    // By format and axon: entries, plain and indexed synapses.
    let mut lists: BTreeMap<_, (Vec<Entry>, u64, u64)> = BTreeMap::new();
    let mut kernels: BTreeMap<_, BTreeSet<usize>> = BTreeMap::new();
    let mut used = BTreeSet::new();
    let mut blocks = core.blocks.clone();
    blocks.sort_by_key(|b| (b.projection, b.slice, b.axons));
    for block in &blocks {
        let ends = &network.projections[block.projection];
        let matrix = &network.matrices[ends.matrix];
        let format = formats[block.projection.index()];
        used.insert(format);
        let slice = &core.slices[block.slice as usize];
        let rows = neurons(draft, slice);
        let before = &core.slices[..block.slice as usize];
        let compartment: i64 = before.iter().map(|s| i64::from(s.len)).sum();
        let content = content(draft, block.projection);
        match &matrix.structure {
            Structure::Conv(conv) if shared => {
                let [_, height, width] = conv.output().expect("an output");
                let channels = rows.iter().map(|r| r / (height * width) as usize);
                kernels.entry((content, format, ends.delay)).or_default().extend(channels);
                continue;
            }
            Structure::Identity { .. } if shared => {
                kernels.entry((content, format, ends.delay)).or_default();
                continue;
            }
            _ => {}
        }
        for source in neurons(draft, &core.axons[block.axons as usize]) {
            let mut listed = 0;
            for &row in &rows {
                matrix.for_row(row, |col, _| listed += u64::from(col == source));
            }
            let axon = (format, ends.source, source);
            if let Structure::Dense { rows: all, cols } = matrix.structure {
                let (entries, plain, _) = lists.entry(axon).or_default();
                let column = (0..all as usize).map(|r| matrix.mantissa[r * cols as usize + source]);
                let offset = compartment - entries.first().map_or(compartment, |e| e.4);
                let offset = if entries.is_empty() { compartment } else { offset };
                entries.push((content.clone(), ends.delay, column.collect(), rows.clone(), offset));
                *plain += rows.len() as u64;
            } else if listed > 0 {
                lists.entry(axon).or_default().2 += listed;
            }
        }
    }
    let mut seen = BTreeSet::new();
    let (mut words, mut values) = (0, 0);
    for ((format, ..), (mut entries, plain, indexed)) in lists {
        // Where the first entry lies does not matter.
        entries.iter_mut().take(1).for_each(|e| e.4 = 0);
        if shared && indexed == 0 && !seen.insert((format, entries)) {
            continue;
        }
        values += plain + indexed;
        words += target.axon_words(plain, format.bits());
        words += target.axon_words(indexed, format.bits() + index_bits);
    }
    for (((extents, mantissa), format, _), channels) in kernels {
        let stored = match *extents.as_slice() {
            [outputs, inputs, height, width, groups] => {
                let (area, per_group) = (height * width, (outputs / groups) as usize);
                let row = (inputs * area) as usize;
                let mut pairs = BTreeSet::new();
                for &channel in &channels {
                    let mates = channels.iter().filter(|c| *c / per_group == channel / per_group);
                    for mate in mates {
                        for input in 0..inputs {
                            let start = mate * row + (input * area) as usize;
                            if mantissa[start..start + area as usize].iter().any(|m| *m != 0) {
                                pairs.insert((channel, input));
                            }
                        }
                    }
                }
                pairs.len() as u64 * u64::from(area)
            }
            _ => 1,
        };
        values += stored;
        words += target.axon_words(stored, format.bits());
    }
    (words, values, used.len() as u64)
}

fn slow_axons(draft: &MappedDraft, core: &Core, atoms: u64) -> u64 {
    let mut groups: BTreeMap<(PopId, usize), u64> = BTreeMap::new();
    for run in &core.axons {
        let shape = &draft.network.populations[run.population].shape;
        for neuron in neurons(draft, run) {
            let pixel = atoms > 0 && shape.as_chw().is_some();
            let key = if pixel { neuron % shape.per_channel() } else { neuron };
            *groups.entry((run.population, key)).or_default() += 1;
        }
    }
    groups.values().map(|n| if atoms > 0 { n.div_ceil(atoms) } else { *n }).sum::<u64>()
}

proptest! {
    /// Structure counts what a look at every synapse counts.
    #[test]
    fn usage_is_that_of_the_definition(
        draft in networks(), shared in 0_i64..2, atoms in 0_i64..4, header in 0_i64..12,
    ) {
        let mut target = target(true);
        target.shared_kernels.value = shared;
        target.axon_atoms.value = atoms;
        target.synapse_header_bits.value = header;
        let accounting = Accounting::new(&draft.network, &draft.orders);
        for core in draft.cores.values() {
            let usage = accounting.core_usage(core, &target);
            let memory = (usage.synapse_words, usage.synapses, usage.formats);
            prop_assert_eq!(memory, slow_memory(&draft, core, &target));
            // Without atoms a pixel is no group: every neuron has an axon.
            let axons = slow_axons(&draft, core, atoms.unsigned_abs());
            prop_assert_eq!(usage.input_axons, axons);
        }
    }

    /// What reaches a slice are the sources of its nonzero synapses.
    #[test]
    fn sources_are_those_of_the_synapses(draft in networks()) {
        let accounting = Accounting::new(&draft.network, &draft.orders);
        let mut scratch = Scratch::default();
        for slice in draft.cores.values().flat_map(|core| &core.slices) {
            for &id in accounting.projections_into(slice.population) {
                let ends = &draft.network.projections[id];
                let mut sources = BTreeSet::new();
                for row in neurons(&draft, slice) {
                    draft.network.matrices[ends.matrix].for_row(row, |col, _| {
                        sources.insert(col);
                    });
                }
                let mut found = BTreeSet::new();
                let runs = accounting.sources(id, slice, &mut scratch);
                prop_assert!(runs.windows(2).all(|w| w[0].end < w[1].start));
                for position in runs.into_iter().flatten() {
                    found.insert(neuron(&draft, ends.source, position));
                }
                prop_assert_eq!(found, sources);
            }
        }
    }
}
