//! Reads genomes of evolved spiking networks.
//!
//! [`read_genome`] turns a genome file into a verified [`Network`](snnc_ir::Network): it decodes
//! genetically encoded weights to their canonical f32 values, unfolds architecture genomes ([`search`]),
//! infers shapes, and reports everything that is wrong at once. The format is described in `docs/genome-format.md` and, for machines, by
//! [`schema`]. [`arrays`] reads and writes the array files that go with genomes.
//!
//! Files are untrusted: sizes are bounded before anything is allocated, paths cannot leave the
//! folder of the genome, and numbers that are not finite are refused.

mod account;
pub mod arrays;
mod fields;
mod files;
mod findings;
mod genome;
mod json;
mod json_file;
pub mod nir;
pub mod search;
mod suggest;
pub mod tennlab;

pub use account::{GenomeAccount, Stored};
pub use genome::{
    Loaded, ReadOptions, read_genome, read_genome_bytes, read_genome_with, resolved, unfold,
};
pub use json_file::JsonFile;
pub use search::{RandomWeights, Unfolding, library};

/// The JSON Schema (draft 2020-12) of genome files of version 1.0.
///
/// It covers types, fields and ranges; what refers to other parts of the file or to tensors (names,
/// shapes, loops, check samples) only [`read_genome`] can check.
pub fn schema() -> &'static str {
    include_str!("../schema/genome-1.0.schema.json")
}
