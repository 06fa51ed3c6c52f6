//! Arity, weights and shape of one node.

use super::{codes, neuron, node_place, tensor_place};
use crate::arena::{NodeId, TensorId};
use crate::check;
use crate::conv::Conv;
use crate::diag::{Diagnostic, Diagnostics};
use crate::network::{NetworkDraft, Node, Op};
use crate::shape::Shape;

/// The tensors that an operation uses.
pub(in crate::network) fn tensors(op: &Op) -> Vec<TensorId> {
    match op {
        Op::Linear { weight, bias } | Op::Conv2d { weight, bias, .. } => {
            std::iter::once(*weight).chain(*bias).collect()
        }
        Op::BatchNorm { gamma, beta, mean, variance, .. } => vec![*gamma, *beta, *mean, *variance],
        Op::Input(_)
        | Op::Neuron(_)
        | Op::Add
        | Op::Concat
        | Op::Flatten
        | Op::AvgPool { .. }
        | Op::GlobalAvgPool
        | Op::Relay(_)
        | Op::Crop(_)
        | Op::Zero => Vec::new(),
    }
}

/// Checks the node `id`, whose references all exist.
pub(super) fn check(draft: &NetworkDraft, id: NodeId, out: &mut Diagnostics) {
    let node = &draft.nodes[id];
    if let Some(problem) = check::extents(&node.shape) {
        out.push(
            Diagnostic::error(codes::SHAPE, format!("the node has the shape {}", node.shape))
                .at(node_place(draft, id))
                .note(problem)
                .help("declare a shape that values of this network can have"),
        );
        return;
    }
    if !arity(draft, id, out) {
        return;
    }
    match &node.op {
        Op::Input(coding) => neuron::coding(draft, id, coding, out),
        Op::Neuron(parameters) => {
            neuron::parameters(draft, id, parameters, out);
            let source = node.inputs[0].source;
            if draft.nodes[source].op.is_population() {
                out.push(
                    Diagnostic::error(codes::CURRENT, "a neuron reads a population directly")
                        .at(node_place(draft, id))
                        .note(format!(
                            "expected an analog node, found {}",
                            node_place(draft, source)
                        ))
                        .help("put a linear or conv2d between the populations"),
                );
            }
        }
        Op::BatchNorm { .. } => batch_norm_values(draft, id, out),
        _ => {}
    }
    weights(draft, id, out);
    match inferred(draft, node) {
        Ok(shape) if shape == node.shape => {}
        Ok(shape) => out.push(
            Diagnostic::error(codes::SHAPE, format!("the node has the shape {}", node.shape))
                .at(node_place(draft, id))
                .note(format!(
                    "expected {shape}, from its operation ({}) and inputs",
                    node.op.name()
                ))
                .help("declare that shape, or correct what the node reads"),
        ),
        Err(diagnostic) => out.push(diagnostic.at(node_place(draft, id))),
    }
}

fn arity(draft: &NetworkDraft, id: NodeId, out: &mut Diagnostics) -> bool {
    let node = &draft.nodes[id];
    let (fits, expected) = match node.op {
        Op::Input(_) | Op::Zero => (node.inputs.is_empty(), "none"),
        Op::Add | Op::Concat => (!node.inputs.is_empty(), "at least one"),
        _ => (node.inputs.len() == 1, "exactly one"),
    };
    if !fits {
        let found = node.inputs.len();
        out.push(
            Diagnostic::error(codes::ARITY, format!("{} has {found} inputs", node.op.name()))
                .at(node_place(draft, id))
                .note(format!("expected {expected}"))
                .help("several currents of one neuron are joined by an add"),
        );
    }
    fits
}

