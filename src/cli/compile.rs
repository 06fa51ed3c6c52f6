//! `snnc compile`: a certified artifact, or the network of one stage as text.

use super::ci::checklist::{Checklist, class};
use super::ci::deps;
use super::lowering::LoweringArgs;
use super::output::Reply;
use super::profile::ProfileArgs;
use super::quantization::{Prepared, QuantizationArgs, calibration_line};
use super::search::SearchArgs;
use super::table::Table;
use super::{Common, JunitArgs, SourceArgs, replay};
use crate::artifact::Manifest;
use crate::artifact::manifest::{MANIFEST, NetxEntry};
use crate::artifact::publish;
use crate::calibrate::{CalibrationLog, Progress};
use crate::compile::{Compiled, Export, Options, compile_on, lower};
use crate::files::shown;
use crate::pipeline::{Delays, Stage, not_reached};
use crate::source::Source;
use crate::target::{self, Target};
use clap::{Args, ValueEnum};
use serde::Serialize;
use snnc_backends::certify::Certificate;
use snnc_ir::diag::codes::usage;
use snnc_ir::{Diagnostic, Diagnostics, text};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct CompileArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    how: HowArgs,
    #[command(flatten)]
    quantization: QuantizationArgs,
    #[command(flatten)]
    pub(super) junit: JunitArgs,
    /// Built-in target (see `snnc list targets`) or a target file (.toml).
    #[arg(long, short, value_name = "NAME|FILE")]
    target: String,
    /// Folder of the artifact [default: <name of the source>.<target> in the current folder].
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Move what is not ours at the destination aside instead of refusing.
    #[arg(long)]
    force: bool,
    /// Print the network of this stage as text instead of writing an artifact; or also write files for
    /// another program (repeatable, or separated by commas).
    #[arg(long, value_name = "STAGE|EXPORT", value_delimiter = ',')]
    emit: Vec<Emit>,
    /// Also write the files that were read to this file, as a rule for make or ninja about the artifact's manifest.
    #[arg(long, value_name = "FILE")]
    deps: Option<PathBuf>,
}

