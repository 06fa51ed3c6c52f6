//! The command line: one file per command.

mod bench;
mod bisect;
mod check;
mod ci;
mod compile;
mod convert;
mod discretization;
mod explain;
mod fmt;
mod inspect;
mod list;
mod lowering;
mod map;
pub mod output;
mod profile;
mod progress;
mod quantization;
mod quantize;
mod reduce;
mod replay;
mod run;
mod runtime;
mod samples;
mod search;
pub(crate) mod table;
mod verify;

use crate::artifact::{Manifest, load};
use crate::calibrate::Progress;
use crate::exit::Exit;
use crate::source::{self, FileKind, Given, Source, Weights};
use ci::checklist::Checklist;
use clap::{Args, Parser, Subcommand};
use output::{Format, Outcome, Reply, Sinks, render};
use snnc_frontend::nir::dialect::Choices;
use snnc_ir::diag::codes::{internal, usage};
use snnc_ir::{Diagnostic, Diagnostics};
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

/// Compiles evolved spiking neural networks to neuromorphic cores and proves that nothing changed.
#[derive(Debug, Parser)]
#[command(name = "snnc", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done; 1 rejected, does not fit, not equivalent or differs; \
                        2 usage or files; 3 compiler bug.")]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
struct Common {
    /// How results are printed: for people, a line per finding, or for machines.
    #[arg(long, global = true, value_enum, default_value_t)]
    format: Format,
    /// Also write the JSON document to this file.
    #[arg(long, global = true, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Also write the findings to this file as SARIF 2.1.0.
    #[arg(long, global = true, value_name = "FILE")]
    sarif: Option<PathBuf>,
}

/// `--junit`, of commands that prove something.
#[derive(Debug, Args)]
struct JunitArgs {
    /// Also write a test report (JUnit XML) to this file: one test case for each thing proved.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// A source, and what is said of it beside its file.
#[derive(Debug, Args)]
struct SourceArgs {
    /// Genome or TENNLab network (.json), NIR graph (.nir), text form (.snn) or binary form (.snnb) of a network.
    source: PathBuf,
    #[command(flatten)]
    given: GivenArgs,
}

impl SourceArgs {
    /// Reads and verifies the source.
    fn read(&self) -> Result<Source, Diagnostics> {
        source::read_with(&self.source, self.given.all())
    }
}

/// What is said of a source beside its file.
#[derive(Debug, Args)]
struct GivenArgs {
    /// Draw the weights of a genome at random: for genomes without weights, to study how they map.
    #[arg(long, value_name = "random:SEED")]
    weights: Option<Weights>,
    /// Steps of a run, for NIR graphs and TENNLab networks [default of the latter: the `sim_time` of the file].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
    #[command(flatten)]
    discretization: discretization::DiscretizationArgs,
}

impl GivenArgs {
    /// What is given.
    const fn all(&self) -> Given {
        Given {
            weights: self.weights,
            steps: self.steps,
            steps_alike: None,
            choices: self.discretization.choices(),
        }
    }

    /// Reads and verifies a source. Where nothing is said here, a run has as many steps as in the manifest of an
    /// artifact, if the file leaves that to choose, and what is left open about a NIR graph is as there.
    fn read_like(&self, source: &Path, artifact: &Path) -> Result<Source, Diagnostics> {
        let mut given = self.all();
        // Whoever reads the artifact reports what is wrong with its manifest.
        if let Ok(manifest) = Manifest::read(&load::folder(artifact)) {
            given.steps_alike = Some(manifest.time.steps);
            if FileKind::of(source)? == FileKind::Nir
                && given.choices.is_empty()
                && let Some(found) = &manifest.source.discretization
            {
                given.choices = Choices::recorded(found);
            }
        }
        source::read_with(source, given)
    }

    /// Whether it is said how time is cut into steps.
    fn cuts_time(&self) -> bool {
        self.steps.is_some() || self.discretization.first().is_some()
    }

