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
    let (&[rows, genes_out], &[columns, genes_in]) = (&*out.0, &*source.0) else { return false };
    let genes = [genes_out, genes_in];
    match (scheme, &*shape.0, &*core.0) {
        (Scheme::Linear, extents, interactions) => {
            extents == [rows, columns] && interactions == genes
        }
        (Scheme::PerOffset, [extents @ .., height, width], [cells, interactions @ ..]) => {
            extents == [rows, columns]
                && interactions == genes
                && height.checked_mul(*width) == Some(*cells)
        }
        (Scheme::FlatFanIn, &[targets, channels, height, width], interactions) => {
            let fan_in = channels.checked_mul(height).and_then(|n| n.checked_mul(width));
            targets == rows && fan_in == Some(columns) && interactions == genes
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arena::{Entity, NodeId};
    use crate::diag::Code;
    use crate::level::{AnyDraft, Level, Rules};
    use crate::network::{Network, Op};
    use crate::{binary, text};

    /// A weight of every scheme.
    const GOOD: &str = r#"
snn 1 network
name "genes"
steps 1
tensor0 "o" [2, 1] from dense "o" { 1 2 }
tensor1 "i" [3, 1] from dense "i" { 1 2 4 }
tensor2 "c" [1, 1] from dense "c" { 0.5 }
tensor3 "l" [2, 3] from encoded linear out "o" core "c" source "i" scale 2 heaviside false genes tensor0 tensor2 tensor1
tensor4 "cells" [3, 1, 1] from dense "cells" { 1 0 -1 }
tensor5 "one" [1, 1] from dense "one" { 1 }
tensor6 "p" [2, 1, 1, 3] from encoded per_offset out "o" core "cells" source "one" scale 1 heaviside true genes tensor0 tensor4 tensor5
tensor7 "f" [2, 1, 3, 1] from encoded flat_fan_in out "o" core "c" source "i" scale 1 heaviside false genes tensor0 tensor2 tensor1
node0 "x" [3] = input() events
node1 "y" [2] = linear(node0) weight tensor3
readout mean_linear node1
"#;

    fn good() -> NetworkDraft {
        match text::parse(GOOD) {
            Ok(AnyDraft::Network(draft)) => draft,
            other => panic!("{other:?}"),
        }
    }

    fn tensor(index: usize) -> TensorId {
        TensorId::new(index)
    }

    fn findings(draft: NetworkDraft) -> Vec<Code> {
        let findings = Network::verify(draft, &Rules::default()).err().unwrap_or_default();
        findings.iter().map(|d| d.code).collect()
    }

    #[test]
    fn generated_tensors_have_values_and_round_trips() {
        let draft = good();
        assert_eq!(findings(draft.clone()), []);
        let values = |i: usize| draft.values(tensor(i)).into_owned();
        assert_eq!(values(3), [1.0, 2.0, 4.0, 2.0, 4.0, 8.0]);
        assert_eq!(values(6), [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(values(7), [0.5, 1.0, 2.0, 1.0, 2.0, 4.0]);
        // The weight of the node; what is generated but not used; no genes.
        assert_eq!(draft.parameters(), 6 + 6 + 6);
        let any = AnyDraft::Network(draft.clone());
        assert_eq!(text::parse(&text::print(&any)).unwrap(), any);
        assert_eq!(binary::decode(&binary::encode_any(&any)).unwrap(), any);
        let mut stored = draft.clone();
        stored.materialize(tensor(3));
        assert_eq!(stored.tensors[tensor(3)].data, values(3));
        assert_eq!(stored.values(tensor(3)), values(3));
        assert_eq!(findings(stored), []);
        let mut own = draft;
        own.nodes[NodeId::new(1)].op = Op::Linear { weight: tensor(3), bias: Some(tensor(4)) };
        assert!(!own.only_genes()[4] && own.only_genes()[5]);
    }

    #[test]
    fn each_rule_has_its_code() {
        type Case = (Code, &'static str, fn(&mut NetworkDraft));
        let cases: &[Case] = &[
            (codes::GENES, "values", |d| d.tensors[tensor(3)].data = vec![0.0; 6]),
            (codes::GENES, "provenance", |d| {
                d.tensors[tensor(3)].provenance = d.tensors[tensor(0)].provenance.clone();
            }),
            (codes::GENES, "scale", |d| {
                if let Provenance::Encoded { scale, .. } = &mut d.tensors[tensor(3)].provenance {
                    *scale = f64::INFINITY;
                }
            }),
            (codes::GENES, "too many rows", |d| {
                d.tensors[tensor(3)].shape = Shape(vec![3, 3]);
            }),
            (codes::GENES, "transposed core", |d| {
                d.tensors[tensor(3)].genes.as_mut().unwrap().core = tensor(1);
            }),
            (codes::GENES, "cells", |d| d.tensors[tensor(6)].shape = Shape(vec![2, 1, 1, 4])),
            (codes::GENES, "fan-in", |d| d.tensors[tensor(7)].shape = Shape(vec![2, 3, 3, 1])),
            (codes::GENES, "genes of genes", |d| {
                d.tensors[tensor(6)].genes.as_mut().unwrap().out = tensor(3);
            }),
            (codes::GENES, "far too many values", |d| {
                for t in [0, 1] {
                    d.tensors[tensor(t)].shape = Shape(vec![1 << 15, 1]);
                    d.tensors[tensor(t)].data = vec![1.0; 1 << 15];
                }
                d.tensors[tensor(3)].shape = Shape(vec![1 << 15; 2]);
            }),
            (codes::REFERENCE, "no such tensor", |d| {
                d.tensors[tensor(3)].genes.as_mut().unwrap().source = tensor(99);
            }),
            (codes::NOT_FINITE, "overflow", |d| {
                if let Provenance::Encoded { scale, .. } = &mut d.tensors[tensor(3)].provenance {
                    *scale = 1e39;
                }
            }),
        ];
        let mut wrong = Vec::new();
        for (code, what, spoil) in cases {
            let mut draft = good();
            spoil(&mut draft);
            let mut found = findings(draft);
            // What the shape spoils for the node is no matter here.
            found.retain(|c| ![codes::WEIGHT_SHAPE, codes::SHAPE].contains(c));
            if found != [*code] {
                wrong.push(format!("{what}: expected {code}, found {found:?}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    /// A bound decides for all but absurd genes, and does not refuse what is barely finite.
    #[test]
    fn the_largest_value_is_accepted() {
        let mut draft = good();
        if let Provenance::Encoded { scale, .. } = &mut draft.tensors[tensor(3)].provenance {
            *scale = f64::from(f32::MAX) / 4.0;
        }
        assert_eq!(draft.values(tensor(3))[5].to_bits(), f32::MAX.to_bits());
        assert_eq!(findings(draft), []);
    }
}
