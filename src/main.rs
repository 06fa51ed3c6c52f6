//! The `snnc` command: everything but its exit code is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    snnc::cli::main()
}
