//! Damaged files of every kind: whatever is in them, the answer is a diagnostic and never a panic,
//! and what is accepted is handled like any other file.
//!
//! The damage is drawn from a fixed seed: a flipped bit, a cut, a doubled or missing stretch, a
//! number replaced by an extreme one.

mod common;

use common::{GENOME, Place, STIMULUS};
use snnc::Exit;
use snnc::artifact::Artifact;
use snnc::backends::certify::certify;
use snnc::backends::program;
use snnc::ir::program::Program;
use snnc::ir::spikes::SpikeTrain;
use snnc::runtime::cores::{CoreProbe, simulate};
use std::ffi::OsString;

/// A small generator: the tests must not depend on a library's stream of numbers.
struct Random(u64);

impl Random {
    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound.max(1) as u64).expect("below a usize")
    }
}

fn damage(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(2) {
        let at = random.below(bytes.len());
        let stretch = at..(at + 1 + random.below(12)).min(bytes.len());
        match random.below(7) {
            0 | 1 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(stretch)),
            4 => {
                let twice = bytes[stretch].to_vec();
                bytes.splice(at..at, twice);
            }
            5 => drop(bytes.splice(stretch, [0xff; 5])),
            _ => number(&mut bytes, at, random),
        }
    }
    bytes
}

/// Replaces the first run of digits behind `at` by an extreme number.
fn number(bytes: &mut Vec<u8>, at: usize, random: &mut Random) {
    const EXTREMES: [&str; 8] =
        ["0", "-1", "4294967295", "4294967296", "18446744073709551616", "1e308", "1e39", "0.0001"];
    let Some(start) = (at..bytes.len()).find(|&i| bytes[i].is_ascii_digit()) else { return };
    let len = bytes[start..].iter().take_while(|b| b.is_ascii_digit()).count();
    let extreme = EXTREMES[random.below(EXTREMES.len())];
    bytes.splice(start..start + len, extreme.bytes());
}

/// Damages `file` again and again and runs the command, in which `@` is the folder.
fn survives(place: &Place, file: &str, command: &str, rounds: usize) {
    let original = place.read(file);
    let folder = place.path("").display().to_string();
    let arguments: Vec<OsString> = std::iter::once("snnc")
        .chain(command.split_whitespace())
        .map(|word| word.replace('@', &folder).into())
        .collect();
    let mut random = Random(0x5eed);
    let mut accepted = 0;
    for round in 0..rounds {
        let damaged = damage(&original, &mut random);
        place.write(file, &damaged);
        let outcome = snnc::cli::execute(arguments.clone());
        if outcome.exit == Exit::Bug {
            let kept = std::env::temp_dir().join(format!("snnc-corruption-{round}"));
            std::fs::write(&kept, &damaged).expect("the temporary folder is writable");
            panic!("{command}: {}\nthe file is kept in {}", outcome.stderr, kept.display());
        }
        accepted += usize::from(outcome.exit == Exit::Done);
    }
    assert!(accepted < rounds, "{file}: some damage is noticed");
    place.write(file, &original);
    let outcome = snnc::cli::execute(arguments);
    assert_eq!(outcome.exit, Exit::Done, "undamaged {file}: {}", outcome.stderr);
}

fn prepared() -> Place {
    let place = Place::new();
    place.copy(GENOME, "g.json");
    place.copy(STIMULUS, "s.npz");
    place.run(&["compile", "g.json", "-t", "loihi2", "-o", "art"]).exits(0);
    place
}

#[test]
fn genomes() {
    let place = prepared();
    survives(&place, "g.json", "check @g.json -t loihi2", 150);
    place.copy("examples/small/genes.genome.json", "genes.json");
    survives(&place, "genes.json", "check @genes.json -t loihi2", 150);
    place.copy("examples/small/conv.genome.json", "conv.json");
    survives(&place, "conv.json", "check @conv.json -t loihi2", 150);
}

#[test]
fn side_cars() {
    let place = Place::new();
    place.copy("examples/digits/digits.genome.json", "g.json");
    place.copy("examples/digits/digits.safetensors", "digits.safetensors");
    let text = String::from_utf8(place.read("g.json")).expect("text");
    let start = text.find("\"sha256\"").expect("a hash");
    let comma = text[..start].rfind(',').expect("a field before it");
    let end = start + text[start..].find('}').expect("the end of the object");
    place.write("g.json", format!("{}{}", &text[..comma], &text[end..]));
    survives(&place, "digits.safetensors", "check @g.json", 60);
}

