//! NIR graphs as typed data: what a file says, with nothing added, left out or repaired.

use super::tree::Tree;
use crate::arrays::Array;
use std::collections::BTreeMap;

/// A NIR file.
#[derive(Clone, Debug, PartialEq)]
pub struct NirFile {
    /// Version of the `nir` package that wrote it.
    pub version: Option<String>,
    /// A graph, or a single node.
    pub root: NirNode,
}

/// A node, with remarks that carry no meaning.
#[derive(Clone, Debug, PartialEq)]
pub struct NirNode {
    /// What it computes.
    pub primitive: Primitive,
    /// `metadata`.
    pub metadata: Tree,
}

/// Nodes and edges.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NirGraph {
    /// By name. Files do not keep an order.
    pub nodes: BTreeMap<String, NirNode>,
    /// From output to input, in the order of the file. Several edges into one node are summed.
    pub edges: Vec<(String, String)>,
}

/// The primitives of NIR 1.0.
///
/// Parameters of neurons are arrays of the neurons' shape, or single numbers (no extents) that stand
/// for all neurons. `x` is the input, `y` or `z` (spikes, 0 or 1) the output, `v` a membrane.
#[derive(Clone, Debug, PartialEq)]
pub enum Primitive {
    /// Port: `y = x`.
    Input {
        /// Extents of the values.
        shape: Vec<usize>,
    },
    /// Port: `y = x`.
    Output {
        /// Extents of the values.
        shape: Vec<usize>,
    },
    /// `y = W x + b`.
    Affine {
        /// `[..., out, in]`
        weight: Array,
        /// `[..., out]`
        bias: Array,
    },
    /// `y = W x`.
    Linear {
        /// `[..., out, in]`
        weight: Array,
    },
    /// `y = s x`, element by element.
    Scale {
        /// Shape of the values.
        scale: Array,
    },
    /// Cross-correlation along one axis.
    Conv1d(Conv<1>),
    /// Cross-correlation along two axes.
    Conv2d(Conv<2>),
    /// Sums of windows.
    SumPool2d(Pool),
    /// Means of windows; padding counts.
    AvgPool2d(Pool),
    /// Joins dimensions.
    Flatten(Flatten),
    /// `y(t) = x(t - delay)`.
    Delay {
        /// In the unit of time of the file.
        delay: Array,
    },
    /// `z = 1` where `x > threshold`.
    Threshold {
        /// Shape of the values.
        threshold: Array,
    },
    /// `v' = r x`, `y = v`.
    I {
        /// Resistance.
        r: Array,
    },
    /// `v' = r x`; where `v > v_threshold`, `z = 1` and `v := v_reset`.
    If {
        /// Resistance.
        r: Array,
        /// Threshold.
        v_threshold: Array,
        /// Membrane after a spike; 0 if absent.
        v_reset: Option<Array>,
    },
    /// `tau v' = (v_leak - v) + r x`, `y = v`.
    Li {
        /// Time constant.
        tau: Array,
        /// Resistance.
        r: Array,
        /// Membrane at rest.
        v_leak: Array,
    },
    /// As [`Primitive::Li`]; where `v > v_threshold`, `z = 1` and `v := v_reset`.
    Lif {
        /// Time constant.
        tau: Array,
        /// Resistance.
        r: Array,
        /// Membrane at rest.
        v_leak: Array,
        /// Threshold.
        v_threshold: Array,
        /// Membrane after a spike; 0 if absent.
        v_reset: Option<Array>,
    },
    /// `tau_syn i' = -i + w_in x`, `tau_mem v' = (v_leak - v) + r i`, `y = v`.
    CubaLi {
        /// Time constant of the membrane.
        tau_mem: Array,
        /// Time constant of the current.
        tau_syn: Array,
        /// Resistance.
        r: Array,
        /// Membrane at rest.
        v_leak: Array,
        /// Weight of the input; 1 if absent.
        w_in: Option<Array>,
    },
    /// As [`Primitive::CubaLi`]; where `v > v_threshold`, `z = 1` and `v := v_reset`.
    CubaLif {
        /// Time constant of the membrane.
        tau_mem: Array,
        /// Time constant of the current.
        tau_syn: Array,
        /// Resistance.
        r: Array,
        /// Membrane at rest.
        v_leak: Array,
        /// Threshold.
        v_threshold: Array,
        /// Membrane after a spike; 0 if absent.
        v_reset: Option<Array>,
        /// Weight of the input; 1 if absent.
        w_in: Option<Array>,
    },
    /// A graph, entered at its `Input` and left at its `Output`.
    Graph(NirGraph),
}

/// A convolution along `D` axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv<const D: usize> {
    /// Extents of the input, without channels.
    pub input_shape: Option<[usize; D]>,
    /// `[out channels, in channels / groups, kernel...]`
    pub weight: Array,
    /// `[out channels]`
    pub bias: Array,
    /// Step between windows.
    pub stride: [usize; D],
    /// What is added around the input.
    pub padding: Padding<D>,
    /// Step between the taps of a window.
    pub dilation: [usize; D],
    /// Number of groups of channels.
    pub groups: usize,
}

/// Zeros around the input of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding<const D: usize> {
    /// So many at each side.
    Zeros([usize; D]),
    /// As many as keep the extents; one more at the end if their number is odd. Stride 1 only.
    Same,
    /// None.
    Valid,
}

