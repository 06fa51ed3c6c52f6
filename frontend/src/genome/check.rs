//! Check samples: single weights as the exporter computed them.

use super::node::{NodeSpec, OpSpec};
use super::shapes::Weights;
use crate::fields::{Item, Name, unknown_name};
use snnc_ir::arena::TensorId;
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::network::{Tensor, decode};
use snnc_ir::{Arena, Diagnostic, Diagnostics, Shape};
use std::collections::BTreeMap;

/// Most samples.
const MAX_SAMPLES: usize = 1 << 16;

/// The field `check`.
#[derive(Debug)]
pub(crate) struct CheckSpec {
    abs_tol: f64,
    samples: Vec<Sample>,
}

#[derive(Debug)]
struct Sample {
    node: Name,
    index: u64,
    value: f64,
    path: String,
}

impl CheckSpec {
    pub(crate) fn parse(item: &Item<'_>, out: &mut Diagnostics) -> Option<Self> {
        let mut fields = item.fields(out)?;
        let abs_tol =
            fields.required("abs_tol", "largest absolute difference", out).and_then(|i| {
                match i.number(out)? {
                    x if x < 0.0 => i.bad(format!("abs_tol is {x}"), "abs_tol >= 0", out),
                    x => Some(x),
                }
            });
        let samples =
            fields.required("samples", "list of [node, flat index, value]", out).and_then(|i| {
                let items = i.list(out)?;
                if items.len() > MAX_SAMPLES {
                    let found = items.len();
                    return i.bad(format!("{found} samples"), "at most 65536 samples", out);
                }
                let samples: Vec<Option<Sample>> = items.iter().map(|i| sample(i, out)).collect();
                samples.into_iter().collect()
            });
        fields.finish(out);
        Some(Self { abs_tol: abs_tol?, samples: samples? })
    }

    /// Compares the samples with the decoded weights.
    pub(crate) fn verify(
        &self,
        nodes: &[NodeSpec],
        by_id: &BTreeMap<&str, usize>,
        weights: &[Weights],
        tensors: &Arena<TensorId, Tensor>,
        out: &mut Diagnostics,
    ) {
        let mut samples: BTreeMap<TensorId, Vec<(&Sample, usize)>> = BTreeMap::new();
        for sample in &self.samples {
            let Some(&node) = by_id.get(sample.node.text.as_str()) else {
                out.push(unknown_name(&sample.node, "node", by_id.keys().copied()));
                continue;
            };
            let Some(id) = weights[node].weight else {
                // A node whose weight is wrong was reported there.
                let weightless =
                    |op: &OpSpec| !matches!(op, OpSpec::Linear { .. } | OpSpec::Conv2d { .. });
                if nodes[node].op.as_ref().is_some_and(weightless) {
                    out.push(
                        Diagnostic::error(
                            codes::CHECK_TARGET,
                            format!("`{}` has no weight", sample.node.text),
                        )
                        .at(&sample.node.path)
                        .note("samples refer to `linear` and `conv2d` nodes"),
                    );
                }
                continue;
            };
            let size = tensors[id].shape.size();
            let Some(index) = usize::try_from(sample.index).ok().filter(|&i| i < size) else {
                out.push(
                    Diagnostic::error(
                        codes::CHECK_TARGET,
                        format!("index {} is beyond the weight", sample.index),
                    )
                    .at(&sample.path)
                    .note(format!("the weight of `{}` has {size} values", sample.node.text)),
                );
                continue;
            };
            samples.entry(id).or_default().push((sample, index));
        }
        // Weights that are generated are decoded one after the other, and forgotten.
        for (id, samples) in samples {
            let values = decode::values(tensors, id);
            let found = samples.into_iter().map(|(s, index)| (s, f64::from(values[index])));
            // Written so that a NaN would fail, too.
            let fits = |s: &Sample, found: f64| (found - s.value).abs() <= self.abs_tol;
            let failed: Vec<_> = found.filter(|&(s, found)| !fits(s, found)).collect();
            if !failed.is_empty() {
                out.push(self.failure(&tensors[id].shape, &values, &failed));
            }
        }
    }

    /// One finding for all failed samples of a weight.
    fn failure(&self, shape: &Shape, values: &[f32], samples: &[(&Sample, f64)]) -> Diagnostic {
        let (first, found) = &samples[0];
        let d = Diagnostic::error(
            codes::CHECK_FAILED,
            format!(
                "weight {} of `{}` decodes to {found}, the exporter computed {}",
                first.index, first.node.text, first.value
            ),
        )
        .at(&first.path)
        .note(format!(
            "they differ by {:e}, abs_tol is {:e}",
            (found - first.value).abs(),
            self.abs_tol
        ))
        .note(match samples.len() {
            1 => "it is the only sample of this weight that fails".to_owned(),
            n => format!("{n} samples of this weight fail"),
        });
        if samples.iter().all(|(s, _)| self.transposed(shape, values, s)) {
            return d.help(format!(
                "the transposed weight has these values: weights are {shape} here, row-major"
            ));
        }
        match common_factor(samples) {
            Some(factor) => d.help(format!(
                "every failed sample is {factor} times the decoded value: check `scale`"
            )),
            None => d.help("check that genes, scheme and tensors are of one export"),
        }
    }

    /// Whether the sample is the element at its index of the transposed weight.
    fn transposed(&self, shape: &Shape, values: &[f32], sample: &Sample) -> bool {
        let [rows, columns] = shape.0[..] else { return false };
        let Ok(index) = usize::try_from(sample.index) else { return false };
        let (rows, columns) = (rows as usize, columns as usize);
        let (row, column) = (index % rows, index / rows);
        let found = values.get(row * columns + column).copied().map(f64::from);
        found.is_some_and(|x| (x - sample.value).abs() <= self.abs_tol)
    }
}

/// The factor between found and expected values, if all samples share one (at least two of them).
fn common_factor(samples: &[(&Sample, f64)]) -> Option<f64> {
    let factors: Vec<f64> = samples.iter().map(|(s, found)| s.value / found).collect();
    let first = *factors.first().filter(|f| f.is_finite() && **f != 0.0)?;
    let alike = factors.iter().all(|f| (f / first - 1.0).abs() < 1e-4);
    (alike && factors.len() > 1).then_some(first)
}

/// `[node, flat index, value]`
fn sample(item: &Item<'_>, out: &mut Diagnostics) -> Option<Sample> {
    let parts = item.list(out)?;
    let [node, index, value] = &parts[..] else {
        let found = parts.len();
        let note = "[node, flat index, value]";
        return item.bad(format!("a sample of {found} entries"), note, out);
    };
    let (node, index, value) =
        (node.name(out), index.whole(0..=u64::from(u32::MAX), out), value.number(out));
    Some(Sample { node: node?, index: index?, value: value?, path: item.path.clone() })
}
