//! `normalize-neurons`: one neuron model with reset to zero (class: real-exact).
//!
//! Chips know `H = v·(1 − decay) + I` with reset to 0 (or by subtraction). Two changes of variable
//! lead there:
//!
//! * **Time constant.** With `v' = tau·v`, `H = v + (I − v)/tau` reads
//!   `H' = v'·(1 − 1/tau) + I`: `decay = 1/tau`; threshold, reset value and initial membrane are
//!   multiplied by tau, the current stays. A parametric LIF is the same with `1/tau = sigmoid(w)`.
//! * **Reset value.** With `w = v − r`, a reset to `r` is a reset to 0:
//!   `H − r = w·(1 − decay) + (I − r·decay)`. The threshold and the initial membrane lose r, and the
//!   current gets the constant `−r·decay` (`−r` in units of the scaled membrane of a time constant).
//!   A refractory neuron is held at its reset value, which is 0 then.
//!
//! Subtractive reset needs no shift. Arithmetic is f64, rounded once.
//!
//! Neurons of Izhikevich's model and neurons that emit bursts have no such form and stay as they are.
//!
//! ```text
//! // before
//! node1 "fc" [2] = linear(node0) weight tensor0
//! node2 "h" [2] = neuron(node1)
//!   tau 2.0
//!   threshold 1.0
//!   reset to 0.25
//!   v_init 0.25 …
//! // after: tensor1 is "h.bias.shifted" { -0.25 -0.25 }
//! node1 "fc" [2] = linear(node0) weight tensor0 bias tensor1
//! node2 "h" [2] = neuron(node1)
//!   decay 0.5
//!   threshold 1.5
//!   reset to 0.0
//!   v_init 0.0 …
//! ```
//!
//! Complexity: O(neurons + tensors that change).

use crate::currents::{Bias, read, roots, write};
use crate::framework::{Class, Context, Pass, PassInfo, Property};
use crate::tensors::round;
use snnc_ir::arena::NodeId;
use snnc_ir::diag::codes::network;
use snnc_ir::network::neuron::sigmoid;
use snnc_ir::network::{Dynamics, Emission, Neuron, Op, Reset};
use snnc_ir::{Diagnostic, Diagnostics, Network, NetworkDraft, Param, Shape};
use std::collections::BTreeMap;

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct NormalizeNeurons;

static INFO: PassInfo = PassInfo {
    name: "normalize-neurons",
    summary: "give every neuron the decay form and reset to zero",
    class: Class::RealExact,
    requires: &[Property::Canonical],
    establishes: &[Property::NeuronsNormalized],
    invalidates: &[
        Property::SilentFolded,
        Property::NodesMerged,
        Property::DeadRemoved,
        Property::TensorsShared,
    ],
    options: &[],
};

impl Pass for NormalizeNeurons {
    type From = Network;
    type To = Network;

    fn info(&self) -> &'static PassInfo {
        &INFO
    }

    fn run(
        &self,
        mut draft: NetworkDraft,
        _cx: &mut Context<'_>,
    ) -> Result<NetworkDraft, Diagnostics> {
        let mut errors = Diagnostics::new();
        let mut shifts: BTreeMap<NodeId, Vec<f64>> = BTreeMap::new();
        for (id, node) in draft.nodes.iter_mut() {
            let Op::Neuron(neuron) = &mut node.op else { continue };
            match normalize(neuron, &node.shape, &node.name) {
                Ok((normal, shift)) => {
                    *neuron = normal;
                    if let Some(shift) = shift {
                        shifts.insert(id, shift);
                    }
                }
                Err(error) => errors.push(error),
            }
        }
        if shifts.is_empty() || errors.has_errors() {
            return errors.into_result(draft);
        }
        let mut currents = BTreeMap::new();
        for root in roots(&draft) {
            match read(&draft, root) {
                Ok(mut current) => {
                    if let Some(values) = shifts.remove(&root) {
                        let shift = Bias { values, from: Vec::new(), home: 0 };
                        Bias::add(&mut current.bias, shift);
                    }
                    currents.insert(root, current);
                }
                Err(error) => errors.push(error),
            }
        }
        errors.into_result(())?;
        write::rebuild(draft, currents, INFO.name, "shifted")
    }
}

