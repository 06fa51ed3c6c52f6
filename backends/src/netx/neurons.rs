//! Parameters of neurons, and which of them a NetX file can hold.

use super::layers::{Array, Neurons};
use snnc_ir::diag::codes::artifact;
use snnc_ir::network::{Coding, Compare};
use snnc_ir::quantized::{IntNeuron, IntReset, PopKind, Population, QuantizedDraft};
use snnc_ir::shape::Shape;
use snnc_ir::{Diagnostic, Param};

/// Largest bias mantissa.
const MAX_BIAS: i32 = 4095;
/// Largest threshold mantissa.
const MAX_THRESHOLD: i32 = 131_071;
/// Units of the membrane per unit of a threshold mantissa, and of a bias mantissa at exponent 6.
const UNIT: i32 = 64;

/// Refuses what no file can say: graded messages, and biases that change from sample to sample.
pub(super) fn no_messages(network: &QuantizedDraft) -> Result<(), Diagnostic> {
    if let Some(relay) = network.populations.values().find(|p| p.graded().is_some()) {
        return Err(Diagnostic::error(
            artifact::NETX_NEURON,
            "NetX neurons send spikes, not graded messages",
        )
        .at(format!("population \"{}\"", relay.name))
        .note("the loader builds Lava's LIF process, which has no graded relay"));
    }
    let direct = |p: &&Population| matches!(p.kind, PopKind::Input(Coding::Direct { .. }));
    if let Some(input) = network.populations.values().find(direct) {
        return Err(Diagnostic::error(
            artifact::NETX_SHAPE,
            "a NetX file has no place for a directly coded input",
        )
        .at(format!("population \"{}\"", input.name))
        .note("the host writes its current to biases, sample by sample; a file holds one bias")
        .help("code the input as spikes: events, an accumulator or a rate"));
    }
    Ok(())
}

/// Whether a file can hold all neurons of the network.
pub(super) fn check(network: &QuantizedDraft) -> Result<(), Diagnostic> {
    network.populations.values().try_for_each(|p| match p.neuron() {
        Some(neuron) => check_population(p, neuron),
        None => Ok(()),
    })
}

fn check_population(population: &Population, neuron: &IntNeuron) -> Result<(), Diagnostic> {
    let refuse = |message: String, note: &str| {
        Err(Diagnostic::error(artifact::NETX_NEURON, message)
            .at(format!("population \"{}\"", population.name))
            .note(note))
    };
    let outside = |param: &Param<i32>, max: i32, min: i32| {
        param.values().iter().copied().find(|v| v % UNIT != 0 || !(min..=max).contains(&(v / UNIT)))
    };
    if matches!(neuron.reset, IntReset::Subtract(_)) {
        return refuse(
            "NetX neurons reset to 0, not by subtraction".to_owned(),
            "the loader builds Lava's LIF process",
        );
    }
    if neuron.floor.is_some() {
        return refuse(
            "NetX neurons have no lowest membrane".to_owned(),
            "the loader builds Lava's LIF process",
        );
    }
    if neuron.update_period != 1 {
        return refuse(
            format!("NetX neurons update in every step, not every {}", neuron.update_period),
            "the loader builds Lava's LIF process",
        );
    }
    if neuron.refractory != 1 {
        return refuse(
            format!("NetX neurons have no refractory period ({} here)", neuron.refractory),
            "the loader ignores `refDelay`",
        );
    }
    if neuron.compare != Compare::Gt {
        return refuse(
            "NetX neurons fire at v > threshold only".to_owned(),
            "the pass `strict-compare` rewrites thresholds",
        );
    }
    if let Some(bias) = outside(&neuron.bias, MAX_BIAS, -MAX_BIAS) {
        return refuse(
            format!("NetX cannot hold the bias {bias}"),
            "the loader fixes the bias exponent at 6: multiples of 64 up to ±4095 · 64",
        );
    }
    if let Some(threshold) = outside(&neuron.threshold, MAX_THRESHOLD, 0) {
        return refuse(
            format!("NetX cannot hold the threshold {threshold}"),
            "expected a multiple of 64 with a mantissa of at most 17 bits",
        );
    }
    if let Some(decay) =
        [&neuron.du, &neuron.dv].into_iter().flat_map(Param::values).find(|&&d| d > 4095)
    {
        return refuse(format!("NetX cannot hold the decay {decay}"), "expected 0 to 4095");
    }
    Ok(())
}

/// The parameters of one population, as a layer of one extent.
pub(super) fn dense(population: &Population, neuron: &IntNeuron) -> Neurons {
    joined(&[(population, neuron)])
}

/// The parameters of several populations one after the other, as a layer of one extent: one value
/// where all neurons agree, else one per neuron. Biases are always one per neuron.
pub(super) fn joined(populations: &[(&Population, &IntNeuron)]) -> Neurons {
    let collect = |value: &dyn Fn(&IntNeuron) -> Param<i32>| -> Vec<i32> {
        populations.iter().flat_map(|(p, n)| value(n).expand(&p.shape)).collect()
    };
    let compact = |values: Vec<i32>| match values.first() {
        Some(&first) if values.iter().all(|&v| v == first) => Array::new(&[], vec![first]),
        _ => Array::new(&[values.len()], values),
    };
    let bias = collect(&bias);
    Neurons {
        current_decay: compact(collect(&current_decay)),
        voltage_decay: compact(collect(&voltage_decay)),
        threshold: compact(collect(&threshold)),
        bias: bias.iter().any(|&b| b != 0).then(|| Array::new(&[bias.len()], bias)),
    }
}

/// The parameters of a population of three extents: one value for all, one per channel (the last
/// axis of Lava's tensors), or all of them in Lava's order.
pub(super) fn convolutional(population: &Population, neuron: &IntNeuron) -> Neurons {
    let shape = &population.shape;
    let bias = match bias(neuron).compact(shape) {
        Param::Uniform(0) => None,
        Param::Uniform(b) => Some(per_channel(vec![b; shape.channels()])),
        other => Some(whc(other, shape)),
    };
    Neurons {
        current_decay: whc(current_decay(neuron).compact(shape), shape),
        voltage_decay: whc(voltage_decay(neuron).compact(shape), shape),
        threshold: whc(threshold(neuron).compact(shape), shape),
        bias,
    }
}

fn current_decay(neuron: &IntNeuron) -> Param<i32> {
    neuron.du.map(|du| i32::from(du) + 1)
}

fn voltage_decay(neuron: &IntNeuron) -> Param<i32> {
    neuron.dv.map(i32::from)
}

fn threshold(neuron: &IntNeuron) -> Param<i32> {
    neuron.threshold.map(|v| v / UNIT)
}

fn bias(neuron: &IntNeuron) -> Param<i32> {
    neuron.bias.map(|v| v / UNIT)
}

fn per_channel(values: Vec<i32>) -> Array {
    Array::new(&[values.len()], values)
}

/// A parameter in Lava's order (width, height, channel).
fn whc(param: Param<i32>, shape: &Shape) -> Array {
    match param {
        Param::Uniform(v) => Array::new(&[], vec![v]),
        Param::PerChannel(v) => per_channel(v),
        Param::PerNeuron(v) => {
            let [channels, height, width] = shape.as_chw().unwrap_or([1, 1, 1]).map(|d| d as usize);
            let mut values = Vec::with_capacity(v.len());
            for x in 0..width {
                for y in 0..height {
                    values.extend((0..channels).map(|c| v[(c * height + y) * width + x]));
                }
            }
            Array::new(&[width, height, channels], values)
        }
    }
}
