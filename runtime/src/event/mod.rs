//! Event-driven simulators: what is defined by [`crate::float`] and [`crate::integer`], faster.
//!
//! They have the shape of the definitions, and give the same spikes, messages, scores, recordings and
//! errors, bit for bit. Where the time goes:
//!
//! * *Synapses* (`synapses`): each matrix once, laid out by source in the form of its structure: dense rows
//!   of the narrowest integers that hold the weights, convolutions scattered from their kernels, sparse
//!   lists of four bytes a synapse. Only sources that spike are visited.
//! * *Sums*: as narrow as the weights prove. Bytes are added in 16 bits for up to 255 rows, then in 32.
//! * *Neurons*: parameters and registers as arrays, 64 neurons at a time, which makes one word of the
//!   spike train. Loops are plain, and compiled for the vectors of the processor at hand (`simd`).
//! * *Threads*: large populations are cut into parts, each with its own sums and neurons (`part`).

pub mod float;
pub mod integer;
mod part;
mod rows;
mod scatter;
mod simd;
mod sparse;
mod synapses;

pub use part::Split;
