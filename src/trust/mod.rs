//! What puts the compiler itself to the test: see `docs/trust.md`.
//!
//! Only built with the feature `testing`; the command line is `examples/trust`.

pub mod bugs;
pub mod corpus;
pub mod mutants;
pub mod random;
pub mod readers;
pub mod small;
pub mod stimuli;
