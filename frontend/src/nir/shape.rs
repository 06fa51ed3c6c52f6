//! Shapes of what a node takes and gives.

use super::graph::{Conv, Flatten, NirGraph, Padding, Pool, Primitive};
use crate::arrays::{elements, show_shape};

/// What a node says of its input by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Declared {
    /// Extents of the input.
    pub(super) shape: Vec<usize>,
    /// The dataset that says so, with its extents.
    pub(super) from: String,
}

/// The input shape that the node's own parameters decide, if they do.
pub(super) fn declared(primitive: &Primitive) -> Option<Declared> {
    let from = |name: &str, shape: &[usize]| format!("`{name}` {}", show_shape(shape));
    match primitive {
        Primitive::Input { shape } | Primitive::Output { shape } => {
            Some(Declared { shape: shape.clone(), from: from("shape", shape) })
        }
        Primitive::Affine { weight, .. } | Primitive::Linear { weight } => {
            let (lead, [_, inputs]) = weight.shape.split_last_chunk()?;
            let shape = [lead, &[*inputs]].concat();
            Some(Declared { shape, from: from("weight", &weight.shape) })
        }
        Primitive::Conv1d(c) => conv_input(c),
        Primitive::Conv2d(c) => conv_input(c),
        Primitive::SumPool2d(_) | Primitive::AvgPool2d(_) => None,
        Primitive::Flatten(f) => f
            .input_type
            .as_ref()
            .map(|shape| Declared { shape: shape.clone(), from: from("input_type", shape) }),
        Primitive::Graph(graph) => match ports(graph, true)[..] {
            [(name, shape)] => {
                let from = from(&format!("{name}/shape"), shape);
                Some(Declared { shape: shape.clone(), from })
            }
            _ => None,
        },
        elementwise => elementwise
            .elementwise()
            .into_iter()
            .find(|(_, a)| !a.shape.is_empty())
            .map(|(name, a)| Declared { shape: a.shape.clone(), from: from(name, &a.shape) }),
    }
}

fn conv_input<const D: usize>(conv: &Conv<D>) -> Option<Declared> {
    let channels = conv.weight.shape.get(1)?.checked_mul(conv.groups)?;
    let extents = conv.input_shape?;
    let shape = [&[channels], &extents[..]].concat();
    let from = format!(
        "`input_shape` {} with `weight` {} in {} groups",
        show_shape(&extents),
        show_shape(&conv.weight.shape),
        conv.groups
    );
    Some(Declared { shape, from })
}

/// Names and shapes of the inputs (or outputs) of a graph.
pub(super) fn ports(graph: &NirGraph, inputs: bool) -> Vec<(&str, &Vec<usize>)> {
    fn port(p: &Primitive, inputs: bool) -> Option<&Vec<usize>> {
        match p {
            Primitive::Input { shape } if inputs => Some(shape),
            Primitive::Output { shape } if !inputs => Some(shape),
            _ => None,
        }
    }
    graph
        .nodes
        .iter()
        .filter_map(|(n, node)| Some((n.as_str(), port(&node.primitive, inputs)?)))
        .collect()
}

/// What a node gives when it takes `input`.
///
/// # Errors
/// Why it cannot take that.
pub(super) fn output(primitive: &Primitive, input: &[usize]) -> Result<Vec<usize>, String> {
    match primitive {
        Primitive::Affine { weight, .. } | Primitive::Linear { weight } => {
            match weight.shape.split_last_chunk() {
                Some((lead, [outputs, _])) => Ok([lead, &[*outputs]].concat()),
                None => Err("a weight has at least two dimensions".to_owned()),
            }
        }
        Primitive::Conv1d(c) => conv_output(c, input),
        Primitive::Conv2d(c) => conv_output(c, input),
        Primitive::SumPool2d(p) | Primitive::AvgPool2d(p) => pool_output(p, input),
        Primitive::Flatten(f) => flatten_output(f, input),
        Primitive::Graph(graph) => match ports(graph, false)[..] {
            [(_, shape)] => Ok(shape.clone()),
            _ => Err("a graph within a graph has one `Output`".to_owned()),
        },
        _ => Ok(input.to_vec()),
    }
}

/// Number of windows of `kernel` taps along an axis.
fn windows(
    extent: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
) -> Option<usize> {
    let reach = dilation.checked_mul(kernel.checked_sub(1)?)?.checked_add(1)?;
    let padded = extent.checked_add(padding.checked_mul(2)?)?;
    Some(padded.checked_sub(reach)?.checked_div(stride)? + 1)
}

fn conv_output<const D: usize>(conv: &Conv<D>, input: &[usize]) -> Result<Vec<usize>, String> {
    let (Some(&[out, per_group]), kernel) =
        (conv.weight.shape.first_chunk(), conv.weight.shape.get(2..))
    else {
        return Err(format!("a weight has {} dimensions", D + 2));
    };
    let channels = per_group.saturating_mul(conv.groups);
    let (Some((&given, extents)), Some(kernel)) = (input.split_first(), kernel) else {
        return Err(format!("takes [channels and {D} extents]"));
    };
    if extents.len() != D || given != channels || kernel.len() != D {
        return Err(format!(
            "takes {channels} channels and {D} extents: `weight` {} in {} groups",
            show_shape(&conv.weight.shape),
            conv.groups
        ));
    }
    if let Some(expected) = conv.input_shape
        && extents != expected
    {
        return Err(format!("`input_shape` is {}", show_shape(&expected)));
    }
    let mut shape = vec![out];
    for axis in 0..D {
        let padding = match conv.padding {
            Padding::Zeros(p) => p[axis],
            Padding::Valid => 0,
            Padding::Same => {
                shape.push(extents[axis]);
                continue;
            }
        };
        let n =
            windows(extents[axis], kernel[axis], conv.stride[axis], padding, conv.dilation[axis]);
        shape.push(n.ok_or_else(|| beyond(axis))?);
    }
    Ok(shape)
}

fn pool_output(pool: &Pool, input: &[usize]) -> Result<Vec<usize>, String> {
    let &[channels, height, width] = input else {
        return Err("takes [channels, height, width]".to_owned());
    };
    let mut shape = vec![channels];
    for (axis, extent) in [height, width].into_iter().enumerate() {
        let (kernel, stride) = (pool.kernel[axis], pool.stride[axis]);
        let n = windows(extent, kernel, stride, pool.padding[axis], 1);
        shape.push(n.ok_or_else(|| beyond(axis))?);
    }
    Ok(shape)
}

fn beyond(axis: usize) -> String {
    format!("along axis {axis} the window is larger than the padded input")
}

fn flatten_output(flatten: &Flatten, input: &[usize]) -> Result<Vec<usize>, String> {
    let rank = input.len();
    let index = |dimension: i64| {
        let n = usize::try_from(dimension.unsigned_abs()).ok()?;
        let n = if dimension < 0 { rank.checked_sub(n)? } else { n };
        (n < rank).then_some(n)
    };
    let (start, end) = (flatten.start, flatten.end);
    let (Some(first), Some(last)) = (index(start), index(end)) else {
        return Err(format!(
            "`start_dim` {start} or `end_dim` {end} is no dimension of {}",
            show_shape(input)
        ));
    };
    if first > last {
        return Err(format!("`start_dim` {start} lies behind `end_dim` {end}"));
    }
    let joined = elements(&input[first..=last]).ok_or("the product of extents overflows")?;
    Ok([&input[..first], &[joined], &input[last + 1..]].concat())
}
