//! Parts that several levels share.

use super::lexis::{
    Failure, Number, Parsed, boolean, choice, entity, extents, extents_of, field, integers_of,
    string, token, values, word,
};
use crate::conv::Conv;
use crate::network::{Coding, Compare, Keep, Provenance, Scheme, UpdateOrder};
use crate::param::Param;
use crate::shape::Shape;
use nom::Parser;
use nom::branch::alt;
use nom::combinator::{map, opt, value};
use nom::multi::separated_list0;
use nom::sequence::{delimited, preceded};

pub(super) fn shape(input: &str) -> Parsed<'_, Shape> {
    map(extents, Shape).parse(input)
}

/// A parameter after its name: a number, or values per channel or neuron.
pub(super) fn param<'a, T: Number>(
    name: &'static str,
) -> impl Parser<&'a str, Output = Param<T>, Error = Failure<'a>> {
    field(
        name,
        alt((
            map(T::number, Param::Uniform),
            map(field("per_channel", values), Param::PerChannel),
            map(field("per_neuron", values), Param::PerNeuron),
        )),
    )
}

pub(super) fn provenance(input: &str) -> Parsed<'_, Provenance> {
    let dense = map(field("dense", string), |tensor| Provenance::Dense { tensor });
    let encoded = map(
        field(
            "encoded",
            (
                choice("a scheme", SCHEMES),
                field("out", string),
                field("core", string),
                field("source", string),
                field("scale", f64::number),
                field("heaviside", boolean),
            ),
        ),
        |(scheme, out, core, source, scale, heaviside)| Provenance::Encoded {
            scheme,
            out,
            core,
            source,
            scale,
            heaviside,
        },
    );
    let bias =
        map(field("encoded_bias", (field("out", string), field("beta", string))), |(out, beta)| {
            Provenance::EncodedBias { out, beta }
        });
    let names = delimited(token("["), separated_list0(token(","), string), token("]"));
    let derived =
        map(field("derived", (string, names)), |(pass, from)| Provenance::Derived { pass, from });
    field("from", alt((dense, encoded, bias, derived))).parse(input)
}

const SCHEMES: &[(&str, Scheme)] = &[
    (Scheme::Linear.name(), Scheme::Linear),
    (Scheme::PerOffset.name(), Scheme::PerOffset),
    (Scheme::FlatFanIn.name(), Scheme::FlatFanIn),
];

pub(super) fn conv(input: &str) -> Parsed<'_, Conv> {
    map(
        (
            extents_of,
            field("to", u32::number),
            field("kernel", extents_of),
            field("stride", extents_of),
            field("pad", extents_of),
            field("groups", u32::number),
            map(opt(field("crop", extents_of)), Option::unwrap_or_default),
        ),
        |(input, out_channels, kernel, stride, pad, groups, crop)| Conv {
            input,
            out_channels,
            kernel,
            stride,
            pad,
            groups,
            crop,
        },
    )
    .parse(input)
}

pub(super) fn coding(input: &str) -> Parsed<'_, Coding> {
    alt((
        map(preceded(word("direct"), opt(field("range", integers_of))), |range| Coding::Direct {
            range,
        }),
        value(Coding::Events, word("events")),
        map(
            field("accumulator", (field("pmax", u32::number), field("steps_in", u32::number))),
            |(pmax, steps_in)| Coding::Accumulator { pmax, steps_in },
        ),
        map(field("rate", field("seed", u64::number)), |seed| Coding::Rate { seed }),
    ))
    .parse(input)
}

pub(super) fn compare(input: &str) -> Parsed<'_, Compare> {
    field("compare", choice("a comparison", &[("gt", Compare::Gt), ("ge", Compare::Ge)]))
        .parse(input)
}

pub(super) fn order(input: &str) -> Parsed<'_, UpdateOrder> {
    const ORDERS: &[(&str, UpdateOrder)] = &[("leak_input_fire", UpdateOrder::LeakInputFire)];
    field("order", choice("an order", ORDERS)).parse(input)
}

/// The sign that passes a clip or graded relay.
pub(super) const KEEPS: &[(&str, Keep)] =
    &[(Keep::Positive.name(), Keep::Positive), (Keep::Negative.name(), Keep::Negative)];

/// `name "…"` and `steps …`, which start every level.
pub(super) fn name_and_steps(input: &str) -> Parsed<'_, (String, u32)> {
    (field("name", string), field("steps", u32::number)).parse(input)
}

/// `readout spike_count <entity>`, which two levels share.
pub(super) fn spike_count<K: crate::arena::Entity>(input: &str) -> Parsed<'_, K> {
    field("spike_count", entity).parse(input)
}
