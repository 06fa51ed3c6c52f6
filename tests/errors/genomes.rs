//! Genomes, their tensor files, and genomes that no chip can run.

use crate::common::{GENOME, Place};
use crate::{Case, edited};

const DIGITS: &str = "examples/digits/digits.genome.json";
const TENSORS: &str = "examples/digits/digits.safetensors";
const GENES: &str = "examples/small/genes.genome.json";
const COMPILE: &str = "compile g.json -t loihi2 -o out";

fn genome(place: &Place, old: &str, new: &str) {
    edited(place, GENOME, "g.json", old, new);
}

fn genes(place: &Place, old: &str, new: &str) {
    edited(place, GENES, "g.json", old, new);
}

/// The digits genome with its side-car file changed.
fn side_car(place: &Place, change: fn(&mut Vec<u8>)) {
    place.copy(DIGITS, "g.json");
    let mut bytes = std::fs::read(crate::repo(TENSORS)).expect("a file of the repository");
    change(&mut bytes);
    place.write("digits.safetensors", bytes);
}

/// As above; the hash in the genome fits again, so that the reader of tensors sees the change.
fn resealed(place: &Place, change: fn(&mut Vec<u8>)) {
    side_car(place, change);
    let text = String::from_utf8(place.read("g.json")).expect("a genome is UTF-8");
    let start = text.find("\"sha256\"").expect("the genome names a hash");
    let end = start + text[start..].find('}').expect("the end of the object");
    let comma = text[..start].rfind(',').expect("a field before it");
    place.write("g.json", format!("{}{}", &text[..comma], &text[end..]));
}

