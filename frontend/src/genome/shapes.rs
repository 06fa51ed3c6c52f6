//! Shapes of nodes: inferred from the input and the weights, then checked.

use super::graph::Read;
use super::node::{NodeSpec, OpSpec, Window};
use super::pool::Pool;
use snnc_ir::arena::TensorId;
use snnc_ir::conv::Conv;
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::{Diagnostic, Diagnostics, MAX_ELEMENTS, Shape};
use std::collections::VecDeque;

/// Weight and bias of a node, in the pool.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weights {
    pub(crate) weight: Option<TensorId>,
    pub(crate) bias: Option<TensorId>,
}

/// What shape inference looks at.
pub(crate) struct Graph<'a> {
    pub(crate) nodes: &'a [NodeSpec],
    pub(crate) reads: &'a [Option<Vec<Read>>],
    pub(crate) weights: &'a [Weights],
    pub(crate) pool: &'a Pool,
    pub(crate) input: &'a Shape,
}

impl Graph<'_> {
    /// Shapes of all nodes; `None` and a finding where there is none.
    pub(crate) fn shapes(&self, out: &mut Diagnostics) -> Vec<Option<Shape>> {
        let mut shapes: Vec<Option<Shape>> = vec![None; self.nodes.len()];
        let mut readers = vec![Vec::new(); self.nodes.len()];
        for (to, reads) in self.reads.iter().enumerate() {
            for read in reads.iter().flatten() {
                readers[read.node].push(to);
            }
        }
        // Spread what is known; a node is looked at again when something that it reads is known.
        let mut queue: VecDeque<usize> = (0..self.nodes.len()).collect();
        while let Some(i) = queue.pop_front() {
            if shapes[i].is_some() {
                continue;
            }
            if let Some(Ok(Some(shape))) = self.shape_of(i, &shapes) {
                shapes[i] = Some(shape);
                queue.extend(&readers[i]);
            }
        }
        // Now that everything is known that can be, check everything.
        let before = out.len();
        for i in 0..self.nodes.len() {
            if let Some(Err(d)) = self.shape_of(i, &shapes) {
                shapes[i] = None;
                out.push(d);
            }
        }
        if out.len() == before && !out.has_errors() {
            for (node, _) in self.nodes.iter().zip(&shapes).filter(|(_, s)| s.is_none()) {
                out.push(
                    Diagnostic::error(
                        codes::NO_SHAPE,
                        "the shape of the node does not follow from anything",
                    )
                    .at(&node.path)
                    .help("connect the loop to the input"),
                );
            }
        }
        shapes
    }

    /// The shape of node `i`: `None` if the node itself is wrong (reported elsewhere), `Ok(None)`
    /// if too little is known yet.
    fn shape_of(
        &self,
        i: usize,
        shapes: &[Option<Shape>],
    ) -> Option<Result<Option<Shape>, Diagnostic>> {
        let node = &self.nodes[i];
        let op = node.op.as_ref()?;
        let reads = self.reads[i].as_ref()?;
        let inputs: Vec<Option<&Shape>> = reads.iter().map(|r| shapes[r.node].as_ref()).collect();
        let found = match op {
            OpSpec::Input => Ok(Some(self.input.clone())),
            OpSpec::Add => same(&inputs),
            OpSpec::Neuron(_) | OpSpec::BatchNorm { .. } | OpSpec::Clip(_) => {
                Ok(inputs[0].cloned())
            }
            OpSpec::Zero(shape) => Ok(Some(shape.clone())),
            OpSpec::Crop(crop) => inputs[0].map(|s| cropped(*crop, s)).transpose(),
            OpSpec::Concat => concat(&inputs),
            OpSpec::Flatten => Ok(inputs[0].map(|s| flat(s.size()))),
            OpSpec::GlobalAvgPool => {
                inputs[0].map(|s| Ok(flat(planes(s)?[0] as usize))).transpose()
            }
            OpSpec::Linear { .. } => {
                let weight = &self.pool.tensors[self.weights[i].weight?].shape;
                linear(weight, inputs[0])
            }
            OpSpec::Conv2d { window, groups, .. } => {
                let weight = &self.pool.tensors[self.weights[i].weight?].shape;
                conv(weight, *window, *groups, inputs[0])
            }
            OpSpec::AvgPool { window, .. } => inputs[0]
                .map(|s| {
                    let channels = planes(s)?[0];
                    let window = geometry(*window, s, channels, channels)?;
                    output(&window)
                })
                .transpose(),
        };
        let found = found.and_then(|shape| match shape {
            Some(s) if s.size() > MAX_ELEMENTS => {
                Err(Diagnostic::error(codes::LIMIT, format!("the node has the shape {s}"))
                    .note(format!("at most {MAX_ELEMENTS} elements")))
            }
            shape => Ok(shape),
        });
        Some(found.map_err(|d| self.name_inputs(i, shapes, d.at(&node.path))))
    }

    /// Adds what node `i` reads to a finding.
    fn name_inputs(&self, i: usize, shapes: &[Option<Shape>], mut d: Diagnostic) -> Diagnostic {
        for read in self.reads[i].iter().flatten() {
            if let (Some(id), Some(shape)) = (&self.nodes[read.node].id, &shapes[read.node]) {
                d = d.note(format!("`{}` has the shape {shape}", id.text));
            }
        }
        d
    }
}

