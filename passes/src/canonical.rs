//! The canonical form of currents.

use snnc_ir::{Diagnostics, NetworkDraft};

/// Checks it.
pub fn check(_draft: &NetworkDraft) -> Diagnostics {
    Diagnostics::new()
}