#[test]
fn text_forms() {
    let place = prepared();
    for stage in ["network", "quantized", "scheduled", "mapped"] {
        let said = place.run(&["compile", "g.json", "-t", "loihi2", "--emit", stage]).exits(0);
        let file = format!("{stage}.snn");
        place.write(&file, said.stdout);
        survives(&place, &file, &format!("inspect @{file}"), 120);
    }
    survives(&place, "quantized.snn", "check @quantized.snn -t loihi2", 120);
    survives(&place, "scheduled.snn", "run @scheduled.snn --stimulus @s.npz --samples 1", 120);
}

#[test]
fn binary_forms() {
    let place = prepared();
    for stage in ["network", "quantized", "mapped"] {
        let said = place.run(&["compile", "g.json", "-t", "loihi2", "--emit", stage]).exits(0);
        place.write("a.snn", said.stdout);
        let file = format!("{stage}.snnb");
        place.run(&["convert", "a.snn", "-o", &file]).exits(0);
        survives(&place, &file, &format!("inspect @{file}"), 200);
    }
    survives(&place, "quantized.snnb", "check @quantized.snnb -t loihi2", 200);
    survives(&place, "network.snnb", "check @network.snnb -t loihi1", 200);
    place.copy(GENOME, "g.json");
    let program = place.read("art/program.snnb");
    place.write("p.snnb", program);
    survives(&place, "p.snnb", "inspect @p.snnb", 300);
}

#[test]
fn stimuli_manifests_and_targets() {
    let place = prepared();
    survives(&place, "s.npz", "run @art --stimulus @s.npz --samples 2", 150);
    survives(&place, "art/manifest.json", "verify @g.json @art", 150);
    let target = place.read("art/target.toml");
    place.write("t.toml", target);
    survives(&place, "t.toml", "check @g.json -t @t.toml", 150);
}

#[test]
fn recipes_and_configurations() {
    let place = prepared();
    place.run(&["quantize", "g.json", "-t", "loihi2", "-o", "q"]).exits(0);
    place.run(&["convert", "q/recipe.snnb", "-o", "r.json"]).exits(0);
    survives(&place, "q/recipe.snnb", "inspect @q/recipe.snnb", 200);
    survives(&place, "q/recipe.snnb", "check @g.json -t loihi2 --recipe @q/recipe.snnb", 200);
    survives(&place, "r.json", "check @g.json -t loihi2 --recipe @r.json", 200);
    place.write(
        "c.toml",
        "[quantize]\nweight-bits = 6\ngroups = \"split\"\nscales = \"neuron\"\nmax-exponent = 2\n\
         [[quantize.projection]]\nfrom = \"in\"\nto = \"a\"\nnth = 0\nweight-bits = 3\nsplit = false\n",
    );
    survives(&place, "c.toml", "check @g.json -t loihi2 --config @c.toml", 150);
    place.run(&["compile", "g.json", "-t", "loihi2", "-o", "art", "--weight-bits", "3"]).exits(0);
    survives(&place, "art/recipe.snnb", "verify @g.json @art", 60);
}

/// A program that its reader accepts may say anything: certificate and simulator must stand it.
#[test]
fn programs_that_are_read() {
    let place = prepared();
    let artifact = Artifact::load(&place.path("art")).expect("an artifact");
    let original = place.read("art/program.snnb");
    let inputs = vec![SpikeTrain::new(20, 12)].into();
    let mut random = Random(0x5eed);
    let (mut read, mut certified) = (0, 0);
    for _ in 0..600 {
        let Ok(decoded) = program::read(&damage(&original, &mut random)) else { continue };
        read += 1;
        if decoded.run_steps < 1000 {
            // Either outcome will do: it is a panic that would fail here.
            let _ = simulate(&decoded, &inputs, &CoreProbe::None);
        }
        let equal = decoded == artifact.program;
        let proof = certify(&artifact.source, &decoded, &artifact.target);
        assert!(proof.is_err() || equal || same_spikes(&decoded, &artifact.program));
        certified += u32::from(proof.is_ok());
    }
    assert!(read > 20 && certified < read / 2, "{read} read, {certified} certified");
}

/// Whether the programs give the same spikes on a busy input (tables may be laid out otherwise).
fn same_spikes(left: &Program, right: &Program) -> bool {
    let mut inputs = SpikeTrain::new(20, 12);
    (0..240).filter(|i| i % 3 == 0).for_each(|i| inputs.set(i / 12, i % 12));
    let inputs = vec![inputs].into();
    let run = |p: &Program| simulate(p, &inputs, &CoreProbe::None).map(|r| r.spikes);
    run(left) == run(right)
}
