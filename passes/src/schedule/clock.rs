//! Bias gating: clock neurons carry the biases of populations that must not start at step 0.
//!
//! The head of the clock fires on its own: for P = 1 its static bias exceeds its threshold in every
//! step; for P > 1 it counts to P without leak. Later starts are synaptic delays of its spikes, or
//! relays of the head. A clock has as many *lanes* (neurons that fire together) as the largest bias
//! needs weights of at most [`MAX_WEIGHT`] units.

use super::relay::{NEURON_WEIGHT, relay_matrix, relay_neuron};
use super::{Builder, must_gate};
use crate::quantize::matrix::{MAX_WEIGHT, derived};
use snnc_ir::arena::PopId;
use snnc_ir::diag::codes;
use snnc_ir::quantized::{IntNeuron, PopKind, Population, Projection, Role, Structure};
use snnc_ir::{Diagnostic, Diagnostics, Entity, Param, Shape, TargetSpec};

/// Replaces static biases by clock spikes wherever the register would act too early.
pub(super) fn gate_biases(builder: &mut Builder, target: &TargetSpec, errors: &mut Diagnostics) {
    let late: Vec<PopId> =
        builder.draft.populations.ids().filter(|&id| starts_late(builder, id)).collect();
    let mut gated: Vec<(PopId, Vec<i16>)> = Vec::new();
    for id in late {
        let population = &builder.draft.populations[id];
        if population.neuron().is_some_and(|n| n.du.values().iter().any(|&du| du != 4095)) {
            errors.push(smeared_bias(&population.name));
            continue;
        }
        match take_bias(&mut builder.draft.populations[id]) {
            Ok(units) => gated.push((id, units)),
            Err(bias) => errors.push(fine_bias(&builder.draft.populations[id].name, bias)),
        }
    }
    let lanes = gated.iter().flat_map(|(_, units)| units).map(|u| lanes_for(*u)).max().unwrap_or(0);
    if lanes == 0 {
        return;
    }
    if i64::from(builder.period) - 1 > target.max_threshold.value {
        errors.push(
            Diagnostic::error(
                codes::mapping::CLOCK_THRESHOLD,
                format!("a clock neuron cannot count to {}", builder.period),
            )
            .note(format!("{}: max_threshold = {}", target.file, target.max_threshold))
            .help("put a delay of one step on every projection of the loop that sets the period"),
        );
        return;
    }
    let mut chain = vec![head(builder, lanes)];
    for (id, units) in gated {
        carry(builder, &mut chain, id, &units, lanes);
    }
}

/// Whether the static register of `id` would act in a step in which it must not.
fn starts_late(builder: &Builder, id: PopId) -> bool {
    let latency = builder.latency[id.index()];
    (builder.period > 1 || latency > 0)
        && must_gate(&builder.draft.populations[id], builder.period, latency)
}

/// Clears the static bias; returns it per neuron in weight units, or the first bias that spikes
/// cannot carry.
fn take_bias(population: &mut Population) -> Result<Vec<i16>, i32> {
    let shape = population.shape.clone();
    // A relay's bias is in units of weight, a neuron's in units of the membrane.
    let (bias, unit) = match &mut population.kind {
        PopKind::Input(_) => return Ok(vec![]),
        PopKind::Neurons(neuron) => (&mut neuron.bias, 64),
        PopKind::Graded(graded) => (&mut graded.bias, 1),
    };
    let units =
        |b: i32| if b % unit == 0 { i16::try_from(b / unit).map_err(|_| b) } else { Err(b) };
    let carried = bias.expand(&shape).into_iter().map(units).collect::<Result<_, _>>()?;
    *bias = Param::Uniform(0);
    Ok(carried)
}

fn smeared_bias(name: &str) -> Diagnostic {
    Diagnostic::error(
        codes::mapping::SMEARED_BIAS,
        format!("population `{name}` has a bias that must start late, and a current with memory"),
    )
    .at(format!("population `{name}`"))
    .note("clock spikes carry late biases through the current; one with memory (du < 4095) would spread them over steps")
    .help("give the projections into this population a delay of one step each, so that its bias may start at step 0")
}

fn fine_bias(name: &str, bias: i32) -> Diagnostic {
    Diagnostic::error(
        codes::mapping::FINE_BIAS,
        format!("a bias of {bias} of population `{name}` cannot be carried by spikes"),
    )
    .at(format!("population `{name}`"))
    .note("the population starts after step 0, so clock spikes carry its bias, in units of weight (64 units of a membrane, 1 of a message) up to 32767")
    .help("use a bias that is a multiple of 64, or 1 for relays (`quantize` makes such biases)")
}

/// Weights of at most [`MAX_WEIGHT`] that a bias of `units` takes.
const fn lanes_for(units: i16) -> u32 {
    (units.unsigned_abs() as u32).div_ceil(MAX_WEIGHT as u32)
}

/// Adds the neurons that fire on their own: first at step P − 1, then every P steps.
fn head(builder: &mut Builder, lanes: u32) -> PopId {
    let period = i32::try_from(builder.period).expect("checked against the threshold register");
    let (dv, threshold, bias) =
        if period == 1 { (4095, 64, 128) } else { (0, 64 * (period - 1), 64) };
    let neuron = IntNeuron {
        dv: Param::Uniform(dv),
        threshold: Param::Uniform(threshold),
        bias: Param::Uniform(bias),
        ..relay_neuron()
    };
    add(builder, neuron, lanes, builder.period - 1)
}

fn add(builder: &mut Builder, neuron: IntNeuron, lanes: u32, latency: u32) -> PopId {
    let name = builder.free_name(format!("clock@{latency}"));
    let population = Population {
        name,
        shape: Shape::flat(lanes),
        role: Role::Clock,
        kind: PopKind::Neurons(neuron),
    };
    builder.clocks += lanes as usize;
    builder.add_population(population, latency)
}

/// Delivers the bias of `target` from its first step on, once per logical step.
fn carry(builder: &mut Builder, chain: &mut Vec<PopId>, target: PopId, units: &[i16], lanes: u32) {
    let start = builder.latency[target.index()];
    let first = builder.latency[chain[0].index()];
    // The schedule leaves room for at least one step between the head's first spike and `start`.
    let steps = start - first;
    let hops = (steps - 1).saturating_sub(builder.max_delay);
    while chain.len() <= hops as usize {
        let before = chain[chain.len() - 1];
        let latency = builder.latency[before.index()] + 1;
        let next = add(builder, relay_neuron(), lanes, latency);
        let matrix = relay_matrix(builder, lanes as usize, NEURON_WEIGHT);
        builder.draft.projections.push(Projection {
            source: before,
            target: next,
            matrix,
            delay: 1,
        });
        chain.push(next);
    }
    let weights = units
        .iter()
        .flat_map(|&bias| {
            let mut rest = bias;
            (0..lanes).map(move |_| {
                let part = rest.clamp(-MAX_WEIGHT, MAX_WEIGHT);
                rest -= part;
                part
            })
        })
        .collect();
    let name = builder.draft.populations[target].name.clone();
    let rows = u32::try_from(units.len()).expect("a population has fewer than 2^32 neurons");
    let structure = Structure::Dense { rows, cols: lanes };
    let matrix = derived(format!("{name}.bias"), structure, weights, "schedule", vec![]);
    let matrix = builder.intern(matrix);
    let source = chain[hops as usize];
    builder.draft.projections.push(Projection { source, target, matrix, delay: steps - hops });
}
