//! The shipped motifs and genotypes.

use snnc_frontend::library;
use snnc_frontend::search::{CellGraph, Motif, Operation};
use std::collections::BTreeSet;

#[test]
fn motifs() {
    let text: Vec<String> = library().motifs.iter().map(ToString::to_string).collect();
    assert_eq!(text.len(), 17);
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn genotypes() {
    let text: Vec<String> = library().genotypes.iter().map(ToString::to_string).collect();
    assert_eq!(text.len(), 47);
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn names_are_unique() {
    let library = library();
    let names: BTreeSet<String> = library.motifs.iter().map(Motif::name).collect();
    assert_eq!(names.len(), library.motifs.len());
    let names: BTreeSet<&str> = library.genotypes.iter().map(|g| g.name.as_str()).collect();
    assert_eq!(names.len(), library.genotypes.len());
}

/// Two genotypes name operations that no cell class has together; all others are cells of maps.
#[test]
fn two_genotypes_are_of_vectors() {
    let library = library();
    let mlp: Vec<&str> =
        library.genotypes.iter().filter(|g| g.has_mlp()).map(|g| g.name.as_str()).collect();
    assert_eq!(mlp, ["mlp1", "mlp2"]);
}

/// The template of m3 says inhibitory; what its gene says counts.
#[test]
fn entries_locate_the_feedback_gene() {
    let entries: Vec<(String, usize)> =
        library().motifs.iter().map(|m| (m.name(), m.entries())).collect();
    let expected = [
        ("mm0", 3),
        ("mm1", 4),
        ("mm2", 6),
        ("mm3", 8),
        ("mm4", 10),
        ("mm5", 5),
        ("m0", 3),
        ("m1", 6),
        ("m2", 9),
        ("m3", 11),
        ("m4", 15),
        ("m5", 7),
        ("t1", 16),
        ("t2", 12),
        ("t3", 15),
        ("t4", 12),
        ("t5", 19),
    ];
    assert_eq!(entries, expected.map(|(name, n)| (name.to_owned(), n)));
}

/// Operations of a graph's feedback.
pub(crate) fn feedback(graph: &CellGraph) -> Vec<Operation> {
    graph.feedback.iter().map(|b| b.operation).collect()
}
