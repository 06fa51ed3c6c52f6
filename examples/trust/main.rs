//! The long checks of `docs/trust.md`: `cargo run --release --example trust -- CHECK [OPTION...]`.

mod corpus;
mod mutants;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Puts the compiler itself to the test.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    check: Check,
}

/// What is checked.
#[derive(Debug, Subcommand)]
enum Check {
    Corpus(corpus::CorpusArgs),
    Mutants(mutants::Arguments),
}

fn main() -> std::io::Result<ExitCode> {
    match Arguments::parse().check {
        Check::Corpus(args) => Ok(corpus::run(&args)),
        Check::Mutants(arguments) => mutants::run(&arguments),
    }
}
