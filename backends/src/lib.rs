//! Back ends of `snnc`: artifact writers, their independent readers, and target descriptions.
//!
//! | module | holds |
//! | --- | --- |
//! | [`certify`] | proves that an artifact computes its source network, for all inputs |
//! | [`program`] | `program.snnb`: the writer, and the reader that shares no code with it |
//! | [`targets`] | what a chip offers, each number with its source |

pub mod certify;
pub mod program;
pub mod targets;
