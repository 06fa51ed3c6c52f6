//! Tests of the genome format from the outside.

#![allow(clippy::unwrap_used, reason = "helpers of tests may unwrap as tests do")]

mod cases;
mod decode;
mod errors;
mod examples;
mod files;
mod robustness;
mod schema;
