//! Nodes of the network for the nodes of a plan.

use super::delay::Delays;
use super::no_form;
use super::plan::{Plan, PlanNode};
use crate::arrays::show_shape;
use crate::json::quote;
use crate::nir::graph::Primitive;
use snnc_ir::arena::{Arena, NodeId, TensorId};
use snnc_ir::diag::codes::nir_time as codes;
use snnc_ir::network::discretization::Discretization;
use snnc_ir::network::{
    Coding, Dynamics, Edge, Emission, Neuron, Node, Op, Provenance, Readout, Tensor,
};
use snnc_ir::{Diagnostic, Diagnostics, Entity, MAX_ELEMENTS, NetworkDraft, Param, Shape};
use std::collections::{BTreeMap, BTreeSet};

/// What a node of the network reads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// A node that was built.
    Built(NodeId, u32),
    /// A node of the plan, and steps ago.
    Plan(usize, u32),
}

/// Builds a network.
pub(super) struct Builder<'a, 'p> {
    pub(super) plan: &'p Plan<'a>,
    pub(super) found: Option<&'p Discretization>,
    pub(super) delays: &'p Delays,
    pub(super) out: &'p mut Diagnostics,
    nodes: Arena<NodeId, Node>,
    tensors: Arena<TensorId, Tensor>,
    names: BTreeSet<String>,
    tensor_names: BTreeSet<String>,
    /// The node of the network that holds the value of a node of the plan.
    built: BTreeMap<usize, NodeId>,
    /// Inputs of nodes that were read before they were built: reader, position, node of the plan.
    pending: Vec<(NodeId, usize, usize)>,
}

impl<'a, 'p> Builder<'a, 'p> {
    pub(super) const fn new(
        plan: &'p Plan<'a>,
        found: Option<&'p Discretization>,
        delays: &'p Delays,
        out: &'p mut Diagnostics,
    ) -> Self {
        Self {
            plan,
            found,
            delays,
            out,
            nodes: Arena::new(),
            tensors: Arena::new(),
            names: BTreeSet::new(),
            tensor_names: BTreeSet::new(),
            built: BTreeMap::new(),
            pending: Vec::new(),
        }
    }

    /// The network; `None` if something is refused.
    pub(super) fn network(mut self, name: &str, steps: u32) -> Option<NetworkDraft> {
        let plan = self.plan;
        // Names of the graph go before names that are made here.
        for &index in &plan.order {
            let node = &plan.nodes[index];
            match self.node(index, node) {
                Ok(id) => {
                    self.built.insert(index, id);
                }
                Err(refused) => self.out.push(refused),
            }
        }
        if self.out.has_errors() {
            return None;
        }
        for (reader, position, source) in std::mem::take(&mut self.pending) {
            let id = self.built.get(&source)?;
            self.nodes[reader].inputs[position].source = *id;
        }
        let readout = match self.readout() {
            Ok(readout) => readout,
            Err(refused) => {
                self.out.push(refused);
                return None;
            }
        };
        let draft = NetworkDraft {
            name: name.to_owned(),
            steps,
            nodes: self.nodes,
            tensors: self.tensors,
            readout,
            discretization: self.found.cloned(),
        };
        Some(draft)
    }

    /// Builds one node of the plan.
    fn node(&mut self, index: usize, node: &PlanNode<'a>) -> Result<NodeId, Diagnostic> {
        match node.primitive {
            Primitive::Input { .. } if node.is_port => {
                let shape = shape(node, &node.output)?;
                Ok(self.add(&node.name, Op::Input(Coding::Events), &[], shape))
            }
            Primitive::Input { .. } | Primitive::Output { .. } => self.pass(index, node),
            Primitive::Delay { .. } => self.delay(index, node),
            Primitive::Threshold { threshold } => self.threshold(index, node, threshold),
            Primitive::If { .. } | Primitive::Lif { .. } | Primitive::CubaLif { .. } => {
                self.neuron(index, node)
            }
            Primitive::I { .. } | Primitive::Li { .. } | Primitive::CubaLi { .. } => {
                Err(membrane(node))
            }
            // Dissolved.
            Primitive::Graph(_) => Err(no_form(&node.path, "a graph within the graph")),
            _ => self.linear(index, node),
        }
    }

