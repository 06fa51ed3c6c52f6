//! Neurons as primitives.

use super::super::graph::Primitive;
use super::builder::Builder;
use super::choices::is_threshold;
use super::invert::{array, round, shortest, taken, time_constant};
use snnc_ir::diag::codes::nir_export as codes;
use snnc_ir::network::discretization::{Dialect, IfDialect, Integration, SpikesPerStep};
use snnc_ir::network::neuron::sigmoid;
use snnc_ir::network::{Discretization, Dynamics, Emission, Neuron, Reset};
use snnc_ir::{Diagnostic, Param, Shape};

/// A neuron's step as coefficients, which are those of [`snnc_ir::network::neuron::LinearDynamics`].
struct Step {
    /// Keep and gain of the current, if it remembers.
    current: Option<(Vec<f32>, Vec<f32>)>,
    keep: Vec<f32>,
    gain: Vec<f32>,
    drive: Vec<f32>,
}

/// What writes the neurons of one population.
pub(super) struct Writer<'a> {
    pub(super) builder: &'a mut Builder,
    pub(super) choices: &'a Discretization,
    /// Where the population is.
    pub(super) place: String,
    /// Its shape.
    pub(super) shape: &'a Shape,
    /// Extents of the primitive's parameters.
    pub(super) extents: &'a [usize],
}

