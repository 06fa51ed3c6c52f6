//! Coefficients of neurons in steps.
//!
//! With `a` the share that remains of a leaky variable in a step and `g` its gain (see [`Integration`]), a neuron
//! computes `i' = i·a_syn + x·w_in·g_syn` and `H = v·a_mem + i'·r·g_mem + v_leak·(1 − a_mem)`. Where a simulator
//! computes these numbers in f32, or elsewhere, it is followed to the bit: its gain may be in its threshold.

use super::build::{Builder, memoryless, shape};
use super::no_form;
use super::parameters::{Values, count, param};
use super::plan::PlanNode;
use crate::arrays::{Array, ArrayData};
use crate::json::quote;
use crate::nir::dialect::{Expected, NeuronRules, Rules};
use crate::nir::graph::Primitive;
use snnc_ir::arena::NodeId;
use snnc_ir::diag::codes::nir_time as codes;
use snnc_ir::network::discretization::{
    Dialect, Discretization, IfDialect, Integration, ResetRule, SpikesPerStep,
};
use snnc_ir::network::{
    Current, Dynamics, Emission, LinearDynamics, Neuron, Op, Reset, UpdateOrder,
};
use snnc_ir::{Diagnostic, Param, Shape};

/// Parameters as the file has them.
struct Written {
    kind: &'static str,
    /// Whether the file holds doubles.
    wide: bool,
    /// `None`: integrates without leak.
    tau_mem: Option<Values>,
    /// `None`: no current with memory.
    tau_syn: Option<Values>,
    r: Values,
    w_in: Values,
    v_leak: Values,
    threshold: Values,
    v_reset: Values,
}

/// Coefficients of one neuron.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Coefficients {
    /// `keep` and `gain` of the current.
    current: Option<[f32; 2]>,
    keep: f32,
    gain: f32,
    drive: f32,
    threshold: f32,
}

impl Written {
    fn of(primitive: &Primitive) -> Option<Self> {
        let or = |array: &Option<Array>, value| {
            array.as_ref().map_or_else(|| Values::uniform(value), Values::of)
        };
        let (zero, one) = (Values::uniform(0.0), Values::uniform(1.0));
        let wide = primitive.arrays().iter().any(|(_, a)| matches!(a.data, ArrayData::F64(_)));
        Some(match primitive {
            Primitive::If { r, v_threshold, v_reset } => Self {
                kind: "IF",
                wide,
                tau_mem: None,
                tau_syn: None,
                r: Values::of(r),
                w_in: one,
                v_leak: zero,
                threshold: Values::of(v_threshold),
                v_reset: or(v_reset, 0.0),
            },
            Primitive::Lif { tau, r, v_leak, v_threshold, v_reset } => Self {
                kind: "LIF",
                wide,
                tau_mem: Some(Values::of(tau)),
                tau_syn: None,
                r: Values::of(r),
                w_in: one,
                v_leak: Values::of(v_leak),
                threshold: Values::of(v_threshold),
                v_reset: or(v_reset, 0.0),
            },
            Primitive::CubaLif { tau_mem, tau_syn, r, v_leak, v_threshold, v_reset, w_in } => {
                Self {
                    kind: "CubaLIF",
                    wide,
                    tau_mem: Some(Values::of(tau_mem)),
                    tau_syn: Some(Values::of(tau_syn)),
                    r: Values::of(r),
                    w_in: or(w_in, 1.0),
                    v_leak: Values::of(v_leak),
                    threshold: Values::of(v_threshold),
                    v_reset: or(v_reset, 0.0),
                }
            }
            _ => return None,
        })
    }

    /// All parameters.
    fn all(&self) -> Vec<&Values> {
        let taus = [&self.tau_mem, &self.tau_syn];
        let fixed = [&self.r, &self.w_in, &self.v_leak, &self.threshold, &self.v_reset];
        taus.into_iter().flatten().chain(fixed).collect()
    }

    /// Time constants of membrane and current of a neuron.
    fn taus(&self, index: usize) -> [f64; 2] {
        [&self.tau_mem, &self.tau_syn].map(|tau| tau.as_ref().map_or(f64::NAN, |t| t.at(index)))
    }
}

