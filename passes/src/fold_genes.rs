//! Genes that do nothing, or the same as another one, are dropped: what `lower-genes` does first
//! where it may keep factors (real-exact).
//!
//! A gene is a column of every encoding that has it and, in the interactions that the encodings meet in, a
//! row or column. Encodings and interactions are shared, so genes are looked at in all places at once:
//!
//! * a gene that every product multiplies with zeros adds nothing: it is dropped, bit for bit;
//! * of two genes whose columns are equal up to a power of two in every encoding, the first stays and takes over
//!   the interactions of the second: `E·O` with `e₂ = c·e₁` is `e₁·(o₁ + c·o₂)`. Only where these sums
//!   are numbers of f32, so that nothing is rounded; the order of summation in a decoded weight changes.
//!
//! Genes of tensors that a node uses as they are stay. So do those that meet in interactions which are an encoding elsewhere: a
//! row of them stands for a neuron there, and a sum of two columns is not what that product has.
//!
//! Complexity: O(dropped genes · (genes² + values of genes)).

use crate::fold_integers::{Fold, FoldKind};
use crate::framework::Context;
use snnc_ir::Entity;
use snnc_ir::arena::TensorId;
use snnc_ir::network::{NetworkDraft, Tensor};
use std::collections::{BTreeMap, BTreeSet};

/// Folds the genes of all generated tensors; says so in remarks and records.
pub(crate) fn fold(draft: &mut NetworkDraft, cx: &mut Context<'_>) {
    let only_genes = draft.only_genes();
    let spaces = spaces(draft);
    let encodings: BTreeSet<TensorId> =
        spaces.iter().flat_map(|space| space.encodings.iter().copied()).collect();
    for space in spaces {
        let own = |id: &TensorId| only_genes[id.index()];
        let meet_only = |(id, _): &(TensorId, Axis)| own(id) && !encodings.contains(id);
        if !space.encodings.iter().all(own) || !space.cores.iter().all(meet_only) {
            continue;
        }
        let size = |draft: &NetworkDraft| -> usize {
            space.tensors().iter().map(|id| draft.tensors[*id].data.len()).sum()
        };
        let (genes, before) = (space.genes(draft), size(draft));
        let mut from = Vec::new();
        while let Some(gone) = space.drop_one(draft) {
            from.push(gone);
        }
        if from.is_empty() {
            continue;
        }
        let names = space.encodings.iter().map(|id| draft.tensors[*id].name.as_str());
        let names = names.collect::<Vec<_>>().join(", ");
        let into = format!("{} of {genes} genes of {names}", space.genes(draft));
        let values = (before - size(draft)) as u64;
        let fold = Fold { values, ..Fold::new(FoldKind::Genes, into, from) };
        cx.remarks.push(fold.remark());
        cx.folds.push(fold);
    }
}

/// Where a gene is found in a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Axis {
    /// The last but one extent.
    Row,
    /// The last extent.
    Column,
}

/// Genes that are the same in several tensors.
#[derive(Debug, Default)]
struct Space {
    /// Their columns are the genes.
    encodings: BTreeSet<TensorId>,
    /// Their rows or columns are the genes.
    cores: BTreeSet<(TensorId, Axis)>,
    /// What is multiplied.
    products: BTreeSet<(TensorId, TensorId, Axis)>,
}

/// All genes, by the tensors that they connect.
fn spaces(draft: &NetworkDraft) -> Vec<Space> {
    let mut products = Vec::new();
    for genes in draft.tensors.values().filter_map(|t| t.genes) {
        products.push((genes.out, genes.core, Axis::Row));
        products.push((genes.source, genes.core, Axis::Column));
    }
    // Both ends of every product get the smallest name that reaches them.
    let mut name: BTreeMap<(TensorId, Axis), usize> = BTreeMap::new();
    for &(encoding, core, axis) in &products {
        for end in [(encoding, Axis::Column), (core, axis)] {
            let next = name.len();
            name.entry(end).or_insert(next);
        }
    }
    loop {
        let before = name.clone();
        for &(encoding, core, axis) in &products {
            let ends = [(encoding, Axis::Column), (core, axis)];
            let least = ends.iter().map(|end| name[end]).min().unwrap_or(0);
            for end in ends {
                name.insert(end, least);
            }
        }
        if name == before {
            break;
        }
    }
    let mut found: BTreeMap<usize, Space> = BTreeMap::new();
    for (encoding, core, axis) in products {
        let space = found.entry(name[&(core, axis)]).or_default();
        space.encodings.insert(encoding);
        space.cores.insert((core, axis));
        space.products.insert((encoding, core, axis));
    }
    found.into_values().collect()
}

impl Space {
    fn tensors(&self) -> BTreeSet<TensorId> {
        self.encodings.iter().copied().chain(self.cores.iter().map(|(id, _)| *id)).collect()
    }

