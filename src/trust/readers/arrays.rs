//! Arrays: side-car files of genomes, archives, stimuli.

use super::levels::survives_writing;
use super::{Outcome, refused, scratch, with_file};
use crate::stimulus::{self, InputSpec, Interface};
use snnc_frontend::arrays::{read_npz, write_npz};
use snnc_frontend::read_genome_bytes;
use snnc_ir::Shape;
use snnc_ir::network::Coding;
use snnc_passes::AnyLevel;

/// Genomes that read tensors of every role from a file beside them.
const GENOMES: [&str; 2] = [include_str!("dense.genome.json"), include_str!("encoded.genome.json")];

/// Side-car files of two fixed genomes: networks that survive being written.
pub(super) fn safetensors(bytes: &[u8]) -> Outcome {
    let folder = tempfile::tempdir_in(scratch()).expect("the temporary folder is writable");
    std::fs::write(folder.path().join("side.safetensors"), bytes).expect("there is room");
    let mut outcome = Outcome::Refused;
    for genome in GENOMES {
        let read = || read_genome_bytes(genome.as_bytes(), folder.path(), "g.json");
        match read() {
            Ok(loaded) => {
                let again = read().expect("it was read before");
                assert!(loaded.hash == again.hash, "two hashes of one file");
                survives_writing(&AnyLevel::Network(loaded.network));
                outcome = Outcome::Read;
            }
            Err(found) => drop(refused(&found)),
        }
    }
    outcome
}

/// Archives of arrays: what is read is written, and read again as the same.
pub(super) fn npz(bytes: &[u8]) -> Outcome {
    let arrays = match with_file(".npz", bytes, read_npz) {
        Ok(arrays) => arrays,
        Err(found) => return refused(&found),
    };
    let held: usize = arrays.iter().map(|(_, array)| array.data.len()).sum();
    for (name, array) in &arrays {
        assert!(array.shape.iter().product::<usize>() == array.data.len(), "the shape of {name}");
    }
    if held > 1 << 20 {
        return Outcome::Read;
    }
    // Two arrays of one name, say, can be read from an archive that was made by another program.
    let written = match write_npz(&arrays) {
        Ok(written) => written,
        Err(found) => return refused(&found),
    };
    let again = with_file(".npz", &written, read_npz);
    let again = again.unwrap_or_else(|found| panic!("written: {found}"));
    // Floats may be no numbers, so bytes are compared.
    assert!(write_npz(&again).is_ok_and(|bytes| bytes == written), "other arrays");
    Outcome::Read
}

/// Steps of the networks that stimuli are read for.
const STEPS: u32 = 20;

fn interfaces() -> [Interface; 3] {
    let input = |name: &str, shape: &[u32], coding| InputSpec {
        name: name.to_owned(),
        shape: Shape(shape.to_vec()),
        coding,
    };
    let of = |inputs| Interface { inputs, steps: STEPS, classes: 3, dt: Some(1e-3) };
    let direct = Coding::Direct { range: Some([-1, 1]) };
    [
        of(vec![input("in", &[12], Coding::Events)]),
        of(vec![input("in", &[1, 3, 4], Coding::Accumulator { pmax: 16, steps_in: 12 })]),
        of(vec![input("a", &[12], Coding::Rate { seed: 5 }), input("b", &[2, 2], direct)]),
    ]
}

/// Stimuli of three fixed networks: every sample is one that fits.
pub(super) fn stimulus(bytes: &[u8]) -> Outcome {
    stimuli(".npz", bytes)
}

/// Reads a stimulus, and every sample of it.
pub(super) fn stimuli(end: &str, bytes: &[u8]) -> Outcome {
    let mut outcome = Outcome::Refused;
    with_file(end, bytes, |path| {
        for interface in interfaces() {
            for range in [None, Some(1..3)] {
                let asked = range.as_ref().map(|r| r.end - r.start);
                let stimuli = match stimulus::read(path, &interface, range) {
                    Ok(stimuli) => stimuli,
                    Err(found) => {
                        refused(&found);
                        continue;
                    }
                };
                assert!(asked.is_none_or(|n| n == stimuli.samples()), "other samples");
                let labels = stimuli.labels().map(<[usize]>::len);
                assert!(labels.is_none_or(|n| n == stimuli.samples()), "labels of other samples");
                for sample in 0..stimuli.samples().min(8) {
                    if let Ok(signals) = stimuli.stimulus(sample) {
                        assert_eq!(signals.inputs.len(), interface.inputs.len());
                    }
                }
                outcome = Outcome::Read;
            }
        }
    });
    outcome
}
