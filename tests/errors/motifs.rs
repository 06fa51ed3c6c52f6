//! Motif genomes, and networks with clips, analog inputs and neuron models that no chip has.

use crate::common::Place;
use crate::{Case, edited};
use snnc::artifact::Manifest;
use snnc::artifact::manifest::FileEntry;
use snnc::backends::program;
use snnc::frontend::arrays::{Array, ArrayData, write_npz};

const CELLS: &str = "examples/motif/cells.genome.json";
const COMPILE: &str = "compile g.json -t loihi2 -o out";
const CHECK: &str = "check g.json";

/// Two clips whose currents have both signs, and neurons that read their sum.
const CLIPS: &str = r#"{
  "format": "snnc-genome", "version": "1.0", "kind": "gee", "name": "clips",
  "time": { "steps": 4, "order": "step_major" },
  "input": { "coding": "events", "shape": [3] },
  "readout": { "kind": "spike_count", "node": "out", "classes": 2 },
  "neurons": {
    "lif": { "model": "lif", "tau": 2.0, "threshold": 0.5, "compare": "gt",
             "reset": { "kind": "to", "value": 0.0 }, "v_init": 0.0 }
  },
  "tensors": { "inline": {
    "w": { "shape": [2, 3], "values": [1, -1, 0.5, -0.25, 1, -0.5] },
    "u": { "shape": [2, 2], "values": [1, -1, -0.5, 1] }
  } },
  "nodes": [
    { "id": "x", "op": "input" },
    { "id": "a", "op": "linear", "in": ["x"], "weight": { "dense": "w" } },
    { "id": "plus", "op": "clip", "in": ["a"], "sign": "+" },
    { "id": "b", "op": "linear", "in": ["plus"], "weight": { "dense": "u" } },
    { "id": "minus", "op": "clip", "in": ["b"], "sign": "-" },
    { "id": "sum", "op": "add", "in": ["plus", "minus"] },
    { "id": "out", "op": "neuron", "in": ["sum"], "neuron": "lif" }
  ]
}
"#;

/// Two modules of five cells, the first of which feeds the second at another size.
const MODULES: &str = r#"{
  "format": "snnc-genome", "version": "1.0", "kind": "mse-nas", "name": "modules",
  "time": { "steps": 2, "order": "step_major" },
  "input": { "coding": "events", "shape": [2, 8, 8] },
  "readout": { "kind": "mean_linear", "classes": 3 },
  "neurons": {
    "lif": { "model": "lif", "tau": 2.0, "threshold": 0.5, "compare": "gt",
             "reset": { "kind": "to", "value": 0.0 }, "v_init": 0.0 }
  },
  "search": {
    "family": "braincog-eb-nas", "library": 1, "modules": 2,
    "genome": [1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
               1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
               0, 1, 0, 0],
    "init_channels": 2, "reduce_at": [7], "in_channels": 2,
    "stem": "conv", "neuron": "lif", "feedback": "same_step"
  }
}
"#;

/// The motif genome of the examples with its weights and one replacement.
fn cells(place: &Place, old: &str, new: &str) {
    edited(place, CELLS, "g.json", old, new);
    place.copy("examples/motif/cells.safetensors", "cells.safetensors");
}

/// The network with two clips, with replacements.
fn clips(place: &Place, changes: &[(&str, &str)]) {
    let mut genome = CLIPS.to_owned();
    for (old, new) in changes {
        assert!(genome.contains(old), "no {old:?}");
        genome = genome.replacen(old, new, 1);
    }
    place.write("g.json", genome);
}

/// The network with two clips as integers for Loihi 2, with one replacement.
fn integers(place: &Place, old: &str, new: &str) {
    place.write("g.json", CLIPS);
    let emit = ["compile", "g.json", "-t", "loihi2", "--emit", "quantized"];
    let text = place.run(&emit).exits(0).stdout;
    assert!(text.contains(old), "no {old:?} in\n{text}");
    place.write("n.snn", text.replacen(old, new, 1));
}

/// The network with a directly coded input as integers for Loihi 2, with one replacement.
fn frame(place: &Place, old: &str, new: &str) {
    place.copy("tests/fixtures/frame.genome.json", "g.json");
    let emit = ["compile", "g.json", "-t", "loihi2", "--emit", "quantized"];
    let text = place.run(&emit).exits(0).stdout;
    assert!(text.contains(old), "no {old:?} in\n{text}");
    place.write("n.snn", text.replacen(old, new, 1));
}

/// The network with two clips with another neuron model, reset to a value.
fn models(place: &Place, old: &str, new: &str, reset: &str) {
    let value = format!("\"value\": {reset}");
    clips(place, &[(old, new), ("\"value\": 0.0", &value)]);
}

/// Puts a changed program into the artifact, with a hash that fits.
fn reseal(place: &Place, program: &[u8]) {
    place.write("art/program.snnb", program);
    let mut manifest = Manifest::read(&place.path("art")).expect("a manifest");
    for file in manifest.files.iter_mut().filter(|f| f.name == "program.snnb") {
        *file = FileEntry::of("program.snnb", program);
    }
    place.write("art/manifest.json", manifest.to_bytes());
}

