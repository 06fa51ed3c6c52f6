//! Back ends: what turns a level into files.

use crate::{netx, program};
use snnc_ir::{Diagnostic, Diagnostics, MappedNetwork, TargetSpec};

/// Name of the program in an artifact.
pub const PROGRAM_FILE: &str = "program.snnb";
/// Name of the NetX file in an artifact.
pub const NETX_FILE: &str = "network.net";

/// Writes the files of an artifact from the level that it names.
///
/// The level is an associated type, so that emitting a network that is not mapped does not
/// compile:
///
/// ```compile_fail,E0308
/// use snnc_backends::{Backend, Emission, LoihiBackend};
/// use snnc_ir::{Diagnostics, QuantizedNetwork, TargetSpec};
///
/// fn emit(network: &QuantizedNetwork, target: &TargetSpec) -> Result<Emission, Diagnostics> {
///     LoihiBackend.emit(network, target)
/// }
/// ```
///
/// With [`MappedNetwork`] it does:
///
/// ```
/// use snnc_backends::{Backend, Emission, LoihiBackend};
/// use snnc_ir::{Diagnostics, MappedNetwork, TargetSpec};
///
/// fn emit(network: &MappedNetwork, target: &TargetSpec) -> Result<Emission, Diagnostics> {
///     LoihiBackend.emit(network, target)
/// }
/// ```
pub trait Backend {
    /// The level that it takes.
    type Level;

    /// Its name.
    fn name(&self) -> &'static str;

    /// Writes the files. They depend on the network and the target alone, byte for byte.
    ///
    /// # Errors
    /// What keeps a file that must be there from being written.
    fn emit(&self, network: &Self::Level, target: &TargetSpec) -> Result<Emission, Diagnostics>;
}

/// A file of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactFile {
    /// Name inside the artifact.
    pub name: String,
    /// Contents.
    pub bytes: Vec<u8>,
}

/// A file that an artifact goes without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Name inside the artifact.
    pub name: String,
    /// Why it is not there.
    pub reason: Diagnostic,
}

/// What a back end wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emission {
    /// The files.
    pub files: Vec<ArtifactFile>,
    /// Exports whose format cannot express the network.
    pub left_out: Vec<LeftOut>,
    /// Where populations lie in the NetX file, if it is there.
    pub netx: Option<netx::Layout>,
}

/// Loihi 1 and 2: the program, and the NetX file where NetX can express the network.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoihiBackend;

impl Backend for LoihiBackend {
    type Level = MappedNetwork;

    fn name(&self) -> &'static str {
        "loihi"
    }

    fn emit(&self, network: &MappedNetwork, target: &TargetSpec) -> Result<Emission, Diagnostics> {
        let file = |name: &str, bytes| ArtifactFile { name: name.to_owned(), bytes };
        let files = vec![file(PROGRAM_FILE, program::write(network, target)?)];
        let mut emission = Emission { files, left_out: Vec::new(), netx: None };
        match netx::export(network, target) {
            Ok(netx::Export { bytes, layout }) => {
                emission.files.push(file(NETX_FILE, bytes));
                emission.netx = Some(layout);
            }
            Err(reason) => {
                emission.left_out.push(LeftOut { name: NETX_FILE.to_owned(), reason });
            }
        }
        Ok(emission)
    }
}