/// Shapes of the tensors that the node uses.
fn weights(draft: &NetworkDraft, id: NodeId, out: &mut Diagnostics) {
    let node = &draft.nodes[id];
    let mut expect = |role: &str, tensor: TensorId, expected: Shape| {
        let found = &draft.tensors[tensor].shape;
        if *found != expected {
            out.push(
                Diagnostic::error(codes::WEIGHT_SHAPE, format!("the {role} has the shape {found}"))
                    .at(format!("{}, {}", node_place(draft, id), tensor_place(draft, tensor)))
                    .note(format!("expected {expected}"))
                    .help("check whether the tensor was stored transposed or belongs elsewhere"),
            );
        }
    };
    match &node.op {
        Op::Linear { weight, bias } => {
            let inputs = extent(draft.nodes[node.inputs[0].source].shape.size());
            let outputs = extent(node.shape.size());
            expect("weight", *weight, Shape(vec![outputs, inputs]));
            if let Some(bias) = bias {
                expect("bias", *bias, Shape::flat(outputs));
            }
        }
        Op::Conv2d { weight, bias, conv } => {
            expect("kernel", *weight, Shape(conv.kernel_shape().to_vec()));
            if let Some(bias) = bias {
                expect("bias", *bias, Shape::flat(conv.out_channels));
            }
        }
        Op::BatchNorm { gamma, beta, mean, variance, .. } => {
            let channels = Shape::flat(extent(node.shape.channels()));
            for (role, tensor) in
                [("scale", gamma), ("shift", beta), ("mean", mean), ("variance", variance)]
            {
                expect(role, *tensor, channels.clone());
            }
        }
        _ => {}
    }
}

