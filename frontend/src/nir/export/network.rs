//! Float networks as graphs.

use super::super::graph::Primitive;
use super::builder::{Builder, Value};
use super::choices::{self, reading};
use super::neuron::Writer;
use super::wiring::{Read, Wiring};
use super::{Exported, ops};
use snnc_ir::arena::{Entity, NodeId, TensorId};
use snnc_ir::diag::codes::nir_export as codes;
use snnc_ir::network::discretization::LoopBias;
use snnc_ir::network::{Coding, Discretization, Edge, Neuron, Node, Op, Readout};
use snnc_ir::{Diagnostic, Diagnostics, Network};
use std::collections::BTreeSet;

/// See [`super::export_network`].
pub(super) fn export(network: &Network, dt: f64) -> Result<Exported, Diagnostics> {
    let mut builder = Builder::default();
    let discretization = choices::of_network(network, dt, &mut builder);
    let wiring = Wiring::new(implied(network, discretization.loop_bias), discretization.step());
    let flat = flat(network);
    let writer = NetworkWriter { network, builder, choices: &discretization, flat, wiring };
    let mut builder = writer.write();
    reading(&discretization, &mut builder);
    let (file, notes) = builder.finish((&discretization, network.steps), &[])?;
    Ok(Exported { file, discretization, notes })
}

fn read(reader: NodeId, edge: Edge) -> Read {
    Read { reader: reader.index(), source: edge.source.index(), delay: edge.delay }
}

struct NetworkWriter<'a> {
    network: &'a Network,
    builder: Builder,
    choices: &'a Discretization,
    /// Nodes whose values are vectors in the graph, whatever their shapes.
    flat: Vec<bool>,
    wiring: Wiring,
}

