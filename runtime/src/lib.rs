//! Simulators of `snnc`.
//!
//! | module | simulates | time | role |
//! | --- | --- | --- | --- |
//! | [`float`] | `Network` | logical | definition of the float semantics |
//! | [`integer`] | `QuantizedNetwork` | logical or hardware | definition of the integer semantics |
//! | [`cores`] | `Program` | hardware | core by core; differential check of [`integer`] |
//! | [`event`] | `Network`, `QuantizedNetwork` | the same | the same results, event by event, fast |
//! | `tensor` | `Network`, `QuantizedNetwork` | the same | batches on burn (feature `burn`) |
//! | `gpu` | `QuantizedNetwork` | the same | kernels for graphics processors (feature `gpu`) |
//!
//! All levels take a [`Stimulus`]. [`encode`] turns samples into spikes, [`compare`] measures and
//! locates differences of spikes and messages, [`batch`] runs many samples on all processors. Every
//! simulator is deterministic: a result depends on the network and the stimulus alone.

pub mod batch;
pub mod compare;
pub mod cores;
pub mod encode;
mod error;
pub mod event;
pub mod float;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod integer;
mod kernel;
mod messages;
mod probe;
mod readout;
pub mod stimulus;
#[cfg(feature = "burn")]
pub mod tensor;

pub use error::{Register, SimError};
pub use messages::MessageTrain;
pub use probe::Probe;
pub use readout::argmax;
pub use stimulus::{Signal, Stimulus};
