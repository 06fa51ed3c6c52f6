//! Populations that compute the same from the same become one.
//!
//! Two populations are equal if their parameters are, neuron by neuron, and they read equal populations with
//! equal weights and delays, and the same currents of the host. The first one in the order of computation stays.
//! Its projections multiply: what read both now has two projections from the one that stays, whose
//! weights add up on arrival as they did before. Inputs differ always; populations that the readout reads
//! stay, so that it reads what it did.
//!
//! As in `merge-nodes`, loops are equal only if what they read from each other is one population already.

use super::content::first_of_same_weights;
use super::matrices::drop_left;
use super::record::{Fold, FoldKind};
use snnc_ir::Entity;
use snnc_ir::arena::{Arena, MatId, PopId};
use snnc_ir::quantized::{
    Graded, HostBias, IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population,
    QuantizedDraft, Structure,
};
use std::collections::BTreeMap;

/// Merges populations as long as there are equal ones.
pub(super) fn merge(draft: &mut QuantizedDraft, folds: &mut Vec<Fold>) {
    let first = first_equal(draft);
    let mut merged: BTreeMap<PopId, Vec<PopId>> = BTreeMap::new();
    for (id, &first) in draft.populations.ids().zip(&first).filter(|(id, first)| id != *first) {
        merged.entry(first).or_default().push(id);
    }
    if merged.is_empty() {
        return;
    }
    for (&kept, gone) in &merged {
        let name = |id: &PopId| draft.populations[*id].name.clone();
        let neurons = gone.iter().map(|id| draft.populations[*id].size() as u64).sum();
        let read = gone.iter().flat_map(|id| draft.projections_into(*id));
        let read: Vec<MatId> = read.map(|(_, p)| p.matrix).collect();
        let of = |f: fn(&_) -> u64| read.iter().map(|m| f(&draft.matrices[*m])).sum();
        let (synapses, bits) = (of(IntMatrix::synapses), of(super::content::listed_bits));
        let from = gone.iter().map(name).collect();
        let fold = Fold::new(FoldKind::Populations, name(&kept), from);
        let projections = read.len() as u64;
        folds.push(Fold { synapses, bits, neurons, projections, ..fold });
    }
    remove(draft, &first);
    let values = drop_left(draft);
    folds.last_mut().into_iter().for_each(|fold| fold.values += values);
}

/// For each population the one that it is equal to; one that stays, itself.
fn first_equal(draft: &QuantizedDraft) -> Vec<PopId> {
    let weights = first_of_same_weights(&draft.matrices);
    let order = draft.order().unwrap_or_else(|| draft.populations.ids().collect());
    let kinds: Vec<PopKind> = draft.populations.values().map(compact).collect();
    let read = draft.readout.populations();
    let mut first: Vec<PopId> = draft.populations.ids().collect();
    loop {
        let mut next = first.clone();
        let mut seen: BTreeMap<Reads, Vec<PopId>> = BTreeMap::new();
        for &id in &order {
            if draft.populations[id].is_input() {
                continue;
            }
            let reads = reads(draft, &weights, &next, id);
            let alike = seen.entry(reads).or_default();
            let equal = |other: &&PopId| {
                kinds[other.index()] == kinds[id.index()]
                    && draft.populations[**other].shape == draft.populations[id].shape
                    && hosts(draft, **other) == hosts(draft, id)
            };
            match alike.iter().find(equal) {
                Some(same) if !read.contains(&id) => next[id.index()] = *same,
                _ => alike.push(id),
            }
        }
        if next == first {
            return first;
        }
        first = next;
    }
}

/// Sources, delays and weights, sorted.
type Reads = Vec<(PopId, u32, MatId)>;

fn reads(draft: &QuantizedDraft, weights: &[MatId], first: &[PopId], id: PopId) -> Reads {
    let read = draft.projections_into(id);
    let read = read.map(|(_, p)| (first[p.source.index()], p.delay, weights[p.matrix.index()]));
    let mut all: Reads = read.collect();
    all.sort_unstable();
    all
}

/// What the host adds: the same bits are the same currents.
fn hosts(draft: &QuantizedDraft, id: PopId) -> Vec<(PopId, &Structure, Vec<u32>, u64)> {
    let own = draft.host.iter().filter(|h| h.target == id);
    let bits = |h: &HostBias| h.weights.iter().map(|w| w.to_bits()).collect();
    own.map(|h| (h.input, &h.structure, bits(h), h.scale.to_bits())).collect()
}

/// The parameters in their coarsest form.
fn compact(population: &Population) -> PopKind {
    let shape = &population.shape;
    match &population.kind {
        PopKind::Input(coding) => PopKind::Input(coding.clone()),
        PopKind::Graded(graded) => {
            PopKind::Graded(Graded { bias: graded.bias.clone().compact(shape), ..graded.clone() })
        }
        PopKind::Neurons(neuron) => PopKind::Neurons(IntNeuron {
            du: neuron.du.clone().compact(shape),
            dv: neuron.dv.clone().compact(shape),
            threshold: neuron.threshold.clone().compact(shape),
            bias: neuron.bias.clone().compact(shape),
            floor: neuron.floor.clone().map(|floor| floor.compact(shape)),
            reset: match &neuron.reset {
                IntReset::Zero => IntReset::Zero,
                IntReset::Subtract(amount) => IntReset::Subtract(amount.clone().compact(shape)),
            },
            ..neuron.clone()
        }),
    }
}

/// Removes the populations that are not their own first, and lets their readers read that one.
fn remove(draft: &mut QuantizedDraft, first: &[PopId]) {
    let stays = |id: PopId| first[id.index()] == id;
    let mut kept = Arena::new();
    let mut renamed = Vec::with_capacity(first.len());
    let all = std::mem::take(&mut draft.populations).into_values();
    for (index, population) in all.into_iter().enumerate() {
        let id = PopId::new(index);
        renamed.push(if stays(id) { kept.push(population) } else { id });
    }
    draft.populations = kept;
    let new = |id: PopId| renamed[first[id.index()].index()];
    let projections = std::mem::take(&mut draft.projections).into_values();
    draft.projections = projections
        .into_iter()
        .filter(|p| stays(p.target))
        .map(|mut p| {
            (p.source, p.target) = (new(p.source), new(p.target));
            p
        })
        .collect();
    draft.host.retain(|h| stays(h.target));
    for host in &mut draft.host {
        (host.input, host.target) = (new(host.input), new(host.target));
    }
    match &mut draft.readout {
        IntReadout::SpikeCount(id) => *id = new(*id),
        IntReadout::MeanLinear { terms, .. } => {
            for (id, _) in terms {
                *id = new(*id);
            }
        }
    }
}
