//! Tests of the simulators against golden traces, naive models and each other.

#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::needless_range_loop,
    clippy::float_cmp,
    reason = "tests: models are spelled out in plain loops, floats are compared bit for bit"
)]

mod batch;
mod behind;
mod braincog;
mod common;
mod compare;
mod cores;
mod event_float;
mod event_integer;
mod float_golden;
mod float_random;
mod graded_golden;
mod integer_golden;
mod integer_random;
#[cfg(feature = "burn")]
mod suite;
#[cfg(feature = "burn")]
mod tensor;
