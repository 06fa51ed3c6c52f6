//! The field `motifs`.

use super::{entries, graph, malformed, state, states};
use crate::fields::{Item, flaw_of_name};
use crate::json::quote;
use crate::search::cell::{CellGraph, Draft, Entry, Operation, Semantics};
use crate::search::genes::PER_CELL;
use crate::search::library;
use crate::search::motif::{self, Mark, Motif, Slot};
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::{Diagnostic, Diagnostics};
use std::collections::BTreeMap;

/// Largest id of a motif.
const MAX_ID: u32 = 255;

/// Motifs by id and arity.
#[derive(Debug, Default)]
pub(crate) struct Motifs {
    library: bool,
    /// `None` where the motif is wrong, so that it is still known.
    own: BTreeMap<(u32, usize), Option<Motif>>,
}

impl Motifs {
    /// The field `motifs`, if there is one; `library` says whether the shipped ones count, too.
    pub(crate) fn parse(item: Option<&Item<'_>>, library: bool, out: &mut Diagnostics) -> Self {
        let mut found = Self { library, own: BTreeMap::new() };
        let Some(item) = item else { return found };
        for (name, item) in item.entries(flaw_of_name, out) {
            let key = name.text.split_once('/').and_then(|(id, arity)| {
                let (id, arity) = (id.parse::<u32>().ok()?, arity.parse::<usize>().ok()?);
                let known = id <= MAX_ID && (2..=4).contains(&arity);
                // One spelling per motif, so that no two keys are one.
                (known && name.text == format!("{id}/{arity}")).then_some((id, arity))
            });
            let Some((id, arity)) = key else {
                let note = "ID/ARITY, such as \"4/3\"; arities are 2, 3 and 4";
                item.bad::<()>(format!("bad key {} of a motif", quote(&name.text)), note, out);
                continue;
            };
            let motif = motif(&item, id, arity, out);
            if let (true, Some(own), Some(shipped)) = (library, &motif, library::motif(id, arity))
                && *own != shipped
            {
                let name = shipped.name();
                let message = format!("the motif {name} is another one in library 1");
                let lines = shipped.to_string();
                let note = format!("library 1 has {}", lines.trim_end().replace('\n', "; "));
                out.push(Diagnostic::error(codes::TEMPLATE_CONFLICT, message).at(&item.path).note(note).help(
                    "remove it here, give it another id, or leave `library` out to use only motifs of this file",
                ));
            }
            found.own.insert((id, arity), motif);
        }
        found
    }

    /// The motif that gene `path` chooses. `None` if there is none, or it is wrong.
    pub(crate) fn find(
        &self,
        id: u32,
        arity: usize,
        path: &str,
        out: &mut Diagnostics,
    ) -> Option<Motif> {
        if let Some(own) = self.own.get(&(id, arity)) {
            return own.clone();
        }
        if let Some(shipped) = self.library.then(|| library::motif(id, arity)).flatten() {
            return Some(shipped);
        }
        let name = motif::name(id, arity);
        let own = self.own.keys().filter(|(_, a)| *a == arity).map(|&(id, _)| id);
        let shipped = (0..=MAX_ID).filter(|&i| self.library && library::motif(i, arity).is_some());
        let mut known: Vec<u32> = own.chain(shipped).collect();
        known.sort_unstable();
        known.dedup();
        let known: Vec<String> = known.into_iter().map(|id| motif::name(id, arity)).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let d = Diagnostic::error(codes::MOTIF_UNKNOWN, format!("there is no motif {name}"))
            .at(path)
            .note(format!("motifs of {arity} inputs: {known}"));
        out.push(if self.library {
            d.help(format!("define it in `motifs` as \"{id}/{arity}\", or choose another"))
        } else {
            d.help(
                "add \"library\": 1 to `search` for the shipped motifs, or define it in `motifs`",
            )
        });
        None
    }
}

