//! `snnc run`: a network or an artifact on a stimulus.

use super::lowering::LoweringArgs;
use super::output::Reply;
use super::quantization::RecipeArgs;
use super::samples::Samples;
use super::{WeightsArgs, replay, with_threads};
use crate::artifact::{Artifact, load};
use crate::compile::{Failure, Options, compile, lower, lower_by};
use crate::files::{self, shown};
use crate::pipeline::{Stage, adapted, not_reached};
use crate::simulate::{self, Machine, Recording, Runtime, Sent};
use crate::source::{self, FileKind, Source};
use crate::stimulus;
use crate::target::Target;
use clap::{Args, ValueEnum};
use serde::Serialize;
use snnc_ir::diag::codes::usage;
use snnc_ir::{Diagnostic, Diagnostics, Level, QuantizedNetwork, Rules};
use snnc_passes::{AnyLevel, Registry};
use snnc_runtime::compare;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Genome, .snn, .snnb, or the folder of an artifact.
    path: PathBuf,
    #[command(flatten)]
    weights: WeightsArgs,
    /// Samples (.npz).
    #[arg(long, value_name = "FILE")]
    stimulus: PathBuf,
    /// Use the first N samples only, or those from A up to, and without, B.
    #[arg(long, value_name = "N|A..B")]
    samples: Option<Samples>,
    /// Level to run [default: that of the file; for an artifact, its program].
    #[arg(long, value_enum)]
    level: Option<LevelArg>,
    /// Target, to bring a source to a later level.
    #[arg(long, short, value_name = "NAME|FILE")]
    target: Option<String>,
    #[command(flatten)]
    lowering: LoweringArgs,
    #[command(flatten)]
    recipe: RecipeArgs,
    /// Write the spikes of all populations to this file (.npz).
    #[arg(long, value_name = "FILE")]
    spikes: Option<PathBuf>,
    /// Simulator.
    #[arg(long, value_enum, default_value_t)]
    runtime: RuntimeArg,
    /// Threads [default: one per processor]; results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum LevelArg {
    /// The network in f32.
    Float,
    /// Integers in logical time.
    Quantized,
    /// Integers in hardware time.
    Scheduled,
    /// The decoded program, core by core.
    Artifact,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum RuntimeArg {
    /// The reference simulators.
    #[default]
    Cpu,
    /// Batches of tensors (needs the cargo feature `burn`).
    Burn,
}

/// Report of `snnc run`.
#[derive(Debug, Serialize)]
pub(super) struct RunReport {
    network: String,
    level: &'static str,
    /// Position in the file of the first sample.
    first: usize,
    samples: usize,
    /// Class of each sample; null where no score is a number.
    predictions: Vec<Option<usize>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<usize>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correct: Option<usize>,
    /// Spikes or messages of each population over all samples.
    spikes: Vec<SentEntry>,
}

/// What a population sent over all samples: spikes, or graded messages.
#[derive(Debug, Serialize)]
struct SentEntry {
    population: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    spikes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<u64>,
}

impl SentEntry {
    fn new((population, sent): (&String, &Sent)) -> Self {
        let (spikes, messages) = match *sent {
            Sent::Spikes(n) => (Some(n), None),
            Sent::Messages(n) => (None, Some(n)),
        };
        Self { population: population.clone(), spikes, messages }
    }
}

