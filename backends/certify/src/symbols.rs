//! Phase 1: symbol table and readout, and the header.

use super::findings::{Findings, population};
use super::host;
use snnc_ir::arena::PopId;
use snnc_ir::diag::codes::equivalence as code;
use snnc_ir::program::{Program, ProgramReadout, Symbol, SymbolRole};
use snnc_ir::quantized::{IntReadout, PopKind, Population, QuantizedDraft, Time};
use snnc_ir::{Diagnostic, Diagnostics, TargetSpec};
use std::collections::BTreeMap;

/// What a symbol stands for, once its claims about itself agree with the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// An input of the source.
    Input(PopId),
    /// Neurons or graded relays of the source.
    Neurons(PopId),
    /// Repeats a symbol that is one of the first two, `hops` steps later.
    Relay {
        /// That symbol.
        of: usize,
        /// Steps behind it.
        hops: u32,
    },
    /// Fires by itself.
    Clock,
}

/// Compares symbols and readout; returns what each symbol stands for.
///
/// # Errors
/// The differences.
pub(super) fn check(
    source: &QuantizedDraft,
    program: &Program,
) -> Result<Vec<Meaning>, Diagnostics> {
    let mut findings = Findings::default();
    // In logical time a verified network has no relays, clocks or update periods.
    if source.time != Time::Logical {
        findings.push(
            Diagnostic::error(code::SOURCE, "the source network is in hardware time")
                .at(format!("network \"{}\"", source.name))
                .help("give the quantized network before the schedule"),
        );
    }
    let meanings = meanings(source, program, &mut findings);
    readout(source, program, &meanings, &mut findings);
    host::compare(source, program, &meanings, &mut findings);
    findings.end_phase()?;
    // A symbol without a meaning is a finding, so none is left out here.
    Ok(meanings.into_iter().flatten().collect())
}

/// Compares the header. Its differences do not keep the other phases from saying more.
pub(super) fn header(
    source: &QuantizedDraft,
    program: &Program,
    target: &TargetSpec,
) -> Diagnostics {
    let mut out = Diagnostics::new();
    let mut differs = |what: &str, expected: String, found: String| {
        if expected != found {
            out.push(
                Diagnostic::error(code::HEADER, format!("the artifact's {what} is {found}"))
                    .at(format!("header field \"{what}\""))
                    .note(format!("expected {expected}")),
            );
        }
    };
    differs("name", format!("{:?}", source.name), format!("{:?}", program.name));
    differs("target", format!("{:?}", target.name), format!("{:?}", program.target));
    differs("steps", source.steps.to_string(), program.steps.to_string());
    if program.period == 0 {
        differs("period", "at least 1".to_owned(), "0".to_owned());
    }
    let latest = program.populations.iter().map(|s| s.latency).max().unwrap_or(0);
    // At most 2^32 · 2^32, so the sum may need the 65th bit.
    let run = u128::from(program.period) * u128::from(program.steps) + u128::from(latest);
    differs("run_steps", run.to_string(), program.run_steps.to_string());
    out
}

fn meanings(
    source: &QuantizedDraft,
    program: &Program,
    findings: &mut Findings,
) -> Vec<Option<Meaning>> {
    let mut by_name: BTreeMap<&str, PopId> = BTreeMap::new();
    for (id, p) in source.populations.iter() {
        by_name.insert(&p.name, id);
    }
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut meanings = Vec::with_capacity(program.populations.len());
    for (index, symbol) in program.populations.iter().enumerate() {
        if let Some(first) = seen.insert(&symbol.name, index) {
            let message = format!("symbols {first} and {index} have the same name");
            findings.push(Diagnostic::error(code::SYMBOLS, message).at(population(&symbol.name)));
        }
        meanings.push(meaning(source, program, symbol, &by_name, findings));
    }
    for name in by_name.keys().filter(|name| !seen.contains_key(*name)) {
        let message = "the artifact's symbol table lacks a population of the source";
        findings.push(Diagnostic::error(code::SYMBOLS, message).at(population(name)));
    }
    meanings
}

