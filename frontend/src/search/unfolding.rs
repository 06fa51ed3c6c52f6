//! What a genome unfolds to: cells, genes, connections and totals.

use super::cell::{CellEdge, CellFeedback, CellGraph, Semantics};
use std::fmt;

/// An architecture genome, unfolded.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfolding {
    /// Name of the network.
    pub name: String,
    /// Which code the genome is for.
    pub family: Family,
    /// Shape of the input: channels, height, width.
    pub input: [u32; 3],
    /// What makes the first maps.
    pub stem: Stem,
    /// Channels of the cells before the first reduction.
    pub init_channels: u32,
    /// Preceding outputs that each cell reads.
    pub arity: usize,
    /// What feedback edges mean.
    pub semantics: Semantics,
    /// Name of the neuron model of all populations.
    pub neuron: String,
    /// Cells in the order of computation.
    pub cells: Vec<Cell>,
    /// Connections from module to module, of `braincog-eb-nas`.
    pub links: Vec<Link>,
    /// Genes that belong to no cell.
    pub genes: Vec<Gene>,
    /// Classes of the readout.
    pub classes: u32,
    /// Sizes of the whole network.
    pub totals: Totals,
}

/// The code that a genome is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// MSE-NAS: a motif per cell, sizes per edge, one arity.
    MseNas,
    /// EB-NAS: modules of five cells, and connections among modules.
    EbNas,
    /// NeuEvo: one cell genotype for all cells.
    NeuEvo,
}

impl Family {
    /// As genomes write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MseNas => "braincog-mse-nas",
            Self::EbNas => "braincog-eb-nas",
            Self::NeuEvo => "braincog-neuevo",
        }
    }

    /// Whether each convolution of a cell reads spikes of a population of its own. In the released
    /// code of NeuEvo this population is commented out: its convolutions read analog states.
    pub const fn spiking_edges(self) -> bool {
        match self {
            Self::MseNas | Self::EbNas => true,
            Self::NeuEvo => false,
        }
    }
}

/// What makes the first maps of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stem {
    /// A 3×3 convolution and a batch normalization.
    Conv,
    /// A further 3×3 convolution to three channels before.
    ConvConv,
}

impl Stem {
    /// As genomes write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conv => "conv",
            Self::ConvConv => "conv_conv",
        }
    }
}

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Position, from 0.
    pub index: usize,
    /// Name of its motif or genotype, which a reduction has, too, but does not use.
    pub template: String,
    /// Channels of each of its states.
    pub channels: u32,
    /// What it reads, oldest first; of a reduction, the newest output alone.
    pub inputs: Vec<CellInput>,
    /// Nodes and edges; `None` for a reduction.
    pub graph: Option<CellGraph>,
    /// Its part of the genome.
    pub genes: Vec<Gene>,
    /// Shape of its output: channels, height, width.
    pub output: [u32; 3],
}

impl Cell {
    /// `reduction`, or the name of the motif or genotype.
    pub fn kind(&self) -> &str {
        if self.graph.is_some() { &self.template } else { "reduction" }
    }

    /// Path of an edge's operation in the state dict.
    pub fn edge_module(&self, edge: &CellEdge) -> String {
        format!("cells.{}._ops.{}", self.index, edge.entry)
    }

    /// Path of a feedback edge's operation in the state dict.
    pub fn feedback_module(&self, feedback: &CellFeedback) -> String {
        format!("cells.{}._ops_back.{}", self.index, feedback.entry)
    }

    /// Path of what brings input `index` to the cell's channels and size.
    pub fn input_module(&self, index: usize) -> String {
        match self.graph {
            Some(_) => format!("cells.{}.preprocess{index}", self.index),
            None => format!("cells.{}.fun", self.index),
        }
    }
}

/// An output that a cell reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellInput {
    /// Cell whose output it is; `None` for the stem.
    pub cell: Option<usize>,
    /// Shape of that output: channels, height, width.
    pub shape: [u32; 3],
    /// How it becomes a state of the cell.
    pub preprocess: Preprocess,
}