/// How to compile; shared with `snnc check`.
#[derive(Debug, Args)]
pub(super) struct HowArgs {
    #[command(flatten)]
    lowering: LoweringArgs,
    /// Where delays go that hardware time adds.
    #[arg(long, value_enum, default_value_t)]
    delays: DelaysArg,
    #[command(flatten)]
    search: SearchArgs,
    #[command(flatten)]
    profile: ProfileArgs,
    /// Passes in place of the default ones, such as `quantize,schedule{delays=relay},map`.
    #[arg(long, value_name = "PIPELINE", conflicts_with_all = ["delays", "lowering", "effort", "seed"])]
    passes: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum DelaysArg {
    /// Into synaptic delay registers; relay neurons beyond their range.
    #[default]
    Synaptic,
    /// Into relay neurons always.
    Relay,
}

impl From<DelaysArg> for Delays {
    fn from(delays: DelaysArg) -> Self {
        match delays {
            DelaysArg::Synaptic => Self::Synaptic,
            DelaysArg::Relay => Self::Relay,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Emit {
    /// Text: after the float passes.
    Network,
    /// Text: integers in logical time.
    Quantized,
    /// Text: integers in hardware time.
    Scheduled,
    /// Text: on cores.
    Mapped,
    /// Files in the artifact: chip and mapped network for SANA-FE.
    Sanafe,
}

impl Emit {
    /// The stage whose text is printed, or the files that are written.
    const fn what(self) -> Result<Stage, Export> {
        match self {
            Self::Network => Ok(Stage::Network),
            Self::Quantized => Ok(Stage::Quantized),
            Self::Scheduled => Ok(Stage::Scheduled),
            Self::Mapped => Ok(Stage::Mapped),
            Self::Sanafe => Err(Export::Sanafe),
        }
    }
}

impl CompileArgs {
    /// The stage to print, if any; else the exports to write.
    ///
    /// # Errors
    /// `SNN0810` if a stage is to be printed and something else is asked for.
    fn emits(&self) -> Result<(Option<Stage>, BTreeSet<Export>), Diagnostic> {
        let exports = self.emit.iter().filter_map(|emit| emit.what().err()).collect();
        let mut stages = self.emit.iter().filter_map(|emit| emit.what().ok());
        let Some(stage) = stages.next() else { return Ok((None, exports)) };
        let all = [
            (self.emit.len() > 1, "nothing else can be emitted"),
            (self.output.is_some(), "`--output` names a folder for nothing"),
            (self.force, "`--force` replaces nothing"),
            (self.deps.is_some(), "`--deps` has no manifest to name"),
            (self.junit.junit.is_some(), "`--junit` has no proof to report"),
        ];
        let Some((_, besides)) = all.into_iter().find(|(given, _)| *given) else {
            return Ok((Some(stage), exports));
        };
        Err(Diagnostic::error(
            usage::CONFLICTING_OPTIONS,
            format!(
                "`--emit {stage}` prints a network instead of writing an artifact, so {besides}"
            ),
        )
        .help("name one stage alone, or exports alone: `--emit sanafe`"))
    }
}

impl HowArgs {
    /// Options of a compilation of `source`.
    ///
    /// # Errors
    /// What the samples of `--profile` are refused for.
    fn options(&self, source: &Source) -> Result<Options, Diagnostics> {
        Ok(Options {
            passes: self.passes.clone(),
            lowering: self.lowering.lowering(),
            search: self.search.search(),
            delays: self.delays.into(),
            profile: self.profile.read(source)?,
            ..Options::default()
        })
    }
}

/// Report of `snnc compile`.
#[derive(Debug, Serialize)]
pub(super) struct CompileReport {
    /// Folder of the artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    /// Where a foreign folder was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_aside: Option<String>,
    /// Its manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<Manifest>,
    /// What the calibration did.
    #[serde(skip_serializing_if = "Option::is_none")]
    calibration: Option<CalibrationLog>,
}

pub(super) fn run(
    args: &CompileArgs,
    common: &Common,
    list: &mut Checklist,
    progress: &dyn Progress,
) -> Result<Reply<CompileReport>, Diagnostics> {
    let (stage, exports) = args.emits()?;
    if let Some(stage) = stage {
        return emit_text(args, common, stage, progress);
    }
    list.about(shown(&args.source.source));
    list.plan(class::SOURCE, "source is read");
    list.plan(class::CERTIFICATE, "program equals the quantized network for all inputs");
    list.plan(class::PUBLISHING, "artifact is published");
    let target = Target::find(&args.target)?;
    let destination = args
        .output
        .clone()
        .unwrap_or_else(|| default_output(&args.source.source, &target.spec.name));
    publish::check(&destination, args.force)?;
    let source = args.source.read()?;
    list.holds(class::SOURCE, source.name());
    let path = &args.source.source;
    let made = make(path, &source, &target, &args.how, &args.quantization, &exports, progress)?;
    let Made { compiled, calibration, diagnostics } = made;
    certified(list, &compiled.certificate);
    if let Some(file) = &args.deps {
        deps::write(file, &destination.join(MANIFEST), &args.inputs(&source))?;
    }
    let moved = publish::publish(&destination, &compiled.files, args.force)?;

    list.holds(class::PUBLISHING, shown(&destination));
    let mut summary = summary(&compiled, calibration.as_ref());
    // Writing to a string cannot fail.
    let _ = writeln!(summary, "wrote {}", shown(&destination));
    if let Some(moved) = &moved {
        let _ = writeln!(summary, "what was there before is now {}", shown(moved));
    }
    let report = CompileReport {
        output: Some(shown(&destination)),
        moved_aside: moved.as_deref().map(shown),
        manifest: Some(compiled.manifest),
        calibration,
    };
    Ok(Reply { summary, diagnostics, ..Reply::new(report) })
}

impl CompileArgs {
    /// The files that decide what the artifact is.
    fn inputs(&self, source: &Source) -> Vec<PathBuf> {
        let mut files = source.files.clone();
        files.extend(target::file(&self.target).map(Path::to_path_buf));
        files.extend(self.quantization.files(&self.source.source));
        files.extend(self.how.profile.file().map(Path::to_path_buf));
        files
    }
}

/// Notes in `list` what a certificate says.
pub(super) fn certified(list: &mut Checklist, certificate: &Certificate) {
    let totals = &certificate.totals;
    let found = format!("{} neurons, {} synapses", totals.neurons, totals.synapses);
    list.holds(class::CERTIFICATE, found);
    for population in &certificate.populations {
        let found = format!("{} neurons, {} synapses", population.neurons, population.synapses);
        list.found(class::POPULATION, &population.name, found);
    }
}

/// What is left to publish, or not.
pub(super) struct Made {
    pub(super) compiled: Compiled,
    /// What the calibration did, if there was one.
    pub(super) calibration: Option<CalibrationLog>,
    /// Warnings and notes, none of them denied.
    pub(super) diagnostics: Diagnostics,
}

/// Calibrates and compiles; a compiler bug leaves a replay file in the current folder.
///
/// # Errors
/// What any step refuses, and warnings that are denied.
pub(super) fn make(
    path: &Path,
    source: &Source,
    target: &Target,
    how: &HowArgs,
    quantization: &QuantizationArgs,
    exports: &BTreeSet<Export>,
    progress: &dyn Progress,
) -> Result<Made, Diagnostics> {
    let mut notes = Diagnostics::new();
    let mut attempt = || {
        let options = Options { exports: exports.clone(), ..how.options(source)? };
        let Prepared { options, fitted } =
            quantization.prepare(path, source, target, options, progress, &mut notes)?;
        let samples = fitted.as_ref().map(|fitted| fitted.data.samples());
        let compiled = compile_on(source, target, &options, samples.as_ref())
            .map_err(|failure| replay::report(failure, Path::new(".")))?;
        Ok((compiled, fitted.map(|fitted| fitted.log)))
    };
    let (compiled, calibration) = match attempt() {
        Ok(made) => made,
        Err(failed) => {
            let mut all = source.warnings.clone();
            all.extend(notes);
            all.extend(failed);
            return Err(all);
        }
    };
    notes.extend(compiled.warnings.clone());
    let diagnostics = quantization.deny.apply(notes);
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    Ok(Made { compiled, calibration, diagnostics })
}

/// `<stem>.<target>` in the current folder.
fn default_output(source: &Path, target: &str) -> PathBuf {
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    let stem = [".genome.json", ".json", ".snnb", ".snn", ".nir"]
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(&name);
    PathBuf::from(format!("{stem}.{target}"))
}

fn emit_text(
    args: &CompileArgs,
    common: &Common,
    stage: Stage,
    progress: &dyn Progress,
) -> Result<Reply<CompileReport>, Diagnostics> {
    if common.format.takes_stdout() {
        return Err(Diagnostic::error(
            usage::CONFLICTING_OPTIONS,
            "`--emit` prints a network, so `--format json` or `sarif` has no place for its report",
        )
        .help("use `--json FILE` for the report")
        .into());
    }
    let source = args.source.read()?;
    let target = Target::find(&args.target)?;
    if stage == Stage::Network && args.quantization.is_given() {
        return Err(Diagnostic::error(
            usage::CONFLICTING_OPTIONS,
            "`--emit network` prints the network before it is quantized",
        )
        .help("leave the options about quantization out, or use `--emit quantized`")
        .into());
    }
    if stage != Stage::Mapped && args.how.profile.is_given() {
        return Err(Diagnostic::error(
            usage::CONFLICTING_OPTIONS,
            format!("`--profile` decides where neurons lie, and `--emit {stage}` prints the network before"),
        )
        .help("leave `--profile` out, or use `--emit mapped`")
        .into());
    }
    let mut diagnostics = source.warnings.clone();
    let path = &args.source.source;
    let mut attempt = || {
        let notes = &mut diagnostics;
        let how = args.how.options(&source)?;
        let prepared = args.quantization.prepare(path, &source, &target, how, progress, notes)?;
        lower(&source, &target.spec, &prepared.options, stage)
            .map_err(|failure| replay::report(failure, Path::new(".")))
    };
    let stages = match attempt() {
        Ok((stages, _)) => stages,
        Err(failed) => {
            diagnostics.extend(failed);
            return Err(diagnostics);
        }
    };
    let printed = match stage {
        Stage::Network => stages.network.as_deref().map(text::print_network),
        Stage::Quantized => stages.quantized.as_deref().map(text::print_quantized),
        Stage::Scheduled => stages.scheduled.as_deref().map(text::print_quantized),
        Stage::Mapped => stages.mapped.as_deref().map(text::print_mapped),
    };
    let printed = printed.ok_or_else(|| not_reached(stage))?;
    diagnostics.extend(stages.remarks);
    let diagnostics = args.quantization.deny.apply(diagnostics);
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let report =
        CompileReport { output: None, moved_aside: None, manifest: None, calibration: None };
    Ok(Reply { product: printed.into_bytes(), diagnostics, ..Reply::new(report) })
}

/// Calibration, populations, cores, bounds and certificate in a few lines.
pub(super) fn summary(compiled: &Compiled, calibration: Option<&CalibrationLog>) -> String {
    let manifest = &compiled.manifest;
    let mut text = calibration.map_or_else(String::new, calibration_line);
    let time = manifest.time;
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{} for {}: {} logical steps in {} hardware steps (period {})",
        manifest.network, manifest.target.name, time.steps, time.run_steps, time.period
    );
    let mut table =
        Table::new(&["population", "role", "neurons", "latency", "weights", "current", "membrane"]);
    for (entry, proof) in manifest.populations.iter().zip(&compiled.certificate.populations) {
        let weights =
            entry.quantization.as_ref().map(|q| format!("{}..={}", q.weight[0], q.weight[1]));
        let bounds = proof.bounds.as_ref();
        let dash = || "-".to_owned();
        table.row([
            entry.name.clone(),
            entry.role.clone(),
            proof.neurons.to_string(),
            entry.latency.to_string(),
            weights.unwrap_or_else(dash),
            bounds.map_or_else(dash, |b| b.u.to_string()),
            bounds.map_or_else(dash, |b| b.v.to_string()),
        ]);
    }
    text.push_str(&table.render(2));
    text.push_str(&cores_line(manifest));
    text.push_str(&manifest.mapping.text());
    let totals = &compiled.certificate.totals;
    let _ = writeln!(
        text,
        "certified for all inputs: {} neurons and {} synapses read back from the bytes equal the \
         quantized network",
        totals.neurons, totals.synapses
    );
    if let Some(netx) = &manifest.netx {
        text.push_str(&netx_line(netx));
    }
    text
}

const fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Whether the NetX file is there.
pub(super) fn netx_line(netx: &NetxEntry) -> String {
    match netx {
        NetxEntry::Layout(_) => "network.net written for NetX\n".to_owned(),
        NetxEntry::LeftOut(why) => format!("network.net left out: {}\n", why.message),
    }
}

/// Cores in use and the resource that is closest to its limit.
fn cores_line(manifest: &Manifest) -> String {
    let chips = manifest.cores.iter().map(|c| c.chip).collect::<BTreeSet<_>>().len();
    let fullest = manifest
        .cores
        .iter()
        .flat_map(|c| c.used.against(&manifest.limits))
        .filter(|(_, _, limit)| *limit > 0)
        // Compares used / limit exactly; the first of equals is kept.
        .reduce(|a, b| {
            let (left, right) =
                (u128::from(a.1) * u128::from(b.2), u128::from(b.1) * u128::from(a.2));
            if right > left { b } else { a }
        });
    let most = fullest.map_or(String::new(), |(name, used, limit)| {
        format!("; most used: {used} of {limit} {name} on a core")
    });
    format!("{} on {chips} chip{}{most}\n", manifest.mapping.cores_text(), plural(chips))
}

#[cfg(test)]
mod tests {
    use super::default_output;
    use std::path::{Path, PathBuf};

    #[test]
    fn the_default_output_lies_in_the_current_folder() {
        let name = |path: &str| default_output(Path::new(path), "loihi2");
        assert_eq!(name("a/b/digits.genome.json"), PathBuf::from("digits.loihi2"));
        assert_eq!(name("net.v2.snn"), PathBuf::from("net.v2.loihi2"));
        assert_eq!(name("x.snnb"), PathBuf::from("x.loihi2"));
    }
}
