//! `snnc run`: a network or an artifact on a stimulus.

use super::lowering::LoweringArgs;
use super::output::Reply;
use super::quantization::RecipeArgs;
use super::runtime::{self, RuntimeArg, RuntimeReport};
use super::samples::Samples;
use super::{GivenArgs, replay, with_threads};
use crate::artifact::{Artifact, load};
use crate::calibrate::Progress;
use crate::compile::{Failure, Options, compile, lower, lower_by};
use crate::files::{self, shown};
use crate::pipeline::{Stage, adapted, not_reached};
use crate::simulate::{self, Machine, Recorder, Recording, Runtime, Sent, nir, write};
use crate::source::{self, FileKind, Source};
use crate::stimulus::{self, is_recording};
use crate::target::Target;
use clap::{Args, ValueEnum};
use serde::Serialize;
use snnc_ir::diag::codes::usage;
use snnc_ir::network::Discretization;
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
    given: GivenArgs,
    /// Samples (.npz, or a NIR recording).
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
    /// Write the spikes of all populations to this file (.npz or .nir), a value for each neuron and step.
    #[arg(long, value_name = "FILE")]
    spikes: Option<PathBuf>,
    /// Write the spikes of all populations to this file (.npz or .nir) as lists of sample, step and neuron.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Write the membranes of populations in every step to this file (.npz or .nir).
    #[arg(long, value_name = "FILE")]
    traces: Option<PathBuf>,
    /// Population whose membranes are written; may be repeated [default: all].
    #[arg(long, value_name = "NAME", requires = "traces")]
    probe: Vec<String>,
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

