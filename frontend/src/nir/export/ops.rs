//! Operations without state as primitives.

use super::super::graph::{Conv, Flatten, Padding, Pool, Primitive};
use super::builder::{Builder, Value, floats};
use crate::arrays::{Array, ArrayData};
use snnc_ir::conv::Conv as Geometry;

/// `value` as a vector.
pub(super) fn flat(builder: &mut Builder, value: &Value) -> Value {
    if value.shape.len() == 1 {
        return value.clone();
    }
    let size = value.shape.iter().product();
    let terms = value.terms.iter().map(|term| {
        let one = Value { terms: vec![term.clone()], shape: value.shape.clone() };
        let flatten = Flatten { input_type: Some(value.shape.clone()), start: 0, end: -1 };
        let name = format!("{term}.flat");
        builder.after(&name, Primitive::Flatten(flatten), &one, vec![size]).terms
    });
    Value { terms: terms.flatten().collect(), shape: vec![size] }
}

/// `y = W x`, or with a bias `W x + b`. **Shapes**: weight `[out, in]`, bias `[out]`.
pub(super) fn linear(
    builder: &mut Builder,
    name: &str,
    value: &Value,
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
) -> Value {
    let input = flat(builder, value);
    let columns = input.shape[0].max(1);
    let rows = weight.len() / columns;
    let weight = Array { shape: vec![rows, columns], data: ArrayData::F32(weight) };
    let primitive = match bias {
        Some(bias) => Primitive::Affine {
            weight,
            bias: Array { shape: vec![rows], data: ArrayData::F32(bias) },
        },
        None => Primitive::Linear { weight },
    };
    builder.after(name, primitive, &input, vec![rows])
}

/// A convolution; zeros around the input that differ from side to side become zeros of the kernel.
pub(super) fn conv(
    builder: &mut Builder,
    name: &str,
    value: &Value,
    geometry: &Geometry,
    weight: &[f32],
    bias: Option<Vec<f32>>,
) -> Option<Value> {
    let place = format!("node {name}");
    let [channels, height, width] = geometry.input.map(|d| d as usize);
    let Some(output) = geometry.output().map(|o| o.map(|d| d as usize)) else {
        builder.refuse(&place, "a convolution without output", "repair its geometry");
        return None;
    };
    if value.shape != [channels, height, width] {
        let help = "declare the extents of what it reads";
        builder.refuse(&place, "a convolution that reads a vector", help);
        return None;
    }
    if geometry.crop != [0; 4] {
        let help = "write the network as its genome has it, before passes";
        builder.refuse(&place, "a convolution that leaves out rows or columns", help);
        return None;
    }
    let [out, per_group, rows, columns] = geometry.kernel_shape().map(|d| d as usize);
    let pad = geometry.pad.map(|d| d as usize);
    // A padding p on both sides: where one side has less, the kernel begins or ends with zeros.
    let around = [pad[0].max(pad[1]), pad[2].max(pad[3])];
    let before = [around[0] - pad[0], around[1] - pad[2]];
    let [k_h, k_w] = [
        rows + before[0] + around[0] - pad[1],
        columns + before[1] + around[1] - pad[3],
    ];
    let mut kernel = vec![0.0; out * per_group * k_h * k_w];
    for (i, row) in weight.chunks_exact(columns.max(1)).enumerate() {
        let (plane, y) = (i / rows.max(1), i % rows.max(1));
        let at = (plane * k_h + y + before[0]) * k_w + before[1];
        kernel[at..at + columns].copy_from_slice(row);
    }
    let bias = bias.unwrap_or_else(|| vec![0.0; out]);
    let primitive = Primitive::Conv2d(Conv {
        input_shape: Some([height, width]),
        weight: Array { shape: vec![out, per_group, k_h, k_w], data: ArrayData::F32(kernel) },
        bias: Array { shape: vec![out], data: ArrayData::F32(bias) },
        stride: geometry.stride.map(|d| d as usize),
        padding: Padding::Zeros(around),
        dilation: [1, 1],
        groups: geometry.groups as usize,
    });
    Some(builder.after(name, primitive, value, output.to_vec()))
}

/// Means of windows.
pub(super) fn average(
    builder: &mut Builder,
    name: &str,
    value: &Value,
    window: &Geometry,
    exclude_pad: bool,
) -> Option<Value> {
    let place = format!("node {name}");
    let output = window.output().map(|o| o.map(|d| d as usize));
    let pad = window.pad.map(|d| d as usize);
    let even = pad[0] == pad[1] && pad[2] == pad[3];
    let padded = pad.iter().any(|&p| p > 0);
    let shaped = value.shape == window.input.map(|d| d as usize);
    match output {
        Some(output) if even && shaped && window.crop == [0; 4] && !(padded && exclude_pad) => {
            let pool = Pool {
                kernel: window.kernel.map(|d| d as usize),
                stride: window.stride.map(|d| d as usize),
                padding: [pad[0], pad[2]],
            };
            Some(builder.after(name, Primitive::AvgPool2d(pool), value, output.to_vec()))
        }
        _ => {
            let help = "pool without padding, or write the network behind the pass `fold-pooling`";
            builder.refuse(&place, "pooling with uneven or uncounted padding", help);
            None
        }
    }
}

/// Values times `scale`, channel by channel.
pub(super) fn scale(builder: &mut Builder, name: &str, value: &Value, scale: &[f32]) -> Value {
    let size: usize = value.shape.iter().product();
    let per_channel = (size / scale.len().max(1)).max(1);
    let array = floats(&value.shape, |i| scale[i / per_channel]);
    builder.after(name, Primitive::Scale { scale: array }, value, value.shape.clone())
}