/// Writes the header length of a safetensors file.
fn header(bytes: &mut [u8], length: u64) {
    bytes[..8].copy_from_slice(&length.to_le_bytes());
}

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "empty genome",
        set: |p| p.write("g.json", ""),
        run: COMPILE,
        exit: 1,
        code: "SNN0103",
        place: "g.json",
    },
    Case {
        name: "genome cut off",
        set: |p| p.write("g.json", &std::fs::read(crate::repo(GENOME)).expect("a genome")[..700]),
        run: COMPILE,
        exit: 1,
        code: "SNN0103",
        place: "g.json:1:",
    },
    Case {
        name: "NaN in a genome",
        set: |p| genome(p, "\"decay\": 0.25", "\"decay\": NaN"),
        run: COMPILE,
        exit: 1,
        code: "SNN0103",
        place: "g.json:1:",
    },
    Case {
        name: "key twice",
        set: |p| genome(p, "\"steps\": 20", "\"steps\": 20, \"steps\": 21"),
        run: COMPILE,
        exit: 1,
        code: "SNN0104",
        place: "g.json",
    },
    Case {
        name: "genome not UTF-8",
        set: |p| p.write("g.json", b"{\"format\": \"\xff\"}"),
        run: COMPILE,
        exit: 1,
        code: "SNN0103",
        place: "g.json",
    },
    Case {
        name: "a list instead of a genome",
        set: |p| p.write("g.json", "[1, 2]"),
        run: COMPILE,
        exit: 1,
        code: "SNN0201",
        place: "g.json",
    },
    Case {
        name: "another format",
        set: |p| genome(p, "\"snnc-genome\"", "\"onnx\""),
        run: COMPILE,
        exit: 1,
        code: "SNN0201",
        place: "g.json $.format",
    },
    Case {
        name: "a later major version",
        set: |p| genome(p, "\"version\": \"1.0\"", "\"version\": \"2.0\""),
        run: COMPILE,
        exit: 1,
        code: "SNN0202",
        place: "g.json $.version",
    },
    Case {
        name: "an architecture without search",
        set: |p| genome(p, "\"kind\": \"gee\"", "\"kind\": \"mse-nas\""),
        run: COMPILE,
        exit: 1,
        code: "SNN0206",
        place: "g.json $",
    },
    Case {
        name: "unknown field",
        set: |p| genome(p, "\"steps\": 20", "\"stepz\": 20, \"steps\": 20"),
        run: COMPILE,
        exit: 1,
        code: "SNN0205",
        place: "g.json $.time",
    },
    Case {
        name: "missing field",
        set: |p| genome(p, "\"steps\": 20, ", ""),
        run: COMPILE,
        exit: 1,
        code: "SNN0206",
        place: "g.json $.time",
    },
    Case {
        name: "steps as text",
        set: |p| genome(p, "\"steps\": 20", "\"steps\": \"20\""),
        run: COMPILE,
        exit: 1,
        code: "SNN0207",
        place: "g.json $.time.steps",
    },
    Case {
        name: "no steps",
        set: |p| genome(p, "\"steps\": 20", "\"steps\": 0"),
        run: COMPILE,
        exit: 1,
        code: "SNN0208",
        place: "g.json $.time.steps",
    },
    Case {
        name: "unknown comparison",
        set: |p| genome(p, "\"compare\": \"gt\"", "\"compare\": \"eq\""),
        run: COMPILE,
        exit: 1,
        code: "SNN0208",
        place: "g.json $.neurons.a.compare",
    },
    Case {
        name: "decay above 1",
        set: |p| genome(p, "\"decay\": 0.25", "\"decay\": 1.25"),
        run: COMPILE,
        exit: 1,
        code: "SNN0208",
        place: "g.json $.neurons.a.decay",
    },
    Case {
        name: "threshold of zero",
        set: |p| genome(p, "\"threshold\": 1.0", "\"threshold\": 0.0"),
        run: COMPILE,
        exit: 1,
        code: "SNN0208",
        place: "g.json $.neurons.a.threshold",
    },
    Case {
        name: "node twice",
        set: |p| genome(p, "{\"id\": \"a_b\"", "{\"id\": \"a\""),
        run: COMPILE,
        exit: 1,
        code: "SNN0210",
        place: "g.json $.nodes[3].id",
    },
    Case {
        name: "unknown node",
        set: |p| genome(p, "{\"node\": \"b\", \"delay\": 0}", "{\"node\": \"bb\", \"delay\": 0}"),
        run: COMPILE,
        exit: 1,
        code: "SNN0211",
        place: "g.json $.nodes[5].in[0]",
    },
    Case {
        name: "unknown neuron",
        set: |p| {
            genome(
                p,
                "\"in\": [\"in_a\"], \"neuron\": \"a\"",
                "\"in\": [\"in_a\"], \"neuron\": \"z\"",
            );
        },
        run: COMPILE,
        exit: 1,
        code: "SNN0211",
        place: "g.json $.nodes[2].neuron",
    },
    Case {
        name: "negative delay",
        set: |p| genome(p, "{\"node\": \"b\", \"delay\": 0}", "{\"node\": \"b\", \"delay\": -1}"),
        run: COMPILE,
        exit: 1,
        code: "SNN0208",
        place: "g.json $.nodes[5].in[0].delay",
    },
    Case {
        name: "two inputs",
        set: |p| {
            genome(
                p,
                "{\"id\": \"in\", \"op\": \"input\"}",
                "{\"id\": \"in\", \"op\": \"input\"}, {\"id\": \"in2\", \"op\": \"input\"}",
            );
        },
        run: COMPILE,
        exit: 1,
        code: "SNN0213",
        place: "g.json $.nodes",
    },
    Case {
        name: "readout of an operation",
        set: |p| {
            genome(
                p,
                "\"kind\": \"spike_count\", \"node\": \"c\"",
                "\"kind\": \"spike_count\", \"node\": \"b_c\"",
            );
        },
        run: COMPILE,
        exit: 1,
        code: "SNN0214",
        place: "g.json $.readout.node",
    },
    Case {
        name: "wrong number of classes",
        set: |p| genome(p, "\"classes\": 8", "\"classes\": 9"),
        run: COMPILE,
        exit: 1,
        code: "SNN0214",
        place: "g.json $.readout.node",
    },
    Case {
        name: "neuron without current",
        set: |p| genome(p, "\"in\": [\"in_a\"]", "\"in\": []"),
        run: COMPILE,
        exit: 1,
        code: "SNN0215",
        place: "g.json $.nodes[2].in",
    },
    Case {
        name: "sum of different shapes",
        set: |p| genome(p, "[\"b_c\", \"a_c\", \"in_c\"]", "[\"b_c\", \"a_b\", \"in_c\"]"),
        run: COMPILE,
        exit: 1,
        code: "SNN0216",
        place: "g.json $.nodes[8]",
    },
    Case {
        name: "loop without delay",
        set: |p| {
            genome(
                p,
                "{\"id\": \"in_a\", \"op\": \"linear\", \"in\": [{\"node\": \"in\"",
                "{\"id\": \"in_a\", \"op\": \"linear\", \"in\": [{\"node\": \"b\"",
            );
        },
        run: COMPILE,
        exit: 1,
        code: "SNN0217",
        place: "g.json $.nodes",
    },
    Case {
        name: "neuron reads spikes",
        set: |p| genome(p, "\"in\": [\"in_a\"]", "\"in\": [\"in\"]"),
        run: COMPILE,
        exit: 1,
        code: "SNN0219",
        place: "g.json $.nodes[2]",
    },
    Case {
        name: "tensor not there",
        set: |p| genome(p, "{\"dense\": \"b_c.w\"}", "{\"dense\": \"b_d.w\"}"),
        run: COMPILE,
        exit: 1,
        code: "SNN0230",
        place: "g.json $.nodes[5].weight",
    },
    Case {
        name: "tensor of another shape",
        set: |p| genome(p, "\"b_c.w\": {\"shape\": [8, 12]", "\"b_c.w\": {\"shape\": [12, 8]"),
        run: COMPILE,
        exit: 1,
        code: "SNN0216",
        place: "g.json $.nodes[5]",
    },
    Case {
        name: "more values than the shape says",
        set: |p| {
            genome(
                p,
                "\"shape\": [16, 12], \"values\": [",
                "\"shape\": [16, 12], \"values\": [0.0, ",
            );
        },
        run: COMPILE,
        exit: 1,
        code: "SNN0208",
        place: "g.json $.tensors.inline[\"in_a.w\"].values",
    },
    Case {
        name: "value larger than f32",
        set: |p| genome(p, "[0.15625, 0.375", "[1e39, 0.375"),
        run: COMPILE,
        exit: 1,
        code: "SNN0232",
        place: "g.json $.nodes[1].weight.dense",
    },
    Case {
        name: "shape that overflows",
        set: |p| {
            genome(
                p,
                "\"coding\": \"events\", \"shape\": [12]",
                "\"coding\": \"events\", \"shape\": [65535, 65535, 65535]",
            );
        },
        run: COMPILE,
        exit: 1,
        code: "SNN0209",
        place: "g.json $.input.shape",
    },
    Case {
        name: "gene count",
        set: |p| genes(p, "\"count\": 3", "\"count\": 4"),
        run: COMPILE,
        exit: 1,
        code: "SNN0220",
        place: "g.json $.genes",
    },
    Case {
        name: "unknown encoding",
        set: |p| genes(p, "\"out\": \"e_c1\"", "\"out\": \"e_c9\""),
        run: COMPILE,
        exit: 1,
        code: "SNN0211",
        place: "g.json $.nodes[1].weight.encoded.out",
    },
    Case {
        name: "unknown scheme",
        set: |p| genes(p, "\"scheme\": \"per_offset\"", "\"scheme\": \"per_pixel\""),
        run: COMPILE,
        exit: 1,
        code: "SNN0208",
        place: "g.json $.nodes[1].weight.encoded.scheme",
    },
    Case {
        name: "side-car missing",
        set: |p| p.copy(DIGITS, "g.json"),
        run: COMPILE,
        exit: 2,
        code: "SNN0101",
        place: "g.json $.tensors.file",
    },
    Case {
        name: "side-car outside the folder",
        set: |p| edited(p, DIGITS, "g.json", "digits.safetensors", "../digits.safetensors"),
        run: COMPILE,
        exit: 1,
        code: "SNN0234",
        place: "g.json $.tensors.file",
    },
    Case {
        name: "side-car altered",
        set: |p| {
            side_car(p, |bytes| {
                if let Some(last) = bytes.last_mut() {
                    *last ^= 1;
                }
            });
        },
        run: COMPILE,
        exit: 1,
        code: "SNN0235",
        place: "g.json $.tensors.sha256",
    },
    Case {
        name: "side-car cut off",
        set: |p| resealed(p, |bytes| bytes.truncate(bytes.len() - 4)),
        run: COMPILE,
        exit: 1,
        code: "SNN0111",
        place: "digits.safetensors",
    },
    Case {
        name: "side-car of three bytes",
        set: |p| resealed(p, |bytes| bytes.truncate(3)),
        run: COMPILE,
        exit: 1,
        code: "SNN0110",
        place: "digits.safetensors",
    },
    Case {
        name: "side-car with an endless header",
        set: |p| resealed(p, |bytes| header(bytes, u64::MAX)),
        run: COMPILE,
        exit: 1,
        code: "SNN0110",
        place: "digits.safetensors",
    },
    Case {
        name: "direct input",
        set: |p| p.copy("examples/small/direct.genome.json", "g.json"),
        run: COMPILE,
        exit: 1,
        code: "SNN0451",
        place: "population `x`",
    },
    Case {
        name: "membrane that does not start at its reset value",
        set: |p| genome(p, "\"v_init\": 0.0", "\"v_init\": 0.5"),
        run: COMPILE,
        exit: 1,
        code: "SNN0454",
        place: "population `a`",
    },
    Case {
        name: "reset by subtraction on Loihi 1",
        set: |p| p.copy("tests/fixtures/subtract.genome.json", "g.json"),
        run: "compile g.json -t loihi1 -o out",
        exit: 1,
        code: "SNN0455",
        place: "population `a`",
    },
    Case {
        name: "leaky loop on Loihi 1",
        set: |p| p.copy("tests/fixtures/loop_leaky.genome.json", "g.json"),
        run: "check g.json -t loihi1",
        exit: 1,
        code: "SNN0550",
        place: "population `a`",
    },
];
