//! Registers that the loader chooses, which a target need not have.
//!
//! A file names no exponents. The loader gives every bias one, and weights the one by which it shifts
//! them ([`loader`]), whatever those of the program are.

use super::layers::{Compute, Layer, Synapses};
use super::{Plan, loader};
use snnc_ir::diag::Code;
use snnc_ir::diag::codes::artifact;
use snnc_ir::{Diagnostic, TargetSpec};

/// Exponent of all biases that are not 0.
const BIAS_EXPONENT: i64 = 6;

/// Refuses what the loader would put into a register that the target does not have.
pub(super) fn check(plan: &Plan, target: &TargetSpec) -> Result<(), Diagnostic> {
    for (index, layer) in plan.layers.iter().enumerate() {
        let Layer::Compute(layer) = layer else { continue };
        let populations = plan.layout.populations.iter().filter(|part| part.layer == index);
        let names: Vec<_> = populations.map(|part| format!("\"{}\"", part.population)).collect();
        weights(layer, target).and_then(|()| biases(layer, target)).map_err(|why| {
            why.at(format!("layer {index}, which holds population {}", names.join(", ")))
        })?;
    }
    Ok(())
}

fn weights(layer: &Compute, target: &TargetSpec) -> Result<(), Diagnostic> {
    let (weight, recurrent) = match &layer.synapses {
        Synapses::Dense { weight, recurrent, .. } => (weight, recurrent.as_ref()),
        Synapses::Conv { weight, .. } => (weight, None),
    };
    let matrices: Vec<&[i32]> =
        [weight].into_iter().chain(recurrent).map(|array| &array.values[..]).collect();
    // What the loader damages was refused before.
    let exponent = loader::keeps(&matrices).map_or(0, |shift| -i64::from(shift));
    if exponent >= target.min_weight_exponent.value {
        return Ok(());
    }
    Err(beyond(
        artifact::NETX_WEIGHT,
        format!("the loader would store the weights with exponent {exponent}"),
        ("min_weight_exponent", target.min_weight_exponent.to_string()),
        target,
    ))
}

fn biases(layer: &Compute, target: &TargetSpec) -> Result<(), Diagnostic> {
    let biases = layer.neurons.bias.iter().flat_map(|bias| &bias.values);
    let Some(largest) = biases.copied().map(i32::abs).max().filter(|&b| b > 0) else {
        return Ok(());
    };
    let (mantissa, exponent) = (&target.max_bias_mantissa, &target.max_bias_exponent);
    if i64::from(largest) > mantissa.value {
        let message =
            format!("the mantissa of a bias would be ±{largest} at the loader's exponent");
        let limit = ("max_bias_mantissa", mantissa.to_string());
        return Err(beyond(artifact::NETX_NEURON, message, limit, target));
    }
    if BIAS_EXPONENT > exponent.value {
        let message = format!("the loader would store biases with exponent {BIAS_EXPONENT}");
        let limit = ("max_bias_exponent", exponent.to_string());
        return Err(beyond(artifact::NETX_NEURON, message, limit, target));
    }
    Ok(())
}

fn beyond(
    code: Code,
    message: String,
    (name, limit): (&str, String),
    target: &TargetSpec,
) -> Diagnostic {
    Diagnostic::error(code, message)
        .note(format!("{}: {name} = {limit}", target.file))
        .note("a NetX file names no exponents, and the loader chooses others than the program has")
}
