//! The discretization that reads a graph back as the network that it came from.

use super::builder::Builder;
use snnc_ir::Network;
use snnc_ir::diag::codes::nir_export as codes;
use snnc_ir::network::discretization::{
    Dialect, IfDialect, Integration, LoopBias, ResetRule, SpikesPerStep, TimeUnit,
};
use snnc_ir::network::neuron::LinearDynamics;
use snnc_ir::network::{Compare, Discretization, Dynamics, Emission, Neuron, Op, Reset};
use snnc_ir::{Diagnostic, Param};

/// What the neurons of a population do, which a graph can say once.
pub(super) type Says = (Compare, ResetRule, SpikesPerStep);

/// What `network` was read with, or else forward Euler in steps of `dt` seconds with what its neurons do.
pub(super) fn of_network(network: &Network, dt: f64, builder: &mut Builder) -> Discretization {
    let neurons = network.nodes.values().filter_map(|node| match &node.op {
        Op::Neuron(neuron) if !is_threshold(neuron) => Some((node.name.as_str(), says(neuron))),
        _ => None,
    });
    let mut delayed = network.nodes.values().flat_map(|n| &n.inputs).filter(|e| e.delay > 0);
    let at_once =
        delayed.clone().count() == 0 || delayed.any(|e| network.nodes[e.source].op.is_population());
    let loop_bias = if at_once { LoopBias::AtOnce } else { LoopBias::Delayed };
    let known = network.discretization.clone().unwrap_or_else(|| euler(dt));
    // sinabs is the only reader that gives neurons a floor.
    let has_floor = |op: &Op| matches!(op, Op::Neuron(n) if n.floor.is_some());
    let bounded = network.nodes.values().any(|node| has_floor(&node.op));
    let dialect = known.dialect.filter(|&d| bounded && d == Dialect::Sinabs);
    Discretization { dialect, loop_bias, ..of(neurons, known, builder) }
}

/// Forward Euler in steps of `dt` seconds.
pub(super) const fn euler(dt: f64) -> Discretization {
    Discretization {
        dialect: None,
        dt: Some(dt),
        time_unit: TimeUnit::Seconds,
        integration: Integration::Euler,
        comparison: Compare::Gt,
        reset: ResetRule::Value,
        spikes_per_step: SpikesPerStep::One,
        if_dialect: IfDialect::Literal,
        loop_bias: LoopBias::AtOnce,
    }
}

/// `known` with what the neurons do. Populations that differ in what one graph can say once are refused.
pub(super) fn of<'a>(
    mut neurons: impl Iterator<Item = (&'a str, Says)>,
    known: Discretization,
    builder: &mut Builder,
) -> Discretization {
    let Some((first, said)) = neurons.next() else { return known };
    for (name, other) in neurons {
        if other != said {
            builder.refuse(
                &format!("node {name}"),
                &format!(
                    "neurons that compare, reset or fire otherwise than those of `{first}`: readers \
                     apply one rule to all"
                ),
                "give all populations one comparison and one reset",
            );
        }
    }
    let (comparison, reset, spikes_per_step) = said;
    // Simulators that were followed round in ways of their own; what is written says the numbers.
    Discretization { dialect: None, comparison, reset, spikes_per_step, ..known }
}

/// Whether a neuron fires where what it reads is above its threshold, and remembers nothing.
pub(super) fn is_threshold(neuron: &Neuron) -> bool {
    let Neuron { dynamics, compare, v_init, refractory, emission, .. } = neuron;
    let forgets = match dynamics {
        Dynamics::Decay(decay) => decay.values().iter().all(|&d| d >= 1.0),
        Dynamics::Linear(linear) => {
            let LinearDynamics { current, keep, gain, drive } = linear;
            let each = |param: &Param<f32>, value: f32| {
                param.values().iter().all(|v| (v - value).abs() <= 0.0)
            };
            current.is_none() && each(keep, 0.0) && each(gain, 1.0) && each(drive, 0.0)
        }
        _ => false,
    };
    forgets
        && *compare == Compare::Gt
        && *emission == Emission::Binary
        && v_init.abs() <= 0.0
        && *refractory == 0
}

fn says(neuron: &Neuron) -> (Compare, ResetRule, SpikesPerStep) {
    let reset = match neuron.reset {
        Reset::To(_) => ResetRule::Value,
        Reset::Subtract => ResetRule::Subtract,
    };
    let spikes = match neuron.emission {
        Emission::Several => SpikesPerStep::Several,
        Emission::Binary | Emission::Burst { .. } => SpikesPerStep::One,
    };
    (neuron.compare, reset, spikes)
}

/// Says how the graph is to be read.
pub(super) fn reading(choices: &Discretization, builder: &mut Builder) {
    let Discretization { integration, comparison, reset, spikes_per_step, .. } = choices;
    let reset = match reset {
        ResetRule::Subtract => "subtracts the threshold",
        ResetRule::Value | ResetRule::Zero => "sets the membrane to `v_reset`",
    };
    let compare = match comparison {
        Compare::Gt => "above",
        Compare::Ge => "at or above",
    };
    let text = format!(
        "the file does not say what its readers have to do: steps of {:?}{}, {}, firing {compare} the threshold \
         {} a step, a spike {reset}",
        choices.step(),
        match choices.time_unit {
            TimeUnit::Seconds => " s",
            TimeUnit::Milliseconds => " ms",
            TimeUnit::Steps => "",
        },
        match integration {
            Integration::Euler => "forward Euler",
            Integration::Exponential => "exponential decay",
            Integration::ExponentialUnit => "exponential decay of what is added unscaled",
        },
        match spikes_per_step {
            SpikesPerStep::One => "once",
            SpikesPerStep::Several => "several times",
        },
    );
    builder.found.push(
        Diagnostic::note_only(codes::EXPORT_READING, text)
            .note("`snnc` finds it in the graph's metadata"),
    );
}
