//! Weights of projections: steps, exponents, and rounding errors.

use serde::Serialize;
use snnc_ir::network::Op;
use snnc_ir::{NetworkDraft, Param, Recipe, Shape};
use snnc_passes::quantize::account::{PopulationAccount, ProjectionAccount};

/// The formula of every weight.
const FORMULA: &str = "rint(weight·scale / 2^exponent)·2^exponent";

/// Weights of one projection.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WeightsExplained {
    /// Name of the source.
    pub source: String,
    /// Logical delay.
    pub delay: u32,
    /// Name of the tensor.
    pub tensor: String,
    /// How a weight is rounded.
    pub formula: &'static str,
    /// Bits of a stored weight.
    pub bits: u8,
    /// Exponent of the step between neighboring weights.
    pub exponent: u8,
    /// Float value of that step (the largest, if scales differ).
    pub step: f64,
    /// Smallest and largest integer weight; `None` where the weights are parts of a chain.
    pub integers: Option<[i64; 2]>,
    /// Weights that are not 0.
    pub weights: usize,
    /// Of these, those that became 0.
    pub zeroed: usize,
    /// Largest |integer / scale − weight|.
    pub largest_error: f64,
    /// Mean of that error over the weights that are not 0; `None` where the weights are parts of a chain.
    pub mean_error: Option<f64>,
}

/// The weights of all projections into a population.
pub(super) fn weights(
    network: &NetworkDraft,
    population: &PopulationAccount,
    recipe: &Recipe,
    scale: &Param<f64>,
    shape: &Shape,
) -> Vec<WeightsExplained> {
    let each = population.projections.iter().map(|found| {
        let decided = recipe.projections.iter().find(|r| {
            r.source == found.source && r.target == population.name && r.nth == found.nth
        });
        let steps = decided.and_then(|d| d.weights.as_deref()).unwrap_or_default();
        let errors = errors(network, found, steps, scale, shape);
        WeightsExplained {
            source: found.source.clone(),
            delay: found.delay,
            tensor: found.tensor.clone(),
            formula: FORMULA,
            bits: found.weight_bits,
            exponent: found.exponent,
            step: found.step,
            integers: errors.as_ref().map(|e| e.integers),
            weights: found.weights,
            zeroed: found.zeroed,
            largest_error: found.max_error,
            mean_error: errors.map(|e| e.mean),
        }
    });
    each.collect()
}

struct Errors {
    integers: [i64; 2],
    mean: f64,
}

/// Integers and errors of weights that are stored as the float network has them.
fn errors(
    network: &NetworkDraft,
    found: &ProjectionAccount,
    steps: &[i16],
    scale: &Param<f64>,
    shape: &Shape,
) -> Option<Errors> {
    let (id, tensor) = network.tensors.iter().find(|(_, t)| t.name == found.tensor)?;
    if found.composed.is_some() || tensor.data.len() != steps.len() || steps.is_empty() {
        return None;
    }
    let conv =
        network.nodes.values().any(|n| matches!(n.op, Op::Conv2d { weight, .. } if weight == id));
    let rows = *tensor.shape.0.first()? as usize;
    let row = tensor.data.len() / rows.max(1);
    // Rows of a kernel are channels; the scale is the same for all neurons of one.
    let area = if conv { shape.size() / rows.max(1) } else { 1 };
    let (mut integers, mut sum, mut count) = ([i64::MAX, i64::MIN], 0.0_f64, 0_u32);
    for (i, (&weight, &step)) in tensor.data.iter().zip(steps).enumerate() {
        let integer = i64::from(step) << found.exponent;
        integers = [integers[0].min(integer), integers[1].max(integer)];
        if weight.abs() > 0.0 {
            let s = scale.at((i / row.max(1) * area).min(shape.size() - 1), shape);
            #[expect(clippy::cast_precision_loss, reason = "weights have few bits")]
            let stands_for = integer as f64 / s;
            sum += (stands_for - f64::from(weight)).abs();
            count += 1;
        }
    }
    Some(Errors { integers, mean: if count > 0 { sum / f64::from(count) } else { 0.0 } })
}
