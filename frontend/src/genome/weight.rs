//! Weights and biases as the file says them, names not yet looked up.

use super::tensors;
use crate::fields::{Fields, Item, Name};
use snnc_ir::Diagnostics;
use snnc_ir::network::Scheme;

/// The field `weight`.
#[derive(Debug)]
pub(crate) struct WeightSpec {
    pub(crate) kind: WeightKind,
    /// Where it stands.
    pub(crate) path: String,
}

/// Where the values of a weight come from.
#[derive(Debug)]
pub(crate) enum WeightKind {
    /// A tensor as it is stored.
    Dense(Name),
    /// Genes.
    Encoded(Encoded),
}

/// A weight made of genes.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) scheme: Scheme,
    pub(crate) scheme_path: String,
    /// Encoding of the targets.
    pub(crate) out: Name,
    /// Interaction.
    pub(crate) core: Name,
    /// Encoding of the sources.
    pub(crate) source: Name,
    pub(crate) scale: f64,
    pub(crate) heaviside: bool,
}

/// The field `bias`.
#[derive(Debug)]
pub(crate) enum BiasSpec {
    Dense(Name),
    Encoded { out: Name, beta: Name, path: String },
}

/// `{ "dense": … }` or `{ "encoded": … }`: the one field given.
enum Source<'a> {
    Dense(Item<'a>),
    Encoded(Item<'a>),
}

fn source<'a>(
    fields: &mut Fields<'a>,
    item: &Item<'a>,
    out: &mut Diagnostics,
) -> Option<Source<'a>> {
    match (fields.optional("dense"), fields.optional("encoded")) {
        (Some(dense), None) => Some(Source::Dense(dense)),
        (None, Some(encoded)) => Some(Source::Encoded(encoded)),
        (found, _) => {
            let how = if found.is_some() { "both" } else { "neither" };
            item.bad(
                format!("{how} of `dense` and `encoded` given"),
                "exactly one: { \"dense\": \"tensor\" } or { \"encoded\": { … } }",
                out,
            )
        }
    }
}

impl WeightSpec {
    pub(crate) fn parse(item: &Item<'_>, out: &mut Diagnostics) -> Option<Self> {
        let mut fields = item.fields(out)?;
        let source = source(&mut fields, item, out);
        fields.finish(out);
        let kind = match source? {
            Source::Dense(item) => tensors::name(&item, out).map(WeightKind::Dense),
            Source::Encoded(item) => encoded(&item, out).map(WeightKind::Encoded),
        };
        Some(Self { kind: kind?, path: item.path.clone() })
    }
}

fn encoded(item: &Item<'_>, out: &mut Diagnostics) -> Option<Encoded> {
    let mut fields = item.fields(out)?;
    let schemes = [
        ("linear", Some(Scheme::Linear)),
        ("per_offset", Some(Scheme::PerOffset)),
        ("flat_fan_in", Some(Scheme::FlatFanIn)),
        ("dense", None),
    ];
    let scheme =
        fields.required("scheme", "linear, per_offset or flat_fan_in", out).and_then(|i| {
            match i.choice("scheme", &schemes, out)? {
                Some(scheme) => Some((scheme, i.path)),
                None => i.bad(
                    "a stored weight is not encoded",
                    "write it as \"weight\": { \"dense\": \"tensor\" }",
                    out,
                ),
            }
        });
    let mut gene = |field, meaning, out: &mut Diagnostics| {
        fields.required(field, meaning, out).and_then(|i| i.name(out))
    };
    let target = gene("out", "encoding of the targets", out);
    let core = gene("core", "interaction", out);
    let source = gene("in", "encoding of the sources", out);
    let scale = fields.required("scale", "factor of all weights", out).and_then(|i| i.number(out));
    let posts = [("none", false), ("heaviside", true)];
    let heaviside = match fields.optional("post") {
        Some(i) => i.choice("post-processing", &posts, out),
        None => Some(false),
    };
    fields.finish(out);
    let (scheme, scheme_path) = scheme?;
    Some(Encoded {
        scheme,
        scheme_path,
        out: target?,
        core: core?,
        source: source?,
        scale: scale?,
        heaviside: heaviside?,
    })
}

impl BiasSpec {
    pub(crate) fn parse(item: &Item<'_>, out: &mut Diagnostics) -> Option<Self> {
        let mut fields = item.fields(out)?;
        let source = source(&mut fields, item, out);
        fields.finish(out);
        match source? {
            Source::Dense(item) => tensors::name(&item, out).map(Self::Dense),
            Source::Encoded(item) => {
                let mut fields = item.fields(out)?;
                let mut gene = |field, meaning, out: &mut Diagnostics| {
                    fields.required(field, meaning, out).and_then(|i: Item<'_>| i.name(out))
                };
                let target = gene("out", "encoding of the targets", out);
                let beta = gene("beta", "shared vector", out);
                fields.finish(out);
                Some(Self::Encoded { out: target?, beta: beta?, path: item.path })
            }
        }
    }
}
