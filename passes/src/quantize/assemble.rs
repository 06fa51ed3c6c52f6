//! Puts populations, projections, shared matrices and biases from the host together.

use super::canonical::Term;
use super::decision::TermDecision;
use super::matrix::{Weights, matrix};
use super::member::Member;
use super::settle::Planned;
use snnc_ir::Entity;
use snnc_ir::arena::{Arena, MatId, NodeId, PopId, TensorId};
use snnc_ir::network::{NetworkDraft, Op, Tensor};
use snnc_ir::quantized::{
    HostBias, IntMatrix, IntReadout, PopKind, Population, Projection, QuantizedDraft, Role, Time,
};
use snnc_ir::recipe::MAX_WEIGHT_BITS;
use std::collections::BTreeMap;

/// Population of each node that has one: inputs, neurons and clips, in the order of nodes.
pub(super) fn pop_ids(network: &NetworkDraft) -> BTreeMap<NodeId, PopId> {
    let has_one = |op: &Op| op.is_population() || matches!(op, Op::Relay(_));
    let nodes = network.nodes.iter().filter(|(_, n)| has_one(&n.op));
    nodes.enumerate().map(|(i, (id, _))| (id, PopId::new(i))).collect()
}

/// Builds the integer network of populations that all have their integers.
pub(super) fn assemble(
    network: &NetworkDraft,
    members: &[Member<'_>],
    planned: &[Planned],
    readout: IntReadout,
) -> QuantizedDraft {
    let ids = pop_ids(network);
    let by_node: BTreeMap<NodeId, (&Member<'_>, &Planned)> =
        members.iter().zip(planned).map(|(m, planned)| (m.node, (m, planned))).collect();
    let mut populations = Arena::new();
    let mut projections = Arena::new();
    let mut host = Vec::new();
    let mut store = Store::default();
    for (&node_id, &target) in &ids {
        let node = &network.nodes[node_id];
        let kind = match (&node.op, by_node.get(&node_id)) {
            (Op::Input(coding), _) => PopKind::Input(coding.clone()),
            (_, Some(&(member, planned))) => {
                for stored in terms(member, planned) {
                    let Term { source, delay, .. } = *stored.term;
                    let source = ids[&source];
                    for matrix in store.matrices_of(&network.tensors[stored.term.weight], &stored) {
                        projections.push(Projection { source, target, matrix, delay });
                    }
                }
                for sample in &member.samples {
                    host.push(HostBias {
                        input: ids[&sample.input],
                        target,
                        structure: sample.structure.clone(),
                        weights: sample.weights.clone(),
                        // One for all neurons, as `grain` asks.
                        scale: planned.decision.scale.at(0, member.shape),
                    });
                }
                planned.integers.kind.clone()
            }
            // Every population without integers was reported, and then nothing is assembled.
            (_, None) => continue,
        };
        let (name, shape) = (node.name.clone(), node.shape.clone());
        populations.push(Population { name, shape, role: Role::Logical, kind });
    }
    QuantizedDraft {
        name: network.name.clone(),
        steps: network.steps,
        time: Time::Logical,
        populations,
        projections,
        matrices: store.matrices,
        host,
        readout,
    }
}

/// A projection as it is stored.
pub(super) struct Stored<'a> {
    pub term: &'a Term,
    pub weights: &'a Weights,
    pub bits: u8,
    pub split: bool,
}

/// The projections into a population in the order of its current.
pub(super) fn terms<'a>(member: &'a Member<'_>, planned: &'a Planned) -> Vec<Stored<'a>> {
    let spikes = member.spikes.iter().zip(&planned.integers.weights).zip(&planned.decision.terms);
    let spikes = spikes.map(|((term, weights), decided)| {
        let TermDecision { bits, split, .. } = *decided;
        Stored { term, weights, bits, split }
    });
    let messages = member.messages.iter().zip(&planned.messages).map(|(message, weights)| Stored {
        term: &message.term,
        weights,
        bits: MAX_WEIGHT_BITS,
        split: false,
    });
    let mut terms: Vec<_> = spikes.chain(messages).collect();
    terms.sort_by_key(|stored| stored.term.place);
    terms
}

/// The integer matrices made so far; equal integers of one tensor are stored once.
#[derive(Default)]
struct Store {
    matrices: Arena<MatId, IntMatrix>,
    known: BTreeMap<TensorId, Vec<MatId>>,
}

impl Store {
    /// The matrices of a projection: two if its signs are stored apart, and both occur.
    fn matrices_of(&mut self, tensor: &Tensor, stored: &Stored<'_>) -> Vec<MatId> {
        let Stored { term, weights: Weights { units, shift }, bits, split } = *stored;
        let any = |sign: i16| units.iter().any(|q| q * sign > 0);
        let mut add = |units: Vec<i16>, part| {
            let structure = term.structure.clone();
            let weights = Weights { units, shift: *shift };
            self.intern(term.weight, matrix(tensor, structure, weights, bits, part))
        };
        if split && any(1) && any(-1) {
            let positive = units.iter().map(|q| *q.max(&0)).collect();
            let negative = units.iter().map(|q| *q.min(&0)).collect();
            vec![add(positive, "+"), add(negative, "-")]
        } else {
            vec![add(units.clone(), "")]
        }
    }

    fn intern(&mut self, tensor: TensorId, matrix: IntMatrix) -> MatId {
        let same = self.known.entry(tensor).or_default();
        if let Some(&id) = same.iter().find(|&&id| self.matrices[id] == matrix) {
            return id;
        }
        let id = self.matrices.push(matrix);
        same.push(id);
        id
    }
}
