//! Reads mapped networks.

use super::entries::{Entries, Level};
use super::lexis::{Failure, Number, Parsed, Problem, entity, field, string, token, values};
use super::quantized::Quantized;
use crate::arena::CoreId;
use crate::level::AnyDraft;
use crate::mapped::{Block, Core, MappedDraft, Slice};
use nom::combinator::{cut, map};
use nom::error::ParseError;
use nom::multi::many0;
use nom::sequence::delimited;
use nom::{Err, Parser};

/// The mapped network read so far.
pub(super) struct Mapped {
    target: String,
    network: Quantized,
    orders: Option<Vec<u32>>,
    cores: Vec<Core>,
}

impl Level for Mapped {
    fn start(input: &str) -> Parsed<'_, Self> {
        map((field("target", string), Quantized::start), |(target, network)| Self {
            target,
            network,
            orders: None,
            cores: Vec::new(),
        })
        .parse(input)
    }

    fn entry<'a>(&mut self, input: &'a str, entries: &mut Entries<'a>) -> Parsed<'a, ()> {
        match entity::<CoreId>(input) {
            Ok((rest, id)) => {
                entries.number(input, id);
                map(cut(core), |c| self.cores.push(c)).parse(rest)
            }
            Err(Err::Error(no_core)) => {
                if let Ok((rest, orders)) = field("orders", values).parse(input) {
                    entries.once(input, "orders", &mut self.orders, orders);
                    return Ok((rest, ()));
                }
                self.network.entry(input, entries).map_err(|e| e.map(|f| f.or(no_core)))
            }
            Err(error) => Err(error),
        }
    }

    fn finish(self, entries: &mut Entries<'_>) -> Option<AnyDraft> {
        let network = self.network.draft(entries)?;
        let orders = entries.required("orders", self.orders)?;
        let cores = self.cores.into();
        Some(AnyDraft::Mapped(MappedDraft { network, target: self.target, orders, cores }))
    }
}

fn core(input: &str) -> Parsed<'_, Core> {
    let block = (entity, field("axons", u32::number), field("slice", u32::number));
    let block = map(block, |(projection, axons, slice)| Block { projection, axons, slice });
    let parts =
        (many0(field("slice", slice)), many0(field("axons", slice)), many0(field("block", block)));
    map(
        (
            field("chip", u32::number),
            field("cell", u32::number),
            delimited(token("{"), parts, token("}")),
        ),
        |(chip, cell, (slices, axons, blocks))| Core { chip, cell, slices, axons, blocks },
    )
    .parse(input)
}

/// Neurons of a population, such as `pop1[0..64]`.
fn slice(input: &str) -> Parsed<'_, Slice> {
    let (rest, (population, (), start, (), end, ())) =
        (entity, token("["), u32::number, token(".."), u64::number, token("]")).parse(input)?;
    let Some(Ok(len)) = end.checked_sub(u64::from(start)).map(u32::try_from) else {
        let problem = Problem::Range("an end that is not before the start".to_owned());
        return Err(Err::Failure(Failure { rest: input, problem }));
    };
    Ok((rest, Slice { population, start, len }))
}
