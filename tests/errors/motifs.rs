//! Motif genomes, and networks with clips, analog inputs and neuron models that no chip has.

use crate::common::Place;
use crate::{Case, edited};

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
        name: "a genome without weights",
        set: |p| {
            cells(p, "{\"file\": \"cells.safetensors\", ", "{\"file\": \"none.safetensors\", ")
        },
        run: COMPILE,
        exit: 1,
        code: "SNN0102",
        place: "none.safetensors",
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
];
