//! Options of quantization, configurations, recipes, calibration data, and recipes in artifacts.

use crate::Case;
use crate::common::{GENOME, Place, STIMULUS};
use snnc::artifact::Manifest;
use snnc::artifact::manifest::FileEntry;
use snnc::frontend::arrays::{Array, ArrayData, write_npz};
use snnc::ir::binary::encode_recipe;
use snnc::ir::recipe::{ProjectionRecipe, Recipe};

const CHECK: &str = "check g.json -t loihi2";
const RECIPE: &str = "check g.json -t loihi2 --recipe r.json";
const BINARY: &str = "check g.json -t loihi2 --recipe r.snnb";
const VERIFY: &str = "verify g.json art";

fn genome(place: &Place) {
    place.copy(GENOME, "g.json");
}

/// The genome and a configuration beside it.
fn config(place: &Place, text: &str) {
    genome(place);
    place.write("snnc.toml", text);
}

/// The genome and a recipe as JSON.
fn recipe(place: &Place, text: &str) {
    genome(place);
    place.write("r.json", text);
}

/// The genome and a complete recipe.
fn complete(place: &Place) {
    genome(place);
    place.run(&["quantize", "g.json", "-t", "loihi2", "-o", "q"]).exits(0);
}

/// The genome quantized already.
fn quantized(place: &Place) {
    genome(place);
    let emitted = place.run(&["compile", "g.json", "-t", "loihi2", "--emit", "quantized"]);
    place.write("q.snn", emitted.exits(0).stdout);
}

/// The genome and its stimulus.
fn stimulus(place: &Place) {
    genome(place);
    place.copy(STIMULUS, "s.npz");
}

/// The genome and an artifact with a recipe.
fn artifact(place: &Place) {
    genome(place);
    let compile = ["compile", "g.json", "-t", "loihi2", "-o", "art", "--weight-bits", "4"];
    place.run(&compile).exits(0);
}

/// As above, with another recipe whose hash is right.
fn exchanged(place: &Place, bytes: &[u8]) {
    artifact(place);
    place.write("art/recipe.snnb", bytes);
    let mut manifest = Manifest::read(&place.path("art")).expect("a manifest");
    for file in manifest.files.iter_mut().filter(|f| f.name == "recipe.snnb") {
        *file = FileEntry::of("recipe.snnb", bytes);
    }
    place.write("art/manifest.json", manifest.to_bytes());
}

/// A recipe of the settings that [`artifact`] has, with an entry.
fn with_entry(entry: ProjectionRecipe) -> Vec<u8> {
    let mut recipe = Recipe { projections: vec![entry], ..Recipe::default() };
    recipe.settings.weight_bits = 4;
    encode_recipe(&recipe)
}

