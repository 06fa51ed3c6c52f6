//! The structural accounting against a definition that lists every synapse.

use super::{Accounting, output_axons};
use crate::arena::{Entity, MatId, PopId};
use crate::mapped::reach::Scratch;
use crate::mapped::{Core, MappedDraft, Slice};
use crate::testing::{Space, blocked, recount, target};
use proptest::prelude::*;
use std::collections::BTreeSet;

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

proptest! {
    /// Structure counts what a look at every synapse counts.
    #[test]
    fn usage_is_that_of_the_definition(
        draft in networks(), shared in 0_i64..2, atoms in 0_i64..4, header in 0_i64..12,
        bases in prop::sample::select(vec![0_i64, 1, 3, 8, 256]), slots in 0_i64..3,
    ) {
        let mut target = target(true);
        target.shared_kernels.value = shared;
        target.axon_atoms.value = atoms;
        target.list_bases.value = bases;
        target.population_slots.value = slots;
        target.synapse_header_bits.value = header;
        let accounting = Accounting::new(&draft.network, &draft.orders);
        let cores: Vec<Core> = draft.cores.values().cloned().collect();
        let outputs = output_axons(&accounting, &cores, &target);
        let usage = cores.iter().zip(outputs).map(|(core, outputs)| {
            (accounting.core_usage(core, &target), outputs.iter().sum::<u64>())
        });
        prop_assert_eq!(usage.collect::<Vec<_>>(), recount(&draft, &target));
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
