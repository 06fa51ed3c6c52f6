//! Layered networks: described by shapes and windows, never by their neurons or synapses.
//!
//! | module | |
//! | --- | --- |
//! | [`file`] | what a layer file says |
//! | [`check`] | its errors |
//! | [`network`] | shapes and windows |
//! | [`pixels`] | its hypergraph: pixels, or blocks of their channels |
//! | [`order`] | cores filled in a given order |

pub mod check;
pub mod file;
pub mod network;
pub mod order;
pub mod pixels;

pub use check::LayerError;
pub use file::LayerFile;
pub use network::{Layer, Network, Read, Shape, Store, Window};
