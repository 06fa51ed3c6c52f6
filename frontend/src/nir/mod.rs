//! NIR graphs and recordings: the exchange format of spiking networks, in HDF5 files.
//!
//! [`read`] takes a file to a typed [`NirFile`], which says what the file says and no more.
//! [`check`] infers every shape and reports everything that is wrong with the graph at once.
//! [`open`] lists what a graph leaves to its reader, [`dialect`] what simulators choose, and [`lower`](lower::lower) makes a network
//! of it. [`write()`] makes a file that the `nir` package
//! reads back equal. The format and its checks are described in `docs/nir.md`.
//!
//! Files are untrusted: extents are compared with the length of the file before anything is
//! allocated, and groups are followed only so deep and so often.

mod check;
mod decode;
pub mod dialect;
mod element;
mod emit;
mod encode;
mod entries;
mod export;
mod facts;
mod graph;
pub mod lower;
mod open;
mod recording;
mod shape;
mod store;
mod tree;

pub use check::{Checked, Cycle, Flat, FlatNode, NodeShapes, Shapes, check};
pub use encode::{Compat, write};
pub use export::{
    DEFAULT_DT, Exported, Integers, discretization, export_integers, export_network, integers,
    steps,
};
pub use facts::{Facts, Parameter, facts};
pub use graph::{Conv, Flatten, NirFile, NirGraph, NirNode, Padding, Pool, Primitive};
pub use open::{Open, open};
pub use recording::{Observable, Recorded, Recording, write_recording};
pub use tree::{Item, Texts, Tree, Value};

use snnc_ir::diag::codes::nir as codes;
use snnc_ir::{Diagnostic, Diagnostics};

/// What a file holds, and warnings.
#[derive(Clone, Debug)]
pub struct Read {
    /// The graph.
    pub file: NirFile,
    /// Findings that do not stop anything.
    pub warnings: Diagnostics,
}

/// A file, and what was filled in.
#[derive(Clone, Debug)]
pub struct Written {
    /// The bytes of the file; equal graphs give equal bytes.
    pub bytes: Vec<u8>,
    /// Notes.
    pub notes: Diagnostics,
}

/// What a file can hold.
#[derive(Clone, Debug)]
pub enum Any {
    /// A graph.
    Graph(Box<Read>),
    /// A recording, and warnings.
    Recording(Recording, Diagnostics),
}

/// Reads the bytes of a file with a graph or a recording. The graph is what the file says; [`check`] it
/// before use.
///
/// # Errors
/// `SNN0260` to `SNN0272` and `SNN0285`: all of them at once.
pub fn read_any(bytes: Vec<u8>) -> Result<Any, Diagnostics> {
    let (tree, mut found) = store::read(bytes)?;
    if recording::is_recording(&tree) {
        let recording = recording::recording(&tree, &mut found);
        let warnings = found.take_warnings();
        return found.into_result(Any::Recording(recording, warnings));
    }
    let file = decode::file(tree, &mut found);
    let warnings = found.take_warnings();
    match file {
        Some(file) if found.is_empty() => Ok(Any::Graph(Box::new(Read { file, warnings }))),
        _ => Err(found),
    }
}

/// Reads the bytes of a file with a graph.
///
/// # Errors
/// As [`read_any`]; `SNN0285` if it holds a recording.
pub fn read(bytes: Vec<u8>) -> Result<Read, Diagnostics> {
    match read_any(bytes)? {
        Any::Graph(read) => Ok(*read),
        Any::Recording(..) => {
            Err(Diagnostic::error(codes::RECORDING, "the file holds a recording, and no graph")
                .into())
        }
    }
}