/// What one symbol stands for.
fn meaning(
    source: &QuantizedDraft,
    program: &Program,
    symbol: &Symbol,
    by_name: &BTreeMap<&str, PopId>,
    findings: &mut Findings,
) -> Option<Meaning> {
    let mut wrong = |message: String| {
        findings.push(Diagnostic::error(code::SYMBOLS, message).at(population(&symbol.name)));
        None
    };
    let (block, channels) = (symbol.block as usize, symbol.shape.channels());
    if block == 0 || block > channels {
        return wrong(format!("its order has blocks of {block} channels, of {channels}"));
    }
    match (&symbol.role, by_name.get(symbol.name.as_str())) {
        (SymbolRole::Input(_) | SymbolRole::Neurons, None) => {
            wrong("the source has no population of this name".to_owned())
        }
        (SymbolRole::Input(_) | SymbolRole::Neurons, Some(&id)) => {
            let expected = &source.populations[id];
            if expected.shape != symbol.shape {
                let (a, b) = (&expected.shape, &symbol.shape);
                return wrong(format!("the source's shape is {a}, the artifact's {b}"));
            }
            match (&expected.kind, &symbol.role) {
                (PopKind::Input(a), SymbolRole::Input(b)) if a == b => Some(Meaning::Input(id)),
                (PopKind::Neurons(_) | PopKind::Graded(_), SymbolRole::Neurons) => {
                    Some(Meaning::Neurons(id))
                }
                (kind, role) => wrong(format!(
                    "the source has {} here, the artifact {}",
                    kind_in_words(kind),
                    role_in_words(role)
                )),
            }
        }
        (SymbolRole::Relay { .. } | SymbolRole::Clock, Some(_)) => wrong(format!(
            "the artifact has {} under the name of a population of the source",
            role_in_words(&symbol.role)
        )),
        (SymbolRole::Clock, None) => Some(Meaning::Clock),
        (&SymbolRole::Relay { of, hops }, None) => {
            let Some(head) = program.populations.get(of as usize) else {
                return wrong(format!("it repeats symbol {of}, which does not exist"));
            };
            let name = population(&head.name);
            if !is_of_source(head) {
                return wrong(format!("it repeats {name}, which is no population of the source"));
            }
            if head.shape.size() != symbol.shape.size() {
                return wrong(format!(
                    "it has shape {} and repeats {name} of shape {}",
                    symbol.shape, head.shape
                ));
            }
            if head.latency.checked_add(hops) != Some(symbol.latency) {
                return wrong(format!(
                    "its latency is {}, but it is {hops} steps behind {name} of latency {}",
                    symbol.latency, head.latency
                ));
            }
            Some(Meaning::Relay { of: of as usize, hops })
        }
    }
}

const fn is_of_source(symbol: &Symbol) -> bool {
    matches!(symbol.role, SymbolRole::Input(_) | SymbolRole::Neurons)
}

fn kind_in_words(kind: &PopKind) -> String {
    match kind {
        PopKind::Input(coding) => format!("an input ({coding:?})"),
        PopKind::Neurons(_) => "neurons".to_owned(),
        PopKind::Graded(_) => "graded relays".to_owned(),
    }
}

fn role_in_words(role: &SymbolRole) -> String {
    match role {
        SymbolRole::Input(coding) => format!("an input ({coding:?})"),
        SymbolRole::Neurons => "neurons".to_owned(),
        SymbolRole::Relay { .. } => "a relay".to_owned(),
        SymbolRole::Clock => "a clock".to_owned(),
    }
}

fn readout(
    source: &QuantizedDraft,
    program: &Program,
    meanings: &[Option<Meaning>],
    findings: &mut Findings,
) {
    let mut wrong = |place: String, message: String| {
        findings.push(Diagnostic::error(code::READOUT, message).at(place));
    };
    // The population of the source that symbol `index` stands for.
    let read = |index: u32| match meanings.get(index as usize) {
        Some(&Some(Meaning::Input(id) | Meaning::Neurons(id))) => Some(id),
        _ => None,
    };
    let name = |id: PopId| source.populations.get(id).map_or("", |p: &Population| &p.name);
    let bits = |values: &[f32]| values.iter().map(|w| w.to_bits()).collect::<Vec<_>>();
    let other = |index: u32| match program.populations.get(index as usize) {
        Some(symbol) => population(&symbol.name),
        None => format!("symbol {index}, which does not exist"),
    };
    match (&source.readout, &program.readout) {
        (IntReadout::SpikeCount(a), &ProgramReadout::SpikeCount(b)) => {
            if read(b) != Some(*a) {
                let message = format!("the artifact counts the spikes of {}", other(b));
                wrong(population(name(*a)), message);
            }
        }
        (
            IntReadout::MeanLinear { terms: a, bias: a0 },
            ProgramReadout::MeanLinear { terms: b, bias: b0 },
        ) => {
            if a.len() != b.len() {
                wrong(
                    "readout".to_owned(),
                    format!("{} terms in the source, {} in the artifact", a.len(), b.len()),
                );
            }
            for ((p, w), (index, x)) in a.iter().zip(b) {
                if read(*index) != Some(*p) {
                    wrong(population(name(*p)), format!("the artifact reads {}", other(*index)));
                } else if bits(w) != bits(x) {
                    wrong(population(name(*p)), "the readout weights differ".to_owned());
                }
            }
            if bits(a0) != bits(b0) {
                wrong("readout".to_owned(), "the readout biases differ".to_owned());
            }
        }
        (IntReadout::SpikeCount(_), ProgramReadout::MeanLinear { .. })
        | (IntReadout::MeanLinear { .. }, ProgramReadout::SpikeCount(_)) => {
            wrong("readout".to_owned(), "the kinds of readout differ".to_owned());
        }
    }
}
