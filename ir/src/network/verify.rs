//! The verifier of this level.

use super::NetworkDraft;
use crate::diag::Diagnostics;
use crate::level::Rules;

/// Checks every rule of the level.
pub(super) fn check(_draft: &NetworkDraft, _rules: &Rules<'_>, _out: &mut Diagnostics) {
    // TODO
}
