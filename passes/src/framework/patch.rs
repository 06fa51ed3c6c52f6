//! Seeded bugs: what a test does to the draft that a pass has made, before its level is verified.
//!
//! Only built with the feature `testing`. Whatever runs passes on this thread while [`broken`] does its
//! work has the bug, in each of its runs: as if the pass had been written like that.

use snnc_ir::program::Program;
use snnc_ir::{MappedDraft, NetworkDraft, QuantizedDraft};
use std::any::Any;
use std::cell::RefCell;

/// How a pass or a writer goes wrong.
#[derive(Clone, Copy, Debug)]
pub enum Break {
    /// In what a pass of the float level made.
    Network(fn(&mut NetworkDraft)),
    /// In what a pass of the integer level made, or quantization.
    Quantized(fn(&mut QuantizedDraft)),
    /// In what a pass of the mapped level made, or in what a writer takes it for.
    Mapped(fn(&mut MappedDraft)),
    /// In what the writer of `program.snnb` writes.
    Program(fn(&mut Program)),
}

/// A bug of one pass or writer.
#[derive(Clone, Copy, Debug)]
pub struct Patch {
    /// Name of the pass, or of the file that the writer writes.
    pub at: &'static str,
    /// What it does wrong.
    pub how: Break,
}

thread_local! {
    /// The bug that the passes of this thread have.
    static PATCH: RefCell<Option<Patch>> = const { RefCell::new(None) };
}

/// Does `work` on a compiler that has this bug.
///
/// Only work of this thread is touched: no pass runs on another one.
pub fn broken<T>(patch: Patch, work: impl FnOnce() -> T) -> T {
    /// Mends the compiler again, also when `work` panics.
    struct Mend(Option<Patch>);
    impl Drop for Mend {
        fn drop(&mut self) {
            PATCH.set(self.0.take());
        }
    }
    let _mend = Mend(PATCH.replace(Some(patch)));
    work()
}

/// The bug at `place`, if the compiler of this thread has it.
pub fn at(place: &str) -> Option<Break> {
    PATCH.with_borrow(|patch| patch.filter(|p| p.at == place).map(|p| p.how))
}

/// The draft that pass `pass` made, broken if that is the pass with the bug.
pub(crate) fn applied<D: Any>(pass: &str, mut draft: D) -> D {
    let any: &mut dyn Any = &mut draft;
    match at(pass) {
        Some(Break::Network(f)) => any.downcast_mut().into_iter().for_each(f),
        Some(Break::Quantized(f)) => any.downcast_mut().into_iter().for_each(f),
        Some(Break::Mapped(f)) => any.downcast_mut().into_iter().for_each(f),
        Some(Break::Program(_)) | None => {}
    }
    draft
}
