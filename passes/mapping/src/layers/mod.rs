//! Layered networks: described by shapes and windows, never by their neurons or synapses.
//!
//! | module | |
//! | --- | --- |
//! | [`file`](mod@file) | what a layer file says |
//! | [`check`] | its errors |
//! | [`network`] | shapes and windows |
//! | [`pixels`] | its hypergraph: pixels, or blocks of their channels |
//! | [`start`] | a first partition: stacks of patches |
//! | [`mapping`] | partition of pixels: that start, refined |
//! | [`tiles`] | which core holds which part of which layer, in closed form |

pub mod check;
pub mod file;
mod geometry;
pub mod mapping;
pub mod network;
pub mod order;
pub mod pixels;
pub mod start;
#[cfg(test)]
pub(crate) mod testing;
pub mod tiles;

pub use check::LayerError;
pub use file::LayerFile;
pub use network::{Layer, Network, Read, Shape, Store, Window};