/// Whether a neuron has the normal form, or is of a kind that has none.
pub(crate) fn is_normal(neuron: &Neuron) -> bool {
    let leaks = matches!(neuron.dynamics, Dynamics::Integrate | Dynamics::Decay(_));
    let rests = !matches!(neuron.reset, Reset::To(value) if value.abs() > 0.0);
    !has_normal_form(neuron) || leaks && rests
}

/// Whether the neuron leaks linearly and emits plain spikes.
const fn has_normal_form(neuron: &Neuron) -> bool {
    !matches!(neuron.dynamics, Dynamics::Izhikevich { .. } | Dynamics::Linear(_))
        && matches!(neuron.emission, Emission::Binary)
}

/// The normal form of a neuron, and what its current gets in addition (one value per neuron).
fn normalize(
    neuron: &Neuron,
    shape: &Shape,
    name: &str,
) -> Result<(Neuron, Option<Vec<f64>>), Diagnostic> {
    if !has_normal_form(neuron) {
        return Ok((neuron.clone(), None));
    }
    let rest = match neuron.reset {
        Reset::To(value) => f64::from(value),
        Reset::Subtract => 0.0,
    };
    // Scale of the membrane and decay, both per neuron.
    let (scale, decay) = match &neuron.dynamics {
        Dynamics::Integrate => (Param::Uniform(1.0), Param::Uniform(0.0)),
        Dynamics::Tau(tau) => (tau.map(f64::from), tau.map(|t| 1.0 / f64::from(t))),
        Dynamics::Decay(decay) => (Param::Uniform(1.0), decay.map(f64::from)),
        Dynamics::Sigmoid(w) => {
            let decay = w.map(|w| f64::from(sigmoid(w)));
            (decay.map(|k| 1.0 / k), decay)
        }
        Dynamics::Izhikevich { .. } | Dynamics::Linear(_) => return Ok((neuron.clone(), None)),
    };
    let threshold = neuron.threshold.zip(&scale, shape, |t, s| (f64::from(t) - rest) * s);
    if let Some(low) = threshold.values().iter().copied().find(|t| round(*t) <= 0.0) {
        return Err(Diagnostic::error(
            network::ALWAYS_FIRES,
            format!("a threshold of population `{name}` is not above its reset value {rest}"),
        )
        .at(format!("population `{name}`"))
        .note(format!("after the shift to a reset of 0 the threshold would be {low}"))
        .help("raise the threshold, or lower the reset value"));
    }
    let start = f64::from(neuron.v_init) - rest;
    let v_init = match scale.values() {
        [scale] => start * scale,
        _ if start.abs() <= 0.0 => 0.0,
        scales if scales.iter().all(|s| s.to_bits() == scales[0].to_bits()) => start * scales[0],
        _ => return Err(start_differs(name, start)),
    };
    let shift = (rest.abs() > 0.0)
        .then(|| scale.zip(&decay, shape, |s, d| -rest * s * d).expand(shape))
        .filter(|s| s.iter().any(|v| v.abs() > 0.0));
    let normal = Neuron {
        dynamics: match &neuron.dynamics {
            Dynamics::Tau(_) | Dynamics::Sigmoid(_) => Dynamics::Decay(decay.map(round)),
            same => same.clone(),
        },
        threshold: threshold.map(round),
        reset: match neuron.reset {
            Reset::To(_) => Reset::To(0.0),
            Reset::Subtract => Reset::Subtract,
        },
        v_init: round(v_init),
        ..neuron.clone()
    };
    let finite = normal.threshold.values().iter().chain([&normal.v_init]).all(|v| v.is_finite());
    if finite { Ok((normal, shift)) } else { Err(overflow(name)) }
}

fn start_differs(name: &str, start: f64) -> Diagnostic {
    Diagnostic::error(
        network::INITIAL_MEMBRANE,
        format!(
            "population `{name}` starts {start} away from its reset value with many time constants"
        ),
    )
    .at(format!("population `{name}`"))
    .note("scaled by its time constant, every neuron would start elsewhere")
    .help("set `v_init` equal to the reset value, or use one time constant")
}

fn overflow(name: &str) -> Diagnostic {
    Diagnostic::error(
        network::FOLD_NOT_FINITE,
        format!("the scaled threshold or initial membrane of population `{name}` overflows"),
    )
    .at(format!("population `{name}`"))
    .help("use a smaller time constant or threshold")
}