impl<'a> Builder<'a, '_> {
    /// Neurons that fire where their input is above the threshold.
    pub(super) fn threshold(
        &mut self,
        index: usize,
        node: &PlanNode<'a>,
        threshold: &Array,
    ) -> Result<NodeId, Diagnostic> {
        let shape = shape(node, &node.output)?;
        let values = super::linear::floats(threshold);
        if let Some(bad) = values.iter().find(|v| !(v.is_finite() && **v > 0.0)) {
            return Err(Diagnostic::error(
                codes::COEFFICIENT,
                format!("{}: `threshold` is {bad:?}", quote(&node.name)),
            )
            .at(format!("{}/threshold", node.path))
            .note("expected a finite number above 0")
            .help("add a bias in front of the node, and raise the threshold by it"));
        }
        let current = self.current(index)?;
        let neuron = memoryless(param(values, &shape));
        Ok(self.add(&node.name, Op::Neuron(neuron), &[current], shape))
    }

    /// `IF`, `LIF` and `CubaLIF`.
    pub(super) fn neuron(
        &mut self,
        index: usize,
        node: &PlanNode<'a>,
    ) -> Result<NodeId, Diagnostic> {
        let (Some(written), Some(found)) = (Written::of(node.primitive), self.found) else {
            return Err(no_form(&node.path, "a neuron without a discretization"));
        };
        let shape = shape(node, &node.output)?;
        if found.dialect == Some(Dialect::Sinabs)
            && written.kind == "IF"
            && self.plan.is_inhibited(index)
        {
            return Err(bounded(node, found));
        }
        let neuron = steps(node, &written, found, &shape)?;
        let current = self.current(index)?;
        Ok(self.add(&node.name, Op::Neuron(neuron), &[current], shape))
    }
}

/// The refusal of integrators whose membranes sinabs keeps from falling.
fn bounded(node: &PlanNode<'_>, found: &Discretization) -> Diagnostic {
    let message = format!("{} (IF) can be inhibited", quote(&node.name));
    let mut refused = reading(node, found, &message)
        .note("it keeps membranes of `IF` from falling below minus the threshold, which the file does not say");
    refused.help = Some(
        "without that bound: `--if-dialect free --comparison ge --reset subtract --spikes-per-step several` in place \
         of `--dialect sinabs`"
            .to_owned(),
    );
    refused
}

/// A neuron in steps.
fn steps(
    node: &PlanNode<'_>,
    written: &Written,
    found: &Discretization,
    shape: &Shape,
) -> Result<Neuron, Diagnostic> {
    let rules = rules(node, written, found)?;
    follow(node, written, found, rules)?;
    let reset = reset(node, written, found)?;
    let number = count(&written.all());
    let each = (0..number).map(|i| coefficients(written, found, i));
    let mut all: Vec<Coefficients> = each.collect();
    if found.dialect == Some(Dialect::SnnTorch) && written.kind != "IF" {
        fold_gain(node, written, found, &mut all)?;
    }
    for (i, c) in all.iter().enumerate() {
        check(node, written, found, i, c)?;
    }
    let of = |value: fn(&Coefficients) -> f32| param(all.iter().map(value).collect(), shape);
    let current = all[0].current.map(|_| Current {
        keep: of(|c| c.current.map_or(0.0, |k| k[0])),
        gain: of(|c| c.current.map_or(0.0, |k| k[1])),
    });
    let linear = LinearDynamics {
        current,
        keep: of(|c| c.keep),
        gain: of(|c| c.gain),
        drive: of(|c| c.drive),
    };
    Ok(Neuron {
        dynamics: quotient(written, found).unwrap_or_else(|| simplest(linear)),
        threshold: of(|c| c.threshold),
        compare: found.comparison,
        reset,
        v_init: initial(node, written, found)?,
        refractory: 0,
        order: UpdateOrder::LeakInputFire,
        emission: match found.spikes_per_step {
            SpikesPerStep::One => Emission::Binary,
            SpikesPerStep::Several => Emission::Several,
        },
        // sinabs keeps the membranes of imported IF neurons above minus their threshold.
        floor: (found.dialect == Some(Dialect::Sinabs) && written.kind == "IF")
            .then(|| of(|c| -c.threshold)),
    })
}

/// What the simulator demands of the node.
fn rules(
    node: &PlanNode<'_>,
    written: &Written,
    found: &Discretization,
) -> Result<NeuronRules, Diagnostic> {
    let rules = Rules::of(found.dialect);
    let rules = match written.kind {
        "IF" => rules.integrate,
        "LIF" => rules.lif,
        _ => rules.cuba,
    };
    rules.map_err(|why| {
        reading(node, found, &format!("{} ({}) is not read", quote(&node.name), written.kind))
            .note(why)
    })
}

