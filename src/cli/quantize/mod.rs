//! `snnc quantize`: what quantization does to a network, what that changes, and what it costs; for one
//! recipe, or for a range of bit widths.

mod plot;
mod sweep;

use super::lowering::LoweringArgs;
use super::output::Reply;
use super::progress::Within;
use super::quantization::{Prepared, QuantizationArgs, calibration_line, read_samples};
use super::samples::Samples as SamplesArg;
use super::{SourceArgs, replay, with_threads};
use crate::artifact::{self, Entry, Kind, publish};
use crate::calibrate::{CalibrationLog, Progress};
use crate::compile::{self, Options, Samples, lower};
use crate::draw;
use crate::exit::Exit;
use crate::files::{self, shown};
use crate::pipeline::{Stage, Stages, not_reached};
use crate::report::Report;
use crate::source::Source;
use crate::stimulus::{Interface, Stimuli};
use crate::target::Target;
use clap::Args;
use serde::Serialize;
use snnc_ir::diag::codes::usage;
use snnc_ir::{Diagnostic, Diagnostics, Network, binary};
use snnc_passes::AnyLevel;
use snnc_passes::quantize::apply;
use std::ops::Range;
use std::path::{Path, PathBuf};
use sweep::{Row, Sweep, Widths};

#[derive(Debug, Args)]
pub(super) struct QuantizeArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    /// Built-in target (see `snnc list targets`) or a target file (.toml).
    #[arg(long, short, value_name = "NAME|FILE")]
    target: String,
    #[command(flatten)]
    lowering: LoweringArgs,
    #[command(flatten)]
    quantization: QuantizationArgs,
    /// Samples to measure on (.npz) [default: those of `--calibrate`].
    #[arg(long, value_name = "FILE")]
    stimulus: Option<PathBuf>,
    /// Use the first N samples only, or those from A up to, and without, B.
    #[arg(long, value_name = "N|A..B", requires = "stimulus")]
    samples: Option<SamplesArg>,
    /// Folder for the complete recipe (recipe.snnb) and the account (report.json).
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Compare weights of A to B bits, both included: accuracy, spikes, memory.
    #[arg(long, value_name = "A..B")]
    #[arg(conflicts_with_all = ["output", "weight_bits", "deny"])]
    sweep: Option<Widths>,
    /// Draw the comparison into this file (.svg).
    #[arg(long, value_name = "FILE", requires = "sweep")]
    plot: Option<PathBuf>,
    /// Threads [default: one per processor]; results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

/// Report of `snnc quantize`.
#[derive(Debug, Default, Serialize)]
pub(super) struct QuantizeReport {
    /// Name of the network.
    network: String,
    /// Name of the target.
    target: String,
    /// The account of one recipe.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Report>,
    /// What the calibration did.
    #[serde(skip_serializing_if = "Option::is_none")]
    calibration: Option<CalibrationLog>,
    /// Folder that holds recipe and account.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    /// The comparison of bit widths.
    #[serde(skip_serializing_if = "Option::is_none")]
    sweep: Option<Sweep>,
    /// File that holds its drawing.
    #[serde(skip_serializing_if = "Option::is_none")]
    plot: Option<String>,
}

pub(super) fn run(
    args: &QuantizeArgs,
    progress: &dyn Progress,
) -> Result<Reply<QuantizeReport>, Diagnostics> {
    let target = Target::find(&args.target)?;
    if let Some(output) = &args.output {
        publish::check_as(Kind::Quantization, output, false)?;
    }
    let source = args.source.read()?;
    if !matches!(source.level, AnyLevel::Network(_)) {
        let path = &args.source.source;
        let help = match source.places {
            Some(_) => "compile it: a TENNLab network consists of integers from the start",
            None => "name the genome or the float network that it was made from",
        };
        let message = format!("{} is quantized already", shown(path));
        let error = Diagnostic::error(usage::WRONG_LEVEL, message).in_file(shown(path));
        return Err(error.help(help).into());
    }
    let threads = args.threads.map(usize::from);
    let mut found = source.warnings.clone();
    let result = with_threads(threads, || match args.sweep {
        None => account(args, &source, &target, progress, &mut found),
        Some(widths) => compare(args, &source, &target, widths, progress, &mut found),
    })?;
    result.map_err(|failed| {
        found.extend(failed);
        found
    })
}

