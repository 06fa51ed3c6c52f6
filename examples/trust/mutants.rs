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
    /// Networks to try that `network.net` may hold [default: 4 for each mutant of a class].
    #[arg(long)]
    layered: Option<u64>,
    /// Where the random numbers start.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs the check; fails on a miss, or where a file that nobody changed is not proved.
pub(crate) fn run(arguments: &Arguments) -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let Arguments { each, seed, .. } = *arguments;
    let networks = arguments.networks.unwrap_or(16 * each);
    let layered = arguments.layered.unwrap_or(4 * each);
    let mut subjects = mutants::subjects(networks, seed);
    writeln!(out, "{} programs; seed {seed}, {networks} random networks tried", subjects.len())?;
    let (files, faults) = mutants::exports::files(layered, seed);
    writeln!(
        out,
        "{} files of {layered} networks of layers, proved and alike as they are; {} faults",
        files.len(),
        faults.len()
    )?;
    for fault in faults.iter().take(3) {
        writeln!(out, "FAULT {fault}")?;
    }
    subjects.extend(files);
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
    Ok(if missed == 0 && faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
