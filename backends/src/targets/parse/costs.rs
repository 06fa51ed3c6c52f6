//! The table `costs`: what a target's operations cost, or why nobody knows.

use super::Reader;
use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::artifact;
use snnc_ir::target::{Cost, Costs};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The largest cost: a millijoule, or a second.
const MOST: i64 = 1_000_000_000_000;

/// What a cost looks like in a file.
const FORM: &str = "a table { value = …, source = \"…\" } or { absent = \"why\" }";

/// Reads `costs`: every key of it, or `absent` for all of them.
pub(super) fn read(reader: &mut Reader<'_>) -> Costs {
    let Some(entry) = reader.get("costs") else { return Costs::absent("", 0) };
    let line = reader.lines.at(entry.span().start).0;
    let Some(table) = entry.get_ref().as_table() else {
        reader.ill_typed("costs", entry, "a table of costs, or { absent = \"why\" }");
        return Costs::absent("", line);
    };
    if let Some(why) = table.get("absent").filter(|_| table.len() == 1) {
        return Costs::absent(&reason(reader, "costs", why), line);
    }
    let mut known = Vec::new();
    let mut cost = |key: &'static str| {
        known.push(key);
        one(reader, table, key, line)
    };
    let costs = Costs {
        router_energy: cost("router_energy"),
        hop_energy_x: cost("hop_energy_x"),
        hop_energy_y: cost("hop_energy_y"),
        router_time: cost("router_time"),
        hop_time_x: cost("hop_time_x"),
        hop_time_y: cost("hop_time_y"),
        message_energy: cost("message_energy"),
        message_time: cost("message_time"),
        arrival_time: cost("arrival_time"),
        synapse_energy: cost("synapse_energy"),
        synapse_time: cost("synapse_time"),
        neuron_energy: cost("neuron_energy"),
        neuron_time: cost("neuron_time"),
        firing_energy: cost("firing_energy"),
        firing_time: cost("firing_time"),
        barrier_time: cost("barrier_time"),
    };
    for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
        let path = format!("costs.{}", key.get_ref());
        let message = format!("`{path}` is not a key of a target file");
        let d = Diagnostic::error(artifact::TARGET_KEY, message);
        reader.out.push(reader.lines.place(d, &key.span()).at(path));
    }
    costs
}

/// What stands for a cost that could not be read; the file is rejected.
const fn unknown(line: u32) -> Cost {
    Cost::Absent { absent: String::new(), line }
}

/// Why a cost is not known.
fn reason(reader: &mut Reader<'_>, path: &str, why: &Spanned<DeValue<'_>>) -> String {
    let path = format!("{path}.absent");
    match why.get_ref().as_str() {
        Some(text) if !text.trim().is_empty() => return text.to_owned(),
        Some(_) => {
            let d = Diagnostic::error(artifact::TARGET_VALUE, format!("`{path}` is an empty text"))
                .help("say why there is no number");
            reader.out.push(reader.lines.place(d, &why.span()).at(path));
        }
        None => reader.ill_typed(&path, why, "a text"),
    }
    String::new()
}

/// The cost `key` of the table `costs`, which begins at `line`.
fn one(reader: &mut Reader<'_>, table: &DeTable<'_>, key: &str, line: u32) -> Cost {
    let path = format!("costs.{key}");
    let Some(entry) = table.get(key) else {
        let d = Diagnostic::error(artifact::TARGET_KEY, format!("the key `{path}` is missing"))
            .at_line(line, 1)
            .at(path)
            .help("copy the line from a built-in target, or write { absent = \"why\" }");
        reader.out.push(d);
        return unknown(line);
    };
    let line = reader.lines.at(entry.span().start).0;
    let Some(fields) = entry.get_ref().as_table() else {
        reader.ill_typed(&path, entry, FORM);
        return unknown(line);
    };
    if let Some(why) = fields.get("absent").filter(|_| fields.len() == 1) {
        return Cost::Absent { absent: reason(reader, &path, why), line };
    }
    let source = fields.get("source").and_then(|s| s.get_ref().as_str()).unwrap_or_default();
    let value = fields.get("value").filter(|_| fields.len() == 2 && !source.trim().is_empty());
    let Some(value) = value else {
        ill_formed(reader, &path, entry);
        return unknown(line);
    };
    match ends(reader, &path, value) {
        Some(value) => Cost::Known { value, source: source.to_owned(), line },
        None => unknown(line),
    }
}

/// The lowest and highest number of a cost: two numbers, or one for both.
fn ends(reader: &mut Reader<'_>, path: &str, value: &Spanned<DeValue<'_>>) -> Option<[u64; 2]> {
    let mut number = |value| {
        let number = reader.integer(&format!("{path}.value"), value, &(0..=MOST))?;
        u64::try_from(number).ok()
    };
    let Some(ends) = value.get_ref().as_array() else { return number(value).map(|n| [n; 2]) };
    let ends: Vec<_> = ends.iter().collect();
    if let [low, high] = ends.as_slice() {
        let (low, high) = (number(low)?, number(high)?);
        if low <= high {
            return Some([low, high]);
        }
    }
    ill_formed(reader, path, value);
    None
}

/// Reports a cost that is none.
fn ill_formed(reader: &mut Reader<'_>, path: &str, entry: &Spanned<DeValue<'_>>) {
    let d = Diagnostic::error(artifact::TARGET_VALUE, format!("`{path}` is no cost"))
        .note(format!("expected {FORM}, where `value` is an integer or [lowest, highest]"));
    reader.out.push(reader.lines.place(d, &entry.span()).at(path));
}
