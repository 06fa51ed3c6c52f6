//! `snnc inspect --folding`: what a network takes on its way to cores.

use crate::artifact::Manifest;
use crate::compile::{Options, lower};
use crate::folding::{FoldingAccount, Parts};
use crate::pipeline::{Stage, not_reached};
use crate::source::Source;
use crate::target::Target;
use serde::Serialize;
use snnc_backends::{Backend, PROGRAM_FILE};
use snnc_ir::{Diagnostics, QuantizedDraft};
use std::path::Path;

use super::super::replay;

/// The account of a source on a target, or of an artifact.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct FoldingReport {
    network: String,
    target: String,
    pipeline: String,
    folding: FoldingAccount,
}

impl FoldingReport {
    fn text(&self) -> String {
        let Self { network, target, pipeline, folding } = self;
        format!("`{network}` on {target}, {pipeline}\n{}", folding.render())
    }
}

/// The account that an artifact carries.
pub(super) fn artifact(manifest: Manifest) -> (String, FoldingReport) {
    let report = FoldingReport {
        network: manifest.network,
        target: manifest.target.name,
        pipeline: manifest.pipeline,
        folding: manifest.folding,
    };
    (report.text(), report)
}

/// Compiles `source` as far as its program, which is not certified, and counts.
pub(super) fn source(
    source: &Source,
    target: &Target,
    options: &Options,
) -> Result<(String, FoldingReport, Diagnostics), Diagnostics> {
    let failed = |failure| {
        let mut all = source.warnings.clone();
        all.extend(replay::report(failure, Path::new(".")));
        all
    };
    let (stages, pipeline) = lower(source, &target.spec, options, Stage::Mapped).map_err(failed)?;
    let name = |d: &QuantizedDraft| d.name.clone();
    let (Some(quantized), Some(mapped)) = (&stages.quantized, &stages.mapped) else {
        return Err(not_reached(Stage::Mapped).into());
    };
    let emission = target.backend().emit(mapped, &target.spec)?;
    let program = emission.files.iter().find(|f| f.name == PROGRAM_FILE);
    let folding = FoldingAccount::of(&Parts {
        genome: source.account.as_ref(),
        network: stages.network.as_ref(),
        quantized,
        mapped,
        target: &target.spec,
        folds: &stages.folds,
        program_bytes: program.map_or(0, |f| f.bytes.len() as u64),
    });
    let report = FoldingReport {
        network: name(quantized),
        target: target.spec.name.clone(),
        pipeline: pipeline.to_string(),
        folding,
    };
    Ok((report.text(), report, source.warnings.clone()))
}
