//! Kernels for integer networks.

#![expect(
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::manual_div_ceil,
    clippy::manual_range_contains,
    reason = "the language of kernels casts with `as`, and has neither method"
)]
#![expect(clippy::many_single_char_names, reason = "t, n, b: step, neuron, sample")]
#![allow(clippy::wildcard_imports, reason = "names of words")]

mod by_source;
mod by_target;
mod proof;
mod steps;
pub(super) mod words;

pub(super) use by_source::scatter;
pub(super) use proof::arithmetic;
pub(super) use steps::population;
