//! The population that fires in every step, from step 0 on: one neuron that all who need it share.
//!
//! A weight on its spikes is a bias that may start late (behind a delay), or that enters a current with
//! memory like everything else that arrives.

use super::{Bias, Current, Term, read};
use crate::linear::{LinearOp, Matrix, Weight};
use crate::tensors::unique;
use snnc_ir::arena::NodeId;
use snnc_ir::network::{Dynamics, NetworkDraft, Neuron, Node, Op};
use snnc_ir::{Param, Shape};
use std::collections::BTreeMap;

/// Name of the population.
const NAME: &str = "always";

/// Its bias.
const DRIVE: f64 = 1.0;

/// Its model: `H = 1 > 1/2` in every step, and 0 after it.
const fn model() -> Neuron {
    Neuron::plain(Dynamics::Integrate, Param::Uniform(0.5))
}

/// Whether node `id` is such a population.
pub(crate) fn is_always_on(draft: &NetworkDraft, id: NodeId) -> bool {
    let node = &draft.nodes[id];
    let is_model = node.shape == Shape::flat(1)
        && matches!(&node.op, Op::Neuron(neuron) if *neuron == model());
    is_model
        && read(draft, id).is_ok_and(|current| {
            let bias = current.bias.map_or(0.0, |b| b.values.iter().sum());
            current.terms.is_empty() && bias == DRIVE
        })
}

/// The population of `draft` that fires in every step; a new one, with its current, if there is none.
pub(crate) fn always_on(
    draft: &mut NetworkDraft,
    currents: &mut BTreeMap<NodeId, Current>,
) -> NodeId {
    if let Some(known) = draft.nodes.ids().find(|&id| is_always_on(draft, id)) {
        return known;
    }
    let mut names = draft.nodes.values().map(|n| n.name.clone()).collect();
    let name = unique(&mut names, NAME);
    let (op, inputs) = (Op::Neuron(model()), Vec::new());
    let id = draft.nodes.push(Node { name, op, inputs, shape: Shape::flat(1) });
    let bias = Bias { values: vec![DRIVE], from: Vec::new(), home: usize::MAX };
    let current = Current { terms: Vec::new(), bias: Some(bias), name: None };
    currents.insert(id, current);
    id
}

/// The projection from `source`, a population that fires in every step, that acts as `bias` from step
/// `delay` on.
pub(crate) fn term(source: NodeId, delay: u32, bias: Bias) -> Term {
    let rows = bias.values.len();
    let weight = Weight::Made { data: bias.values, from: bias.from };
    let op = LinearOp::Dense(Matrix { weight, rows, cols: 1 });
    Term { source, delay, op, name: None }
}
