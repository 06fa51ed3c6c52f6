//! Projections of zeros are removed; projections of the same ends and delay are joined.

use super::content::listed_bits;
use super::matrices::{drop_left, equal};
use super::record::{Fold, FoldKind};
use snnc_ir::arena::{Entity, MatId, PopId, ProjId};
use snnc_ir::network::Provenance;
use snnc_ir::quantized::{IntMatrix, Projection, QuantizedDraft, Sign};
use snnc_ir::target::TargetSpec;
use std::collections::{BTreeMap, BTreeSet};

/// Removes projections that deliver nothing.
pub(super) fn remove_zero(draft: &mut QuantizedDraft, folds: &mut Vec<Fold>) {
    let zero: Vec<bool> =
        draft.matrices.values().map(|m| m.mantissa.iter().all(|&m| m == 0)).collect();
    for projection in draft.projections.values().filter(|p| zero[p.matrix.index()]) {
        let bits = listed_bits(&draft.matrices[projection.matrix]);
        let fold = Fold::new(FoldKind::Zero, "", vec![ends(draft, projection)]);
        folds.push(Fold { bits, projections: 1, ..fold });
    }
    retain(draft, |_, p| !zero[p.matrix.index()]);
    if zero.contains(&true) {
        let values = drop_left(draft);
        folds.last_mut().into_iter().for_each(|fold| fold.values += values);
    }
}

/// `source -> target`, with the delay.
fn ends(draft: &QuantizedDraft, p: &Projection) -> String {
    let [source, target] = [p.source, p.target].map(|id| &*draft.populations[id].name);
    if p.delay == 0 {
        format!("{source} -> {target}")
    } else {
        format!("{source}@{} -> {target}", p.delay)
    }
}

fn retain(draft: &mut QuantizedDraft, keep: impl Fn(ProjId, &Projection) -> bool) {
    let all = std::mem::take(&mut draft.projections).into_values();
    let kept = all.into_iter().enumerate().filter(|(i, p)| keep(ProjId::new(*i), p));
    draft.projections = kept.map(|(_, p)| p).collect();
}

/// Joins pairs of projections of the same source, target and delay whose sum one matrix stores in less memory.
///
/// Only where all uses of both matrices are such pairs: else a matrix that is shared would be stored again
/// in a sum.
pub(super) fn join(draft: &mut QuantizedDraft, target: &TargetSpec, folds: &mut Vec<Fold>) {
    while let Some((pairs, sum)) = next_pairs(draft, target) {
        let joined = draft.matrices.push(sum);
        for &(first, second) in &pairs {
            let matrix = |id: ProjId| &draft.matrices[draft.projections[id].matrix];
            let saved = |f: fn(&IntMatrix) -> u64| {
                let before = f(matrix(first)) + f(matrix(second));
                before.saturating_sub(f(&draft.matrices[joined]))
            };
            let (bits, synapses) = (saved(listed_bits), saved(IntMatrix::synapses));
            let from = vec![ends(draft, &draft.projections[first]); 2];
            let fold = Fold::new(FoldKind::Joined, &draft.matrices[joined].name, from);
            folds.push(Fold { synapses, bits, projections: 1, ..fold });
            draft.projections[first].matrix = joined;
        }
        let added = draft.matrices[joined].mantissa.len() as u64;
        retain(draft, |id, _| pairs.iter().all(|(_, second)| *second != id));
        let values = drop_left(draft).saturating_sub(added);
        folds.last_mut().into_iter().for_each(|fold| fold.values = values);
    }
}

/// Projections that deliver together, by their matrices.
type Pairs = Vec<(ProjId, ProjId)>;