/// The simulator, as the error of a node that it reads otherwise.
fn reading(node: &PlanNode<'_>, found: &Discretization, message: &str) -> Diagnostic {
    let name = found.dialect.map_or("", Dialect::name);
    Diagnostic::error(codes::READING, format!("dialect `{name}`: {message}")).at(&*node.path).help(
        "choose another dialect, or leave `--dialect` out and set the attributes one by one (`exact` takes all \
         parameters as written)",
    )
}

/// Refuses parameters that the simulator would refuse, ignore or use otherwise.
fn follow(
    node: &PlanNode<'_>,
    written: &Written,
    found: &Discretization,
    rules: NeuronRules,
) -> Result<(), Diagnostic> {
    let step = found.step();
    if rules.uniform && count(&written.all()) > 1 {
        let message = format!("the neurons of {} differ", quote(&node.name));
        return Err(reading(node, found, &message).note("it takes nodes whose neurons are alike"));
    }
    for (name, values, expected) in [
        ("r", &written.r, rules.r),
        ("w_in", &written.w_in, rules.w_in),
        ("v_leak", &written.v_leak, rules.v_leak),
        ("v_reset", &written.v_reset, rules.v_reset),
    ] {
        for i in 0..count(&written.all()) {
            let value = values.at(i);
            let demanded = expected.values(step, written.taus(i), written.v_reset.at(i));
            if demanded.is_empty() || demanded.iter().any(|&d| near(value, d)) {
                continue;
            }
            let ignored = matches!(expected, Expected::Zero | Expected::One);
            let what = if ignored { "refuses or ignores" } else { "refuses" };
            let message = format!("{}: `{name}` is {value:?}", quote(&node.name));
            return Err(reading(node, found, &message).note(format!(
                "it {what} every value but {}, here {}",
                expected.describe(),
                demanded.iter().map(|d| format!("{d:?}")).collect::<Vec<_>>().join(" or ")
            )));
        }
    }
    Ok(())
}

/// Closeness as simulators ask for it: relative 1e-5.
fn near(value: f64, expected: f64) -> bool {
    (value - expected).abs() <= 1e-8 + 1e-5 * expected.abs()
}

/// What a spike does.
fn reset(
    node: &PlanNode<'_>,
    written: &Written,
    found: &Discretization,
) -> Result<Reset, Diagnostic> {
    let at = || format!("{}/v_reset", node.path);
    match (found.reset, written.v_reset.single()) {
        (ResetRule::Value, Some(value)) => Ok(Reset::To(narrow(value))),
        (ResetRule::Value, None) => Err(Diagnostic::error(
            codes::NO_STEPS,
            format!("the neurons of {} are reset to different values", quote(&node.name)),
        )
        .at(at())
        .help("split the node by the values of `v_reset`")),
        (_, Some(zero)) if zero.abs() <= 0.0 => Ok(match found.reset {
            ResetRule::Subtract => Reset::Subtract,
            ResetRule::Zero | ResetRule::Value => Reset::To(0.0),
        }),
        (rule, _) => Err(Diagnostic::error(
            codes::CHOICES,
            format!("{} has a `v_reset`, and the reset is `{}`", quote(&node.name), rule.name()),
        )
        .at(at())
        .note("the value would be ignored")
        .help("choose `--reset value`, or set `v_reset` to 0")),
    }
}

/// Membrane before the first step: 0, but Norse starts `LIF` at `v_leak` and SpikingJelly at `v_reset`.
fn initial(
    node: &PlanNode<'_>,
    written: &Written,
    found: &Discretization,
) -> Result<f32, Diagnostic> {
    let values = match found.dialect {
        Some(Dialect::Norse) if written.kind == "LIF" => &written.v_leak,
        Some(Dialect::SpikingJelly) => &written.v_reset,
        _ => return Ok(0.0),
    };
    values.single().map(narrow).ok_or_else(|| {
        let message = format!("the neurons of {} start at different membranes", quote(&node.name));
        reading(node, found, &message).note("it starts at `v_leak`, which differs between them")
    })
}

