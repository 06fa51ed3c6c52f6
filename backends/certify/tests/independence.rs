//! The checker shares no code with what it checks: not as a dependency, not by what its sources name.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the crate may be built on: the types, and libraries that know nothing of networks.
const LIBRARIES: &[&str] = &["hdf5-pure", "serde"];

/// What of `snnc_ir` is types and the indices that define them. Left out are the bounds of the verifier
/// (`quantized::messages`), files of levels (`binary`, `text`) and everything else that decides something.
const TYPES: &[&str] = &[
    "Diagnostic",
    "Diagnostics",
    "Entity",
    "QuantizedNetwork",
    "Shape",
    "TargetSpec",
    "arena",
    "conv",
    "diag",
    "network",
    "order",
    "program",
    "quantized",
    "shape",
    "target",
];

/// Crates of the workspace, and the names of what they are built on (tests apart).
fn workspace() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let name = |v: &Value| v["name"].as_str().expect("a name").to_owned();
    let built_on = |package: &Value| {
        let all = package["dependencies"].as_array().expect("a list of dependencies");
        all.iter().filter(|d| d["kind"] != "dev").map(name).collect()
    };
    packages.iter().map(|package| (name(package), built_on(package))).collect()
}

/// What the crate `of` is built on, of the workspace directly or through others, and what is not allowed.
fn foreign(workspace: &BTreeMap<String, BTreeSet<String>>, of: &str) -> BTreeSet<String> {
    let (mut open, mut crates) = (vec![of], BTreeSet::new());
    while let Some(name) = open.pop() {
        if crates.insert(name.to_owned()) {
            let own = workspace[name].iter().filter(|d| workspace.contains_key(*d));
            open.extend(own.map(String::as_str));
        }
    }
    let libraries = workspace[of].iter().filter(|d| !workspace.contains_key(*d)).cloned();
    let allowed = |d: &String| d == of || d == "snnc-ir" || LIBRARIES.contains(&d.as_str());
    crates.into_iter().chain(libraries).filter(|d| !allowed(d)).collect()
}

#[test]
fn it_is_built_on_the_types_alone() {
    let workspace = workspace();
    assert!(workspace["snnc-certify"].contains("snnc-ir"), "{workspace:?}");
    assert_eq!(foreign(&workspace, "snnc-certify"), BTreeSet::new());
    // The same question finds what a writer is built on.
    assert!(foreign(&workspace, "snnc-backends").contains("postcard"));
}

#[test]
fn a_dependency_in_between_is_found() {
    let mut workspace = workspace();
    workspace.get_mut("snnc-ir").expect("the types").insert("snnc-passes".to_owned());
    let found = foreign(&workspace, "snnc-certify");
    assert_eq!(found, ["snnc-mapping", "snnc-passes"].map(str::to_owned).into());
}

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

/// What lines of code take from `snnc_ir`, and the lines that name a writer or a reader of another crate.
fn names(code: &str) -> (Vec<String>, Vec<String>) {
    let (mut types, mut others) = (Vec::new(), Vec::new());
    let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
    let code = lines.collect::<Vec<_>>().join("\n");
    for (at, prefix) in code.match_indices("snnc_ir::") {
        let rest = &code[at + prefix.len()..];
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let first =
            |path: &str| path.trim().split(|c| !is_name(c)).next().unwrap_or_default().to_owned();
        match rest.strip_prefix('{').and_then(|list| list.split('}').next()) {
            // Lists are flat here: the first name of each entry counts.
            Some(list) => types.extend(list.split(',').map(first).filter(|n| !n.is_empty())),
            None => types.push(first(rest)),
        }
    }
    for line in code.lines() {
        let bounds = line.contains("snnc_ir::quantized") && line.contains("messages");
        let rest = line.replace("snnc_ir", "");
        if bounds || ["snnc_", "postcard"].iter().any(|name| rest.contains(name)) {
            others.push(line.trim().to_owned());
        }
    }
    (types, others)
}

#[test]
fn its_sources_name_types_alone() {
    let files = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(files.len() > 20, "the checker moved");
    let (mut seen, mut foreign) = (0, Vec::new());
    // Tests compare with others.
    let tests = |file: &PathBuf| file.iter().any(|part| part == "tests" || part == "tests.rs");
    for file in files.into_iter().filter(|file| !tests(file)) {
        let text = std::fs::read_to_string(&file).expect("a readable source");
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let (types, others) = names(code);
        seen += types.len();
        let unknown = types.into_iter().filter(|name| !TYPES.contains(&name.as_str()));
        foreign.extend(unknown.chain(others).map(|name| format!("{}: {name}", file.display())));
    }
    assert!(seen > 60, "no imports were found");
    assert_eq!(foreign, Vec::<String>::new());
}

#[test]
fn what_it_must_not_name_is_found() {
    let (types, others) = names(
        "use snnc_ir::{Diagnostics, binary};\nuse snnc_ir::quantized::messages::Bounds;\n\
         let x = snnc_ir::text::parse(y); // snnc_passes\nuse snnc_backends::program::encode;\n",
    );
    assert_eq!(types, ["Diagnostics", "binary", "quantized", "text"]);
    assert_eq!(
        others,
        ["use snnc_ir::quantized::messages::Bounds;", "use snnc_backends::program::encode;"]
    );
}
