//! Tests of NIR files. The fixtures are written by `tests/oracles/nir_fixtures.py`.

#![allow(clippy::unwrap_used, reason = "helpers of tests may unwrap as tests do")]

mod broken;
mod checks;
mod damage;
mod fixtures;
mod fuzz_lower;
mod graphs;
mod random;
