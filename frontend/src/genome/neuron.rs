//! Neuron models of a genome.

use super::node::Population;
use super::store::Store;
use super::tensors;
use crate::fields::{Fields, Item, Name};
use crate::json::Value;
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::network::{Compare, Dynamics, Emission, Neuron, Reset, UpdateOrder};
use snnc_ir::{Diagnostic, Diagnostics, Param, Shape};

/// An entry of `neurons`.
#[derive(Debug)]
pub(crate) struct NeuronSpec {
    leak: Leak,
    threshold: Number,
    compare: Compare,
    reset: Reset,
    v_init: f32,
    refractory: u32,
    emission: Emission,
}

#[derive(Debug)]
enum Leak {
    None,
    Tau(Number),
    Decay(Number),
    /// `None`: every population has a tensor of its own.
    Sigmoid(Option<Number>),
    Izhikevich {
        a: f64,
        b: f64,
        d: f64,
    },
}

/// A parameter: one number, or a tensor with one per channel or per neuron.
#[derive(Debug)]
enum Number {
    Uniform(f32),
    Tensor(Name),
}

/// What a parameter may be.
struct Bound {
    name: &'static str,
    rule: &'static str,
    holds: fn(f32) -> bool,
}

const TAU: Bound = Bound { name: "tau", rule: "tau >= 1", holds: |x| x >= 1.0 };
const DECAY: Bound =
    Bound { name: "decay", rule: "0 <= decay <= 1", holds: |x| (0.0..=1.0).contains(&x) };
const THRESHOLD: Bound = Bound { name: "threshold", rule: "threshold > 0", holds: |x| x > 0.0 };
const W: Bound = Bound { name: "w", rule: "w is finite", holds: f32::is_finite };

#[derive(Clone, Copy, PartialEq, Eq)]
enum Model {
    If,
    Lif,
    Plif,
    Izhikevich,
    BurstLif,
}

const MODELS: [(&str, Model); 5] = [
    ("if", Model::If),
    ("lif", Model::Lif),
    ("plif", Model::Plif),
    ("izhikevich", Model::Izhikevich),
    ("burst_lif", Model::BurstLif),
];

impl NeuronSpec {
    pub(crate) fn parse(item: &Item<'_>, out: &mut Diagnostics) -> Option<Self> {
        let mut fields = item.fields(out)?;
        let model = fields
            .required("model", "if, lif, plif, izhikevich or burst_lif", out)?
            .choice("neuron model", &MODELS, out)?;
        let leak = leak(&mut fields, model, out);
        let threshold = fields
            .required("threshold", "number or { tensor }, positive", out)
            .and_then(|i| Number::parse(&i, &THRESHOLD, out));
        let compare = fields
            .required("compare", "gt (fires at v > threshold) or ge (v >= threshold)", out)
            .and_then(|i| compare(&i, model, out));
        let reset = if model == Model::Izhikevich {
            fields
                .required("c", "membrane after a spike", out)
                .and_then(|i| i.number_f32(out))
                .map(Reset::To)
        } else {
            fields
                .required("reset", "{ kind: to, value } or { kind: subtract }", out)
                .and_then(|i| reset(&i, model, out))
        };
        let v_init = fields
            .required("v_init", "membrane before the first step", out)
            .and_then(|i| i.number_f32(out));
        // The other models have no refractory time, so that the field is unknown there.
        let refractory = match model {
            Model::If | Model::Lif | Model::Plif => match fields.optional("refractory") {
                Some(i) => i.whole_u32(0..=u32::from(u16::MAX), out),
                None => Some(0),
            },
            Model::Izhikevich | Model::BurstLif => Some(0),
        };
        let emission = match model {
            Model::BurstLif => fields
                .required("factor", "multiplies bursts of more than one spike", out)
                .and_then(|i| factor(&i, out)),
            _ => Some(Emission::Binary),
        };
        let step = fields.optional("dt").map(|i| (i.number(out), i));
        if let Some((Some(dt), i)) = step
            && dt.to_bits() != 1.0_f64.to_bits()
        {
            let note = "dt is 1: parameters are given per step";
            i.bad::<()>(format!("dt is {dt}"), note, out);
        }
        fields.finish(out);
        Some(Self {
            leak: leak?,
            threshold: threshold?,
            compare: compare?,
            reset: reset?,
            v_init: v_init?,
            refractory: refractory?,
            emission: emission?,
        })
    }

