//! Nodes of a genome: operations with their fields, names not yet looked up.

use super::tensors;
use super::weight::{BiasSpec, WeightSpec};
use crate::fields::{Fields, Item, Name};
use crate::json::Value;
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::network::Keep;
use snnc_ir::{Diagnostic, Diagnostics, MAX_DELAY, Shape};

/// Most inputs of a node.
const MAX_INPUTS: usize = 1024;
/// Largest kernel extent, stride or padding.
const MAX_EXTENT: u32 = 1 << 12;

/// One entry of `nodes`. What is wrong in it is `None`.
#[derive(Debug)]
pub(crate) struct NodeSpec {
    pub(crate) id: Option<Name>,
    pub(crate) op: Option<OpSpec>,
    pub(crate) inputs: Option<Vec<EdgeSpec>>,
    pub(crate) path: String,
}

/// An item of `in`.
#[derive(Debug)]
pub(crate) struct EdgeSpec {
    pub(crate) node: Name,
    pub(crate) delay: u32,
}

/// An operation.
#[derive(Debug)]
pub(crate) enum OpSpec {
    Input,
    Linear {
        weight: WeightSpec,
        bias: Option<BiasSpec>,
    },
    Conv2d {
        weight: WeightSpec,
        bias: Option<BiasSpec>,
        window: Window,
        groups: u32,
    },
    /// The prefix is that of the tensors' names.
    BatchNorm {
        prefix: Name,
        eps: f64,
    },
    Neuron(Population),
    Add,
    Concat,
    Flatten,
    AvgPool {
        window: Window,
        exclude_pad: bool,
    },
    GlobalAvgPool,
    Clip(Keep),
    /// Top, bottom, left, right.
    Crop([u32; 4]),
    Zero(Shape),
}

/// A population: the model of its neurons, and tensors that replace parameters of the model.
#[derive(Debug)]
pub(crate) struct Population {
    pub(crate) neuron: Name,
    pub(crate) threshold: Option<Name>,
    /// Of a `plif` only.
    pub(crate) w: Option<Name>,
}

/// Where a kernel or a pooling window moves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// Height, width.
    pub(crate) kernel: [u32; 2],
    /// Vertical, horizontal.
    pub(crate) stride: [u32; 2],
    /// Top, bottom, left, right.
    pub(crate) pad: [u32; 4],
}

