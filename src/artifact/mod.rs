//! Artifacts: the folder that `snnc compile` writes.
//!
//! | file | content |
//! | --- | --- |
//! | `manifest.json` | [`Manifest`] |
//! | `program.snnb` | registers and tables of every core, [`snnc_ir::program::Program`] |
//! | `source.snnb` | the quantized network in logical time that the program was certified against |
//! | `target.toml` | the description of the target |
//! | `certificate.json` | what was proved, and of which files ([`certificate`]) |
//! | `report.json` | what quantization did ([`crate::report`]); not if the source was quantized already |
//! | `report.html` | the same for people, with a picture of the cores (`page`) |
//! | `recipe.snnb` | the recipe that it followed, if that is not the default |
//! | `network.net` | the same program for NetX, where NetX can express it |

pub mod certificate;
pub mod load;
pub mod manifest;
pub mod mapping;
mod occupant;
pub mod publish;

pub use load::Artifact;
pub use manifest::Manifest;
pub use occupant::Kind;
pub use publish::Entry;

pub use snnc_backends::PROGRAM_FILE as PROGRAM;

/// File name of the quantized network in logical time.
pub const SOURCE: &str = "source.snnb";
/// File name of the target description.
pub const TARGET: &str = "target.toml";
/// File name of the account of the quantization.
pub const REPORT: &str = "report.json";
/// File name of the page for people.
pub const PAGE: &str = "report.html";
/// File name of the recipe that the network was quantized by.
pub const RECIPE: &str = "recipe.snnb";
/// File name of the certificate.
pub const CERTIFICATE: &str = "certificate.json";
