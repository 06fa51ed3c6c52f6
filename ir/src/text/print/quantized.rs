//! Prints integer networks.

use super::{Quoted, coding, compare, conv, list, order, param, provenance, values};
use crate::network::Keep;
use crate::quantized::{
    HostBias, IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population, QuantizedDraft,
    Role, Structure, Time,
};
use crate::text::VERSION;
use std::fmt::{self, Display, Formatter};

/// An integer network whose `Display` is the text form.
pub(in crate::text) struct Quantized<'a>(pub(in crate::text) &'a QuantizedDraft);

impl Display for Quantized<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "snn {VERSION} quantized")?;
        body(f, self.0)
    }
}

/// Everything after the header line.
pub(super) fn body(f: &mut Formatter<'_>, draft: &QuantizedDraft) -> fmt::Result {
    let QuantizedDraft { name, steps, time, populations, projections, matrices, host, readout } =
        draft;
    writeln!(f, "name {}\nsteps {steps}", Quoted(name))?;
    match time {
        Time::Logical => writeln!(f, "time logical")?,
        Time::Hardware(schedule) => {
            write!(f, "time hardware period {} latency ", schedule.period)?;
            list(f, &schedule.latency)?;
            writeln!(f)?;
        }
    }
    for (id, item) in matrices.iter() {
        write!(f, "\n{id} ")?;
        matrix(f, item)?;
    }
    for (id, item) in populations.iter() {
        write!(f, "\n{id} ")?;
        population(f, item)?;
    }
    for (id, p) in projections.iter() {
        write!(f, "\n{id} {} -> {} {} delay {}", p.source, p.target, p.matrix, p.delay)?;
    }
    host.iter().try_for_each(|h| host_bias(f, h))?;
    match readout {
        IntReadout::SpikeCount(population) => writeln!(f, "\n\nreadout spike_count {population}"),
        IntReadout::MeanLinear { terms, bias } => {
            f.write_str("\n\nreadout mean_linear bias ")?;
            list(f, bias)?;
            for (population, weights) in terms {
                write!(f, "\n  term {population} ")?;
                values(f, weights, weights.len() / bias.len().max(1))?;
            }
            writeln!(f)
        }
    }
}

fn matrix(f: &mut Formatter<'_>, matrix: &IntMatrix) -> fmt::Result {
    write!(f, "{} ", Quoted(&matrix.name))?;
    let row = structure(f, &matrix.structure)?;
    write!(f, " {} exponent {} ", matrix.sign.name(), matrix.exponent)?;
    provenance(f, &matrix.provenance)?;
    f.write_str(" ")?;
    values(f, &matrix.mantissa, row)
}

/// Prints a layout; returns how many values make a line.
fn structure(f: &mut Formatter<'_>, structure: &Structure) -> Result<usize, fmt::Error> {
    Ok(match structure {
        Structure::Dense { rows, cols } => {
            write!(f, "dense [{rows}, {cols}]")?;
            *cols as usize
        }
        Structure::Conv(geometry) => {
            f.write_str("conv ")?;
            conv(f, geometry)?;
            geometry.kernel[1] as usize
        }
        Structure::Sparse { rows, cols, row_start, col } => {
            write!(f, "sparse [{rows}, {cols}] row_start ")?;
            list(f, row_start)?;
            f.write_str(" col ")?;
            list(f, col)?;
            usize::MAX
        }
        Structure::Identity { size } => {
            write!(f, "identity [{size}]")?;
            usize::MAX
        }
    })
}

fn host_bias(f: &mut Formatter<'_>, host: &HostBias) -> fmt::Result {
    let HostBias { input, target, structure: layout, weights, scale } = host;
    write!(f, "\nhost {input} -> {target} ")?;
    let row = structure(f, layout)?;
    write!(f, " scale {scale:?} ")?;
    values(f, weights, row)
}

fn population(f: &mut Formatter<'_>, population: &Population) -> fmt::Result {
    write!(f, "{} {} = ", Quoted(&population.name), population.shape)?;
    match population.role {
        Role::Logical => f.write_str("logical ")?,
        Role::Relay { of, hops } => write!(f, "relay of {of} hops {hops} ")?,
        Role::Clock => f.write_str("clock ")?,
    }
    match &population.kind {
        PopKind::Input(item) => {
            f.write_str("input ")?;
            coding(f, item)
        }
        PopKind::Neurons(item) => {
            f.write_str("neurons")?;
            neuron(f, item)
        }
        PopKind::Graded(item) => {
            write!(f, "graded\n  keep {}", item.keep.map_or("both", Keep::name))?;
            param(f, "bias", &item.bias)?;
            if item.shift > 0 { write!(f, "\n  shift {}", item.shift) } else { Ok(()) }
        }
    }
}

fn neuron(f: &mut Formatter<'_>, neuron: &IntNeuron) -> fmt::Result {
    param(f, "du", &neuron.du)?;
    param(f, "dv", &neuron.dv)?;
    param(f, "threshold", &neuron.threshold)?;
    write!(f, "\n  compare {}", compare(neuron.compare))?;
    match &neuron.reset {
        IntReset::Zero => f.write_str("\n  reset zero")?,
        IntReset::Subtract(amount) => param(f, "reset subtract", amount)?,
    }
    param(f, "bias", &neuron.bias)?;
    write!(
        f,
        "\n  refractory {}\n  order {}\n  update_period {}",
        neuron.refractory,
        order(neuron.order),
        neuron.update_period
    )?;
    neuron.floor.as_ref().map_or(Ok(()), |floor| param(f, "floor", floor))
}
