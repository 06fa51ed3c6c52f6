//! Text and binary forms of the levels, target files, limits.

use crate::common::{GENOME, Place};
use crate::{Case, edited};
use std::fs;

const COMPILE: &str = "compile n.snn -t loihi2 -o out";
const BINARY: &str = "compile n.snnb -t loihi2 -o out";
const TARGET: &str = "compile g.json -t t.toml -o out";

/// The quantized form of the genome as text, with one replacement.
fn quantized(place: &Place, old: &str, new: &str) {
    emitted(place, "quantized", old, new);
}

fn emitted(place: &Place, stage: &str, old: &str, new: &str) {
    let genome = crate::repo(GENOME).display().to_string();
    let arguments = ["compile", &genome, "-t", "loihi2", "--emit", stage];
    let text = place.run(&arguments).exits(0).stdout;
    assert!(text.contains(old), "no {old:?} in\n{text}");
    place.write("n.snn", text.replacen(old, new, 1));
}

/// The float network of the genome in binary form, with changed bytes.
fn binary(place: &Place, change: fn(&mut Vec<u8>)) {
    let genome = crate::repo(GENOME).display().to_string();
    place.run(&["convert", &genome, "-o", "n.snnb"]).exits(0);
    let mut bytes = place.read("n.snnb");
    change(&mut bytes);
    place.write("n.snnb", bytes);
}

/// The genome, and the description of Loihi 1 with one replacement.
fn target(place: &Place, old: &str, new: &str) {
    place.copy(GENOME, "g.json");
    edited(place, "backends/targets/loihi1.toml", "t.toml", old, new);
}

