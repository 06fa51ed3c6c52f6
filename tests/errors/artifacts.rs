//! Artifacts: missing, foreign, damaged, altered, of another source.

use crate::Case;
use crate::common::{GENOME, Place};
use snnc::artifact::Manifest;
use snnc::artifact::manifest::FileEntry;
use snnc::backends::program;
use snnc::ir::binary;
use snnc::ir::level::AnyDraft;
use snnc::ir::program::Program;
use std::fs;

const VERIFY: &str = "verify g.json art";
const INSPECT: &str = "inspect art";

/// The genome and its artifact for Loihi 2 in `art`.
fn artifact(place: &Place) {
    place.copy(GENOME, "g.json");
    place.run(&["compile", "g.json", "-t", "loihi2", "-o", "art"]).exits(0);
}

/// As above, with a changed manifest.
fn manifest(place: &Place, old: &str, new: &str) {
    artifact(place);
    let text = String::from_utf8(place.read("art/manifest.json")).expect("a manifest is UTF-8");
    assert!(text.contains(old), "no {old:?} in\n{text}");
    place.write("art/manifest.json", text.replacen(old, new, 1));
}

/// As above, with a changed file and the old hash.
fn altered(place: &Place, name: &str, change: fn(&mut Vec<u8>)) {
    artifact(place);
    let path = format!("art/{name}");
    let mut bytes = place.read(&path);
    change(&mut bytes);
    place.write(&path, bytes);
}

/// As above, of an artifact with a `network.net`.
fn exported(place: &Place, name: &str, change: fn(&mut Vec<u8>)) {
    place.copy(GENOME, "g.json");
    place.run(&["compile", "g.json", "-t", "loihi2", "--delays", "relay", "-o", "art"]).exits(0);
    let path = format!("art/{name}");
    let mut bytes = place.read(&path);
    change(&mut bytes);
    place.write(&path, bytes);
}

/// As above, with a hash that fits again.
fn resealed(place: &Place, name: &str, change: fn(&mut Vec<u8>)) {
    altered(place, name, change);
    let mut manifest = Manifest::read(&place.path("art")).expect("a manifest");
    let bytes = place.read(&format!("art/{name}"));
    for file in manifest.files.iter_mut().filter(|f| f.name == name) {
        *file = FileEntry::of(name, &bytes);
    }
    place.write("art/manifest.json", manifest.to_bytes());
}

/// As above, with a changed program.
fn reprogrammed(place: &Place, change: fn(&mut Program)) {
    artifact(place);
    let mut program = program::read(&place.read("art/program.snnb")).expect("a program");
    change(&mut program);
    let bytes = program::encode(&program);
    place.write("art/program.snnb", &bytes);
    let mut manifest = Manifest::read(&place.path("art")).expect("a manifest");
    for file in manifest.files.iter_mut().filter(|f| f.name == "program.snnb") {
        *file = FileEntry::of("program.snnb", &bytes);
    }
    place.write("art/manifest.json", manifest.to_bytes());
}