/// Neurons that read the input as well as the clips.
const MIXED: (&str, &str) =
    ("\"in\": [\"plus\", \"minus\"]", "\"in\": [\"plus\", \"minus\", \"a\"]");

/// With the frame of a directly coded input in place of events.
const DIRECT: (&str, &str) = ("\"events\"", "\"direct\", \"range\": [0, 3]");

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "a gene too many",
        set: |p| cells(p, "[4, 1, 0", "[4, 4, 1, 0"),
        run: COMPILE,
        exit: 1,
        code: "SNN0240",
        place: "g.json $.search.genome",
    },
    Case {
        name: "a size that is none",
        set: |p| cells(p, "[4, 1, 0", "[4, 7, 0"),
        run: COMPILE,
        exit: 1,
        code: "SNN0241",
        place: "g.json $.search.genome[1]",
    },
    Case {
        name: "an unknown motif",
        set: |p| cells(p, "[4, 1, 0", "[9, 1, 0"),
        run: CHECK,
        exit: 1,
        code: "SNN0242",
        place: "g.json $.search.genome[0]",
    },
    Case {
        name: "an own motif that is another one",
        set: |p| {
            let own = "\"motifs\": {\"4/3\": {\"arity\": 3, \"concat\": [3], \"feedback\": [], \
                       \"nodes\": [{\"id\": 3, \"in\": [[\"+\", 0], [\"+\", 1], [\"-\", 2]]}]}}, ";
            cells(p, "\"tensors\"", &format!("{own}\"tensors\""));
        },
        run: CHECK,
        exit: 1,
        code: "SNN0243",
        place: "g.json $.motifs",
    },
    Case {
        name: "a motif that reads itself",
        set: |p| {
            let own = "\"motifs\": {\"9/3\": {\"arity\": 3, \"concat\": [3], \"feedback\": [], \
                       \"nodes\": [{\"id\": 3, \"in\": [[\"+\", 3], [\"+\", 1], [\"-\", 2]]}]}}, ";
            cells(p, "\"tensors\"", &format!("{own}\"tensors\""));
        },
        run: CHECK,
        exit: 1,
        code: "SNN0244",
        place: "g.json $.motifs",
    },
    Case {
        name: "a reduction of an odd map",
        set: |p| cells(p, "[2, 8, 8]", "[2, 7, 8]"),
        run: CHECK,
        exit: 1,
        code: "SNN0245",
        place: "g.json $.search.reduce_at",
    },
    Case {
        name: "weights that are not there",
        set: |p| cells(p, "\"cells.safetensors\"", "\"none.safetensors\""),
        run: COMPILE,
        exit: 2,
        code: "SNN0101",
        place: "g.json $.tensors.file",
    },
    Case {
        name: "an architecture without random weights",
        set: |p| p.copy("examples/motif/published.genome.json", "g.json"),
        run: COMPILE,
        exit: 1,
        code: "SNN0248",
        place: "g.json",
    },
    Case {
        name: "random weights for a genome that has some",
        set: |p| cells(p, "\"cells\"", "\"cells\""),
        run: "check g.json --weights random:1",
        exit: 1,
        code: "SNN0248",
        place: "g.json",
    },
    Case {
        name: "a state dict of another width",
        set: |p| cells(p, "\"init_channels\": 4", "\"init_channels\": 6"),
        run: CHECK,
        exit: 1,
        code: "SNN0231",
        place: "g.json $.search",
    },
    Case {
        name: "nothing to unfold",
        set: |p| clips(p, &[]),
        run: "inspect g.json --graph dot",
        exit: 2,
        code: "SNN0810",
        place: "g.json",
    },
    Case {
        name: "clips on a chip without messages",
        set: |p| clips(p, &[]),
        run: "compile g.json -t loihi1 -o out",
        exit: 1,
        code: "SNN0463",
        place: "",
    },
    Case {
        name: "neurons without integers",
        set: |p| {
            let model =
                "\"model\": \"izhikevich\", \"a\": 0.02, \"b\": 0.2, \"c\": -55.0, \"d\": 8.0";
            clips(
                p,
                &[
                    ("\"model\": \"lif\", \"tau\": 2.0", model),
                    ("\"reset\": { \"kind\": \"to\", \"value\": 0.0 }, ", ""),
                ],
            );
        },
        run: COMPILE,
        exit: 1,
        code: "SNN0463",
        place: "",
    },
    Case {
        name: "a loop of clips",
        set: |p| {
            clips(
                p,
                &[
                    ("\"in\": [\"plus\"], \"weight\"", "\"in\": [\"mix\"], \"weight\""),
                    (
                        "{ \"id\": \"minus\"",
                        "{ \"id\": \"mix\", \"op\": \"add\", \"in\": [\"plus\", { \"node\": \"minus\", \
                         \"delay\": 1 }] },\n    { \"id\": \"minus\"",
                    ),
                ],
            );
        },
        run: COMPILE,
        exit: 1,
        code: "SNN0464",
        place: "",
    },
    Case {
        name: "analog input without range",
        set: |p| clips(p, &[("\"events\"", "\"direct\"")]),
        run: COMPILE,
        exit: 1,
        code: "SNN0451",
        place: "population `x`",
    },
    Case {
        name: "analog input read late",
        set: |p| {
            let late = "\"in\": [{ \"node\": \"x\", \"delay\": 1 }]";
            clips(p, &[DIRECT, ("\"in\": [\"x\"]", late)]);
        },
        run: COMPILE,
        exit: 1,
        code: "SNN0466",
        place: "",
    },
    Case {
        name: "range without numbers between",
        set: |p| clips(p, &[("\"events\"", "\"direct\", \"range\": [3, 3]")]),
        run: CHECK,
        exit: 1,
        code: "SNN0208",
        place: "g.json $.input.range",
    },
    Case {
        name: "loop of relays",
        set: |p| integers(p, "pop0 -> pop1", "pop2 -> pop1"),
        run: "check n.snn -t loihi2",
        exit: 1,
        code: "SNN0419",
        place: "n.snn",
    },
    Case {
        name: "relays on a chip without messages",
        set: |p| integers(p, "snn", "snn"),
        run: "check n.snn -t loihi1",
        exit: 1,
        code: "SNN0428",
        place: "",
    },
    Case {
        name: "analog input next to spikes of the same step",
        set: |p| clips(p, &[DIRECT, MIXED]),
        run: COMPILE,
        exit: 1,
        code: "SNN0559",
        place: "population `out`",
    },
    Case {
        name: "frame that leaves its range",
        set: |p| {
            p.copy("tests/fixtures/frame.genome.json", "g.json");
            let mut values = vec![0.5; 24];
            values[13] = 7.5;
            let array = Array { shape: vec![2, 12], data: ArrayData::F32(values) };
            p.write("s.npz", write_npz(&[("x".to_owned(), array)]).expect("an array"));
        },
        run: "run g.json --stimulus s.npz",
        exit: 2,
        code: "SNN0817",
        place: "s.npz array \"x\"[1, 1]",
    },
    Case {
        name: "host map of no scale",
        set: |p| frame(p, "scale 1", "scale 0.0 1"),
        run: "check n.snn -t loihi2",
        exit: 1,
        code: "SNN0150",
        place: "n.snn:",
    },
    Case {
        name: "host map into an input",
        set: |p| frame(p, "host pop0 -> pop1", "host pop0 -> pop0"),
        run: "check n.snn -t loihi2",
        exit: 1,
        code: "SNN0418",
        place: "n.snn",
    },
    Case {
        name: "integers for an input without range",
        set: |p| frame(p, "input direct range [0, 7]", "input direct"),
        run: "check n.snn -t loihi2",
        exit: 1,
        code: "SNN0412",
        place: "n.snn",
    },
    Case {
        name: "message of too many bits",
        set: |p| frame(p, "keep positive\n  bias 0", "keep positive\n  bias 2147483647"),
        run: "check n.snn -t loihi2",
        exit: 1,
        code: "SNN0429",
        place: "",
    },
    Case {
        name: "burst that is reset to 1",
        set: |p| {
            models(p, "lif\", \"tau\": 2.0", "burst_lif\", \"tau\": 2.0, \"factor\": 1.5", "1.0");
        },
        run: CHECK,
        exit: 1,
        code: "SNN0208",
        place: "g.json $.neurons.lif",
    },
    Case {
        name: "feedback that is not there",
        set: |p| {
            edited(
                p,
                "tests/fixtures/braincog/neuevo_skip21.genome.json",
                "g.json",
                "\"feedback\": \"none\"",
                "\"feedback\": \"same_step\"",
            );
            p.copy(
                "tests/fixtures/braincog/neuevo_skip21.safetensors",
                "neuevo_skip21.safetensors",
            );
        },
        run: CHECK,
        exit: 1,
        code: "SNN0246",
        place: "g.json $.search",
    },
    Case {
        name: "modules without an adapter",
        set: |p| p.write("g.json", MODULES),
        run: "check g.json --weights random:1",
        exit: 1,
        code: "SNN0247",
        place: "g.json $.search",
    },
    Case {
        name: "biases that the host does not write as certified",
        set: |p| {
            p.copy("tests/fixtures/frame.genome.json", "g.json");
            p.run(&["compile", "g.json", "-t", "loihi2", "-o", "art"]).exits(0);
            let mut program = program::read(&p.read("art/program.snnb")).expect("a program");
            program.host[0].weights[3] += 0.5;
            reseal(p, &program::encode(&program));
        },
        run: "verify g.json art",
        exit: 1,
        code: "SNN0717",
        place: "",
    },
];
