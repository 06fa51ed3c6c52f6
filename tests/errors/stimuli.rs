//! Stimuli: arrays that do not fit the network.

use crate::Case;
use crate::common::{GENOME, Place};
use snnc::frontend::arrays::{Array, ArrayData, write_npz};

const EVENTS: &str = "run g.json --stimulus s.npz";
const RAW: &str = "run d.json --stimulus s.npz";

/// A network that takes events of 12 elements in 20 steps (`in`), and one that takes raw samples
/// of 64 elements up to 16 (`in`).
fn stimulus(place: &Place, arrays: Vec<(&str, Vec<usize>, ArrayData)>) {
    place.copy(GENOME, "g.json");
    place.copy("examples/digits/digits.genome.json", "d.json");
    place.copy("examples/digits/digits.safetensors", "digits.safetensors");
    let arrays: Vec<_> = arrays
        .into_iter()
        .map(|(name, shape, data)| (name.to_owned(), Array { shape, data }))
        .collect();
    place.write("s.npz", write_npz(&arrays).expect("arrays of their shapes"));
}

fn zeros(count: usize) -> ArrayData {
    ArrayData::U8(vec![0; count])
}

/// Raw samples of 64 elements with one value in the second sample.
fn raw(value: i32) -> Vec<(&'static str, Vec<usize>, ArrayData)> {
    let mut values = vec![0; 128];
    values[64 + 17] = value;
    vec![("x", vec![2, 64], ArrayData::I32(values))]
}

