//! The long checks of `docs/trust.md`: `cargo run --release --example trust -- CHECK [OPTION...]`.

mod corpus;
mod mutants;
mod random;
mod small;

use clap::{Parser, Subcommand};
use std::error::Error;
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
    /// Random networks through the whole compiler, for both targets.
    Random(random::RandomArgs),
    /// All small networks on all short inputs.
    Small(small::SmallArgs),
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    match Arguments::parse().check {
        Check::Corpus(args) => Ok(corpus::run(&args)),
        Check::Mutants(arguments) => Ok(mutants::run(&arguments)?),
        Check::Random(args) => random::main(&args),
        Check::Small(args) => small::main(&args),
    }
}