/// The genome, and Loihi 1 with another value of one limit.
fn limit(place: &Place, name: &str, value: &str) {
    place.copy(GENOME, "g.json");
    let text = fs::read_to_string(crate::repo("backends/targets/loihi1.toml")).expect("a target");
    let start = text.find(&format!("\n{name} = {{ value = ")).expect("the limit") + 1;
    let end = start + text[start..].find(',').expect("its source");
    place.write("t.toml", format!("{}{name} = {{ value = {value}{}", &text[..start], &text[end..]));
}

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "empty text",
        set: |p| p.write("n.snn", ""),
        run: COMPILE,
        exit: 1,
        code: "SNN0151",
        place: "n.snn:1",
    },
    Case {
        name: "text of another version",
        set: |p| quantized(p, "snn 1 quantized", "snn 9 quantized"),
        run: COMPILE,
        exit: 1,
        code: "SNN0151",
        place: "n.snn:1",
    },
    Case {
        name: "text that is not UTF-8",
        set: |p| p.write("n.snn", b"snn 1 network\nname \"\xfe\""),
        run: COMPILE,
        exit: 2,
        code: "SNN0808",
        place: "n.snn",
    },
    Case {
        name: "unknown word",
        set: |p| quantized(p, "reset zero", "reset never"),
        run: COMPILE,
        exit: 1,
        code: "SNN0150",
        place: "n.snn:",
    },
    Case {
        name: "delay below zero",
        set: |p| quantized(p, "mat0 delay 0", "mat0 delay -1"),
        run: COMPILE,
        exit: 1,
        code: "SNN0152",
        place: "n.snn:",
    },
    Case {
        name: "populations out of order",
        set: |p| quantized(p, "pop1 \"a\"", "pop7 \"a\""),
        run: COMPILE,
        exit: 1,
        code: "SNN0153",
        place: "n.snn:",
    },
    Case {
        name: "unknown matrix",
        set: |p| quantized(p, "pop0 -> pop1 mat0", "pop0 -> pop1 mat99"),
        run: COMPILE,
        exit: 1,
        code: "SNN0402",
        place: "n.snn",
    },
    Case {
        name: "population twice",
        set: |p| quantized(p, "pop2 \"b\"", "pop2 \"a\""),
        run: COMPILE,
        exit: 1,
        code: "SNN0401",
        place: "n.snn",
    },
    Case {
        name: "odd mantissa in a mixed group",
        set: |p| quantized(p, "{\n  ", "{\n  3 "),
        run: COMPILE,
        exit: 1,
        code: "SNN0405",
        place: "n.snn",
    },
    Case {
        name: "decay register of 13 bits",
        set: |p| quantized(p, "du 4095", "du 4096"),
        run: COMPILE,
        exit: 1,
        code: "SNN0410",
        place: "population \"a\"",
    },
    Case {
        name: "loop without delay in integers",
        set: |p| quantized(p, "proj0 pop0 -> pop1 mat0 delay 0", "proj0 pop1 -> pop1 mat0 delay 0"),
        run: COMPILE,
        exit: 1,
        code: "SNN0408",
        place: "n.snn",
    },
    Case {
        name: "floor that no register of Loihi 1 holds",
        set: |p| quantized(p, "\n  update_period 1", "\n  update_period 1\n  floor -1000"),
        run: "compile n.snn -t loihi1 -o out",
        exit: 1,
        code: "SNN0432",
        place: "population",
    },
    Case {
        name: "threshold that no register holds",
        // The number in front becomes another line, which the text form does not mind.
        set: |p| quantized(p, "threshold ", "threshold 4930 //"),
        run: COMPILE,
        exit: 1,
        code: "SNN0421",
        place: "population \"a\"",
    },
    Case {
        name: "readout of nothing",
        set: |p| quantized(p, "readout spike_count pop3", "readout spike_count pop30"),
        run: COMPILE,
        exit: 1,
        code: "SNN0402",
        place: "n.snn",
    },
    Case {
        name: "scheduled source",
        set: |p| emitted(p, "scheduled", "", ""),
        run: COMPILE,
        exit: 2,
        code: "SNN0805",
        place: "",
    },
    Case {
        name: "mapped source",
        set: |p| emitted(p, "mapped", "", ""),
        run: COMPILE,
        exit: 2,
        code: "SNN0805",
        place: "",
    },
    Case {
        name: "network in f32 that is not finite",
        set: |p| {
            let genome = crate::repo(GENOME).display().to_string();
            p.run(&["convert", &genome, "-o", "n.snn"]).exits(0);
            let text = String::from_utf8(p.read("n.snn")).expect("text");
            p.write("n.snn", text.replacen("threshold 1.0", "threshold inf", 1));
        },
        run: COMPILE,
        exit: 1,
        code: "SNN0308",
        place: "n.snn node \"a\"",
    },
    Case {
        name: "binary of other magic",
        set: |p| binary(p, |b| b[0] = b'X'),
        run: BINARY,
        exit: 1,
        code: "SNN0160",
        place: "n.snnb byte 0",
    },
    Case {
        name: "binary of another version",
        set: |p| binary(p, |b| b[5] = 9),
        run: BINARY,
        exit: 1,
        code: "SNN0161",
        place: "n.snnb byte 5",
    },
    Case {
        name: "binary of unknown kind",
        set: |p| binary(p, |b| b[4] = 77),
        run: BINARY,
        exit: 1,
        code: "SNN0162",
        place: "n.snnb byte 4",
    },
    Case {
        name: "program as a source",
        set: |p| binary(p, |b| b[4] = 3),
        run: BINARY,
        exit: 1,
        code: "SNN0163",
        place: "n.snnb byte 4",
    },
    Case {
        name: "binary cut off",
        set: |p| binary(p, |b| b.truncate(b.len() / 2)),
        run: BINARY,
        exit: 1,
        code: "SNN0164",
        place: "n.snnb",
    },
    Case {
        name: "binary of five bytes",
        set: |p| binary(p, |b| b.truncate(5)),
        run: BINARY,
        exit: 1,
        code: "SNN0164",
        place: "n.snnb",
    },
    Case {
        name: "binary with more behind it",
        set: |p| binary(p, |b| b.push(0)),
        run: BINARY,
        exit: 1,
        code: "SNN0165",
        place: "n.snnb byte",
    },
    Case {
        name: "binary with a damaged name",
        set: |p| binary(p, |b| b[8] = 0xff),
        run: BINARY,
        exit: 1,
        code: "SNN0166",
        place: "n.snnb",
    },
    Case {
        name: "unknown target",
        set: |p| p.copy(GENOME, "g.json"),
        run: "compile g.json -t loihi3 -o out",
        exit: 2,
        code: "SNN0601",
        place: "",
    },
    Case {
        name: "target file not there",
        set: |p| p.copy(GENOME, "g.json"),
        run: TARGET,
        exit: 2,
        code: "SNN0801",
        place: "t.toml",
    },
    Case {
        name: "target that is not TOML",
        set: |p| target(p, "name = \"loihi1\"", "name = = loihi1"),
        run: TARGET,
        exit: 1,
        code: "SNN0602",
        place: "t.toml:",
    },
    Case {
        name: "target with an unknown key",
        set: |p| target(p, "chips = {", "ships = {"),
        run: TARGET,
        exit: 1,
        code: "SNN0603",
        place: "t.toml",
    },
    Case {
        name: "limit without source",
        set: |p| {
            target(
                p,
                "compartments = { value = 1024, source = ",
                "compartments = { value = 1024, sauce = ",
            );
        },
        run: TARGET,
        exit: 1,
        code: "SNN0603",
        place: "t.toml",
    },
    Case {
        name: "limit below zero",
        set: |p| limit(p, "compartments", "-1"),
        run: TARGET,
        exit: 1,
        code: "SNN0604",
        place: "t.toml:",
    },
    Case {
        name: "target that is not UTF-8",
        set: |p| {
            p.copy(GENOME, "g.json");
            p.write("t.toml", b"name = \"\xff\"");
        },
        run: TARGET,
        exit: 2,
        code: "SNN0808",
        place: "t.toml",
    },
    Case {
        name: "target larger than a target is",
        set: |p| {
            p.copy(GENOME, "g.json");
            p.write("t.toml", vec![b'#'; 2 << 20]);
        },
        run: TARGET,
        exit: 2,
        code: "SNN0804",
        place: "t.toml",
    },
    Case {
        name: "too few axons",
        set: |p| limit(p, "input_axons", "10"),
        run: TARGET,
        exit: 1,
        code: "SNN0560",
        place: "population",
    },
    Case {
        name: "too few cores",
        set: |p| {
            p.copy("tests/fixtures/split.genome.json", "g.json");
            edited(
                p,
                "backends/targets/loihi1.toml",
                "t.toml",
                "chips = { value = 32",
                "chips = { value = 1",
            );
            let text = String::from_utf8(p.read("t.toml")).expect("text");
            p.write(
                "t.toml",
                text.replacen("cores_per_chip = { value = 128", "cores_per_chip = { value = 1", 1),
            );
        },
        run: TARGET,
        exit: 1,
        code: "SNN0562",
        place: "",
    },
    Case {
        name: "integers for a target without negative weight exponents",
        set: |p| {
            limit(p, "min_weight_exponent", "0");
            quantized(p, "exponent -1", "exponent -1");
        },
        run: "compile n.snn -t t.toml -o out",
        exit: 1,
        code: "SNN0425",
        place: "matrix",
    },
    Case {
        name: "accumulator of four bits",
        set: |p| limit(p, "max_input_sum", "1"),
        run: TARGET,
        exit: 1,
        code: "SNN0460",
        place: "population",
    },
];