    /// Number of genes.
    fn genes(&self, draft: &NetworkDraft) -> usize {
        let (first, axis) = self.cores.first().copied().unzip();
        first.zip(axis).map_or(0, |(id, axis)| extent(&draft.tensors[id], axis))
    }

    /// Drops a gene; says which and why.
    fn drop_one(&self, draft: &mut NetworkDraft) -> Option<String> {
        let genes = self.genes(draft);
        if genes < 2 {
            return None;
        }
        let zero =
            |id: TensorId, axis, gene| slice(&draft.tensors[id], axis, gene).all(|v| v == 0.0);
        let idle = |gene: &usize| {
            let nothing = |&(encoding, core, axis): &(TensorId, TensorId, Axis)| {
                zero(encoding, Axis::Column, *gene) || zero(core, axis, *gene)
            };
            self.products.iter().all(nothing)
        };
        if let Some(gene) = (0..genes).find(idle) {
            self.remove(draft, gene);
            return Some(format!("gene {gene} (zero)"));
        }
        for first in 0..genes {
            for second in first + 1..genes {
                if let Some(ratio) = self.ratio(draft, first, second)
                    && self.take_over(draft, first, second, ratio)
                {
                    self.remove(draft, second);
                    return Some(format!("gene {second} ({ratio} times gene {first})"));
                }
            }
        }
        None
    }

    /// The power of two, or its negative, by which gene `second` is gene `first` in all encodings.
    fn ratio(&self, draft: &NetworkDraft, first: usize, second: usize) -> Option<f32> {
        let mut ratio = None;
        for id in &self.encodings {
            let tensor = &draft.tensors[*id];
            let column = |gene| slice(tensor, Axis::Column, gene);
            for (a, b) in column(first).zip(column(second)) {
                if a == 0.0 && b == 0.0 {
                    continue;
                }
                let found = *ratio.get_or_insert(b / a);
                if !is_power_of_two(found) || (a * found).to_bits() != b.to_bits() {
                    return None;
                }
            }
        }
        ratio
    }

    /// Adds `ratio` times the interactions of gene `second` to those of gene `first`, if that is exact.
    fn take_over(&self, draft: &mut NetworkDraft, first: usize, second: usize, ratio: f32) -> bool {
        let mut changed: BTreeMap<TensorId, Vec<f32>> = BTreeMap::new();
        for &(id, axis) in &self.cores {
            let tensor = &draft.tensors[id];
            let data = changed.entry(id).or_insert_with(|| tensor.data.clone());
            for (to, from) in positions(tensor, axis, first).zip(positions(tensor, axis, second)) {
                let Some(sum) = exact_sum(data[to], ratio * data[from]) else { return false };
                data[to] = sum;
            }
        }
        for (id, data) in changed {
            draft.tensors[id].data = data;
        }
        true
    }

    fn remove(&self, draft: &mut NetworkDraft, gene: usize) {
        let columns = self.encodings.iter().map(|id| (*id, Axis::Column));
        let all: BTreeSet<_> = columns.chain(self.cores.iter().copied()).collect();
        for (id, axis) in all {
            let tensor = &mut draft.tensors[id];
            let gone: BTreeSet<usize> = positions(tensor, axis, gene).collect();
            let kept = tensor.data.iter().enumerate().filter(|(at, _)| !gone.contains(at));
            let kept = kept.map(|(_, v)| *v).collect();
            tensor.data = kept;
            let dims = &mut tensor.shape.0;
            let at = dims.len() - if axis == Axis::Row { 2 } else { 1 };
            dims[at] -= 1;
        }
    }
}

/// Extent of an axis.
fn extent(tensor: &Tensor, axis: Axis) -> usize {
    let back = if axis == Axis::Row { 2 } else { 1 };
    let dims = &tensor.shape.0;
    dims.len().checked_sub(back).map_or(0, |at| dims[at] as usize)
}

/// Flat indices of the values of a gene.
fn positions(tensor: &Tensor, axis: Axis, gene: usize) -> impl Iterator<Item = usize> + use<> {
    let columns = extent(tensor, Axis::Column);
    let all = 0..tensor.data.len();
    let rows = extent(tensor, Axis::Row).max(1);
    all.filter(move |at| match axis {
        Axis::Column => at % columns == gene,
        Axis::Row => at / columns % rows == gene,
    })
}

fn slice(tensor: &Tensor, axis: Axis, gene: usize) -> impl Iterator<Item = f32> {
    positions(tensor, axis, gene).map(|at| tensor.data[at])
}

/// Whether multiplying by `value` changes the exponent and the sign only.
fn is_power_of_two(value: f32) -> bool {
    value.is_normal() && value.to_bits().trailing_zeros() >= f32::MANTISSA_DIGITS - 1
}

/// The sum, if it is a number of f32.
fn exact_sum(a: f32, b: f32) -> Option<f32> {
    let sum = a + b;
    // What rounding lost (Knuth's two-sum).
    let part = sum - a;
    let lost = (a - (sum - part)) + (b - part);
    (sum.is_finite() && lost == 0.0).then_some(sum)
}
