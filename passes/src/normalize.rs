//! `normalize-neurons`: one neuron model with reset to zero (class: real-exact).
//!
//! Chips know `H = v·(1 − decay) + I` with reset to 0 (or by subtraction). Two changes of variable
//! lead there:
//!
//! * **Time constant.** With `v' = tau·v`, `H = v + (I − v)/tau` reads
//!   `H' = v'·(1 − 1/tau) + I`: `decay = 1/tau`; threshold, reset value and initial membrane are
//!   multiplied by tau, as is the floor; the current stays. A parametric LIF is the same with `1/tau = sigmoid(w)`.
//! * **Reset value.** With `w = v − r`, a reset to `r` is a reset to 0:
//!   `H − r = w·(1 − decay) + (I − r·decay)`. The threshold and the initial membrane lose r, and the
//!   current gets the constant `−r·decay` (`−r` in units of the scaled membrane of a time constant).
//!   A refractory neuron is held at its reset value, which is 0 then.
//!
//! Subtractive reset needs no shift. Arithmetic is f64, rounded once.
//!
//! * **Gains.** A linear neuron, `i' = i·k + x·g` and `H = v·keep + i·G + drive`, reads with
//!   `i = g·j` and `v = g·G·w`: `j' = j·k + x` and `H' = w·keep + j + drive/(g·G)`; threshold, reset value
//!   and initial membrane are divided by `g·G`. Without a current that remembers (`k = 0` for all
//!   neurons) this is the decay form with `decay = 1 − keep`, and the drive is a constant of the current. A
//!   current with memory stays, as `linear` with gains of 1, and so does the drive, which acts behind it: a
//!   shift of the reset value adds `−r·(1 − keep)` to it.
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
use snnc_ir::network::{Current, Dynamics, Emission, LinearDynamics, Neuron, Op, Reset};
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
    let leaks = match &neuron.dynamics {
        Dynamics::Integrate | Dynamics::Decay(_) => true,
        Dynamics::Linear(LinearDynamics { current, gain, .. }) => {
            let ones =
                |gain: &Param<f32>| gain.values().iter().all(|g| g.to_bits() == 1.0_f32.to_bits());
            ones(gain) && current.as_ref().is_some_and(|c| remembers(c) && ones(&c.gain))
        }
        Dynamics::Tau(_) | Dynamics::Sigmoid(_) | Dynamics::Izhikevich { .. } => false,
    };
    let rests = !matches!(neuron.reset, Reset::To(value) if value.abs() > 0.0);
    !has_normal_form(neuron) || leaks && rests
}

/// Whether something of the current of at least one neuron remains from step to step.
fn remembers(current: &Current) -> bool {
    current.keep.values().iter().any(|&keep| keep > 0.0)
}

/// Whether the neuron leaks linearly and emits plain spikes.
const fn has_normal_form(neuron: &Neuron) -> bool {
    !matches!(neuron.dynamics, Dynamics::Izhikevich { .. })
        && matches!(neuron.emission, Emission::Binary)
}

/// What the change of variable needs to know, one value per neuron.
struct Form {
    /// What the membrane is multiplied by.
    scale: Param<f64>,
    /// Share of the membrane lost in a step.
    decay: Param<f64>,
    /// Added to the membrane in every step, before the change.
    drive: Param<f64>,
    /// Share of the current that remains, if that is not 0 for all neurons.
    current: Option<Param<f32>>,
}

impl Form {
    fn leaking(scale: Param<f64>, decay: Param<f64>) -> Self {
        Self { scale, decay, drive: Param::Uniform(0.0), current: None }
    }