impl NetworkWriter<'_> {
    fn write(mut self) -> Builder {
        let network = self.network;
        // Inputs and neurons first, so that whatever reads them finds them, in loops, too.
        for (id, node) in network.nodes.iter() {
            match &node.op {
                Op::Input(coding) => self.input(id, node, coding),
                Op::Neuron(neuron) => self.neuron(id, node, neuron),
                _ => {}
            }
        }
        // Operations as soon as what they read is there, delayed or not. Verified networks have an order, and only
        // edges back to operations take another round.
        let order = network.order().unwrap_or_default();
        let mut open: Vec<NodeId> =
            order.into_iter().filter(|&id| !network.nodes[id].op.is_population()).collect();
        while !open.is_empty() {
            let before = open.len();
            let known = |w: &Wiring, id: NodeId| {
                let mut inputs = network.nodes[id].inputs.iter();
                inputs.all(|e| w.values.contains_key(&e.source.index()))
            };
            let mut later = Vec::new();
            for id in open {
                if !known(&self.wiring, id) {
                    later.push(id);
                } else if let Some(value) = self.operation(id) {
                    self.wiring.values.insert(id.index(), value);
                }
            }
            if later.len() == before {
                // Behind what was refused, or in a loop of operations, which is refused here.
                for id in later {
                    self.operation(id);
                }
                break;
            }
            open = later;
        }
        for (id, node) in network.nodes.iter() {
            if let (Op::Neuron(_), [edge]) = (&node.op, &node.inputs[..])
                && let Some(current) = self.seen(id, *edge)
                && let Some(neuron) = self.wiring.values.get(&id.index())
            {
                let current = ops::flat_unless(&mut self.builder, &current, &neuron.shape);
                self.builder.read(&current, &neuron.terms[0]);
            }
        }
        self.readout();
        self.builder
    }

    /// Extents of a node's value in the graph.
    fn extents(&self, id: NodeId) -> Vec<usize> {
        let shape = &self.network.nodes[id].shape;
        if self.flat[id.index()] {
            vec![shape.size()]
        } else {
            shape.0.iter().map(|&d| d as usize).collect()
        }
    }

    fn input(&mut self, id: NodeId, node: &Node, coding: &Coding) {
        let shape = self.extents(id);
        let name = self.builder.node(&node.name, Primitive::Input { shape: shape.clone() });
        if *coding != Coding::Events {
            self.builder.found.push(
                Diagnostic::note_only(
                    codes::EXPORT_READING,
                    format!(
                        "how samples become the values of input `{}` is not written",
                        node.name
                    ),
                )
                .at(format!("node {}", node.name))
                .help("give the graph spikes (or values) of every step: `snnc run --spikes F.nir`"),
            );
        }
        self.wiring.values.insert(id.index(), Value { terms: vec![name], shape });
    }

    fn neuron(&mut self, id: NodeId, node: &Node, neuron: &Neuron) {
        let extents = self.extents(id);
        let primitive = Writer {
            builder: &mut self.builder,
            choices: self.choices,
            place: format!("node {}", node.name),
            shape: &node.shape,
            extents: &extents,
        }
        .primitive(neuron);
        if let Some(primitive) = primitive {
            let name = self.builder.node(&node.name, primitive);
            self.wiring.values.insert(id.index(), Value { terms: vec![name], shape: extents });
        }
    }

    /// What `reader` sees of a node through `edge`; `None` if that was refused.
    fn seen(&mut self, reader: NodeId, edge: Edge) -> Option<Value> {
        let place = format!("node {}", self.network.nodes[reader].name);
        self.wiring.seen(&mut self.builder, read(reader, edge), &place)
    }

    fn tensor(&self, id: TensorId) -> Vec<f32> {
        self.network.values(id).into_owned()
    }

    /// What an operation becomes.
    fn operation(&mut self, id: NodeId) -> Option<Value> {
        let network = self.network;
        let node = &network.nodes[id];
        let inputs: Vec<Value> =
            node.inputs.iter().map(|e| self.seen(id, *e)).collect::<Option<_>>()?;
        let first = inputs.first();
        let place = format!("node {}", node.name);
        match &node.op {
            Op::Input(_) | Op::Neuron(_) => None,
            Op::Zero => Some(Value { terms: Vec::new(), shape: self.extents(id) }),
            Op::Linear { weight, bias } => {
                let (weight, bias) = (self.tensor(*weight), bias.map(|b| self.tensor(b)));
                Some(ops::linear(&mut self.builder, &node.name, first?, weight, bias))
            }
            Op::Conv2d { weight, bias, conv } => {
                let (weight, bias) = (self.tensor(*weight), bias.map(|b| self.tensor(b)));
                ops::conv(&mut self.builder, &node.name, first?, conv, &weight, bias)
            }
            Op::BatchNorm { gamma, beta, mean, variance, eps } => {
                let [gamma, beta, mean, variance] =
                    [gamma, beta, mean, variance].map(|t| self.tensor(*t));
                let wide = |v: &[f32], i: usize| f64::from(v[i]);
                let scale: Vec<f64> = (0..gamma.len())
                    .map(|i| wide(&gamma, i) / (wide(&variance, i) + eps).sqrt())
                    .collect();
                let shifts =
                    (0..gamma.len()).any(|i| wide(&beta, i) - wide(&mean, i) * scale[i] != 0.0);
                if shifts {
                    let help = "write the network behind the pass `fold-batchnorm`";
                    self.builder.refuse(&place, "batch normalization", help);
                    return None;
                }
                let scale: Vec<f32> = scale.into_iter().map(super::invert::round).collect();
                Some(ops::scale(&mut self.builder, &node.name, first?, &scale))
            }
            Op::Add => Some(self.sum(inputs)),
            Op::Flatten => Some(ops::flattened(&mut self.builder, first?, Some(&node.name))),
            Op::AvgPool { window, exclude_pad } => {
                ops::average(&mut self.builder, &node.name, first?, window, *exclude_pad)
            }
            Op::GlobalAvgPool => {
                let value = first?;
                let &[channels, height, width] = &value.shape[..] else { return None };
                let pool = super::super::graph::Pool {
                    kernel: [height, width],
                    stride: [height, width],
                    padding: [0, 0],
                };
                let pool = Primitive::AvgPool2d(pool);
                let means = self.builder.after(&node.name, pool, value, vec![channels, 1, 1]);
                Some(ops::flat(&mut self.builder, &means))
            }
            Op::Relay(None) => first.cloned(),
            Op::Relay(Some(_)) => {
                self.builder.refuse(&place, "a clip by sign", "remove the sign of the edge");
                None
            }
            Op::Concat => {
                let help = "write the network behind the pass `lower-currents`";
                self.builder.refuse(&place, "a concatenation", help);
                None
            }
            Op::Crop(_) => {
                let help = "write the network behind the pass `lower-currents`";
                self.builder.refuse(&place, "rows and columns that are left out", help);
                None
            }
        }
    }

    /// Several values as one: whoever reads it reads them all.
    fn sum(&mut self, mut inputs: Vec<Value>) -> Value {
        if inputs.iter().any(|v| v.shape != inputs[0].shape) {
            for value in &mut inputs {
                *value = ops::flat(&mut self.builder, value);
            }
        }
        let shape = inputs.first().map(|v| v.shape.clone()).unwrap_or_default();
        Value { terms: inputs.into_iter().flat_map(|v| v.terms).collect(), shape }
    }

    fn readout(&mut self) {
        let id = self.network.readout.node();
        let Some(value) = self.wiring.values.get(&id.index()).cloned() else { return };
        if matches!(self.network.readout, Readout::MeanLinear(_)) {
            self.builder.found.push(
                Diagnostic::note_only(
                    codes::EXPORT_READING,
                    "the output is a current, whose mean over all steps is the score",
                )
                .at(format!("node {}", self.network.nodes[id].name)),
            );
        }
        let output = Primitive::Output { shape: value.shape.clone() };
        let name = self.builder.node("output", output);
        self.builder.read(&value, &name);
    }
}

