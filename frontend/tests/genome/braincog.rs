//! State dicts recorded from BrainCog's own code are read, all of them and without remarks.

use snnc_frontend::{read_genome, unfold};
use std::path::{Path, PathBuf};

pub(crate) fn genomes() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/braincog");
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut found: Vec<PathBuf> =
        entries.filter(|p| p.to_string_lossy().ends_with(".genome.json")).collect();
    found.sort();
    assert!(found.len() >= 50, "{} genomes", found.len());
    found
}

#[test]
fn all_are_read() {
    for path in genomes() {
        let loaded = read_genome(&path).unwrap_or_else(|d| panic!("{}:\n{d}", path.display()));
        assert!(loaded.warnings.is_empty(), "{}:\n{}", path.display(), loaded.warnings);
        let (unfolding, warnings) = unfold(&path).unwrap();
        assert!(warnings.is_empty(), "{}:\n{warnings}", path.display());
        assert_eq!(loaded.unfolding, Some(unfolding), "{}", path.display());
    }
}
