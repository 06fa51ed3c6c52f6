//! Files of a level, and what comes of compiling them.

use super::{Outcome, refused, text as as_text};
use crate::source::{self, FileKind, Source};
use crate::{Options, Target};
use snnc_ir::diag::codes::equivalence;
use snnc_ir::level::AnyDraft;
use snnc_ir::{Diagnostics, binary as form, text as snn};
use snnc_passes::AnyLevel;
use std::sync::OnceLock;

/// Largest binary form of a network that is written again here, in bytes.
const WRITTEN: usize = 1 << 20;

/// The text form: what is read is printed, and read again as the same; what is sealed survives both forms.
pub(super) fn text(bytes: &[u8]) -> Outcome {
    let Some(text) = as_text(bytes) else { return Outcome::Refused };
    let draft = match snn::parse(text) {
        Ok(draft) => draft,
        Err(found) => return refused(&found),
    };
    let printed = snn::print(&draft);
    let again = snn::parse(&printed).unwrap_or_else(|found| panic!("printed: {found}\n{printed}"));
    assert!(alike(&again, &draft), "another draft: {printed}");
    sealed(draft)
}

/// The binary form: what is decoded is encoded, and decoded again as the same.
pub(super) fn binary(bytes: &[u8]) -> Outcome {
    let draft = match form::decode(bytes) {
        Ok(draft) => draft,
        Err(found) => return refused(&found),
    };
    let encoded = form::encode_any(&draft);
    let again = form::decode(&encoded).unwrap_or_else(|found| panic!("encoded: {found}"));
    assert!(alike(&again, &draft), "another draft");
    sealed(draft)
}

/// Drafts may hold what is no number, and equals nothing, so bytes are compared.
fn alike(a: &AnyDraft, b: &AnyDraft) -> bool {
    form::encode_any(a) == form::encode_any(b)
}

/// Seals a draft, and writes and reads what is sealed.
fn sealed(draft: AnyDraft) -> Outcome {
    match source::verify(draft) {
        Ok(level) => {
            survives_writing(&level);
            Outcome::Read
        }
        Err(found) => refused(&found),
    }
}

fn draft(level: &AnyLevel) -> AnyDraft {
    match level {
        AnyLevel::Network(n) => AnyDraft::Network((**n).clone()),
        AnyLevel::Quantized(q) => AnyDraft::Quantized((**q).clone()),
        AnyLevel::Mapped(m) => AnyDraft::Mapped((**m).clone()),
    }
}

/// Both forms of a sealed level read back as the same level, which is sealed again.
pub(super) fn survives_writing(level: &AnyLevel) {
    let draft = draft(level);
    let bytes = form::encode_any(&draft);
    if bytes.len() > WRITTEN {
        return;
    }
    let decoded = form::decode(&bytes).unwrap_or_else(|found| panic!("encoded: {found}"));
    assert!(decoded == draft, "the binary form is another network");
    let printed = snn::print(&draft);
    let parsed = snn::parse(&printed).unwrap_or_else(|found| panic!("printed: {found}\n{printed}"));
    assert!(parsed == draft, "the text form is another network:\n{printed}");
    if let Err(found) = source::verify(parsed) {
        panic!("sealed, and then not: {found}\n{printed}");
    }
}

/// The text form of a small network in logical time, which is compiled: certified, or refused for a reason.
pub(super) fn compile(bytes: &[u8]) -> Outcome {
    let Some(text) = as_text(bytes) else { return Outcome::Refused };
    let level = match snn::parse(text).and_then(source::verify) {
        Ok(level) => level,
        Err(found) => return refused(&found),
    };
    compiles(&source_of(level))
}

/// A source that was never in a file.
pub(in crate::trust) fn source_of(level: AnyLevel) -> Source {
    Source {
        level,
        kind: FileKind::Text,
        hash: String::new(),
        account: None,
        unfolding: None,
        places: None,
        delays: Vec::new(),
        weights: None,
        files: Vec::new(),
        warnings: Diagnostics::new(),
    }
}

/// Most neurons, and most places for weights, of what is compiled here.
const NEURONS: usize = 256;
const PLACES: usize = 1 << 14;

fn is_small(level: &AnyLevel) -> bool {
    let (neurons, places): (usize, usize) = match level {
        AnyLevel::Network(n) => (
            n.nodes.values().map(|node| node.shape.size()).sum(),
            n.tensors.values().map(|tensor| tensor.shape.size()).sum(),
        ),
        AnyLevel::Quantized(q) => (
            q.populations.values().map(snnc_ir::quantized::Population::size).sum(),
            q.matrices
                .values()
                .map(|m| m.structure.rows().saturating_mul(m.structure.cols()))
                .sum(),
        ),
        AnyLevel::Mapped(_) => (usize::MAX, usize::MAX),
    };
    neurons <= NEURONS && places <= PLACES
}

/// Compiles a small source for `loihi2`. Whatever it is, an artifact that is made is certified, and what keeps one from
/// being made is a limit of the target or of the source, never a certificate that an artifact of ours does not get.
pub(super) fn compiles(source: &Source) -> Outcome {
    static TARGET: OnceLock<Target> = OnceLock::new();
    if !is_small(&source.level) {
        return Outcome::Refused;
    }
    let target = TARGET.get_or_init(|| Target::find("loihi2").expect("a target that is built in"));
    attempt(source, target, &Options::default())
}

/// Compiles. A refusal is for a limit of the source or the target.
pub(super) fn attempt(source: &Source, target: &Target, options: &Options) -> Outcome {
    match crate::compile(source, target, options) {
        Ok(compiled) => {
            assert!(compiled.certificate.totals.neurons > 0, "a certificate of nothing");
            Outcome::Read
        }
        Err(failure) => {
            let found = &failure.diagnostics;
            assert!(failure.replay.is_none(), "a pass failed by its own mistake: {found}");
            let ours = |code: &str| code.starts_with("SNN07");
            for finding in found {
                let of_source =
                    [equivalence::OVERFLOW, equivalence::SOURCE].contains(&finding.code);
                let rejected = ours(&finding.code.to_string()) && !of_source;
                assert!(!rejected, "the certificate rejects an artifact of ours: {found}");
            }
            refused(found)
        }
    }
}
