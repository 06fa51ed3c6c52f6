//! The certificate: what it accepts, what it rejects, and that what it accepts is right.
//!
//! The programs under test come from a small compiler of their own ([`compile`]), and two direct
//! simulators ([`simulate`]) say what source and program really do.

mod accept;
mod compile;
mod conditions;
mod fields;
mod messages;
mod random;
mod reject;
mod simulate;
mod sound;
mod source;

use snnc_ir::TargetSpec;

/// A built-in target, with room for as many registers as random networks use, and a hash that
/// comments in its file do not change.
pub(crate) fn target(name: &str) -> TargetSpec {
    let mut target = snnc_backends::targets::by_name(name).expect("a built-in target parses");
    target.profiles.value = 256;
    target.thresholds.value = 256;
    target.hash = "0".repeat(64);
    target
}
