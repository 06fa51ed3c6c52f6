//! Reads integer networks.

use super::common::{
    KEEPS, coding, compare, conv, name_and_steps, order, param, provenance, shape, spike_count,
};
use super::entries::{Entries, Level};
use super::lexis::{
    Number, Parsed, choice, entity, extents_of, field, string, token, values, word,
};
use crate::arena::{MatId, PopId, ProjId};
use crate::level::AnyDraft;
use crate::quantized::{
    Graded, HostBias, IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection,
    QuantizedDraft, Role, Schedule, Sign, Structure, Time,
};
use nom::Parser;
use nom::branch::alt;
use nom::combinator::{cut, map, opt, value};
use nom::multi::many0;
use nom::sequence::preceded;

/// The integer network read so far.
pub(super) struct Quantized {
    name: String,
    steps: u32,
    time: Time,
    matrices: Vec<IntMatrix>,
    populations: Vec<Population>,
    projections: Vec<Projection>,
    host: Vec<HostBias>,
    readout: Option<IntReadout>,
}

impl Quantized {
    pub(super) fn draft(self, entries: &mut Entries<'_>) -> Option<QuantizedDraft> {
        let readout = entries.required("readout", self.readout)?;
        Some(QuantizedDraft {
            name: self.name,
            steps: self.steps,
            time: self.time,
            populations: self.populations.into(),
            projections: self.projections.into(),
            matrices: self.matrices.into(),
            host: self.host,
            readout,
        })
    }
}

/// What an entry starts with.
#[derive(Clone, Copy)]
enum Key {
    Matrix(MatId),
    Population(PopId),
    Projection(ProjId),
    Host,
    Readout,
}

impl Level for Quantized {
    fn start(input: &str) -> Parsed<'_, Self> {
        map((name_and_steps, field("time", time)), |((name, steps), time)| Self {
            name,
            steps,
            time,
            matrices: Vec::new(),
            populations: Vec::new(),
            projections: Vec::new(),
            host: Vec::new(),
            readout: None,
        })
        .parse(input)
    }

    fn entry<'a>(&mut self, input: &'a str, entries: &mut Entries<'a>) -> Parsed<'a, ()> {
        let mut key = alt((
            map(entity, Key::Matrix),
            map(entity, Key::Population),
            map(entity, Key::Projection),
            value(Key::Host, word("host")),
            value(Key::Readout, word("readout")),
        ));
        let (rest, key) = key.parse(input)?;
        match key {
            Key::Matrix(id) => {
                entries.number(input, id);
                map(cut(matrix), |m| self.matrices.push(m)).parse(rest)
            }
            Key::Population(id) => {
                entries.number(input, id);
                map(cut(population), |p| self.populations.push(p)).parse(rest)
            }
            Key::Projection(id) => {
                entries.number(input, id);
                map(cut(projection), |p| self.projections.push(p)).parse(rest)
            }
            Key::Host => map(cut(host), |h| self.host.push(h)).parse(rest),
            Key::Readout => {
                let (rest, readout) = cut(readout).parse(rest)?;
                entries.once(input, "readout", &mut self.readout, readout);
                Ok((rest, ()))
            }
        }
    }

    fn finish(self, entries: &mut Entries<'_>) -> Option<AnyDraft> {
        self.draft(entries).map(AnyDraft::Quantized)
    }
}

fn time(input: &str) -> Parsed<'_, Time> {
    let schedule = (field("period", u32::number), field("latency", values));
    alt((
        value(Time::Logical, word("logical")),
        map(field("hardware", schedule), |(period, latency)| {
            Time::Hardware(Schedule { period, latency })
        }),
    ))
    .parse(input)
}

const SIGNS: &[(&str, Sign)] = &[
    (Sign::Mixed.name(), Sign::Mixed),
    (Sign::Excitatory.name(), Sign::Excitatory),
    (Sign::Inhibitory.name(), Sign::Inhibitory),
];

