//! Use in continuous integration: reports that other programs read, builds that repeat only what has changed, the action.
#![cfg(unix)]
#![expect(clippy::print_stdout, reason = "what is skipped is said")]

#[path = "ci_use/action.rs"]
mod action;
#[path = "ci_use/builds.rs"]
mod builds;
mod common;
#[path = "ci_use/reports.rs"]
mod reports;
