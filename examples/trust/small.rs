//! `trust small`: all small networks.

use clap::{Args, ValueEnum};
use snnc::trust::small::{Scope, run};
use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

/// Compiles all networks of up to three neurons over a small alphabet, and runs all input sequences of six steps.
#[derive(Debug, Args)]
pub(crate) struct SmallArgs {
    /// Which networks.
    #[arg(long, value_enum, default_value_t)]
    scope: ScopeArg,
    /// Target.
    #[arg(long, default_value = "loihi2")]
    target: String,
    /// Threads; what comes out does not depend on them.
    #[arg(long)]
    threads: Option<usize>,
}

/// Which networks.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum ScopeArg {
    /// Up to two neurons, for every change.
    Short,
    /// Up to three neurons.
    #[default]
    Full,
}

pub(crate) fn main(args: &SmallArgs) -> Result<ExitCode, Box<dyn Error>> {
    std::panic::set_hook(Box::new(|_| {}));
    let target = snnc::backends::targets::by_name(&args.target)?;
    let scope = match args.scope {
        ScopeArg::Short => Scope::Short,
        ScopeArg::Full => Scope::Full,
    };
    let mut builder = rayon::ThreadPoolBuilder::new();
    if let Some(threads) = args.threads {
        builder = builder.num_threads(threads);
    }
    let start = Instant::now();
    let mut told = Instant::now();
    let summary = builder.build()?.install(|| {
        run(scope, &target, &mut |done, of| {
            if told.elapsed().as_secs() >= 10 {
                told = Instant::now();
                let seconds = start.elapsed().as_secs();
                // Nobody may be listening.
                let _ = writeln!(std::io::stderr(), "{done} of {of}, {seconds} s");
            }
        })
    });
    let mut out = std::io::stdout().lock();
    write!(out, "{}: {summary}", args.target)?;
    writeln!(out, "{:.1} s", start.elapsed().as_secs_f64())?;
    Ok(if summary.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
