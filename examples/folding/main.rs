//! The table of `docs/folding.md`: what genomes take on their way to cores, materialized and factored.
//!
//! `cargo run --release --example folding -- [--target T] GENOME...` prints a Markdown table on stdout. A row that
//! cannot be compiled says why on stderr and is left out; the exit code is then 1.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a command")]

use snnc::folding::FoldingAccount;
use snnc::pipeline::Lowering;
use snnc::source::{self, Source};
use snnc::{Options, Target};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut target = "loihi2".to_owned();
    let mut genomes = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--target" => target = arguments.next().unwrap_or_default(),
            _ => genomes.push(argument),
        }
    }
    if genomes.is_empty() {
        eprintln!("usage: folding [--target T] GENOME...");
        return ExitCode::from(2);
    }
    let target = match Target::find(&target) {
        Ok(target) => target,
        Err(found) => {
            eprint!("{found}");
            return ExitCode::from(2);
        }
    };
    println!(
        "| genome | lowering | genome | network | integers | artifact | of the genome | core memory | unshared | cores | relays |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let mut exit = ExitCode::SUCCESS;
    for path in &genomes {
        for lowering in
            [Lowering::Materialized, Lowering::Factored, Lowering::Smallest, Lowering::Auto]
        {
            match row(Path::new(path), lowering, &target) {
                Ok(row) => println!("{row}"),
                Err(why) => {
                    eprintln!("{path}, {}: {why}", lowering.name());
                    exit = ExitCode::from(1);
                }
            }
        }
    }
    exit
}

fn row(path: &Path, lowering: Lowering, target: &Target) -> Result<String, String> {
    let source = source::read(path).map_err(|found| found.to_string())?;
    let options = Options { lowering, ..Options::default() };
    let account = FoldingAccount::of_source(&source, target, &options);
    let (account, _) = account.map_err(|failure| failure.diagnostics.to_string())?;
    Ok(cells(&source, lowering, &account))
}

fn cells(source: &Source, lowering: Lowering, account: &FoldingAccount) -> String {
    let FoldingAccount { genome, decoded, integers, pool, program_bytes, memory, .. } = account;
    let genome = genome.unwrap_or_default();
    // Percent of the bytes that the genome takes as f32.
    let share = program_bytes.saturating_mul(100) / genome.bytes.max(1);
    let cells = [
        source.name().to_owned(),
        lowering.name().to_owned(),
        count(genome.values),
        count(decoded.unwrap_or_default().values),
        count(integers.stored_values),
        format!("{} in {} B", count(pool.values), count(*program_bytes)),
        format!("{share} %"),
        format!("{} words", count(memory.words)),
        count(memory.unshared_words),
        count(memory.cores),
        count(memory.relays),
    ];
    format!("| {} |", cells.join(" | "))
}

/// A number with commas between groups of three digits.
fn count(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    groups.join(",")
}