/// Nodes whose values are vectors in the graph: NIR cannot give a vector other extents again.
fn flat(network: &Network) -> Vec<bool> {
    let mut flat = vec![false; network.nodes.len()];
    loop {
        let mut changed = false;
        for (id, node) in network.nodes.iter() {
            let follows = match node.op {
                Op::Linear { .. } | Op::Flatten | Op::GlobalAvgPool => true,
                Op::Neuron(_) | Op::Add | Op::BatchNorm { .. } | Op::Relay(_) => {
                    node.inputs.iter().any(|e| flat[e.source.index()])
                }
                _ => false,
            };
            if follows && !flat[id.index()] {
                flat[id.index()] = true;
                changed = true;
            }
        }
        if !changed {
            return flat;
        }
    }
}

/// Edges (reader, source) of one step that close a loop of one population, so that every reader of the graph
/// cuts the loop there: at the population, or behind what reads it.
fn implied(network: &Network, loop_bias: LoopBias) -> BTreeSet<(usize, usize)> {
    let mut readers = vec![Vec::new(); network.nodes.len()];
    for (id, node) in network.nodes.iter() {
        for edge in node.inputs.iter().filter(|e| e.delay == 0) {
            readers[edge.source.index()].push(id);
        }
    }
    let spikes = |id: NodeId| network.nodes[id].op.is_population();
    // From a node to another one, through operations of one input each and a sum at the end.
    let leads = |from: NodeId, to: NodeId| {
        let mut open = vec![(from, false)];
        let mut seen = BTreeSet::new();
        while let Some((id, summed)) = open.pop() {
            if !seen.insert((id, summed)) {
                continue;
            }
            let node = &network.nodes[id];
            if id == to {
                return true;
            }
            let sum = matches!(node.op, Op::Add);
            if spikes(id) || node.inputs.len() > 1 && !sum || summed && !sum {
                continue;
            }
            open.extend(readers[id.index()].iter().map(|&next| (next, summed || sum)));
        }
        false
    };
    let mut found = BTreeSet::new();
    for (id, node) in network.nodes.iter() {
        for edge in node.inputs.iter().filter(|e| e.delay == 1) {
            let closes = match loop_bias {
                LoopBias::AtOnce => spikes(edge.source) && leads(id, edge.source),
                // The population behind the sum, if there is one, begins what ends at the sum.
                LoopBias::Delayed => {
                    let sum = matches!(node.op, Op::Add);
                    let behind = if sum { &readers[id.index()][..] } else { &[id][..] };
                    let population = match behind {
                        &[one] if spikes(one) => Some(one),
                        _ => None,
                    };
                    let begins = population.map_or(&[][..], |p| &readers[p.index()]);
                    !spikes(edge.source) && begins.iter().any(|&next| leads(next, edge.source))
                }
            };
            if closes {
                found.insert((id.index(), edge.source.index()));
            }
        }
    }
    found
}
