//! What integers mean in the float network.
//!
//! A weight becomes `(step · 2^exponent) / scale`, a threshold or bias `units / scale`, a decay
//! `register / 4096`, each rounded to f32 once. `None` where the recipe has no entry or one of another
//! size.

use snnc_ir::network::{Node, Op, Tensor};
use snnc_ir::recipe::PopulationRecipe;
use snnc_ir::{Param, Recipe, Shape};

/// The scale of a population, if the recipe has one that fits its shape.
fn scale<'r>(recipe: &'r PopulationRecipe, shape: &Shape) -> Option<&'r Param<f64>> {
    recipe.scale.as_ref().filter(|s| s.len() == s.expected_len(shape))
}

/// What the integer weights of projection number `nth` between two nodes mean; `tensor` holds the float
/// weights of its operation `op`.
pub(super) fn weights(
    recipe: &Recipe,
    [source, target]: [&Node; 2],
    op: &Op,
    tensor: &Tensor,
    nth: u32,
) -> Option<Vec<f32>> {
    let entry = recipe.projection(&source.name, &target.name, nth)?;
    let (steps, exponent) = (entry.weights.as_ref()?, entry.exponent?);
    let scale = scale(recipe.population(&target.name)?, &target.shape)?;
    // A message is a value times the scale of its sender, shifted.
    let sent = match source.op {
        Op::Relay(_) => {
            let relays = recipe.population(&source.name)?;
            match relays.scale.as_ref()? {
                Param::Uniform(scale) => scale / f64::from(relays.shift.unwrap_or(0)).exp2(),
                Param::PerChannel(_) | Param::PerNeuron(_) => return None,
            }
        }
        _ => 1.0,
    };
    let rows = match op {
        Op::Conv2d { conv, .. } => conv.out_channels as usize,
        _ => target.shape.size(),
    };
    if steps.len() != tensor.data.len() || rows == 0 || !steps.len().is_multiple_of(rows) {
        return None;
    }
    let (row, neurons) = (steps.len() / rows, target.shape.size() / rows);
    let unit = f64::from(1_u32.checked_shl(exponent.into())?) * sent;
    let value = |(i, &q): (usize, &i16)| {
        let scale = scale.at(i / row.max(1) * neurons, &target.shape);
        round(f64::from(q) * unit / scale)
    };
    Some(steps.iter().enumerate().map(value).collect())
}

/// What the integer biases of a population mean, one per neuron or per channel.
pub(super) fn biases(recipe: &PopulationRecipe, shape: &Shape, count: usize) -> Option<Vec<f32>> {
    let scale = scale(recipe, shape)?;
    let bias = recipe.bias.as_ref().filter(|b| b.len() == b.expected_len(shape))?;
    let neurons = shape.size() / count.max(1);
    // What makes a shift round to nearest is no bias of the network.
    let half = recipe.shift.filter(|s| *s > 0).map_or(0, |shift| 1_i32 << (shift.min(31) - 1));
    let value = |n: usize| {
        let n = n * neurons;
        round(f64::from(bias.at(n, shape).saturating_sub(half)) / scale.at(n, shape))
    };
    Some((0..count).map(value).collect())
}

/// What the threshold mantissas of a population mean.
pub(super) fn threshold(recipe: &PopulationRecipe, shape: &Shape) -> Option<Param<f32>> {
    let scale = scale(recipe, shape)?;
    let mantissa = recipe.threshold.as_ref().filter(|t| t.len() == t.expected_len(shape))?;
    Some(mantissa.zip(scale, shape, |m, s| round(f64::from(m) / s)))
}

/// What the decay registers of a population mean.
pub(super) fn registers(recipe: &PopulationRecipe, shape: &Shape) -> Option<Param<f32>> {
    let dv = recipe.dv.as_ref().filter(|d| d.len() == d.expected_len(shape))?;
    Some(dv.map(|d| f32::from(d) / 4096.0))
}

#[expect(clippy::cast_possible_truncation, reason = "the float level is f32")]
fn round(value: f64) -> f32 {
    value as f32
}
