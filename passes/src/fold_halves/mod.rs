//! `fold-halves`: a population that was split is one population again (class: real-exact).
//!
//! Two populations of neurons are halves of one if
//!
//! * they have the same model: parameters are equal, or have values per channel or neuron;
//! * they read the same sources with the same delays, and the same populations, relays and readouts read them with
//!   the same delays; each of them counts as the other one, so that a half reads both if one of them does;
//! * every pair of projections has the same form: matrices, or convolutions of one group and the same geometry;
//! * no pair has a part whose largest weight is more than 16 times that of the other: a projection gets one
//!   exponent, so the weaker part would lose its steps;
//! * the readout does not count their spikes;
//! * what they become stores no more values than they do, tensors that others use, too, included.
//!
//! The neurons of the second one stand behind those of the first. Rows of what they read and columns of what reads
//! them are put behind each other, so half of the projections, and a quarter of those within, are left. The sums are
//! the same in another order. Whatever reads a `concat` of the halves reads them alike, since
//! `lower-currents` takes it apart.
//!
//! The whole is named after its parts, which is what its record says: see [`Fold::parts`].
//!
//! ```text
//! // before
//! node2 "p" [2] = neuron(linear(node0) weight tensor0) …
//! node4 "q" [1] = neuron(linear(node0) weight tensor1) …
//! node7 "y.current" [3] = add(linear(node2) weight tensor2, linear(node4) weight tensor3)
//! // after: tensor4 has the rows of tensor0 and tensor1, tensor5 the columns of tensor2 and tensor3
//! node2 "p+q" [3] = neuron(linear(node0) weight tensor4) …
//! node4 "y.current" [3] = linear(node2) weight tensor5
//! ```
//!
//! Complexity: O(populations² · terms), plus O(values of the projections of halves) for every pair.

mod join;
mod ledger;
mod plan;

use crate::currents::{read_all, write};
use crate::fold_integers::{Fold, FoldKind};
use crate::framework::{Class, Context, Pass, PassInfo, Property};
use crate::graph::{for_tensors, used_tensors};
use crate::tensors::{retain, unique};
use ledger::Ledger;
use plan::{Currents, Ends, Whole, whole};
use snnc_ir::arena::NodeId;
use snnc_ir::network::{Op, Readout};
use snnc_ir::{Diagnostics, Entity, Network, NetworkDraft};
use std::collections::{BTreeMap, BTreeSet};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct FoldHalves;

static INFO: PassInfo = PassInfo {
    name: "fold-halves",
    summary: "let populations with the same ends and parameters be parts of one",
    class: Class::RealExact,
    requires: &[Property::GenesLowered, Property::Canonical],
    establishes: &[],
    invalidates: &[Property::SilentFolded, Property::NodesMerged, Property::TensorsShared],
    options: &[],
};

impl Pass for FoldHalves {
    type From = Network;
    type To = Network;

    fn info(&self) -> &'static PassInfo {
        &INFO
    }

    fn run(&self, draft: NetworkDraft, cx: &mut Context<'_>) -> Result<NetworkDraft, Diagnostics> {
        let currents = read_all(&draft)?;
        let before = Work::new(draft, currents);
        let stored = before.ledger.stored();
        let mut after = before.clone();
        after.fold(false);
        if after.ledger.stored() > stored {
            // Some halves share weights with what stays apart: take those pairs that cost nothing.
            after = before;
            after.fold(true);
        }
        if after.folds.is_empty() {
            return Ok(after.draft);
        }
        let folds = after.records();
        cx.remarks.extend(folds.iter().map(Fold::remark).collect());
        cx.folds.extend(folds);
        let mut draft = write::rebuild(after.draft, after.currents, INFO.name, "joined")?;
        drop_unused(&mut draft);
        Ok(draft)
    }
}

/// A network on the way to fewer populations.
#[derive(Clone)]
struct Work {
    draft: NetworkDraft,
    currents: Currents,
    ledger: Ledger,
    /// The parts of every whole: names and sizes.
    parts: BTreeMap<NodeId, Vec<(String, usize)>>,
    /// What pairs saved, by the whole that they became: values and projections.
    folds: Vec<(NodeId, [usize; 2])>,
    names: BTreeSet<String>,
}

impl Work {
    fn new(draft: NetworkDraft, currents: Currents) -> Self {
        let mut ledger = Ledger::default();
        for current in currents.values() {
            ledger.add(&draft.tensors, current);
        }
        let names = draft.nodes.values().map(|n| n.name.clone()).collect();
        Self { draft, currents, ledger, parts: BTreeMap::new(), folds: Vec::new(), names }
    }

