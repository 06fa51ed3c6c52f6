//! Makes a network smaller as long as it still fails: what `snnc reduce` does.
//!
//! Edits are tried in a fixed order, large ones first: populations, projections and nodes are left out by halves
//! and one by one, steps and shapes are halved, weights become zero, parameters, delays and biases the simplest
//! ones. What is a valid network and still fails is kept, until no edit is. So the result is minimal in the
//! sense that none of the edits applies to it, and the same input gives the same result.

mod float;
mod integers;
pub mod predicate;
mod resize;
mod wires;

use snnc_ir::level::AnyDraft;
use snnc_ir::network::Op;
use snnc_ir::quantized::{IntMatrix, PopKind};
use std::fmt;
use std::ops::Range;

/// Networks that are tried at most; the best one so far is the result then.
const MOST: u64 = 200_000;

/// How large a network is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Size {
    /// Populations of neurons and relays.
    pub populations: usize,
    /// Neurons.
    pub neurons: usize,
    /// Projections, or nodes between populations.
    pub joints: usize,
    /// Weights stored that are not 0.
    pub weights: usize,
    /// Logical steps of a run.
    pub steps: u32,
}

impl Size {
    /// The size of a draft.
    pub fn of(draft: &AnyDraft) -> Self {
        match draft {
            AnyDraft::Network(network) => {
                let populations =
                    network.nodes.values().filter(|n| matches!(n.op, Op::Neuron(_) | Op::Relay(_)));
                let neurons = populations.clone().map(|n| n.shape.size()).sum();
                let populations = populations.count();
                let inputs =
                    network.nodes.values().filter(|n| matches!(n.op, Op::Input(_))).count();
                let weights = network.tensors.values().flat_map(|t| &t.data);
                Self {
                    populations,
                    neurons,
                    joints: network.nodes.len() - populations - inputs,
                    weights: weights.filter(|w| w.abs() > 0.0).count(),
                    steps: network.steps,
                }
            }
            AnyDraft::Quantized(network) => Self::of_integers(network),
            AnyDraft::Mapped(mapped) => Self::of_integers(&mapped.network),
        }
    }

    fn of_integers(network: &snnc_ir::quantized::QuantizedDraft) -> Self {
        let populations = || {
            let all = network.populations.values();
            all.filter(|p| !matches!(p.kind, PopKind::Input(_)))
        };
        let stored = |m: &IntMatrix| m.mantissa.iter().filter(|w| **w != 0).count();
        Self {
            populations: populations().count(),
            neurons: populations().map(snnc_ir::quantized::Population::size).sum(),
            joints: network.projections.len(),
            weights: network.matrices.values().map(stored).sum(),
            steps: network.steps,
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { populations, neurons, joints, weights, steps } = self;
        write!(
            f,
            "{populations} populations of {neurons} neurons, {joints} joints of {weights} weights, {steps} steps"
        )
    }
}

/// A network that still fails, and what it took.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduced {
    /// The network.
    pub draft: AnyDraft,
    /// How large it was.
    pub before: Size,
    /// How large it is.
    pub after: Size,
    /// Networks that were tried.
    pub tried: u64,
}

/// What an edit makes of a network at one of its places.
enum Edited {
    /// There are no more places.
    End,
    /// Nothing to do here.
    Skip,
    /// Another network, valid or not.
    Made(Box<AnyDraft>),
}

/// An edit of place number n.
type Edit = fn(&AnyDraft, usize) -> Edited;

/// All edits, large ones first.
const EDITS: &[Edit] = &[
    float::readout,
    float::detach,
    float::bypass,
    float::silence,
    float::unread,
    integers::readout,
    integers::populations,
    integers::projections,
    integers::hosts,
    steps,
    float::linear,
    resize::halves,
    float::narrow,
    integers::parameters,
    float::parameters,
    wires::delays,
    float::delays,
    integers::weights,
    float::weights,
    integers::mantissas,
    resize::single,
];

/// The smallest network that edits lead to from `draft` while `fails` holds. `fails` is asked about valid
/// networks only, and has to hold for `draft`.
pub fn reduce(draft: AnyDraft, fails: &mut dyn FnMut(&AnyDraft) -> bool) -> Reduced {
    let before = Size::of(&draft);
    let mut best = draft;
    let mut tried = 0;
    loop {
        let mut changed = false;
        for edit in EDITS {
            let mut place = 0;
            while tried < MOST {
                match edit(&best, place) {
                    Edited::End => break,
                    Edited::Made(next)
                        if *next != best && crate::source::verify((*next).clone()).is_ok() && {
                            tried += 1;
                            fails(&next)
                        } =>
                    {
                        // What stood behind it stands here now.
                        best = *next;
                        changed = true;
                    }
                    Edited::Skip | Edited::Made(_) => place += 1,
                }
            }
        }
        if !changed || tried >= MOST {
            break;
        }
    }
    let after = Size::of(&best);
    Reduced { draft: best, before, after, tried }
}

/// Parts of `count` items in the order in which they are left out: halves, quarters, and so on to single ones.
fn part(count: usize, number: usize) -> Option<Range<usize>> {
    let mut len = count.div_ceil(2);
    let mut number = number;
    while len > 0 {
        let parts = count.div_ceil(len);
        if number < parts {
            // The last ones first: what comes late depends on what comes early.
            let end = count - number * len;
            return Some(end.saturating_sub(len)..end);
        }
        number -= parts;
        len = if len == 1 { 0 } else { len.div_ceil(2) };
    }
    None
}

/// Fewer steps: one, half, one less.
fn steps(draft: &AnyDraft, place: usize) -> Edited {
    let fewer = |steps: u32| [1, steps / 2, steps.saturating_sub(1)].get(place).copied();
    let mut next = draft.clone();
    let steps = match &mut next {
        AnyDraft::Network(network) => &mut network.steps,
        AnyDraft::Quantized(network) => &mut network.steps,
        AnyDraft::Mapped(_) => return Edited::End,
    };
    let Some(fewer) = fewer(*steps) else { return Edited::End };
    if fewer == 0 || fewer >= *steps {
        return Edited::Skip;
    }
    *steps = fewer;
    Edited::Made(Box::new(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_halves_first_and_single_items_last() {
        let all: Vec<_> = (0..).map_while(|n| part(5, n)).collect();
        assert_eq!(all[..2], [2..5, 0..2]);
        assert_eq!(all[all.len() - 5..], [4..5, 3..4, 2..3, 1..2, 0..1]);
        assert_eq!(part(0, 0), None);
        assert_eq!([part(1, 0), part(1, 1)], [Some(0..1), None]);
    }
}
