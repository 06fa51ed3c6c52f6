//! Work: counted, not measured.
//!
//! A calibration ends when a budget of work is spent, and what it chooses depends on where that is. So
//! work is counted from the networks and the spikes alone, and comes out the same on any machine and with
//! any number of threads. A unit is about 10 ns of one processor core.

use super::Progress;

/// Synaptic events that count as one unit of work.
const EVENTS: u64 = 16;
/// Updates of neurons that count as one unit of work.
const UPDATES: u64 = 4;
/// Stored weights that quantization reads for one unit of work.
const WEIGHTS: u64 = 2;

/// Units of work of a simulation.
pub(super) const fn of_run(events: u64, updates: u64) -> u64 {
    events / EVENTS + updates / UPDATES + 1
}

/// Units of work of a quantization.
pub(super) const fn of_weights(weights: usize) -> u64 {
    weights as u64 / WEIGHTS + 1
}

/// A budget of work, and what was spent of it.
pub(super) struct Work<'p> {
    budget: u64,
    done: u64,
    /// Work after which the present part of the search ends.
    until: u64,
    stage: String,
    progress: &'p dyn Progress,
}

impl<'p> Work<'p> {
    pub(super) fn new(budget: u64, progress: &'p dyn Progress) -> Self {
        Self { budget, done: 0, until: budget, stage: String::new(), progress }
    }

    /// Units of work done.
    pub(super) const fn done(&self) -> u64 {
        self.done
    }

    /// Units of work left of the whole budget.
    pub(super) const fn left(&self) -> u64 {
        self.budget.saturating_sub(self.done)
    }

    /// Units of work left of the present part of the search.
    pub(super) const fn share(&self) -> u64 {
        self.until.saturating_sub(self.done)
    }

    /// Whether the whole budget is spent.
    pub(super) const fn exhausted(&self) -> bool {
        self.done >= self.budget
    }

    /// Begins a part of the search that may spend `share` units.
    pub(super) fn begin(&mut self, stage: &str, share: u64) {
        stage.clone_into(&mut self.stage);
        self.until = self.done.saturating_add(share).min(self.budget);
        self.show();
    }

    /// Whether the present part may still do work that takes about `units`.
    pub(super) const fn allows(&self, units: u64) -> bool {
        self.done.saturating_add(units) <= self.until
    }

    /// Counts work that was done.
    pub(super) fn spend(&mut self, units: u64) {
        self.done = self.done.saturating_add(units);
        self.show();
    }

    fn show(&self) {
        self.progress.step(&self.stage, self.done.min(self.budget), self.budget);
    }
}
