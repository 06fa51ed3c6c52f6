//! Tests of the genome format from the outside.

#![allow(clippy::unwrap_used, reason = "helpers of tests may unwrap as tests do")]

mod braincog;
mod cases;
mod decode;
mod errors;
mod examples;
mod files;
mod library;
mod models;
mod resnet;
mod robustness;
mod schema;
mod search;
mod search_cases;
mod state_dict;
