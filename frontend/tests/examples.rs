//! The shipped genomes are read, and mean what their documentation says.

use snnc_frontend::{Loaded, read_genome};
use std::path::{Path, PathBuf};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

fn load(name: &str) -> Loaded {
    let loaded = read_genome(&examples().join(name)).unwrap_or_else(|d| panic!("{name}:\n{d}"));
    assert!(loaded.warnings.is_empty(), "{name}:\n{}", loaded.warnings);
    loaded
}

#[test]
fn all() {
    for n in ["digits/digits", "mnist/mnist", "small/conv", "small/genes", "small/skip", "small/direct"] {
        let l = load(&format!("{n}.genome.json"));
        eprintln!("{n} {} {}", l.account.stored_parameters(), l.account.network_parameters());
    }
}
