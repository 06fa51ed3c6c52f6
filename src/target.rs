//! Targets by name or file, with the text that describes them.

use crate::files;
use snnc_backends::{Backend, Emission, LoihiBackend, targets};
use snnc_ir::{Diagnostics, MappedNetwork, TargetSpec};
use std::path::Path;

/// The file that `name` names, if it does not name a built-in target.
pub(crate) fn file(name: &str) -> Option<&Path> {
    let path = Path::new(name);
    let is_toml = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"));
    (is_toml || path.components().count() > 1).then_some(path)
}

/// A target and its description, which goes into the artifact.
#[derive(Clone, Debug)]
pub struct Target {
    /// The target.
    pub spec: TargetSpec,
    /// The text it was parsed from.
    pub text: String,
}

impl Target {
    /// The built-in target called `name`, or the one described in the file `name` (a name with a
    /// path separator or the extension `.toml`).
    ///
    /// # Errors
    /// `SNN0801`, `SNN0804`, `SNN0808` for a file, and what the target parser rejects.
    pub fn find(name: &str) -> Result<Self, Diagnostics> {
        if let Some(path) = file(name) {
            let text = files::read_text(path, files::MAX_TARGET)?;
            return Ok(Self { spec: targets::parse(&text, name)?, text });
        }
        let spec = targets::by_name(name)?;
        let text = targets::text(&spec.name).unwrap_or_default().to_owned();
        Ok(Self { spec, text })
    }

    /// The back end that writes this target's files.
    pub const fn backend(&self) -> impl Backend<Level = MappedNetwork> + use<> {
        LoihiBackend
    }
}

/// The files that the back end of a target writes.
///
/// # Errors
/// What the back end refuses to write.
pub(crate) fn written(
    mapped: &MappedNetwork,
    target: &TargetSpec,
) -> Result<Emission, Diagnostics> {
    let emission = LoihiBackend.emit(mapped, target)?;
    #[cfg(feature = "testing")]
    let emission = crate::trust::bugs::written(emission, mapped, target)?;
    Ok(emission)
}