    /// The neurons of `population`, which has the shape `shape`; `path` is that of its node.
    pub(crate) fn resolve(
        &self,
        population: &Population,
        path: &str,
        shape: &Shape,
        store: &Store,
        out: &mut Diagnostics,
    ) -> Option<Neuron> {
        let dynamics = match (&self.leak, &population.w) {
            (Leak::Sigmoid(_), Some(w)) => tensor(w, &W, shape, store, out).map(Dynamics::Sigmoid),
            (Leak::Sigmoid(Some(w)), None) => {
                w.resolve(&W, shape, store, out).map(Dynamics::Sigmoid)
            }
            (Leak::Sigmoid(None), None) => {
                let neuron = &population.neuron.text;
                out.push(
                    Diagnostic::error(codes::MISSING_FIELD, "the population has no `w`")
                        .at(path)
                        .note(format!(
                            "the neuron `{neuron}` is a `plif` without `w`, so every population needs \
                             a tensor"
                        ))
                        .help(format!("give the neuron `{neuron}` a `w`, or the population one")),
                );
                None
            }
            (_, Some(w)) => {
                out.push(
                    Diagnostic::error(codes::BAD_VALUE, "`w` of neurons that have none")
                        .at(&w.path)
                        .note("only `plif` neurons have a `w`"),
                );
                None
            }
            (Leak::None, None) => Some(Dynamics::Integrate),
            (Leak::Tau(n), None) => n.resolve(&TAU, shape, store, out).map(Dynamics::Tau),
            (Leak::Decay(n), None) => n.resolve(&DECAY, shape, store, out).map(Dynamics::Decay),
            (&Leak::Izhikevich { a, b, d }, None) => Some(Dynamics::Izhikevich { a, b, d }),
        };
        let threshold = match &population.threshold {
            Some(name) => tensor(name, &THRESHOLD, shape, store, out),
            None => self.threshold.resolve(&THRESHOLD, shape, store, out),
        };
        Some(Neuron {
            dynamics: dynamics?,
            threshold: threshold?,
            compare: self.compare,
            reset: self.reset,
            v_init: self.v_init,
            refractory: self.refractory,
            order: UpdateOrder::LeakInputFire,
            emission: self.emission,
            floor: None,
        })
    }
}

/// The parameters of the leak that the model has.
fn leak(fields: &mut Fields<'_>, model: Model, out: &mut Diagnostics) -> Option<Leak> {
    match model {
        Model::If => Some(Leak::None),
        Model::Lif => tau_or_decay(fields, out),
        Model::Plif => match fields.optional("w") {
            Some(w) => Number::parse(&w, &W, out).map(|w| Leak::Sigmoid(Some(w))),
            None => Some(Leak::Sigmoid(None)),
        },
        Model::BurstLif => fields
            .required("tau", "time constant in steps, number or { tensor }", out)
            .and_then(|i| Number::parse(&i, &TAU, out))
            .map(Leak::Tau),
        Model::Izhikevich => {
            let mut number = |name, meaning| {
                fields.required(name, meaning, out).and_then(|i| {
                    i.number_f32(out)?;
                    i.number(out)
                })
            };
            let a = number("a", "rate of recovery");
            let b = number("b", "coupling of recovery to the membrane");
            let d = number("d", "what a spike adds to the recovery variable");
            Some(Leak::Izhikevich { a: a?, b: b?, d: d? })
        }
    }
}

/// `tau` or `decay` of a `lif`: exactly one.
fn tau_or_decay(fields: &mut Fields<'_>, out: &mut Diagnostics) -> Option<Leak> {
    let (tau, decay) = (fields.optional("tau"), fields.optional("decay"));
    match (tau, decay) {
        (Some(tau), None) => Number::parse(&tau, &TAU, out).map(Leak::Tau),
        (None, Some(decay)) => Number::parse(&decay, &DECAY, out).map(Leak::Decay),
        (Some(_), Some(decay)) => decay.bad(
            "both `tau` and `decay` are given",
            "exactly one: v + (I - v) / tau scales the input, v * (1 - decay) + I does not",
            out,
        ),
        (None, None) => {
            out.push(
                Diagnostic::error(codes::MISSING_FIELD, "a `lif` needs `tau` or `decay`")
                    .at(fields.path())
                    .note("tau: v + (I - v) / tau; decay: v * (1 - decay) + I")
                    .help("for neurons without leak use the model `if`"),
            );
            None
        }
    }
}