#[derive(Clone, Copy)]
enum Word {
    Input,
    Linear,
    Conv2d,
    BatchNorm,
    Neuron,
    Add,
    Concat,
    Flatten,
    AvgPool,
    GlobalAvgPool,
    Clip,
    Crop,
    Zero,
    /// Known, not accepted; the text says what to do.
    Other(&'static str),
}

const OPS: [(&str, Word); 15] = [
    ("input", Word::Input),
    ("linear", Word::Linear),
    ("conv2d", Word::Conv2d),
    ("batchnorm", Word::BatchNorm),
    ("neuron", Word::Neuron),
    ("add", Word::Add),
    ("concat", Word::Concat),
    ("flatten", Word::Flatten),
    ("avgpool", Word::AvgPool),
    ("global_avgpool", Word::GlobalAvgPool),
    ("clip", Word::Clip),
    ("crop", Word::Crop),
    ("zero", Word::Zero),
    ("maxpool", Word::Other("train with `avgpool`, or with a convolution of stride 2")),
    ("spike_join", Word::Other("join currents with `add` before the neuron instead")),
];

impl NodeSpec {
    pub(crate) fn parse(item: &Item<'_>, out: &mut Diagnostics) -> Self {
        let mut spec = Self { id: None, op: None, inputs: None, path: item.path.clone() };
        let Some(mut fields) = item.fields(out) else { return spec };
        spec.id = fields.required("id", "name of the node", out).and_then(|i| i.name(out));
        let op_item = fields.required("op", "what the node computes", out);
        let Some((op_item, word)) =
            op_item.and_then(|i| i.choice("operation", &OPS, out).map(|w| (i, w)))
        else {
            return spec;
        };
        if let Word::Other(help) = word {
            let found = op_item.text(out).unwrap_or_default();
            out.push(
                Diagnostic::error(
                    codes::NOT_ACCEPTED,
                    format!("the operation `{found}` is not accepted in this version"),
                )
                .at(&op_item.path)
                .note("accepted: input, linear, conv2d, batchnorm, neuron, add, concat, flatten, avgpool, global_avgpool, clip, crop, zero")
                .help(help),
            );
            return spec;
        }
        if matches!(word, Word::Input | Word::Zero) {
            spec.inputs = Some(Vec::new());
        } else {
            spec.inputs =
                fields.required("in", "list of the nodes read", out).and_then(|i| edges(&i, out));
        }
        spec.op = op(word, &mut fields, out);
        fields.finish(out);
        spec
    }
}

fn op(word: Word, fields: &mut Fields<'_>, out: &mut Diagnostics) -> Option<OpSpec> {
    Some(match word {
        Word::Input => OpSpec::Input,
        Word::Add => OpSpec::Add,
        Word::Concat => OpSpec::Concat,
        Word::Flatten => OpSpec::Flatten,
        Word::GlobalAvgPool => OpSpec::GlobalAvgPool,
        Word::Linear => {
            let (weight, bias) = weights(fields, out)?;
            OpSpec::Linear { weight, bias }
        }
        Word::Conv2d => {
            let window = window(fields, out);
            let groups = match fields.optional("groups") {
                Some(i) => i.whole_u32(1..=1 << 16, out),
                None => Some(1),
            };
            let weights = weights(fields, out);
            let (window, groups, (weight, bias)) = (window?, groups?, weights?);
            OpSpec::Conv2d { weight, bias, window, groups }
        }
        Word::BatchNorm => {
            let prefix = fields
                .required(
                    "prefix",
                    "prefix of the tensors .weight, .bias, .running_mean, .running_var",
                    out,
                )
                .and_then(|i| tensors::name(&i, out));
            let eps = fields
                .required("eps", "added to the variance, as in training", out)
                .and_then(|i| match i.number(out)? {
                    eps if eps < 0.0 => i.bad(format!("eps is {eps}"), "eps >= 0", out),
                    eps => Some(eps),
                });
            OpSpec::BatchNorm { prefix: prefix?, eps: eps? }
        }
        Word::Neuron => {
            let neuron = fields
                .required("neuron", "name of an entry of `neurons`", out)
                .and_then(|i| i.name(out));
            let mut replaced = |field| match fields.optional(field) {
                Some(i) => tensors::reference(&i, out).map(Some),
                None => Some(None),
            };
            let (threshold, w) = (replaced("threshold"), replaced("w"));
            OpSpec::Neuron(Population { neuron: neuron?, threshold: threshold?, w: w? })
        }
        Word::Clip => {
            let signs = [("+", Keep::Positive), ("-", Keep::Negative)];
            let sign = fields
                .required("sign", "+ keeps values above 0, - those below", out)
                .and_then(|i| i.choice("sign", &signs, out));
            OpSpec::Clip(sign?)
        }
        Word::Crop => {
            let sides = "[top, bottom, left, right]";
            let crop = fields
                .required("crop", sides, out)
                .and_then(|i| i.whole_list(sides, &(0..=MAX_EXTENT), out));
            OpSpec::Crop(crop?)
        }
        Word::Zero => {
            let shape = fields
                .required("shape", "[elements] or [channels, height, width]", out)
                .and_then(|i| super::envelope::shape(&i, out));
            OpSpec::Zero(shape?)
        }
        Word::AvgPool => {
            let window = window(fields, out).and_then(|w| inside(w, fields, out));
            let exclude = fields.optional("exclude_pad");
            let padded = window.is_some_and(|w| w.pad != [0; 4]);
            let exclude_pad = match exclude {
                Some(i) => i.boolean(out),
                None if padded => {
                    let meaning = "whether cells of the padding are left out of the count";
                    fields.required("exclude_pad", meaning, out);
                    None
                }
                None => Some(false),
            };
            OpSpec::AvgPool { window: window?, exclude_pad: exclude_pad? }
        }
        Word::Other(_) => return None,
    })
}

/// `weight`, and `bias` if there is one; `None` if either is wrong.
fn weights(
    fields: &mut Fields<'_>,
    out: &mut Diagnostics,
) -> Option<(WeightSpec, Option<BiasSpec>)> {
    let weight = fields
        .required("weight", "{ dense } or { encoded }", out)
        .and_then(|i| WeightSpec::parse(&i, out));
    let given = fields.optional("bias");
    let absent = given.is_none();
    let bias = given.and_then(|i| BiasSpec::parse(&i, out));
    (absent || bias.is_some()).then_some((weight?, bias))
}

fn window(fields: &mut Fields<'_>, out: &mut Diagnostics) -> Option<Window> {
    let positive = 1..=MAX_EXTENT;
    let kernel = fields
        .required("k", "[height, width] of the kernel", out)
        .and_then(|i| i.whole_list("[height, width]", &positive, out));
    let stride = fields
        .required("stride", "[vertical, horizontal]", out)
        .and_then(|i| i.whole_list("[vertical, horizontal]", &positive, out));
    let pad = fields
        .required("pad", "[top, bottom, left, right]", out)
        .and_then(|i| i.whole_list("[top, bottom, left, right]", &(0..=MAX_EXTENT), out));
    Some(Window { kernel: kernel?, stride: stride?, pad: pad? })
}

/// A pooling window must not fit into the padding, where there is nothing to average.
fn inside(window: Window, fields: &mut Fields<'_>, out: &mut Diagnostics) -> Option<Window> {
    let ([height, width], [top, bottom, left, right]) = (window.kernel, window.pad);
    if top.max(bottom) < height && left.max(right) < width {
        return Some(window);
    }
    let pad = fields.optional("pad")?;
    pad.bad("a window would lie wholly in the padding", "padding is smaller than the window", out)
}

fn edges(item: &Item<'_>, out: &mut Diagnostics) -> Option<Vec<EdgeSpec>> {
    let items = item.list(out)?;
    if items.len() > MAX_INPUTS {
        out.push(
            Diagnostic::error(codes::LIMIT, format!("{} inputs", items.len()))
                .at(&item.path)
                .note(format!("at most {MAX_INPUTS} inputs of a node")),
        );
        return None;
    }
    let edges: Vec<Option<EdgeSpec>> = items.iter().map(|i| edge(i, out)).collect();
    edges.into_iter().collect()
}

/// `"node"`, or `{ "node": …, "delay": … }`.
fn edge(item: &Item<'_>, out: &mut Diagnostics) -> Option<EdgeSpec> {
    if !matches!(item.value, Value::Object(_)) {
        return Some(EdgeSpec { node: item.name(out)?, delay: 0 });
    }
    let mut fields = item.fields(out)?;
    let node = fields.required("node", "id of the node read", out).and_then(|i| i.name(out));
    let delay = fields
        .required("delay", "logical steps ago", out)
        .and_then(|i| i.whole_u32(0..=MAX_DELAY, out));
    fields.finish(out);
    Some(EdgeSpec { node: node?, delay: delay? })
}
