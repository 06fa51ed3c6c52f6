//! A genome with all its nodes written out, as JSON text.

use super::node::{EdgeSpec, NodeSpec, OpSpec, Window};
use super::weight::{BiasSpec, WeightKind, WeightSpec};
use crate::fields::Name;
use crate::json::{Value, compact};
use crate::search;
use snnc_ir::Shape;
use snnc_ir::network::Keep;
use std::fmt::Write;

/// The genome `document` with `nodes`: one line per field and per node. Where they were `unfolded`, the
/// fields that they follow from make way for the family `explicit`.
pub(crate) fn print(document: &Value, nodes: &[NodeSpec], unfolded: bool) -> String {
    let fields = match document {
        Value::Object(fields) => fields.as_slice(),
        _ => &[],
    };
    let mut text = "{\n".to_owned();
    let mut line = |key: &str, value: &Value| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {}: {},", compact(&string(key)), compact(value));
    };
    for (key, value) in fields {
        match key.as_str() {
            "search" if unfolded => line(key, &object([("family", string("explicit"))])),
            "motifs" | "genotypes" if unfolded => {}
            "readout" if unfolded => line(key, &with_node(value)),
            "tensors" if unfolded => line(key, &without(value, "names")),
            "nodes" => {}
            _ => line(key, value),
        }
    }
    let nodes: Vec<String> = nodes.iter().map(|n| format!("    {}", compact(&node(n)))).collect();
    let _ = writeln!(text, "  \"nodes\": [\n{}\n  ]\n}}", nodes.join(",\n"));
    text
}

/// A readout that names the classifier.
fn with_node(readout: &Value) -> Value {
    let Value::Object(mut fields) = without(readout, "node") else { return readout.clone() };
    fields.push(("node".to_owned(), string(search::CLASSIFIER)));
    Value::Object(fields)
}

/// An object without the field `key`.
fn without(value: &Value, key: &str) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.iter().filter(|(k, _)| k != key).cloned().collect())
        }
        other => other.clone(),
    }
}

fn string(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.map(|(key, value)| (key.to_owned(), value)).into())
}

fn numbers(values: &[u32]) -> Value {
    Value::Array(values.iter().map(|&n| Value::Integer(n.into())).collect())
}

fn shape(shape: &Shape) -> Value {
    numbers(&shape.0)
}

fn tensor(name: &Name) -> Value {
    object([("tensor", string(&name.text))])
}

/// A node whose fields were all read.
fn node(node: &NodeSpec) -> Value {
    let mut fields = Fields::default();
    if let Some(id) = &node.id {
        fields.add("id", string(&id.text));
    }
    let Some(op) = &node.op else { return Value::Object(fields.0) };
    let name = match op {
        OpSpec::Input => "input",
        OpSpec::Linear { .. } => "linear",
        OpSpec::Conv2d { .. } => "conv2d",
        OpSpec::BatchNorm { .. } => "batchnorm",
        OpSpec::Neuron(_) => "neuron",
        OpSpec::Add => "add",
        OpSpec::Concat => "concat",
        OpSpec::Flatten => "flatten",
        OpSpec::AvgPool { .. } => "avgpool",
        OpSpec::GlobalAvgPool => "global_avgpool",
        OpSpec::Clip(_) => "clip",
        OpSpec::Crop(_) => "crop",
        OpSpec::Zero(_) => "zero",
    };
    fields.add("op", string(name));
    if !matches!(op, OpSpec::Input | OpSpec::Zero(_)) {
        let edges = node.inputs.iter().flatten().map(edge).collect();
        fields.add("in", Value::Array(edges));
    }
    match op {
        OpSpec::Input | OpSpec::Add | OpSpec::Concat | OpSpec::Flatten | OpSpec::GlobalAvgPool => {}
        OpSpec::Linear { weight, bias } => fields.weights(weight, bias.as_ref()),
        OpSpec::Conv2d { weight, bias, window, groups } => {
            fields.window(window);
            fields.add("groups", Value::Integer((*groups).into()));
            fields.weights(weight, bias.as_ref());
        }
        OpSpec::BatchNorm { prefix, eps } => {
            fields.add("prefix", string(&prefix.text));
            fields.add("eps", Value::Float(*eps));
        }
        OpSpec::Neuron(population) => {
            fields.add("neuron", string(&population.neuron.text));
            for (key, name) in [("threshold", &population.threshold), ("w", &population.w)] {
                if let Some(name) = name {
                    fields.add(key, tensor(name));
                }
            }
        }
        OpSpec::AvgPool { window, exclude_pad } => {
            fields.window(window);
            fields.add("exclude_pad", Value::Bool(*exclude_pad));
        }
        OpSpec::Clip(keep) => fields.add(
            "sign",
            string(match keep {
                Keep::Positive => "+",
                Keep::Negative => "-",
            }),
        ),
        OpSpec::Crop(crop) => fields.add("crop", numbers(crop)),
        OpSpec::Zero(of) => fields.add("shape", shape(of)),
    }
    Value::Object(fields.0)
}

fn edge(edge: &EdgeSpec) -> Value {
    match edge.delay {
        0 => string(&edge.node.text),
        delay => {
            object([("node", string(&edge.node.text)), ("delay", Value::Integer(delay.into()))])
        }
    }
}

/// The fields of a node.
#[derive(Default)]
struct Fields(Vec<(String, Value)>);

impl Fields {
    fn add(&mut self, key: &str, value: Value) {
        self.0.push((key.to_owned(), value));
    }

    fn window(&mut self, window: &Window) {
        self.add("k", numbers(&window.kernel));
        self.add("stride", numbers(&window.stride));
        self.add("pad", numbers(&window.pad));
    }

    fn weights(&mut self, weight: &WeightSpec, bias: Option<&BiasSpec>) {
        let weight = match &weight.kind {
            WeightKind::Dense(name) => object([("dense", string(&name.text))]),
            WeightKind::Encoded(e) => {
                let post = if e.heaviside { "heaviside" } else { "none" };
                let genes = [
                    ("scheme", string(e.scheme.name())),
                    ("out", string(&e.out.text)),
                    ("core", string(&e.core.text)),
                    ("in", string(&e.source.text)),
                    ("scale", Value::Float(e.scale)),
                    ("post", string(post)),
                ];
                object([("encoded", object(genes))])
            }
        };
        self.add("weight", weight);
        match bias {
            None => {}
            Some(BiasSpec::Dense(name)) => {
                self.add("bias", object([("dense", string(&name.text))]));
            }
            Some(BiasSpec::Encoded { out, beta, .. }) => {
                let genes = [("out", string(&out.text)), ("beta", string(&beta.text))];
                self.add("bias", object([("encoded", object(genes))]));
            }
        }
    }
}