impl Writer<'_> {
    fn refuse(&mut self, what: &str, help: &str) {
        self.builder.refuse(&self.place, what, help);
    }

    fn expand(&self, param: &Param<f32>) -> Vec<f32> {
        param.expand(self.shape)
    }

    /// The primitive of `neuron`; `None` where it was refused.
    pub(super) fn primitive(&mut self, neuron: &Neuron) -> Option<Primitive> {
        if is_threshold(neuron) {
            let threshold = self.numbers(self.expand(&neuron.threshold));
            return Some(Primitive::Threshold { threshold });
        }
        let before = self.builder.refused();
        self.limits(neuron);
        let step = self.step(&neuron.dynamics)?;
        let v_reset = match neuron.reset {
            Reset::To(value) => value,
            Reset::Subtract => 0.0,
        };
        let size = self.shape.size();
        let v_threshold = self.numbers(self.expand(&neuron.threshold));
        let v_reset = Some(self.numbers(vec![v_reset; size]));
        let primitive = match step.current {
            Some((keep, gain)) => {
                let (tau_syn, tau_mem) = (self.taus(&keep)?, self.taus(&step.keep)?);
                Primitive::CubaLif {
                    w_in: Some(self.gains(&gain, &tau_syn, "a gain of the current")?),
                    tau_syn: self.times(tau_syn),
                    r: self.gains(&step.gain, &tau_mem, "a gain of the membrane")?,
                    v_leak: self.leaks(&step.drive, &tau_mem)?,
                    tau_mem: self.times(tau_mem),
                    v_threshold,
                    v_reset,
                }
            }
            None if step.keep.iter().all(|&k| k >= 1.0)
                && step.drive.iter().all(|d| d.abs() <= 0.0) =>
            {
                let unit = match self.choices.if_dialect {
                    IfDialect::Literal => self.choices.step(),
                    IfDialect::Free => 1.0,
                };
                let r = self.inverted(&step.gain, |_| unit, "a gain of the membrane")?;
                Primitive::If { r, v_threshold, v_reset }
            }
            None => {
                let tau = self.taus(&step.keep)?;
                Primitive::Lif {
                    r: self.gains(&step.gain, &tau, "a gain of the membrane")?,
                    v_leak: self.leaks(&step.drive, &tau)?,
                    tau: self.times(tau),
                    v_threshold,
                    v_reset,
                }
            }
        };
        (self.builder.refused() == before).then_some(primitive)
    }

    /// What no primitive has.
    fn limits(&mut self, neuron: &Neuron) {
        if neuron.refractory > 0 {
            self.refuse("refractory time", "set `refractory` to 0");
        }
        if neuron.v_init.abs() > 0.0 {
            self.refuse("a membrane that does not start at 0", "set `v_init` to 0");
        }
        if let Some(floor) = &neuron.floor {
            // What sinabs makes of every `IF`.
            let low = neuron.threshold.map(|t| -t);
            let theirs = self.choices.dialect == Some(Dialect::Sinabs)
                && neuron.dynamics == Dynamics::Integrate
                && floor.expand(self.shape) == low.expand(self.shape);
            if !theirs {
                self.refuse("lowest membranes", "remove the floor, or keep the network as .snn");
            }
        }
        match neuron.emission {
            Emission::Binary => {}
            Emission::Several if self.choices.spikes_per_step == SpikesPerStep::Several => {}
            Emission::Several => self.refuse(
                "some neurons that fire several times in a step among others",
                "let all populations fire once, or all several times",
            ),
            Emission::Burst { .. } => {
                self.refuse("graded bursts", "use neurons that emit plain spikes");
            }
        }
    }

    fn step(&mut self, dynamics: &Dynamics) -> Option<Step> {
        let size = self.shape.size();
        let (zeros, ones) = (vec![0.0; size], vec![1.0; size]);
        let plain = |keep, gain| Step { current: None, keep, gain, drive: zeros.clone() };
        let of_share = |share: Vec<f64>| {
            plain(
                share.iter().map(|a| round(1.0 - a)).collect(),
                share.iter().map(|&a| round(a)).collect(),
            )
        };
        Some(match dynamics {
            Dynamics::Integrate => plain(ones.clone(), ones),
            Dynamics::Decay(decay) => {
                plain(self.expand(decay).into_iter().map(|d| 1.0 - d).collect(), ones)
            }
            Dynamics::Tau(tau) => {
                of_share(self.expand(tau).into_iter().map(|t| 1.0 / f64::from(t)).collect())
            }
            Dynamics::Sigmoid(w) => {
                of_share(self.expand(w).into_iter().map(|w| f64::from(sigmoid(w))).collect())
            }
            Dynamics::Linear(linear) => Step {
                current: linear
                    .current
                    .as_ref()
                    .map(|c| (self.expand(&c.keep), self.expand(&c.gain))),
                keep: self.expand(&linear.keep),
                gain: self.expand(&linear.gain),
                drive: self.expand(&linear.drive),
            },
            Dynamics::Izhikevich { .. } => {
                self.refuse("Izhikevich's neurons", "use leaky integrate-and-fire neurons");
                return None;
            }
        })
    }

    /// Time constants of states that keep these shares.
    fn taus(&mut self, keep: &[f32]) -> Option<Vec<f64>> {
        let (integration, step) = (self.choices.integration, self.choices.step());
        let found = each(keep.iter().copied(), |&k| time_constant(integration, step, k));
        if found.is_none() {
            let help = "read the network with forward Euler, which loses a state in one step";
            self.refuse("a state that is lost in an instant", help);
        }
        if keep.iter().any(|&k| k >= 1.0) {
            self.builder.found.push(
                Diagnostic::note_only(
                    codes::EXPORT_READING,
                    "a state that does not fade is written with a time constant of 2^26 steps",
                )
                .at(&*self.place)
                .note("no primitive has neurons with and without leak; in f32, 2^-26 of a state is nothing"),
            );
        }
        found
    }

    /// Factors that, times the share lost in a step, are these gains.
    fn gains(&mut self, gain: &[f32], taus: &[f64], what: &str) -> Option<crate::arrays::Array> {
        let (integration, step) = (self.choices.integration, self.choices.step());
        let unit = |i: usize| match integration {
            Integration::Euler | Integration::Exponential => taken(integration, step, taus[i]),
            // The input is added as it is.
            Integration::ExponentialUnit => 1.0,
        };
        self.inverted(gain, unit, what)
    }

    /// Resting membranes that drive a leaky membrane so.
    fn leaks(&mut self, drive: &[f32], taus: &[f64]) -> Option<crate::arrays::Array> {
        let (integration, step) = (self.choices.integration, self.choices.step());
        let unit = |i: usize| taken(integration, step, taus[i]);
        self.inverted(drive, unit, "a constant drive")
    }

    /// Numbers that, times `unit`, are `wanted`.
    fn inverted(
        &mut self,
        wanted: &[f32],
        unit: impl Fn(usize) -> f64,
        what: &str,
    ) -> Option<crate::arrays::Array> {
        let pairs = wanted.iter().enumerate().map(|(i, &w)| (w, unit(i)));
        let found = each(pairs, |&(w, unit)| shortest(f64::from(w) / unit, w, |x| round(x * unit)));
        if found.is_none() {
            self.refuse(&format!("{what} of this size"), "use another length of a step");
        }
        Some(array(self.extents, found?))
    }

    fn numbers(&self, values: Vec<f32>) -> crate::arrays::Array {
        array(self.extents, values.into_iter().map(f64::from).collect())
    }

    fn times(&self, values: Vec<f64>) -> crate::arrays::Array {
        array(self.extents, values)
    }
}

/// `find` of each item; of equal ones in a row only once.
fn each<T: PartialEq>(
    items: impl Iterator<Item = T>,
    find: impl Fn(&T) -> Option<f64>,
) -> Option<Vec<f64>> {
    let mut last: Option<(T, f64)> = None;
    let mut found = Vec::new();
    for item in items {
        let value = match &last {
            Some((known, value)) if *known == item => *value,
            _ => find(&item)?,
        };
        found.push(value);
        last = Some((item, value));
    }
    Some(found)
}
