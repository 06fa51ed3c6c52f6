//! Options, pipelines, destinations, and the smaller commands.

use crate::Case;
use crate::common::{GENOME, Place, STIMULUS};

fn genome(place: &Place) {
    place.copy(GENOME, "g.json");
}

/// The network of a genome.
fn network(place: &Place) {
    genome(place);
    place.run(&["convert", "g.json", "-o", "n.snn"]).exits(0);
}

/// A motif genome with its weights.
fn motif(place: &Place) {
    for file in ["cells.genome.json", "cells.safetensors"] {
        place.copy(&format!("examples/motif/{file}"), file);
    }
}

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "source not there",
        set: |_| {},
        run: "compile g.json -t loihi2 -o out",
        exit: 2,
        code: "SNN0801",
        place: "g.json",
    },
    Case {
        name: "source is a folder",
        set: |p| p.write("g.json/x", ""),
        run: "check g.json",
        exit: 2,
        code: "SNN0801",
        place: "g.json",
    },
    Case {
        name: "source of unknown kind",
        set: |p| p.write("g.onnx", ""),
        run: "compile g.onnx -t loihi2 -o out",
        exit: 2,
        code: "SNN0803",
        place: "g.onnx",
    },
    Case {
        name: "destination is a folder of the user",
        set: |p| {
            genome(p);
            p.write("out/thesis.txt", "years of work");
        },
        run: "compile g.json -t loihi2 -o out",
        exit: 2,
        code: "SNN0806",
        place: "out",
    },
    Case {
        name: "destination is a file",
        set: |p| {
            genome(p);
            p.write("out", "");
        },
        run: "compile g.json -t loihi2 -o out",
        exit: 2,
        code: "SNN0806",
        place: "out",
    },
    Case {
        name: "default destination is taken",
        set: |p| {
            genome(p);
            p.write("g.loihi2/x", "");
        },
        run: "compile g.json -t loihi2",
        exit: 2,
        code: "SNN0806",
        place: "g.loihi2",
    },
    Case {
        name: "artifact with a file of the user",
        set: |p| {
            genome(p);
            p.run(&["compile", "g.json", "-t", "loihi2", "-o", "out"]).exits(0);
            p.write("out/notes.txt", "mine");
        },
        run: "compile g.json -t loihi2 -o out",
        exit: 2,
        code: "SNN0806",
        place: "out",
    },
    Case {
        name: "destination without parent",
        set: genome,
        run: "compile g.json -t loihi2 -o no/where/out",
        exit: 2,
        code: "SNN0807",
        place: "no/where/out",
    },
    Case {
        name: "destination without name",
        set: genome,
        run: "compile g.json -t loihi2 -o ..",
        exit: 2,
        code: "SNN0807",
        place: "..",
    },
    Case {
        name: "pipeline that is none",
        set: genome,
        run: "check g.json -t loihi2 --passes quantize,,map",
        exit: 2,
        code: "SNN0850",
        place: "<pipeline>:1:10",
    },
    Case {
        name: "unknown pass",
        set: genome,
        run: "check g.json -t loihi2 --passes quantise,map",
        exit: 2,
        code: "SNN0851",
        place: "<pipeline>:1:1",
    },
    Case {
        name: "unknown option of a pass",
        set: genome,
        run: "check g.json -t loihi2 --passes lower-currents,quantize,schedule{speed=9},map",
        exit: 2,
        code: "SNN0852",
        place: "<pipeline>:1:25",
    },
    Case {
        name: "value of an option",
        set: genome,
        run: "check g.json -t loihi2 --passes lower-currents,quantize,schedule{delays=none},map",
        exit: 2,
        code: "SNN0853",
        place: "<pipeline>:1:25",
    },
    Case {
        name: "option twice",
        set: genome,
        run: "check g.json -t loihi2 --passes schedule{delays=relay,delays=relay}",
        exit: 2,
        code: "SNN0854",
        place: "<pipeline>:1:1",
    },
    Case {
        name: "pass of another level",
        set: genome,
        run: "check g.json -t loihi2 --passes map",
        exit: 2,
        code: "SNN0855",
        place: "<pipeline>:1:1",
    },
    Case {
        name: "missing prerequisite",
        set: genome,
        run: "check g.json -t loihi2 --passes quantize,map",
        exit: 2,
        code: "SNN0856",
        place: "<pipeline>:1:10",
    },
    Case {
        name: "pipeline that ends early",
        set: genome,
        run: "check g.json -t loihi2 --passes lower-currents,normalize-neurons,quantize",
        exit: 2,
        code: "SNN0810",
        place: "",
    },
    Case {
        name: "stage before the source",
        set: |p| {
            genome(p);
            let said = p.run(&["compile", "g.json", "-t", "loihi2", "--emit", "quantized"]);
            p.write("q.snn", said.exits(0).stdout);
        },
        run: "compile q.snn -t loihi2 --emit network",
        exit: 2,
        code: "SNN0810",
        place: "",
    },
    Case {
        name: "report into no folder",
        set: genome,
        run: "compile g.json -t loihi2 --emit mapped --format human --json no/where.json",
        exit: 2,
        code: "SNN0802",
        place: "no/where.json",
    },
    Case {
        name: "level without target",
        set: |p| {
            genome(p);
            p.copy(STIMULUS, "s.npz");
        },
        run: "run g.json --level quantized --stimulus s.npz",
        exit: 2,
        code: "SNN0810",
        place: "",
    },
    #[cfg(not(feature = "burn"))]
    Case {
        name: "runtime that is not built in",
        set: |p| {
            genome(p);
            p.copy(STIMULUS, "s.npz");
        },
        run: "run g.json --runtime burn --stimulus s.npz",
        exit: 2,
        code: "SNN0809",
        place: "",
    },
    Case {
        name: "spikes into no folder",
        set: |p| {
            genome(p);
            p.copy(STIMULUS, "s.npz");
        },
        run: "run g.json --stimulus s.npz --spikes no/where.npz",
        exit: 2,
        code: "SNN0802",
        place: "no/where.npz",
    },
    Case {
        name: "unknown code",
        set: |_| {},
        run: "explain SNN9999",
        exit: 2,
        code: "SNN0811",
        place: "",
    },
    Case {
        name: "text that is not canonical",
        set: |p| p.write("a.snn", "snn 1 network\n\n\nname \"a\"\nsteps 3\n"),
        run: "fmt --check a.snn",
        exit: 1,
        code: "SNN0150",
        place: "a.snn",
    },
    Case {
        name: "formatting a genome",
        set: genome,
        run: "fmt g.json",
        exit: 2,
        code: "SNN0803",
        place: "g.json",
    },
    Case {
        name: "formatting two files of which one is bad",
        set: |p| {
            genome(p);
            p.run(&["convert", "g.json", "-o", "good.snn"]).exits(0);
            let text = String::from_utf8(p.read("good.snn")).expect("text");
            p.write("good.snn", format!("{text}\n\n"));
            p.write("bad.snn", "snn 1 nonsense");
        },
        run: "fmt good.snn bad.snn",
        exit: 1,
        code: "SNN0151",
        place: "bad.snn",
    },
    Case {
        name: "converting to a genome",
        set: genome,
        run: "convert g.json -o h.json",
        exit: 2,
        code: "SNN0803",
        place: "h.json",
    },
    Case {
        name: "converting to an unknown kind",
        set: genome,
        run: "convert g.json -o h.onnx",
        exit: 2,
        code: "SNN0803",
        place: "h.onnx",
    },
    Case {
        name: "converting into no folder",
        set: genome,
        run: "convert g.json -o no/where.snn",
        exit: 2,
        code: "SNN0802",
        place: "no/where.snn",
    },
    Case {
        name: "converting over a folder",
        set: |p| {
            genome(p);
            p.write("out.snn/mine", "");
        },
        run: "convert g.json -o out.snn",
        exit: 2,
        code: "SNN0802",
        place: "out.snn",
    },
    Case {
        name: "listing the nodes of a network",
        set: |p| {
            genome(p);
            p.run(&["convert", "g.json", "-o", "n.snn"]).exits(0);
        },
        run: "convert n.snn --emit resolved -o r.json",
        exit: 2,
        code: "SNN0810",
        place: "n.snn",
    },
    Case {
        name: "listing nodes as text",
        set: motif,
        run: "convert cells.genome.json --emit resolved -o r.snn",
        exit: 2,
        code: "SNN0803",
        place: "r.snn",
    },
    Case {
        name: "listing nodes with weights",
        set: motif,
        run: "convert cells.genome.json --emit resolved --weights random:1 -o r.json",
        exit: 2,
        code: "SNN0810",
        place: "",
    },
    Case {
        name: "weights for a network that has them",
        set: |p| {
            genome(p);
            p.run(&["convert", "g.json", "-o", "n.snn"]).exits(0);
        },
        run: "compile n.snn -t loihi2 --weights random:1",
        exit: 2,
        code: "SNN0810",
        place: "n.snn",
    },
    Case {
        name: "weights for an artifact",
        set: |p| {
            genome(p);
            p.run(&["compile", "g.json", "-t", "loihi2", "-o", "art"]).exits(0);
            p.copy(STIMULUS, "s.npz");
        },
        run: "run art --stimulus s.npz --weights random:1",
        exit: 2,
        code: "SNN0810",
        place: "",
    },
    Case {
        name: "drawing of a network without motifs",
        set: genome,
        run: "inspect g.json --graph svg -o g.svg",
        exit: 2,
        code: "SNN0810",
        place: "g.json",
    },
    Case {
        name: "drawing of an artifact",
        set: |p| {
            genome(p);
            p.run(&["compile", "g.json", "-t", "loihi2", "-o", "art"]).exits(0);
        },
        run: "inspect art --graph dot",
        exit: 2,
        code: "SNN0810",
        place: "art",
    },
    Case {
        name: "drawing into no folder",
        set: motif,
        run: "inspect cells.genome.json --graph svg -o no/where.svg",
        exit: 2,
        code: "SNN0802",
        place: "no/where.svg",
    },
    Case {
        name: "inspecting nothing",
        set: |_| {},
        run: "inspect missing.snnb",
        exit: 2,
        code: "SNN0801",
        place: "missing.snnb",
    },
    Case {
        name: "reducing a network on cores",
        set: |p| {
            genome(p);
            let mapped = p.run(&["compile", "g.json", "-t", "loihi2", "--emit", "mapped"]);
            p.write("m.snn", mapped.exits(0).stdout);
        },
        run: "reduce m.snn --fails compile",
        exit: 1,
        code: "SNN0840",
        place: "m.snn",
    },
    Case {
        name: "reducing what does not fail",
        set: network,
        run: "reduce n.snn --fails certify",
        exit: 1,
        code: "SNN0841",
        place: "n.snn",
    },
    Case {
        name: "reducing by a command that fails",
        set: network,
        run: "reduce n.snn --test false;{}",
        exit: 1,
        code: "SNN0841",
        place: "n.snn",
    },
    Case {
        name: "reducing by a command that names no file",
        set: network,
        run: "reduce n.snn --test true",
        exit: 2,
        code: "SNN0842",
        place: "",
    },
    Case {
        name: "reducing for a code that is none",
        set: network,
        run: "reduce n.snn --fails compile --code mine",
        exit: 2,
        code: "SNN0811",
        place: "",
    },
    Case {
        name: "reducing into a genome",
        set: network,
        run: "reduce n.snn --fails compile -o small.json",
        exit: 2,
        code: "SNN0803",
        place: "small.json",
    },
    // A device that is always full.
    #[cfg(target_os = "linux")]
    Case {
        name: "report on a full disk",
        set: genome,
        run: "check g.json --json /dev/full",
        exit: 2,
        code: "SNN0845",
        place: "/dev/full",
    },
    Case {
        name: "path that make takes for something else",
        set: |p| p.copy(GENOME, "g;1.json"),
        run: "compile g;1.json -t loihi2 -o out --deps g.d",
        exit: 2,
        code: "SNN0846",
        place: "g;1.json",
    },
];
