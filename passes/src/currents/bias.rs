//! Finds the operation that carries the bias of a current.

use super::{Bias, Term};
use crate::graph::extents;
use crate::linear::LinearOp;
use crate::tensors::{TensorMaker, round};
use snnc_ir::arena::TensorId;
use snnc_ir::diag::codes::network;
use snnc_ir::{Diagnostic, Shape};

/// Where a bias went.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    /// The term that carries it.
    pub term: usize,
    /// Its tensor.
    pub tensor: TensorId,
    /// The shape that the population has to take, if the bias is one per channel of a convolution
    /// whose output had been flattened.
    pub reshape: Option<Shape>,
}

/// Puts `bias` on one of `terms`, whose sum has shape `shape`. `None` if all its values are 0.
///
/// The term that carried it before is preferred, then matrices (one value per element), then
/// convolutions (one value per channel, if that is all there is). If `reshapable`, a vector may
/// become the output of its convolutions. As a last resort the smallest convolution becomes a
/// matrix.
///
/// # Errors
/// `SNN0364` if no term can carry it, `SNN0363` if a value overflows.
pub(super) fn place(
    bias: &Bias,
    terms: &mut [Term],
    shape: &Shape,
    reshapable: bool,
    maker: &mut TensorMaker<'_>,
    name: &str,
) -> Result<Option<Placed>, Diagnostic> {
    let values: Vec<f32> = bias.values.iter().map(|&v| round(v)).collect();
    if values.iter().all(|v| v.abs() <= 0.0) {
        return Ok(None);
    }
    let fits = |term: &Term| match &term.op {
        LinearOp::Conv { conv, .. } => {
            conv.output() == Some(extents(shape))
                && per_channel(&values, conv.out_channels).is_some()
        }
        _ => true,
    };
    let is_matrix = |term: &Term| !matches!(term.op, LinearOp::Conv { .. });
    let home = terms.get(bias.home).filter(|t| fits(t)).map(|_| bias.home);
    let term =
        home.or_else(|| terms.iter().position(is_matrix)).or_else(|| terms.iter().position(fits));
    let mut reshape = None;
    let term = match (term, flattened(terms, &values).filter(|_| reshapable)) {
        (Some(term), _) => term,
        (None, Some(output)) => {
            reshape = Some(output);
            bias.home.min(terms.len() - 1)
        }
        (None, None) => expand_smallest(terms, maker, name)?,
    };
    let data = match &terms[term].op {
        LinearOp::Conv { conv, .. } => per_channel(&values, conv.out_channels).unwrap_or(values),
        _ => values,
    };
    let len = Shape::flat(u32::try_from(data.len()).unwrap_or(u32::MAX));
    let tensor = maker.derive(&bias.from, &format!("{name}.bias"), len, data)?;
    Ok(Some(Placed { term, tensor, reshape }))
}

/// One value per channel, if the elements of each channel agree.
fn per_channel(values: &[f32], channels: u32) -> Option<Vec<f32>> {
    let area = values.len() / (channels as usize).max(1);
    let channels = values.chunks(area.max(1));
    let same = |c: &[f32]| c.iter().all(|v| v.to_bits() == c[0].to_bits());
    channels.map(|c| same(c).then(|| c[0])).collect()
}

/// The common output of the terms, if all are convolutions and `values` has one value per channel.
fn flattened(terms: &[Term], values: &[f32]) -> Option<Shape> {
    let mut outputs = terms.iter().map(|t| match &t.op {
        LinearOp::Conv { conv, .. } => conv.output(),
        _ => None,
    });
    let output = outputs.next().flatten()?;
    let same = outputs.all(|o| o == Some(output)) && per_channel(values, output[0]).is_some();
    same.then(|| Shape(output.to_vec()))
}

/// Turns the term with the smallest source into a matrix.
fn expand_smallest(
    terms: &mut [Term],
    maker: &TensorMaker<'_>,
    name: &str,
) -> Result<usize, Diagnostic> {
    let smallest = (0..terms.len()).min_by_key(|&i| terms[i].op.cols()).unwrap_or(0);
    let matrix = terms[smallest].op.clone().into_matrix(maker.arena()).map_err(|size| {
        Diagnostic::error(
            network::BIAS_UNPLACED,
            format!("the biases of `{name}` differ within a channel"),
        )
        .at(format!("node `{name}`"))
        .note(format!(
            "no convolution carries such a bias, and a matrix of {} x {} values is too large",
            size.rows, size.cols
        ))
        .help("remove the padding of the convolution behind the bias, or the bias")
    })?;
    terms[smallest].op = LinearOp::Dense(matrix);
    Ok(smallest)
}
