//! Reading the canonical form: the current of a node as a sum of projections.

use snnc_ir::arena::{NodeId, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::network::{NetworkDraft, Op};
use snnc_ir::quantized::Structure;

/// One projection of the float network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term {
    /// Population read.
    pub source: NodeId,
    /// Logical delay.
    pub delay: u32,
    /// Weights.
    pub weight: TensorId,
    /// Geometry, if it is a convolution.
    pub conv: Option<Conv>,
}

/// The current of a neuron or of the readout.
#[derive(Clone, Debug, Default)]
pub(crate) struct Current {
    /// Projections.
    pub terms: Vec<Term>,
    /// The one bias.
    pub bias: Option<TensorId>,
}

/// Reads the current of `node`: of the node itself if it is analog, else of its one input.
///
/// `None` if the node is not in canonical form, which the planner's prerequisites exclude.
pub(crate) fn current(network: &NetworkDraft, node: NodeId) -> Option<Current> {
    let root = match &network.nodes[node].op {
        Op::Neuron(_) => match network.nodes[node].inputs.as_slice() {
            [edge] if edge.delay == 0 => edge.source,
            _ => return None,
        },
        _ => node,
    };
    let mut current = Current::default();
    if matches!(network.nodes[root].op, Op::Add) {
        for edge in &network.nodes[root].inputs {
            if edge.delay != 0 {
                return None;
            }
            add_term(network, edge.source, &mut current)?;
        }
    } else {
        add_term(network, root, &mut current)?;
    }
    Some(current)
}

fn add_term(network: &NetworkDraft, node: NodeId, current: &mut Current) -> Option<()> {
    let (weight, bias, conv) = match network.nodes[node].op {
        Op::Linear { weight, bias } => (weight, bias, None),
        Op::Conv2d { weight, bias, conv } => (weight, bias, Some(conv)),
        _ => return None,
    };
    let [edge] = network.nodes[node].inputs.as_slice() else { return None };
    if !network.nodes[edge.source].op.is_population() || (bias.is_some() && current.bias.is_some())
    {
        return None;
    }
    current.bias = current.bias.or(bias);
    current.terms.push(Term { source: edge.source, delay: edge.delay, weight, conv });
    Some(())
}

/// Layout of the integer matrix of a term.
pub(crate) fn structure(network: &NetworkDraft, term: &Term) -> Structure {
    if let Some(conv) = term.conv {
        return Structure::Conv(conv);
    }
    let extents = &network.tensors[term.weight].shape.0;
    Structure::Dense { rows: extents[0], cols: extents[1] }
}