/// Pooling over two axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Extents of a window.
    pub kernel: [usize; 2],
    /// Step between windows.
    pub stride: [usize; 2],
    /// Zeros at each side.
    pub padding: [usize; 2],
}

/// Joins the dimensions from `start` to `end` into one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flatten {
    /// Extents of the input, without a batch dimension.
    pub input_type: Option<Vec<usize>>,
    /// First dimension; negative ones count from the end.
    pub start: i64,
    /// Last dimension; negative ones count from the end.
    pub end: i64,
}

impl Primitive {
    /// All names of types, as files spell them.
    pub const TYPES: [&str; 19] = [
        "Input",
        "Output",
        "Affine",
        "Linear",
        "Scale",
        "Conv1d",
        "Conv2d",
        "SumPool2d",
        "AvgPool2d",
        "Flatten",
        "Delay",
        "Threshold",
        "I",
        "IF",
        "LI",
        "LIF",
        "CubaLI",
        "CubaLIF",
        "NIRGraph",
    ];

    /// As files spell it.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Input { .. } => "Input",
            Self::Output { .. } => "Output",
            Self::Affine { .. } => "Affine",
            Self::Linear { .. } => "Linear",
            Self::Scale { .. } => "Scale",
            Self::Conv1d(_) => "Conv1d",
            Self::Conv2d(_) => "Conv2d",
            Self::SumPool2d(_) => "SumPool2d",
            Self::AvgPool2d(_) => "AvgPool2d",
            Self::Flatten(_) => "Flatten",
            Self::Delay { .. } => "Delay",
            Self::Threshold { .. } => "Threshold",
            Self::I { .. } => "I",
            Self::If { .. } => "IF",
            Self::Li { .. } => "LI",
            Self::Lif { .. } => "LIF",
            Self::CubaLi { .. } => "CubaLI",
            Self::CubaLif { .. } => "CubaLIF",
            Self::Graph(_) => "NIRGraph",
        }
    }

    /// Whether it fires: its output is 0 or 1.
    pub const fn fires(&self) -> bool {
        matches!(
            self,
            Self::If { .. } | Self::Lif { .. } | Self::CubaLif { .. } | Self::Threshold { .. }
        )
    }

    /// Its arrays, by the names of their datasets.
    pub fn arrays(&self) -> Vec<(&'static str, &Array)> {
        fn with<'a>(
            mut given: Vec<(&'static str, &'a Array)>,
            optional: [(&'static str, &'a Option<Array>); 2],
        ) -> Vec<(&'static str, &'a Array)> {
            given.extend(optional.into_iter().filter_map(|(n, a)| Some((n, a.as_ref()?))));
            given
        }
        const NONE: (&str, &Option<Array>) = ("", &None);
        match self {
            Self::Input { .. }
            | Self::Output { .. }
            | Self::SumPool2d(_)
            | Self::AvgPool2d(_)
            | Self::Flatten(_)
            | Self::Graph(_) => Vec::new(),
            Self::Affine { weight, bias } => vec![("weight", weight), ("bias", bias)],
            Self::Linear { weight } => vec![("weight", weight)],
            Self::Scale { scale } => vec![("scale", scale)],
            Self::Conv1d(c) => vec![("weight", &c.weight), ("bias", &c.bias)],
            Self::Conv2d(c) => vec![("weight", &c.weight), ("bias", &c.bias)],
            Self::Delay { delay } => vec![("delay", delay)],
            Self::Threshold { threshold } => vec![("threshold", threshold)],
            Self::I { r } => vec![("r", r)],
            Self::If { r, v_threshold, v_reset } => {
                with(vec![("r", r), ("v_threshold", v_threshold)], [("v_reset", v_reset), NONE])
            }
            Self::Li { tau, r, v_leak } => vec![("tau", tau), ("r", r), ("v_leak", v_leak)],
            Self::Lif { tau, r, v_leak, v_threshold, v_reset } => with(
                vec![("tau", tau), ("r", r), ("v_leak", v_leak), ("v_threshold", v_threshold)],
                [("v_reset", v_reset), NONE],
            ),
            Self::CubaLi { tau_mem, tau_syn, r, v_leak, w_in } => with(
                vec![("tau_mem", tau_mem), ("tau_syn", tau_syn), ("r", r), ("v_leak", v_leak)],
                [("w_in", w_in), NONE],
            ),
            Self::CubaLif { tau_mem, tau_syn, r, v_leak, v_threshold, v_reset, w_in } => with(
                vec![
                    ("tau_mem", tau_mem),
                    ("tau_syn", tau_syn),
                    ("r", r),
                    ("v_leak", v_leak),
                    ("v_threshold", v_threshold),
                ],
                [("v_reset", v_reset), ("w_in", w_in)],
            ),
        }
    }

    /// The arrays of nodes that work element by element: each has the shape of the values, or no
    /// extents. Empty for other nodes.
    pub fn elementwise(&self) -> Vec<(&'static str, &Array)> {
        match self {
            Self::Affine { .. } | Self::Linear { .. } | Self::Conv1d(_) | Self::Conv2d(_) => {
                Vec::new()
            }
            _ => self.arrays(),
        }
    }
}
