//! `snnc` compiles evolved spiking neural networks (genomes) to neuromorphic cores and certifies
//! that the artifact is the quantized network, spike for spike, for all inputs.
//!
//! This crate is the command line and a facade: [`source::read`] reads a genome or a file of a
//! level, [`compile()`] makes a certified artifact in memory, [`artifact::publish::publish`] writes
//! it to a folder at once, [`verify()`] relates an artifact to a source and measures what
//! quantization changed. The order of the passes is in [`pipeline`].
//!
//! ```
//! use snnc::artifact::{Artifact, publish::publish};
//! use snnc::{Options, Target, compile, source, verify};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let source = source::read("examples/small/skip.genome.json".as_ref())?;
//! let target = Target::find("loihi2")?;
//! let compiled = compile(&source, &target, &Options::default()).map_err(|f| f.diagnostics)?;
//!
//! let destination = folder.path().join("skip.loihi2");
//! publish(&destination, &compiled.files, false).map_err(snnc::ir::Diagnostics::from)?;
//!
//! let artifact = Artifact::load(&destination)?;
//! let proof = verify(&source, &artifact).map_err(|f| f.diagnostics)?;
//! assert_eq!(proof.certificate.totals.neurons, 14);
//! # Ok(())
//! # }
//! ```

pub mod alike;
pub mod artifact;
mod bench;
pub mod calibrate;
pub mod cli;
mod compile;
pub mod crosscheck;
pub mod describe;
mod draw;
pub mod exit;
pub mod explain;
pub mod files;
pub mod folding;
pub mod nir;
mod nir_export;
mod page;
mod picture;
pub mod pipeline;
pub mod profile;
pub mod recipe;
pub mod reduce;
pub mod report;
mod simulate;
pub mod source;
pub mod stimulus;
mod target;
#[cfg(feature = "testing")]
pub mod trust;
pub mod verify;

pub use compile::{Compiled, Export, Failure, Options, Samples, compile, compile_on, lower};
pub use exit::Exit;
pub use source::Source;
pub use target::Target;
pub use verify::verify;

pub use snnc_backends as backends;
pub use snnc_frontend as frontend;
pub use snnc_ir as ir;
pub use snnc_passes as passes;
pub use snnc_runtime as runtime;

/// Version of this program, as artifacts and reports state it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