/// Flips a bit of a byte counted from the end.
fn flip(bytes: &mut [u8], from_end: usize) {
    let at = bytes.len() - from_end;
    bytes[at] ^= 4;
}

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "no artifact",
        set: |p| p.copy(GENOME, "g.json"),
        run: VERIFY,
        exit: 1,
        code: "SNN0830",
        place: "",
    },
    Case {
        name: "a folder without manifest",
        set: |p| {
            p.copy(GENOME, "g.json");
            p.write("art/program.snnb", "");
        },
        run: VERIFY,
        exit: 1,
        code: "SNN0830",
        place: "art",
    },
    Case {
        name: "manifest of something else",
        set: |p| {
            p.copy(GENOME, "g.json");
            p.write("art/manifest.json", "{\"name\": \"a web page\"}");
        },
        run: VERIFY,
        exit: 1,
        code: "SNN0830",
        place: "art/manifest.json",
    },
    Case {
        name: "manifest that is no JSON",
        set: |p| manifest(p, "{", ""),
        run: INSPECT,
        exit: 1,
        code: "SNN0830",
        place: "art/manifest.json",
    },
    Case {
        name: "manifest of a later schema",
        set: |p| manifest(p, "snnc-manifest/1", "snnc-manifest/2"),
        run: INSPECT,
        exit: 1,
        code: "SNN0830",
        place: "art/manifest.json",
    },
    Case {
        name: "manifest without a field",
        set: |p| manifest(p, "\"network\": \"skip\",", ""),
        run: INSPECT,
        exit: 1,
        code: "SNN0831",
        place: "art/manifest.json:",
    },
    Case {
        name: "manifest with another field",
        set: |p| manifest(p, "\"network\": \"skip\",", "\"network\": \"skip\", \"extra\": 1,"),
        run: INSPECT,
        exit: 1,
        code: "SNN0831",
        place: "art/manifest.json:",
    },
    Case {
        name: "file outside the artifact",
        set: |p| manifest(p, "\"program.snnb\"", "\"../g.json\""),
        run: INSPECT,
        exit: 1,
        code: "SNN0831",
        place: "art/manifest.json $.files[",
    },
    Case {
        name: "file listed twice",
        set: |p| manifest(p, "\"program.snnb\"", "\"source.snnb\""),
        run: INSPECT,
        exit: 1,
        code: "SNN0831",
        place: "art/manifest.json $.files[",
    },
    Case {
        name: "program not listed",
        set: |p| {
            manifest(p, "\"program.snnb\"", "\"other.snnb\"");
            let bytes = p.read("art/program.snnb");
            p.write("art/other.snnb", bytes);
        },
        run: INSPECT,
        exit: 1,
        code: "SNN0831",
        place: "art/manifest.json $.files",
    },
    Case {
        name: "file missing",
        set: |p| {
            artifact(p);
            fs::remove_file(p.path("art/program.snnb")).expect("the file was there");
        },
        run: VERIFY,
        exit: 1,
        code: "SNN0832",
        place: "art/program.snnb",
    },
    Case {
        name: "program altered",
        set: |p| altered(p, "program.snnb", |b| flip(b, 40)),
        run: VERIFY,
        exit: 1,
        code: "SNN0832",
        place: "art/program.snnb",
    },
    Case {
        name: "certificate altered",
        set: |p| altered(p, "certificate.json", |b| flip(b, 40)),
        run: VERIFY,
        exit: 1,
        code: "SNN0832",
        place: "art/certificate.json",
    },
    Case {
        name: "certificate of another format",
        set: |p| {
            altered(p, "certificate.json", |b| {
                let text = String::from_utf8_lossy(b).replacen("\"format\": 2", "\"format\": 1", 1);
                *b = text.into_bytes();
            });
        },
        run: "verify --certificate art",
        exit: 1,
        code: "SNN0718",
        place: "art/certificate.json $.format",
    },
    Case {
        name: "certificate of another program",
        set: |p| altered(p, "program.snnb", |b| flip(b, 40)),
        run: "verify --certificate art/certificate.json",
        exit: 1,
        code: "SNN0719",
        place: "art/certificate.json $.files[0].blake3",
    },
    Case {
        name: "certificate beside which a file is missing",
        set: |p| {
            artifact(p);
            fs::remove_file(p.path("art/source.snnb")).expect("the file was there");
        },
        run: "verify --certificate art",
        exit: 1,
        code: "SNN0719",
        place: "art/source.snnb",
    },
    Case {
        name: "certificate that claims narrower bounds",
        set: |p| {
            altered(p, "certificate.json", |b| {
                let text = String::from_utf8_lossy(b).replacen("\"low\": -", "\"low\": -1", 1);
                *b = text.into_bytes();
            });
        },
        run: "verify --certificate art",
        exit: 1,
        code: "SNN0720",
        place: "art/certificate.json $.populations[",
    },
    Case {
        name: "certificate beside an export that is cut short",
        set: |p| exported(p, "network.net", |b| b.truncate(b.len() / 2)),
        run: "verify --certificate art",
        exit: 1,
        code: "SNN0636",
        place: "art/network.net",
    },
    Case {
        name: "certificate whose layout leaves neurons out",
        set: |p| {
            exported(p, "certificate.json", |b| {
                let text = String::from_utf8_lossy(b).replacen("\"layer\": 1", "\"layer\": 7", 1);
                *b = text.into_bytes();
            });
        },
        run: "verify --certificate art",
        exit: 1,
        code: "SNN0637",
        place: "art/network.net",
    },
    Case {
        name: "file longer than listed",
        set: |p| altered(p, "source.snnb", |b| b.push(0)),
        run: VERIFY,
        exit: 1,
        code: "SNN0832",
        place: "art/source.snnb",
    },
    Case {
        name: "file shorter than listed",
        set: |p| altered(p, "target.toml", |b| b.truncate(100)),
        run: VERIFY,
        exit: 1,
        code: "SNN0832",
        place: "art/target.toml",
    },
    Case {
        name: "program of other magic",
        set: |p| resealed(p, "program.snnb", |b| b[0] = b'Z'),
        run: VERIFY,
        exit: 1,
        code: "SNN0610",
        place: "art/program.snnb",
    },
    Case {
        name: "program of another version",
        set: |p| resealed(p, "program.snnb", |b| b[5] = 1),
        run: VERIFY,
        exit: 1,
        code: "SNN0611",
        place: "art/program.snnb",
    },
    Case {
        name: "program cut off",
        set: |p| resealed(p, "program.snnb", |b| b.truncate(b.len() - 3)),
        run: VERIFY,
        exit: 1,
        code: "SNN0610",
        place: "art/program.snnb",
    },
    Case {
        name: "another weight in the program",
        set: |p| {
            reprogrammed(p, |program| program.values[0][0] ^= 2);
        },
        run: VERIFY,
        exit: 1,
        code: "SNN0707",
        place: "",
    },
    Case {
        name: "another weight in the program, bisected",
        set: |p| {
            reprogrammed(p, |program| program.values[0][0] ^= 2);
        },
        run: "verify g.json art --bisect",
        exit: 1,
        code: "SNN0837",
        place: "art",
    },
    Case {
        name: "another bias in the program",
        set: |p| {
            reprogrammed(p, |program| program.cores[0].compartments[0].cycle[0].bias_mantissa += 1);
        },
        run: VERIFY,
        exit: 1,
        code: "SNN0711",
        place: "",
    },
    Case {
        name: "another route in the program",
        set: |p| {
            reprogrammed(p, |program| program.inputs[0].axon += 1);
        },
        run: VERIFY,
        exit: 1,
        code: "SNN0612",
        place: "art/program.snnb cores[0].routes[0].axon",
    },
    Case {
        name: "another source in the artifact",
        set: |p| {
            resealed(p, "source.snnb", |bytes| {
                let Ok(AnyDraft::Quantized(mut draft)) = binary::decode(bytes) else {
                    panic!("a quantized network")
                };
                draft.matrices.values_mut().next().expect("a matrix").mantissa[0] ^= 2;
                *bytes = binary::encode_quantized(&draft);
            });
        },
        run: VERIFY,
        exit: 1,
        code: "SNN0707",
        place: "",
    },
    Case {
        name: "source of another level in the artifact",
        set: |p| {
            artifact(p);
            p.run(&["convert", "g.json", "-o", "n.snnb"]).exits(0);
            let network = p.read("n.snnb");
            fs::remove_file(p.path("n.snnb")).expect("just written");
            p.write("art/source.snnb", &network);
            let mut manifest = Manifest::read(&p.path("art")).expect("a manifest");
            for file in manifest.files.iter_mut().filter(|f| f.name == "source.snnb") {
                *file = FileEntry::of("source.snnb", &network);
            }
            p.write("art/manifest.json", manifest.to_bytes());
        },
        run: VERIFY,
        exit: 1,
        code: "SNN0833",
        place: "art/source.snnb",
    },
    Case {
        name: "manifest of another network",
        set: |p| manifest(p, "\"network\": \"skip\"", "\"network\": \"ship\""),
        run: INSPECT,
        exit: 1,
        code: "SNN0833",
        place: "art",
    },
    Case {
        name: "manifest of another target",
        set: |p| manifest(p, "\"name\": \"loihi2\"", "\"name\": \"loihi1\""),
        run: INSPECT,
        exit: 1,
        code: "SNN0833",
        place: "art",
    },
    Case {
        name: "another genome",
        set: |p| {
            artifact(p);
            crate::edited(p, GENOME, "g.json", "[0.15625, 0.375", "[0.375, 0.15625");
        },
        run: VERIFY,
        exit: 1,
        code: "SNN0707",
        place: "",
    },
    Case {
        name: "another threshold in the genome",
        set: |p| {
            artifact(p);
            crate::edited(p, GENOME, "g.json", "\"threshold\": 1.0", "\"threshold\": 1.5");
        },
        run: VERIFY,
        exit: 1,
        code: "SNN0706",
        place: "",
    },
    Case {
        name: "pipeline of the manifest that does not exist",
        set: |p| manifest(p, "fold-batchnorm,", "fold-batchnorms,"),
        run: VERIFY,
        exit: 2,
        code: "SNN0851",
        place: "",
    },
    Case {
        name: "program that is run although it is damaged",
        set: |p| {
            altered(p, "program.snnb", |b| flip(b, 1));
            p.copy(crate::common::STIMULUS, "s.npz");
        },
        run: "run art --stimulus s.npz",
        exit: 1,
        code: "SNN0832",
        place: "art/program.snnb",
    },
    Case {
        name: "float level of an artifact",
        set: |p| {
            artifact(p);
            p.copy(crate::common::STIMULUS, "s.npz");
        },
        run: "run art --level float --stimulus s.npz",
        exit: 2,
        code: "SNN0805",
        place: "art",
    },
    Case {
        name: "program file that is no program",
        set: |p| p.write("program.snnb", b"SNNB\x03\x05\x00\xff\xff\xff\xff\xff\xff"),
        run: "inspect program.snnb",
        exit: 1,
        code: "SNN0610",
        place: "program.snnb",
    },
];
