//! The intermediate representation of `snnc`.
//!
//! Three levels, each an editable *draft* and a sealed, verified type:
//!
//! | level | type | time | numbers |
//! | --- | --- | --- | --- |
//! | network | [`Network`] | logical | f32 |
//! | quantized | [`QuantizedNetwork`] | logical, then hardware | integers |
//! | mapped | [`MappedNetwork`] | hardware | integers on cores |
//!
//! A sealed value is only made by [`Level::verify`]; reading a file goes through the same door.
//! [`program`] describes what the bytes of an emitted artifact decode to.

pub mod arena;
pub mod binary;
pub mod check;
pub mod conv;
pub mod diag;
mod graph;
pub mod level;
pub mod mapped;
pub mod network;
pub mod order;
pub mod param;
pub mod program;
pub mod quantized;
pub mod recipe;
pub mod shape;
pub mod spikes;
pub mod target;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;

pub use arena::{Arena, Entity};
pub use check::{MAX_DELAY, MAX_ELEMENTS};
pub use diag::{Diagnostic, Diagnostics, Severity};
pub use level::{AnyDraft, Level, Rules};
pub use mapped::{MappedDraft, MappedNetwork};
pub use network::{Network, NetworkDraft};
pub use param::Param;
pub use quantized::{QuantizedDraft, QuantizedNetwork};
pub use recipe::Recipe;
pub use shape::Shape;
pub use target::TargetSpec;
