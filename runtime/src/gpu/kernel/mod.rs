//! Kernels for integer networks.

mod by_source;
mod by_target;
mod proof;
mod steps;
pub(super) mod words;

pub(super) use by_source::scatter;
pub(super) use proof::arithmetic;
pub(super) use steps::population;