pub(super) fn run(args: &RunArgs) -> Result<Reply<RunReport>, Diagnostics> {
    let runtime = match args.runtime {
        RuntimeArg::Cpu => Runtime::Cpu,
        RuntimeArg::Burn => burn()?,
    };
    let (machine, mut diagnostics) = machine(args)?;
    if args.runtime == RuntimeArg::Burn && matches!(machine, Machine::Program(_)) {
        return Err(Diagnostic::error(
            usage::CONFLICTING_OPTIONS,
            "`--runtime burn` runs networks, not programs",
        )
        .help("add `--level quantized` or `--level scheduled`")
        .into());
    }
    let samples = Samples::range(args.samples.as_ref());
    let stimuli = stimulus::read(&args.stimulus, &machine.interface(), samples)?;
    if args.spikes.is_some() {
        simulate::check_size(&machine, stimuli.samples())?;
    }
    let record = args.spikes.is_some();
    let threads = args.threads.map(usize::from);
    let recording = with_threads(threads, || simulate::run(&machine, &stimuli, runtime, record))??;
    if let Some(path) = &args.spikes {
        files::write(path, &snnc_frontend::arrays::write_npz(&recording.arrays(&stimuli)?)?)?;
    }
    let report = report(&machine, recording, &stimuli)?;
    let (product, summary) = texts(&report, stimuli.first());
    diagnostics.sort();
    Ok(Reply { product: product.into_bytes(), summary, diagnostics, ..Reply::new(report) })
}

/// The tensor runtime, if this binary has it.
#[cfg_attr(
    feature = "burn",
    expect(clippy::unnecessary_wraps, reason = "a build without the feature returns an error")
)]
fn burn() -> Result<Runtime, Diagnostic> {
    #[cfg(feature = "burn")]
    return Ok(Runtime::Burn);
    #[cfg(not(feature = "burn"))]
    Err(Diagnostic::error(usage::NOT_BUILT_IN, "this snnc was built without the burn runtime")
        .help("build it with `cargo build --release --features burn`"))
}

/// What is to be run, brought to its level.
fn machine(args: &RunArgs) -> Result<(Machine, Diagnostics), Diagnostics> {
    if load::is_artifact(&args.path) {
        return of_artifact(args);
    }
    let source = source::read_with(&args.path, args.weights.given())?;
    let start = Stage::of(&source.level);
    let own = match start {
        Stage::Network => LevelArg::Float,
        Stage::Quantized => LevelArg::Quantized,
        Stage::Scheduled | Stage::Mapped => LevelArg::Scheduled,
    };
    let wanted = args.level.unwrap_or(own);
    if wanted == own {
        args.recipe.refuse_for("a level that is not quantized on the way")?;
    }
    if wanted == own {
        let warnings = source.warnings;
        return Ok((of_level(source.level)?, warnings));
    }
    if wanted < own {
        return Err(earlier(&args.path, own));
    }
    let Some(target) = &args.target else {
        return Err(Diagnostic::error(
            usage::CONFLICTING_OPTIONS,
            "a source is brought to a later level for a target, and none is given",
        )
        .help("add `--target NAME`, or run the folder of an artifact")
        .into());
    };
    let target = Target::find(target)?;
    let (recipe, notes) = args.recipe.settle(&args.path, &source)?;
    let options = Options { recipe, lowering: args.lowering.lowering(), ..Options::default() };
    let (machine, mut warnings) = of_source(&source, &target, &options, wanted)?;
    warnings.extend(notes);
    Ok((machine, warnings))
}

/// Brings a source to a later level by the default pipeline.
fn of_source(
    source: &Source,
    target: &Target,
    options: &Options,
    wanted: LevelArg,
) -> Result<(Machine, Diagnostics), Diagnostics> {
    if wanted == LevelArg::Artifact {
        let compiled = compile(source, target, options).map_err(failed)?;
        return Ok((Machine::Program(compiled.program), compiled.warnings));
    }
    let stage = if wanted == LevelArg::Quantized { Stage::Quantized } else { Stage::Scheduled };
    let (stages, _) = lower(source, &target.spec, options, stage).map_err(failed)?;
    let mut warnings = source.warnings.clone();
    warnings.extend(stages.remarks);
    let network = if stage == Stage::Quantized { stages.quantized } else { stages.scheduled };
    Ok((Machine::Integers(network.ok_or_else(|| not_reached(stage))?), warnings))
}

fn failed(failure: Failure) -> Diagnostics {
    replay::report(failure, Path::new("."))
}

