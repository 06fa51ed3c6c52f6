//! Architecture genomes: evolved motifs and cells, unfolded to the nodes of a network exactly as the
//! code that evolved them executes them.
//!
//! `spec` reads the fields, `tables` the genome's own motifs and cells, [`library()`] has the shipped
//! ones. `genes` decodes integers to cell graphs, `plan` places cells (channels, sizes, reductions),
//! `nodes` writes the nodes, `weights` looks at the state dict. From there on a searched network goes
//! the same way as one whose nodes were written out.

mod cell;
mod genes;
mod genotype;
mod library;
mod motif;
mod nodes;
mod plan;
mod random;
mod spec;
mod tables;
mod unfolding;
mod weights;

pub use cell::{CellEdge, CellFeedback, CellGraph, CellNode, Operation, Semantics, Sign, StateRef};
pub use genotype::Genotype;
pub use library::{Library, library};
pub use motif::{Mark, Motif, Slot};
pub(crate) use nodes::{CLASSIFIER, Needed, Parts};
pub use random::RandomWeights;
pub(crate) use spec::{CellsSpec, SearchSpec, parse};
pub use unfolding::{
    Adapter, Cell, CellInput, Family, Gene, Link, Preprocess, Stem, Totals, Unfolding,
};
pub(crate) use weights::apply;

use snnc_ir::{Diagnostics, Shape};

/// Unfolds a genome to its cells and the nodes of its network. `None` if something is wrong, which is
/// then reported.
pub(crate) fn unfold(
    name: &str,
    spec: &CellsSpec,
    input: &Shape,
    classes: u32,
    out: &mut Diagnostics,
) -> Option<(Unfolding, Parts)> {
    let mut unfolding = plan::unfold(name, spec, input, classes, out)?;
    let parts = nodes::parts(&unfolding);
    unfolding.totals = parts.totals;
    Some((unfolding, parts))
}
