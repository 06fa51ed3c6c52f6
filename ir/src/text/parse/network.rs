//! Reads networks in f32.

use super::common::{
    KEEPS, coding, compare, conv, name_and_steps, order, param, provenance, shape, spike_count,
};
use super::entries::{Entries, Level};
use super::lexis::{
    Number, Parsed, boolean, choice, entity, extents_of, field, string, token, values, word,
};
use crate::arena::{NodeId, TensorId};
use crate::level::AnyDraft;
use crate::network::{
    Current, Discretization, Dynamics, Edge, Emission, Genes, LinearDynamics, NetworkDraft, Neuron,
    Node, Op, Readout, Reset, Tensor,
};
use nom::Parser;
use nom::branch::alt;
use nom::combinator::{cut, map, opt, value};
use nom::multi::separated_list0;
use nom::sequence::{delimited, preceded};

/// The network read so far.
pub(super) struct Network {
    name: String,
    steps: u32,
    tensors: Vec<Tensor>,
    nodes: Vec<Node>,
    readout: Option<Readout>,
    discretization: Option<Discretization>,
}

/// What an entry starts with.
#[derive(Clone, Copy)]
enum Key {
    Tensor(TensorId),
    Node(NodeId),
    Readout,
    Discretization,
}

impl Level for Network {
    fn start(input: &str) -> Parsed<'_, Self> {
        map(name_and_steps, |(name, steps)| Self {
            name,
            steps,
            tensors: Vec::new(),
            nodes: Vec::new(),
            readout: None,
            discretization: None,
        })
        .parse(input)
    }

    fn entry<'a>(&mut self, input: &'a str, entries: &mut Entries<'a>) -> Parsed<'a, ()> {
        let mut key = alt((
            map(entity, Key::Tensor),
            map(entity, Key::Node),
            value(Key::Readout, word("readout")),
            value(Key::Discretization, word("discretization")),
        ));
        let (rest, key) = key.parse(input)?;
        match key {
            Key::Tensor(id) => {
                entries.number(input, id);
                map(cut(tensor), |t| self.tensors.push(t)).parse(rest)
            }
            Key::Node(id) => {
                entries.number(input, id);
                map(cut(node), |n| self.nodes.push(n)).parse(rest)
            }
            Key::Readout => {
                let (rest, readout) = cut(readout).parse(rest)?;
                entries.once(input, "readout", &mut self.readout, readout);
                Ok((rest, ()))
            }
            Key::Discretization => {
                let (rest, found) = cut(discretization).parse(rest)?;
                entries.once(input, "discretization", &mut self.discretization, found);
                Ok((rest, ()))
            }
        }
    }

    fn finish(self, entries: &mut Entries<'_>) -> Option<AnyDraft> {
        let readout = entries.required("readout", self.readout)?;
        Some(AnyDraft::Network(NetworkDraft {
            name: self.name,
            steps: self.steps,
            nodes: self.nodes.into(),
            tensors: self.tensors.into(),
            readout,
            discretization: self.discretization,
        }))
    }
}

fn discretization(input: &str) -> Parsed<'_, Discretization> {
    use crate::network::discretization as d;
    map(
        (
            opt(field("dialect", choice("a dialect", d::Dialect::ALL))),
            opt(field("dt", f64::number)),
            field("time_unit", choice("a unit of time", d::TimeUnit::ALL)),
            field("integration", choice("an integration", d::Integration::ALL)),
            compare,
            field("reset", choice("a reset", d::ResetRule::ALL)),
            field("spikes_per_step", choice("one or several", d::SpikesPerStep::ALL)),
            field("if_dialect", choice("a dialect of IF", d::IfDialect::ALL)),
            field("loop_bias", choice("a start of biases", d::LoopBias::ALL)),
        ),
        |(
            dialect,
            dt,
            time_unit,
            integration,
            comparison,
            reset,
            spikes_per_step,
            if_dialect,
            loop_bias,
        )| {
            Discretization {
                dialect,
                dt,
                time_unit,
                integration,
                comparison,
                reset,
                spikes_per_step,
                if_dialect,
                loop_bias,
            }
        },
    )
    .parse(input)
}

fn tensor(input: &str) -> Parsed<'_, Tensor> {
    let genes = map(field("genes", (entity, entity, entity)), |(out, core, source)| {
        (Vec::new(), Some(Genes { out, core, source }))
    });
    let stored = map(values, |data| (data, None));
    map(
        (string, shape, provenance, alt((genes, stored))),
        |(name, shape, provenance, (data, genes))| Tensor { name, shape, data, provenance, genes },
    )
    .parse(input)
}

