//! Encoded weights of nodes, and the chains of stages that compute the same.

use crate::linear::pointwise;
use snnc_ir::Entity;
use snnc_ir::arena::{NodeId, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::network::{Genes, NetworkDraft, Op, Provenance, Scheme};

/// A node whose weight is a product of genes: `W = s · Eo · O · Eiᵀ`.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// The node.
    pub node: NodeId,
    /// Its weight.
    pub weight: TensorId,
    /// What generates it.
    pub genes: Genes,
    pub scheme: Scheme,
    pub scale: f64,
    /// Geometry, if the node is a convolution.
    pub conv: Option<Conv>,
    /// Index of the node that it reads, and the delay.
    pub reads: Option<[u32; 2]>,
    /// Rows and columns of the matrix: target neurons and source neurons, or channels.
    pub rows: u32,
    pub columns: u32,
    /// Genes of a target and of a source.
    pub genes_out: u32,
    pub genes_in: u32,
}

impl Site {
    /// `None` if the weight of the node is no product of genes.
    pub(super) fn of(draft: &NetworkDraft, node: NodeId) -> Option<Self> {
        let (weight, conv) = match draft.nodes[node].op {
            Op::Linear { weight, .. } => (weight, None),
            Op::Conv2d { weight, conv, .. } => (weight, Some(conv)),
            _ => return None,
        };
        let genes = draft.tensors[weight].genes?;
        let Provenance::Encoded { scheme, scale, heaviside: false, .. } =
            draft.tensors[weight].provenance
        else {
            return None;
        };
        let extent = |t: TensorId, i: usize| draft.tensors[t].shape.0.get(i).copied();
        Some(Self {
            node,
            weight,
            genes,
            scheme,
            scale,
            conv,
            reads: draft.nodes[node]
                .inputs
                .first()
                .and_then(|e| Some([u32::try_from(e.source.index()).ok()?, e.delay])),
            rows: extent(weight, 0)?,
            columns: extent(weight, 1)?,
            genes_out: extent(genes.out, 1)?,
            genes_in: extent(genes.source, 1)?,
        })
    }

    /// Extents of the kernel; 1 for a matrix.
    pub(super) fn kernel(&self) -> [u32; 2] {
        self.conv.map_or([1, 1], |c| c.kernel)
    }

    /// The values of the weight, decoded.
    pub(super) fn values(&self) -> u64 {
        let [height, width] = self.kernel();
        [self.rows, self.columns, height, width].iter().map(|&d| u64::from(d)).product()
    }

    /// The stages of an association. `None` if an extent overflows, or for grouped convolutions, whose
    /// channels a shared interaction would mix.
    pub(super) fn chain(&self, association: Association) -> Option<Vec<Stage>> {
        let factors = association.factors();
        if self.conv.is_some_and(|c| c.groups != 1) {
            return None;
        }
        let spatial = self.spatial(factors);
        let mut channels = self.columns;
        // Rows and columns of what the stage reads.
        let mut area = self.conv.map(|c| [c.input[1], c.input[2]]);
        let mut stages = Vec::new();
        for (i, &factor) in factors.iter().enumerate() {
            let rows = match factor {
                Factor::Source => self.genes_in,
                Factor::SourceCore | Factor::Core => self.genes_out,
                Factor::CoreOut | Factor::Out => self.rows,
            };
            let conv = match (self.conv, area) {
                (Some(conv), Some([height, width])) => {
                    let input = [channels, height, width];
                    let geometry = if i == spatial { conv } else { pointwise(input) };
                    let conv = Conv { input, out_channels: rows, groups: 1, ..geometry };
                    let [_, height, width] = conv.output()?;
                    area = Some([height, width]);
                    Some(conv)
                }
                _ => None,
            };
            let [height, width] = area.unwrap_or([1, 1]);
            let neurons = rows.checked_mul(height)?.checked_mul(width)?;
            stages.push(Stage { factor, rows, columns: channels, conv, neurons });
            channels = rows;
        }
        Some(stages)
    }

    /// The stage that has kernel, stride, padding and crop. A kernel of one cell may be anyone's: the first
    /// stage leaves least to the others.
    fn spatial(&self, factors: &[Factor]) -> usize {
        let has = |factor: &Factor| match self.scheme {
            Scheme::PerOffset => factor.has_core(),
            Scheme::Linear | Scheme::FlatFanIn => {
                matches!(factor, Factor::Source | Factor::SourceCore)
            }
        };
        if self.kernel() == [1, 1] { 0 } else { factors.iter().position(has).unwrap_or(0) }
    }
}

/// What a stage multiplies by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Factor {
    /// `Eiᵀ`.
    Source,
    /// `O · Eiᵀ`.
    SourceCore,
    /// `O`.
    Core,
    /// `s · Eo · O`.
    CoreOut,
    /// `s · Eo`.
    Out,
}

impl Factor {
    /// Whether the interactions are a part of it.
    pub(super) const fn has_core(self) -> bool {
        matches!(self, Self::SourceCore | Self::Core | Self::CoreOut)
    }

    /// What its nodes are called behind the name of the node they stand for.
    pub(super) const fn stage_name(self) -> &'static str {
        match self {
            Self::Source | Self::SourceCore => "in",
            Self::Core => "core",
            Self::CoreOut | Self::Out => "out",
        }
    }

    /// What its tensor is called behind the name of the gene.
    pub(super) const fn tensor_name(self) -> &'static str {
        match self {
            Self::Source => "in",
            Self::SourceCore => "in-core",
            Self::Core => "core",
            Self::CoreOut => "core-out",
            Self::Out => "out",
        }
    }
}

/// Which neighboring factors of a product are multiplied beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Association {
    /// `(Eo) (O · Eiᵀ)`.
    Inner,
    /// `(Eo · O) (Eiᵀ)`.
    Outer,
    /// `(Eo) (O) (Eiᵀ)`.
    Neither,
}

impl Association {
    /// All, those with less latency first.
    pub(super) const ALL: [Self; 3] = [Self::Inner, Self::Outer, Self::Neither];

    /// The factors, that of the sources first.
    pub(super) const fn factors(self) -> &'static [Factor] {
        match self {
            Self::Inner => &[Factor::SourceCore, Factor::Out],
            Self::Outer => &[Factor::Source, Factor::CoreOut],
            Self::Neither => &[Factor::Source, Factor::Core, Factor::Out],
        }
    }

    /// In remarks.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Inner => "(E_o)(O E_i')",
            Self::Outer => "(E_o O)(E_i')",
            Self::Neither => "(E_o)(O)(E_i')",
        }
    }
}

/// One linear operation of a chain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stage {
    pub factor: Factor,
    /// Channels or elements written and read.
    pub rows: u32,
    pub columns: u32,
    /// Geometry, if it is a convolution.
    pub conv: Option<Conv>,
    /// Elements written.
    pub neurons: u32,
}

impl Stage {
    /// Values of its tensor.
    pub(super) fn values(&self) -> u64 {
        let [height, width] = self.conv.map_or([1, 1], |c| c.kernel);
        [self.rows, self.columns, height, width].iter().map(|&d| u64::from(d)).product()
    }

    /// Synapses, those on padding included: what happens if every source sends.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn synapses(&self) -> f64 {
        let area = self.conv.map_or(1, |_| self.neurons / self.rows.max(1));
        self.values() as f64 * f64::from(area)
    }
}
