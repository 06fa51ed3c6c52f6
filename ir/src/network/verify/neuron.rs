//! Rules of neuron parameters and input codings.

use super::{codes, node_place};
use crate::arena::NodeId;
use crate::check::Params;
use crate::diag::{Diagnostic, Diagnostics};
use crate::network::{
    Coding, Compare, Dynamics, Emission, LinearDynamics, NetworkDraft, Neuron, Reset,
};
use crate::param::Param;

/// Lengths and ranges of the parameters of the population `id`.
pub(super) fn parameters(draft: &NetworkDraft, id: NodeId, neuron: &Neuron, out: &mut Diagnostics) {
    let params = Params {
        place: node_place(draft, id),
        shape: &draft.nodes[id].shape,
        length: codes::PARAM_LENGTH,
        range: codes::PARAM_RANGE,
    };
    match &neuron.dynamics {
        Dynamics::Integrate => {}
        Dynamics::Tau(tau) => {
            let ok = |v: f32| v.is_finite() && v >= 1.0;
            params.check("tau", tau, "a finite number of at least 1", ok, out);
        }
        Dynamics::Decay(decay) => {
            params.check("decay", decay, "a number from 0 to 1", |v| (0.0..=1.0).contains(&v), out);
        }
        Dynamics::Sigmoid(w) => {
            params.check("w", w, "a finite number", f32::is_finite, out);
        }
        Dynamics::Izhikevich { a, b, d } => {
            for (name, value) in [("a", *a), ("b", *b), ("d", *d)] {
                let value = Param::Uniform(value);
                params.check(name, &value, "a finite number", f64::is_finite, out);
            }
        }
        Dynamics::Linear(dynamics) => linear(&params, dynamics, out),
    }
    params.check("threshold", &neuron.threshold, "a finite number above 0", is_positive, out);
    let reset = match neuron.reset {
        Reset::To(value) => Some(("the reset value", value)),
        Reset::Subtract => None,
    };
    for (name, value) in reset.into_iter().chain([("the initial membrane", neuron.v_init)]) {
        if !value.is_finite() {
            out.push(
                Diagnostic::error(codes::PARAM_RANGE, format!("{name} is {value}"))
                    .at(&*params.place)
                    .note("expected a finite number")
                    .help("correct the neuron's parameters in the genome"),
            );
        }
    }
    if let Dynamics::Izhikevich { .. } = neuron.dynamics {
        izhikevich(&params.place, neuron, out);
    }
    if let Some(floor) = &neuron.floor {
        self::floor(&params, neuron, floor, out);
    }
    match neuron.emission {
        Emission::Binary => {}
        Emission::Burst { factor } => burst(&params.place, neuron, factor, out),
        Emission::Several => several(&params.place, neuron, out),
    }
}

fn is_positive(value: f32) -> bool {
    value.is_finite() && value > 0.0
}

/// Coefficients of a linear neuron.
fn linear(params: &Params<'_>, linear: &LinearDynamics, out: &mut Diagnostics) {
    const KEEP: &str = "a number from 0 to 1";
    const GAIN: &str = "a finite number above 0";
    let share = |v: f32| (0.0..=1.0).contains(&v);
    let LinearDynamics { current, keep, gain, drive } = linear;
    if let Some(current) = current {
        params.check("current keep", &current.keep, KEEP, share, out);
        params.check("current gain", &current.gain, GAIN, is_positive, out);
    }
    params.check("keep", keep, KEEP, share, out);
    params.check("gain", gain, GAIN, is_positive, out);
    params.check("drive", drive, "a finite number", f32::is_finite, out);
}

/// A lowest membrane, at most what a spike resets to.
fn floor(params: &Params<'_>, neuron: &Neuron, floor: &Param<f32>, out: &mut Diagnostics) {
    let rest = match neuron.reset {
        Reset::To(value) => value,
        Reset::Subtract => 0.0,
    };
    let expected = "a finite number that is not above the reset value";
    params.check("floor", floor, expected, |v| v.is_finite() && v <= rest, out);
    let plain = !matches!(neuron.emission, Emission::Burst { .. })
        && !matches!(neuron.dynamics, Dynamics::Izhikevich { .. });
    if !plain {
        out.push(
            Diagnostic::error(codes::PARAM_RANGE, "the neuron has a floor, and its model has none")
                .at(&*params.place)
                .note("expected no floor of neurons that send bursts, or of Izhikevich's model")
                .help("remove the floor"),
        );
    }
}

/// What the model of Izhikevich presupposes.
fn izhikevich(place: &str, neuron: &Neuron, out: &mut Diagnostics) {
    for (holds, expected) in [
        (matches!(neuron.reset, Reset::To(_)), "a reset to a value, the model's c"),
        (neuron.refractory == 0, "no refractory time: recovery is the model's own"),
    ] {
        if !holds {
            out.push(
                Diagnostic::error(codes::IZHIKEVICH, "the neuron is not Izhikevich's model")
                    .at(place)
                    .note(format!("expected {expected}"))
                    .help("correct the neuron's parameters"),
            );
        }
    }
}

/// What a graded burst presupposes.
fn burst(place: &str, neuron: &Neuron, factor: f32, out: &mut Diagnostics) {
    let leaks = match neuron.dynamics {
        Dynamics::Integrate | Dynamics::Tau(_) | Dynamics::Decay(_) => true,
        Dynamics::Sigmoid(_) | Dynamics::Izhikevich { .. } | Dynamics::Linear(_) => false,
    };
    for (holds, expected) in [
        (leaks, "the dynamics integrate, tau or decay"),
        (neuron.compare == Compare::Gt, "the comparison gt"),
        (neuron.reset == Reset::To(0.0), "a reset to 0"),
        (neuron.refractory == 0, "no refractory time"),
        (factor.is_finite() && factor > 0.0, "a finite factor above 0"),
    ] {
        if !holds {
            out.push(
                Diagnostic::error(codes::BURST, "the neuron cannot send graded bursts")
                    .at(place)
                    .note(format!("expected {expected}"))
                    .help("correct the neuron's parameters, or let it send binary spikes"),
            );
        }
    }
}

/// What several spikes in one step presuppose.
fn several(place: &str, neuron: &Neuron, out: &mut Diagnostics) {
    for (holds, expected) in [
        (neuron.reset == Reset::Subtract, "a reset by subtraction"),
        (neuron.refractory == 0, "no refractory time"),
    ] {
        if !holds {
            out.push(
                Diagnostic::error(
                    codes::SEVERAL,
                    "the neuron cannot fire several times in one step",
                )
                .at(place)
                .note(format!("expected {expected}"))
                .help("correct the neuron's parameters, or let it fire once per step"),
            );
        }
    }
}

/// Ranges of the parameters of an input's coding.
pub(super) fn coding(draft: &NetworkDraft, id: NodeId, coding: &Coding, out: &mut Diagnostics) {
    if let Some((message, expected)) = coding.problem(draft.steps) {
        out.push(
            Diagnostic::error(codes::CODING, message)
                .at(node_place(draft, id))
                .note(format!("expected {expected}"))
                .help("correct the coding of the input"),
        );
    }
}