    /// `None` if the neuron has no linear leak.
    fn of(dynamics: &Dynamics, shape: &Shape) -> Option<Self> {
        Some(match dynamics {
            Dynamics::Integrate => Self::leaking(Param::Uniform(1.0), Param::Uniform(0.0)),
            Dynamics::Tau(tau) => {
                Self::leaking(tau.map(f64::from), tau.map(|t| 1.0 / f64::from(t)))
            }
            Dynamics::Decay(decay) => Self::leaking(Param::Uniform(1.0), decay.map(f64::from)),
            Dynamics::Sigmoid(w) => {
                let decay = w.map(|w| f64::from(sigmoid(w)));
                Self::leaking(decay.map(|k| 1.0 / k), decay)
            }
            Dynamics::Linear(LinearDynamics { current, keep, gain, drive }) => {
                let gain = match current {
                    Some(current) => {
                        gain.zip(&current.gain, shape, |g, c| f64::from(g) * f64::from(c))
                    }
                    None => gain.map(f64::from),
                };
                Self {
                    scale: gain.map(|g| 1.0 / g),
                    decay: keep.map(|keep| 1.0 - f64::from(keep)),
                    drive: drive.map(f64::from),
                    current: current.as_ref().filter(|c| remembers(c)).map(|c| c.keep.clone()),
                }
            }
            Dynamics::Izhikevich { .. } => return None,
        })
    }

    /// What is added to the scaled membrane in every step, after a shift by `rest`.
    fn constant(&self, rest: f64, shape: &Shape) -> Param<f64> {
        let shifted = self.drive.zip(&self.decay, shape, |drive, decay| drive - rest * decay);
        shifted.zip(&self.scale, shape, |drive, scale| drive * scale)
    }

    /// The dynamics in normal form; a `constant` that no current takes acts on the membrane.
    fn dynamics(&self, old: &Dynamics, constant: &Param<f64>) -> Dynamics {
        match (&self.current, old) {
            (Some(keep), Dynamics::Linear(linear)) => Dynamics::Linear(LinearDynamics {
                current: Some(Current { keep: keep.clone(), gain: Param::Uniform(1.0) }),
                keep: linear.keep.clone(),
                gain: Param::Uniform(1.0),
                drive: constant.map(round),
            }),
            (_, Dynamics::Integrate | Dynamics::Decay(_)) => old.clone(),
            (_, Dynamics::Linear(_)) if self.decay.values().iter().all(|d| d.abs() <= 0.0) => {
                Dynamics::Integrate
            }
            _ => Dynamics::Decay(self.decay.map(round)),
        }
    }
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
    let Some(form) = Form::of(&neuron.dynamics, shape) else { return Ok((neuron.clone(), None)) };
    let rest = match neuron.reset {
        Reset::To(value) => f64::from(value),
        Reset::Subtract => 0.0,
    };
    let scale = &form.scale;
    let threshold = neuron.threshold.zip(scale, shape, |t, s| (f64::from(t) - rest) * s);
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
    let constant = form.constant(rest, shape);
    let shift = (form.current.is_none() && constant.values().iter().any(|v| v.abs() > 0.0))
        .then(|| constant.expand(shape));
    let normal = Neuron {
        dynamics: form.dynamics(&neuron.dynamics, &constant),
        threshold: threshold.map(round),
        reset: match neuron.reset {
            Reset::To(_) => Reset::To(0.0),
            Reset::Subtract => Reset::Subtract,
        },
        v_init: round(v_init),
        floor: neuron
            .floor
            .as_ref()
            .map(|floor| floor.zip(scale, shape, |f, s| round((f64::from(f) - rest) * s))),
        ..neuron.clone()
    };
    let drive = match &normal.dynamics {
        Dynamics::Linear(linear) => linear.drive.values(),
        _ => &[],
    };
    let floor = normal.floor.as_ref().map_or(&[][..], Param::values);
    let values = normal.threshold.values().iter().chain([&normal.v_init]).chain(drive);
    let values = values.chain(floor);
    let finite = values.into_iter().all(|v| v.is_finite());
    if finite { Ok((normal, shift)) } else { Err(overflow(name)) }
}

fn start_differs(name: &str, start: f64) -> Diagnostic {
    Diagnostic::error(
        network::INITIAL_MEMBRANE,
        format!(
            "population `{name}` starts {start} away from its reset value with many time constants or gains"
        ),
    )
    .at(format!("population `{name}`"))
    .note("scaled by its time constant or gain, every neuron would start elsewhere")
    .help("set `v_init` equal to the reset value, or use one time constant")
}

fn overflow(name: &str) -> Diagnostic {
    Diagnostic::error(
        network::FOLD_NOT_FINITE,
        format!("the scaled threshold, drive or initial membrane of population `{name}` overflows"),
    )
    .at(format!("population `{name}`"))
    .help("use a smaller time constant or threshold, or a larger gain")
}
