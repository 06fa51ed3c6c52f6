//! Everything that can be wrong with a genome is reported with its code and its place.

use crate::cases::{BASE, Case, ENVELOPE, GENES, NEURONS, NODES, cases};
use crate::search::Genome;
use crate::search_cases::{EB, MSE, NEUEVO, SEARCH};
use snnc_frontend::{Loaded, read_genome_bytes};
use snnc_ir::diag::codes::{genome, syntax};
use snnc_ir::{Diagnostic, Diagnostics};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

fn read(genome: &str) -> Result<Loaded, Diagnostics> {
    read_genome_bytes(genome.as_bytes(), Path::new(""), "g.json")
}

/// Reads an architecture genome, with random weights.
fn read_search(genome: &str) -> Result<Loaded, Diagnostics> {
    let renamed = |mut d: Diagnostic| {
        d.place.file = d.place.file.map(|_| "g.json".to_owned());
        d
    };
    Genome::of_text(genome).random(1).map_err(|found| found.into_iter().map(renamed).collect())
}

/// Runs the cases and renders what they report.
fn render(cases: &[Case], read: impl Fn(&str) -> Result<Loaded, Diagnostics>) -> String {
    let mut text = String::new();
    for case in cases {
        let Err(found) = read(&case.genome()) else { panic!("{}: accepted", case.name) };
        let code = format!("SNN{:04}", case.code);
        assert!(
            found.iter().any(|d| d.code.to_string() == code),
            "{}: expected {code}, found\n{found}",
            case.name
        );
        assert!(
            found.iter().all(|d| d.place.file.is_some() && d.place.path.is_some()),
            "{}: a finding without a place\n{found}",
            case.name
        );
        writeln!(text, "## {}\n{found}", case.name).unwrap();
    }
    text
}

#[test]
fn the_base_is_correct() {
    let loaded = read(BASE).unwrap_or_else(|d| panic!("{d}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
}

#[test]
fn envelope() {
    insta::assert_snapshot!(render(ENVELOPE, read));
}

#[test]
fn neurons() {
    insta::assert_snapshot!(render(NEURONS, read));
}

#[test]
fn genes() {
    insta::assert_snapshot!(render(GENES, read));
}

#[test]
fn nodes() {
    insta::assert_snapshot!(render(NODES, read));
}

#[test]
fn search() {
    insta::assert_snapshot!(render(SEARCH, read_search));
}

#[test]
fn the_searches_are_correct() {
    for base in [MSE, NEUEVO, EB] {
        let loaded = read_search(base).unwrap_or_else(|d| panic!("{d}"));
        // A connection to a later module acts in step 0, unlike released.
        let expected = usize::from(base == EB);
        assert_eq!(loaded.warnings.len(), expected, "{}", loaded.warnings);
    }
}

/// A code that no case demands would be a code that may never be reported.
#[test]
fn every_code_has_a_case() {
    let mut demanded: BTreeSet<String> = cases().map(|c| format!("SNN{:04}", c.code)).collect();
    let elsewhere = crate::files::codes().into_iter().chain(crate::search::CODES);
    demanded.extend(elsewhere.map(|c| format!("SNN{c:04}")));
    let documented: BTreeSet<String> = genome::BLOCK
        .iter()
        .chain(syntax::BLOCK)
        .map(|info| info.code.to_string())
        .filter(|code| code.as_str() < "SNN0150" || code.as_str() >= "SNN0200")
        .collect();
    assert_eq!(demanded, documented);
}

#[test]
fn all_findings_are_reported_together() {
    let genome = BASE
        .replace(r#""tau": 2.0"#, r#""tau": 0"#)
        .replace(r#""order": "step_major""#, r#""order": "x""#)
        .replace(r#""k": [2, 2]"#, r#""k": [2]"#)
        .replace(r#""in": ["y", "r"]"#, r#""in": ["y", "q"]"#)
        .replace(r#""count": 3"#, r#""count": 5"#);
    let found = read(&genome).unwrap_err();
    let places: Vec<&str> = found.iter().filter_map(|d| d.place.path.as_deref()).collect();
    let expected =
        ["$.time.order", "$.neurons.n.tau", "$.nodes[1].k", "$.nodes[6].in[1]", "$.genes.count"];
    assert_eq!(places, expected, "{found}");
}

#[test]
fn a_flood_of_findings_is_cut() {
    let nodes = (0..500).map(|i| format!("{i}, ")).collect::<Vec<_>>().concat();
    let found = read(&BASE.replace(r#""nodes": ["#, &format!("\"nodes\": [{nodes}"))).unwrap_err();
    assert_eq!(found.len(), 101);
    assert!(found.iter().last().is_some_and(|d| d.message.contains("400")), "{found}");
    let fields = (0..500).map(|i| format!("\"f{i}\": 0, ")).collect::<Vec<_>>().concat();
    let found = read(&BASE.replacen('{', &format!("{{{fields}"), 1)).unwrap_err();
    assert_eq!(found.len(), 20);
}
