//! Level 1: the network as the genome means it, in f32 and logical time.
//!
//! A directed graph of nodes. `Input` and `Neuron` nodes are *populations*: they carry spikes (or
//! the analog values of a directly coded input). Every other node carries an analog current.
//! An edge of delay 0 is read in the same logical step, an edge of delay `d` reads what its source
//! held `d` steps earlier (zero before the first step). The delay-0 subgraph is acyclic.
//!
//! **Float semantics** (what every float simulator must reproduce bit for bit): all arithmetic in
//! f32, each operation rounded on its own, no fused multiply-add, no flush to zero.
//! * `Linear`: `acc = 0`; for source `i` ascending `acc = acc + w[o][i] * x[i]`; then `acc + bias`
//!   if there is one.
//! * `Conv2d`: the same with the sources of one output in ascending (channel, row, column) order;
//!   padding contributes nothing.
//! * `BatchNorm`: `s = gamma / sqrt(variance + eps)` and `t = beta - mean * s` in f64, each rounded
//!   once to f32; then `x * s + t` (two roundings).
//! * `Add`: inputs left to right. `AvgPool`: sum in ascending order, then division by the count.
//! * `Relay`: the value; with a sign (a *clip*) only where it has that sign, +0 elsewhere.
//! * Neurons: see [`neuron`].

pub mod decode;
pub mod discretization;
pub mod neuron;
mod verify;

use crate::arena::{Arena, Entity, NodeId, TensorId};
use crate::conv::Conv;
use crate::level::sealed;
use crate::shape::Shape;
pub use discretization::Discretization;
pub use neuron::{
    Compare, Current, Dynamics, Emission, LinearDynamics, Neuron, Reset, UpdateOrder,
};
use serde::{Deserialize, Serialize};

/// An editable network in f32 and logical time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkDraft {
    /// Name of the network.
    pub name: String,
    /// Logical steps of one run.
    pub steps: u32,
    /// Nodes; names are unique.
    pub nodes: Arena<NodeId, Node>,
    /// Weights and other parameters; one tensor may be used by many nodes.
    pub tensors: Arena<TensorId, Tensor>,
    /// How a run becomes a class or a score.
    pub readout: Readout,
    /// How it was made from a graph in continuous time, if it was: a record, which nothing computes with.
    pub discretization: Option<Discretization>,
}

sealed! {
    /// A verified network in f32 and logical time.
    Network, NetworkDraft, "network", verify::check
}

impl NetworkDraft {
    /// Nodes in an order in which every delay-0 edge goes forward, the smallest id first wherever
    /// there is a choice. `None` if delay-0 edges form a loop or an edge reads a node that does not
    /// exist (never in a verified network).
    pub fn order(&self) -> Option<Vec<NodeId>> {
        let edges = self.zero_delay_edges();
        let order = crate::graph::topological(self.nodes.len(), &edges)?;
        Some(order.into_iter().map(NodeId::new).collect())
    }

    /// Id of the node called `name`.
    pub fn node_named(&self, name: &str) -> Option<NodeId> {
        self.nodes.iter().find(|(_, n)| n.name == name).map(|(id, _)| id)
    }

    /// Values that nodes compute with: those of all tensors, generated ones as if they were stored, but
    /// for tensors that only generate others.
    pub fn parameters(&self) -> usize {
        let sizes = self.tensors.values().zip(self.only_genes());
        sizes.filter(|(_, gene)| !gene).map(|(t, _)| t.shape.size()).sum()
    }

    /// Tensors that generate others, and that no node of a verified network uses itself, by id.
    pub fn only_genes(&self) -> Vec<bool> {
        let mut found = vec![false; self.tensors.len()];
        for genes in self.tensors.values().filter_map(|t| t.genes) {
            for gene in [genes.out, genes.core, genes.source] {
                found[gene.index()] = true;
            }
        }
        for tensor in self.nodes.values().flat_map(|n| verify::op::tensors(&n.op)) {
            found[tensor.index()] = false;
        }
        found
    }

    /// Delay-0 edges as (source, reader).
    fn zero_delay_edges(&self) -> Vec<(usize, usize)> {
        let edges = self.nodes.iter().flat_map(|(id, node)| {
            let zero = node.inputs.iter().filter(|e| e.delay == 0);
            zero.map(move |e| (e.source.index(), id.index()))
        });
        edges.collect()
    }
}

/// One node of the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Unique name, from the genome.
    pub name: String,
    /// What the node computes.
    pub op: Op,
    /// What it reads.
    pub inputs: Vec<Edge>,
    /// Shape of its value.
    pub shape: Shape,
}

