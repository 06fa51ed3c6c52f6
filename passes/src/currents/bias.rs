//! Finds the operation that carries the bias of a current.

use super::{Bias, Term};
use crate::graph::extents;
use crate::linear::LinearOp;
use crate::tensors::{TensorMaker, round};
use snnc_ir::arena::TensorId;
use snnc_ir::{Diagnostic, Shape};

/// Where a bias went.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    /// The term that carries it; `None` if an operation of its own has to.
    pub term: Option<usize>,
    /// Its tensor.
    pub tensor: TensorId,
}

/// Puts `bias` on one of `terms`, whose sum has shape `shape`. `None` if all its values are 0.
///
/// The term that carried it before is preferred, then matrices (one value per element), then
/// convolutions (one value per channel, if that is all there is). As a last resort the bias gets an
/// operation of its own.
///
/// # Errors
/// `SNN0363` if a value overflows.
pub(super) fn place(
    bias: &Bias,
    terms: &[Term],
    shape: &Shape,
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
    let data = match term.map(|t| &terms[t].op) {
        Some(LinearOp::Conv { conv, .. }) => {
            per_channel(&values, conv.out_channels).unwrap_or(values)
        }
        _ => values,
    };
    let len = Shape::flat(u32::try_from(data.len()).unwrap_or(u32::MAX));
    let tensor = maker.derive(&bias.from, &format!("{name}.bias"), len, data)?;
    Ok(Some(Placed { term, tensor }))
}

/// One value per channel, if the elements of each channel agree.
fn per_channel(values: &[f32], channels: u32) -> Option<Vec<f32>> {
    let area = values.len() / (channels as usize).max(1);
    let channels = values.chunks(area.max(1));
    let same = |c: &[f32]| c.iter().all(|v| v.to_bits() == c[0].to_bits());
    channels.map(|c| same(c).then(|| c[0])).collect()
}
