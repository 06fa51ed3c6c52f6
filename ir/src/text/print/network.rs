//! Prints networks in f32.

use super::{Quoted, coding, compare, conv, order, param, provenance, values};
use crate::network::{
    Discretization, Dynamics, Emission, Genes, LinearDynamics, NetworkDraft, Neuron, Node, Op,
    Readout, Reset, Tensor,
};
use crate::text::VERSION;
use std::fmt::{self, Display, Formatter};

/// A network whose `Display` is the text form.
pub(in crate::text) struct Network<'a>(pub(in crate::text) &'a NetworkDraft);

impl Display for Network<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let NetworkDraft { name, steps, nodes, tensors, readout, discretization } = self.0;
        writeln!(f, "snn {VERSION} network\nname {}\nsteps {steps}", Quoted(name))?;
        for (id, item) in tensors.iter() {
            write!(f, "\n{id} ")?;
            tensor(f, item)?;
        }
        for (id, item) in nodes.iter() {
            write!(f, "\n{id} ")?;
            node(f, item)?;
        }
        match readout {
            Readout::SpikeCount(node) => writeln!(f, "\n\nreadout spike_count {node}")?,
            Readout::MeanLinear(node) => writeln!(f, "\n\nreadout mean_linear {node}")?,
        }
        discretization.iter().try_for_each(|d| self::discretization(f, d))
    }
}

fn discretization(f: &mut Formatter<'_>, found: &Discretization) -> fmt::Result {
    let Discretization { dialect, dt, time_unit, integration, .. } = found;
    let Discretization { comparison, reset, spikes_per_step, if_dialect, loop_bias, .. } = found;
    f.write_str("\ndiscretization")?;
    dialect.iter().try_for_each(|d| write!(f, " dialect {}", d.name()))?;
    dt.iter().try_for_each(|dt| write!(f, " dt {dt:?}"))?;
    writeln!(
        f,
        " time_unit {}\n  integration {}\n  compare {}\n  reset {}\n  spikes_per_step {}\n  if_dialect {}\n  \
         loop_bias {}",
        time_unit.name(),
        integration.name(),
        compare(*comparison),
        reset.name(),
        spikes_per_step.name(),
        if_dialect.name(),
        loop_bias.name()
    )
}

fn tensor(f: &mut Formatter<'_>, tensor: &Tensor) -> fmt::Result {
    write!(f, "{} {} ", Quoted(&tensor.name), tensor.shape)?;
    provenance(f, &tensor.provenance)?;
    f.write_str(" ")?;
    if let Some(Genes { out, core, source }) = tensor.genes {
        return write!(f, "genes {out} {core} {source}");
    }
    let row = tensor.shape.0.last().map_or(1, |d| *d as usize);
    values(f, &tensor.data, row)
}

fn node(f: &mut Formatter<'_>, node: &Node) -> fmt::Result {
    write!(f, "{} {} = {}(", Quoted(&node.name), node.shape, node.op.name())?;
    for (i, edge) in node.inputs.iter().enumerate() {
        write!(f, "{}{}", if i > 0 { ", " } else { "" }, edge.source)?;
        if edge.delay > 0 {
            write!(f, "@{}", edge.delay)?;
        }
    }
    f.write_str(")")?;
    match &node.op {
        Op::Input(item) => {
            f.write_str(" ")?;
            coding(f, item)
        }
        Op::Linear { weight, bias } => {
            write!(f, " weight {weight}")?;
            bias.iter().try_for_each(|b| write!(f, " bias {b}"))
        }
        Op::Conv2d { weight, bias, conv: geometry } => {
            write!(f, " weight {weight}")?;
            bias.iter().try_for_each(|b| write!(f, " bias {b}"))?;
            f.write_str(" conv ")?;
            conv(f, geometry)
        }
        Op::BatchNorm { gamma, beta, mean, variance, eps } => {
            write!(f, " gamma {gamma} beta {beta} mean {mean} variance {variance} eps {eps:?}")
        }
        Op::Neuron(item) => neuron(f, item),
        Op::AvgPool { window, exclude_pad } => {
            f.write_str(" window ")?;
            conv(f, window)?;
            write!(f, " exclude_pad {exclude_pad}")
        }
        Op::Relay(Some(keep)) => write!(f, " keep {}", keep.name()),
        Op::Crop(crop) => write!(f, " {crop:?}"),
        Op::Add | Op::Concat | Op::Flatten | Op::GlobalAvgPool | Op::Zero | Op::Relay(None) => {
            Ok(())
        }
    }
}

fn neuron(f: &mut Formatter<'_>, neuron: &Neuron) -> fmt::Result {
    match &neuron.dynamics {
        Dynamics::Integrate => f.write_str("\n  integrate")?,
        Dynamics::Tau(tau) => param(f, "tau", tau)?,
        Dynamics::Decay(decay) => param(f, "decay", decay)?,
        Dynamics::Sigmoid(w) => param(f, "sigmoid", w)?,
        Dynamics::Izhikevich { a, b, d } => {
            write!(f, "\n  izhikevich a {a:?} b {b:?} d {d:?}")?;
        }
        Dynamics::Linear(LinearDynamics { current, keep, gain, drive }) => {
            f.write_str("\n  linear")?;
            if let Some(current) = current {
                param(f, "current_keep", &current.keep)?;
                param(f, "current_gain", &current.gain)?;
            }
            param(f, "keep", keep)?;
            param(f, "gain", gain)?;
            param(f, "drive", drive)?;
        }
    }
    param(f, "threshold", &neuron.threshold)?;
    write!(f, "\n  compare {}", compare(neuron.compare))?;
    match neuron.reset {
        Reset::To(value) => write!(f, "\n  reset to {value:?}")?,
        Reset::Subtract => f.write_str("\n  reset subtract")?,
    }
    write!(
        f,
        "\n  v_init {:?}\n  refractory {}\n  order {}",
        neuron.v_init,
        neuron.refractory,
        order(neuron.order)
    )?;
    // Almost every spike is binary, and text is for people.
    match neuron.emission {
        Emission::Binary => {}
        Emission::Burst { factor } => write!(f, "\n  emission burst factor {factor:?}")?,
        Emission::Several => f.write_str("\n  emission several")?,
    }
    neuron.floor.iter().try_for_each(|floor| param(f, "floor", floor))
}
