//! Files of the Neuromorphic Intermediate Representation.

use super::levels::survives_writing;
use super::{Outcome, arrays, refused};
use snnc_frontend::nir::dialect::Choices;
use snnc_frontend::nir::lower::{Given, lower};
use snnc_frontend::nir::{Any, Compat, check, read_any, write, write_recording};
use snnc_ir::network::discretization::Dialect;
use snnc_passes::AnyLevel;

/// Graphs and recordings: what is read is written and read again as the same; what is valid is lowered under every
/// dialect, to networks that survive being written.
pub(super) fn nir(bytes: &[u8]) -> Outcome {
    let read = match read_any(bytes.to_vec()) {
        Ok(Any::Graph(read)) => read,
        Ok(Any::Recording(recording, _)) => {
            let written = match write_recording(&recording) {
                Ok(written) => written.bytes,
                Err(found) => return refused(&found),
            };
            let Ok(Any::Recording(again, _)) = read_any(written.clone()) else {
                panic!("a recording that was written cannot be read");
            };
            let again = write_recording(&again).expect("it was written before").bytes;
            assert!(again == written, "another recording");
            return Outcome::Read;
        }
        Err(found) => return refused(&found),
    };
    let file = read.file;
    let checked = check(&file);
    if checked.found.has_errors() {
        return refused(&checked.found);
    }
    match write(&file, Compat::default()) {
        Ok(written) => {
            let Ok(Any::Graph(again)) = read_any(written.bytes.clone()) else {
                panic!("a graph that was written cannot be read");
            };
            let again = write(&again.file, Compat::default()).expect("it was written before");
            assert!(again.bytes == written.bytes, "another graph");
        }
        Err(found) => drop(refused(&found)),
    }
    for (_, dialect) in Dialect::ALL {
        let choices = Choices { dialect: Some(*dialect), dt: Some(1e-4), ..Choices::default() };
        match lower(&file, &checked, &Given { name: "n", steps: Some(5), choices }) {
            Ok(lowered) => {
                assert!(!lowered.notes.has_errors(), "{}", lowered.notes);
                survives_writing(&AnyLevel::Network(lowered.network));
            }
            Err(found) => drop(refused(&found)),
        }
    }
    Outcome::Read
}

/// Recordings as stimuli.
pub(super) fn recording(bytes: &[u8]) -> Outcome {
    arrays::stimuli(".nir", bytes)
}
