//! `snnc check`: everything that `snnc compile` does, except publishing.

use super::ci::checklist::{Checklist, class};
use super::compile::{HowArgs, Made, certified, make, summary};
use super::output::Reply;
use super::quantization::QuantizationArgs;
use super::{JunitArgs, SourceArgs};
use crate::artifact::Manifest;
use crate::calibrate::{CalibrationLog, Progress};
use crate::files::shown;
use crate::source::FileKind;
use crate::target::Target;
use clap::Args;
use serde::Serialize;
use snnc_ir::Diagnostics;
use std::collections::BTreeSet;

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    pub(super) junit: JunitArgs,
    #[command(flatten)]
    how: HowArgs,
    #[command(flatten)]
    quantization: QuantizationArgs,
    /// Target to compile for; without it only the source itself is read and verified.
    #[arg(long, short, value_name = "NAME|FILE")]
    target: Option<String>,
}

/// Report of `snnc check`.
#[derive(Debug, Serialize)]
pub(super) struct CheckReport {
    /// Name of the network.
    network: String,
    /// `genome`, or the level of the file.
    kind: &'static str,
    /// Hash of the source.
    blake3: String,
    /// The manifest that `snnc compile` would write, if a target was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<Manifest>,
    /// What the calibration did.
    #[serde(skip_serializing_if = "Option::is_none")]
    calibration: Option<CalibrationLog>,
}

pub(super) fn run(
    args: &CheckArgs,
    list: &mut Checklist,
    progress: &dyn Progress,
) -> Result<Reply<CheckReport>, Diagnostics> {
    list.about(shown(&args.source.source));
    list.plan(class::SOURCE, "source is read");
    if args.target.is_some() {
        list.plan(class::CERTIFICATE, "program equals the quantized network for all inputs");
    }
    let done = checked(args, list, progress)?;
    list.holds(class::SOURCE, done.body.network.as_str());
    Ok(done)
}

fn checked(
    args: &CheckArgs,
    list: &mut Checklist,
    progress: &dyn Progress,
) -> Result<Reply<CheckReport>, Diagnostics> {
    if FileKind::of(&args.source.source)? == FileKind::Nir && args.target.is_none() {
        return nir(args);
    }
    let source = args.source.read()?;
    let mut report = CheckReport {
        network: source.name().to_owned(),
        kind: source.kind_name(),
        blake3: source.hash.clone(),
        manifest: None,
        calibration: None,
    };
    list.holds(class::SOURCE, source.name());
    let Some(target) = &args.target else {
        let summary = format!("{}: a valid {}\n", report.network, report.kind);
        return Ok(Reply { summary, diagnostics: source.warnings, ..Reply::new(report) });
    };
    let target = Target::find(target)?;
    let path = &args.source.source;
    let made =
        make(path, &source, &target, &args.how, &args.quantization, &BTreeSet::new(), progress)?;
    let Made { compiled, calibration, diagnostics } = made;
    certified(list, &compiled.certificate);
    let summary = format!("{}nothing was written\n", summary(&compiled, calibration.as_ref()));
    report.manifest = Some(compiled.manifest);
    report.calibration = calibration;
    Ok(Reply { summary, diagnostics, ..Reply::new(report) })
}

/// A NIR graph is checked by itself, and as a network if it is said how time is cut into steps.
fn nir(args: &CheckArgs) -> Result<Reply<CheckReport>, Diagnostics> {
    let path = &args.source.source;
    if args.source.given.cuts_time() {
        // Then it can be said what the network refuses, too.
        let source = args.source.read()?;
        let network = source.name().to_owned();
        let summary = format!("{network}: a valid NIR graph, and a network in steps\n");
        let report = CheckReport {
            network,
            kind: source.kind_name(),
            blake3: source.hash,
            manifest: None,
            calibration: None,
        };
        return Ok(Reply { summary, diagnostics: source.warnings, ..Reply::new(report) });
    }
    args.source.given.refuse_weights("a NIR graph, which holds its weights")?;
    let (read, found) = crate::nir::check(path)?;
    let network = path.file_stem().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let summary = format!("{network}: a valid {}\n", read.kind());
    let report = CheckReport {
        network,
        kind: read.kind(),
        blake3: read.hash,
        manifest: None,
        calibration: None,
    };
    Ok(Reply { summary, diagnostics: found, ..Reply::new(report) })
}