/// The first pair of matrices that is worth joining: the projections that use it, and its sum.
fn next_pairs(draft: &QuantizedDraft, target: &TargetSpec) -> Option<(Pairs, IntMatrix)> {
    let mut uses = vec![0_usize; draft.matrices.len()];
    let mut groups: BTreeMap<(PopId, PopId, u32), Vec<ProjId>> = BTreeMap::new();
    for (id, p) in draft.projections.iter() {
        uses[p.matrix.index()] += 1;
        groups.entry((p.source, p.target, p.delay)).or_default().push(id);
    }
    groups.retain(|_, group| group.len() > 1);
    let of = |id: &ProjId| draft.projections[*id].matrix;
    let mut candidates: BTreeSet<[MatId; 2]> = BTreeSet::new();
    for group in groups.values() {
        for (i, first) in group.iter().enumerate() {
            let pair = |second| {
                let (a, b) = (of(first), of(second));
                [a.min(b), a.max(b)]
            };
            candidates.extend(group[i + 1..].iter().map(pair));
        }
    }
    candidates.into_iter().find_map(|[a, b]| {
        let found = groups.values().flat_map(|group| {
            let own = |matrix| group.iter().copied().filter(move |id| of(id) == matrix);
            let (firsts, seconds): (Vec<_>, Vec<_>) = if a == b {
                let all: Vec<_> = own(a).collect();
                all.chunks_exact(2).map(|pair| (pair[0], pair[1])).unzip()
            } else {
                (own(a).collect(), own(b).collect())
            };
            firsts.into_iter().zip(seconds)
        });
        let found: Pairs = found.collect();
        let own = found.len() * (1 + usize::from(a == b));
        if uses[a.index()] != own || uses[b.index()] != own {
            return None;
        }
        let [a, b] = [a, b].map(|id| &draft.matrices[id]);
        let sum = sum(a, b, target)?;
        // Nobody who asked for narrow weights gets wider ones.
        let narrow = sum.weight_bits() <= a.weight_bits().max(b.weight_bits());
        (narrow && listed_bits(&sum) < listed_bits(a) + listed_bits(b)).then_some((found, sum))
    })
}

/// The sum of two matrices of one layout, if a matrix stores it: as few bits as possible, else as the first is.
fn sum(a: &IntMatrix, b: &IntMatrix, target: &TargetSpec) -> Option<IntMatrix> {
    if a.structure != b.structure || a.mantissa.len() != b.mantissa.len() {
        return None;
    }
    let weights: Vec<i32> = (0..a.mantissa.len()).map(|i| a.weight(i) + b.weight(i)).collect();
    let own = [(a.exponent, a.sign), (b.exponent, b.sign)].into_iter();
    let [least, largest] = [&target.min_weight_exponent, &target.max_weight_exponent]
        .map(|limit| i8::try_from(limit.value.clamp(-7, 7)).unwrap_or(0));
    let signs = [Sign::Mixed, Sign::Excitatory, Sign::Inhibitory];
    let others = (least..=largest).flat_map(|e| signs.map(|sign| (e, sign)));
    let stored = |(exponent, sign): (i8, Sign)| {
        let mantissa =
            weights.iter().map(|&w| mantissa(w, exponent, sign)).collect::<Option<_>>()?;
        Some(IntMatrix { mantissa, exponent, sign, ..named(a, b) })
    };
    own.chain(others).filter_map(stored).min_by_key(IntMatrix::weight_bits)
}

/// The mantissa that stores a weight.
fn mantissa(weight: i32, exponent: i8, sign: Sign) -> Option<i16> {
    let mantissa = if exponent >= 0 {
        (weight % (1 << exponent) == 0).then_some(weight >> exponent)?
    } else {
        weight.checked_mul(1 << -exponent)?
    };
    i16::try_from(mantissa).ok().filter(|m| sign.stores(*m))
}

/// An empty matrix with the layout of both, and names and origins of both.
fn named(a: &IntMatrix, b: &IntMatrix) -> IntMatrix {
    let mut matrix = IntMatrix { mantissa: Vec::new(), ..a.clone() };
    if a.provenance != b.provenance {
        let from = vec![a.name.clone(), b.name.clone()];
        matrix.provenance = Provenance::Derived { pass: "fold-integers".to_owned(), from };
    }
    if a.name != b.name {
        matrix.name = format!("{}+{}", a.name, b.name);
    } else if equal(a, b) {
        matrix.name = format!("2*{}", a.name);
    }
    matrix
}
