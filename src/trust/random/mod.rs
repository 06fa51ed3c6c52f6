//! Random networks at scale: every one compiled for both targets, certified, and run at every level.
//!
//! [`Case::draw`] makes the network of a seed and a number, [`Case::check`] does the rest, [`run`] does it for
//! many and counts what was covered. A network may be refused, but only for a stated reason.

mod case;
mod cores;
mod features;
mod refusals;
mod shrink;
mod summary;

pub use case::{Bench, Case, Drawn, Outcome, QuantizedNetworkDraft, TARGETS, integer_network};
pub use cores::Cores;
pub use features::{Feature, Features};
use rayon::prelude::*;
pub use shrink::{shrink, write};
pub use summary::Summary;

/// Cases that are checked before the next ones are begun: between them progress is told.
const PORTION: u64 = 512;

/// The seed of a run that names none.
pub const DEFAULT_SEED: u64 = 2411;

/// Cases from which on every feature must have been met.
pub const MANY: u64 = 10_000;

/// Checks cases `0..cases` of `seed` on the threads of the current pool; what comes out does not depend on their
/// number. `progress` is told the number of cases behind it.
pub fn run(bench: &Bench, seed: u64, cases: u64, progress: &mut dyn FnMut(u64)) -> Summary {
    let mut summary = Summary::new(seed, cases);
    let mut start = 0;
    while start < cases {
        let end = cases.min(start + PORTION);
        let outcomes: Vec<(Case, Outcome)> = (start..end)
            .into_par_iter()
            .map(|number| {
                let case = Case { seed, number };
                (case, case.check(bench, &case.draw()))
            })
            .collect();
        for (case, outcome) in outcomes {
            summary.add(case, outcome);
        }
        start = end;
        progress(start);
    }
    summary
}