/// `{ "arity", "concat", "nodes", "feedback", "unused" }`
fn motif(item: &Item<'_>, id: u32, arity: usize, out: &mut Diagnostics) -> Option<Motif> {
    let mut fields = item.fields(out)?;
    if let Some(given) = fields.required("arity", "inputs of the cell", out)
        && given.whole(2..=4, out).is_some_and(|n| n != arity as u64)
    {
        given.bad::<()>("another arity than the key's", "the key is ID/ARITY", out);
    }
    let concat = fields
        .required("concat", "states that make up the output", out)
        .and_then(|i| states(&i, out));
    let nodes =
        fields.required("nodes", "[{ id, in }, …]", out).and_then(|i| motif_nodes(&i, arity, out));
    let unused = match fields.optional("unused") {
        Some(i) => i.whole_u32(0..=16, out),
        None => Some(0),
    };
    let feedback = fields
        .required("feedback", "[{ after, to, op }, …], or []", out)
        .and_then(|i| motif_feedback(&i, arity, out));
    fields.finish(out);
    let motif = Motif {
        id,
        arity,
        nodes: nodes?,
        unused: unused? as usize,
        feedback: feedback?,
        concat: concat?,
    };
    let entry = |slot: &Slot| Entry { operation: Operation::Zero, source: slot.state, gene: None };
    let draft = Draft {
        arity,
        forward: motif.nodes.iter().flatten().map(entry).collect(),
        feedback: motif.feedback.iter().map(entry).collect(),
        concat: &motif.concat,
    };
    graph(CellGraph::new(&draft, Semantics::SameStep), &item.path, out)?;
    let entries = motif.entries();
    if entries >= PER_CELL {
        let note = "a cell has 19 genes for its entries".to_owned();
        malformed(&item.path, [format!("{entries} entries"), note], out);
        return None;
    }
    Some(motif)
}

fn motif_nodes(item: &Item<'_>, arity: usize, out: &mut Diagnostics) -> Option<Vec<Vec<Slot>>> {
    let items = entries(item, out)?;
    let mut nodes = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some(mut fields) = item.fields(out) else { continue };
        let expected = arity + index;
        let id = fields.required("id", "state of the node", out).map(|i| (state(&i, out), i));
        if let Some((Some(id), i)) = id
            && id != expected
        {
            let note = format!("nodes stand in order; this one is state {expected}");
            i.bad::<()>(format!("the node has the id {id}"), &note, out);
        }
        let slots = fields.required("in", "[[op, state], …]", out).and_then(|i| {
            let slots: Vec<Option<Slot>> = entries(&i, out)?.iter().map(|i| slot(i, out)).collect();
            let slots: Vec<Slot> = slots.into_iter().collect::<Option<_>>()?;
            if slots.len() == arity {
                return Some(slots);
            }
            let found = slots.len();
            let note = format!(
                "{arity} entries per node, one per input of the cell; fill up with [\"zero\", 0]"
            );
            malformed(&i.path, [format!("a node of {found} entries"), note], out);
            None
        });
        fields.finish(out);
        nodes.push(slots);
    }
    (nodes.len() == items.len()).then(|| nodes.into_iter().collect()).flatten()
}

/// `["+", 3]`
fn slot(item: &Item<'_>, out: &mut Diagnostics) -> Option<Slot> {
    let parts = item.list(out)?;
    let [mark, source] = &parts[..] else {
        let found = parts.len();
        return item.bad(format!("an entry of {found} parts"), "[op, state]", out);
    };
    let (mark, state) = (self::mark(mark, out), state(source, out));
    Some(Slot { mark: mark?, state: state? })
}

fn mark(item: &Item<'_>, out: &mut Diagnostics) -> Option<Mark> {
    let marks = [Mark::Excite, Mark::Inhibit, Mark::Identity, Mark::Zero];
    item.choice("operation of a motif", &marks.map(|m| (m.symbol(), m)), out)
}

fn motif_feedback(item: &Item<'_>, arity: usize, out: &mut Diagnostics) -> Option<Vec<Slot>> {
    let items = entries(item, out)?;
    let mut slots = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some(mut fields) = item.fields(out) else { continue };
        let expected = arity + index + 1;
        let after =
            fields.required("after", "node that the edge reads", out).map(|i| (state(&i, out), i));
        if let Some((Some(after), i)) = after
            && after != expected
        {
            let note = format!(
                "every node but the first has one, in order; this one is for state {expected}; an edge \
                 without effect is \"zero\""
            );
            i.bad::<()>(format!("feedback after state {after}"), &note, out);
        }
        let to = fields.required("to", "state that it changes", out).and_then(|i| state(&i, out));
        let mark = fields.required("op", "+, -, id or zero", out).and_then(|i| mark(&i, out));
        fields.finish(out);
        slots.push(to.zip(mark).map(|(state, mark)| Slot { mark, state }));
    }
    (slots.len() == items.len()).then(|| slots.into_iter().collect()).flatten()
}