/// A read of another node's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Edge {
    /// The node read.
    pub source: NodeId,
    /// Logical steps ago; 0 is the same step.
    pub delay: u32,
}

/// What a node computes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// Values from outside.
    Input(Coding),
    /// `y = W x + b`. **Shapes**: weight `[out, in]`, bias `[out]`, input of `in` elements in
    /// row-major order, output any shape of `out` elements in row-major order (`[out]` unless a
    /// pass made the node).
    Linear {
        /// Weight.
        weight: TensorId,
        /// Bias, added every step.
        bias: Option<TensorId>,
    },
    /// Two-dimensional cross-correlation. **Shapes**: weight as [`Conv::kernel_shape`], bias
    /// `[out_channels]`; input and output as the geometry says, or (made by passes) a vector of as
    /// many elements in row-major order.
    Conv2d {
        /// Kernel.
        weight: TensorId,
        /// Bias, added every step.
        bias: Option<TensorId>,
        /// Geometry.
        conv: Conv,
    },
    /// Batch normalization with the statistics of training. **Shapes**: all `[channels]`.
    BatchNorm {
        /// Scale.
        gamma: TensorId,
        /// Shift.
        beta: TensorId,
        /// Running mean.
        mean: TensorId,
        /// Running variance.
        variance: TensorId,
        /// Added to the variance.
        eps: f64,
    },
    /// A population of spiking neurons; its one input is its current.
    Neuron(Neuron),
    /// Sum of inputs of one shape.
    Add,
    /// Inputs one after the other along the outermost extent.
    Concat,
    /// The same elements as a vector.
    Flatten,
    /// Average pooling per channel.
    AvgPool {
        /// Window and stride; `out_channels` and `groups` equal the input channels. No crop.
        window: Conv,
        /// Divide by the number of cells inside the input instead of the window size.
        exclude_pad: bool,
    },
    /// Average over all positions of each channel; output `[channels]`.
    GlobalAvgPool,
    /// Values that are passed on as they are, to be sent as graded messages: with a sign those of that
    /// sign, and the others become 0 (a *clip*). No pass sums up across it. **Shapes**: output as input.
    Relay(Option<Keep>),
    /// The input without some of its outer rows and columns: top, bottom, left, right.
    /// **Shapes**: `[channels, height, width]`.
    Crop([u32; 4]),
    /// A value that is 0 in every step; reads nothing.
    Zero,
}

/// The sign of the values that a [`Op::Relay`] passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Keep {
    /// Values above 0: `max(x, 0)`, an excitatory edge.
    Positive,
    /// Values below 0: `min(x, 0)`, an inhibitory edge.
    Negative,
}

impl Keep {
    /// Name in genomes and in the text form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
        }
    }
}

impl Op {
    /// Whether the node is a population (its value is made of spikes or comes from outside).
    pub const fn is_population(&self) -> bool {
        matches!(self, Self::Input(_) | Self::Neuron(_))
    }

    /// Name in genomes and in the text form.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Input(_) => "input",
            Self::Linear { .. } => "linear",
            Self::Conv2d { .. } => "conv2d",
            Self::BatchNorm { .. } => "batchnorm",
            Self::Neuron(_) => "neuron",
            Self::Add => "add",
            Self::Concat => "concat",
            Self::Flatten => "flatten",
            Self::AvgPool { .. } => "avgpool",
            Self::GlobalAvgPool => "global_avgpool",
            Self::Relay(Some(_)) => "clip",
            Self::Relay(None) => "relay",
            Self::Crop(_) => "crop",
            Self::Zero => "zero",
        }
    }
}

/// How samples become the values of an input node, step by step.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Coding {
    /// The frame itself, repeated every step (analog).
    Direct {
        /// Smallest and largest value of an element, if the genome states them. Integers exist only
        /// with it: bounds for all inputs need bounds of the inputs.
        range: Option<[i32; 2]>,
    },
    /// Spikes are given step by step.
    Events,
    /// One integer accumulator per element: it starts at `pmax / 2` (rounded down); in each of the
    /// first `steps_in` steps `a += x`, and where `a >= pmax` there is a spike and `a -= pmax`.
    Accumulator {
        /// Largest value of an element.
        pmax: u32,
        /// Steps with input; silence afterwards.
        steps_in: u32,
    },
    /// Bernoulli spikes drawn by the host.
    Rate {
        /// Seed of the host's generator.
        seed: u64,
    },
}