fn entry(source: &str, target: &str, weight_bits: u8) -> ProjectionRecipe {
    ProjectionRecipe {
        source: source.to_owned(),
        target: target.to_owned(),
        weight_bits: Some(weight_bits),
        ..ProjectionRecipe::default()
    }
}

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "configuration that is no TOML",
        set: |p| config(p, "[quantize]\nweight-bits = \n"),
        run: CHECK,
        exit: 2,
        code: "SNN0822",
        place: "snnc.toml:2:15",
    },
    Case {
        name: "configuration of another type",
        set: |p| config(p, "[quantize]\nweight-bits = \"4\"\n"),
        run: CHECK,
        exit: 2,
        code: "SNN0822",
        place: "snnc.toml:2:15",
    },
    Case {
        name: "unknown key of a configuration",
        set: |p| config(p, "[quantize]\n\nbits = 4\n"),
        run: CHECK,
        exit: 2,
        code: "SNN0823",
        place: "snnc.toml:3:1",
    },
    Case {
        name: "unknown table of a configuration",
        set: |p| config(p, "[quantise]\nweight-bits = 4\n"),
        run: CHECK,
        exit: 2,
        code: "SNN0823",
        place: "snnc.toml:1:2",
    },
    Case {
        name: "projection of a configuration without target",
        set: |p| config(p, "[[quantize.projection]]\nfrom = \"in\"\n"),
        run: CHECK,
        exit: 2,
        code: "SNN0823",
        place: "snnc.toml:1:1",
    },
    Case {
        name: "bits of a configuration out of range",
        set: |p| config(p, "[quantize]\nweight-bits = 9\n"),
        run: CHECK,
        exit: 2,
        code: "SNN0824",
        place: "snnc.toml:2:15",
    },
    Case {
        name: "unknown value of a configuration",
        set: |p| config(p, "[quantize]\nscales = \"layer\"\n"),
        run: CHECK,
        exit: 2,
        code: "SNN0824",
        place: "snnc.toml:2:10",
    },
    Case {
        name: "projection twice in a configuration",
        set: |p| {
            let entry = "[[quantize.projection]]\nfrom = \"in\"\nto = \"a\"\n";
            config(p, &entry.repeat(2));
        },
        run: CHECK,
        exit: 2,
        code: "SNN0824",
        place: "snnc.toml:4:1",
    },
    Case {
        name: "projection of a configuration that does not exist",
        set: |p| config(p, "[[quantize.projection]]\nfrom = \"in\"\nto = \"b\"\nnth = 1\n"),
        run: CHECK,
        exit: 1,
        code: "SNN0469",
        place: "\"in\" -> \"b\" number 1",
    },
    Case {
        name: "configuration not there",
        set: genome,
        run: "check g.json -t loihi2 --config c.toml",
        exit: 2,
        code: "SNN0801",
        place: "c.toml",
    },
    Case {
        name: "configuration is a folder",
        set: |p| {
            genome(p);
            p.write("snnc.toml/x", "");
        },
        run: CHECK,
        exit: 2,
        code: "SNN0801",
        place: "snnc.toml",
    },
    Case {
        name: "configuration is not UTF-8",
        set: |p| {
            genome(p);
            p.write("snnc.toml", [0xff, 0xfe]);
        },
        run: CHECK,
        exit: 2,
        code: "SNN0808",
        place: "snnc.toml",
    },
    Case {
        name: "recipe not there",
        set: genome,
        run: RECIPE,
        exit: 2,
        code: "SNN0801",
        place: "r.json",
    },
    Case {
        name: "recipe of unknown kind",
        set: |p| {
            genome(p);
            p.write("r.toml", "");
        },
        run: "check g.json -t loihi2 --recipe r.toml",
        exit: 2,
        code: "SNN0803",
        place: "r.toml",
    },
    Case {
        name: "recipe as text form",
        set: |p| {
            genome(p);
            p.write("r.snn", "");
        },
        run: "check g.json -t loihi2 --recipe r.snn",
        exit: 2,
        code: "SNN0803",
        place: "r.snn",
    },
    Case {
        name: "recipe that is no JSON",
        set: |p| recipe(p, "{\n  \"settings\": {,}\n}"),
        run: RECIPE,
        exit: 2,
        code: "SNN0826",
        place: "r.json:2:16",
    },
    Case {
        name: "recipe with an unknown field",
        set: |p| recipe(p, "{\"settings\": {\"bits\": 4}}"),
        run: RECIPE,
        exit: 2,
        code: "SNN0826",
        place: "r.json:1:20",
    },
    Case {
        name: "recipe of another schema",
        set: |p| recipe(p, "{\"schema\": \"snnc-recipe/2\"}"),
        run: RECIPE,
        exit: 2,
        code: "SNN0826",
        place: "r.json $.schema",
    },
    Case {
        name: "recipe with a value out of range",
        set: |p| recipe(p, "{\"populations\": [{\"name\": \"a\", \"scale\": {\"uniform\": -1}}]}"),
        run: RECIPE,
        exit: 1,
        code: "SNN0431",
        place: "r.json recipe of population \"a\"",
    },
    Case {
        name: "recipe with an entry twice",
        set: |p| recipe(p, "{\"populations\": [{\"name\": \"a\"}, {\"name\": \"a\"}]}"),
        run: RECIPE,
        exit: 1,
        code: "SNN0430",
        place: "r.json recipe of population \"a\"",
    },
    Case {
        name: "recipe of a population that does not exist",
        set: |p| recipe(p, "{\"populations\": [{\"name\": \"z\", \"dv\": {\"uniform\": 1}}]}"),
        run: RECIPE,
        exit: 1,
        code: "SNN0469",
        place: "population \"z\"",
    },
    Case {
        name: "recipe with too few weights",
        set: |p| {
            recipe(
                p,
                "{\"projections\": [{\"source\": \"in\", \"target\": \"a\", \"weights\": [1]}]}",
            );
        },
        run: RECIPE,
        exit: 1,
        code: "SNN0470",
        place: "\"in\" -> \"a\" number 0",
    },
    Case {
        name: "recipe that is a network",
        set: |p| {
            genome(p);
            p.run(&["convert", "g.json", "-o", "r.snnb"]).exits(0);
        },
        run: BINARY,
        exit: 1,
        code: "SNN0168",
        place: "r.snnb byte 4",
    },
    Case {
        name: "recipe that ends early",
        set: |p| {
            complete(p);
            let bytes = p.read("q/recipe.snnb");
            p.write("r.snnb", &bytes[..bytes.len() / 2]);
        },
        run: BINARY,
        exit: 1,
        code: "SNN0164",
        place: "r.snnb",
    },
    Case {
        name: "network that is a recipe",
        set: complete,
        run: "compile q/recipe.snnb -t loihi2 -o out",
        exit: 1,
        code: "SNN0167",
        place: "q/recipe.snnb byte 4",
    },
    Case {
        name: "options against a complete recipe",
        set: complete,
        run: "check g.json -t loihi2 --recipe q/recipe.snnb --weight-bits 4",
        exit: 2,
        code: "SNN0810",
        place: "",
    },
    Case {
        name: "calibration of a complete recipe",
        set: |p| {
            complete(p);
            p.copy(STIMULUS, "s.npz");
        },
        run: "check g.json -t loihi2 --recipe q/recipe.snnb --calibrate s.npz",
        exit: 2,
        code: "SNN0810",
        place: "",
    },
    Case {
        name: "widths of a complete recipe",
        set: complete,
        run: "quantize g.json -t loihi2 --recipe q/recipe.snnb --sweep 8..4",
        exit: 2,
        code: "SNN0810",
        place: "",
    },
    Case {
        name: "bits of integers",
        set: quantized,
        run: "compile q.snn -t loihi2 -o out --weight-bits 4",
        exit: 2,
        code: "SNN0810",
        place: "q.snn",
    },
    Case {
        name: "calibration of integers",
        set: |p| {
            quantized(p);
            p.copy(STIMULUS, "s.npz");
        },
        run: "compile q.snn -t loihi2 -o out --calibrate s.npz",
        exit: 2,
        code: "SNN0810",
        place: "q.snn",
    },
    Case {
        name: "account of integers",
        set: quantized,
        run: "quantize q.snn -t loihi2",
        exit: 2,
        code: "SNN0805",
        place: "q.snn",
    },
    Case {
        name: "bits of a float network",
        set: genome,
        run: "compile g.json -t loihi2 --emit network --weight-bits 4",
        exit: 2,
        code: "SNN0810",
        place: "",
    },
    Case {
        name: "bits of a float run",
        set: stimulus,
        run: "run g.json -t loihi2 --stimulus s.npz --weight-bits 4",
        exit: 2,
        code: "SNN0810",
        place: "",
    },
    Case {
        name: "bits of the run of an artifact",
        set: |p| {
            artifact(p);
            p.copy(STIMULUS, "s.npz");
        },
        run: "run art -t loihi2 --stimulus s.npz --weight-bits 4",
        exit: 2,
        code: "SNN0810",
        place: "",
    },
    Case {
        name: "calibration data not there",
        set: genome,
        run: "compile g.json -t loihi2 -o out --calibrate s.npz",
        exit: 2,
        code: "SNN0801",
        place: "s.npz",
    },
    Case {
        name: "calibration data of another network",
        set: |p| {
            genome(p);
            let array = Array { shape: vec![1, 20, 5], data: ArrayData::U8(vec![0; 100]) };
            let npz = write_npz(&[("spikes".to_owned(), array)]).expect("an archive");
            p.write("s.npz", npz);
        },
        run: "compile g.json -t loihi2 -o out --calibrate s.npz",
        exit: 2,
        code: "SNN0815",
        place: "s.npz array \"spikes\"",
    },
    Case {
        name: "more calibration samples than there are",
        set: stimulus,
        run: "compile g.json -t loihi2 -o out --calibrate s.npz --calibrate-samples 40..51",
        exit: 2,
        code: "SNN0815",
        place: "s.npz array",
    },
    Case {
        name: "more samples to measure than there are",
        set: stimulus,
        run: "quantize g.json -t loihi2 -o out --stimulus s.npz --samples 51",
        exit: 2,
        code: "SNN0815",
        place: "s.npz array",
    },
    Case {
        name: "account into a folder of the user",
        set: |p| {
            complete(p);
            p.write("q/thesis.txt", "years of work");
        },
        run: "quantize g.json -t loihi2 -o q",
        exit: 2,
        code: "SNN0806",
        place: "q",
    },
    Case {
        name: "account over an artifact",
        set: artifact,
        run: "quantize g.json -t loihi2 -o art",
        exit: 2,
        code: "SNN0806",
        place: "art",
    },
    Case {
        name: "artifact over an account",
        set: complete,
        run: "compile g.json -t loihi2 -o q",
        exit: 2,
        code: "SNN0806",
        place: "q",
    },
    Case {
        name: "account into no folder",
        set: genome,
        run: "quantize g.json -t loihi2 -o no/where",
        exit: 2,
        code: "SNN0807",
        place: "no/where",
    },
    Case {
        name: "drawing into no folder",
        set: genome,
        run: "quantize g.json -t loihi2 --sweep 8..7 --plot no/where.svg",
        exit: 2,
        code: "SNN0802",
        place: "no/where.svg",
    },
    Case {
        name: "remark that is denied",
        set: genome,
        run: "compile g.json -t loihi2 -o out --deny SNN0453",
        exit: 1,
        code: "SNN0453",
        place: "",
    },
    Case {
        name: "random weights that are denied",
        set: |p| p.copy("examples/small/motif.genome.json", "m.json"),
        run: "check m.json -t loihi2 --weights random:1 --deny warnings",
        exit: 1,
        code: "SNN0821",
        place: "m.json",
    },
    Case {
        name: "recipe as a text form",
        set: complete,
        run: "convert q/recipe.snnb -o r.snn",
        exit: 2,
        code: "SNN0803",
        place: "r.snn",
    },
    Case {
        name: "genome as JSON",
        set: genome,
        run: "convert g.json --emit json",
        exit: 2,
        code: "SNN0810",
        place: "g.json",
    },
    Case {
        name: "recipe as JSON under another name",
        set: complete,
        run: "convert q/recipe.snnb --emit json -o r.txt",
        exit: 2,
        code: "SNN0803",
        place: "r.txt",
    },
    Case {
        name: "random weights of a recipe",
        set: complete,
        run: "convert q/recipe.snnb -o r.json --weights random:1",
        exit: 2,
        code: "SNN0810",
        place: "",
    },
    Case {
        name: "drawing of a recipe",
        set: complete,
        run: "inspect q/recipe.snnb --graph svg",
        exit: 2,
        code: "SNN0810",
        place: "q/recipe.snnb",
    },
    Case {
        name: "recipe of an artifact missing",
        set: |p| {
            artifact(p);
            std::fs::remove_file(p.path("art/recipe.snnb")).expect("it was there");
        },
        run: VERIFY,
        exit: 1,
        code: "SNN0832",
        place: "art/recipe.snnb",
    },
    Case {
        name: "recipe of an artifact altered",
        set: |p| {
            artifact(p);
            p.write("art/recipe.snnb", encode_recipe(&Recipe::default()));
        },
        run: VERIFY,
        exit: 1,
        code: "SNN0832",
        place: "art/recipe.snnb",
    },
    Case {
        name: "recipe of an artifact not listed",
        set: |p| {
            artifact(p);
            let mut manifest = Manifest::read(&p.path("art")).expect("a manifest");
            manifest.files.retain(|f| f.name != "recipe.snnb");
            p.write("art/manifest.json", manifest.to_bytes());
        },
        run: VERIFY,
        exit: 1,
        code: "SNN0831",
        place: "art/manifest.json $.files",
    },
    Case {
        name: "recipe of an artifact damaged",
        set: |p| exchanged(p, b"SNNB\x04\x05\x00\x04"),
        run: VERIFY,
        exit: 1,
        code: "SNN0164",
        place: "art/recipe.snnb",
    },
    Case {
        name: "recipe of an artifact is a network",
        set: |p| {
            artifact(p);
            let bytes = p.read("art/source.snnb");
            exchanged(p, &bytes);
        },
        run: VERIFY,
        exit: 1,
        code: "SNN0168",
        place: "art/recipe.snnb",
    },
    Case {
        name: "recipe of other settings in an artifact",
        set: |p| exchanged(p, &encode_recipe(&Recipe::default())),
        run: VERIFY,
        exit: 1,
        code: "SNN0833",
        place: "art",
    },
    Case {
        name: "recipe of another network in an artifact",
        set: |p| exchanged(p, &with_entry(entry("x", "y", 4))),
        run: VERIFY,
        exit: 1,
        code: "SNN0469",
        place: "\"x\" -> \"y\" number 0",
    },
    Case {
        name: "recipe of other integers in an artifact",
        set: |p| exchanged(p, &with_entry(entry("in", "a", 8))),
        run: VERIFY,
        exit: 1,
        code: "SNN0706",
        place: "",
    },
];