fn node(input: &str) -> Parsed<'_, Node> {
    let (rest, (name, shape)) = (string, shape).parse(input)?;
    let (rest, ()) = token("=").parse(rest)?;
    let (rest, (inputs, op)) = op(rest)?;
    Ok((rest, Node { name, op, inputs, shape }))
}

/// What a node reads.
fn edges(input: &str) -> Parsed<'_, Vec<Edge>> {
    let delay = map(opt(preceded(token("@"), cut(u32::number))), Option::unwrap_or_default);
    let edge = map((entity, delay), |(source, delay)| Edge { source, delay });
    delimited(token("("), separated_list0(token(","), edge), token(")")).parse(input)
}

fn op(input: &str) -> Parsed<'_, (Vec<Edge>, Op)> {
    let weights = || (field("weight", entity), opt(field("bias", entity)));
    alt((
        field("input", (edges, map(coding, Op::Input))),
        field("linear", (edges, map(weights(), |(weight, bias)| Op::Linear { weight, bias }))),
        field(
            "conv2d",
            (
                edges,
                map((weights(), field("conv", conv)), |((weight, bias), conv)| Op::Conv2d {
                    weight,
                    bias,
                    conv,
                }),
            ),
        ),
        field("batchnorm", (edges, batch_norm)),
        field("neuron", (edges, map(neuron, Op::Neuron))),
        field("add", (edges, |i| Ok((i, Op::Add)))),
        field("concat", (edges, |i| Ok((i, Op::Concat)))),
        field("flatten", (edges, |i| Ok((i, Op::Flatten)))),
        field(
            "avgpool",
            (
                edges,
                map(
                    (field("window", conv), field("exclude_pad", boolean)),
                    |(window, exclude_pad)| Op::AvgPool { window, exclude_pad },
                ),
            ),
        ),
        field("global_avgpool", (edges, |i| Ok((i, Op::GlobalAvgPool)))),
        field(
            "clip",
            (edges, map(field("keep", choice("a sign", KEEPS)), |keep| Op::Relay(Some(keep)))),
        ),
        field("relay", (edges, |i| Ok((i, Op::Relay(None))))),
        field("crop", (edges, map(extents_of, Op::Crop))),
        field("zero", (edges, |i| Ok((i, Op::Zero)))),
    ))
    .parse(input)
}

fn batch_norm(input: &str) -> Parsed<'_, Op> {
    map(
        (
            field("gamma", entity),
            field("beta", entity),
            field("mean", entity),
            field("variance", entity),
            field("eps", f64::number),
        ),
        |(gamma, beta, mean, variance, eps)| Op::BatchNorm { gamma, beta, mean, variance, eps },
    )
    .parse(input)
}

fn neuron(input: &str) -> Parsed<'_, Neuron> {
    let dynamics = alt((
        value(Dynamics::Integrate, word("integrate")),
        map(param("tau"), Dynamics::Tau),
        map(param("decay"), Dynamics::Decay),
        map(param("sigmoid"), Dynamics::Sigmoid),
        map(
            field(
                "izhikevich",
                (field("a", f64::number), field("b", f64::number), field("d", f64::number)),
            ),
            |(a, b, d)| Dynamics::Izhikevich { a, b, d },
        ),
        map(field("linear", linear_dynamics), Dynamics::Linear),
    ));
    let reset =
        alt((map(field("to", f32::number), Reset::To), value(Reset::Subtract, word("subtract"))));
    let burst =
        map(field("burst", field("factor", f32::number)), |factor| Emission::Burst { factor });
    let emission = alt((
        value(Emission::Binary, word("binary")),
        burst,
        value(Emission::Several, word("several")),
    ));
    map(
        (
            dynamics,
            param("threshold"),
            compare,
            field("reset", reset),
            field("v_init", f32::number),
            field("refractory", u32::number),
            order,
            opt(field("emission", emission)),
            opt(param("floor")),
        ),
        |(dynamics, threshold, compare, reset, v_init, refractory, order, emission, floor)| {
            Neuron {
                dynamics,
                threshold,
                compare,
                reset,
                v_init,
                refractory,
                order,
                emission: emission.unwrap_or(Emission::Binary),
                floor,
            }
        },
    )
    .parse(input)
}

fn linear_dynamics(input: &str) -> Parsed<'_, LinearDynamics> {
    let current = map((param("current_keep"), cut(param("current_gain"))), |(keep, gain)| {
        Current { keep, gain }
    });
    map(
        (opt(current), param("keep"), param("gain"), param("drive")),
        |(current, keep, gain, drive)| LinearDynamics { current, keep, gain, drive },
    )
    .parse(input)
}

fn readout(input: &str) -> Parsed<'_, Readout> {
    alt((
        map(spike_count, Readout::SpikeCount),
        map(field("mean_linear", entity), Readout::MeanLinear),
    ))
    .parse(input)
}
