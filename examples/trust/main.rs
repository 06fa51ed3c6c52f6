//! The long checks of `docs/trust.md`: `cargo run --release --example trust -- CHECK [OPTION...]`.

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
enum Check {}

#[expect(unreachable_code, reason = "no check is here yet")]
fn main() -> ExitCode {
    match Arguments::parse().check {}
}