fn with_labels(shape: Vec<usize>, data: ArrayData) -> Vec<(&'static str, Vec<usize>, ArrayData)> {
    vec![("x", vec![2, 64], zeros(128)), ("y", shape, data)]
}

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "stimulus not there",
        set: |p| p.copy(GENOME, "g.json"),
        run: EVENTS,
        exit: 2,
        code: "SNN0801",
        place: "s.npz",
    },
    Case {
        name: "stimulus is a folder",
        set: |p| {
            p.copy(GENOME, "g.json");
            p.write("s.npz/x", "");
        },
        run: EVENTS,
        exit: 2,
        code: "SNN0801",
        place: "s.npz",
    },
    Case {
        name: "stimulus is no archive",
        set: |p| {
            p.copy(GENOME, "g.json");
            p.write("s.npz", "PK but no zip");
        },
        run: EVENTS,
        exit: 1,
        code: "SNN0120",
        place: "s.npz",
    },
    Case {
        name: "stimulus cut off",
        set: |p| {
            stimulus(p, vec![("spikes", vec![2, 20, 12], zeros(480))]);
            let bytes = p.read("s.npz");
            p.write("s.npz", &bytes[..bytes.len() - 30]);
        },
        run: EVENTS,
        exit: 1,
        code: "SNN0120",
        place: "s.npz",
    },
    Case {
        name: "no array for the input",
        set: |p| stimulus(p, vec![("data", vec![2, 20, 12], zeros(480))]),
        run: EVENTS,
        exit: 2,
        code: "SNN0813",
        place: "s.npz",
    },
    Case {
        name: "two arrays for the input",
        set: |p| {
            stimulus(
                p,
                vec![
                    ("spikes", vec![2, 20, 12], zeros(480)),
                    ("spikes_in", vec![2, 20, 12], zeros(480)),
                ],
            );
        },
        run: EVENTS,
        exit: 2,
        code: "SNN0814",
        place: "s.npz array \"spikes_in\"",
    },
    Case {
        name: "array of no input",
        set: |p| {
            stimulus(
                p,
                vec![("spikes", vec![2, 20, 12], zeros(480)), ("spikes_inn", vec![1], zeros(1))],
            );
        },
        run: EVENTS,
        exit: 2,
        code: "SNN0819",
        place: "s.npz array \"spikes_inn\"",
    },
    Case {
        name: "raw samples for events",
        set: |p| stimulus(p, vec![("x", vec![2, 12], zeros(24))]),
        run: EVENTS,
        exit: 2,
        code: "SNN0818",
        place: "s.npz array \"x\"",
    },
    Case {
        name: "one step too many",
        set: |p| stimulus(p, vec![("spikes", vec![1, 21, 12], zeros(252))]),
        run: EVENTS,
        exit: 2,
        code: "SNN0815",
        place: "s.npz array \"spikes\"",
    },
    Case {
        name: "no samples",
        set: |p| stimulus(p, vec![("spikes", vec![0, 20, 12], zeros(0))]),
        run: EVENTS,
        exit: 2,
        code: "SNN0815",
        place: "s.npz array \"spikes\"",
    },
    Case {
        name: "a spike of two",
        set: |p| {
            stimulus(
                p,
                vec![("spikes", vec![1, 20, 12], {
                    let mut values = vec![0; 240];
                    values[13] = 2;
                    ArrayData::U8(values)
                })],
            );
        },
        run: EVENTS,
        exit: 2,
        code: "SNN0817",
        place: "s.npz array \"spikes\"[0, 1, 1]",
    },
    Case {
        name: "spikes as floats",
        set: |p| stimulus(p, vec![("spikes", vec![1, 20, 12], ArrayData::F32(vec![0.0; 240]))]),
        run: EVENTS,
        exit: 2,
        code: "SNN0816",
        place: "s.npz array \"spikes\"",
    },
    Case {
        name: "more samples than there are",
        set: |p| stimulus(p, vec![("spikes", vec![2, 20, 12], zeros(480))]),
        run: "run g.json --stimulus s.npz --samples 3",
        exit: 2,
        code: "SNN0815",
        place: "s.npz array \"spikes\"",
    },
    Case {
        name: "range of samples that ends behind the last one",
        set: |p| stimulus(p, vec![("spikes", vec![2, 20, 12], zeros(480))]),
        run: "run g.json --stimulus s.npz --samples 1..3",
        exit: 2,
        code: "SNN0815",
        place: "s.npz array \"spikes\"",
    },
    Case {
        name: "samples of another size",
        set: |p| stimulus(p, vec![("x", vec![2, 63], zeros(126))]),
        run: RAW,
        exit: 2,
        code: "SNN0815",
        place: "s.npz array \"x\"",
    },
    Case {
        name: "samples of another form",
        set: |p| stimulus(p, vec![("x", vec![1, 4, 16], zeros(64))]),
        run: RAW,
        exit: 2,
        code: "SNN0815",
        place: "s.npz array \"x\"",
    },
    Case {
        name: "value above pmax",
        set: |p| stimulus(p, raw(17)),
        run: RAW,
        exit: 2,
        code: "SNN0817",
        place: "s.npz array \"x\"[1, 17]",
    },
    Case {
        name: "value below zero",
        set: |p| stimulus(p, raw(-1)),
        run: RAW,
        exit: 2,
        code: "SNN0817",
        place: "s.npz array \"x\"[1, 17]",
    },
    Case {
        name: "raw samples as floats",
        set: |p| stimulus(p, vec![("x", vec![1, 64], ArrayData::F64(vec![0.0; 64]))]),
        run: RAW,
        exit: 2,
        code: "SNN0816",
        place: "s.npz array \"x\"",
    },
    Case {
        name: "a label too few",
        set: |p| stimulus(p, with_labels(vec![1], zeros(1))),
        run: RAW,
        exit: 2,
        code: "SNN0815",
        place: "s.npz array \"y\"",
    },
    Case {
        name: "a label of no class",
        set: |p| stimulus(p, with_labels(vec![2], ArrayData::I64(vec![9, 10]))),
        run: RAW,
        exit: 2,
        code: "SNN0817",
        place: "s.npz array \"y\"[1]",
    },
    Case {
        name: "labels as floats",
        set: |p| stimulus(p, with_labels(vec![2], ArrayData::F32(vec![0.0, 1.0]))),
        run: RAW,
        exit: 2,
        code: "SNN0816",
        place: "s.npz array \"y\"",
    },
    Case {
        name: "a frame that is not finite",
        set: |p| {
            p.copy("examples/small/direct.genome.json", "a.json");
            let mut values = vec![0.5; 32];
            values[5] = f32::NAN;
            stimulus(p, vec![("x", vec![1, 2, 4, 4], ArrayData::F32(values))]);
        },
        run: "run a.json --stimulus s.npz",
        exit: 2,
        code: "SNN0817",
        place: "s.npz array \"x\"[0, 0, 1, 1]",
    },
    Case {
        name: "spikes for frames",
        set: |p| {
            p.copy("examples/small/direct.genome.json", "a.json");
            stimulus(p, vec![("spikes", vec![1, 4, 32], zeros(128))]);
        },
        run: "run a.json --stimulus s.npz",
        exit: 2,
        code: "SNN0818",
        place: "s.npz array \"spikes\"",
    },
    Case {
        name: "frames for an integer level",
        set: |p| {
            p.copy("examples/small/direct.genome.json", "a.json");
            stimulus(p, vec![("x", vec![1, 32], ArrayData::F32(vec![0.0; 32]))]);
        },
        run: "run a.json --level quantized -t loihi2 --stimulus s.npz",
        exit: 1,
        code: "SNN0451",
        place: "population `x`",
    },
];