/// How an output becomes an input state of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preprocess {
    /// 1×1 convolution.
    Pointwise,
    /// Factorized reduction to half the height and width.
    Reduce,
    /// Factorized reduction and a further convolution of stride 2: a quarter of height and width.
    Reduce4,
}

impl Preprocess {
    /// What it does, in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pointwise => "1x1",
            Self::Reduce => "reduce",
            Self::Reduce4 => "reduce to a quarter",
        }
    }
}

/// A connection of one module's output to the input of another's last cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Module whose last cell it reads.
    pub from: usize,
    /// Module whose last cell it feeds.
    pub to: usize,
    /// 0 to a later module, 1 to an earlier one or the same.
    pub delay: u32,
    /// The convolution in between; `None` if the bit has no effect in the released code.
    pub adapter: Option<Adapter>,
}

/// The convolution of a [`Link`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    /// Name of its weight.
    pub weight: String,
    /// Extent of the square kernel.
    pub kernel: u32,
    /// Stride in both directions.
    pub stride: u32,
    /// Padding on all sides.
    pub pad: u32,
}

/// A gene and what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gene {
    /// Index in the genome.
    pub position: usize,
    /// Its value.
    pub value: u32,
    /// What the value means here.
    pub meaning: String,
    /// Whether other values would give the same cell.
    pub neutral: bool,
}

/// Sizes of an unfolded network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Weights and biases of convolutions, batch normalizations (scale and shift) and the classifier.
    pub parameters: u64,
    /// Populations of neurons.
    pub populations: usize,
    /// Neurons of all populations.
    pub neurons: u64,
    /// Nodes of the network.
    pub nodes: usize,
}

/// The whole genome, cell by cell.
impl fmt::Display for Unfolding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let totals = &self.totals;
        writeln!(
            f,
            "{}: {}, {} cells of {} inputs, {} channels, neurons `{}`",
            self.name,
            self.family.name(),
            self.cells.len(),
            self.arity,
            self.init_channels,
            self.neuron
        )?;
        writeln!(
            f,
            "{} parameters, {} populations, {} neurons, {} nodes",
            totals.parameters, totals.populations, totals.neurons, totals.nodes
        )?;
        let stem = [3 * self.init_channels, self.input[1], self.input[2]];
        writeln!(f, "stem ({}): {} -> {}", self.stem.name(), map(self.input), map(stem))?;
        for cell in &self.cells {
            write!(f, "{cell}")?;
        }
        for link in &self.links {
            writeln!(f, "{link}")?;
        }
        for gene in &self.genes {
            writeln!(f, "{gene}")?;
        }
        let last = self.cells.last().map_or(stem, |cell| cell.output);
        writeln!(f, "classifier: {} -> {}", last[0], self.classes)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (index, kind) = (self.index, self.kind());
        writeln!(f, "cell {index}: {kind}, {} channels -> {}", self.channels, map(self.output))?;
        for (state, input) in self.inputs.iter().enumerate() {
            let from = input.cell.map_or("stem".to_owned(), |cell| format!("cell {cell}"));
            let how = input.preprocess.name();
            writeln!(f, "  {state} <- {from} {}, {how}", map(input.shape))?;
        }
        if let Some(graph) = &self.graph {
            for line in graph.to_string().lines() {
                writeln!(f, "  {line}")?;
            }
        }
        for gene in &self.genes {
            writeln!(f, "  {gene}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, delay, adapter } = self;
        write!(f, "module {from} -> module {to}, delay {delay}: ")?;
        match adapter {
            Some(Adapter { weight, kernel, stride, pad }) => {
                write!(f, "{weight}, {kernel}x{kernel}, stride {stride}, pad {pad}")
            }
            None => f.write_str("no effect"),
        }
    }
}

impl fmt::Display for Gene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let neutral = if self.neutral { " (neutral)" } else { "" };
        write!(f, "gene {} = {}: {}{neutral}", self.position, self.value, self.meaning)
    }
}

/// `240x48x48`
fn map([channels, height, width]: [u32; 3]) -> String {
    format!("{channels}x{height}x{width}")
}
