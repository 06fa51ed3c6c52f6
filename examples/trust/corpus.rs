//! `trust corpus`: random networks for a foreign emulator, as a folder of artifacts, stimuli and spikes.

use clap::{Args, ValueEnum};
use rayon::prelude::*;
use snnc::trust::corpus::{self, CaseEntry, Index, Oracle};
use std::path::PathBuf;
use std::process::ExitCode;

/// Writes random networks within what an emulator computes, for `tests/oracles/random_run.py`.
#[derive(Debug, Args)]
pub(crate) struct CorpusArgs {
    /// The emulator.
    #[arg(long)]
    oracle: OracleArg,
    /// Number of networks.
    #[arg(long, default_value_t = 100)]
    cases: u64,
    /// Number of the first network.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// What all networks follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder to write to; it must not exist.
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OracleArg {
    Nengo,
    Brian2,
    Lava,
    Sanafe,
}

impl From<OracleArg> for Oracle {
    fn from(arg: OracleArg) -> Self {
        match arg {
            OracleArg::Nengo => Self::Nengo,
            OracleArg::Brian2 => Self::Brian2,
            OracleArg::Lava => Self::Lava,
            OracleArg::Sanafe => Self::Sanafe,
        }
    }
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a command")]
pub(crate) fn run(args: &CorpusArgs) -> ExitCode {
    match write(args) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn write(args: &CorpusArgs) -> Result<String, String> {
    let oracle = Oracle::from(args.oracle);
    let io = |e: std::io::Error| format!("{}: {e}", args.output.display());
    std::fs::create_dir(&args.output).map_err(io)?;
    let numbers: Vec<u64> = (args.first..args.first + args.cases).collect();
    let cases: Vec<CaseEntry> = numbers
        .into_par_iter()
        .map(|number| {
            let case = corpus::case(oracle, args.seed, number)
                .map_err(|e| format!("case {number} of seed {}: {e}", args.seed))?;
            corpus::write(&args.output, &case).map_err(io)?;
            Ok(case.entry)
        })
        .collect::<Result<_, String>>()?;
    let sum = |of: fn(&CaseEntry) -> u64| cases.iter().map(of).sum::<u64>();
    let line = format!(
        "{}: {} networks of seed {} ({} drawn were refused), {} neurons, {} synapses, {} spikes",
        oracle.name(),
        cases.len(),
        args.seed,
        sum(|c| c.refused),
        sum(|c| c.neurons),
        sum(|c| c.synapses),
        sum(|c| c.spikes),
    );
    let index = Index { oracle: oracle.name(), seed: args.seed, cases };
    let json = serde_json::to_string_pretty(&index).map_err(|e| e.to_string())?;
    std::fs::write(args.output.join("corpus.json"), json + "\n").map_err(io)?;
    Ok(line)
}
