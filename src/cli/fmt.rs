//! `snnc fmt`: canonical text of `.snn` files.

use super::output::Reply;
use crate::exit::Exit;
use crate::files::{self, shown};
use crate::source::FileKind;
use clap::Args;
use serde::Serialize;
use snnc_ir::diag::codes::usage;
use snnc_ir::{Diagnostic, Diagnostics, text};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct FmtArgs {
    /// Text forms (.snn), rewritten in place.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Change nothing; fail if a file would change.
    #[arg(long)]
    check: bool,
}

/// Report of `snnc fmt`.
#[derive(Debug, Serialize)]
pub(super) struct FmtReport {
    /// Files that were, or would be, rewritten.
    changed: Vec<String>,
}

pub(super) fn run(args: &FmtArgs) -> Result<Reply<FmtReport>, Diagnostics> {
    let mut errors = Diagnostics::new();
    let mut pending = Vec::new();
    for path in &args.files {
        match canonical(path) {
            Ok(Some(text)) => pending.push((path, text)),
            Ok(None) => {}
            Err(problems) => errors.extend(problems),
        }
    }
    // All files are read before the first is written: a bad one leaves the others alone.
    let pending = errors.into_result(pending)?;
    let changed: Vec<String> = pending.iter().map(|(path, _)| shown(path)).collect();
    let mut reply = Reply::new(FmtReport { changed });
    for (path, text) in pending {
        if args.check {
            reply.diagnostics.push(
                Diagnostic::error(
                    usage::NOT_FORMATTED,
                    format!("{} is not in canonical form", shown(path)),
                )
                .in_file(shown(path))
                .help("run `snnc fmt` on it"),
            );
        } else {
            files::write(path, text.as_bytes())?;
        }
    }
    reply.exit = Exit::of(&reply.diagnostics);
    Ok(reply)
}

/// The canonical text of a file, unless it is the text that it has.
fn canonical(path: &Path) -> Result<Option<String>, Diagnostics> {
    if FileKind::of(path)? != FileKind::Text {
        return Err(Diagnostic::error(
            usage::UNKNOWN_FILE_KIND,
            format!("{} is not a text form", shown(path)),
        )
        .in_file(shown(path))
        .help("name files that end in .snn")
        .into());
    }
    let old = files::read_text(path, files::MAX_TEXT)?;
    let new = text::print(&text::parse(&old).map_err(|d| d.in_file(&shown(path)))?);
    Ok((old != new).then_some(new))
}