/// Report of `snnc run`.
#[derive(Debug, Serialize)]
pub(super) struct RunReport {
    network: String,
    level: &'static str,
    /// What ran the samples, if `--runtime` was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime: Option<RuntimeReport>,
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

pub(super) fn run(
    args: &RunArgs,
    progress: &dyn Progress,
) -> Result<Reply<RunReport>, Diagnostics> {
    let Loaded { machine, dt, mut diagnostics } = load(args)?;
    let chosen = runtime::choose(args.runtime, &machine)?;
    let runtime = chosen.runtime;
    if args.traces.is_some() && !matches!(runtime, Runtime::Cpu) {
        return Err(refused(
            "`--traces` needs the runtime that keeps membranes",
            "add `--runtime cpu`",
        ));
    }
    diagnostics.extend(chosen.remarks.clone());
    let samples = Samples::range(args.samples.as_ref());
    let stimuli = stimulus::read(&args.stimulus, &machine.interface().in_steps_of(dt), samples)?;
    let recorder = recorder(args, &machine, stimuli.samples())?;
    let recorder = recorder.as_ref();
    let threads = args.threads.map(usize::from);
    let recording =
        with_threads(threads, || simulate::run(&machine, &stimuli, runtime, recorder, progress))??;
    if let Some(recorder) = recorder {
        let files = [&args.spikes, &args.events, &args.traces].into_iter().flatten().count() as u64;
        let (mut written, show) = (0, "writing files");
        let period = machine.period();
        if let Some(path) = &args.spikes {
            progress.step(show, written, files);
            if is_recording(path) {
                nir::spikes(path, recorder, &recording, (&stimuli, period))?;
            } else {
                write::spikes(path, recorder, &recording, &stimuli)?;
            }
            written += 1;
        }
        if let Some(path) = &args.events {
            progress.step(show, written, files);
            if is_recording(path) {
                nir::events(path, recorder, &recording, (&stimuli, period))?;
            } else {
                write::events(path, recorder, &recording, &stimuli)?;
            }
            written += 1;
        }
        if let Some(path) = &args.traces {
            progress.step(show, written, files);
            let floats = matches!(machine, Machine::Float(_));
            if is_recording(path) {
                nir::traces(path, recorder, (&stimuli, period), floats)?;
            } else {
                write::traces(path, recorder, &stimuli, floats)?;
            }
        }
    }
    let mut report = report(&machine, recording, &stimuli)?;
    let (product, mut summary) = texts(&report, stimuli.first());
    summary.push_str(&chosen.summary());
    report.runtime = chosen.report;
    diagnostics.sort();
    Ok(Reply { product: product.into_bytes(), summary, diagnostics, ..Reply::new(report) })
}

fn refused(message: &str, help: &str) -> Diagnostics {
    Diagnostic::error(usage::CONFLICTING_OPTIONS, message).help(help).into()
}

/// What keeps what is to be written; `None` if nothing is.
fn recorder(
    args: &RunArgs,
    machine: &Machine,
    samples: usize,
) -> Result<Option<Recorder>, Diagnostics> {
    let trains = args.spikes.is_some() || args.events.is_some();
    let Some(first) = args.spikes.as_ref().or(args.events.as_ref()).or(args.traces.as_ref()) else {
        return Ok(None);
    };
    let recorder = Recorder::new(&files::parent(first), samples, trains)
        .map_err(|e| files::cannot_write(first, &e))?;
    if args.traces.is_none() {
        return Ok(Some(recorder));
    }
    let Some((mut populations, steps)) = machine.traceable() else {
        return Err(refused(
            "membranes of a program are not written",
            "add `--level scheduled`: its networks have the same",
        ));
    };
    for name in &args.probe {
        if !populations.iter().any(|p| p.name == *name) {
            let names: Vec<_> = populations.iter().map(|p| p.name.as_str()).collect();
            let message = format!("no population `{name}` has membranes");
            return Err(Diagnostic::error(usage::CONFLICTING_OPTIONS, message)
                .note(format!("populations with membranes: {}", names.join(", ")))
                .help("give one of these to `--probe`, or leave it out to write all")
                .into());
        }
    }
    populations.retain(|p| args.probe.is_empty() || args.probe.contains(&p.name));
    let registers = if matches!(machine, Machine::Float(_)) { 2 } else { 3 };
    Ok(Some(recorder.tracing(populations, registers, steps)))
}

/// What is to be run.
struct Loaded {
    machine: Machine,
    /// Length of a logical step, if it is known.
    dt: Option<f64>,
    diagnostics: Diagnostics,
}

/// What is to be run, brought to its level.
fn load(args: &RunArgs) -> Result<Loaded, Diagnostics> {
    if load::is_artifact(&args.path) {
        return of_artifact(args);
    }
    let source = source::read_with(&args.path, args.given.all())?;
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
        let (dt, diagnostics) = (source.dt(), source.warnings);
        return Ok(Loaded { machine: of_level(source.level)?, dt, diagnostics });
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
    let (machine, mut diagnostics) = of_source(&source, &target, &options, wanted)?;
    diagnostics.extend(notes);
    Ok(Loaded { machine, dt: source.dt(), diagnostics })
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

fn of_artifact(args: &RunArgs) -> Result<Loaded, Diagnostics> {
    args.given.refuse_for("an artifact")?;
    args.recipe.refuse_for("an artifact")?;
    let artifact = Artifact::load(&args.path)?;
    let dt = artifact.manifest.source.discretization.as_ref().map(Discretization::step);
    let warnings = artifact.warnings;
    let loaded = |machine, diagnostics| Ok(Loaded { machine, dt, diagnostics });
    match args.level.unwrap_or(LevelArg::Artifact) {
        LevelArg::Artifact => loaded(Machine::Program(artifact.program), warnings),
        LevelArg::Quantized => loaded(Machine::Integers(artifact.source), warnings),
        LevelArg::Float => Err(earlier(&args.path, LevelArg::Quantized)),
        LevelArg::Scheduled => {
            let source = Source {
                level: AnyLevel::Quantized(artifact.source),
                kind: FileKind::Binary,
                hash: artifact.manifest.source.blake3,
                account: None,
                unfolding: None,
                places: None,
                delays: Vec::new(),
                weights: None,
                files: Vec::new(),
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
            loaded(Machine::Integers(network), source.warnings)
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
        runtime: None,
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