impl Coding {
    /// What is wrong with the parameters in a run of `steps` steps, and what was expected.
    pub(crate) fn problem(&self, steps: u32) -> Option<(String, String)> {
        match *self {
            Self::Accumulator { pmax: 0, .. } => {
                Some(("the accumulator's pmax is 0".to_owned(), "at least 1".to_owned()))
            }
            Self::Accumulator { steps_in, .. } if steps_in == 0 || steps_in > steps => Some((
                format!("the accumulator has {steps_in} steps with input"),
                format!("1 to {steps}, the steps of the run"),
            )),
            Self::Direct { range: Some([low, high]) } if low >= high => Some((
                format!("the values of a direct input range from {low} to {high}"),
                "a smallest value below the largest".to_owned(),
            )),
            Self::Accumulator { .. } | Self::Direct { .. } | Self::Events | Self::Rate { .. } => {
                None
            }
        }
    }
}

/// How a run becomes scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Readout {
    /// Spikes of a neuron population summed over all steps (with [`Emission::Several`], what they say);
    /// class = largest, ties to the lowest.
    SpikeCount(NodeId),
    /// Mean over steps of an analog node, computed by the host from spike counts.
    MeanLinear(NodeId),
}

impl Readout {
    /// The node read.
    pub const fn node(&self) -> NodeId {
        match self {
            Self::SpikeCount(n) | Self::MeanLinear(n) => *n,
        }
    }
}

/// A tensor of parameters with its origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tensor {
    /// Name, unique among tensors.
    pub name: String,
    /// Extents, row-major.
    pub shape: Shape,
    /// Values; finite. Empty where `genes` generate them.
    pub data: Vec<f32>,
    /// Where the values come from.
    pub provenance: Provenance,
    /// What generates the values, with scheme, scale and step of a [`Provenance::Encoded`]; `None` if they are
    /// stored.
    pub genes: Option<Genes>,
}

/// Tensors that generate another one: `W = s · out · core · sourceᵀ`, in the layout of a [`Scheme`].
/// They are stored themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Genes {
    /// Encodings of the targets, `[rows, G_out]`.
    pub out: TensorId,
    /// Interactions, `[G_out, G_in]`, or `[cells, G_out, G_in]` for [`Scheme::PerOffset`].
    pub core: TensorId,
    /// Encodings of the sources, `[columns, G_in]`.
    pub source: TensorId,
}

/// Where a matrix comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Provenance {
    /// Stored in the genome under this tensor name.
    Dense {
        /// Tensor name in the genome.
        tensor: String,
    },
    /// Generated from encodings and an interaction matrix.
    Encoded {
        /// `linear`, `per_offset` or `flat_fan_in`.
        scheme: Scheme,
        /// Encoding of the targets.
        out: String,
        /// Interaction matrix.
        core: String,
        /// Encoding of the sources.
        source: String,
        /// Scale factor.
        scale: f64,
        /// Whether a Heaviside step followed (`post`).
        heaviside: bool,
    },
    /// A bias generated from an encoding and a shared vector: `b[o] = sum_a E[o, a] * beta[a]`.
    EncodedBias {
        /// Encoding of the targets.
        out: String,
        /// Shared vector.
        beta: String,
    },
    /// Made by a pass from other tensors.
    Derived {
        /// The pass.
        pass: String,
        /// Names of the tensors it was made from.
        from: Vec<String>,
    },
}

impl Provenance {
    /// The scale factor, if it is no finite number. No genome has such a one, and it would not equal itself.
    pub(crate) fn bad_scale(&self) -> Option<f64> {
        match self {
            Self::Encoded { scale, .. } => Some(*scale).filter(|scale| !scale.is_finite()),
            Self::Dense { .. } | Self::EncodedBias { .. } | Self::Derived { .. } => None,
        }
    }
}

/// Decode schemes of genetically encoded weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scheme {
    /// `W[o,i] = s * sum_ab Eo[o,a] O[a,b] Ei[i,b]`.
    Linear,
    /// `W[o,i,u,v] = s * sum_ab Eo[o,a] O[u*kw+v,a,b] Ei[i,b]`.
    PerOffset,
    /// `W[o,i,u,v] = s * sum_ab Eo[o,a] O[a,b] Ei[(i*kh+u)*kw+v,b]`.
    FlatFanIn,
}

impl Scheme {
    /// Name in genomes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::PerOffset => "per_offset",
            Self::FlatFanIn => "flat_fan_in",
        }
    }
}
