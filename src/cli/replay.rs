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