fn misfit(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(codes::SHAPE, message)
}

/// A vector; sizes beyond u32 stay beyond every bound.
fn flat(n: usize) -> Shape {
    Shape(vec![u32::try_from(n).unwrap_or(u32::MAX)])
}

fn planes(shape: &Shape) -> Result<[u32; 3], Diagnostic> {
    shape
        .as_chw()
        .ok_or_else(|| misfit("the node reads a vector").note("expected [channels, height, width]"))
}

/// One shape for all inputs that are known.
fn same(inputs: &[Option<&Shape>]) -> Result<Option<Shape>, Diagnostic> {
    let mut known = inputs.iter().flatten();
    let Some(&first) = known.next() else { return Ok(None) };
    if known.all(|&s| s == first) {
        Ok(Some(first.clone()))
    } else {
        Err(misfit("the inputs of an addition differ in shape"))
    }
}

fn concat(inputs: &[Option<&Shape>]) -> Result<Option<Shape>, Diagnostic> {
    let Some(known) = inputs.iter().copied().collect::<Option<Vec<&Shape>>>() else {
        return Ok(None);
    };
    let rest = known[0].0.get(1..);
    if known.iter().any(|s| s.0.get(1..) != rest) {
        return Err(misfit("the inputs differ in more than their first extent")
            .note("`concat` joins vectors, or channels of equal height and width"));
    }
    let channels = known.iter().map(|s| s.channels()).fold(0, usize::saturating_add);
    let mut shape = known[0].clone();
    shape.0[0] = u32::try_from(channels).unwrap_or(u32::MAX);
    Ok(Some(shape))
}

fn cropped([top, bottom, left, right]: [u32; 4], input: &Shape) -> Result<Shape, Diagnostic> {
    let [channels, height, width] = planes(input)?;
    let rest = |extent: u32, before: u32, after: u32| {
        extent.checked_sub(before)?.checked_sub(after).filter(|&rest| rest > 0)
    };
    match (rest(height, top, bottom), rest(width, left, right)) {
        (Some(height), Some(width)) => Ok(Shape(vec![channels, height, width])),
        _ => Err(misfit("nothing is left after the crop")),
    }
}

fn linear(weight: &Shape, input: Option<&Shape>) -> Result<Option<Shape>, Diagnostic> {
    let [rows, columns] = weight.0[..] else {
        return Err(Diagnostic::error(
            codes::TENSOR_SHAPE,
            format!("the weight has the shape {weight}"),
        )
        .note("a `linear` weight is [out, in]"));
    };
    match input {
        Some(input) if input.size() != columns as usize => {
            let d = misfit(format!(
                "the weight {weight} needs {columns} inputs, the node reads {}",
                input.size()
            ));
            Err(if input.size() == rows as usize {
                d.help("the transposed weight would fit: weights are [out, in]")
            } else {
                d
            })
        }
        _ => Ok(Some(Shape::flat(rows))),
    }
}

fn conv(
    weight: &Shape,
    window: Window,
    groups: u32,
    input: Option<&Shape>,
) -> Result<Option<Shape>, Diagnostic> {
    let wrong = |note: String| {
        Diagnostic::error(codes::TENSOR_SHAPE, format!("the weight has the shape {weight}"))
            .note(note)
    };
    let [out_channels, per_group, kh, kw] = weight.0[..] else {
        return Err(wrong("a `conv2d` weight is [out, in / groups, height, width]".to_owned()));
    };
    if [kh, kw] != window.kernel {
        return Err(wrong(format!("`k` is {:?}", window.kernel)));
    }
    if out_channels % groups != 0 {
        return Err(wrong(format!("{groups} groups do not divide {out_channels} output channels")));
    }
    let Some(input) = input else { return Ok(None) };
    let channels = planes(input)?[0];
    if u64::from(per_group) * u64::from(groups) != u64::from(channels) {
        return Err(misfit(format!(
            "the weight {weight} in {groups} groups needs {} channels, the node reads {channels}",
            u64::from(per_group) * u64::from(groups)
        )));
    }
    let conv = geometry(window, input, out_channels, groups)?;
    output(&conv).map(Some)
}

/// The geometry of a window over `input`.
pub(crate) fn geometry(
    window: Window,
    input: &Shape,
    out_channels: u32,
    groups: u32,
) -> Result<Conv, Diagnostic> {
    let Window { kernel, stride, pad } = window;
    Ok(Conv { input: planes(input)?, out_channels, kernel, stride, pad, groups, crop: [0; 4] })
}

fn output(conv: &Conv) -> Result<Shape, Diagnostic> {
    conv.output().map(|s| Shape(s.to_vec())).ok_or_else(|| {
        misfit(format!("the kernel {:?} is larger than the padded input", conv.kernel))
    })
}
