//! Operations without state as primitives.

use super::super::graph::{Conv, Flatten, Padding, Pool, Primitive};
use super::builder::{Builder, Value, floats};
use crate::arrays::{Array, ArrayData};
use snnc_ir::Diagnostic;
use snnc_ir::conv::Conv as Geometry;
use snnc_ir::diag::codes::nir_export as codes;

/// Most values of a matrix or kernel that is written out.
pub(super) const LARGEST: usize = 1 << 28;

/// `value` as a vector.
pub(super) fn flat(builder: &mut Builder, value: &Value) -> Value {
    flattened(builder, value, None)
}

/// `value` as a vector, by a node called `name`, or after what it reads.
pub(super) fn flattened(builder: &mut Builder, value: &Value, name: Option<&str>) -> Value {
    if value.shape.len() == 1 {
        return value.clone();
    }
    let size = value.shape.iter().product();
    let flatten = || {
        let input_type = Some(value.shape.clone());
        Primitive::Flatten(Flatten { input_type, start: 0, end: -1 })
    };
    if let Some(name) = name {
        return builder.after(name, flatten(), value, vec![size]);
    }
    let terms = value.terms.iter().map(|term| {
        let one = Value { terms: vec![term.clone()], shape: value.shape.clone() };
        builder.after(&format!("{term}.flat"), flatten(), &one, vec![size]).terms
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

/// A convolution, as the `nir` package can read it.
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
    if bias.is_none()
        && let Some(pool) = sums(geometry, weight)
    {
        return Some(builder.after(name, Primitive::SumPool2d(pool), value, output.to_vec()));
    }
    let Some(kernel) = Kernel::of(geometry, weight) else {
        let help = "keep the network as .snn or .snnb";
        builder.refuse(
            &place,
            "groups of a convolution so large that they cannot be written out",
            help,
        );
        return None;
    };
    if geometry.groups > 1 {
        builder.found.push(
            Diagnostic::note_only(
                codes::EXPORT_READING,
                "the groups of the convolution are written out, with zeros between them",
            )
            .at(place)
            .note("the `nir` package up to 1.0.8 refuses convolutions with groups"),
        );
    }
    let bias = bias.unwrap_or_else(|| vec![0.0; kernel.shape[0]]);
    let primitive = Primitive::Conv2d(Conv {
        input_shape: Some([height, width]),
        bias: Array { shape: vec![kernel.shape[0]], data: ArrayData::F32(bias) },
        weight: Array { shape: kernel.shape.to_vec(), data: ArrayData::F32(kernel.values) },
        stride: geometry.stride.map(|d| d as usize),
        padding: Padding::Zeros(kernel.padding),
        dilation: [1, 1],
        groups: 1,
    });
    Some(builder.after(name, primitive, value, output.to_vec()))
}

/// The pooling that a convolution is: ones, channel by channel.
fn sums(geometry: &Geometry, weight: &[f32]) -> Option<Pool> {
    let [channels, ..] = geometry.input;
    let apart = geometry.groups == channels && geometry.out_channels == channels;
    let ones = weight.iter().all(|w| w.to_bits() == 1.0_f32.to_bits());
    let [top, bottom, left, right] = geometry.pad.map(|d| d as usize);
    // One window of one cell is no pooling.
    let wide = geometry.kernel != [1, 1];
    (apart && ones && wide && top == bottom && left == right).then(|| Pool {
        kernel: geometry.kernel.map(|d| d as usize),
        stride: geometry.stride.map(|d| d as usize),
        padding: [top, left],
    })
}

/// A kernel as the `nir` package reads it: without groups, padded alike on both sides, and square where zeros can make
/// it so.
struct Kernel {
    /// `[out, in, rows, columns]`
    shape: [usize; 4],
    values: Vec<f32>,
    padding: [usize; 2],
}

impl Kernel {
    /// `None` if it would be too large.
    fn of(geometry: &Geometry, weight: &[f32]) -> Option<Self> {
        let [out, per_group, rows, columns] = geometry.kernel_shape().map(|d| d as usize);
        let pad = geometry.pad.map(|d| d as usize);
        // With f zeros in front of the kernel and g behind it, f more are padded on one side and g on the other.
        let least = [rows + pad[0].abs_diff(pad[1]), columns + pad[2].abs_diff(pad[3])];
        let even = least[0] % 2 == least[1] % 2;
        let extents = if even { [least[0].max(least[1]); 2] } else { least };
        let front =
            |axis: usize, own: usize| (extents[axis] - own + pad[2 * axis + 1] - pad[2 * axis]) / 2;
        let (top, left) = (front(0, rows), front(1, columns));
        let inputs = geometry.input[0] as usize;
        let out_per_group = out / (geometry.groups as usize).max(1);
        let [k_h, k_w] = extents;
        let size = [inputs, k_h, k_w].into_iter().try_fold(out, usize::checked_mul)?;
        let mut values = vec![0.0; Some(size).filter(|&n| n <= LARGEST)?];
        for (i, row) in weight.chunks_exact(columns.max(1)).enumerate() {
            let (plane, y) = (i / rows.max(1), i % rows.max(1));
            let (target, source) = (plane / per_group.max(1), plane % per_group.max(1));
            let source = target / out_per_group.max(1) * per_group + source;
            let at = ((target * inputs + source) * k_h + y + top) * k_w + left;
            values[at..at + columns].copy_from_slice(row);
        }
        Some(Self {
            shape: [out, inputs, k_h, k_w],
            values,
            padding: [pad[0] + top, pad[2] + left],
        })
    }
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

/// `value` as a vector, unless it has the extents that are wanted.
pub(super) fn flat_unless(builder: &mut Builder, value: &Value, wanted: &[usize]) -> Value {
    if value.shape == wanted { value.clone() } else { flat(builder, value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a convolution gives for each output, from its definition.
    fn convolved(geometry: &Geometry, weight: &[f32], x: &[f32]) -> Vec<f32> {
        let outputs = geometry.output().map_or(0, |o| o.iter().product::<u32>()) as usize;
        let row = |target| {
            let mut sum = 0.0;
            geometry.for_sources(target, |source, k| sum += weight[k] * x[source]);
            sum
        };
        (0..outputs).map(row).collect()
    }

    proptest! {
        #[test]
        fn kernels_without_groups_and_uneven_padding_mean_the_same(
            groups in 1_u32..3,
            per_group in [1_u32..3, 1_u32..3],
            extents in [3_u32..7, 3_u32..7],
            kernel in [1_u32..4, 1_u32..4],
            stride in [1_u32..3, 1_u32..3],
            pad in [0_u32..3, 0_u32..3, 0_u32..3, 0_u32..3],
        ) {
            let geometry = Geometry {
                input: [groups * per_group[0], extents[0], extents[1]],
                out_channels: groups * per_group[1],
                kernel,
                stride,
                pad,
                groups,
                crop: [0; 4],
            };
            let small = |n: usize| f32::from(u8::try_from(n * 37 % 11).unwrap_or(0)) - 5.0;
            let weight: Vec<f32> = (0..geometry.kernel_size()).map(small).collect();
            let x: Vec<f32> =
                (0..geometry.input.iter().product::<u32>() as usize).map(|n| small(n + 3)).collect();
            let found = Kernel::of(&geometry, &weight).unwrap();
            let [v, h] = found.padding.map(|p| u32::try_from(p).unwrap());
            let [_, _, k_h, k_w] = found.shape.map(|d| u32::try_from(d).unwrap());
            let plain = Geometry { kernel: [k_h, k_w], pad: [v, v, h, h], groups: 1, ..geometry };
            prop_assert_eq!(plain.output(), geometry.output());
            let [a, b] = [(&plain, &found.values), (&geometry, &weight)]
                .map(|(g, w)| convolved(g, w, &x));
            prop_assert_eq!(a, b);
            let parity = |axis: usize| (kernel[axis] + pad[2 * axis] + pad[2 * axis + 1]) % 2;
            prop_assert_eq!(k_h == k_w, parity(0) == parity(1) || k_h == k_w);
        }
    }
}
