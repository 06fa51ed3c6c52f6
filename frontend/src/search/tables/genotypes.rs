//! The field `genotypes`.

use super::{entries, graph, state, states};
use crate::fields::{Item, Name, flaw_of_name, unknown_name};
use crate::json::quote;
use crate::search::cell::{Operation, Semantics};
use crate::search::genotype::{self, Genotype, Known};
use crate::search::library;
use crate::suggest::closest;
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::{Diagnostic, Diagnostics};
use std::collections::BTreeMap;

/// Genotypes by name.
#[derive(Debug, Default)]
pub(crate) struct Genotypes {
    library: bool,
    own: BTreeMap<String, Option<Genotype>>,
}

impl Genotypes {
    /// The field `genotypes`, if there is one; `library` says whether the shipped ones count, too.
    pub(crate) fn parse(item: Option<&Item<'_>>, library: bool, out: &mut Diagnostics) -> Self {
        let mut found = Self { library, own: BTreeMap::new() };
        let Some(item) = item else { return found };
        for (name, item) in item.entries(flaw_of_name, out) {
            let genotype = genotype(&name, &item, out);
            if let (true, Some(own), Some(shipped)) =
                (library, &genotype, library::genotype(&name.text))
                && *own != shipped
            {
                let message = format!("the genotype `{}` is another one in library 1", name.text);
                let lines = shipped.to_string();
                let note = format!("library 1 has {}", lines.trim_end().replace('\n', "; "));
                out.push(
                    Diagnostic::error(codes::TEMPLATE_CONFLICT, message)
                        .at(&item.path)
                        .note(note)
                        .help("remove it here, or give it another name"),
                );
            }
            found.own.insert(name.text, genotype);
        }
        found
    }

    /// The genotype called `name`.
    pub(crate) fn find(&self, name: &Name, out: &mut Diagnostics) -> Option<Genotype> {
        if let Some(own) = self.own.get(&name.text) {
            return own.clone();
        }
        if let Some(shipped) = self.library.then(|| library::genotype(&name.text)).flatten() {
            return Some(shipped);
        }
        let mut known: Vec<&str> = self.own.keys().map(String::as_str).collect();
        for name in library::genotype_names().filter(|_| self.library) {
            known.push(name);
        }
        let d = unknown_name(name, "genotype", known.iter().copied());
        out.push(if self.library {
            d
        } else {
            d.help("add \"library\": 1 to `search` for the shipped genotypes")
        });
        None
    }
}

/// `{ "normal": [["conv_3x3_p", 1], …], "concat": [2, 3, 4] }`
fn genotype(name: &Name, item: &Item<'_>, out: &mut Diagnostics) -> Option<Genotype> {
    let mut fields = item.fields(out)?;
    let concat = fields
        .required("concat", "states that make up the output", out)
        .and_then(|i| states(&i, out));
    let pairs = fields.required("normal", "[[operation, state], …]", out).and_then(|i| {
        let pairs: Vec<Option<Pair>> = entries(&i, out)?.iter().map(|i| pair(i, out)).collect();
        pairs.into_iter().collect::<Option<Vec<Pair>>>()
    });
    fields.finish(out);
    let (pairs, concat) = (pairs?, concat?);
    // The first marked entry begins the feedback; marks of later ones do not count.
    let begin = pairs.iter().position(|p| p.back).unwrap_or(pairs.len());
    let plain = |pairs: &[Pair]| pairs.iter().map(|p| (p.operation, p.state)).collect();
    let genotype = Genotype {
        name: name.text.clone(),
        forward: plain(&pairs[..begin]),
        feedback: plain(&pairs[begin..]),
        concat,
    };
    graph(genotype.graph(Semantics::SameStep), &item.path, out)?;
    Some(genotype)
}

/// An entry of a genotype.
struct Pair {
    operation: Operation,
    state: usize,
    back: bool,
}

/// `["conv_3x3_p", 1]`
fn pair(item: &Item<'_>, out: &mut Diagnostics) -> Option<Pair> {
    let parts = item.list(out)?;
    let [op, source] = &parts[..] else {
        let found = parts.len();
        return item.bad(format!("an entry of {found} parts"), "[operation, state]", out);
    };
    let (text, state) = (op.text(out), state(source, out));
    let text = text?;
    let (plain, back) = match text.strip_suffix("_back") {
        Some(plain) => (plain, true),
        None => (text, false),
    };
    let operation = match genotype::operation(plain) {
        Known::Operation(operation) => Some(operation),
        Known::Refused(why) => {
            out.push(
                Diagnostic::error(
                    codes::NOT_ACCEPTED,
                    format!("the operation {} is not accepted", quote(text)),
                )
                .at(&op.path)
                .note(why)
                .note(format!("accepted: {}", genotype::NAMES.join(", "))),
            );
            None
        }
        Known::Unknown => {
            let message = format!("{} is not a known operation of a cell", quote(text));
            let mut d = Diagnostic::error(codes::BAD_VALUE, message)
                .at(&op.path)
                .note(format!("known: {}; `_back` marks feedback", genotype::NAMES.join(", ")));
            if let Some(near) = closest(plain, genotype::NAMES) {
                d = d.help(format!("did you mean `{near}`?"));
            }
            out.push(d);
            None
        }
    };
    Some(Pair { operation: operation?, state: state?, back })
}
