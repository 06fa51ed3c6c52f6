//! `trust random`: random networks at scale.

use clap::Args;
use snnc::trust::random::{Bench, Case, DEFAULT_SEED, MANY, TARGETS, run, shrink, write};
use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// Compiles random networks for both targets, certifies them, and runs every level on stimuli.
#[derive(Debug, Args)]
pub(crate) struct RandomArgs {
    /// Networks.
    #[arg(long, default_value_t = 1000)]
    cases: u64,
    /// Seed of all of them.
    #[arg(long, default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Threads; what comes out does not depend on them.
    #[arg(long)]
    threads: Option<usize>,
    /// Only this one, and what became of it.
    #[arg(long, value_name = "NUMBER")]
    case: Option<u64>,
    /// Another network in its place, such as a reduced one.
    #[arg(long, value_name = "FILE", requires = "case")]
    network: Option<PathBuf>,
    /// Where reduced networks of failing cases go.
    #[arg(long, value_name = "FOLDER", default_value = "trust-failures")]
    failures: PathBuf,
}

/// Failing cases that are reduced: the first ones say enough.
const REDUCED: usize = 5;

pub(crate) fn main(args: &RandomArgs) -> Result<ExitCode, Box<dyn Error>> {
    // Panics are caught and reported with their case.
    std::panic::set_hook(Box::new(|_| {}));
    let bench = Bench::new()?;
    let mut out = std::io::stdout().lock();
    if let Some(number) = args.case {
        let case = Case { seed: args.seed, number };
        let mut drawn = case.draw();
        if let Some(file) = &args.network {
            drawn.draft = snnc::source::read_draft(file)?.0;
        }
        let outcome = case.check(&bench, &drawn);
        writeln!(out, "{}", snnc::ir::text::print(&drawn.draft))?;
        writeln!(
            out,
            "compiled {:?}, refused {:?}, {:?}",
            outcome.compiled, outcome.refused, outcome.seen
        )?;
        for (target, fault) in &outcome.faults {
            writeln!(out, "failed on {}: {fault}", TARGETS[*target])?;
        }
        return Ok(if outcome.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let mut builder = rayon::ThreadPoolBuilder::new();
    if let Some(threads) = args.threads {
        builder = builder.num_threads(threads);
    }
    let start = Instant::now();
    let mut told = Instant::now();
    let summary = builder.build()?.install(|| {
        run(&bench, args.seed, args.cases, &mut |done| {
            if told.elapsed().as_secs() >= 10 {
                told = Instant::now();
                let seconds = start.elapsed().as_secs();
                // Nobody may be listening.
                let _ = writeln!(std::io::stderr(), "{done} of {} cases, {seconds} s", args.cases);
            }
        })
    });
    for (case, target, fault) in &summary.faults {
        writeln!(out, "case {} on {}: {fault}", case.number, TARGETS[*target])?;
    }
    for (case, target, fault) in summary.faults.iter().take(REDUCED) {
        let reduced = shrink(&bench, *case, *target, fault);
        let file = write(&args.failures, *case, *target, fault, &reduced)?;
        writeln!(out, "reduced to {}: {}", reduced.after, file.display())?;
    }
    write!(out, "{summary}")?;
    if args.cases >= MANY {
        for feature in summary.missing() {
            writeln!(out, "never drawn: {}", feature.name())?;
        }
    }
    writeln!(out, "{:.1} s", start.elapsed().as_secs_f64())?;
    Ok(if summary.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
