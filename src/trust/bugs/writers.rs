//! Writers that have a bug.

use snnc_backends::{
    ArtifactFile, Backend, Emission, LoihiBackend, NETX_FILE, PROGRAM_FILE, program,
};
use snnc_ir::{Diagnostics, Level, MappedNetwork, Rules, TargetSpec};
use snnc_passes::framework::patch::{self, Break};

/// What the writers of this thread's compiler make of `mapped`, if a healthy one makes `emission` of it.
pub(crate) fn written(
    mut emission: Emission,
    mapped: &MappedNetwork,
    target: &TargetSpec,
) -> Result<Emission, Diagnostics> {
    for name in [PROGRAM_FILE, NETX_FILE] {
        let Some(how) = patch::at(name) else { continue };
        let file = |f: &&mut ArtifactFile| f.name == name;
        let Some(file) = emission.files.iter_mut().find(file) else { continue };
        match how {
            Break::Program(f) => {
                let mut program = program::read(&file.bytes)?;
                f(&mut program);
                file.bytes = program::encode(&program);
            }
            Break::Mapped(f) => {
                let mut draft = mapped.clone().into_draft();
                f(&mut draft);
                let other = MappedNetwork::verify(draft, &Rules::for_target(target))?;
                let written = LoihiBackend.emit(&other, target)?.files;
                let written = written.into_iter().find(|f| f.name == name);
                file.bytes = written.map(|f| f.bytes).unwrap_or_default();
            }
            Break::Network(_) | Break::Quantized(_) => {}
        }
    }
    Ok(emission)
}
