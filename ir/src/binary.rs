//! The `.snnb` binary form.
