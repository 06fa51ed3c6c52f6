//! First fit in another sequence, on parts of cores.
//!
//! Populations differ in what they fill first: late layers of a convolutional network synapse memory, early ones compartments. One after
//! the other they leave the one or the other of every core empty.

use crate::map::{Layout, Step, narrow, place_steps};
use snnc_ir::arena::PopId;
use snnc_ir::mapped::usage::{Accounting, output_axons};
use snnc_ir::mapped::{Core, MappedDraft, Slice};
use snnc_ir::quantized::Role;
use snnc_ir::{Entity, TargetSpec};
use std::collections::{BTreeMap, BTreeSet};

/// Share of compartments from which on a core counts as full of neurons.
const FULL: f64 = 0.95;

/// What a population takes of a core's words of synapse memory for what it takes of its compartments; above 1, memory fills first.
struct Heavy {
    population: PopId,
    ratio: f64,
}

/// Mappings by first fit in which populations that fill synapse memory come first, on a part of each core's memory: all but what cores
/// full of neurons take, most of them or (`rank`, in percent) few. Those on more than `most` cores are left out. `None` if no
/// population fills synapse memory first.
pub(super) fn sequences(
    accounting: &Accounting<'_>,
    target: &TargetSpec,
    draft: &MappedDraft,
    ranks: &[usize],
    most: usize,
) -> Option<Vec<Vec<Core>>> {
    let Summary { mut heavy, mut light } = summary(accounting, target, draft);
    // The lightest take what the heaviest leave; clocks come last.
    let key = |h: &Heavy| if h.ratio > 1.0 { -h.ratio } else { h.ratio };
    heavy.sort_by(|a, b| key(a).total_cmp(&key(b)));
    if heavy.first().is_none_or(|h| h.ratio <= 1.0) {
        return None;
    }
    if light.is_empty() {
        return Some(Vec::new());
    }
    light.sort_unstable();
    let layout = layout(accounting, target, draft);
    let mut found = Vec::new();
    let mut tried = BTreeSet::new();
    for rank in ranks {
        let left = light[(light.len() - 1) * rank / 100];
        if !tried.insert(left) {
            continue;
        }
        let mut part = target.clone();
        part.synapse_words.value -= i64::try_from(left).unwrap_or(0).min(part.synapse_words.value);
        let step = |Heavy { population, ratio }: &Heavy| {
            let len = narrow(accounting.network().populations[*population].size());
            let piece = Slice { population: *population, start: 0, len };
            Step { piece, within: if *ratio > 1.0 { &part } else { target } }
        };
        let steps: Vec<Step<'_>> = heavy.iter().map(step).collect();
        // A neuron that fits on no core would have been refused before.
        if let Ok(Some(placed)) = place_steps(accounting, target, &layout, &steps, most) {
            found.push(placed.cores);
        }
    }
    Some(found)
}

/// What a mapping tells of populations.
struct Summary {
    /// Every population on cores.
    heavy: Vec<Heavy>,
    /// Words of synapse memory of cores that are full of neurons.
    light: Vec<u64>,
}

/// What each population takes, by the cores that hold it.
#[expect(clippy::cast_precision_loss, reason = "shares of a core")]
fn summary(accounting: &Accounting<'_>, target: &TargetSpec, draft: &MappedDraft) -> Summary {
    let mut light = Vec::new();
    let mut taken: BTreeMap<PopId, [f64; 2]> = BTreeMap::new();
    for core in draft.cores.values() {
        let usage = accounting.core_usage(core, target);
        let words = usage.synapse_words as f64 / (target.synapse_words.value.max(1) as f64);
        let neurons = usage.compartments as f64;
        if neurons >= FULL * target.compartments.value as f64 {
            light.push(usage.synapse_words);
        }
        for slice in &core.slices {
            let share = f64::from(slice.len) / neurons;
            let sums = taken.entry(slice.population).or_default();
            sums[0] += words * share;
            sums[1] += f64::from(slice.len) / (target.compartments.value.max(1) as f64);
        }
    }
    let heavy = |(population, [words, compartments]): (PopId, [f64; 2])| {
        // Clocks reach everything, and lie anywhere.
        let clock = accounting.network().populations[population].role == Role::Clock;
        Heavy { population, ratio: if clock { 1.0 } else { words / compartments } }
    };
    Summary { heavy: taken.into_iter().map(heavy).collect(), light }
}

/// What the given mapping tells of each population.
#[expect(clippy::cast_precision_loss, reason = "means")]
fn layout(accounting: &Accounting<'_>, target: &TargetSpec, draft: &MappedDraft) -> Layout {
    let cores: Vec<Core> = draft.cores.values().cloned().collect();
    let outputs = output_axons(accounting, &cores, target);
    let populations = draft.orders.len();
    let (mut fill, mut sent, mut held) =
        (vec![1; populations], vec![0_u64; populations], vec![0_u64; populations]);
    for (core, outputs) in cores.iter().zip(outputs) {
        for (slice, outputs) in core.slices.iter().zip(outputs) {
            let index = slice.population.index();
            fill[index] = slice.len.max(fill[index]);
            sent[index] += outputs;
            held[index] += u64::from(slice.len);
        }
    }
    let fan_out = sent.iter().zip(&held).map(|(sent, held)| *sent as f64 / (*held).max(1) as f64);
    Layout { orders: draft.orders.clone(), fill, fan_out: fan_out.collect() }
}