    /// Refuses weights for something that holds its own.
    fn refuse_weights(&self, what: &str) -> Result<(), Diagnostic> {
        match self.weights {
            None => Ok(()),
            Some(weights) => Err(Diagnostic::error(
                usage::CONFLICTING_OPTIONS,
                format!("`--weights {weights}` is for genomes, not for {what}"),
            )
            .help("leave `--weights` out")),
        }
    }

    /// Refuses the options for something that says all itself.
    fn refuse_for(&self, what: &str) -> Result<(), Diagnostic> {
        let weights = self.weights.map(|weights| (format!("--weights {weights}"), "genomes"));
        let steps =
            self.steps.map(|steps| (format!("--steps {steps}"), "NIR graphs and TENNLab networks"));
        let choice = self.discretization.first().map(|name| (name.to_owned(), "NIR graphs"));
        let Some((option, others)) = weights.or(steps).or(choice) else { return Ok(()) };
        let message = format!("`{option}` is for {others}, not for {what}");
        let name = option.split(' ').next().unwrap_or_default();
        Err(Diagnostic::error(usage::CONFLICTING_OPTIONS, message)
            .help(format!("leave `{name}` out")))
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compile a genome or a network into a certified artifact.
    Compile(compile::CompileArgs),
    /// Do everything that compile does, except publishing.
    Check(check::CheckArgs),
    /// Quantize, and give an account of what that changed and what it cost.
    Quantize(quantize::QuantizeArgs),
    /// Prove an artifact equal to its source and measure what quantization changed.
    Verify(verify::VerifyArgs),
    /// Map a network, and say how far from the best the mapping is.
    Map(map::MapArgs),
    /// Run a network or an artifact on a stimulus.
    Run(run::RunArgs),
    /// Show what a file or an artifact holds.
    Inspect(inspect::InspectArgs),
    /// Explain a diagnostic code.
    Explain(explain::ExplainArgs),
    /// Convert between genome, text, binary and JSON forms.
    Convert(convert::ConvertArgs),
    /// Rewrite a .snn file in canonical form.
    Fmt(fmt::FmtArgs),
    /// Make a network smaller as long as it still fails.
    Reduce(reduce::ReduceArgs),
    /// List targets, passes or diagnostic codes.
    List(list::ListArgs),
    /// Measure how fast this machine simulates.
    Bench(bench::BenchArgs),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|info| {
        // Of several threads that panic the first says most.
        let mut first = LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| info.to_string());
    }));
    report_file_limits();
    let progress = progress::Terminal::new();
    let outcome = execute_with(std::env::args_os(), &progress);
    progress.clear();
    ExitCode::from(outcome.write().code())
}

/// Makes a write beyond `ulimit -f` fail like any other: the signal's default would end the process without a word.
fn report_file_limits() {
    #[cfg(unix)]
    {
        let seen = std::sync::Arc::default();
        // If it cannot be registered, all stays as it was.
        let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, seen);
    }
}

/// What the panic hook saw.
static LAST_PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Runs a command line, program name included, without writing to stdout or stderr.
pub fn execute(arguments: impl IntoIterator<Item = OsString>) -> Outcome {
    execute_with(arguments, &())
}

/// As [`execute`], with someone who learns how far slow steps are.
pub fn execute_with(
    arguments: impl IntoIterator<Item = OsString>,
    progress: &dyn Progress,
) -> Outcome {
    guarded(|| match Cli::try_parse_from(arguments) {
        Ok(cli) => dispatch(&cli.command, &cli.common, progress),
        // Help and version are products, everything else is misuse.
        Err(e) if e.use_stderr() => {
            Outcome { stdout: Vec::new(), stderr: e.to_string(), exit: Exit::Usage }
        }
        Err(e) => {
            Outcome { stdout: e.to_string().into_bytes(), stderr: String::new(), exit: Exit::Done }
        }
    })
}

