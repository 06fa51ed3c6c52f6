//! Puts populations, projections, shared matrices and biases from the host together.

use super::canonical::Term;
use super::fit::Fitted;
use super::member::Member;
use super::{matrix, remarks};
use snnc_ir::arena::{Arena, MatId, NodeId, PopId, TensorId};
use snnc_ir::network::{NetworkDraft, Op, Tensor};
use snnc_ir::quantized::{
    HostBias, IntMatrix, IntReadout, PopKind, Population, Projection, QuantizedDraft, Role, Time,
};
use snnc_ir::{Diagnostics, Entity};
use std::collections::BTreeMap;

/// Population of each node that has one: inputs, neurons and clips, in the order of nodes.
pub(super) fn pop_ids(network: &NetworkDraft) -> BTreeMap<NodeId, PopId> {
    let has_one = |op: &Op| op.is_population() || matches!(op, Op::Clip(_));
    let nodes = network.nodes.iter().filter(|(_, n)| has_one(&n.op));
    nodes.enumerate().map(|(i, (id, _))| (id, PopId::new(i))).collect()
}

/// Builds the integer network of populations that all have their integers.
pub(super) fn assemble(
    network: &NetworkDraft,
    members: &[Member<'_>],
    fitted: &[Fitted],
    readout: IntReadout,
    out: &mut Diagnostics,
) -> QuantizedDraft {
    let ids = pop_ids(network);
    let planned: BTreeMap<NodeId, (&Member<'_>, &Fitted)> = members
        .iter()
        .zip(fitted)
        .map(|(member, fitted)| (member.node, (member, fitted)))
        .collect();
    let mut populations = Arena::new();
    let mut projections = Arena::new();
    let mut host = Vec::new();
    let mut store = Store::default();
    for (&node_id, &target) in &ids {
        let node = &network.nodes[node_id];
        let kind = match (&node.op, planned.get(&node_id)) {
            (Op::Input(coding), _) => PopKind::Input(coding.clone()),
            (_, Some(&(member, fitted))) => {
                for (term, factor) in terms(member, fitted) {
                    let tensor = &network.tensors[term.weight];
                    let (matrix, fresh) = store.intern(tensor, term, factor);
                    if fresh && vanishes(&store.matrices[matrix], tensor) {
                        out.push(remarks::vanished(&tensor.name, member.name));
                    }
                    let (source, delay) = (ids[&term.source], term.delay);
                    projections.push(Projection { source, target, matrix, delay });
                }
                for sample in &member.samples {
                    host.push(HostBias {
                        input: ids[&sample.input],
                        target,
                        structure: sample.structure.clone(),
                        weights: sample.weights.clone(),
                        scale: fitted.scale,
                    });
                }
                let Fitted { scale, rounded, limited_by, .. } = fitted;
                out.push(remarks::scale(member, *scale, limited_by, &rounded.range));
                rounded.kind.clone()
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

/// The projections into a population in the order of its current, with the factors of their weights.
fn terms<'a>(member: &'a Member<'_>, fitted: &'a Fitted) -> Vec<(&'a Term, f64)> {
    let spikes = member.spikes.iter().map(|term| (term, fitted.scale));
    let messages = member.messages.iter().zip(&fitted.factors).map(|(m, &f)| (&m.term, f));
    let mut terms: Vec<_> = spikes.chain(messages).collect();
    terms.sort_by_key(|(term, _)| term.place);
    terms
}

/// The integer matrices made so far; a tensor with one factor and layout is quantized once.
#[derive(Default)]
struct Store {
    matrices: Arena<MatId, IntMatrix>,
    known: BTreeMap<(TensorId, u64), Vec<MatId>>,
}

impl Store {
    /// The matrix of `term` with this factor, and whether it is new.
    fn intern(&mut self, tensor: &Tensor, term: &Term, factor: f64) -> (MatId, bool) {
        let structure = &term.structure;
        let same = self.known.entry((term.weight, factor.to_bits())).or_default();
        if let Some(&id) = same.iter().find(|&&m| self.matrices[m].structure == *structure) {
            return (id, false);
        }
        let id = self.matrices.push(matrix::matrix(
            tensor,
            structure.clone(),
            matrix::Weights::finest(&tensor.data, factor, matrix::SCHEME),
            8,
            "",
        ));
        same.push(id);
        (id, true)
    }
}

fn vanishes(matrix: &IntMatrix, tensor: &Tensor) -> bool {
    matrix.mantissa.iter().all(|&m| m == 0) && tensor.data.iter().any(|w| w.abs() > 0.0)
}