/// `v + (x − v) / tau`, as SpikingJelly computes a neuron with `r = 1` that is reset to 0: rounded otherwise than
/// the linear form.
fn quotient(written: &Written, found: &Discretization) -> Option<Dynamics> {
    let tau = written.tau_mem.as_ref()?.single()? / found.step();
    let plain = written.kind == "LIF"
        && near(written.r.single()?, 1.0)
        && written.v_reset.single()?.abs() <= 0.0;
    let jelly =
        found.dialect == Some(Dialect::SpikingJelly) && found.integration == Integration::Euler;
    (plain && jelly && tau >= 1.0).then(|| Dynamics::Tau(Param::Uniform(narrow(tau))))
}

/// Neurons that add their input to their membrane, and do nothing else, in their own form.
fn simplest(linear: LinearDynamics) -> Dynamics {
    let same = |param: &Param<f32>, value: f32| *param == Param::Uniform(value);
    let plain = linear.current.is_none()
        && same(&linear.keep, 1.0)
        && same(&linear.gain, 1.0)
        && same(&linear.drive, 0.0);
    if plain { Dynamics::Integrate } else { Dynamics::Linear(linear) }
}

#[expect(clippy::cast_possible_truncation, reason = "networks hold f32; one rounding")]
const fn narrow(value: f64) -> f32 {
    value as f32
}

/// The coefficients of neuron `index`.
fn coefficients(written: &Written, found: &Discretization, index: usize) -> Coefficients {
    let threshold = narrow(written.threshold.at(index));
    let (r, w_in) = (written.r.at(index), written.w_in.at(index));
    let v_leak = written.v_leak.at(index);
    let step = found.step();
    let [tau_mem, tau_syn] = written.taus(index);
    let Some(_) = written.tau_mem else {
        let gain = match (found.if_dialect, found.dialect) {
            (IfDialect::Free, _) => r,
            // It demands `r = 1/dt`, and adds the input as it is.
            (IfDialect::Literal, Some(Dialect::SpikingJelly)) => 1.0,
            (IfDialect::Literal, _) => r * step,
        };
        return Coefficients {
            current: None,
            keep: 1.0,
            gain: narrow(gain),
            drive: 0.0,
            threshold,
        };
    };
    let with_current = written.tau_syn.is_some();
    match (found.dialect, found.integration) {
        (Some(Dialect::SnnTorch), Integration::Euler) => {
            // 1 − dt/tau in the precision of the file; gains are in the threshold.
            let keep = |tau: f64| {
                if written.wide {
                    narrow(1.0 - step / tau)
                } else {
                    1.0 - narrow(step) / narrow(tau)
                }
            };
            let current = with_current.then(|| [keep(tau_syn), 1.0]);
            Coefficients { current, keep: keep(tau_mem), gain: 1.0, drive: 0.0, threshold }
        }
        (Some(Dialect::Norse), Integration::Euler) => {
            // dt · (1/tau) in f32.
            let share = |tau: f64| narrow(step) * (1.0 / narrow(tau));
            let (mem, syn) = (share(tau_mem), share(tau_syn));
            Coefficients {
                current: with_current.then(|| [1.0 - syn, syn * narrow(w_in)]),
                keep: 1.0 - mem,
                gain: mem * narrow(r),
                drive: mem * narrow(v_leak),
                threshold,
            }
        }
        (Some(Dialect::SpikingJelly), Integration::Euler) => {
            // Numbers of Python in f64. With `r = tau/dt` the input is added as it is.
            let scaled = with_current || !near(r, 1.0);
            let share = step / tau_mem;
            Coefficients {
                current: with_current.then(|| [narrow(1.0 - step / tau_syn), 1.0]),
                keep: narrow(1.0 - share),
                gain: if scaled { 1.0 } else { narrow(share) },
                drive: narrow(v_leak * share),
                threshold,
            }
        }
        (Some(Dialect::Sinabs | Dialect::Rockpool), Integration::ExponentialUnit) => {
            // exp(−dt/tau) in f32.
            let keep = |tau: f64| narrow(f64::from(-narrow(step) / narrow(tau)).exp());
            let syn = keep(tau_syn);
            let current = with_current.then_some([syn, syn]);
            // sinabs demands 0, Rockpool adds it as it is.
            let drive = narrow(v_leak);
            Coefficients { current, keep: keep(tau_mem), gain: 1.0, drive, threshold }
        }
        (_, integration) => {
            let share = |tau: f64| {
                let x = step / tau;
                match integration {
                    Integration::Euler => [1.0 - x, x],
                    Integration::Exponential => [(-x).exp(), -(-x).exp_m1()],
                    Integration::ExponentialUnit => [(-x).exp(), 1.0],
                }
            };
            let ([keep, gain], [syn_keep, syn_gain]) = (share(tau_mem), share(tau_syn));
            let syn_gain =
                if integration == Integration::ExponentialUnit { syn_keep } else { syn_gain };
            Coefficients {
                current: with_current.then(|| [narrow(syn_keep), narrow(w_in * syn_gain)]),
                keep: narrow(keep),
                gain: narrow(r * gain),
                drive: narrow(v_leak * (1.0 - keep)),
                threshold,
            }
        }
    }
}

