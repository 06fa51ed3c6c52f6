//! The pass framework: what a pass is, how a pipeline is written, checked and run.
//!
//! A pass takes the draft of one level and returns the draft of the same or of the next level. It
//! declares which [`Property`]s its input must have, which ones its output has, and which ones it
//! may destroy. [`plan`] checks a pipeline against these declarations before anything runs;
//! [`Plan::run`] verifies the result of every pass and checks that the declarations were true.
//!
//! | file | holds |
//! | --- | --- |
//! | [`pass`] | [`Pass`], [`PassInfo`], [`Class`], [`AnyPass`], [`Context`] |
//! | [`options`] | declared options of a pass and their parsed values |
//! | [`properties`] | [`Property`], [`PropertySet`]: facts that can be decided on a draft |
//! | [`levels`] | [`LevelKind`], [`AnyLevel`] |
//! | [`pipeline`] | the pipeline string, `fold-batchnorm,schedule{delays=relay},map` |
//! | [`planner`] | [`plan`], [`Plan`], [`Observer`], [`Failure`] |
//! | [`registry`] | [`Registry`]: the passes by name |
//! | `patch` | seeded bugs (feature `testing`) |

pub mod levels;
pub mod options;
pub mod pass;
#[cfg(feature = "testing")]
pub mod patch;
pub mod pipeline;
pub mod planner;
pub mod properties;
pub mod registry;

pub use levels::{AnyLevel, LevelKind};
pub use options::{OptionInfo, OptionKind, OptionValue, Options};
pub use pass::{AnyPass, Class, Context, Pass, PassInfo};
pub use pipeline::{PassCall, Pipeline};
pub use planner::{Failure, Observer, Outcome, Plan, Replay, plan};
pub use properties::{Property, PropertySet};
pub use registry::Registry;