fn dispatch(command: &Command, common: &Common, progress: &dyn Progress) -> Outcome {
    let end = Ending { common, subject: command.subject(), junit: None };
    let mut list = Checklist::default();
    match command {
        Command::Compile(a) => {
            let done = compile::run(a, common, &mut list, progress);
            end.with(&a.junit, list).finish(done, "compile")
        }
        Command::Check(a) => {
            let done = check::run(a, &mut list, progress);
            end.with(&a.junit, list).finish(done, "check")
        }
        Command::Quantize(a) => end.finish(quantize::run(a, progress), "quantize"),
        Command::Verify(a) => {
            let done = verify::run(a, &mut list, progress);
            end.with(&a.junit, list).finish(done, "verify")
        }
        Command::Map(a) => end.finish(map::run(a), "map"),
        Command::Run(a) => end.finish(run::run(a, progress), "run"),
        Command::Inspect(a) => end.finish(inspect::run(a, common), "inspect"),
        Command::Explain(a) => end.finish(explain::run(a), "explain"),
        Command::Convert(a) => end.finish(convert::run(a), "convert"),
        Command::Fmt(a) => end.finish(fmt::run(a), "fmt"),
        Command::Reduce(a) => end.finish(reduce::run(a), "reduce"),
        Command::List(a) => end.finish(list::run(a, common), "list"),
        Command::Bench(a) => end.finish(bench::run(a, progress), "bench"),
    }
}

impl Command {
    /// The source that findings are about which name no file.
    fn subject(&self) -> Option<&Path> {
        match self {
            Self::Compile(a) => Some(&a.source.source),
            Self::Check(a) => Some(&a.source.source),
            Self::Quantize(a) => Some(&a.source.source),
            Self::Verify(a) => a.source.as_deref(),
            _ => None,
        }
    }
}

/// What is done with the result of a command.
struct Ending<'a> {
    common: &'a Common,
    subject: Option<&'a Path>,
    junit: Option<(&'a Path, Checklist)>,
}

impl<'a> Ending<'a> {
    /// With a test report, if one is asked for.
    fn with(self, args: &'a JunitArgs, list: Checklist) -> Self {
        Self { junit: args.junit.as_deref().map(|path| (path, list)), ..self }
    }

    /// Renders the result of the command `name`.
    fn finish<T: serde::Serialize>(
        self,
        result: Result<Reply<T>, Diagnostics>,
        name: &str,
    ) -> Outcome {
        let Self { common, subject, junit } = self;
        let sinks = Sinks {
            format: common.format,
            json: common.json.as_deref(),
            sarif: common.sarif.as_deref(),
            junit,
            subject,
            color: output::use_color(),
        };
        render(result, name, sinks)
    }
}

/// Turns a panic of `run` into exit code 3 and a message.
fn guarded(run: impl FnOnce() -> Outcome) -> Outcome {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        let seen = LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
        let text = seen
            .or_else(|| payload.downcast_ref::<&str>().map(|s| (*s).to_owned()))
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        let error =
            Diagnostic::error(internal::PANIC, "snnc stopped in the middle").note(text).help(
                "this is a bug: report it with the command line, the input files and, if one was \
                   written, the replay file",
            );
        Outcome {
            stdout: Vec::new(),
            stderr: output::human(&error.into(), output::use_color()),
            exit: Exit::Bug,
        }
    })
}

/// Runs `work` on `threads` threads, or on as many as there are processors. Results do not depend
/// on the number.
fn with_threads<R: Send>(
    threads: Option<usize>,
    work: impl FnOnce() -> R + Send,
) -> Result<R, Diagnostics> {
    let mut builder = rayon::ThreadPoolBuilder::new();
    if let Some(threads) = threads {
        builder = builder.num_threads(threads);
    }
    let pool = builder.build().map_err(|e| {
        Diagnostic::error(usage::CONFLICTING_OPTIONS, "the threads cannot be started")
            .note(e.to_string())
            .help("give a smaller number with `--threads`")
    })?;
    Ok(pool.install(work))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_panic_becomes_exit_code_3() {
        let outcome = guarded(|| panic!("impossible"));
        assert_eq!(outcome.exit, Exit::Bug);
        assert!(outcome.stdout.is_empty());
        assert!(outcome.stderr.contains("impossible"), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("SNN0990"), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("replay file"), "{}", outcome.stderr);
    }
}
