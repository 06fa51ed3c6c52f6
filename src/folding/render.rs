//! The account as tables.

use super::{Amount, FoldingAccount};
use crate::cli::table::Table;
use std::fmt::Write as _;

/// Entries of a table that are shown; the account holds all.
const SHOWN: usize = 24;

/// All tables that have rows.
pub(super) fn render(account: &FoldingAccount) -> String {
    let mut text = amounts(account);
    text.push_str(&memory(account));
    let folds = account.folds.iter().map(|f| {
        let numbers =
            [f.values, f.synapses, f.bits, f.neurons, f.projections].map(|n| n.to_string());
        let [values, synapses, bits, neurons, projections] = numbers;
        vec![
            f.kind.name().to_owned(),
            f.into.clone(),
            f.from.join(", "),
            values,
            synapses,
            bits,
            neurons,
            projections,
        ]
    });
    let headings = ["fold", "into", "from", "values", "synapses", "bits", "neurons", "projections"];
    text.push_str(&table("folds, and what each saved", &headings, folds.collect()));
    let shared = account.shared.iter().map(|s| {
        let numbers = [s.projections, s.values, s.saved].map(|n| n.to_string());
        [vec![s.matrices.join(", ")], numbers.to_vec()].concat()
    });
    let headings = ["matrices of the same values", "projections", "values", "saved"];
    text.push_str(&table("values that several projections use", &headings, shared.collect()));
    let equal = account.equal.iter().map(|e| {
        let numbers = [e.rows, e.distinct_rows, e.cols, e.distinct_cols].map(|n| n.to_string());
        [vec![e.matrix.clone()], numbers.to_vec()].concat()
    });
    let headings = ["matrix", "rows", "distinct", "columns", "distinct"];
    text.push_str(&table("matrices with equal rows or columns", &headings, equal.collect()));
    text
}

fn amounts(account: &FoldingAccount) -> String {
    let mut table = Table::new(&["parameters", "values", "bytes", "of the genome"]);
    let genome = account.genome;
    let mut row = |name: &str, values: u64, bytes: Option<u64>| {
        let share = match (genome, bytes) {
            (Some(genome), Some(bytes)) if genome.bytes > 0 => {
                // Tenths of a percent, rounded to nearest.
                let tenths = (bytes.saturating_mul(2000) / genome.bytes).div_ceil(2);
                format!("{}.{} %", tenths / 10, tenths % 10)
            }
            _ => String::new(),
        };
        let bytes = bytes.map_or_else(String::new, |b| b.to_string());
        table.row([name.to_owned(), values.to_string(), bytes, share]);
    };
    let mut floats = |name: &str, amount: Option<Amount>| {
        if let Some(amount) = amount {
            row(name, amount.values, Some(amount.bytes));
        }
    };
    floats("genome, stored", account.genome);
    floats("genome, decoded", account.decoded);
    floats("network, lowered", account.network);
    let integers = &account.integers;
    row("integers, each projection its own", integers.unshared_values, None);
    row("integers, shared", integers.stored_values, None);
    row("artifact, values", account.pool.values, Some(account.pool.bytes));
    row("artifact, program.snnb", account.pool.values, Some(account.program_bytes));
    row("core memory", account.memory.words, Some(account.memory_bytes()));
    table.render(0)
}

fn memory(account: &FoldingAccount) -> String {
    let m = &account.memory;
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{} projections, {} matrices, {} synapses\n{} cores, {} words of synapse memory ({} if nothing on a \
         core were shared), {} compartments ({} graded relays), {} hardware steps",
        account.integers.projections,
        account.integers.matrices,
        account.integers.synapses,
        m.cores,
        m.words,
        m.unshared_words,
        m.compartments,
        m.relays,
        m.run_steps
    );
    text
}

/// A table under a title, cut after [`SHOWN`] rows; nothing if there are none.
fn table(title: &str, headings: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let left = rows.len().saturating_sub(SHOWN);
    let mut table = Table::new(headings);
    rows.into_iter().take(SHOWN).for_each(|row| table.row(row));
    let more = if left > 0 { format!("  and {left} more\n") } else { String::new() };
    format!("{title}\n{}{more}", table.render(2))
}
