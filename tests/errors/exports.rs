//! Files for other programs that are asked for and cannot be written.

use crate::common::{GENOME, Place};
use crate::{Case, edited};

const SANAFE: &str = "compile g.json -t loihi2 --emit sanafe -o out";

/// A convolution of more synapses than are listed: 16 kernels of 9 × 9 over 64 × 64 pixels.
fn large(place: &Place) {
    let kernel = vec!["0.015625"; 16 * 81].join(", ");
    place.write(
        "g.json",
        format!(
            r#"{{"format": "snnc-genome", "version": "1.0", "kind": "gee", "name": "large",
            "time": {{"steps": 2, "order": "step_major"}}, "input": {{"coding": "events", "shape": [1, 64, 64]}},
            "readout": {{"kind": "spike_count", "node": "a", "classes": 65536}},
            "neurons": {{"a": {{"model": "if", "threshold": 1.0, "compare": "gt",
                "reset": {{"kind": "to", "value": 0.0}}, "v_init": 0.0, "refractory": 0, "dt": 1.0}}}},
            "tensors": {{"inline": {{"k": {{"shape": [16, 1, 9, 9], "values": [{kernel}]}}}}}},
            "genes": {{"count": 1, "interactions": {{}}, "encodings": {{}}}},
            "nodes": [{{"id": "in", "op": "input"}},
                {{"id": "c", "op": "conv2d", "in": ["in"], "k": [9, 9], "pad": [4, 4, 4, 4], "stride": [1, 1],
                    "weight": {{"dense": "k"}}}},
                {{"id": "a", "op": "neuron", "in": ["c"], "neuron": "a"}}]}}"#
        ),
    );
}

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "currents with memory for SANA-FE",
        set: |p| p.copy("tests/fixtures/filtered.snn", "n.snn"),
        run: "compile n.snn -t loihi2 --emit sanafe -o out",
        exit: 1,
        code: "SNN0650",
        place: "population \"h\"",
    },
    Case {
        name: "long delay for SANA-FE",
        set: |p| {
            let (old, new) = (r#""in", "delay": 0"#, r#""in", "delay": 9"#);
            edited(p, GENOME, "g.json", old, new);
        },
        run: SANAFE,
        exit: 1,
        code: "SNN0651",
        place: "projection \"in\" to \"a\"",
    },
    Case {
        name: "graded relays for SANA-FE",
        set: |p| p.copy("tests/fixtures/clips.genome.json", "g.json"),
        run: SANAFE,
        exit: 1,
        code: "SNN0652",
        place: "population \"",
    },
    Case {
        name: "frames for SANA-FE",
        set: |p| p.copy("tests/fixtures/frame.genome.json", "g.json"),
        run: SANAFE,
        exit: 1,
        code: "SNN0652",
        place: "population \"",
    },
    Case {
        name: "too many synapses for SANA-FE",
        set: large,
        run: SANAFE,
        exit: 1,
        code: "SNN0653",
        place: "",
    },
    Case {
        name: "a stage besides an export",
        set: |p| p.copy(GENOME, "g.json"),
        run: "compile g.json -t loihi2 --emit sanafe,mapped",
        exit: 2,
        code: "SNN0810",
        place: "",
    },
    Case {
        name: "a stage into a folder",
        set: |p| p.copy(GENOME, "g.json"),
        run: "compile g.json -t loihi2 --emit mapped -o x",
        exit: 2,
        code: "SNN0810",
        place: "",
    },
];
