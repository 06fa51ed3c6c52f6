//! Back ends of `snnc`: artifact writers and target descriptions.
//!
//! | module | holds |
//! | --- | --- |
//! | [`Backend`] | the trait that turns a level into files, and [`LoihiBackend`] |
//! | [`certify`] | the crate of the checker, which depends on nothing here |
//! | [`netx`] | `network.net`, the file that Intel's lava-dl loads |
//! | [`program`] | `program.snnb`: the writer, and the checker's reader that shares no code with it |
//! | [`sanafe`] | the chip and the mapped network as SANA-FE reads them, on demand |
//! | [`targets`] | what a chip offers, each number with its source |

mod backend;
pub mod netx;
pub mod program;
pub mod sanafe;
pub mod targets;

pub use snnc_certify as certify;

pub use backend::{
    ArtifactFile, Backend, Emission, LeftOut, LoihiBackend, NETX_FILE, PROGRAM_FILE,
};
