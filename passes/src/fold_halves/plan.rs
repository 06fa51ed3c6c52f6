//! What two populations become as one.

use super::join;
use crate::currents::{Bias, Current, Term};
use snnc_ir::Shape;
use snnc_ir::arena::{Arena, NodeId, TensorId};
use snnc_ir::network::{Neuron, Node, Op, Tensor};
use std::collections::{BTreeMap, BTreeSet};

/// Canonical currents by the nodes that they flow into.
pub(super) type Currents = BTreeMap<NodeId, Current>;

/// Two populations as one.
pub(super) struct Whole {
    /// Shape of all neurons.
    pub(super) shape: Shape,
    /// Their model.
    pub(super) neuron: Neuron,
    /// The current of the whole under the id of the first part, and those of all readers. The second part has none.
    pub(super) currents: Currents,
}

/// Everything that populations read and that reads them: two have to agree in all of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ends {
    /// Sources and delays, sorted.
    sources: Vec<(NodeId, u32)>,
    /// Readers and delays, sorted.
    readers: Vec<(NodeId, u32)>,
}

impl Ends {
    /// The ends of each node.
    pub(super) fn all(currents: &Currents) -> BTreeMap<NodeId, Self> {
        let none = || Self { sources: Vec::new(), readers: Vec::new() };
        let mut all: BTreeMap<NodeId, Self> = BTreeMap::new();
        for (&root, current) in currents {
            for &Term { source, delay, .. } in &current.terms {
                all.entry(source).or_insert_with(none).readers.push((root, delay));
                all.entry(root).or_insert_with(none).sources.push((source, delay));
            }
        }
        for Self { sources, readers } in all.values_mut() {
            sources.sort_unstable();
            readers.sort_unstable();
        }
        all
    }

    /// Whether anything is read, and anything reads it.
    pub(super) const fn are_two(&self) -> bool {
        !self.sources.is_empty() && !self.readers.is_empty()
    }

    /// Whether these are the ends of another population, too, if both are one.
    pub(super) fn are_those_of(&self, other: &Self, [a, b]: [NodeId; 2]) -> bool {
        let as_one = |ends: &[(NodeId, u32)]| {
            let one = |&(end, delay): &(NodeId, u32)| (if end == b { a } else { end }, delay);
            let mut all: Vec<_> = ends.iter().map(one).collect();
            all.sort_unstable();
            all
        };
        self.sources.len() == other.sources.len()
            && self.readers.len() == other.readers.len()
            && as_one(&self.sources) == as_one(&other.sources)
            && as_one(&self.readers) == as_one(&other.readers)
    }

    /// The readers, each once.
    fn readers(&self) -> BTreeSet<NodeId> {
        self.readers.iter().map(|(reader, _)| *reader).collect()
    }
}

/// What the populations `a` and `b`, whose ends are `ends`, are together; `None` if they are no halves.
pub(super) fn whole(
    tensors: &Arena<TensorId, Tensor>,
    currents: &Currents,
    ends: &Ends,
    [(a, own), (b, other)]: [(NodeId, &Node); 2],
) -> Option<Whole> {
    let (Op::Neuron(model), Op::Neuron(second)) = (&own.op, &other.op) else { return None };
    let shape = join::shape(&own.shape, &other.shape)?;
    let neuron = join::neuron((model, &own.shape), (second, &other.shape), &shape)?;
    let mut after = Currents::new();
    for reader in ends.readers() {
        after.insert(reader, read_as_one(tensors, currents.get(&reader)?, [a, b], &shape)?);
    }
    // A part that reads the parts has been changed already.
    let current = |id: NodeId| after.get(&id).or_else(|| currents.get(&id));
    let sizes = [own.shape.size(), other.shape.size()];
    let both = side_by_side(tensors, [current(a)?, current(b)?], sizes)?;
    after.insert(a, both);
    after.remove(&b);
    Some(Whole { shape, neuron, currents: after })
}

/// A current that reads both populations as one: the columns of pairs of terms with the same delay.
fn read_as_one(
    tensors: &Arena<TensorId, Tensor>,
    current: &Current,
    [a, b]: [NodeId; 2],
    shape: &Shape,
) -> Option<Current> {
    let terms = &current.terms;
    let of = |source: NodeId| (0..terms.len()).filter(move |&i| terms[i].source == source);
    let mut seconds: Vec<usize> = of(b).collect();
    let mut joined = BTreeMap::new();
    for first in of(a) {
        let found = seconds.iter().enumerate().find_map(|(at, &second)| {
            let same = terms[first].delay == terms[second].delay;
            let op = || join::columns(tensors, &terms[first].op, &terms[second].op, shape);
            same.then(op).flatten().map(|op| (at, op))
        });
        let (at, op) = found?;
        let second = seconds.remove(at);
        let (place, gone) = (first.min(second), first.max(second));
        joined.insert(place, (gone, Term { source: a, op, ..terms[place].clone() }));
    }
    if !seconds.is_empty() {
        return None;
    }
    let gone: BTreeMap<usize, usize> =
        joined.iter().map(|(place, (gone, _))| (*gone, *place)).collect();
    let left: Vec<usize> = (0..terms.len()).filter(|i| !gone.contains_key(i)).collect();
    // Terms behind those that are gone move up.
    let moved = |home: usize| {
        let place = gone.get(&home).copied().unwrap_or(home);
        left.iter().position(|&i| i == place).unwrap_or(usize::MAX)
    };
    let bias = current.bias.clone().map(|bias| Bias { home: moved(bias.home), ..bias });
    let term = |&i: &usize| joined.get(&i).map_or_else(|| terms[i].clone(), |(_, t)| t.clone());
    Some(Current { terms: left.iter().map(term).collect(), bias, name: current.name.clone() })
}

/// The currents of both parts as one: the rows of pairs of terms with the same source and delay.
fn side_by_side(
    tensors: &Arena<TensorId, Tensor>,
    [first, second]: [&Current; 2],
    sizes: [usize; 2],
) -> Option<Current> {
    let mut left: Vec<usize> = (0..second.terms.len()).collect();
    let (mut terms, mut order) = (Vec::new(), Vec::new());
    for term in &first.terms {
        let found = left.iter().enumerate().find_map(|(at, &i)| {
            let other = &second.terms[i];
            let same = (term.source, term.delay) == (other.source, other.delay);
            let op = || join::rows(tensors, &term.op, &other.op);
            same.then(op).flatten().map(|op| (at, op))
        });
        let (at, op) = found?;
        order.push(left.remove(at));
        terms.push(Term { op, ..term.clone() });
    }
    if !left.is_empty() {
        return None;
    }
    let home = |bias: &Bias| order.iter().position(|&i| i == bias.home).unwrap_or(usize::MAX);
    let home = first.bias.as_ref().map(|b| b.home).or_else(|| second.bias.as_ref().map(home));
    let bias = home.map(|home| {
        let values = |(current, size): (&Current, usize)| {
            current.bias.as_ref().map_or_else(|| vec![0.0; size], |bias| bias.values.clone())
        };
        let parts = [first, second].into_iter().zip(sizes).flat_map(values).collect();
        let mut from = Vec::new();
        for id in [first, second].into_iter().flat_map(|c| &c.bias).flat_map(|b| &b.from) {
            if !from.contains(id) {
                from.push(*id);
            }
        }
        Bias { values: parts, from, home }
    });
    Some(Current { terms, bias, name: first.name.clone() })
}
