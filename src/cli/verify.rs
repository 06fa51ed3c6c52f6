//! `snnc verify`: proves an artifact equal to its source and measures what quantization changed.

use super::bisect::{self, BisectReport};
use super::ci::checklist::{Checklist, class};
use super::compile::certified;
use super::output::Reply;
use super::samples::Samples;
use super::table::Table;
use super::{GivenArgs, JunitArgs, replay, with_threads};
use crate::artifact::Artifact;
use crate::artifact::certificate::CertificateFile;
use crate::artifact::manifest::RecipeEntry;
use crate::calibrate::Progress;
use crate::compile::Failure;
use crate::exit::Exit;
use crate::files::{self, shown};
use crate::source::Source;
use crate::stimulus::{self, Interface};
use crate::verify::recheck::Recheck;
use crate::verify::{
    self, AccuracyReport, DivergenceReport, EqualityReport, Measurement, MembraneReport,
    QuantizationReport, Refused, Search, measure_with,
};
use clap::Args;
use serde::Serialize;
use snnc_backends::certify::Certificate;
use snnc_ir::diag::codes::usage;
use snnc_ir::{Diagnostic, Diagnostics};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Genome or TENNLab network (.json), NIR graph (.nir), text form (.snn) or binary form (.snnb) of a network.
    #[arg(required_unless_present = "certificate")]
    pub(super) source: Option<PathBuf>,
    #[command(flatten)]
    pub(super) given: GivenArgs,
    #[command(flatten)]
    pub(super) junit: JunitArgs,
    /// Folder of the artifact.
    #[arg(required_unless_present = "certificate")]
    artifact: Option<PathBuf>,
    /// Prove a certificate again from the files beside it, without the source: FILE, or the folder that holds
    /// `certificate.json`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["source", "artifact", "stimulus"])]
    certificate: Option<PathBuf>,
    /// If the artifact is refused, write a stimulus on which it differs from the source, if one is found (.npz).
    #[arg(long, value_name = "FILE", conflicts_with = "certificate")]
    counterexample: Option<PathBuf>,
    /// Samples to run all levels on (.npz).
    #[arg(long, value_name = "FILE")]
    pub(super) stimulus: Option<PathBuf>,
    /// Use the first N samples only, or those from A up to, and without, B.
    #[arg(long, value_name = "N|A..B", requires = "stimulus")]
    pub(super) samples: Option<Samples>,
    /// Threads [default: one per processor]; results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) threads: Option<u16>,
    /// Name the pass or writer that is responsible: run the passes again, one by one, and hold each to what
    /// it promises.
    #[arg(long, conflicts_with = "certificate")]
    bisect: bool,
}

/// Report of `snnc verify`, in one of its forms.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Report {
    /// Source and artifact.
    Whole(Box<VerifyReport>),
    /// A certificate.
    Certificate(Box<CertificateFile>),
    /// Every step of a compilation.
    Bisection(Box<BisectReport>),
}

/// Report on a source and an artifact.
#[derive(Debug, Serialize)]
pub(super) struct VerifyReport {
    /// Name of the network.
    network: String,
    /// Hash of the source.
    source: String,
    /// Whether the artifact was compiled from a source of this hash; if not, it is equivalent all
    /// the same.
    same_source: bool,
    /// Files whose hashes hold.
    files: usize,
    /// What decided how the network became integers, as the manifest says.
    #[serde(skip_serializing_if = "Option::is_none")]
    quantization: Option<RecipeEntry>,
    /// What was proved.
    certificate: Certificate,
    /// All levels on the stimulus, if one was given.
    measurement: Option<Measurement>,
}

pub(super) fn run(
    args: &VerifyArgs,
    list: &mut Checklist,
    progress: &dyn Progress,
) -> Result<Reply<Report>, Diagnostics> {
    match (&args.certificate, &args.source, &args.artifact) {
        (Some(path), ..) => {
            args.given.refuse_for("a certificate")?;
            certificate(path, list)
        }
        (None, Some(source), Some(artifact)) if args.bisect => {
            bisect::run(args, source, artifact, list)
        }
        (None, Some(source), Some(artifact)) => whole(args, source, artifact, list, progress),
        // The parser of the command line asks for them.
        (None, ..) => {
            Err(Diagnostic::error(usage::CONFLICTING_OPTIONS, "SOURCE and ARTIFACT are missing")
                .into())
        }
    }
}

/// Proves a certificate again.
fn certificate(path: &Path, list: &mut Checklist) -> Result<Reply<Report>, Diagnostics> {
    list.about(shown(path));
    list.plan(class::CERTIFICATE, "program equals the quantized network for all inputs");
    let Recheck { path, proved } = verify::recheck(path)?;
    let CertificateFile { certificate, files, netx: _ } = &proved;
    certified(list, certificate);
    let names: Vec<&str> = files.iter().map(|f| f.name.as_str()).collect();
    let text = format!("{}: proved again from {}\n{certificate}\n", shown(&path), names.join(", "));
    Ok(Reply { product: text.into_bytes(), ..Reply::new(Report::Certificate(Box::new(proved))) })
}

