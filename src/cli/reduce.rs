//! `snnc reduce`: the smallest network that still fails.

use super::compile::DelaysArg;
use super::output::Reply;
use crate::crosscheck::{Fault, Way};
use crate::files::{self, shown};
use crate::pipeline::Lowering;
use crate::reduce::predicate::{self, Fails};
use crate::reduce::{Reduced, Size, reduce};
use crate::source::{self, FileKind};
use crate::target::Target;
use clap::{ArgGroup, Args, ValueEnum};
use serde::Serialize;
use snnc_ir::diag::Code;
use snnc_ir::diag::codes::usage;
use snnc_ir::level::AnyDraft;
use snnc_ir::{Diagnostic, Diagnostics, Recipe, binary, text};
use snnc_passes::Registry;
use std::path::{Path, PathBuf};

/// Options of `snnc reduce`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("predicate").required(true).args(["fails", "test"]))]
pub(super) struct ReduceArgs {
    /// Text form (.snn) or binary form (.snnb) of a float network, or of an integer network.
    network: PathBuf,
    /// The reduced network; without it NETWORK.reduced.snn (or .snnb, as the source is).
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What the network does, and still has to do afterwards.
    #[arg(long, value_enum, value_name = "HOW")]
    fails: Option<HowArg>,
    /// The code of the first error that has to stay; without it the one that the network has now.
    #[arg(long, value_name = "SNNnnnn", requires = "fails")]
    code: Option<String>,
    /// Any failure of this kind will do, of whatever code.
    #[arg(long, requires = "fails", conflicts_with = "code")]
    any_code: bool,
    /// A shell command that succeeds while the network is of interest; {} is its file.
    #[arg(long, value_name = "COMMAND")]
    test: Option<String>,
    /// Target to compile for.
    #[arg(long, short, value_name = "NAME|FILE", default_value = "loihi2")]
    target: String,
    /// Where delays go.
    #[arg(long, value_enum, default_value_t)]
    delays: DelaysArg,
    /// Seed of the stimuli on which levels are compared.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// How a network fails.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum HowArg {
    /// A pass rejects or breaks it.
    Compile,
    /// Its program cannot be written or read, or the certificate is refused.
    Certify,
    /// Simulations of its levels differ or stop.
    Verify,
    /// The compiler panics.
    Panics,
}

impl From<HowArg> for Fails {
    fn from(how: HowArg) -> Self {
        match how {
            HowArg::Compile => Self::Compile,
            HowArg::Certify => Self::Certify,
            HowArg::Verify => Self::Verify,
            HowArg::Panics => Self::Panics,
        }
    }
}