    /// Adds a node of a unique name.
    pub(super) fn add(&mut self, name: &str, op: Op, inputs: &[Source], shape: Shape) -> NodeId {
        let name = unique(name, &mut self.names);
        let id = NodeId::new(self.nodes.len());
        let mut edges = Vec::with_capacity(inputs.len());
        for (position, source) in inputs.iter().enumerate() {
            edges.push(match *source {
                Source::Built(source, delay) => Edge { source, delay },
                Source::Plan(index, delay) => {
                    let source = self.built.get(&index).copied().unwrap_or_else(|| {
                        self.pending.push((id, position, index));
                        id
                    });
                    Edge { source, delay }
                }
            });
        }
        self.nodes.push(Node { name, op, inputs: edges, shape })
    }

    /// Adds a tensor that the file holds at `path`.
    pub(super) fn tensor(&mut self, path: &str, shape: Vec<u32>, data: Vec<f32>) -> TensorId {
        let name = unique(path, &mut self.tensor_names);
        let provenance = Provenance::Dense { tensor: path.to_owned() };
        self.tensors.push(Tensor { name, shape: Shape(shape), data, provenance, genes: None })
    }

    /// The op of a node that was built.
    pub(super) fn op(&self, id: NodeId) -> &Op {
        &self.nodes[id].op
    }

    /// What a node reads, as one value: several edges are summed, none is 0. `more` steps are added.
    pub(super) fn input(&mut self, index: usize, more: u32) -> Result<Source, Diagnostic> {
        let plan = self.plan;
        let node = &plan.nodes[index];
        let shape = shape(node, &node.input)?;
        let sources: Vec<Source> =
            plan.sources[index].iter().map(|&(from, d)| Source::Plan(from, d + more)).collect();
        Ok(match sources[..] {
            [] => Source::Built(self.add(&format!("{}.zero", node.name), Op::Zero, &[], shape), 0),
            [one] => one,
            _ => {
                let sum = self.add(&format!("{}.sum", node.name), Op::Add, &sources, shape);
                Source::Built(sum, 0)
            }
        })
    }

    /// A node that passes on what it reads.
    pub(super) fn pass(&mut self, index: usize, node: &PlanNode<'a>) -> Result<NodeId, Diagnostic> {
        if let [(from, 0)] = self.plan.sources[index][..]
            && let Some(&id) = self.built.get(&from)
        {
            return Ok(id);
        }
        let shape = shape(node, &node.output)?;
        let sources: Vec<Source> =
            self.plan.sources[index].iter().map(|&(from, d)| Source::Plan(from, d)).collect();
        if sources.is_empty() {
            return Ok(self.add(&node.name, Op::Zero, &[], shape));
        }
        Ok(self.add(&node.name, Op::Add, &sources, shape))
    }

    /// What a population reads: an analog node.
    pub(super) fn current(&mut self, index: usize) -> Result<Source, Diagnostic> {
        let source = self.input(index, 0)?;
        let analog = match source {
            Source::Built(..) => true,
            Source::Plan(from, 0) => {
                self.built.get(&from).is_some_and(|&id| !self.op(id).is_population())
            }
            Source::Plan(..) => false,
        };
        if analog {
            return Ok(source);
        }
        let node = &self.plan.nodes[index];
        let shape = shape(node, &node.input)?;
        let sum = self.add(&format!("{}.current", node.name), Op::Add, &[source], shape);
        Ok(Source::Built(sum, 0))
    }

    /// What a run is read by: the population behind the one output, or one that repeats all outputs.
    fn readout(&mut self) -> Result<Readout, Diagnostic> {
        let plan = self.plan;
        let is_output =
            |n: &PlanNode<'_>| n.is_port && matches!(n.primitive, Primitive::Output { .. });
        let outputs: Vec<usize> =
            plan.order.iter().copied().filter(|&i| is_output(&plan.nodes[i])).collect();
        let ends: Vec<(usize, NodeId)> =
            outputs.iter().filter_map(|o| Some((*o, *self.built.get(o)?))).collect();
        if let [(output, id)] = ends[..] {
            if let Some(population) = self.neurons_behind(id) {
                return Ok(Readout::SpikeCount(population));
            }
            if !self.carries_spikes(id) {
                let node = &plan.nodes[output];
                self.out.push(
                    Diagnostic::note_only(
                        codes::NO_STEPS,
                        format!(
                            "the output {} is analog: a run is read by its mean",
                            quote(&node.name)
                        ),
                    )
                    .at(&*node.path),
                );
                return Ok(Readout::MeanLinear(id));
            }
        }
        let mut parts = Vec::new();
        for (output, id) in ends {
            let node = &plan.nodes[output];
            if !self.carries_spikes(id) {
                return Err(no_form(
                    &node.path,
                    format!("the output {} is analog, and there are others", quote(&node.name)),
                )
                .help("put neurons in front of it, or keep one output"));
            }
            let shape = shape(node, &node.output)?;
            let flat = Shape::flat(u32::try_from(shape.size()).unwrap_or(u32::MAX));
            let part = if shape == flat {
                id
            } else {
                self.add(&format!("{}.flat", node.name), Op::Flatten, &[Source::Built(id, 0)], flat)
            };
            parts.push(Source::Built(part, 0));
        }
        let sizes = parts.iter().map(|p| match p {
            Source::Built(id, _) => self.nodes[*id].shape.size(),
            Source::Plan(..) => 0,
        });
        let size = sizes.fold(0_usize, usize::saturating_add);
        let whole = Shape::flat(u32::try_from(size).unwrap_or(u32::MAX));
        let joined = self.add("outputs.joined", Op::Concat, &parts, whole.clone());
        let op = Op::Neuron(repeating());
        Ok(Readout::SpikeCount(self.add("outputs", op, &[Source::Built(joined, 0)], whole)))
    }

