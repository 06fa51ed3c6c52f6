//! The passes of `snnc`: from the network of a genome to integers on cores.
//!
//! [`framework`] says what a pass is and runs pipelines; every other module is one pass.
//!
//! | pass | from → to | class |
//! | --- | --- | --- |
//! | [`lower-genes`](lower_genes) | network | real-exact |
//! | [`fold-batchnorm`](fold_batchnorm) | network | real-exact |
//! | [`fold-pooling`](fold_pooling) | network | real-exact |
//! | [`push-neurons`](push_neurons) | network | exact |
//! | [`fold-silent`](fold_silent) | network | exact |
//! | [`merge-nodes`](merge_nodes) | network | exact |
//! | [`lower-currents`](lower_currents) | network | real-exact |
//! | [`drop-clips`](drop_clips) | network | real-exact |
//! | [`normalize-neurons`](normalize) | network | real-exact |
//! | [`feed-currents`](feed_currents) | network | exact |
//! | [`remove-dead`](remove_dead) | network | exact |
//! | [`fold-halves`](fold_halves) | network | real-exact |
//! | [`fold-shared`](fold_shared) | network | exact |
//! | [`quantize`] | network → quantized | bounded |
//! | [`fold-integers`](fold_integers) | quantized | exact |
//! | [`strict-compare`](strict_compare) | quantized | exact |
//! | [`schedule`] | quantized | exact |
//! | [`map`] | quantized → mapped | exact |
//! | [`regroup`] | mapped | exact |
//! | [`place`] | mapped | exact |
//!
//! [`rates`] is no pass: how often neurons send.
//! [`rounding`] is no pass: the mathematics with which a calibration fits weights to data.

mod currents;
pub mod drop_clips;
mod effort;
pub mod feed_currents;
#[cfg(test)]
mod fixtures;
pub mod fold_batchnorm;
mod fold_genes;
pub mod fold_halves;
pub mod fold_integers;
pub mod fold_pooling;
pub mod fold_shared;
pub mod fold_silent;
pub mod framework;
mod graph;
mod linear;
pub mod lower_currents;
pub mod lower_genes;
pub mod map;
pub mod merge_nodes;
pub mod normalize;
pub mod place;
pub mod push_neurons;
pub mod quantize;
pub mod rates;
pub mod regroup;
pub mod remove_dead;
pub mod rounding;
pub mod schedule;
pub mod strict_compare;
mod tensors;

pub use framework::{
    AnyLevel, AnyPass, Class, Context, Failure, LevelKind, Observer, OptionInfo, OptionKind,
    Options, Outcome, Pass, PassInfo, Pipeline, Plan, Property, PropertySet, Registry, Replay,
    plan,
};
