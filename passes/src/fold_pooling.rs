//! `fold-pooling`: average pooling becomes part of a linear operation (class: real-exact).
//!
//! The average of spikes is linear, so a pooling is a depthwise convolution with weights `1/k²`, and
//! a linear operation that reads it can read the pooling's source directly:
//!
//! * `linear` after a pooling (flattened or not) becomes a larger `linear`;
//! * `conv2d` after a pooling becomes a `conv2d` with a larger kernel and stride wherever that is
//!   exact (see below);
//! * any other pooling becomes the depthwise convolution itself, or, where `exclude_pad` divides
//!   border cells by fewer, a `linear`.
//!
//! `conv2d ∘ avgpool` is a convolution unless the padding of the convolution stands for cells of
//! the pooling that, continued beyond its output, would see input that other cells need: windows
//! that overlap or are padded. (Rows that the pooling drops are cropped.) `lower-currents`
//! multiplies those out.
//!
//! ```text
//! // before
//! node1 "p" [1, 2, 2] = avgpool(node0) window [1, 4, 4] to 1 kernel [2, 2] stride [2, 2] …
//! node2 "f" [4] = flatten(node1)
//! node3 "y" [1] = linear(node2) weight tensor0
//! // after: tensor1 is "w.pool", [1, 16]
//! node1 "y" [1] = linear(node0) weight tensor1
//! ```
//!
//! Complexity: O(size of the new weights · pooled cells).

use crate::framework::{Class, Context, Pass, PassInfo, Property};
use crate::graph::{add_delays, extents, only_input, reader_counts, remove_newly_unread};
use crate::linear::{Chain, DENSE_LIMIT, LinearOp, Matrix, TooLarge, Weight, join, pointwise};
use crate::tensors::TensorMaker;
use snnc_ir::arena::NodeId;
use snnc_ir::conv::Conv;
use snnc_ir::network::{Edge, Op};
use snnc_ir::{Diagnostic, Diagnostics, Network, NetworkDraft};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct FoldPooling;

static INFO: PassInfo = PassInfo {
    name: "fold-pooling",
    summary: "fold average pooling into linear operations",
    class: Class::RealExact,
    requires: &[Property::GenesLowered],
    establishes: &[Property::PoolingFolded],
    invalidates: &[Property::NodesMerged, Property::DeadRemoved, Property::TensorsShared],
    options: &[],
};

impl Pass for FoldPooling {
    type From = Network;
    type To = Network;

    fn info(&self) -> &'static PassInfo {
        &INFO
    }

    fn run(
        &self,
        mut draft: NetworkDraft,
        _cx: &mut Context<'_>,
    ) -> Result<NetworkDraft, Diagnostics> {
        let readers = reader_counts(&draft);
        let mut tensors = std::mem::take(&mut draft.tensors);
        let mut maker = TensorMaker::new(&mut tensors, INFO.name, "pool");
        let mut errors = Diagnostics::new();
        for id in draft.nodes.ids() {
            if let Err(error) = fold_into(&mut draft, id, &mut maker) {
                errors.push(error);
            }
        }
        remove_newly_unread(&mut draft, &readers);
        for id in draft.nodes.ids() {
            if let Err(error) = stand_alone(&mut draft, id, &mut maker) {
                errors.push(error);
            }
        }
        draft.tensors = tensors;
        errors.into_result(draft)
    }
}

