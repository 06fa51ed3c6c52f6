//! Motifs and genotypes that a genome can name: those of the library, and its own.

mod genotypes;
mod motifs;

use super::cell::MAX_NODES;
use crate::fields::Item;
pub(crate) use genotypes::Genotypes;
pub(crate) use motifs::Motifs;
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::{Diagnostic, Diagnostics};

/// Most entries of a list in a motif or genotype.
const MAX_ENTRIES: usize = 4 * MAX_NODES;

/// Reports what is wrong with a cell.
pub(crate) fn graph<T>(
    found: Result<T, Vec<String>>,
    path: &str,
    out: &mut Diagnostics,
) -> Option<T> {
    found
        .map_err(|problems| {
            for problem in problems {
                let note = "a cell's nodes are sums of operations on earlier states";
                malformed(path, [problem, note.to_owned()], out);
            }
        })
        .ok()
}

fn malformed(path: &str, [message, note]: [String; 2], out: &mut Diagnostics) {
    out.push(Diagnostic::error(codes::CELL_GRAPH, message).at(path).note(note));
}

/// A list of at most [`MAX_ENTRIES`] items.
fn entries<'a>(item: &Item<'a>, out: &mut Diagnostics) -> Option<Vec<Item<'a>>> {
    let items = item.list(out)?;
    if items.len() > MAX_ENTRIES {
        let (found, note) = (items.len(), format!("at most {MAX_ENTRIES}"));
        return item.bad(format!("{found} entries"), &note, out);
    }
    Some(items)
}

fn states(item: &Item<'_>, out: &mut Diagnostics) -> Option<Vec<usize>> {
    let states: Vec<Option<usize>> = entries(item, out)?.iter().map(|i| state(i, out)).collect();
    states.into_iter().collect()
}

fn state(item: &Item<'_>, out: &mut Diagnostics) -> Option<usize> {
    item.whole_u32(0..=u32::from(u16::MAX), out).map(|n| n as usize)
}