/// Proves an artifact equal to its source.
fn whole(
    args: &VerifyArgs,
    source: &Path,
    folder: &Path,
    list: &mut Checklist,
    progress: &dyn Progress,
) -> Result<Reply<Report>, Diagnostics> {
    args.plan(folder, list);
    let source = args.given.read_like(source, folder)?;
    list.holds(class::SOURCE, source.name());
    let artifact = Artifact::load(folder)
        .map_err(|errors| name_what_changed(errors, &source, folder, args))?;
    list.holds(class::FILES, format!("{} files", artifact.manifest.files.len()));
    list.holds(class::PROGRAM, format!("{} cores", artifact.program.cores.len()));
    for population in &artifact.manifest.populations {
        list.plan(class::POPULATION, population.name.as_str());
    }
    let proof = verify::examine(&source, &artifact).map_err(|refused| {
        let mut all = source.warnings.clone();
        let (failure, shown) = shown_by_example(*refused, args);
        all.extend(replay::report(failure, Path::new(".")));
        all.extend(shown);
        all
    })?;
    certified(list, &proof.certificate);
    let measurement = match &args.stimulus {
        None => None,
        Some(path) => {
            let interface = Interface::of_quantized(proof.quantized()?).in_steps_of(source.dt());
            let samples = Samples::range(args.samples.as_ref());
            let stimuli = stimulus::read(path, &interface, samples)?;
            let threads = args.threads.map(usize::from);
            Some(with_threads(threads, || {
                measure_with(&source, &proof, &artifact, &stimuli, progress)
            })??)
        }
    };
    let mut diagnostics = source.warnings.clone();
    diagnostics.extend(artifact.warnings);
    diagnostics.extend(proof.warnings.clone());
    let report = VerifyReport {
        network: artifact.manifest.network.clone(),
        source: source.hash.clone(),
        same_source: source.hash == artifact.manifest.source.blake3,
        files: artifact.manifest.files.len(),
        quantization: artifact.manifest.quantization.clone(),
        certificate: proof.certificate,
        measurement,
    };
    let product = render(&report, folder).into_bytes();
    if let Some(m) = &report.measurement {
        if m.integers_agree() {
            list.holds(class::MEASUREMENT, format!("{} samples", m.samples));
        } else {
            diagnostics.push(disagreement(m));
        }
    }
    let exit = Exit::of(&diagnostics);
    Ok(Reply { product, diagnostics, exit, ..Reply::new(Report::Whole(Box::new(report))) })
}

impl VerifyArgs {
    /// What is to be proved.
    fn plan(&self, folder: &Path, list: &mut Checklist) {
        list.about(shown(folder));
        list.plan(class::SOURCE, "source is read");
        list.plan(class::FILES, "files are unaltered");
        list.plan(class::PROGRAM, "program is decoded");
        list.plan(class::CERTIFICATE, "program equals the quantized network for all inputs");
        if self.stimulus.is_some() {
            list.plan(class::MEASUREMENT, "integer levels agree on the stimulus");
        }
    }
}

/// Adds to "the program differs from its hash" what the difference means for the network: the
/// neurons, registers and synapses that the certificate finds changed.
fn name_what_changed(
    mut errors: Diagnostics,
    source: &Source,
    artifact: &Path,
    args: &VerifyArgs,
) -> Diagnostics {
    if !errors.iter().any(|d| d.code == usage::ARTIFACT_FILE) {
        return errors;
    }
    let known: Vec<Diagnostic> = errors.iter().cloned().collect();
    let found = match Artifact::load_altered(artifact) {
        // A file that is not there has been reported.
        Err(more) => more.into_iter().filter(|d| d.code != usage::CANNOT_READ).collect(),
        Ok(altered) => match verify::examine(source, &altered) {
            Err(refused) => {
                let (failure, shown) = shown_by_example(*refused, args);
                let mut found = failure.diagnostics;
                found.extend(shown);
                found
            }
            Ok(_) => Diagnostic::note_only(
                usage::ARTIFACT_FILE,
                "the altered program still computes the network of the source",
            )
            .into(),
        },
    };
    found.into_iter().filter(|d| !known.contains(d)).for_each(|d| errors.push(d));
    errors
}

/// The failure, and what the search for a counterexample came to; its stimulus is written if that is asked
/// for.
fn shown_by_example(refused: Refused, args: &VerifyArgs) -> (Failure, Diagnostics) {
    let Refused { failure, search } = refused;
    let mut all = Diagnostics::new();
    let Some(search) = search else { return (failure, all) };
    let mut finding = search.diagnostic();
    if let (Search::Found(found), Some(path)) = (&search, &args.counterexample) {
        let written = found.to_npz().and_then(|bytes| Ok(files::write(path, &bytes)?));
        match written {
            Ok(()) => finding = finding.note(format!("the stimulus is in {}", shown(path))),
            Err(errors) => all.extend(errors),
        }
    }
    all.push(finding);
    (failure, all)
}

