//! Rules of generated tensors.

use super::{NetworkDraft, tensor_place};
use crate::arena::TensorId;
use crate::check;
use crate::diag::codes::network as codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::network::{Genes, Provenance, Scheme, decode};
use crate::shape::Shape;

/// Most values that the genes of a network generate, all tensors together (1 GiB of f32). A file can
/// ask for many more in a few bytes.
const MAX_GENERATED: usize = 1 << 28;

/// Checks every generated tensor, of a network whose tensors are sound otherwise.
pub(super) fn check(draft: &NetworkDraft, out: &mut Diagnostics) {
    let mut generated = 0_usize;
    for (id, tensor) in draft.tensors.iter() {
        let Some(genes) = tensor.genes else { continue };
        let place = || tensor_place(draft, id);
        generated = generated.saturating_add(tensor.shape.size());
        if generated > MAX_GENERATED {
            out.push(
                Diagnostic::error(codes::GENES, "genes generate too many values")
                    .at(place())
                    .note(format!("expected at most {MAX_GENERATED}, all tensors together"))
                    .help("split the network"),
            );
            return;
        }
        let before = out.len();
        for gene in [genes.out, genes.core, genes.source] {
            check::unknown(&draft.tensors, gene, codes::REFERENCE, place, out);
        }
        if out.len() > before {
            continue;
        }
        if let Err((message, expected)) = fit(draft, id, genes) {
            out.push(
                Diagnostic::error(codes::GENES, message)
                    .at(place())
                    .note(format!("expected {expected}"))
                    .help("store the values instead, or correct the genes"),
            );
        } else if let Some((index, value)) = decode::not_finite(&draft.tensors, id) {
            out.push(
                Diagnostic::error(
                    codes::NOT_FINITE,
                    format!("the value at flat index {index} decodes to {value}"),
                )
                .at(place())
                .help("check the scale, and the genes for values that are far too large"),
            );
        }
    }
}

/// What is wrong with a generated tensor whose genes exist, and what was expected.
fn fit(draft: &NetworkDraft, id: TensorId, genes: Genes) -> Result<(), (String, String)> {
    let tensor = &draft.tensors[id];
    let Provenance::Encoded { scheme, scale, .. } = tensor.provenance else {
        return Err((
            "the tensor has genes but is not encoded".to_owned(),
            "the provenance of an encoded weight, which says scheme and scale".to_owned(),
        ));
    };
    if !scale.is_finite() {
        return Err((format!("the scale is {scale}"), "a finite number".to_owned()));
    }
    for gene in [genes.out, genes.core, genes.source] {
        if draft.tensors[gene].genes.is_some() {
            return Err((
                format!("the gene {} is generated itself", tensor_place(draft, gene)),
                "genes that are stored".to_owned(),
            ));
        }
    }
    let [out, core, source] =
        [genes.out, genes.core, genes.source].map(|t| &draft.tensors[t].shape);
    if fits(scheme, &tensor.shape, [out, core, source]) {
        return Ok(());
    }
    Err((
        format!(
            "genes of the shapes {out}, {core} and {source} do not make a tensor of shape {} by `{}`",
            tensor.shape,
            scheme.name()
        ),
        match scheme {
            Scheme::Linear => "out [rows, a], core [a, b], source [columns, b] for [rows, columns]",
            Scheme::PerOffset => {
                "out [o, a], core [kh * kw, a, b], source [i, b] for [o, i, kh, kw]"
            }
            Scheme::FlatFanIn => {
                "out [o, a], core [a, b], source [i * kh * kw, b] for [o, i, kh, kw]"
            }
        }
        .to_owned(),
    ))
}

/// Whether genes `[out, core, source]` make a tensor of this shape.
fn fits(scheme: Scheme, shape: &Shape, [out, core, source]: [&Shape; 3]) -> bool {
    let (&[rows, a], &[columns, b]) = (&*out.0, &*source.0) else { return false };
    match (scheme, &*shape.0, &*core.0) {
        (Scheme::Linear, &[o, i], &[x, y]) => [o, i, x, y] == [rows, columns, a, b],
        (Scheme::PerOffset, &[o, i, kh, kw], &[cells, x, y]) => {
            [o, i, x, y] == [rows, columns, a, b] && kh.checked_mul(kw) == Some(cells)
        }
        (Scheme::FlatFanIn, &[o, i, kh, kw], &[x, y]) => {
            let fan_in = [i, kh, kw].iter().try_fold(1_u32, |n, &d| n.checked_mul(d));
            [o, x, y] == [rows, a, b] && fan_in == Some(columns)
        }
        _ => false,
    }
}
