//! `snnc inspect --folding`: what a network takes on its way to cores.

use super::super::replay;
use crate::artifact::Manifest;
use crate::compile::Options;
use crate::folding::FoldingAccount;
use crate::source::Source;
use crate::target::Target;
use serde::Serialize;
use snnc_ir::Diagnostics;
use std::path::Path;

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

/// The account of a source.
pub(super) fn source(
    source: &Source,
    target: &Target,
    options: &Options,
) -> Result<(String, FoldingReport), Diagnostics> {
    let (folding, pipeline) =
        FoldingAccount::of_source(source, target, options).map_err(|failure| {
            let mut all = source.warnings.clone();
            all.extend(replay::report(failure, Path::new(".")));
            all
        })?;
    let report = FoldingReport {
        network: source.name().to_owned(),
        target: target.spec.name.clone(),
        pipeline: pipeline.to_string(),
        folding,
    };
    Ok((report.text(), report))
}
