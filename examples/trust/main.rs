//! The long checks of `docs/trust.md`: `cargo run --release --example trust -- CHECK [OPTION...]`.

mod corpus;

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
}

fn main() -> ExitCode {
    match Arguments::parse().check {
        Check::Corpus(args) => corpus::run(&args),
    }
}
