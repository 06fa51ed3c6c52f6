//! Mutants of artifacts: `docs/trust.md`, "Mutated artifacts".

use clap::Args;
use snnc::trust::mutants::{self, Kind, Tally};
use std::io::{self, Write};
use std::process::ExitCode;

/// Mutates artifacts: what computes something else must be rejected, what is only written otherwise proved equal.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Mutants of each class.
    #[arg(long, default_value_t = 1000)]
    each: u64,
    /// Random networks to try, beside shipped genomes [default: 16 for each mutant of a class].
    #[arg(long)]
    networks: Option<u64>,
    /// Where the random numbers start.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs the check; fails on a miss, or on a class with too few mutants.
pub(crate) fn run(arguments: &Arguments) -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let Arguments { each, seed, .. } = *arguments;
    let networks = arguments.networks.unwrap_or(16 * each);
    let subjects = mutants::subjects(networks, seed);
    writeln!(out, "{} programs; seed {seed}, {networks} random networks tried", subjects.len())?;
    let tallies = mutants::run(&subjects, each, seed);
    writeln!(
        out,
        "{:<11} {:<22} {:>7} {:>10} {:>8} {:>7} {:>9} {:>7} {:>6}",
        "kind",
        "class",
        "made",
        "unreadable",
        "rejected",
        "proved",
        "simulated",
        "unnamed",
        "missed"
    )?;
    let mut sums = [0; 4];
    for tally in &tallies {
        let Tally { class, made, unreadable, rejected, proved, simulated, unnamed, .. } = tally;
        let (kind, missed) = (tally.kind.name(), tally.missed.len());
        writeln!(
            out,
            "{kind:<11} {class:<22} {made:>7} {unreadable:>10} {rejected:>8} {proved:>7} {simulated:>9} {unnamed:>7} {missed:>6}"
        )?;
        sums[0] += made;
        sums[1] += unreadable + rejected;
        sums[2] += proved;
        sums[3] += missed as u64;
    }
    let [made, rejected, proved, missed] = sums;
    writeln!(out, "{made} mutants: {rejected} rejected, {proved} proved equal, {missed} missed")?;
    for tally in &tallies {
        for miss in tally.missed.iter().take(3) {
            writeln!(out, "MISSED {} {}: {miss}", tally.kind.name(), tally.class)?;
        }
    }
    let few: Vec<&str> = tallies
        .iter()
        .filter(|t| t.made < each && t.kind != Kind::Damaged)
        .map(|t| t.class)
        .collect();
    if !few.is_empty() {
        writeln!(out, "fewer than {each}: {}", few.join(", "))?;
    }
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
