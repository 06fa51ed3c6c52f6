//! Back ends of `snnc`: artifact writers, their independent readers, and target descriptions.
//!
//! | module | holds |
//! | --- | --- |
//! | [`Backend`] | the trait that turns a level into files, and [`LoihiBackend`] |
//! | [`certify`] | proves that an artifact computes its source network, for all inputs |
//! | [`netx`] | `network.net`, the file that Intel's lava-dl loads |
//! | [`program`] | `program.snnb`: the writer, and the reader that shares no code with it |
//! | [`targets`] | what a chip offers, each number with its source |

mod backend;
pub mod certify;
pub mod netx;
pub mod program;
pub mod targets;

pub use backend::{
    ArtifactFile, Backend, Emission, LeftOut, LoihiBackend, NETX_FILE, PROGRAM_FILE,
};