/// Divides thresholds by the gain of the input, as snnTorch does: `w_in · (dt/tau_syn)` or `r · dt / tau`, in f32,
/// unless it is near 1. One gain stands for all neurons of a `LIF`.
fn fold_gain(
    node: &PlanNode<'_>,
    written: &Written,
    found: &Discretization,
    all: &mut [Coefficients],
) -> Result<(), Diagnostic> {
    if found.integration != Integration::Euler {
        return Ok(());
    }
    let step = found.step();
    let gain = |i: usize| {
        let [tau_mem, tau_syn] = written.taus(i);
        let (r, w_in) = (written.r.at(i), written.w_in.at(i));
        match (written.wide, written.tau_syn.is_some()) {
            (true, true) => w_in * (step / tau_syn),
            (true, false) => r * step / tau_mem,
            (false, true) => f64::from(narrow(w_in) * (narrow(step) / narrow(tau_syn))),
            (false, false) => f64::from(narrow(r) * narrow(step) / narrow(tau_mem)),
        }
    };
    let gains: Vec<f64> = (0..all.len()).map(gain).collect();
    if gains.iter().all(|&g| near(g, 1.0)) {
        return Ok(());
    }
    for (i, (coefficients, gain)) in all.iter_mut().zip(&gains).enumerate() {
        coefficients.threshold = if written.wide {
            narrow(written.threshold.at(i) / gain)
        } else {
            coefficients.threshold / narrow(*gain)
        };
    }
    let first = all[0].threshold;
    if gains.iter().any(|g| g.to_bits() != gains[0].to_bits())
        || all.iter().any(|c| c.threshold.to_bits() != first.to_bits())
    {
        let message =
            format!("the neurons of {} have different gains or thresholds", quote(&node.name));
        return Err(reading(node, found, &message)
            .note("it takes one threshold for a node, divided by the gain of its input"));
    }
    Ok(())
}

/// Whether the verifier of networks takes the coefficients; says it in terms of the graph.
fn check(
    node: &PlanNode<'_>,
    written: &Written,
    found: &Discretization,
    index: usize,
    c: &Coefficients,
) -> Result<(), Diagnostic> {
    let bad = |parameter: &str, message: String| {
        Diagnostic::error(codes::COEFFICIENT, format!("{}: {message}", quote(&node.name)))
            .at(format!("{}/{parameter}", node.path))
    };
    let [tau_mem, tau_syn] = written.taus(index);
    let membrane = if written.tau_syn.is_some() { "tau_mem" } else { "tau" };
    for (parameter, tau, keep) in
        [(membrane, tau_mem, Some(c.keep)), ("tau_syn", tau_syn, c.current.map(|k| k[0]))]
    {
        if keep.is_some_and(|k| !(0.0..=1.0).contains(&k)) {
            return Err(bad(parameter, format!("a step is longer than `{parameter}` ({tau:?})"))
                .note(format!("a step is {:?} in the unit of the file", found.step()))
                .help("choose a shorter `--dt`, or `--integration exponential`"));
        }
    }
    let positive = |x: f32| x.is_finite() && x > 0.0;
    for (parameter, written, value) in [
        ("r", &written.r, c.gain),
        ("w_in", &written.w_in, c.current.map_or(1.0, |k| k[1])),
        ("v_threshold", &written.threshold, c.threshold),
    ] {
        if !positive(value) {
            let message = format!("`{parameter}` is {:?}", written.at(index));
            return Err(bad(parameter, message)
                .note(format!("in steps it becomes {value:?}; expected a finite number above 0"))
                .help("move its sign into the weights, or leave the node out"));
        }
    }
    Ok(())
}
