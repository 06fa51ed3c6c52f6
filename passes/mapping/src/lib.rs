//! Partition of networks into cores, and placement of cores on a mesh.
//!
//! This crate knows graphs, limits and meshes, and nothing of neurons' dynamics, files or targets: whoever
//! maps a network describes what has to be kept within which limits, and gets back who lives where.
//!
//! | module | |
//! | --- | --- |
//! | [`hypergraph`] | what is mapped: vertices (neurons, or groups that move together) and axons |
//! | [`layers`] | layered networks without weights: shapes, pixels, tiles |
//! | [`partition`] | which core each vertex goes to, under all limits, with few copies of axons |
//! | [`place`] | which cell of a mesh each core goes to, and what its messages cost |
//! | [`picture`] | a mapping as SVG |

pub mod bounds;
pub mod hgr;
pub mod hypergraph;
pub mod layers;
pub mod partition;
pub mod picture;
pub mod place;

#[cfg(test)]
mod testing;