/// A size bounded by [`check::MAX_ELEMENTS`] as an extent.
fn extent(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

/// The shape that follows from the operation and the declared shapes of the inputs.
fn inferred(draft: &NetworkDraft, node: &Node) -> Result<Shape, Diagnostic> {
    let shapes: Vec<&Shape> = node.inputs.iter().map(|e| &draft.nodes[e.source].shape).collect();
    let mismatch = |message: &str, expected: String| {
        Diagnostic::error(codes::SHAPE, message)
            .note(expected)
            .help("correct the shapes of the nodes read, or read others")
    };
    match &node.op {
        Op::Input(_) | Op::Zero => Ok(node.shape.clone()),
        Op::Linear { weight, .. } => {
            // A weight of another rank is reported with the weights.
            let out = draft.tensors[*weight].shape.0.first().copied().unwrap_or(0);
            Ok(reshaped(node, Shape::flat(out)))
        }
        Op::Conv2d { conv, .. } => {
            // Passes let a vector stand for extents with the same elements in the same order.
            let vector = Shape::flat(extent(Shape(conv.input.to_vec()).size()));
            let input =
                if *shapes[0] == vector { Shape(conv.input.to_vec()) } else { shapes[0].clone() };
            let output = convolved(conv, &input)?;
            Ok(if node.shape.0.len() == 1 { reshaped(node, output) } else { output })
        }
        Op::AvgPool { window, .. } => {
            let [channels, ..] = window.input;
            if window.out_channels != channels || window.groups != channels {
                return Err(geometry(format!(
                    "expected {channels} output channels in {channels} groups, found {} in {}",
                    window.out_channels, window.groups
                )));
            }
            if window.crop != [0; 4] {
                return Err(geometry(format!(
                    "expected a pooling window without a crop, found {:?}",
                    window.crop
                )));
            }
            let [top, bottom, left, right] = window.pad;
            if top.max(bottom) >= window.kernel[0] || left.max(right) >= window.kernel[1] {
                return Err(geometry(format!(
                    "expected padding smaller than the window, so that every window holds a cell of \
                     the input; found {:?} around a window of {}x{}",
                    window.pad, window.kernel[0], window.kernel[1]
                )));
            }
            convolved(window, shapes[0])
        }
        Op::BatchNorm { .. } | Op::Neuron(_) | Op::Relay(_) => Ok(shapes[0].clone()),
        Op::Crop(crop) => cropped(*crop, shapes[0]),
        Op::Add => match shapes.iter().find(|s| **s != shapes[0]) {
            None => Ok(shapes[0].clone()),
            Some(other) => Err(mismatch(
                "add reads inputs of different shapes",
                format!("the first input has {}, another {other}", shapes[0]),
            )),
        },
        Op::Concat => {
            let inner = shapes[0].0.get(1..);
            if let Some(other) = shapes.iter().find(|s| s.0.get(1..) != inner) {
                return Err(mismatch(
                    "concat reads inputs whose inner extents differ",
                    format!("the first input has {}, another {other}", shapes[0]),
                ));
            }
            let channels = shapes.iter().fold(0_usize, |n, s| n.saturating_add(s.channels()));
            Ok(Shape(
                std::iter::once(extent(channels))
                    .chain(inner.into_iter().flatten().copied())
                    .collect(),
            ))
        }
        Op::Flatten => Ok(Shape::flat(extent(shapes[0].size()))),
        Op::GlobalAvgPool => match shapes[0].as_chw() {
            Some([channels, ..]) => Ok(Shape::flat(channels)),
            None => Err(mismatch(
                "global average pooling reads a vector",
                format!("expected [channels, height, width], found {}", shapes[0]),
            )),
        },
    }
}

/// The declared shape, if it holds as many elements as `shape`; else `shape`.
fn reshaped(node: &Node, shape: Shape) -> Shape {
    if node.shape.size() == shape.size() { node.shape.clone() } else { shape }
}

fn geometry(problem: String) -> Diagnostic {
    Diagnostic::error(codes::GEOMETRY, "the window does not fit what the node reads")
        .note(problem)
        .help("correct kernel, stride, padding, crop or groups")
}

fn convolved(conv: &Conv, input: &Shape) -> Result<Shape, Diagnostic> {
    if let Some(problem) = check::geometry(conv) {
        return Err(geometry(problem));
    }
    if input.as_chw() != Some(conv.input) {
        return Err(geometry(format!(
            "expected an input of {}, found {input}",
            Shape(conv.input.to_vec())
        )));
    }
    let output = conv.output().map(|o| Shape(o.to_vec()));
    output.ok_or_else(|| geometry("the window has no output".to_owned()))
}

/// What a crop leaves of `input`.
fn cropped(crop: [u32; 4], input: &Shape) -> Result<Shape, Diagnostic> {
    let Some([channels, height, width]) = input.as_chw() else {
        return Err(geometry(format!("expected [channels, height, width], found {input}")));
    };
    let [top, bottom, left, right] = crop;
    let rest = |extent: u32, before: u32, after: u32| {
        extent.checked_sub(before)?.checked_sub(after).filter(|&rest| rest > 0)
    };
    match (rest(height, top, bottom), rest(width, left, right)) {
        (Some(height), Some(width)) => Ok(Shape::chw(channels, height, width)),
        _ => Err(geometry(format!(
            "expected a crop that leaves a row and a column of {height}x{width}, found {crop:?}"
        ))),
    }
}

/// variance + eps > 0, and scale and shift are finite once rounded to f32.
fn batch_norm_values(draft: &NetworkDraft, id: NodeId, out: &mut Diagnostics) {
    let Op::BatchNorm { gamma, beta, mean, variance, eps } = &draft.nodes[id].op else {
        return;
    };
    let data = |t: &TensorId| &draft.tensors[*t].data;
    let channels = data(gamma).iter().zip(data(beta)).zip(data(mean)).zip(data(variance));
    for (channel, (((gamma, beta), mean), variance)) in channels.enumerate() {
        let sum = f64::from(*variance) + eps;
        let scale = f64::from(*gamma) / sum.sqrt();
        let shift = f64::from(*beta) - f64::from(*mean) * scale;
        let finite = |v: f64| v.abs() <= f64::from(f32::MAX);
        if eps.is_finite() && sum > 0.0 && finite(scale) && finite(shift) {
            continue;
        }
        out.push(
            Diagnostic::error(
                codes::BATCH_NORM,
                format!("channel {channel} has variance {variance} and eps {eps}"),
            )
            .at(node_place(draft, id))
            .note(format!(
                "expected variance + eps above 0 and finite results; scale is {scale}, shift {shift}"
            ))
            .help("correct the running statistics, or set eps to what training used (often 1e-5)"),
        );
        // One channel tells the cause; a network has hundreds.
        return;
    }
}
