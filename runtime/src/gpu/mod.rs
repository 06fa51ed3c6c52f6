//! Integer networks on a graphics processor (feature `gpu`).
//!
//! [`Gpu::open`] opens and checks a device; [`IntSim`] runs a network on it, with the results of
//! [`crate::integer`]. A kernel runs one population for as many steps as the network's cycles allow, in one
//! launch: registers stay in the processor, spikes are packed in words, rows of weights are read by neighboring
//! invocations together. Sparse matrices are scattered, so that work is in proportion to spikes.
//!
//! Everything is an integer of 32 bits, and no sum can leave them (the same bounds as those of
//! [`crate::tensor`]), so that the order in which a device adds does not matter.

mod buffers;
mod check;
mod device;
mod int;
mod kernel;
mod layout;
mod order;

pub use device::{Adapter, Gpu, OpenError, adapters};
pub use int::IntSim;