/// The account of one recipe. What the user should know goes to `found`, too, and is in the reply.
fn account(
    args: &QuantizeArgs,
    source: &Source,
    target: &Target,
    progress: &dyn Progress,
    found: &mut Diagnostics,
) -> Result<Reply<QuantizeReport>, Diagnostics> {
    let (path, options) = (&args.source.source, args.options());
    let prepared = args.quantization.prepare(path, source, target, options, progress, found)?;
    let Prepared { options, fitted } = prepared;
    let stages = lowered(source, target, &options, Stage::Quantized)?;
    let network = canonical(&stages)?;
    // The remarks are those of the pass that has just run.
    let complete = apply(network, &target.spec, &options.recipe, &mut Diagnostics::new())?.recipe;
    let measured = args.measured(network)?;
    let samples = match (&measured, &fitted) {
        (Some(read), _) => Some(read.samples()),
        (None, Some(fitted)) => Some(fitted.data.samples()),
        (None, None) => None,
    };
    let report =
        compile::report(&stages, &target.spec, &options.recipe, Some(&complete), samples.as_ref())?
            .ok_or_else(|| not_reached(Stage::Quantized))?;

    found.extend(stages.remarks.clone());
    found.extend(report.findings());
    let diagnostics = args.quantization.deny.apply(std::mem::take(found));
    let exit = Exit::of(&diagnostics);

    let mut product = String::new();
    let calibration = fitted.map(|fitted| fitted.log);
    if let Some(log) = &calibration {
        product.push_str(&calibration_line(log));
    }
    product.push_str(&report.render());
    let mut summary = String::new();
    let mut body = QuantizeReport {
        network: source.name().to_owned(),
        target: target.spec.name.clone(),
        ..QuantizeReport::default()
    };
    if let (Some(output), Exit::Done) = (&args.output, exit) {
        let entry = |name: &str, bytes| Entry { name: name.to_owned(), bytes };
        let files = [
            entry(artifact::RECIPE, binary::encode_recipe(&complete)),
            entry(artifact::REPORT, report.to_json_bytes()),
        ];
        publish::publish_as(Kind::Quantization, output, &files, false)?;
        summary = format!("wrote {}\n", shown(output));
        body.output = Some(shown(output));
    }
    body.report = Some(report);
    body.calibration = calibration;
    Ok(Reply { product: product.into_bytes(), summary, body, diagnostics, exit })
}

/// The comparison of bit widths. What the user should know goes to `found`, too, and is in the reply.
fn compare(
    args: &QuantizeArgs,
    source: &Source,
    target: &Target,
    widths: Widths,
    progress: &dyn Progress,
    found: &mut Diagnostics,
) -> Result<Reply<QuantizeReport>, Diagnostics> {
    let path = &args.source.source;
    let (recipe, notes) = args.quantization.recipe.settle(path, source)?;
    found.extend(notes);
    if crate::recipe::decided(&recipe) {
        return Err(Diagnostic::error(
            usage::CONFLICTING_OPTIONS,
            "`--sweep` compares bit widths, and the recipe has decided the weights",
        )
        .help("leave `--recipe` or `--sweep` out")
        .into());
    }
    let options = Options { recipe, ..args.options() };
    let data = args.quantization.calibrate.data(path, source, target, &options)?;
    let stages = lowered(source, target, &options, Stage::Network)?;
    let measured = args.measured(canonical(&stages)?)?;
    let samples = match (&measured, &data) {
        (Some(read), _) => Some(read.samples()),
        (None, Some(data)) => Some(data.samples()),
        (None, None) => None,
    };
    let mut rows = Vec::new();
    for bits in widths.all() {
        let mut options = options.clone();
        options.recipe.settings.weight_bits = bits;
        rows.push(Row::of(bits, false, source, target, &options, samples.as_ref())?);
        let Some(data) = &data else { continue };
        let within = Within { outer: progress, name: format!("{bits} bits") };
        let fitted = args.quantization.calibrate.fit(data, target, &options.recipe, &within);
        rows.push(match fitted {
            Ok((recipe, _, _)) => {
                options.recipe = recipe;
                Row::of(bits, true, source, target, &options, samples.as_ref())?
            }
            Err(errors) => Row::failed(bits, true, errors),
        });
    }
    let sweep = Sweep::new(rows, samples.as_ref());
    let product = format!("{}\n{}", sweep.table(), plot::plot(&sweep));
    let mut body = QuantizeReport {
        network: source.name().to_owned(),
        target: target.spec.name.clone(),
        ..QuantizeReport::default()
    };
    let mut summary = String::new();
    if let Some(file) = &args.plot {
        files::write(file, draw::chart(&sweep.chart(source.name())).as_bytes())?;
        summary = format!("wrote {}\n", shown(file));
        body.plot = Some(shown(file));
    }
    body.sweep = Some(sweep);
    let diagnostics = std::mem::take(found);
    Ok(Reply { product: product.into_bytes(), summary, diagnostics, ..Reply::new(body) })
}

fn lowered(
    source: &Source,
    target: &Target,
    options: &Options,
    end: Stage,
) -> Result<Stages, Diagnostics> {
    let lowered = lower(source, &target.spec, options, end);
    lowered.map(|(stages, _)| stages).map_err(|failure| replay::report(failure, Path::new(".")))
}

fn canonical(stages: &Stages) -> Result<&Network, Diagnostic> {
    stages.network.as_ref().ok_or_else(|| not_reached(Stage::Network))
}

/// Samples that were read for a measurement.
struct Read {
    stimuli: Stimuli,
    range: Range<usize>,
}

impl Read {
    fn samples(&self) -> Samples<'_> {
        Samples { stimuli: &self.stimuli, range: self.range.clone() }
    }
}

impl QuantizeArgs {
    fn options(&self) -> Options {
        Options { lowering: self.lowering.lowering(), ..Options::default() }
    }

    /// The samples of `--stimulus`.
    fn measured(&self, network: &Network) -> Result<Option<Read>, Diagnostics> {
        let Some(file) = &self.stimulus else { return Ok(None) };
        let wanted = SamplesArg::range(self.samples.as_ref());
        let (stimuli, range) = read_samples(file, &Interface::of_network(network), wanted)?;
        Ok(Some(Read { stimuli, range }))
    }
}
