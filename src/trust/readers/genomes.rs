//! Genomes, architecture genomes, TENNLab networks.

use super::levels::survives_writing;
use super::{Outcome, refused, repository, with_file};
use crate::source::{FileKind, Source};
use snnc_frontend::{JsonFile, RandomWeights, ReadOptions, read_genome_bytes, resolved};
use snnc_ir::Diagnostics;
use snnc_passes::AnyLevel;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Folders with side-car files that genomes may name.
const FOLDERS: [&str; 5] = [
    "examples/digits",
    "examples/mnist",
    "examples/motif",
    "tests/fixtures/braincog",
    "tests/fixtures/motif",
];

/// Genomes: the network survives being written, and so does the genome with all its nodes written out.
pub(super) fn genome(bytes: &[u8]) -> Outcome {
    let folder = folder(bytes);
    let loaded = match read_genome_bytes(bytes, &folder, "g.json") {
        Ok(loaded) => loaded,
        Err(found) => return refused(&found),
    };
    let level = AnyLevel::Network(loaded.network);
    survives_writing(&level);
    // The nodes of an architecture genome stand in the side-car file's folder; it is checked by `search`.
    if loaded.unfolding.is_none() {
        let (text, _) = with_file(".json", bytes, resolved).expect("a genome that was read");
        let again = read_genome_bytes(text.as_bytes(), &folder, "g.json");
        let again = again.unwrap_or_else(|found| panic!("written out: {found}\n{text}"));
        assert!(level == AnyLevel::Network(again.network), "another network: {text}");
    }
    Outcome::Read
}

/// The folder with the side-car file that the genome names.
fn folder(bytes: &[u8]) -> PathBuf {
    static FILES: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    let files = FILES.get_or_init(|| {
        let listed = FOLDERS.iter().map(|f| repository(f)).filter_map(|folder| {
            let names = std::fs::read_dir(&folder).ok()?.filter_map(Result::ok);
            let names = names.filter_map(|entry| entry.file_name().into_string().ok());
            Some(names.map(move |name| (name, folder.clone())).collect::<Vec<_>>())
        });
        listed.flatten().filter(|(name, _)| name.ends_with(END)).collect()
    });
    named(bytes).and_then(|name| files.get(name)).cloned().unwrap_or_else(|| repository(FOLDERS[0]))
}

/// How side-car files end.
const END: &str = ".safetensors";

/// The name of a side-car file, if one stands in quotes.
fn named(bytes: &[u8]) -> Option<&str> {
    let text = super::text(bytes)?;
    let end = text.find(".safetensors\"")? + END.len();
    Some(&text[text[..end].rfind('"')? + 1..end])
}

/// Most parameters and neurons of an architecture that gets random weights here.
const LARGEST: u64 = 1 << 16;

/// Architecture genomes: they unfold, the cells can be shown, and with random weights they are networks.
pub(super) fn search(bytes: &[u8]) -> Outcome {
    with_file(".json", bytes, |path| {
        let (unfolding, _) = match snnc_frontend::unfold(path) {
            Ok(found) => found,
            Err(found) => return refused(&found),
        };
        let again = snnc_frontend::unfold(path).expect("it was unfolded before").0;
        assert!(unfolding == again, "unfolds in two ways");
        assert!(!unfolding.to_string().is_empty(), "shown as nothing");
        match resolved(path) {
            Ok((text, _)) => assert!(text.contains("\"explicit\""), "{text}"),
            Err(found) => drop(refused(&found)),
        }
        let totals = &unfolding.totals;
        if totals.parameters + totals.neurons <= LARGEST {
            random_weights(path)
        } else {
            Outcome::Read
        }
    })
}

/// The architecture with random weights.
fn random_weights(path: &Path) -> Outcome {
    let options = ReadOptions { weights: Some(RandomWeights { seed: 7 }) };
    let json = JsonFile::read(path).expect("it was read before");
    match json.genome(&options) {
        Ok(loaded) => {
            assert!(loaded.unfolding.is_some(), "an architecture unfolds");
            survives_writing(&AnyLevel::Network(loaded.network));
        }
        Err(found) => drop(refused(&found)),
    }
    Outcome::Read
}

/// Networks of the TENNLab framework: they survive being written, and compile or are refused.
pub(super) fn tennlab(bytes: &[u8]) -> Outcome {
    let read = with_file(".json", bytes, |path| {
        let json = JsonFile::read(path)?;
        if !json.is_tennlab() {
            return Ok(None);
        }
        json.tennlab(Some(8)).map(Some)
    });
    let read = match read {
        Ok(Some(read)) => read,
        // A genome, perhaps.
        Ok(None) => return Outcome::Refused,
        Err(found) => return refused(&found),
    };
    let level = AnyLevel::Quantized(read.network);
    survives_writing(&level);
    super::levels::compiles(&Source {
        level,
        kind: FileKind::Genome,
        hash: read.hash,
        account: None,
        unfolding: None,
        places: Some(read.places),
        delays: Vec::new(),
        weights: None,
        files: Vec::new(),
        warnings: Diagnostics::new(),
    });
    Outcome::Read
}
