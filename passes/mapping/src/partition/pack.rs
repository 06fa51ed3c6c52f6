//! Fewer cores: what the least one holds moves to where there is room.

use super::Limits;
use super::level::Level;
use super::multilevel::Candidate;

/// Empties one core, if room elsewhere allows.
pub(super) fn evacuate(_level: &Level, _limits: &Limits, _from: &Candidate) -> Option<Candidate> {
    None
}
