//! Parameters of one node: finite, in range, and of shapes that fit together.

use super::super::graph::{Conv, Padding, Primitive};
use super::super::tree::join;
use crate::arrays::{Array, ArrayData, show_shape};
use snnc_ir::diag::codes::nir as codes;
use snnc_ir::{Diagnostic, Diagnostics};

pub(super) fn check(primitive: &Primitive, path: &str, out: &mut Diagnostics) {
    for (name, array) in primitive.arrays() {
        let at = join(path, name);
        if array.data.is_empty() {
            out.push(
                Diagnostic::error(codes::PARAMETER_SHAPE, format!("`{name}` has no elements"))
                    .at(at)
                    .note(format!("its extents are {}", show_shape(&array.shape))),
            );
            continue;
        }
        let time_constant = name.starts_with("tau");
        let (expected, bad): (_, fn(f64) -> bool) = match name {
            _ if time_constant => {
                ("a time constant is finite and above 0", |x| !(x.is_finite() && x > 0.0))
            }
            "delay" => ("a delay is finite and not negative", |x| !(x.is_finite() && x >= 0.0)),
            _ => ("parameters are finite numbers", |x| !x.is_finite()),
        };
        if let Some(first) = Offenders::of(&array.data, bad) {
            out.push(first.report(name, array, expected).at(at));
        }
    }
    match primitive {
        Primitive::Affine { weight, bias } => {
            matrix(weight, path, out);
            if let Some((lead, [outputs, _])) = weight.shape.split_last_chunk() {
                let whole = [lead, &[*outputs]].concat();
                fits("bias", bias, &[&whole[..], &[*outputs]], weight, path, out);
            }
        }
        Primitive::Linear { weight } => matrix(weight, path, out),
        Primitive::Conv1d(c) => conv(c, path, out),
        Primitive::Conv2d(c) => conv(c, path, out),
        other => same_shape(other, path, out),
    }
    ordered(primitive, path, out);
}

/// Elements that are not allowed.
struct Offenders {
    count: usize,
    index: usize,
    value: f64,
}

impl Offenders {
    fn of(data: &ArrayData, bad: fn(f64) -> bool) -> Option<Self> {
        let mut found: Option<Self> = None;
        visit(data, |index, value| {
            if bad(value) {
                found.get_or_insert(Self { count: 0, index, value }).count += 1;
            }
        });
        found
    }

    fn report(&self, name: &str, array: &Array, expected: &str) -> Diagnostic {
        let place = position(self.index, &array.shape);
        let message = format!("`{name}`{place} is {:?}", self.value);
        let d = Diagnostic::error(codes::VALUE, message).note(expected);
        match self.count {
            1 => d,
            n => d.note(format!("{n} of {} elements are not allowed", array.data.len())),
        }
    }
}

/// `[2, 0]`: the position of element `index`; nothing for single numbers.
fn position(mut index: usize, shape: &[usize]) -> String {
    let mut at = vec![0; shape.len()];
    for (place, &extent) in at.iter_mut().zip(shape).rev() {
        *place = index % extent.max(1);
        index /= extent.max(1);
    }
    if shape.is_empty() { String::new() } else { show_shape(&at) }
}

fn matrix(weight: &Array, path: &str, out: &mut Diagnostics) {
    if weight.shape.len() < 2 {
        out.push(
            Diagnostic::error(codes::PARAMETER_SHAPE, "a weight has at least two dimensions")
                .at(join(path, "weight"))
                .note(format!("found {}; expected [..., out, in]", show_shape(&weight.shape))),
        );
    }
}

/// Reports `array` unless it has one of the shapes `allowed`.
fn fits(
    name: &str,
    array: &Array,
    allowed: &[&[usize]],
    weight: &Array,
    path: &str,
    out: &mut Diagnostics,
) {
    if allowed.contains(&&array.shape[..]) {
        return;
    }
    let mut d = Diagnostic::error(
        codes::PARAMETER_SHAPE,
        format!("`{name}` is {}, expected {}", show_shape(&array.shape), show_shape(allowed[0])),
    )
    .at(join(path, name))
    .note(format!("`weight` is {} = [..., out, in]", show_shape(&weight.shape)));
    if let [_, inputs] = weight.shape[..]
        && array.shape == [inputs]
    {
        d = d.help("the weight looks stored as (in, out): transpose it");
    }
    out.push(d);
}

