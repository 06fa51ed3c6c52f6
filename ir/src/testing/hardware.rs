//! Builds integer networks in hardware time.

use super::Space;
use super::draw::Draw;
use super::quantized::{self, matrix};
use crate::arena::{Entity, PopId};
use crate::network::{Coding, Compare, UpdateOrder};
use crate::param::Param;
use crate::quantized::{
    Graded, IntMatrix, IntNeuron, IntReset, PopKind, Population, Projection, QuantizedDraft, Role,
    Schedule, Structure, Time,
};
use crate::shape::Shape;

/// Builds a network in logical time and gives it any schedule that holds: latencies at will, then the
/// smallest delays of at least 1 that fit. Logical delays grow where that needs more time, so the
/// network is valid, but not the schedule of the logical one.
pub(super) fn build(draw: &mut Draw, space: Space) -> QuantizedDraft {
    let mut draft = quantized::build(draw, space);
    let drawn = 1 + draw.small(3);
    // What the host writes acts in every step, from the first one on.
    let period = if draft.host.is_empty() { drawn } else { 1 };
    let mut latency: Vec<u32> = draft.populations.ids().map(|_| draw.small(4)).collect();
    for host in &draft.host {
        latency[host.target.index()] = 0;
    }
    for projection in draft.projections.values_mut() {
        let [from, to] = [projection.source, projection.target].map(|p| latency[p.index()]);
        let mut delay = period * projection.delay + to;
        while delay <= from {
            delay += period;
        }
        projection.delay = delay - from;
    }
    for population in draft.populations.values_mut() {
        if let PopKind::Neurons(neuron) = &mut population.kind {
            strict(neuron);
            if space.programmable() && draw.one_in(3) {
                neuron.update_period = period;
            }
        }
    }
    if draw.one_in(2) {
        relays(draw, &mut draft, &mut latency);
    }
    if draw.one_in(2) {
        clock(draw, &mut draft, &mut latency, period);
    }
    draft.time = Time::Hardware(Schedule { period, latency });
    draft
}

/// Rewrites `v >= 64 m + 1` as `v > 64 m`.
fn strict(neuron: &mut IntNeuron) {
    if neuron.compare == Compare::Ge {
        neuron.compare = Compare::Gt;
        neuron.threshold = neuron.threshold.map(|t| t - 1);
    }
}

/// A neuron that fires in the step in which its input arrives.
fn relay_neuron() -> IntNeuron {
    IntNeuron {
        du: Param::Uniform(4095),
        dv: Param::Uniform(4095),
        threshold: Param::Uniform(64),
        compare: Compare::Gt,
        reset: IntReset::Zero,
        bias: Param::Uniform(0),
        refractory: 1,
        order: UpdateOrder::LeakInputFire,
        update_period: 1,
        floor: None,
    }
}

/// Repeats one population once or twice, and lets a population read the end of the chain.
fn relays(draw: &mut Draw, draft: &mut QuantizedDraft, latency: &mut Vec<u32>) {
    let of = PopId::new(draw.below(draft.populations.len()));
    let shape = draft.populations[of].shape.clone();
    let size = shape.0.iter().product();
    // A spiking relay needs a weight above its threshold of 64, a graded one repeats.
    let (kind, exponent) = match &draft.populations[of].kind {
        PopKind::Input(Coding::Direct { .. }) => return,
        PopKind::Graded(graded) => {
            let repeats = Graded { bias: Param::Uniform(0), shift: 0, keep: graded.keep };
            (PopKind::Graded(repeats), -1)
        }
        PopKind::Input(_) | PopKind::Neurons(_) => (PopKind::Neurons(relay_neuron()), 0),
    };
    let identity = matrix("relay", Structure::Identity { size }, vec![2]);
    let identity = draft.matrices.push(IntMatrix { exponent, ..identity });
    let mut source = of;
    for hops in 1..=1 + draw.small(2) {
        let target = draft.populations.push(Population {
            name: format!("{}+{hops}", draft.populations[of].name),
            shape: shape.clone(),
            role: Role::Relay { of, hops },
            kind: kind.clone(),
        });
        latency.push(latency[of.index()] + hops);
        draft.projections.push(Projection { source, target, matrix: identity, delay: 1 });
        source = target;
    }
    // What read the population over a longer delay may read the end of the chain as well.
    let hops = latency[source.index()] - latency[of.index()];
    if let Some(p) = draft.projections.values_mut().find(|p| p.source == of && p.delay > hops) {
        p.source = source;
        p.delay -= hops;
    }
}

/// Adds a clock that fires in steps P − 1, 2P − 1, … and biases a population that starts later.
fn clock(draw: &mut Draw, draft: &mut QuantizedDraft, latency: &mut Vec<u32>, period: u32) {
    let units = i32::try_from(period).map_or(1, |p| p - 1);
    let neuron = if period == 1 {
        IntNeuron { bias: Param::Uniform(128), ..relay_neuron() }
    } else {
        IntNeuron {
            dv: Param::Uniform(0),
            threshold: Param::Uniform(64 * units),
            bias: Param::Uniform(64),
            ..relay_neuron()
        }
    };
    let first = period - 1;
    let late = |(id, p): &(PopId, &Population)| {
        p.role == Role::Logical && p.neuron().is_some() && latency[id.index()] > first
    };
    let target = draft.populations.iter().find(late).map(|(id, _)| id);
    let source = draft.populations.push(Population {
        name: "clock".to_owned(),
        shape: Shape::flat(1),
        role: Role::Clock,
        kind: PopKind::Neurons(neuron),
    });
    if let Some(target) = target {
        let rows = draft.populations[target].shape.0.iter().product();
        let structure = Structure::Dense { rows, cols: 1 };
        let mantissa = (0..rows).map(|_| i16::try_from(2 * draw.signed(9)).unwrap_or(0)).collect();
        let matrix = draft.matrices.push(matrix("bias", structure, mantissa));
        let delay = latency[target.index()] - first;
        draft.projections.push(Projection { source, target, matrix, delay });
    }
    latency.push(first);
}
