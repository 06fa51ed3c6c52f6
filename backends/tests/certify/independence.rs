//! The checker shares no code with writers, readers or passes.

use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder of the checker");
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Every path that leaves the module leads to the types of `snnc_ir`, to serde or to std; none leads to the
/// bounds of the verifier.
#[test]
fn the_checker_uses_the_types_of_the_ir_alone() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/certify");
    let files = sources(&folder);
    assert!(files.len() > 10, "the checker moved");
    let (mut uses, mut foreign) = (0, Vec::new());
    // Tests compare with others.
    for file in files.into_iter().filter(|file| !file.ends_with("tests.rs")) {
        let text = std::fs::read_to_string(&file).expect("a readable source");
        let tests = text.find("#[cfg(test)]").unwrap_or(text.len());
        for line in text[..tests].lines().map(str::trim) {
            let code = line.split("//").next().unwrap_or_default();
            let import = code.strip_prefix("pub use ").or_else(|| code.strip_prefix("use "));
            if let Some(path) = import {
                uses += 1;
                let first = path.split([':', ';', '{']).next().unwrap_or_default();
                let own = ["super", "snnc_ir", "serde", "std"].contains(&first);
                // `mod.rs` names its own modules.
                let child = folder.join(format!("{first}.rs")).exists();
                if !own && !child {
                    foreign.push(format!("{}: {line}", file.display()));
                }
            }
            let others = ["crate::", "snnc_backends", "quantized::messages"];
            if others.iter().any(|other| code.contains(other)) {
                foreign.push(format!("{}: {line}", file.display()));
            }
        }
    }
    assert!(uses > 30, "no imports were found");
    assert_eq!(foreign, Vec::<String>::new());
}
