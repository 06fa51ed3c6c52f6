//! The printer: one function per part of the grammar in [`super`].

mod mapped;
mod network;
mod quantized;

use crate::conv::Conv;
use crate::network::{Coding, Compare, Provenance, UpdateOrder};
use crate::param::Param;
pub(super) use mapped::Mapped;
pub(super) use network::Network;
pub(super) use quantized::Quantized;
use std::fmt::{self, Debug, Display, Formatter};

/// Most values on one line.
const PER_LINE: usize = 16;

/// A string in quotes. Control characters are escaped, so that a string never breaks a line.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c if c.is_control() => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}

/// Values in braces, `row` of them per line at most. `Debug` prints the shortest text that reads
/// back as the same number, with a point or exponent in every float.
fn values<T: Debug>(f: &mut Formatter<'_>, values: &[T], row: usize) -> fmt::Result {
    if values.len() <= PER_LINE.min(row) {
        f.write_str("{")?;
        values.iter().try_for_each(|v| write!(f, " {v:?}"))?;
        return f.write_str(" }");
    }
    f.write_str("{")?;
    for line in values.chunks(row.max(1)).flat_map(|r| r.chunks(PER_LINE)) {
        f.write_str("\n ")?;
        line.iter().try_for_each(|v| write!(f, " {v:?}"))?;
    }
    f.write_str("\n}")
}

/// Values in braces without rows.
fn list<T: Debug>(f: &mut Formatter<'_>, items: &[T]) -> fmt::Result {
    values(f, items, usize::MAX)
}

fn param<T: Debug>(f: &mut Formatter<'_>, name: &str, param: &Param<T>) -> fmt::Result {
    write!(f, "\n  {name} ")?;
    match param {
        Param::Uniform(value) => write!(f, "{value:?}"),
        Param::PerChannel(items) => {
            f.write_str("per_channel ")?;
            list(f, items)
        }
        Param::PerNeuron(items) => {
            f.write_str("per_neuron ")?;
            list(f, items)
        }
    }
}

fn provenance(f: &mut Formatter<'_>, provenance: &Provenance) -> fmt::Result {
    match provenance {
        Provenance::Dense { tensor } => write!(f, "from dense {}", Quoted(tensor)),
        Provenance::Encoded { scheme, out, core, source, scale, heaviside } => write!(
            f,
            "from encoded {} out {} core {} source {} scale {scale:?} heaviside {heaviside}",
            scheme.name(),
            Quoted(out),
            Quoted(core),
            Quoted(source),
        ),
        Provenance::EncodedBias { out, beta } => {
            write!(f, "from encoded_bias out {} beta {}", Quoted(out), Quoted(beta))
        }
        Provenance::Derived { pass, from } => {
            write!(f, "from derived {} [", Quoted(pass))?;
            for (i, name) in from.iter().enumerate() {
                write!(f, "{}{}", if i > 0 { ", " } else { "" }, Quoted(name))?;
            }
            f.write_str("]")
        }
    }
}

fn conv(f: &mut Formatter<'_>, conv: &Conv) -> fmt::Result {
    let Conv { input, out_channels, kernel, stride, pad, groups, crop } = conv;
    write!(
        f,
        "{input:?} to {out_channels} kernel {kernel:?} stride {stride:?} pad {pad:?} groups {groups}"
    )?;
    // Almost no convolution has a crop, and text is for people.
    if *crop == [0; 4] { Ok(()) } else { write!(f, " crop {crop:?}") }
}

fn coding(f: &mut Formatter<'_>, coding: &Coding) -> fmt::Result {
    match coding {
        Coding::Direct { range: None } => f.write_str("direct"),
        Coding::Direct { range: Some(range) } => write!(f, "direct range {range:?}"),
        Coding::Events => f.write_str("events"),
        Coding::Accumulator { pmax, steps_in } => {
            write!(f, "accumulator pmax {pmax} steps_in {steps_in}")
        }
        Coding::Rate { seed } => write!(f, "rate seed {seed}"),
    }
}

const fn compare(compare: Compare) -> &'static str {
    match compare {
        Compare::Gt => "gt",
        Compare::Ge => "ge",
    }
}

const fn order(order: UpdateOrder) -> &'static str {
    match order {
        UpdateOrder::LeakInputFire => "leak_input_fire",
    }
}