/// Report of `snnc reduce`.
#[derive(Debug, Serialize)]
pub(super) struct ReduceReport {
    /// The file written.
    file: String,
    /// How large the network was.
    before: Size,
    /// How large it is.
    after: Size,
    /// Networks that were tried.
    tried: u64,
    /// Step and first code of the failure, if it is one of the compiler.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

pub(super) fn run(args: &ReduceArgs) -> Result<Reply<ReduceReport>, Diagnostics> {
    let (draft, _) = source::read_draft(&args.network)?;
    let place = shown(&args.network);
    if matches!(draft, AnyDraft::Mapped(_)) {
        return Err(Diagnostic::error(
            usage::REDUCE_LEVEL,
            format!("{place} holds a network on cores, which depends on its parts"),
        )
        .in_file(place)
        .help("reduce the network that it was made from: `snnc compile --emit quantized` writes it")
        .into());
    }
    source::verify(draft.clone()).map_err(|found| found.in_file(&place))?;
    let output = args.output.clone().unwrap_or_else(|| beside(&args.network));
    let kind = FileKind::of(&output)?;
    if !matches!(kind, FileKind::Text | FileKind::Binary) {
        return Err(Diagnostic::error(
            usage::UNKNOWN_FILE_KIND,
            format!("{} is no file of a level", shown(&output)),
        )
        .in_file(shown(&output))
        .help("name a file that ends in .snn or .snnb")
        .into());
    }
    let (reduced, failure) = match (&args.test, args.fails) {
        (Some(command), _) => (by_command(draft, command, &place)?, None),
        (None, Some(how)) => {
            let (reduced, fault) = by_failure(args, draft, how.into(), &place)?;
            let code = fault.codes.first().map_or(String::new(), |code| format!(" {code}"));
            (reduced, Some(format!("{}{code}", fault.step.name())))
        }
        // The command line asks for one of them.
        (None, None) => return Err(nothing_asked()),
    };
    let bytes = match kind {
        FileKind::Binary => binary::encode_any(&reduced.draft),
        _ => text::print(&reduced.draft).into_bytes(),
    };
    files::write(&output, &bytes)?;
    let Reduced { before, after, tried, .. } = reduced;
    let report = ReduceReport { file: shown(&output), before, after, tried, failure };
    let why = report.failure.as_ref().map_or(String::new(), |f| format!("fails: {f}\n"));
    let summary = format!(
        "{}\nbefore: {before}\nafter:  {after}\n{why}{tried} networks tried\n",
        report.file
    );
    Ok(Reply { summary, ..Reply::new(report) })
}

fn nothing_asked() -> Diagnostics {
    Diagnostic::error(usage::CONFLICTING_OPTIONS, "nothing says what the network has to do")
        .help("give `--fails` or `--test`")
        .into()
}

/// The file beside the source that is written by default.
fn beside(network: &Path) -> PathBuf {
    let end = network.extension().unwrap_or_default().to_string_lossy().into_owned();
    network.with_extension(format!("reduced.{end}"))
}

/// The network does not do what was said.
fn holds_not(place: &str, why: String) -> Diagnostics {
    Diagnostic::error(usage::REDUCE_HOLDS, format!("{place} does not do what is to be kept"))
        .in_file(place)
        .note(why)
        .help("check target, options and command; a network that does it can be reduced")
        .into()
}

fn by_failure(
    args: &ReduceArgs,
    draft: AnyDraft,
    fails: Fails,
    place: &str,
) -> Result<(Reduced, Fault), Diagnostics> {
    let target = Target::find(&args.target)?.spec;
    let recipe = Recipe::default();
    let delays = args.delays.into();
    let way = Way { target: &target, lowering: Lowering::default(), delays, recipe: &recipe };
    let registry = Registry::standard();
    let wanted = match &args.code {
        None => None,
        Some(text) => Some(Code::parse(text).ok_or_else(|| unknown_code(text))?),
    };
    let first = predicate::fault(&registry, &draft, &way, args.seed);
    let Some(fault) = first.as_ref().filter(|fault| predicate::is(fault, fails, wanted)).cloned()
    else {
        let why = first.map_or_else(|| "nothing fails".to_owned(), |fault| fault.to_string());
        return Err(holds_not(place, why));
    };
    let code = if args.any_code { None } else { fault.codes.first().copied() };
    let mut still = |draft: &AnyDraft| {
        let found = predicate::fault(&registry, draft, &way, args.seed);
        // Without a code the step has to be the same: a panic elsewhere is no difference of spikes.
        found.is_some_and(|f| {
            predicate::is(&f, fails, code) && (args.any_code || f.step == fault.step)
        })
    };
    Ok((reduce(draft, &mut still), fault))
}

fn unknown_code(text: &str) -> Diagnostics {
    Diagnostic::error(usage::UNKNOWN_NAME, format!("`{text}` is no diagnostic code"))
        .help("write it as in `SNN0713`; `snnc list codes` names all")
        .into()
}

fn by_command(draft: AnyDraft, command: &str, place: &str) -> Result<Reduced, Diagnostics> {
    if !command.contains("{}") {
        return Err(Diagnostic::error(usage::REDUCE_COMMAND, "the command names no file to test")
            .note(format!("expected {{}} in `{command}`"))
            .help("write {} where the command takes the network")
            .into());
    }
    let folder = tempfile::tempdir().map_err(|e| files::cannot_write(&std::env::temp_dir(), &e))?;
    let file = folder.path().join("candidate.snn");
    let mut stopped = None;
    let mut test = |draft: &AnyDraft| {
        if stopped.is_some() {
            return false;
        }
        let written = std::fs::write(&file, text::print(draft));
        match written.and_then(|()| predicate::succeeds(command, &file)) {
            Ok(success) => success,
            Err(error) => {
                stopped = Some(error);
                false
            }
        }
    };
    let holds = test(&draft);
    let reduced = if holds { Some(reduce(draft, &mut test)) } else { None };
    if let Some(error) = stopped {
        return Err(Diagnostic::error(usage::REDUCE_COMMAND, "the command cannot be run")
            .note(error.to_string())
            .help("check that there is a shell, and room for temporary files")
            .into());
    }
    reduced.ok_or_else(|| holds_not(place, format!("`{command}` does not succeed on it")))
}