fn disagreement(measurement: &Measurement) -> Diagnostic {
    let Measurement { schedule, artifact, .. } = measurement;
    Diagnostic::error(usage::SPIKES_DIFFER, "the integer levels disagree on the stimulus")
        .note(format!("{} spikes differ between logical and hardware time", schedule.differing))
        .note(format!("{} spikes differ between network and artifact", artifact.differing))
        .help("this is a bug of snnc: report it with the source and the stimulus")
}

fn render(report: &VerifyReport, folder: &Path) -> String {
    let totals = &report.certificate.totals;
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{}: {} files unaltered; program decoded and certified for all inputs: {} neurons, {} \
         synapses, {} relays, {} clock neurons",
        shown(folder),
        report.files,
        totals.neurons,
        totals.synapses,
        totals.relays,
        totals.clocks
    );
    if let Some(quantization) = &report.quantization {
        text.push_str(&quantized_by(quantization));
    }
    if !report.same_source {
        text.push_str(
            "the artifact was compiled from another file; it is equivalent to this one\n",
        );
    }
    let Some(m) = &report.measurement else { return text };
    let _ = writeln!(text, "{} samples", m.samples);
    if let Some(q) = &m.quantization {
        quantization(&mut text, q, m.samples);
    }
    equality(&mut text, ["quantized", "scheduled"], &m.schedule);
    equality(&mut text, ["scheduled", "artifact"], &m.artifact);
    text
}

/// What the integers were made by, if not by the default recipe.
fn quantized_by(entry: &RecipeEntry) -> String {
    if !entry.recipe {
        return String::new();
    }
    let bits = entry.settings.weight_bits;
    match &entry.calibration {
        None => format!("quantized by recipe.snnb: {bits} bits\n"),
        Some(c) => format!(
            "quantized by recipe.snnb: {bits} bits, calibrated on {} samples of data {}\n",
            c.samples, c.data
        ),
    }
}

fn quantization(text: &mut String, q: &QuantizationReport, samples: usize) {
    let percent = |a: AccuracyReport| {
        #[expect(clippy::cast_precision_loss, reason = "a percentage of two decimals")]
        let percent = 100.0 * a.correct as f64 / a.total as f64;
        format!("{percent:.2} % ({} of {})", a.correct, a.total)
    };
    if let (Some(float), Some(quantized)) = (q.float, q.quantized) {
        let _ =
            writeln!(text, "accuracy: float {}, quantized {}", percent(float), percent(quantized));
    }
    let _ = writeln!(text, "same prediction for {} of {samples}", q.same_prediction);
    let mut table = Table::new(&["population", "float", "quantized", "differing", "distance"]);
    for d in q.populations.iter().chain([&q.total]) {
        table.row([
            d.population.clone(),
            d.float.to_string(),
            d.quantized.to_string(),
            d.differing.to_string(),
            format!("{:.4}", d.ratio),
        ]);
    }
    text.push_str(&table.render(2));
    if !q.silenced.is_empty() {
        let _ = writeln!(text, "silent only after quantization: {}", q.silenced.join(", "));
    }
    if !q.merged.is_empty() {
        let _ = writeln!(text, "merged with others that fire alike: {}", q.merged.join(", "));
    }
    if !q.removed.is_empty() {
        let _ = writeln!(
            text,
            "removed, since they never fire or nothing reads them: {}",
            q.removed.join(", ")
        );
    }
    if let Some(first) = &q.first {
        divergence(text, first, ["float", "quantized"]);
    }
}

fn equality(text: &mut String, levels: [&str; 2], report: &EqualityReport) {
    let EqualityReport { populations, spikes, messages, differing, first } = report;
    let [left, right] = levels;
    let sent = match messages {
        0 => format!("{spikes} spikes"),
        messages => format!("{spikes} spikes and {messages} messages"),
    };
    let _ = writeln!(
        text,
        "{left} and {right}: {differing} of {sent} differ in {populations} populations"
    );
    if let Some(first) = first {
        divergence(text, first, levels);
    }
}

fn divergence(text: &mut String, d: &DivergenceReport, levels: [&str; 2]) {
    let how = match (d.fired, d.messages) {
        (Some(level), _) => format!("only {level} fires"),
        (None, messages) => {
            let [left, right] = messages.unwrap_or_default();
            format!("{} sends {left}, {} {right}", levels[0], levels[1])
        }
    };
    let _ = writeln!(
        text,
        "  first divergence: sample {}, step {}, {} neuron {}: {how}",
        d.sample, d.step, d.population, d.neuron
    );
    for (name, side) in levels.into_iter().zip([d.left, d.right]) {
        if let Some(MembraneReport { v, threshold, .. }) = side {
            let _ = writeln!(text, "    {name}: membrane {v}, threshold {threshold}");
        }
    }
}