fn conv<const D: usize>(conv: &Conv<D>, path: &str, out: &mut Diagnostics) {
    let mut bad = |name: &str, message: String, note: String| {
        out.push(
            Diagnostic::error(codes::PARAMETER_SHAPE, message).at(join(path, name)).note(note),
        );
    };
    let shape = &conv.weight.shape;
    if shape.len() != D + 2 {
        let expected = format!("expected [out, in / groups] and {D} extents of the kernel");
        bad("weight", format!("a weight with {} dimensions", shape.len()), expected);
        return;
    }
    let (outputs, groups) = (shape[0], conv.groups);
    if !outputs.is_multiple_of(groups) {
        let note = format!("`weight` is {}", show_shape(shape));
        bad("groups", format!("{outputs} output channels do not split into {groups} groups"), note);
    }
    if conv.bias.shape != [outputs] {
        let found = show_shape(&conv.bias.shape);
        let note = format!("`weight` is {} = [out, in / groups, kernel...]", show_shape(shape));
        bad("bias", format!("`bias` is {found}, expected [{outputs}]"), note);
    }
    if conv.padding == Padding::Same && conv.stride.iter().any(|&s| s != 1) {
        let message = "padding `same` needs a stride of 1".to_owned();
        bad("padding", message, format!("`stride` is {}", show_shape(&conv.stride)));
    }
}

/// Parameters of an elementwise node have one shape; single numbers stand for all.
fn same_shape(primitive: &Primitive, path: &str, out: &mut Diagnostics) {
    let arrays = primitive.elementwise();
    let Some((first, shape)) =
        arrays.iter().find(|(_, a)| !a.shape.is_empty()).map(|(n, a)| (*n, &a.shape))
    else {
        return;
    };
    for (name, array) in &arrays {
        if !array.shape.is_empty() && array.shape != *shape {
            out.push(
                Diagnostic::error(
                    codes::PARAMETER_SHAPE,
                    format!("`{name}` is {}", show_shape(&array.shape)),
                )
                .at(join(path, name))
                .note(format!("`{first}` is {}: all parameters have one shape", show_shape(shape)))
                .help("repeat the parameter for every neuron, or store a single number"),
            );
        }
    }
}

/// A neuron whose membrane lies above its threshold after a reset fires forever.
fn ordered(primitive: &Primitive, path: &str, out: &mut Diagnostics) {
    let (Primitive::If { v_threshold, v_reset, .. }
    | Primitive::Lif { v_threshold, v_reset, .. }
    | Primitive::CubaLif { v_threshold, v_reset, .. }) = primitive
    else {
        return;
    };
    let (Ok(threshold), Ok(reset)) =
        (v_threshold.to_f64(), v_reset.as_ref().map_or(Ok(vec![0.0]), Array::to_f64))
    else {
        return;
    };
    let count = threshold.len().max(reset.len());
    let at = |values: &[f64], i: usize| values.get(i).or(values.first()).copied();
    let above = (0..count).find(|&i| at(&reset, i) > at(&threshold, i));
    if let Some(i) = above {
        out.push(
            Diagnostic::warning(codes::VALUE, "the membrane is above its threshold after a reset")
                .at(join(path, "v_threshold"))
                .note(format!("neuron {i} fires at every moment")),
        );
    }
}

/// Smallest and largest element, if there is one and all are numbers.
pub(in crate::nir) fn range(data: &ArrayData) -> Option<[f64; 2]> {
    let mut found: Option<[f64; 2]> = None;
    visit(data, |_, x| {
        let [low, high] = found.get_or_insert([x, x]);
        *low = low.min(x);
        *high = high.max(x);
    });
    found
}

/// Calls `look` with the index and the nearest f64 of every element.
pub(in crate::nir) fn visit(data: &ArrayData, mut look: impl FnMut(usize, f64)) {
    macro_rules! all {
        ($v:expr, $as:expr) => {
            $v.iter().enumerate().for_each(|(i, &x)| look(i, $as(x)))
        };
    }
    #[expect(clippy::cast_precision_loss, reason = "the nearest f64 is what is promised")]
    match data {
        ArrayData::Bool(v) => all!(v, |x: bool| f64::from(u8::from(x))),
        ArrayData::U8(v) => all!(v, f64::from),
        ArrayData::I8(v) => all!(v, f64::from),
        ArrayData::U16(v) => all!(v, f64::from),
        ArrayData::I16(v) => all!(v, f64::from),
        ArrayData::U32(v) => all!(v, f64::from),
        ArrayData::I32(v) => all!(v, f64::from),
        ArrayData::U64(v) => all!(v, |x: u64| x as f64),
        ArrayData::I64(v) => all!(v, |x: i64| x as f64),
        ArrayData::F32(v) => all!(v, f64::from),
        ArrayData::F64(v) => all!(v, |x: f64| x),
    }
}
