//! The current of a node as what quantization needs: tensors, layouts, delays, biases per neuron.

use crate::currents::{not_canonical, read};
use crate::linear::{LinearOp, Weight};
use snnc_ir::Diagnostic;
use snnc_ir::arena::{NodeId, TensorId};
use snnc_ir::network::NetworkDraft;
use snnc_ir::quantized::Structure;
use std::collections::BTreeMap;

/// One projection of the float network.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    /// Position among the terms of its current.
    pub place: usize,
    /// Population or clip read.
    pub source: NodeId,
    /// Logical delay.
    pub delay: u32,
    /// Weights.
    pub weight: TensorId,
    /// Layout of the integer matrix.
    pub structure: Structure,
}

/// Position of each of these terms among those from the same source, in their order; all terms from one
/// source must be among them.
pub(super) fn positions<'t>(terms: impl Iterator<Item = &'t Term>) -> Vec<u32> {
    let mut seen = BTreeMap::new();
    let nth = terms.map(|term| {
        let next = seen.entry(term.source).or_insert(0);
        *next += 1;
        *next - 1
    });
    nth.collect()
}

/// The current of a neuron population, of a clip or of the readout.
#[derive(Clone, Debug, Default)]
pub(crate) struct Current {
    /// Projections.
    pub terms: Vec<Term>,
    /// Bias of every neuron; empty if there is none.
    pub bias: Vec<f64>,
}

/// Reads the canonical current of `node`.
///
/// # Errors
/// `SNN0904` if it is not canonical, which the planner's prerequisites exclude.
pub(crate) fn current(network: &NetworkDraft, node: NodeId) -> Result<Current, Diagnostic> {
    let found = read(network, node)?;
    let mut current = Current::default();
    for term in found.terms {
        let (weight, structure) = match term.op {
            LinearOp::Dense(matrix) => {
                let extent = |n: usize| u32::try_from(n).ok();
                let (Weight::Tensor(weight), Some(rows), Some(cols)) =
                    (matrix.weight, extent(matrix.rows), extent(matrix.cols))
                else {
                    return Err(not_canonical(network, node));
                };
                (weight, Structure::Dense { rows, cols })
            }
            LinearOp::Conv { weight: Weight::Tensor(weight), conv } => {
                (weight, Structure::Conv(conv))
            }
            _ => return Err(not_canonical(network, node)),
        };
        let (source, delay) = (term.source, term.delay);
        let place = current.terms.len();
        current.terms.push(Term { place, source, delay, weight, structure });
    }
    current.bias = found.bias.map_or_else(Vec::new, |b| b.values);
    Ok(current)
}
