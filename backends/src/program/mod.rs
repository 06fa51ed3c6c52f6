//! `program.snnb`: registers and tables of every core, as bytes.
//!
//! [`write()`] and [`read()`], which belongs to the checker's crate, share nothing but the type
//! [`Program`](snnc_ir::program::Program) and the page `docs/program-format.md`: the writer goes through serde and
//! postcard, the reader decodes the bytes by hand. A certificate is worth something only if a mistake in one is not repeated in the
//! other.

mod build;
mod pack;
mod wire;

pub use snnc_certify::program::read;
use snnc_ir::{Diagnostics, MappedNetwork, TargetSpec};
pub use wire::encode;

/// Builds the program of a mapped network and encodes it.
///
/// The bytes depend on the network and the target's name alone.
///
/// # Errors
/// Every value that no register of the target stores, every core table that is too long, and
/// every slice, axon run or synapse block that names something which is not there.
pub fn write(network: &MappedNetwork, target: &TargetSpec) -> Result<Vec<u8>, Diagnostics> {
    let (program, values) = build::program(network, target)?;
    Ok(wire::encode_with(&program, &values))
}
