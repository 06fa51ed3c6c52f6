//! Rules of neuron parameters and input codings.

use super::{codes, node_place};
use crate::arena::NodeId;
use crate::check::Params;
use crate::diag::{Diagnostic, Diagnostics};
use crate::network::{Coding, Dynamics, NetworkDraft, Neuron, Reset};

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
    }
    let positive = |v: f32| v.is_finite() && v > 0.0;
    params.check("threshold", &neuron.threshold, "a finite number above 0", positive, out);
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
