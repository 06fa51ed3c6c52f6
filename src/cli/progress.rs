//! How far a slow step is, on a terminal.

use crate::calibrate::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::io::{self, IsTerminal};

/// What is at work, how much of it is done, and how fast that goes.
const TEMPLATE: &str = "{wide_msg} {pos}/{len} [{bar:20}] {percent:>3} % {rate:>8}";

/// A bar on stderr; nothing where stderr is no terminal.
pub(super) struct Terminal(Option<ProgressBar>);

impl Terminal {
    /// A bar that shows up with the first step.
    pub(super) fn new() -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template(TEMPLATE);
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            let rate = |state: &ProgressState, text: &mut dyn Write| {
                // A rate that cannot be shown is left out.
                let _ = write!(text, "{:.0}/s", state.per_sec());
            };
            bar.with_style(style.with_key("rate", rate))
        });
        Self(bar)
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Terminal {
    fn step(&self, stage: &str, done: u64, total: u64) {
        if let Some(bar) = &self.0 {
            let another = bar.message() != stage;
            if another {
                // It goes at a pace of its own.
                bar.reset_eta();
            }
            bar.set_length(total);
            bar.set_position(done.min(total));
            if another {
                bar.set_message(stage.to_owned());
            }
        }
    }
}

/// Says which of several slow steps one belongs to.
pub(super) struct Within<'a> {
    /// Who wants to know.
    pub(super) outer: &'a dyn Progress,
    /// What the step is a part of.
    pub(super) name: String,
}

impl Progress for Within<'_> {
    fn step(&self, stage: &str, done: u64, total: u64) {
        self.outer.step(&format!("{}: {stage}", self.name), done, total);
    }
}