fn of_artifact(args: &RunArgs) -> Result<(Machine, Diagnostics), Diagnostics> {
    args.weights.refuse_for("an artifact")?;
    args.recipe.refuse_for("an artifact")?;
    let artifact = Artifact::load(&args.path)?;
    let warnings = artifact.warnings;
    match args.level.unwrap_or(LevelArg::Artifact) {
        LevelArg::Artifact => Ok((Machine::Program(artifact.program), warnings)),
        LevelArg::Quantized => Ok((Machine::Integers(artifact.source), warnings)),
        LevelArg::Float => Err(earlier(&args.path, LevelArg::Quantized)),
        LevelArg::Scheduled => {
            let source = Source {
                level: AnyLevel::Quantized(artifact.source),
                kind: FileKind::Binary,
                hash: artifact.manifest.source.blake3,
                account: None,
                unfolding: None,
                places: None,
                weights: None,
                warnings,
            };
            let registry = Registry::standard();
            let pipeline = adapted(&registry, &artifact.manifest.pipeline, Stage::Quantized)?;
            let (stages, _) = lower_by(
                &source,
                &artifact.target,
                pipeline,
                (&artifact.recipe, None),
                Stage::Scheduled,
            )
            .map_err(failed)?;
            let network = stages.scheduled.ok_or_else(|| not_reached(Stage::Scheduled))?;
            Ok((Machine::Integers(network), source.warnings))
        }
    }
}

fn of_level(level: AnyLevel) -> Result<Machine, Diagnostics> {
    Ok(match level {
        AnyLevel::Network(network) => Machine::Float(network),
        AnyLevel::Quantized(network) => Machine::Integers(network),
        AnyLevel::Mapped(mapped) => {
            let network = mapped.into_draft().network;
            Machine::Integers(QuantizedNetwork::verify(network, &Rules::default())?)
        }
    })
}

fn earlier(path: &Path, own: LevelArg) -> Diagnostics {
    let own = match own {
        LevelArg::Float => "float",
        LevelArg::Quantized => "quantized",
        LevelArg::Scheduled => "scheduled",
        LevelArg::Artifact => "artifact",
    };
    Diagnostic::error(usage::WRONG_LEVEL, format!("{} starts at level `{own}`", shown(path)))
        .in_file(shown(path))
        .help("run the source that it was made from")
        .into()
}

fn report(
    machine: &Machine,
    recording: Recording,
    stimuli: &stimulus::Stimuli,
) -> Result<RunReport, Diagnostics> {
    let labels = stimuli.labels().map(<[usize]>::to_vec);
    let correct = match &labels {
        Some(labels) => Some(
            compare::accuracy(&recording.classes, labels)
                .map_err(|e| crate::verify::simulation_failed(&e))?
                .correct,
        ),
        None => None,
    };
    let spikes = recording.names.iter().zip(&recording.counts);
    Ok(RunReport {
        network: machine.name().to_owned(),
        level: machine.level(),
        first: stimuli.first(),
        samples: stimuli.samples(),
        labels,
        correct,
        spikes: spikes.map(SentEntry::new).collect(),
        predictions: recording.classes,
    })
}

/// Predictions line by line, and the summary; `first` is the position of the first sample in its file.
fn texts(report: &RunReport, first: usize) -> (String, String) {
    let mut product = String::new();
    for (i, prediction) in report.predictions.iter().enumerate() {
        let class = prediction.map_or_else(|| "-".to_owned(), |c| c.to_string());
        // Writing to a string cannot fail.
        let sample = first + i;
        let _ = match &report.labels {
            Some(labels) => writeln!(product, "{sample} {class} {}", labels[i]),
            None => writeln!(product, "{sample} {class}"),
        };
    }
    let mut summary = format!(
        "{} at level {}: {} samples (sample, class{})\n",
        report.network,
        report.level,
        report.samples,
        if report.labels.is_some() { ", label" } else { "" }
    );
    if let Some(correct) = report.correct {
        #[expect(clippy::cast_precision_loss, reason = "a percentage of two decimals")]
        let percent = 100.0 * correct as f64 / report.samples as f64;
        let _ = writeln!(summary, "accuracy {percent:.2} % ({correct} of {})", report.samples);
    }
    (product, summary)
}
