//! `snnc inspect`: what a file or an artifact holds.

mod levels;
mod program;

use super::convert::is_program;
use super::output::Reply;
use crate::artifact::{Artifact, load};
use crate::files::{self, shown};
use crate::source::{self, FileKind};
use clap::Args;
use levels::{MappedReport, NetworkReport, QuantizedReport};
use program::{ArtifactReport, ProgramReport};
use serde::Serialize;
use snnc_ir::Diagnostics;
use snnc_passes::AnyLevel;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// Genome, .snn, .snnb, program.snnb, or the folder of an artifact.
    path: PathBuf,
}

/// Report of `snnc inspect`.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum InspectReport {
    /// A genome or a network.
    Network(NetworkReport),
    /// An integer network.
    Quantized(QuantizedReport),
    /// An integer network on cores.
    Mapped(MappedReport),
    /// An emitted program.
    Program(ProgramReport),
    /// An artifact.
    Artifact(Box<ArtifactReport>),
}

pub(super) fn run(args: &InspectArgs) -> Result<Reply<InspectReport>, Diagnostics> {
    if load::is_artifact(&args.path) {
        let artifact = Artifact::load(&args.path)?;
        let (product, report) = program::artifact(artifact.manifest);
        let report = InspectReport::Artifact(Box::new(report));
        return Ok(Reply {
            product: product.into_bytes(),
            diagnostics: artifact.warnings,
            ..Reply::new(report)
        });
    }
    if FileKind::of(&args.path)? == FileKind::Binary {
        let bytes = files::read(&args.path, files::MAX_BINARY)?;
        if is_program(&bytes) {
            let read = snnc_backends::program::read(&bytes);
            let (text, report) =
                program::program(&read.map_err(|d| d.in_file(&shown(&args.path)))?);
            let report = InspectReport::Program(report);
            return Ok(Reply { product: text.into_bytes(), ..Reply::new(report) });
        }
    }
    let source = source::read(&args.path)?;
    let (text, report) = match &source.level {
        AnyLevel::Network(network) => {
            let (text, report) = levels::network(network, &source);
            (text, InspectReport::Network(report))
        }
        AnyLevel::Quantized(network) => {
            let (text, report) = levels::quantized(network, &source.hash);
            (text, InspectReport::Quantized(report))
        }
        AnyLevel::Mapped(network) => {
            let (text, report) = levels::mapped(network, &source.hash);
            (text, InspectReport::Mapped(report))
        }
    };
    Ok(Reply { product: text.into_bytes(), diagnostics: source.warnings, ..Reply::new(report) })
}
