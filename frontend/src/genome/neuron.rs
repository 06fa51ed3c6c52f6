//! Neuron models of a genome.

use super::store::Store;
use crate::fields::{Fields, Item, Name};
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::network::{Compare, Dynamics, Neuron, Reset, UpdateOrder};
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
}

#[derive(Debug)]
enum Leak {
    None,
    Tau(Number),
    Decay(Number),
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Model {
    If,
    Lif,
    /// Known, not accepted; the text says what it would need.
    Other(&'static str),
}

impl NeuronSpec {
    pub(crate) fn parse(item: &Item<'_>, out: &mut Diagnostics) -> Option<Self> {
        let mut fields = item.fields(out)?;
        let models = [
            ("if", Model::If),
            ("lif", Model::Lif),
            ("plif", Model::Other("compute tau = 1 / sigmoid(w) and export a `lif`")),
            ("izhikevich", Model::Other("its second state variable has no lowering yet")),
        ];
        let model_item = fields.required("model", "if or lif", out)?;
        let model = model_item.choice("neuron model", &models, out)?;
        if let Model::Other(help) = model {
            let found = model_item.text(out).unwrap_or_default();
            out.push(
                Diagnostic::error(
                    codes::NOT_ACCEPTED,
                    format!("the neuron model `{found}` is not accepted in this version"),
                )
                .at(&model_item.path)
                .note("accepted: if, lif")
                .help(help),
            );
            return None;
        }
        let leak = leak(&mut fields, model, out);
        let threshold = fields
            .required("threshold", "number or { tensor }, positive", out)
            .and_then(|i| Number::parse(&i, &THRESHOLD, out));
        let compare = fields
            .required("compare", "gt (fires at v > threshold) or ge (v >= threshold)", out)
            .and_then(|i| i.choice("comparison", &[("gt", Compare::Gt), ("ge", Compare::Ge)], out));
        let reset = fields
            .required("reset", "{ kind: to, value } or { kind: subtract }", out)
            .and_then(|i| reset(&i, out));
        let v_init = fields
            .required("v_init", "membrane before the first step", out)
            .and_then(|i| i.number_f32(out));
        let refractory = match fields.optional("refractory") {
            Some(i) => i.whole_u32(0..=u32::from(u16::MAX), out),
            None => Some(0),
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
        })
    }

    /// The neurons of a population of shape `shape`.
    pub(crate) fn resolve(
        &self,
        shape: &Shape,
        store: &Store,
        out: &mut Diagnostics,
    ) -> Option<Neuron> {
        let dynamics = match &self.leak {
            Leak::None => Some(Dynamics::Integrate),
            Leak::Tau(n) => n.resolve(&TAU, shape, store, out).map(Dynamics::Tau),
            Leak::Decay(n) => n.resolve(&DECAY, shape, store, out).map(Dynamics::Decay),
        };
        let threshold = self.threshold.resolve(&THRESHOLD, shape, store, out);
        Some(Neuron {
            dynamics: dynamics?,
            threshold: threshold?,
            compare: self.compare,
            reset: self.reset,
            v_init: self.v_init,
            refractory: self.refractory,
            order: UpdateOrder::LeakInputFire,
        })
    }
}

/// `tau` or `decay`: none for `if`, exactly one for `lif`.
fn leak(fields: &mut Fields<'_>, model: Model, out: &mut Diagnostics) -> Option<Leak> {
    if model == Model::If {
        return Some(Leak::None);
    }
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

fn reset(item: &Item<'_>, out: &mut Diagnostics) -> Option<Reset> {
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
    reset
}

impl Number {
    fn parse(item: &Item<'_>, bound: &Bound, out: &mut Diagnostics) -> Option<Self> {
        if !matches!(item.value, crate::json::Value::Object(_)) {
            let x = item.number_f32(out)?;
            if !(bound.holds)(x) {
                return item.bad(format!("{} is {x}", bound.name), bound.rule, out);
            }
            return Some(Self::Uniform(x));
        }
        let mut fields = item.fields(out)?;
        let tensor = fields
            .required("tensor", "name of a tensor, one value per channel or per neuron", out)
            .and_then(|i| super::tensors::name(&i, out));
        fields.finish(out);
        tensor.map(Self::Tensor)
    }

    fn resolve(
        &self,
        bound: &Bound,
        shape: &Shape,
        store: &Store,
        out: &mut Diagnostics,
    ) -> Option<Param<f32>> {
        let name = match self {
            Self::Uniform(x) => return Some(Param::Uniform(*x)),
            Self::Tensor(name) => name,
        };
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
}