fn compare(item: &Item<'_>, model: Model, out: &mut Diagnostics) -> Option<Compare> {
    let compare = item.choice("comparison", &[("gt", Compare::Gt), ("ge", Compare::Ge)], out)?;
    if model == Model::BurstLif && compare != Compare::Gt {
        return item.bad("bursts compare with `ge`", "a `burst_lif` compares with `gt`", out);
    }
    Some(compare)
}

fn factor(item: &Item<'_>, out: &mut Diagnostics) -> Option<Emission> {
    match item.number_f32(out)? {
        factor if factor > 0.0 => Some(Emission::Burst { factor }),
        factor => item.bad(format!("factor is {factor}"), "factor > 0", out),
    }
}

fn reset(item: &Item<'_>, model: Model, out: &mut Diagnostics) -> Option<Reset> {
    let mut fields = item.fields(out)?;
    let kinds = [("to", false), ("subtract", true)];
    let subtract = fields
        .required("kind", "to or subtract", out)
        .and_then(|i| i.choice("reset", &kinds, out))?;
    let reset = if subtract {
        Some(Reset::Subtract)
    } else {
        fields
            .required("value", "membrane after a spike", out)
            .and_then(|i| i.number_f32(out))
            .map(Reset::To)
    };
    fields.finish(out);
    if model == Model::BurstLif && reset.is_some_and(|r| r != Reset::To(0.0)) {
        let note = "a `burst_lif` has the reset { \"kind\": \"to\", \"value\": 0.0 }";
        return item.bad("another reset of bursts than to 0", note, out);
    }
    reset
}

impl Number {
    fn parse(item: &Item<'_>, bound: &Bound, out: &mut Diagnostics) -> Option<Self> {
        if matches!(item.value, Value::Object(_)) {
            return tensors::reference(item, out).map(Self::Tensor);
        }
        let x = item.number_f32(out)?;
        if !(bound.holds)(x) {
            return item.bad(format!("{} is {x}", bound.name), bound.rule, out);
        }
        Some(Self::Uniform(x))
    }

    fn resolve(
        &self,
        bound: &Bound,
        shape: &Shape,
        store: &Store,
        out: &mut Diagnostics,
    ) -> Option<Param<f32>> {
        match self {
            Self::Uniform(x) => Some(Param::Uniform(*x)),
            Self::Tensor(name) => tensor(name, bound, shape, store, out),
        }
    }
}

/// A parameter of a population of shape `shape`, from a tensor.
fn tensor(
    name: &Name,
    bound: &Bound,
    shape: &Shape,
    store: &Store,
    out: &mut Diagnostics,
) -> Option<Param<f32>> {
    let tensor = store.f32(name, out)?;
    let whole: Vec<usize> = shape.0.iter().map(|&d| d as usize).collect();
    if let Some(index) = tensor.values.iter().position(|&x| !(bound.holds)(x)) {
        out.push(
            Diagnostic::error(
                codes::TENSOR_VALUE,
                format!(
                    "value {index} of `{}` is {}, as {}",
                    name.text, tensor.values[index], bound.name
                ),
            )
            .at(&name.path)
            .note(bound.rule),
        );
        return None;
    }
    if tensor.shape == whole {
        Some(Param::PerNeuron(tensor.values))
    } else if tensor.shape == [shape.channels()] {
        Some(Param::PerChannel(tensor.values))
    } else if tensor.shape.is_empty() {
        Some(Param::Uniform(tensor.values[0]))
    } else {
        out.push(
            Diagnostic::error(
                codes::TENSOR_SHAPE,
                format!("`{}`, as {}, has the shape {:?}", name.text, bound.name, tensor.shape),
            )
            .at(&name.path)
            .note(format!(
                "expected [{}] (per channel) or {shape} (per neuron), the population has the \
                 shape {shape}",
                shape.channels()
            )),
        );
        None
    }
}