/// Folds every pooling that the linear operation `id` reads into it, one after the other.
fn fold_into(
    draft: &mut NetworkDraft,
    id: NodeId,
    maker: &mut TensorMaker<'_>,
) -> Result<(), Diagnostic> {
    while let Some((pool, input)) = pool_behind(draft, id)? {
        let node = &draft.nodes[id];
        let op = match node.op {
            Op::Linear { weight, bias } => {
                let rows = node.shape.size();
                let weight = Weight::Tensor(weight);
                let outer = LinearOp::Dense(Matrix { weight, rows, cols: pool.rows() });
                let Ok(matrix) = Chain::new(vec![outer, pool]).dense(maker.arena()) else {
                    return Ok(()); // The pooling stays an operation of its own.
                };
                Op::Linear { weight: matrix.tensor(maker, &node.name)?, bias }
            }
            Op::Conv2d { weight, bias, conv } => {
                let outer = LinearOp::Conv { weight: Weight::Tensor(weight), conv };
                let Some(LinearOp::Conv { weight, conv }) = join(maker.arena(), &outer, &pool)
                else {
                    return Ok(());
                };
                Op::Conv2d { weight: weight.kernel(&conv, maker, &node.name)?, bias, conv }
            }
            _ => return Ok(()),
        };
        let node = &mut draft.nodes[id];
        node.op = op;
        node.inputs = vec![input];
    }
    Ok(())
}

/// The pooling that `id` reads, directly or (if `id` is a `linear`) through `flatten` nodes, and
/// the edge that reads the pooling's source instead.
fn pool_behind(draft: &NetworkDraft, id: NodeId) -> Result<Option<(LinearOp, Edge)>, Diagnostic> {
    let node = &draft.nodes[id];
    let flattens = match node.op {
        Op::Linear { .. } => true,
        Op::Conv2d { .. } => false,
        _ => return Ok(None),
    };
    let Some(mut edge) = only_input(draft, id) else { return Ok(None) };
    while flattens && draft.nodes[edge.source].op == Op::Flatten {
        let Some(next) = only_input(draft, edge.source) else { return Ok(None) };
        edge = Edge { delay: add_delays(edge.delay, next.delay, &node.name)?, ..next };
    }
    // A pooling that is too large is reported where it would stand alone.
    let Ok(Some(pool)) = as_linear(draft, edge.source) else { return Ok(None) };
    let Some(input) = only_input(draft, edge.source) else { return Ok(None) };
    let delay = add_delays(edge.delay, input.delay, &node.name)?;
    Ok(Some((pool, Edge { source: input.source, delay })))
}

/// The map that `id` computes, if it is a pooling.
///
/// # Errors
/// If its windows have more cells than a matrix may have values.
fn as_linear(draft: &NetworkDraft, id: NodeId) -> Result<Option<LinearOp>, TooLarge> {
    let (window, exclude_pad) = match draft.nodes[id].op {
        Op::AvgPool { window, exclude_pad } => (window, exclude_pad),
        Op::GlobalAvgPool => {
            let source = only_input(draft, id).map(|e| &draft.nodes[e.source].shape);
            let input = source.map_or([1; 3], extents);
            (Conv { kernel: [input[1], input[2]], ..pointwise(input) }, false)
        }
        _ => return Ok(None),
    };
    let [channels, _, height, width] = window.kernel_shape().map(|d| d as usize);
    let cells = height.saturating_mul(width);
    if channels.saturating_mul(cells) > DENSE_LIMIT {
        return Err(TooLarge { rows: channels, cols: cells });
    }
    Ok(Some(LinearOp::pool(window, exclude_pad)))
}

/// Turns the pooling `id` into a linear operation of its own.
fn stand_alone(
    draft: &mut NetworkDraft,
    id: NodeId,
    maker: &mut TensorMaker<'_>,
) -> Result<(), Diagnostic> {
    let name = &draft.nodes[id].name;
    let Some(pool) = as_linear(draft, id).map_err(|e| e.at(name))? else { return Ok(()) };
    let op = match pool {
        LinearOp::Conv { weight, conv } => {
            let weight = weight.kernel(&conv, maker, name)?;
            Op::Conv2d { weight, bias: None, conv }
        }
        pool => {
            let matrix = pool.into_matrix(maker.arena()).map_err(|e| e.at(name))?;
            Op::Linear { weight: matrix.tensor(maker, name)?, bias: None }
        }
    };
    draft.nodes[id].op = op;
    Ok(())
}