    /// The neurons whose spikes of the same step a node passes on, if it only does that.
    fn neurons_behind(&self, mut id: NodeId) -> Option<NodeId> {
        loop {
            let node = &self.nodes[id];
            match (&node.op, &node.inputs[..]) {
                (Op::Neuron(_), _) => return Some(id),
                (Op::Add | Op::Flatten, [Edge { source, delay: 0 }]) => id = *source,
                _ => return None,
            }
        }
    }

    /// Whether a node passes on the spikes of one population of neurons that fire once, or an input.
    fn carries_spikes(&self, mut id: NodeId) -> bool {
        // Delays may lead back: whoever has gone through all nodes goes in a circle.
        for _ in 0..self.nodes.len() {
            let node = &self.nodes[id];
            match (&node.op, &node.inputs[..]) {
                (Op::Neuron(n), _) => return n.emission == Emission::Binary,
                (Op::Input(_), _) => return true,
                (Op::Add | Op::Flatten, [edge]) => id = edge.source,
                _ => return false,
            }
        }
        false
    }
}

/// Neurons without memory: they fire where what they read is above the threshold.
pub(super) fn memoryless(threshold: Param<f32>) -> Neuron {
    Neuron::plain(Dynamics::Decay(Param::Uniform(1.0)), threshold)
}

/// Neurons that fire where what they read is 1, and read nothing but 0 and 1: nothing is left to forget.
fn repeating() -> Neuron {
    Neuron { dynamics: Dynamics::Integrate, ..memoryless(Param::Uniform(0.5)) }
}

/// The refusal of a node whose output is a membrane.
fn membrane(node: &PlanNode<'_>) -> Diagnostic {
    let kind = node.primitive.type_name();
    no_form(&node.path, format!("{} ({kind}) gives its membrane, and no spikes", quote(&node.name)))
        .note("a membrane that is read as a value in every step has no form on neuromorphic cores")
        .help(
            "read the population in front of it (its spikes are counted), or make it a neuron that fires: \
             `LIF`, `IF` or `CubaLIF`",
        )
}

/// Extents as the network has them: vectors, or channels with height and width.
pub(super) fn shape(node: &PlanNode<'_>, extents: &[usize]) -> Result<Shape, Diagnostic> {
    let small: Option<Vec<u32>> = extents.iter().map(|&d| u32::try_from(d).ok()).collect();
    let shape = small.map(|d| match d[..] {
        [] => Shape::flat(1),
        [n] => Shape::flat(n),
        [c, n] => Shape::chw(c, 1, n),
        [c, h, w] => Shape::chw(c, h, w),
        _ => Shape::flat(d.iter().fold(1_u32, |n, &e| n.saturating_mul(e))),
    });
    shape.filter(|s| (1..=MAX_ELEMENTS).contains(&s.size())).ok_or_else(|| {
        no_form(
            &node.path,
            format!("{} has the extents {}", quote(&node.name), show_shape(extents)),
        )
        .note(format!("expected extents from 1, and at most {MAX_ELEMENTS} elements"))
    })
}

/// `name`, or `name.2`, `name.3`, … if it is taken.
fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut found = name.to_owned();
    let mut count = 1_u64;
    while !taken.insert(found.clone()) {
        count += 1;
        found = format!("{name}.{count}");
    }
    found
}