    /// Joins halves as long as there are any; `frugal`: only pairs that do not store more than before.
    fn fold(&mut self, frugal: bool) {
        let counted = match self.draft.readout {
            Readout::SpikeCount(node) => Some(node),
            Readout::MeanLinear(_) => None,
        };
        let neurons = self.draft.nodes.iter();
        let neurons =
            neurons.filter(|(id, n)| matches!(n.op, Op::Neuron(_)) && Some(*id) != counted);
        let mut left: Vec<NodeId> = neurons.map(|(id, _)| id).collect();
        // A pair leaves its readers with one term for two, which may make halves of them.
        loop {
            let before = left.len();
            let mut at = 0;
            while at < left.len() {
                self.grow(&mut left, at, frugal);
                at += 1;
            }
            if left.len() == before {
                return;
            }
        }
    }

    /// Joins all later populations to number `at` that are halves together with it.
    fn grow(&mut self, left: &mut Vec<NodeId>, at: usize, frugal: bool) {
        let a = left[at];
        let mut ends = Ends::all(&self.currents);
        let mut next = at + 1;
        while let Some(&b) = left.get(next) {
            let pair = ends.get(&a).zip(ends.get(&b));
            let pair = pair.filter(|(own, other)| own.are_two() && own.are_those_of(other, [a, b]));
            let nodes = &self.draft.nodes;
            let found = pair.and_then(|(own, _)| {
                let parts = [(a, &nodes[a]), (b, &nodes[b])];
                whole(&self.draft.tensors, &self.currents, own, parts)
            });
            if found.is_some_and(|whole| self.join([a, b], whole, frugal)) {
                left.remove(next);
                ends = Ends::all(&self.currents);
            } else {
                next += 1;
            }
        }
    }

    /// Puts a whole in the place of its parts; `false` if it is `frugal` and would store more.
    fn join(&mut self, [a, b]: [NodeId; 2], whole: Whole, frugal: bool) -> bool {
        let tensors = &self.draft.tensors;
        let mut ledger = self.ledger.clone();
        for (id, current) in &self.currents {
            if *id == b || whole.currents.contains_key(id) {
                ledger.remove(tensors, current);
            }
        }
        for current in whole.currents.values() {
            ledger.add(tensors, current);
        }
        if frugal && ledger.stored() > self.ledger.stored() {
            return false;
        }
        let saved = [Ledger::stored, Ledger::projections]
            .map(|of| of(&self.ledger).saturating_sub(of(&ledger)));
        // What became a whole before is a part of this one now.
        self.folds.iter_mut().filter(|(whole, _)| *whole == b).for_each(|(whole, _)| *whole = a);
        self.folds.push((a, saved));
        self.ledger = ledger;
        let [first, second] = [a, b].map(|id| {
            let node = &self.draft.nodes[id];
            let own = vec![(node.name.clone(), node.shape.size())];
            self.parts.remove(&id).unwrap_or(own)
        });
        self.parts.insert(a, [first, second].concat());
        self.currents.remove(&b);
        self.currents.extend(whole.currents);
        let node = &mut self.draft.nodes[a];
        (node.shape, node.op) = (whole.shape, Op::Neuron(whole.neuron));
        // Without a current it is not written any more.
        self.draft.nodes[b].op = Op::Zero;
        true
    }

    /// Names every whole, and says what was folded into it.
    fn records(&mut self) -> Vec<Fold> {
        let mut folds = Vec::new();
        for (id, parts) in std::mem::take(&mut self.parts) {
            let names: Vec<String> = parts.iter().map(|(name, _)| name.clone()).collect();
            let into = unique(&mut self.names, &name(&names));
            let at = parts.iter().scan(0, |next, (_, size)| {
                *next += size;
                Some(*next - size)
            });
            let at = at.collect();
            let own = self.folds.iter().filter(|(whole, _)| *whole == id);
            let [values, projections] =
                [0, 1].map(|i| own.clone().map(|(_, saved)| saved[i] as u64).sum());
            let fold = Fold::new(FoldKind::Halves, &into, names);
            folds.push(Fold { at, values, projections, ..fold });
            self.draft.nodes[id].name = into;
        }
        folds
    }
}

/// Parts that a name lists; of more, the first and the last.
const LISTED: usize = 4;

/// The name of what consists of these parts.
fn name(parts: &[String]) -> String {
    match parts {
        [first, .., last] if parts.len() > LISTED => format!("{first}+..+{last}"),
        _ => parts.join("+"),
    }
}

/// Drops the tensors that no node uses any more.
fn drop_unused(draft: &mut NetworkDraft) {
    let used = used_tensors(draft);
    let map = retain(&mut draft.tensors, &used);
    for node in draft.nodes.values_mut() {
        for_tensors(&mut node.op, |t| {
            if let Some(new) = map[t.index()] {
                *t = new;
            }
        });
    }
}
