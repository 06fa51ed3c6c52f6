//! Output axons: what the neurons of a core take to reach other cores.

use super::{Accounting, pixels};
use crate::arena::PopId;
use crate::mapped::senders::{Sender, Senders};
use crate::mapped::{Core, Slice};
use crate::target::TargetSpec;
use std::collections::{BTreeMap, BTreeSet};

/// Output axons of each core, by slice: for each of its neurons one per core that has an axon for it.
///
/// Where `population_slots` = n > 0, a core that receives a population by pixels takes n output axons for each
/// pixel of which a core has neurons that reach it, however many; they count to the first slice with such a
/// neuron. Above [`TargetSpec::axon_atoms`] channels, a pixel takes several times n.
/// **Source**: nengo-loihi 1.1.0, `block.py` (`Axon.slots_per_axon`).
///
/// **Complexity**: O(slices · log slices + axon runs · slices that they meet + places of pixels).
///
/// # Panics
/// If a core refers to populations, neurons or projections that do not exist.
pub fn output_axons(
    accounting: &Accounting<'_>,
    cores: &[Core],
    target: &TargetSpec,
) -> Vec<Vec<u64>> {
    let senders = Senders::of(cores);
    let slots = u64::try_from(target.population_slots.value).unwrap_or(0);
    let mut axons: Vec<Vec<u64>> = cores.iter().map(|core| vec![0; core.slices.len()]).collect();
    for core in cores {
        let received =
            if slots > 0 { pixels::received(accounting, core, target) } else { BTreeSet::new() };
        // By population and sending core: what of each slice reaches this core.
        let mut sent: BTreeMap<(PopId, usize), Vec<(usize, Slice)>> = BTreeMap::new();
        for run in &core.axons {
            for Sender { core, slice, part } in senders.behind(*run) {
                if received.contains(&run.population) {
                    sent.entry((run.population, core)).or_default().push((slice, part));
                } else {
                    axons[core][slice] += u64::from(part.len);
                }
            }
        }
        for ((population, sender), parts) in sent {
            for (index, groups) in groups(accounting, population, parts, target) {
                axons[sender][index] += groups * slots;
            }
        }
    }
    axons
}

/// By slice, how many groups of channels of pixels these parts of slices have.
fn groups(
    accounting: &Accounting<'_>,
    population: PopId,
    mut parts: Vec<(usize, Slice)>,
    target: &TargetSpec,
) -> Vec<(usize, u64)> {
    let order = accounting.order(population);
    let atoms = u32::try_from(target.axon_atoms.value).unwrap_or(u32::MAX).max(1);
    let mut channels = vec![0_u32; order.places() as usize];
    let mut counts = Vec::new();
    parts.sort_unstable();
    for (index, part) in parts {
        let mut more = 0;
        for patch in order.patches(part.start..part.start + part.len) {
            let width = patch.channels.end - patch.channels.start;
            for present in &mut channels[patch.places.start as usize..patch.places.end as usize] {
                let before = present.div_ceil(atoms);
                *present += width;
                more += u64::from(present.div_ceil(atoms) - before);
            }
        }
        counts.push((index, more));
    }
    counts
}
