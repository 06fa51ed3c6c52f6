//! Replay files: what it takes to see a compiler bug again.

use crate::compile::Failure;
use crate::files::{self, shown};
use snnc_ir::diag::codes::internal;
use snnc_ir::{Diagnostic, Diagnostics, text};
use snnc_passes::{AnyLevel, Replay};
use std::path::{Path, PathBuf};

/// The findings of `failure`. If it is the compiler's own mistake, the network before the failing
/// pass and the pass are written to files in `folder`, and a note says where.
pub(super) fn report(failure: Failure, folder: &Path) -> Diagnostics {
    let Failure { mut diagnostics, replay } = failure;
    if let Some(replay) = replay {
        match write(&replay, folder) {
            Ok([network, pipeline]) => diagnostics.push(
                Diagnostic::note_only(
                    internal::REPLAY_WRITTEN,
                    format!("the network before `{}` is in {}", replay.pipeline, shown(&network)),
                )
                .note(format!("the pipeline string is in {}", shown(&pipeline)))
                .help("attach both files to the report of this bug"),
            ),
            Err(error) => diagnostics.push(error),
        }
    }
    diagnostics
}

/// Writes `snnc-replay-NAME.snn` and `.txt`.
fn write(replay: &Replay, folder: &Path) -> Result<[PathBuf; 2], Diagnostic> {
    let (name, network) = match &replay.level {
        AnyLevel::Network(n) => (&n.name, text::print_network(n)),
        AnyLevel::Quantized(q) => (&q.name, text::print_quantized(q)),
        AnyLevel::Mapped(m) => (&m.network.name, text::print_mapped(m)),
    };
    let plain: String =
        name.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).collect();
    let network_path = folder.join(format!("snnc-replay-{plain}.snn"));
    let pipeline_path = folder.join(format!("snnc-replay-{plain}.txt"));
    files::write(&network_path, network.as_bytes())?;
    files::write(&pipeline_path, format!("{}\n", replay.pipeline).as_bytes())?;
    Ok([network_path, pipeline_path])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use crate::source;
    use snnc_passes::Pipeline;

    #[test]
    fn a_bug_leaves_the_network_and_the_pass_and_says_where() {
        let genome = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/skip.genome.json");
        let source = source::read(Path::new(genome)).unwrap();
        let pipeline = Pipeline::parse("schedule{delays=relay}").unwrap();
        let replay = Replay { level: source.level.clone(), pipeline };
        let error = Diagnostic::error(internal::PASS_BROKE_LEVEL, "a pass broke its level");
        let failure = Failure { diagnostics: error.into(), replay: Some(Box::new(replay)) };

        let folder = tempfile::tempdir().unwrap();
        let found = report(failure, folder.path());
        assert_eq!(Exit::of(&found), Exit::Bug);
        let network = folder.path().join("snnc-replay-skip.snn");
        assert!(found.to_string().contains(&shown(&network)), "{found}");
        let again = source::read(&network).unwrap();
        assert_eq!(again.level, source.level);
        let pass = std::fs::read_to_string(folder.path().join("snnc-replay-skip.txt")).unwrap();
        assert_eq!(pass, "schedule{delays=relay}\n");

        let error = Diagnostic::error(internal::PANIC, "another error").into();
        let failure = Failure { diagnostics: error, replay: None };
        let empty = tempfile::tempdir().unwrap();
        report(failure, empty.path());
        assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0);
    }
}