fn matrix(input: &str) -> Parsed<'_, IntMatrix> {
    map(
        (
            string,
            structure,
            choice("a sign mode", SIGNS),
            field("exponent", i8::number),
            provenance,
            values,
        ),
        |(name, structure, sign, exponent, provenance, mantissa)| IntMatrix {
            name,
            structure,
            mantissa,
            exponent,
            sign,
            provenance,
        },
    )
    .parse(input)
}

fn structure(input: &str) -> Parsed<'_, Structure> {
    alt((
        map(field("dense", extents_of), |[rows, cols]| Structure::Dense { rows, cols }),
        map(field("conv", conv), Structure::Conv),
        map(
            field("sparse", (extents_of, field("row_start", values), field("col", values))),
            |([rows, cols], row_start, col)| Structure::Sparse { rows, cols, row_start, col },
        ),
        map(field("identity", extents_of), |[size]| Structure::Identity { size }),
    ))
    .parse(input)
}

fn population(input: &str) -> Parsed<'_, Population> {
    let relay = (preceded(word("of"), entity), field("hops", u32::number));
    let role = alt((
        value(Role::Logical, word("logical")),
        map(field("relay", relay), |(of, hops)| Role::Relay { of, hops }),
        value(Role::Clock, word("clock")),
    ));
    let kind = alt((
        map(field("input", coding), PopKind::Input),
        map(field("neurons", neuron), PopKind::Neurons),
        map(field("graded", graded), PopKind::Graded),
    ));
    map((string, shape, token("="), role, kind), |(name, shape, (), role, kind)| Population {
        name,
        shape,
        role,
        kind,
    })
    .parse(input)
}

fn neuron(input: &str) -> Parsed<'_, IntNeuron> {
    let reset =
        alt((value(IntReset::Zero, word("zero")), map(param("subtract"), IntReset::Subtract)));
    map(
        (
            param("du"),
            param("dv"),
            param("threshold"),
            compare,
            field("reset", reset),
            param("bias"),
            field("refractory", u32::number),
            order,
            field("update_period", u32::number),
            // Few neurons have one, and text is for people.
            opt(param("floor")),
        ),
        |(du, dv, threshold, compare, reset, bias, refractory, order, update_period, floor)| {
            IntNeuron {
                du,
                dv,
                threshold,
                compare,
                reset,
                bias,
                refractory,
                order,
                update_period,
                floor,
            }
        },
    )
    .parse(input)
}

fn graded(input: &str) -> Parsed<'_, Graded> {
    let keep = alt((value(None, word("both")), map(choice("a sign", KEEPS), Some)));
    // Almost no relay shifts, and text is for people.
    let shift = map(opt(field("shift", u8::number)), Option::unwrap_or_default);
    map((field("keep", keep), param("bias"), shift), |(keep, bias, shift)| Graded {
        keep,
        bias,
        shift,
    })
    .parse(input)
}

fn host(input: &str) -> Parsed<'_, HostBias> {
    map(
        (entity, token("->"), entity, structure, field("scale", f64::number), values),
        |(input, (), target, structure, scale, weights)| HostBias {
            input,
            target,
            structure,
            weights,
            scale,
        },
    )
    .parse(input)
}

fn projection(input: &str) -> Parsed<'_, Projection> {
    map(
        (entity, token("->"), entity, entity, field("delay", u32::number)),
        |(source, (), target, matrix, delay)| Projection { source, target, matrix, delay },
    )
    .parse(input)
}

fn readout(input: &str) -> Parsed<'_, IntReadout> {
    let terms = many0(field("term", (entity, values)));
    alt((
        map(spike_count, IntReadout::SpikeCount),
        map(field("mean_linear", (field("bias", values), terms)), |(bias, terms)| {
            IntReadout::MeanLinear { terms, bias }
        }),
    ))
    .parse(input)
}
